/* `kafka` and `msk`: an event source mapping from a topic of a cluster that one runs oneself, or
 * that Amazon MSK runs. */
#include "compile/compile_internal.h"

enum {
    TOPIC_MAX = 158, /* characters of a topic in a logical id */
    PART_MAX = 79,   /* the same where a cluster stands beside it */
};

enum { RIGHT_SECRET, RIGHT_KAFKA_NETWORK, KAFKA_RIGHT_COUNT };
static const struct mapping_right kafka_rights[KAFKA_RIGHT_COUNT] = {
    [RIGHT_SECRET] = {.actions = {"secretsmanager:GetSecretValue"}},
    [RIGHT_KAFKA_NETWORK] = MAPPING_RIGHT_NETWORK,
};

enum { RIGHT_CLUSTER, RIGHT_MSK_NETWORK, MSK_RIGHT_COUNT };
static const struct mapping_right msk_rights[MSK_RIGHT_COUNT] = {
    [RIGHT_CLUSTER] = {.actions = {"kafka:DescribeCluster", "kafka:GetBootstrapBrokers"}},
    [RIGHT_MSK_NETWORK] = MAPPING_RIGHT_NETWORK,
};

/* How the cluster is reached. */
static const struct access {
    const char *key, *type;
    const char *prefix; /* of the URI */
    int right;
} accesses[] = {
    {"vpcSubnet", "VPC_SUBNET", "subnet:", RIGHT_KAFKA_NETWORK},
    {"vpcSecurityGroup", "VPC_SECURITY_GROUP", "security_group:", RIGHT_KAFKA_NETWORK},
    {"saslPlainAuth", "BASIC_AUTH", "", RIGHT_SECRET},
    {"saslScram256Auth", "SASL_SCRAM_256_AUTH", "", RIGHT_SECRET},
    {"saslScram512Auth", "SASL_SCRAM_512_AUTH", "", RIGHT_SECRET},
    {"clientCertificateTlsAuth", "CLIENT_CERTIFICATE_TLS_AUTH", "", RIGHT_SECRET},
    {"serverRootCaCertificate", "SERVER_ROOT_CA_CERTIFICATE", "", RIGHT_SECRET},
};

static const struct access *access_by_key(struct str key)
{
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++)
        if (str_eq(key, str_c(accesses[i].key)))
            return &accesses[i];
    return NULL;
}

/* In the order in which the file has them. */
static const struct node *access_configurations(struct compilation *c, const struct event *event,
                                                const struct node *given)
{
    struct arena *a = c->arena;
    struct node *list = node_seq(a);
    member_each (m, given) {
        const struct access *access = access_by_key(m->key);
        node_each (item, m->value) {
            struct node *one = node_map(a);
            struct str uri = str_concat(a, str_c(access ? access->prefix : ""), node_text(item));
            node_put_c(a, one, "Type", access ? node_c(a, access->type) : node_str(a, m->key));
            node_put_c(a, one, "URI", node_from(node_str(a, uri), item));
            node_push(a, list, one);
            if (access)
                mapping_rights_need(c, event, (size_t)access->right,
                                    access->right == RIGHT_SECRET ? item : NULL);
        }
    }
    return list;
}

/* Subnets and security groups go together. */
static int check_access(const struct event *event, const struct node *given, struct err *err)
{
    bool has_subnet = node_truthy(node_get_c(given, "vpcSubnet"));
    bool has_group = node_truthy(node_get_c(given, "vpcSecurityGroup"));
    if (has_subnet == has_group)
        return 0;
    return err_at(err, node_pos(given), ERR_CONFIG,
                  "'accessConfigurations' of function '%.*s' needs '%s' beside '%s'",
                  STR_ARG(event->function->key), has_subnet ? "vpcSecurityGroup" : "vpcSubnet",
                  has_subnet ? "vpcSubnet" : "vpcSecurityGroup");
}

/* What both kinds of cluster say of topic, position and pollers. */
static int put_topic(struct compilation *c, const struct event *event, struct node *p,
                     const char *group_property, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node;
    const struct node *position = node_setting(settings, NULL, "startingPosition");
    const struct node *timestamp = node_get_c(settings, "startingPositionTimestamp");
    const struct node *group = node_setting(settings, NULL, "consumerGroupId");
    const struct node *pollers = node_setting(settings, NULL, "provisionedPollerConfig");
    if (node_is_text(position, "AT_TIMESTAMP") && node_empty(timestamp))
        return err_at(err, position->pos, ERR_CONFIG,
                      "'startingPosition: AT_TIMESTAMP' needs 'startingPositionTimestamp'");
    node_put_c(a, p, "FunctionName", target_arn(c, event->function));
    node_put_c(a, p, "StartingPosition", position ? position : node_c(a, "TRIM_HORIZON"));
    node_put_c(a, p, "Topics", NODE_LIST(a, node_get_c(settings, "topic")));
    copy_member(a, p, "StartingPositionTimestamp", settings, "startingPositionTimestamp");
    if (group)
        node_put_c(a, p, group_property, node_fn(a, "ConsumerGroupId", group));
    if (pollers) {
        struct node *config = node_map(a);
        copy_member(a, config, "MinimumPollers", pollers, "minimumPollers");
        copy_member(a, config, "MaximumPollers", pollers, "maximumPollers");
        node_put_c(a, p, "ProvisionedPollerConfig", config);
    }
    put_broker_settings(a, p, settings);
    return 0;
}

static int add_mapping(struct compilation *c, const struct event *event, const char *ending,
                       struct str name, struct node *p, struct err *err)
{
    struct node *mapping = resource_new(c->arena, "AWS::Lambda::EventSourceMapping", p);
    node_put_c(c->arena, mapping, "DependsOn", mapping_depends_on(c, event->function));
    struct str id = str_concat(c->arena, name_with(c, event->function, ending), name);
    return resource_add(c, id, mapping, event->pos, err);
}

/* ---- kafka ---- */

static int kafka_begin(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_begin(c, kafka_rights, KAFKA_RIGHT_COUNT);
    return 0;
}

static int kafka_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node;
    const struct node *access = node_get_c(settings, "accessConfigurations");
    const struct node *failure = node_setting(settings, NULL, "onFailureDestination");
    struct str topic = name_alphanumeric(a, node_text(node_get_c(settings, "topic")));
    struct node *p = node_map(a);
    if (check_access(event, access, err) < 0 ||
        put_topic(c, event, p, "SelfManagedKafkaEventSourceConfig", err) < 0)
        return -1;
    node_put_c(
        a, p, "SelfManagedEventSource",
        node_fn(a, "Endpoints",
                node_fn(a, "KafkaBootstrapServers", node_get_c(settings, "bootstrapServers"))));
    node_put_c(a, p, "SourceAccessConfigurations", access_configurations(c, event, access));
    if (failure)
        node_put_c(a, p, "DestinationConfig",
                   node_fn(a, "OnFailure", node_fn(a, "Destination", failure)));
    return add_mapping(c, event, "EventSourceMappingKafka", str_sub(topic, 0, TOPIC_MAX), p, err);
}

/* ---- msk ---- */

static int msk_begin(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_begin(c, msk_rights, MSK_RIGHT_COUNT);
    return 0;
}

/* The name of the cluster as far as the configuration tells it: it makes the logical id. */
static struct str cluster_name(const struct node *arn)
{
    if (!node_is(arn, NODE_STRING))
        return node_text(node_or(node_get_c(arn, "Fn::ImportValue"), node_get_c(arn, "Ref")));
    struct str rest = arn->text, part;
    return str_cut(&rest, '/', &part) && str_cut(&rest, '/', &part) ? part : STR("");
}

static int msk_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *arn = node_get_c(event->node, "arn");
    const struct node *secret = node_get_c(event->node, "saslScram512");
    struct str cluster = name_alphanumeric(a, cluster_name(arn));
    struct str topic = name_alphanumeric(a, node_text(node_get_c(event->node, "topic")));
    struct node *p = node_map(a);
    if (!cluster.n) {
        err_at(err, arn ? arn->pos : event->pos, ERR_CONFIG,
               "'arn' must be the ARN of an MSK cluster, with the cluster's name in it");
        return err_help(err, "arn:aws:kafka:<region>:<account>:cluster/<name>/<id>, {Ref: …} or "
                             "{Fn::ImportValue: <text>}");
    }
    node_put_c(a, p, "EventSourceArn", arn);
    if (put_topic(c, event, p, "AmazonManagedKafkaEventSourceConfig", err) < 0)
        return -1;
    if (!node_empty(secret)) {
        struct node *access = node_map(a);
        node_put_c(a, access, "Type", node_c(a, "SASL_SCRAM_512_AUTH"));
        node_put_c(a, access, "URI", secret);
        node_put_c(a, p, "SourceAccessConfigurations", NODE_LIST(a, access));
    }
    mapping_rights_need(c, event, RIGHT_CLUSTER, arn);
    mapping_rights_need(c, event, RIGHT_MSK_NETWORK, NULL);
    struct str name = str_concat(a, str_sub(cluster, 0, PART_MAX), str_sub(topic, 0, PART_MAX));
    return add_mapping(c, event, "EventSourceMappingMSK", name, p, err);
}

static int rights_finish(struct compilation *c, struct err *err)
{
    (void)err;
    mapping_rights_finish(c);
    return 0;
}

const struct event_type event_kafka = {"kafka", kafka_begin, kafka_compile, rights_finish};
const struct event_type event_msk = {"msk", msk_begin, msk_compile, rights_finish};
