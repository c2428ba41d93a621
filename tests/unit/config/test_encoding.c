/* How files are encoded: a byte order mark in front of UTF-8 is no part of a file, and other
 * encodings are named in the error. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "config/config.h"

#include "base/fs.h"

#define MARK "\xEF\xBB\xBF"

struct bench {
    struct arena *arena;
    struct str dir;
};

static void bench_open(struct bench *b)
{
    char name[] = "/tmp/troupe-encoding-XXXXXX";
    assert_non_null(mkdtemp(name));
    b->arena = arena_new();
    b->dir = str_dup(b->arena, str_c(name));
}

static void bench_close(struct bench *b)
{
    struct err err = {0};
    check_ok(fs_remove_all(b->dir, &err), &err);
    arena_free(b->arena);
}

static void bench_file(struct bench *b, const char *name, struct str text)
{
    struct err err = {0};
    check_ok(fs_write(path_join(b->arena, b->dir, str_c(name)), text, 0644, &err), &err);
}

static int load(struct bench *b, struct service *ret, struct err *err)
{
    struct config_options options = {.dir = b->dir, .stage = STR("dev")};
    return service_load(b->arena, &options, ret, err);
}

#define TOP "service: svc\nprovider: {name: aws}\n"

static void test_mark(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               STR(MARK TOP "useDotenv: true\n"
                            "custom: {y: '${file(y.yml):a}', j: '${file(j.json):a}', "
                            "e: '${env:TE_FIRST}', t: '${file(t.txt)}'}\n"));
    bench_file(&b, "y.yml", STR(MARK "a: of yaml\n"));
    bench_file(&b, "j.json", STR(MARK "{\"a\": \"of json\"}"));
    bench_file(&b, ".env", STR(MARK "TE_FIRST=of env\n"));
    bench_file(&b, "t.txt", STR(MARK "text"));
    check_ok(load(&b, &s, &err), &err);
    check_str(node_text(node_path(s.root, "custom.y")), "of yaml");
    check_str(node_text(node_path(s.root, "custom.j")), "of json");
    check_str(node_text(node_path(s.root, "custom.e")), "of env");
    /* the dialect keeps the mark of a text */
    check_str(node_text(node_path(s.root, "custom.t")), MARK "text");
    bench_close(&b);
}

/* The mark takes no column, neither in the position nor below the caret. */
static void test_places_behind_a_mark(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    cleanup_err struct err err = {0}, included = {0}, syntax = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", STR(MARK "service: a${env:TE_NONE}\nprovider: aws\n"));
    assert_int_equal(load(&b, &s, &err), -1);
    check_str(err_render(b.arena, &err, false),
              "error: cannot resolve '${env:TE_NONE}': environment variable 'TE_NONE' is not set\n"
              "  --> serverless.yml:1:11\n"
              "     |\n"
              "   1 | service: a${env:TE_NONE}\n"
              "     |           ^^^^^^^^^^^^^^\n"
              "  = help: give a fallback: '${env:TE_NONE, 'value'}'\n");
    bench_file(&b, "serverless.yml", STR(TOP "custom: {y: '${file(y.json):a}'}\n"));
    bench_file(&b, "y.json", STR(MARK "{\"a\": \"${env:TE_NONE}\"}"));
    assert_int_equal(load(&b, &s, &included), -1);
    check_str(included.pos.source->path, "y.json");
    assert_int_equal(included.pos.column, 8);
    bench_file(&b, "serverless.yml", STR(MARK "a: 1, b: [\n"));
    assert_int_equal(load(&b, &s, &syntax), -1);
    assert_int_equal(syntax.pos.line, 1);
    assert_int_equal(syntax.pos.column, 8);
    bench_close(&b);
}

static const struct {
    const char *file;
    struct str text;
    const char *error;
} foreign[] = {
    {"serverless.yml", {"\xFF\xFEs\0e\0r\0", 8}, "the file is UTF-16, not UTF-8"},
    {"serverless.yml", {"\xFE\xFF\0s\0e", 6}, "the file is UTF-16, not UTF-8"},
    {"serverless.yml", {"s\0e\0r\0", 6}, "the file is UTF-16, not UTF-8"},
    {"serverless.yml", {"\0s\0e", 4}, "the file is UTF-16, not UTF-8"},
    {"serverless.yml", {"\xFF\xFE\0\0s\0\0\0", 8}, "the file is UTF-32, not UTF-8"},
    {"y.yml",
     {"\xFF\xFE"
      "a\0:\0",
      6},
     "the file is UTF-16, not UTF-8"},
    {"j.json", {"{\0}\0", 4}, "the file is UTF-16, not UTF-8"},
    {"t.txt", {"\xFF\xFEt\0", 4}, "the file is UTF-16, not UTF-8"},
    {".env",
     {"\xFF\xFE"
      "A\0=\0",
      6},
     "the file is UTF-16, not UTF-8"},
};

static void test_foreign(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        struct bench b;
        struct service s;
        struct err err = {0};
        bench_open(&b);
        bench_file(&b, "serverless.yml",
                   STR(TOP "useDotenv: true\n"
                           "custom: {y: '${file(y.yml), 1}', j: '${file(j.json), 1}', "
                           "t: '${file(t.txt), 1}'}\n"));
        bench_file(&b, foreign[i].file, foreign[i].text);
        assert_int_equal(load(&b, &s, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        check_str(err.msg, foreign[i].error);
        check_str(err.pos.source->path, foreign[i].file);
        assert_int_equal(err.pos.line, 1);
        assert_true(str_find(err_render(b.arena, &err, false), STR("iconv -f UTF-"), 0) > 0);
        err_clear(&err);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_places_behind_a_mark),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests_name("config_encoding", tests, NULL, NULL);
}
