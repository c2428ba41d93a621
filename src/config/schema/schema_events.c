/* The events of a function: one row each, and what its properties may be. */
#include "config/schema/schema.h"

/* ---- schedule ---- */

#define RATE                                                                                       \
    REFUSED_PATTERN(                                                                               \
        "rate(…) or cron(…) with six fields",                                                      \
        "^at\\(.+\\)$|^rate\\((1 (minute|hour|day)|(1[0-9]+|[2-9][0-9]*) (minute|hour|day)s)\\)$|" \
        "^cron\\([^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+\\)$")

static const struct schema schedule_input = {
    .any = ANY_OF(
        TEXT_MAX(8192),
        SCHEMA(.type = TYPE_MAP,
               .any = ANY_OF(CLOSED_MAP({"body", TEXT_MAX(8192), REQUIRED}),
                             SCHEMA(.type = TYPE_MAP,
                                    .fields = FIELDS({"body", SCHEMA(.type = TYPE_NULL)})))))};

static const struct schema schedule = {
    .any = ANY_OF(
        RATE,
        CLOSED_MAP(
            {"rate",
             SCHEMA(.type = TYPE_LIST, .has_min = true, .min = 1,
                    .items = EITHER(&aws_function, RATE)),
             REQUIRED},
            {"enabled", &any_boolean},
            {"name", SCHEMA(.type = TYPE_STRING, .pattern = "[._A-Za-z0-9-]+", .has_min = true,
                            .min = 1, .has_max = true, .max = 64)},
            {"description", TEXT_MAX(512)}, {"input", &schedule_input},
            {"inputPath", TEXT_MAX(256)},
            {"inputTransformer", CLOSED_MAP({"inputTemplate", TEXT_RANGE(1, 8192), REQUIRED},
                                            {"inputPathsMap", &any_map})},
            {"method", TEXT_CHOICE("eventBus", "scheduler")},
            {"roleArn", EITHER(&any_string, &aws_function)},
            {"groupName", EITHER(SCHEMA(.type = TYPE_STRING, .pattern = "^[0-9a-zA-Z_.-]+$",
                                        .has_min = true, .min = 1, .has_max = true, .max = 64),
                                 &aws_function)},
            {"timezone", PATTERN("a time zone", "[A-Za-z0-9_/-]+")}))};

/* ---- s3 ---- */

#define FORCE_DEPLOY                                                                             \
    "only what 'troupe package' writes has it; what somebody changed by hand is set again when " \
    "the event changes"

static const struct schema s3 = {
    .any = ANY_OF(
        &any_string,
        CLOSED_MAP(
            {"bucket", EITHER(&any_string, &aws_function, &aws_if), REQUIRED},
            {"event", REFUSED_PATTERN("an event of S3 (s3:…)", "^s3:.+$")},
            {"existing", &any_boolean}, {"forceDeploy", &any_boolean, .no_effect = FORCE_DEPLOY},
            {"rules", LIST_OF(SCHEMA(.type = TYPE_MAP, .closed = true, .wrong = REFUSED,
                                     .wrong_keys = REFUSED, .has_max = true, .max = 1,
                                     .fields = FIELDS(
                                         {"prefix", EITHER(&any_string, &aws_function)},
                                         {"suffix", EITHER(&any_string, &aws_function)})))}))};

/* ---- cognitoUserPool ---- */

static const struct schema cognito_user_pool = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"pool",
                SCHEMA(.type = TYPE_STRING, .expected = "the name of a user pool",
                       .pattern = "^[A-Za-z0-9_[:space:]+=,.@-]+$", .has_max = true, .max = 128),
                REQUIRED},
               {"trigger",
                CHOICE("PreSignUp", "PostConfirmation", "PreAuthentication", "PostAuthentication",
                       "PreTokenGeneration", "CustomMessage", "DefineAuthChallenge",
                       "CreateAuthChallenge", "VerifyAuthChallengeResponse", "UserMigration",
                       "CustomSMSSender", "CustomEmailSender"),
                REQUIRED},
               {"existing", &any_boolean}, {"forceDeploy", &any_boolean, .no_effect = FORCE_DEPLOY},
               {"kmsKeyId", &aws_kms_arn},
               /* the reference reads it, though its schema does not have it */
               {"lambdaVersion", &any_string})};

/* ---- http ---- */

#define METHODS "GET|POST|PUT|PATCH|OPTIONS|HEAD|DELETE|ANY"

static const struct schema http_authorizer = {
    .any = ANY_OF(
        &any_string,
        CLOSED_MAP(
            {"arn", &aws_arn}, {"authorizerId", &aws_instruction}, {"claims", &list_of_strings},
            {"identitySource", &any_string}, {"identityValidationExpression", &any_string},
            {"managedExternally", &any_boolean}, {"name", &any_string},
            {"resultTtlInSeconds", REFUSED_WHOLE(0, 3600)},
            {"scopes", LIST_OF(EITHER(&any_string, &aws_instruction))},
            {"type", CASELESS("token", "cognito_user_pools", "request", "aws_iam", "custom")}))};

static const struct schema http_cors = {
    .any = ANY_OF(&any_boolean,
                  CLOSED_MAP({"allowCredentials", &any_boolean}, {"cacheControl", &any_string},
                             {"headers", &list_of_strings}, {"maxAge", WHOLE_FROM(1)},
                             {"methods", LIST_OF(CHOICE("GET", "POST", "PUT", "PATCH", "OPTIONS",
                                                        "HEAD", "DELETE", "ANY"))},
                             {"origin", &any_string}, {"origins", &list_of_strings}))};

#define REQUIRED_PARAMETERS     \
    MAP_OF(EITHER(&any_boolean, \
                  CLOSED_MAP({"required", &any_boolean}, {"mappedValue", &aws_instruction})))
#define METHOD                                                                     \
    SCHEMA(.type = TYPE_STRING, .expected = "an HTTP method", .ignore_case = true, \
           .wrong = REFUSED, .text_read = true, .pattern = "^(\\*|" METHODS ")$")
#define CONTENT_HANDLING CHOICE("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")

static const struct schema http_request = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"contentHandling", CONTENT_HANDLING}, {"method", METHOD},
                     {"parameters",
                      CLOSED_MAP({"querystrings", REQUIRED_PARAMETERS},
                                 {"headers", REQUIRED_PARAMETERS}, {"paths", REQUIRED_PARAMETERS})},
                     {"passThrough", CHOICE("NEVER", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES")},
                     {"schemas", MAP_OF(EITHER(&any_map, &any_string))}, {"template", &string_map},
                     {"uri", &aws_instruction})};

static const struct schema http_response = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"contentHandling", CONTENT_HANDLING}, {"headers", &string_map},
               {"template", &any_string}, {"transferMode", CASELESS("BUFFERED", "STREAM")},
               {"statusCodes",
                SCHEMA(.type = TYPE_MAP, .closed = true, .wrong_keys = REFUSED,
                       .keys = "^[0-9]{3}$", .keys_expected = "three digits",
                       .values = CLOSED_MAP({"headers", &string_map}, {"pattern", &any_string},
                                            {"template", EITHER(&any_string, &string_map)}))})};

static const struct schema http = {
    .any = ANY_OF(
        SCHEMA(.type = TYPE_STRING, .expected = "'METHOD /path'", .ignore_case = true,
               .wrong = REFUSED,
               /* the reference's pattern wants the slash, but it only warns and packages the same
                */
               .pattern = "^(" METHODS ") (/?[^[:space:]]+)$"),
        CLOSED_MAP(
            {"async", &any_boolean}, {"authorizer", &http_authorizer},
            {"connectionId", &aws_instruction},
            {"connectionType", CASELESS("vpc-link", "VPC_LINK")}, {"cors", &http_cors},
            {"integration",
             SCHEMA(.type = TYPE_STRING, .ignore_case = true, .wrong = REFUSED,
                    .words = WORDS("lambda-proxy", "lambda", "LAMBDA_PROXY", "AWS", "AWS_PROXY",
                                   "AWS-PROXY", "HTTP", "HTTP_PROXY", "HTTP-PROXY", "MOCK"))},
            {"method", METHOD, REQUIRED}, {"operationId", &any_string},
            {"path", PLAIN_PATTERN("a path without white space", "^(\\*|/?[^[:space:]]*)$"),
             REQUIRED},
            {"private", &any_boolean}, {"request", &http_request}, {"response", &http_response},
            {"timeoutInMillis", WHOLE_FROM(50)}))};

/* ---- httpApi ---- */

static const struct schema http_api = {
    .any = ANY_OF(
        SCHEMA(.type = TYPE_STRING, .expected = "'METHOD /path' or '*'", .ignore_case = true,
               .wrong = REFUSED, .pattern = "^(\\*|(" METHODS ") (/[^[:space:]]*))$"),
        CLOSED_MAP(
            {"authorizer",
             EITHER(&any_string,
                    SCHEMA(.type = TYPE_MAP, .closed = true, .some_of = WORDS("id", "name", "type"),
                           .fields = FIELDS({"id", EITHER(&any_string, &aws_function)},
                                            {"name", &any_string}, {"scopes", &list_of_strings},
                                            {"type", TEXT_CHOICE("request", "jwt", "aws_iam")})))},
            {"method", METHOD},
            {"path", PLAIN_PATTERN("a path that starts with '/', or '*'", "^(\\*|/[^[:space:]]*)$"),
             REQUIRED}))};

/* ---- websocket ---- */

static const struct schema websocket = {
    .any = ANY_OF(
        &any_string,
        CLOSED_MAP({"route", &any_string, REQUIRED},
                   {"routeResponseSelectionExpression", CHOICE("$default")},
                   {"authorizer",
                    EITHER(&any_string,
                           SCHEMA(.type = TYPE_MAP, .closed = true, .some_of = WORDS("name", "arn"),
                                  .fields = FIELDS({"name", &any_string}, {"arn", &aws_arn},
                                                   {"identitySource", &list_of_strings})))}))};

/* ---- sns, sqs, stream ---- */

#define TOPIC_NAME                                                            \
    SCHEMA(.type = TYPE_STRING, .wrong = REFUSED, .expected = "a topic name", \
           .pattern = "^[A-Za-z0-9_-]+$", .has_max = true, .max = 256)

static const struct schema sns = {
    .expected = "a topic name, an ARN or a map",
    .wrong = REFUSED,
    .any = ANY_OF(
        TOPIC_NAME, &aws_arn_string,
        SCHEMA(.type = TYPE_MAP, .closed = true, .some_of = WORDS("arn", "topicName"),
               .fields = FIELDS(
                   {"arn", &aws_arn}, {"topicName", TOPIC_NAME}, {"displayName", &non_empty_string},
                   {"filterPolicy", &any_map}, {"filterPolicyScope", &any_string},
                   {"redrivePolicy",
                    SCHEMA(.type = TYPE_MAP, .closed = true,
                           .one_of = WORDS("deadLetterTargetArn", "deadLetterTargetRef",
                                           "deadLetterTargetImport"),
                           .fields =
                               FIELDS({"deadLetterTargetArn", &aws_arn_string},
                                      {"deadLetterTargetRef", &non_empty_string},
                                      {"deadLetterTargetImport",
                                       CLOSED_MAP({"arn", &aws_arn_string, REQUIRED},
                                                  {"url", &non_empty_string, REQUIRED})}))})))};

#define BATCH_FAILURES CHOICE("ReportBatchItemFailures")

static const struct schema sqs = {
    .any = ANY_OF(&aws_arn_string,
                  CLOSED_MAP({"arn", &aws_arn, REQUIRED}, {"batchSize", REFUSED_WHOLE(1, 10000)},
                             {"enabled", &any_boolean},
                             {"maximumBatchingWindow", REFUSED_WHOLE(0, 300)},
                             {"functionResponseType", BATCH_FAILURES},
                             {"filterPatterns", &aws_filter_patterns},
                             {"maximumConcurrency", REFUSED_WHOLE(2, 1000)}))};

/* An ARN from a CloudFormation function does not tell what it is of: `type` must. */
#define ARN_WITH_TYPE                                                                            \
    ANY_OF(SCHEMA(.type = TYPE_MAP,                                                              \
                  .fields = FIELDS({"arn", &aws_function, REQUIRED}, {"type", NULL, REQUIRED})), \
           SCHEMA(.type = TYPE_MAP, .fields = FIELDS({"arn", &aws_arn_string, REQUIRED})))

static const struct schema stream_failure = {
    .any = ANY_OF(&aws_arn_string,
                  SCHEMA(.type = TYPE_MAP, .closed = true, .any = ARN_WITH_TYPE,
                         .fields = FIELDS({"arn", NULL}, {"type", CHOICE("sns", "sqs")})))};

static const struct schema stream = {
    .any = ANY_OF(
        &aws_arn_string,
        SCHEMA(.type = TYPE_MAP, .closed = true, .any = ARN_WITH_TYPE,
               .fields = FIELDS(
                   {"arn", NULL}, {"type", CHOICE("dynamodb", "kinesis")},
                   {"batchSize", REFUSED_WHOLE(1, 10000)},
                   {"parallelizationFactor", REFUSED_WHOLE(1, 10)},
                   {"startingPosition", REFUSED_CHOICE("LATEST", "TRIM_HORIZON", "AT_TIMESTAMP")},
                   {"startingPositionTimestamp", &any_number}, {"enabled", &any_boolean},
                   {"consumer", EITHER(SCHEMA(.constant = "true"), &aws_arn)},
                   {"batchWindow", REFUSED_WHOLE(0, 300)},
                   {"maximumRetryAttempts", REFUSED_WHOLE(-1, 10000)},
                   {"bisectBatchOnFunctionError", &any_boolean},
                   {"maximumRecordAgeInSeconds", EITHER(WHOLE(60, 604800), WHOLE(-1, -1))},
                   {"functionResponseType", BATCH_FAILURES},
                   {"destinations", CLOSED_MAP({"onFailure", &stream_failure, REQUIRED})},
                   {"tumblingWindowInSeconds", REFUSED_WHOLE(0, 900)},
                   {"filterPatterns", &aws_filter_patterns})))};

/* ---- eventBridge ---- */

static const struct schema event_bridge = {
    .type = TYPE_MAP,
    .closed = true,
    .some_of = WORDS("pattern", "schedule"),
    .fields = FIELDS(
        {"eventBus",
         EITHER(&non_empty_string, &aws_arn_string, &aws_import, &aws_ref, &aws_get_att)},
        {"schedule", PATTERN("rate(…) or cron(…)", "^(cron|rate)\\(.+\\)$")},
        {"name", TEXT_RANGE(1, 64)}, {"description", TEXT_MAX(512)}, {"enabled", &any_boolean},
        {"pattern",
         CLOSED_MAP({"version", NULL}, {"id", NULL}, {"detail-type", NULL}, {"source", NULL},
                    {"account", NULL}, {"time", NULL}, {"region", NULL}, {"resources", NULL},
                    {"detail", NULL}, {"$or", &any_list})},
        {"input", &any_map}, {"inputPath", TEXT_RANGE(1, 256)},
        {"inputTransformer", CLOSED_MAP({"inputPathsMap", MAP_OF(&non_empty_string)},
                                        {"inputTemplate", TEXT_RANGE(1, 8192), REQUIRED})},
        {"retryPolicy", CLOSED_MAP({"maximumEventAge", REFUSED_WHOLE(60, 86400)},
                                   {"maximumRetryAttempts", REFUSED_WHOLE(0, 185)})},
        {"deadLetterQueueArn", &aws_arn})};

/* ---- cloudwatchEvent, cloudwatchLog ---- */

static const struct schema cloudwatch_event = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"event", &any_map, REQUIRED}, {"input", EITHER(TEXT_MAX(8192), &any_map)},
        {"inputPath", TEXT_RANGE(1, 256)},
        {"inputTransformer", CLOSED_MAP({"inputPathsMap", MAP_OF(&non_empty_string)},
                                        {"inputTemplate", TEXT_RANGE(1, 8192), REQUIRED})},
        {"description", TEXT_MAX(512)},
        {"name", SCHEMA(.type = TYPE_STRING, .expected = "a rule name (up to 64 of A-Za-z0-9_.-)",
                        .pattern = "[._A-Za-z0-9-]", .has_min = true, .min = 1, .has_max = true,
                        .max = 64)},
        {"enabled", &any_boolean})};

#define LOG_GROUP PATTERN("the name of a log group", "^[/#A-Za-z0-9_.-]+$")

static const struct schema cloudwatch_log = {
    .any =
        ANY_OF(LOG_GROUP, CLOSED_MAP({"logGroup", LOG_GROUP, REQUIRED}, {"filter", &any_string}))};

/* ---- iot, iotFleetProvisioning ---- */

static const struct schema iot = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"sql", &any_string, REQUIRED},
               {"sqlVersion", TEXT_CHOICE("2015-10-08", "2016-03-23", "beta")},
               {"name", &any_string}, {"enabled", &any_boolean}, {"description", &any_string})};

static const struct schema iot_fleet_provisioning = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"enabled", &any_boolean}, {"provisioningRoleArn", &aws_arn, REQUIRED},
                     {"templateBody", &any_map, REQUIRED}, {"templateName", &any_string})};

/* ---- alexaSkill, alexaSmartHome ---- */

#define SKILL_ID                                                                     \
    SCHEMA(.type = TYPE_STRING, .expected = "the id of a skill (amzn1.ask.skill.…)", \
           .pattern = "^[a-zA-Z0-9._-]+$", .has_max = true, .max = 256)

/* Without its id, Lambda lets every skill call the function: the reference warns of it. */
static const struct schema alexa_skill = {
    .any = ANY_OF(SKILL_ID, CLOSED_MAP({"appId", SKILL_ID}, {"enabled", &any_boolean}))};
static const struct schema alexa_smart_home = {
    .any = ANY_OF(SKILL_ID, CLOSED_MAP({"appId", SKILL_ID, REQUIRED}, {"enabled", &any_boolean}))};

/* ---- alb ---- */

#define ALB_HEADER \
    CLOSED_MAP({"name", TEXT_MAX(40), REQUIRED}, {"values", LIST_OF(TEXT_MAX(128)), REQUIRED})
#define ALB_TEXTS(what, re)                                                                   \
    LIST_OF(SCHEMA(.type = TYPE_STRING, .expected = (what), .pattern = (re), .has_max = true, \
                   .max = 128))

static const struct schema alb_conditions = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"header", EITHER(LIST_OF(ALB_HEADER), ALB_HEADER)},
               {"host", ALB_TEXTS("a host name, * and ? for any characters", "^[A-Za-z0-9*?.-]+$")},
               {"ip", &list_of_strings},
               {"method", LIST_OF(SCHEMA(.type = TYPE_STRING, .expected = "an HTTP method",
                                         .pattern = "^[A-Z_-]+$", .has_max = true, .max = 40))},
               {"path", ALB_TEXTS("a path, * and ? for any characters",
                                  "^([A-Za-z0-9*?_.$/~\"'@:+-]|&amp;)+$")},
               {"query", MAP_OF(TEXT_MAX(128))})};

static const struct schema alb_health_check = {
    .any = ANY_OF(
        &any_boolean,
        CLOSED_MAP(
            {"healthyThresholdCount", WHOLE(2, 10)}, {"intervalSeconds", WHOLE(5, 300)},
            {"matcher",
             CLOSED_MAP({"httpCode", PATTERN("status codes like '200,300-302'",
                                             "^[0-9]{3}(-[0-9]{3})?(,[0-9]{3}(-[0-9]{3})?)*$")})},
            {"path", TEXT_RANGE(1, 1024)}, {"timeoutSeconds", WHOLE(2, 120)},
            {"unhealthyThresholdCount", WHOLE(2, 10)}))};

static const struct schema alb = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"authorizer", &list_of_strings}, {"conditions", &alb_conditions, REQUIRED},
        {"healthCheck", &alb_health_check},
        {"listenerArn",
         SCHEMA(.expected = "the ARN of a listener of an Application Load Balancer or a Ref",
                .any = ANY_OF(PATTERN("the ARN of a listener",
                                      "^arn:aws[A-Za-z0-9_-]*:elasticloadbalancing:.+:listener/app/"
                                      "[A-Za-z0-9_-]+/([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)$"),
                              &aws_ref)),
         REQUIRED},
        {"multiValueHeaders", &any_boolean}, {"priority", WHOLE(1, 50000), REQUIRED},
        {"targetGroupName",
         SCHEMA(.type = TYPE_STRING, .expected = "a name of 1 to 32 letters, digits and '-'",
                .pattern = "^[a-zA-Z0-9-]{1,32}$")})};

/* ---- the table ---- */

static const struct field events[] = {{"http", &http},
                                      {"httpApi", &http_api},
                                      {"schedule", &schedule},
                                      {"sns", &sns},
                                      {"sqs", &sqs},
                                      {"s3", &s3},
                                      {"stream", &stream},
                                      {"eventBridge", &event_bridge},
                                      {"websocket", &websocket},
                                      {"alb", &alb},
                                      {"iot", &iot},
                                      {"iotFleetProvisioning", &iot_fleet_provisioning},
                                      {"kafka", &schema_kafka},
                                      {"msk", &schema_msk},
                                      {"activemq", &schema_activemq},
                                      {"rabbitmq", &schema_rabbitmq},
                                      {"cloudwatchEvent", &cloudwatch_event},
                                      {"cloudwatchLog", &cloudwatch_log},
                                      {"cognitoUserPool", &cognito_user_pool},
                                      {"alexaSkill", &alexa_skill},
                                      {"alexaSmartHome", &alexa_smart_home},
                                      {"cloudFront", &schema_cloud_front},
                                      {0}};

const struct schema schema_event = {
    .type = TYPE_MAP,
    .expected = "a map of one event, like '- httpApi: GET /path'",
    .wrong = DOUBTFUL,
    .closed = true,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = 1,
    .fields = events,
    .texts = (const struct hint[]){{"alexaSkill",
                                    "without the id of the skill nothing may call the function: "
                                    "write 'alexaSkill: amzn1.ask.skill.…'"},
                                   {0}},
    .kind = "event",
    .help =
        "events are http, httpApi, websocket, schedule, sns, sqs, s3, stream, eventBridge, alb, "
        "iot, iotFleetProvisioning, kafka, msk, activemq, rabbitmq, cloudwatchEvent, "
        "cloudwatchLog, cognitoUserPool, alexaSkill, alexaSmartHome and cloudFront"};
