/* Access logs of REST APIs: the log group, and the custom resource with which the dialect gives
 * API Gateway a role to write logs with (an account-wide setting). With stages the role is set by
 * deploy itself, so that no stage changes it for the others. */
#include "compile/custom_resources.h"
#include "compile/rest/rest.h"

#define ACCOUNT_ROLE_ID "CustomApiGatewayAccountCloudWatchRole"

/* The rights to make the role for all APIs of the account, and to set it. */
static struct node *account_role_rights(struct arena *a)
{
    const struct node *partition = node_ref(a, STR("AWS::Partition"));
    const struct node *roles =
        node_join(a, ":",
                  NODE_LIST(a, node_c(a, "arn"), partition, node_c(a, "iam:"),
                            node_ref(a, STR("AWS::AccountId")), node_c(a, "role/*")));
    const struct node *account = node_join(
        a, ":", NODE_LIST(a, node_c(a, "arn"), partition, node_c(a, "apigateway:*::/account")));
    return NODE_LIST(a,
                     statement_new(a,
                                   TEXTS(a, "iam:AttachRolePolicy", "iam:CreateRole",
                                         "iam:ListAttachedRolePolicies", "iam:PassRole"),
                                   roles),
                     statement_new(a, TEXTS(a, "apigateway:GET", "apigateway:PATCH"), account));
}

int rest_account_role(struct compilation *c, struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    const struct node *logs = node_path(c->provider, "logs.restApi");
    if (c->options->naming == NAMING_SHARED || node_get_c(c->resources, ACCOUNT_ROLE_ID) ||
        node_truthy(node_get_c(logs, "roleManagedExternally")))
        return 0;
    copy_member(a, p, "RoleArn", logs, "role");
    struct node *resource = custom_resource_new(
        c, &custom_account_role, "Custom::ApiGatewayAccountRole", p, /* f= */ NULL, STR(""));
    if (custom_handler_add(c, &custom_account_role, account_role_rights(a), pos, err) < 0)
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
    if (provider_log_group_add(c, STR("ApiGatewayLogGroup"), name, logs->pos, err) < 0)
        return -1;
    return rest_account_role(c, logs->pos, err);
}
