/* `custom.customDomain` and `custom.customDomains`, which serverless-domain-manager reads. Source:
 * its README and sources (10.3.1). */
#include "config/schema/schema.h"

#define STAYS "domains stay when a stage goes, and so do the mappings of others"
#define OF_CREATION "CloudFormation waits for the domain by itself"

static const struct schema route53 = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"routingPolicy", CASELESS("simple", "latency", "weighted")},
                     {"setIdentifier", &any_string}, {"weight", WHOLE(0, 255)},
                     {"healthCheckId", &any_string})};

static const struct schema tls = {.type = TYPE_STRING,
                                  .expected = "the address of an object, s3://bucket/key",
                                  .pattern = "^s3://[^/]+/.+$",
                                  .wrong = STOPS};
static const struct schema endpoint = {.type = TYPE_STRING,
                                       .ignore_case = true,
                                       .words = WORDS("EDGE", "REGIONAL", "PRIVATE"),
                                       .wrong = STOPS};
static const struct schema api = {.type = TYPE_STRING,
                                  .ignore_case = true,
                                  .words = WORDS("REST", "HTTP", "WEBSOCKET"),
                                  .wrong = STOPS};
static const struct schema boolean = {.type = TYPE_BOOLEAN, .wrong = STOPS};

#define OPTIONS                                                                                \
    {"domainName", SCHEMA(.type = TYPE_STRING, .wrong = STOPS)}, {"basePath", &any_string},    \
        {"stage", &any_string}, {"certificateName", &any_string},                              \
        {"certificateArn", &aws_instruction}, {"createRoute53Record", &boolean},               \
        {"createRoute53IPv6Record", &boolean}, {"route53Profile", &any_string},                \
        {"route53Region", &any_string}, {"endpointType", &endpoint}, {"apiType", &api},        \
        {"tlsTruststoreUri", &tls}, {"tlsTruststoreVersion", &any_string},                     \
        {"hostedZoneId", &aws_instruction}, {"hostedZonePrivate", &boolean},                   \
        {"splitHorizonDns", &boolean}, {"enabled", &boolean}, {"securityPolicy", &any_string}, \
        {"autoDomain", &boolean}, {"autoDomainWaitFor", NULL, .no_effect = OF_CREATION},       \
        {"allowPathMatching", NULL,                                                            \
         .no_effect = "a path that another API has is refused, never taken over"},             \
        {"route53Params", &route53},                                                           \
    {                                                                                          \
        "preserveExternalPathMappings", NULL, .no_effect = STAYS                               \
    }

static const struct schema domain = {
    .type = TYPE_MAP, .closed = true, .wrong = STOPS, .fields = FIELDS(OPTIONS)};

const struct schema schema_domain = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .fields = FIELDS(OPTIONS, {"rest", &domain}, {"http", &domain}, {"websocket", &domain})};
