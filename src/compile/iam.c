/* The role that functions run under, when the service does not bring its own.
 *
 * Statements come from several places (logs, the configuration, functions, events) in the order in
 * which the dialect compiles; c->role_statements collects them. */
#include "compile/compile_internal.h"

/* A name, an ARN, or a CloudFormation function. */
static bool is_existing(const struct node *role)
{
    if (node_is(role, NODE_STRING))
        return true;
    member_each (m, role)
        if (str_find(m->key, STR("::"), 0) >= 0)
            return true;
    return false;
}

const struct node *role_of_function(struct compilation *c, const struct function *f)
{
    const struct node *own = node_get_c(f->node, "role");
    if (node_truthy(own))
        return own;
    const struct node *role = node_path(c->provider, "iam.role");
    if (is_existing(role))
        return role;
    const struct node *legacy = node_get_c(c->provider, "role");
    return node_truthy(legacy) ? legacy : NULL;
}

struct str role_resource_name(struct compilation *c, const struct function *f)
{
    const struct node *role = role_of_function(c, f);
    if (node_is(role, NODE_STRING))
        return str_find_char(role->text, ':', 0) >= 0 ? STR("") : role->text;
    const struct node *att = node_get_c(role, "Fn::GetAtt");
    if (node_is(node_path(att, "0"), NODE_STRING) && node_count(att) == 2 &&
        node_is_text(node_path(att, "1"), "Arn"))
        return node_text(node_path(att, "0"));
    if (node_get_c(role, "Fn::ImportValue") || node_get_c(role, "Ref") ||
        node_get_c(role, "Fn::Sub"))
        return STR("");
    /* The dialect names it even where none is made, which CloudFormation refuses. */
    return c->role || c->options->naming == NAMING_FLAT ? STR("IamRoleLambdaExecution") : STR("");
}

/* Is a role to be made? None is needed when `provider` names one or every function does. */
static bool is_role_needed(struct compilation *c)
{
    const struct service *s = c->service;
    if (is_existing(node_path(c->provider, "iam.role")) || node_get_c(c->provider, "role"))
        return false;
    for (size_t i = 0; i < s->function_count; i++)
        if (!node_get_c(s->functions[i].node, "role"))
            return true;
    return false;
}

static struct node *log_resource(struct compilation *c, const struct node *name, const char *ending)
{
    struct str arn = str_fmt(c->arena,
                             "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
                             ":log-group:/aws/lambda/%.*s%s",
                             STR_ARG(node_text(name)), ending);
    return node_sub(c->arena, arn, name);
}

/* What the names of most functions start with, so that one pattern in a policy covers their log
 * groups. With NAMING_SHARED shared functions and those per stage have only the service's name in
 * common. */
static const struct node *canonical_prefix(struct compilation *c)
{
    if (c->options->naming == NAMING_SHARED)
        return node_str(c->arena, str_concat(c->arena, c->service->name, STR("-")));
    return node_staged(c, name_prefix(c));
}

static void allow_logs(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct node *prefix = canonical_prefix(c);
    struct node *streams = node_seq(a), *events = node_seq(a), *denied = node_seq(a);
    bool any_canonical = false;
    for (size_t i = 0; i < c->service->function_count; i++) {
        const struct function *f = &c->service->functions[i];
        bool is_off = node_truthy(node_get_c(f->node, "disableLogs"));
        const struct node *name = name_function(c, f);
        bool is_canonical = str_starts(node_text(name), node_text(prefix));
        if (is_canonical && is_off)
            node_push(a, denied, log_resource(c, name, ":*"));
        any_canonical = any_canonical || (is_canonical && !is_off);
        if (is_canonical || is_off)
            continue;
        bool staged = name_is_shared(c, f) && c->service->settings.logs_per_stage;
        node_push(a, streams, log_resource(c, name, staged ? "-*:*" : ":*"));
        node_push(a, events, log_resource(c, name, staged ? "-*:*:*" : ":*:*"));
    }
    if (any_canonical) {
        node_push(a, streams, log_resource(c, prefix, "*:*"));
        node_push(a, events, log_resource(c, prefix, "*:*:*"));
    }
    role_allow(
        c,
        statement_new(a,
                      NODE_LIST(a, node_c(a, "logs:CreateLogStream"),
                                node_c(a, "logs:CreateLogGroup"), node_c(a, "logs:TagResource")),
                      streams),
        false);
    role_allow(c, statement_new(a, NODE_LIST(a, node_c(a, "logs:PutLogEvents")), events), false);
    if (!any_canonical || !denied->count)
        return;
    struct node *deny = statement_new(a, node_c(a, "logs:PutLogEvents"), denied);
    node_put_c(a, deny, "Effect", node_c(a, "Deny"));
    role_allow(c, deny, false);
}

/* Lambda writes down under the role how far an execution of a durable function is, and goes on from
 * there. */
static void allow_executions(struct compilation *c)
{
    struct arena *a = c->arena;
    struct node *executions = node_seq(a);
    for (size_t i = 0; i < c->service->function_count; i++) {
        const struct function *f = &c->service->functions[i];
        if (!durable_config(c, f) ||
            !str_eq(role_resource_name(c, f), STR("IamRoleLambdaExecution")))
            continue;
        const struct node *name = name_function(c, f);
        struct str arn = str_fmt(a,
                                 "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
                                 ":function:%.*s:*/durable-execution/*/*",
                                 STR_ARG(node_text(name)));
        node_push(a, executions, node_sub(a, arn, name));
    }
    if (executions->count)
        role_allow(c,
                   statement_new(a,
                                 NODE_LIST(a, node_c(a, "lambda:CheckpointDurableExecution"),
                                           node_c(a, "lambda:GetDurableExecutionState")),
                                 executions),
                   false);
}

static const struct node *managed_policies(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct node *given = node_or(node_path(c->provider, "iam.role.managedPolicies"),
                                       node_get_c(c->provider, "iamManagedPolicies"));
    struct node *list = node_seq(a);
    node_each (item, given)
        node_push(a, list, item);
    bool has_vpc = node_truthy(node_get_c(c->provider, "vpc"));
    for (size_t i = 0; i < c->service->function_count; i++)
        has_vpc = has_vpc || node_get_c(c->service->functions[i].node, "vpc");
    if (has_vpc)
        node_push(a, list,
                  node_join(a, "",
                            NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                                      node_c(a, ":iam::aws:policy/service-role/"
                                                "AWSLambdaVPCAccessExecutionRole"))));
    return list->count ? list : NULL;
}

static const struct node *assume_policy(struct compilation *c)
{
    struct arena *a = c->arena;
    struct node *services = NODE_LIST(a, node_c(a, "lambda.amazonaws.com"));
    c->role_services = services;
    struct node *statement =
        statement_new(a, NODE_LIST(a, node_c(a, "sts:AssumeRole")), /* resources= */ NULL);
    node_put_c(a, statement, "Principal", node_fn(a, "Service", services));
    struct node *policy = node_map(a);
    node_put_c(a, policy, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, policy, "Statement", NODE_LIST(a, statement));
    return policy;
}

/* {"Fn::Join": ["-", [service, stage, region?, ending]]}; without the stage where it is shared. */
static const struct node *role_part_name(struct compilation *c, const struct node *region,
                                         const char *ending)
{
    struct arena *a = c->arena;
    const struct node *stage =
        c->options->naming == NAMING_FLAT ? node_staged(c, c->service->stage) : NULL;
    return node_join(a, "-",
                     NODE_LIST(a, node_str(a, c->service->name), stage, region, node_c(a, ending)));
}

const struct node *compile_role_settings(struct arena *a, const struct service *service)
{
    const struct node *provider = node_get_c(service->root, "provider");
    const struct node *given = node_path(provider, "iam.role");
    const struct node *path = node_get_c(given, "path"), *tags = node_get_c(given, "tags");
    const struct node *boundary = node_or(node_get_c(given, "permissionsBoundary"),
                                          node_or(node_get_c(given, "permissionBoundary"),
                                                  node_get_c(provider, "rolePermissionsBoundary")));
    struct node *out = node_map(a);
    if (node_truthy(path))
        node_put_c(a, out, "Path", path);
    if (node_truthy(tags))
        node_put_c(a, out, "Tags", key_value_list(a, tags));
    if (node_truthy(boundary))
        node_put_c(a, out, "PermissionsBoundary", boundary);
    return out;
}

static void role_properties(struct compilation *c, struct node *p)
{
    struct arena *a = c->arena;
    const struct node *settings = compile_role_settings(a, c->service);
    const struct node *name = node_path(c->provider, "iam.role.name");
    node_put_c(a, p, "AssumeRolePolicyDocument", assume_policy(c));
    struct node *document = node_map(a), *policy = node_map(a);
    node_put_c(a, document, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, document, "Statement", c->role_statements);
    node_put_c(a, policy, "PolicyName", role_part_name(c, NULL, "lambda"));
    node_put_c(a, policy, "PolicyDocument", document);
    node_put_c(a, p, "Policies", NODE_LIST(a, policy));
    node_put_c(a, p, "Path", node_or(node_get_c(settings, "Path"), node_c(a, "/")));
    if (node_truthy(name))
        node_put_c(a, p, "RoleName", name);
    else if (c->options->naming == NAMING_FLAT)
        node_put_c(a, p, "RoleName",
                   role_part_name(c, node_ref(a, STR("AWS::Region")), "lambdaRole"));
    node_put_c(a, p, "Tags", node_get_c(settings, "Tags"));
    node_put_c(a, p, "PermissionsBoundary", node_get_c(settings, "PermissionsBoundary"));
    node_put_c(a, p, "ManagedPolicyArns", managed_policies(c));
}

int iam_compile(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    c->role_statements = node_seq(a);
    c->role_services = node_seq(a);
    if (!c->service->function_count || !is_role_needed(c))
        return 0;
    allow_logs(c);
    const struct node *given = node_or(node_path(c->provider, "iam.role.statements"),
                                       node_get_c(c->provider, "iamRoleStatements"));
    node_each (statement, given)
        node_push(a, c->role_statements, statement);
    struct node *p = node_map(a);
    role_properties(c, p);
    c->role = resource_new(a, "AWS::IAM::Role", p);
    const struct node *from = node_path(c->provider, "iam.role");
    allow_executions(c);
    return resource_add(c, STR("IamRoleLambdaExecution"), c->role,
                        node_pos(from ? from : c->provider), err);
}
