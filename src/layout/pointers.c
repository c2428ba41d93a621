/* Pointers: what the stage template has beside the stage's own resources. Lambda aliases, stages of
 * REST APIs, and pinned deployments of HTTP APIs. */
#include "layout/internal.h"

#include "base/hash.h"
#include "doc/json.h"

static const struct node *provisioned(struct arena *a, const struct function *f)
{
    const struct node *n = node_get_c(f->node, "provisionedConcurrency");
    if (node_empty(n))
        return NULL;
    struct node *config = node_map(a);
    node_put_c(a, config, "ProvisionedConcurrentExecutions", n);
    return config;
}

static void add_alias(struct laying *l, const struct layout_function *f,
                      const struct compiled_function *c)
{
    struct arena *a = l->arena;
    struct node *alias = node_map(a), *properties = node_map(a);
    const struct node *version = f->per_stage ? node_get_att(a, c->version_id, "Version")
                                              : node_fn(a, "Troupe::Version", node_str(a, f->key));
    node_put_c(a, properties, "FunctionName",
               f->per_stage ? node_ref(a, f->logical_id) : node_str(a, f->name));
    node_put_c(a, properties, "FunctionVersion", version);
    node_put_str(a, properties, "Name", l->service->stage);
    node_put_c(a, properties, "ProvisionedConcurrencyConfig", provisioned(a, c->function));
    node_put_str(a, alias, "Type", STR("AWS::Lambda::Alias"));
    node_put_c(a, alias, "Properties", properties);
    alias->pos = f->pos;
    node_put(a, l->stage_resources, f->alias_id, alias);
}

/* ---- REST stages ---- */

/* Settings of the flat template's own stage of the API; DeploymentId, StageName and variables are
 * ours. */
static const struct node *flat_stage(const struct laying *l, const struct layout_api *api)
{
    member_each(m, l->flat)
    {
        const struct node *ref = node_path(m->value, "Properties.RestApiId.Ref");
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::ApiGateway::Stage") &&
            node_is(ref, NODE_STRING) && str_eq(ref->text, api->id))
            return node_get_c(m->value, "Properties");
    }
    return NULL;
}

static int add_rest_stage(struct laying *l, const struct layout_api *api, struct err *err)
{
    struct arena *a = l->arena;
    struct node *stage = node_map(a), *properties = node_map(a), *variables = node_map(a);
    const struct node *from = flat_stage(l, api);
    member_each(m, from) node_put(a, properties, m->key, m->value);
    member_each(m, node_get_c(from, "Variables")) node_put(a, variables, m->key, m->value);
    node_put_str(a, variables, "alias", l->service->stage);
    node_put_c(a, properties, "RestApiId", node_ref(a, api->id));
    node_put_str(a, properties, "StageName", l->service->stage);
    node_put_c(a, properties, "DeploymentId",
               node_fn(a, "Troupe::Deployment", node_str(a, api->id)));
    node_put_c(a, properties, "Variables", variables);
    const struct node *rewritten = references_rewrite(l, properties, REFERENCE_POINTER, err);
    if (!rewritten)
        return -1;
    node_put_str(a, stage, "Type", STR("AWS::ApiGateway::Stage"));
    node_put_c(a, stage, "Properties", rewritten);
    stage->pos = api->pos;
    node_put(a, l->stage_resources, api->stage_id, stage);
    return 0;
}

/* ---- HTTP APIs: the stage is pinned to a deployment named by what it holds ---- */

struct http_parts {
    struct str api;
    struct node *ids;        /* logical ids of routes, integrations, authorizers */
    struct node *definition; /* id -> resource, to be hashed */
};

static void find_http_parts(struct laying *l, struct http_parts *parts)
{
    static const char *const types[] = {"AWS::ApiGatewayV2::Route",
                                        "AWS::ApiGatewayV2::Integration",
                                        "AWS::ApiGatewayV2::Authorizer"};
    member_each(m, l->stage_resources)
    {
        const struct node *ref = node_path(m->value, "Properties.ApiId.Ref");
        if (!node_is(ref, NODE_STRING) || !str_eq(ref->text, parts->api))
            continue;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (node_is_text(node_get_c(m->value, "Type"), types[i])) {
                node_push(l->arena, parts->ids, node_str(l->arena, m->key));
                node_put(l->arena, parts->definition, m->key, m->value);
            }
    }
    node_put_c(l->arena, parts->definition, "Api", node_get(l->stage_resources, parts->api));
}

static struct str add_http_deployment(struct laying *l, const struct http_parts *parts)
{
    struct arena *a = l->arena;
    struct str hash = sha256_hex(a, json_canonical(a, parts->definition));
    struct str id = str_fmt(a, "%.*sDeployment%.12s", STR_ARG(parts->api), hash.p);
    struct node *deployment = node_map(a), *properties = node_map(a);
    node_put_c(a, properties, "ApiId", node_ref(a, parts->api));
    node_put_str(a, deployment, "Type", STR("AWS::ApiGatewayV2::Deployment"));
    node_put_c(a, deployment, "Properties", properties);
    if (parts->ids->count)
        node_put_c(a, deployment, "DependsOn", parts->ids);
    node_put(a, l->stage_resources, id, deployment);
    return id;
}

static void pin_http_stage(struct laying *l, struct str stage_id, struct str api)
{
    struct arena *a = l->arena;
    struct http_parts parts = {api, node_seq(a), node_map(a)};
    find_http_parts(l, &parts);
    const struct node *old = node_get(l->stage_resources, stage_id);
    struct node *stage = node_shallow(a, old);
    struct node *properties = node_shallow(a, node_get_c(old, "Properties"));
    node_drop(properties, STR("AutoDeploy"));
    node_put_c(a, properties, "DeploymentId", node_ref(a, add_http_deployment(l, &parts)));
    node_put_c(a, stage, "Properties", properties);
    node_put(a, l->stage_resources, stage_id, stage);
}

static void pin_http_apis(struct laying *l)
{
    struct arena *a = l->arena;
    const struct node *before = node_shallow(a, l->stage_resources);
    if (!l->compiled->http_api_id.n)
        return;
    member_each(m, before)
    {
        const struct node *ref = node_path(m->value, "Properties.ApiId.Ref");
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::ApiGatewayV2::Stage") &&
            node_is(ref, NODE_STRING) && str_eq(ref->text, l->compiled->http_api_id))
            pin_http_stage(l, m->key, ref->text);
    }
}

int pointers_add(struct laying *l, struct err *err)
{
    for (size_t i = 0; i < l->out->function_count; i++)
        add_alias(l, &l->out->functions[i], &l->compiled->functions[i]);
    for (size_t i = 0; i < l->out->api_count; i++)
        if (add_rest_stage(l, &l->out->apis[i], err) < 0)
            return -1;
    pin_http_apis(l);
    return 0;
}
