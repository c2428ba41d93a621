/* Scope: where each resource of the flat template goes. */
#include "layout/layout_internal.h"

#include "base/hash.h"
#include "doc/json.h"

static void decide_functions(struct laying *l)
{
    for (size_t i = 0; i < l->compiled->function_count; i++) {
        const struct compiled_function *c = &l->compiled->functions[i];
        struct layout_function *f = &l->out->functions[i];
        if (c->version_id.n)
            placement_set(l, c->version_id, f->per_stage ? SCOPE_STAGE : SCOPE_NOWHERE)->function =
                f;
        placement_set(l, c->logical_id, f->per_stage ? SCOPE_STAGE : SCOPE_HEAD)->function = f;
        if (c->log_group_id.n && node_get(l->flat, c->log_group_id))
            placement_set(l, c->log_group_id,
                          f->per_stage || l->service->settings.logs_per_stage ? SCOPE_STAGE
                                                                              : SCOPE_SERVICE);
    }
}

/* Place what goes into the APIs' definitions, and their deployments and stages: troupe publishes
 * the former and makes the latter anew, as pointers. The stage of an HTTP API of the stage's own
 * stays a resource of its stack (stage_pointers.c). */
static void decide_apis(struct laying *l)
{
    for (size_t i = 0; i < l->out->api_count; i++) {
        struct layout_api *api = &l->out->apis[i];
        placement_set(l, api->id, SCOPE_API)->api = api;
        member_each (m, l->flat) {
            if (shared_api_points(api, m->value) || shared_api_defines(api, m->value))
                placement_set(l, m->key, SCOPE_NOWHERE)->api = api;
        }
    }
}

size_t scope_asked_for(const struct laying *l, struct str id)
{
    const struct settings *s = &l->service->settings;
    for (size_t i = 0; i < s->service_resource_count; i++)
        if (settings_glob(s->service_resources[i], id))
            return i;
    return SIZE_MAX;
}

static void decide_fixed(struct laying *l)
{
    member_each (m, l->flat) {
        if (map_has(&l->placements, m->key))
            continue;
        bool bucket = str_eq(m->key, STR("ServerlessDeploymentBucket")) ||
                      str_eq(m->key, STR("ServerlessDeploymentBucketPolicy"));
        if (bucket || scope_asked_for(l, m->key) != SIZE_MAX)
            placement_set(l, m->key, SCOPE_SERVICE);
    }
}

/* ---- the role: in the service stack unless something in it belongs to the stage ---- */

static bool depends_on_stage(const struct laying *l, const struct node *resource)
{
    return node_flags_deep(resource) & NODE_STAGE || placement_needs_stage(l, resource);
}

static void decide_role(struct laying *l, struct str id)
{
    const struct node *role = node_get(l->flat, id);
    if (!role || map_has(&l->placements, id) || depends_on_stage(l, role))
        return;
    struct str hash =
        sha256_hex(l->arena, json_canonical(l->arena, node_get_c(role, "Properties")));
    placement_set(l, id, SCOPE_SERVICE)->id = str_fmt(l->arena, "%.*s%.8s", STR_ARG(id), hash.p);
}

/* ---- versions of functions per stage ---- */

struct identity {
    const struct laying *l;
    struct node *parts;
};

static void identify_role(void *context, const struct cfn_value *v)
{
    struct identity *x = context;
    const struct placement *p = placement_of(x->l, v->id);
    const struct node *role = node_get_c(node_get(x->l->flat, v->id), "Properties");
    node_push(x->l->arena, x->parts, node_str(x->l->arena, p ? p->id : v->id));
    if (node_get_c(role, "RoleName"))
        node_push(x->l->arena, x->parts, node_get_c(role, "RoleName"));
}

/* The id that the flat template gives a version is a hash of the function, but not of the role
 * behind `Role`, which is decided here. A version keeps its role, so a function with another role
 * needs a version of its own; otherwise the alias would stay with a version whose role is
 * deleted. */
static void name_version(struct laying *l, const struct compiled_function *c)
{
    struct identity x = {l, node_seq(l->arena)};
    const struct node *function = node_get(l->flat, c->logical_id);
    struct placement *p = map_get(&l->placements, c->version_id);
    cfn_each_value(node_path(function, "Properties.Role"), identify_role, &x);
    if (!x.parts->count)
        return;
    struct str hash = sha256_hex(l->arena, json_canonical(l->arena, x.parts));
    p->id = str_fmt(l->arena, "%.*s%.8s", STR_ARG(c->version_id), hash.p);
}

/* ---- deployments of a stage's own APIs ---- */

static void identify_callee(void *context, const struct cfn_value *v)
{
    struct identity *x = context;
    const struct placement *p = placement_of(x->l, v->id);
    if (p && p->function && p->scope != SCOPE_STAGE)
        node_push(x->l->arena, x->parts, node_str(x->l->arena, v->id));
}

/* A deployment keeps the API as it was when the deployment was made, with the names of the
 * functions that it calls. Which of them are shared is not in the id that the flat template gives
 * it. It is added here; otherwise the API would go on calling a function that has moved to another
 * stack and is deleted. So is the stage that is a resource of its own (`stage`, may be empty):
 * CloudFormation cannot take StageName away from a deployment that has made a stage. */
static void name_deployment(struct laying *l, struct str id, struct str types, struct str stage)
{
    struct identity x = {l, node_seq(l->arena)};
    struct placement *p = id.n ? map_get(&l->placements, id) : NULL;
    if (!p || p->scope != SCOPE_STAGE)
        return;
    if (stage.n)
        node_push(l->arena, x.parts, node_str(l->arena, stage));
    member_each (m, l->flat)
        if (str_starts(node_text(node_get_c(m->value, "Type")), types))
            cfn_each_value(node_get_c(m->value, "Properties"), identify_callee, &x);
    if (!x.parts->count)
        return;
    struct str hash = sha256_hex(l->arena, json_canonical(l->arena, x.parts));
    p->id = str_fmt(l->arena, "%.*s%.8s", STR_ARG(id), hash.p);
}

void scope_decide(struct laying *l)
{
    decide_functions(l);
    decide_apis(l);
    if (l->described_stage.n && !map_has(&l->placements, l->described_stage))
        placement_set(l, l->described_stage, SCOPE_NOWHERE);
    decide_fixed(l);
    own_layers_decide(l);
    decide_role(l, STR("IamRoleLambdaExecution"));
    for (size_t i = 0; i < l->compiled->function_count; i++)
        if (l->compiled->functions[i].role_id.n)
            decide_role(l, l->compiled->functions[i].role_id);
    member_each (m, l->flat)
        if (!map_has(&l->placements, m->key))
            placement_set(l, m->key, SCOPE_STAGE);
    for (size_t i = 0; i < l->compiled->function_count; i++)
        if (l->out->functions[i].per_stage && l->compiled->functions[i].version_id.n)
            name_version(l, &l->compiled->functions[i]);
    name_deployment(l, l->compiled->rest_deployment_id, STR("AWS::ApiGateway::"),
                    own_rest_stage(l));
    name_deployment(l, l->compiled->websocket_deployment_id, STR("AWS::ApiGatewayV2::"), STR(""));
}
