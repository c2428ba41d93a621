/* `activemq` and `rabbitmq`: an event source mapping from a queue of a broker of Amazon MQ. */
#include "compile/compile_internal.h"

enum { QUEUE_MAX = 150 }; /* characters of a queue in a logical id */

enum { RIGHT_SECRET, RIGHT_BROKER, RIGHT_NETWORK, RIGHT_COUNT };
static const struct mapping_right rights[RIGHT_COUNT] = {
    [RIGHT_SECRET] = {.actions = {"secretsmanager:GetSecretValue"}},
    [RIGHT_BROKER] = {.actions = {"mq:DescribeBroker"}},
    [RIGHT_NETWORK] = MAPPING_RIGHT_NETWORK,
};

static int mq_begin(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_begin(c, rights, RIGHT_COUNT);
    return 0;
}

static void push_access(struct arena *a, struct node *list, const char *type,
                        const struct node *uri)
{
    struct node *access = node_map(a);
    node_put_c(a, access, "Type", node_c(a, type));
    node_put_c(a, access, "URI", uri);
    node_push(a, list, access);
}

static int add_mapping(struct compilation *c, const struct event *event, const char *ending,
                       const struct node *host, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node;
    const struct node *arn = node_get_c(settings, "arn");
    const struct node *secret = node_get_c(settings, "basicAuthArn");
    const struct node *queue = node_get_c(settings, "queue");
    struct node *p = node_map(a), *access = node_seq(a);
    push_access(a, access, "BASIC_AUTH", secret);
    if (host)
        push_access(a, access, "VIRTUAL_HOST", host);
    node_put_c(a, p, "FunctionName", target_arn(c, event->function));
    node_put_c(a, p, "EventSourceArn", arn);
    node_put_c(a, p, "Queues", NODE_LIST(a, queue));
    node_put_c(a, p, "SourceAccessConfigurations", access);
    put_broker_settings(a, p, settings);
    mapping_rights_need(c, event, RIGHT_SECRET, secret);
    mapping_rights_need(c, event, RIGHT_BROKER, arn);
    mapping_rights_need(c, event, RIGHT_NETWORK, NULL);
    struct node *mapping = resource_new(a, "AWS::Lambda::EventSourceMapping", p);
    node_put_c(a, mapping, "DependsOn", mapping_depends_on(c, event->function));
    struct str name = str_sub(name_alphanumeric(a, node_text(queue)), 0, QUEUE_MAX);
    return resource_add(c, str_concat(a, name_with(c, event->function, ending), name), mapping,
                        event->pos, err);
}

static int activemq_compile(struct compilation *c, const struct event *event, struct err *err)
{
    return add_mapping(c, event, "EventSourceMappingActiveMQ", NULL, err);
}

static int rabbitmq_compile(struct compilation *c, const struct event *event, struct err *err)
{
    return add_mapping(c, event, "EventSourceMappingRabbitMQ",
                       node_setting(event->node, NULL, "virtualHost"), err);
}

static int mq_finish(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_finish(c);
    return 0;
}

const struct event_type event_activemq = {"activemq", mq_begin, activemq_compile, mq_finish};
const struct event_type event_rabbitmq = {"rabbitmq", mq_begin, rabbitmq_compile, mq_finish};
