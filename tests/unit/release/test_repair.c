/* Repairing a stage: everything that can be found, and whether it is the way it was afterwards. */
#include "fixture.h"

#include "release/repair.h"
#include "release/status.h"

#define FILE "files.yml"

static struct fake_stack *stage_stack(void)
{
    return fake_stack_find(cloud, STR("shop-dev"));
}

static struct fake_function *function(void)
{
    return fake_function_find(cloud, STR("shop-api"));
}

/* "2", "1 + 2" with weights; "none". */
static struct str alias(struct fixture *f)
{
    if (!function()->aliases.n)
        return STR("none");
    const struct node *n = function()->aliases.p[0];
    const struct node *weights = node_path(n, "RoutingConfig.AdditionalVersionWeights");
    struct str main = node_text(node_get_c(n, "FunctionVersion"));
    return node_count(weights) ? str_fmt(f->arena, "%.*s + %.*s %.*s", STR_ARG(main),
                                         STR_ARG(weights->members[0].key),
                                         STR_ARG(json_text(f->arena, weights->members[0].value, 0)))
                               : main;
}

static void deploy(struct fixture *f, const char *code)
{
    check_ok(fixture_deploy(f, FILE, "dev", code), &f->err);
}

/* What is found: one line each, "!" before those that a person has to see to. */
static struct str found(struct fixture *f, const struct repaired *r)
{
    struct buf b = BUF(f->arena);
    buf_lit(&b, "");
    for (size_t i = 0; i < r->finding_count; i++)
        buf_fmt(&b, "%s%s%.*s", i ? "\n" : "", r->findings[i].reconciled ? "" : "! ",
                STR_ARG(r->findings[i].what));
    return buf_str(&b);
}

/* Looking finds it and changes nothing; repairing finds the same; nothing is left to be found. */
static void check_repaired(struct fixture *f, const char *finding)
{
    struct repaired r;
    size_t updates = fake_calls(cloud, "UpdateStack"), puts = fake_calls(cloud, "PutObject");
    size_t moves = fake_calls(cloud, "UpdateAlias");
    check_ok(repair_run(&f->release, true, &r, &f->err), &f->err);
    check_has(found(f, &r), finding);
    assert_int_equal(fake_calls(cloud, "UpdateStack"), updates);
    assert_int_equal(fake_calls(cloud, "PutObject"), puts);
    assert_int_equal(fake_calls(cloud, "UpdateAlias"), moves);
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    check_has(found(f, &r), finding);
    assert_false(r.unrepaired);
    check_ok(repair_run(&f->release, true, &r, &f->err), &f->err);
    check_str(found(f, &r), "");
    assert_null(fake_get(cloud, "troupe/shop/locks/stage-dev.json").p);
}

/* The same of what a person has to see to: it is found each time. */
static void check_unrepaired(struct fixture *f, const char *finding)
{
    struct repaired r;
    for (int i = 0; i < 2; i++) {
        check_ok(repair_run(&f->release, i == 0, &r, &f->err), &f->err);
        check_has(found(f, &r), finding);
        assert_true(r.unrepaired);
    }
}

/* ---- the stack ---- */

static void test_rollback_that_failed(void **state)
{
    static const struct fake_step stuck[] = {{.status = "UPDATE_ROLLBACK_IN_PROGRESS"},
                                             {.status = "UPDATE_ROLLBACK_FAILED"}};
    struct fixture *f = *state;
    struct repaired r;
    deploy(f, "one");
    stage_stack()->status = STR("UPDATE_ROLLBACK_FAILED");
    check_failed(f, repair_run(&f->release, true, &r, &f->err), ERR_FAILED,
                 "stack 'shop-dev' has to be repaired before more can be said");
    check_str(found(f, &r), "the rollback of stack 'shop-dev' had failed");
    cloud->script = stuck;
    cloud->script_count = 2;
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_FAILED,
                 "could not be rolled back: it is in state UPDATE_ROLLBACK_FAILED");
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    check_str(found(f, &r), "the rollback of stack 'shop-dev' had failed");
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    check_str(found(f, &r), "");
}

static void test_not_deployed(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    fixture_load(f, FILE, "dev", "one");
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_NOT_FOUND,
                 "stage 'dev' is not deployed");
    deploy(f, "one");
    fixture_load(f, FILE, "never", "one");
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_NOT_FOUND,
                 "stage 'never' is not deployed");
}

/* Somebody put another template into the stack by hand. */
static void test_stack_was_changed(void **state)
{
    static const struct {
        const char *was, *is, *finding;
    } cases[] = {
        {"\"Jobs\":{\"Type\":\"AWS::SQS::Queue\"}",
         "\"Jobs\":{\"Type\":\"AWS::SQS::Queue\",\"Properties\":{\"DelaySeconds\":5}}",
         "'Jobs' of the stack is not what dev#1 says"},
        {",\"Jobs\":{\"Type\":\"AWS::SQS::Queue\"}", "", "'Jobs' of the stack is not what dev#1"},
        {"\"Outputs\":{", "\"Outputs\":{\"Mine\":{\"Value\":\"x\"},",
         "stack 'shop-dev' is not what dev#1 says"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_aws_reset(cloud);
        deploy(f, "one");
        struct str before = stage_stack()->template;
        struct str after =
            str_replace(cloud->arena, before, str_c(cases[i].was), str_c(cases[i].is));
        assert_false(str_eq(before, after));
        stage_stack()->template = after;
        check_repaired(f, cases[i].finding);
        check_str(stage_stack()->template, before.p);
    }
}

static void test_stack_cannot_be_updated(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    deploy(f, "one");
    stage_stack()->template =
        str_replace(cloud->arena, stage_stack()->template, STR("Jobs"), STR("Works"));
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "UpdateStack", NULL, 403, "AccessDenied", "no"});
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_DENIED,
                 "bring stack 'shop-dev' into line");
    assert_null(fake_get(cloud, "troupe/shop/locks/stage-dev.json").p);
}

/* ---- records ---- */

static void test_records_that_are_open(void **state)
{
    struct fixture *f = *state;
    deploy(f, "one");
    fake_delete(cloud, "troupe/shop/stages/dev/1.outcome.json");
    check_repaired(f, "dev#1 had not said that it succeeded");
    check_str(node_text(node_get_c(fixture_object(f, "stages/dev/1.outcome.json"), "outcome")),
              "succeeded");
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "PublishVersion", NULL, 403, "AccessDenied",
                                          "no"});
    check_failed(f, fixture_deploy(f, FILE, "dev", "two"), ERR_DENIED, "no");
    fake_delete(cloud, "troupe/shop/stages/dev/2.outcome.json");
    check_repaired(f, "dev#2 was interrupted: undone");
    check_str(node_text(node_get_c(fixture_object(f, "stages/dev/2.outcome.json"), "outcome")),
              "superseded");
}

static void test_records_that_are_gone(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    deploy(f, "one");
    fake_delete(cloud, "troupe/shop/stages/dev/1.versions.json");
    assert_int_equal(repair_run(&f->release, false, &r, &f->err), -1);
    check_has(f->err.help, "troupe deploy dev");
    check_failed(f, -1, ERR_FAILED, "what was published for dev#1 is gone");
    stage_stack()->outputs = NULL;
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_REFUSED,
                 "stack 'shop-dev' names no deployment");
    fake_delete(cloud, "troupe/shop/stages/dev/1.outcome.json");
    check_failed(f, repair_run(&f->release, false, &r, &f->err), ERR_REFUSED,
                 "the first deployment of 'dev' was interrupted, it serves nothing");
}

static struct str key_of(struct fixture *f, const char *record, const char *path,
                         const char *folder, const char *ending)
{
    struct str sha = node_text(node_path(fixture_object(f, record), path));
    assert_true(sha.n > 0);
    return str_fmt(f->arena, "troupe/shop/%s/%.*s.%s", folder, STR_ARG(sha), ending);
}

static void test_objects_that_are_gone(void **state)
{
    struct fixture *f = *state;
    deploy(f, "one");
    struct str template =
        key_of(f, "stages/dev/1.versions.json", "stage_template", "templates", "json");
    fake_delete(cloud, template.p);
    check_repaired(f, "the template of dev#1 is gone from the bucket");
    assert_non_null(fake_get(cloud, template.p).p);
    fake_delete(cloud,
                key_of(f, "stages/dev/1.json", "functions.api.artifact", "artifacts", "zip").p);
    check_unrepaired(f, "! the code of 'api' of dev#1 is gone: s3://" FAKE_BUCKET);
    struct str sources = key_of(f, "stages/dev/1.json", "sources", "sources", "json");
    fake_delete(cloud, sources.p);
    check_unrepaired(f, "! the source bundle of dev#1 is gone");
    /* With neither template nor sources the stack is only compared with itself. */
    fake_delete(cloud, template.p);
    check_unrepaired(f, "! whether the stack was changed cannot be said");
}

/* ---- pointers ---- */

static void test_alias_was_moved(void **state)
{
    struct fixture *f = *state;
    deploy(f, "one");
    deploy(f, "two");
    struct node *n = function()->aliases.p[0];
    node_put_str(cloud->arena, n, "FunctionVersion", STR("1"));
    check_repaired(f, "'api' pointed at v1 instead of v2");
    check_str(alias(f), "2");
    node_put_c(cloud->arena, n, "RoutingConfig",
               node_fn(cloud->arena, "AdditionalVersionWeights",
                       node_fn(cloud->arena, "1", node_number(cloud->arena, STR("0.25")))));
    check_repaired(f, "'api' pointed at");
    check_str(alias(f), "2");
}

/* CloudFormation makes an alias again only when its stack has been without it. */
static void test_alias_is_gone(void **state)
{
    struct fixture *f = *state;
    deploy(f, "one");
    deploy(f, "two");
    function()->aliases.n = 0;
    size_t updates = fake_calls(cloud, "UpdateStack");
    check_repaired(f, "the alias 'dev' of 'api' was gone");
    check_str(alias(f), "2");
    assert_int_equal(fake_calls(cloud, "UpdateStack"), updates + 2);
    function()->aliases.n = 0;
    function()->versions.n = 1;
    check_unrepaired(f, "! the alias 'dev' of 'api' is gone, and version 2 is gone: remove the "
                        "stage and make it again");
    check_str(alias(f), "none");
}

static void test_gone_and_needed(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    check_ok(fixture_deploy(f, "url.yml", "dev", "one"), &f->err);
    function()->aliases.n = 0;
    assert_int_equal(repair_run(&f->release, false, &r, &f->err), -1);
    check_has(f->err.help, "troupe remove dev");
    check_failed(f, -1, ERR_REFUSED, "something in stack 'shop-dev' needs what is gone");
}

/* ---- switches that were cut off ---- */

/* A rollback whose stack did not follow. */
static void roll_back_half(struct fixture *f)
{
    struct goal back = goal_rollback(f->arena, 0);
    deploy(f, "one");
    deploy(f, "two");
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "UpdateStack", NULL, 403, "AccessDenied", "no"});
    assert_int_equal(deploy_run(&f->release, &back, NULL, NULL, &f->done, &f->err), -1);
    err_clear(&f->err);
    cloud->faults.n = 0;
}

static void test_rollback_was_cut_off(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    roll_back_half(f);
    fake_delete(cloud, "troupe/shop/stages/dev/3.outcome.json");
    check_repaired(f, "rollback to 1 (dev#3) was interrupted: finished");
    check_str(alias(f), "1");
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    assert_int_equal(r.number, 3);
    check_str(node_text(node_get_c(fixture_object(f, "stages/dev/3.outcome.json"), "outcome")),
              "succeeded");
}

/* Its alias is gone, too: made again first. */
static void test_rollback_without_alias(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    roll_back_half(f);
    fake_delete(cloud, "troupe/shop/stages/dev/3.outcome.json");
    function()->aliases.n = 0;
    check_ok(repair_run(&f->release, true, &r, &f->err), &f->err);
    check_str(alias(f), "none");
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    check_has(found(f, &r), "the alias 'dev' of 'api' was gone\n");
    check_has(found(f, &r), "rollback to 1 (dev#3) was interrupted: finished");
    check_str(alias(f), "1");
}

/* ---- shifts by hand ---- */

static int shift(struct fixture *f, unsigned percent)
{
    struct shifting *shifting = ARENA_NEW(f->arena, struct shifting);
    shifting->stand = percent;
    struct goal goal = goal_shift(f->arena, 2, shifting);
    goal.ends_shift = true;
    return deploy_run(&f->release, &goal, NULL, NULL, &f->done, &f->err);
}

/* dev#1 serves, dev#2 can. */
static void stand_before_shift(struct fixture *f)
{
    struct goal back = goal_rollback(f->arena, 0);
    deploy(f, "one");
    deploy(f, "two");
    check_ok(deploy_run(&f->release, &back, NULL, NULL, &f->done, &f->err), &f->err);
}

/* One that stands is as it is to be; what somebody does to its weight is taken back. */
static void test_shift_stands(void **state)
{
    struct fixture *f = *state;
    struct repaired r;
    stand_before_shift(f);
    check_ok(shift(f, 25), &f->err);
    check_str(alias(f), "1 + 2 0.25");
    check_ok(repair_run(&f->release, false, &r, &f->err), &f->err);
    check_str(found(f, &r), "");
    node_drop(function()->aliases.p[0], STR("RoutingConfig"));
    check_repaired(f, "'api' pointed at v1 instead of");
    check_str(alias(f), "1 + 2 0.25");
}

static void test_promotion_was_cut_off(void **state)
{
    struct fixture *f = *state;
    stand_before_shift(f);
    check_ok(shift(f, 25), &f->err);
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "UpdateStack", NULL, 403, "AccessDenied", "no"});
    assert_int_equal(shift(f, 100), -1);
    err_clear(&f->err);
    check_repaired(f, "was interrupted: finished");
    check_str(alias(f), "2");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_rollback_that_failed),  FIXTURE_TEST(test_not_deployed),
        FIXTURE_TEST(test_stack_was_changed),     FIXTURE_TEST(test_stack_cannot_be_updated),
        FIXTURE_TEST(test_records_that_are_open), FIXTURE_TEST(test_records_that_are_gone),
        FIXTURE_TEST(test_objects_that_are_gone), FIXTURE_TEST(test_alias_was_moved),
        FIXTURE_TEST(test_alias_is_gone),         FIXTURE_TEST(test_gone_and_needed),
        FIXTURE_TEST(test_rollback_was_cut_off),  FIXTURE_TEST(test_rollback_without_alias),
        FIXTURE_TEST(test_shift_stands),          FIXTURE_TEST(test_promotion_was_cut_off),
    };
    (void)argc;
    return FIXTURE_RUN("repair", tests, argv);
}
