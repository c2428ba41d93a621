/* Rights of two templates joined: what comes first, what goes last, what IAM would not take. */
#include "check.h"

#include "doc/json.h"
#include "layout/layout.h"

/* A template with a role that a function runs under. `statements` are of its one policy, `more`
 * are further resources as JSON members, `version` is where the alias points. */
static const struct node *stage(struct arena *a, const char *statements, const char *more,
                                const char *version)
{
    struct err err = {0};
    struct str text =
        str_fmt(a,
                "{\"Resources\":{\"Role\":{\"Type\":\"AWS::IAM::Role\",\"Properties\":{"
                "\"RoleName\":\"r\",\"Policies\":[{\"PolicyName\":\"p\",\"PolicyDocument\":{"
                "\"Statement\":%s}}]}},"
                "\"Alias\":{\"Type\":\"AWS::Lambda::Alias\",\"Properties\":{\"FunctionVersion\":\"%"
                "s\"}}%s},"
                "\"Outputs\":{\"TroupeValue1\":{\"Value\":{\"Fn::GetAtt\":[\"Role\",\"Arn\"]}}}}",
                statements, version, more);
    const struct node *n = json_parse(a, STR("stage"), text, &err);
    check_ok(n ? 0 : -1, &err);
    return n;
}

static struct str statements_of(struct arena *a, const struct node *template)
{
    return template ? json_text(a,
                                node_path(template, "Resources.Role.Properties.Policies.0."
                                                    "PolicyDocument.Statement"),
                                0)
                    : STR("nothing");
}

#define GET "{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"x\"}"
#define PUT "{\"Effect\":\"Allow\",\"Action\":\"a:Put\",\"Resource\":\"y\"}"
#define GET_Y "{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"y\"}"
#define GET_BOTH "{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":[\"x\",\"y\"]}"
#define GET_BOTH_TOO "{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":[\"y\",\"x\"]}"
#define DENY "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"z\"}"
#define MINE "{\"Sid\":\"S\",\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"x\"}"
#define OTHER_MINE "{\"Sid\":\"S\",\"Effect\":\"Allow\",\"Action\":\"a:Put\",\"Resource\":\"y\"}"
#define WHEN \
    "{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"x\",\"Condition\":{\"c\":1}}"
#define OPEN "{\"Fn::If\":[\"C\"," GET ",{\"Ref\":\"AWS::NoValue\"}]}"

static const struct {
    const char *old, *target, *first, *last; /* statements; NULL: nothing has to be done */
} joins[] = {
    {"[" GET "]", "[" GET "]", NULL, NULL},
    {"[" GET "]", "[" GET "," PUT "]", "[" GET "," PUT "]", NULL},
    {"[" GET "," PUT "]", "[" GET "]", NULL, "[" GET "," PUT "]"},
    {"[" GET "]", "[" PUT "]", "[" GET "," PUT "]", "[" PUT "," GET "]"},
    /* one statement instead of a list */
    {GET, "[" GET "," PUT "]", "[" GET "," PUT "]", NULL},
    /* one list becomes longer, shorter, another */
    {"[" GET "]", "[" GET_BOTH "]", "[" GET_BOTH "]", NULL},
    {"[" GET_BOTH "]", "[" GET "]", NULL, "[" GET_BOTH "]"},
    {"[" GET "]", "[" GET_Y "]", "[" GET_BOTH "]", "[" GET_BOTH_TOO "]"},
    {"[" GET_BOTH "]", "[" GET_BOTH_TOO "]", NULL, NULL},
    /* two differences are two statements; so are conditions */
    {"[" GET "]", "[" WHEN "]", "[" GET "," WHEN "]", "[" WHEN "," GET "]"},
    /* a denial takes: it comes when the other version is gone, and goes before it is needed */
    {"[" GET "]", "[" GET "," DENY "]", NULL, "[" GET "]"},
    {"[" GET "," DENY "]", "[" GET "]", "[" GET "]", NULL},
    {"[" GET "," DENY "]", "[" PUT "," DENY "]", "[" GET "," DENY "," PUT "]",
     "[" PUT "," DENY "," GET "]"},
    /* a Sid is no difference, and unique */
    {"[" GET "]", "[" MINE "]", NULL, NULL},
    {"[" MINE "]", "[" OTHER_MINE "]", "[" MINE "," PUT "]", "[" OTHER_MINE "," GET "]"},
    /* what only CloudFormation can tell is one piece */
    {"[" GET "]", "[" GET "," OPEN "]", "[" GET "," OPEN "]", NULL},
};

static void test_statements(void **state)
{
    struct arena *a = *state;
    struct layout layout = {0};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        struct map waiting = MAP(a);
        const struct node *old = stage(a, joins[i].old, "", "1");
        const struct node *target = stage(a, joins[i].target, "", "2");
        const struct node *first = layout_grant(a, &layout, target, old, &waiting);
        const struct node *last = layout_keep_rights(a, target, first ? first : old);
        check_str(statements_of(a, first), joins[i].first ? joins[i].first : "nothing");
        check_str(statements_of(a, last), joins[i].last ? joins[i].last : "nothing");
        if (first) /* a run that was cut off adds nothing a second time */
            assert_null(layout_grant(a, &layout, target, first, &waiting));
        if (first)
            check_str(node_text(node_path(first, "Resources.Alias.Properties.FunctionVersion")),
                      "1");
        if (last)
            check_str(node_text(node_path(last, "Resources.Alias.Properties.FunctionVersion")),
                      "2");
        assert_null(layout_keep_rights(a, stage(a, joins[i].target, "", "1"), old));
        assert_int_equal(waiting.n, 0);
    }
}

#define POLICY(type, roles)                                           \
    ",\"P\":{\"Type\":\"" type "\",\"Properties\":{\"Roles\":[" roles \
    "],\"PolicyDocument\":{\"Statement\":[" PUT "]}}}"
#define NEIGHBOUR ",\"Role2\":{\"Type\":\"AWS::IAM::Role\",\"Properties\":{}}"

/* Policies of their own: those of functions' roles and of roles outside come first, those of other
 * roles do not. */
static void test_policies(void **state)
{
    static const struct {
        const char *more;
        bool first;
    } cases[] = {
        {POLICY("AWS::IAM::Policy", "{\"Ref\":\"Role\"}"), true},
        {POLICY("AWS::IAM::ManagedPolicy", "{\"Ref\":\"Role\"}"), true},
        {POLICY("AWS::IAM::Policy", "\"outside\""), true},
        {POLICY("AWS::IAM::Policy", "{\"Ref\":\"Role2\"}") NEIGHBOUR, false},
        {POLICY("AWS::IAM::Policy", "{\"Ref\":\"Role2\"},{\"Ref\":\"Role\"}") NEIGHBOUR, true},
        {",\"P\":{\"Type\":\"AWS::IAM::RolePolicy\",\"Properties\":{\"RoleName\":{\"Ref\":"
         "\"Role\"},\"PolicyDocument\":{\"Statement\":[" PUT "]}}}",
         true},
        {POLICY("AWS::SQS::Queue", "{\"Ref\":\"Role\"}"), false},
    };
    struct arena *a = *state;
    struct layout layout = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct map waiting = MAP(a);
        const struct node *target = stage(a, "[" GET "]", cases[i].more, "2");
        const struct node *first =
            layout_grant(a, &layout, target, stage(a, "[" GET "]", "", "1"), &waiting);
        assert_int_equal(first && node_path(first, "Resources.P"), cases[i].first);
    }
}

#define TO_TOPIC \
    "{\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":{\"Ref\":\"Topic\"}}"
#define TOPIC(more) \
    ",\"Topic\":{\"Type\":\"AWS::SNS::Topic\",\"Properties\":{\"Subscription\":" more "}}"

/* What a right refers to comes along; what waits for a pointer makes the role's functions wait. */
static void test_what_rights_refer_to(void **state)
{
    struct arena *a = *state;
    struct layout_value value = {.output = STR("TroupeValue1")};
    struct layout layout = {.values = &value, .value_count = 1};
    struct map waiting = MAP(a);
    const struct node *old = stage(a, "[" GET "]", "", "1");
    const struct node *target = stage(a, "[" GET "," TO_TOPIC "]", TOPIC("[]"), "2");
    value.expression = node_get_att(a, STR("Role"), "Arn");
    const struct node *first = layout_grant(a, &layout, target, old, &waiting);
    assert_non_null(node_path(first, "Resources.Topic"));
    assert_int_equal(waiting.n, 0);
    /* and it stays as long as the right */
    const struct node *last = layout_keep_rights(a, stage(a, "[" GET "]", "", "3"), target);
    assert_non_null(node_path(last, "Resources.Topic"));
    check_str(statements_of(a, last), "[" GET "," TO_TOPIC "]");
    target =
        stage(a, "[" GET "," PUT "," TO_TOPIC "]", TOPIC("[{\"Troupe::Version\":\"new\"}]"), "2");
    first = layout_grant(a, &layout, target, old, &waiting);
    check_str(statements_of(a, first), "[" GET "," PUT "]");
    assert_null(node_path(first, "Resources.Topic"));
    assert_true(map_has(&waiting, STR("TroupeValue1")));
}

static void test_size(void **state)
{
    struct arena *a = *state;
    struct layout layout = {0};
    struct err err = {0};
    char many[2][6000 + 1];
    for (size_t i = 0; i < 2; i++) {
        memset(many[i], i ? 'y' : 'x', 6000);
        many[i][6000] = '\0';
    }
#define LONG(i) \
    str_fmt(a, "[{\"Effect\":\"Allow\",\"Action\":[\"a\"],\"Resource\":\"%s\"}]", many[i]).p
    const struct node *old = stage(a, LONG(0), "", "1"), *target = stage(a, LONG(1), "", "2");
    check_ok(layout_check_rights(a, &layout, old, old, &err), &err);
    assert_int_equal(layout_check_rights(a, &layout, target, old, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_true(str_find(err.msg, STR("IAM takes 10240"), 0) > 0);
    err_clear(&err);
}

static int setup(void **state)
{
    *state = arena_new();
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_statements, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_rights_refer_to, setup, teardown),
        cmocka_unit_test_setup_teardown(test_size, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
