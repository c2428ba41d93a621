/* CORS: what an event's `cors` means, and one OPTIONS method per path that answers preflight
 * requests for all events of the path together. */
#include "compile/rest/rest.h"

static const char *const default_headers[] = {
    "Content-Type",         "X-Amz-Date",       "Authorization",  "X-Api-Key",
    "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id"};

static struct node *header_defaults(struct arena *a)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < sizeof default_headers / sizeof *default_headers; i++)
        node_push(a, list, node_c(a, default_headers[i]));
    return list;
}

const struct node *rest_cors_read(struct arena *a, const struct node *cors, struct str method)
{
    static const char *const copied[] = {"origin", "origins", "maxAge", "cacheControl"};
    struct node *out = node_map(a);
    const struct node *headers = node_get_c(cors, "headers");
    const struct node *credentials = node_get_c(cors, "allowCredentials");
    if (!node_truthy(node_get_c(cors, "origins")))
        node_put_c(a, out, "origin", node_c(a, "*"));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        copy_member(a, out, copied[i], cors, copied[i]);
    if (node_is(headers, NODE_STRING) && headers->text.n)
        headers = NODE_LIST(a, headers);
    node_put_c(a, out, "headers", node_truthy(headers) ? headers : header_defaults(a));
    if (node_truthy(credentials))
        node_put_c(a, out, "allowCredentials", node_bool(a, true));
    struct node *methods = node_seq(a);
    node_each (m, node_get_c(cors, "methods"))
        node_push(a, methods, m);
    add_unique(a, methods, node_c(a, "OPTIONS"));
    add_unique(a, methods, node_str(a, method));
    node_put_c(a, out, "methods", methods);
    return node_from(out, cors);
}

/* ---- merging the events of a path ---- */

struct preflight {
    struct str path;
    struct pos pos;
    unsigned flags;
    const struct node *origin; /* of the last event; may be NULL */
    const struct node *origins, *headers, *methods;
    const struct node *max_age, *cache_control;
    bool allow_credentials;
};
typedef VEC(struct preflight) preflights;

/* The items of `first`, then those of `rest` that are not among them. */
static const struct node *both(struct arena *a, const struct node *first, const struct node *rest)
{
    struct node *out = node_seq(a);
    node_each (x, first)
        add_unique(a, out, x);
    node_each (y, rest)
        add_unique(a, out, y);
    return out;
}

static void merge(struct arena *a, struct preflight *p, const struct rest_event *e)
{
    const struct node *cors = e->cors;
    const struct node *max_age = node_get_c(cors, "maxAge");
    const struct node *cache_control = node_get_c(cors, "cacheControl");
    p->headers = both(a, node_get_c(cors, "headers"), p->headers);
    p->methods = both(a, node_get_c(cors, "methods"), p->methods);
    p->origins = both(a, node_get_c(cors, "origins"), p->origins);
    p->origin = node_get_c(cors, "origin");
    p->allow_credentials =
        p->allow_credentials || node_truthy(node_get_c(cors, "allowCredentials"));
    if (node_truthy(max_age))
        p->max_age = max_age;
    if (node_truthy(cache_control))
        p->cache_control = cache_control;
    p->flags |= node_flags_deep(cors) | (e->method_node ? e->method_node->flags : 0u);
    p->pos = e->event.pos;
}

static preflights collect(struct compilation *c)
{
    preflights all = {0};
    vec_each (&c->rest->events, e) {
        struct preflight *found = NULL;
        if (!e->cors)
            continue;
        vec_each (&all, p)
            if (str_eq(p->path, e->path))
                found = p;
        if (!found) {
            vec_push(c->arena, &all, (struct preflight){.path = e->path});
            found = &all.p[all.n - 1];
        }
        merge(c->arena, found, e);
    }
    return all;
}

/* ---- the answer ---- */

struct str rest_joined(struct arena *a, const struct node *list)
{
    struct buf b = BUF(a);
    node_each (item, list) {
        if (i_item)
            buf_char(&b, ',');
        buf_add(&b, node_text(item));
    }
    return buf_str(&b);
}

/* "a, b" of `origin` -> [a, b] */
static const struct node *split(struct arena *a, struct str text)
{
    struct node *list = node_seq(a);
    struct str part;
    while (str_cut(&text, ',', &part))
        node_push(a, list, node_str(a, str_trim(part)));
    return list;
}

/* Several origins: the one that asks is echoed when it is among them. '.' is meant as it is, the
 * first '*' of an origin stands for anything. */
static struct str origins_template(struct arena *a, const struct node *origins)
{
    struct buf b = BUF(a);
    buf_lit(&b, "#set($origin = $input.params(\"Origin\"))\n"
                "#if($origin == \"\") #set($origin = $input.params(\"origin\")) #end\n#if(");
    node_each (origin, origins) {
        struct str s = str_replace(a, node_text(origin), STR("."), STR("[.]"));
        ptrdiff_t star = str_find_char(s, '*', 0);
        if (star >= 0)
            s = str_fmt(a, "%.*s.+%.*s", STR_ARG(str_sub(s, 0, (size_t)star)),
                        STR_ARG(str_sub(s, (size_t)star + 1, SIZE_MAX)));
        buf_fmt(&b, "%s$origin.matches(\"%.*s\")", i_origin ? " || " : "", STR_ARG(s));
    }
    buf_lit(&b, ") #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin) "
                "#end");
    return buf_str(&b);
}

/* 'text', as header values are mapped. */
static void header_put(struct arena *a, struct node *headers, const char *name, struct str value,
                       const struct preflight *p)
{
    struct node *n = node_strf(a, "'%.*s'", STR_ARG(value));
    n->flags |= (uint8_t)p->flags;
    n->pos = p->pos;
    node_put(a, headers, str_concat(a, STR("method.response.header."), str_c(name)), n);
}

/* The methods of a preflight answer; ANY stands for all of them. */
static struct str methods_text(struct arena *a, const struct node *methods)
{
    struct str text = rest_joined(a, methods);
    bool has_any = false;
    node_each (m, methods)
        has_any = has_any || node_is_text(m, "ANY");
    ptrdiff_t at = has_any ? str_find(text, STR("ANY"), 0) : -1;
    if (at < 0)
        return text;
    return str_fmt(a, "%.*sDELETE,GET,HEAD,PATCH,POST,PUT%.*s",
                   STR_ARG(str_sub(text, 0, (size_t)at)),
                   STR_ARG(str_sub(text, (size_t)at + 3, SIZE_MAX)));
}

static struct node *answer_headers(struct arena *a, const struct preflight *p, struct str origin)
{
    struct node *headers = node_map(a);
    header_put(a, headers, "Access-Control-Allow-Origin", origin, p);
    header_put(a, headers, "Access-Control-Allow-Headers", rest_joined(a, p->headers), p);
    header_put(a, headers, "Access-Control-Allow-Methods", methods_text(a, p->methods), p);
    if (p->allow_credentials)
        header_put(a, headers, "Access-Control-Allow-Credentials", STR("true"), p);
    if (p->max_age)
        header_put(a, headers, "Access-Control-Max-Age", node_text(p->max_age), p);
    if (p->cache_control)
        header_put(a, headers, "Cache-Control", node_text(p->cache_control), p);
    return headers;
}

static const struct node *mock(struct arena *a, const struct preflight *p,
                               const struct node *origins, const struct node *headers)
{
    struct node *template = node_str(a, origins->count ? origins_template(a, origins) : STR(""));
    template->flags |= (uint8_t)p->flags;
    struct node *response = node_map(a), *out = node_map(a);
    node_put_c(a, response, "StatusCode", node_c(a, "200"));
    node_put_c(a, response, "ResponseParameters", headers);
    node_put_c(a, response, "ResponseTemplates", node_fn(a, "application/json", template));
    node_put_c(a, out, "Type", node_c(a, "MOCK"));
    node_put_c(a, out, "RequestTemplates",
               node_fn(a, "application/json", node_c(a, "{statusCode:200}")));
    node_put_c(a, out, "ContentHandling", node_c(a, "CONVERT_TO_TEXT"));
    node_put_c(a, out, "IntegrationResponses", NODE_LIST(a, response));
    return out;
}

static const struct node *method_responses(struct arena *a, const struct node *headers)
{
    struct node *response = node_map(a), *present = node_map(a);
    member_each (m, headers)
        node_put(a, present, m->key, node_bool(a, true));
    node_put_c(a, response, "StatusCode", node_c(a, "200"));
    node_put_c(a, response, "ResponseParameters", present);
    node_put_c(a, response, "ResponseModels", node_map(a));
    return NODE_LIST(a, response);
}

static void preflight_add(struct compilation *c, const struct preflight *p)
{
    struct arena *a = c->arena;
    struct str origin = node_text(p->origin);
    const struct node *origins = p->origins;
    if (str_find_char(origin, ',', 0) >= 0)
        origins = split(a, origin);
    if (origins->count)
        origin = node_text(origins->items[0]);
    const struct node *headers = answer_headers(a, p, origin);
    struct node *properties = node_map(a);
    node_put_c(a, properties, "AuthorizationType", node_c(a, "NONE"));
    node_put_c(a, properties, "HttpMethod", node_c(a, "OPTIONS"));
    node_put_c(a, properties, "MethodResponses", method_responses(a, headers));
    node_put_c(a, properties, "RequestParameters", node_map(a));
    node_put_c(a, properties, "Integration", mock(a, p, origins, headers));
    node_put_c(a, properties, "ResourceId", map_get(&c->rest->resource_ids, p->path));
    node_put_c(a, properties, "RestApiId", c->rest->id);
    struct str id = rest_method_id(a, p->path, STR("OPTIONS"));
    node_push(a, c->rest->method_ids, node_str(a, id));
    resource_set(c, id, resource_new(a, "AWS::ApiGateway::Method", properties), p->pos);
}

void rest_preflights(struct compilation *c)
{
    preflights all = collect(c);
    vec_each (&all, p)
        preflight_add(c, p);
}
