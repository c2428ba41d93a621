/* Reading and writing JSON: accepted, refused and written texts as tables. */
#include "check.h"

#include "doc/json.h"

static const struct {
    const char *text, *written;
} accepted[] = {
    {"null", "null"},
    {" \t\r\n true ", "true"},
    {"-0", "0"},
    {"-0.0", "0"},
    {"1.50", "1.5"},
    {"1e3", "1000"},
    {"1E+2", "100"},
    {"1e21", "1e+21"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"0.1", "0.1"},
    {"5e-324", "5e-324"},
    {"1e-7", "1e-7"},
    {"0.000001", "0.000001"},
    {"\"\"", "\"\""},
    {"\"\\u0041\\n\\/\"", "\"A\\n/\""},
    {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
    {"\"\\ud83d\"", "\"\xEF\xBF\xBD\""},
    {"\"\\u0000\"", "\"\\u0000\""},
    {"\"\x7f\xC2\x80\xC2\x9F\xC2\xA0\"", "\"\\u007f\\u0080\\u009f\xC2\xA0\""},
    {"[]", "[]"},
    {"[ 1 , [2] , {} ]", "[1,[2],{}]"},
    {"{\"b\":1,\"a\":{\"c\":null}}", "{\"b\":1,\"a\":{\"c\":null}}"},
    {"{\"\":0}", "{\"\":0}"},
    {"\xEF\xBB\xBF[]", "[]"},
};

static void test_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        const struct node *n = json_parse(a, STR("test"), str_c(accepted[i].text), &err);
        check_ok(n ? 0 : -1, &err);
        check_str(json_text(a, n, 0), accepted[i].written);
        err_clear(&err);
        arena_free(a);
    }
}

static const struct {
    const char *text;
    unsigned line, column;
} refused[] = {
    {"", 1, 1},          {"nul", 1, 1},
    {"tru", 1, 1},       {"01", 1, 3},
    {"-", 1, 2},         {"1.", 1, 3},
    {".5", 1, 1},        {"1e", 1, 3},
    {"+1", 1, 1},        {"1e400", 1, 6},
    {"NaN", 1, 1},       {"[1,]", 1, 4},
    {"[1", 1, 3},        {"[1 2]", 1, 4},
    {"{\"a\"}", 1, 5},   {"{\"a\":1,}", 1, 8},
    {"{a:1}", 1, 2},     {"{\"a\":1 \"b\"}", 1, 8},
    {"\"a", 1, 3},       {"\"\\x\"", 1, 4},
    {"\"\\u12\"", 1, 4}, {"\"a\nb\"", 1, 3},
    {"[] []", 1, 4},     {"{\"a\":1,\n \"a\":2}", 2, 2},
    {"[\xff]", 1, 2},    {"[\"\xC3\x28\"]", 1, 3},
    {"'a'", 1, 1},       {"[\n\n,", 3, 1},
    {"// x\n1", 1, 1},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        const struct node *n = json_parse(a, STR("test"), str_c(refused[i].text), &err);
        if (n || err.kind != ERR_CONFIG || err.pos.line != refused[i].line ||
            err.pos.column != refused[i].column)
            print_error("'%s' at %u:%u\n", refused[i].text, err.pos.line, err.pos.column);
        assert_null(n);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_int_equal(err.pos.line, refused[i].line);
        assert_int_equal(err.pos.column, refused[i].column);
        err_clear(&err);
        arena_free(a);
    }
}

static void test_depth(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    for (int depth = DOC_DEPTH_MAX; depth <= 100000; depth += 100000 - DOC_DEPTH_MAX) {
        struct buf b = BUF(a);
        struct err err = {0};
        for (int i = 0; i < depth; i++)
            buf_char(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_char(&b, ']');
        const struct node *n = json_parse(a, STR("deep"), buf_str(&b), &err);
        assert_int_equal(n != NULL, depth == DOC_DEPTH_MAX);
        err_clear(&err);
    }
    arena_free(a);
}

static void test_canonical(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    const struct node *x =
        json_parse(a, STR("x"), STR("{\"b\":[1,2],\"a\":{\"z\":1,\"y\":2}}"), &err);
    const struct node *y =
        json_parse(a, STR("y"), STR("{\"a\":{\"y\":2,\"z\":1},\"b\":[1,2]}"), &err);
    check_str(json_canonical(a, x), "{\"a\":{\"y\":2,\"z\":1},\"b\":[1,2]}");
    assert_true(node_equal(x, y));
    check_str(
        json_text(a, y, 2),
        "{\n  \"a\": {\n    \"y\": 2,\n    \"z\": 1\n  },\n  \"b\": [\n    1,\n    2\n  ]\n}");
    arena_free(a);
}

static void test_secret_is_masked(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct node *map = node_map(a), *secret = node_str(a, STR("hush"));
    struct buf b = BUF(a);
    secret->flags |= NODE_SECRET;
    node_put_c(a, map, "password", secret);
    json_write_masked(&b, map, 0);
    check_str(buf_str(&b), "{\"password\":\"********\"}");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_secret_is_masked),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
