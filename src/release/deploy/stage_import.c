/* Importing into the stage's stack what exists outside it. */
#include "release/deploy/engine.h"

#include "aws/services/gateway.h"
#include "cfn/cfn.h"
#include "cfn/template.h"
#include "doc/json.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

/* ---- into the stack ---- */

/* The stack as CloudFormation has it: an import goes into the root, nested stacks stay as they are.
 */
static const struct node *read_root(struct deploying *d, struct err *err)
{
    struct str text;
    if (cloudformation_template(d->arena, d->r->aws, d->plan->world.stage_name, &text, err) < 0)
        return NULL;
    return json_parse(d->arena, d->plan->world.stage_name, text, err);
}

static int reread_stage(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    struct map *nesting = ARENA_NEW(d->arena, struct map);
    *nesting = MAP(d->arena);
    w->stage_nesting = nesting;
    d->stage_now = NULL;
    return nested_read(d->r, &w->store, w->stage_name, &w->stage_template, nesting, err);
}

int engine_import(struct deploying *d, const struct node *resources, const struct node *imports,
                  struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    const struct node *root = read_root(d, err);
    if (!root)
        return -1;
    struct node *all = node_shallow(a, node_get_c(root, "Resources")), *keep = node_map(a);
    member_each (m, resources)
        node_put(a, all, m->key, m->value);
    member_each (m, node_get_c(root, "Parameters"))
        node_put(a, keep, m->key, node_null(a));
    struct stack_update update = {.name = w->stage_name,
                                  .template = cfn_with(a, root, "Resources", all),
                                  .parameters = keep,
                                  .store = &w->stage_store};
    if (lease_check(d->lease, err) < 0 || stack_import(d->r, &update, imports, err) < 0 ||
        cloudformation_describe(a, d->r->aws, w->stage_name, &w->stage, err) < 0)
        return -1;
    return reread_stage(d, err);
}

/* ---- the stage that a deployment of an API made ---- */

static bool is_same_stage(const struct node *x, const struct node *y)
{
    return str_eq(cfn_type_of(x), cfn_type_of(y)) &&
           node_equal(node_path(x, "Properties.RestApiId"), node_path(y, "Properties.RestApiId")) &&
           node_equal(node_path(x, "Properties.StageName"), node_path(y, "Properties.StageName"));
}

/* A stage of `target` (Resources) as the stack can import it; NULL: it is of an API that the stack
 * shares, the stack has the stage, or its deployments do not make it. Until the last update the
 * stage is retained: if that is never reached, the stack goes back to the template without it. */
static const struct node *importable(struct arena *a, const struct node *old,
                                     const struct node *target, const struct node *stage)
{
    const struct node *found = NULL;
    if (!node_is_text(node_get_c(stage, "Type"), "AWS::ApiGateway::Stage") ||
        !node_get(target, node_text(node_path(stage, "Properties.RestApiId.Ref"))))
        return NULL;
    member_each (m, old) {
        const struct node *made = layout_stage_made_by(a, m->key, m->value);
        if (is_same_stage(m->value, stage))
            return NULL;
        if (made && is_same_stage(made, stage))
            found = made;
    }
    return found ? cfn_with(a, found, "DeletionPolicy", node_str(a, STR("Retain"))) : NULL;
}

static int physical_id(struct deploying *d, struct str id, struct str *ret, struct err *err)
{
    struct stack_resource *all;
    size_t n;
    *ret = (struct str){"", 0};
    if (cloudformation_resources(d->arena, d->r->aws, d->plan->world.stage_name, &all, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].logical_id, id))
            *ret = all[i].physical_id;
    return 0;
}

static int is_there(struct deploying *d, struct str api, struct str name, bool *ret,
                    struct err *err)
{
    const struct node *stages;
    *ret = false;
    if (gateway_rest.stages(d->arena, d->r->aws, api, &stages, err) < 0)
        return -1;
    node_each (stage, stages)
        *ret |= str_eq(node_text(node_get_c(stage, "stageName")), name);
    return 0;
}

static int import_stage(struct deploying *d, struct str id, const struct node *stage,
                        struct err *err)
{
    struct arena *a = d->arena;
    struct node *resources = node_map(a), *imports = node_seq(a), *one = node_map(a);
    struct node *identifier = node_map(a);
    struct str api, name = node_text(node_path(stage, "Properties.StageName"));
    bool there;
    if (physical_id(d, node_text(node_path(stage, "Properties.RestApiId.Ref")), &api, err) < 0 ||
        is_there(d, api, name, &there, err) < 0)
        return -1;
    if (!there) /* somebody deleted it: the stack makes it anew */
        return 0;
    node_put_str(a, identifier, "RestApiId", api);
    node_put_str(a, identifier, "StageName", name);
    node_put_str(a, one, "id", id);
    node_put_c(a, one, "type", node_get_c(stage, "Type"));
    node_put_c(a, one, "identifier", identifier);
    node_push(a, imports, one);
    node_put(a, resources, id, stage);
    release_progress(d->r, "stack", "the stage that the API's deployment made is imported");
    if (engine_import(d, resources, imports, err) < 0)
        return -1;
    release_finished(d->r, "stack",
                     "stage '%.*s' of the API, which its deployment made, is imported",
                     STR_ARG(name));
    return 0;
}

int engine_import_api_stage(struct deploying *d, struct err *err)
{
    const struct world *w = &d->plan->world;
    const struct node *old = node_get_c(w->stage_template, "Resources");
    if (!w->stage_exists || w->stage_dead)
        return 0;
    const struct node *target = node_get_c(plan_stage_template(d->r, d->plan, 0), "Resources");
    member_each (m, target) {
        const struct node *stage = importable(d->arena, old, target, m->value);
        if (stage)
            return import_stage(d, m->key, stage, err);
    }
    return 0;
}
