/* The table of resource types. */
#include "check.h"

#include "doc/json.h"
#include "cfn/cfn.h"

static void test_rows_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 1; i < cfn_type_count; i++)
        if (str_cmp(str_c(cfn_types[i - 1].name), str_c(cfn_types[i].name)) >= 0)
            fail_msg("%s stands after %s", cfn_types[i].name, cfn_types[i - 1].name);
    for (size_t i = 0; i < cfn_type_count; i++) {
        struct str name = str_c(cfn_types[i].name);
        assert_true(cfn_is_known(name) == !str_ends(name, STR("::")));
    }
}

/* Traits that the registry does not say or calls conditional, and which types hold data. */
static void test_what_replaces(void **state)
{
    static const struct {
        const char *type, *property;
        bool replaces;
    } rows[] = {
        {"AWS::DynamoDB::Table", "KeySchema", true},
        {"AWS::DynamoDB::Table", "BillingMode", false},
        {"AWS::DynamoDB::GlobalTable", "LocalSecondaryIndexes", true},
        {"AWS::S3::Bucket", "BucketName", true},
        {"AWS::S3::Bucket", "ObjectLockEnabled", true},
        {"AWS::S3::Bucket", "Tags", false},
        {"AWS::RDS::DBInstance", "Engine", true},
        {"AWS::Cognito::UserPool", "AliasAttributes", true},
        {"AWS::EFS::FileSystem", "PerformanceMode", true},
        {"AWS::SQS::Queue", "FifoQueue", true},
        {"AWS::Events::Rule", "EventBusName", true},
        {"AWS::Lambda::EventSourceMapping", "EventSourceArn", true},
        {"AWS::Lambda::Alias", "FunctionVersion", false},
        {"AWS::IAM::Role", "Path", true},
        {"AWS::IAM::Role", "Policies", false},
        {"AWS::StepFunctions::StateMachine", "StateMachineType", true},
        {"Custom::Thing", "Name", false},
        {"AWS::Nothing::Here", "Name", false},
        {"", "", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cfn_replaces(str_c(rows[i].type), str_c(rows[i].property)) != rows[i].replaces)
            fail_msg("%s.%s", rows[i].type, rows[i].property);
}

static void test_traits(void **state)
{
    static const struct {
        const char *type;
        enum cfn_trait trait;
        bool has;
    } rows[] = {
        {"AWS::DynamoDB::Table", CFN_HOLDS_DATA, true},
        {"AWS::SNS::Topic", CFN_HOLDS_DATA, false},
        {"AWS::Lambda::Function", CFN_RECREATABLE, true},
        {"AWS::Lambda::SomethingNew", CFN_RECREATABLE, true}, /* known from the service's row */
        {"AWS::CodeDeploy::Application", CFN_RECREATABLE, true},
        {"Custom::Anything", CFN_RECREATABLE, true},
        {"AWS::DynamoDB::Table", CFN_RECREATABLE, false},
        {"AWS::Unknown::Type", CFN_RECREATABLE, false},
        {"AWS::Lambda::Permission", CFN_WITH_ALIAS, true},
        {"AWS::ApiGateway::Method", CFN_FROZEN, true},
        {"AWS::ApiGateway::Stage", CFN_FROZEN, false},
        {"AWS::WAFv2::WebACLAssociation", CFN_NAMES_STAGE, true},
        {"AWS::SQS::Queue", CFN_IN_ROOT, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cfn_is(str_c(rows[i].type), rows[i].trait) != rows[i].has)
            fail_msg("%s: trait %d", rows[i].type, (int)rows[i].trait);
}

static const struct node *json(struct arena *a, const char *text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("test"), str_c(text), &err);
    if (!n)
        fail_msg("%s", str_z(a, err_render(a, &err, false)));
    return n;
}

static void test_identity(void **state)
{
    struct arena *a = arena_new();
    const struct node *queue =
        json(a, "{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"q\"}}");
    const struct node *slower =
        json(a, "{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"q\","
                "\"DelaySeconds\":3}}");
    const struct node *other =
        json(a, "{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"p\"}}");
    const struct node *conditional = json(a, "{\"Type\":\"AWS::SQS::Queue\",\"Condition\":\"C\","
                                             "\"Properties\":{\"QueueName\":\"q\"}}");
    bool replaces;
    (void)state;
    check_str(node_text(cfn_given_name(queue)), "q");
    assert_true(cfn_keeps_identity(queue, slower));
    assert_false(cfn_keeps_identity(queue, other));
    assert_false(cfn_keeps_identity(queue, conditional));
    assert_false(cfn_keeps_identity(NULL, queue));
    check_str(cfn_difference(a, queue, slower, &replaces), "DelaySeconds changed");
    assert_false(replaces);
    check_str(cfn_difference(a, slower, other, &replaces), "QueueName changed");
    assert_true(replaces);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted),
        cmocka_unit_test(test_what_replaces),
        cmocka_unit_test(test_traits),
        cmocka_unit_test(test_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
