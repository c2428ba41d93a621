/* Pointers that somebody deleted: the template without them. */
#include "release/plan/without_pointers.h"

#include "cfn/cfn.h"

struct leaving {
    const struct plan *plan;
    struct str region;
    const struct pointer *const *gone;
    size_t n;
    struct map ids; /* logical ids that go -> struct pointer *, or NULL behind an alias */
};

static struct str id_of(const struct plan *plan, const struct pointer *p)
{
    for (size_t i = 0; i < plan->function_count && !p->gateway; i++)
        if (str_eq(plan->functions[i].function->key, p->key))
            return plan->functions[i].function->alias_id;
    for (size_t i = 0; i < plan->api_count && p->gateway; i++)
        if (str_eq(plan->apis[i].api->id, p->key))
            return plan->apis[i].api->stage_id;
    return (struct str){"", 0};
}

static bool depends_on(const struct node *resource, struct str id)
{
    const struct node *all = node_get_c(resource, "DependsOn");
    if (node_is(all, NODE_STRING))
        return str_eq(all->text, id);
    node_each (one, all)
        if (str_eq(node_text(one), id))
            return true;
    return false;
}

static bool is_behind(struct arena *a, const struct node *resource, struct str alias)
{
    return cfn_is(cfn_type_of(resource), CFN_WITH_ALIAS) &&
           (depends_on(resource, alias) ||
            layout_mentions(a, node_get_c(resource, "Properties"), alias));
}

static void find_leaving(struct arena *a, struct leaving *x, const struct node *resources)
{
    for (size_t i = 0; i < x->n; i++) {
        struct str id = id_of(x->plan, x->gone[i]);
        if (!node_get(resources, id))
            continue;
        map_put(&x->ids, id, (void *)x->gone[i]);
        member_each (m, resources)
            if (!x->gone[i]->gateway && is_behind(a, m->value, id))
                map_put(&x->ids, m->key, NULL);
    }
}

/* The Ref of an alias is its ARN, that of an API's stage its name. */
static const struct node *name_of(void *context, struct arena *a, struct str id,
                                  struct str attribute)
{
    const struct leaving *x = context;
    const struct pointer *p = map_has(&x->ids, id) ? map_get(&x->ids, id) : NULL;
    if (!p || attribute.n)
        return NULL;
    if (p->gateway)
        return node_str(a, p->stage);
    return node_strf(a, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s:%.*s",
                     STR_ARG(x->plan->world.partition), STR_ARG(x->region),
                     STR_ARG(x->plan->world.account), STR_ARG(p->owner), STR_ARG(p->stage));
}

static const struct node *without_waiting(struct arena *a, const struct leaving *x,
                                          const struct node *resource)
{
    const struct node *given = node_get_c(resource, "DependsOn");
    struct node *copy = node_shallow(a, resource), *left = node_seq(a);
    if (node_is(given, NODE_STRING) && !map_has(&x->ids, given->text))
        return resource;
    node_each (one, given)
        if (!map_has(&x->ids, node_text(one)))
            node_push(a, left, one);
    node_drop(copy, STR("DependsOn"));
    if (left->count)
        node_put_c(a, copy, "DependsOn", left);
    return copy;
}

static const struct node *still_needed(void *context, struct arena *a, struct str id,
                                       struct str attribute)
{
    struct leaving *x = context;
    (void)a, (void)attribute;
    x->n += map_has(&x->ids, id);
    return NULL;
}

const struct node *missing_without(struct arena *a, const struct plan *plan,
                                   const struct node *template, struct str region,
                                   const struct pointer *const *gone, size_t n)
{
    struct leaving x = {plan, region, gone, n, MAP(a)};
    struct node *out = node_shallow(a, template), *resources = node_map(a), *outputs = node_map(a);
    find_leaving(a, &x, node_get_c(template, "Resources"));
    member_each (m, node_get_c(template, "Resources"))
        if (!map_has(&x.ids, m->key))
            node_put(a, resources, m->key,
                     layout_replace_references(a, without_waiting(a, &x, m->value), name_of, &x));
    x.n = 0;
    layout_replace_references(a, resources, still_needed, &x);
    if (x.n)
        return NULL;
    member_each (m, node_get_c(template, "Outputs")) {
        const struct node *output = layout_replace_references(a, m->value, name_of, &x);
        x.n = 0;
        layout_replace_references(a, output, still_needed, &x);
        if (!x.n)
            node_put(a, outputs, m->key, output);
    }
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}
