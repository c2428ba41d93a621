/* Definitions: complete, compared with what AWS says, fingerprinted. */
#include "parse.h"

#include "release/publish/definition.h"
#include "release/stack/reason.h"
#include "release/stack/stack.h"

static const struct layout_function api = {.key = {"api", 3}, .name = {"shop-api", 8}};

static int complete(struct arena *a, const char *properties, const struct node **configuration,
                    const struct node **code, struct err *err)
{
    return definition_complete(a, &api, parse(a, properties), NULL, configuration, code, err);
}

#define BASE "\"Role\":\"r\",\"Handler\":\"h.f\",\"Runtime\":\"nodejs22.x\""

/* Absent members are sent as their default, so that nothing of an earlier publisher stays. */
static void test_every_member_is_sent(void **state)
{
    (void)state;
    static const char *const members[] = {
        "Role",          "Handler",     "Runtime",           "Description",      "Timeout",
        "MemorySize",    "Environment", "VpcConfig",         "DeadLetterConfig", "KMSKeyArn",
        "TracingConfig", "Layers",      "FileSystemConfigs", "EphemeralStorage", "SnapStart",
        "LoggingConfig"};
    struct arena *a = arena_new();
    struct err err = {0};
    const struct node *configuration, *code;
    check_ok(complete(a, "{" BASE "}", &configuration, &code, &err), &err);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        assert_non_null(node_get_c(configuration, members[i]));
    check_str(json_text(a, node_get_c(configuration, "Environment"), 0), "{\"Variables\":{}}");
    check_str(node_text(node_path(configuration, "LoggingConfig.LogGroup")),
              "/aws/lambda/shop-api");
    check_str(json_text(a, code, 0), "{\"Architectures\":[\"x86_64\"]}");
    arena_free(a);
}

static void test_types(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    const struct node *configuration, *code;
    check_ok(complete(a,
                      "{" BASE
                      ",\"Timeout\":\"10\",\"KmsKeyArn\":\"k\",\"Environment\":{\"Variables\":"
                      "{\"A\":1,\"B\":true}}}",
                      &configuration, &code, &err),
             &err);
    check_str(json_text(a, node_get_c(configuration, "Timeout"), 0), "10");
    check_str(node_text(node_get_c(configuration, "KMSKeyArn")), "k");
    check_str(json_text(a, node_get_c(configuration, "Environment"), 0),
              "{\"Variables\":{\"A\":\"1\",\"B\":\"true\"}}");
    arena_free(a);
}

static const struct {
    const char *want, *observed;
    const char *differs; /* differs: NULL: they match */
} matches[] = {
    {"", "{" BASE "}", NULL},
    {"",
     "{" BASE ",\"Timeout\":3,\"MemorySize\":128,\"LoggingConfig\":{\"LogFormat\":\"Text\","
     "\"LogGroup\":\"/aws/lambda/shop-api\"}}",
     NULL},
    {"", "{" BASE ",\"Timeout\":4}", "Timeout"},
    {",\"Timeout\":9", "{" BASE "}", "Timeout"},
    {"", "{" BASE ",\"Environment\":{\"Variables\":{\"LEFT\":\"over\"}}}", "Environment"},
    {",\"Environment\":{\"Variables\":{\"A\":\"1\"}}",
     "{" BASE ",\"Environment\":{\"Variables\":{\"A\":\"1\"}}}", NULL},
    {",\"Environment\":{\"Variables\":{\"A\":\"1\"}}",
     "{" BASE ",\"Environment\":{\"Variables\":{\"A\":\"2\"}}}", "Environment"},
    {",\"Environment\":{\"Variables\":{\"A\":\"1\"}}", "{" BASE "}", "Environment"},
    {",\"VpcConfig\":{\"SubnetIds\":[\"b\",\"a\"],\"SecurityGroupIds\":[\"s\"]}",
     "{" BASE
     ",\"VpcConfig\":{\"SubnetIds\":[\"a\",\"b\"],\"SecurityGroupIds\":[\"s\"],\"VpcId\":\"v\"}}",
     NULL},
    {"", "{" BASE ",\"VpcConfig\":{\"SubnetIds\":[],\"SecurityGroupIds\":[],\"VpcId\":\"\"}}",
     NULL},
    {"", "{" BASE ",\"VpcConfig\":{\"SubnetIds\":[\"a\"],\"SecurityGroupIds\":[\"s\"]}}",
     "VpcConfig"},
    {",\"Layers\":[\"x:1\",\"y:2\"]",
     "{" BASE ",\"Layers\":[{\"Arn\":\"x:1\",\"CodeSize\":1},{\"Arn\":\"y:2\"}]}", NULL},
    {",\"Layers\":[\"x:1\",\"y:2\"]", "{" BASE ",\"Layers\":[{\"Arn\":\"y:2\"},{\"Arn\":\"x:1\"}]}",
     "Layers"},
    {"", "{" BASE ",\"TracingConfig\":{\"Mode\":\"Active\"}}", "TracingConfig"},
    {"", "{" BASE ",\"SnapStart\":{\"ApplyOn\":\"None\",\"OptimizationStatus\":\"Off\"}}", NULL},
    {"", "{" BASE ",\"Description\":\"whatever\"}", NULL},
    {",\"DeadLetterConfig\":{\"TargetArn\":\"q\"}", "{" BASE "}", "DeadLetterConfig"},
};

static void test_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        const struct node *configuration, *code;
        struct str member = {"", 0};
        struct str properties = str_fmt(a, "{" BASE "%s}", matches[i].want);
        check_ok(complete(a, properties.p, &configuration, &code, &err), &err);
        bool same = definition_matches(configuration, parse(a, matches[i].observed), &member);
        if (same != !matches[i].differs)
            print_error("case %zu: %s\n", i, matches[i].observed);
        assert_int_equal(same, !matches[i].differs);
        if (!same)
            check_str(member, matches[i].differs);
        arena_free(a);
    }
}

#define KEY STR("a key")

static void test_fingerprint_and_reason(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    const struct node *x, *y, *code;
    check_ok(complete(a, "{" BASE ",\"Environment\":{\"Variables\":{\"T\":\"secret\"}}}", &x, &code,
                      &err),
             &err);
    check_ok(complete(a,
                      "{" BASE ",\"Environment\":{\"Variables\":{\"T\":\"other\"}},\"Timeout\":9}",
                      &y, &code, &err),
             &err);
    assert_true(str_eq(definition_fingerprint(a, KEY, x, code, STR("h")),
                       definition_fingerprint(a, KEY, x, code, STR("h"))));
    assert_false(str_eq(definition_fingerprint(a, KEY, x, code, STR("h")),
                        definition_fingerprint(a, KEY, x, code, STR("i"))));
    const struct node *before = definition_parts(a, KEY, x, code, STR("h"));
    check_str(definition_reason(a, before, definition_parts(a, KEY, x, code, STR("i"))),
              "code changed");
    check_str(definition_reason(a, before, definition_parts(a, KEY, y, code, STR("h"))),
              "Timeout and 1 more changed");
    check_str(definition_reason(a, NULL, before), "new");
    /* the text has no values */
    assert_int_equal(str_find(json_text(a, before, 0), STR("secret"), 0), -1);
    /* without the key nobody can try values: the text is another with every key */
    const struct node *other = definition_parts(a, STR("another"), x, code, STR("h"));
    check_str(definition_reason(a, before, other), "variable T changed");
    assert_true(definition_is_keyed(node_get_c(before, "variable T")));
    assert_false(definition_is_keyed(node_get_c(before, "Timeout")));
    struct str prints[] = {definition_fingerprint(a, KEY, x, code, STR("h")),
                           definition_fingerprint(a, STR("another"), x, code, STR("h")),
                           definition_fingerprint(a, STR(""), x, code, STR("h"))};
    assert_false(str_eq(prints[0], prints[1]) || str_eq(prints[0], prints[2]));
    arena_free(a);
}

/* What the event says, and what the person is told; NULL: nothing is told. */
static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *event, *plain;
    } reasons[] = {
        {"Resource handler returned message: \"Function not found: f (Service: Lambda, Status "
         "Code: "
         "404, Request ID: 1-2)\" (RequestToken: 3-4, HandlerErrorCode: NotFound)",
         "Function not found: f (Service: Lambda, Status Code: 404)"},
        {"Resource handler returned message: \"a \"quoted\" one\" (RequestToken: 3-4, "
         "HandlerErrorCode: X)",
         "a \"quoted\" one"},
        {"key schema (Service: DynamoDb, Request ID: 1) and (Request ID: 2)",
         "key schema (Service: DynamoDb) and (Request ID: 2)"},
        {"cut off (Service: S3, Request ID: 1", "cut off (Service: S3"},
        {"Export with name x is already exported by stack y. Rollback requested by user.",
         "Export with name x is already exported by stack y."},
        {"plain", "plain"},
        {"", NULL},
        {"Rollback requested by user.", NULL},
        {"The following resource(s) failed to create: [A]. Rollback requested by user.", NULL},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct arena *a = arena_new();
        struct str event = str_c(reasons[i].event);
        assert_int_equal(reason_says_nothing(event), !reasons[i].plain);
        if (reasons[i].plain)
            check_str(reason_plain(a, event), reasons[i].plain);
        arena_free(a);
    }
}

/* Every status that CloudFormation documents for stacks has a row of its own. */
static void test_every_stack_status(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum stack_condition condition;
    } documented[] = {
        {"CREATE_COMPLETE", STACK_READY},
        {"CREATE_IN_PROGRESS", STACK_BUSY},
        {"CREATE_FAILED", STACK_STUCK},
        {"DELETE_COMPLETE", STACK_GONE},
        {"DELETE_FAILED", STACK_STUCK},
        {"DELETE_IN_PROGRESS", STACK_BUSY},
        {"REVIEW_IN_PROGRESS", STACK_STUCK},
        {"ROLLBACK_COMPLETE", STACK_STUCK},
        {"ROLLBACK_FAILED", STACK_STUCK},
        {"ROLLBACK_IN_PROGRESS", STACK_BUSY},
        {"UPDATE_COMPLETE", STACK_READY},
        {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY},
        {"UPDATE_FAILED", STACK_STUCK},
        {"UPDATE_IN_PROGRESS", STACK_BUSY},
        {"UPDATE_ROLLBACK_COMPLETE", STACK_READY},
        {"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY},
        {"UPDATE_ROLLBACK_FAILED", STACK_STUCK},
        {"UPDATE_ROLLBACK_IN_PROGRESS", STACK_BUSY},
        {"IMPORT_IN_PROGRESS", STACK_BUSY},
        {"IMPORT_COMPLETE", STACK_READY},
        {"IMPORT_ROLLBACK_IN_PROGRESS", STACK_BUSY},
        {"IMPORT_ROLLBACK_FAILED", STACK_STUCK},
        {"IMPORT_ROLLBACK_COMPLETE", STACK_READY},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++) {
        struct str status = str_c(documented[i].status);
        assert_int_equal(stack_condition(status), documented[i].condition);
        assert_int_equal(stack_way_out(a, status, STR("")).n > 0,
                         documented[i].condition == STACK_STUCK);
    }
    arena_free(a);
}

static void test_owner(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    struct stack stack = {.name = STR("a-b")};
    stack.tags = parse(a, "{\"troupe:service\":\"a\",\"troupe:stage\":\"b\"}");
    check_ok(stack_check_owner(&stack, STR("a"), STR("b"), &err), &err);
    assert_int_equal(stack_check_owner(&stack, STR("a-b"), STR(""), &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    err_clear(&err);
    stack.tags = parse(a, "{\"team\":\"x\"}");
    assert_int_equal(stack_check_owner(&stack, STR("a"), STR("b"), &err), -1);
    err_clear(&err);
    arena_free(a);
}

/* What Lambda gives a function when it makes it is not changed later; DurableConfig of one that has
 * it may be edited. */
static void test_made_with(void **state)
{
    static const struct {
        const char *want, *made, *error;
    } cases[] = {
        {"{}", "{}", NULL},
        {"{\"TenancyConfig\":{}}", "{}", NULL},
        {"{\"DurableConfig\":{\"ExecutionTimeout\":90}}",
         "{\"DurableConfig\":{\"ExecutionTimeout\":60}}", NULL},
        {"{\"TenancyConfig\":{\"TenantIsolationMode\":\"PER_TENANT\"}}",
         "{\"TenancyConfig\":{\"TenantIsolationMode\":\"PER_TENANT\"}}", NULL},
        {"{\"DurableConfig\":{\"ExecutionTimeout\":90}}", "{}",
         "'DurableConfig' of function 'api' cannot be added"},
        {"{}", "{\"DurableConfig\":{\"ExecutionTimeout\":60}}",
         "'DurableConfig' of function 'api' cannot be taken away"},
        {"{\"TenancyConfig\":{\"TenantIsolationMode\":\"B\"}}",
         "{\"TenancyConfig\":{\"TenantIsolationMode\":\"A\"}}",
         "'TenancyConfig' of function 'api' cannot be changed"},
    };
    struct arena *a = arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_err struct err err = {0};
        int done =
            definition_check_made(&api, parse(a, cases[i].want), parse(a, cases[i].made), &err);
        assert_int_equal(done, cases[i].error ? -1 : 0);
        if (!cases[i].error)
            continue;
        assert_int_equal(err.kind, ERR_REFUSED);
        assert_true(str_starts(err.msg, str_c(cases[i].error)));
    }
    const struct node *sent = definition_update(
        a, parse(a, "{\"Timeout\":3,\"TenancyConfig\":{\"TenantIsolationMode\":\"A\"}}"));
    check_str(json_text(a, sent, 0), "{\"Timeout\":3}");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_member_is_sent),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_fingerprint_and_reason),
        cmocka_unit_test(test_every_stack_status),
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_made_with),
    };
    return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
