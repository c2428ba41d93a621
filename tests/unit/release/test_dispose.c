/* Deleting without a reason is refused. The client is NULL: any call that is made crashes. */
#include "parse.h"

#include "records.h"
#include "release/dispose/dispose_internal.h"
#include "release/dispose/late_log_groups.h"

static void check_refused(int done, struct err *err)
{
    assert_int_equal(done, -1);
    assert_int_equal(err->kind, ERR_FAILED);
    assert_true(str_find(err->msg, STR("is not deleted: it is not"), 0) >= 0);
    err_clear(err);
}

static void test_objects_of_neighbours(void **state)
{
    static const char *const keys[] = {
        "troupe/shop-api/x", "troupe/shopx", "troupe/shop",    "troupe/shop/",
        "troupe/",           "shop/x",       "/troupe/shop/x", ""};
    struct arena *a = arena_new();
    struct store store = {NULL, STR("bucket"), STR("shop")},
                 no_bucket = {NULL, {"", 0}, STR("shop")},
                 no_service = {NULL, STR("bucket"), {"", 0}};
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        check_refused(dispose_object(a, &store, str_c(keys[i]), STR(""), &err), &err);
    check_refused(dispose_object(a, &no_bucket, STR("troupe/shop/x"), STR(""), &err), &err);
    check_refused(dispose_object(a, &no_service, STR("troupe//x"), STR(""), &err), &err);
    struct release r = {.arena = a};
    check_refused(dispose_folder(&r, &store, STR("parts/shop-dev"), &err), &err);
    check_refused(dispose_folder(&r, &no_bucket, STR(""), &err), &err);
    check_refused(dispose_folder(&r, &no_service, STR(""), &err), &err);
    arena_free(a);
}

static void test_stacks_of_neighbours(void **state)
{
    struct arena *a = arena_new();
    struct service shop = {.name = STR("shop")};
    struct release r = {.arena = a, .service = &shop};
    struct stack other = {.name = STR("shop-api-dev"),
                          .tags = parse(a, "{\"troupe:service\": \"shop-api\"}")};
    struct stack own = {.name = STR("shop-dev"),
                        .tags = parse(a, "{\"troupe:service\": \"shop\"}")};
    struct stack nobodys = {.name = STR("shop-dev")};
    struct content bucket = {STR("B"), STR("b"), STR("AWS::S3::Bucket"), true, {"", 0}},
                   kept = {STR("B"), STR("b"), STR("AWS::S3::Bucket"), false, STR("Retain")},
                   queue = {STR("Q"), STR("q"), STR("AWS::SQS::Queue"), true, {"", 0}},
                   unnamed = {STR("B"), {"", 0}, STR("AWS::S3::Bucket"), true, {"", 0}};
    struct err err = {0};
    (void)state;
    check_refused(dispose_stack(&r, &other, OURS_STACK, NULL, &err), &err);
    check_refused(dispose_stack(&r, &nobodys, OURS_STACK, NULL, &err), &err);
    check_refused(dispose_stack(&r, &own, OURS_ADOPTED, NULL, &err), &err);
    check_refused(dispose_stack(&r, &own, OURS_RECORD, NULL, &err), &err);
    check_refused(dispose_content(&r, &other, &bucket, &err), &err);
    check_refused(dispose_content(&r, &nobodys, &bucket, &err), &err);
    check_refused(dispose_content(&r, &own, &kept, &err), &err);
    check_refused(dispose_content(&r, &own, &queue, &err), &err);
    check_refused(dispose_content(&r, &own, &unnamed, &err), &err);
    arena_free(a);
}

static void test_snapshots_that_no_record_names(void **state)
{
    struct arena *a = arena_new();
    struct record record = {
        .versions = versions_of(
            a, "{\"functions\": {\"a\": {\"name\": \"shop-a\", \"version\": \"3\"}, \"a-b\": "
               "{\"name\": \"shop-a-b\", \"version\": \"4\"}}, \"apis\": {\"Api\": {\"id\": "
               "\"api1\", \"deployment\": \"d1\"}}}")};
    struct claim named = {OURS_RECORD, .record = &record}, nothing = {OURS_RECORD, NULL},
                 folder = {OURS_FOLDER, .record = &record},
                 hint = {OURS_INTENT, .wrote = STR("dev#1 12345678"),
                         .says = STR("dev-2#1 12345678")},
                 silent = {OURS_INTENT, &record, {"", 0}, {"", 0}};
    const struct claim *const no[] = {&nothing, &folder, &hint, &silent};
    struct err err = {0};
    (void)state;
    check_refused(dispose_version(a, NULL, &named, STR("shop-a"), STR("4"), &err), &err);
    check_refused(dispose_version(a, NULL, &named, STR("shop-a-b"), STR("3"), &err), &err);
    check_refused(dispose_version(a, NULL, &named, STR("shop"), STR("3"), &err), &err);
    check_refused(dispose_version(a, NULL, &named, STR(""), STR(""), &err), &err);
    check_refused(dispose_deployment(a, NULL, &named, NULL, STR("api2"), STR("d1"), &err), &err);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        check_refused(dispose_version(a, NULL, no[i], STR("shop-a"), STR("3"), &err), &err);
        check_refused(dispose_deployment(a, NULL, no[i], NULL, STR("api1"), STR("d1"), &err), &err);
    }
    arena_free(a);
}

static void test_log_groups_that_no_record_names(void **state)
{
    struct arena *a = arena_new();
    struct release r = {.arena = a};
    const struct record_outcome *good = outcome_of(a, "succeeded");
    struct record listed = {.body = body_of(a, "{\"logGroups\": [\"/aws/lambda/shop-dev-a\"], "
                                               "\"functions\": {\"a\": {\"name\": \"shop-a\"}}}"),
                            .outcome = good},
                  older = {.body = body_of(a, "{\"functions\": {\"a\": {\"name\": \"shop-a\"}}}"),
                           .outcome = good},
                  failed = {.body = listed.body, .outcome = outcome_of(a, "failed")},
                  open = {.body = listed.body};
    static const struct {
        const char *group;
        bool listed, older;
    } rows[] = {{"/aws/lambda/shop-dev-a", true, false},
                {"/aws/lambda/shop-a", false, true},
                {"/aws/lambda/shop-dev-a-b", false, false},
                {"/aws/lambda/shop-dev-", false, false},
                {"/aws/lambda/shop-", false, false},
                {"/aws/lambda/", false, false},
                {"shop-a", false, false},
                {"", false, false}};
    struct err err = {0};
    bool gone;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str group = str_c(rows[i].group);
        assert_int_equal(log_groups_named(&listed, group), rows[i].listed);
        assert_int_equal(log_groups_named(&older, group), rows[i].older);
        assert_false(log_groups_named(&failed, group));
        assert_false(log_groups_named(&open, group));
        struct claim claim = {OURS_RECORD, .record = rows[i].listed ? &failed : &listed};
        check_refused(dispose_log_group(&r, &claim, group, &gone, &err), &err);
    }
    arena_free(a);
}

/* What went and what stays, as commands show it and as the record of a removal has it. */
static void test_what_was_disposed_of(void **state)
{
    struct arena *a = arena_new();
    struct disposals all = {0};
    struct release r = {.arena = a, .disposals = &all}, silent = {.arena = a};
    struct node *shown = node_map(a);
    struct record_body body = {0};
    (void)state;
    dispose_keep(&silent, STR("t"), STR("n"), STR("w"));
    dispose_keep(&r, STR("AWS::S3::Bucket"), STR("b"), STR("DeletionPolicy Retain"));
    dispose_note(&r, FATE_DELETED, STR("stack"), STR("shop-dev"), STR("ours"));
    dispose_note(&r, FATE_DELETED, STR("objects"), STR("s3://b/x/"), STR("ours"));
    disposals_put(a, &all, shown);
    check_str(json_text(a, shown, 0),
              "{\"deleted\":[{\"type\":\"stack\",\"name\":\"shop-dev\",\"why\":\"ours\"},"
              "{\"type\":\"objects\",\"name\":\"s3://b/x/\",\"why\":\"ours\"}],"
              "\"kept\":[{\"type\":\"AWS::S3::Bucket\",\"name\":\"b\","
              "\"why\":\"DeletionPolicy Retain\"}]}");
    disposals_record(a, &all, &body);
    assert_int_equal(body.deleted.n, 2);
    assert_int_equal(body.emptied.n, 0);
    assert_int_equal(body.kept.n, 1);
    check_str(body.deleted.p[1].name, "s3://b/x/");
    check_str(body.kept.p[0].why, "DeletionPolicy Retain");
    arena_free(a);
}

/* What a deployment says of itself needs a fingerprint: without one nothing was published. */
static void test_hints(void **state)
{
    struct arena *a = arena_new();
    (void)state;
    check_str(dispose_hint(a, STR("dev"), 7, STR("1a2b3c4d5e6f")), "dev#7 1a2b3c4d");
    check_str(dispose_hint(a, STR("dev"), 7, STR("1a2b3c4d")), "dev#7 1a2b3c4d");
    check_str(dispose_hint(a, STR("dev"), 7, STR("1a2b3c4")), "");
    check_str(dispose_hint(a, STR("dev"), 7, STR("")), "");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_of_neighbours),
        cmocka_unit_test(test_stacks_of_neighbours),
        cmocka_unit_test(test_snapshots_that_no_record_names),
        cmocka_unit_test(test_log_groups_that_no_record_names),
        cmocka_unit_test(test_what_was_disposed_of),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests_name("dispose", tests, NULL, NULL);
}
