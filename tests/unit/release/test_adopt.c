/* Taking a stack over: what becomes of each resource, and the templates on the way. */
#include "check.h"

#include "doc/json.h"
#include "release/adopt/adopt.h"

struct fixture {
    struct arena *a;
    struct err err;
    struct settings settings;
    struct layout layout;
    struct layout_function function;
    struct str patterns[1];
    struct adopt_input in;
    struct adoption adoption;
};

static const struct node *parse(struct fixture *f, const char *text)
{
    const struct node *n = json_parse(f->a, STR("template"), str_c(text), &f->err);
    check_ok(n ? 0 : -1, &f->err);
    return n;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->a = arena_new();
    f->patterns[0] = STR("Or*");
    f->settings = (struct settings){.service_resources = f->patterns, .service_resource_count = 1};
    f->function = (struct layout_function){
        .key = STR("api"), .name = STR("shop-api"), .logical_id = STR("ApiLambdaFunction")};
    f->layout = (struct layout){.functions = &f->function, .function_count = 1};
    f->in =
        (struct adopt_input){.layout = &f->layout, .settings = &f->settings, .stage = STR("dev")};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    err_clear(&f->err);
    arena_free(f->a);
    free(f);
    return 0;
}

#define FUNCTION                                                                                   \
    "\"ApiLambdaFunction\":{\"Type\":\"AWS::Lambda::Function\",\"Properties\":{"                   \
    "\"FunctionName\":\"shop-dev-api\",\"Environment\":{\"Variables\":{\"T\":{\"Ref\":\"Orders\"}" \
    ","                                                                                            \
    "\"A\":{\"Fn::Sub\":\"x ${Orders.Arn} ${!Orders}\"}}}},\"DependsOn\":[\"Orders\",\"Log\"]}"
#define ORDERS(name)                                                                      \
    "\"Orders\":{\"Type\":\"AWS::DynamoDB::Table\",\"Properties\":{\"TableName\":\"" name \
    "\",\"KmsKey\":{\"Ref\":\"Key\"}}}"
#define LOG "\"Log\":{\"Type\":\"AWS::Logs::LogGroup\"}"
#define KEY "\"Key\":{\"Type\":\"AWS::KMS::Key\"}"
#define RESOURCES(...) "{\"Resources\":{" __VA_ARGS__ "}}"

static void classify(struct fixture *f, const char *old, const char *target, const char *service)
{
    struct node *physical = node_map(f->a);
    f->in.old = parse(f, old);
    f->in.target = parse(f, target);
    f->in.service_today = parse(f, service);
    member_each (m, node_get_c(f->in.old, "Resources"))
        if (!node_get_c(m->value, "Condition"))
            node_put(f->a, physical, m->key, node_strf(f->a, "id-of-%.*s", STR_ARG(m->key)));
    f->in.physical = physical;
    adopt_classify(f->a, &f->in, &f->adoption);
}

static enum adopt_fate fate(const struct fixture *f, const char *id)
{
    const struct adopt_item *item = adopt_find(&f->adoption, str_c(id));
    assert_non_null(item);
    return item->fate;
}

static void test_fates(void **state)
{
    struct fixture *f = *state;
    classify(f,
             RESOURCES(FUNCTION "," ORDERS(
                 "o") "," LOG "," KEY ",\"Rule\":{\"Type\":\"AWS::Events::Rule\"},"
                      "\"Never\":{\"Type\":\"AWS::SQS::Queue\",\"Condition\":\"C\"}"),
             RESOURCES(KEY), RESOURCES(ORDERS("o") ",\"ApiLambdaFunction\":{\"Type\":\"X\"}"));
    assert_int_equal(fate(f, "ApiLambdaFunction"), ADOPT_ADDRESS);
    check_str(adopt_find(&f->adoption, STR("ApiLambdaFunction"))->from, "id-of-ApiLambdaFunction");
    check_str(adopt_find(&f->adoption, STR("ApiLambdaFunction"))->to, "shop-api:dev");
    assert_int_equal(fate(f, "Orders"), ADOPT_MOVED);
    assert_int_equal(fate(f, "Log"), ADOPT_LEFT);
    assert_int_equal(fate(f, "Key"), ADOPT_KEPT);
    assert_int_equal(fate(f, "Rule"), ADOPT_REMOVED);
    assert_null(adopt_find(&f->adoption, STR("Never")));
    assert_int_equal(f->adoption.refused, 0);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    classify(f, RESOURCES(ORDERS("a")), RESOURCES(ORDERS("b")), RESOURCES(""));
    assert_int_equal(fate(f, "Orders"), ADOPT_REFUSED);
    classify(f, RESOURCES(ORDERS("a")), RESOURCES(KEY), RESOURCES(ORDERS("b")));
    assert_int_equal(fate(f, "Orders"), ADOPT_REFUSED);
    check_str(adopt_find(&f->adoption, STR("Orders"))->reason,
              "TableName changed: the service would get another one");
    classify(f, RESOURCES("\"Nested\":{\"Type\":\"AWS::CloudFormation::Stack\"}"), RESOURCES(KEY),
             RESOURCES(""));
    assert_int_equal(fate(f, "Nested"), ADOPT_REFUSED);
    /* the name is free only when the old stack is gone */
    classify(f, RESOURCES(FUNCTION), RESOURCES(KEY),
             RESOURCES("\"Other\":{\"Type\":\"AWS::Lambda::Function\",\"Properties\":{"
                       "\"FunctionName\":\"shop-dev-api\"}}"));
    assert_int_equal(fate(f, "Other"), ADOPT_REFUSED);
    assert_int_equal(f->adoption.refused, 1);
}

static void test_service_has_its_own(void **state)
{
    struct fixture *f = *state;
    f->in.service_now = parse(f, RESOURCES(ORDERS("o")));
    classify(f, RESOURCES(ORDERS("o")), RESOURCES(KEY), RESOURCES(ORDERS("o")));
    assert_int_equal(fate(f, "Orders"), ADOPT_LEFT);
}

/* Types that are not known to be harmless are never deleted. */
static void test_unknown_types_are_left(void **state)
{
    struct fixture *f = *state;
    classify(f, RESOURCES("\"X\":{\"Type\":\"AWS::Quantum::Ledger\"}"), RESOURCES(KEY),
             RESOURCES(""));
    assert_int_equal(fate(f, "X"), ADOPT_LEFT);
}

static const struct node *values_for(struct fixture *f, const struct node *retained)
{
    struct node *outputs = node_map(f->a);
    member_each (m, node_get_c(retained, "Outputs")) /* as CloudFormation would evaluate them */
        node_put(f->a, outputs, m->key,
                 node_str(f->a, node_get_c(node_get_c(m->value, "Value"), "Ref")
                                    ? node_text(node_path(m->value, "Value.Ref"))
                                    : STR("arn:o")));
    return outputs;
}

static void test_steps(void **state)
{
    struct fixture *f = *state;
    classify(f, RESOURCES(FUNCTION "," ORDERS("o") "," LOG "," KEY), RESOURCES(KEY),
             RESOURCES(ORDERS("o") ",\"ApiLambdaFunction\":{\"Type\":\"X\"}"));
    f->adoption.original_sha = STR("abc");
    const struct node *one = adopt_retain(f->a, f->in.old, &f->adoption);
    check_str(node_text(node_path(one, "Resources.Orders.DeletionPolicy")), "Retain");
    check_str(node_text(node_path(one, "Resources.Log.DeletionPolicy")), "Retain");
    assert_null(node_path(one, "Resources.Key.DeletionPolicy"));
    check_str(adopt_original(one), "abc");
    assert_int_equal(node_count(node_get_c(one, "Outputs")), 4);
    assert_ptr_equal(adopt_retain(f->a, one, &f->adoption), one);

    const struct node *values = values_for(f, one);
    const struct node *two = adopt_release(f->a, one, &f->adoption, values, &f->err);
    assert_non_null(two);
    assert_null(node_path(two, "Resources.Orders"));
    const struct node *variables =
        node_path(two, "Resources.ApiLambdaFunction.Properties.Environment.Variables");
    check_str(node_text(node_get_c(variables, "T")), "Orders");
    check_str(node_text(node_path(variables, "A.Fn::Sub")), "x arn:o ${!Orders}");
    const struct node *depends = node_path(two, "Resources.ApiLambdaFunction.DependsOn");
    assert_int_equal(node_count(depends), 1);
    const struct node *moving = node_get_c(adopt_moving(two), "Orders");
    check_str(node_text(node_get_c(moving, "PhysicalId")), "id-of-Orders");
    check_str(node_text(node_path(moving, "Definition.Properties.KmsKey")), "Key");
    check_str(node_text(node_path(moving, "Definition.DeletionPolicy")), "Retain");
    assert_ptr_equal(adopt_release(f->a, two, &f->adoption, values, &f->err), two);

    /* a later command finds it on its way */
    f->in.old = two;
    adopt_classify(f->a, &f->in, &f->adoption);
    assert_int_equal(fate(f, "Orders"), ADOPT_MOVED);
    f->settings.service_resource_count = 0;
    f->in.service_today = parse(f, RESOURCES(KEY));
    adopt_classify(f->a, &f->in, &f->adoption);
    assert_int_equal(fate(f, "Orders"), ADOPT_REFUSED);
}

static void test_a_value_is_missing(void **state)
{
    struct fixture *f = *state;
    classify(f, RESOURCES(FUNCTION "," ORDERS("o") "," LOG "," KEY), RESOURCES(KEY),
             RESOURCES(ORDERS("o")));
    assert_null(adopt_release(f->a, f->in.old, &f->adoption, node_map(f->a), &f->err));
    assert_int_equal(f->err.kind, ERR_FAILED);
}

static void test_withheld(void **state)
{
    struct fixture *f = *state;
    const struct node *whole = parse(
        f, "{\"Resources\":{" ORDERS(
               "o") "," KEY ",\"Policy\":{\"Type\":\"P\",\"Properties\":"
                    "{\"R\":{\"Fn::GetAtt\":[\"Orders\",\"Arn\"]}}}},\"Outputs\":{\"Orders\":{"
                    "\"Value\":{\"Ref\":\"Orders\"}},\"P\":{\"Value\":{\"Ref\":\"Policy\"}},"
                    "\"Key\":{\"Value\":{\"Ref\":\"Key\"}}}}");
    const struct node *part = adopt_withhold(f->a, whole, parse(f, "{\"Orders\":null}"));
    assert_int_equal(node_count(node_get_c(part, "Resources")), 1);
    assert_int_equal(node_count(node_get_c(part, "Outputs")), 1);
    assert_non_null(node_path(part, "Outputs.Key"));
    assert_ptr_equal(adopt_withhold(f->a, whole, parse(f, "{\"Elsewhere\":null}")), whole);
}

static void test_the_way_back(void **state)
{
    struct fixture *f = *state;
    f->in.service_now = parse(f, RESOURCES(ORDERS("o") "," KEY));
    f->in.needs = parse(f, "[\"Orders\"]");
    classify(f, RESOURCES(LOG), RESOURCES(ORDERS("o") "," KEY "," LOG), RESOURCES(""));
    assert_int_equal(fate(f, "Orders"), ADOPT_TAKEN);
    /* it never belonged to this stage, which gets a new one */
    assert_null(adopt_find(&f->adoption, STR("Key")));
    classify(f, RESOURCES(LOG), RESOURCES(ORDERS("p")), RESOURCES(""));
    assert_int_equal(fate(f, "Orders"), ADOPT_REFUSED);

    const struct node *moving = parse(f, "{\"Orders\":{}}"),
                      *values = parse(f, "{\"Orders\":\"t\"}");
    const struct node *stage =
        parse(f, "{\"Parameters\":{\"Orders\":{},\"OrdersArn\":{}},\"Resources\":{\"F\":{\"A\":{"
                 "\"Ref\":\"Orders\"},\"B\":{\"Ref\":\"OrdersArn\"}}}}");
    const struct node *room = adopt_make_room(f->a, stage, moving, values);
    check_str(json_text(f->a, room, 0),
              "{\"Resources\":{\"F\":{\"A\":\"t\",\"B\":{\"Ref\":\"OrdersArn\"}}},"
              "\"Parameters\":{\"OrdersArn\":{}}}");
    assert_ptr_equal(adopt_make_room(f->a, room, moving, values), room);

    const struct node *service =
        parse(f, "{\"Metadata\":{\"Mine\":1,\"Troupe\":{\"Moving\":{}}},\"Outputs\":{"
                 "\"TroupeAdopting\":{},\"TroupeValue1\":{},\"Orders\":{}}}");
    check_str(json_text(f->a, adopt_tidy(f->a, service), 0),
              "{\"Outputs\":{\"Orders\":{}},\"Metadata\":{\"Mine\":1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_service_has_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_types_are_left, setup, teardown),
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_value_is_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_withheld, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_way_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
