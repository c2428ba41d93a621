/* Endpoints. Source: botocore's endpoints data (host names, partitions), the "Service-specific
 * endpoints" page of the SDK reference guide (precedence). */
#include "aws/client/endpoint.h"

static const struct endpoint_service services[] = {
    {"apigateway", "apigateway", "apigateway", "api_gateway"},
    {"apigatewayv2", "apigateway", "apigateway", "apigatewayv2"},
    {"cloudformation", "cloudformation", "cloudformation", "cloudformation", "2010-05-15"},
    {"cloudwatch", "monitoring", "monitoring", "cloudwatch", "2010-08-01"},
    {"iam", "iam", "iam", "iam", "2010-05-08", .global = true},
    {"lambda", "lambda", "lambda", "lambda"},
    {"logs", "logs", "logs", "cloudwatch_logs", NULL, "Logs_20140328", "1.1"},
    {"s3", "s3", "s3", "s3"},
    {"sns", "sns", "sns", "sns", "2010-03-31"},
    {"ssm", "ssm", "ssm", "ssm", NULL, "AmazonSSM", "1.1"},
    {"sso", "portal.sso", "awsssoportal", "sso"},
    {"sts", "sts", "sts", "sts", "2011-06-15"},
};

static const struct partition partitions[] = {
    {"aws-cn", "amazonaws.com.cn", {"cn-"}, "cn-north-1"},
    {"aws-us-gov", "amazonaws.com", {"us-gov-"}, "us-gov-west-1"},
    {"aws-iso", "c2s.ic.gov", {"us-iso-"}, "us-iso-east-1"},
    {"aws-iso-b", "sc2s.sgov.gov", {"us-isob-"}, "us-isob-east-1"},
    {"aws-iso-e", "cloud.adc-e.uk", {"eu-isoe-"}, "eu-isoe-west-1"},
    {"aws-iso-f", "csp.hci.ic.gov", {"us-isof-"}, "us-isof-south-1"},
    {"aws-eusc", "amazonaws.eu", {"eusc-"}, "eusc-de-east-1"},
    {"aws", "amazonaws.com", {""}, "us-east-1"},
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

static struct str own_url(struct arena *a, const struct endpoint_service *service,
                          struct str region)
{
    const struct partition *p = partition_find(region);
    if (service->global && strcmp(p->name, "aws") == 0)
        return str_fmt(a, "https://%s.%s", service->host_prefix, p->url_suffix);
    if (service->global)
        region = str_c(p->global_region);
    return str_fmt(a, "https://%s.%.*s.%s", service->host_prefix, STR_ARG(region), p->url_suffix);
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
    if (service->global)
        ret->region = str_c(partition_find(region)->global_region);
    if (!url.n) {
        ret->url = own_url(a, service, region);
        return 0;
    }
    while (str_ends(url, STR("/")))
        url.n--;
    if (!is_url(url)) {
        err_set(err, ERR_CONFIG, "endpoint '%.*s' of %s is not a URL", STR_ARG(url), service->name);
        return err_help(err, "write it as http://host:port or https://host");
    }
    ret->url = str_dup(a, url);
    return 0;
}
