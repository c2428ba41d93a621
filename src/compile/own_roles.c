/* Roles of single functions, as serverless-iam-roles-per-function makes them: a copy of the common
 * role with the statements of the function. The plugin makes them when all else is compiled, and so
 * does this; the common role stays, with the rights that events have given it.
 *
 * Like the plugin, a role gets what `sqs` and `stream` events need and nothing for other kinds. */
#include "compile/compile_internal.h"

#include "config/plugins/plugins.h"

#define PLUGIN "serverless-iam-roles-per-function"
#define COMMON_ROLE "IamRoleLambdaExecution"
enum { ROLE_NAME_MAX = 64 }; /* characters. Source: IAM API reference, CreateRole */

struct own_roles {
    struct compilation *c;
    const struct node *options; /* custom.serverless-iam-roles-per-function */
};

/* ---- statements ---- */

static bool has_either(const struct node *statement, const char *one, const char *other)
{
    return node_truthy(node_get_c(statement, one)) || node_truthy(node_get_c(statement, other));
}

static int check_statements(const struct node *statements, struct err *err)
{
    node_each (s, statements) {
        const char *missing = !has_either(s, "Effect", "Effect")          ? "'Effect'"
                              : !has_either(s, "Action", "NotAction")     ? "'Action'"
                              : !has_either(s, "Resource", "NotResource") ? "'Resource'"
                                                                          : NULL;
        if (missing)
            return err_at(err, node_pos(s), ERR_CONFIG,
                          "a statement of 'iamRoleStatements' has no %s", missing);
    }
    return 0;
}

static const struct node *log_statement(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    const struct node *group = name_log_group(c, f);
    struct str arn = str_fmt(a,
                             "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
                             ":log-group:%.*s:*:*",
                             STR_ARG(node_text(group)));
    return statement_new(a,
                         NODE_LIST(a, node_c(a, "logs:CreateLogStream"),
                                   node_c(a, "logs:CreateLogGroup"),
                                   node_c(a, "logs:PutLogEvents")),
                         NODE_LIST(a, node_sub(a, arn, group)));
}

/* Kinds of queues and streams, in the plugin's order. */
static const struct right {
    const char *event, *type; /* of `stream`; NULL: not asked */
    const char *actions[4];
} rights[] = {
    {"stream",
     "dynamodb",
     {"dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream",
      "dynamodb:ListStreams"}},
    {"stream",
     "kinesis",
     {"kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream",
      "kinesis:ListStreams"}},
    {"sqs", NULL, {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}},
};

static bool is_of_type(const struct node *event, const struct node *arn, const char *type)
{
    const struct node *given = node_get_c(event, "type");
    if (!type || node_truthy(given))
        return !type || node_is_text(given, type);
    struct str rest = node_text(arn), part = {0};
    for (int i = 0; i < 3; i++)
        str_cut(&rest, ':', &part);
    return str_eq(part, str_c(type));
}

static void allow_sources(struct arena *a, const struct function *f, const struct right *right,
                          struct node *statements)
{
    struct node *resources = node_seq(a), *actions = node_seq(a);
    node_each (item, node_get_c(f->node, "events")) {
        const struct node *event = node_get_c(item, right->event);
        const struct node *arn = node_or(node_get_c(event, "arn"), event);
        if (node_truthy(event) && is_of_type(event, arn, right->type))
            node_push(a, resources, arn);
    }
    for (size_t i = 0; i < sizeof right->actions / sizeof *right->actions; i++)
        if (right->actions[i])
            node_push(a, actions, node_c(a, right->actions[i]));
    if (resources->count)
        node_push(a, statements, statement_new(a, actions, resources));
}

static const struct node *common_statements(const struct own_roles *x, const struct function *f)
{
    const struct node *own = node_get_c(f->node, "iamRoleStatementsInherit");
    bool inherits = node_truthy(own) || (node_truthy(node_get_c(x->options, "defaultInherit")) &&
                                         !(node_is(own, NODE_BOOL) && !own->boolean));
    if (!inherits)
        return NULL;
    return node_truthy(node_get_c(x->c->provider, "iam"))
               ? node_path(x->c->provider, "iam.role.statements")
               : node_get_c(x->c->provider, "iamRoleStatements");
}

static const struct node *statements_of(const struct own_roles *x, const struct function *f)
{
    struct arena *a = x->c->arena;
    struct node *out = NODE_LIST(a, log_statement(x->c, f));
    const struct node *on_error = node_get_c(f->node, "onError");
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        allow_sources(a, f, &rights[i], out);
    if (node_truthy(on_error))
        node_push(a, out, statement_new(a, NODE_LIST(a, node_c(a, "sns:Publish")), on_error));
    node_each (statement, common_statements(x, f))
        node_push(a, out, statement);
    node_each (statement, node_get_c(f->node, "iamRoleStatements"))
        node_push(a, out, statement);
    return out;
}

/* ---- the role ---- */

static const struct node *managed_policies(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    struct node *list = node_seq(a);
    if (node_count(node_get_c(f->node, "vpc")) || node_count(node_get_c(c->provider, "vpc")))
        node_push(a, list,
                  node_join(a, "",
                            NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                                      node_c(a, ":iam::aws:policy/service-role/"
                                                "AWSLambdaVPCAccessExecutionRole"))));
    return list;
}

/* The name in a template that is not made for stages: service, stage, function, region, and
 * "lambdaRole" where that still fits. */
static const struct node *flat_name(struct compilation *c, const struct function *f,
                                    struct err *err)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *common = node_path(c->role, "Properties.RoleName");
    size_t size = s->name.n + s->stage.n + f->key.n + s->region.n + 3;
    struct str ending = STR("lambdaRole");
    if (!node_get_c(common, "Fn::Join")) {
        err_at(err, node_pos(common), ERR_CONFIG, "'provider.iam.role.name' leaves no name for it");
        err_help(err, "name the role of the function: iamRoleStatementsName");
        return NULL;
    }
    if (size > ROLE_NAME_MAX) {
        err_at(err, f->pos, ERR_CONFIG,
               "the name of its role would have %zu characters, more than %d", size, ROLE_NAME_MAX);
        err_help(err, "name the role of the function: iamRoleStatementsName");
        return NULL;
    }
    bool is_full = size + 1 + ending.n > ROLE_NAME_MAX;
    return node_join(a, "-",
                     NODE_LIST(a, node_str(a, s->name), node_staged(c, s->stage),
                               node_str(a, f->key), node_ref(a, STR("AWS::Region")),
                               is_full ? NULL : node_str(a, ending)));
}

static int put_name(struct compilation *c, const struct function *f, struct node *properties,
                    struct err *err)
{
    const struct node *given = node_get_c(f->node, "iamRoleStatementsName");
    const struct node *name = node_truthy(given) ? given : NULL;
    if (!name && c->options->naming == NAMING_FLAT && !(name = flat_name(c, f, err)))
        return -1;
    node_drop(properties, STR("RoleName"));
    node_put_c(c->arena, properties, "RoleName", name);
    return 0;
}

static const struct node *boundary_of(const struct own_roles *x, const struct function *f)
{
    return node_or(node_get_c(f->node, "iamPermissionsBoundary"),
                   node_get_c(x->options, "iamGlobalPermissionsBoundary"));
}

static struct node *role_of(const struct own_roles *x, const struct function *f, struct err *err)
{
    struct compilation *c = x->c;
    struct arena *a = c->arena;
    const struct node *common = node_get_c(c->role, "Properties");
    const struct node *policy = node_path(common, "Policies.0"), *boundary = boundary_of(x, f);
    struct node *properties = node_shallow(a, common);
    const struct node *document =
        cfn_with(a, node_get_c(policy, "PolicyDocument"), "Statement", statements_of(x, f));
    node_put_c(a, properties, "Policies",
               NODE_LIST(a, cfn_with(a, policy, "PolicyDocument", document)));
    node_put_c(a, properties, "ManagedPolicyArns", managed_policies(c, f));
    if (node_truthy(boundary))
        node_put_c(a, properties, "PermissionsBoundary", boundary);
    if (put_name(c, f, properties, err) < 0)
        return NULL;
    return resource_new(a, "AWS::IAM::Role", properties);
}

/* ---- its users ---- */

static const struct node *depends_on(struct arena *a, struct str role, const struct node *old)
{
    struct node *out = NODE_LIST(a, node_str(a, role));
    node_each (item, old)
        if (!node_is_text(item, COMMON_ROLE))
            node_push(a, out, item);
    return out;
}

/* The function, and the mappings of its event sources, which Lambda makes only once its role may
 * read them. */
static void give_role(struct compilation *c, struct compiled_function *f)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < c->resources->size; i++) {
        struct member *m = &c->resources->members[i];
        const struct node *callee = node_path(m->value, "Properties.FunctionName.Fn::GetAtt");
        if (str_eq(m->key, f->logical_id)) {
            const struct node *after = node_get_c(m->value, "DependsOn");
            const struct node *with =
                cfn_with(a, m->value, "DependsOn", depends_on(a, f->role_id, after));
            m->value = cfn_with_property(a, with, "Role", node_get_att(a, f->role_id, "Arn"));
        } else if (node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::EventSourceMapping") &&
                   str_eq(node_text(node_path(callee, "0")), f->logical_id)) {
            m->value = cfn_with(a, m->value, "DependsOn", node_str(a, f->role_id));
        }
    }
}

static int check_given(struct compilation *c, const struct function *f, struct err *err)
{
    const struct member *m = node_member(f->node, STR("iamRoleStatements"));
    const struct node *role = role_of_function(c, f);
    if (!role)
        return check_statements(m->value, err);
    err_at(err, m->key_pos, ERR_CONFIG, "'iamRoleStatements' of a function that is given a role");
    err_note(err, node_pos(role), "the role is given here");
    return err_help(err, "leave one of the two away");
}

static int make_one(const struct own_roles *x, size_t index, struct err *err)
{
    struct compilation *c = x->c;
    struct compiled_function *out = &c->out->functions[index];
    const struct function *f = out->function;
    if (!node_get_c(f->node, "iamRoleStatements"))
        return 0;
    struct node *role = check_given(c, f, err) < 0 ? NULL : role_of(x, f, err);
    if (!role)
        return err_wrap(err, "function '%.*s'", STR_ARG(f->key));
    out->role_id = name_with(c, f, COMMON_ROLE);
    const struct member *m = node_member(f->node, STR("iamRoleStatements"));
    if (resource_add(c, out->role_id, role, m->key_pos, err) < 0)
        return -1;
    give_role(c, out);
    return 0;
}

/* The boundary of all roles is the common one's, too, when any is made. */
static void bound_common_role(const struct own_roles *x)
{
    struct compilation *c = x->c;
    const struct node *boundary = node_get_c(x->options, "iamGlobalPermissionsBoundary");
    bool any = false;
    for (size_t i = 0; i < c->out->function_count; i++)
        any = any || c->out->functions[i].role_id.n;
    if (!any || !node_truthy(boundary))
        return;
    for (size_t i = 0; i < c->resources->size; i++) {
        struct member *m = &c->resources->members[i];
        if (str_eq(m->key, STR(COMMON_ROLE)))
            m->value = cfn_with_property(c->arena, m->value, "PermissionsBoundary", boundary);
    }
}

int own_roles_compile(struct compilation *c, struct err *err)
{
    if (!plugin_listed(c->service->root, PLUGIN))
        return 0;
    struct own_roles x = {c, node_get_c(node_get_c(c->service->root, "custom"), PLUGIN)};
    for (size_t i = 0; i < c->out->function_count; i++) {
        struct err one = {0};
        make_one(&x, i, &one);
        err_also(err, &one);
    }
    bound_common_role(&x);
    return err->kind ? -1 : 0;
}
