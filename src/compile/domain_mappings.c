/* serverless-domain-manager: which base path of which custom domain leads to the stage's API.
 *
 * The plugin does that by calls to API Gateway after a deployment; what it leaves in the template
 * of `package` is nothing. With stages the mappings are resources of the stage's stack, so they go
 * back and away with it. The domain itself is made where `autoDomain` says so and AWS has none; the
 * plan leaves it out of the template otherwise (release/plan/custom_domains.c), and it stays when
 * the stage goes, because other stages and services may be mapped to it. */
#include "compile/compile_internal.h"

#include "base/hash.h"
#include "base/vec.h"
#include "compile/http_api/http_api.h"
#include "config/plugins/plugins.h"

#define PLUGIN "serverless-domain-manager"
#define NO_PATH "(none)"

enum api_kind { API_REST, API_HTTP, API_WEBSOCKET, API_KINDS };
static const struct {
    const char *key, *word, *id, *stage_id, *ending;
} kinds[] = {
    [API_REST] = {"rest", "REST", "ApiGatewayRestApi", NULL, ""},
    [API_HTTP] = {"http", "HTTP", "HttpApi", "HttpApiStage", "Http"},
    [API_WEBSOCKET] = {"websocket", "WEBSOCKET", "WebsocketsApi", "WebsocketsDeploymentStage",
                       "Websocket"},
};

struct domain {
    const struct node *node;
    enum api_kind kind;
    const struct node *name;
    struct str path; /* empty: the root */
    bool is_multi;   /* in several parts, or no REST API: API Gateway v2 has it */
    bool is_edge;
    struct str hash; /* of name and path */
};
typedef VEC(struct domain) domains;

/* ---- reading ---- */

static bool is_on(const struct node *n, const char *key, bool otherwise)
{
    return node_bool_or(node_get_c(n, key), otherwise);
}

static int endpoint_read(struct compilation *c, struct domain *d, struct err *err)
{
    const struct node *given = node_get_c(d->node, "endpointType");
    struct str type = node_truthy(given) ? str_upper(c->arena, node_text(given)) : STR("EDGE");
    const struct node *tls = node_get_c(d->node, "tlsTruststoreUri");
    const struct node *at = given ? given : d->node;
    d->is_edge = str_eq(type, STR("EDGE"));
    if (str_eq(type, STR("PRIVATE"))) {
        err_at(err, node_pos(at), ERR_CONFIG, "private custom domains are not supported");
        return err_help(err, "write the domain and its mapping under 'resources', as "
                             "AWS::ApiGateway::DomainNameV2 and BasePathMappingV2");
    }
    if (d->is_edge && d->kind != API_REST) {
        err_at(err, node_pos(at), ERR_CONFIG, "a domain of %s API is not of the type EDGE",
               d->kind == API_HTTP ? "an HTTP" : "a WebSocket");
        return err_help(err, "write 'endpointType: REGIONAL'");
    }
    if (d->is_edge && tls)
        return err_at(err, node_pos(tls), ERR_CONFIG,
                      "'tlsTruststoreUri' needs 'endpointType: REGIONAL'");
    return 0;
}

static int domain_read(struct compilation *c, const struct node *node, int kind, domains *ret,
                       struct err *err)
{
    struct arena *a = c->arena;
    const struct node *path = node_get_c(node, "basePath");
    struct domain d = {.node = node, .name = node_get_c(node, "domainName")};
    struct str type = str_upper(a, node_text(node_get_c(node, "apiType")));
    d.kind = kind < 0 ? API_REST : (enum api_kind)kind;
    for (size_t i = 0; kind < 0 && i < API_KINDS; i++)
        if (str_eq(type, str_c(kinds[i].word)))
            d.kind = (enum api_kind)i;
    if (!is_on(node, "enabled", true))
        return 0;
    if (!node_truthy(d.name))
        return err_at(err, node_pos(node), ERR_CONFIG, "a custom domain has no 'domainName'");
    if (endpoint_read(c, &d, err) < 0)
        return -1;
    struct str text = str_trim(node_text(path));
    d.path = str_eq(text, STR(NO_PATH)) ? STR("") : text.n ? node_text(path) : STR("");
    d.is_multi = d.kind != API_REST || str_find_char(d.path, '/', 0) >= 0;
    d.hash = str_sub(
        sha256_hex(a, str_fmt(a, "%.*s/%.*s", STR_ARG(node_text(d.name)), STR_ARG(d.path))), 0, 8);
    vec_each (ret, other)
        if (str_eq(other->hash, d.hash)) {
            err_at(err, node_pos(node), ERR_CONFIG, "base path '%.*s' of '%.*s' is given twice",
                   STR_ARG(d.path), STR_ARG(node_text(d.name)));
            return err_note(err, node_pos(other->node), "the other one is here");
        }
    vec_push(a, ret, d);
    return 0;
}

/* One entry: a domain, or one for each kind of API. */
static void entry_read(struct compilation *c, const struct node *entry, domains *ret,
                       struct err *err)
{
    bool is_typed = false;
    for (int i = 0; i < API_KINDS; i++) {
        const struct node *node = node_get_c(entry, kinds[i].key);
        struct err one = {0};
        if (node_truthy(node)) {
            is_typed = true;
            domain_read(c, node, i, ret, &one);
        }
        err_also(err, &one);
    }
    struct err one = {0};
    if (!is_typed)
        domain_read(c, entry, -1, ret, &one);
    err_also(err, &one);
}

static int domains_read(struct compilation *c, domains *ret, struct err *err)
{
    const struct node *custom = node_get_c(c->service->root, "custom");
    const struct node *one = node_get_c(custom, "customDomain");
    const struct node *all = node_get_c(custom, "customDomains");
    if (node_truthy(one))
        entry_read(c, one, ret, err);
    node_each (entry, all)
        entry_read(c, entry, ret, err);
    if (one || all || err->kind)
        return err->kind ? -1 : 0;
    err_set(err, ERR_CONFIG, "plugin '" PLUGIN "': there is no 'custom.customDomain'");
    return err_help(err, "add it, or remove the plugin from 'plugins'");
}

/* ---- the mapping ---- */

static struct str domain_id(struct arena *a, const struct domain *d)
{
    return str_concat(a, STR("CustomDomain"), str_sub(sha256_hex(a, node_text(d->name)), 0, 8));
}

/* The API, of this service or given. NULL: there is none. */
static const struct node *api_of(struct compilation *c, const struct domain *d)
{
    const struct node *gateway = node_get_c(c->provider, "apiGateway");
    const struct node *given = d->kind == API_REST        ? node_get_c(gateway, "restApiId")
                               : d->kind == API_WEBSOCKET ? node_get_c(gateway, "websocketApiId")
                                                          : NULL;
    struct str id = str_c(kinds[d->kind].id);
    if (node_truthy(given))
        return given;
    if (d->kind == API_HTTP && c->http)
        return c->http->id;
    return node_get(c->resources, id) ? node_ref(c->arena, id) : NULL;
}

static const struct node *stage_of(struct compilation *c, const struct domain *d)
{
    const struct node *given = node_get_c(d->node, "stage");
    if (d->kind == API_HTTP && (!d->path.n || !node_truthy(given)))
        return node_c(c->arena, "$default");
    return node_truthy(given) ? given : node_staged(c, c->service->stage);
}

/* AWS refuses a mapping before there are stage and domain, which it names by text. */
static const struct node *mapping_waits(struct compilation *c, const struct domain *d)
{
    struct arena *a = c->arena;
    const char *stage_id = kinds[d->kind].stage_id;
    struct str domain = domain_id(a, d);
    struct node *ids = node_seq(a);
    if (stage_id && node_get(c->resources, str_c(stage_id)))
        node_push(a, ids, node_c(a, stage_id));
    if (node_get(c->resources, domain))
        node_push(a, ids, node_str(a, domain));
    return ids;
}

static int mapping_add(struct compilation *c, const struct domain *d, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *api = api_of(c, d), *path = node_get_c(d->node, "basePath");
    if (!api) {
        err_at(err, node_pos(d->node), ERR_CONFIG, "the service has no %s API for domain '%.*s'",
               kinds[d->kind].word, STR_ARG(node_text(d->name)));
        return err_help(err, "add an event of that kind, or say the kind of API by 'apiType'");
    }
    struct node *p = node_map(a);
    node_put_c(a, p, "DomainName", d->name);
    if (d->path.n)
        node_put_c(a, p, d->is_multi ? "ApiMappingKey" : "BasePath",
                   node_from(node_str(a, d->path), path));
    node_put_c(a, p, d->is_multi ? "ApiId" : "RestApiId", api);
    node_put_c(a, p, "Stage", stage_of(c, d));
    struct node *mapping = resource_new(
        a, d->is_multi ? "AWS::ApiGatewayV2::ApiMapping" : "AWS::ApiGateway::BasePathMapping", p);
    const struct node *after = mapping_waits(c, d);
    if (node_count(after))
        node_put_c(a, mapping, "DependsOn", after);
    return resource_add(c, str_concat(a, STR("DomainMapping"), d->hash), mapping, node_pos(d->node),
                        err);
}

/* ---- the domain ---- */

static const struct node *tags_of(struct compilation *c, bool is_map)
{
    struct arena *a = c->arena;
    const struct node *tags =
        node_merge(a, node_get_c(c->provider, "stackTags"), node_get_c(c->provider, "tags"));
    return !node_count(tags) ? NULL : is_map ? tags : key_value_list(a, tags);
}

static const struct node *mutual_tls(struct arena *a, const struct node *n)
{
    struct node *out = node_map(a);
    if (!node_get_c(n, "tlsTruststoreUri"))
        return NULL;
    copy_member(a, out, "TruststoreUri", n, "tlsTruststoreUri");
    copy_member(a, out, "TruststoreVersion", n, "tlsTruststoreVersion");
    return out;
}

static const struct node *security(struct arena *a, const struct node *n)
{
    static const char *const old[] = {"tls_1_0", "tls_1_2", "tls_1_3"};
    const struct node *given = node_get_c(n, "securityPolicy");
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (node_is_text(given, old[i]))
            return node_from(node_str(a, str_upper(a, given->text)), given);
    return given ? given : node_c(a, "TLS_1_2");
}

static struct node *domain_resource(struct compilation *c, const struct domain *d)
{
    struct arena *a = c->arena;
    const struct node *certificate = node_get_c(d->node, "certificateArn");
    const struct node *type = node_c(a, d->is_edge ? "EDGE" : "REGIONAL");
    struct node *p = node_map(a), *configuration = node_map(a);
    node_put_c(a, p, "DomainName", d->name);
    node_put_c(a, p, "MutualTlsAuthentication", mutual_tls(a, d->node));
    node_put_c(a, p, "Tags", tags_of(c, d->is_multi));
    if (d->is_multi) {
        node_put_c(a, configuration, "CertificateArn", certificate);
        node_put_c(a, configuration, "EndpointType", type);
        node_put_c(a, configuration, "SecurityPolicy", security(a, d->node));
        node_put_c(a, p, "DomainNameConfigurations", NODE_LIST(a, configuration));
    } else {
        node_put_c(a, p, "EndpointConfiguration", node_fn(a, "Types", NODE_LIST(a, type)));
        node_put_c(a, p, d->is_edge ? "CertificateArn" : "RegionalCertificateArn", certificate);
        node_put_c(a, p, "SecurityPolicy", security(a, d->node));
    }
    struct node *resource = resource_new(
        a, d->is_multi ? "AWS::ApiGatewayV2::DomainName" : "AWS::ApiGateway::DomainName", p);
    node_put_c(a, resource, "DeletionPolicy", node_c(a, "Retain"));
    node_put_c(a, resource, "UpdateReplacePolicy", node_c(a, "Retain"));
    return resource;
}

static void put_routing(struct compilation *c, const struct domain *d, struct node *p,
                        const struct node *target)
{
    struct arena *a = c->arena;
    const struct node *params = node_get_c(d->node, "route53Params");
    const struct node *set = node_get_c(params, "setIdentifier");
    const struct node *region = node_get_c(d->node, "route53Region");
    const struct node *weight = node_get_c(params, "weight");
    struct str policy = str_lower(a, node_text(node_get_c(params, "routingPolicy")));
    bool is_latency = str_eq(policy, STR("latency"));
    if (!is_latency && !str_eq(policy, STR("weighted")))
        return;
    if (is_latency)
        node_put_c(a, p, "Region", region ? region : node_str(a, c->service->region));
    else
        node_put_c(a, p, "Weight", weight ? weight : node_int(a, 200));
    node_put_c(a, p, "SetIdentifier", set ? set : target);
    copy_member(a, p, "HealthCheckId", params, "healthCheckId");
}

/* A record in DNS of type A or AAAA, "APrivate" in the private zone. Where the file names no zone,
 * the plan does. */
static int record_add(struct compilation *c, const struct domain *d, struct str domain,
                      const char *kind, struct err *err)
{
    struct arena *a = c->arena;
    struct str type = str_c(kind);
    const char *prefix = d->is_edge && !d->is_multi ? "Distribution" : "Regional";
    const struct node *target =
        node_get_att(a, domain, str_z(a, str_fmt(a, "%sDomainName", prefix)));
    struct node *p = node_map(a), *alias = node_map(a);
    node_put_c(a, alias, "DNSName", target);
    node_put_c(a, alias, "EvaluateTargetHealth", node_bool(a, false));
    node_put_c(a, alias, "HostedZoneId",
               node_get_att(a, domain, str_z(a, str_fmt(a, "%sHostedZoneId", prefix))));
    node_put_c(a, p, "Name", d->name);
    str_strip(&type, STR("Private"));
    node_put_c(a, p, "Type", node_str(a, type));
    copy_member(a, p, "HostedZoneId", d->node, "hostedZoneId");
    node_put_c(a, p, "AliasTarget", alias);
    put_routing(c, d, p, target);
    struct node *record = resource_new(a, "AWS::Route53::RecordSet", p);
    node_put_c(a, record, "DeletionPolicy", node_c(a, "Retain"));
    node_put_c(a, record, "UpdateReplacePolicy", node_c(a, "Retain"));
    return resource_add(c, str_fmt(a, "%.*sRecord%s", STR_ARG(domain), kind), record,
                        node_pos(d->node), err);
}

/* With `splitHorizonDns` both the public and the private zone get records, unless the file says
 * which zone. */
static bool is_split(const struct domain *d)
{
    return is_on(d->node, "splitHorizonDns", false) &&
           !node_truthy(node_get_c(d->node, "hostedZoneId")) &&
           !node_truthy(node_get_c(d->node, "hostedZonePrivate"));
}

static int records_add(struct compilation *c, const struct domain *d, struct str domain,
                       struct err *err)
{
    static const char *const types[] = {"A", "AAAA", "APrivate", "AAAAPrivate"};
    const struct node *profile = node_get_c(d->node, "route53Profile");
    if (node_truthy(profile)) {
        err_at(err, node_pos(profile), ERR_CONFIG,
               "'route53Profile' is not supported with 'autoDomain'");
        return err_help(err, "write 'createRoute53Record: false', and the records elsewhere");
    }
    for (size_t i = 0; i < (is_split(d) ? 4 : 2); i++)
        if ((i % 2 == 0 || is_on(d->node, "createRoute53IPv6Record", true)) &&
            record_add(c, d, domain, types[i], err) < 0)
            return -1;
    return 0;
}

static int domain_add(struct compilation *c, const struct domain *d, struct err *err)
{
    struct str logical = domain_id(c->arena, d);
    if (!is_on(d->node, "autoDomain", false) || node_get(c->resources, logical))
        return 0;
    if (resource_add(c, logical, domain_resource(c, d), node_pos(d->node), err) < 0)
        return -1;
    return is_on(d->node, "createRoute53Record", true) ? records_add(c, d, logical, err) : 0;
}

static void output_put(struct compilation *c, const struct domain *d)
{
    struct arena *a = c->arena;
    struct node *output = node_map(a);
    node_put_c(a, output, "Value", d->name);
    node_put(a, c->outputs, str_fmt(a, "DomainName%s", kinds[d->kind].ending), output);
}

int domains_compile(struct compilation *c, struct err *err)
{
    domains all = {0};
    if (!plugin_listed(c->service->root, PLUGIN))
        return 0;
    if (domains_read(c, &all, err) < 0 || c->options->naming == NAMING_FLAT)
        return err->kind ? -1 : 0;
    vec_each (&all, d) {
        struct err one = {0};
        if (domain_add(c, d, &one) == 0 && mapping_add(c, d, &one) == 0)
            output_put(c, d);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
