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

static bool is_domain(const struct node *resource)
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

static int check_new(const struct node *resource, struct err *err)
{
    const struct node *p = node_get_c(resource, "Properties");
    bool has_certificate = node_get_c(p, "CertificateArn") ||
                           node_get_c(p, "RegionalCertificateArn") ||
                           node_path(p, "DomainNameConfigurations.0.CertificateArn");
    if (has_certificate)
        return 0;
    err_at(err, resource->pos, ERR_REFUSED, "domain '%.*s' is to be made, and has no certificate",
           STR_ARG(node_text(name_of(resource))));
    return err_help(err, "name one by 'certificateArn'");
}

static int check_record(const struct node *record, struct err *err)
{
    if (node_path(record, "Properties.HostedZoneId"))
        return 0;
    err_at(err, record->pos, ERR_REFUSED, "record '%.*s' is to be made, and has no zone",
           STR_ARG(node_text(node_path(record, "Properties.Name"))));
    return err_help(err, "name the zone by 'hostedZoneId', or write 'createRoute53Record: false'");
}

/* Leave out those that AWS has; refuse those that cannot be made. */
static int domains_made(struct domains *d, struct err *err)
{
    struct arena *a = d->r->arena;
    struct map gone = MAP(a);
    member_each (m, d->resources) {
        if (!is_domain(m->value) || node_get(d->had, m->key) ||
            !str_starts(m->key, STR("CustomDomain")))
            continue;
        int there = is_there(d, name_of(m->value), err);
        if (there < 0 || (!there && check_new(m->value, err) < 0))
            return -1;
        member_each (record, d->resources) {
            if (!str_starts(record->key, m->key) || str_eq(record->key, m->key))
                continue;
            if (!there && check_record(record->value, err) < 0)
                return -1;
            if (there)
                map_put(&gone, record->key, NULL);
        }
        if (there)
            map_put(&gone, m->key, NULL);
    }
    if (!gone.n)
        return 0;
    struct layout *changed = ARENA_NEW(a, struct layout);
    *changed = *d->plan->target.layout;
    changed->stage_template = cfn_without_resources(a, changed->stage_template, &gone);
    d->plan->target.layout = changed;
    d->resources = node_get_c(changed->stage_template, "Resources");
    return 0;
}

/* ---- mappings ---- */

static bool is_made(const struct domains *d, const struct node *name)
{
    member_each (m, d->resources)
        if (is_domain(m->value) && node_equal(name_of(m->value), name))
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
