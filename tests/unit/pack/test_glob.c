/* Single patterns, with the answers of the library by which the dialect is defined (micromatch 4
 * with dot files): each row was compared with it. */
#include "check.h"

#include "pack/pack_internal.h"

enum { FIND = 1, FILTER = 2, BOTH = 3 };

struct row {
    const char *pattern, *path;
    bool matches;
    unsigned passes; /* 0: both */
};

static const struct row rows[] = {
    {"**", "a", true},
    {"**", "a/.b/c", true},
    {"**", "../a", false},
    {"*", "a", true},
    {"*", ".a", true},
    {"*", "a/b", false},
    {"*.js", "a.js", true},
    {"*.js", ".js", true},
    {"*.js", "a/b.js", false},
    {"**.js", "a/b.js", true},
    {"**.spec.js", "a/b.spec.js", true},
    {"a/**.js", "a/b/c.js", false},
    {"src/**", "src", true},
    {"src/**", "src/a/b", true},
    {"src/**", "srcs/a", false},
    {"src/**/*", "src", false},
    {"src/**/*", "src/a", true},
    {"src/*", "src/a/b", false},
    {"src", "src/a", false},
    {"src/", "src", false},
    {"./src/**", "src/a", true},
    {"**/a", "a", true},
    {"**/a", "x/y/a", true},
    {"**/a", "xa", false},
    {"**/a/**", "x/a/y", true},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b", true},
    {"a/**/b", "axb", false},
    {"*/**", "a", false},
    {"*/**", "a/b", true},
    {"a**", "a/b", false},
    {"a**b", "axyb", true},
    {"a**b", "ax/yb", false},
    {"***", "a", true},
    {"***", "a/b", false},
    {"**/**", "a/b", true},
    {".*", ".env", true},
    {".*", "a", false},
    {".*", "..", true},
    {".env*", ".env", true},
    {"a?c", "abc", true},
    {"a?c", "a/c", false},
    {"a?c", "ac", false},
    {"?", "\xc3\xa9", true},
    {"[ab].js", "a.js", true},
    {"[ab].js", "[ab].js", true},
    {"[ab].js", "c.js", false},
    {"[id].js", "[id].js", true},
    {"[^a]x", "bx", true},
    {"[^a]x", "ax", false},
    {"[^a]x", "/x", false},
    {"[a-c]x", "bx", true},
    {"[a-c]x", "dx", false},
    {"[!a]x", "bx", true, FIND},
    {"[!a]x", "bx", false, FILTER},
    {"[!a]x", "ax", true, FILTER},
    {"[[:digit:]]*", "1a", true},
    {"[[:digit:]]*", "aa", false},
    {"{a,b}/**", "b/c", true},
    {"{a,b}/**", "c/c", false},
    {"*.{js,ts}", "x.ts", true},
    {"*.{a,b,{c,d}}", "x.d", true},
    {"a/{b,}/c", "a/b/c", true},
    {"{a}", "{a}", true},
    {"{a}", "a", false},
    {"f{1..3}", "f2", true},
    {"f{1..12}", "f10", true, FIND},
    {"f{1..12}", "f10", false, FILTER},
    {"a{01..03}", "a02", true, FIND},
    {"@(a|b).js", "a.js", true},
    {"@(a|b).js", "ab.js", false},
    {"+(a|b).js", "ab.js", true},
    {"*(a|b).js", ".js", true},
    {"?(a).js", ".js", true},
    {"?(a).js", "aa.js", false},
    {"a/!(b)", "a/c", true},
    {"a/!(b)", "a/b", false},
    {"a/!(b)", "a/bc", true},
    {"a/!(*.spec).js", "a/x.js", true},
    {"a/!(*.spec).js", "a/x.spec.js", false},
    {"(a|b).js", "b.js", true},
    {"(group)/a.js", "(group)/a.js", true, FILTER},
    {"a\\*b", "a*b", true},
    {"a\\*b", "axb", false},
    {"a+b.js", "a+b.js", true},
    {"\"a*b\".js", "a*b.js", true},
    {"x[", "x[", true},
    {"x]", "x]", true},
    {"(a", "(a", true},
    {"a)", "a)", true},
    {"$a", "$a", true},
    {"^a", "^a", true},
    {"a.b", "axb", false},
    {"@scope/pkg/**", "@scope/pkg/x", true},
    {"../shared/**", "../shared/a/b", true},
    {"../shared/**", "shared/a", false},
    {"*/a", "b/a", true},
    {"*/a", "../a", false},
    {"/**", "/a/b", true},
    {"/**", "/", true},
    {"/**", "a/b", false},
    {"/**", "/../a", false},
    {"/**", "/a/../b", false},
    {"/**/*.md", "/a/b.md", true},
    {"/**/*.md", "/b.md", false},
    {"/**/a", "/x/y/a", true},
    {"/**/a", "/a", false},
    {"/**/**/x", "/a/x", true},
    {"/**/", "/a/", true},
    {"/**/", "/a", false},
    {"/*", "/a", true},
    {"/*", "/a/b", false},
    {"/***", "/a/b", false},
    {"/a/**", "/a", true},
    {"/a/**", "/a/b", true},
    {"/{a,b}/**", "/b/c", true},
    {"/**/{a,b}/**", "/x/b", true},
    {"/**/{a,b}/**", "/b/c", false},
    {"/**/a/**", "/x/a", true},
    {"//**", "/a", false},
};

static bool matches(struct arena *a, const char *pattern, const char *path, enum glob_pass pass)
{
    struct err err = {0};
    struct glob *g;
    check_ok(glob_compile(a, str_c(pattern), pass, &g, &err), &err);
    return glob_match(g, str_c(path));
}

static void test_rows(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned pass = FIND; pass <= FILTER; pass++) {
            const struct row *r = &rows[i];
            if (!((r->passes ? r->passes : BOTH) & pass) ||
                matches(a, r->pattern, r->path, pass == FIND ? GLOB_FIND : GLOB_FILTER) ==
                    r->matches)
                continue;
            print_error("'%s' %s '%s' (pass %u)\n", r->pattern,
                        r->matches ? "does not match" : "matches", r->path, pass);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

/* Backtracking would need longer than the universe has. */
static void test_no_explosion(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    static const char *const patterns[] = {"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab",
                                           "+(a|aa|aaa)*(a|aa)+(a*a)b", "**/a/**/a/**/a/**/a/**/b",
                                           "*(*(*(*(a*)*)*)*)b"};
    char path[513];
    for (size_t i = 0; i + 1 < sizeof path; i++)
        path[i] = i % 2 ? '/' : 'a';
    path[sizeof path - 1] = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        assert_false(matches(a, patterns[i], path, GLOB_FIND));
        for (char *p = path; *p; p++)
            *p = 'a';
        assert_false(matches(a, patterns[i], path, GLOB_FILTER));
    }
}

static void test_too_much(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct glob *g;
    assert_int_equal(glob_compile(a,
                                  STR("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"
                                      "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"),
                                  GLOB_FIND, &g, &err),
                     -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    err_clear(&err);
    assert_int_equal(glob_compile(a, STR("{1..999999}"), GLOB_FIND, &g, &err), -1);
    err_clear(&err);
    size_t n = 70000;
    char *longer = arena_alloc(a, n);
    memset(longer, 'a', n);
    assert_int_equal(glob_compile(a, (struct str){longer, n}, GLOB_FIND, &g, &err), -1);
    err_clear(&err);
}

/* The questions by which a walk decides whether it reads a directory at all. */
static void test_directories(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    static const struct {
        const char *pattern, *dir;
        bool may, covers;
    } cases[] = {
        {"src/**", "src", true, true},       {"src/**", "src/a", true, true},
        {"src/**", "lib", false, false},     {"src/a.js", "src", true, false},
        {"src/a.js", "src/a", false, false}, {"**", "x", true, true},
        {"**/x/**", "a/x", true, true},      {"**/x/**", "a", true, false},
        {"src/*", "src", true, false},       {"{a,b/**}", "b", true, true},
        {"a/b/c/**", "a", true, false},      {"a/b/c/**", "ab", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        struct glob *g;
        check_ok(glob_compile(a, str_c(cases[i].pattern), GLOB_FILTER, &g, &err), &err);
        if (glob_may_match_below(g, str_c(cases[i].dir)) != cases[i].may ||
            glob_covers(g, str_c(cases[i].dir)) != cases[i].covers)
            fail_msg("wrong for '%s' and '%s'", cases[i].pattern, cases[i].dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_explosion),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_directories),
    };
    return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
