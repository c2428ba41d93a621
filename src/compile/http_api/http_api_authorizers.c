/* Authorizers of HTTP APIs: provider.httpApi.authorizers (JWT and Lambda), and what a route says
 * about its own. */
#include "compile/http_api/http_api.h"

static struct str authorizer_id(struct arena *a, struct str name)
{
    return str_concat(a, STR("HttpApiAuthorizer"), name_normalize(a, name));
}

static struct str authorizer_name(const struct member *m)
{
    const struct node *name = node_get_c(m->value, "name");
    return node_truthy(name) ? node_text(name) : m->key;
}

/* ---- Lambda authorizers ---- */

static int check_request(struct compilation *c, const struct member *m, struct err *err)
{
    const struct node *n = m->value, *name = node_get_c(n, "functionName");
    bool has_name = node_truthy(name), has_arn = node_truthy(node_get_c(n, "functionArn"));
    if (has_name == has_arn)
        return err_at(err, m->key_pos, ERR_CONFIG,
                      "authorizer '%.*s' needs %s 'functionName' or 'functionArn'", STR_ARG(m->key),
                      has_name ? "only one of" : "one of");
    if (has_name && !function_by_key(c, node_text(name)))
        return err_at(err, name->pos, ERR_CONFIG, "authorizer '%.*s': there is no function '%.*s'",
                      STR_ARG(m->key), STR_ARG(node_text(name)));
    if (node_truthy(node_get_c(n, "resultTtlInSeconds")) &&
        !node_truthy(node_get_c(n, "identitySource")))
        return err_at(err, node_get_c(n, "resultTtlInSeconds")->pos, ERR_CONFIG,
                      "authorizer '%.*s' needs 'identitySource' to cache results by",
                      STR_ARG(m->key));
    return 0;
}

static int request_add(struct compilation *c, const struct member *m, struct node *p,
                       struct node *resource, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = m->value, *payload = node_get_c(n, "payloadVersion");
    if (check_request(c, m, err) < 0)
        return -1;
    const struct function *f = function_by_key(c, node_text(node_get_c(n, "functionName")));
    const struct node *target = f ? target_arn(c, f) : node_get_c(n, "functionArn");
    node_put_c(a, p, "AuthorizerType", node_c(a, "REQUEST"));
    copy_member(a, p, "EnableSimpleResponses", n, "enableSimpleResponses");
    copy_member(a, p, "AuthorizerResultTtlInSeconds", n, "resultTtlInSeconds");
    node_put_c(a, p, "AuthorizerPayloadFormatVersion",
               node_truthy(payload) ? payload : node_c(a, "2.0"));
    node_put_c(a, p, "AuthorizerUri", invocation_uri(a, target));
    if (f)
        depend_on_alias(c, resource, f);
    if (node_truthy(node_get_c(n, "managedExternally")))
        return 0;
    struct node *permission =
        permission_new(a, target, node_c(a, "apigateway.amazonaws.com"), http_api_source_arn(c));
    if (f)
        depend_on_alias(c, permission, f);
    struct str id = str_concat(a, name_normalize(a, authorizer_name(m)),
                               STR("LambdaAuthorizerPermissionHttpApi"));
    return resource_add(c, id, permission, m->key_pos, err);
}

/* ---- all of them ---- */

static void jwt_add(struct compilation *c, const struct member *m, struct node *p)
{
    struct arena *a = c->arena;
    struct node *jwt = node_map(a);
    const struct node *audience = node_get_c(m->value, "audience");
    node_put_c(a, p, "AuthorizerType", node_c(a, "JWT"));
    node_put_c(a, jwt, "Audience", http_api_set(a, audience ? audience : node_null(a)));
    copy_member(a, jwt, "Issuer", m->value, "issuerUrl");
    node_put_c(a, p, "JwtConfiguration", jwt);
}

static int authorizer_add(struct compilation *c, const struct member *m, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *source = node_get_c(m->value, "identitySource");
    struct node *p = node_map(a);
    struct node *resource = resource_new(a, "AWS::ApiGatewayV2::Authorizer", p);
    node_put_c(a, p, "ApiId", c->http->id);
    node_put_c(a, p, "Name", node_from(node_str(a, authorizer_name(m)), m->value));
    if (!node_truthy(source))
        source = node_seq(a);
    node_put_c(a, p, "IdentitySource", node_is(source, NODE_SEQ) ? source : NODE_LIST(a, source));
    if (!node_is_text(node_get_c(m->value, "type"), "request"))
        jwt_add(c, m, p);
    else if (request_add(c, m, p, resource, err) < 0)
        return -1;
    return resource_add(c, authorizer_id(a, authorizer_name(m)), resource, m->key_pos, err);
}

int http_api_authorizers(struct compilation *c, struct err *err)
{
    const struct node *all = node_get_c(c->http->settings, "authorizers");
    member_each (m, all) {
        if (authorizer_add(c, m, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what a route says ---- */

/* What a route's authorizer is: how it authorizes, and by whom. */
struct authorization {
    const char *type;
    const struct node *id;
};

static int check_iam(const struct node *authorizer, struct err *err)
{
    static const char *const others[] = {"name", "id", "scopes"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct node *n = node_get_c(authorizer, others[i]);
        if (node_truthy(n))
            return err_at(err, n->pos, ERR_CONFIG, "an authorizer of type 'aws_iam' takes no '%s'",
                          others[i]);
    }
    return 0;
}

/* One of provider.httpApi.authorizers. */
static int by_name(struct compilation *c, const struct node *name, struct authorization *ret,
                   struct err *err)
{
    const struct node *all = node_get_c(c->http->settings, "authorizers");
    const struct member *m = node_member(all, node_text(name));
    if (!m) {
        err_at(err, name->pos, ERR_CONFIG, "there is no authorizer '%.*s'",
               STR_ARG(node_text(name)));
        return err_help(err, "define it under 'provider.httpApi.authorizers'");
    }
    bool is_request = node_is_text(node_get_c(m->value, "type"), "request");
    ret->type = is_request ? "CUSTOM" : "JWT";
    ret->id = node_ref(c->arena, authorizer_id(c->arena, authorizer_name(m)));
    return 0;
}

static int authorization_read(struct compilation *c, const struct node *authorizer,
                              struct authorization *ret, struct err *err)
{
    bool is_map = node_is(authorizer, NODE_MAP);
    const struct node *name = is_map ? node_get_c(authorizer, "name") : authorizer;
    const struct node *id = node_get_c(authorizer, "id"), *type = node_get_c(authorizer, "type");
    if (node_is_text(type, "aws_iam")) {
        ret->type = "AWS_IAM";
        return check_iam(authorizer, err);
    }
    if (!node_truthy(id) && !node_truthy(name))
        return err_at(err, authorizer->pos, ERR_CONFIG, "the authorizer needs 'name' or 'id'");
    if (!node_truthy(id))
        return by_name(c, name, ret, err);
    if (!c->http->is_existing) {
        err_at(err, id->pos, ERR_CONFIG,
               "an authorizer by 'id' belongs to an existing HTTP API, but this one is new");
        return err_help(err, "set 'provider.httpApi.id', or use 'name'");
    }
    ret->type = node_is_text(type, "request") ? "CUSTOM" : "JWT";
    ret->id = id;
    return 0;
}

int http_api_authorize(struct compilation *c, const struct event *event, struct node *properties,
                       struct err *err)
{
    struct arena *a = c->arena;
    const struct node *authorizer = node_get_c(event->node, "authorizer");
    struct authorization authorization = {0};
    if (!node_truthy(authorizer))
        return 0;
    if (authorization_read(c, authorizer, &authorization, err) < 0)
        return -1;
    const struct node *scopes = node_get_c(authorizer, "scopes");
    node_put_c(a, properties, "AuthorizationType",
               node_from(node_c(a, authorization.type), authorizer));
    node_put_c(a, properties, "AuthorizerId", authorization.id);
    if (authorization.id && node_truthy(scopes))
        node_put_c(a, properties, "AuthorizationScopes", http_api_set(a, scopes));
    return 0;
}
