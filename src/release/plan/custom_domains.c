/* Custom domains that serverless-domain-manager maps. A domain belongs to nobody's stack alone:
 * other stages, other services and the plugin's own calls use it, too. So one that AWS has already
 * is not made, a base path that leads elsewhere is not taken, and both are seen before anything is
 * made. Sources: API Gateway API reference, CreateDomainName, CreateBasePathMapping (409). */
#include "release/plan/plan.h"

#include "cfn/template.h"
#include "config/plugins/plugins.h"

struct domains {
    const struct release *r;
    struct plan *plan;
    const struct node *resources, *had;
    const struct node *there; /* those of the account in this region; NULL: not asked yet */
};

static bool is_type(const struct node *resource, const char *rest, const char *http)
{
    const struct node *type = node_get_c(resource, "Type");
    return node_is_text(type, rest) || node_is_text(type, http);
}

bool custom_domain_is(const struct node *resource)
{
    return is_type(resource, "AWS::ApiGateway::DomainName", "AWS::ApiGatewayV2::DomainName");
}

static bool is_mapping(const struct node *resource)
{
    return is_type(resource, "AWS::ApiGateway::BasePathMapping", "AWS::ApiGatewayV2::ApiMapping");
}

static const struct node *name_of(const struct node *resource)
{
    return node_path(resource, "Properties.DomainName");
}

/* 1: the account has the domain; 0: it does not. */
static int is_there(struct domains *d, const struct node *name, struct err *err)
{
    if (!d->there && domains_list(d->r->arena, d->r->aws, &d->there, err) < 0)
        return -1;
    node_each (domain, d->there)
        if (str_eq(node_text(domain), node_text(name)))
            return 1;
    return 0;
}

/* ---- domains that the stage's stack would make ---- */

/* What the file says of the domain `name` that is to be made. */
static const struct node *entry_of(const struct node *entry, const struct node *name)
{
    static const char *const kinds[] = {"rest", "http", "websocket"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (node_equal(node_get_c(node_get_c(entry, kinds[i]), "domainName"), name))
            return node_get_c(entry, kinds[i]);
    return node_equal(node_get_c(entry, "domainName"), name) ? entry : NULL;
}

static const struct node *settings_of(const struct domains *d, const struct node *name)
{
    const struct node *custom = node_get_c(d->r->service->root, "custom");
    const struct node *found = entry_of(node_get_c(custom, "customDomain"), name);
    node_each (entry, node_get_c(custom, "customDomains"))
        found = found ? found : entry_of(entry, name);
    return found;
}

/* ---- certificates ---- */

static bool is_edge(const struct node *resource)
{
    return node_is_text(node_path(resource, "Properties.EndpointConfiguration.Types.0"), "EDGE") ||
           node_is_text(node_path(resource, "Properties.DomainNameConfigurations.0.EndpointType"),
                        "EDGE");
}

static const struct node *certificate_in(const struct node *resource)
{
    const struct node *p = node_get_c(resource, "Properties");
    const struct node *edge = node_get_c(p, "CertificateArn");
    const struct node *regional = node_get_c(p, "RegionalCertificateArn");
    return edge       ? edge
           : regional ? regional
                      : node_path(p, "DomainNameConfigurations.0.CertificateArn");
}

static const struct node *with_certificate(struct arena *a, const struct node *resource,
                                           const struct node *arn)
{
    const struct node *first = node_path(resource, "Properties.DomainNameConfigurations.0");
    if (!first)
        return cfn_with_property(
            a, resource, is_edge(resource) ? "CertificateArn" : "RegionalCertificateArn", arn);
    struct node *list = node_seq(a);
    node_push(a, list, cfn_with(a, first, "CertificateArn", arn));
    return cfn_with_property(a, resource, "DomainNameConfigurations", list);
}

/* The certificate of the plugin's choice: the one called `name`, or, without a name, the one with
 * the longest name that is part of the domain's. */
static const struct node *chosen(const struct node *certificates, const struct node *name,
                                 struct str domain)
{
    const struct node *best = NULL;
    size_t longest = 0;
    node_each (certificate, certificates) {
        const struct node *names = node_get_c(certificate, "names");
        if (name && node_equal(names->items[0], name))
            return node_get_c(certificate, "arn");
        for (size_t i = 0; !name && i < names->count; i++) {
            struct str s = node_text(names->items[i]);
            str_skip(&s, STR("*"));
            if (s.n > longest && str_find(domain, s, 0) >= 0) {
                longest = s.n;
                best = node_get_c(certificate, "arn");
            }
        }
    }
    return best;
}

static int certificates_of(const struct domains *d, bool at_edge, const struct node **ret,
                           struct err *err)
{
    const struct release *r = d->r;
    struct aws *aws = r->aws;
    if (at_edge && !str_eq(r->service->region, STR("us-east-1")))
        aws = r->client(r->client_context, STR("us-east-1"), err);
    return aws ? acm_certificates(r->arena, aws, ret, err) : -1;
}

/* `resource` with a certificate: its own, that of the domain as the stack has it, or one that is
 * looked up. NULL: there is none. */
static const struct node *certified(const struct domains *d, const struct node *resource,
                                    const struct node *had, struct err *err)
{
    struct arena *a = d->r->arena;
    const struct node *name = name_of(resource), *certificates;
    const struct node *wanted = node_get_c(settings_of(d, name), "certificateName");
    if (certificate_in(resource))
        return resource;
    if (certificate_in(had))
        return with_certificate(a, resource, certificate_in(had));
    if (certificates_of(d, is_edge(resource), &certificates, err) < 0)
        return NULL;
    const struct node *arn =
        chosen(certificates, node_truthy(wanted) ? wanted : NULL, node_text(name));
    if (arn)
        return with_certificate(a, resource, arn);
    err_at(err, resource->pos, ERR_REFUSED, "there is no certificate '%.*s' in %s",
           STR_ARG(node_text(node_truthy(wanted) ? wanted : name)),
           is_edge(resource) ? "us-east-1" : d->r->service->region.p);
    err_help(err, "request one there, or name another by 'certificateArn'");
    return NULL;
}

/* ---- zones ---- */

/* The zone of the plugin's choice: the one with the longest name that ends the domain's. */
static const struct node *zone_for(const struct node *zones, struct str domain,
                                   const struct node *is_private)
{
    const struct node *best = NULL;
    struct str above = domain, first;
    size_t longest = 0;
    str_cut(&above, '.', &first);
    node_each (zone, zones) {
        struct str name = node_text(node_get_c(zone, "name"));
        bool fits = str_eq(domain, name) || str_ends(above, name);
        if (!fits || name.n <= longest ||
            (is_private && !node_equal(is_private, node_get_c(zone, "private"))))
            continue;
        longest = name.n;
        best = node_get_c(zone, "id");
    }
    return best;
}

/* `record` with a zone: its own, that of the stack's, or one that is looked up. NULL: there is
 * none. */
static const struct node *zoned(const struct domains *d, struct str id, const struct node *record,
                                const struct node *had, struct err *err)
{
    struct arena *a = d->r->arena;
    const struct node *name = node_path(record, "Properties.Name"), *zones;
    const struct node *old = node_path(had, "Properties.HostedZoneId");
    if (node_path(record, "Properties.HostedZoneId"))
        return record;
    if (old)
        return cfn_with_property(a, record, "HostedZoneId", old);
    if (route53_zones(a, d->r->aws, &zones, err) < 0)
        return NULL;
    const struct node *settings = settings_of(d, name);
    const struct node *is_private = node_get_c(settings, "hostedZonePrivate");
    if (node_bool_or(node_get_c(settings, "splitHorizonDns"), false) && !node_truthy(is_private))
        is_private = node_bool(a, str_ends(id, STR("Private")));
    const struct node *zone = zone_for(zones, node_text(name), is_private);
    if (zone)
        return cfn_with_property(a, record, "HostedZoneId", zone);
    err_at(err, record->pos, ERR_REFUSED, "there is no %shosted zone for domain '%.*s'",
           !is_private               ? ""
           : node_truthy(is_private) ? "private "
                                     : "public ",
           STR_ARG(node_text(name)));
    err_help(err, "name one by 'hostedZoneId', or write 'createRoute53Record: false'");
    return NULL;
}

static void use_template(struct domains *d, const struct node *template)
{
    struct layout *changed = ARENA_NEW(d->r->arena, struct layout);
    *changed = *d->plan->target.layout;
    changed->stage_template = template;
    d->plan->target.layout = changed;
    d->resources = node_get_c(template, "Resources");
}

/* The records of a domain have its id in front of theirs. */
static int records_of(struct domains *d, struct str domain, bool there, struct map *gone,
                      struct node *ret, struct err *err)
{
    member_each (m, d->resources) {
        if (!str_starts(m->key, domain) || str_eq(m->key, domain))
            continue;
        if (there) {
            map_put(gone, m->key, NULL);
            continue;
        }
        const struct node *record = zoned(d, m->key, m->value, node_get(d->had, m->key), err);
        if (!record)
            return -1;
        node_put(d->r->arena, ret, m->key, record);
    }
    return 0;
}

/* Leave out those that AWS has already; the others get a certificate. */
static int domains_made(struct domains *d, struct err *err)
{
    struct arena *a = d->r->arena;
    struct map gone = MAP(a);
    struct node *resources = node_shallow(a, d->resources);
    member_each (m, d->resources) {
        const struct node *value = m->value, *had = node_get(d->had, m->key);
        if (!custom_domain_is(value) || !str_starts(m->key, STR("CustomDomain")))
            continue;
        int there = had ? 0 : is_there(d, name_of(value), err);
        if (there < 0 || (!there && !(value = certified(d, value, had, err))) ||
            records_of(d, m->key, there, &gone, resources, err) < 0)
            return -1;
        node_put(a, resources, m->key, value);
        if (there)
            map_put(&gone, m->key, NULL);
    }
    const struct node *template =
        cfn_with(a, d->plan->target.layout->stage_template, "Resources", resources);
    use_template(d, gone.n ? cfn_without_resources(a, template, &gone) : template);
    return 0;
}

/* ---- mappings ---- */

static bool is_made(const struct domains *d, const struct node *name)
{
    member_each (m, d->resources)
        if (custom_domain_is(m->value) && node_equal(name_of(m->value), name))
            return true;
    return false;
}

static int refuse_missing(const struct domains *d, const struct node *mapping, struct err *err)
{
    err_at(err, mapping->pos, ERR_REFUSED, "there is no custom domain '%.*s' in %.*s",
           STR_ARG(node_text(name_of(mapping))), STR_ARG(d->r->service->region));
    return err_help(err, "'autoDomain: true' lets troupe make it with the stage; 'npx serverless "
                         "create_domain' makes it, too");
}

static int refuse_taken(const struct node *mapping, const struct node *taken, bool is_http,
                        struct err *err)
{
    const struct node *name = name_of(mapping), *path = node_get_c(taken, "path");
    err_at(err, mapping->pos, ERR_REFUSED, "base path '%.*s' of '%.*s' leads to API '%.*s' already",
           STR_ARG(node_text(path)), STR_ARG(node_text(name)),
           STR_ARG(node_text(node_get_c(taken, "api"))));
    err_note(err, (struct pos){0}, "stage '%.*s' of it; no stack of this stage made the mapping",
             STR_ARG(node_text(node_get_c(taken, "stage"))));
    return is_http ? err_help(err,
                              "give this stage another 'basePath', or delete that mapping: aws "
                              "apigatewayv2 delete-api-mapping --domain-name %.*s "
                              "--api-mapping-id %.*s",
                              STR_ARG(node_text(name)), STR_ARG(node_text(node_get_c(taken, "id"))))
                   : err_help(err,
                              "give this stage another 'basePath', or delete that mapping: aws "
                              "apigateway delete-base-path-mapping --domain-name %.*s "
                              "--base-path '%.*s'",
                              STR_ARG(node_text(name)), STR_ARG(node_text(path)));
}

static int check_mapping(struct domains *d, const struct node *mapping, struct err *err)
{
    const struct node *p = node_get_c(mapping, "Properties"), *all;
    const struct node *name = name_of(mapping), *key = node_get_c(p, "ApiMappingKey");
    const struct node *path = key ? key : node_get_c(p, "BasePath");
    bool is_http = node_is_text(node_get_c(mapping, "Type"), "AWS::ApiGatewayV2::ApiMapping");
    if (!node_is(name, NODE_STRING) || is_made(d, name))
        return 0;
    int there = is_there(d, name, err);
    if (there < 0)
        return -1;
    if (!there)
        return refuse_missing(d, mapping, err);
    if (domain_mappings(d->r->arena, d->r->aws, node_text(name), is_http, &all, err) < 0)
        return -1;
    node_each (taken, all) {
        struct str other = node_text(node_get_c(taken, "path"));
        if (str_eq(other, path ? node_text(path) : STR("(none)")))
            return refuse_taken(mapping, taken, is_http, err);
    }
    return 0;
}

static int check_domains(struct domains *d, struct err *err)
{
    if (domains_made(d, err) < 0)
        return -1;
    member_each (m, d->resources)
        if (is_mapping(m->value) && !node_get(d->had, m->key) &&
            check_mapping(d, m->value, err) < 0)
            return -1;
    return 0;
}

int plan_domains(const struct release *r, struct plan *plan, struct err *err)
{
    struct domains d = {
        .r = r,
        .plan = plan,
        .resources = node_get_c(plan->target.layout->stage_template, "Resources"),
        .had = node_get_c(plan->world.stage_template, "Resources"),
    };
    if (!plugin_listed(r->service->root, "serverless-domain-manager") ||
        check_domains(&d, err) == 0)
        return 0;
    if (err->kind != ERR_DENIED)
        return -1;
    err_clear(err);
    plan_note(r->arena, plan,
              STR("whether custom domains are there cannot be seen (apigateway:GET on "
                  "/domainnames); AWS refuses mappings of those that are not"));
    return 0;
}
