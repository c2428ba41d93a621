/* Layers that only pruned records need: one update takes them out of the service's stack. */
#include "release/prune.h"

#include "cfn/expression.h"
#include "cfn/template.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

static bool has_layers(const struct prune_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (items[i].kind == COLLECT_LAYER)
            return true;
    return false;
}

static int read_template(const struct release *r, const struct world *w, const struct node **ret,
                         struct map *nesting, struct err *err)
{
    return nested_read(r, &w->store, w->service_name, ret, nesting, err);
}

int prune_layers_find(const struct release *r, const struct world *w, struct prune_item *items,
                      size_t *n, struct err *err)
{
    const struct node *template;
    size_t count = 0;
    struct map nesting = MAP(r->arena);
    if (!has_layers(items, *n))
        return 0;
    if (read_template(r, w, &template, &nesting, err) < 0)
        return -1;
    const struct node *resources = node_get_c(template, "Resources");
    for (size_t i = 0; i < *n; i++)
        if (items[i].kind != COLLECT_LAYER || node_get(resources, items[i].id))
            items[count++] = items[i];
    *n = count;
    return 0;
}

/* Does `resource` permit others a layer that goes? */
static bool goes_along(const struct node *resource, const struct map *gone)
{
    return node_is_text(node_get_c(resource, "Type"), "AWS::Lambda::LayerVersionPermission") &&
           map_has(gone, node_text(node_path(resource, "Properties.LayerVersionArn.Ref")));
}

static const struct node *without(struct arena *a, const struct node *template,
                                  const struct map *gone)
{
    struct node *resources = node_map(a), *outputs = node_map(a);
    member_each (m, node_get_c(template, "Resources"))
        if (!map_has(gone, m->key) && !goes_along(m->value, gone))
            node_put(a, resources, m->key, m->value);
    member_each (m, node_get_c(template, "Outputs")) {
        struct cfn_value v;
        if (!cfn_value_of(node_get_c(m->value, "Value"), &v) || !map_has(gone, v.id))
            node_put(a, outputs, m->key, m->value);
    }
    return cfn_with(a, cfn_with(a, template, "Resources", resources), "Outputs", outputs);
}

int prune_layers_drop(const struct release *r, const struct world *w,
                      const struct prune_item *items, size_t n, struct err *err)
{
    struct arena *a = r->arena;
    struct map gone = MAP(a), there = MAP(a);
    const struct map *nesting = &there;
    const struct node *template;
    struct stack stack;
    for (size_t i = 0; i < n; i++)
        if (items[i].kind == COLLECT_LAYER && !items[i].why_kept.n)
            map_put(&gone, items[i].id, &items[i]);
    if (!gone.n)
        return 0;
    if (stack_wait(r, w->service_name, &stack, err) < 0 ||
        read_template(r, w, &template, &there, err) < 0)
        return -1;
    struct node *parameters = node_map(a);
    member_each (m, node_get_c(template, "Parameters"))
        node_put(a, parameters, m->key, node_null(a)); /* as they are */
    struct stack_update update = {.name = w->service_name,
                                  .template = without(a, template, &gone),
                                  .parameters = parameters,
                                  .store = &w->store};
    if (stack_apply(r, &update, &nesting, NULL, err) < 0)
        return err_wrap(err, "take old layers out of stack '%.*s'", STR_ARG(w->service_name));
    return 0;
}
