/* Pointers: Lambda aliases and stages of shared APIs, which the stage template has beside the
 * stage's own resources. */
#include "layout/layout_internal.h"

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
    const struct node *version =
        f->per_stage ? node_get_att(a, placement_of(l, c->version_id)->id, "Version")
                     : node_fn(a, "Troupe::Version", node_str(a, f->key));
    node_put_c(a, properties, "FunctionName",
               f->per_stage ? node_ref(a, f->logical_id) : node_str(a, f->name));
    node_put_c(a, properties, "FunctionVersion", version);
    node_put_str(a, properties, "Name", l->service->stage);
    node_put_c(a, properties, "ProvisionedConcurrencyConfig", provisioned(a, c->function));
    node_put_str(a, alias, "Type", STR("AWS::Lambda::Alias"));
    node_put_c(a, alias, "Properties", properties);
    /* whoever calls the alias finds what the function is to wait for */
    if (!f->per_stage)
        node_put_c(
            a, alias, "DependsOn",
            references_depends_on(
                l, cfn_dependencies_and(a, node_get(l->flat, f->logical_id), STR("")), STR("")));
    alias->pos = f->pos;
    node_put(a, l->stage_resources, f->alias_id, alias);
}

/* ---- stages of APIs ---- */

#define REST_STAGE "AWS::ApiGateway::Stage"

/* DependsOn of an API's stage: CloudFormation moves the stage to the new deployment only when
 * everything that the deployment calls is there and may be called, such as a new alias, or a
 * function that moved between service and stage. */
static const struct node *stage_follows(const struct laying *l, const char *log_group,
                                        struct str permissions)
{
    struct node *ids = node_seq(l->arena);
    if (log_group && node_get_c(l->flat, log_group))
        node_push(l->arena, ids, node_str(l->arena, str_c(log_group)));
    member_each (m, l->stage_resources)
        if (str_ends(m->key, permissions) &&
            node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Permission"))
            node_push(l->arena, ids, node_str(l->arena, m->key));
    return ids->count ? ids : NULL;
}

static int put_stage(struct laying *l, struct str id, struct pos pos, const char *type,
                     const struct node *properties, const struct node *follows, struct err *err)
{
    struct arena *a = l->arena;
    struct node *stage = node_map(a);
    const struct node *rewritten = references_rewrite(l, properties, REFERENCE_POINTER, err);
    if (!rewritten)
        return -1;
    node_put_str(a, stage, "Type", str_c(type));
    node_put_c(a, stage, "Properties", rewritten);
    node_put_c(a, stage, "DependsOn", follows);
    stage->pos = pos;
    node_put(a, l->stage_resources, id, stage);
    return 0;
}

static int put_shared_stage(struct laying *l, const struct layout_api *api, const char *type,
                            struct node *properties, const struct node *follows, struct err *err)
{
    struct arena *a = l->arena;
    node_put_str(a, properties, "StageName", l->service->stage);
    node_put_c(a, properties, "DeploymentId",
               node_fn(a, "Troupe::Deployment", node_str(a, api->id)));
    return put_stage(l, api->stage_id, api->pos, type, properties, follows, err);
}

/* Integrations name the stage's alias by this variable. */
static void put_variables(struct laying *l, struct node *properties, const char *key,
                          const struct node *given)
{
    const struct node *alias = node_str(l->arena, l->service->stage);
    node_put_c(l->arena, properties, key, cfn_with(l->arena, given, "alias", alias));
}

static const struct node *rest_stage_follows(const struct laying *l, const struct node *properties)
{
    return stage_follows(l,
                         node_get_c(properties, "AccessLogSetting") ? "ApiGatewayLogGroup" : NULL,
                         STR("LambdaPermissionApiGateway"));
}

static int add_rest_stage(struct laying *l, const struct layout_api *api, struct err *err)
{
    struct arena *a = l->arena;
    struct node *properties = stage_settings(l, NULL);
    node_put_c(a, properties, "RestApiId", node_ref(a, api->id));
    put_variables(l, properties, "Variables", node_get_c(properties, "Variables"));
    return put_shared_stage(l, api, REST_STAGE, properties, rest_stage_follows(l, properties), err);
}

/* Add the stage of a shared HTTP API: the flat template's `$default` with the stage's name and a
 * fixed deployment. */
static int add_http_stage(struct laying *l, const struct layout_api *api, struct err *err)
{
    const struct node *flat = node_get_c(node_get(l->flat, api->stage_id), "Properties");
    struct node *properties = flat ? node_shallow(l->arena, flat) : node_map(l->arena);
    node_put_c(l->arena, properties, "ApiId", node_ref(l->arena, api->id));
    node_drop(properties, STR("AutoDeploy"));
    put_variables(l, properties, "StageVariables", node_get_c(flat, "StageVariables"));
    const char *log_group = node_get_c(properties, "AccessLogSettings") ? "HttpApiLogGroup" : NULL;
    return put_shared_stage(l, api, "AWS::ApiGatewayV2::Stage", properties,
                            stage_follows(l, log_group, STR("PermissionHttpApi")), err);
}

/* ---- an API of the stage's own ---- */

/* Resources that a deployment of an API freezes. The deployment has to be made after all of them,
 * those that the user adds included. */
struct snapshot {
    const char *owner; /* property by which they name the API */
    const char *parts; /* prefix of their types */
};

static const struct snapshot rest_snapshot = {"RestApiId", "AWS::ApiGateway::"},
                             websocket_snapshot = {"ApiId", "AWS::ApiGatewayV2::"};

static bool is_part(const struct snapshot *s, const struct node *resource)
{
    struct str type = cfn_type_of(resource);
    return str_starts(type, str_c(s->parts)) && cfn_is(type, CFN_FROZEN);
}

static bool has_text(const struct node *list, struct str text)
{
    node_each (item, list)
        if (str_eq(node_text(item), text))
            return true;
    return false;
}

static const struct node *deployment_follows(struct laying *l, const struct snapshot *s,
                                             const struct node *flat)
{
    struct arena *a = l->arena;
    struct node *all = node_seq(a);
    const struct node *api = node_get_c(node_get_c(flat, "Properties"), s->owner);
    node_each (id, node_get_c(flat, "DependsOn"))
        node_push(a, all, id);
    member_each (m, l->flat) {
        const struct node *owner = node_get_c(node_get_c(m->value, "Properties"), s->owner);
        if (is_part(s, m->value) && node_equal(owner, api) && !node_get_c(m->value, "DependsOn") &&
            !has_text(all, m->key))
            node_push(a, all, node_str(a, m->key));
    }
    return all->count ? all : NULL;
}

const struct node *own_deployment(struct laying *l, const struct node *flat)
{
    struct arena *a = l->arena;
    bool rest = node_is_text(node_get_c(flat, "Type"), "AWS::ApiGateway::Deployment");
    struct node *out = node_shallow(a, flat);
    if (own_rest_stage(l).n && rest) {
        struct node *properties = node_shallow(a, node_get_c(flat, "Properties"));
        node_drop(properties, STR("StageName"));
        node_drop(properties, STR("StageDescription"));
        node_put_c(a, out, "Properties", properties);
    }
    node_put_c(a, out, "DependsOn",
               deployment_follows(l, rest ? &rest_snapshot : &websocket_snapshot, flat));
    return out;
}

/* The stage is a resource beside the deployments: a deployment can give settings to a stage that it
 * makes, and every later one of the API would fail. */
static int add_own_rest_stage(struct laying *l, struct err *err)
{
    struct arena *a = l->arena;
    struct str deployment = l->compiled->rest_deployment_id;
    if (!own_rest_stage(l).n)
        return 0;
    const struct node *flat = node_get(l->flat, deployment), *from = node_get_c(flat, "Properties");
    struct node *properties = stage_settings(l, node_get_c(from, "StageDescription"));
    node_put_c(a, properties, "RestApiId", node_get_c(from, "RestApiId"));
    node_put_c(a, properties, "StageName", node_get_c(from, "StageName"));
    node_put_c(a, properties, "DeploymentId", node_ref(a, deployment));
    return put_stage(l, own_rest_stage(l), flat->pos, REST_STAGE, properties,
                     rest_stage_follows(l, properties), err);
}

int pointers_add(struct laying *l, struct err *err)
{
    for (size_t i = 0; i < l->out->function_count; i++)
        add_alias(l, &l->out->functions[i], &l->compiled->functions[i]);
    for (size_t i = 0; i < l->out->api_count; i++) {
        const struct layout_api *api = &l->out->apis[i];
        if ((api->kind == API_REST ? add_rest_stage : add_http_stage)(l, api, err) < 0)
            return -1;
    }
    return add_own_rest_stage(l, err);
}
