/* `websocket` events: routes of a WebSocket API, with one integration and one permission for each
 * function, authorizers, the deployment and the stage that serve them. */
#include "compile/rest/rest.h"

#include "base/hash.h"
#include "doc/json.h"

#define API_ID "WebsocketsApi"
#define STAGE_ID "WebsocketsDeploymentStage"
#define LOG_GROUP_ID "WebsocketsLogGroup"
#define DEFAULT_LOG_FORMAT                                                                   \
    "$context.identity.sourceIp $context.identity.caller $context.identity.user "            \
    "[$context.requestTime] \"$context.eventType $context.routeKey $context.connectionId\" " \
    "$context.requestId"

struct websocket_state {
    const struct node *id; /* ApiId everywhere: of an existing API, or a Ref */
    bool is_existing;      /* the API is somebody else's: provider.apiGateway.websocketApiId */
    const struct node *description; /* of API, stage and deployment */
    struct node *waits;             /* DependsOn of the deployment */
    struct pos pos;                 /* of the first event */
};

/* Put a resource that several events may make: the last event replaces what the earlier ones made,
 * as in the reference. */
static void put(struct compilation *c, struct str id, struct node *resource, struct pos pos)
{
    resource->pos = pos;
    node_put_at(c->arena, c->resources, id, pos, resource);
}

/* ---- the API ---- */

static void api_add(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *name = node_get_c(c->provider, "websocketsApiName");
    const struct node *selection = node_get_c(c->provider, "websocketsApiRouteSelectionExpression");
    const struct node *tags = node_get_c(c->provider, "tags");
    struct node *p = node_map(a);
    node_put_c(a, p, "Name",
               node_truthy(name) && node_is(name, NODE_STRING)
                   ? name
                   : node_staged(c, str_fmt(a, "%.*s-%.*s-websockets", STR_ARG(s->stage),
                                            STR_ARG(s->name))));
    node_put_c(a, p, "RouteSelectionExpression",
               node_truthy(selection) ? selection : node_c(a, "$request.body.action"));
    node_put_c(a, p, "Description", c->websocket->description);
    node_put_c(a, p, "ProtocolType", node_c(a, "WEBSOCKET"));
    bool tagged =
        is_dialect_4(c) || node_truthy(node_path(c->provider, "websocket.useProviderTags"));
    if (node_truthy(tags) && tagged)
        node_put_c(a, p, "Tags", tags);
    put(c, STR(API_ID), resource_new(a, "AWS::ApiGatewayV2::Api", p), node_pos(c->provider));
    if (c->role)
        role_allow(
            c,
            statement_new(a, NODE_LIST(a, node_c(a, "execute-api:ManageConnections")),
                          NODE_LIST(a, node_sub(a,
                                                STR("arn:${AWS::Partition}:execute-api:*:*:*/"
                                                    "@connections/*"),
                                                NULL))),
            false);
}

static int websocket_begin(struct compilation *c, struct err *err)
{
    (void)err;
    struct arena *a = c->arena;
    const struct node *id = node_path(c->provider, "apiGateway.websocketApiId");
    const struct node *description = node_get_c(c->provider, "websocketsDescription");
    c->websocket = ARENA_NEW(a, struct websocket_state);
    c->websocket->is_existing = node_truthy(id);
    c->websocket->id = c->websocket->is_existing ? id : node_ref(a, STR(API_ID));
    c->websocket->description =
        node_truthy(description) ? description : node_c(a, "Serverless Websockets");
    c->websocket->waits = node_seq(a);
    if (!c->websocket->is_existing)
        api_add(c);
    return 0;
}

/* ---- authorizers ---- */

struct authorizer {
    struct str name;                 /* of a function here, or the end of an ARN */
    const struct function *function; /* NULL: not of this service */
    const struct node *arn;          /* NULL: by name */
    const struct node *source;
};

static struct str behind_colon(struct str s)
{
    return str_sub(s, (size_t)(str_rfind_char(s, ':') + 1), SIZE_MAX);
}

/* Read the event's `authorizer` into `*ret`. 1: it has one; 0: it has none. */
static int authorizer_read(struct compilation *c, const struct event *event, struct authorizer *ret,
                           struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = node_get_c(event->node, "authorizer");
    if (!node_truthy(n))
        return 0;
    bool is_text = node_is(n, NODE_STRING);
    const struct node *name = is_text ? n : node_get_c(n, "name");
    const struct node *arn = is_text ? NULL : node_get_c(n, "arn");
    const struct node *source = is_text ? NULL : node_get_c(n, "identitySource");
    if (is_text && str_find_char(n->text, ':', 0) >= 0)
        arn = n;
    if (node_truthy(arn) && !node_is(arn, NODE_STRING) && !node_truthy(name))
        return err_at(err, arn->pos, ERR_CONFIG,
                      "an authorizer whose 'arn' is no plain text needs a 'name', too");
    *ret = (struct authorizer){.arn = node_truthy(arn) ? arn : NULL};
    ret->name = ret->arn && node_is(arn, NODE_STRING) ? behind_colon(arn->text) : node_text(name);
    ret->function = function_by_key(c, ret->name);
    ret->source =
        node_truthy(source) ? source : NODE_LIST(a, node_c(a, "route.request.header.Auth"));
    if (!ret->arn && !ret->function)
        return err_at(err, n->pos, ERR_CONFIG, "there is no function '%.*s'", STR_ARG(ret->name));
    return 1;
}

static struct node *permission(struct compilation *c, const struct node *function,
                               struct node *depends_on)
{
    struct node *p =
        permission_new(c->arena, function, node_c(c->arena, "apigateway.amazonaws.com"), NULL);
    node_put_c(c->arena, p, "DependsOn", depends_on);
    return p;
}

/* DependsOn of permissions: the API, when this template makes it. */
static struct node *behind_api(struct compilation *c)
{
    struct node *ids = node_seq(c->arena);
    const struct node *ref = node_get_c(c->websocket->id, "Ref");
    if (node_is(ref, NODE_STRING))
        node_push(c->arena, ids, ref);
    return ids;
}

static void authorizer_add(struct compilation *c, const struct authorizer *authorizer,
                           struct str id, struct pos pos)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *depends_on = behind_api(c);
    struct node *resource = resource_new(a, "AWS::ApiGatewayV2::Authorizer", p);
    const struct node *target =
        authorizer->arn ? authorizer->arn : target_arn(c, authorizer->function);
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_str(a, p, "Name", authorizer->name);
    node_put_c(a, p, "AuthorizerType", node_c(a, "REQUEST"));
    node_put_c(a, p, "AuthorizerUri", invocation_uri(a, target));
    node_put_c(a, p, "IdentitySource", authorizer->source);
    if (authorizer->function)
        depend_on_alias(c, resource, authorizer->function);
    put(c, id, resource, pos);
    if (!authorizer->arn) {
        struct function_alias alias;
        node_push(a, depends_on, node_str(a, name_function_id(c, authorizer->function)));
        if (function_alias(c, authorizer->function, &alias))
            node_push(a, depends_on, node_str(a, alias.id));
    }
    struct str permission_id =
        str_concat(a, name_normalize(a, authorizer->name), STR("LambdaPermissionWebsockets"));
    put(c, permission_id, permission(c, target, depends_on), pos);
}

/* ---- integrations and routes ---- */

static void integration_add(struct compilation *c, const struct function *f, struct str id,
                            struct pos pos)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *depends_on = behind_api(c);
    struct node *resource = resource_new(a, "AWS::ApiGatewayV2::Integration", p);
    struct function_alias alias;
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_c(a, p, "IntegrationType", node_c(a, "AWS_PROXY"));
    node_put_c(a, p, "IntegrationUri", invocation_uri(a, target_arn(c, f)));
    depend_on_alias(c, resource, f);
    put(c, id, resource, pos);
    node_push(a, depends_on,
              node_str(a, function_alias(c, f, &alias) ? alias.id : name_function_id(c, f)));
    put(c, name_with(c, f, "LambdaPermissionWebsockets"),
        permission(c, target_arn(c, f), depends_on), pos);
}

/* "$connect" -> "Sconnect", "a/b" -> "aSlashb" */
static struct str route_id(struct arena *a, struct str route)
{
    static const struct {
        const char *from, *to;
    } names[] = {{"$", "S"}, {"/", "Slash"}, {"-", "Dash"}, {"_", "Underscore"}, {".", "Period"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        route = str_replace(a, route, str_c(names[i].from), str_c(names[i].to));
    return str_concat(a, route, STR("WebsocketsRoute"));
}

static void response_add(struct compilation *c, struct str route, struct pos pos)
{
    struct arena *a = c->arena;
    struct str id = str_concat(a, route, STR("Response"));
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_c(a, p, "RouteId", node_ref(a, route));
    node_put_c(a, p, "RouteResponseKey", node_c(a, "$default"));
    put(c, id, resource_new(a, "AWS::ApiGatewayV2::RouteResponse", p), pos);
    node_push(a, c->websocket->waits, node_str(a, id));
}

static int websocket_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    struct authorizer authorizer;
    const struct node *n = event->node,
                      *response = node_get_c(n, "routeResponseSelectionExpression");
    const struct node *route = node_is(n, NODE_STRING) ? n : node_get_c(n, "route");
    struct str integration = name_with(c, event->function, "WebsocketsIntegration");
    struct str id = route_id(a, node_text(route));
    int has_authorizer = authorizer_read(c, event, &authorizer, err);
    if (has_authorizer < 0)
        return -1;
    if (!c->websocket->pos.source)
        c->websocket->pos = event->pos;
    integration_add(c, event->function, integration, event->pos);
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_c(a, p, "RouteKey", route);
    node_put_c(a, p, "AuthorizationType", node_c(a, has_authorizer ? "CUSTOM" : "NONE"));
    node_put_c(
        a, p, "Target",
        node_join(a, "/", NODE_LIST(a, node_c(a, "integrations"), node_ref(a, integration))));
    if (node_truthy(response)) {
        node_put_c(a, p, "RouteResponseSelectionExpression", response);
        response_add(c, id, event->pos);
    }
    if (has_authorizer) {
        struct str by =
            str_concat(a, name_normalize(a, authorizer.name), STR("WebsocketsAuthorizer"));
        node_put_c(a, p, "AuthorizerId", node_ref(a, by));
        authorizer_add(c, &authorizer, by, event->pos);
    }
    node_push(a, c->websocket->waits, node_str(a, id));
    return resource_add(c, id, resource_new(a, "AWS::ApiGatewayV2::Route", p), event->pos, err);
}

/* ---- the stage ---- */

static int put_logs(struct compilation *c, struct node *stage, const struct node *logs,
                    struct err *err)
{
    struct arena *a = c->arena;
    struct node *settings = node_map(a), *access = node_map(a);
    const struct node *level = node_get_c(logs, "level"), *format = node_get_c(logs, "format");
    bool executes = node_bool_or(node_get_c(logs, "executionLogging"), true);
    node_put_c(a, settings, "DataTraceEnabled",
               node_bool(a, node_bool_or(node_get_c(logs, "fullExecutionData"), true)));
    node_put_c(a, settings, "LoggingLevel",
               !executes            ? node_c(a, "OFF")
               : node_truthy(level) ? level
                                    : node_c(a, "INFO"));
    node_put_c(a, stage, "DefaultRouteSettings", settings);
    if (node_bool_or(node_get_c(logs, "accessLogging"), true)) {
        node_put_c(a, access, "DestinationArn",
                   node_sub(a,
                            STR("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:"
                                "log-group:${" LOG_GROUP_ID "}"),
                            NULL));
        node_put_c(a, access, "Format",
                   node_truthy(format) ? format : node_c(a, DEFAULT_LOG_FORMAT));
        node_put_c(a, stage, "AccessLogSettings", access);
    }
    const struct node *group =
        node_staged(c, str_concat(a, STR("/aws/websocket/"), name_prefix(c)));
    if (provider_log_group_add(c, STR(LOG_GROUP_ID), group, logs->pos, err) < 0)
        return -1;
    return rest_account_role(c, logs->pos, err);
}

static int stage_add(struct compilation *c, struct str deployment, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    const struct node *logs = node_path(c->provider, "logs.websocket");
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_c(a, p, "DeploymentId", node_ref(a, deployment));
    node_put_c(a, p, "StageName", node_staged(c, c->service->stage));
    node_put_c(a, p, "Description", c->websocket->description);
    if (node_truthy(logs) && put_logs(c, p, logs, err) < 0)
        return -1;
    return resource_add(c, STR(STAGE_ID), resource_new(a, "AWS::ApiGatewayV2::Stage", p),
                        c->websocket->pos, err);
}

/* A new deployment needs a new logical id: it carries a hash of everything that is deployed. */
static struct str deployment_id(struct compilation *c)
{
    enum { HASH_DIGITS = 16 };
    struct arena *a = c->arena;
    struct node *deployed = node_map(a);
    member_each (m, c->resources)
        if (node_equal(node_path(m->value, "Properties.ApiId"), c->websocket->id))
            node_put(a, deployed, m->key, m->value);
    node_put_c(a, deployed, API_ID, node_get_c(c->resources, API_ID));
    node_put_c(a, deployed, "given", node_get_c(c->service->root, "resources"));
    struct str hash = sha256_hex(a, json_canonical(a, deployed));
    return str_concat(a, STR("WebsocketsDeployment"), str_sub(hash, 0, HASH_DIGITS));
}

static void output_add(struct compilation *c)
{
    struct arena *a = c->arena;
    struct node *output = node_map(a);
    const struct node *parts = NODE_LIST(
        a, node_c(a, "wss://"), c->websocket->id, node_c(a, ".execute-api."),
        node_ref(a, STR("AWS::Region")), node_c(a, "."), node_ref(a, STR("AWS::URLSuffix")),
        node_staged(c, str_concat(a, STR("/"), c->service->stage)));
    node_put_c(a, output, "Description", node_c(a, "URL of the service endpoint"));
    node_put_c(a, output, "Value", node_join(a, "", parts));
    node_put_c(a, c->outputs, "ServiceEndpointWebsocket", output);
}

static int websocket_finish(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    struct str id = deployment_id(c);
    struct node *p = node_map(a);
    struct node *resource = resource_new(a, "AWS::ApiGatewayV2::Deployment", p);
    node_put_c(a, resource, "DependsOn", c->websocket->waits);
    node_put_c(a, p, "ApiId", c->websocket->id);
    node_put_c(a, p, "Description", c->websocket->description);
    if (c->websocket->is_existing)
        node_put_c(a, p, "StageName", node_staged(c, c->service->stage));
    output_add(c);
    c->out->websocket_deployment_id = id;
    if (resource_add(c, id, resource, c->websocket->pos, err) < 0)
        return -1;
    return c->websocket->is_existing ? 0 : stage_add(c, id, err);
}

const struct event_type event_websocket = {"websocket", websocket_begin, websocket_compile,
                                           websocket_finish};
