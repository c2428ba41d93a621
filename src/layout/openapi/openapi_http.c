/* From AWS::ApiGatewayV2::* resources of an HTTP API to one OpenAPI document. As in openapi.c,
 * every property is in a table or an error. Source: API Gateway developer guide, "OpenAPI
 * extensions for API Gateway", "Working with OpenAPI definitions for HTTP APIs". */
#include "layout/openapi/openapi_internal.h"

#include "base/buf.h"

/* ---- integrations: a collection that routes refer to ---- */

/* {"200": {"ResponseParameters": [{Destination, Source}]}} -> {"200": {destination: source}} */
static const struct node *response_parameters(struct building *b, const struct node *from)
{
    struct node *out = node_map(b->arena);
    member_each (status, from) {
        struct node *one = node_map(b->arena);
        node_each (p, node_get_c(status->value, "ResponseParameters"))
            node_put(b->arena, one, node_text(node_get_c(p, "Destination")),
                     node_get_c(p, "Source"));
        node_put(b->arena, out, status->key, one);
    }
    return out->size ? node_from(out, from) : NULL;
}

/* "…:lambda:path/2015-03-31/functions/…": is it the long form already? */
static bool is_long_form(const struct node *uri)
{
    node_each (part, node_path(uri, "Fn::Join.1"))
        if (str_find(node_text(part), STR(":lambda:path/"), 0) >= 0)
            return true;
    return false;
}

/* API Gateway replaces stage variables only in the long form of a function's address, so the short
 * form becomes the long one. Source: API Gateway developer guide, "API Gateway stage variables
 * reference for HTTP APIs". */
static const struct node *integration_uri(struct building *b, const struct node *uri)
{
    struct arena *a = b->arena;
    const struct node *arn = openapi_with_arns(b, uri);
    if (arn == uri || is_long_form(arn))
        return arn;
    struct node *join = node_seq(a), *parts = node_seq(a);
    node_push(a, parts, node_str(a, STR("arn:")));
    node_push(a, parts, node_ref(a, STR("AWS::Partition")));
    node_push(a, parts, node_str(a, STR(":apigateway:")));
    node_push(a, parts, node_ref(a, STR("AWS::Region")));
    node_push(a, parts, node_str(a, STR(":lambda:path/2015-03-31/functions/")));
    node_push(a, parts, arn);
    node_push(a, parts, node_str(a, STR("/invocations")));
    node_push(a, join, node_str(a, STR("")));
    node_push(a, join, parts);
    return node_fn(a, "Fn::Join", join);
}

static int add_integration(struct building *b, struct str id, const struct node *properties,
                           struct err *err)
{
    static const struct property table[] = {
        {"IntegrationType", "type", FORM_LOWER},
        {"IntegrationMethod", "httpMethod", FORM_SAME},
        {"IntegrationUri", NULL, FORM_DONE},
        {"IntegrationSubtype", "subtype", FORM_SAME},
        {"CredentialsArn", "credentials", FORM_SAME},
        {"ConnectionType", "connectionType", FORM_SAME},
        {"ConnectionId", "connectionId", FORM_SAME},
        {"PayloadFormatVersion", "payloadFormatVersion", FORM_SAME},
        {"TimeoutInMillis", "timeoutInMillis", FORM_SAME},
        {"RequestParameters", "requestParameters", FORM_SAME},
        {"ResponseParameters", NULL, FORM_DONE},
        {"TlsConfig", "tlsConfig", FORM_MEMBER},
        {"Description", NULL, FORM_DONE},
        {"ApiId", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *out = node_map(a);
    const struct node *uri = node_get_c(properties, "IntegrationUri");
    if (openapi_put(b, out, properties, table, "an integration", err) < 0)
        return -1;
    if (!node_get_c(out, "httpMethod") && node_is_text(node_get_c(out, "type"), "aws_proxy"))
        node_put_str(a, out, "httpMethod", STR("POST"));
    node_put_c(a, out, "uri", uri ? integration_uri(b, uri) : NULL);
    node_put_c(a, out, "responseParameters",
               response_parameters(b, node_get_c(properties, "ResponseParameters")));
    node_put(a, b->integrations, id, out);
    return 0;
}

/* ---- authorizers ---- */

static struct str authorizer_name(struct building *b, struct str id)
{
    return node_text_or(node_path(node_get(b->resources, id), "Properties.Name"), id);
}

static const struct node *identity_source(struct arena *a, const struct node *from)
{
    struct buf text = BUF(a);
    node_each (one, from) {
        if (text.n)
            buf_add(&text, STR(", "));
        buf_add(&text, node_text(one));
    }
    return text.n ? node_from(node_str(a, buf_str(&text)), from) : NULL;
}

static int add_authorizer(struct building *b, struct str id, const struct node *properties,
                          struct err *err)
{
    static const struct property table[] = {
        {"AuthorizerType", "type", FORM_LOWER},
        {"AuthorizerUri", "authorizerUri", FORM_ARNS},
        {"AuthorizerCredentialsArn", "authorizerCredentials", FORM_SAME},
        {"AuthorizerPayloadFormatVersion", "authorizerPayloadFormatVersion", FORM_SAME},
        {"AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds", FORM_SAME},
        {"EnableSimpleResponses", "enableSimpleResponses", FORM_SAME},
        {"JwtConfiguration", "jwtConfiguration", FORM_MEMBER},
        {"IdentitySource", NULL, FORM_DONE},
        {"Name", NULL, FORM_DONE},
        {"ApiId", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *scheme = node_map(a), *authorizer = node_map(a);
    if (openapi_put(b, authorizer, properties, table, "an authorizer", err) < 0)
        return -1;
    node_put_c(a, authorizer, "identitySource",
               identity_source(a, node_get_c(properties, "IdentitySource")));
    if (node_is_text(node_get_c(authorizer, "type"), "jwt")) {
        node_put_str(a, scheme, "type", STR("oauth2"));
    } else {
        node_put_str(a, scheme, "type", STR("apiKey"));
        node_put_str(a, scheme, "name", STR("Authorization"));
        node_put_str(a, scheme, "in", STR("header"));
    }
    node_put_c(a, scheme, "x-amazon-apigateway-authorizer", authorizer);
    node_put(a, b->schemes, authorizer_name(b, id), scheme);
    return 0;
}

/* ---- routes ---- */

/* The id in {"Fn::Join": ["/", ["integrations", {Ref}]]} or "integrations/${id}". */
static struct str target_id(const struct node *target)
{
    struct str text = node_text(node_get_c(target, "Fn::Sub"));
    if (str_skip(&text, STR("integrations/${")) && str_strip(&text, STR("}")))
        return text;
    const struct node *parts = node_path(target, "Fn::Join.1");
    size_t n = node_count(parts);
    return n ? node_text(node_get_c(parts->items[n - 1], "Ref")) : (struct str){"", 0};
}

static int add_target(struct building *b, struct node *operation, const struct node *route,
                      struct err *err)
{
    struct arena *a = b->arena;
    struct node *reference = node_map(a);
    const struct node *target = node_get_c(route, "Target");
    if (!target)
        return 0;
    struct str id = target_id(target);
    if (!node_member(b->integrations, id))
        return err_at(err, node_pos(target), ERR_CONFIG,
                      "the target of a route of %s has to be an integration of this service",
                      b->what);
    node_put_c(a, reference, "$ref",
               node_strf(a, "#/components/x-amazon-apigateway-integrations/%.*s", STR_ARG(id)));
    node_put_c(a, operation, "x-amazon-apigateway-integration", reference);
    return 0;
}

static int add_security(struct building *b, struct node *operation, const struct node *route,
                        struct err *err)
{
    struct node *security = node_seq(b->arena);
    const struct node *authorizer = node_get_c(route, "AuthorizerId");
    struct str id = node_text(node_get_c(authorizer, "Ref"));
    if (node_is_text(node_get_c(route, "AuthorizationType"), "AWS_IAM")) {
        openapi_scheme(b, "sigv4", "Authorization", "awsSigv4");
        openapi_require(b, security, STR("sigv4"), NULL);
    }
    if (authorizer && !node_get(b->resources, id)) {
        err_at(err, node_pos(authorizer), ERR_CONFIG,
               "an authorizer of another API cannot be part of %s", b->what);
        return err_help(err, "define the authorizer in this service");
    }
    if (authorizer)
        openapi_require(b, security, authorizer_name(b, id),
                        node_get_c(route, "AuthorizationScopes"));
    if (security->count)
        node_put_c(b->arena, operation, "security", security);
    return 0;
}

/* Declare the parameters of a path like "/users/{id}", as OpenAPI wants it. */
static void add_parameters(struct arena *a, struct node *operation, struct str path)
{
    struct node *all = node_seq(a);
    ptrdiff_t open, close;
    for (size_t at = 0; (open = str_find_char(path, '{', at)) >= 0; at = (size_t)close) {
        if ((close = str_find_char(path, '}', (size_t)open)) < 0)
            break;
        struct str name = str_sub(path, (size_t)open + 1, (size_t)(close - open - 1));
        if (str_ends(name, STR("+")))
            name.n--;
        struct node *p = node_map(a), *schema = node_map(a);
        node_put_str(a, p, "name", name);
        node_put_str(a, p, "in", STR("path"));
        node_put_c(a, p, "required", node_bool(a, true));
        node_put_str(a, schema, "type", STR("string"));
        node_put_c(a, p, "schema", schema);
        node_push(a, all, p);
    }
    if (all->count)
        node_put_c(a, operation, "parameters", all);
}

static const struct node *default_response(struct arena *a)
{
    struct node *all = node_map(a), *response = node_map(a);
    node_put_str(a, response, "description", STR("what the integration answers"));
    node_put_c(a, all, "default", response);
    return all;
}

static int add_route(struct building *b, struct str id, const struct node *properties,
                     struct err *err)
{
    static const struct property table[] = {{"OperationName", "operationId", FORM_SAME},
                                            {"RouteKey", NULL, FORM_DONE},
                                            {"Target", NULL, FORM_DONE},
                                            {"AuthorizationType", NULL, FORM_DONE},
                                            {"AuthorizerId", NULL, FORM_DONE},
                                            {"AuthorizationScopes", NULL, FORM_DONE},
                                            {"ApiId", NULL, FORM_DONE},
                                            {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *operation = node_map(a);
    struct str path = node_text(node_get_c(properties, "RouteKey")), method = STR("ANY");
    (void)id;
    if (str_find_char(path, ' ', 0) >= 0)
        str_cut(&path, ' ', &method);
    else
        path = str_concat(a, STR("/"), path); /* $default */
    if (openapi_put(b, operation, properties, table, "a route", err) < 0 ||
        add_security(b, operation, properties, err) < 0 ||
        add_target(b, operation, properties, err) < 0)
        return -1;
    add_parameters(a, operation, path);
    node_put_c(a, operation, "responses", default_response(a));
    openapi_operation(b, path, method, operation);
    return 0;
}

/* ---- the document ---- */

static const struct openapi_part parts[] = {
    {"AWS::ApiGatewayV2::Integration", add_integration},
    {"AWS::ApiGatewayV2::Authorizer", add_authorizer},
    {"AWS::ApiGatewayV2::Route", add_route},
    {NULL, NULL},
};

struct node *openapi_cors(struct arena *a, const struct node *configuration)
{
    struct node *out = node_map(a);
    member_each (m, configuration)
        node_put(a, out, openapi_lower_first(a, m->key), m->value);
    return out;
}

bool openapi_takes_http(const struct node *resource, struct str api_id)
{
    return openapi_part_of(parts, "ApiId", resource, api_id) != NULL;
}

const struct node *openapi_build_http(struct arena *a, const struct node *template,
                                      struct str api_id, const struct openapi_options *options,
                                      struct err *err)
{
    struct building b = {.arena = a,
                         .resources = node_get_c(template, "Resources"),
                         .api = api_id,
                         .what = "a shared HTTP API",
                         .options = options,
                         .paths = node_map(a),
                         .items = MAP(a),
                         .integrations = node_map(a),
                         .schemes = node_map(a)};
    const struct node *api = node_get_c(node_get(b.resources, api_id), "Properties");
    const struct node *disabled = node_get_c(api, "DisableExecuteApiEndpoint");
    struct node *document = node_map(a), *info = node_map(a), *components = node_map(a);
    struct node *endpoint = node_map(a);
    if (openapi_parts(&b, parts, "ApiId", err) < 0)
        return NULL;
    node_put_str(a, document, "openapi", STR("3.0.1"));
    node_put_str(a, info, "title", options->title);
    node_put_c(a, info, "version", node_get_c(api, "Version"));
    if (!node_get_c(info, "version"))
        node_put_str(a, info, "version", STR("1"));
    node_put_c(a, info, "description", node_get_c(api, "Description"));
    node_put_c(a, document, "info", info);
    node_put_c(a, document, "paths", b.paths);
    openapi_put_any(a, components, "securitySchemes", b.schemes);
    openapi_put_any(a, components, "x-amazon-apigateway-integrations", b.integrations);
    openapi_put_any(a, document, "components", components);
    node_put_str(a, document, "x-amazon-apigateway-importexport-version", STR("1.0"));
    node_put_c(a, endpoint, "disableExecuteApiEndpoint", disabled);
    openapi_endpoint(a, document, endpoint);
    return document;
}
