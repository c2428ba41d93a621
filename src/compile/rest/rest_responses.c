/* Responses of integrations that are no proxies: which status an answer gets, with which headers
 * and which template. */
#include "compile/rest/rest.h"

#define ANYTHING "[\\s\\S]*"

/* A function of the `lambda` integration answers with a status by failing with a message that has
 * it in brackets. */
static const struct {
    const char *status, *pattern;
} default_codes[] = {
    {"200", ""},
    {"400", ANYTHING "\\[400\\]" ANYTHING},
    {"401", ANYTHING "\\[401\\]" ANYTHING},
    {"403", ANYTHING "\\[403\\]" ANYTHING},
    {"404", ANYTHING "\\[404\\]" ANYTHING},
    {"422", ANYTHING "\\[422\\]" ANYTHING},
    {"500", ANYTHING "(Process\\s?exited\\s?before\\s?completing\\s?request|\\[500\\])" ANYTHING},
    {"502", ANYTHING "\\[502\\]" ANYTHING},
    {"504", "(" ANYTHING "\\[504\\]" ANYTHING ")|(.*Task timed out after \\d+\\.\\d+ seconds$)"},
};

static struct node *code_defaults(struct arena *a)
{
    struct node *codes = node_map(a);
    for (size_t i = 0; i < sizeof default_codes / sizeof *default_codes; i++)
        node_put_c(a, codes, default_codes[i].status,
                   node_fn(a, "pattern", node_c(a, default_codes[i].pattern)));
    return codes;
}

const struct node *rest_status_codes(struct arena *a, const struct rest_event *e)
{
    const struct node *codes = node_entries(a, node_get_c(e->response, "statusCodes"));
    bool is_mock = str_eq(str_c(e->integration), STR("MOCK"));
    bool is_lambda = str_eq(str_c(e->integration), STR("AWS"));
    if (!node_truthy(node_get_c(e->response, "statusCodes")))
        return is_lambda || (e->response && !is_mock) ? code_defaults(a) : NULL;
    struct node *out = node_shallow(a, codes);
    bool has_default = is_mock;
    member_each (m, codes) {
        const struct node *pattern = node_get_c(m->value, "pattern");
        has_default = has_default || (node_is(pattern, NODE_STRING) && !pattern->text.n);
    }
    if (!has_default)
        node_put_c(a, out, "200", node_fn(a, "pattern", node_c(a, "")));
    return node_javascript_order(a, out);
}

/* Headers of every answer: CORS, then response.headers. */
static struct node *common_headers(struct arena *a, const struct rest_event *e)
{
    struct node *headers = node_map(a);
    const struct node *origins = node_get_c(e->cors, "origins");
    if (e->cors) {
        struct str origin = node_text(node_get_c(e->cors, "origin"));
        struct buf b = BUF(a);
        node_each (o, origins)
            buf_fmt(&b, "%s%.*s", i_o ? "," : "", STR_ARG(node_text(o)));
        struct node *value = node_strf(a, "'%.*s'", STR_ARG(b.n ? buf_str(&b) : origin));
        value->flags |= (uint8_t)node_flags_deep(e->cors);
        node_put_c(a, headers, "Access-Control-Allow-Origin", value);
        if (node_truthy(node_get_c(e->cors, "allowCredentials")))
            node_put_c(a, headers, "Access-Control-Allow-Credentials", node_c(a, "true"));
    }
    member_each (m, node_entries(a, node_get_c(e->response, "headers")))
        node_put_at(a, headers, m->key, m->key_pos, m->value);
    return headers;
}

/* {method.response.header.<name>: value}, of `headers` and what the status has besides. */
static struct node *response_parameters(struct arena *a, const struct node *headers,
                                        const struct node *code)
{
    struct node *out = node_map(a);
    const struct node *both[] = {headers, node_entries(a, node_get_c(code, "headers"))};
    for (size_t i = 0; i < 2; i++)
        member_each (m, both[i])
            node_put_at(a, out, str_concat(a, STR("method.response.header."), m->key), m->key_pos,
                        m->value);
    return out;
}

static const struct node *response_templates(struct arena *a, const struct rest_event *e,
                                             const struct node *code)
{
    struct node *out = node_map(a);
    const struct node *common = node_get_c(e->response, "template");
    const struct node *own = node_get_c(code, "template");
    if (node_truthy(common))
        node_put_c(a, out, "application/json", common);
    if (node_is(own, NODE_STRING) && own->text.n)
        node_put_c(a, out, "application/json", own);
    member_each (m, own)
        node_put_at(a, out, m->key, m->key_pos, m->value);
    return out;
}

const struct node *rest_integration_responses(struct arena *a, const struct rest_event *e)
{
    struct node *out = node_seq(a);
    const struct node *headers = common_headers(a, e);
    member_each (m, rest_status_codes(a, e)) {
        const struct node *pattern = node_get_c(m->value, "pattern");
        struct node *response = node_map(a);
        node_put_c(a, response, "StatusCode", node_str(a, m->key));
        node_put_c(a, response, "SelectionPattern", node_truthy(pattern) ? pattern : node_c(a, ""));
        node_put_c(a, response, "ResponseParameters", response_parameters(a, headers, m->value));
        node_put_c(a, response, "ResponseTemplates", response_templates(a, e, m->value));
        if (str_starts(m->key, STR("2")))
            copy_member(a, response, "ContentHandling", e->response, "contentHandling");
        node_push(a, out, response);
    }
    return out;
}

const struct node *rest_method_responses(struct arena *a, const struct rest_event *e)
{
    struct node *out = node_seq(a);
    if (str_ends(str_c(e->integration), STR("_PROXY")))
        return out;
    const struct node *headers = common_headers(a, e);
    member_each (m, rest_status_codes(a, e)) {
        struct node *response = node_map(a), *present = node_map(a);
        member_each (h, response_parameters(a, headers, m->value))
            node_put_at(a, present, h->key, h->key_pos, node_bool(a, true));
        node_put_c(a, response, "ResponseParameters", present);
        node_put_c(a, response, "ResponseModels", node_map(a));
        node_put_c(a, response, "StatusCode", node_str(a, m->key));
        node_push(a, out, response);
    }
    return out;
}
