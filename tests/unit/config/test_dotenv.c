/* Every case of tests/golden/dotenv: the values that the reference's libraries read. */
#include "check.h"

#include <unistd.h>

#include "base/fs.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "config/config.h"

static const char *tests_dir, *cases_file;

static const struct node *read_cases(struct arena *a)
{
    struct err err = {0};
    struct source *source = ARENA_NEW(a, struct source);
    source->path = cases_file ? str_c(cases_file)
                              : path_join(a, str_c(tests_dir), STR("golden/dotenv/cases.json"));
    check_ok(fs_read(a, source->path, DOC_BYTES_MAX, &source->text, &err), &err);
    const struct node *cases = json_read(a, source, &err);
    check_ok(cases ? 0 : -1, &err);
    return cases;
}

/* A service that asks for every value, by its number: names are any text. */
static struct str service_text(struct arena *a, const struct node *values)
{
    struct buf b = BUF(a);
    buf_lit(&b, "service: service\nuseDotenv: true\nprovider: {name: aws}\ncustom:\n  values:\n");
    member_each (m, values)
        buf_fmt(&b, "    - ${env:%.*s, null}\n", STR_ARG(m->key));
    return buf_str(&b);
}

static void set_environment(struct arena *a, const struct node *env, bool on)
{
    member_each (m, env)
        if (on)
            setenv(str_z(a, m->key), str_z(a, node_text(m->value)), 1);
        else
            unsetenv(str_z(a, m->key));
}

static bool run_case(struct str dir, const struct node *one)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    const struct node *values = node_get_c(one, "values"), *file = node_get_c(one, "file");
    struct service service;
    struct config_options options = {.dir = dir, .stage = STR("dev")};
    check_ok(fs_write(path_join(a, dir, STR(".env")), node_text(file), 0600, &err), &err);
    check_ok(
        fs_write(path_join(a, dir, STR("serverless.yml")), service_text(a, values), 0600, &err),
        &err);
    set_environment(a, node_get_c(one, "env"), true);
    int loaded = service_load(a, &options, &service, &err);
    set_environment(a, node_get_c(one, "env"), false);
    if (loaded < 0) {
        print_error("%.*s\n%.*s\n", STR_ARG(json_text(a, one, 0)),
                    STR_ARG(err_render(a, &err, false)));
        return false;
    }
    const struct node *got = node_path(service.root, "custom.values");
    size_t i = 0;
    bool same = true;
    member_each (m, values) {
        const struct node *value = i < node_count(got) ? got->items[i] : NULL;
        i++;
        if (str_eq(node_text(value), node_text(m->value)))
            continue;
        same = false;
        print_error("%.*s\n  %.*s: got %.*s\n", STR_ARG(json_text(a, one, 0)), STR_ARG(m->key),
                    STR_ARG(json_text(a, value, 0)));
    }
    return same;
}

static void test_cases(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    char dir[] = "/tmp/troupe-dotenv-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const struct node *cases = read_cases(a);
    size_t wrong = 0;
    node_each (one, cases)
        wrong += !run_case(str_c(dir), one);
    check_ok(fs_remove_all(str_c(dir), &err), &err);
    assert_true(node_count(cases) >= 300);
    assert_int_equal(wrong, 0);
}

/* References that the reference follows for ever are an error. */
static void test_endless(void **state)
{
    (void)state;
    static const char *const files[] = {"A=y$B\nB=x$B\n", "X=y$P\nP=$Q\nQ=$P\n"};
    char dir[] = "/tmp/troupe-dotenv-XXXXXX";
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct service service;
        struct config_options options = {.dir = str_c(dir), .stage = STR("dev")};
        check_ok(fs_write(path_join(a, str_c(dir), STR(".env")), str_c(files[i]), 0600, &err),
                 &err);
        check_ok(fs_write(path_join(a, str_c(dir), STR("serverless.yml")),
                          service_text(a, node_map(a)), 0600, &err),
                 &err);
        assert_int_equal(service_load(a, &options, &service, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_true(str_find(err.msg, STR("references do not end"), 0) > 0);
    }
    struct err err = {0};
    check_ok(fs_remove_all(str_c(dir), &err), &err);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? argv[1] : "tests";
    cases_file = argc > 2 ? argv[2] : NULL;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                       cmocka_unit_test(test_endless)};
    return cmocka_run_group_tests_name("dotenv", tests, NULL, NULL);
}
