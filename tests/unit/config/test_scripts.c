/* Values that scripts compute: how node is run, what is recorded of them, and what a stage that is
 * made of recorded sources gets. */
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "check.h"
#include "base/clock.h"
#include "base/fs.h"
#include "doc/json.h"

#define TOP "service: svc\nprovider: {name: aws}\n"

#define check_contains(text, part)                                              \
    do {                                                                        \
        struct str check_text_ = (text);                                        \
        if (str_find(check_text_, str_c(part), 0) < 0) {                        \
            print_error("'%s' is not in:\n%.*s\n", part, STR_ARG(check_text_)); \
            fail();                                                             \
        }                                                                       \
    } while (0)

static void leave(struct bench *b)
{
    struct err err = {0};
    check_ok(fs_remove_all(b->top, &err), &err);
    bench_close(b);
}

/* Load from disk for `stage` and record it. */
static struct source_bundle recorded(struct bench *b, const char *stage, struct service *ret)
{
    struct err err = {0};
    struct config_options options = bench_options(b, stage);
    check_ok(service_load(b->arena, &options, ret, &err), &err);
    struct source_bundle bundle = bundle_of(b->arena, ret);
    bundle.stage = str_dup(b->arena, str_c(stage));
    return bundle;
}

static int load(struct bench *b, const char *stage, struct service *ret, struct err *err)
{
    struct config_options options = bench_options(b, stage);
    return service_load(b->arena, &options, ret, err);
}

/* Where there is no node. */
static char *hide_node(void)
{
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    return path;
}

static void show_node(char *path)
{
    setenv("PATH", path, 1);
    free(path);
}

static void files_of_values(struct bench *b)
{
    bench_file(b, "serverless.yml",
               TOP "custom:\n"
                   "  map: {dev: d, prod: p}\n"
                   "  same: ${file(values.js):same}\n"
                   "  option: ${file(values.js):option}\n"
                   "  variable: ${file(./values.js):variable}\n"
                   "  property: ${file(values.js):property}\n"
                   "  argv: ${file(argv.js)}\n"
                   "  through: ${file(through.cjs):argv}\n"
                   "  table: {of: \"${file(values.js):table.name}\"}\n"
                   "  none: ${file(values.js):none, 'fallback'}\n");
    bench_file(b, "values.js",
               "module.exports = {\n"
               "  same: () => ({ list: [1, '${sls:stage}'], env: process.env.TS_VALUE }),\n"
               "  option: ({ options }) => `o-${options.stage}`,\n"
               "  variable: async ({ resolveVariable }) =>\n"
               "    'v-' + await resolveVariable('self:custom.map.${sls:stage}'),\n"
               "  property: async ({ resolveConfigurationProperty }) =>\n"
               "    (await resolveConfigurationProperty(['custom', 'option'])).length,\n"
               "  table: { name: () => 'orders' },\n"
               "};\n");
    bench_file(b, "argv.js",
               "const { argv } = process;\n"
               "module.exports = 'a-' + argv[argv.indexOf('--stage') + 1];\n");
    bench_file(b, "through.cjs", "module.exports = { argv: require('./lib/again') };\n");
    bench_file(b, "lib/again.js", "module.exports = require('../argv') + '-again';\n");
    setenv("TS_VALUE", "of the environment", 1);
}

static const char *const depends[] = {"custom.option", "custom.variable", "custom.property",
                                      "custom.argv", "custom.through"};

static void test_what_depends_on_the_stage(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    bench_open(&b);
    files_of_values(&b);
    recorded(&b, "dev", &s);
    check_str(text_at(&s, "custom.option"), "o-dev");
    check_str(text_at(&s, "custom.variable"), "v-d");
    check_str(text_at(&s, "custom.property"), "5");
    check_str(text_at(&s, "custom.argv"), "a-dev");
    check_str(text_at(&s, "custom.through"), "a-dev-again");
    for (size_t i = 0; i < sizeof depends / sizeof *depends; i++)
        assert_int_equal(at(&s, depends[i])->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.same")->flags, 0);
    assert_int_equal(node_flags_deep(at(&s, "custom.table")), 0);
    check_str(text_at(&s, "custom.none"), "fallback");
    leave(&b);
}

static void take_out(struct bench *b, const char *line, const char *by)
{
    struct node *files = node_shallow(b->arena, b->bundle.files);
    struct str main = node_text(node_get_c(files, "serverless.yml"));
    node_put_str(b->arena, files, "serverless.yml",
                 str_replace(b->arena, main, str_c(line), str_c(by)));
    b->bundle.files = files;
}

/* For its own stage everything is as recorded; for another one what does not depend on the stage.
 * What does is refused, each with its place. No node is run. */
static void test_recorded(void **state)
{
    (void)state;
    struct bench b;
    struct service s, back;
    struct err err = {0};
    bench_open(&b);
    files_of_values(&b);
    b.bundle = recorded(&b, "dev", &s);
    setenv("TS_VALUE", "another", 1);
    char *path = hide_node();
    check_ok(bench_again(&b, "dev", &back, &err), &err);
    assert_true(node_equal(back.root, s.root));
    assert_int_equal(at(&back, "custom.option")->flags, NODE_STAGE);
    check_str(bundle_text(b.arena, &back), bundle_text(b.arena, &s).p);

    assert_int_equal(bench_again(&b, "prod", &back, &err), -1);
    check_contains(err_render(b.arena, &err, false),
                   "'file(values.js):option' depends on the stage: it is recorded for 'dev' only, "
                   "and recorded scripts are not run\n  --> serverless.yml:6:");
    size_t count = 0;
    for (const struct err *e = &err; e; e = e->more)
        count += str_find(e->msg, STR("depends on the stage"), 0) >= 0;
    assert_int_equal(count, sizeof depends / sizeof *depends);
    check_contains(err_render(b.arena, &err, false),
                   "deploy from the files instead: troupe deploy prod");
    err_clear(&err);

    take_out(&b, "  option: ${file(values.js):option}\n", "");
    take_out(&b, "  variable: ${file(./values.js):variable}\n", "");
    take_out(&b, "  property: ${file(values.js):property}\n", "");
    take_out(&b, "  argv: ${file(argv.js)}\n", "");
    take_out(&b, "  through: ${file(through.cjs):argv}\n", "");
    check_ok(bench_again(&b, "prod", &back, &err), &err);
    check_str(text_at(&back, "custom.same.list.1"), "prod");
    check_str(text_at(&back, "custom.same.env"), "of the environment");
    check_str(text_at(&back, "custom.table.of"), "orders");
    check_str(text_at(&back, "custom.none"), "fallback");
    show_node(path);
    leave(&b);
}

/* A stage keeps what the same scripts computed for it, with a warning; changed scripts would have
 * computed something else. */
static void test_own(void **state)
{
    (void)state;
    struct bench b;
    struct service s, back;
    struct err err = {0};
    bench_open(&b);
    files_of_values(&b);
    struct source_bundle prod = recorded(&b, "prod", &s);
    b.bundle = recorded(&b, "dev", &s);
    b.bundle.own = &prod;
    char *path = hide_node();
    check_ok(bench_again(&b, "prod", &back, &err), &err);
    check_str(text_at(&back, "custom.option"), "o-prod");
    check_str(text_at(&back, "custom.variable"), "v-p");
    check_str(text_at(&back, "custom.through"), "a-prod-again");
    check_contains(b.warnings, "'file(values.js):option' depends on the stage: it stays as the "
                               "last deployment of 'prod' computed it");
    struct source_bundle again = bundle_of(b.arena, &back);
    check_str(node_text(node_get_c(node_get_c(again.scripts, "file(argv.js)"), "stage")), "prod");
    check_str(node_text(node_get_c(node_get_c(again.scripts, "file(argv.js)"), "value")), "a-prod");
    show_node(path);

    bench_file(&b, "argv.js", "module.exports = process.argv.length;\n");
    b.bundle = recorded(&b, "dev", &s);
    b.bundle.own = &prod;
    assert_int_equal(bench_again(&b, "prod", &back, &err), -1);
    struct str text = err_render(b.arena, &err, false);
    check_contains(text, "'file(argv.js)' depends on the stage");
    check_contains(text, "'file(through.cjs):argv' depends on the stage"); /* it loads argv.js */
    assert_true(str_find(text, STR("values.js"), 0) < 0);
    err_clear(&err);
    leave(&b);
}

/* What .env.<stage> says is bound to its stage, also where a script takes it from there. */
static void test_environment_of_the_stage(void **state)
{
    (void)state;
    struct bench b;
    struct service s, back;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               "useDotenv: true\n" TOP "custom:\n"
               "  file: ${file(a.js):file}\n"
               "  again: ${file(b.js)}\n"
               "  other: ${file(c.js)}\n");
    bench_file(&b, ".env.dev", "TS_FILE=of dev\n");
    bench_file(&b, ".env", "TS_FILE=of all\n");
    bench_file(&b, "a.js", "module.exports.file = () => process.env.TS_FILE;\n");
    bench_file(&b, "b.js", "module.exports = require('./lib');\n");
    bench_file(&b, "lib.js", "module.exports = { ...process.env }.TS_FILE;\n");
    bench_file(&b, "c.js", "module.exports = String(process.env.TS_NONE);\n");
    recorded(&b, "qa", &s);
    check_str(text_at(&s, "custom.file"), "of all");
    assert_int_equal(node_flags_deep(node_path(s.root, "custom")), 0);
    b.bundle = recorded(&b, "dev", &s);
    check_str(text_at(&s, "custom.file"), "of dev");
    assert_int_equal(at(&s, "custom.file")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.again")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.other")->flags, 0);
    assert_int_equal(bench_again(&b, "prod", &back, &err), -1);
    check_contains(err_render(b.arena, &err, false), "'file(a.js):file' depends on the stage");
    err_clear(&err);
    leave(&b);
}

static void test_secrets_and_siblings(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    b.cloud.secret = "/secret";
    bench_file(&b, "serverless.yml",
               TOP "custom:\n"
                   "  secret: ${file(secret.js)}\n"
                   "  staged: ${file(config/${sls:stage}.js):size, 'no file'}\n");
    bench_file(&b, "secret.js",
               "module.exports = async ({ resolveVariable }) => ({\n"
               "  password: `p:${await resolveVariable('ssm:/secret')}` });\n");
    bench_file(&b, "config/dev.js", "module.exports = { size: 1 };\n");
    bench_file(&b, "config/prod.js", "require('fs').writeFileSync(__filename + '.run', '');\n");
    bench_record(&b, "");
    check_str(text_at(&b.service, "custom.secret.password"), "p:/secret, answer 1");
    assert_int_equal(at(&b.service, "custom.secret.password")->flags, NODE_SECRET);
    assert_true(str_find(bundle_text(b.arena, &b.service), STR("answer 1"), 0) < 0);
    assert_null(node_get_c(b.bundle.files, "config/prod.js.run"));
    assert_int_equal(bench_again(&b, "prod", &s, &err), -1);
    struct str text = err_render(b.arena, &err, false);
    check_contains(text, "'file(secret.js)' was made of a secret, so it is not recorded");
    check_contains(text, "'file(config/prod.js):size' is not in the recorded sources, whose "
                         "scripts are not run: 'config/prod.js'");
    err_clear(&err);
    leave(&b);
}

static void test_service_file(void **state)
{
    (void)state;
    struct bench b;
    struct service s, back;
    struct err err = {0};
    static const char script[] = "module.exports = { service: 'svc', provider: { name: 'aws' },\n"
                                 "  custom: { stage: '${sls:stage}', size: 1 } };\n";
    bench_open(&b);
    bench_file(&b, "serverless.js", script);
    b.bundle = recorded(&b, "dev", &s);
    char *path = hide_node();
    check_ok(bench_again(&b, "prod", &back, &err), &err);
    check_str(text_at(&back, "custom.stage"), "prod");
    assert_int_equal(at(&back, "custom.size")->flags, 0);
    check_str(back.file, "serverless.js");
    check_str(bundle_text(b.arena, &back), bundle_text(b.arena, &s).p);
    show_node(path);

    bench_file(&b, "serverless.js", str_fmt(b.arena, "process.argv.join();\n%s", script).p);
    struct source_bundle prod = recorded(&b, "prod", &s);
    b.bundle = recorded(&b, "dev", &s);
    assert_int_equal(at(&s, "custom.size")->flags, NODE_STAGE);
    check_ok(bench_again(&b, "dev", &back, &err), &err);
    assert_int_equal(at(&back, "custom.size")->flags, NODE_STAGE);
    b.bundle.own = &prod; /* its values would be another file's */
    assert_int_equal(bench_again(&b, "prod", &back, &err), -1);
    check_contains(err_render(b.arena, &err, false),
                   "'serverless.js' depends on the stage: it is recorded for 'dev' only");
    err_clear(&err);
    leave(&b);
}

/* One process for all files; what it prints is no part of its answers. */
static void test_one_process(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               TOP
               "custom:\n"
               "  pids: [\"${file(a.js)}\", \"${file(b.js)}\"]\n"
               "  once: [\"${file(c.js):n}\", \"${file(./c.js):n}\", \"${file(c.js):n, 1}\"]\n"
               "  instance: [\"${sls:instanceId}\", \"${file(d.js)}\", \"${sls:instanceId}\"]\n");
    bench_file(&b, "a.js",
               "console.log(JSON.stringify({ id: 1, value: 'not this' }));\n"
               "module.exports = process.pid;\n");
    bench_file(&b, "b.js",
               "require('child_process').execSync('echo printed', { stdio: 'inherit' });\n"
               "module.exports = process.pid;\n");
    bench_file(&b, "c.js", "let n = 0;\nmodule.exports = { n: () => ++n };\n");
    bench_file(&b, "d.js",
               "module.exports = new Promise((done) => setTimeout(done, 20, 'later'));\n");
    recorded(&b, "dev", &s);
    assert_true(node_equal(at(&s, "custom.pids.0"), at(&s, "custom.pids.1")));
    check_str(json_text(b.arena, at(&s, "custom.once"), 0), "[1,1,1]");
    assert_true(node_equal(at(&s, "custom.instance.0"), at(&s, "custom.instance.2")));
    leave(&b);
}

static void test_no_node(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", TOP "custom:\n  a: ${file(a.js)}\n  b: ${file(b.js)}\n");
    bench_file(&b, "a.js", "module.exports = 1;\n");
    bench_file(&b, "b.js", "module.exports = 1;\n");
    char *path = hide_node();
    assert_int_equal(load(&b, "dev", &s, &err), -1);
    show_node(path);
    check_str(err_render(b.arena, &err, false),
              "error: cannot run 'a.js': cannot run node: No such file or directory\n"
              "  --> serverless.yml:4:8\n"
              "     |\n"
              "   4 |   a: ${file(a.js)}\n"
              "     |        ^^^^^^^^^^\n"
              "  = help: scripts need Node.js: install it, or put its directory into PATH; values "
              "in YAML or JSON need none\n");
    assert_int_equal(err.kind, ERR_CONFIG);
    err_clear(&err);
    leave(&b);
}

/* What takes too long is ended, with what it has started; and so when the user says so. */
static void test_ends(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", TOP "custom:\n  a: ${file(a.js)}\n");
    bench_file(&b, "a.js", "require('child_process').execSync('sleep 600');\n");
    setenv("TROUPE_SCRIPT_LIMIT", "1s", 1);
    assert_int_equal(load(&b, "dev", &s, &err), -1);
    unsetenv("TROUPE_SCRIPT_LIMIT");
    check_str(err.msg, "cannot run 'a.js': it has taken more than 1 seconds");
    check_contains(err.help, "TROUPE_SCRIPT_LIMIT");
    err_clear(&err);
    cancel_request();
    assert_int_equal(load(&b, "dev", &s, &err), -1);
    cancel_clear();
    assert_int_equal(err.kind, ERR_CANCELLED);
    err_clear(&err);
    leave(&b);
}

/* Modules of a package whose files are ES modules; the reference needs a later Node.js for them. */
static void test_es_modules(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    bench_open(&b);
    bench_file(&b, "package.json", "{\"type\": \"module\"}");
    bench_file(&b, "serverless.js",
               "export const service = 'not this';\n"
               "export default { service: 'svc', provider: { name: 'aws' }, custom: {\n"
               "  function: '${file(function.js)}', named: '${file(named.js):a}' } };\n");
    bench_file(&b, "function.js",
               "export default async ({ resolveVariable }) => resolveVariable('sls:stage');\n");
    bench_file(&b, "named.js", "export const a = ({ options }) => `${options.stage}-a`;\n");
    recorded(&b, "qa", &s);
    check_str(s.name, "svc");
    check_str(text_at(&s, "custom.function"), "qa");
    check_str(text_at(&s, "custom.named"), "qa-a");
    leave(&b);
}

/* A stand-in for tsx: it takes out the one type that the test writes. */
static void test_typescript(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.ts",
               "const service: string = 'svc';\n"
               "module.exports = { default: { service, provider: { name: 'aws' } } };\n");
    if (load(&b, "dev", &s, &err) < 0) { /* as it is before Node.js 22.18 */
        check_str(err.msg,
                  "'serverless.ts' is TypeScript, and nothing is installed here that runs it");
        check_contains(err.help, "tsx");
        err_clear(&err);
    }
    bench_file(&b, "node_modules/tsx/package.json", "{\"name\": \"tsx\"}");
    bench_file(&b, "node_modules/tsx/cjs/api.js",
               "const Module = require('module'), fs = require('fs');\n"
               "exports.require = (file, from) => {\n"
               "  if (!fs.existsSync(require('path').dirname(from))) throw new Error(from);\n"
               "  const module = new Module(file);\n"
               "  module._compile(fs.readFileSync(file, 'utf8').replace(': string', ''), file);\n"
               "  return module.exports;\n"
               "};\n");
    check_ok(load(&b, "dev", &s, &err), &err);
    check_str(s.name, "svc");
    leave(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_depends_on_the_stage),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_environment_of_the_stage),
        cmocka_unit_test(test_secrets_and_siblings),
        cmocka_unit_test(test_service_file),
        cmocka_unit_test(test_one_process),
        cmocka_unit_test(test_no_node),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_es_modules),
        cmocka_unit_test(test_typescript),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
