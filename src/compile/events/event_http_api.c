/* `httpApi` events: routes of an HTTP API, with one integration and one permission per function.
 *
 * The API itself comes from provider.httpApi and is made before the first route. */
#include "compile/http_api/http_api.h"

/* A route as its event says it. */
struct route {
    struct str method; /* upper case; empty for the default route, ANY for `*` */
    struct str path;   /* "*": the default route */
};

/* ---- reading a route ---- */

static int route_check(const struct compilation *c, const struct event *event, struct route *r,
                       struct err *err)
{
    if (str_eq(r->path, STR("*"))) {
        if (!r->method.n || str_eq(r->method, STR("*"))) {
            r->method = STR("");
            return 0;
        }
        err_at(err, event->pos, ERR_CONFIG, "path '*' takes every method, not only '%.*s'",
               STR_ARG(r->method));
        return err_help(err, "remove 'method', or write a path such as '/{proxy+}'");
    }
    if (!str_starts(r->path, STR("/"))) {
        err_at(err, event->pos, ERR_CONFIG, "path '%.*s' must be '*' or begin with '/'",
               STR_ARG(r->path));
        if (aws_refuses(c, err) < 0)
            return -1;
    }
    if (!r->method.n)
        return err_at(err, event->pos, ERR_CONFIG, "'method' is missing for path '%.*s'",
                      STR_ARG(r->path));
    if (str_eq(r->method, STR("*")))
        r->method = STR("ANY");
    if (http_api_is_method(r->method))
        return 0;
    err_at(err, event->pos, ERR_CONFIG, "unknown method '%.*s'", STR_ARG(r->method));
    return err_help(err, "use one of GET, POST, PUT, PATCH, OPTIONS, HEAD, DELETE or *");
}

static int route_read(struct compilation *c, const struct event *event, struct route *ret,
                      struct err *err)
{
    const struct node *n = event->node;
    struct route r = {0};
    if (node_is(n, NODE_MAP)) {
        r.method = node_text(node_get_c(n, "method"));
        r.path = node_text(node_get_c(n, "path"));
    } else {
        r.path = node_text(n);
        if (str_find_char(r.path, ' ', 0) > 0)
            str_cut(&r.path, ' ', &r.method);
    }
    r.method = str_upper(c->arena, r.method);
    if (route_check(c, event, &r, err) < 0)
        return -1;
    *ret = r;
    return 0;
}

/* ---- resources ---- */

/* One integration and one permission per function, made with its first route. */
static int integration_add(struct compilation *c, const struct event *event, struct str id,
                           struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    if (node_get(c->resources, id))
        return 0;
    const struct node *payload =
        node_setting(node_get_c(f->node, "httpApi"), c->http->settings, "payload");
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiId", c->http->id);
    node_put_c(a, p, "IntegrationType", node_c(a, "AWS_PROXY"));
    node_put_c(a, p, "IntegrationUri", target_arn(c, f));
    node_put_c(a, p, "PayloadFormatVersion", payload ? payload : node_c(a, "2.0"));
    node_put_c(a, p, "TimeoutInMillis", node_int(a, 30000));
    struct node *integration = resource_new(a, "AWS::ApiGatewayV2::Integration", p);
    struct node *permission = permission_new(
        a, target_arn(c, f), node_c(a, "apigateway.amazonaws.com"), http_api_source_arn(c));
    depend_on_alias(c, integration, f);
    depend_on_alias(c, permission, f);
    if (resource_add(c, id, integration, event->pos, err) < 0)
        return -1;
    return resource_add(c, name_with(c, f, "LambdaPermissionHttpApi"), permission, event->pos, err);
}

static int route_add(struct compilation *c, const struct event *event, const struct route *r,
                     struct str integration, struct err *err)
{
    struct arena *a = c->arena;
    bool is_default = !r->method.n;
    struct str key = is_default ? STR("$default")
                                : str_fmt(a, "%.*s %.*s", STR_ARG(r->method), STR_ARG(r->path));
    struct str id = is_default ? STR("HttpApiRouteDefault")
                               : str_concat(a, STR("HttpApiRoute"), name_path(a, key));
    const struct node *old = node_get(c->resources, id);
    if (old && str_eq(key, node_text(node_path(old, "Properties.RouteKey")))) {
        err_at(err, event->pos, ERR_CONFIG, "route '%.*s' is there twice", STR_ARG(key));
        return err_note(err, old->pos, "the first one is here");
    }
    const struct node *target = NODE_LIST(a, node_c(a, "integrations"), node_ref(a, integration));
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiId", c->http->id);
    node_put_c(a, p, "RouteKey", node_from(node_str(a, key), event->node));
    node_put_c(a, p, "Target", node_join(a, "/", target));
    if (http_api_authorize(c, event, p, err) < 0)
        return -1;
    struct node *resource = resource_new(a, "AWS::ApiGatewayV2::Route", p);
    node_put_str(a, resource, "DependsOn", integration);
    return resource_add(c, id, resource, event->pos, err);
}

/* ---- the event ---- */

static int http_api_begin(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    c->http = ARENA_NEW(a, struct http_state);
    const struct node *settings = node_get_c(c->provider, "httpApi");
    const struct node *id = node_get_c(settings, "id");
    c->http->settings = settings;
    c->http->is_existing = node_truthy(id);
    c->http->id = c->http->is_existing ? id : node_ref(a, STR("HttpApi"));
    if (!c->http->is_existing)
        c->out->http_api_id = STR("HttpApi");
    if (http_api_resources(c, err) < 0)
        return -1;
    return http_api_authorizers(c, err);
}

static int http_api_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct route r;
    struct str integration = str_concat(c->arena, STR("HttpApiIntegration"),
                                        name_normalize(c->arena, event->function->key));
    if (route_read(c, event, &r, err) < 0 || integration_add(c, event, integration, err) < 0 ||
        route_add(c, event, &r, integration, err) < 0)
        return -1;
    http_api_allow_method(c, r.method);
    return 0;
}

const struct event_type event_http_api = {"httpApi", http_api_begin, http_api_compile, NULL};
