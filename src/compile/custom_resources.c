/* The handlers of custom resources, and their role. */
#include "compile/custom_resources.h"

#include "base/hash.h"
#include "compile/handlers.h"

#define ROLE_ID "IamRoleCustomResourcesLambdaExecution"

const struct custom_handler custom_s3 = {"custom-resource-existing-s3", "s3/handler.handler"};
const struct custom_handler custom_user_pool = {"custom-resource-existing-cup",
                                                "cognito-user-pool/handler.handler"};
const struct custom_handler custom_event_bridge = {"custom-resource-event-bridge",
                                                   "event-bridge/handler.handler"};
const struct custom_handler custom_account_role = {"custom-resource-apigw-cw-role",
                                                   "api-gateway-cloud-watch-role/handler.handler"};

static struct str handler_id(struct arena *a, const struct custom_handler *handler,
                             const char *ending)
{
    return str_concat(a, name_normalize(a, str_c(handler->name)), str_c(ending));
}

struct node *texts_new(struct arena *a, size_t n, const char *const *texts)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, list, node_c(a, texts[i]));
    return list;
}

static bool is_shared(const struct compilation *c)
{
    return c->options->naming == NAMING_SHARED;
}

static bool writes_logs(const struct compilation *c)
{
    return node_truthy(node_path(c->provider, "logs.frameworkLambda"));
}

/* ---- the role ---- */

static struct node *document(struct arena *a, const struct node *statements)
{
    struct node *out = node_map(a);
    node_put_c(a, out, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, out, "Statement", statements);
    return out;
}

/* Statements to write logs of functions of this service and stage. */
static void push_log_statements(struct compilation *c, struct node *list)
{
    struct arena *a = c->arena;
    static const char *const endings[] = {"*:*", "*:*:*"};
    const struct node *allowed[] = {
        TEXTS(a, "logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"),
        TEXTS(a, "logs:PutLogEvents")};
    for (size_t i = 0; i < 2; i++) {
        struct node *arn =
            node_staged(c, str_fmt(a,
                                   "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:"
                                   "log-group:/aws/lambda/%.*s%s",
                                   STR_ARG(name_prefix(c)), endings[i]));
        node_push(a, list, statement_new(a, allowed[i], NODE_LIST(a, node_fn(a, "Fn::Sub", arn))));
    }
}

static int role_add(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *assume = node_map(a), *policy = node_map(a), *p = node_map(a);
    c->custom_statements = node_seq(a);
    if (writes_logs(c))
        push_log_statements(c, c->custom_statements);
    node_put_c(a, assume, "Effect", node_c(a, "Allow"));
    node_put_c(a, assume, "Principal", node_fn(a, "Service", TEXTS(a, "lambda.amazonaws.com")));
    node_put_c(a, assume, "Action", TEXTS(a, "sts:AssumeRole"));
    const struct node *stage = node_staged(c, c->service->stage);
    node_put_c(a, policy, "PolicyName",
               node_join(a, "-",
                         NODE_LIST(a, stage, node_str(a, c->service->name),
                                   node_c(a, "custom-resources-lambda"))));
    node_put_c(a, policy, "PolicyDocument", document(a, c->custom_statements));
    node_put_c(a, p, "AssumeRolePolicyDocument", document(a, NODE_LIST(a, assume)));
    node_put_c(a, p, "Policies", NODE_LIST(a, policy));
    return resource_add(c, STR(ROLE_ID), resource_new(a, "AWS::IAM::Role", p), pos, err);
}

/* The reference drops a statement when an earlier one has the same text as Resource, whatever the
 * two allow; two CloudFormation functions are never the same to it. */
static void allow(struct compilation *c, const struct node *statement)
{
    const struct node *resource = node_get_c(statement, "Resource");
    node_each (old, c->custom_statements) {
        const struct node *other = node_get_c(old, "Resource");
        if (other == resource || (node_is(other, NODE_STRING) && node_equal(other, resource)))
            return;
    }
    node_push(c->arena, c->custom_statements, statement);
}

/* ---- the handler ---- */

/* FunctionName of a handler; over Lambda's limit it ends in a hash. */
static struct node *handler_name(struct compilation *c, const struct custom_handler *handler)
{
    enum { KEPT = 32 };
    struct arena *a = c->arena;
    struct str name = str_fmt(a, "%.*s-%s", STR_ARG(name_prefix(c)), handler->name);
    if (name.n > FUNCTION_NAME_MAX)
        name = str_concat(a, str_sub(name, 0, KEPT), md5_hex(a, name));
    return node_staged(c, name);
}

/* Where the handler's code is: in the zip that `package` writes. With stages it is in the template
 * itself, so that it comes and goes with the stage and whoever rolls back finds it there. */
static void put_code(struct compilation *c, const struct custom_handler *handler, struct node *p)
{
    struct arena *a = c->arena;
    const struct node *bucket = bucket_given(c->provider);
    struct node *code = node_map(a);
    node_put_c(a, p, "Code", code);
    node_put_c(a, p, "Handler", node_c(a, is_shared(c) ? "index.handler" : handler->entry));
    if (!is_shared(c)) {
        struct str key = str_fmt(a, "%.*s/" HANDLERS_ZIP, STR_ARG(c->options->artifact_dir));
        node_put_c(a, code, "S3Bucket",
                   bucket ? bucket : node_ref(a, STR("ServerlessDeploymentBucket")));
        node_put_c(a, code, "S3Key", node_staged(c, key));
        return;
    }
    for (const struct handler_script *script = handler_scripts; script->entry; script++)
        if (str_eq(str_c(script->entry), str_c(handler->entry)))
            node_put_c(a, code, "ZipFile", node_str(a, script->text));
}

static struct node *handler_properties(struct compilation *c, const struct custom_handler *handler,
                                       struct node *name, const struct node *role)
{
    struct arena *a = c->arena;
    const struct node *runtime = node_get_c(c->provider, "runtime");
    const struct node *architecture = node_get_c(c->provider, "architecture");
    struct node *p = node_map(a);
    put_code(c, handler, p);
    node_put_c(a, p, "FunctionName", name);
    node_put_c(a, p, "MemorySize", node_int(a, 1024));
    node_put_c(a, p, "Runtime",
               str_starts(node_text(runtime), STR("nodejs")) ? runtime : node_c(a, "nodejs24.x"));
    node_put_c(a, p, "Timeout", node_int(a, 180));
    if (node_truthy(architecture))
        node_put_c(a, p, "Architectures", NODE_LIST(a, architecture));
    node_put_c(a, p, "Role", role ? role : node_get_att(a, STR(ROLE_ID), "Arn"));
    return p;
}

int custom_handler_add(struct compilation *c, const struct custom_handler *handler,
                       const struct node *statements, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *name = handler_name(c, handler), *depends_on = node_seq(a);
    c->out->has_handlers = true;
    const struct node *role =
        node_or(node_path(c->provider, "iam.deploymentRole"), node_get_c(c->provider, "cfnRole"));
    if (!node_truthy(role)) {
        role = NULL;
        node_push(a, depends_on, node_c(a, ROLE_ID));
        if (!c->custom_statements && role_add(c, pos, err) < 0)
            return -1;
        node_each (statement, statements)
            allow(c, statement);
    }
    if (writes_logs(c)) {
        struct str id = handler_id(a, handler, "LogGroup");
        struct node *group = node_staged(c, str_concat(a, STR("/aws/lambda/"), name->text));
        node_push(a, depends_on, node_str(a, id));
        if (provider_log_group_add(c, id, group, pos, err) < 0)
            return -1;
    }
    struct node *function =
        resource_new(a, "AWS::Lambda::Function", handler_properties(c, handler, name, role));
    node_put_c(a, function, "DependsOn", depends_on);
    return resource_add(c, handler_id(a, handler, "LambdaFunction"), function, pos, err);
}

/* ---- resources ---- */

struct node *custom_resource_new(struct compilation *c, const struct custom_handler *handler,
                                 const char *type, struct node *properties,
                                 const struct function *f, struct str previous)
{
    struct arena *a = c->arena;
    struct str id = handler_id(a, handler, "LambdaFunction");
    struct node *resource = resource_new(a, type, properties);
    node_put_c(a, properties, "ServiceToken", node_get_att(a, id, "Arn"));
    node_put_c(a, resource, "Version", node_int(a, 1));
    if (!f)
        return resource;
    struct str function = name_function_id(c, f);
    /* With stages layout replaces the Ref by the ARN of the stage's alias. */
    node_put_c(a, properties, "FunctionName",
               is_shared(c) ? node_ref(a, function) : name_function(c, f));
    node_put_c(a, resource, "DependsOn",
               NODE_LIST(a, node_str(a, function), node_str(a, id),
                         previous.n ? node_str(a, previous) : NULL));
    return resource;
}

struct node *custom_arn(struct arena *a, const char *service, const char *rest, const char *more)
{
    return node_join(a, ":",
                     NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")),
                               node_c(a, service), node_ref(a, STR("AWS::Region")),
                               node_ref(a, STR("AWS::AccountId")), node_c(a, rest),
                               more ? node_c(a, more) : NULL));
}
