/* Source bundles: a service is loaded from disk, recorded as a deployment would record it, and made
 * again without the disk, for the same stage and for others. */
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "check.h"
#include "base/buf.h"

#include "base/fs.h"
#include "doc/json.h"

#define TOP "service: svc\nprovider: {name: aws}\n"

static void test_values_of_aws(void **state)
{
    (void)state;
    struct bench b;
    struct service s, back;
    struct err err = {0};
    bench_open(&b);
    b.cloud.secret = "/secret";
    b.cloud.none = "/none";
    bench_file(&b, "serverless.yml",
               TOP "custom:\n"
                   "  account: ${aws:accountId}\n"
                   "  region: ${aws:region}\n"
                   "  name: key\n"
                   "  same: ${ssm(raw):/app/${self:custom.name}}\n"
                   "  staged: ${ssm:/app/${sls:stage}/key}\n"
                   "  secret: ${ssm:/secret}\n"
                   "  none: ${ssm:/none, 'fallback'}\n"
                   "  cf: ${cf(eu-west-1):stack-${sls:stage}.Out}\n"
                   "  map: ${ssm:/map}\n"
                   "  s3: ${s3:bucket/key}\n");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.service.externals, 0),
              "{\"aws:accountId\":\"accountId, answer 1\","
              "\"ssm(raw):/app/key\":\"/app/key, answer 2\","
              "\"ssm:/app/dev/key\":\"/app/dev/key, answer 3\","
              "\"ssm:/secret\":null,"
              "\"cf(eu-west-1):stack-dev.Out\":\"stack-dev.Out, answer 5\","
              "\"ssm:/map\":{\"list\":\"/map, answer 6\"},"
              "\"s3:bucket/key\":\"bucket/key, answer 7\"}");
    check_str(json_text(b.arena, b.service.absent, 0), "[\"ssm:/none\"]");

    b.cloud.none = NULL; /* it has got a value since: the one of the deployment counts */
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(b.cloud.asked, "ssm():/app/prod/key\nssm():/secret\ncf(eu-west-1):stack-prod.Out\n");
    static const char *const same[] = {"account", "region", "same", "none", "map", "s3"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct str path = str_fmt(b.arena, "custom.%s", same[i]);
        assert_true(node_equal(at(&s, path.p), at(&b.service, path.p)));
        assert_int_equal(node_flags_deep(at(&s, path.p)), 0);
        assert_int_equal(at(&s, path.p)->pos.line, at(&b.service, path.p)->pos.line);
    }
    check_str(text_at(&s, "custom.none"), "fallback");
    check_str(text_at(&s, "custom.staged"), "/app/prod/key, answer 8");
    check_str(at(&s, "custom.same")->origin->what,
              "'ssm(raw):/app/${self:custom.name}', as recorded");
    assert_null(at(&s, "custom.same")->origin->pos.source);
    check_str(text_at(&s, "custom.cf"), "stack-prod.Out, answer 10");
    check_str(text_at(&s, "custom.secret"), "/secret, answer 9");
    assert_int_equal(at(&s, "custom.staged")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.secret")->flags, NODE_SECRET);
    assert_int_equal(node_get_c(s.externals, "ssm:/secret")->kind, NODE_NULL);
    assert_null(node_get_c(s.externals, "ssm:/app/dev/key"));
    assert_int_equal(s.externals->size, 7);
    check_str(json_text(b.arena, s.absent, 0), "[\"ssm:/none\"]");

    /* A bundle of what came from a bundle is complete. */
    b.bundle = bundle_of(b.arena, &s);
    b.cloud.asked = STR("");
    check_ok(bench_again(&b, "prod", &back, &err), &err);
    check_str(b.cloud.asked, "ssm():/secret\n");
    check_str(text_at(&back, "custom.staged"), "/app/prod/key, answer 8");
    check_str(bundle_text(b.arena, &back), bundle_text(b.arena, &s).p);
    bench_close(&b);
}

/* AWS is not asked for a recorded value. For any other it is. */
static void test_without_aws(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    b.cloud.secret = "/secret";
    bench_file(&b, "serverless.yml", TOP "custom: {a: \"${ssm:/a}\"}\n");
    bench_record(&b, "");
    b.remote = (struct remote_values){NULL, NULL};
    struct config_options options = bench_options(&b, "prod");
    options.bundle = &b.bundle;
    options.remote = NULL;
    check_ok(service_load(b.arena, &options, &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "/a, answer 1");
    struct source_bundle secret = b.bundle;
    secret.externals = json_parse(b.arena, STR("x"), STR("{\"ssm:/a\": null}"), &err);
    options.bundle = &secret;
    assert_int_equal(service_load(b.arena, &options, &s, &err), -1);
    check_str(err.msg, "'ssm:/a' needs AWS, which is not asked here");
    assert_int_equal(err.pos.line, 3);
    err_clear(&err);
    bench_close(&b);
}

/* A variable whose address holds a secret is not recorded under a text that shows the secret. */
static void test_secret_in_address(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    b.cloud.secret = "/secret";
    give(b.arena, &b.params, "/secret, answer 1", "one");
    give(b.arena, &b.options, "/secret, answer 1", "two");
    bench_file(&b, "serverless.yml",
               TOP "custom:\n"
                   "  secret: ${ssm:/secret}\n"
                   "  value: ${ssm:/by/${self:custom.secret}}\n"
                   "  params: ${ssm(${self:custom.secret}):/x}\n"
                   "  env: ${env:${self:custom.secret}, 'none'}\n"
                   "  param: ${param:${self:custom.secret}}\n"
                   "  opt: ${opt:${self:custom.secret}}\n"
                   "  missing: ${file(x${self:custom.secret}.yml), 'none'}\n");
    bench_record(&b, "");
    check_str(text_at(&b.service, "custom.param"), "one");
    check_str(text_at(&b.service, "custom.opt"), "two");
    check_str(json_text(b.arena, b.service.externals, 0), "{\"ssm:/secret\":null}");
    assert_int_equal(b.service.absent->count, 0);
    assert_int_equal(b.service.params->size, 0);
    assert_int_equal(b.service.options->size, 0);
    give(b.arena, &b.params, "/secret, answer 1", "one");
    give(b.arena, &b.options, "/secret, answer 1", "two");
    b.cloud.calls = 0; /* the same secret once more */
    check_ok(bench_again(&b, "dev", &s, &err), &err);
    assert_true(node_equal(s.root, b.service.root));
    check_str(b.cloud.asked, "ssm():/secret\nssm():/by//secret, answer 1\n"
                             "ssm(/secret, answer 1):/x\n");
    bench_close(&b);
}

static void test_environment(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    setenv("TB_TABLE", "orders", 1);
    setenv("TB_DEV", "of dev", 1);
    setenv("TB_NESTED", "${sls:stage}-x", 1);
    bench_file(&b, ".env", "TB_FILE=from a file\n");
    bench_file(&b, "serverless.yml",
               TOP "useDotenv: true\n"
                   "custom:\n"
                   "  table: ${env:TB_TABLE}\n"
                   "  file: ${env:TB_FILE}\n"
                   "  nested: ${env:TB_NESTED}\n"
                   "  absent: [\"${env:TB_LATE, 'none'}\", \"${env:TB_LATE, 'none'}\"]\n"
                   "  map: {dev: DEV, prod: PROD}\n"
                   "  staged: ${env:TB_${self:custom.map.${sls:stage}}, 'unset'}\n");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.service.externals, 0),
              "{\"env:TB_TABLE\":\"orders\",\"env(.env):TB_FILE\":\"from a file\","
              "\"env:TB_NESTED\":\"${sls:stage}-x\",\"env:TB_DEV\":\"of dev\"}");
    check_str(json_text(b.arena, b.service.absent, 0), "[\"env(.env):TB_LATE\"]");
    setenv("TB_TABLE", "another", 1);
    setenv("TB_LATE", "late", 1);
    unsetenv("TB_NESTED");
    setenv("TB_PROD", "of prod", 1);
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.table"), "orders");
    check_str(at(&s, "custom.table")->origin->what, "environment variable 'TB_TABLE', as recorded");
    check_str(text_at(&s, "custom.file"), "from a file");
    check_str(text_at(&s, "custom.nested"), "prod-x");
    check_str(text_at(&s, "custom.absent.0"), "none");
    check_str(text_at(&s, "custom.staged"), "of prod");
    assert_int_equal(at(&s, "custom.nested")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.table")->flags, 0);
    check_str(json_text(b.arena, s.externals, 0),
              "{\"env:TB_TABLE\":\"orders\",\"env(.env):TB_FILE\":\"from a file\","
              "\"env:TB_NESTED\":\"${sls:stage}-x\",\"env:TB_PROD\":\"of prod\"}");
    unsetenv("TB_PROD");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.staged"), "unset");
    check_str(json_text(b.arena, s.absent, 0), "[\"env(.env):TB_LATE\",\"env:TB_PROD\"]");
    unsetenv("TB_TABLE");
    unsetenv("TB_DEV");
    unsetenv("TB_LATE");
    bench_close(&b);
}

/* A recorded secret of the environment cannot be, but one that a hand put in is asked now. */
static void test_null_of_environment(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct service s;
    struct source_bundle b = bundle_read(
        a, STR("{\"main\": \"m.yml\", \"files\": {\"m.yml\": \"service: svc\\nprovider: aws\\n"
               "custom: {a: \\\"${env:TB_NULL, 'none'}\\\"}\\n\"},"
               "\"externals\": {\"env:TB_NULL\": null}}"));
    struct config_options options = {.bundle = &b, .stage = STR("dev")};
    setenv("TB_NULL", "now", 1);
    check_ok(service_load(a, &options, &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "now");
    unsetenv("TB_NULL");
    check_ok(service_load(a, &options, &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "none");
    check_str(json_text(a, s.absent, 0), "[\"env:TB_NULL\"]");
}

/* ---- params and options ---- */

static void test_params(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               TOP "params:\n"
                   "  default: {given: d, block: d, now: d, kept: d}\n"
                   "  prod: {block: p, now: p, only: p}\n"
                   "custom:\n"
                   "  given: ${param:given}\n"
                   "  block: ${param:block}\n"
                   "  now: ${param:now}\n"
                   "  kept: ${param:kept}\n"
                   "  only: ${param:only, 'none'}\n"
                   "  free: ${param:free, 'none'}\n");
    give(b.arena, &b.params, "given", "recorded");
    give(b.arena, &b.params, "block", "recorded");
    give(b.arena, &b.params, "now", "recorded");
    give(b.arena, &b.params, "free", "recorded");
    give(b.arena, &b.params, "unused", "recorded");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.service.params, 0),
              "{\"given\":\"recorded\",\"block\":\"recorded\",\"now\":\"recorded\","
              "\"free\":\"recorded\"}");
    assert_int_equal(b.service.externals->size, 0);
    check_str(text_at(&b.service, "custom.block"), "recorded");

    give(b.arena, &b.params, "now", "now");
    give(b.arena, &b.params, "unused", "now");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.given"), "recorded");
    check_str(text_at(&s, "custom.block"), "p");
    check_str(text_at(&s, "custom.now"), "now");
    check_str(text_at(&s, "custom.kept"), "d");
    check_str(text_at(&s, "custom.only"), "p");
    check_str(text_at(&s, "custom.free"), "recorded");
    check_str(at(&s, "custom.given")->origin->what, "option '--param given', as recorded");
    check_str(at(&s, "custom.now")->origin->what, "option '--param now'");
    check_str(at(&s, "custom.block")->origin->what, "param 'block' of stage 'prod'");
    assert_int_equal(at(&s, "custom.given")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.free")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.kept")->flags, 0);
    check_str(json_text(b.arena, s.params, 0),
              "{\"given\":\"recorded\",\"now\":\"now\",\"free\":\"recorded\"}");
    /* The same stage again: what was given stands above the file, as it did. */
    b.bundle.stage = STR("prod");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.block"), "recorded");
    check_str(text_at(&s, "custom.now"), "now");
    check_str(text_at(&s, "custom.kept"), "d");
    check_str(text_at(&s, "custom.only"), "p");
    check_str(at(&s, "custom.block")->origin->what, "option '--param block', as recorded");
    assert_int_equal(at(&s, "custom.block")->flags, NODE_STAGE);
    check_str(json_text(b.arena, s.params, 0),
              "{\"given\":\"recorded\",\"block\":\"recorded\",\"now\":\"now\","
              "\"free\":\"recorded\"}");
    bench_close(&b);
}

/* The same when the file has no params at all. */
static void test_params_without_section(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", TOP "custom: {a: \"${param:size}\"}\n");
    give(b.arena, &b.params, "size", "1");
    bench_record(&b, "");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "1");
    b.bundle.params = NULL;
    assert_int_equal(bench_again(&b, "prod", &s, &err), -1);
    check_str(err.msg, "cannot resolve '${param:size}': no param 'size' for stage 'prod'");
    err_clear(&err);
    bench_close(&b);
}

/* What --dialect said is recorded, and goes before frameworkVersion again. */
static void test_dialect(void **state)
{
    (void)state;
    struct bench b;
    struct service s, again;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml", TOP "frameworkVersion: '3'\n");
    bench_record(&b, "");
    assert_int_equal(b.service.dialect, DIALECT_3);
    assert_int_equal(b.bundle.dialect, 0);
    struct config_options options = bench_options(&b, "dev");
    options.bundle = &b.bundle;
    options.dialect = DIALECT_4;
    check_ok(service_load(b.arena, &options, &s, &err), &err);
    assert_int_equal(s.dialect, DIALECT_4);
    b.bundle = bundle_of(b.arena, &s);
    check_ok(bench_again(&b, "prod", &again, &err), &err);
    assert_int_equal(again.dialect, DIALECT_4);
    assert_int_equal(bundle_of(b.arena, &again).dialect, DIALECT_4);
    bench_close(&b);
}

static void test_options(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               "service: svc\n"
               "provider: {name: aws, stage: \"${opt:stage, 'x'}\"}\n"
               "custom:\n"
               "  stage: ${opt:stage}\n"
               "  region: ${opt:region, 'none'}\n"
               "  data: ${opt:data, 'none'}\n"
               "  path: ${opt:path, 'none'}\n"
               "  all: ${opt:}\n");
    give(b.arena, &b.options, "stage", "dev");
    give(b.arena, &b.options, "region", "eu-west-1");
    give(b.arena, &b.options, "data", "recorded");
    give(b.arena, &b.options, "path", "recorded");
    give(b.arena, &b.options, "yes", "true");
    bench_record(&b, "");
    check_str(json_text(b.arena, b.service.options, 0),
              "{\"data\":\"recorded\",\"path\":\"recorded\"}");
    give(b.arena, &b.options, "path", "now");
    give(b.arena, &b.options, "to", "7");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.stage"), "prod");
    check_str(text_at(&s, "custom.region"), "none");
    check_str(text_at(&s, "custom.data"), "recorded");
    check_str(text_at(&s, "custom.path"), "now");
    check_str(json_text(b.arena, at(&s, "custom.all"), 0),
              "{\"data\":\"recorded\",\"path\":\"now\",\"to\":\"7\",\"stage\":\"prod\"}");
    check_str(json_text(b.arena, s.options, 0), "{\"data\":\"recorded\",\"path\":\"now\"}");
    assert_int_equal(at(&s, "custom.stage")->flags, NODE_STAGE);
    assert_int_equal(at(&s, "custom.data")->flags, 0);
    /* a bundle that names a place is not believed either */
    b.bundle.options =
        json_parse(b.arena, STR("x"), STR("{\"stage\": \"dev\", \"region\": \"eu-west-1\"}"), &err);
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.stage"), "prod");
    check_str(text_at(&s, "custom.region"), "none");
    check_str(s.region, "us-east-1");
    assert_null(node_path(s.root, "custom.all.region"));
    bench_close(&b);
}

/* ---- files ---- */

static void test_files(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    const char *old_home = getenv("HOME");
    setenv("HOME", str_concat(b.arena, b.top, STR("/home")).p, 1);
    struct str text = str_fmt(b.arena,
                              TOP "custom:\n"
                                  "  stage: ${file(config/${sls:stage}.yml):name, 'none'}\n"
                                  "  near: ${file(./config/../near.json):a.b}\n"
                                  "  up: ${file(../up.yml)}\n"
                                  "  far: ${file(../../far.txt)}\n"
                                  "  root: ${file(../../../../../../../..%.*s/abs.yml):x}\n"
                                  "  absolute: ${file(%.*s/abs.yml):x}\n"
                                  "  inside: ${file(%.*s/near.json):a.b}\n"
                                  "  home: ${file(~/h.yml):x}\n"
                                  "  self: ${file(serverless.yml):service}\n"
                                  "  round: ${file(../svc/near.json):a.b}\n"
                                  "  none: ${file(late.yml), 'fallback'}\n",
                              STR_ARG(b.top), STR_ARG(b.top), STR_ARG(b.dir));
    bench_file(&b, "serverless.yml", text.p);
    bench_file(&b, "config/dev.yml", "name: for ${sls:stage}\n");
    bench_file(&b, "near.json", "{\"a\": {\"b\": \"n\"}}");
    bench_file(&b, "../up.yml", "again: ${file(near.json):a}\r\nline: \"\xC3\xA4\\t\"\r\n");
    bench_file(&b, "../../far.txt",
               "\xEF\xBB\xBF"
               "far \xC3\xA4\r\n");
    bench_file(&b, "../../abs.yml", "x: ${sls:stage}\n");
    bench_file(&b, "../../home/h.yml", "x: at home\n");
    bench_record(&b, "");
    struct str absolute = str_concat(b.arena, b.top, STR("/abs.yml"));
    const char *const names[] = {"serverless.yml", "config/dev.yml",
                                 "near.json",      "../up.yml",
                                 "../../far.txt",  NULL,
                                 absolute.p,       NULL,
                                 "~/h.yml",        "../svc/near.json"};
    assert_int_equal(b.service.file_count, sizeof names / sizeof *names);
    for (size_t i = 0; i < b.service.file_count; i++)
        if (names[i])
            check_str(b.service.files[i].path, names[i]);
    check_str(b.service.files[5].path,
              str_fmt(b.arena, "../../../../../../../..%.*s/abs.yml", STR_ARG(b.top)).p);

    setenv("HOME", "/nonexistent", 1);
    check_ok(bench_again(&b, "dev", &s, &err), &err);
    assert_true(node_equal(s.root, b.service.root));
    check_str(bundle_text(b.arena, &s), bundle_text(b.arena, &b.service).p);
    check_str(json_text(b.arena, s.absent, 0), "[\"file(late.yml)\"]");
    check_str(b.warnings, "");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(b.warnings, ""); /* it was looked for when the bundle was recorded */
    check_str(json_text(b.arena, s.absent, 0), "[\"file(config/prod.yml)\",\"file(late.yml)\"]");
    check_str(text_at(&s, "custom.stage"), "none");
    check_str(text_at(&s, "custom.near"), "n");
    check_str(text_at(&s, "custom.up.again.b"), "n");
    check_str(text_at(&s, "custom.far"), "\xEF\xBB\xBF"
                                         "far \xC3\xA4\r\n");
    check_str(text_at(&s, "custom.root"), "prod");
    check_str(text_at(&s, "custom.absolute"), "prod");
    check_str(text_at(&s, "custom.home"), "at home");
    check_str(text_at(&s, "custom.none"), "fallback");
    assert_int_equal(s.file_count, b.service.file_count - 1);
    assert_false(fs_exists(s.dir));
    setenv("HOME", old_home ? old_home : "/", 1);
    bench_close(&b);
}

/* What is on disk now does not count. */
static void test_disk_is_not_read(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               TOP "useDotenv: true\n"
                   "custom:\n"
                   "  file: ${file(late.yml):x, 'none'}\n"
                   "  env: ${env:TB_DISK_${sls:stage}, 'none'}\n");
    bench_record(&b, "");
    bench_file(&b, "serverless.yml", "service: another\nprovider: aws\n");
    bench_file(&b, "late.yml", "x: found\n");
    bench_file(&b, ".env", "TB_DISK_prod=found\n");
    char *old = getcwd(NULL, 0);
    assert_int_equal(chdir(b.dir.p), 0);
    int loaded = bench_again(&b, "prod", &s, &err);
    assert_int_equal(chdir(old), 0);
    free(old);
    check_ok(loaded, &err);
    check_str(s.name, "svc");
    check_str(text_at(&s, "custom.file"), "none");
    check_str(text_at(&s, "custom.env"), "none");
    check_ok(fs_remove_all(b.top, &err), &err);
    bench_close(&b);
}

static void test_json_main(void **state)
{
    (void)state;
    struct bench b;
    struct service s;
    struct err err = {0};
    bench_open(&b);
    bench_file(&b, "sub/shop.json",
               "{\"service\": \"shop\", \"provider\": {\"name\": \"aws\"},\n"
               " \"custom\": {\"a\": \"${file(../x.yml):v}-${sls:stage}\"},\n"
               " \"functions\": {\"api\": {\"handler\": \"a.b\"}}}\n");
    bench_file(&b, "x.yml", "v: 1\n");
    bench_record(&b, "sub/shop.json");
    check_str(b.bundle.main, "shop.json");
    check_ok(bench_again(&b, "prod", &s, &err), &err);
    check_str(text_at(&s, "custom.a"), "1-prod");
    check_str(s.functions[0].name, "shop-prod-api");
    assert_int_equal(s.functions[0].pos.line, 3);
    check_str(s.file, "shop.json");
    /* the name decides how a file is read */
    b.bundle =
        bundle_read(b.arena, STR("{\"main\": \"s.json\", \"files\": {\"s.json\": \"a: 1\"}}"));
    assert_int_equal(bench_again(&b, "prod", &s, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    check_str(err.pos.source->path, "s.json");
    err_clear(&err);
    bench_close(&b);
}

/* ---- errors ---- */

static void fails(struct bench *b, const char *stage, const char *want)
{
    struct service s;
    cleanup_err struct err err = {0};
    assert_int_equal(bench_again(b, stage, &s, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    check_str(err_render(b->arena, &err, false), want);
}

static void test_errors_have_places(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    bench_file(&b, "serverless.yml",
               TOP "custom:\n"
                   "  a: ${file(config/${sls:stage}.yml):a}\n"
                   "  b: {dev: 1}\n"
                   "  c: ${self:custom.b.${sls:stage}}\n");
    bench_file(&b, "config/dev.yml", "a: 1\n");
    bench_record(&b, "");
    fails(&b, "prod",
          "error: cannot resolve '${file(config/${sls:stage}.yml):a}': no file "
          "'config/prod.yml' in the recorded sources\n"
          "  --> serverless.yml:4:6\n"
          "     |\n"
          "   4 |   a: ${file(config/${sls:stage}.yml):a}\n"
          "     |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
          "  = help: did you mean 'config/dev.yml'?\n"
          "error: cannot resolve '${self:custom.b.${sls:stage}}': no 'prod' in 'custom.b'\n"
          "  --> serverless.yml:6:6\n"
          "     |\n"
          "   6 |   c: ${self:custom.b.${sls:stage}}\n"
          "     |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
          "  = help: give a fallback: '${self:custom.b.${sls:stage}, 'value'}'\n");
    struct node *files = node_shallow(b.arena, b.bundle.files);
    node_put_c(b.arena, files, "config/prod.yml", node_str(b.arena, STR("b: 2\na: [\n")));
    b.bundle.files = files;
    cleanup_err struct err err = {0};
    struct service s;
    assert_int_equal(bench_again(&b, "prod", &s, &err), -1);
    check_str(err.pos.source->path, "config/prod.yml");
    assert_true(err.pos.line >= 2);
    node_put_c(b.arena, files, "config/prod.yml", node_str(b.arena, STR("a: 2\n")));
    fails(&b, "prod",
          "error: cannot resolve '${self:custom.b.${sls:stage}}': no 'prod' in 'custom.b'\n"
          "  --> serverless.yml:6:6\n"
          "     |\n"
          "   6 |   c: ${self:custom.b.${sls:stage}}\n"
          "     |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
          "  = help: give a fallback: '${self:custom.b.${sls:stage}, 'value'}'\n");
    bench_close(&b);
}

static const struct {
    const char *bundle, *error;
} malformed[] = {
    {"{}", "the recorded source is damaged: 'files' is missing"},
    {"{\"main\": \"m\"}", "the recorded source is damaged: 'files' is missing"},
    {"[]", "the recorded source is damaged: it is a list, not a map"},
    {"{\"main\": \"m\", \"files\": null}",
     "the recorded source is damaged: 'files' is null, not a map of strings"},
    {"{\"main\": \"m\", \"files\": \"x\"}",
     "the recorded source is damaged: 'files' is a string, not a map of strings"},
    {"{\"main\": \"m\", \"files\": [\"m\"]}",
     "the recorded source is damaged: 'files' is a list, not a map of strings"},
    {"{\"main\": \"m\", \"files\": {\"m\": 1}}",
     "the recorded source is damaged: 'm' of 'files' is a number, not a string"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"a: b\", \"x\": null}}",
     "the recorded source is damaged: 'x' of 'files' is null, not a string"},
    {"{\"files\": {\"m\": \"\"}}",
     "the recorded source is damaged: it does not say which file the service is"},
    {"{\"main\": {}, \"files\": {\"m\": \"\"}}",
     "the recorded source is damaged: 'main' is a map, not a string"},
    {"{\"main\": \"x\", \"files\": {\"m\": \"\"}}",
     "the recorded source is damaged: service file 'x' is not in it"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"externals\": []}",
     "the recorded source is damaged: 'externals' is a list, not a map"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"externals\": {\"env:A\": {}}}",
     "the recorded source is damaged: 'env:A' must be a string, not a map"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"absent\": {}}",
     "the recorded source is damaged: 'absent' is a map, not a list of strings"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"absent\": [\"a\", 1]}",
     "the recorded source is damaged: 'absent' has a number in it, not strings alone"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"params\": \"x\"}",
     "the recorded source is damaged: 'params' is a string, not a map of strings"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"params\": {\"a\": [1]}}",
     "the recorded source is damaged: 'a' of 'params' is a list, not a string"},
    {"{\"main\": \"m\", \"files\": {\"m\": \"\"}, \"options\": {\"a\": true}}",
     "the recorded source is damaged: 'a' of 'options' is a boolean, not a string"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct service s;
        struct source_bundle b;
        const struct node *n = json_parse(a, STR("b.json"), str_c(malformed[i].bundle), &err);
        struct config_options options = {.bundle = &b, .stage = STR("dev")};
        assert_non_null(n);
        if (source_bundle_read(a, STR("b.json"), n, STR(""), &b, &err) == 0)
            assert_int_equal(service_load(a, &options, &s, &err), -1);
        assert_int_equal(err.kind, ERR_FAILED);
        check_str(err.msg, malformed[i].error);
    }
}

/* A text that is no service gives an error with a place in the service file. */
static void test_malformed_main(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "[]",
                                        "a: [",
                                        "service: x",
                                        "\\u0000",
                                        "a: \\u0000",
                                        "service: svc\\nprovider: aws\\nresources: {nonsense: 1}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cleanup_arena struct arena *a = arena_new();
        cleanup_err struct err err = {0};
        struct service s;
        struct source_bundle b = bundle_read(
            a, str_fmt(a, "{\"main\": \"m.yml\", \"files\": {\"m.yml\": \"%s\"}}", texts[i]));
        struct config_options options = {.bundle = &b, .stage = STR("dev")};
        assert_int_equal(service_load(a, &options, &s, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_non_null(err.pos.source);
        check_str(err.pos.source->path, "m.yml");
        assert_true(err.msg.n > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_aws),
        cmocka_unit_test(test_without_aws),
        cmocka_unit_test(test_secret_in_address),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_null_of_environment),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_params_without_section),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_dialect),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_disk_is_not_read),
        cmocka_unit_test(test_json_main),
        cmocka_unit_test(test_errors_have_places),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_malformed_main),
    };
    return cmocka_run_group_tests_name("config_bundle", tests, NULL, NULL);
}
