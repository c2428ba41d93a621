/* The event cloudFront, and `provider.cloudFront`. */
#include "config/schema/schema.h"

#define TEXT_OR_FUNCTION EITHER(&any_string, &aws_function)

/* ---- origins ---- */

static const struct schema custom_origin = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"HTTPPort", WHOLE(0, 65535)}, {"HTTPSPort", WHOLE(0, 65535)},
        {"OriginKeepaliveTimeout", WHOLE_FROM(1)},
        {"OriginProtocolPolicy", CHOICE("http-only", "match-viewer", "https-only"), REQUIRED},
        {"OriginReadTimeout", WHOLE_FROM(1)},
        {"OriginSSLProtocols", LIST_OF(CHOICE("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"))})};

static const struct schema origin = {
    .type = TYPE_MAP,
    .closed = true,
    .one_of = WORDS("CustomOriginConfig", "S3OriginConfig"),
    .fields = FIELDS(
        {"ConnectionAttempts", WHOLE(1, 3)}, {"ConnectionTimeout", WHOLE(1, 10)},
        {"CustomOriginConfig", &custom_origin}, {"DomainName", TEXT_OR_FUNCTION, REQUIRED},
        {"OriginAccessControlId", TEXT_OR_FUNCTION},
        {"OriginCustomHeaders", LIST_OF(CLOSED_MAP({"HeaderName", &any_string, REQUIRED},
                                                   {"HeaderValue", TEXT_OR_FUNCTION, REQUIRED}))},
        {"OriginPath", TEXT_OR_FUNCTION},
        {"S3OriginConfig", CLOSED_MAP({"OriginAccessIdentity",
                                       EITHER(PATTERN("origin-access-identity/cloudfront/…",
                                                      "^origin-access-identity/cloudfront/.+"),
                                              SCHEMA(.words = WORDS("")), &aws_function)})})};

/* ---- behaviors ---- */

#define METHODS CHOICE("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")

static const struct schema forwarded_values = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"Cookies", EITHER(CLOSED_MAP({"Forward", CHOICE("all", "none"), REQUIRED}),
                                  CLOSED_MAP({"Forward", CHOICE("whitelist"), REQUIRED},
                                             {"WhitelistedNames", &list_of_strings, REQUIRED}))},
               {"Headers", &list_of_strings}, {"QueryString", &any_boolean, REQUIRED},
               {"QueryStringCacheKeys", &list_of_strings})};

static const struct schema behavior = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"AllowedMethods", LIST_OF(METHODS)}, {"CachedMethods", LIST_OF(METHODS)},
        {"CachePolicyId", TEXT_OR_FUNCTION}, {"Compress", &any_boolean},
        {"FieldLevelEncryptionId", TEXT_OR_FUNCTION}, {"OriginRequestPolicyId", TEXT_OR_FUNCTION},
        {"ResponseHeadersPolicyId", TEXT_OR_FUNCTION}, {"SmoothStreaming", &any_boolean},
        {"TrustedSigners", &list_of_strings},
        {"ViewerProtocolPolicy", CHOICE("allow-all", "redirect-to-https", "https-only")},
        {"TrustedKeyGroups", LIST_OF(TEXT_OR_FUNCTION)}, {"MaxTTL", &any_number},
        {"MinTTL", &any_number}, {"DefaultTTL", &any_number},
        {"ForwardedValues", &forwarded_values})};

/* ---- the event ---- */

const struct schema schema_cloud_front = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"behavior", &behavior},
        {"cachePolicy",
         SCHEMA(.type = TYPE_MAP, .closed = true, .one_of = WORDS("id", "name"),
                .fields = FIELDS({"id", &aws_instruction}, {"name", &non_empty_string}))},
        {"eventType",
         CHOICE("viewer-request", "origin-request", "origin-response", "viewer-response"),
         REQUIRED},
        {"isDefaultOrigin", &any_boolean}, {"includeBody", &any_boolean},
        {"origin", EITHER(PATTERN("a URL", "^[A-Za-z][A-Za-z0-9+.-]*://[^[:space:]]+$"), &origin),
         REQUIRED},
        {"pathPattern",
         PATTERN("a path pattern of CloudFront", "^([A-Za-z0-9_.*?$/~\"'@:+-]|&amp;)+$")})};

/* ---- the provider ---- */

#define CHOSEN(key, list, ...) \
    CLOSED_MAP({key, CHOICE(__VA_ARGS__), REQUIRED}, {list, &list_of_strings})

static const struct schema cache_key = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"CookiesConfig",
         CHOSEN("CookieBehavior", "Cookies", "none", "whitelist", "allExcept", "all"), REQUIRED},
        {"EnableAcceptEncodingBrotli", &any_boolean},
        {"EnableAcceptEncodingGzip", &any_boolean, REQUIRED},
        {"HeadersConfig", CHOSEN("HeaderBehavior", "Headers", "none", "whitelist"), REQUIRED},
        {"QueryStringsConfig",
         CHOSEN("QueryStringBehavior", "QueryStrings", "none", "whitelist", "allExcept", "all"),
         REQUIRED})};

const struct schema schema_cloud_front_provider = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"cachePolicies",
         MAP_OF(CLOSED_MAP({"Comment", &any_string}, {"DefaultTTL", &count_number, REQUIRED},
                           {"MaxTTL", &count_number, REQUIRED}, {"MinTTL", &count_number, REQUIRED},
                           {"ParametersInCacheKeyAndForwardedToOrigin", &cache_key, REQUIRED}))})};
