/* From AWS::ApiGateway::* resources to one OpenAPI document. Every property of a consumed resource
 * is either in one of the tables below or an error: nothing of an API is lost on the way. */
#include "layout/openapi/openapi_internal.h"

/* ---- paths ---- */

enum { PATH_DEPTH_MAX = 100 };

/* "/users/{id}" of the resource that `ResourceId` or `ParentId` refers to. */
static int path_of(struct building *b, const struct node *reference, int depth, struct str *ret,
                   struct err *err)
{
    struct str root = node_text(node_path(reference, "Fn::GetAtt.0"));
    struct str id = node_text(node_get_c(reference, "Ref"));
    const struct node *resource = node_get(b->resources, id);
    if (root.n && str_eq(root, b->api)) {
        *ret = STR("");
        return 0;
    }
    if (!node_is_text(node_get_c(resource, "Type"), "AWS::ApiGateway::Resource") ||
        depth > PATH_DEPTH_MAX)
        return err_at(err, node_pos(reference), ERR_CONFIG,
                      "the path is not made of resources of this API");
    const struct node *properties = node_get_c(resource, "Properties");
    struct str parent;
    if (path_of(b, node_get_c(properties, "ParentId"), depth + 1, &parent, err) < 0)
        return -1;
    *ret = str_fmt(b->arena, "%.*s/%.*s", STR_ARG(parent),
                   STR_ARG(node_text(node_get_c(properties, "PathPart"))));
    return 0;
}

/* ---- models ---- */

/* The name of a model, which is alphanumeric; a model without a name is called by its logical
 * id. */
static struct str model_name(struct building *b, const struct node *reference)
{
    struct str id = node_text(node_get_c(reference, "Ref"));
    if (!id.n)
        return node_text(reference); /* a literal: "Empty", "Error", or another's name */
    return node_text_or(node_path(node_get(b->resources, id), "Properties.Name"), id);
}

static const struct node *schema_reference(struct building *b, const struct node *model)
{
    struct node *n = node_map(b->arena);
    struct str name = model_name(b, model);
    if (!node_get(b->schemas,
                  /* API Gateway gives every API the models "Empty" and "Error", and an import
                   * deletes them */
                  name)) {
        struct node *any = node_map(b->arena);
        node_put_str(b->arena, any, "type", STR("object"));
        node_put(b->arena, b->schemas, name, any);
    }
    node_put_c(b->arena, n, "$ref",
               node_strf(b->arena, "#/components/schemas/%.*s", STR_ARG(name)));
    return node_from(n, model);
}

/* {"application/json": model} -> {"application/json": {"schema": {"$ref": …}}} */
static const struct node *content_of(struct building *b, const struct node *models)
{
    struct node *content = node_map(b->arena);
    member_each (m, models) {
        struct node *type = node_map(b->arena);
        node_put_c(b->arena, type, "schema", schema_reference(b, m->value));
        node_put(b->arena, content, m->key, type);
    }
    return content->size ? content : NULL;
}

static int add_model(struct building *b, struct str id, const struct node *properties,
                     struct err *err)
{
    static const struct property table[] = {
        {"RestApiId", NULL, FORM_DONE},   {"Name", NULL, FORM_DONE},
        {"Schema", NULL, FORM_DONE},      {"ContentType", NULL, FORM_DONE},
        {"Description", NULL, FORM_DONE}, {NULL, NULL, FORM_SAME}};
    const struct node *schema = node_get_c(properties, "Schema");
    struct node *out =
        node_is(schema, NODE_MAP) ? node_shallow(b->arena, schema) : node_map(b->arena);
    node_drop(out, STR("$schema")); /* says "draft 4", which is understood */
    if (!node_count(node_get_c(out, "definitions")))
        node_drop(out, STR("definitions"));
    node_put_c(b->arena, out, "description", node_get_c(properties, "Description"));
    node_put(b->arena, b->schemas, node_text_or(node_get_c(properties, "Name"), id), out);
    return openapi_put(b, out, properties, table, "a model", err);
}

/* ---- authorizers ---- */

static struct str authorizer_name(struct building *b, struct str id)
{
    return node_text_or(node_path(node_get(b->resources, id), "Properties.Name"), id);
}

/* "method.request.header.Authorization" -> "Authorization": the header with the token. */
static struct str token_header(const struct node *source)
{
    struct str text = node_text(source);
    return str_skip(&text, STR("method.request.header.")) && str_find_char(text, ',', 0) < 0
               ? text
               : STR("Unused");
}

static int add_authorizer(struct building *b, struct str id, const struct node *properties,
                          struct err *err)
{
    static const struct property table[] = {
        {"Type", "type", FORM_LOWER},
        {"AuthorizerUri", "authorizerUri", FORM_ARNS},
        {"AuthorizerCredentials", "authorizerCredentials", FORM_SAME},
        {"AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds", FORM_SAME},
        {"IdentitySource", "identitySource", FORM_SAME},
        {"IdentityValidationExpression", "identityValidationExpression", FORM_SAME},
        {"ProviderARNs", "providerARNs", FORM_SAME},
        {"AuthType", NULL, FORM_DONE},
        {"Name", NULL, FORM_DONE},
        {"RestApiId", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *scheme = node_map(a), *authorizer = node_map(a);
    struct str type = str_lower(a, node_text(node_get_c(properties, "Type")));
    if (openapi_put(b, authorizer, properties, table, "an authorizer", err) < 0)
        return -1;
    if (!str_eq(type, STR("request"))) /* for other types the scheme's header says it */
        node_drop(authorizer, STR("identitySource"));
    node_put_str(a, scheme, "type", STR("apiKey"));
    node_put_str(a, scheme, "name", token_header(node_get_c(properties, "IdentitySource")));
    node_put_str(a, scheme, "in", STR("header"));
    node_put_str(a, scheme, "x-amazon-apigateway-authtype",
                 str_eq(type, STR("cognito_user_pools")) ? type : STR("custom"));
    node_put_c(a, scheme, "x-amazon-apigateway-authorizer", authorizer);
    node_put(a, b->schemes, authorizer_name(b, id), scheme);
    return 0;
}

/* ---- validators, gateway responses ---- */

/* A validator is named by its logical id: its own name often holds the stage, and then every stage
 * would have another definition. */
static int add_validator(struct building *b, struct str id, const struct node *properties,
                         struct err *err)
{
    static const struct property table[] = {
        {"ValidateRequestBody", "validateRequestBody", FORM_SAME},
        {"ValidateRequestParameters", "validateRequestParameters", FORM_SAME},
        {"Name", NULL, FORM_DONE},
        {"RestApiId", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct node *out = node_map(b->arena);
    node_put_c(b->arena, out, "validateRequestBody", node_bool(b->arena, false));
    node_put_c(b->arena, out, "validateRequestParameters", node_bool(b->arena, false));
    node_put(b->arena, b->validators, id, out);
    return openapi_put(b, out, properties, table, "a request validator", err);
}

static int add_gateway_response(struct building *b, struct str id, const struct node *properties,
                                struct err *err)
{
    static const struct property table[] = {{"StatusCode", "statusCode", FORM_SAME},
                                            {"ResponseParameters", "responseParameters", FORM_SAME},
                                            {"ResponseTemplates", "responseTemplates", FORM_SAME},
                                            {"ResponseType", NULL, FORM_DONE},
                                            {"RestApiId", NULL, FORM_DONE},
                                            {NULL, NULL, FORM_SAME}};
    struct node *out = node_map(b->arena);
    (void)id;
    node_put(b->arena, b->gateway_responses, node_text(node_get_c(properties, "ResponseType")),
             out);
    return openapi_put(b, out, properties, table, "a gateway response", err);
}

/* ---- integrations ---- */

static int add_integration_responses(struct building *b, struct node *integration,
                                     const struct node *responses, struct err *err)
{
    static const struct property table[] = {{"StatusCode", "statusCode", FORM_SAME},
                                            {"ResponseParameters", "responseParameters", FORM_SAME},
                                            {"ResponseTemplates", "responseTemplates", FORM_SAME},
                                            {"ContentHandling", "contentHandling", FORM_SAME},
                                            {"SelectionPattern", NULL, FORM_DONE},
                                            {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *all = node_map(a);
    node_each (r, responses) {
        struct node *out = node_map(a);
        struct str pattern = node_text(node_get_c(r, "SelectionPattern"));
        pattern = pattern.n ? pattern : STR("default");
        if (node_get(all, pattern))
            return err_at(err, node_pos(r), ERR_CONFIG, "two responses have the pattern '%.*s'",
                          STR_ARG(pattern));
        node_put(a, all, pattern, out);
        if (openapi_put(b, out, r, table, "an integration response", err) < 0)
            return -1;
    }
    if (all->size)
        node_put_c(a, integration, "responses", all);
    return 0;
}

static int add_integration(struct building *b, struct node *operation, const struct node *from,
                           struct err *err)
{
    static const struct property table[] = {
        {"Type", "type", FORM_LOWER},
        {"IntegrationHttpMethod", "httpMethod", FORM_SAME},
        {"Uri", "uri", FORM_ARNS},
        {"Credentials", "credentials", FORM_SAME},
        {"ConnectionType", "connectionType", FORM_SAME},
        {"ConnectionId", "connectionId", FORM_SAME},
        {"TimeoutInMillis", "timeoutInMillis", FORM_SAME},
        {"PassthroughBehavior", "passthroughBehavior", FORM_LOWER},
        {"ContentHandling", "contentHandling", FORM_SAME},
        {"CacheNamespace", "cacheNamespace", FORM_SAME},
        {"CacheKeyParameters", "cacheKeyParameters", FORM_SAME},
        {"RequestParameters", "requestParameters", FORM_SAME},
        {"RequestTemplates", "requestTemplates", FORM_SAME},
        {"ResponseTransferMode", "responseTransferMode", FORM_SAME},
        {"TlsConfig", NULL, FORM_DONE},
        {"IntegrationResponses", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *integration = node_map(a);
    node_put_c(a, operation, "x-amazon-apigateway-integration", integration);
    const struct node *insecure = node_path(from, "TlsConfig.InsecureSkipVerification");
    if (insecure) {
        struct node *tls = node_map(a);
        node_put_c(a, tls, "insecureSkipVerification", insecure);
        node_put_c(a, integration, "tlsConfig", tls);
    }
    return openapi_put(b, integration, from, table, "an integration", err) < 0
               ? -1
               : add_integration_responses(b, integration, node_get_c(from, "IntegrationResponses"),
                                           err);
}

/* ---- methods ---- */

static struct node *string_schema(struct arena *a)
{
    struct node *schema = node_map(a);
    node_put_str(a, schema, "type", STR("string"));
    return schema;
}

/* {"method.request.path.id": true} */
static int add_parameters(struct building *b, struct node *operation, const struct node *from,
                          struct err *err)
{
    static const struct {
        const char *prefix, *in;
    } places[] = {{"method.request.path.", "path"},
                  {"method.request.querystring.", "query"},
                  {"method.request.header.", "header"}};
    struct arena *a = b->arena;
    struct node *all = node_seq(a);
    member_each (m, from) {
        size_t i = 0;
        while (i < 3 && !str_starts(m->key, str_c(places[i].prefix)))
            i++;
        if (i == 3)
            return err_at(err, m->key_pos, ERR_CONFIG, "unknown request parameter '%.*s'",
                          STR_ARG(m->key));
        struct node *p = node_map(a);
        node_put_str(a, p, "name", str_sub(m->key, strlen(places[i].prefix), m->key.n));
        node_put_str(a, p, "in", str_c(places[i].in));
        node_put_c(a, p, "required", m->value);
        node_put_c(a, p, "schema", string_schema(a));
        node_push(a, all, p);
    }
    if (all->count)
        node_put_c(a, operation, "parameters", all);
    return 0;
}

static void add_request_body(struct building *b, struct node *operation, const struct node *models)
{
    const struct node *content = content_of(b, models);
    struct node *body = node_map(b->arena);
    if (!content)
        return;
    node_put_c(b->arena, body, "content", content);
    node_put_c(b->arena, body, "required", node_bool(b->arena, true));
    node_put_c(b->arena, operation, "requestBody", body);
}

static const struct node *response_headers(struct building *b, const struct node *parameters)
{
    struct node *headers = node_map(b->arena);
    member_each (m, parameters) {
        struct node *header = node_map(b->arena);
        node_put_c(b->arena, header, "schema", string_schema(b->arena));
        struct str name = m->key;
        if (str_skip(&name, STR("method.response.header.")))
            node_put(b->arena, headers, name, header);
    }
    return headers->size ? headers : NULL;
}

static void add_responses(struct building *b, struct node *operation, const struct node *responses)
{
    struct arena *a = b->arena;
    struct node *all = node_map(a);
    node_each (r, responses) {
        struct node *out = node_map(a);
        struct str status = node_text(node_get_c(r, "StatusCode"));
        node_put_c(a, out, "description", node_strf(a, "%.*s response", STR_ARG(status)));
        node_put_c(a, out, "headers", response_headers(b, node_get_c(r, "ResponseParameters")));
        node_put_c(a, out, "content", content_of(b, node_get_c(r, "ResponseModels")));
        node_put(a, all, status, out);
    }
    node_put_c(a, operation, "responses", all);
}

static int add_security(struct building *b, struct node *operation, const struct node *method,
                        struct err *err)
{
    struct node *security = node_seq(b->arena);
    const struct node *authorizer = node_get_c(method, "AuthorizerId");
    if (node_is_text(node_get_c(method, "AuthorizationType"), "AWS_IAM")) {
        openapi_scheme(b, "sigv4", "Authorization", "awsSigv4");
        openapi_require(b, security, STR("sigv4"), NULL);
    }
    if (authorizer) {
        struct str id = node_text(node_get_c(authorizer, "Ref"));
        if (!node_get(b->resources, id)) {
            err_at(err, node_pos(method), ERR_CONFIG,
                   "an authorizer of another API cannot be part of a shared REST API");
            return err_help(err, "define the authorizer in this service");
        }
        openapi_require(b, security, authorizer_name(b, id),
                        node_get_c(method, "AuthorizationScopes"));
    }
    if (node_bool_or(node_get_c(method, "ApiKeyRequired"), false)) {
        openapi_scheme(b, "api_key", "x-api-key", NULL);
        openapi_require(b, security, STR("api_key"), NULL);
    }
    if (security->count)
        node_put_c(b->arena, operation, "security", security);
    return 0;
}

static int add_method(struct building *b, struct str id, const struct node *method, struct err *err)
{
    static const struct property table[] = {{"OperationName", "operationId", FORM_SAME},
                                            {"RestApiId", NULL, FORM_DONE},
                                            {"ResourceId", NULL, FORM_DONE},
                                            {"HttpMethod", NULL, FORM_DONE},
                                            {"AuthorizationType", NULL, FORM_DONE},
                                            {"AuthorizerId", NULL, FORM_DONE},
                                            {"AuthorizationScopes", NULL, FORM_DONE},
                                            {"ApiKeyRequired", NULL, FORM_DONE},
                                            {"RequestParameters", NULL, FORM_DONE},
                                            {"RequestModels", NULL, FORM_DONE},
                                            {"RequestValidatorId", NULL, FORM_DONE},
                                            {"MethodResponses", NULL, FORM_DONE},
                                            {"Integration", NULL, FORM_DONE},
                                            {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    struct node *operation = node_map(a);
    struct str path;
    (void)id;
    if (path_of(b, node_get_c(method, "ResourceId"), 0, &path, err) < 0 ||
        openapi_put(b, operation, method, table, "a method", err) < 0 ||
        add_parameters(b, operation, node_get_c(method, "RequestParameters"), err) < 0 ||
        add_security(b, operation, method, err) < 0)
        return -1;
    add_request_body(b, operation, node_get_c(method, "RequestModels"));
    add_responses(b, operation, node_get_c(method, "MethodResponses"));
    node_put_c(a, operation, "x-amazon-apigateway-request-validator",
               node_path(method, "RequestValidatorId.Ref"));
    if (add_integration(b, operation, node_get_c(method, "Integration"), err) < 0)
        return -1;
    path = path.n ? path : STR("/");
    openapi_operation(b, path, node_text(node_get_c(method, "HttpMethod")), operation);
    return 0;
}

/* The document's paths are made from the methods; a resource without a method cannot be called. */
static int skip_resource(struct building *b, struct str id, const struct node *properties,
                         struct err *err)
{
    (void)b, (void)id, (void)properties, (void)err;
    return 0;
}

/* ---- the document ---- */

static const struct openapi_part parts[] = {
    {"AWS::ApiGateway::Resource", skip_resource},
    {"AWS::ApiGateway::Model", add_model},
    {"AWS::ApiGateway::Authorizer", add_authorizer},
    {"AWS::ApiGateway::RequestValidator", add_validator},
    {"AWS::ApiGateway::GatewayResponse", add_gateway_response},
    {"AWS::ApiGateway::Method", add_method},
    {NULL, NULL},
};

/* Put the properties of the RestApi that belong to the definition; the others stay in the head. */
static int add_api(struct building *b, struct node *document, struct err *err)
{
    static const struct property table[] = {
        {"Policy", "x-amazon-apigateway-policy", FORM_SAME},
        {"BinaryMediaTypes", "x-amazon-apigateway-binary-media-types", FORM_SAME},
        {"MinimumCompressionSize", "x-amazon-apigateway-minimum-compression-size", FORM_SAME},
        {"ApiKeySourceType", "x-amazon-apigateway-api-key-source", FORM_SAME},
        {"DisableExecuteApiEndpoint", NULL, FORM_DONE},
        {"Name", NULL, FORM_DONE},
        {"Description", NULL, FORM_DONE},
        {"EndpointConfiguration", NULL, FORM_DONE},
        {"SecurityPolicy", NULL, FORM_DONE},
        {"EndpointAccessMode", NULL, FORM_DONE},
        {"Tags", NULL, FORM_DONE},
        {NULL, NULL, FORM_SAME}};
    struct arena *a = b->arena;
    const struct node *api = node_get_c(node_get(b->resources, b->api), "Properties");
    const struct node *disabled = node_get_c(api, "DisableExecuteApiEndpoint");
    struct node *endpoint = node_map(a);
    if (openapi_put(b, document, api, table, "the REST API", err) < 0)
        return -1;
    if (node_is_text(node_get_c(document, "x-amazon-apigateway-policy"), ""))
        node_drop(document, STR("x-amazon-apigateway-policy"));
    /* an import takes VPC endpoints that it does not name from the API */
    node_put_c(a, endpoint, "vpcEndpointIds",
               node_path(api, "EndpointConfiguration.VpcEndpointIds"));
    node_put_c(a, endpoint, "disableExecuteApiEndpoint", disabled);
    openapi_endpoint(a, document, endpoint);
    return 0;
}

bool openapi_takes(const struct node *resource, struct str api_id)
{
    return openapi_part_of(parts, "RestApiId", resource, api_id) != NULL;
}

const struct node *openapi_build(struct arena *a, const struct node *template, struct str api_id,
                                 const struct openapi_options *options, struct err *err)
{
    struct building b = {.arena = a,
                         .resources = node_get_c(template, "Resources"),
                         .api = api_id,
                         .what = "a shared REST API",
                         .options = options,
                         .paths = node_map(a),
                         .items = MAP(a),
                         .schemas = node_map(a),
                         .schemes = node_map(a),
                         .validators = node_map(a),
                         .gateway_responses = node_map(a)};
    struct node *document = node_map(a), *info = node_map(a), *components = node_map(a);
    if (openapi_parts(&b, parts, "RestApiId", err) < 0)
        return NULL;
    node_put_str(a, document, "openapi", STR("3.0.1"));
    node_put_str(a, info, "title", options->title);
    node_put_str(a, info, "version", STR("1"));
    node_put_c(a, info, "description",
               node_path(node_get(b.resources, api_id), "Properties.Description"));
    node_put_c(a, document, "info", info);
    node_put_c(a, document, "paths", b.paths);
    openapi_put_any(a, components, "schemas", b.schemas);
    openapi_put_any(a, components, "securitySchemes", b.schemes);
    openapi_put_any(a, document, "components", components);
    openapi_put_any(a, document, "x-amazon-apigateway-request-validators", b.validators);
    openapi_put_any(a, document, "x-amazon-apigateway-gateway-responses", b.gateway_responses);
    if (add_api(&b, document, err) < 0)
        return NULL;
    return document;
}
