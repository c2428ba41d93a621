/* Settings of a bucket below provider.s3.<key>: CloudFormation's properties of AWS::S3::Bucket,
 * with a small first letter. Source: CloudFormation template reference. */
#include "config/schema/schema.h"

static const struct schema accelerate_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"AccelerationStatus", CHOICE("Enabled", "Suspended"), REQUIRED})};

static const struct schema analytics_configurations = {
    .type = TYPE_LIST,
    .items = CLOSED_MAP(
        {"Id", &any_string, REQUIRED}, {"Prefix", &any_string},
        {"StorageClassAnalysis",
         CLOSED_MAP({"DataExport",
                     CLOSED_MAP({"Destination",
                                 CLOSED_MAP({"BucketAccountId",
                                             SCHEMA(.type = TYPE_STRING, .pattern = "[0-9]{12}")},
                                            {"BucketArn", &aws_arn, REQUIRED},
                                            {"Format", CHOICE("CSV", "ORC", "Parquet"), REQUIRED},
                                            {"Prefix", &any_string}),
                                 REQUIRED},
                                {"OutputSchemaVersion", CHOICE("V_1"), REQUIRED})}),
         REQUIRED},
        {"TagFilters",
         LIST_OF(CLOSED_MAP({"Key", &any_string, REQUIRED}, {"Value", &any_string, REQUIRED}))})};

static const struct schema bucket_encryption = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"ServerSideEncryptionConfiguration",
         LIST_OF(CLOSED_MAP(
             {"ServerSideEncryptionByDefault",
              CLOSED_MAP({"KMSMasterKeyID",
                          EITHER(&aws_arn, SCHEMA(.type = TYPE_STRING, .pattern = "^[a-f0-9-]+$"))},
                         {"SSEAlgorithm", CHOICE("AES256", "aws:kms"), REQUIRED})},
             {"BucketKeyEnabled", &any_boolean})),
         REQUIRED})};

static const struct schema cors_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"CorsRules",
         LIST_OF(CLOSED_MAP(
             {"AllowedHeaders", LIST_OF(&any_string)},
             {"AllowedMethods", LIST_OF(CHOICE("GET", "PUT", "HEAD", "POST", "DELETE")), REQUIRED},
             {"AllowedOrigins", LIST_OF(&any_string), REQUIRED},
             {"ExposedHeaders", LIST_OF(&any_string)}, {"Id", &any_string},
             {"MaxAge", &count_number})),
         REQUIRED})};

static const struct schema inventory_configurations = {
    .type = TYPE_LIST,
    .items = CLOSED_MAP(
        {"Destination",
         CLOSED_MAP({"BucketAccountId", SCHEMA(.type = TYPE_STRING, .pattern = "[0-9]{12}")},
                    {"BucketArn", &aws_arn, REQUIRED},
                    {"Format", CHOICE("CSV", "ORC", "Parquet"), REQUIRED}, {"Prefix", &any_string}),
         REQUIRED},
        {"Enabled", &any_boolean, REQUIRED}, {"Id", &any_string, REQUIRED},
        {"IncludedObjectVersions", CHOICE("All", "Current"), REQUIRED},
        {"OptionalFields", LIST_OF(&any_string)}, {"Prefix", &any_string},
        {"ScheduleFrequency", CHOICE("Daily", "Weekly"), REQUIRED})};

static const struct schema lifecycle_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS({"Rules",
                LIST_OF(CLOSED_MAP(
                    {"AbortIncompleteMultipartUpload",
                     CLOSED_MAP({"DaysAfterInitiation", &count_number, REQUIRED})},
                    {"ExpirationDate", &any_string},
                    {"ExpirationInDays", EITHER(&count_number, &aws_function, &aws_if)},
                    {"Id", &any_string}, {"NoncurrentVersionExpirationInDays", &count_number},
                    {"NoncurrentVersionTransition",
                     CLOSED_MAP({"StorageClass",
                                 CHOICE("DEEP_ARCHIVE", "GLACIER", "INTELLIGENT_TIERING",
                                        "ONEZONE_IA", "STANDARD_IA"),
                                 REQUIRED},
                                {"TransitionInDays", &count_number, REQUIRED})},
                    {"NoncurrentVersionTransitions",
                     LIST_OF(CLOSED_MAP({"StorageClass",
                                         CHOICE("DEEP_ARCHIVE", "GLACIER", "INTELLIGENT_TIERING",
                                                "ONEZONE_IA", "STANDARD_IA"),
                                         REQUIRED},
                                        {"TransitionInDays", &count_number, REQUIRED}))},
                    {"Prefix", &any_string}, {"Status", CHOICE("Disabled", "Enabled"), REQUIRED},
                    {"TagFilters", LIST_OF(CLOSED_MAP({"Key", &any_string, REQUIRED},
                                                      {"Value", &any_string, REQUIRED}))},
                    {"Transitions",
                     LIST_OF(CLOSED_MAP({"StorageClass",
                                         CHOICE("DEEP_ARCHIVE", "GLACIER", "INTELLIGENT_TIERING",
                                                "ONEZONE_IA", "STANDARD_IA"),
                                         REQUIRED},
                                        {"TransitionDate", &any_string},
                                        {"TransitionInDays", WHOLE_FROM(1)}))})),
                REQUIRED})};

static const struct schema logging_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"DestinationBucketName", EITHER(&aws_bucket_name, &aws_function)},
                     {"LogFilePrefix", &any_string})};

static const struct schema metrics_configurations = {
    .type = TYPE_LIST,
    .items = CLOSED_MAP({"Id", &any_string, REQUIRED}, {"Prefix", &any_string},
                        {"TagFilters", LIST_OF(CLOSED_MAP({"Key", &any_string, REQUIRED},
                                                          {"Value", &any_string, REQUIRED}))})};

/* Lists of notifications, to a Lambda function, a queue or a topic. */
#define NOTIFICATIONS(target)                                                                \
    LIST_OF(CLOSED_MAP(                                                                      \
        {"Event", SCHEMA(.type = TYPE_STRING, .pattern = "^s3:"), REQUIRED},                 \
        {"Filter",                                                                           \
         CLOSED_MAP(                                                                         \
             {"S3Key",                                                                       \
              CLOSED_MAP({"Rules",                                                           \
                          LIST_OF(CLOSED_MAP({"Name", CHOICE("prefix", "suffix"), REQUIRED}, \
                                             {"Value", &any_string, REQUIRED})),             \
                          REQUIRED}),                                                        \
              REQUIRED})},                                                                   \
        {target, &aws_arn, REQUIRED}))

static const struct schema notification_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"LambdaConfigurations", NOTIFICATIONS("Function")},
                     {"QueueConfigurations", NOTIFICATIONS("Queue")},
                     {"TopicConfigurations", NOTIFICATIONS("Topic")})};

static const struct schema object_lock_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"ObjectLockEnabled", CHOICE("Enabled")},
                     {"Rule", CLOSED_MAP({"DefaultRetention",
                                          CLOSED_MAP({"Days", &count_number},
                                                     {"Mode", CHOICE("COMPLIANCE", "GOVERNANCE")},
                                                     {"Years", &count_number})})})};

static const struct schema public_access_block_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"BlockPublicAcls", &any_boolean}, {"BlockPublicPolicy", &any_boolean},
                     {"IgnorePublicAcls", &any_boolean}, {"RestrictPublicBuckets", &any_boolean})};

static const struct schema replication_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"Role", &aws_arn, REQUIRED},
        {"Rules",
         LIST_OF(CLOSED_MAP(
             {"DeleteMarkerReplication", CLOSED_MAP({"Status", CHOICE("Disabled", "Enabled")})},
             {"Destination",
              CLOSED_MAP({"AccessControlTranslation",
                          CLOSED_MAP({"Owner", CHOICE("Destination"), REQUIRED})},
                         {"Account", SCHEMA(.type = TYPE_STRING, .pattern = "^[0-9]{12}$")},
                         {"Bucket", &aws_arn, REQUIRED},
                         {"EncryptionConfiguration",
                          CLOSED_MAP({"ReplicaKmsKeyID", &any_string, REQUIRED})},
                         {"Metrics",
                          CLOSED_MAP({"EventThreshold",
                                      CLOSED_MAP({"Minutes", &count_number, REQUIRED}), REQUIRED},
                                     {"Status", CHOICE("Disabled", "Enabled"), REQUIRED})},
                         {"ReplicationTime",
                          CLOSED_MAP({"Status", CHOICE("Disabled", "Enabled"), REQUIRED},
                                     {"Time", CLOSED_MAP({"Minutes", &count_number, REQUIRED}),
                                      REQUIRED})},
                         {"StorageClass",
                          CHOICE("DEEP_ARCHIVE", "GLACIER", "INTELLIGENT_TIERING", "ONEZONE_IA",
                                 "OUTPOSTS", "REDUCED_REDUNDANCY", "STANDARD", "STANDARD_IA")}),
              REQUIRED},
             {"Filter", CLOSED_MAP({"And", CLOSED_MAP({"Prefix", &any_string},
                                                      {"TagFilters",
                                                       LIST_OF(CLOSED_MAP(
                                                           {"Key", &any_string, REQUIRED},
                                                           {"Value", &any_string, REQUIRED}))})},
                                   {"Prefix", &any_string},
                                   {"TagFilter", CLOSED_MAP({"Key", &any_string, REQUIRED},
                                                            {"Value", &any_string, REQUIRED})})},
             {"Id", &any_string}, {"Prefix", &any_string},
             {"Priority", SCHEMA(.type = TYPE_INTEGER)},
             {"SourceSelectionCriteria",
              CLOSED_MAP({"SseKmsEncryptedObjects",
                          CLOSED_MAP({"Status", CHOICE("Disabled", "Enabled"), REQUIRED}),
                          REQUIRED})},
             {"Status", CHOICE("Disabled", "Enabled"), REQUIRED})),
         REQUIRED})};

static const struct schema tags = {
    .type = TYPE_LIST,
    .items = CLOSED_MAP({"Key", &any_string, REQUIRED}, {"Value", &any_string, REQUIRED})};

static const struct schema versioning_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS({"Status", CHOICE("Enabled", "Suspended"), REQUIRED})};

static const struct schema website_configuration = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        {"ErrorDocument", &any_string}, {"IndexDocument", &any_string},
        {"RedirectAllRequestsTo",
         CLOSED_MAP({"HostName", &any_string, REQUIRED}, {"Protocol", CHOICE("http", "https")})},
        {"RoutingRules",
         LIST_OF(CLOSED_MAP(
             {"RedirectRule",
              CLOSED_MAP({"HostName", &any_string}, {"HttpRedirectCode", &any_string},
                         {"Protocol", CHOICE("http", "https")},
                         {"ReplaceKeyPrefixWith", &any_string}, {"ReplaceKeyWith", &any_string}),
              REQUIRED},
             {"RoutingRuleCondition", CLOSED_MAP({"HttpErrorCodeReturnedEquals", &any_string},
                                                 {"KeyPrefixEquals", &any_string})}))})};

static const struct field fields[] = {
    {"accelerateConfiguration", &accelerate_configuration},
    {"accessControl", &any_string},
    {"analyticsConfigurations", &analytics_configurations},
    {"bucketEncryption", &bucket_encryption},
    {"bucketName", &aws_bucket_name},
    {"corsConfiguration", &cors_configuration},
    {"inventoryConfigurations", &inventory_configurations},
    {"lifecycleConfiguration", &lifecycle_configuration},
    {"loggingConfiguration", &logging_configuration},
    {"metricsConfigurations", &metrics_configurations},
    {"name", &aws_bucket_name},
    {"notificationConfiguration", &notification_configuration},
    {"objectLockConfiguration", &object_lock_configuration},
    {"objectLockEnabled", &any_boolean},
    {"publicAccessBlockConfiguration", &public_access_block_configuration},
    {"replicationConfiguration", &replication_configuration},
    {"tags", &tags},
    {"versioningConfiguration", &versioning_configuration},
    {"websiteConfiguration", &website_configuration},
    {0}};

const struct schema schema_bucket = {.type = TYPE_MAP, .closed = true, .fields = fields};
