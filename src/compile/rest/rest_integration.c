/* Integrations: what answers a method: the function (AWS_PROXY, AWS), an HTTP address, or nobody
 * (MOCK). */
#include "compile/rest/rest.h"

static bool is_type(const struct rest_event *e, const char *type)
{
    return str_eq(str_c(e->integration), str_c(type));
}

static bool is_proxy(const struct rest_event *e)
{
    return str_ends(str_c(e->integration), STR("_PROXY"));
}

static const struct node *transfer_mode(struct arena *a, const struct rest_event *e)
{
    const struct node *mode = node_get_c(e->response, "transferMode");
    if (!is_proxy(e) || !node_truthy(mode))
        return NULL;
    return node_from(node_str(a, str_upper(a, node_text(mode))), mode);
}

static const struct node *function_uri(struct compilation *c, const struct rest_event *e)
{
    struct arena *a = c->arena;
    struct function_alias alias;
    bool has_alias = function_alias(c, e->event.function, &alias);
    bool is_stream = is_type(e, "AWS_PROXY") && node_is_text(transfer_mode(a, e), "STREAM");
    return node_join(
        a, "",
        NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                  node_c(a, ":apigateway:"), node_ref(a, STR("AWS::Region")),
                  node_c(a, is_stream ? ":lambda:path/2021-11-15/functions/"
                                      : ":lambda:path/2015-03-31/functions/"),
                  function_arn(c, e->event.function), has_alias ? node_c(a, ":") : NULL,
                  has_alias ? node_str(a, alias.name) : NULL,
                  node_c(a, is_stream ? "/response-streaming-invocations" : "/invocations")));
}

static void http_target(struct arena *a, const struct rest_event *e, struct node *integration)
{
    const struct node *method = is_proxy(e) ? NULL : node_get_c(e->request, "method");
    const struct node *type = rest_setting(e, "connectionType");
    struct str verb = node_truthy(method) ? str_upper(a, node_text(method)) : e->method;
    const struct node *from = node_truthy(method) ? method : e->method_node;
    node_put_c(a, integration, "Uri", node_get_c(e->request, "uri"));
    node_put_c(a, integration, "IntegrationHttpMethod", node_from(node_str(a, verb), from));
    if (!node_truthy(type))
        return;
    struct str upper = str_replace(a, str_upper(a, node_text(type)), STR("-"), STR("_"));
    node_put_c(a, integration, "ConnectionType", node_from(node_str(a, upper), type));
    node_put_c(a, integration, "ConnectionId", rest_setting(e, "connectionId"));
}

/* ---- what goes to the integration ---- */

/* The members that authorizer claims add to the default template's "cognitoPoolClaims". */
static struct str claims_text(struct arena *a, const struct rest_authorizer *authorizer)
{
    struct buf b = BUF(a);
    if (!authorizer)
        return STR("");
    node_each (claim, authorizer->claims) {
        struct str s = node_text(claim);
        ptrdiff_t colon = str_find_char(s, ':', 0);
        if (colon >= 0)
            buf_fmt(&b, "\"%.*s\": \"$context.authorizer.claims['%.*s']\",",
                    STR_ARG(str_sub(s, (size_t)colon + 1, SIZE_MAX)), STR_ARG(s));
        else
            buf_fmt(&b, "\"%.*s\": \"$context.authorizer.claims.%.*s\",", STR_ARG(s), STR_ARG(s));
    }
    return buf_str(&b);
}

static const struct node *with_claims(struct arena *a, const struct node *template,
                                      struct str claims)
{
    static const char mark[] = "extraCognitoPoolClaims";
    ptrdiff_t at = node_is(template, NODE_STRING) ? str_find(template->text, str_c(mark), 0) : -1;
    if (at < 0)
        return template;
    struct str text = template->text;
    return node_from(node_strf(a, "%.*s%.*s%.*s", STR_ARG(str_sub(text, 0, (size_t)at)),
                               STR_ARG(claims),
                               STR_ARG(str_sub(text, (size_t)at + sizeof mark - 1, SIZE_MAX))),
                     template);
}

/* Defaults for `lambda`, and request.template by content type; null takes a default away. */
static const struct node *request_templates(struct arena *a, const struct rest_event *e)
{
    struct node *templates = is_type(e, "AWS") ? rest_default_templates(a) : node_map(a);
    struct node *out = node_map(a);
    struct str claims = claims_text(a, e->authorizer);
    member_each (m, node_get_c(e->request, "template")) {
        if (node_is(m->value, NODE_NULL))
            node_drop(templates, m->key);
        else
            node_put_at(a, templates, m->key, m->key_pos, m->value);
    }
    member_each (m, templates)
        node_put_at(a, out, m->key, m->key_pos, with_claims(a, m->value, claims));
    return out->size ? out : NULL;
}

static const struct node *mapped_parameters(struct arena *a, const struct rest_event *e)
{
    const struct str method = STR("method.");
    bool is_async = node_truthy(rest_setting(e, "async"));
    bool is_mapping = !is_type(e, "AWS_PROXY") && !is_type(e, "MOCK") && e->parameters->size;
    if (!is_mapping && !is_async)
        return NULL;
    struct node *out = node_map(a);
    member_each (m, e->parameters) {
        const struct node *mapped = node_get_c(m->value, "mappedValue");
        struct str key = str_concat(a, STR("integration."), str_sub(m->key, method.n, SIZE_MAX));
        node_put_at(a, out, key, m->key_pos, node_truthy(mapped) ? mapped : node_str(a, m->key));
    }
    if (is_async)
        node_put_c(a, out, "integration.request.header.X-Amz-Invocation-Type",
                   node_c(a, "'Event'"));
    return out;
}

static void put_mappings(struct arena *a, const struct rest_event *e, struct node *integration)
{
    const struct node *pass_through = node_get_c(e->request, "passThrough");
    if (!node_truthy(pass_through))
        pass_through = is_type(e, "AWS") ? node_c(a, "NEVER") : NULL;
    node_put_c(a, integration, "PassthroughBehavior", pass_through);
    copy_member(a, integration, "ContentHandling", e->request, "contentHandling");
    node_put_c(a, integration, "RequestTemplates", request_templates(a, e));
    node_put_c(a, integration, "IntegrationResponses", rest_integration_responses(a, e));
}

const struct node *rest_integration(struct compilation *c, const struct rest_event *e,
                                    struct err *err)
{
    struct arena *a = c->arena;
    const struct node *timeout = node_or(rest_setting(e, "timeoutInMillis"),
                                         node_get_c(c->rest->settings, "timeoutInMillis"));
    struct node *out = node_map(a);
    if (is_type(e, "HTTP") && !rest_status_codes(a, e)) {
        err_at(err, e->event.pos, ERR_CONFIG, "integration 'http' needs 'response'");
        err_help(err, "say what it answers in 'response.statusCodes', or use 'http-proxy'");
        return NULL;
    }
    node_put_c(a, out, "IntegrationHttpMethod", node_c(a, "POST"));
    const struct node *written = rest_setting(e, "integration");
    node_put_c(a, out, "Type",
               node_from(node_c(a, e->integration), written ? written : e->event.node));
    if (node_truthy(timeout))
        node_put_c(a, out, "TimeoutInMillis", timeout);
    if (is_type(e, "AWS") || is_type(e, "AWS_PROXY"))
        node_put_c(a, out, "Uri", function_uri(c, e));
    else if (!is_type(e, "MOCK"))
        http_target(a, e, out);
    if (!is_proxy(e))
        put_mappings(a, e, out);
    node_put_c(a, out, "RequestParameters", mapped_parameters(a, e));
    node_put_c(a, out, "ResponseTransferMode", transfer_mode(a, e));
    return out;
}
