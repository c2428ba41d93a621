/* What is said of a stage, whatever was cut off, is under way or was tampered with; a second stage
 * beside it is always ready. */
#include "fixture.h"

#include "records.h"
#include "release/status.h"

#define FILE "files.yml"
#define STAGES "troupe/shop/stages/dev/"

static struct fake_stack *stage_stack(void)
{
    return fake_stack_find(cloud, STR("shop-dev"));
}

static void fail_next(const char *operation, const char *target, int skip)
{
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, operation, target, 403, "AccessDenied",
                                          "no", .skip = skip});
}

static void deploy(struct fixture *f, const char *file, const char *code)
{
    check_ok(fixture_deploy(f, file, "dev", code), &f->err);
}

static int roll_back(struct fixture *f)
{
    struct goal back = goal_rollback(f->arena, 0);
    return deploy_run(&f->release, &back, NULL, NULL, &f->done, &f->err);
}

static int shift(struct fixture *f)
{
    static const struct shifting quarter = {.stand = 25};
    struct goal goal = goal_shift(f->arena, 2, &quarter);
    return deploy_run(&f->release, &goal, NULL, NULL, &f->done, &f->err);
}

/* ---- states ---- */

static void be_new(struct fixture *f)
{
    fixture_load(f, FILE, "dev", "one");
}

static void be_deployed(struct fixture *f)
{
    deploy(f, FILE, "one");
}

static void be_at_work(struct fixture *f)
{
    deploy(f, FILE, "one");
    fake_put(cloud, "troupe/shop/locks/stage-dev.json", data_text(f->arena, "lease.json"));
}

static void be_left_alone(struct fixture *f)
{
    be_at_work(f);
    cloud->skew_ms += 61000; /* its holder has not renewed it */
}

static void be_busy(struct fixture *f)
{
    deploy(f, FILE, "one");
    stage_stack()->status = STR("UPDATE_IN_PROGRESS");
}

static void be_stuck(struct fixture *f)
{
    deploy(f, FILE, "one");
    stage_stack()->status = STR("UPDATE_ROLLBACK_FAILED");
}

static void be_altered(struct fixture *f)
{
    deploy(f, FILE, "one");
    fake_put(
        cloud, STAGES "1.json",
        str_replace(f->arena, fake_get(cloud, STAGES "1.json"), STR("shop-api"), STR("evil-api")));
}

static void be_without_record(struct fixture *f)
{
    deploy(f, FILE, "one");
    fake_delete(cloud, STAGES "1.json");
}

static void be_interrupted(struct fixture *f)
{
    deploy(f, FILE, "one");
    fail_next("PublishVersion", NULL, 0);
    assert_int_equal(fixture_deploy(f, FILE, "dev", "two"), -1);
    err_clear(&f->err);
    fake_delete(cloud, STAGES "2.outcome.json");
}

/* The pointers are back, the stack has not heard of it. */
static void be_rolled_back_by_half(struct fixture *f)
{
    deploy(f, FILE, "one");
    deploy(f, "files-later.yml", "two");
    fail_next("UpdateStack", NULL, 0);
    assert_int_equal(roll_back(f), -1);
    err_clear(&f->err);
    fake_delete(cloud, STAGES "3.outcome.json");
}

/* The stack has the pointers, and not yet the rest. */
static void be_behind(struct fixture *f)
{
    deploy(f, FILE, "one");
    deploy(f, "files-later.yml", "two");
    fail_next("UpdateStack", NULL, 1);
    assert_int_equal(roll_back(f), -1);
    err_clear(&f->err);
    fake_delete(cloud, STAGES "3.outcome.json");
}

static void be_behind_at_work(struct fixture *f)
{
    be_behind(f);
    fake_put(cloud, "troupe/shop/locks/stage-dev.json", data_text(f->arena, "lease.json"));
}

static void be_closed_late(struct fixture *f)
{
    deploy(f, FILE, "one");
    fake_delete(cloud, STAGES "1.outcome.json");
}

static void be_shifted(struct fixture *f)
{
    deploy(f, FILE, "one");
    deploy(f, FILE, "two");
    check_ok(roll_back(f), &f->err);
    check_ok(shift(f), &f->err);
}

static void be_shifting(struct fixture *f)
{
    be_shifted(f);
    fake_put(cloud, "troupe/shop/locks/stage-dev.json", data_text(f->arena, "lease.json"));
}

static void be_failed(struct fixture *f)
{
    be_interrupted(f);
    fake_put(cloud, STAGES "2.outcome.json", data_text(f->arena, "failed-outcome.json"));
}

static const struct {
    void (*be)(struct fixture *f);
    const char *word, *note; /* part of it, "": none */
    int64_t number;          /* current record */
    size_t drifts;
    int64_t newest; /* record, and its state */
    enum record_state state;
} cases[] = {
    {be_new, "not deployed", "", 0, 0, 0, RECORD_INTERRUPTED},
    {be_deployed, "ready", "", 1, 0, 1, RECORD_SUCCEEDED},
    {be_at_work, "busy", "'u' on 'elsewhere' is at work since 2026-01-01T00:00:00Z: p", 1, 0, 1,
     RECORD_SUCCEEDED},
    {be_left_alone, "ready", "", 1, 0, 1, RECORD_SUCCEEDED},
    {be_busy, "busy", "stack 'shop-dev' is changing: UPDATE_IN_PROGRESS", 0, 0, 1,
     RECORD_SUCCEEDED},
    {be_stuck, "UPDATE_ROLLBACK_FAILED",
     "stack 'shop-dev' cannot be updated; fix the resource named in its events", 1, 0, 1,
     RECORD_SUCCEEDED},
    {be_altered, "altered", "the record of dev#1 is not what was deployed", 1, 0, 1,
     RECORD_SUCCEEDED},
    {be_without_record, "unknown", "the record of dev#1 is gone", 1, 0, 1, RECORD_SUCCEEDED},
    {be_interrupted, "interrupted",
     "dev#2 (deploy) was interrupted; go on with the same command, or undo it with: troupe repair "
     "dev",
     1, 0, 2, RECORD_INTERRUPTED},
    {be_rolled_back_by_half, "interrupted",
     "dev#3 (rollback to 1) was interrupted; finish it with: troupe repair dev", 2, 1, 3,
     RECORD_INTERRUPTED},
    {be_behind, "half done", "the stack has not followed dev#3 (rollback to 1)", 3, 0, 3,
     RECORD_HALF_DONE},
    {be_behind_at_work, "busy", "is at work", 3, 0, 3, RECORD_UNDER_WAY},
    {be_closed_late, "ready", "", 1, 0, 1, RECORD_SUCCEEDED},
    {be_shifted, "shifting", "has 25 % of the calls; finish it with 'troupe shift dev --promote'",
     3, 1, 4, RECORD_SHIFTING},
    {be_shifting, "shifting", "is at work", 3, 1, 4, RECORD_UNDER_WAY},
    {be_failed, "ready", "", 1, 0, 2, RECORD_FAILED},
};

/* ---- checks ---- */

static const struct stage_status *find(const struct stage_status *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].name, str_c(name)))
            return &all[i];
    return NULL;
}

static void check_status(struct fixture *f, size_t i, const struct stage_status *s)
{
    check_str(str_c(s->word), cases[i].word);
    if (*cases[i].note)
        check_has(s->note, cases[i].note);
    else
        check_str(s->note, "");
    assert_int_equal(s->number, cases[i].number);
    assert_int_equal(s->drift_count, cases[i].drifts);
    const struct node *object =
        fixture_object(f, str_fmt(f->arena, "stages/dev/%d.outcome.json", (int)cases[i].newest).p);
    const struct record_outcome *outcome =
        object ? outcome_of(f->arena, str_z(f->arena, node_text(node_get_c(object, "outcome"))))
               : NULL;
    if (cases[i].newest)
        check_str(str_c(record_state_word(record_state(s, cases[i].newest, outcome))),
                  record_state_word(cases[i].state));
}

static void test_cases(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stage_status *all, one;
        struct world w = {0};
        size_t n;
        print_message("%zu %s\n", i, cases[i].word);
        fake_aws_reset(cloud);
        check_ok(fixture_deploy(f, FILE, "prod", "one"), &f->err);
        cases[i].be(f);
        check_ok(world_find(&f->release, true, &w, &f->err), &f->err);
        check_ok(status_of_all(&f->release, &w, &all, &n, &f->err), &f->err);
        assert_int_equal(n, cases[i].be == be_new ? 1 : 2);
        check_str(str_c(find(all, n, "prod")->word), "ready");
        if (n == 2)
            check_status(f, i, find(all, n, "dev"));
        check_ok(status_of_stage(&f->release, &w, &one, &f->err), &f->err);
        check_status(f, i, &one);
    }
}

/* Old records say of themselves what they were. */
static void test_old_records(void **state)
{
    struct fixture *f = *state;
    struct stage_status s;
    struct world w;
    be_failed(f);
    fixture_world(f, &w);
    check_ok(status_of_stage(&f->release, &w, &s, &f->err), &f->err);
    assert_int_equal(record_state(&s, 7, NULL), RECORD_INTERRUPTED);
    assert_int_equal(record_state(&s, 7, outcome_of(f->arena, "superseded")), RECORD_SUPERSEDED);
}

/* What cannot be read is not guessed at. */
static void test_denied(void **state)
{
    static const struct {
        const char *operation, *target;
    } calls[] = {{"DescribeStacks", NULL},
                 {"ListObjectsV2", "prefix=troupe%2Fshop%2Flocks"},
                 {"GetObject", "locks/stage-dev.json"},
                 {"GetObject", "dev/3.json"},
                 {"GetObject", "dev/3.versions.json"},
                 {"GetObject", "dev/4.json"},
                 {"GetAlias", NULL}};
    struct fixture *f = *state;
    struct stage_status *all;
    struct world w = {0};
    size_t n;
    be_shifting(f);
    check_ok(world_find(&f->release, true, &w, &f->err), &f->err);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        fail_next(calls[i].operation, calls[i].target, 0);
        check_failed(f, status_of_all(&f->release, &w, &all, &n, &f->err), ERR_DENIED, "no");
    }
    fake_aws_reset(cloud);
    be_behind(f);
    check_ok(world_find(&f->release, true, &w, &f->err), &f->err);
    fail_next("GetTemplate", NULL, 0);
    check_failed(f, status_of_all(&f->release, &w, &all, &n, &f->err), ERR_DENIED, "no");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_cases),
        FIXTURE_TEST(test_old_records),
        FIXTURE_TEST(test_denied),
    };
    (void)argc;
    return FIXTURE_RUN("status", tests, argv);
}
