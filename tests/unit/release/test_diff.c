/* Comparing deployments: what differs, what differs by the stage's name only. */
#include "check.h"

#include "doc/json.h"
#include "records.h"
#include "release/diff.h"

static void check_renamed(const char *x, const char *from, const char *y, const char *to, bool want)
{
    struct arena *a = arena_new();
    assert_int_equal(diff_renamed(a, str_c(x), str_c(from), str_c(y), str_c(to)), want);
    arena_free(a);
}

static void test_renamed(void **state)
{
    (void)state;
    check_renamed("shop-dev-jobs", "dev", "shop-prod-jobs", "prod", true);
    check_renamed("ShopDevJobs", "dev", "ShopProdJobs", "prod", true);
    check_renamed("dev/dev", "dev", "prod/prod", "prod", true);
    check_renamed("devices-dev", "dev", "devices-prod", "prod", true);
    check_renamed("devices-dev", "dev", "devices-dev2", "dev2", true);
    check_renamed("dev", "dev", "dev2", "dev2", true);
    check_renamed("abc-a", "a", "abc-ab", "ab", true);
    check_renamed("S3BucketOrdersapihotfix1uploads", "hotfix-1", "S3BucketOrdersapiproduploads",
                  "prod", true);
    check_renamed("HotfixDash1Fn", "hotfix-1", "ProdFn", "prod", true);
    check_renamed("SNSTopicHotfix1", "hotfix-1", "SNSTopicProd", "prod", true);
    check_renamed("a_hotfix-1", "hotfix-1", "a_pr-2", "pr-2", true);
    check_renamed("x1", "hotfix-1", "xprod", "prod", false);
    check_renamed("same", "dev", "same", "prod", true);
    check_renamed("shop-dev-1", "dev", "shop-prod-2", "prod", false);
    check_renamed("shop-dev", "dev", "shop-test", "prod", false);
    check_renamed("dev", "dev", "", "prod", false);
    check_renamed("x", "dev", "xprod", "prod", false);
}

static struct diff_side side_of(struct arena *a, const char *stage, const char *body,
                                const char *versions, const char *template)
{
    struct err err = {0};
    struct diff_side s = {.record = {.stage = str_c(stage), .number = 1}};
    s.record.body = body_of(a, body);
    s.record.versions = versions ? versions_of(a, versions) : NULL;
    s.template = template ? json_parse(a, STR("template"), str_c(template), &err) : NULL;
    assert_true(!template || s.template);
    return s;
}

static void test_functions(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diff_side x = side_of(
        a, "dev",
        "{\"functions\":{"
        "\"same\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"1\"},"
        "\"code\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"1\","
        "\"parts\":{\"code\":\"c1\",\"S3Key\":\"k1\",\"MemorySize\":\"m\"}},"
        "\"settings\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"1\","
        "\"parts\":{\"code\":\"c\",\"MemorySize\":\"m1\",\"variable OLD\":\"v\"}},"
        "\"moved\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"1\"},"
        "\"gone\":{\"layout\":\"shared\",\"fingerprint\":\"1\"}},"
        "\"apis\":{\"Api\":{\"fingerprint\":\"1\"},\"Same\":{\"fingerprint\":\"1\"}}}",
        "{\"functions\":{\"code\":{\"version\":\"3\"}},\"apis\":{\"Api\":{\"deployment\":\"d1\"}}}",
        NULL);
    struct diff_side y = side_of(
        a, "prod",
        "{\"functions\":{"
        "\"same\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"1\"},"
        "\"code\":{\"layout\":\"shared\",\"artifact\":\"bb\",\"fingerprint\":\"2\","
        "\"parts\":{\"code\":\"c2\",\"S3Key\":\"k2\",\"MemorySize\":\"m\"}},"
        "\"settings\":{\"layout\":\"shared\",\"artifact\":\"aa\",\"fingerprint\":\"2\","
        "\"parts\":{\"code\":\"c\",\"MemorySize\":\"m2\"}},"
        "\"moved\":{\"layout\":\"perStage\",\"artifact\":\"aa\"},"
        "\"new\":{\"layout\":\"shared\",\"fingerprint\":\"1\"}},"
        "\"apis\":{\"Api\":{\"fingerprint\":\"2\"},\"Same\":{\"fingerprint\":\"1\"}}}",
        "{\"functions\":{\"code\":{\"version\":\"4\"}},\"apis\":{\"Api\":{\"deployment\":\"d2\"}}}",
        NULL);
    struct diff d;
    diff_make(a, &x, &y, &d);
    assert_int_equal(d.function_count, 5);
    assert_int_equal(d.same_functions, 1);
    check_str(d.functions[0].key, "code");
    assert_true(d.functions[0].code && d.functions[0].part_count == 0);
    check_str(d.functions[0].version[0], "3");
    check_str(d.functions[0].version[1], "4");
    check_str(d.functions[1].key, "settings");
    assert_true(!d.functions[1].code && d.functions[1].part_count == 2);
    check_str(d.functions[1].parts[0], "MemorySize");
    check_str(d.functions[1].parts[1], "variable OLD");
    check_str(d.functions[2].key, "moved");
    assert_int_equal(d.functions[2].layout[1], LAYOUT_PER_STAGE);
    assert_int_equal(d.functions[3].where, DIFF_ONLY_B);
    assert_int_equal(d.functions[4].where, DIFF_ONLY_A);
    check_str(d.functions[4].key, "gone");
    assert_int_equal(d.api_count, 1);
    check_str(d.apis[0].deployment[1], "d2");
    assert_int_equal(d.same_apis, 1);
    assert_false(d.templates);
    arena_free(a);
}

static void test_resources(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct diff_side x = side_of(
        a, "dev", "{}", NULL,
        "{\"Resources\":{"
        "\"Queue\":{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"jobs-dev\"}},"
        "\"DevTopic\":{\"Type\":\"AWS::SNS::Topic\"},"
        "\"Table\":{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{\"TableName\":\"t-dev\","
        "\"BillingMode\":\"PROVISIONED\"}},"
        "\"Alias\":{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"FunctionVersion\":\"3\"}},"
        "\"Version1\":{\"Type\":\"AWS::Lambda::Version\"},"
        "\"Rule\":{\"Type\":\"AWS::Events::Rule\"}}}");
    struct diff_side y = side_of(
        a, "prod", "{}", NULL,
        "{\"Resources\":{"
        "\"Queue\":{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"QueueName\":\"jobs-prod\"}},"
        "\"ProdTopic\":{\"Type\":\"AWS::SNS::Topic\"},"
        "\"Table\":{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{\"TableName\":\"t-prod\","
        "\"BillingMode\":\"PAY_PER_REQUEST\"}},"
        "\"Alias\":{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"FunctionVersion\":\"4\"}},"
        "\"Version2\":{\"Type\":\"AWS::Lambda::Version\"},"
        "\"Bucket\":{\"Type\":\"AWS::S3::Bucket\"}}}");
    struct diff d;
    diff_make(a, &x, &y, &d);
    assert_true(d.templates);
    assert_int_equal(d.named_resources, 2);
    assert_int_equal(d.same_resources, 1);
    assert_int_equal(d.resource_count, 3);
    check_str(d.resources[0].id, "Table");
    assert_int_equal(d.resources[0].change_count, 1);
    check_str(d.resources[0].changes[0].path, "Properties.BillingMode");
    check_str(d.resources[1].id, "Bucket");
    assert_int_equal(d.resources[1].where, DIFF_ONLY_B);
    check_str(d.resources[2].id, "Rule");
    assert_int_equal(d.resources[2].where, DIFF_ONLY_A);

    diff_make(a, &x, &x, &d);
    assert_int_equal(d.resource_count + d.named_resources, 0);
    assert_int_equal(d.same_resources, 5);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
