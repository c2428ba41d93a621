/* `http` events: methods of a REST API.
 *
 * This file reads and checks the events; what is made of them is in the rest_*.c files, in the
 * order of http_finish. */
#include "compile/rest/rest.h"

static const char *const methods[] = {"GET",     "POST", "PUT",    "PATCH",
                                      "OPTIONS", "HEAD", "DELETE", "ANY"};

/* How `integration` may be written. It is compared in upper case and with '_' for '-'. */
static const struct {
    const char *written, *type;
} integrations[] = {
    {"LAMBDA_PROXY", "AWS_PROXY"}, {"AWS_PROXY", "AWS_PROXY"}, {"LAMBDA", "AWS"}, {"AWS", "AWS"},
    {"HTTP_PROXY", "HTTP_PROXY"},  {"HTTP", "HTTP"},           {"MOCK", "MOCK"},
};

/* ---- reading ---- */

static int read_method(const struct compilation *c, struct rest_event *e, struct err *err)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq(e->method, str_c(methods[i])))
            return 0;
    bool is_missing = node_empty(e->method_node);
    if (is_missing)
        err_at(err, e->event.pos, ERR_CONFIG, "'method' is missing");
    else
        err_at(err, node_pos(e->method_node), ERR_CONFIG, "unknown method '%.*s'",
               STR_ARG(e->method));
    err_help(err, "use one of GET, POST, PUT, PATCH, OPTIONS, HEAD, DELETE or ANY");
    return is_missing ? -1 : aws_refuses(c, err);
}

static int read_path(struct rest_event *e, struct str path, struct err *err)
{
    struct str p = path;
    if (!p.p)
        return err_at(err, e->event.pos, ERR_CONFIG, "'path' is missing");
    str_skip(&p, STR("/"));
    str_strip(&p, STR("/"));
    if (str_find(p, STR("//"), 0) >= 0 || str_starts(p, STR("/")) || str_ends(p, STR("/")))
        return err_at(err, node_pos(e->path_node), ERR_CONFIG, "path '%.*s' has an empty part",
                      STR_ARG(path));
    e->path = p;
    return 0;
}

/* The short form "METHOD /path", or a map. */
static int read_route(struct compilation *c, struct rest_event *e, struct err *err)
{
    const struct node *n = e->event.node;
    struct str path = {0}, method = {0};
    if (node_is(n, NODE_MAP)) {
        const struct node *p = node_get_c(n, "path");
        e->settings = n;
        e->path_node = p;
        e->method_node = node_get_c(n, "method");
        method = node_text(node_get_c(n, "method"));
        path = node_empty(p) ? path : node_text(p);
    } else {
        struct str rest = node_text(n);
        e->path_node = e->method_node = n;
        if (str_find_char(rest, ' ', 0) < 0) {
            err_at(err, node_pos(n), ERR_CONFIG, "'%.*s' is not 'METHOD /path'", STR_ARG(rest));
            return err_help(err, "write for example 'GET /users/{id}'; all of them are 'ANY "
                                 "/{proxy+}'");
        }
        str_cut(&rest, ' ', &method);
        path = rest;
    }
    e->method = str_upper(c->arena, method);
    return read_method(c, e, err) < 0 ? -1 : read_path(e, path, err);
}

static int read_integration(struct compilation *c, struct rest_event *e, struct err *err)
{
    const struct node *n = rest_setting(e, "integration");
    struct str written = str_upper(c->arena, node_text(n));
    written = str_replace(c->arena, written, STR("-"), STR("_"));
    if (!node_truthy(n)) {
        e->integration = node_truthy(rest_setting(e, "async")) ? "AWS" : "AWS_PROXY";
        return 0;
    }
    for (size_t i = 0; i < sizeof integrations / sizeof *integrations; i++)
        if (str_eq(written, str_c(integrations[i].written)))
            e->integration = integrations[i].type;
    if (e->integration)
        return 0;
    err_at(err, n->pos, ERR_CONFIG, "unknown integration '%.*s'", STR_ARG(node_text(n)));
    return err_help(err, "use lambda-proxy, lambda, http, http-proxy, mock or aws");
}

/* request.parameters: {querystrings, paths, headers} -> method.request.<place>.<name> */
static struct node *read_parameters(struct arena *a, const struct node *written)
{
    static const struct {
        const char *written, *prefix;
    } places[] = {{"querystrings", "method.request.querystring."},
                  {"paths", "method.request.path."},
                  {"headers", "method.request.header."}};
    struct node *out = node_map(a);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        member_each (m, node_entries(a, node_get_c(written, places[i].written)))
            node_put_at(a, out, str_concat(a, str_c(places[i].prefix), m->key), m->key_pos,
                        m->value);
    return out;
}

static int check_transfer_mode(struct compilation *c, const struct rest_event *e, struct err *err)
{
    const struct node *mode = node_get_c(e->response, "transferMode");
    if (!node_truthy(mode))
        return 0;
    struct str s = str_upper(c->arena, node_text(mode));
    if (!str_eq(s, STR("BUFFERED")) && !str_eq(s, STR("STREAM")))
        return err_at(err, mode->pos, ERR_CONFIG,
                      "'transferMode' must be BUFFERED or STREAM, not '%.*s'", STR_ARG(s));
    if (!str_ends(str_c(e->integration), STR("_PROXY")))
        return err_at(err, mode->pos, ERR_CONFIG,
                      "'transferMode' needs the integration lambda-proxy or http-proxy");
    return 0;
}

static int check_http(struct compilation *c, const struct rest_event *e, struct err *err)
{
    if (!str_starts(str_c(e->integration), STR("HTTP")))
        return 0;
    if (!node_truthy(node_get_c(e->request, "uri")))
        return err_at(err, e->event.pos, ERR_CONFIG, "an HTTP integration needs 'request.uri'");
    const struct node *type = rest_setting(e, "connectionType");
    struct str upper = str_upper(c->arena, node_text(type));
    upper = str_replace(c->arena, upper, STR("-"), STR("_"));
    if (str_eq(upper, STR("VPC_LINK")) && !node_truthy(rest_setting(e, "connectionId")))
        return err_at(err, type->pos, ERR_CONFIG,
                      "connection type 'vpc-link' needs 'connectionId'");
    return 0;
}

static int read_cors(struct compilation *c, struct rest_event *e, struct err *err)
{
    const struct node *written = rest_setting(e, "cors");
    if (!node_truthy(written))
        return 0;
    e->cors = rest_cors_read(c->arena, written, e->method);
    if (node_truthy(node_get_c(e->cors, "origin")) || node_count(node_get_c(e->cors, "origins")))
        return 0;
    err_at(err, written->pos, ERR_CONFIG, "'cors' allows no origin");
    return err_help(err, "name some in 'origins', or leave it out to allow all");
}

/* ---- the event ---- */

static int check_existing(struct compilation *c, struct err *err)
{
    const struct node *root = node_get_c(c->rest->settings, "restApiRootResourceId");
    const struct node *tracing = node_path(c->provider, "tracing.apiGateway");
    const struct node *logs = node_path(c->provider, "logs.restApi");
    if (!c->rest->is_existing)
        return 0;
    if (!node_truthy(root))
        return err_at(err, c->rest->id->pos, ERR_CONFIG,
                      "'restApiId' needs 'restApiRootResourceId' beside it");
    if (!node_empty(tracing) || !node_empty(logs))
        return err_at(err, node_pos(node_empty(tracing) ? logs : tracing), ERR_CONFIG,
                      "'%s' has no effect on an existing REST API",
                      node_empty(tracing) ? "logs.restApi" : "tracing.apiGateway");
    return 0;
}

int rest_begin(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    c->rest = ARENA_NEW(a, struct rest_state);
    const struct node *settings = node_get_c(c->provider, "apiGateway");
    const struct node *id = node_get_c(settings, "restApiId");
    const struct node *root = node_get_c(settings, "restApiRootResourceId");
    c->rest->settings = settings;
    c->rest->is_existing = node_truthy(id);
    c->rest->id = c->rest->is_existing ? id : node_ref(a, STR("ApiGatewayRestApi"));
    c->rest->root =
        node_truthy(root) ? root : node_get_att(a, STR("ApiGatewayRestApi"), "RootResourceId");
    c->rest->resource_ids = MAP(a);
    c->rest->same_name = MAP(a);
    c->rest->method_ids = node_seq(a);
    return check_existing(c, err);
}

static int http_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    struct rest_event e = {.event = *event};
    if (read_route(c, &e, err) < 0 || read_integration(c, &e, err) < 0)
        return -1;
    e.request = rest_setting(&e, "request");
    e.response = rest_setting(&e, "response");
    e.parameters = read_parameters(a, node_get_c(e.request, "parameters"));
    if (check_transfer_mode(c, &e, err) < 0 || check_http(c, &e, err) < 0 ||
        rest_authorizer_read(c, &e, err) < 0)
        return -1;
    if (read_cors(c, &e, err) < 0)
        return -1;
    vec_push(a, &c->rest->events, e);
    return 0;
}

static int http_finish(struct compilation *c, struct err *err)
{
    if (rest_api(c, err) < 0 || rest_resources(c, err) < 0)
        return -1;
    rest_preflights(c);
    if (rest_methods(c, err) < 0)
        return -1;
    rest_validation(c);
    rest_authorizers(c);
    if (rest_deployment(c, err) < 0 || rest_keys(c, err) < 0)
        return -1;
    rest_permissions(c);
    return rest_logs(c, err);
}

const struct event_type event_http = {"http", rest_begin, http_compile, http_finish};
