/* `stream`: an event source mapping from a DynamoDB or Kinesis stream. */
#include "compile/compile_internal.h"

#include <assert.h>

/* What a function's role needs, one statement each, in this order. */
enum stream_right {
    RIGHT_DYNAMODB,
    RIGHT_KINESIS,
    RIGHT_KINESIS_SHARED, /* read through a consumer */
    RIGHT_CONSUMER,
    RIGHT_FAILURE_SNS,
    RIGHT_FAILURE_SQS,
    RIGHT_COUNT
};

static const struct mapping_right rights[] = {
    [RIGHT_DYNAMODB] = {.actions = {"dynamodb:GetRecords", "dynamodb:GetShardIterator",
                                    "dynamodb:DescribeStream", "dynamodb:ListStreams"}},
    [RIGHT_KINESIS] = {.actions = {"kinesis:GetRecords", "kinesis:GetShardIterator",
                                   "kinesis:DescribeStream", "kinesis:ListStreams"}},
    [RIGHT_KINESIS_SHARED] = {.actions = {"kinesis:GetRecords", "kinesis:GetShardIterator",
                                          "kinesis:DescribeStreamSummary", "kinesis:ListShards"}},
    [RIGHT_CONSUMER] = {.actions = {"kinesis:SubscribeToShard"}},
    [RIGHT_FAILURE_SNS] = {.actions = {"sns:Publish"}},
    [RIGHT_FAILURE_SQS] = {.actions = {"sqs:ListQueues", "sqs:SendMessage"}},
};
static_assert(sizeof rights / sizeof *rights == RIGHT_COUNT, "a row for each right");

/* Settings that are copied as they are when they are given at all. */
static const char *const copied[][2] = {
    {"batchWindow", "MaximumBatchingWindowInSeconds"},
    {"maximumRetryAttempts", "MaximumRetryAttempts"},
    {"bisectBatchOnFunctionError", "BisectBatchOnFunctionError"},
    {"tumblingWindowInSeconds", "TumblingWindowInSeconds"},
};

static int stream_begin(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_begin(c, rights, RIGHT_COUNT);
    return 0;
}

static struct str arn_part(struct str arn, char separator, size_t index)
{
    struct str part;
    for (size_t i = 0; str_cut(&arn, separator, &part); i++)
        if (i == index)
            return part;
    return STR("");
}

/* The name of the stream as far as the configuration tells it: it makes the logical id. */
static struct str stream_name(const struct node *arn)
{
    const struct node *parts = node_path(node_get_c(arn, "Fn::Join"), "1");
    if (node_is(arn, NODE_STRING))
        return arn_part(arn->text, '/', 1);
    if (node_get_c(arn, "Fn::GetAtt"))
        return node_text(node_path(node_get_c(arn, "Fn::GetAtt"), "0"));
    if (node_count(parts)) {
        struct str last = node_text(parts->items[parts->count - 1]);
        return str_sub(last, (size_t)(str_rfind_char(last, '/') + 1), SIZE_MAX);
    }
    const struct node *sub = node_get_c(arn, "Fn::Sub");
    if (sub)
        return arn_part(node_text(node_is(sub, NODE_SEQ) ? node_path(sub, "0") : sub), '/', 1);
    return node_text(node_or(node_get_c(arn, "Fn::ImportValue"), node_get_c(arn, "Ref")));
}

static int put_destination(struct compilation *c, const struct event *event, struct node *p,
                           struct err *err)
{
    struct arena *a = c->arena;
    const struct node *failure = node_path(event->node, "destinations.onFailure");
    if (!node_truthy(node_get_c(event->node, "destinations")))
        return 0;
    const struct node *arn = node_is(failure, NODE_MAP) ? node_get_c(failure, "arn") : failure;
    const struct node *type = node_get_c(failure, "type");
    struct str kind = node_truthy(type)           ? node_text(type)
                      : node_is(arn, NODE_STRING) ? arn_part(arn->text, ':', 2)
                                                  : STR("");
    bool is_sns = str_eq(kind, STR("sns"));
    if (!arn || (!is_sns && !str_eq(kind, STR("sqs")))) {
        err_at(err, failure ? failure->pos : event->pos, ERR_CONFIG,
               "'onFailure' must be the ARN of a topic or queue, or a reference with 'type'");
        if (!arn || aws_refuses(c, err) < 0)
            return -1;
    }
    mapping_rights_need(c, event, is_sns ? RIGHT_FAILURE_SNS : RIGHT_FAILURE_SQS, arn);
    node_put_c(a, p, "DestinationConfig", node_fn(a, "OnFailure", node_fn(a, "Destination", arn)));
    return 0;
}

/* A consumer of the stream's own, named after function and stream. */
static const struct node *add_consumer(struct compilation *c, const struct event *event,
                                       const struct node *arn, struct str name, struct err *err)
{
    struct arena *a = c->arena;
    bool is_specific = node_truthy(node_path(c->provider, "kinesis.consumerNamingMode"));
    struct str stem = str_concat(a, event->function->key, name);
    struct node *consumer =
        is_specific ? node_staged(c, str_fmt(a, "%.*s%.*s%.*sConsumer", STR_ARG(stem),
                                             STR_ARG(c->service->name), STR_ARG(c->service->stage)))
                    : node_str(a, str_concat(a, stem, STR("Consumer")));
    struct node *p = node_map(a);
    node_put_c(a, p, "StreamARN", arn);
    node_put_c(a, p, "ConsumerName", consumer);
    struct str id = str_concat(a, name_alphanumeric(a, name_normalize(a, consumer->text)),
                               STR("StreamConsumer"));
    if (resource_add(c, id, resource_new(a, "AWS::Kinesis::StreamConsumer", p), event->pos, err) <
        0)
        return NULL;
    return node_ref(a, id);
}

/* Read through a consumer: `consumer: true` makes one, an ARN names one. */
static int put_consumer(struct compilation *c, const struct event *event, struct str name,
                        struct node *p, struct node *depends_on, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *consumer = node_get_c(event->node, "consumer");
    const struct node *timestamp = node_setting(event->node, NULL, "startingPositionTimestamp");
    const struct node *position = node_get_c(event->node, "startingPosition");
    if (node_is(consumer, NODE_BOOL)) {
        consumer = add_consumer(c, event, node_get_c(p, "EventSourceArn"), name, err);
        if (!consumer)
            return -1;
        node_push(a, depends_on, node_get_c(consumer, "Ref"));
    }
    node_put_c(a, p, "EventSourceArn", consumer);
    mapping_rights_need(c, event, RIGHT_CONSUMER, consumer);
    if (node_is_text(position, "AT_TIMESTAMP") && !timestamp)
        return err_at(err, position->pos, ERR_CONFIG,
                      "'startingPosition: AT_TIMESTAMP' needs 'startingPositionTimestamp'");
    node_put_c(a, p, "StartingPositionTimestamp", timestamp);
    return 0;
}

static struct node *mapping_properties(struct compilation *c, const struct event *event,
                                       const struct node *arn)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node;
    const struct node *size = node_setting(settings, NULL, "batchSize");
    const struct node *enabled = node_get_c(settings, "enabled");
    const struct node *position = node_setting(settings, NULL, "startingPosition");
    struct node *p = node_map(a);
    node_put_c(a, p, "BatchSize", size ? size : node_int(a, 10));
    node_put_c(a, p, "Enabled", enabled ? enabled : node_bool(a, true));
    node_put_c(a, p, "EventSourceArn", arn);
    node_put_c(a, p, "FunctionName", target_arn(c, event->function));
    node_put_c(a, p, "ParallelizationFactor",
               node_setting(settings, NULL, "parallelizationFactor"));
    node_put_c(a, p, "StartingPosition", position ? position : node_c(a, "TRIM_HORIZON"));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        copy_member(a, p, copied[i][1], settings, copied[i][0]);
    node_put_c(a, p, "MaximumRecordAgeInSeconds",
               node_setting(settings, NULL, "maximumRecordAgeInSeconds"));
    put_mapping_response(a, p, settings);
    put_mapping_filters(a, p, settings);
    return p;
}

static int stream_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *arn =
        node_is(event->node, NODE_STRING) ? event->node : node_get_c(event->node, "arn");
    const struct node *given = node_setting(event->node, NULL, "type");
    struct str type = given ? node_text(given) : arn_part(node_text(arn), ':', 2);
    bool is_kinesis = str_eq(type, STR("kinesis"));
    bool has_consumer = node_truthy(node_get_c(event->node, "consumer"));
    struct str name = stream_name(arn);
    if (!name.n || (!is_kinesis && !str_eq(type, STR("dynamodb")))) {
        err_at(err, arn ? arn->pos : event->pos, ERR_CONFIG,
               "'arn' must be the ARN of a DynamoDB or Kinesis stream");
        return err_help(err, "with a reference, add 'type: dynamodb' or 'type: kinesis'");
    }
    mapping_rights_need(c, event,
                        !is_kinesis    ? RIGHT_DYNAMODB
                        : has_consumer ? RIGHT_KINESIS_SHARED
                                       : RIGHT_KINESIS,
                        arn);
    struct node *p = mapping_properties(c, event, arn);
    struct node *depends_on = mapping_depends_on(c, event->function);
    if (put_destination(c, event, p, err) < 0 ||
        (is_kinesis && has_consumer && put_consumer(c, event, name, p, depends_on, err) < 0))
        return -1;
    struct node *mapping = resource_new(a, "AWS::Lambda::EventSourceMapping", p);
    node_put_c(a, mapping, "DependsOn", depends_on);
    struct str id =
        str_fmt(a, "%.*s%.*s%.*s", STR_ARG(name_with(c, event->function, "EventSourceMapping")),
                STR_ARG(str_upper_first(a, type)), STR_ARG(name_alphanumeric(a, name)));
    return resource_add(c, id, mapping, event->pos, err);
}

static int stream_finish(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_finish(c);
    return 0;
}

const struct event_type event_stream = {"stream", stream_begin, stream_compile, stream_finish};
