/* Endpoints. Source: botocore's endpoint rules and partitions, tests/golden/aws/endpoints.txt has
 * what they say; the "Service-specific endpoints", "FIPS endpoints" and "Dual-stack endpoints"
 * pages of the SDK reference guide (settings, precedence). */
#include "aws/client/endpoint.h"

static const struct endpoint_service services[] = {
    {"acm", "acm", "acm", "acm", NULL, "CertificateManager", "1.1", .gov_fips = FIPS_IS_PLAIN},
    {"apigateway", "apigateway", "apigateway", "api_gateway"},
    {"apigatewayv2", "apigateway", "apigateway", "apigatewayv2"},
    {"cloudformation", "cloudformation", "cloudformation", "cloudformation", "2010-05-15",
     .gov_fips = FIPS_IS_PLAIN},
    {"cloudwatch", "monitoring", "monitoring", "cloudwatch", "2010-08-01",
     .gov_fips = FIPS_IS_PLAIN_DUALSTACK},
    {"ec2", "ec2", "ec2", "ec2", "2016-11-15", .gov_fips = FIPS_IS_PLAIN},
    {"ecr", "api.ecr", "ecr", "ecr", NULL, "AmazonEC2ContainerRegistry_V20150921", "1.1",
     .dualstack_prefix = "ecr"},
    {"lambda", "lambda", "lambda", "lambda"},
    {"logs", "logs", "logs", "cloudwatch_logs", NULL, "Logs_20140328", "1.1",
     .gov_fips = FIPS_IS_PLAIN},
    {"route53", "route53", "route53", "route_53", .is_global = true},
    {"s3", "s3", "s3", "s3"},
    {"secretsmanager", "secretsmanager", "secretsmanager", "secrets_manager", NULL,
     "secretsmanager", "1.1"},
    {"signin", "signin", "signin", "signin"},
    {"ssm", "ssm", "ssm", "ssm", NULL, "AmazonSSM", "1.1", .gov_fips = FIPS_IS_PLAIN},
    {"sso", "portal.sso", "awsssoportal", "sso", .gov_fips = FIPS_IS_PLAIN},
    {"sso-oidc", "oidc", "sso-oauth", "sso_oidc", .gov_fips = FIPS_IS_PLAIN},
    {"sts", "sts", "sts", "sts", "2011-06-15", .gov_fips = FIPS_IS_PLAIN},
};

static const struct partition partitions[] = {
    {"aws-cn",
     "amazonaws.com.cn",
     "api.amazonwebservices.com.cn",
     "amazonaws.cn",
     {"cn-"},
     "cn-northwest-1"},
    {"aws-us-gov",
     "amazonaws.com",
     "api.aws",
     "amazonaws-us-gov.com",
     {"us-gov-"},
     "us-gov-west-1"},
    {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov", "c2shome.ic.gov", {"us-iso-"}, "us-iso-east-1"},
    {"aws-iso-b",
     "sc2s.sgov.gov",
     "api.aws.scloud",
     "sc2shome.sgov.gov",
     {"us-isob-"},
     "us-isob-east-1"},
    {"aws-iso-e",
     "cloud.adc-e.uk",
     "api.cloud-aws.adc-e.uk",
     "csphome.adc-e.uk",
     {"eu-isoe-"},
     "eu-isoe-west-1",
     .dualstack_only = "lambda"},
    {"aws-iso-f",
     "csp.hci.ic.gov",
     "api.aws.hci.ic.gov",
     "csphome.hci.ic.gov",
     {"us-isof-"},
     "us-isof-south-1",
     .dualstack_only = "lambda"},
    {"aws-eusc",
     "amazonaws.eu",
     "api.amazonwebservices.eu",
     "amazonaws-eusc.eu",
     {"eusc-"},
     "eusc-de-east-1"},
    {"aws", "amazonaws.com", "api.aws", "aws.amazon.com", {""}, "us-east-1"},
};

const struct endpoint_service *aws_service_find(const char *name)
{
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    return NULL;
}

const struct partition *partition_find(struct str region)
{
    for (size_t i = 0;; i++) /* the last row matches every region */
        for (const char *const *p = partitions[i].prefixes; *p; p++)
            if (str_starts(region, str_c(*p)))
                return &partitions[i];
}

bool region_is_name(struct str region)
{
    if (!region.n || region.n > 63)
        return false;
    for (size_t i = 0; i < region.n; i++) {
        char c = region.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (c != '-' || i == 0 || i == region.n - 1))
            return false;
    }
    return true;
}

bool bucket_is_name(struct str bucket)
{
    if (bucket.n < 3 || bucket.n > 255 || str_find(bucket, STR(".."), 0) >= 0)
        return false;
    for (size_t i = 0; i < bucket.n; i++) {
        char c = bucket.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool inner = c == '-' || c == '.' || c == '_';
        if (!letter && !(inner && i > 0 && i < bucket.n - 1))
            return false;
    }
    return true;
}

bool bucket_is_host(struct str bucket)
{
    if (bucket.n < 3 || bucket.n > 63)
        return false;
    for (size_t i = 0; i < bucket.n; i++) {
        char c = bucket.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        /* with a dot in it the host would not match the certificate of *.s3.<region> */
        if (!letter && (c != '-' || i == 0 || i == bucket.n - 1))
            return false;
    }
    return true;
}

static bool is_ignored(const struct profile_settings *settings)
{
    struct str value = env_get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if (!value.n && settings)
        value = profile_get(settings, "ignore_configured_endpoint_urls");
    cleanup_arena struct arena *a = arena_new();
    return str_eq(str_lower(a, value), STR("true"));
}

static struct str from_services(const struct profile_settings *s,
                                const struct endpoint_service *service)
{
    struct str name = profile_get(s, "services");
    const struct node *section = name.n ? profile_section(s, "services", name) : NULL;
    return node_text(node_get_c(node_get_c(section, service->id), "endpoint_url"));
}

static struct str configured(struct arena *a, const struct endpoint_service *service,
                             const struct profile_settings *settings)
{
    if (is_ignored(settings))
        return (struct str){0};
    struct str variable = str_upper(a, str_fmt(a, "AWS_ENDPOINT_URL_%s", service->id));
    struct str url = env_get(variable.p);
    if (!url.n)
        url = env_get("AWS_ENDPOINT_URL");
    if (!url.n && settings)
        url = from_services(settings, service);
    if (!url.n && settings)
        url = profile_get(settings, "endpoint_url");
    return url;
}

/* "http(s)://host…" without anything that a request line cannot hold? */
static bool is_url(struct str url)
{
    size_t scheme = str_starts(url, STR("http://")) ? 7 : str_starts(url, STR("https://")) ? 8 : 0;
    if (!scheme || url.n == scheme || url.p[scheme] == '/')
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] == '?' || url.p[i] == '#' || url.p[i] == '@')
            return false;
    return true;
}

/* ---- FIPS and dual-stack hosts ---- */

static const struct variant_setting {
    const char *title, *variable, *key;
} fips_setting = {"FIPS", "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"},
  dualstack_setting = {"dual-stack", "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"};

/* A word that is neither would silently be "no", and calls would go where they must not. */
static int read_switch(const struct variant_setting *which, const struct profile_settings *settings,
                       bool *ret, struct err *err)
{
    struct str value = env_get(which->variable);
    bool variable = value.n > 0;
    if (!variable && settings)
        value = profile_get(settings, which->key);
    cleanup_arena struct arena *a = arena_new();
    struct str word = str_lower(a, value);
    *ret = str_eq(word, STR("true"));
    if (*ret || !word.n || str_eq(word, STR("false")))
        return 0;
    return err_set(err, ERR_CONFIG, "%s must be 'true' or 'false', not '%.*s'",
                   variable ? which->variable : which->key, STR_ARG(value));
}

/* S3 has a switch of its own in the profile, beside the one for all services. */
static bool s3_dualstack(const struct profile_settings *s)
{
    const struct node *section = s ? profile_config(s, s->profile) : NULL;
    struct str value = node_text(node_get_c(node_get_c(section, "s3"), "use_dualstack_endpoint"));
    return str_eq(value, STR("true")) || str_eq(value, STR("True"));
}

static int read_variant(const struct endpoint_service *service,
                        const struct profile_settings *settings, struct endpoint *ret,
                        struct err *err)
{
    if (read_switch(&fips_setting, settings, &ret->fips, err) < 0 ||
        read_switch(&dualstack_setting, settings, &ret->dualstack, err) < 0)
        return -1;
    ret->dualstack |= strcmp(service->name, "s3") == 0 && s3_dualstack(settings);
    return 0;
}

int endpoint_variant_help(const struct endpoint *e, struct err *err)
{
    const struct variant_setting *which = e->fips ? &fips_setting : &dualstack_setting;
    return err_help(err,
                    "%s or %s asks for it: AWS has no such host for every service in every "
                    "region; unset it, or choose another region with --region",
                    which->variable, which->key);
}

static int no_variant(const struct endpoint_service *service, const struct endpoint *e,
                      const char *which, struct err *err)
{
    err_set(err, ERR_CONFIG, "%s has no %s endpoint in %.*s", service->name, which,
            STR_ARG(e->region));
    return endpoint_variant_help(e, err);
}

/* Source: the rules of botocore's signin, which has hosts of its own where nothing special is asked
 * for, and in GovCloud. */
static struct str signin_host(struct arena *a, const struct partition *p, const struct endpoint *e)
{
    const char *fips = e->fips ? "-fips" : "";
    if (e->fips && str_eq(e->region, STR("us-gov-west-1")))
        return str_fmt(a, "signin%s.%s", fips, p->signin_suffix);
    return str_fmt(a, "%.*s.signin%s.%s", STR_ARG(e->region), fips, p->signin_suffix);
}

/* Source: the rules of botocore's route53, which has no pattern for dual-stack hosts. */
static struct str global_host(struct arena *a, const struct endpoint_service *service,
                              const struct partition *p, const struct endpoint *e)
{
    const char *suffix = e->dualstack ? p->dualstack_suffix : p->url_suffix;
    bool is_aws = strcmp(p->name, "aws") == 0;
    bool may_be_named = strcmp(p->name, "aws-cn") == 0 || strcmp(p->name, "aws-eusc") == 0;
    if (strcmp(p->name, "aws-us-gov") == 0)
        return str_fmt(a, "%s.us-gov.%s", service->host_prefix, suffix);
    return str_fmt(a, "%s%s.%s%s", service->host_prefix, e->fips ? "-fips" : "",
                   e->dualstack && (is_aws || (may_be_named && !e->fips)) ? "global." : "", suffix);
}

static int own_url(struct arena *a, const struct endpoint_service *service, struct endpoint *e,
                   struct err *err)
{
    const struct partition *p = partition_find(e->region);
    bool gov = strcmp(p->name, "aws-us-gov") == 0, s3 = strcmp(service->name, "s3") == 0;
    if (s3 && e->fips && strcmp(p->name, "aws-cn") == 0)
        return no_variant(service, e, "FIPS", err);
    /* the one that has dual-stack hosts there has no FIPS ones among them */
    if (e->dualstack && p->dualstack_only &&
        (e->fips || strcmp(service->name, p->dualstack_only) != 0))
        return no_variant(service, e, e->fips ? "FIPS dual-stack" : "dual-stack", err);
    struct str host;
    if (service->is_global) {
        host = global_host(a, service, p, e);
        e->region = str_c(p->global_region);
    } else if (strcmp(service->name, "signin") == 0 && !e->dualstack && (gov || !e->fips)) {
        host = signin_host(a, p, e);
    } else {
        enum gov_fips plain = e->dualstack ? FIPS_IS_PLAIN_DUALSTACK : FIPS_IS_PLAIN;
        bool other = e->dualstack && service->dualstack_prefix;
        const char *prefix = other ? service->dualstack_prefix : service->host_prefix;
        bool marked = e->fips && !(gov && service->gov_fips >= plain);
        const char *suffix = e->dualstack && !s3 ? p->dualstack_suffix : p->url_suffix;
        host = str_fmt(a, "%s%s%s.%.*s.%s", prefix, marked ? "-fips" : "",
                       s3 && e->dualstack ? ".dualstack" : "", STR_ARG(e->region), suffix);
    }
    e->url = str_concat(a, STR("https://"), host);
    return 0;
}

/* As botocore does: which hosts meet FIPS 140, or have IPv6, is not known of others than AWS's. */
static int check_custom(const struct endpoint *e, struct str url, struct err *err)
{
    if (!e->fips && !e->dualstack)
        return 0;
    const struct variant_setting *which = e->fips ? &fips_setting : &dualstack_setting;
    err_set(err, ERR_CONFIG, "endpoint '%.*s' is not AWS's, but %s endpoints are asked for",
            STR_ARG(url), which->title);
    return err_help(err, "unset the endpoint, or %s and %s", which->variable, which->key);
}

int endpoint_find(struct arena *a, const struct endpoint_service *service, struct str region,
                  struct str fixed, const struct profile_settings *settings, struct endpoint *ret,
                  struct err *err)
{
    struct str url = fixed.n ? fixed : configured(a, service, settings);
    *ret = (struct endpoint){.region = region, .custom = url.n > 0};
    if (!region_is_name(region)) {
        err_set(err, ERR_CONFIG, "'%.*s' is no region", STR_ARG(region));
        return err_help(err, "a region is written like us-east-1");
    }
    if (!fixed.n && read_variant(service, settings, ret, err) < 0)
        return -1;
    if (!url.n)
        return own_url(a, service, ret, err);
    while (str_ends(url, STR("/")))
        url.n--;
    if (!is_url(url)) {
        err_set(err, ERR_CONFIG, "endpoint '%.*s' of %s is not a URL", STR_ARG(url), service->name);
        return err_help(err, "write it as http://host:port or https://host");
    }
    ret->url = str_dup(a, url);
    return check_custom(ret, url, err);
}
