/* The store and its records against a scripted S3. */
#include "check.h"

#include "base/hash.h"
#include "doc/json.h"
#include "fake_aws.h"
#include "records.h"
#include "release/bucket/chain.h"
#include "release/dispose/dispose.h"
#include "release/goal/from_record.h"

#define STAGES "troupe/shop/stages/"

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct store store;
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
    f->store = (struct store){f->aws, STR(FAKE_BUCKET), STR("shop")};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    aws_free(f->aws);
    err_clear(&f->err);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- objects ---- */

static void test_no_bucket(void **state)
{
    struct fixture *f = *state;
    struct store none = {f->aws, {"", 0}, STR("shop")};
    struct s3_object *objects;
    struct str text;
    size_t n;
    bool there;
    check_failed(f, store_get(f->arena, &none, STR("k"), &text, NULL, &f->err), ERR_FAILED,
                 "has no deployment bucket");
    check_failed(f, store_head(f->arena, &none, STR("k"), &there, NULL, &f->err), ERR_FAILED,
                 "has no deployment bucket");
    check_failed(f, store_copy(f->arena, &f->store, &none, STR("k"), &f->err), ERR_FAILED,
                 "has no deployment bucket");
    check_ok(store_secret(f->arena, &none, true, &text, &f->err), &f->err);
    assert_int_equal(text.n, 0);
    assert_int_equal(cloud->calls.n, 0);
    cloud->no_bucket = true;
    check_failed(f, store_get(f->arena, &f->store, STR("k"), &text, NULL, &f->err), ERR_FAILED,
                 "the deployment bucket 'deployments' of service 'shop' is gone");
    check_failed(f, store_list(f->arena, &f->store, STR("k"), &objects, &n, &f->err), ERR_FAILED,
                 "is gone");
    check_failed(f,
                 store_put(f->arena, &f->store, &(struct s3_put){.key = STR("k"), .body = STR("x")},
                           NULL, &f->err),
                 ERR_FAILED, "is gone");
}

static void test_put_once(void **state)
{
    struct fixture *f = *state;
    static const char *const folders[] = {"templates", "sources"};
    for (size_t i = 0; i < 2; i++) {
        struct str body = STR("{\"a\":1}"), sha = sha256_hex(f->arena, body), got;
        bool written;
        for (int again = 0; again < 2; again++) {
            check_ok(store_put_once(f->arena, &f->store, folders[i], sha, body, &written, &f->err),
                     &f->err);
            assert_int_equal(written, !again);
        }
        struct str key = store_key(f->arena, &f->store, "%s/%.*s.json", folders[i], STR_ARG(sha));
        check_ok(store_get_named(f->arena, &f->store, key, sha, &got, &f->err), &f->err);
        assert_true(str_eq(got, body));
        const struct node *n = NULL;
        check_ok(store_get_json(f->arena, &f->store, folders[i], sha, &n, &f->err), &f->err);
        assert_int_equal(node_int_or(node_get_c(n, "a"), 0), 1);
        fake_put(cloud, key.p, STR("{\"a\":2}"));
        check_failed(f, store_get_named(f->arena, &f->store, key, sha, &got, &f->err), ERR_REFUSED,
                     "was altered");
        check_failed(f, store_get_json(f->arena, &f->store, folders[i], sha, &n, &f->err),
                     ERR_REFUSED, "was altered");
        assert_null(n);
        fake_delete(cloud, key.p);
        check_failed(f, store_get_named(f->arena, &f->store, key, sha, &got, &f->err),
                     ERR_NOT_FOUND, "");
    }
}

static void put_key(struct fake_aws *aws)
{
    fake_put_locked(aws, "troupe/shop/key",
                    STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
}

static void test_secret(void **state)
{
    struct fixture *f = *state;
    struct str key, again;
    check_ok(store_secret(f->arena, &f->store, false, &key, &f->err), &f->err);
    assert_int_equal(key.n, 0);
    check_ok(store_secret(f->arena, &f->store, true, &key, &f->err), &f->err);
    assert_int_equal(key.n, 64);
    check_ok(store_secret(f->arena, &f->store, true, &again, &f->err), &f->err);
    assert_true(str_eq(key, again));
    fake_put(cloud, "troupe/shop/key", STR("short"));
    check_failed(f, store_secret(f->arena, &f->store, true, &key, &f->err), ERR_REFUSED,
                 "was altered");
    fake_delete(cloud, "troupe/shop/key");
    fake_fault(cloud, (struct fake_fault){FAULT_RACE, "PutObject", .race = put_key});
    check_ok(store_secret(f->arena, &f->store, true, &key, &f->err), &f->err);
    assert_true(str_starts(key, STR("0123456789abcdef"))); /* the other's object */
    fake_delete(cloud, "troupe/shop/key");
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject"});
    check_ok(store_secret(f->arena, &f->store, true, &key, &f->err), &f->err);
    assert_true(str_eq(key, fake_get(cloud, "troupe/shop/key")));
}

/* ---- records ---- */

static void test_list(void **state)
{
    static const char *const keys[] = {
        STAGES "dev/9.json",
        STAGES "dev/10.json",
        STAGES "dev/10.versions.json",
        STAGES "dev/10.outcome.json",
        STAGES "dev/9.collected.json",
        STAGES "dev/9.gone.json",
        STAGES "dev/11.outcome.json", /* its record was deleted */
        STAGES "eu@west/1.json",
        "troupe/shop/stages-x/1.json",
        "troupe/shop-api/stages/dev/3.json",
        STAGES "dev/x.json",
        STAGES "dev/0.json",
        STAGES "dev/4",
    };
    struct fixture *f = *state;
    struct record_ref *refs;
    size_t n;
    for (size_t page = 0; page < 3; page++) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            fake_put(cloud, keys[i], STR("{}"));
        cloud->page = page;
        check_ok(records_list(f->arena, &f->store, &refs, &n, &f->err), &f->err);
        assert_int_equal(n, 4);
        assert_int_equal(refs[0].number, 11); /* newest first, by number and not by text */
        assert_false(refs[0].has_body);
        assert_true(refs[0].has_outcome);
        assert_int_equal(refs[1].number, 10);
        assert_true(refs[1].has_body && refs[1].has_versions && refs[1].has_outcome);
        assert_true(refs[1].outcome_ms > 0);
        assert_int_equal(refs[2].number, 9);
        assert_true(refs[2].has_body && refs[2].pruned && refs[2].gone && !refs[2].has_outcome);
        assert_int_equal(refs[2].outcome_ms, 0);
        check_str(refs[3].stage, "eu@west");
    }
}

static int write_record(struct fixture *f, int64_t number, const char *nonce)
{
    struct record_body body = {.nonce = str_c(nonce)};
    return record_write(f->arena, &f->store, STR("dev"), number, &body, &f->err);
}

/* Nobody overwrites what another wrote. A write whose answer was lost meets its own. */
static void test_write_once(void **state)
{
    struct fixture *f = *state;
    struct record record;
    check_ok(write_record(f, 1, "mine"), &f->err);
    check_failed(f, write_record(f, 1, "other"), ERR_PRECONDITION, "write record dev#1");
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject"});
    check_ok(write_record(f, 2, "mine"), &f->err);
    check_ok(record_read(f->arena, &f->store, STR("dev"), 1, RECORD_VERSIONS | RECORD_OUTCOME,
                         &record, &f->err),
             &f->err);
    check_str(record.body->nonce, "mine");
    assert_null(record.versions);
    assert_null(record.outcome);
    for (int64_t percent = 10; percent < 30; percent += 10) {
        struct record_versions versions = {.percent = percent};
        check_ok(record_write_versions(f->arena, &f->store, STR("dev"), 1, &versions, &f->err),
                 &f->err);
    }
    check_ok(record_write_outcome(f->arena, &f->store, STR("dev"), 1, OUTCOME_FAILED, STR("why"),
                                  &f->err),
             &f->err);
    check_ok(record_write_outcome(f->arena, &f->store, STR("dev"), 1, OUTCOME_SUCCEEDED, STR(""),
                                  &f->err),
             &f->err); /* the first outcome stays */
    int64_t when = 0;
    check_ok(record_write_mark(f->arena, &f->store, STR("dev"), 1, "gone", &when, &f->err),
             &f->err);
    assert_true(when > 0);
    check_ok(record_read(f->arena, &f->store, STR("dev"), 1, RECORD_VERSIONS | RECORD_OUTCOME,
                         &record, &f->err),
             &f->err);
    assert_int_equal(record.versions->percent, 20);
    assert_int_equal(record.outcome->outcome, OUTCOME_FAILED);
    check_str(record.outcome->reason, "why");
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    struct record record;
    check_failed(f,
                 record_read(f->arena, &f->store, STR("dev"), 7, RECORD_VERSIONS | RECORD_OUTCOME,
                             &record, &f->err),
                 ERR_NOT_FOUND, "the record of dev#7 is gone");
    fake_put(cloud, STAGES "dev/7.json", STR("{\"format\": 2}"));
    check_failed(
        f, record_read(f->arena, &f->store, STR("dev"), 7, 0, &record, &f->err), ERR_FAILED,
        "has format 2, written by a newer troupe; troupe " TROUPE_VERSION " reads format 1");
    fake_put(cloud, STAGES "dev/7.json", STR("{\"format\": 1}"));
    fake_put(cloud, STAGES "dev/7.versions.json", STR("{\"format\": 3}"));
    check_failed(f,
                 record_read(f->arena, &f->store, STR("dev"), 7, RECORD_VERSIONS, &record, &f->err),
                 ERR_FAILED, "has format 3");
    fake_put(cloud, STAGES "dev/7.json", STR("{\"format\": "));
    assert_int_equal(record_read(f->arena, &f->store, STR("dev"), 7, 0, &record, &f->err), -1);
    err_clear(&f->err);
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "GetObject", NULL, 403, "AccessDenied", "no"});
    check_failed(f, record_read(f->arena, &f->store, STR("dev"), 7, 0, &record, &f->err),
                 ERR_DENIED, "read record dev#7");
}

static void test_altered(void **state)
{
    struct fixture *f = *state;
    struct str digest = record_digest(f->arena, body_of(f->arena, "{\"format\":1,\"n\":1}"),
                                      versions_of(f->arena, "{\"format\":1,\"v\":1}"));
    static const struct {
        const char *body, *versions;
        bool refused;
    } cases[] = {
        {"{\"n\":1,\"format\":1}", "{ \"v\" : 1, \"format\" : 1 }", false},
        {"{\"n\":2,\"format\":1}", "{\"v\":1,\"format\":1}", true},
        {"{\"n\":1,\"format\":1}", "{\"v\":2,\"format\":1}", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record = {.stage = STR("dev"), .number = 3, .digest = digest};
        fake_put(cloud, STAGES "dev/3.json", str_c(cases[i].body));
        fake_put(cloud, STAGES "dev/3.versions.json", str_c(cases[i].versions));
        int done = record_read_more(f->arena, &f->store, RECORD_VERSIONS | RECORD_OUTCOME, &record,
                                    &f->err);
        if (cases[i].refused)
            check_failed(f, done, ERR_REFUSED, "was altered");
        else
            check_ok(done, &f->err);
    }
}

/* Many records are read at once; one that is gone has no body. */
static void test_read_many(void **state)
{
    enum { N = 40 };
    struct fixture *f = *state;
    struct record_ref refs[N];
    struct record records[N];
    for (int i = 0; i < N; i++) {
        refs[i] = (struct record_ref){.stage = STR("dev"), .number = i + 1, .has_outcome = i % 2};
        fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.json", i + 1).p,
                 str_fmt(f->arena, "{\"format\":1,\"number\":%d}", i + 1));
        if (i % 2)
            fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.outcome.json", i + 1).p,
                     STR("{\"format\":1,\"outcome\":\"succeeded\"}"));
    }
    fake_delete(cloud, STAGES "dev/5.json");
    check_ok(records_read(f->arena, &f->store, refs, N, records, &f->err), &f->err);
    for (int i = 0; i < N; i++) {
        assert_int_equal(records[i].body ? records[i].body->number : 0, i == 4 ? 0 : i + 1);
        assert_int_equal(records[i].outcome != NULL, i % 2);
    }
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "GetObject", "/9.json", 403, "AccessDenied",
                                          "no"});
    check_failed(f, records_read(f->arena, &f->store, refs, N, records, &f->err), ERR_DENIED,
                 "read record dev#9");
}

/* ---- the chain ---- */

/* Make records 1 to 3, each with the digest of the one before. Returns that of the last. */
static struct str write_chain(struct fixture *f)
{
    struct str digest = {"", 0};
    for (int i = 1; i <= 3; i++) {
        struct str text =
            str_fmt(f->arena, "{\"format\":1,\"n\":%d,\"before\":%d,\"before_digest\":\"%.*s\"}", i,
                    i - 1, STR_ARG(digest));
        fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.json", i).p, text);
        digest = record_digest(f->arena, body_of(f->arena, text.p), versions_of(f->arena, "{}"));
    }
    return digest;
}

static void test_chain(void **state)
{
    struct fixture *f = *state;
    struct service service = {.name = STR("shop"), .stage = STR("dev"), .address = STR("dev")};
    struct release r = {.arena = f->arena, .aws = f->aws, .service = &service};
    struct node *outputs = node_map(f->arena);
    struct world w = {.stage_exists = true, .bucket = f->store.bucket, .store = f->store};
    struct chain chain;
    struct record record;
    struct str digest = write_chain(f);
    node_put_str(f->arena, outputs, DEPLOYMENT_OUTPUT, STR("3"));
    node_put_str(f->arena, outputs, RECORD_OUTPUT, digest);
    w.stage = (struct stack){.status = STR("UPDATE_COMPLETE"), .outputs = outputs};
    check_ok(chain_begin(&r, &w, STR("dev"), &chain, &f->err), &f->err);
    assert_int_equal(chain.current, 3);
    for (int64_t number = 3; number > 0; number--) {
        check_ok(chain_find(&r, &w, &chain, number, &record, &f->err), &f->err);
        assert_int_equal(record.number, number);
        assert_true(record.digest.n > 0);
        check_ok(record_read_more(f->arena, &f->store, 0, &record, &f->err), &f->err);
    }
    check_ok(chain_find(&r, &w, &chain, 9, &record, &f->err), &f->err);
    assert_int_equal(record.digest.n, 0);
    assert_true(str_find(record.unvouched, STR("its stack was never at it"), 0) >= 0);

    /* somebody writes another record in the middle */
    fake_put(cloud, STAGES "dev/2.json", STR("{\"format\":1,\"before\":1,\"n\":7}"));
    check_ok(chain_begin(&r, &w, STR("dev"), &chain, &f->err), &f->err);
    check_failed(f, chain_find(&r, &w, &chain, 1, &record, &f->err), ERR_REFUSED, "was altered");
    fake_delete(cloud, STAGES "dev/2.json");
    check_ok(chain_begin(&r, &w, STR("dev"), &chain, &f->err), &f->err);
    check_failed(f, chain_find(&r, &w, &chain, 1, &record, &f->err), ERR_NOT_FOUND,
                 "cannot be checked");

    struct record all[3];
    struct record_ref refs[] = {{STR("dev"), 3}, {STR("dev"), 2}, {STR("dev"), 1}};
    write_chain(f);
    check_ok(records_read(f->arena, &f->store, refs, 3, all, &f->err), &f->err);
    chain_check(f->arena, 3, digest, all, 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(all[i].body);
    all[1].body = body_of(f->arena, "{\"before\":1}");
    chain_check(f->arena, 3, digest, all, 3);
    assert_non_null(all[0].body);
    assert_null(all[1].body);
    check_str(all[1].unvouched, "record altered");
}

/* ---- source bundles ---- */

static void test_newer_sources(void **state)
{
    struct fixture *f = *state;
    struct service service = {.name = STR("shop"), .stage = STR("dev"), .address = STR("dev")};
    struct release r = {.arena = f->arena, .aws = f->aws, .service = &service};
    struct world w = {.bucket = f->store.bucket, .store = f->store};
    struct str text = STR("{\"format\":2,\"tool\":\"9.1\",\"main\":[]}");
    struct record_body body = {.sources = sha256_hex(f->arena, text)};
    struct record record = {.stage = STR("dev"), .number = 1, .body = &body};
    struct target target;
    fake_put(cloud, str_fmt(f->arena, "troupe/shop/sources/%.*s.json", STR_ARG(body.sources)).p,
             text);
    check_failed(f, recorded_target(&r, &w, &record, &target, &f->err), ERR_FAILED,
                 "has format 2, written by troupe 9.1");
}

/* ---- wrong types ---- */

/* The object is named, and the member. */
static void test_no_record(void **state)
{
    static const struct {
        const char *part, *text, *words;
    } cases[] = {
        {"", "{\"format\":1,\"before\":\"1\"}", "'before' is a string, not a whole number"},
        {".versions", "{\"format\":1,\"apis\":[]}", "'apis' is a list, not a map of maps"},
        {".outcome", "{\"format\":1,\"outcome\":\"won\"}", "'outcome' is 'won', which this"},
        {".outcome", "{\"format\":1}", "'outcome' is missing"},
        {".versions", "[]", "it has no format"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct record record;
        const char *key = str_fmt(f->arena, STAGES "dev/7%s.json", cases[i].part).p;
        fake_put(cloud, STAGES "dev/7.json", STR("{\"format\":1}"));
        fake_put(cloud, STAGES "dev/7.versions.json", STR("{\"format\":1}"));
        fake_put(cloud, key, str_c(cases[i].text));
        int done = record_read(f->arena, &f->store, STR("dev"), 7, RECORD_VERSIONS | RECORD_OUTCOME,
                               &record, &f->err);
        assert_true(str_find(f->err.msg, str_c(key), 0) >= 0);
        assert_true(str_find(f->err.msg, STR("is no record"), 0) >= 0);
        check_failed(f, done, ERR_FAILED, cases[i].words);
    }
}

/* ---- what goes ---- */

/* A folder goes with the slash that tells it from its neighbour; one in a bucket that is gone has
 * gone. */
static void test_dispose_of_a_folder(void **state)
{
    struct fixture *f = *state;
    struct disposals all = {0};
    struct release r = {.arena = f->arena, .aws = f->aws, .disposals = &all};
    fake_put(cloud, "troupe/shop/parts/shop-dev/a.json", STR("a"));
    fake_put(cloud, "troupe/shop/parts/shop-dev-2/a.json", STR("a"));
    check_ok(dispose_folder(&r, &f->store, STR("parts/shop-dev/"), &f->err), &f->err);
    assert_null(fake_get(cloud, "troupe/shop/parts/shop-dev/a.json").p);
    assert_non_null(fake_get(cloud, "troupe/shop/parts/shop-dev-2/a.json").p);
    assert_int_equal(all.all.n, 1);
    check_str(all.all.p[0].name, "s3://" FAKE_BUCKET "/troupe/shop/parts/shop-dev/");
    check_ok(dispose_folder(&r, &f->store, STR("parts/none/"), &f->err), &f->err);
    for (int i = 0; i < 2; i++)
        vec_push(cloud->arena, &cloud->uploads,
                 (struct fake_upload){i ? "troupe/shop/a" : "troupe/shopping/a", 0});
    check_ok(dispose_folder(&r, &f->store, STR(""), &f->err), &f->err);
    assert_int_equal(cloud->uploads.n, 1); /* a neighbour's */
    all.all.n = 1;
    struct s3_upload other = {.key = STR("troupe/shopping/a"), .id = STR("troupe/shopping/a")};
    check_failed(f, dispose_upload(f->arena, &f->store, &other, &f->err), ERR_FAILED, "upload");
    struct store gone = {f->aws, STR("gone-bucket"), STR("shop")};
    check_ok(dispose_folder(&r, &gone, STR(""), &f->err), &f->err);
    assert_int_equal(all.all.n, 1);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "ListObjectVersions", NULL, 403,
                                          "AccessDenied", "no", .times = 1});
    check_failed(f, dispose_folder(&r, &f->store, STR(""), &f->err), ERR_DENIED,
                 "delete s3://" FAKE_BUCKET "/troupe/shop/");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dispose_of_a_folder),
        TEST(test_no_bucket),
        TEST(test_put_once),
        TEST(test_secret),
        TEST(test_list),
        TEST(test_write_once),
        TEST(test_read),
        TEST(test_altered),
        TEST(test_read_many),
        TEST(test_chain),
        TEST(test_newer_sources),
        TEST(test_no_record),
    };
    return cmocka_run_group_tests_name("store", tests, cloud_start, cloud_stop);
}
