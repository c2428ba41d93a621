/* What a bundle has for other stages: files that the recorded stage did not read, fallbacks that it
 * did not need, and .env files, which belong to one stage each. */
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "check.h"

#include "base/fs.h"
#include "doc/json.h"
#include "config/variables/variables.h"

#define TOP "service: svc\nprovider: {name: aws}\n"

static bool has_file(const struct bench *b, const char *name)
{
    return node_get_c(b->bundle.files, name);
}

static bool has_absent(const struct bench *b, const char *text)
{
    node_each (n, b->bundle.absent)
        if (node_is_text(n, text))
            return true;
    return false;
}

/* Load for `stage`, and expect this error. */
static struct str refused(struct bench *b, const char *stage)
{
    struct service s;
    cleanup_err struct err err = {0};
    assert_int_equal(bench_again(b, stage, &s, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    return err_render(b->arena, &err, false);
}

static bool contains(struct str text, const char *part)
{
    if (str_find(text, str_c(part), 0) >= 0)
        return true;
    print_error("no '%s' in\n%.*s\n", part, STR_ARG(text));
    return false;
}

static void test_matching(void **state)
{
    (void)state;
    static const struct {
        struct str pattern;
        const char *name;
        bool fits;
    } cases[] = {
        {{"config/\0.yml", 12}, "config/qa.yml", true},
        {{"config/\0.yml", 12}, "config/.yml", false},
        {{"config/\0.yml", 12}, "config/a/b.yml", false},
        {{"config/\0.yml", 12}, "config/.x.yml", false},
        {{"config/\0.yml", 12}, "other/qa.yml", false},
        {{".\0.yml", 6}, ".qa.yml", true},
        {{"\0/\0.json", 8}, "eu/prod.json", true},
        {{"a\0b\0c", 5}, "a1b2b3c", true},
        {{"a\0b\0c", 5}, "abc", false},
        {{"a\0", 2}, "a", false},
        {{"plain", 5}, "plain", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sibling_matches(cases[i].pattern, str_c(cases[i].name)), cases[i].fits);
}

/* The files of other stages are found in whatever way the stage came into the name. */
static void test_names(void **state)
{
    (void)state;
    static const char *const asks[] = {
        "${file(config/${sls:stage}.yml):a}",
        "${file(./config/../config/${opt:stage, 'dev'}.yml):a}",
        "${file(config/${self:custom.stage}.yml):a}",
        "${file(${self:custom.path}):a}",
        "${file(config/${self:custom.names.${sls:stage}}.yml):a}",
        "${file(${self:custom.paths.${sls:stage}}):a}",
        "${file(config/${param:file}):a}",
        "${self:custom.through.a}",
    };
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct bench b;
        struct service s;
        struct err err = {0};
        bench_open(&b);
        struct str text = str_fmt(b.arena,
                                  TOP "params: {dev: {file: dev.yml}, qa: {file: qa.yml}}\n"
                                      "custom:\n"
                                      "  stage: ${opt:stage, self:provider.stage, 'dev'}\n"
                                      "  path: config/${self:custom.stage}.yml\n"
                                      "  names: {dev: dev, qa: qa}\n"
                                      "  paths: {dev: config/dev.yml, qa: config/qa.yml}\n"
                                      "  through: %s\n"
                                      "  value: %s\n",
                                  i == 7 ? "${file(config/${sls:stage}.yml)}" : "1", asks[i]);
        bench_file(&b, "serverless.yml", text.p);
        bench_file(&b, "config/dev.yml", "a: of dev\n");
        bench_file(&b, "config/qa.yml", "a: of ${sls:stage}\n");
        bench_file(&b, "config/.env.yml", "a: hidden\n");
        bench_record(&b, "");
        assert_true(has_file(&b, "config/qa.yml"));
        assert_int_equal(b.bundle.files->size, 3);
        check_ok(bench_again(&b, "qa", &s, &err), &err);
        check_str(text_at(&s, "custom.value"), "of qa");
        check_str(b.recording, "");
        check_str(b.warnings, "");
        assert_true(contains(refused(&b, "prod"),
                             i == 4 || i == 5 ? "no 'prod' in"
                             : i == 6         ? "no param 'file'"
                                      : "no file 'config/prod.yml' in the recorded sources"));
        bench_close(&b);
    }
}

/* Files that are not meant are not recorded: those in other directories, hidden files, links out of
 * the service, files that are no text. */
static void test_what_is_left_alone(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               TOP "custom:\n"
                   "  a: ${file(${sls:stage}.yml)}\n"
                   "  b: ${file(../up/${sls:stage}.yml), 'none'}\n"
                   "  c: ${file(.env.${sls:stage}), 'none'}\n"
                   "  d: ${file(${sls:stage}/x.txt), 'none'}\n");
    bench_file(&b, "dev.yml", "a: 1\n");
    bench_file(&b, "qa.yml", "a: 1\n");
    bench_file(&b, "qa.json", "{}");
    bench_file(&b, "sub/qa.yml", "a: 1\n");
    bench_file(&b, "binary.yml", "a: \xff\n");
    bench_file(&b, ".hidden.yml", "a: 1\n");
    bench_file(&b, ".env.qa", "SECRET=1\n");
    bench_file(&b, "qa/x.txt", "x");
    bench_file(&b, ".git/x.txt", "x");
    bench_file(&b, "node_modules/x.txt", "x");
    bench_file(&b, "../up/qa.yml", "a: 1\n");
    bench_file(&b, "../up/linked.yml", "a: 1\n");
    assert_int_equal(symlink("../up/linked.yml", str_concat(b.arena, b.dir, STR("/l.yml")).p), 0);
    bench_record(&b, "");
    check_str(json_text(b.arena, b.bundle.absent, 0),
              "[\"file(../up/dev.yml)\",\"file(.env.dev)\",\"file(dev/x.txt)\","
              "\"file(<*>.yml)\",\"file(.env.<*>)\",\"file(<*>/x.txt)\"]");
    static const char *const want[] = {"serverless.yml", "dev.yml", "qa.yml", "qa/x.txt"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(has_file(&b, want[i]));
    assert_int_equal(b.bundle.files->size, sizeof want / sizeof *want);
    check_str(b.recording, "");
    /* a file that was never looked for may have been there */
    struct service s;
    struct err err = {0};
    check_ok(bench_again(&b, "qa", &s, &err), &err);
    check_str(b.warnings,
              "file '../up/qa.yml' is not in the recorded source: it counts as missing\n");
    bench_close(&b);
}

static void test_too_large(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    struct buf text = BUF(b.arena);
    buf_lit(&text, "a: 1\n");
    while (text.n < 400 * 1024)
        buf_lit(&text, "# a line that takes room\n");
    const char *large = buf_str(&text).p;
    bench_file(&b, "serverless.yml",
               TOP "custom: {a: \"${file(c/${sls:stage}.yml):a, 'none'}\"}\n");
    static const char *const names[] = {"dev", "p1", "p2", "p3", "p4", "p5", "p6"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bench_file(&b, str_fmt(b.arena, "c/%s.yml", names[i]).p, large);
    bench_file(&b, "c/q.yml", "a: small\n");
    bench_record(&b, "");
    check_str(b.recording,
              "not recorded for other stages: 'c/p3.yml', 'c/p4.yml', 'c/p5.yml' and 1 more\n");
    assert_true(has_file(&b, "c/p1.yml") && has_file(&b, "c/p2.yml") && has_file(&b, "c/q.yml"));
    assert_false(has_file(&b, "c/p3.yml"));
    struct service s;
    struct err err = {0};
    check_ok(bench_again(&b, "none", &s, &err), &err);
    check_str(b.warnings, ""); /* only files that were left out may have been there */
    check_ok(bench_again(&b, "p3", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "none");
    check_str(b.warnings, "file 'c/p3.yml' is not in the recorded source: it counts as missing\n");
    b.bundle = bundle_of(b.arena, &s);
    assert_true(has_absent(&b, "unrecorded(c/p3.yml)") && has_absent(&b, "file(c/<*>.yml)"));
    bench_close(&b);
}

/* A stage whose value is set never asks for the rest of a variable; another stage may need it. */
static void test_fallbacks(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    setenv("TS_ANY", "from the deployer", 1);
    unsetenv("TS_LATE");
    bench_file(&b, "serverless.yml",
               TOP "params: {dev: {p: of dev}}\n"
                   "custom:\n"
                   "  file: ${file(c/${sls:stage}.yml), file(c/default.json)}\n"
                   "  env: ${param:p, env:TS_ANY}\n"
                   "  late: ${param:p, env:TS_LATE, 'none'}\n");
    bench_file(&b, "c/dev.yml", "a: 1\n");
    bench_file(&b, "c/qa.yml", "a: ${file(more/${sls:stage}.txt)}\nb: ${file(more/all.txt)}\n");
    bench_file(&b, "c/default.json", "{\"a\": \"${file(more/deep.yml):x}\"}");
    bench_file(&b, "more/all.txt", "for all");
    bench_file(&b, "more/qa.txt", "for qa");
    bench_file(&b, "more/deep.yml", "x: deep\ny: ${file(more/deep.yml):x}\n");
    bench_record(&b, "");
    setenv("TS_ANY", "another", 1);
    /* the recorded deployment did not use it, so its sources may not have it */
    setenv("TS_LATE", "late", 1);
    assert_int_equal(bench_again(&b, "prod", &s, &err), -1);
    assert_true(str_find(err.msg, STR("'TS_LATE'"), 0) >= 0);
    err_clear(&err);
    unsetenv("TS_LATE");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.file.a"), "deep");
    check_str(text_at(&s, "custom.env"), "from the deployer");
    check_str(text_at(&s, "custom.late"), "none");
    check_ok(bench_again(&b, "qa", &s, &err), &err);
    check_str(text_at(&s, "custom.file.a"), "for qa");
    check_str(text_at(&s, "custom.file.b"), "for all");
    check_str(b.warnings, "");
    /* A bundle made from a bundle still has all of it. */
    b.bundle = bundle_of(b.arena, &s);
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.file.a"), "deep");
    check_str(text_at(&s, "custom.env"), "from the deployer");
    unsetenv("TS_ANY");
    unsetenv("TS_LATE");
    bench_close(&b);
}

/* ---- .env ---- */

#define DOTENV               \
    TOP "useDotenv: true\n"  \
        "custom:\n"          \
        "  a: ${env:TS_A}\n" \
        "  b: ${env:TS_B, 'none'}\n"

/* A value from one stage's file is never another stage's. */
static void test_dotenv_of_a_stage(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", DOTENV);
    bench_file(&b, ".env.dev", "TS_A=of dev\n");
    bench_file(&b, ".env.prod", "TS_A=secret of prod\nTS_B=b\n");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.bundle.externals, 0), "{\"env(.env.dev):TS_A\":\"of dev\"}");
    check_str(json_text(b.arena, b.bundle.absent, 0), "[\"env(.env.dev):TS_B\"]");
    check_str(json_text(b.arena, b.bundle.dotenv, 0), "[\".env.dev\",\".env.prod\"]");
    assert_int_equal(at(&b.service, "custom.a")->flags, NODE_STAGE);
    assert_int_equal(b.bundle.files->size, 1);
    check_ok(bench_again(&b, "dev", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "of dev");
    assert_int_equal(at(&s, "custom.a")->flags, NODE_STAGE);
    struct str said = refused(&b, "prod");
    assert_true(contains(said, "environment variable 'TS_A' is not set; when this was recorded it "
                               "was in '.env.dev', which is not for stage 'prod'"));
    assert_true(contains(said, "TS_A=VALUE troupe"));
    setenv("TS_A", "given now", 1);
    setenv("TS_B", "b now", 1);
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "given now");
    check_str(text_at(&s, "custom.b"), "b now");
    check_ok(bench_again(&b, "dev", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "of dev");
    check_str(text_at(&s, "custom.b"), "none");
    unsetenv("TS_A");
    unsetenv("TS_B");
    bench_close(&b);
}

/* A stage without a file of its own takes `.env`, also when the recorded one had its own. */
static void test_dotenv_for_all(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", DOTENV);
    bench_file(&b, ".env.dev", "TS_B=of dev\nTS_A=a of dev\n");
    bench_file(&b, ".env", "TS_A=for all\nTS_UNUSED=1\n");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.bundle.externals, 0),
              "{\"env(.env.dev):TS_A\":\"a of dev\",\"env(.env.dev):TS_B\":\"of dev\","
              "\"env(.env):TS_A\":\"for all\"}");
    assert_true(has_absent(&b, "env(.env):TS_B"));
    check_ok(bench_again(&b, "qa", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "for all");
    check_str(text_at(&s, "custom.b"), "none");
    assert_int_equal(at(&s, "custom.a")->flags, 0);
    b.bundle = bundle_of(b.arena, &s);
    check_ok(bench_again(&b, "dev", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "a of dev");
    bench_close(&b);
}

/* What `.env` gave the recorded stage does not reach a stage that has a file of its own. */
static void test_dotenv_beside(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    setenv("TS_B", "of the deployer", 1);
    bench_file(&b, "serverless.yml", DOTENV);
    bench_file(&b, ".env", "TS_A=for all\nTS_B=not seen\n");
    bench_file(&b, ".env.prod", "TS_A=of prod\n");
    bench_record(&b, "");
    unsetenv("TS_B");
    check_ok(bench_again(&b, "qa", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "for all");
    check_str(text_at(&s, "custom.b"), "of the deployer");
    assert_true(contains(refused(&b, "prod"), "environment variable 'TS_A' is not set"));
    bench_close(&b);
}

/* The last deployment of the stage itself knows what its file said. */
static void test_dotenv_of_the_own_deployment(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", DOTENV);
    bench_file(&b, ".env.dev", "TS_A=of dev\n");
    bench_file(&b, ".env", "TS_A=for all\nTS_B=b for all\n");
    bench_record(&b, "");
    struct source_bundle own = bundle_read(
        b.arena, STR("{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"dotenv\": [\".env.prod\"], "
                     "\"absent\": [\"env(.env.prod):TS_B\"], \"externals\": "
                     "{\"env(.env.prod):TS_A\": \"of prod\", \"env:TS_B\": \"not taken\"}}"));
    b.bundle.own = &own;
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "of prod");
    check_str(text_at(&s, "custom.b"), "none");
    assert_int_equal(at(&s, "custom.a")->flags, NODE_STAGE);
    assert_non_null(node_get_c(s.externals, "env(.env.prod):TS_A"));
    own.dotenv = NULL; /* it had no file of its own */
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "for all");
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_left_alone),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_dotenv_of_a_stage),
        cmocka_unit_test(test_dotenv_for_all),
        cmocka_unit_test(test_dotenv_beside),
        cmocka_unit_test(test_dotenv_of_the_own_deployment),
    };
    return cmocka_run_group_tests_name("config_siblings", tests, NULL, NULL);
}
