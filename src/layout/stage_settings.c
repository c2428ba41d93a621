/* Settings of a REST API's stage: logs, tracing, metrics and tags from `provider`, which the
 * dialect applies by API calls after a deployment; and what an `AWS::ApiGateway::Stage` of the API
 * in `resources` says (caches, throttling). Here they are properties of the one stage in the
 * template. */
#include "layout/layout_internal.h"

#include "base/buf.h"

#define ACCESS_LOG_FORMAT                                                                         \
    "requestId: $context.requestId, ip: $context.identity.sourceIp, "                             \
    "caller: $context.identity.caller, user: $context.identity.user, "                            \
    "requestTime: $context.requestTime, httpMethod: $context.httpMethod, "                        \
    "resourcePath: $context.resourcePath, status: $context.status, protocol: $context.protocol, " \
    "responseLength: $context.responseLength"
#define LOG_GROUP "ApiGatewayLogGroup"

static void add_access_log(struct laying *l, struct node *properties, const struct node *logs)
{
    struct arena *a = l->arena;
    const struct node *group = node_get_c(l->flat, LOG_GROUP);
    struct node *setting = node_map(a);
    if (!group || !node_bool_or(node_get_c(logs, "accessLogging"), true))
        return;
    const struct node *name = node_path(group, "Properties.LogGroupName");
    const struct node *format = node_get_c(logs, "format");
    node_put_c(a, setting, "DestinationArn",
               node_fn(a, "Fn::Sub",
                       node_strf(a,
                                 "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:"
                                 "log-group:%.*s",
                                 STR_ARG(node_text(name)))));
    node_put_c(a, setting, "Format", format ? format : node_str(a, STR(ACCESS_LOG_FORMAT)));
    node_put_c(a, properties, "AccessLogSetting", setting);
}

static void add_method_settings(struct laying *l, struct node *properties, const struct node *logs,
                                bool metrics)
{
    struct arena *a = l->arena;
    struct node *all = node_seq(a), *setting = node_map(a);
    bool logged = logs && node_bool_or(node_get_c(logs, "executionLogging"), true);
    if (!logged && !metrics)
        return;
    node_put_str(a, setting, "ResourcePath", STR("/*"));
    node_put_str(a, setting, "HttpMethod", STR("*"));
    if (logged) {
        node_put_str(a, setting, "LoggingLevel",
                     node_text_or(node_get_c(logs, "level"), STR("INFO")));
        node_put_c(a, setting, "DataTraceEnabled",
                   node_bool(a, node_bool_or(node_get_c(logs, "fullExecutionData"), true)));
    }
    node_put_c(a, setting, "MetricsEnabled", node_bool(a, metrics));
    node_push(a, all, setting);
    node_put_c(a, properties, "MethodSettings", all);
}

/* The setting of logs at `path` of the service; NULL: no logs are asked for. */
static const struct node *logs_of(const struct laying *l, const char *path)
{
    const struct node *logs = node_path(l->service->root, path);
    return node_empty(logs) || (node_is(logs, NODE_BOOL) && !logs->boolean) ? NULL : logs;
}

static bool is_for_all(const struct node *setting)
{
    return node_is_text(node_get_c(setting, "ResourcePath"), "/*") &&
           node_is_text(node_get_c(setting, "HttpMethod"), "*");
}

/* The user's method settings (`given`) beside troupe's, which are for all methods. API Gateway
 * takes one entry for all methods: when the user has one, it takes the place of troupe's. */
static const struct node *method_settings(struct laying *l, const struct node *ours,
                                          const struct node *given)
{
    struct node *all = node_seq(l->arena);
    bool replaced = false;
    node_each (setting, given)
        replaced = replaced || is_for_all(setting);
    node_each (setting, replaced ? NULL : ours)
        node_push(l->arena, all, setting);
    node_each (setting, given)
        node_push(l->arena, all, setting);
    return all;
}

static void add_given(struct laying *l, struct node *properties, const struct node *given)
{
    static const char *const not_settings[] = {"RestApiId", "StageName", "DeploymentId"};
    struct node *settings = given ? node_shallow(l->arena, given) : node_map(l->arena);
    for (size_t i = 0; i < sizeof not_settings / sizeof *not_settings; i++)
        node_drop(settings, str_c(not_settings[i]));
    const struct node *methods = node_get_c(settings, "MethodSettings");
    if (node_is(methods, NODE_SEQ))
        node_put_c(l->arena, settings, "MethodSettings",
                   method_settings(l, node_get_c(properties, "MethodSettings"), methods));
    member_each (m, settings)
        node_put(l->arena, properties, m->key, m->value);
}

/* Properties of a deployment's StageDescription that a stage has as settings of all methods.
 * Source: CloudFormation resource reference, AWS::ApiGateway::Deployment StageDescription. */
static const char *const method_defaults[] = {
    "CacheDataEncrypted", "CacheTtlInSeconds", "CachingEnabled",       "DataTraceEnabled",
    "LoggingLevel",       "MetricsEnabled",    "ThrottlingBurstLimit", "ThrottlingRateLimit"};

/* `description`, a deployment's StageDescription, as properties of a stage. */
static const struct node *described(struct arena *a, const struct node *description)
{
    struct node *out = node_shallow(a, description), *setting = node_map(a), *all = node_seq(a);
    for (size_t i = 0; i < sizeof method_defaults / sizeof *method_defaults; i++) {
        node_put_c(a, setting, method_defaults[i], node_get_c(out, method_defaults[i]));
        node_drop(out, str_c(method_defaults[i]));
    }
    if (!setting->size)
        return description;
    node_put_str(a, setting, "ResourcePath", STR("/*"));
    node_put_str(a, setting, "HttpMethod", STR("*"));
    node_push(a, all, setting);
    node_each (given, node_get_c(out, "MethodSettings"))
        node_push(a, all, given);
    node_put_c(a, out, "MethodSettings", all);
    return out;
}

const struct node *layout_stage_made_by(struct arena *a, struct str id,
                                        const struct node *deployment)
{
    const struct node *from = node_get_c(deployment, "Properties");
    const struct node *description = node_get_c(from, "StageDescription");
    struct node *stage = node_map(a);
    struct node *properties =
        description ? node_shallow(a, described(a, description)) : node_map(a);
    if (!node_is_text(node_get_c(deployment, "Type"), "AWS::ApiGateway::Deployment") ||
        !node_get_c(from, "StageName") || !node_path(from, "RestApiId.Ref"))
        return NULL;
    node_put_c(a, properties, "RestApiId", node_get_c(from, "RestApiId"));
    node_put_c(a, properties, "StageName", node_get_c(from, "StageName"));
    node_put_c(a, properties, "DeploymentId", node_ref(a, id));
    node_put_str(a, stage, "Type", STR("AWS::ApiGateway::Stage"));
    node_put_c(a, stage, "Properties", properties);
    return stage;
}

int stage_settings_init(struct laying *l, struct err *err)
{
    member_each (m, l->flat) {
        struct str api = node_text(node_path(m->value, "Properties.RestApiId.Ref"));
        if (api.n && str_eq(api, l->compiled->rest_api_id) &&
            node_is_text(node_get_c(m->value, "Type"), "AWS::ApiGateway::Stage"))
            l->described_stage = m->key;
    }
    const struct node *name =
        node_path(node_get(l->flat, l->described_stage), "Properties.StageName");
    if (!name || (node_is(name, NODE_STRING) && str_eq(name->text, l->service->stage)))
        return 0;
    err_at(err, name->pos, ERR_CONFIG, "the API has one stage here, which is named '%.*s'",
           STR_ARG(l->service->stage));
    return err_help(err, "give its settings with: StageName: ${sls:stage}");
}

struct node *stage_settings(struct laying *l, const struct node *description)
{
    struct arena *a = l->arena;
    struct node *properties = node_map(a);
    const struct node *provider = node_get_c(l->service->root, "provider");
    const struct node *logs = logs_of(l, "provider.logs.restApi");
    bool metrics = node_bool_or(node_path(provider, "apiGateway.metrics"), false);
    if (logs)
        add_access_log(l, properties, logs);
    add_method_settings(l, properties, logs, metrics);
    if (node_bool_or(node_path(provider, "tracing.apiGateway"), false))
        node_put_c(a, properties, "TracingEnabled", node_bool(a, true));
    struct node *tags = node_seq(a);
    member_each (m, node_get_c(provider, "tags")) {
        struct node *tag = node_map(a);
        node_put_str(a, tag, "Key", m->key);
        node_put_c(a, tag, "Value", m->value);
        node_push(a, tags, tag);
    }
    if (tags->count)
        node_put_c(a, properties, "Tags", tags);
    add_given(l, properties, description ? described(l->arena, description) : NULL);
    add_given(l, properties, node_get_c(node_get(l->flat, l->described_stage), "Properties"));
    return properties;
}

/* The stage of an API outside the service may be another's, too, so it is only deployed to. */
void stage_settings_warn(struct laying *l)
{
    if (!l->compiled->rest_deployment_id.n || l->compiled->rest_api_id.n)
        return;
    struct buf names = BUF(l->arena);
    member_each (m, stage_settings(l, NULL))
        buf_fmt(&names, "%s%.*s", names.n ? ", " : "", STR_ARG(m->key));
    if (names.n)
        vec_push(l->arena, &l->warnings,
                 str_fmt(l->arena,
                         "the REST API is not this service's (provider.apiGateway.restApiId): its "
                         "stage does not get %.*s from here, set them where the API is made",
                         STR_ARG(buf_str(&names))));
}
