/* What stands below functions.<name>. Limits: Lambda API reference, CreateFunction. */
#include "config/schema/schema.h"

static const struct schema destination = {
    .expected = "the name of a function, an ARN, or a map of arn and type",
    .any = ANY_OF(&non_empty_string,
                  CLOSED_MAP({"arn", &aws_function, REQUIRED},
                             {"type", CHOICE("function", "sns", "sqs", "eventBus"), REQUIRED}))};

static const struct schema file_system = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"arn",
         EITHER(REFUSED_PATTERN(
                    "the ARN of an EFS access point",
                    "^arn:aws[a-zA-Z-]*:elasticfilesystem:[a-z]{2}(-gov|-iso(b?))?-[a-z]+-[1-9]:"
                    "[0-9]{12}:access-point/fsap-[a-f0-9]{17}$"),
                &aws_get_att, &aws_join, &aws_import),
         REQUIRED},
        {"localMountPath", REFUSED_PATTERN("a path below /mnt", "^/mnt/[a-zA-Z0-9_.-]+$"),
         REQUIRED})};

#define IMAGE_NAME PATTERN("the name of an image", "^[a-z][a-z0-9_-]{1,31}$")

static const struct schema image = {
    .any = ANY_OF(&aws_image_uri, IMAGE_NAME,
                  CLOSED_MAP({"name", IMAGE_NAME}, {"uri", &aws_image_uri},
                             {"workingDirectory", &any_string}, {"command", &list_of_strings},
                             {"entryPoint", &list_of_strings}))};

static const struct schema schema_function_package = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"artifact", &plain_text}, {"exclude", &list_of_strings, ONLY_3},
                     {"include", &list_of_strings, ONLY_3}, {"individually", &any_boolean},
                     {"patterns", &list_of_strings})};

#define TEXTS(hi)                                                                      \
    SCHEMA(.type = TYPE_LIST, .has_min = true, .min = 1, .has_max = true, .max = (hi), \
           .items = &any_string)

static const struct schema url = {
    .any = ANY_OF(
        &any_boolean,
        CLOSED_MAP(
            /* another one would make the address public */
            {"authorizer",
             SCHEMA(.type = TYPE_STRING, .words = WORDS("aws_iam"), .wrong = REFUSED)},
            {"cors",
             EITHER(&any_boolean,
                    CLOSED_MAP({"allowCredentials", &any_boolean}, {"allowedHeaders", TEXTS(100)},
                               {"allowedMethods", TEXTS(6)}, {"allowedOrigins", TEXTS(100)},
                               {"exposedResponseHeaders", TEXTS(100)}, {"maxAge", &count_number}))},
            {"invokeMode", TEXT_CHOICE("BUFFERED", "RESPONSE_STREAM")}))};

static const struct schema concurrency = {.expected = "a whole number of at least 0",
                                          .wrong = REFUSED,
                                          .any = ANY_OF(&count_number, &aws_function, &aws_if)};

static const struct field fields[] = {
    {"name", PLAIN_PATTERN("a function name (letters, digits, '-' and '_')", "^[a-zA-Z0-9_-]+$")},
    {"events", LIST_OF(&schema_event)},
    {"architecture", &aws_architecture},
    {"awsKmsKeyArn", &aws_kms_arn, .no_effect = "write it as 'kmsKeyArn'"},
    {"condition", &any_string},
    {"dependsOn", &list_of_strings},
    {"description", REFUSED_TEXT_MAX(256)},
    {"destinations", CLOSED_MAP({"onSuccess", &destination}, {"onFailure", &destination})},
    {"disableLogs", &any_boolean},
    {"durableConfig",
     CLOSED_MAP({"executionTimeout", REFUSED_WHOLE(1, 31622400), REQUIRED},
                {"retentionPeriodInDays", REFUSED_WHOLE(1, 90)}),
     ONLY_4},
    {"environment", &aws_environment},
    {"ephemeralStorageSize", REFUSED_WHOLE(512, 10240)},
    {"logs", &aws_logging},
    {"fileSystemConfig", &file_system},
    {"handler", &any_string},
    {"image", &image},
    {"kmsKeyArn", &aws_kms_arn},
    {"recursiveLoop", REFUSED_CHOICE("Allow", "Terminate")},
    {"snapStart", &any_boolean},
    {"layers", &aws_layers},
    {"logRetentionInDays", &aws_log_retention},
    {"logDataProtectionPolicy", &aws_log_protection},
    {"maximumEventAge", REFUSED_WHOLE(60, 21600)},
    {"maximumRetryAttempts", REFUSED_WHOLE(0, 2)},
    {"memorySize", &aws_memory},
    {"onError", EITHER(PATTERN("the ARN of an SNS topic", "^arn:aws[a-z-]*:sns"), &aws_function)},
    {"package", &schema_function_package},
    {"provisionedConcurrency", &concurrency},
    {"reservedConcurrency", &concurrency},
    {"role", &aws_role},
    {"runtime", &aws_runtime},
    {"runtimeManagement", &aws_runtime_management},
    {"tags", &aws_tags},
    {"timeout", &aws_timeout},
    {"tracing", &aws_tracing},
    {"url", &url},
    {"versionFunction", &any_boolean},
    {"vpc", EITHER(&aws_vpc, SCHEMA(.constant = "false"), SCHEMA(.type = TYPE_NULL))},
    {"httpApi", CLOSED_MAP({"payload", &aws_payload})},
    {0}};

const struct schema schema_function = {.type = TYPE_MAP, .closed = true, .fields = fields};
