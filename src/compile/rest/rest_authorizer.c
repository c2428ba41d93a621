/* Authorizers of REST APIs: IAM, Lambda (TOKEN, REQUEST) and Cognito; and the permissions to call
 * functions that the API needs. */
#include "compile/rest/rest.h"

/* ---- reading ---- */

static bool is_upper(struct arena *a, const struct node *n, const char *text)
{
    return str_eq(str_upper(a, node_text(n)), str_c(text));
}

/* arn:aws:lambda:…:function:a-b-auth -> auth */
static struct str name_of_arn(struct str arn)
{
    struct str name = str_sub(arn, (size_t)(str_rfind_char(arn, ':') + 1), SIZE_MAX);
    return str_sub(name, (size_t)(str_rfind_char(name, '-') + 1), SIZE_MAX);
}

static bool is_user_pool(struct arena *a, const struct rest_authorizer *r)
{
    if (str_eq(str_upper(a, r->type), STR("COGNITO_USER_POOLS")))
        return true;
    struct str arn = node_is(r->arn, NODE_STRING) ? r->arn->text : STR(""), part;
    if (!str_cut(&arn, ':', &part) || !str_eq(part, STR("arn")) || !str_cut(&arn, ':', &part))
        return false;
    return str_starts(arn, STR("cognito-idp"));
}

/* The authorizer is a function of this service. */
static int read_function(struct compilation *c, struct rest_authorizer *r, const struct node *name,
                         struct err *err)
{
    r->name = node_text(name);
    r->function = function_by_key(c, r->name);
    if (!r->function) {
        err_at(err, name->pos, ERR_CONFIG, "authorizer: there is no function '%.*s'",
               STR_ARG(r->name));
        return err_help(err, "name a function of this service, or give its 'arn'");
    }
    r->arn = target_arn(c, r->function);
    return 0;
}

static int read_arn(struct rest_authorizer *r, const struct node *arn, struct err *err)
{
    const struct node *name = node_get_c(r->node, "name");
    r->arn = arn;
    if (node_is(name, NODE_STRING))
        r->name = name->text;
    else if (node_is(arn, NODE_STRING))
        r->name = name_of_arn(arn->text);
    else
        return err_at(err, node_pos(r->node), ERR_CONFIG,
                      "the authorizer needs a 'name', because its 'arn' is no plain text");
    return 0;
}

static int read_text(struct compilation *c, struct rest_authorizer *r, struct err *err)
{
    if (is_upper(c->arena, r->node, "AWS_IAM")) {
        r->type = STR("AWS_IAM");
        return 0;
    }
    if (str_find_char(node_text(r->node), ':', 0) < 0)
        return read_function(c, r, r->node, err);
    return read_arn(r, r->node, err);
}

/* Seconds as written, a whole number at the front of a text included; 300 otherwise. */
static const struct node *read_ttl(struct arena *a, const struct node *n)
{
    int64_t seconds = 0;
    struct str text = str_trim(node_text(n));
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    bool is_number = str_to_int(str_sub(text, 0, digits), &seconds);
    struct node *out = node_int(a, is_number ? seconds : 300);
    return n ? node_from(out, n) : out;
}

static int read_map(struct compilation *c, struct rest_authorizer *r, struct err *err)
{
    const struct node *n = r->node, *arn = node_get_c(n, "arn"), *name = node_get_c(n, "name");
    const struct node *type = node_get_c(n, "type"), *id = node_get_c(n, "authorizerId");
    r->type = node_text(type);
    r->ttl_s = read_ttl(c->arena, node_get_c(n, "resultTtlInSeconds"));
    r->claims = node_get_c(n, "claims");
    r->scopes = node_get_c(n, "scopes");
    r->identity_source = node_get_c(n, "identitySource");
    r->is_managed_externally = node_truthy(node_get_c(n, "managedExternally"));
    if (node_truthy(type) && node_truthy(id)) {
        r->external_id = id;
        return 0;
    }
    if (is_upper(c->arena, type, "AWS_IAM")) {
        r->type = STR("AWS_IAM");
        return 0;
    }
    if (node_truthy(arn))
        return read_arn(r, arn, err);
    if (node_truthy(name))
        return read_function(c, r, name, err);
    err_at(err, n->pos, ERR_CONFIG, "the authorizer has neither 'name' nor 'arn'");
    return err_help(err, "name a function of this service, or give an 'arn'");
}

int rest_authorizer_read(struct compilation *c, struct rest_event *e, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = rest_setting(e, "authorizer");
    if (!node_truthy(n))
        return 0;
    struct rest_authorizer *r = ARENA_NEW(a, struct rest_authorizer);
    r->node = n;
    r->flags = node_flags_deep(n);
    if ((node_is(n, NODE_MAP) ? read_map : read_text)(c, r, err) < 0)
        return -1;
    bool is_request = str_eq(str_upper(a, r->type), STR("REQUEST"));
    bool is_uncached = is_request && node_int_or(r->ttl_s, 300) == 0;
    if (!node_truthy(r->identity_source))
        r->identity_source = is_uncached ? NULL : node_c(a, "method.request.header.Authorization");
    r->is_cognito = is_user_pool(a, r);
    e->authorizer = r;
    if (r->is_cognito && node_is(r->arn, NODE_STRING) && node_count(r->claims) &&
        str_eq(str_c(e->integration), STR("AWS_PROXY"))) {
        err_at(err, r->claims->pos, ERR_CONFIG, "'claims' work with the lambda integration only");
        return err_help(err, "remove them: lambda-proxy hands over all claims");
    }
    return 0;
}

/* ---- methods ---- */

/* `text` as a node with the position and flags of authorizer `r`, which may be NULL. */
static struct node *flagged(struct arena *a, struct str text, const struct rest_authorizer *r)
{
    struct node *n = node_str(a, text);
    if (r)
        n = node_from(n, r->node);
    n->flags |= r ? (uint8_t)r->flags : 0;
    return n;
}

static struct str authorizer_id(struct arena *a, const struct rest_authorizer *r)
{
    return str_concat(a, name_normalize(a, r->name), STR("ApiGatewayAuthorizer"));
}

/* The AuthorizationType of a method whose authorizer is in another stack. */
static struct str external_type(struct arena *a, const struct rest_authorizer *r)
{
    struct str upper = str_upper(a, r->type);
    bool is_lambda = str_eq(upper, STR("TOKEN")) || str_eq(upper, STR("REQUEST"));
    return is_lambda ? STR("CUSTOM") : r->type;
}

struct str rest_authorize(struct compilation *c, const struct rest_event *e,
                          struct node *properties)
{
    struct arena *a = c->arena;
    const struct rest_authorizer *r = e->authorizer;
    struct str type = STR("NONE"), id = STR("");
    if (r && str_eq(r->type, STR("AWS_IAM"))) {
        type = r->type;
    } else if (r && r->external_id) {
        type = external_type(a, r);
        node_put_c(a, properties, "AuthorizerId", r->external_id);
    } else if (r) {
        type = r->is_cognito ? STR("COGNITO_USER_POOLS") : STR("CUSTOM");
        id = authorizer_id(a, r);
        node_put_c(a, properties, "AuthorizerId", node_ref(a, id));
    }
    node_put_c(a, properties, "AuthorizationType", flagged(a, type, r));
    if (r && r->is_cognito && node_count(r->scopes))
        node_put_c(a, properties, "AuthorizationScopes", r->scopes);
    return id;
}

/* ---- resources ---- */

static void authorizer_add(struct compilation *c, const struct rest_event *e)
{
    struct arena *a = c->arena;
    const struct rest_authorizer *r = e->authorizer;
    const struct node *expression = node_get_c(r->node, "identityValidationExpression");
    struct node *p = node_map(a);
    node_put_c(a, p, "AuthorizerResultTtlInSeconds", r->ttl_s);
    node_put_c(a, p, "IdentitySource", r->identity_source);
    node_put_c(a, p, "Name", flagged(a, r->name, r));
    node_put_c(a, p, "RestApiId", c->rest->id);
    if (node_is(expression, NODE_STRING))
        node_put_c(a, p, "IdentityValidationExpression", expression);
    if (r->is_cognito) {
        node_put_c(a, p, "Type", node_c(a, "COGNITO_USER_POOLS"));
        node_put_c(a, p, "ProviderARNs", NODE_LIST(a, r->arn));
    } else {
        struct str type = r->type.n ? str_upper(a, r->type) : STR("TOKEN");
        node_put_c(a, p, "Type", flagged(a, type, r));
        node_put_c(a, p, "AuthorizerUri", invocation_uri(a, r->arn));
    }
    struct node *resource = resource_new(a, "AWS::ApiGateway::Authorizer", p);
    if (r->function)
        depend_on_alias(c, resource, r->function);
    resource_set(c, authorizer_id(a, r), resource, e->event.pos);
}

void rest_authorizers(struct compilation *c)
{
    vec_each (&c->rest->events, e)
        if (e->authorizer && e->authorizer->arn)
            authorizer_add(c, e);
}

/* ---- permissions ---- */

static struct node *permission(struct compilation *c, const struct node *target)
{
    struct arena *a = c->arena;
    const struct node *source =
        node_join(a, "",
                  NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                            node_c(a, ":execute-api:"), node_ref(a, STR("AWS::Region")),
                            node_c(a, ":"), node_ref(a, STR("AWS::AccountId")), node_c(a, ":"),
                            c->rest->id, node_c(a, "/*/*")));
    return permission_new(a, target, node_c(a, "apigateway.amazonaws.com"), source);
}

/* Let API Gateway call the authorizer's function, unless a permission for that function is
 * there. */
static void authorizer_permission(struct compilation *c, const struct rest_event *e)
{
    struct arena *a = c->arena;
    const struct rest_authorizer *r = e->authorizer;
    struct function_alias alias;
    if (!r || !r->arn || r->is_cognito || r->is_managed_externally)
        return;
    struct str id = str_concat(a, name_normalize(a, r->name), STR("LambdaPermissionApiGateway"));
    if (node_get(c->resources, id))
        return;
    const struct node *target = r->arn;
    if (r->function && function_alias(c, r->function, &alias))
        target = node_ref(a, alias.id);
    resource_set(c, id, permission(c, target), e->event.pos);
}

void rest_permissions(struct compilation *c)
{
    vec_each (&c->rest->events, e) {
        const struct function *f = e->event.function;
        struct node *resource = permission(c, target_arn(c, f));
        depend_on_alias(c, resource, f);
        resource_set(c, name_with(c, f, "LambdaPermissionApiGateway"), resource, e->event.pos);
        authorizer_permission(c, e);
    }
}
