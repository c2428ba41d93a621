/* `sqs`: an event source mapping from a queue. */
#include "compile/compile_internal.h"

struct sqs_state {
    struct node *queues; /* what the role must be able to read: one statement for all functions */
};

static int sqs_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->sqs = ARENA_NEW(c->arena, struct sqs_state);
    c->sqs->queues = node_seq(c->arena);
    return 0;
}

static struct str behind(struct str s, char separator)
{
    return str_sub(s, (size_t)(str_rfind_char(s, separator) + 1), SIZE_MAX);
}

/* The name of the queue as far as the configuration tells it: it makes the logical id. */
static struct str queue_name(const struct node *arn)
{
    const struct node *parts = node_path(node_get_c(arn, "Fn::Join"), "1");
    if (node_is(arn, NODE_STRING))
        return behind(arn->text, ':');
    if (node_get_c(arn, "Fn::GetAtt"))
        return node_text(node_path(node_get_c(arn, "Fn::GetAtt"), "0"));
    if (node_count(parts))
        return node_text(parts->items[parts->count - 1]);
    const struct node *sub = node_get_c(arn, "Fn::Sub");
    if (sub)
        return behind(node_text(node_is(sub, NODE_SEQ) ? node_path(sub, "0") : sub), ':');
    return node_text(node_or(node_get_c(arn, "Fn::ImportValue"), node_get_c(arn, "Ref")));
}

static int sqs_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    const struct node *arn =
        node_is(event->node, NODE_STRING) ? event->node : node_get_c(event->node, "arn");
    const struct node *settings = event->node;
    struct str name = name_alphanumeric(a, queue_name(arn));
    if (!name.n)
        return err_at(err, arn ? arn->pos : event->pos, ERR_CONFIG,
                      "'arn' must be the ARN of a queue");
    const struct node *size = node_setting(settings, NULL, "batchSize");
    const struct node *enabled = node_get_c(settings, "enabled");
    const struct node *concurrency = node_setting(settings, NULL, "maximumConcurrency");
    struct node *p = node_map(a);
    node_put_c(a, p, "BatchSize", size ? size : node_int(a, 10));
    copy_member(a, p, "MaximumBatchingWindowInSeconds", settings, "maximumBatchingWindow");
    node_put_c(a, p, "EventSourceArn", arn);
    node_put_c(a, p, "FunctionName", target_arn(c, f));
    node_put_c(a, p, "Enabled", enabled ? enabled : node_bool(a, true));
    put_mapping_response(a, p, settings);
    put_mapping_filters(a, p, settings);
    if (concurrency)
        node_put_c(a, p, "ScalingConfig", node_fn(a, "MaximumConcurrency", concurrency));
    node_push(a, c->sqs->queues, arn);
    struct node *mapping = resource_new(a, "AWS::Lambda::EventSourceMapping", p);
    node_put_c(a, mapping, "DependsOn", mapping_depends_on(c, f));
    struct str id = str_concat(a, name_with(c, f, "EventSourceMappingSQS"), name);
    return resource_add(c, id, mapping, event->pos, err);
}

static int sqs_finish(struct compilation *c, struct err *err)
{
    (void)err;
    struct arena *a = c->arena;
    role_allow(
        c,
        statement_new(a,
                      NODE_LIST(a, node_c(a, "sqs:ReceiveMessage"), node_c(a, "sqs:DeleteMessage"),
                                node_c(a, "sqs:GetQueueAttributes")),
                      c->sqs->queues),
        false);
    return 0;
}

const struct event_type event_sqs = {"sqs", sqs_begin, sqs_compile, sqs_finish};
