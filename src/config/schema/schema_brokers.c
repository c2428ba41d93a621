/* The events that brokers and clusters of messages send: kafka, msk, activemq, rabbitmq. */
#include "config/schema/schema.h"

#define SECRET                                                \
    PATTERN("the ARN of a secret (arn:aws:secretsmanager:…)", \
            "^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]+:secret:[A-Za-z0-9/_+=.@-]+")
#define SOME_OF(of) SCHEMA(.type = TYPE_LIST, .has_min = true, .min = 1, .items = (of))
#define POLLERS(least, most) \
    CLOSED_MAP({"minimumPollers", WHOLE(1, least)}, {"maximumPollers", WHOLE(1, most)})

/* What all of them have. */
#define BATCHES                                                               \
    {"batchSize", WHOLE(1, 10000)}, {"maximumBatchingWindow", WHOLE(0, 300)}, \
        {"enabled", &any_boolean},                                            \
    {                                                                         \
        "filterPatterns", &aws_filter_patterns                                \
    }
/* What both kinds of Kafka have. */
#define TOPIC                                                                                 \
    {"topic", &any_string, REQUIRED},                                                         \
        {"startingPosition", TEXT_CHOICE("LATEST", "TRIM_HORIZON", "AT_TIMESTAMP")},          \
        {"startingPositionTimestamp", &any_number},                                           \
    {                                                                                         \
        "consumerGroupId",                                                                    \
            EITHER(SCHEMA(.type = TYPE_STRING, .expected = "a consumer group",                \
                          .pattern = "^[a-zA-Z0-9/*:_+=.@-]*$", .has_max = true, .max = 200), \
                   &aws_function)                                                             \
    }

const struct schema schema_kafka = {
    .type = TYPE_MAP,
    .closed = true,
    .fields = FIELDS(
        TOPIC, BATCHES,
        {"accessConfigurations",
         SCHEMA(.type = TYPE_MAP, .closed = true, .has_min = true, .min = 1,
                .fields = FIELDS(
                    {"vpcSubnet", SOME_OF(PATTERN("a subnet (subnet-…)", "subnet-[a-z0-9]+"))},
                    {"vpcSecurityGroup",
                     SOME_OF(PATTERN("a security group (sg-…)", "sg-[a-z0-9]+"))},
                    {"saslPlainAuth", SOME_OF(SECRET)}, {"saslScram256Auth", SOME_OF(SECRET)},
                    {"saslScram512Auth", SOME_OF(SECRET)},
                    {"clientCertificateTlsAuth", SOME_OF(SECRET)},
                    {"serverRootCaCertificate", SOME_OF(SECRET)})),
         REQUIRED},
        {"bootstrapServers", EITHER(&aws_function, SOME_OF(&aws_instruction)), REQUIRED},
        {"onFailureDestination", &aws_instruction},
        {"provisionedPollerConfig", POLLERS(200, 2000)})};

const struct schema schema_msk = {
    .type = TYPE_MAP,
    .closed = true,
    .fields =
        FIELDS(TOPIC, BATCHES, {"arn", EITHER(&aws_arn_string, &aws_import, &aws_ref), REQUIRED},
               {"saslScram512", &aws_arn}, {"provisionedPollerConfig", POLLERS(1000, 1000)})};

#define BROKER                                                                  \
    BATCHES, {"arn", &aws_arn, REQUIRED}, {"basicAuthArn", &aws_arn, REQUIRED}, \
    {                                                                           \
        "queue", &any_string, REQUIRED                                          \
    }

const struct schema schema_activemq = {.type = TYPE_MAP, .closed = true, .fields = FIELDS(BROKER)};

const struct schema schema_rabbitmq = {
    .type = TYPE_MAP, .closed = true, .fields = FIELDS(BROKER, {"virtualHost", &any_string})};
