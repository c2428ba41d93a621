/* Which records are pruned, and what goes with them. */
#include "check.h"

#include "records.h"
#include "release/prune.h"

/* A record as letters: "n outcome minute versions…". */
struct row {
    const char *stage;
    int64_t number;
    const char *outcome; /* outcome: NULL: it has none */
    int64_t outcome_ms;
    bool pruned;
    bool removal;
    enum kept want;
};

static void check_rows(const struct row *rows, size_t n, const struct prune_stage *stages,
                       size_t stage_count, const struct prune_rules *rules)
{
    struct arena *a = arena_new();
    struct prune_record all[32] = {0};
    assert_true(n <= 32);
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &rows[i];
        all[i].ref = (struct record_ref){.stage = str_c(row->stage),
                                         .number = row->number,
                                         .has_outcome = row->outcome,
                                         .pruned = row->pruned,
                                         .outcome_ms = row->outcome ? row->outcome_ms : 0};
        all[i].record.body = body_of(a, row->removal ? "{\"what\":\"remove\"}" : "{}");
        if (row->outcome)
            all[i].record.outcome = outcome_of(a, row->outcome);
    }
    prune_decide(all, n, stages, stage_count, rules);
    for (size_t i = 0; i < n; i++)
        if (all[i].kept != rows[i].want)
            fail_msg("%s#%lld is kept as %d, not %d", rows[i].stage, (long long)rows[i].number,
                     (int)all[i].kept, (int)rows[i].want);
    arena_free(a);
}
#define CHECK(rows, stages, ...)                                                         \
    check_rows(rows, sizeof rows / sizeof *rows, stages, sizeof stages / sizeof *stages, \
               &(struct prune_rules){__VA_ARGS__})

static void test_the_last_ones_stay(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"dev", 3}, true, 5}, {{"prod", 4}, true, 1}};
    static const struct row rows[] = {
        {"dev", 6, "failed", 50, .want = KEPT_LAST},
        {"dev", 5, "succeeded", 40, .want = KEPT_CURRENT},
        {"dev", 4, "succeeded", 30},
        {"dev", 3, "superseded", 20},
        {"dev", 2, NULL, 0, .want = KEPT_OPEN},
        {"dev", 1, "succeeded", 10},
        {"prod", 1, "succeeded", 10, .want = KEPT_CURRENT},
    };
    CHECK(rows, stages, 2, 60, 1000);
}

static void test_what_was_served_not_long_ago_stays(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"dev", 3}, true, 9}};
    static const struct row rows[] = {
        {"dev", 9, "succeeded", 990, .want = KEPT_CURRENT},
        {"dev", 8, "failed", 980, .want = KEPT_RECENT},    /* it may have had weights */
        {"dev", 7, "succeeded", 100, .want = KEPT_RECENT}, /* the stage left it at 990 */
        {"dev", 6, "failed", 90},
        {"dev", 5, "succeeded", 80}, /* the stage left it at 100 */
    };
    CHECK(rows, stages, 1, 60, 1000);
    static const struct row at_once[] = {
        {"dev", 9, "succeeded", 990, .want = KEPT_CURRENT},
        {"dev", 8, "failed", 980},
        {"dev", 7, "succeeded", 100},
    };
    CHECK(at_once, stages, 1, 0, 1000);
}

/* After a rollback to an old deployment this one is current, however many came after it. */
static void test_current_is_not_always_the_newest(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"dev", 3}, true, 1}};
    static const struct row rows[] = {
        {"dev", 3, "failed", 30, .want = KEPT_LAST},
        {"dev", 2, "failed", 20},
        {"dev", 1, "succeeded", 10, .want = KEPT_CURRENT},
    };
    CHECK(rows, stages, 1, 60, 1000);
}

static void test_unsettled_and_removed_stages(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"busy", 4}, false, 3}, {{"odd", 3}, true, 0}};
    static const struct row rows[] = {
        {"busy", 3, "succeeded", 30, .want = KEPT_UNSETTLED},
        {"busy", 1, "succeeded", 10, .want = KEPT_UNSETTLED},
        {"gone", 3, "succeeded", 30, .removal = true},
        {"gone", 2, "succeeded", 20},
        {"going", 3, NULL, 0, .removal = true, .want = KEPT_OPEN},
        {"going", 2, "succeeded", 20, .want = KEPT_UNSETTLED},
        {"just", 2, "succeeded", 990, .removal = true, .want = KEPT_RECENT},
        {"just", 1, "succeeded", 10, .want = KEPT_RECENT},
        /* its stack is gone, and troupe did not delete it */
        {"lost", 1, "succeeded", 10, .want = KEPT_UNSETTLED},
        {"odd", 1, "succeeded", 10, .want = KEPT_UNSETTLED},
    };
    CHECK(rows, stages, 1, 60, 1000);
}

/* What is left of such a stage may wait for its versions, and nobody can go on with it. */
static void test_a_stage_whose_stack_goes(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"dev", 3}, false, 2, .leaving = true}};
    static const struct row rows[] = {
        {"dev", 3, NULL, 0},
        {"dev", 2, "succeeded", 990},
        {"dev", 1, "succeeded", 10},
    };
    CHECK(rows, stages, 10, 60, 1000);
}

/* A record that is marked goes, even when its turn would not have come: others count on it. */
static void test_marked_ones_go(void **state)
{
    (void)state;
    static const struct prune_stage stages[] = {{{"dev", 3}, true, 3}};
    static const struct row rows[] = {
        {"dev", 3, "succeeded", 30, .want = KEPT_CURRENT},
        {"dev", 2, "succeeded", 20, .pruned = true},
    };
    CHECK(rows, stages, 10, 60, 1000);
}

static void test_items(void **state)
{
    (void)state;
    struct arena *a = arena_new();
    struct prune_record all[3] = {0};
    struct prune_item *items;
    struct buf text = BUF(a);
    size_t n;
    static const char *const bodies[] = {
        "{\"functions\":{\"f\":{\"artifact\":\"aa\"}},\"sources\":\"s1\","
        "\"layers\":{\"l\":{\"id\":\"L1\",\"artifact\":\"dd\"}}}",
        "{\"functions\":{\"f\":{\"artifact\":\"bb\"},\"g\":{\"artifact\":\"aa\"}},"
        "\"layers\":{\"l\":{\"id\":\"L0\",\"artifact\":\"cc\"},"
        "\"m\":{\"id\":\"L1\",\"artifact\":\"dd\"}}}",
        "{\"functions\":{\"f\":{\"artifact\":\"bb\"}},\"sources\":\"s2\"}"};
    static const char *const versions[] = {
        "{\"functions\":{\"f\":{\"name\":\"svc-f\",\"version\":\"3\"}},\"stage_template\":\"t1\","
        "\"apis\":{\"A\":{\"id\":\"api\",\"deployment\":\"d1\"}}}",
        "{\"functions\":{\"f\":{\"name\":\"svc-f\",\"version\":\"2\"},"
        "\"g\":{\"name\":\"svc-g\",\"version\":\"3\"}},"
        "\"apis\":{\"A\":{\"id\":\"api\",\"deployment\":\"d1\"}}}",
        "{\"functions\":{\"f\":{\"name\":\"svc-f\",\"version\":\"2\"}},\"stage_template\":\"t2\","
        "\"apis\":{\"A\":{\"id\":\"api\",\"deployment\":\"d0\"}}}"};
    for (size_t i = 0; i < 3; i++) {
        all[i].ref = (struct record_ref){.stage = STR("dev"), .number = (int64_t)(3 - i)};
        all[i].record.body = body_of(a, bodies[i]);
        all[i].record.versions = versions_of(a, versions[i]);
        all[i].kept = i ? KEPT_NOT : KEPT_CURRENT;
    }
    prune_items(a, all, 3, &items, &n);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&text, "%d:%.*s:%.*s ", (int)items[i].kind, STR_ARG(items[i].owner),
                STR_ARG(items[i].id));
    check_str(buf_str(&text),
              "0:svc-f:2 0:svc-g:3 2::artifacts/bb.zip 4::L0 "
              "2::artifacts/cc.zip 1:api:d0 2::sources/s2.json 2::templates/t2.json ");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_ones_stay),
        cmocka_unit_test(test_what_was_served_not_long_ago_stays),
        cmocka_unit_test(test_current_is_not_always_the_newest),
        cmocka_unit_test(test_unsettled_and_removed_stages),
        cmocka_unit_test(test_a_stage_whose_stack_goes),
        cmocka_unit_test(test_marked_ones_go),
        cmocka_unit_test(test_items),
    };
    return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
