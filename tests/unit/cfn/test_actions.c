/* What a resource takes to be made, by its type and its properties. */
#include "check.h"

#include "doc/json.h"
#include "cfn/cfn.h"
#include "cfn/actions.h"

static void test_rows_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 1; i < cfn_type_actions_count; i++)
        if (strcmp(cfn_type_actions[i - 1].type, cfn_type_actions[i].type) >= 0)
            fail_msg("%s stands after %s", cfn_type_actions[i - 1].type, cfn_type_actions[i].type);
}

struct asked {
    struct str action;
    bool found;
};

static void look(void *context, struct str action)
{
    struct asked *asked = context;
    asked->found |= str_eq(action, asked->action);
}

static bool needs(struct arena *a, const char *resource, const char *action)
{
    struct err err = {0};
    struct asked asked = {str_c(action), false};
    const struct node *n = json_parse(a, STR("test"), str_c(resource), &err);
    assert_non_null(n);
    assert_true(cfn_each_action(n, look, &asked));
    return asked.found;
}

#define FUNCTION(properties) \
    "{\"Type\": \"AWS::Lambda::Function\", \"Properties\": {" properties "}}"
#define LISTENER_RULE(action)                                                                  \
    "{\"Type\": \"AWS::ElasticLoadBalancingV2::ListenerRule\", \"Properties\": {\"Actions\": " \
    "[{\"" action "\": {}}]}}"
#define ROLE(properties) "{\"Type\": \"AWS::IAM::Role\", \"Properties\": {" properties "}}"

static void test_properties_ask_for_actions(void **state)
{
    static const struct {
        const char *resource, *action;
        bool needs;
    } rows[] = {
        {FUNCTION(""), "lambda:CreateFunction", true},
        {FUNCTION(""), "lambda:TagResource", true},
        {FUNCTION(""), "kms:Decrypt", false},
        {FUNCTION("\"KmsKeyArn\": \"k\""), "kms:Decrypt", true},
        {FUNCTION(""), "ec2:DescribeVpcs", false},
        {FUNCTION("\"VpcConfig\": {\"SubnetIds\": []}"), "ec2:DescribeVpcs", true},
        {FUNCTION("\"Code\": {\"ZipFile\": \"\"}"), "s3:GetObject", false},
        {FUNCTION("\"Code\": {\"S3Bucket\": \"b\"}"), "s3:GetObject", true},
        {FUNCTION("\"Role\": \"r\""), "iam:PassRole", false}, /* cfn_each_passed tells it */
        {LISTENER_RULE("forward"), "elasticloadbalancing:CreateRule", true},
        {LISTENER_RULE("forward"), "cognito-idp:DescribeUserPoolClient", false},
        {LISTENER_RULE("AuthenticateCognitoConfig"), "cognito-idp:DescribeUserPoolClient", true},
        {ROLE(""), "iam:PutRolePermissionsBoundary", false},
        {ROLE("\"PermissionsBoundary\": \"b\""), "iam:PutRolePermissionsBoundary", true},
        {ROLE("\"PermissionsBoundary\": \"b\""), "iam:DeleteRolePermissionsBoundary", false},
        {"{\"Type\": \"AWS::S3::Bucket\"}", "s3:PutEncryptionConfiguration", false},
        {"{\"Type\": \"AWS::S3::Bucket\"}", "s3:GetEncryptionConfiguration", true},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (needs(a, rows[i].resource, rows[i].action) != rows[i].needs)
            fail_msg("%s: %s", rows[i].resource, rows[i].action);
    arena_free(a);
}

static void count(void *context, const struct node *role, struct str service)
{
    struct str *said = context;
    *said = node_is_text(role, "arn:r") ? service : STR("another role");
}

static void test_roles_are_passed_to_services(void **state)
{
    static const struct {
        const char *resource, *service;
    } rows[] = {
        {FUNCTION("\"Role\": \"arn:r\""), "lambda"},
        {"{\"Type\": \"AWS::Scheduler::Schedule\", \"Properties\": {\"Target\": {\"RoleArn\": "
         "\"arn:r\"}}}",
         "scheduler"},
        {"{\"Type\": \"AWS::Events::Rule\", \"Properties\": {\"Targets\": [{\"RoleArn\": "
         "\"arn:r\"}]}}",
         "events"},
        {"{\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"RoleArn\": \"arn:r\"}}", "nobody"},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};
        struct str said = STR("nobody");
        cfn_each_passed(json_parse(a, STR("test"), str_c(rows[i].resource), &err), count, &said);
        assert_true(str_eq(said, str_c(rows[i].service)));
    }
    arena_free(a);
}

static void test_types_have_arns(void **state)
{
    (void)state;
    assert_null(cfn_arn_of(STR("AWS::Some::Thing")));
    assert_string_equal(cfn_arn_of(STR("AWS::IAM::Role"))->name, "RoleName");
    assert_string_equal(cfn_arn_of(STR("AWS::ApiGateway::Method"))->type, "AWS::ApiGateway::");
    assert_string_equal(cfn_arn_of(STR("AWS::ApiGateway::Account"))->form,
                        "apigateway:{region}::/account");
    assert_true(cfn_asks_for_all(STR("ec2:DescribeSubnets")));
    assert_false(cfn_asks_for_all(STR("lambda:CreateFunction")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted),
        cmocka_unit_test(test_properties_ask_for_actions),
        cmocka_unit_test(test_roles_are_passed_to_services),
        cmocka_unit_test(test_types_have_arns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
