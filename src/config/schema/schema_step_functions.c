/* `stepFunctions`, which serverless-step-functions reads. Source: its own schemas (3.28.1). Like
 * the plugin, troupe does not go on with a state machine that they do not allow. */
#include "config/schema/schema.h"

#define CLOSED(...)                                                               \
    SCHEMA(.type = TYPE_MAP, .closed = true, .wrong = STOPS, .wrong_keys = STOPS, \
           .fields = FIELDS(__VA_ARGS__))
#define ONE_OF(...) SCHEMA(.words = WORDS(__VA_ARGS__), .wrong = STOPS)
#define STOPPING(what) SCHEMA(.type = (what), .wrong = STOPS)
#define TEXT_OR_LIST EITHER(&any_string, &any_list)

static const struct schema statements = {.type = TYPE_LIST,
                                         .wrong = STOPS,
                                         .items = CLOSED({"Effect", ONE_OF("Allow", "Deny")},
                                                         {"Action", TEXT_OR_LIST},
                                                         {"Resource", TEXT_OR_LIST})};

/* ---- events ---- */

static const struct schema authorizer = {
    .any =
        ANY_OF(&any_string, CLOSED_MAP({"type", &any_string}, {"authorizerId", &aws_instruction},
                                       {"arn", &aws_arn}, {"name", &any_string},
                                       {"scopes", &any_list}, {"resultTtlInSeconds", &any_number},
                                       {"claims", &any_list}, {"identitySource", &any_string},
                                       {"identityValidationExpression", &any_string}))};

static const struct schema cors = {
    .any = ANY_OF(&any_boolean,
                  CLOSED_MAP({"origin", &any_string}, {"origins", &list_of_strings},
                             {"headers", STOPPING(TYPE_LIST)}, {"methods", &list_of_strings},
                             {"allowCredentials", &any_boolean}, {"maxAge", &any_number}))};

static const struct schema http = {
    .any = ANY_OF(
        PATTERN("METHOD PATH", "^[^ ]+ [^ ]+$"),
        CLOSED_MAP({"path", STOPPING(TYPE_STRING)}, {"method", STOPPING(TYPE_STRING)},
                   {"cors", &cors}, {"private", &any_boolean}, {"authorizer", &authorizer},
                   {"action", &any_string}, {"iamRole", &aws_arn}, {"timeoutInMillis", &any_number},
                   {"request", CLOSED_MAP({"template", EITHER(CHOICE("lambda_proxy"), &any_map)},
                                          {"schemas", &any_map})},
                   {"response", CLOSED_MAP({"headers", &any_map}, {"template", &any_map})},
                   {"responses", MAP_OF(CLOSED_MAP({"statusCode", &any_number},
                                                   {"selectionPattern", &any_string},
                                                   {"responseParameters", &any_map},
                                                   {"responseTemplates", &any_map}))}))};

static const struct schema transformer = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"inputPathsMap", &any_map}, {"inputTemplate", &any_string, REQUIRED})};
static const struct schema retries = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"maximumEventAgeInSeconds", REFUSED_WHOLE(60, 86400)},
                     {"maximumRetryAttempts", REFUSED_WHOLE(0, 185)})};
static const struct schema text_or_map = {.any = ANY_OF(&any_string, &any_map)};

static const struct schema schedule = {
    .any = ANY_OF(&any_string,
                  CLOSED_MAP({"rate", STOPPING(TYPE_STRING), EXPECTED}, {"enabled", &any_boolean},
                             {"input", &text_or_map}, {"inputPath", &any_string},
                             {"inputTransformer", &transformer}, {"name", &any_string},
                             {"description", &any_string},
                             {"method", ONE_OF("eventBus", "scheduler")}, {"timezone", &any_string},
                             {"retryPolicy", &retries}, {"role", &aws_arn}))};

static const struct schema rule = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .fields = FIELDS(
        {"event", &any_map, EXPECTED}, {"enabled", &any_boolean}, {"input", &text_or_map},
        {"inputPath", &any_string}, {"inputTransformer", &transformer}, {"name", &any_string},
        {"description", &any_string}, {"eventBusName", &aws_instruction}, {"iamRole", &aws_arn},
        {"deadLetterConfig", &aws_arn}, {"retryPolicy", &retries})};

static const struct schema event = {
    .type = TYPE_MAP,
    .closed = true,
    .kind = "event",
    .help = "state machines are started by http, schedule, cloudwatchEvent and eventBridge",
    .fields = FIELDS({"http", &http}, {"schedule", &schedule}, {"cloudwatchEvent", &rule},
                     {"eventBridge", &rule})};

/* ---- alarms and notifications ---- */

#define METRIC                                                                                  \
    ONE_OF("executionsTimedOut", "executionsFailed", "executionsAborted", "executionThrottled", \
           "executionsSucceeded")
#define PERIOD WHOLE_FROM(1)
#define MISSING ONE_OF("missing", "ignore", "breaching", "notBreaching")

static const struct schema alarms = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .wrong_keys = STOPS,
    .fields =
        FIELDS({"topics",
                SCHEMA(.type = TYPE_MAP, .closed = true, .wrong = STOPS, .wrong_keys = STOPS,
                       .some_of = WORDS("ok", "alarm", "insufficientData"),
                       .fields = FIELDS({"ok", &aws_instruction}, {"alarm", &aws_instruction},
                                        {"insufficientData", &aws_instruction})),
                REQUIRED},
               {"metrics",
                SCHEMA(.type = TYPE_LIST, .wrong = STOPS, .has_min = true, .min = 1,
                       .items = EITHER(
                           METRIC, CLOSED({"metric", METRIC, REQUIRED}, {"logicalId", &any_string},
                                          {"alarmName", &any_string}, {"treatMissingData", MISSING},
                                          {"period", PERIOD}))),
                REQUIRED},
               {"nameTemplate", &any_string}, {"treatMissingData", MISSING}, {"period", PERIOD})};

static const struct schema target = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .wrong_keys = STOPS,
    .fields = FIELDS({"sns", &aws_instruction},
                     {"sqs", EITHER(CLOSED({"arn", &aws_instruction, REQUIRED},
                                           {"messageGroupId", &any_string, REQUIRED}),
                                    &aws_instruction)},
                     {"kinesis", EITHER(CLOSED({"arn", &aws_instruction, REQUIRED},
                                               {"partitionKeyPath", &any_string}),
                                        &aws_instruction)},
                     {"firehose", &aws_instruction}, {"lambda", &aws_instruction},
                     {"stepFunctions", &aws_instruction}, {"inputPath", &any_string},
                     {"inputTransformer", &transformer})};
#define TARGETS SCHEMA(.type = TYPE_LIST, .wrong = STOPS, .items = &target)

static const struct schema notifications = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .wrong_keys = STOPS,
    .fields = FIELDS({"ABORTED", TARGETS}, {"FAILED", TARGETS}, {"RUNNING", TARGETS},
                     {"SUCCEEDED", TARGETS}, {"TIMED_OUT", TARGETS})};

/* ---- state machines ---- */

static const struct schema machine = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .wrong_keys = STOPS,
    .fields = FIELDS(
        {"id", STOPPING(TYPE_STRING)}, {"events", SCHEMA(.type = TYPE_LIST, .items = &event)},
        {"name", STOPPING(TYPE_STRING)}, {"role", &aws_arn}, {"useExactVersion", &any_boolean},
        {"definition", SCHEMA(.wrong = STOPS, .any = ANY_OF(&any_map, &any_string)), REQUIRED},
        {"dependsOn", TEXT_OR_LIST}, {"tags", STOPPING(TYPE_MAP)}, {"alarms", &alarms},
        {"notifications", &notifications}, {"type", ONE_OF("STANDARD", "EXPRESS")},
        {"retain", &any_boolean},
        {"loggingConfig",
         CLOSED({"level", ONE_OF("ALL", "ERROR", "FATAL", "OFF")},
                {"includeExecutionData", &any_boolean}, {"destinations", LIST_OF(&aws_arn)})},
        {"tracingConfig", CLOSED({"enabled", &any_boolean})},
        {"encryptionConfig", CLOSED({"KmsDataKeyReusePeriodSeconds", &any_number},
                                    {"KmsKeyId", STOPPING(TYPE_STRING)}, {"Type", &any_string})},
        {"inheritGlobalTags", &any_boolean}, {"iamRoleStatements", &statements})};

const struct schema schema_step_functions = {
    .type = TYPE_MAP,
    .closed = true,
    .wrong = STOPS,
    .fields = FIELDS(
        {"stateMachines", SCHEMA(.type = TYPE_MAP, .wrong = STOPS, .values = &machine), REQUIRED},
        {"activities", SCHEMA(.type = TYPE_LIST, .wrong = STOPS, .items = &any_string)},
        {"noOutput", &any_boolean}, {"validate", &any_boolean})};
