/* Loading services: golden cases against the reference's `print`, golden errors, hostile input,
 * flags and origins, and the small functions. */
#include <stdlib.h>
#include <unistd.h>

#include "golden.h"
#include "base/buf.h"
#include "config/schema/schema.h"
#include "config/variables/variables.h"

#include "base/fs.h"
#include "doc/json.h"
#include "doc/yaml.h"

static struct str tests_dir;

static bool blessing(void)
{
    const char *bless = getenv("BLESS");
    return bless && *bless == '1';
}

typedef bool case_fn(struct golden *g);

/* Run `fn` for every folder below `sub` that has a service; returns how many failed. */
static size_t each_case(const char *sub, case_fn *fn, size_t *ret_count)
{
    size_t failed = 0, count;
    struct str *names;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct str dir = path_join(a, tests_dir, str_c(sub));
    check_ok(fs_list(a, dir, &names, &count, &err), &err);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct str folder = path_join(a, dir, names[i]);
        static const char *const files[] = {
            "serverless.yml", "serverless.yaml", "serverless.json", "serverless.js",
            "serverless.cjs", "serverless.mjs",  "serverless.ts",   "empty"};
        bool is_case = false;
        for (size_t k = 0; k < sizeof files / sizeof *files; k++)
            is_case = is_case || fs_is_file(path_join(a, folder, str_c(files[k])));
        if (!is_case)
            continue;
        cleanup_arena struct arena *own = arena_new();
        struct golden g;
        golden_open(&g, own, dir, names[i]);
        ++*ret_count;
        failed += !fn(&g);
        golden_close(&g);
    }
    return failed;
}

/* ---- golden cases ---- */

static bool show_difference(struct golden *g, const struct node *want, const struct node *got)
{
    struct node_change *changes;
    size_t count;
    node_diff(g->arena, want, got, &changes, &count);
    print_error("%s: %zu values differ\n", str_z(g->arena, g->name), count);
    for (size_t i = 0; i < count && i < 10; i++)
        print_error("  %s: want %s, got %s\n", str_z(g->arena, changes[i].path),
                    changes[i].before ? json_text(g->arena, changes[i].before, 0).p : "nothing",
                    changes[i].after ? json_text(g->arena, changes[i].after, 0).p : "nothing");
    return false;
}

static bool loads_and_prints(struct golden *g)
{
    struct service service;
    struct str text;
    cleanup_err struct err err = {0};
    struct config_options options = golden_options(g);
    options.only_compiles = true;
    if (service_load(g->arena, &options, &service, &err) < 0) {
        print_error("%s\n%s", str_z(g->arena, g->dir), err_render(g->arena, &err, false).p);
        return false;
    }
    bool warns = fs_exists(path_join(g->arena, g->dir, STR("warns")));
    if (g->other_warnings && !warns) {
        print_error("%s warns\n%s", str_z(g->arena, g->name), g->warnings.p);
        return false;
    }
    if (!golden_text(g, "print.json", &text))
        return true;
    const struct node *want = json_parse(g->arena, STR("print.json"), text, &err);
    return node_equal(want, service.root) || show_difference(g, want, service.root);
}

static void test_golden_print(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(each_case("golden/config", loads_and_prints, &count), 0);
    assert_true(count >= 15);
    assert_int_equal(each_case("golden/compile", loads_and_prints, &count), 0);
    assert_true(count >= 60);
}

static bool yaml_is_the_same(struct golden *g)
{
    struct str text, want;
    cleanup_err struct err err = {0};
    if (!golden_text(g, "print.json", &text) || !golden_text(g, "print.yml", &want))
        return true;
    const struct node *n = json_parse(g->arena, STR("print.json"), text, &err);
    struct buf b = BUF(g->arena);
    yaml_write(&b, n);
    struct source source = {STR("print.yml"), buf_str(&b)};
    const struct node *back = yaml_read(g->arena, &source, &err);
    if (!back)
        print_error("%s", err_render(g->arena, &err, false).p);
    if (!back || !node_equal(n, back))
        return back ? show_difference(g, n, back) : false;
    if (!str_eq(buf_str(&b), want))
        print_error("%s: YAML differs, got\n%s", str_z(g->arena, g->name), b.p);
    return str_eq(buf_str(&b), want);
}

static void test_yaml_written(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(each_case("golden/config", yaml_is_the_same, &count), 0);
}

static bool fails_as_expected(struct golden *g)
{
    struct service service;
    struct str want;
    cleanup_err struct err err = {0};
    if (golden_load(g, &service, &err) == 0) {
        print_error("%s: loads, but should not\n", str_z(g->arena, g->name));
        return false;
    }
    struct str got = err_render(g->arena, &err, false);
    got = str_replace(g->arena, got, g->dir, STR("DIR"));
    struct str path = path_join(g->arena, g->dir, STR("expected.txt"));
    if (blessing()) {
        cleanup_err struct err bad = {0};
        return fs_write(path, got, 0644, &bad) == 0;
    }
    bool kind = err.kind == ERR_CONFIG || fs_exists(path_join(g->arena, g->dir, STR("empty")));
    if (kind && golden_text(g, "expected.txt", &want) && str_eq(got, want))
        return true;
    print_error("%s: kind %d, got\n%s", str_z(g->arena, g->name), err.kind, str_z(g->arena, got));
    return false;
}

static void test_golden_errors(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(each_case("golden/config/errors", fails_as_expected, &count), 0);
    assert_true(count >= 60);
}

static bool warns_as_expected(struct golden *g)
{
    struct service service;
    struct str want;
    cleanup_err struct err err = {0};
    if (golden_load(g, &service, &err) < 0) {
        print_error("%s: %s", str_z(g->arena, g->name), err_render(g->arena, &err, false).p);
        return false;
    }
    struct str got = buf_str(&g->warnings);
    if (blessing())
        return fs_write(path_join(g->arena, g->dir, STR("expected.txt")), got, 0644, &err) == 0;
    if (golden_text(g, "expected.txt", &want) && str_eq(got, want))
        return true;
    print_error("%s: got\n%s", str_z(g->arena, g->name), str_z(g->arena, got));
    return false;
}

/* What the dialect only warns of, and what it has and nothing comes of here. */
static void test_golden_warnings(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(each_case("golden/config/warnings", warns_as_expected, &count), 0);
    assert_true(count >= 15);
}

/* ---- generated services ---- */

static int load_text(struct arena *a, const char *stage, struct str text, struct service *ret,
                     const struct remote_values *remote, struct err *err)
{
    char dir[] = "/tmp/troupe-config-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct str at = str_dup(a, str_c(dir));
    struct err bad = {0};
    check_ok(fs_write(path_join(a, at, STR("serverless.yml")), text, 0644, &bad), &bad);
    struct config_options options = {.dir = at, .stage = str_c(stage), .remote = remote};
    int loaded = service_load(a, &options, ret, err);
    check_ok(fs_remove_all(at, &bad), &bad);
    return loaded;
}

static struct str repeated(struct arena *a, const char *before, const char *piece, size_t n,
                           const char *after)
{
    struct buf b = BUF(a), doubled = BUF(a);
    struct str pieces = str_c(piece);
    buf_add(&b, str_c(before));
    for (; n; n /= 2, doubled = BUF(a)) {
        if (n % 2)
            buf_add(&b, pieces);
        buf_add(&doubled, pieces);
        buf_add(&doubled, pieces);
        pieces = buf_str(&doubled);
    }
    buf_add(&b, str_c(after));
    return buf_str(&b);
}

static void refused(struct str text)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct service service;
    assert_int_equal(load_text(a, "dev", text, &service, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_non_null(err.pos.source);
    assert_true(err.pos.line > 0);
}

#define TOP "service: svc\nprovider: {name: aws}\n"

static void test_hostile(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    refused(repeated(a, TOP "custom: ", "[", 10000, "\n"));
    refused(repeated(a, TOP "custom:\n  a: ", "{a: ", 10000, "\n"));
    refused(repeated(a, TOP "custom:\n  a: \"", "${self:", 10000, "\"\n"));
    refused(repeated(a, TOP "custom:\n  a: \"${self:x, '", "${self:x, ", 10000, "'}\"\n"));
    refused(repeated(a, TOP "custom:\n  a: \"", "x", 50 * 1024 * 1024, "\"\n"));
    refused((struct str){TOP "custom: a\0b\n", sizeof TOP "custom: a\0b\n" - 1});
    refused(STR(TOP "custom: \"\xFF\xFE\"\n"));
    refused(STR(TOP "custom: {a: \"\xED\xA0\x80\"}\n"));
}

static void test_foreign_nesting_is_text(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct service service;
    struct str text = repeated(a, TOP "custom:\n  a: \"", "${", 10000, "\"\n");
    check_ok(load_text(a, "dev", text, &service, NULL, &err), &err);
    assert_int_equal(node_path(service.root, "custom.a")->text.n, 20000);
}

/* Each level holds the one below ten times: 10^12 values, 16 lines. */
static void test_expansion_is_bounded(void **state)
{
    (void)state;
    static const char *const forms[] = {"  x%zu: [%s]\n", "  x%zu: \"%s\"\n",
                                        "  x%zu: {a: {b: [%s]}}\n"};
    for (size_t form = 0; form < 3; form++) {
        cleanup_arena struct arena *a = arena_new();
        struct buf b = BUF(a);
        buf_lit(&b, TOP "custom:\n  x0: lol\n");
        for (size_t i = 1; i < 13; i++) {
            struct buf refs = BUF(a);
            for (size_t k = 0; k < 10; k++)
                buf_fmt(&refs, form == 1 ? "%s${self:custom.x%zu}" : "%s\"${self:custom.x%zu}\"",
                        k && form != 1 ? ", " : "", i - 1);
            struct str line = str_replace(a, str_c(forms[form]), STR("%zu"), str_fmt(a, "%zu", i));
            buf_add(&b, str_replace(a, line, STR("%s"), buf_str(&refs)));
        }
        refused(buf_str(&b));
    }
}

/* A chain of values, each one level deeper than the one it holds. */
static void test_depth_by_variables(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct buf b = BUF(a);
    buf_lit(&b, TOP "custom:\n  x0: end\n");
    for (size_t i = 1; i < 2000; i++)
        buf_fmt(&b, "  x%zu: {a: \"${self:custom.x%zu}\"}\n", i, i - 1);
    refused(buf_str(&b));
}

/* ---- flags ---- */

static const struct node *at(const struct service *s, const char *path)
{
    const struct node *n = node_path(s->root, path);
    if (!n)
        print_error("nothing at %s\n", path);
    assert_non_null(n);
    return n;
}

static void test_stage_flag(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct service s;
    check_ok(load_text(a, "prod",
                       STR("service: svc\n"
                           "provider: {name: aws, stage: \"${opt:stage, 'dev'}\"}\n"
                           "params: {default: {both: 1, plain: 2}, prod: {both: 3}}\n"
                           "custom:\n"
                           "  sls: ${sls:stage}\n"
                           "  opt: ${opt:stage, 'x'}\n"
                           "  self: x-${self:provider.stage}\n"
                           "  both: ${param:both}\n"
                           "  plain: ${param:plain}\n"
                           "  map: {dev: {a: 1}, prod: {a: [2, {b: 3}]}}\n"
                           "  address: ${self:custom.map.${sls:stage}}\n"
                           "  through: ${self:custom.address.a.1.b}\n"
                           "  fallback: ${self:custom.map.x${sls:stage}, 'none'}\n"
                           "  fixed: ${self:custom.map.prod}\n"
                           "functions: {f: {handler: a.b}}\n"),
                       &s, NULL, &err),
             &err);
    static const char *const dependent[] = {
        "custom.sls",       "custom.opt",          "custom.self",    "custom.both",
        "custom.through",   "custom.fallback",     "provider.stage", "functions.f.name",
        "custom.address.a", "custom.address.a.1.b"};
    static const char *const free_of_it[] = {"custom.plain",        "custom.fixed",
                                             "custom.fixed.a.1.b",  "custom.map",
                                             "functions.f.handler", "service"};
    for (size_t i = 0; i < sizeof dependent / sizeof *dependent; i++)
        if (!(at(&s, dependent[i])->flags & NODE_STAGE))
            fail_msg("%s should depend on the stage", dependent[i]);
    for (size_t i = 0; i < sizeof free_of_it / sizeof *free_of_it; i++)
        if (node_flags_deep(at(&s, free_of_it[i])) & NODE_STAGE)
            fail_msg("%s should not depend on the stage", free_of_it[i]);
    check_str(node_text(at(&s, "custom.both")), "3");
    check_str(at(&s, "custom.both")->origin->what, "param 'both' of stage 'prod'");
    assert_int_equal(at(&s, "custom.both")->origin->pos.line, 3);
    assert_int_equal(at(&s, "custom.both")->pos.line, 8);
}

/* Notes what was asked; `/secret` is a secret, `/none` does not exist. */
static int answer(void *context, struct arena *a, const struct remote_query *q,
                  const struct node **ret, struct err *err)
{
    struct str address = q->address;
    (void)context;
    check_str(q->region, "us-east-1");
    if (str_eq(address, STR("/denied")))
        return err_set(err, ERR_DENIED, "access denied");
    struct node *n =
        node_strf(a, "%.*s(%.*s)%.*s", STR_ARG(q->source), STR_ARG(q->params), STR_ARG(address));
    if (str_eq(address, STR("/secret")))
        n->flags |= NODE_SECRET;
    *ret = str_eq(address, STR("/none")) ? NULL : n;
    return 0;
}

static void test_remote(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct remote_values remote = {NULL, answer};
    struct service s;
    check_ok(load_text(a, "dev",
                       STR(TOP "custom:\n"
                               "  account: ${aws:accountId}\n"
                               "  cf: ${cf(eu-west-1):stack.Out}\n"
                               "  s3: ${s3:bucket/key}\n"
                               "  secret: <${ssm:/secret}>\n"
                               "  indirect: ${self:custom.secret}\n"
                               "  raw: ${ssm(eu-west-1, raw):/plain}\n"
                               "  none: ${ssm:/none, 'fallback'}\n"),
                       &s, &remote, &err),
             &err);
    check_str(node_text(at(&s, "custom.account")), "aws()accountId");
    check_str(node_text(at(&s, "custom.cf")), "cf(eu-west-1)stack.Out");
    check_str(node_text(at(&s, "custom.s3")), "s3()bucket/key");
    check_str(node_text(at(&s, "custom.raw")), "ssm(eu-west-1,raw)/plain");
    check_str(node_text(at(&s, "custom.none")), "fallback");
    check_str(node_text(at(&s, "custom.indirect")), "<ssm()/secret>");
    assert_true(at(&s, "custom.secret")->flags & NODE_SECRET);
    assert_true(at(&s, "custom.indirect")->flags & NODE_SECRET);
    assert_false(at(&s, "custom.raw")->flags & NODE_SECRET);
    assert_int_equal(node_get_c(s.externals, "ssm:/secret")->kind, NODE_NULL);
    check_str(node_text(node_get_c(s.externals, "s3:bucket/key")), "s3()bucket/key");
    struct err denied = {0};
    assert_int_equal(
        load_text(a, "dev", STR(TOP "custom: {a: \"${ssm:/denied}\"}\n"), &s, &remote, &denied),
        -1);
    check_str(denied.msg, "resolve 'ssm:/denied': access denied");
    err_clear(&denied);
}

/* ---- the model ---- */

static void test_settings(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct service s;
    check_ok(load_text(a, "prod",
                       STR(TOP "custom:\n"
                               "  troupe:\n"
                               "    resources: {service: [UsersTable, 'Shared*']}\n"
                               "    functions: {perStage: [edge]}\n"
                               "    apis: {rest: shared, http: perStage}\n"
                               "    protect: prod\n"
                               "    stages:\n"
                               "      prod: {logs: service, history: {keep: 3}}\n"
                               "      dev: {regions: independent}\n"),
                       &s, NULL, &err),
             &err);
    assert_int_equal(s.settings.service_resource_count, 2);
    check_str(s.settings.service_resources[1], "Shared*");
    check_str(s.settings.per_stage_functions[0], "edge");
    check_str(s.settings.protect[0], "prod");
    assert_false(s.settings.logs_per_stage);
    assert_false(s.settings.rest_per_stage);
    assert_false(s.settings.http_shared);
    assert_false(s.settings.regions_independent);
    assert_int_equal(s.settings.history_keep, 3);
    struct service plain;
    check_ok(load_text(a, "",
                       STR(TOP "functions: {f: {handler: a.b}, g: {handler: a.b, name: x}}\n"),
                       &plain, NULL, &err),
             &err);
    assert_int_equal(plain.settings.history_keep, 10);
    assert_int_equal(plain.stage.n, 0);
    assert_int_equal(plain.function_count, 2);
    check_str(plain.functions[0].name, "svc-f");
    assert_false(plain.functions[0].name_explicit);
    assert_true(plain.functions[1].name_explicit);
    check_str(plain.region, "us-east-1");
    assert_int_equal(plain.file_count, 1);
}

static struct shift shift_of(struct arena *a, const char *settings, const char *stage)
{
    cleanup_err struct err err = {0};
    struct service s;
    struct str text = str_fmt(a, TOP "custom:\n  troupe:\n    %s\n", settings);
    check_ok(load_text(a, stage, text, &s, NULL, &err), &err);
    return s.settings.shift;
}

static void test_shifts(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *stage;
        struct shift want;
        size_t alarms;
    } cases[] = {
        {"shift: allAtOnce", "prod", {.kind = SHIFT_ALL_AT_ONCE}, 0},
        {"shift: {type: allAtOnce, alarms: [a]}", "prod", {.kind = SHIFT_ALL_AT_ONCE}, 1},
        {"shift: {type: canary, percent: 10, after: 90s}", "prod", {SHIFT_CANARY, 10, 90000, 0}, 0},
        {"shift: {type: canary, percent: 99, after: 5m}", "prod", {SHIFT_CANARY, 99, 300000, 0}, 0},
        {"shift: {type: linear, step: 1, every: 2h, alarms: [a, {Ref: B}]}",
         "prod",
         {SHIFT_LINEAR, 1, 7200000, 0},
         2},
        {"shift: {prod: {type: linear, step: 5, every: 1s}, dev: allAtOnce}",
         "prod",
         {SHIFT_LINEAR, 5, 1000, 0},
         0},
        {"shift: {prod: {type: linear, step: 5, every: 1s}}", "qa", {.kind = SHIFT_ALL_AT_ONCE}, 0},
        {"{shift: {type: canary, percent: 10, after: 1m}, stages: {dev: {shift: allAtOnce}}}",
         "dev",
         {.kind = SHIFT_ALL_AT_ONCE},
         0},
        {"{shift: {type: canary, percent: 10, after: 1m}, stages: {dev: {shift: allAtOnce}}}",
         "prod",
         {SHIFT_CANARY, 10, 60000, 0},
         0},
    };
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shift got = shift_of(a, cases[i].settings, cases[i].stage);
        assert_int_equal(got.kind, cases[i].want.kind);
        assert_int_equal(got.percent, cases[i].want.percent);
        assert_int_equal(got.pause_ms, cases[i].want.pause_ms);
        assert_int_equal(node_count(got.alarms), cases[i].alarms);
    }
}

/* Rules of other stages are checked as well: a wrong one would fail on the day it is needed. */
static void test_bad_shifts(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *message;
    } cases[] = {
        {"shift: blueGreen", "there is no way to shift called 'blueGreen'"},
        {"shift: canary", "'canary' needs 'percent' and 'after'"},
        {"shift: {type: linear, step: 10}", "'every'"},
        {"shift: {type: linear, step: 100, every: 1m}", "'step'"},
        {"shift: {type: linear, step: 0, every: 1m}", "'step'"},
        {"shift: {type: canary, percent: 10, after: 5}", "like 30s, 2m or 1h"},
        {"shift: {type: canary, percent: 10, after: 0m}", "like 30s, 2m or 1h"},
        {"shift: {type: canary, percent: 10, after: 5m, every: 1m}", "'every'"},
        {"shift: {dev: {percent: 10}}", "'custom.troupe.shift.dev' needs a type"},
        {"shift: [canary]", "'custom.troupe.shift' needs a type"},
        {"stages: {dev: {shift: {type: canary, percent: x, after: 5m}}}", "'percent'"},
        {"stages: {dev: {shifts: allAtOnce}}", "'shifts'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct service s;
        struct str text = str_fmt(a, TOP "custom:\n  troupe:\n    %s\n", cases[i].settings);
        assert_int_equal(load_text(a, "prod", text, &s, NULL, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_true(err.pos.line);
        if (str_find(err.msg, str_c(cases[i].message), 0) < 0)
            fail_msg("%s: %.*s", cases[i].settings, STR_ARG(err.msg));
    }
}

static void test_globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {{"*", "", true},          {"a*", "abc", true},     {"*c", "abc", true},
                 {"a?c", "abc", true},     {"a?c", "ac", false},    {"abc", "abcd", false},
                 {"*b*", "abc", true},     {"", "", true},          {"", "a", false},
                 {"a*b*c", "a1b2c", true}, {"a*b*c", "a1c", false}, {"cron-*", "cron-", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (settings_glob(str_c(cases[i].pattern), str_c(cases[i].name)) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].name);
}

static void test_stage_names(void **state)
{
    (void)state;
    static const char *const good[] = {"dev", "pr-42", "a_b", "A", "0a"};
    static const char *const bad[] = {"", "42", "latest", "a b", "a/b", "ä", "$LATEST"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cleanup_err struct err err = {0};
        assert_int_equal(stage_name_check(str_c(good[i]), &err), 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cleanup_err struct err err = {0};
        assert_int_equal(stage_name_check(str_c(bad[i]), &err), -1);
    }
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    assert_int_equal(stage_name_check(repeated(a, "a", "b", 127, ""), &err), 0);
    assert_int_equal(stage_name_check(repeated(a, "a", "b", 128, ""), &err), -1);
}

static void test_found_in_parents(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err err = {0};
    struct service s;
    struct config_options options = {
        .dir = path_join(a, tests_dir, STR("golden/config/var-files/sub"))};
    check_ok(service_load(a, &options, &s, &err), &err);
    check_str(s.file, "serverless.yml");
    check_str(s.dir,
              str_z(a, path_absolute(a, path_join(a, tests_dir, STR("golden/config/var-files")))));
    assert_true(s.file_count >= 7);
    options = (struct config_options){.dir = STR("/")};
    assert_int_equal(service_load(a, &options, &s, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

/* ---- wrong types ---- */

/* Members that are the user's own data, or checked together with others (`stream`). */
static const char *const open_members[] = {"*.eventBridge.pattern.*",
                                           "*.cloudwatchEvent.event",
                                           "*.templateBody",
                                           "*.input",
                                           "*.inputPathsMap",
                                           "*.filterPolicy",
                                           "*.request.schemas",
                                           "*.stream.arn",
                                           "*.stream.type",
                                           "*.Statement",
                                           "*.Condition",
                                           "*.Fn::*",
                                           "*.onFailure.arn",
                                           "*.onFailure.type"};

static bool is_open_member(struct str path)
{
    for (size_t i = 0; i < sizeof open_members / sizeof *open_members; i++)
        if (settings_glob(str_c(open_members[i]), path))
            return true;
    return false;
}

/* Every row of `s` and below refuses a map and a list of no known shape, with a place. */
static size_t walk_rows(const struct schema *s, struct str path, unsigned depth)
{
    static const char *const wrong[] = {"{zz: {q: 1}}", "[[1, 2], [3, 4]]"};
    size_t failed = 0;
    for (size_t i = 0; s && s->any && s->any[i] && depth < 6; i++)
        failed += walk_rows(s->any[i], path, depth + 1);
    if (s && s->items && depth < 6)
        failed += walk_rows(s->items, path, depth + 1);
    for (const struct field *f = s && depth < 6 ? s->fields : NULL; f && f->name; f++) {
        cleanup_arena struct arena *a = arena_new();
        struct config_options none = {0};
        struct checker c = {.arena = a, .strict = true, .options = &none};
        struct str name = str_fmt(a, "%.*s.%s", STR_ARG(path), f->name);
        if (f->flags & UNSUPPORTED || is_open_member(name))
            continue;
        for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
            cleanup_err struct err err = {0};
            struct source source = {STR("w.yml"), str_c(wrong[i])};
            const struct node *value = yaml_read(a, &source, &err);
            check_ok(value ? 0 : -1, &err);
            bool is_refused =
                f->schema && schema_check(&c, f->schema, str_c(f->name), &value, &err) < 0;
            if (is_refused && err.pos.source && err.pos.line == 1)
                continue;
            print_error("%.*s: takes %s\n", STR_ARG(name), wrong[i]);
            failed++;
        }
        checker_free(&c);
        failed += walk_rows(f->schema, name, depth + 1);
    }
    return failed;
}

static void test_every_row_refuses_a_wrong_type(void **state)
{
    (void)state;
    size_t failed = walk_rows(&schema_function, STR("function"), 0) +
                    walk_rows(&schema_provider, STR("provider"), 0);
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? str_c(argv[1]) : STR("tests");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_print),
        cmocka_unit_test(test_yaml_written),
        cmocka_unit_test(test_golden_errors),
        cmocka_unit_test(test_golden_warnings),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_foreign_nesting_is_text),
        cmocka_unit_test(test_expansion_is_bounded),
        cmocka_unit_test(test_depth_by_variables),
        cmocka_unit_test(test_stage_flag),
        cmocka_unit_test(test_remote),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_bad_shifts),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_stage_names),
        cmocka_unit_test(test_found_in_parents),
        cmocka_unit_test(test_every_row_refuses_a_wrong_type),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
