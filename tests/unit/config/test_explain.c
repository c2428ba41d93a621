/* How values came about: every variable, file and fallback with its place, and why the stage
 * counts. */
#include <stdlib.h>

#include "bench.h"
#include "check.h"

#include "doc/json.h"
#include "config/explain.h"

#define TOP                    \
    "service: svc\n"           \
    "useDotenv: true\n"        \
    "params:\n"                \
    "  default: {size: 128}\n" \
    "  prod: {size: 512}\n"    \
    "provider: {name: aws}\n"

static void load(struct bench *b, const char *custom)
{
    struct err err = {0};
    bench_open(b);
    bench_file(b, "serverless.yml", str_fmt(b->arena, TOP "custom:\n%s", custom).p);
    bench_file(b, "conf/default.yml", "name: of ${self:service}\nlist: [1, {deep.key: x}]\n");
    bench_file(b, ".env.dev", "TX_FILE=of the file\n");
    b->cloud.secret = "/secret";
    struct config_options options = bench_options(b, "dev");
    check_ok(service_load(b->arena, &options, &b->service, &err), &err);
}

static const struct node *explain(struct bench *b, const char *path)
{
    struct err err = {0};
    const struct node *n = service_explain(b->arena, &b->service, str_c(path), &err);
    check_ok(n ? 0 : -1, &err);
    check_str(node_text(node_get_c(n, "key")), path);
    return n;
}

/* Steps as text, "line:column variable", one a line; what a step follows from stands below it,
 * indented. */
static void outline(struct buf *out, const struct node *step, const char *role, unsigned depth)
{
    static const char *const lists[] = {"before", "address", "via", "parts"};
    struct str text = node_text(node_get_c(step, "text"));
    for (unsigned i = 0; i < depth; i++)
        buf_char(out, ' ');
    buf_fmt(out, "%s%lld:%lld %.*s%.*s", role,
            (long long)node_int_or(node_path(step, "place.line"), 0),
            (long long)node_int_or(node_path(step, "place.column"), 0), STR_ARG(text),
            STR_ARG(node_text(node_get_c(step, "variable"))));
    if (node_get_c(step, "missing"))
        buf_lit(out, " none");
    if (node_get_c(step, "value"))
        buf_fmt(out, " = %.*s", STR_ARG(node_text(node_get_c(step, "value"))));
    if (node_bool_or(node_get_c(step, "stage"), false))
        buf_lit(out, " stage");
    if (node_get_c(step, "again"))
        buf_lit(out, " again");
    buf_char(out, '\n');
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        node_each (s, node_get_c(step, lists[i]))
            outline(out, s, lists[i], depth + 1);
    if (node_get_c(step, "then"))
        outline(out, node_get_c(step, "then"), "then", depth + 1);
}

static void check_steps(struct bench *b, const char *path, bool stage, const char *because,
                        const char *want)
{
    const struct node *n = explain(b, path);
    struct buf out = BUF(b->arena), causes = BUF(b->arena);
    buf_lit(&out, "");
    buf_lit(&causes, "");
    node_each (s, node_get_c(n, "steps"))
        outline(&out, s, "", 0);
    node_each (c, node_get_c(n, "because"))
        buf_fmt(&causes, "%.*s;", STR_ARG(node_text(node_get_c(c, "variable"))));
    check_str(out.n ? buf_str(&out) : STR(""), want);
    check_str(causes.n ? buf_str(&causes) : STR(""), because);
    assert_int_equal(node_bool_or(node_get_c(n, "stage"), !stage), stage);
}

static void test_steps(void **state)
{
    (void)state;
    struct bench b;
    unsetenv("TX_NONE");
    load(&b, "  plain: 1\n"
             "  table: orders-${sls:stage}\n"
             "  through: ${self:custom.table}\n"
             "  conf: ${file(conf/${sls:stage}.yml), file(conf/default.yml)}\n"
             "  name: ${self:custom.conf.name}\n"
             "  two: ${self:custom.table}, ${self:custom.table}\n"
             "  size: ${param:size}\n"
             "  fall: ${opt:none, 'x'}\n"
             "  env: ${env:TX_FILE}\n"
             "  same: ${self:custom.plain}\n");
    check_steps(&b, "custom.plain", false, "", "");
    assert_int_equal(node_int_or(node_path(explain(&b, "custom.plain"), "place.line"), 0), 8);
    check_steps(&b, "custom.same", false, "", "17:11 self:custom.plain = 1\n");
    check_steps(&b, "custom.through", true, "sls:stage;",
                "10:14 self:custom.table = orders-dev\n"
                " then9:10 orders-${sls:stage}\n"
                "  parts9:19 sls:stage = dev stage\n");
    check_steps(&b, "custom.name", true, "sls:stage;",
                "12:11 self:custom.conf.name = of svc\n"
                " via11:40 file(conf/default.yml)\n"
                "  before11:11 file(conf/${sls:stage}.yml) none\n"
                "   address11:16 conf/${sls:stage}.yml\n"
                "    parts11:23 sls:stage = dev stage\n"
                " then1:7 of ${self:service}\n"
                "  parts1:12 self:service = svc\n");
    check_steps(&b, "custom.two", true, "sls:stage;",
                "13:8 ${self:custom.table}, ${self:custom.table}\n"
                " parts13:10 self:custom.table = orders-dev\n"
                "  then9:10 orders-${sls:stage}\n"
                "   parts9:19 sls:stage = dev stage\n"
                " parts13:32 self:custom.table = orders-dev\n"
                "  then9:10 orders-${sls:stage} again\n");
    check_steps(&b, "custom.size", true, "param:size;", "14:11 param:size = 128 stage\n");
    check_steps(&b, "custom.fall", false, "", "15:21 'x' = x\n before15:11 opt:none none\n");
    check_steps(&b, "custom.env", true, "env:TX_FILE;", "16:10 env:TX_FILE = of the file stage\n");
    check_str(node_text(node_path(explain(&b, "custom.env"), "steps.0.says")),
              "environment variable 'TX_FILE' in '.env.dev'");
    check_steps(&b, "provider.stage", true, "the stage's name itself;", "");
    bench_close(&b);
}

/* The file that a value comes from counts as well: the stage chose it. */
static void test_through_containers(void **state)
{
    (void)state;
    struct bench b;
    load(&b, "  conf: ${file(conf/${self:custom.${sls:stage}}.yml)}\n  dev: default\n");
    check_steps(&b, "custom.conf.list.1.deep.key", true, "sls:stage;",
                "8:11 file(conf/${self:custom.${sls:stage}}.yml)\n"
                " address8:16 conf/${self:custom.${sls:stage}}.yml\n"
                "  parts8:23 self:custom.${sls:stage} = default\n"
                "   address8:28 custom.${sls:stage}\n"
                "    parts8:37 sls:stage = dev stage\n");
    const struct node *n = explain(&b, "custom.conf.list.1.deep.key");
    check_str(node_text(node_path(n, "steps.0.key")), "custom.conf");
    check_str(node_text(node_path(n, "place.file")), "conf/default.yml");
    n = explain(&b, "custom");
    assert_int_equal(node_count(node_get_c(n, "members")), 3);
    check_str(node_text(node_path(n, "members.0.key")), "custom.conf.name");
    assert_true(node_bool_or(node_path(n, "members.2.stage"), false));
    bench_close(&b);
}

/* What messages get: the value, and the variable that brought it. */
static void test_cause(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        uint32_t line; /* of the value */
        const char *cause;
    } cases[] = {
        {"custom.map", 11, "sls:stage"},     {"custom.list", 12, "param:size"},
        {"custom.file", 1, "sls:stage"},     {"custom.plain", 0, NULL},
        {"custom.empty", 15, "sls:stage"},   {"functions.f.name", 17, ""},
        {"custom.through", 16, "sls:stage"},
    };
    struct bench b;
    load(&b, "  table: orders-${sls:stage}\n"
             "  dev: default\n"
             "  plain: {a: \"${self:service}\"}\n"
             "  map: {a: 1, b: {c: \"${self:custom.table}\"}}\n"
             "  list: [1, \"x${param:size}\"]\n"
             "  file: ${file(conf/${self:custom.${sls:stage}}.yml)}\n"
             "  none: {dev: {}}\n"
             "  empty: ${self:custom.none.${sls:stage}}\n"
             "  through: [\"${self:custom.map.b.c}\"]\n"
             "functions: {f: {handler: a.b}}\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct origin *cause = NULL;
        const struct node *n = node_stage_value(at(&b.service, cases[i].path), &cause);
        assert_int_equal(n ? n->pos.line : 0, cases[i].line);
        assert_int_equal(cause != NULL, cases[i].cause != NULL);
        if (cause)
            check_str(cause->text.n ? cause->text : STR(""), cases[i].cause);
    }
    bench_close(&b);
}

static void test_secrets_are_masked(void **state)
{
    (void)state;
    struct bench b;
    load(&b, "  secret: ${ssm:/secret}\n"
             "  joined: x-${self:custom.secret}\n"
             "  by: ${env:${self:custom.secret}, 'none'}\n"
             "  map: {a: \"${self:custom.secret}\"}\n");
    static const char *const paths[] = {"custom.secret", "custom.joined", "custom.by",
                                        "custom.map.a",  "custom.map",    "custom"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct str text = json_text(b.arena, explain(&b, paths[i]), 2);
        assert_true(str_find(text, STR("********"), 0) > 0);
        assert_int_equal(str_find(text, STR("answer"), 0), -1);
    }
    bench_close(&b);
}

static void test_nothing_there(void **state)
{
    (void)state;
    static const struct {
        const char *path, *error, *help;
    } cases[] = {
        {"custon.table", "no 'custon' in the service", "did you mean 'custom'?"},
        {"custom.tabel", "no 'tabel' in 'custom'", "did you mean 'custom.table'?"},
        {"custom.zzz", "no 'zzz' in 'custom'", "there are: table, list, one"},
        {"custom.table.x", "'custom.table' is a string, it has no 'x'", ""},
        {"custom.list.2", "no '2' in 'custom.list'", "it has 2 items, counted from 0"},
        {"custom.list.x", "no 'x' in 'custom.list'", "it has 2 items, counted from 0"},
        {"custom.list[1]", "no 'list[1]' in 'custom'",
         "an item of a list is written with a dot: 'custom.list.1'"},
        {"custom.tabel[1]", "no 'tabel[1]' in 'custom'", NULL},
        {"custom.one.1", "no '1' in 'custom.one'", "it has 1 item, counted from 0"},
        {"custom.", "no '' in 'custom'", "there are: table, list, one"},
        {".", "no '' in the service", NULL},
    };
    struct bench b;
    load(&b, "  table: t\n  list: [1, 2]\n  one: [1]\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cleanup_err struct err err = {0};
        assert_null(service_explain(b.arena, &b.service, str_c(cases[i].path), &err));
        assert_int_equal(err.kind, ERR_USAGE);
        check_str(err.msg, cases[i].error);
        if (cases[i].help)
            check_str(err.help, cases[i].help);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),         cmocka_unit_test(test_through_containers),
        cmocka_unit_test(test_cause),         cmocka_unit_test(test_secrets_are_masked),
        cmocka_unit_test(test_nothing_there),
    };
    return cmocka_run_group_tests_name("config_explain", tests, NULL, NULL);
}
