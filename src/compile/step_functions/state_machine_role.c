/* The role of a state machine, from what its tasks need. */
#include "compile/step_functions/step_functions.h"

#include "base/map.h"
#include "doc/json.h"

/* ---- rights that belong together ---- */

/* All items of `resource` once each; "*" stands for all. */
static const struct node *merged(struct arena *a, const task_rights *rights, struct str actions)
{
    struct node *out = node_seq(a);
    vec_each (rights, r) {
        if (!str_eq(r->actions, actions))
            continue;
        if (!node_is(r->resource, NODE_SEQ))
            add_unique(a, out, r->resource);
        node_each (item, r->resource)
            add_unique(a, out, item);
    }
    node_each (item, out)
        if (node_is_text(item, "*"))
            return node_c(a, "*");
    return out;
}

/* One for each text of actions, in the order in which they first come. */
static task_rights by_actions(struct arena *a, const task_rights *rights)
{
    task_rights out = {0};
    struct map seen = MAP(a);
    vec_each (rights, r) {
        if (map_has(&seen, r->actions))
            continue;
        map_put(&seen, r->actions, r);
        vec_push(a, &out, (struct task_right){r->actions, merged(a, rights, r->actions)});
    }
    return out;
}

static void add_actions(struct arena *a, struct node *list, struct str actions)
{
    struct str action;
    while (str_cut(&actions, ',', &action))
        add_unique(a, list, node_str(a, action));
}

/* A statement for each resource, in the same order. */
static struct node *by_resource(struct arena *a, const task_rights *rights)
{
    struct node *out = node_seq(a);
    struct map seen = MAP(a); /* text of a resource -> its actions */
    vec_each (rights, r) {
        struct str key = node_text(node_stringified(a, r->resource));
        struct node *actions = map_get(&seen, key);
        if (!actions) {
            actions = node_seq(a);
            map_put(&seen, key, actions);
            node_push(a, out, statement_new(a, actions, r->resource));
        }
        add_actions(a, actions, r->actions);
    }
    return out;
}

/* ---- the statements ---- */

#define LOG_ACTIONS                                                                             \
    "logs:CreateLogDelivery,logs:GetLogDelivery,logs:UpdateLogDelivery,logs:DeleteLogDelivery," \
    "logs:ListLogDeliveries,logs:PutResourcePolicy,logs:DescribeResourcePolicies,"              \
    "logs:DescribeLogGroups"
#define TRACE_ACTIONS                                                       \
    "xray:PutTraceSegments,xray:PutTelemetryRecords,xray:GetSamplingRules," \
    "xray:GetSamplingTargets"

static void add_settings(struct arena *a, const struct node *machine, task_rights *rights)
{
    const struct node *key = node_path(machine, "encryptionConfig.KmsKeyId");
    const struct node *all = node_c(a, "*");
    if (node_truthy(node_get_c(machine, "loggingConfig")))
        vec_push(a, rights, (struct task_right){STR(LOG_ACTIONS), all});
    if (node_truthy(node_get_c(machine, "tracingConfig")))
        vec_push(a, rights, (struct task_right){STR(TRACE_ACTIONS), all});
    if (node_truthy(key))
        vec_push(a, rights,
                 (struct task_right){STR("kms:Decrypt,kms:Encrypt"), node_fn(a, "Fn::Sub", key)});
}

static const struct node *deny_all(struct arena *a)
{
    struct node *s = node_map(a);
    node_put_c(a, s, "Effect", node_c(a, "Deny"));
    node_put_c(a, s, "Action", node_c(a, "*"));
    node_put_c(a, s, "Resource", node_c(a, "*"));
    return s;
}

static const struct node *statements_of(struct compilation *c, const struct state_machine *machine,
                                        struct err *err)
{
    struct arena *a = c->arena;
    task_rights rights = {0};
    if (task_rights_collect(c, machine, &rights, err) < 0)
        return NULL;
    add_settings(a, machine->node, &rights);
    task_rights grouped = by_actions(a, &rights);
    struct node *out = by_resource(a, &grouped);
    node_each (statement, node_get_c(machine->node, "iamRoleStatements"))
        node_push(a, out, statement);
    /* as AWS's console does for a machine that needs nothing */
    if (!out->count)
        node_push(a, out, deny_all(a));
    return out;
}

/* ---- roles ---- */

static struct node *document_new(struct arena *a, const struct node *statements)
{
    struct node *document = node_map(a);
    node_put_c(a, document, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, document, "Statement", statements);
    return document;
}

static struct node *role_new(struct compilation *c, const struct node *principal,
                             const struct node *policy_name, const struct node *statements,
                             bool is_bounded)
{
    struct arena *a = c->arena;
    struct node *assume = node_map(a), *policy = node_map(a), *p = node_map(a);
    node_put_c(a, assume, "Effect", node_c(a, "Allow"));
    node_put_c(a, assume, "Principal", node_fn(a, "Service", principal));
    node_put_c(a, assume, "Action", node_c(a, "sts:AssumeRole"));
    node_put_c(a, p, "AssumeRolePolicyDocument", document_new(a, NODE_LIST(a, assume)));
    node_put_c(a, policy, "PolicyName", policy_name);
    node_put_c(a, policy, "PolicyDocument", document_new(a, statements));
    node_put_c(a, p, "Policies", NODE_LIST(a, policy));
    const struct node *boundary = node_get_c(c->provider, "rolePermissionsBoundary");
    const struct node *path = node_path(c->provider, "iam.role.path");
    if (is_bounded && node_truthy(boundary))
        node_put_c(a, p, "PermissionsBoundary", boundary);
    if (node_truthy(path))
        node_put_c(a, p, "Path", path);
    return resource_new(a, "AWS::IAM::Role", p);
}

struct node *starter_role(struct compilation *c, const char *service, const struct node *policy,
                          const struct node *actions, const struct node *resource, bool is_bounded)
{
    struct arena *a = c->arena;
    return role_new(c, node_c(a, service), policy,
                    NODE_LIST(a, statement_new(a, actions, resource)), is_bounded);
}

const struct node *starter_policy_name(struct compilation *c, const struct state_machine *machine,
                                       const char *what)
{
    const struct service *s = c->service;
    return node_staged(c,
                       str_fmt(c->arena, "%.*s-%.*s-%.*s-%.*s-%s", STR_ARG(s->stage),
                               STR_ARG(s->region), STR_ARG(s->name), STR_ARG(machine->key), what));
}

int state_machine_role(struct compilation *c, const struct state_machine *machine, struct err *err)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *statements = statements_of(c, machine, err);
    if (!statements)
        return -1;
    const struct node *principal =
        node_fn(a, "Fn::Sub", node_c(a, "states.${AWS::Region}.amazonaws.com"));
    const struct node *name =
        node_staged(c, str_fmt(a, "%.*s-%.*s-statemachine", STR_ARG(s->stage), STR_ARG(s->name)));
    return resource_add(c, str_concat(a, machine->id, STR("Role")),
                        role_new(c, principal, name, statements, true), machine->pos, err);
}
