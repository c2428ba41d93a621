/* `notifications` of a state machine: a rule for each state of its executions, and what lets
 * EventBridge send to the rule's targets. */
#include "compile/step_functions/step_functions.h"

#include "base/hash.h"

enum { SUFFIX_DIGITS = 5 };

static const char *const statuses[] = {"ABORTED", "FAILED", "RUNNING", "SUCCEEDED", "TIMED_OUT"};
enum { STATUS_COUNT = sizeof statuses / sizeof *statuses };

/* Kinds of targets, in the plugin's order. */
static const struct target_kind {
    const char *key, *action;
    bool by_role; /* EventBridge assumes a role; else the target itself allows it */
} kinds[] = {
    {"sns", "sns:Publish", false},
    {"sqs", "sqs:SendMessage", false},
    {"kinesis", "kinesis:PutRecord", true},
    {"firehose", "firehose:PutRecord", true},
    {"lambda", "lambda:InvokeFunction", false},
    {"stepFunctions", "states:StartExecution", true},
};

struct target {
    const struct node *node; /* with keys of functions translated */
    const struct target_kind *kind;
    const struct node *arn;
    const char *status;
};
typedef VEC(struct target) targets;

/* ---- names with a hash ---- */

static struct str suffix_of(struct arena *a, const struct node *hashed)
{
    return str_sub(md5_hex(a, node_text(node_stringified(a, hashed))), 0, SUFFIX_DIGITS);
}

static const struct node *pair(struct arena *a, const char *k1, const struct node *v1,
                               const char *k2, const struct node *v2)
{
    struct node *out = node_map(a);
    node_put_c(a, out, k1, v1);
    node_put_c(a, out, k2, v2);
    return out;
}

static const struct node *policy_name(struct arena *a, const struct target *t)
{
    struct str suffix =
        suffix_of(a, pair(a, "action", node_c(a, t->kind->action), "resource", t->arn));
    return node_strf(a, "%s-%s-%.*s", t->status, t->kind->key, STR_ARG(suffix));
}

/* ---- reading ---- */

static const struct node *translated(struct compilation *c, const struct node *n)
{
    struct arena *a = c->arena;
    if (node_is(n, NODE_SEQ)) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, translated(c, item));
        return node_from(out, n);
    }
    if (!node_is(n, NODE_MAP))
        return n;
    if (node_truthy(node_get_c(n, "Ref")) || node_truthy(node_get_c(n, "Fn::GetAtt")))
        return function_keys_translated(c, n);
    struct node *out = node_map(a);
    member_each (m, n)
        node_put_at(a, out, m->key, m->key_pos, translated(c, m->value));
    return node_from(out, n);
}

static int target_read(struct compilation *c, const struct node *given, struct target *ret,
                       struct err *err)
{
    const struct node *n = translated(c, given);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct node *value = node_get_c(n, kinds[i].key), *arn = node_get_c(value, "arn");
        if (!node_truthy(value))
            continue;
        if (ret->kind)
            return err_at(err, node_pos(given), ERR_CONFIG, "a target is either '%s' or '%s'",
                          ret->kind->key, kinds[i].key);
        ret->node = n;
        ret->kind = &kinds[i];
        ret->arn = arn ? arn : value;
    }
    if (ret->kind)
        return 0;
    err_at(err, node_pos(given), ERR_CONFIG, "a target of 'notifications' names nothing");
    return err_help(err, "name one of sns, sqs, kinesis, firehose, lambda or stepFunctions");
}

static targets targets_read(struct compilation *c, const struct node *notifications,
                            struct err *err)
{
    targets all = {0};
    for (size_t i = 0; i < STATUS_COUNT; i++)
        node_each (given, node_get_c(notifications, statuses[i])) {
            struct target t = {.status = statuses[i]};
            struct err one = {0};
            if (target_read(c, given, &t, &one) == 0)
                vec_push(c->arena, &all, t);
            err_also(err, &one);
        }
    return all;
}

/* ---- what lets EventBridge send ---- */

static struct node *statement(struct arena *a, const struct target *t)
{
    struct node *s = node_map(a);
    node_put_c(a, s, "Sid", policy_name(a, t));
    node_put_c(a, s, "Principal", node_fn(a, "Service", node_c(a, "events.amazonaws.com")));
    node_put_c(a, s, "Effect", node_c(a, "Allow"));
    node_put_c(a, s, "Action", node_c(a, t->kind->action));
    node_put_c(a, s, "Resource", t->arn);
    return s;
}

static const struct node *document(struct arena *a, const struct node *statement)
{
    return pair(a, "Version", node_c(a, "2012-10-17"), "Statement", statement);
}

static const struct node *queue_url(struct arena *a, const struct node *arn, struct err *err)
{
    const struct node *att = node_get_c(arn, "Fn::GetAtt");
    if (node_is(arn, NODE_STRING)) {
        struct str name =
            str_sub(arn->text, (size_t)(str_rfind_char(arn->text, ':') + 1), SIZE_MAX);
        return sub_with(
            a, STR("https://sqs.${AWS::Region}.amazonaws.com/${AWS::AccountId}/${QueueName}"),
            node_fn(a, "QueueName", node_from(node_str(a, name), arn)));
    }
    if (node_is(att, NODE_SEQ) && att->count)
        return node_fn(a, "Ref", att->items[0]);
    err_at(err, node_pos(arn), ERR_CONFIG, "the address of the queue does not follow from this");
    err_help(err, "write its ARN, or an Fn::GetAtt");
    return NULL;
}

/* The resource by which the target itself allows it. */
static struct node *own_policy(struct compilation *c, const struct target *t, struct err *err)
{
    struct arena *a = c->arena;
    if (str_eq(str_c(t->kind->key), STR("sns"))) {
        const struct node *p =
            pair(a, "PolicyDocument", document(a, statement(a, t)), "Topics", NODE_LIST(a, t->arn));
        return resource_new(a, "AWS::SNS::TopicPolicy", p);
    }
    if (str_eq(str_c(t->kind->key), STR("sqs"))) {
        const struct node *url = queue_url(a, t->arn, err);
        if (!url)
            return NULL;
        const struct node *p =
            pair(a, "PolicyDocument", document(a, statement(a, t)), "Queues", NODE_LIST(a, url));
        return resource_new(a, "AWS::SQS::QueuePolicy", p);
    }
    struct node *p = node_map(a);
    node_put_c(a, p, "Action", node_c(a, t->kind->action));
    node_put_c(a, p, "FunctionName", t->arn);
    node_put_c(a, p, "Principal", node_c(a, "events.amazonaws.com"));
    return resource_new(a, "AWS::Lambda::Permission", p);
}

static const struct node *role_policy(struct arena *a, const struct target *t)
{
    struct node *allow = node_map(a);
    node_put_c(a, allow, "Effect", node_c(a, "Allow"));
    node_put_c(a, allow, "Action", node_c(a, t->kind->action));
    node_put_c(a, allow, "Resource", t->arn);
    /* the plugin names the policy by the first key of the target */
    struct str suffix =
        suffix_of(a, pair(a, "action", node_c(a, t->kind->action), "resource", t->arn));
    struct str key = t->node->members[0].key;
    return pair(a, "PolicyName",
                node_strf(a, "%s-%.*s-%.*s", t->status, STR_ARG(key), STR_ARG(suffix)),
                "PolicyDocument", document(a, NODE_LIST(a, allow)));
}

static struct node *role_of(struct compilation *c, const struct node *policies)
{
    struct arena *a = c->arena;
    const struct node *path = node_path(c->provider, "iam.role.path");
    struct node *assume = node_map(a), *p = node_map(a);
    node_put_c(a, assume, "Effect", node_c(a, "Allow"));
    node_put_c(a, assume, "Action", node_c(a, "sts:AssumeRole"));
    node_put_c(a, assume, "Principal", node_fn(a, "Service", node_c(a, "events.amazonaws.com")));
    node_put_c(a, p, "AssumeRolePolicyDocument", node_fn(a, "Statement", assume));
    node_put_c(a, p, "Policies", policies);
    if (node_truthy(path))
        node_put_c(a, p, "Path", path);
    return resource_new(a, "AWS::IAM::Role", p);
}

/* `*ret_role`: logical id of the role, or empty when no target needs one. */
static int permissions_add(struct compilation *c, const struct state_machine *machine,
                           const targets *all, struct str *ret_role, struct err *err)
{
    struct arena *a = c->arena;
    struct node *policies = node_seq(a);
    int64_t index = 0;
    vec_each (all, t) {
        struct node *resource = t->kind->by_role ? NULL : own_policy(c, t, err);
        if (err->kind)
            return -1;
        if (t->kind->by_role)
            node_push(a, policies, role_policy(a, t));
        if (resource) {
            struct str suffix =
                suffix_of(a, pair(a, "index", node_int(a, index), "resource", resource));
            resource_set(
                c, str_fmt(a, "%.*sResourcePolicy%.*s", STR_ARG(machine->id), STR_ARG(suffix)),
                resource, node_pos(t->node));
        }
        index++;
    }
    if (!policies->count)
        return 0;
    *ret_role = str_concat(a, machine->id, STR("NotificationsIamRole"));
    return resource_add(c, *ret_role, role_of(c, policies), machine->pos, err);
}

/* ---- the rules ---- */

static const struct node *rule_target(struct compilation *c, const struct state_machine *machine,
                                      const struct target *t, int64_t index)
{
    struct arena *a = c->arena;
    const struct node *value = node_get_c(t->node, t->kind->key);
    const struct node *path = node_get_c(t->node, "inputPath");
    const struct node *transformer = node_get_c(t->node, "inputTransformer");
    bool is_detailed = node_get_c(value, "arn") != NULL;
    struct str suffix =
        suffix_of(a, pair(a, "target", node_fn(a, "Arn", t->arn), "index", node_int(a, index)));
    struct node *out = node_map(a);
    node_put_c(a, out, "Arn", t->arn);
    struct node *id =
        node_strf(a, "%.*s-%s-%.*s", STR_ARG(node_text(machine->name)), t->status, STR_ARG(suffix));
    node_put_c(a, out, "Id", node_from(id, machine->name));
    if (is_detailed && str_eq(str_c(t->kind->key), STR("sqs")))
        node_put_c(a, out, "SqsParameters",
                   node_fn(a, "MessageGroupId", node_get_c(value, "messageGroupId")));
    if (is_detailed && str_eq(str_c(t->kind->key), STR("kinesis"))) {
        struct node *parameters = node_map(a);
        node_put_c(a, parameters, "PartitionKeyPath", node_get_c(value, "partitionKeyPath"));
        node_put_c(a, out, "KinesisParameters", parameters);
    }
    if (str_eq(str_c(t->kind->key), STR("stepFunctions")))
        node_put_c(a, out, "RoleArn",
                   node_get_att(a, str_concat(a, machine->id, STR("NotificationsIamRole")), "Arn"));
    if (node_truthy(path))
        node_put_c(a, out, "InputPath", path);
    if (node_truthy(transformer)) {
        struct node *to = node_map(a);
        copy_member(a, to, "InputPathsMap", transformer, "inputPathsMap");
        copy_member(a, to, "InputTemplate", transformer, "inputTemplate");
        node_put_c(a, out, "InputTransformer", to);
    }
    return out;
}

static const struct node *pattern(struct arena *a, const struct state_machine *machine,
                                  const char *status)
{
    struct node *out = node_map(a);
    node_put_c(a, out, "source", NODE_LIST(a, node_c(a, "aws.states")));
    node_put_c(a, out, "detail-type",
               NODE_LIST(a, node_c(a, "Step Functions Execution Status Change")));
    node_put_c(a, out, "detail",
               pair(a, "status", NODE_LIST(a, node_c(a, status)), "stateMachineArn",
                    NODE_LIST(a, node_ref(a, machine->id))));
    return out;
}

/* With stages CloudFormation names the rule: the plugin's name has the machine's key, which all
 * stages share. A name in the file holds. */
static bool is_named(const struct compilation *c, const struct state_machine *machine)
{
    return c->options->naming == NAMING_FLAT || node_truthy(node_get_c(machine->node, "name"));
}

static int rule_add(struct compilation *c, const struct state_machine *machine, const targets *all,
                    const char *status, struct str role, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *list = node_seq(a);
    struct str name = node_text(machine->name);
    int64_t index = 0;
    vec_each (all, t)
        if (t->status == status)
            node_push(a, list, rule_target(c, machine, t, index++));
    if (!list->count)
        return 0;
    node_put_c(a, p, "Description",
               node_from(node_strf(a, "[%s] status notification for state machine [%.*s]", status,
                                   STR_ARG(name)),
                         machine->name));
    node_put_c(a, p, "EventPattern", pattern(a, machine, status));
    if (is_named(c, machine))
        node_put_c(
            a, p, "Name",
            node_from(node_strf(a, "%.*s-%s-notification", STR_ARG(name), status), machine->name));
    if (role.n)
        node_put_c(a, p, "RoleArn", node_get_att(a, role, "Arn"));
    node_put_c(a, p, "Targets", list);
    struct str id = str_fmt(a, "%.*sNotifications%.*sEventRule", STR_ARG(machine->id),
                            STR_ARG(str_replace(a, str_c(status), STR("_"), STR(""))));
    return resource_add(c, id, resource_new(a, "AWS::Events::Rule", p), machine->pos, err);
}

int state_machine_notifications(struct compilation *c, const struct state_machine *machine,
                                struct err *err)
{
    const struct node *given = node_get_c(machine->node, "notifications");
    struct str role = {0};
    if (!node_truthy(given))
        return 0;
    if (node_is_text(node_get_c(machine->node, "type"), "EXPRESS")) {
        warn_at(c, given, STR("nothing comes of 'notifications': EXPRESS state machines have none"),
                "remove it, or use the type STANDARD");
        return 0;
    }
    targets all = targets_read(c, given, err);
    if (err->kind || permissions_add(c, machine, &all, &role, err) < 0)
        return -1;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        if (rule_add(c, machine, &all, statuses[i], role, err) < 0)
            return -1;
    return 0;
}
