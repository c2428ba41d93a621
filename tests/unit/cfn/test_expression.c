/* Expressions: what they take, and what they become. */
#include "parse.h"

#include "base/buf.h"
#include "cfn/expression.h"
#include "cfn/template.h"

/* A visited value as text: "Ref" as "id", one in an Fn::Sub in braces, an "id.attribute" text in
 * quotes, a computed attribute as "?". */
static void list(void *context, const struct cfn_value *v)
{
    struct buf *b = context;
    static const char *const open[] = {"", "'", "{"}, *const close[] = {"", "'", "}"};
    buf_fmt(b, "%s%s%.*s%s%.*s%s", buf_str(b).n ? " " : "", open[v->form], STR_ARG(v->id),
            v->attribute.n ? "." : "", STR_ARG(v->attribute), close[v->form]);
    assert_true(v->id.p >= v->text->text.p &&
                v->id.p + v->id.n <= v->text->text.p + v->text->text.n);
    assert_non_null(v->at);
}

#define SUB(text) "{\"Fn::Sub\": \"" text "\"}"
#define SUB2(text, locals) "{\"Fn::Sub\": [\"" text "\", " locals "]}"
#define ATT(id, attribute) "{\"Fn::GetAtt\": [\"" id "\", " attribute "]}"

static void test_values(void **state)
{
    static const struct {
        const char *in, *values;
    } rows[] = {
        {"{\"Ref\": \"A\"}", "A"},
        {"{\"Ref\": \"AWS::Region\"}", "AWS::Region"},
        {ATT("A", "\"Arn\""), "A.Arn"},
        {ATT("A", "\"Outputs.X\""), "A.Outputs.X"},
        {"{\"Fn::GetAtt\": \"A.Outputs.X\"}", "'A.Outputs.X'"},
        {ATT("A", "{\"Ref\": \"B\"}"), "A.? B"},
        {SUB("${A}-${ B.Arn }${A}"), "{A} {B.Arn} {A}"},
        {SUB("${!A} $${A} ${"), "{A}"},
        {SUB("no variable"), ""},
        {SUB2("${A}${x}${x.y}", "{\"x\": {\"Ref\": \"B\"}, \"x.y\": \"1\"}"), "{A} B"},
        {"[{\"a\": [{\"Ref\": \"A\"}]}, {\"Fn::Join\": [\"\", [{\"Ref\": \"B\"}]]}]", "A B"},
        {"{\"Fn::If\": [\"C\", {\"Ref\": \"A\"}, {\"Ref\": \"AWS::NoValue\"}]}", "A AWS::NoValue"},
        {"{\"Fn::Base64\": " SUB("${A}") "}", "{A}"},
        /* no expressions, or none that CloudFormation takes */
        {"{\"Ref\": \"A\", \"Other\": 1}", ""},
        {"{\"Ref\": 1}", ""},
        {"{\"Ref\": {\"Ref\": \"A\"}}", "A"},
        {"{\"Fn::GetAtt\": \"A\"}", ""},
        {"{\"Fn::GetAtt\": [\"A\"]}", ""},
        {"{\"Fn::GetAtt\": [\"A\", \"B\", \"C\"]}", ""},
        {"{\"Fn::GetAtt\": [{\"Ref\": \"A\"}, \"Arn\"]}", "A"},
        {"{\"Fn::Sub\": {\"Ref\": \"A\"}}", "A"},
        {"{\"Fn::Sub\": [\"${A}\"]}", ""},
        {"{\"Fn::Sub\": [{\"Ref\": \"A\"}, {}]}", "A"},
        {"\"${A}\"", ""},
        {"{}", ""},
        {"null", ""},
    };
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b = BUF(a);
        cfn_each_value(parse(a, rows[i].in), list, &b);
        check_str(buf_str(&b), rows[i].values);
    }
    assert_true(cfn_mentions(parse(a, "[" SUB("${A.Arn}") "]"), STR("A")));
    assert_false(cfn_mentions(parse(a, "[" SUB("${AB.Arn}") "]"), STR("A")));
    cfn_each_value(NULL, list, NULL);
}

/* What is nothing but one value, and how it is written out again. */
static void test_one_value(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: more than a value, or none */
    } rows[] = {
        {"{\"Ref\":\"A\"}", "{\"Ref\":\"A\"}"},
        {"{\"Fn::GetAtt\":[\"A\",\"B.C\"]}", "{\"Fn::GetAtt\":[\"A\",\"B.C\"]}"},
        {"{\"Fn::GetAtt\":\"A.B.C\"}", "{\"Fn::GetAtt\":\"A.B.C\"}"},
        {"{\"Fn::GetAtt\":[\"A\",{\"Ref\":\"B\"}]}", "{\"Fn::GetAtt\":[\"A\",{\"Ref\":\"B\"}]}"},
        {SUB("${A}"), "{\"Ref\":\"A\"}"},
        {SUB("${A.B}"), "{\"Fn::GetAtt\":[\"A\",\"B\"]}"},
        {SUB("${A} "), NULL},
        {SUB(" ${A}"), NULL},
        {SUB("${A}${B}"), NULL},
        {SUB("${!A}"), NULL},
        {SUB2("${x}", "{\"x\": 1}"), NULL},
        {"\"A\"", NULL},
    };
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cfn_value v;
        bool is_value = cfn_is_value(parse(a, rows[i].in), &v);
        assert_int_equal(is_value, rows[i].out != NULL);
        if (is_value)
            check_str(json_text(a, cfn_value_node(a, &v), 0), rows[i].out);
    }
}

/* A becomes a Ref, B an attribute, S a Sub, T a text, N a number, J what cannot stand in a Sub. */
static const struct node *other(void *context, struct arena *a, const struct cfn_value *v)
{
    size_t *calls = context;
    ++*calls;
    switch (v->id.n == 1 ? v->id.p[0] : 0) {
    case 'A':
        return node_ref(a, STR("Other"));
    case 'B':
        return node_get_att(a, STR("Other"), "Arn");
    case 'S':
        return node_fn(a, "Fn::Sub", node_str(a, STR("x-${Other}-${!y}")));
    case 'T':
        return node_str(a, STR("${t}"));
    case 'N':
        return node_int(a, 7);
    case 'J':
        return node_fn(a, "Fn::Join", node_seq(a));
    default:
        return NULL;
    }
}

static void test_replaced(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"Ref\":\"A\"}", "{\"Ref\":\"Other\"}"},
        {"[{\"Fn::GetAtt\":[\"A\",\"Arn\"]},1]", "[{\"Ref\":\"Other\"},1]"},
        {"{\"Fn::GetAtt\":\"J.Arn\"}", "{\"Fn::Join\":[]}"},
        {"{\"Fn::GetAtt\":[\"K\",{\"Ref\":\"A\"}]}",
         "{\"Fn::GetAtt\":[\"K\",{\"Ref\":\"Other\"}]}"},
        {"{\"Fn::Sub\":\"a${A}b${B.X}c${S}d${T}e${N}f\"}",
         "{\"Fn::Sub\":\"a${Other}b${Other.Arn}cx-${Other}-${!y}d${!t}e7f\"}"},
        {"{\"Fn::Sub\":\"${J}${K.L}${!A}${A}\"}", "{\"Fn::Sub\":\"${J}${K.L}${!A}${Other}\"}"},
        {"{\"Fn::Sub\":[\"${A}${T}\",{\"A\":{\"Ref\":\"B\"}}]}",
         "{\"Fn::Sub\":[\"${A}${!t}\",{\"A\":{\"Fn::GetAtt\":[\"Other\",\"Arn\"]}}]}"},
        {"{\"Fn::Sub\":[\"${A}\"]}", "{\"Fn::Sub\":[\"${A}\"]}"},
        {"{\"Fn::Sub\":{\"Ref\":\"A\"}}", "{\"Fn::Sub\":{\"Ref\":\"Other\"}}"},
    };
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    size_t calls = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_str(json_text(a, cfn_replace_values(a, parse(a, rows[i].in), other, &calls), 0),
                  rows[i].out);
    /* nodes without a change are shared */
    const struct node *same =
        parse(a, "{\"x\":[{\"Ref\":\"K\"}," SUB("${K}") "," SUB2("${k}", "{\"k\":1}") "]}");
    calls = 0;
    assert_ptr_equal(cfn_replace_values(a, same, other, &calls), same);
    assert_int_equal(calls, 2);
}

static void name_condition(void *context, const struct node *name)
{
    buf_fmt(context, "%.*s ", STR_ARG(name->text));
}

static void test_functions(void **state)
{
    static const struct {
        const char *in;
        bool is, has;
        const char *conditions;
    } rows[] = {
        {"{\"Ref\":\"A\"}", true, true, ""},
        {"{\"Fn::If\":[\"C\",{\"Condition\":\"D\"},2]}", true, true, "C D "},
        {"{\"a\":[{\"Ref\":\"AWS::NoValue\"}]}", false, true, ""},
        {"{\"Condition\":\"C\"}", false, false, "C "},
        {"{\"Condition\":{\"StringEquals\":{\"AWS::X\":\"y\"}}}", false, false, ""},
        {"{\"Ref\":\"A\",\"b\":1}", false, false, ""},
        {"{\"Troupe::Version\":\"a\"}", false, false, ""},
        {"[]", false, false, ""},
    };
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct node *n = parse(a, rows[i].in);
        struct buf b = BUF(a);
        cfn_each_condition(n, name_condition, &b);
        assert_int_equal(cfn_is_function(n), rows[i].is);
        assert_int_equal(cfn_has_function(n), rows[i].has);
        check_str(buf_str(&b), rows[i].conditions);
    }
    assert_true(cfn_is_no_value(parse(a, "{\"Ref\":\"AWS::NoValue\"}")));
    assert_false(cfn_is_no_value(parse(a, "{\"Ref\":\"AWS::Region\"}")));
    assert_false(cfn_is_function(NULL));
}

/* ---- template.h ---- */

static bool is_a(const void *context, struct str id)
{
    (void)context;
    return str_eq(id, STR("A"));
}

static void test_dependencies(void **state)
{
    static const struct {
        const char *in, *without, *with;
        bool depends;
    } rows[] = {
        {"{}", "{}", "[\"Z\"]", false},
        {"{\"DependsOn\":\"A\",\"x\":1}", "{\"x\":1}", "[\"A\",\"Z\"]", true},
        {"{\"DependsOn\":\"B\"}", "{\"DependsOn\":\"B\"}", "[\"B\",\"Z\"]", false},
        {"{\"DependsOn\":[\"A\"],\"x\":1}", "{\"x\":1}", "[\"A\",\"Z\"]", true},
        {"{\"DependsOn\":[\"B\",\"A\",\"C\"],\"x\":1}", "{\"x\":1,\"DependsOn\":[\"B\",\"C\"]}",
         "[\"B\",\"A\",\"C\",\"Z\"]", true},
        {"{\"DependsOn\":[]}", "{\"DependsOn\":[]}", "[\"Z\"]", false},
    };
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct node *n = parse(a, rows[i].in);
        check_str(json_text(a, cfn_without_dependencies(a, n, is_a, NULL), 0), rows[i].without);
        check_str(json_text(a, cfn_dependencies_and(a, n, STR("Z")), 0), rows[i].with);
        assert_int_equal(cfn_depends_on(n, STR("A")), rows[i].depends);
    }
    assert_null(cfn_dependencies_and(a, NULL, STR("")));
}

static void test_copies(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    const struct node *r = parse(a, "{\"Type\":\"T\",\"Properties\":{\"a\":1,\"b\":2}}");
    check_str(json_text(a, cfn_with_property(a, r, "b", node_int(a, 3)), 0),
              "{\"Type\":\"T\",\"Properties\":{\"a\":1,\"b\":3}}");
    check_str(json_text(a, cfn_with_property(a, r, "a", NULL), 0),
              "{\"Type\":\"T\",\"Properties\":{\"b\":2}}");
    check_str(json_text(a, r, 0), "{\"Type\":\"T\",\"Properties\":{\"a\":1,\"b\":2}}");
    struct node *out = node_map(a);
    cfn_merge_sections(a, out, parse(a, "{\"M\":{\"a\":1,\"b\":1},\"N\":{\"c\":1},\"X\":{}}"),
                       parse(a, "{\"M\":{\"b\":2},\"O\":{\"d\":1}}"),
                       (const char *const[]){"M", "N", "O", "P", NULL});
    check_str(json_text(a, out, 0), "{\"M\":{\"a\":1,\"b\":2},\"N\":{\"c\":1},\"O\":{\"d\":1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_one_value),
        cmocka_unit_test(test_replaced),     cmocka_unit_test(test_functions),
        cmocka_unit_test(test_dependencies), cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
