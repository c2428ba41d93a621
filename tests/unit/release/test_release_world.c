/* Reading the world, and the record that a deployment writes first, against a scripted AWS. */
#include "parse.h"

#include "base/hash.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "records.h"
#include "release/deploy/engine.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

#define SERVICE_TEMPLATE                                                              \
    "{\"Resources\":{\"ServerlessDeploymentBucket\":{\"Type\":\"AWS::S3::Bucket\"}}," \
    "\"Outputs\":{\"ServerlessDeploymentBucketName\":{\"Value\":\"" FAKE_BUCKET "\"}}}"
#define STAGES "troupe/shop/stages/"

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct service service;
    struct release release;
    struct world world;
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
    f->service = (struct service){.name = STR("shop"),
                                  .stage = STR("dev"),
                                  .address = STR("dev"),
                                  .home = STR("eu-central-1"),
                                  .region = STR("eu-central-1"),
                                  .root = parse(f->arena, "{\"service\":\"shop\"}")};
    f->release = (struct release){
        .arena = f->arena, .aws = f->aws, .service = &f->service, .client = fake_no_client};
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

static int read_world(struct fixture *f, unsigned parts)
{
    f->world = (struct world){0};
    return world_find(&f->release, true, &f->world, &f->err) < 0 ||
                   world_read(&f->release, parts, false, &f->world, &f->err) < 0
               ? -1
               : 0;
}

/* The stage at deployment `number`, with the digest of its record in the bucket. */
static void add_stage(struct fixture *f, int number, const char *status)
{
    struct str body = str_fmt(cloud->arena, "{\"format\":1,\"n\":%d}", number),
               versions = STR("{\"format\":1}");
    struct str digest =
        record_digest(cloud->arena, body_of(f->arena, body.p), versions_of(f->arena, versions.p));
    struct str template = str_fmt(
        cloud->arena,
        "{\"Resources\":{\"T\":{\"Type\":\"AWS::SNS::Topic\"}},\"Outputs\":{\"" DEPLOYMENT_OUTPUT
        "\":{\"Value\":\"%d\"},\"" RECORD_OUTPUT "\":{\"Value\":\"%.*s\"}}}",
        number, STR_ARG(digest));
    fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.json", number).p, body);
    fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.versions.json", number).p, versions);
    fake_put(cloud, str_fmt(f->arena, STAGES "dev/%d.outcome.json", number).p,
             STR("{\"format\":1,\"outcome\":\"succeeded\"}"));
    fake_stack_add(cloud, "shop-dev", "shop", "dev", status, template.p);
}

static void test_nothing(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop-api", "shop-api", "", "CREATE_COMPLETE", "{}");
    fake_stack_add(cloud, "shop-api-dev", "shop-api", "dev", "CREATE_COMPLETE", "{}");
    check_ok(read_world(f, WORLD_ALL), &f->err);
    assert_false(f->world.service_exists || f->world.stage_exists);
    assert_int_equal(f->world.bucket.n, 0);
    assert_int_equal(f->world.current, 0);
    check_str(f->world.account, FAKE_ACCOUNT);
    check_failed(f, world_served(&f->release, false, &f->world, &f->err), ERR_NOT_FOUND,
                 "stage 'dev' is not deployed");
}

static void test_read(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
    add_stage(f, 7, "UPDATE_COMPLETE");
    check_ok(read_world(f, WORLD_ALL), &f->err);
    assert_true(f->world.service_exists && f->world.stage_exists);
    check_str(f->world.bucket, FAKE_BUCKET);
    check_str(f->world.account, FAKE_ACCOUNT);
    assert_int_equal(f->world.current, 7);
    assert_int_equal(f->world.last_number, 7);
    assert_false(f->world.last_interrupted || f->world.unclosed);
    assert_non_null(f->world.record.versions);
    assert_non_null(f->world.service_template);
    assert_non_null(f->world.stage_template);
    check_ok(world_served(&f->release, true, &f->world, &f->err), &f->err);
    assert_int_equal(f->world.record.number, 7);
    /* a run that was cut off left a record */
    fake_put(cloud, STAGES "dev/8.json", STR("{\"format\":1,\"shift\":true,\"to\":7}"));
    fake_put(cloud, STAGES "dev/8.versions.json", STR("{\"format\":1,\"percent\":20}"));
    check_ok(read_world(f, WORLD_RECORD), &f->err);
    assert_int_equal(f->world.last_number, 8);
    assert_true(f->world.last_interrupted);
    assert_ptr_equal(world_shift(&f->world), &f->world.interrupted);
    assert_int_equal(world_shift_percent(&f->world.interrupted), 20);
    /* without an outcome the current record is not closed */
    fake_delete(cloud, STAGES "dev/7.outcome.json");
    check_ok(read_world(f, 0), &f->err);
    assert_true(f->world.unclosed);
    /* the record in the bucket is not the one that the stack vouches for, or there is none */
    fake_put(cloud, STAGES "dev/7.json", STR("{\"format\":1,\"n\":8}"));
    check_failed(f, read_world(f, WORLD_RECORD), ERR_REFUSED, "was altered");
    fake_delete(cloud, STAGES "dev/7.json");
    check_failed(f, read_world(f, 0), ERR_FAILED, "the bucket has no such record");
}

static void test_states(void **state)
{
    static const struct {
        const char *service, *stage; /* service, stage: statuses; NULL: there is no such stack */
        enum err_kind kind;
        const char *words;
    } cases[] = {
        {"UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", ERR_CONFLICT, "stack 'shop-dev' is busy"},
        {"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", ERR_CONFLICT, "stack 'shop' is busy"},
        {"UPDATE_COMPLETE", "UPDATE_ROLLBACK_FAILED", ERR_FAILED, "UPDATE_ROLLBACK_FAILED"},
        {"UPDATE_ROLLBACK_FAILED", "UPDATE_COMPLETE", ERR_FAILED, "stack 'shop' is in state"},
        {"UPDATE_COMPLETE", "DELETE_FAILED", ERR_FAILED, "DELETE_FAILED"},
        {NULL, "UPDATE_COMPLETE", ERR_FAILED, "the service's stack 'shop'"},
        /* a stack that never worked is as good as none */
        {"UPDATE_COMPLETE", "ROLLBACK_COMPLETE", ERR_NONE, NULL},
        {"UPDATE_COMPLETE", "DELETE_COMPLETE", ERR_NONE, NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_aws_reset(cloud);
        if (cases[i].service)
            fake_stack_add(cloud, "shop", "shop", "", cases[i].service, SERVICE_TEMPLATE);
        if (cases[i].stage)
            add_stage(f, 3, cases[i].stage);
        int done = read_world(f, 0);
        if (cases[i].words) {
            check_failed(f, done, cases[i].kind, cases[i].words);
            continue;
        }
        check_ok(done, &f->err);
        assert_false(f->world.stage_exists);
        assert_int_equal(f->world.current, 0);
    }
}

/* Stacks of others are refused, whatever their names. */
static void test_owners(void **state)
{
    static const struct {
        const char *name, *service, *stage, *words;
    } cases[] = {
        {"shop", "", "", "was not made by troupe"},
        {"shop", "sho", "p", "belongs to stage 'p' of service 'sho'"},
        {"shop-dev", "", "", "was not made by troupe"},
        {"shop-dev", "shop-dev", "", "belongs to service 'shop-dev'"},
        {"shop-dev", "shop", "dev-x", "belongs to stage 'dev-x'"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_aws_reset(cloud);
        if (strcmp(cases[i].name, "shop") != 0)
            fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
        fake_stack_add(cloud, cases[i].name, cases[i].service, cases[i].stage, "UPDATE_COMPLETE",
                       "{}");
        check_failed(f, read_world(f, 0), ERR_REFUSED, cases[i].words);
    }
}

/* A stack that is being updated does not tell its Outputs. The bucket is known from its resources,
 * and what the stage serves from the newest record that succeeded. */
static void test_busy(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_IN_PROGRESS", SERVICE_TEMPLATE);
    add_stage(f, 4, "UPDATE_IN_PROGRESS");
    fake_put(cloud, STAGES "dev/5.json", STR("{\"format\":1}"));
    fake_put(cloud, STAGES "dev/5.outcome.json", STR("{\"format\":1,\"outcome\":\"failed\"}"));
    check_ok(world_find(&f->release, true, &f->world, &f->err), &f->err);
    check_str(f->world.bucket, FAKE_BUCKET);
    check_ok(world_served(&f->release, false, &f->world, &f->err), &f->err);
    assert_int_equal(f->world.current, 4);
}

/* What a removal finds when somebody has deleted some of it by hand. */
static void test_remains(void **state)
{
    struct fixture *f = *state;
    add_stage(f, 4, "UPDATE_COMPLETE");
    check_ok(world_remains(&f->release, true, &f->world, &f->err), &f->err);
    assert_true(f->world.stage_exists);
    assert_false(f->world.service_exists);
    assert_int_equal(f->world.bucket.n, 0);
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
    check_ok(world_remains(&f->release, true, &f->world, &f->err), &f->err);
    check_str(f->world.bucket, FAKE_BUCKET);
    cloud->no_bucket = true;
    check_ok(world_remains(&f->release, true, &f->world, &f->err), &f->err);
    assert_int_equal(f->world.bucket.n, 0);
}

static void test_given_bucket(void **state)
{
    struct fixture *f = *state;
    f->service.root = parse(f->arena, "{\"provider\":{\"deploymentBucket\":\"" FAKE_BUCKET "\"}}");
    check_ok(read_world(f, 0), &f->err);
    check_str(f->world.bucket, FAKE_BUCKET);
    cloud->no_bucket = true;
    check_failed(f, read_world(f, 0), ERR_FAILED, "there is no bucket '" FAKE_BUCKET "'");
}

static void test_stages(void **state)
{
    struct fixture *f = *state;
    struct store store = {f->aws, STR(FAKE_BUCKET), STR("shop")};
    struct str *names, *regions;
    struct stack *stacks;
    size_t n;
    static const char *const all[][3] = {{"shop-prod", "shop", "prod"},
                                         {"shop-dev", "shop", "dev"},
                                         {"shop", "shop", ""},
                                         {"shop-api-dev", "shop-api", "dev"},
                                         {"other", "", ""}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fake_stack_add(cloud, all[i][0], all[i][1], all[i][2], "UPDATE_COMPLETE", "{}");
    for (size_t page = 0; page < 3; page++) {
        cloud->page = page;
        check_ok(stages_find(&f->release, &store, &names, &stacks, &n, &f->err), &f->err);
        assert_int_equal(n, 2);
        check_str(names[0], "dev");
        check_str(stacks[0].name, "shop-dev");
        check_str(names[1], "prod");
    }
    fake_put(cloud, STAGES "dev@us-east-1/region.json", STR("{}"));
    fake_put(cloud, STAGES "dev@us-east-1/1.json", STR("{}"));
    check_ok(regions_list(&f->release, &store, &regions, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    check_str(regions[0], "us-east-1");
    check_failed(f, stages_find(&f->release, &store, &names, &stacks, &n, &f->err), ERR_FAILED,
                 "no client for us-east-1");
}

/* ---- the intent ---- */

static struct deploying deploying_of(struct fixture *f, struct plan *plan, struct layout *layout)
{
    *layout = (struct layout){.service_template =
                                  parse(f->arena, "{\"Resources\":{\"B\":{\"Type\":\"x\"}}}"),
                              .stage_template = parse(f->arena, "{\"Resources\":{}}")};
    *plan = (struct plan){.target = {.layout = layout, .sources = STR("s")},
                          .world = f->world,
                          .number = f->world.last_number + 1};
    return (struct deploying){.r = &f->release, .arena = f->arena, .verb = "deploy", .plan = plan};
}

static void test_intent(void **state)
{
    struct fixture *f = *state;
    struct layout layout;
    struct plan plan;
    /* so the caller's ARN is asked for, and not remembered */
    setenv("XDG_CACHE_HOME", "/nonexistent", 1);
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
    add_stage(f, 3, "UPDATE_COMPLETE");
    check_ok(read_world(f, WORLD_ALL), &f->err);
    struct deploying d = deploying_of(f, &plan, &layout);
    check_ok(intent_write(&d, &f->err), &f->err);
    assert_true(d.phase == DEPLOY_RECORDED && !d.resumed);
    assert_non_null(fake_get(cloud, STAGES "dev/4.json").p);
    assert_int_equal(d.body->before, 3);

    /* the run ends here; the same command again resumes its record */
    check_ok(read_world(f, WORLD_ALL), &f->err);
    assert_true(f->world.last_interrupted);
    d = deploying_of(f, &plan, &layout);
    check_ok(intent_write(&d, &f->err), &f->err);
    assert_true(d.phase == DEPLOY_RECORDED && d.resumed);
    assert_int_equal(plan.number, 4);
    check_ok(intent_finish(&d, &f->err), &f->err);
    assert_true(plan.digest.n > 0);
    assert_non_null(fake_get(cloud, STAGES "dev/4.versions.json").p);

    /* another command supersedes it */
    check_ok(read_world(f, WORLD_ALL), &f->err);
    d = deploying_of(f, &plan, &layout);
    plan.target.what = STR("rollback to 2");
    check_ok(intent_write(&d, &f->err), &f->err);
    assert_false(d.resumed);
    assert_int_equal(plan.number, 5);
    assert_true(str_find(fake_get(cloud, STAGES "dev/4.outcome.json"), STR("superseded"), 0) >= 0);

    /* a record that was altered is not resumed, whatever hash it has of itself */
    check_ok(read_world(f, WORLD_ALL), &f->err);
    struct record_body altered = *f->world.interrupted.body;
    altered.sources = STR("evil");
    fake_put(cloud, STAGES "dev/5.json",
             json_text(f->arena, record_body_node(f->arena, &altered), 0));
    check_ok(read_world(f, WORLD_ALL), &f->err);
    d = deploying_of(f, &plan, &layout);
    plan.target.what = STR("rollback to 2");
    check_ok(intent_write(&d, &f->err), &f->err);
    assert_false(d.resumed);
    assert_int_equal(plan.number, 6);
}

/* A function that waits for a wave has no fingerprint until its values are known. Whether the run
 * that was cut off knew them by then makes no difference. */
static void test_intent_that_waits(void **state)
{
    static const char *const prints[] = {"", "f1", "f1", ""};
    struct fixture *f = *state;
    struct layout layout;
    struct plan plan;
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
    add_stage(f, 3, "UPDATE_COMPLETE");
    for (size_t i = 0; i < sizeof prints / sizeof *prints; i++) {
        /* The third waits for nothing: what it says is another deployment. */
        struct layout_function function = {
            .key = STR("api"), .name = STR("shop-api"), .waits = i != 2};
        struct function_plan planned = {.function = &function, .fingerprint = str_c(prints[i])};
        check_ok(read_world(f, WORLD_ALL), &f->err);
        struct deploying d = deploying_of(f, &plan, &layout);
        layout.functions = &function;
        layout.function_count = 1;
        plan.functions = &planned;
        plan.function_count = 1;
        check_ok(intent_write(&d, &f->err), &f->err);
        assert_int_equal(d.resumed, i % 2);
        assert_int_equal(plan.number, i < 2 ? 4 : 5);
    }
}

/* The answer to the write is lost, and another command has the number. */
static void test_intent_races(void **state)
{
    struct fixture *f = *state;
    struct layout layout;
    struct plan plan;
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE", SERVICE_TEMPLATE);
    add_stage(f, 3, "UPDATE_COMPLETE");
    check_ok(read_world(f, WORLD_ALL), &f->err);
    struct deploying d = deploying_of(f, &plan, &layout);
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject", "dev/4.json"});
    check_ok(intent_write(&d, &f->err), &f->err);
    assert_int_equal(d.phase, DEPLOY_RECORDED);
    d = deploying_of(f, &plan, &layout);
    check_failed(f, intent_write(&d, &f->err), ERR_LOCKED, "write record dev#4");
    assert_int_equal(d.phase, DEPLOY_BEGUN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing),      TEST(test_read),
        TEST(test_states),       TEST(test_owners),
        TEST(test_busy),         TEST(test_remains),
        TEST(test_given_bucket), TEST(test_stages),
        TEST(test_intent),       TEST(test_intent_that_waits),
        TEST(test_intent_races),
    };
    return cmocka_run_group_tests_name("release_world", tests, cloud_start, cloud_stop);
}
