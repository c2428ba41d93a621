/* The engine from a file to AWS and back: deployments, rollbacks, commands that are cut off. */
#include "fixture.h"

#include "release/prune.h"
#include "release/repair.h"
#include "release/status.h"

/* Read the service from its files, for stage dev. */
static void load(struct fixture *f, const char *code, int memory)
{
    struct str text = str_fmt(f->arena,
                              "service: shop\nprovider:\n  name: aws\n  runtime: nodejs20.x\n"
                              "  region: eu-central-1\n  memorySize: %d\nfunctions:\n"
                              "  api:\n    handler: h.f\n  job:\n    handler: h.f\n",
                              memory);
    fixture_load_text(f, text, "dev", code);
}

static int deploy(struct fixture *f, const char *code, int memory)
{
    struct goal goal = goal_deploy(&f->target);
    load(f, code, memory);
    return deploy_run(&f->release, &goal, NULL, NULL, &f->done, &f->err);
}

static struct str alias_version(const char *function)
{
    struct fake_function *f = fake_function_find(cloud, str_c(function));
    assert_non_null(f);
    assert_int_equal(f->aliases.n, 1);
    return node_text(node_get_c(f->aliases.p[0], "FunctionVersion"));
}

static void test_deploy_and_back(void **state)
{
    struct fixture *f = *state;
    struct goal back = goal_rollback(f->arena, 0);
    struct stage_status *stages;
    size_t n;
    check_ok(deploy(f, "one", 128), &f->err);
    assert_int_equal(f->done.number, 1);
    check_str(alias_version("shop-api"), "1");
    assert_non_null(fake_get(cloud, "troupe/shop/stages/dev/1.outcome.json").p);
    assert_null(fake_get(cloud, "troupe/shop/locks/stage-dev.json").p);

    size_t published = fake_calls(cloud, "PublishVersion");
    check_ok(deploy(f, "one", 128), &f->err); /* nothing has changed */
    assert_true(f->done.plan.nothing);
    assert_int_equal(fake_calls(cloud, "PublishVersion"), published);

    check_ok(deploy(f, "two", 256), &f->err);
    assert_int_equal(f->done.number, 2);
    check_str(alias_version("shop-api"), "2");
    check_str(alias_version("shop-job"), "2");

    check_ok(deploy_run(&f->release, &back, NULL, NULL, &f->done, &f->err), &f->err);
    assert_int_equal(f->done.number, 3);
    check_str(alias_version("shop-api"), "1");
    assert_int_equal(fake_calls(cloud, "PublishVersion"), published + 2);

    struct world world = {0};
    check_ok(world_find(&f->release, false, &world, &f->err), &f->err);
    check_ok(world_read(&f->release, WORLD_ALL, false, &world, &f->err), &f->err);
    check_ok(status_of_all(&f->release, &world, &stages, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    assert_int_equal(stages[0].drift_count, 0);
}

/* A command is cut off at every call that changes something. Run again, it ends where it would have
 * ended. */
static void test_cut_off_anywhere(void **state)
{
    static const struct {
        const char *operation, *target;
    } calls[] = {{"PutObject", "stages/dev/2.json"},    {"UpdateFunctionCode", NULL},
                 {"UpdateFunctionConfiguration", NULL}, {"PublishVersion", NULL},
                 {"PutObject", "2.versions.json"},      {"UpdateStack", "StackName=shop-dev"},
                 {"PutObject", "2.outcome.json"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        fake_aws_reset(cloud);
        check_ok(deploy(f, "one", 128), &f->err);
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, calls[i].operation, calls[i].target,
                                              403, "AccessDenied", "no"});
        assert_int_equal(deploy(f, "two", 256), -1);
        err_clear(&f->err);
        check_ok(deploy(f, "two", 256), &f->err);
        check_str(alias_version("shop-api"), "2");
        check_str(alias_version("shop-job"), "2");
        assert_null(fake_get(cloud, "troupe/shop/locks/stage-dev.json").p);
    }
}

/* Somebody moved an alias by hand. */
static void test_repair(void **state)
{
    struct fixture *f = *state;
    struct repaired repaired;
    check_ok(deploy(f, "one", 128), &f->err);
    check_ok(deploy(f, "two", 256), &f->err);
    struct node *alias = fake_function_find(cloud, STR("shop-api"))->aliases.p[0];
    node_put_str(cloud->arena, alias, "FunctionVersion", STR("1"));
    check_ok(repair_run(&f->release, true, &repaired, &f->err), &f->err);
    assert_int_equal(repaired.finding_count, 1);
    check_str(alias_version("shop-api"), "1");
    check_ok(repair_run(&f->release, false, &repaired, &f->err), &f->err);
    assert_true(repaired.findings[0].reconciled);
    check_str(alias_version("shop-api"), "2");
    check_ok(repair_run(&f->release, false, &repaired, &f->err), &f->err);
    assert_int_equal(repaired.finding_count, 0);
}

/* Nothing that a kept record needs is deleted. */
static void test_prune(void **state)
{
    struct fixture *f = *state;
    struct pruning look = {.only_look = true, .unused_ms = COLLECT_UNUSED_MS};
    struct pruned pruned;
    struct world world = {0};
    for (int i = 0; i < 3; i++)
        check_ok(deploy(f, str_fmt(f->arena, "code %d", i).p, 128), &f->err);
    check_ok(world_find(&f->release, false, &world, &f->err), &f->err);
    check_ok(prune_run(&f->release, &look, &world, &pruned, &f->err), &f->err);
    assert_int_equal(pruned.records, 0);
    assert_int_equal(fake_calls(cloud, "DeleteFunction"), 0);
    assert_null(fake_get(cloud, "troupe/shop/locks/service.json").p);
}

static void test_remove(void **state)
{
    struct fixture *f = *state;
    bool nothing = true;
    check_ok(deploy(f, "one", 128), &f->err);
    fake_stack_add(cloud, "shop-dev2", "shop-api", "dev2", "CREATE_COMPLETE", "{}");
    check_ok(remove_stage(&f->release, STR("dev"), false, &nothing, &f->err), &f->err);
    assert_false(nothing);
    assert_null(fake_stack_find(cloud, STR("shop-dev")));
    assert_non_null(fake_stack_find(cloud, STR("shop")));
    check_ok(remove_stage(&f->release, STR("dev"), false, &nothing, &f->err), &f->err);
    assert_true(nothing);
    assert_int_equal(remove_stage(&f->release, STR("never"), false, &nothing, &f->err), -1);
    assert_int_equal(f->err.kind, ERR_NOT_FOUND);
    err_clear(&f->err);
    assert_non_null(fake_stack_find(cloud, STR("shop-dev2")));
}

int main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_deploy_and_back), FIXTURE_TEST(test_cut_off_anywhere),
        FIXTURE_TEST(test_repair),          FIXTURE_TEST(test_prune),
        FIXTURE_TEST(test_remove),
    };
    return FIXTURE_RUN("release_engine", tests, argv);
}
