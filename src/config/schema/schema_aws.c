/* Definitions that provider, functions, events and resources share: ARNs, CloudFormation functions,
 * policies, tags, Lambda's own limits. Sources: the dialect's schema; AWS Lambda API reference. */
#include "config/schema/schema.h"

const struct schema any_string = {.type = TYPE_STRING};
const struct schema plain_text = {.type = TYPE_STRING, .text_read = true};
const struct schema any_number = {.type = TYPE_NUMBER};
const struct schema any_boolean = {.type = TYPE_BOOLEAN};
const struct schema any_map = {.type = TYPE_MAP};
const struct schema any_list = {.type = TYPE_LIST};
const struct schema list_of_strings = {.type = TYPE_LIST, .items = &any_string};
const struct schema string_map = {.type = TYPE_MAP, .values = &any_string};
const struct schema non_empty_string = {.type = TYPE_STRING, .has_min = true, .min = 1};
const struct schema count_number = {.type = TYPE_INTEGER, .has_min = true, .min = 0};

/* ---- CloudFormation functions ---- */

#define FUNCTION(key, of)                                                               \
    {                                                                                   \
        .type = TYPE_MAP, .closed = true, .expected = "{" key ": …}", .wrong = REFUSED, \
        .fields = FIELDS({key, (of), REQUIRED})                                         \
    }
#define ITEMS(lo, hi, of)                                                                 \
    SCHEMA(.type = TYPE_LIST, .has_min = true, .min = (lo), .has_max = true, .max = (hi), \
           .items = (of))

const struct schema aws_get_att = FUNCTION("Fn::GetAtt", ITEMS(2, 2, &non_empty_string));
const struct schema aws_join = FUNCTION("Fn::Join", ITEMS(2, 2, NULL));
const struct schema aws_import = FUNCTION("Fn::ImportValue", NULL);
const struct schema aws_ref = FUNCTION("Ref", &non_empty_string);
static const struct schema aws_sub = FUNCTION("Fn::Sub", NULL);

/* The dialect takes every map for one; here it must at least be called like one. */
static const struct schema aws_other = {.type = TYPE_MAP,
                                        .closed = true,
                                        .expected = "a CloudFormation function",
                                        .has_min = true,
                                        .min = 1,
                                        .has_max = true,
                                        .max = 1,
                                        .wrong_keys = REFUSED,
                                        .keys_expected = "Ref, Condition or Fn::…",
                                        .keys = "^(Ref|Condition|Fn::[A-Za-z0-9]+)$"};

const struct schema aws_function = {
    .expected = "a CloudFormation function",
    .wrong = REFUSED,
    .any = ANY_OF(&aws_import, &aws_join, &aws_get_att, &aws_ref, &aws_sub, &aws_other)};
const struct schema aws_instruction = {.expected = "a string or a CloudFormation function",
                                       .wrong = REFUSED,
                                       .any = ANY_OF(&non_empty_string, &aws_function)};
const struct schema aws_if = FUNCTION("Fn::If", ITEMS(3, 3, &aws_instruction));

#define TEXT_OR_FUNCTION EITHER(&any_string, &aws_function)

const struct schema aws_split = FUNCTION("Fn::Split", ITEMS(2, 2, TEXT_OR_FUNCTION));
static const struct schema aws_find_in_map =
    FUNCTION("Fn::FindInMap", ITEMS(3, 3, TEXT_OR_FUNCTION));
static const struct schema aws_get_azs =
    FUNCTION("Fn::GetAZs", EITHER(&non_empty_string, &aws_ref));
static const struct schema aws_select = FUNCTION(
    "Fn::Select", ITEMS(2, 2,
                        EITHER(&any_number, &any_string, &any_list, &aws_find_in_map, &aws_get_att,
                               &aws_get_azs, &aws_if, &aws_split, &aws_ref)));

/* ---- names and ARNs ---- */

const struct schema aws_arn_string = {
    .type = TYPE_STRING, .expected = "an ARN (arn:…)", .pattern = "^arn:", .wrong = REFUSED};
const struct schema aws_arn = {.expected = "an ARN or a CloudFormation function",
                               .wrong = REFUSED,
                               .any = ANY_OF(&aws_arn_string, &aws_function)};
const struct schema aws_kms_arn = {
    .expected = "the ARN of a KMS key or a CloudFormation function",
    .wrong = REFUSED,
    .any = ANY_OF(&aws_function, PATTERN("the ARN of a KMS key", "^arn:aws[a-z-]*:kms"))};
const struct schema aws_bucket_name = {
    .type = TYPE_STRING,
    .expected = "a bucket name (3 to 63 of a-z, 0-9, '.' and '-')",
    .pattern = "^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$",
    .has_min = true,
    .min = 3,
    .has_max = true,
    .max = 63,
    .wrong = REFUSED};
const struct schema aws_image_uri = {
    .type = TYPE_STRING,
    .expected = "the URI of an image in ECR",
    .pattern =
        "^[0-9]+\\.dkr\\.ecr\\.[a-z0-9-]+..amazonaws.com/([^@]+)|([^@:]+@sha256:[a-f0-9]{64})$"};
const struct schema aws_role = {
    .wrong = REFUSED,
    .expected =
        "a role: its ARN, a logical id, Ref, Fn::GetAtt, Fn::ImportValue, Fn::Sub, Fn::Join, "
        "Fn::If, Fn::Select or Fn::FindInMap",
    .any = ANY_OF(&non_empty_string, &aws_sub, &aws_import, &aws_get_att, &aws_ref, &aws_join,
                  &aws_if, &aws_select, &aws_find_in_map)};

/* ---- policies ---- */

static const struct schema star = {.words = WORDS("*")};
static const struct schema logical_id = {
    .type = TYPE_STRING, .expected = "a logical id", .pattern = "^[#A-Za-z0-9_./-]+[*]?$"};
static const struct schema account_id = {
    .type = TYPE_STRING, .expected = "an account id (12 digits)", .pattern = "^[0-9]{12}$"};
static const struct schema api_arn = {
    .type = TYPE_STRING, .expected = "execute-api:/…", .pattern = "^execute-api:/"};

static const struct schema principal = {
    .wrong = REFUSED,
    .expected = "a principal: '*' or a map of AWS, Service, Federated, CanonicalUser",
    .any = ANY_OF(
        &star, CLOSED_MAP({"AWS", EITHER(&star, &aws_if, LIST_OF(EITHER(&account_id, &aws_arn)))},
                          {"Federated", &list_of_strings}, {"Service", &list_of_strings},
                          {"CanonicalUser", &list_of_strings}))};

static const struct schema iam_resource = {
    .expected = "'*', an ARN, a CloudFormation function, or a list of them",
    .any = ANY_OF(&star, &aws_arn, &logical_id, LIST_OF(EITHER(&star, &aws_arn, &logical_id)))};
static const struct schema api_resource = {
    .expected = "'*', an ARN, execute-api:/…, or a list of them",
    .any = ANY_OF(&star, &aws_arn, &api_arn, LIST_OF(EITHER(&star, &aws_arn, &api_arn)))};

#define STATEMENT(resource)                                                                        \
    {                                                                                              \
        .type = TYPE_MAP, .closed = true, .wrong_keys = REFUSED,                                   \
        .any = ANY_OF(SCHEMA(.type = TYPE_MAP, .one_of = WORDS("Action", "NotAction"))),           \
        .one_of = WORDS("Resource", "NotResource"),                                                \
        .fields =                                                                                  \
            FIELDS({"Sid", &any_string}, {"Effect", REFUSED_CHOICE("Allow", "Deny"), REQUIRED},    \
                   {"Action", &list_of_strings}, {"NotAction", &list_of_strings},                  \
                   {"Principal", &principal}, {"NotPrincipal", &principal},                        \
                   {"Resource", (resource)}, {"NotResource", (resource)}, {"Condition", &any_map}) \
    }

static const struct schema iam_statement = STATEMENT(&iam_resource);
static const struct schema api_statement = STATEMENT(&api_resource);
const struct schema aws_iam_statements = {
    .type = TYPE_LIST, .items = &iam_statement, .wrong = STOPS};
const struct schema aws_resource_statements = {.type = TYPE_LIST, .items = &api_statement};

const struct schema aws_tags = {.type = TYPE_MAP,
                                .wrong = STOPS,
                                .values = REFUSED_TEXT_MAX(256),
                                .keys = "^[A-Za-z0-9_./=+: -]{1,128}$",
                                .keys_expected =
                                    "up to 128 letters, digits, spaces and any of _./=+:-",
                                .closed = true};

/* ---- Lambda ---- */

const struct schema aws_architecture = {.words = WORDS("arm64", "x86_64"), .wrong = REFUSED};
const struct schema aws_environment = {
    .type = TYPE_MAP,
    .wrong = STOPS,
    .keys = "^[A-Za-z_][a-zA-Z0-9_]*$",
    .keys_expected = "letters, digits and '_', no digit first",
    .wrong_keys = REFUSED,
    .closed = true,
    .values =
        SCHEMA(.expected = "a string or a CloudFormation function", .wrong = REFUSED,
               .any = ANY_OF(SCHEMA(.words = WORDS("")), &aws_instruction, &aws_if, &aws_select))};
const struct schema aws_layers = {.type = TYPE_LIST, .items = &aws_arn, .wrong = STOPS};
const struct schema aws_memory = {.type = TYPE_INTEGER,
                                  .has_min = true,
                                  .min = 128,
                                  .has_max = true,
                                  .max = 10240,
                                  .wrong = REFUSED};
const struct schema aws_timeout = {
    .type = TYPE_INTEGER, .has_min = true, .min = 1, .has_max = true, .max = 900, .wrong = REFUSED};
const struct schema aws_runtime = {
    .words =
        WORDS("dotnet8", "dotnet9", "dotnet10", "java25", "java21", "java17.al2023", "java17",
              "java11.al2023", "java11", "java8.al2023", "java8.al2", "nodejs20.x", "nodejs22.x",
              "nodejs24.x", "provided.al2", "provided.al2023", "python3.10", "python3.11",
              "python3.12", "python3.13", "python3.14", "ruby3.3", "ruby3.4", "ruby4.0"),
    .expected = "a runtime of Lambda that is still supported"};
const struct schema aws_runtime_management = {
    .any = ANY_OF(
        CHOICE("auto", "onFunctionUpdate"),
        CLOSED_MAP({"mode", CHOICE("auto", "onFunctionUpdate", "manual")}, {"arn", &aws_arn}))};
const struct schema aws_tracing = {.any = ANY_OF(CHOICE("Active", "PassThrough"), &any_boolean)};

#define IDS(hi)                                                                      \
    EITHER(SCHEMA(.type = TYPE_LIST, .has_max = true, .max = (hi), .wrong = REFUSED, \
                  .items = EITHER(&aws_instruction, &aws_if)),                       \
           &aws_split, &aws_find_in_map)

const struct schema aws_vpc = {.type = TYPE_MAP,
                               .closed = true,
                               .fields = FIELDS({"ipv6AllowedForDualStack", &any_boolean},
                                                {"securityGroupIds", IDS(5), EXPECTED},
                                                {"subnetIds", IDS(16), EXPECTED})};
const struct schema aws_log_retention = {
    .type = TYPE_NUMBER,
    .expected = "a retention that CloudWatch Logs has (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, "
                "365, 400, 545, 731, 1827, 2192, 2557, 2922, 3288, 3653 days)",
    .words = WORDS("1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400",
                   "545", "731", "1827", "2192", "2557", "2922", "3288", "3653")};
const struct schema aws_log_protection = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"Name", &any_string, REQUIRED}, {"Description", &any_string},
                     {"Version", &any_string, REQUIRED}, {"Statement", &any_list, REQUIRED})};
const struct schema aws_logging = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"applicationLogLevel", TEXT_CHOICE("DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN")},
        {"logFormat", TEXT_CHOICE("JSON", "Text")},
        {"logGroup", REFUSED_PATTERN("the name of a log group", "^[._/#A-Za-z0-9-]{1,512}$")},
        {"systemLogLevel", TEXT_CHOICE("DEBUG", "INFO", "WARN")})};

/* ---- events and APIs ---- */

const struct schema aws_filter_patterns = {
    .type = TYPE_LIST, .has_min = true, .min = 1, .has_max = true, .max = 10, .items = &any_map};
const struct schema aws_payload = {.type = TYPE_STRING, .words = WORDS("1.0", "2.0")};

static const struct schema api_key = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"name", &any_string}, {"value", &any_string}, {"description", &any_string},
                     {"customerId", &any_string}, {"enabled", &any_boolean})};
const struct schema api_keys = {
    .type = TYPE_LIST,
    .items = EITHER(&any_string, &api_key,
                    SCHEMA(.type = TYPE_MAP, .has_max = true, .max = 1,
                           .values = LIST_OF(EITHER(&any_string, &api_key))))};
