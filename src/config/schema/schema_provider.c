/* What stands below `provider`. */
#include "config/schema/schema.h"

/* ---- apiGateway ---- */

#define QUOTA_AND_THROTTLE                                                        \
    CLOSED_MAP(                                                                   \
        {"quota", CLOSED_MAP({"limit", &count_number}, {"offset", &count_number}, \
                             {"period", CHOICE("DAY", "WEEK", "MONTH")})},        \
        {"throttle", CLOSED_MAP({"burstLimit", &count_number}, {"rateLimit", &count_number})})

static const struct schema api_gateway = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"apiKeys", &api_keys}, {"apiKeySourceType", CASELESS("HEADER", "AUTHORIZER")},
        {"binaryMediaTypes", LIST_OF(PATTERN("a media type", "^[^[:space:]]+/[^[:space:]]+$"))},
        {"description", &any_string}, {"disableDefaultEndpoint", &any_boolean},
        {"endpoint", CLOSED_MAP({"securityPolicy", &any_string},
                                {"accessMode", CASELESS("BASIC", "STRICT", "")})},
        {"metrics", &any_boolean}, {"minimumCompressionSize", REFUSED_WHOLE(0, 10485760)},
        {"resourcePolicy", &aws_resource_statements}, {"restApiId", &aws_instruction},
        {"restApiResources",
         EITHER(LIST_OF(CLOSED_MAP({"path", &any_string}, {"resourceId", &any_string})),
                MAP_OF(&aws_instruction))},
        {"restApiRootResourceId", &aws_instruction},
        {"request", CLOSED_MAP({"schemas", MAP_OF(CLOSED_MAP({"schema", &any_map, REQUIRED},
                                                             {"name", &any_string},
                                                             {"description", &any_string}))})},
        {"shouldStartNameWithService", &any_boolean}, {"stage", &any_string},
        {"timeoutInMillis", WHOLE_FROM(50)},
        {"usagePlan",
         EITHER(QUOTA_AND_THROTTLE, LIST_OF(SCHEMA(.type = TYPE_MAP, .has_max = true, .max = 1,
                                                   .values = QUOTA_AND_THROTTLE)))},
        {"websocketApiId", &aws_instruction})};

/* ---- alb ---- */

#define ALB_AUTHORIZER(kind, ...)                                                             \
    CLOSED_MAP({"type", CHOICE(kind), REQUIRED}, __VA_ARGS__,                                 \
               {"onUnauthenticatedRequest", CHOICE("allow", "authenticate", "deny")},         \
               {"requestExtraParams",                                                         \
                SCHEMA(.type = TYPE_MAP, .has_max = true, .max = 10, .values = &any_string)}, \
               {"scope", &any_string}, {"sessionCookieName", &any_string},                    \
               {"sessionTimeout", &count_number})

static const struct schema alb = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"targetGroupPrefix", TEXT_MAX(16)},
               {"authorizers",
                MAP_OF(EITHER(
                    ALB_AUTHORIZER("oidc", {"authorizationEndpoint", &any_string, REQUIRED},
                                   {"clientId", &any_string, REQUIRED},
                                   {"clientSecret", &any_string}, {"issuer", &any_string, REQUIRED},
                                   {"tokenEndpoint", &any_string, REQUIRED},
                                   {"userInfoEndpoint", &any_string, REQUIRED}),
                    ALB_AUTHORIZER("cognito", {"userPoolArn", &aws_arn, REQUIRED},
                                   {"userPoolClientId", &any_string, REQUIRED},
                                   {"userPoolDomain", &any_string, REQUIRED})))})};

/* ---- httpApi ---- */

#define ONE_OR_MORE EITHER(&aws_instruction, LIST_OF(&aws_instruction))

static const struct schema jwt_authorizer = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"type", CHOICE("jwt")}, {"name", &any_string},
               {"identitySource", &aws_instruction, REQUIRED},
               {"issuerUrl", &aws_instruction, REQUIRED}, {"audience", ONE_OR_MORE, REQUIRED})};

static const struct schema request_authorizer = {
    .type = TYPE_MAP,
    .fields = FIELDS(
        {"type", CHOICE("request"), REQUIRED}, {"name", &any_string}, {"functionName", &any_string},
        {"functionArn", &aws_instruction}, {"managedExternally", &any_boolean},
        {"resultTtlInSeconds", REFUSED_WHOLE(0, 3600)}, {"enableSimpleResponses", &any_boolean},
        {"payloadVersion", &aws_payload}, {"identitySource", ONE_OR_MORE})};

static const struct schema http_api = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"authorizers", MAP_OF(EITHER(&jwt_authorizer, &request_authorizer))},
        {"cors", EITHER(&any_boolean, CLOSED_MAP({"allowCredentials", &any_boolean},
                                                 {"allowedHeaders", &list_of_strings},
                                                 {"allowedMethods", &list_of_strings},
                                                 {"allowedOrigins", &list_of_strings},
                                                 {"exposedResponseHeaders", &list_of_strings},
                                                 {"maxAge", &count_number}))},
        {"id", EITHER(&any_string, &aws_import)}, {"name", &any_string},
        {"description", &any_string}, {"payload", &any_string}, {"metrics", &any_boolean},
        {"useProviderTags", SCHEMA(.constant = "true")}, {"disableDefaultEndpoint", &any_boolean},
        {"shouldStartNameWithService", &any_boolean})};

/* ---- iam, logs ---- */

static const struct schema iam = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"role",
         EITHER(&aws_role,
                CLOSED_MAP({"name", REFUSED_PATTERN("a role name (up to 64 of A-Za-z0-9/_+=,.@-)",
                                                    "^[A-Za-z0-9/_+=,.@-]{1,64}$")},
                           {"path", REFUSED_PATTERN("a path that starts and ends with '/'",
                                                    "^/$|^/[!-~]+/$")},
                           {"managedPolicies", LIST_OF(&aws_arn)},
                           {"statements", &aws_iam_statements}, {"permissionBoundary", &aws_arn},
                           {"permissionsBoundary", &aws_arn}, {"tags", &aws_tags}))},
        {"deploymentRole", &aws_arn})};

#define API_LOGS(...)                                                                      \
    EITHER(&any_boolean,                                                                   \
           CLOSED_MAP({"accessLogging", &any_boolean}, {"executionLogging", &any_boolean}, \
                      {"format", &any_string}, {"fullExecutionData", &any_boolean},        \
                      {"level", CHOICE("INFO", "ERROR")}, ##__VA_ARGS__))

static const struct schema logs = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"frameworkLambda", &any_boolean},
               {"httpApi", EITHER(&any_boolean, CLOSED_MAP({"format", &any_string}))},
               {"restApi", API_LOGS({"role", &aws_arn}, {"roleManagedExternally", &any_boolean})},
               {"websocket", API_LOGS()}, {"lambda", &aws_logging})};

/* ---- buckets ---- */

static const struct schema deployment_bucket_settings = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"blockPublicAccess", &any_boolean}, {"skipPolicySetup", &any_boolean},
               {"maxPreviousDeploymentArtifacts", &count_number,
                .no_effect = "'custom.troupe.history.keep' says how many deployments of a "
                             "stage can be gone back to"},
               {"name", &aws_bucket_name}, {"versioning", &any_boolean},
               {"serverSideEncryption", CHOICE("AES256", "aws:kms")},
               {"sseCustomerAlgorithim", NULL, UNSUPPORTED}, {"sseCustomerKey", NULL, UNSUPPORTED},
               {"sseCustomerKeyMD5", NULL, UNSUPPORTED}, {"sseKMSKeyId", &any_string},
               {"tags", &aws_tags}),
    .unsupported_help = "Lambda and CloudFormation cannot read what is encrypted with a key that "
                        "only the caller has: use 'serverSideEncryption'"};
static const struct schema deployment_bucket = {
    .any = ANY_OF(&aws_bucket_name, &deployment_bucket_settings)};

/* ---- images ---- */

static const struct schema image = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"uri", &aws_image_uri}, {"path", &any_string}, {"file", &any_string},
                     {"buildArgs", &string_map}, {"buildOptions", &list_of_strings},
                     {"cacheFrom", &list_of_strings}, {"platform", &any_string},
                     {"provenance", &any_string})};

static const struct schema ecr = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"scanOnPush", &any_boolean},
               {"maxImageCount", WHOLE_FROM(1),
                .no_effect = "stages go back to images of older deployments, so none expires"},
               {"images", MAP_OF(EITHER(&image, &any_string)), REQUIRED})};

/* ---- the rest ---- */

static const struct schema rollback = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"RollbackTriggers",
                      LIST_OF(CLOSED_MAP({"Arn", &aws_arn_string, REQUIRED},
                                         {"Type", CHOICE("AWS::CloudWatch::Alarm"), REQUIRED}))},
                     {"MonitoringTimeInMinutes", &count_number})};

static const struct schema region = {
    .expected = "a region of AWS",
    .words = WORDS("us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1",
                   "us-iso-west-1", "us-isob-east-1", "us-west-1", "us-west-2", "af-south-1",
                   "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
                   "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
                   "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
                   "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
                   "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
                   "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
                   "mx-central-1", "sa-east-1")};

static const struct field fields[] = {
    {"name", SCHEMA(.words = WORDS("aws"), .wrong = STOPS), REQUIRED},
    {"alb", &alb},
    {"apiGateway", &api_gateway},
    {"apiName", &plain_text},
    {"architecture", &aws_architecture},
    {"cfnRole", &aws_arn},
    {"cloudFront", &schema_cloud_front_provider},
    {"deploymentBucket", &deployment_bucket},
    {"deploymentPrefix", &plain_text,
     .no_effect = "what is deployed is kept below 'troupe/<service>/' of the bucket; only "
                  "what 'troupe package' writes has the prefix"},
    {"deletionProtection",
     EITHER(&any_boolean, CLOSED_MAP({"stages", LIST_OF(&any_string), REQUIRED})), ONLY_4,
     .no_effect = "'custom.troupe.protect' names the stages that are not changed unasked"},
    {"disableRollback", &any_boolean,
     .no_effect = "an update that fails is always rolled back, so that the stage serves what it "
                  "served before"},
    {"endpointType", SCHEMA(.type = TYPE_STRING, .words = WORDS("REGIONAL", "EDGE", "PRIVATE"),
                            .ignore_case = true, .text_read = true)},
    {"environment", &aws_environment},
    {"eventBridge", CLOSED_MAP({"useCloudFormation", &any_boolean}), ONLY_3},
    {"httpApi", &http_api},
    {"iam", &iam},
    {"iamManagedPolicies", LIST_OF(&aws_arn)},
    {"iamRoleStatements", &aws_iam_statements},
    {"ecr", &ecr},
    {"kmsKeyArn", &aws_kms_arn},
    {"lambdaHashingVersion", TEXT_CHOICE("20200924", "20201221"), ONLY_3,
     .no_effect = "versions are told apart by their content: remove it"},
    {"layers", &aws_layers},
    {"logRetentionInDays", &aws_log_retention},
    {"logDataProtectionPolicy", &aws_log_protection},
    {"logs", &logs},
    {"memorySize", &aws_memory},
    {"notificationArns", LIST_OF(&aws_arn_string)},
    {"profile", &plain_text},
    {"pruneFunctionVersions", EITHER(&any_boolean, CLOSED_MAP({"number", WHOLE_FROM(1), REQUIRED})),
     ONLY_4, .no_effect = "troupe prunes old versions itself"},
    {"region", &region},
    {"role", &aws_role},
    {"rolePermissionsBoundary", &aws_arn_string},
    {"rollbackConfiguration", &rollback},
    {"runtime", &aws_runtime},
    {"runtimeManagement", &aws_runtime_management},
    {"deploymentMethod", CHOICE("changesets", "direct"),
     .no_effect = "stacks are updated without change sets; 'troupe plan' shows what changes"},
    {"s3", MAP_OF(&schema_bucket)},
    {"stage", PLAIN_PATTERN("a stage name (letters, digits, '-' and '_')", "^[A-Za-z0-9_-]+$")},
    {"stackName",
     SCHEMA(.type = TYPE_STRING, .expected = "a stack name (up to 128 of A-Za-z0-9-)",
            .pattern = "^[a-zA-Z][a-zA-Z0-9-]*$", .has_max = true, .max = 128),
     .no_effect =
         "stacks are called '<service>' and '<service>-<stage>', so that every command finds "
         "every stage; only the log group of an HTTP API has the name"},
    {"stackParameters",
     LIST_OF(CLOSED_MAP(
         {"ParameterKey", &any_string}, {"ParameterValue", &any_string},
         {"UsePreviousValue", &any_boolean},
         {"ResolvedValue", &any_string, .no_effect = "CloudFormation tells it, and takes none"}))},
    {"stackPolicy", &aws_iam_statements},
    {"stackTags", &aws_tags},
    {"tags", &aws_tags},
    {"timeout", &aws_timeout},
    {"tracing", CLOSED_MAP({"apiGateway", &any_boolean}, {"lambda", &aws_tracing})},
    {"vpc", &aws_vpc},
    {"vpcEndpointIds", EITHER(LIST_OF(&aws_instruction), &aws_split)},
    {"versionFunctions", &any_boolean},
    {"websocket", CLOSED_MAP({"useProviderTags", &any_boolean})},
    {"websocketsApiName", &any_string},
    {"kinesis", CLOSED_MAP({"consumerNamingMode", CHOICE("serviceSpecific")})},
    {"websocketsApiRouteSelectionExpression", &any_string},
    {"websocketsDescription", &any_string},
    {0}};

/* Where keys of older versions of the dialect went. */
static const struct hint hints[] = {
    {"apiKeys", "write it as 'provider.apiGateway.apiKeys'"},
    {"usagePlan", "write it as 'provider.apiGateway.usagePlan'"},
    {"resourcePolicy", "write it as 'provider.apiGateway.resourcePolicy'"},
    {"managedPolicies", "write it as 'provider.iam.role.managedPolicies'"},
    {"statements", "write it as 'provider.iam.role.statements'"},
    {"handler", "a handler belongs to a function"},
    {0}};

const struct schema schema_provider = {
    .type = TYPE_MAP, .closed = true, .fields = fields, .hints = hints};
