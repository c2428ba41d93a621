/* Arenas, strings, hashes, time, paths, threads. */
#include "check.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/vec.h"
#include "base/visible.h"

static void test_str(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str rest = STR("a,,b"), part;
    int64_t v;
    assert_true(str_cut(&rest, ',', &part));
    check_str(part, "a");
    assert_true(str_cut(&rest, ',', &part));
    check_str(part, "");
    assert_true(str_cut(&rest, ',', &part));
    check_str(part, "b");
    assert_false(str_cut(&rest, ',', &part));
    check_str(part, "");
    check_str(str_replace(a, STR("a.b.c"), STR("."), STR("--")), "a--b--c");
    check_str(str_replace(a, STR("abc"), STR("x"), STR("y")), "abc");
    assert_true(str_to_int(STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_false(str_to_int(STR("9223372036854775808"), &v));
    assert_false(str_to_int(STR("1x"), &v));
    assert_int_equal(str_distance(STR("memory"), STR("memmory"), 3), 1);
    assert_int_equal(str_distance(STR("abc"), STR("xyz"), 2), SIZE_MAX);
    arena_free(a);
}

static void test_utf8(void **state)
{
    (void)state;
    size_t bad;
    assert_true(str_utf8_ok(STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), &bad));
    assert_false(str_utf8_ok(STR("ab\xC0\x80"), &bad));
    assert_int_equal(bad, 2);
    assert_false(str_utf8_ok(STR("\xED\xA0\x80"), &bad));
    assert_false(str_utf8_ok(STR("\xF4\x90\x80\x80"), &bad));
    assert_false(str_utf8_ok(STR("\xE2\x82"), &bad));
}

static void test_hashes(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct str decoded;
    check_str(sha256_hex(a, STR("")),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_str(sha256_base64(a, STR("abc")), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    assert_true(base64_decode(a, STR("aGVs\nbG8="), &decoded));
    check_str(decoded, "hello");
    assert_false(base64_decode(a, STR("a*b"), &decoded));
    arena_free(a);
}

static void test_time(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    int64_t t;
    assert_true(time_parse(STR("2026-01-31T12:00:00Z"), &t));
    check_str(time_iso(a, t), "2026-01-31T12:00:00Z");
    check_str(time_basic(a, t), "20260131T120000Z");
    int64_t http;
    assert_true(time_parse(STR("Sat, 31 Jan 2026 12:00:00 GMT"), &http));
    assert_int_equal(t, http);
    static const char *const same[] = {"2026-01-31T12:00:00UTC", "2026-01-31T12:00:00+00:00",
                                       "2026-01-31T14:30:00.123+02:30",
                                       "2026-01-31T05:00:00-07:00"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        int64_t ms;
        assert_true(time_parse(str_c(same[i]), &ms));
        assert_int_equal(ms, t);
    }
    assert_false(time_parse(STR("yesterday"), &t));
    arena_free(a);
}

static void test_paths(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    check_str(path_clean(a, STR("a/./b//../c/")), "a/c");
    check_str(path_clean(a, STR("../a")), "../a");
    check_str(path_clean(a, STR("/../a")), "/a");
    check_str(path_clean(a, STR("a/..")), ".");
    check_str(path_join(a, STR("a"), STR("/b")), "/b");
    check_str(path_dir(a, STR("a/b")), "a");
    check_str(path_base(STR("a/b")), "b");
    arena_free(a);
}

static void test_files(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    char dir[] = "/tmp/troupe-test-XXXXXX";
    struct str text, file;
    assert_non_null(mkdtemp(dir));
    file = path_join(a, str_c(dir), STR("a/b/c.txt"));
    check_ok(fs_mkdirs(path_dir(a, file), &err), &err);
    check_ok(fs_write(file, STR("x\0y"), 0640, &err), &err);
    check_ok(fs_read(a, file, 100, &text, &err), &err);
    assert_int_equal(text.n, 3);
    assert_int_equal(fs_read(a, file, 2, &text, &err), -1);
    err_clear(&err);
    check_ok(fs_remove_all(str_c(dir), &err), &err);
    assert_int_equal(fs_read(a, file, 100, &text, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    err_clear(&err);
    arena_free(a);
}

static int work(size_t i, void *context, struct arena *scratch, struct err *err)
{
    atomic_size_t *sum = context;
    struct str s = str_fmt(scratch, "%zu", i);
    atomic_fetch_add(sum, i + s.n * 0);
    return i == 70 || i == 60 ? err_set(err, ERR_FAILED, "piece %zu", i) : 0;
}

static void test_pool(void **state)
{
    (void)state;
    atomic_size_t sum = 0;
    struct err err = {0};
    check_ok(pool_run(50, 4, work, &sum, &err), &err);
    assert_int_equal(sum, 50 * 49 / 2);
    assert_int_equal(pool_run(100, 1, work, &sum, &err), -1);
    struct arena *a = arena_new();
    check_str(err_render(a, &err, false), "error: piece 60\n");
    arena_free(a);
    err_clear(&err);
}

struct made {
    struct str text[40];
};

static int make(size_t i, void *context, struct arena *a, struct err *err)
{
    struct made *made = context;
    made->text[i] = str_fmt(a, "piece %zu", i);
    return i == 30 ? err_set(err, ERR_FAILED, "stopped") : 0;
}

/* What workers made for the caller outlives them, after a failure as well. */
static void test_pool_into(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct made made = {0};
    struct err err = {0};
    struct str before = str_fmt(a, "here before");
    check_ok(pool_run_into(a, 30, 4, make, &made, &err), &err);
    for (size_t i = 0; i < 30; i++)
        check_str(made.text[i], str_z(a, str_fmt(a, "piece %zu", i)));
    assert_int_equal(pool_run_into(a, 40, 4, make, &made, &err), -1);
    check_str(made.text[0], "piece 0");
    check_str(made.text[30], "piece 30");
    check_str(before, "here before");
    err_clear(&err);
    arena_free(a);
}

static void also(struct err *err, const struct source *source, uint32_t line, const char *text)
{
    struct err one = {0};
    err_at(&one, (struct pos){source, line, 1, 1}, ERR_CONFIG, "%s", text);
    assert_int_equal(err_also(err, &one), -1);
    assert_int_equal(one.kind, ERR_NONE);
}

static void test_errors_together(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0}, both = {0}, none = {0};
    struct source main = {STR("main"), STR("1\n2\n3\n")}, again = {STR("main"), main.text},
                  part = {STR("part"), main.text};
    assert_int_equal(err_also(&err, &none), 0);
    also(&err, &main, 3, "third");
    also(&err, &part, 1, "of another file");
    also(&err, &main, 1, "first");
    also(&err, &again, 3, "third");
    also(&both, &main, 2, "second");
    also(&both, &main, 1, "first");
    err_set(&none, ERR_FAILED, "nowhere");
    err_also(&both, &none);
    assert_int_equal(err_also(&err, &both), -1);
    err_wrap(&err, "all");
    assert_int_equal(err.kind, ERR_CONFIG);
    check_str(err_render(a, &err, false), "error: all: first\n  --> main:1:1\n     |\n"
                                          "   1 | 1\n     | ^\n"
                                          "error: all: second\n  --> main:2:1\n     |\n"
                                          "   2 | 2\n     | ^\n"
                                          "error: all: third\n  --> main:3:1\n     |\n"
                                          "   3 | 3\n     | ^\n"
                                          "error: all: of another file\n  --> part:1:1\n     |\n"
                                          "   1 | 1\n     | ^\n"
                                          "error: all: nowhere\n");
    for (uint32_t i = 10; i < 10 + 1500; i++)
        also(&err, &main, i, "more");
    assert_true(str_ends(err_render(a, &err, false), STR("error: and 1485 more errors\n")));
}

static void test_errors(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct err err = {0};
    struct source source = {STR("s.yml"), STR("x: 1\n\tname: \x1b[31m caf\xC3\xA9 here\n")};
    err_at(&err, (struct pos){&source, 2, 7, 4}, ERR_CONFIG, "bad '%s'", "\x1b[0m");
    err_wrap(&err, "function '%s'", "api");
    err_help(&err, "do this");
    check_str(err_render(a, &err, false), "error: function 'api': bad '\\u001b[0m'\n"
                                          "  --> s.yml:2:7\n     |\n"
                                          "   2 |  name: \\u001b[31m caf\xC3\xA9 here\n"
                                          "     |       ^^^^^^^^^\n"
                                          "  = help: do this\n");
    err_clear(&err);
    arena_free(a);
}

static void test_visible(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *line, *several, *output;
    } cases[] = {
        {STR("caf\xC3\xA9 \xF0\x9F\x8D\xB5"), "caf\xC3\xA9 \xF0\x9F\x8D\xB5", NULL, NULL},
        {STR("a\nb\tc"), "a\\nb\\tc", "a\nb\tc", "a\nb\tc"},
        {STR("a\r\nb"), "a\\r\\nb", "a\\r\nb", "a\\r\nb"},
        {STR("\0\a\x7F"), "\\u0000\\u0007\\u007f", NULL, NULL},
        {STR("\x1b[2J"), "\\u001b[2J", NULL, NULL},
        {STR("\x1b[1mx\x1b[0m"), "\\u001b[1mx\\u001b[0m", NULL, "\x1b[1mx\x1b[0m"},
        {STR("\x1b[8mx\x1b[1"), "\\u001b[8mx\\u001b[1", NULL, NULL},
        {STR("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0"), "\\u0080\\u009b\\u009f\xC2\xA0", NULL, NULL},
        {STR("\xE2\x80\x8E\xE2\x80\x8F\xD8\x9C"), "\\u200e\\u200f\\u061c", NULL, NULL},
        {STR("\xE2\x80\xAA\xE2\x80\xAE\xE2\x80\xAF"), "\\u202a\\u202e\xE2\x80\xAF", NULL, NULL},
        {STR("\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9"), "\xE2\x81\xA5\\u2066\\u2069", NULL, NULL},
        {STR("\x9B\xC3"), "\\x9b\\xc3", NULL, NULL},
        {STR("\xC0\x9B\xE2\x80z"), "\\xc0\\x9b\\xe2\\x80z", NULL, NULL},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *several = cases[i].several ? cases[i].several : cases[i].line;
        check_str(visible(a, cases[i].text, VISIBLE_LINE), cases[i].line);
        check_str(visible(a, cases[i].text, VISIBLE_TEXT), several);
        check_str(visible(a, cases[i].text, VISIBLE_OUTPUT),
                  cases[i].output ? cases[i].output : several);
    }
    arena_free(a);
}

/* Whoever asks for more than there is gets a message and exit code 1, no crash. */
static void test_out_of_memory(void **state)
{
    (void)state;
    int ends[2], status;
    char text[64];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        arena_alloc(arena_new(), SIZE_MAX);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_true(n > 0);
    check_str(((struct str){text, (size_t)n}), "error: out of memory\n");
}

static void test_map_and_arena(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct map m = MAP(a);
    VEC(int) numbers = {0};
    for (int i = 0; i < 5000; i++) {
        vec_push(a, &numbers, i);
        map_put(&m, str_fmt(a, "k%d", i), a);
    }
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(numbers.p[i], i);
        assert_true(map_has(&m, str_fmt(a, "k%d", i)));
    }
    assert_false(map_has(&m, STR("k5000")));
    char *p = arena_alloc(a, 3);
    memcpy(p, "abc", 3);
    p = arena_grow(a, p, 3, 100000);
    assert_memory_equal(p, "abc", 3);
    assert_int_equal(p[99999], 0);
    arena_free(a);
}

static void test_backoff(void **state)
{
    (void)state;
    static const int64_t growing[] = {6, 8, 8};
    struct backoff b = backoff_begin(4, 8, 60 * 1000);
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++) {
        assert_int_equal(backoff_pause(&b), 0);
        assert_int_equal(b.pause_ms, growing[i]);
        assert_false(backoff_is_over(&b));
    }
    b = backoff_begin(60 * 1000, 60 * 1000, 1); /* a pause ends where the time does */
    assert_int_equal(backoff_pause(&b), 0);
    assert_true(backoff_is_over(&b));
    assert_int_equal(backoff_pause(&b), 0);
    b = backoff_begin(60 * 1000, 60 * 1000, 60 * 1000);
    cancel_request();
    assert_int_equal(backoff_pause(&b), -1);
    cancel_clear();
}

static void test_cut_ends(void **state)
{
    (void)state;
    struct str s = STR("file(a.yml)");
    assert_false(str_skip(&s, STR("files(")));
    assert_false(str_strip(&s, STR("))")));
    check_str(s, "file(a.yml)");
    assert_true(str_skip(&s, STR("file(")));
    assert_true(str_strip(&s, STR(")")));
    check_str(s, "a.yml");
    assert_true(str_skip(&s, STR("a.yml")));
    assert_int_equal(s.n, 0);
    assert_false(str_skip(&s, STR("a")));
    assert_false(str_strip(&s, STR("a")));
    assert_true(str_skip(&s, STR("")) && str_strip(&s, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str),
        cmocka_unit_test(test_cut_ends),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_pool_into),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_errors_together),
        cmocka_unit_test(test_map_and_arena),
        cmocka_unit_test(test_visible),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_backoff),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
