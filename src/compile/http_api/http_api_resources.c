/* The HTTP API itself: AWS::ApiGatewayV2::Api with CORS, its one stage `$default`, the access log,
 * the outputs. Nothing of it is made for an existing API (provider.httpApi.id). */
#include "compile/http_api/http_api.h"

/* The access log's line unless provider.logs.httpApi.format says another. */
#define DEFAULT_LOG_FORMAT                                                             \
    "{\"requestId\":\"$context.requestId\",\"ip\":\"$context.identity.sourceIp\","     \
    "\"requestTime\":\"$context.requestTime\",\"httpMethod\":\"$context.httpMethod\"," \
    "\"routeKey\":\"$context.routeKey\",\"status\":\"$context.status\","               \
    "\"protocol\":\"$context.protocol\",\"responseLength\":\"$context.responseLength\"}"

static const char *const default_headers[] = {
    "Content-Type",         "X-Amz-Date",       "Authorization",  "X-Api-Key",
    "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id"};

/* ---- what an existing API cannot be given ---- */

static int refuse_for_existing(const struct node *n, const char *what, struct err *err)
{
    if (!node_truthy(n))
        return 0;
    err_at(err, n->pos, ERR_CONFIG, "'%s' has no effect on an existing HTTP API", what);
    return err_help(err, "remove it, or remove 'provider.httpApi.id'");
}

static int check_existing(struct compilation *c, struct err *err)
{
    const struct node *settings = c->http->settings;
    if (!c->http->is_existing)
        return 0;
    if (refuse_for_existing(node_get_c(settings, "cors"), "cors", err) < 0 ||
        refuse_for_existing(node_get_c(settings, "authorizers"), "authorizers", err) < 0)
        return -1;
    return refuse_for_existing(node_path(c->provider, "logs.httpApi"), "logs.httpApi", err);
}

/* ---- CORS ---- */

static struct node *header_defaults(struct arena *a)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < sizeof default_headers / sizeof *default_headers; i++)
        node_push(a, list, node_c(a, default_headers[i]));
    return list;
}

static struct node *set_or(struct arena *a, const struct node *cors, const char *key,
                           struct node *fallback)
{
    const struct node *n = node_get_c(cors, key);
    return node_truthy(n) ? http_api_set(a, n) : fallback;
}

static const struct node *cors_configuration(struct compilation *c, const struct node *cors)
{
    struct arena *a = c->arena;
    struct node *methods = set_or(a, cors, "allowedMethods", NULL);
    if (!methods) {
        methods = NODE_LIST(a, node_c(a, "OPTIONS"));
        c->http->allowed_methods = methods;
        if (http_api_is_shared(c)) /* other stages may have other routes */
            http_api_allow_method(c, STR(""));
    }
    struct node *out = node_map(a);
    const struct node *credentials = node_get_c(cors, "allowCredentials");
    if (node_truthy(credentials))
        node_put_c(a, out, "AllowCredentials", credentials);
    node_put_c(a, out, "AllowHeaders", set_or(a, cors, "allowedHeaders", header_defaults(a)));
    node_put_c(a, out, "AllowMethods", methods);
    node_put_c(a, out, "AllowOrigins",
               set_or(a, cors, "allowedOrigins", NODE_LIST(a, node_c(a, "*"))));
    node_put_c(a, out, "ExposeHeaders", set_or(a, cors, "exposedResponseHeaders", NULL));
    copy_member(a, out, "MaxAge", cors, "maxAge");
    return node_from(out, cors);
}

/* Refuse credentials together with the origin '*'. API Gateway would refuse them, too, but only
 * when half of the stack is made. */
static int check_cors(const struct node *cors, struct err *err)
{
    if (!node_truthy(node_get_c(cors, "allowCredentials")))
        return 0;
    const struct node *origins = node_get_c(cors, "allowedOrigins");
    bool is_wild = !node_truthy(origins) || node_is_text(origins, "*");
    node_each (origin, origins)
        is_wild = is_wild || node_is_text(origin, "*");
    if (!is_wild)
        return 0;
    err_at(err, node_get_c(cors, "allowCredentials")->pos, ERR_CONFIG,
           "'allowCredentials' does not work with the origin '*'");
    return err_help(err, "list the origins in 'allowedOrigins'");
}

/* ---- resources ---- */

static const struct node *api_name(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *name = node_get_c(c->http->settings, "name");
    if (node_truthy(name))
        return node_from(node_str(a, node_text(name)), name);
    if (http_api_is_shared(c))
        return node_str(a, s->name);
    if (node_truthy(node_get_c(c->http->settings, "shouldStartNameWithService")))
        return node_staged(c, name_prefix(c));
    return node_staged(c, str_fmt(a, "%.*s-%.*s", STR_ARG(s->stage), STR_ARG(s->name)));
}

static int api_add(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = c->http->settings;
    const struct node *cors = node_get_c(settings, "cors");
    struct node *p = node_map(a);
    node_put_c(a, p, "Name", api_name(c));
    if (node_truthy(node_get_c(settings, "description")))
        copy_member(a, p, "Description", settings, "description");
    node_put_c(a, p, "ProtocolType", node_c(a, "HTTP"));
    copy_member(a, p, "DisableExecuteApiEndpoint", settings, "disableDefaultEndpoint");
    if (node_truthy(node_get_c(c->provider, "tags")))
        copy_member(a, p, "Tags", c->provider, "tags");
    if (node_truthy(cors)) {
        if (check_cors(cors, err) < 0)
            return -1;
        node_put_c(a, p, "CorsConfiguration", cors_configuration(c, cors));
    }
    return resource_add(c, STR("HttpApi"), resource_new(a, "AWS::ApiGatewayV2::Api", p), pos, err);
}

static int log_group_add(struct compilation *c, const struct node *logs, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *stack = node_get_c(c->provider, "stackName");
    struct str name = node_truthy(stack) ? node_text(stack) : name_prefix(c);
    struct node *text = node_staged(c, str_concat(a, STR("/aws/http-api/"), name));
    return provider_log_group_add(
        c, STR("HttpApiLogGroup"),
        node_truthy(stack) ? node_from(node_str(a, text->text), stack) : text, logs->pos, err);
}

static int stage_add(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *logs = node_path(c->provider, "logs.httpApi");
    const struct node *metrics = node_get_c(c->http->settings, "metrics");
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiId", c->http->id);
    node_put_c(a, p, "StageName", node_c(a, "$default"));
    node_put_c(a, p, "AutoDeploy", node_bool(a, true));
    node_put_c(
        a, p, "DefaultRouteSettings",
        node_fn(a, "DetailedMetricsEnabled", node_truthy(metrics) ? metrics : node_bool(a, false)));
    if (node_truthy(node_get_c(c->provider, "tags")))
        copy_member(a, p, "Tags", c->provider, "tags");
    struct node *stage = resource_new(a, "AWS::ApiGatewayV2::Stage", p);
    if (node_truthy(logs)) {
        const struct node *format = node_get_c(logs, "format");
        struct node *access = node_map(a);
        node_put_c(a, access, "DestinationArn", node_get_att(a, STR("HttpApiLogGroup"), "Arn"));
        node_put_c(a, access, "Format",
                   node_truthy(format) ? format : node_c(a, DEFAULT_LOG_FORMAT));
        node_put_c(a, p, "AccessLogSettings", access);
        node_put_str(a, stage, "DependsOn", STR("HttpApiLogGroup"));
        if (log_group_add(c, logs, err) < 0)
            return -1;
    }
    return resource_add(c, STR("HttpApiStage"), stage, pos, err);
}

static void output_add(struct compilation *c, const char *key, const char *description,
                       const struct node *value)
{
    struct node *output = node_map(c->arena);
    node_put_c(c->arena, output, "Description", node_c(c->arena, description));
    node_put_c(c->arena, output, "Value", value);
    node_put_c(c->arena, c->outputs, key, output);
}

int http_api_resources(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    if (check_existing(c, err) < 0)
        return -1;
    if (c->http->is_existing)
        return 0;
    struct pos pos = node_pos(c->http->settings ? c->http->settings : c->provider);
    if (api_add(c, pos, err) < 0 || stage_add(c, pos, err) < 0)
        return -1;
    output_add(c, "HttpApiId", "Id of the HTTP API", c->http->id);
    output_add(c, "HttpApiUrl", "URL of the HTTP API",
               node_join(a, "",
                         NODE_LIST(a, node_c(a, "https://"), c->http->id,
                                   node_c(a, ".execute-api."), node_ref(a, STR("AWS::Region")),
                                   node_c(a, "."), node_ref(a, STR("AWS::URLSuffix")))));
    return 0;
}
