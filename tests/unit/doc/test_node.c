/* Trees: looking up, merging, comparing. */
#include "parse.h"

static void test_merge(void **state)
{
    (void)state;
    static const struct {
        const char *base, *over, *merged;
    } cases[] = {
        {"{\"a\":1}", "{\"b\":2}", "{\"a\":1,\"b\":2}"},
        {"{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}", "{\"a\":{\"x\":1,\"y\":2}}"},
        {"[1,2,3]", "[9]", "[9,2,3]"},
        {"{\"a\":[{\"x\":1}]}", "{\"a\":[{\"y\":2},3]}", "{\"a\":[{\"x\":1,\"y\":2},3]}"},
        {"{\"a\":1}", "{\"a\":null}", "{\"a\":null}"},
        {"{\"a\":[1]}", "{\"a\":{}}", "{\"a\":{}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *a = arena_new();
        const struct node *n = node_merge(a, parse(a, cases[i].base), parse(a, cases[i].over));
        check_str(json_text(a, n, 0), cases[i].merged);
        arena_free(a);
    }
}

static void test_large_map(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct node *map = node_map(a);
    for (int i = 0; i < 1000; i++)
        node_put(a, map, str_fmt(a, "key%d", i), node_int(a, i));
    for (int i = 0; i < 1000; i += 3)
        node_drop(map, str_fmt(a, "key%d", i));
    for (int i = 0; i < 1000; i++) {
        int64_t v = -1;
        assert_int_equal(node_to_int(node_get(map, str_fmt(a, "key%d", i)), &v), i % 3 != 0);
        assert_int_equal(v, i % 3 ? i : -1);
    }
    arena_free(a);
}

static void test_diff(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct node_change *changes;
    size_t n;
    node_diff(a, parse(a, "{\"a\":1,\"b\":[1,2],\"c\":{\"d\":1}}"),
              parse(a, "{\"a\":2,\"b\":[1],\"e\":0,\"c\":{\"d\":1}}"), &changes, &n);
    assert_int_equal(n, 3);
    check_str(changes[0].path, "a");
    check_str(changes[1].path, "b.1");
    check_str(changes[2].path, "e");
    assert_null(changes[1].after);
    assert_null(changes[2].before);
    arena_free(a);
}

static void test_flags_and_paths(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct node *inner = node_str(a, STR("x")), *seq = node_seq(a), *map = node_map(a);
    inner->flags |= NODE_STAGE;
    node_push(a, seq, inner);
    node_put_c(a, map, "list", seq);
    assert_int_equal(node_flags_deep(map), NODE_STAGE);
    check_str(node_text(node_path(map, "list.0")), "x");
    assert_null(node_path(map, "list.1"));
    assert_null(node_path(map, "nothing.0"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge), cmocka_unit_test(test_large_map), cmocka_unit_test(test_diff),
        cmocka_unit_test(test_flags_and_paths)};
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
