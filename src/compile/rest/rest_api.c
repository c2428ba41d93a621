/* The REST API itself, its deployment, and where it can be called. */
#include "compile/rest/rest.h"

#include "base/hash.h"
#include "doc/json.h"

static const struct node *api_name(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *name = node_get_c(c->provider, "apiName");
    if (node_truthy(name))
        return node_from(node_str(a, node_text(name)), name);
    if (c->options->naming == NAMING_SHARED && !s->settings.rest_per_stage)
        return node_str(a, s->name);
    if (node_truthy(node_get_c(c->rest->settings, "shouldStartNameWithService")))
        return node_staged(c, name_prefix(c));
    return node_staged(c, str_fmt(a, "%.*s-%.*s", STR_ARG(s->stage), STR_ARG(s->name)));
}

/* `n` as it was written, but in capitals. */
static const struct node *upper_node(struct arena *a, const struct node *n)
{
    return node_truthy(n) ? node_from(node_str(a, str_upper(a, node_text(n))), n) : NULL;
}

static const struct node *endpoint(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *type = upper_node(a, node_get_c(c->provider, "endpointType"));
    const struct node *vpc = node_get_c(c->provider, "vpcEndpointIds");
    struct node *out = node_map(a);
    node_put_c(a, out, "Types", NODE_LIST(a, type ? type : node_c(a, "EDGE")));
    if (!type || !node_truthy(vpc))
        return out;
    if (!node_is_text(type, "PRIVATE")) {
        err_at(err, vpc->pos, ERR_CONFIG, "'vpcEndpointIds' needs 'endpointType: PRIVATE'");
        return NULL;
    }
    node_put_c(a, out, "VpcEndpointIds", vpc);
    return out;
}

static const struct node *policy(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct node *statements = node_get_c(c->rest->settings, "resourcePolicy");
    /* CloudFormation removes the API's policy when this is an empty text; without the property it
     * would leave an earlier policy in force */
    if (!node_count(statements))
        return node_c(a, "");
    struct node *out = node_map(a);
    node_put_c(a, out, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, out, "Statement", statements);
    return node_from(out, statements);
}

int rest_api(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = c->rest->settings, *tags = node_get_c(c->provider, "tags");
    const struct node *access = node_path(settings, "endpoint.accessMode");
    if (c->rest->is_existing)
        return 0;
    const struct node *configuration = endpoint(c, err);
    if (!configuration)
        return -1;
    struct node *p = node_map(a);
    node_put_c(a, p, "Name", api_name(c));
    node_put_c(a, p, "BinaryMediaTypes", node_setting(settings, NULL, "binaryMediaTypes"));
    copy_member(a, p, "DisableExecuteApiEndpoint", settings, "disableDefaultEndpoint");
    node_put_c(a, p, "EndpointConfiguration", configuration);
    node_put_c(a, p, "SecurityPolicy",
               node_setting(node_get_c(settings, "endpoint"), NULL, "securityPolicy"));
    node_put_c(a, p, "EndpointAccessMode", upper_node(a, access));
    if (node_truthy(tags))
        node_put_c(a, p, "Tags", key_value_list(a, tags));
    node_put_c(a, p, "Policy", policy(c));
    node_put_c(a, p, "ApiKeySourceType", upper_node(a, node_get_c(settings, "apiKeySourceType")));
    copy_member(a, p, "MinimumCompressionSize", settings, "minimumCompressionSize");
    node_put_c(a, p, "Description", node_setting(settings, NULL, "description"));
    c->out->rest_api_id = STR("ApiGatewayRestApi");
    return resource_add(c, c->out->rest_api_id, resource_new(a, "AWS::ApiGateway::RestApi", p),
                        node_pos(settings ? settings : c->provider), err);
}

int rest_api_merge(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *own = node_get_c(c->rest->settings, "resourcePolicy");
    const struct node *statements = node_or(own, node_get_c(c->provider, "resourcePolicy"));
    if (c->rest->is_existing)
        return 0;
    const struct node *configuration = endpoint(c, err);
    if (!configuration)
        return -1;
    const struct node *old = node_get(c->resources, STR("ApiGatewayRestApi"));
    struct node *p = node_map(a);
    node_put_c(a, p, "Name", api_name(c));
    node_put_c(a, p, "EndpointConfiguration", configuration);
    if (node_count(statements)) {
        struct node *document = node_map(a);
        node_put_c(a, document, "Version", node_c(a, "2012-10-17"));
        node_put_c(a, document, "Statement", statements);
        node_put_c(a, p, "Policy", document);
    }
    struct node *api = resource_new(a, "AWS::ApiGateway::RestApi", p);
    c->out->rest_api_id = STR("ApiGatewayRestApi");
    resource_set(c, c->out->rest_api_id, old ? node_shallow(a, node_merge(a, old, api)) : api,
                 old ? old->pos : node_pos(c->rest->settings ? c->rest->settings : c->provider));
    return 0;
}

/* ---- deployment ---- */

static bool is_gateway(const struct node *resource)
{
    return str_starts(node_text(node_get_c(resource, "Type")), STR("AWS::ApiGateway::"));
}

/* Put into `out` the entries of `section` (resources, or extensions of resources) that are API
 * Gateway's. */
static void put_gateway(struct compilation *c, struct node *out, const char *prefix,
                        const struct node *section)
{
    member_each (m, section) {
        if (is_gateway(m->value) || is_gateway(node_get(c->resources, m->key)))
            node_put(c->arena, out, str_concat(c->arena, str_c(prefix), m->key), m->value);
    }
}

/* What the user's `resources:` and `extensions` say about API Gateway. They are merged into the
 * template only after the deployment's id is made. */
static const struct node *given_parts(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct node *given = node_get_c(c->service->root, "resources");
    struct node *parts = node_seq(a);
    const struct node *all = node_is(given, NODE_SEQ) ? given : NODE_LIST(a, given);
    node_each (part, all) {
        struct node *out = node_map(a);
        put_gateway(c, out, "Resources.", node_get_c(part, "Resources"));
        put_gateway(c, out, "extensions.", node_get_c(part, "extensions"));
        if (out->size)
            node_push(a, parts, out);
    }
    return parts;
}

/* CloudFormation makes a new deployment only under a new logical id, so the id carries a hash of
 * everything that is deployed. */
static struct str deployment_id(struct compilation *c)
{
    enum { HASH_DIGITS = 16 };
    struct arena *a = c->arena;
    struct node *deployed = node_map(a);
    put_gateway(c, deployed, "", c->resources);
    node_put_c(a, deployed, "given", given_parts(c));
    struct str hash = sha256_hex(a, json_canonical(a, deployed));
    return str_concat(a, STR("ApiGatewayDeployment"), str_sub(hash, 0, HASH_DIGITS));
}

static const struct node *stage_name(struct compilation *c)
{
    const struct node *own = node_get_c(c->rest->settings, "stage");
    return node_truthy(own) ? own : node_staged(c, c->service->stage);
}

static void output_add(struct compilation *c)
{
    struct arena *a = c->arena;
    struct node *stage = node_staged(c, str_concat(a, STR("/"), c->service->stage));
    const struct node *parts = NODE_LIST(
        a, node_c(a, "https://"), c->rest->id, node_c(a, ".execute-api."),
        node_ref(a, STR("AWS::Region")), node_c(a, "."), node_ref(a, STR("AWS::URLSuffix")), stage);
    struct node *output = node_map(a);
    node_put_c(a, output, "Description", node_c(a, "URL of the service endpoint"));
    node_put_c(a, output, "Value", node_join(a, "", parts));
    node_put_c(a, c->outputs, "ServiceEndpoint", output);
}

int rest_deployment(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "StageName", stage_name(c));
    node_put_c(a, p, "Description", node_setting(c->rest->settings, NULL, "description"));
    struct node *resource = resource_new(a, "AWS::ApiGateway::Deployment", p);
    node_put_c(a, resource, "DependsOn", c->rest->method_ids);
    output_add(c);
    c->out->rest_deployment_id = deployment_id(c);
    return resource_add(c, c->out->rest_deployment_id, resource, c->rest->events.p[0].event.pos,
                        err);
}

/* Whatever waits for `old` waits for `id`. */
static void rename_dependencies(struct compilation *c, struct str old, struct str id)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < c->resources->size; i++) {
        struct member *m = &c->resources->members[i];
        const struct node *after = node_get_c(m->value, "DependsOn");
        if (node_is(after, NODE_STRING) && str_eq(after->text, old))
            m->value = cfn_with(a, m->value, "DependsOn", node_str(a, id));
    }
}

int rest_deployment_extend(struct compilation *c, const struct node *methods, struct pos pos,
                           struct err *err)
{
    struct arena *a = c->arena;
    struct str old_id = c->out->rest_deployment_id;
    const struct node *old = old_id.n ? node_get(c->resources, old_id) : NULL;
    struct node *p = node_map(a), *after = node_seq(a);
    node_each (id, node_get_c(old, "DependsOn"))
        node_push(a, after, id);
    node_each (id, methods)
        node_push(a, after, id);
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "StageName", node_staged(c, c->service->stage));
    struct node *resource =
        old ? node_shallow(a, old) : resource_new(a, "AWS::ApiGateway::Deployment", p);
    node_put_c(a, resource, "DependsOn", after);
    if (old)
        node_drop(c->resources, old_id);
    output_add(c);
    c->out->rest_deployment_id = deployment_id(c);
    if (old)
        rename_dependencies(c, old_id, c->out->rest_deployment_id);
    return resource_add(c, c->out->rest_deployment_id, resource, old ? old->pos : pos, err);
}
