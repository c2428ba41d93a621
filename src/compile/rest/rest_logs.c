/* Access logs of REST APIs: the log group, and the custom resource with which the dialect gives
 * API Gateway a role to write logs with (an account-wide setting).
 *
 * The code of that custom resource is the reference's own zip. It is named only in NAMING_FLAT,
 * where the template is to equal the reference's. */
#include "compile/rest/rest.h"

#include "base/hash.h"

#define ACCOUNT_ROLE_ID "CustomApiGatewayAccountCloudWatchRole"
#define HANDLER_ID "CustomDashresourceDashapigwDashcwDashrole"
#define ROLE_ID "IamRoleCustomResourcesLambdaExecution"

static int log_group_add(struct compilation *c, const char *id, struct node *name, struct pos pos,
                         struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    node_put_c(a, p, "LogGroupName", name);
    node_put_c(a, p, "RetentionInDays", node_setting(c->provider, NULL, "logRetentionInDays"));
    node_put_c(a, p, "DataProtectionPolicy",
               node_setting(c->provider, NULL, "logDataProtectionPolicy"));
    return resource_add(c, str_c(id), resource_new(a, "AWS::Logs::LogGroup", p), pos, err);
}

/* ---- the custom resource ---- */

static struct node *actions(struct arena *a, size_t n, const char *const *names)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, list, node_c(a, names[i]));
    return list;
}

#define ACTIONS(a, ...)                                                  \
    actions((a), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
            (const char *[]){__VA_ARGS__})

/* Statements to write logs of functions of this service and stage. */
static void push_log_statements(struct compilation *c, struct node *list)
{
    struct arena *a = c->arena;
    static const char *const endings[] = {"*:*", "*:*:*"};
    const struct node *allowed[] = {
        ACTIONS(a, "logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"),
        ACTIONS(a, "logs:PutLogEvents")};
    for (size_t i = 0; i < 2; i++) {
        struct node *arn = node_staged(
            c, str_fmt(a,
                       "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:"
                       "/aws/lambda/%.*s%s",
                       STR_ARG(name_prefix(c)), endings[i]));
        node_push(a, list, statement_new(a, allowed[i], NODE_LIST(a, node_fn(a, "Fn::Sub", arn))));
    }
}

static struct node *role_statements(struct compilation *c)
{
    struct arena *a = c->arena;
    struct node *list = node_seq(a);
    if (node_truthy(node_path(c->provider, "logs.frameworkLambda")))
        push_log_statements(c, list);
    const struct node *roles = node_join(
        a, ":",
        NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")), node_c(a, "iam:"),
                  node_ref(a, STR("AWS::AccountId")), node_c(a, "role/*")));
    const struct node *account =
        node_join(a, ":",
                  NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")),
                            node_c(a, "apigateway:*::/account")));
    node_push(a, list,
              statement_new(a,
                            ACTIONS(a, "iam:AttachRolePolicy", "iam:CreateRole",
                                    "iam:ListAttachedRolePolicies", "iam:PassRole"),
                            roles));
    node_push(a, list, statement_new(a, ACTIONS(a, "apigateway:GET", "apigateway:PATCH"), account));
    return list;
}

static struct node *document(struct arena *a, const struct node *statements)
{
    struct node *out = node_map(a);
    node_put_c(a, out, "Version", node_c(a, "2012-10-17"));
    node_put_c(a, out, "Statement", statements);
    return out;
}

static int role_add(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *assume = node_map(a), *policy = node_map(a), *p = node_map(a);
    node_put_c(a, assume, "Effect", node_c(a, "Allow"));
    node_put_c(a, assume, "Principal", node_fn(a, "Service", ACTIONS(a, "lambda.amazonaws.com")));
    node_put_c(a, assume, "Action", ACTIONS(a, "sts:AssumeRole"));
    node_put_c(
        a, policy, "PolicyName",
        node_join(a, "-",
                  NODE_LIST(a, node_staged(c, c->service->stage), node_str(a, c->service->name),
                            node_c(a, "custom-resources-lambda"))));
    node_put_c(a, policy, "PolicyDocument", document(a, role_statements(c)));
    node_put_c(a, p, "AssumeRolePolicyDocument", document(a, NODE_LIST(a, assume)));
    node_put_c(a, p, "Policies", NODE_LIST(a, policy));
    return resource_add(c, STR(ROLE_ID), resource_new(a, "AWS::IAM::Role", p), pos, err);
}

/* FunctionName of the handler; over Lambda's limit it ends in a hash. */
static struct node *handler_name(struct compilation *c)
{
    enum { KEPT = 32 };
    struct arena *a = c->arena;
    struct str name = str_concat(a, name_prefix(c), STR("-custom-resource-apigw-cw-role"));
    if (name.n > FUNCTION_NAME_MAX)
        name = str_concat(a, str_sub(name, 0, KEPT), md5_hex(a, name));
    return node_staged(c, name);
}

static struct node *handler_properties(struct compilation *c, struct node *name,
                                       const struct node *role)
{
    struct arena *a = c->arena;
    const struct node *bucket = bucket_given(c->provider);
    const struct node *runtime = node_get_c(c->provider, "runtime");
    const struct node *architecture = node_get_c(c->provider, "architecture");
    struct str key = str_concat(a, c->options->artifact_dir, STR("/custom-resources.zip"));
    struct node *code = node_map(a), *p = node_map(a);
    node_put_c(a, code, "S3Bucket",
               bucket ? bucket : node_ref(a, STR("ServerlessDeploymentBucket")));
    node_put_c(a, code, "S3Key", node_staged(c, key));
    node_put_c(a, p, "Code", code);
    node_put_c(a, p, "FunctionName", name);
    node_put_c(a, p, "Handler", node_c(a, "api-gateway-cloud-watch-role/handler.handler"));
    node_put_c(a, p, "MemorySize", node_int(a, 1024));
    node_put_c(a, p, "Runtime",
               str_starts(node_text(runtime), STR("nodejs")) ? runtime : node_c(a, "nodejs24.x"));
    node_put_c(a, p, "Timeout", node_int(a, 180));
    if (node_truthy(architecture))
        node_put_c(a, p, "Architectures", NODE_LIST(a, architecture));
    node_put_c(a, p, "Role", role ? role : node_get_att(a, STR(ROLE_ID), "Arn"));
    return p;
}

static int handler_add(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *name = handler_name(c), *depends_on = node_seq(a);
    const struct node *role =
        node_or(node_path(c->provider, "iam.deploymentRole"), node_get_c(c->provider, "cfnRole"));
    if (!node_truthy(role)) {
        role = NULL;
        node_push(a, depends_on, node_c(a, ROLE_ID));
        if (role_add(c, pos, err) < 0)
            return -1;
    }
    if (node_truthy(node_path(c->provider, "logs.frameworkLambda"))) {
        struct node *group = node_staged(c, str_concat(a, STR("/aws/lambda/"), name->text));
        node_push(a, depends_on, node_c(a, HANDLER_ID "LogGroup"));
        if (log_group_add(c, HANDLER_ID "LogGroup", group, pos, err) < 0)
            return -1;
    }
    struct node *handler =
        resource_new(a, "AWS::Lambda::Function", handler_properties(c, name, role));
    node_put_c(a, handler, "DependsOn", depends_on);
    return resource_add(c, STR(HANDLER_ID "LambdaFunction"), handler, pos, err);
}

int rest_account_role(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    const struct node *logs = node_path(c->provider, "logs.restApi");
    if (c->options->naming == NAMING_SHARED || node_get_c(c->resources, ACCOUNT_ROLE_ID) ||
        node_truthy(node_get_c(logs, "roleManagedExternally")))
        return 0;
    node_put_c(a, p, "ServiceToken", node_get_att(a, STR(HANDLER_ID "LambdaFunction"), "Arn"));
    copy_member(a, p, "RoleArn", logs, "role");
    struct node *resource = resource_new(a, "Custom::ApiGatewayAccountRole", p);
    node_put_c(a, resource, "Version", node_int(a, 1));
    if (handler_add(c, pos, err) < 0)
        return -1;
    return resource_add(c, STR(ACCOUNT_ROLE_ID), resource, pos, err);
}

int rest_logs(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *logs = node_path(c->provider, "logs.restApi");
    const struct node *access = node_get_c(logs, "accessLogging");
    if (!node_truthy(logs) || (!node_empty(access) && !node_truthy(access)))
        return 0;
    struct node *name = node_staged(c, str_concat(a, STR("/aws/api-gateway/"), name_prefix(c)));
    if (log_group_add(c, "ApiGatewayLogGroup", name, logs->pos, err) < 0)
        return -1;
    return rest_account_role(c, logs->pos, err);
}
