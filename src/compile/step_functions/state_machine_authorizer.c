/* Authorizers of methods that start state machines. */
#include "compile/step_functions/state_machine_http.h"

static bool is_iam(struct arena *a, const struct node *n)
{
    return str_eq(str_upper(a, node_text(n)), STR("AWS_IAM"));
}

/* arn:PARTITION:cognito-idp:… */
static bool is_user_pool(const struct node *arn)
{
    struct str s = node_is(arn, NODE_STRING) ? arn->text : STR(""), part;
    return str_skip(&s, STR("arn:")) && str_cut(&s, ':', &part) &&
           str_starts(s, STR("cognito-idp"));
}

/* arn:aws:lambda:…:function:a-b-auth -> auth */
static struct str name_of_arn(struct str arn)
{
    struct str name = str_sub(arn, (size_t)(str_rfind_char(arn, ':') + 1), SIZE_MAX);
    return str_sub(name, (size_t)(str_rfind_char(name, '-') + 1), SIZE_MAX);
}

/* ---- reading ---- */

static int function_read(struct compilation *c, struct machine_authorizer *r,
                         const struct node *name, struct err *err)
{
    const struct function *f = function_by_key(c, node_text(name));
    r->name = node_text(name);
    if (!f) {
        err_at(err, node_pos(name), ERR_CONFIG, "authorizer: there is no function '%.*s'",
               STR_ARG(r->name));
        return err_help(err, "name a function of this service, or give its 'arn'");
    }
    r->arn = function_arn(c, f);
    return 0;
}

static int arn_read(struct machine_authorizer *r, const struct node *arn, const struct node *name,
                    struct err *err)
{
    r->arn = arn;
    if (!node_is(name, NODE_STRING) && !node_is(arn, NODE_STRING))
        return err_at(err, node_pos(arn), ERR_CONFIG,
                      "the authorizer needs a 'name', because its 'arn' is no plain text");
    r->name = node_is(name, NODE_STRING) ? name->text : name_of_arn(arn->text);
    return 0;
}

static const struct node *ttl_of(struct arena *a, const struct node *n)
{
    int64_t seconds = 0;
    bool is_number = node_to_int(n, &seconds) || str_to_int(str_trim(node_text(n)), &seconds);
    struct node *out = node_int(a, is_number ? seconds : 300);
    return n ? node_from(out, n) : out;
}

static int map_read(struct compilation *c, struct machine_authorizer *r, const struct node *n,
                    struct err *err)
{
    const struct node *type = node_get_c(n, "type"), *id = node_get_c(n, "authorizerId");
    const struct node *arn = node_get_c(n, "arn"), *name = node_get_c(n, "name");
    const struct node *source = node_get_c(n, "identitySource");
    const struct node *scopes = node_get_c(n, "scopes");
    r->ttl_s = ttl_of(c->arena, node_get_c(n, "resultTtlInSeconds"));
    r->type = node_truthy(type) ? type : NULL;
    r->scopes = node_is(scopes, NODE_SEQ) ? scopes : NULL;
    r->expression = node_get_c(n, "identityValidationExpression");
    if (source)
        r->identity_source = source;
    if (node_truthy(type) && node_truthy(id)) {
        r->external_id = id;
        return 0;
    }
    if (is_iam(c->arena, type)) {
        r->is_iam = true;
        return 0;
    }
    if (node_truthy(arn))
        return arn_read(r, arn, name, err);
    if (node_truthy(name))
        return function_read(c, r, name, err);
    err_at(err, node_pos(n), ERR_CONFIG, "the authorizer has neither 'name' nor 'arn'");
    return err_help(err, "name a function of this service, or give an 'arn'");
}

int machine_authorizer_read(struct compilation *c, struct machine_event *e, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = node_get_c(e->http, "authorizer");
    const struct node *claims = node_get_c(n, "claims");
    if (!node_truthy(n))
        return 0;
    struct machine_authorizer *r = ARENA_NEW(a, struct machine_authorizer);
    r->identity_source = node_c(a, "method.request.header.Authorization");
    e->authorizer = r;
    if (node_is(n, NODE_MAP)) {
        if (map_read(c, r, n, err) < 0)
            return -1;
        if (is_user_pool(r->arn) && node_truthy(claims))
            return err_at(err, node_pos(claims), ERR_CONFIG,
                          "'claims' have no effect on methods of state machines");
        return 0;
    }
    if (is_iam(a, n)) {
        r->is_iam = true;
        return 0;
    }
    return str_find_char(node_text(n), ':', 0) < 0 ? function_read(c, r, n, err)
                                                   : arn_read(r, n, NULL, err);
}

/* ---- methods ---- */

static struct str authorizer_id(struct arena *a, const struct machine_authorizer *r)
{
    return str_concat(a, name_normalize(a, r->name), STR("ApiGatewayAuthorizer"));
}

struct str machine_authorize(struct compilation *c, const struct machine_event *e,
                             struct node *properties)
{
    struct arena *a = c->arena;
    const struct machine_authorizer *r = e->authorizer;
    const struct node *type = node_c(a, "NONE"), *scopes = NULL;
    struct str id = {0};
    if (r && r->is_iam) {
        type = node_c(a, "AWS_IAM");
    } else if (r && r->external_id) {
        type = r->type;
        scopes = r->scopes;
        node_put_c(a, properties, "AuthorizerId", r->external_id);
    } else if (r) {
        bool is_pool = is_user_pool(r->arn);
        type = node_c(a, is_pool ? "COGNITO_USER_POOLS" : "CUSTOM");
        scopes = is_pool ? r->scopes : NULL;
        id = authorizer_id(a, r);
        node_put_c(a, properties, "AuthorizerId", node_ref(a, id));
    }
    node_put_c(a, properties, "AuthorizationType", type);
    node_put_c(a, properties, "AuthorizationScopes", scopes);
    return id;
}

/* ---- resources ---- */

static void authorizer_add(struct compilation *c, const struct machine_event *e)
{
    struct arena *a = c->arena;
    const struct machine_authorizer *r = e->authorizer;
    struct str type = str_upper(a, node_text(r->type));
    struct node *p = node_map(a);
    node_put_c(a, p, "AuthorizerResultTtlInSeconds", r->ttl_s);
    node_put_c(a, p, "IdentitySource", r->identity_source);
    node_put_c(a, p, "Name", node_str(a, r->name));
    node_put_c(a, p, "RestApiId", c->rest->id);
    if (node_is(r->expression, NODE_STRING))
        node_put_c(a, p, "IdentityValidationExpression", r->expression);
    if (str_eq(type, STR("COGNITO_USER_POOLS")) || is_user_pool(r->arn)) {
        node_put_c(a, p, "Type", node_c(a, "COGNITO_USER_POOLS"));
        node_put_c(a, p, "ProviderARNs", NODE_LIST(a, r->arn));
    } else {
        node_put_c(a, p, "AuthorizerUri", invocation_uri(a, r->arn));
        node_put_c(a, p, "Type", node_str(a, type.n ? type : STR("TOKEN")));
    }
    resource_merge(c, authorizer_id(a, r), resource_new(a, "AWS::ApiGateway::Authorizer", p),
                   e->rest.event.pos);
}

/* ---- permissions ---- */

/* The sixth part of an ARN: "function". */
static struct str kind_of_arn(struct str arn)
{
    struct str part = {0};
    for (int i = 0; i < 6; i++)
        str_cut(&arn, ':', &part);
    return part;
}

/* A permission for the function that an authorizer's address names. */
static void permission_add(struct compilation *c, const struct node *authorizer)
{
    struct arena *a = c->arena;
    const struct node *parts = node_path(authorizer, "Properties.AuthorizerUri.Fn::Join.1");
    const struct node *function = NULL;
    struct node *p = node_map(a);
    node_each (part, parts)
        if (!function && node_get_c(part, "Fn::GetAtt"))
            function = part;
    if (!function && node_count(parts) > 1)
        function = parts->items[parts->count - 2];
    struct str id = node_is(function, NODE_STRING) ? kind_of_arn(function->text)
                                                   : node_text(node_path(function, "Fn::GetAtt.0"));
    if (!id.n)
        return;
    node_put_c(a, p, "FunctionName",
               node_is(function, NODE_STRING) ? function : node_get_att(a, id, "Arn"));
    node_put_c(a, p, "Action", node_c(a, "lambda:InvokeFunction"));
    node_put_c(a, p, "Principal", node_fn(a, "Fn::Sub", node_c(a, "apigateway.${AWS::URLSuffix}")));
    resource_merge(c, str_concat(a, id, STR("LambdaPermission")),
                   resource_new(a, "AWS::Lambda::Permission", p), node_pos(authorizer));
}

void machine_authorizers_add(struct compilation *c, const machine_events *events)
{
    VEC(const struct node *) callers = {0};
    vec_each (events, e)
        if (e->authorizer && e->authorizer->arn)
            authorizer_add(c, e);
    member_each (m, c->resources) {
        const struct node *type = node_path(m->value, "Properties.Type");
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::ApiGateway::Authorizer") &&
            (node_is_text(type, "CUSTOM") || node_is_text(type, "TOKEN")))
            vec_push(c->arena, &callers, m->value);
    }
    vec_each (&callers, authorizer)
        permission_add(c, *authorizer);
}
