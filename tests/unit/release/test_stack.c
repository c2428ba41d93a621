/* Operations on stacks against a scripted CloudFormation. */
#include "parse.h"

#include "base/clock.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

#define BEFORE "{\"Resources\":{\"Q\":{\"Type\":\"AWS::SQS::Queue\"}}}"
#define AFTER \
    "{\"Resources\":{\"Q\":{\"Type\":\"AWS::SQS::Queue\"},\"T\":{\"Type\":\"AWS::SNS::Topic\"}}}"
#define SCRIPT(...)                          \
    (const struct fake_step[]){__VA_ARGS__}, \
        sizeof((const struct fake_step[]){__VA_ARGS__}) / sizeof(struct fake_step)

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct service service;
    struct release release;
    struct store store;
    struct observer observer;
    struct buf told;
    struct err err;
};

static void note(void *context, enum told told, const char *step, struct str text)
{
    struct fixture *f = context;
    (void)told;
    buf_fmt(&f->told, "%s %.*s\n", step, STR_ARG(text));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
    f->told = (struct buf){f->arena};
    f->observer = (struct observer){.context = f, .progress = note};
    f->service = (struct service){.name = STR("shop"),
                                  .stage = STR("dev"),
                                  .address = STR("dev"),
                                  .root = parse(f->arena, "{\"service\":\"shop\"}")};
    f->release = (struct release){
        .arena = f->arena, .aws = f->aws, .service = &f->service, .observer = &f->observer};
    f->store = (struct store){f->aws, STR(FAKE_BUCKET), STR("shop")};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cancel_clear();
    aws_free(f->aws);
    err_clear(&f->err);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void check_kind(struct fixture *f, int done, enum err_kind kind, const char *words,
                       const char *help)
{
    check_has(f->err.help, help);
    check_failed(f, done, kind, words);
}

static void script(const struct fake_step *steps, size_t n)
{
    cloud->script = steps;
    cloud->script_count = n;
}

static int apply(struct fixture *f, bool create, const char *template, bool *ret_changed)
{
    const struct map *nesting = NULL;
    struct stack_update update = {.name = STR("shop-dev"),
                                  .template = parse(f->arena, template),
                                  .tags = stack_tags(f->arena, &f->service, STR("dev")),
                                  .store = &f->store,
                                  .create = create};
    return stack_apply(&f->release, &update, &nesting, ret_changed, &f->err);
}

static void test_apply(void **state)
{
    struct fixture *f = *state;
    struct stack stack;
    const struct node *flat;
    bool changed = false;
    check_ok(apply(f, true, BEFORE, &changed), &f->err);
    assert_true(changed);
    check_ok(cloudformation_describe(f->arena, f->aws, STR("shop-dev"), &stack, &f->err), &f->err);
    check_ok(stack_check_owner(&stack, STR("shop"), STR("dev"), &f->err), &f->err);
    check_ok(apply(f, false, AFTER, &changed), &f->err);
    assert_true(changed);
    check_ok(apply(f, false, AFTER, &changed), &f->err);
    assert_false(changed);
    check_ok(nested_read(&f->release, &f->store, STR("shop-dev"), &flat, NULL, &f->err), &f->err);
    assert_true(node_equal(flat, parse(f->arena, AFTER)));
}

/* Events of other operations are ignored, on however many pages they are. */
static void test_events(void **state)
{
    struct fixture *f = *state;
    check_ok(apply(f, true, BEFORE, NULL), &f->err);
    f->told.n = 0;
    cloud->page = 2;
    script(
        SCRIPT({.status = "UPDATE_IN_PROGRESS"}, {"T", "AWS::SNS::Topic", "CREATE_IN_PROGRESS", ""},
               {"T", "AWS::SNS::Topic", "CREATE_COMPLETE", ""},
               {.status = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}, {.status = "UPDATE_COMPLETE"}));
    check_ok(apply(f, false, AFTER, NULL), &f->err);
    check_str(buf_str(&f->told), "stack UPDATE_IN_PROGRESS shop-dev\n"
                                 "stack CREATE_IN_PROGRESS T\n"
                                 "stack CREATE_COMPLETE T\n"
                                 "stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS shop-dev\n"
                                 "stack UPDATE_COMPLETE shop-dev\n");
}

/* The message has the first cause: neither its consequences nor what only AWS can read. */
static void test_failures(void **state)
{
    static const struct {
        bool create;
        struct fake_step steps[6];
        const char *words, *help;
    } cases[] = {
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {"T", "AWS::SNS::Topic", "CREATE_FAILED",
           "Resource handler returned message: \"no such thing (Service: Sns, Status Code: 400, "
           "Request ID: 1-2)\" (RequestToken: 3, HandlerErrorCode: InvalidRequest)"},
          {"Q", "AWS::SQS::Queue", "UPDATE_FAILED", "Resource update cancelled"},
          {.status = "UPDATE_ROLLBACK_IN_PROGRESS",
           .reason = "The following resource(s) failed to create: [T]."},
          {.status = "UPDATE_ROLLBACK_COMPLETE"}},
         "could not be updated: T (AWS::SNS::Topic): no such thing (Service: Sns, Status Code: "
         "400)",
         "serves what it served before"},
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {.status = "UPDATE_ROLLBACK_IN_PROGRESS", .reason = "Export shop-x is in use"},
          {.status = "UPDATE_ROLLBACK_FAILED"}},
         "could not be updated: Export shop-x is in use",
         "continue-update-rollback"},
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {"Q", "AWS::SQS::Queue", "UPDATE_FAILED", ""},
          {.status = "UPDATE_ROLLBACK_COMPLETE"}},
         "Q (AWS::SQS::Queue): no reason given",
         ""},
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {"A", "AWS::Lambda::Alias", "UPDATE_FAILED", "it (HandlerErrorCode: NotFound)"},
          {.status = "UPDATE_ROLLBACK_COMPLETE"}},
         "A (AWS::Lambda::Alias)",
         "troupe repair dev"},
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {"V", "AWS::Lambda::Version", "CREATE_FAILED", "CodeSHA256 is different"},
          {.status = "UPDATE_ROLLBACK_COMPLETE"}},
         "V (AWS::Lambda::Version)",
         "was altered"},
        {false,
         {{.status = "UPDATE_IN_PROGRESS"},
          {"L", "AWS::Logs::LogGroup", "CREATE_FAILED", "it already exists"},
          {.status = "UPDATE_ROLLBACK_COMPLETE"}},
         "L (AWS::Logs::LogGroup)",
         "left over from the stage"},
        {true,
         {{.status = "CREATE_IN_PROGRESS"},
          {"Q", "AWS::SQS::Queue", "CREATE_FAILED", "why"},
          {.status = "ROLLBACK_IN_PROGRESS"},
          {.status = "ROLLBACK_COMPLETE"}},
         "could not be created: Q (AWS::SQS::Queue): why",
         "the stack is made anew"},
        {true,
         {{.status = "CREATE_IN_PROGRESS"},
          {"Q", "AWS::SQS::Queue", "CREATE_FAILED", "why"},
          {.status = "ROLLBACK_FAILED"}},
         "could not be created: Q (AWS::SQS::Queue): why",
         "troupe remove dev"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 0;
        fake_aws_reset(cloud);
        if (!cases[i].create)
            fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
        while (n < 6 && cases[i].steps[n].status)
            n++;
        script(cases[i].steps, n);
        check_kind(f, apply(f, cases[i].create, AFTER, NULL), ERR_FAILED, cases[i].words,
                   cases[i].help);
    }
}

/* The event of a nested stack says only that it failed, so its own events are read. */
static void test_failure_inside(void **state)
{
    struct fixture *f = *state;
    struct fake_stack *inner = fake_stack_add(cloud, "inner", "", "", "UPDATE_COMPLETE", BEFORE);
    static const struct fake_step inside[] = {
        {.status = "UPDATE_IN_PROGRESS"},
        {"Old", "AWS::SQS::Queue", "UPDATE_FAILED", "of an operation before"},
        {.status = "UPDATE_IN_PROGRESS"},
        {"C", "AWS::SNS::Topic", "UPDATE_FAILED", "Resource update cancelled"},
        {"Q", "AWS::SQS::Queue", "UPDATE_FAILED", "the cause"},
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        struct fake_event event = {fake_id(cloud, "event-"), STR("x"), inside[i]};
        vec_push(cloud->arena, &inner->events, event);
    }
    const char *id = inner->id.p;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    const struct fake_step steps[] = {
        {.status = "UPDATE_IN_PROGRESS"},
        {"Part", "AWS::CloudFormation::Stack", "UPDATE_FAILED", "Embedded stack failed", id},
        {.status = "UPDATE_ROLLBACK_COMPLETE"}};
    script(steps, 3);
    check_kind(f, apply(f, false, AFTER, NULL), ERR_FAILED,
               "could not be updated: Q (AWS::SQS::Queue): the cause", "");
}

/* The call takes effect and its answer is lost: sent again it is refused, and the events tell. */
static void test_lost_answer(void **state)
{
    struct fixture *f = *state;
    bool changed = false;
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "CreateStack"});
    check_ok(apply(f, true, BEFORE, &changed), &f->err);
    assert_true(changed);
    assert_int_equal(fake_calls(cloud, "CreateStack"), 2);
    check_kind(f, apply(f, true, AFTER, NULL), ERR_CONFLICT, "create stack 'shop-dev'", "");
}

static void test_lost_answer_of_update(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    script(SCRIPT({.status = "UPDATE_IN_PROGRESS"})); /* and the operation goes on */
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "UpdateStack"});
    cancel_clear();
    f->release.timeout_ms = 10 * 1000;
    check_kind(f, apply(f, false, AFTER, NULL), ERR_HALF_DONE, "stopped watching stack 'shop-dev'",
               "the same command again");
    assert_true(fake_clock_passed() >= 10 * 1000);
    assert_true(fake_calls(cloud, "UpdateStack") > 1);
}

/* No answer tells whether the operation began: the message must not say that nothing happened. */
static void test_no_answer(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    fake_fault(cloud, (struct fake_fault){FAULT_BROKEN, "UpdateStack", .times = 99});
    check_kind(f, apply(f, false, AFTER, NULL), ERR_HALF_DONE, "lost sight of stack 'shop-dev'",
               "the same command again");
    fake_aws_reset(cloud);
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "UpdateStack", NULL, 403, "AccessDenied", "no"});
    check_kind(f, apply(f, false, AFTER, NULL), ERR_DENIED, "update stack 'shop-dev'", "");
}

/* The watch gets over two minutes without an answer, and not over more. */
static void test_blind(void **state)
{
    struct fixture *f = *state;
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "DescribeStackEvents", NULL, 503,
                                          "ServiceUnavailable", "", .times = 6});
    check_ok(apply(f, true, BEFORE, NULL), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "DescribeStackEvents", NULL, 503,
                                          "ServiceUnavailable", "", .times = 9999});
    check_kind(f, apply(f, false, AFTER, NULL), ERR_HALF_DONE, "lost sight of stack",
               "the same command again");
}

static void test_stopped(void **state)
{
    struct fixture *f = *state;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "UPDATE_IN_PROGRESS", BEFORE);
    struct stack stack;
    f->release.timeout_ms = 60 * 1000;
    check_kind(f, stack_wait(&f->release, STR("shop-dev"), &stack, &f->err), ERR_HALF_DONE,
               "stopped watching", "");
    assert_true(fake_clock_passed() >= 60 * 1000);
}

static void settle(struct fake_aws *aws)
{
    aws->stacks.p[0].status = STR("UPDATE_ROLLBACK_COMPLETE");
}

static void test_wait(void **state)
{
    struct fixture *f = *state;
    struct stack stack;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "UPDATE_ROLLBACK_IN_PROGRESS", BEFORE);
    fake_fault(cloud, (struct fake_fault){FAULT_RACE, "DescribeStacks", .race = settle, .skip = 3});
    check_ok(stack_wait(&f->release, STR("shop-dev"), &stack, &f->err), &f->err);
    check_str(stack.status, "UPDATE_ROLLBACK_COMPLETE");
    assert_int_equal(fake_calls(cloud, "DescribeStacks"), 4);
    check_kind(f, stack_wait(&f->release, STR("shop-x"), &stack, &f->err), ERR_NOT_FOUND, "shop-x",
               "");
}

static void test_conditions(void **state)
{
    (void)state;
    assert_int_equal(stack_condition(STR("UPDATE_ROLLBACK_COMPLETE")), STACK_READY);
    assert_int_equal(stack_condition(STR("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")), STACK_BUSY);
    assert_int_equal(stack_condition(STR("UPDATE_ROLLBACK_FAILED")), STACK_STUCK);
    assert_int_equal(stack_condition(STR("DELETE_COMPLETE")), STACK_GONE);
    assert_int_equal(stack_condition(STR("SOMETHING_NEW")), STACK_BUSY);
    assert_true(stack_never_worked(STR("ROLLBACK_COMPLETE")));
    assert_false(stack_never_worked(STR("UPDATE_ROLLBACK_COMPLETE")));
}

/* Removing a stage loses what it has: it is advice where that is nothing. */
static void test_ways_out(void **state)
{
    static const struct {
        const char *status;
        bool advice, removes;
    } cases[] = {
        {"CREATE_COMPLETE"},
        {"SOMETHING_NEW"},
        {"CREATE_FAILED", true, true},
        {"ROLLBACK_COMPLETE", true, true},
        {"ROLLBACK_FAILED", true, true},
        {"DELETE_FAILED", true, true},
        {"REVIEW_IN_PROGRESS", true, true},
        {"UPDATE_FAILED", true},
        {"UPDATE_ROLLBACK_FAILED", true},
        {"IMPORT_ROLLBACK_FAILED", true},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str status = str_c(cases[i].status);
        struct str named = stack_way_out(f->arena, status, STR("dev"));
        struct str unnamed = stack_way_out(f->arena, status, STR(""));
        assert_int_equal(named.n > 0, cases[i].advice);
        assert_int_equal(str_ends(named, STR(": troupe remove dev")), cases[i].removes);
        assert_true(str_starts(named, unnamed));
        assert_true(str_find(unnamed, STR("troupe remove"), 0) < 0);
    }
}

static void test_owner(void **state)
{
    static const struct {
        const char *tags, *words;
    } cases[] = {
        {"{}", "was not made by troupe"},
        {"{\"troupe:service\":\"shop-api\"}", "belongs to service 'shop-api'"},
        {"{\"troupe:service\":\"shop\",\"troupe:stage\":\"prod\"}",
         "belongs to stage 'prod' of service 'shop'"},
        {"{\"troupe:service\":\"sho\",\"troupe:stage\":\"dev\"}", "of service 'sho'"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stack stack = {.name = STR("shop-dev"), .tags = parse(f->arena, cases[i].tags)};
        check_kind(f, stack_check_owner(&stack, STR("shop"), STR("dev"), &f->err), ERR_REFUSED,
                   cases[i].words, i ? "another name" : "troupe adopt dev");
    }
}

static void test_foresee(void **state)
{
    struct fixture *f = *state;
    const struct node *changes;
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    cloud->foreseen = "<member><ResourceChange><Action>Remove</Action><LogicalResourceId>Q"
                      "</LogicalResourceId></ResourceChange></member>";
    struct stack_update update = {
        .name = STR("shop-dev"), .template = parse(f->arena, AFTER), .store = &f->store};
    check_ok(stack_foresee(&f->release, &update, &changes, &f->err), &f->err);
    assert_int_equal(node_count(changes), 1);
    check_str(node_text(node_path(changes, "0.LogicalResourceId")), "Q");
    assert_int_equal(fake_calls(cloud, "DeleteChangeSet"), 1);
    assert_int_equal(fake_calls(cloud, "ExecuteChangeSet"), 0);
}

static void test_import(void **state)
{
    struct fixture *f = *state;
    const struct node *imports = parse(
        f->arena, "[{\"id\":\"T\",\"type\":\"AWS::SNS::Topic\",\"identifier\":{\"Arn\":\"x\"}}]");
    struct stack_update update = {
        .name = STR("shop-dev"), .template = parse(f->arena, AFTER), .store = &f->store};
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "CREATE_COMPLETE", BEFORE);
    check_ok(stack_import(&f->release, &update, imports, &f->err), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "ExecuteChangeSet"});
    check_ok(stack_import(&f->release, &update, imports, &f->err), &f->err);
    script(SCRIPT({.status = "IMPORT_IN_PROGRESS"},
                  {"T", "AWS::SNS::Topic", "IMPORT_FAILED", "it is in another stack"},
                  {.status = "IMPORT_ROLLBACK_COMPLETE"}));
    check_kind(f, stack_import(&f->release, &update, imports, &f->err), ERR_FAILED,
               "T (AWS::SNS::Topic): it is in another stack", "");
    cloud->import_status = "UNAVAILABLE";
    check_kind(f, stack_import(&f->release, &update, imports, &f->err), ERR_FAILED,
               "nothing could be imported into stack 'shop-dev': it cannot be", "");
}

/* A text too large for a call goes through the bucket; without a bucket it is refused. */
static void test_large(void **state)
{
    struct fixture *f = *state;
    char filler[1000];
    struct buf text = BUF(f->arena);
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = 0;
    buf_lit(&text, "{\"Resources\":{\"Q\":{\"Type\":\"AWS::SQS::Queue\"}},\"Metadata\":{\"x\":0");
    for (int i = 0; i < 60; i++)
        buf_fmt(&text, ",\"m%d\":\"%s\"", i, filler);
    buf_lit(&text, "}}");
    assert_true(nested_need_bucket(f->arena, parse(f->arena, text.p)));
    f->store.bucket = STR("");
    check_kind(f, apply(f, true, text.p, NULL), ERR_FAILED, "there is no bucket yet", "");
    f->store.bucket = STR(FAKE_BUCKET);
    check_ok(apply(f, true, text.p, NULL), &f->err);
    assert_int_equal(fake_calls(cloud, "PutObject"), 1);
    const struct node *flat;
    check_ok(nested_read(&f->release, &f->store, STR("shop-dev"), &flat, NULL, &f->err), &f->err);
    assert_true(node_equal(flat, parse(f->arena, text.p)));
}

/* Three times the resources of one stack: nested stacks, written and read through the bucket. */
static void test_nested(void **state)
{
    struct fixture *f = *state;
    struct buf text = BUF(f->arena);
    const struct node *flat;
    struct stack_resource *resources;
    size_t n;
    buf_lit(&text, "{\"Resources\":{\"Q0\":{\"Type\":\"AWS::SQS::Queue\"}");
    for (int i = 1; i < 1200; i++)
        buf_fmt(&text, ",\"Q%d\":{\"Type\":\"AWS::SQS::Queue\"}", i);
    buf_lit(&text, "}}");
    check_ok(apply(f, true, text.p, NULL), &f->err);
    size_t parts = fake_calls(cloud, "PutObject");
    assert_true(parts >= 2);
    check_ok(nested_read(&f->release, &f->store, STR("shop-dev"), &flat, NULL, &f->err), &f->err);
    assert_true(node_equal(flat, parse(f->arena, text.p)));
    fake_put(cloud, "troupe/shop/parts/shop-dev/old.json", STR("{}"));
    fake_put(cloud, "troupe/shop/parts/shop-dev2/old.json", STR("{}"));
    text.n -= 2;
    buf_lit(&text, ",\"New\":{\"Type\":\"AWS::SNS::Topic\"}}}");
    check_ok(apply(f, false, text.p, NULL), &f->err);
    assert_null(fake_get(cloud, "troupe/shop/parts/shop-dev/old.json").p);
    assert_non_null(fake_get(cloud, "troupe/shop/parts/shop-dev2/old.json").p);
    check_ok(nested_read(&f->release, &f->store, STR("shop-dev"), &flat, NULL, &f->err), &f->err);
    assert_true(node_equal(flat, parse(f->arena, text.p)));
    check_kind(f, nested_resources(f->arena, f->aws, STR("none"), &resources, &n, &f->err),
               ERR_NOT_FOUND, "none", "");
    /* somebody who may write to the bucket puts something else there */
    for (size_t i = 0; i < cloud->objects.n; i++)
        cloud->objects.p[i].body = STR("{\"Resources\":{}}");
    check_kind(f, nested_read(&f->release, &f->store, STR("shop-dev"), &flat, NULL, &f->err),
               ERR_REFUSED, "was altered", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_apply),          TEST(test_events),      TEST(test_failures),
        TEST(test_failure_inside), TEST(test_lost_answer), TEST(test_lost_answer_of_update),
        TEST(test_no_answer),      TEST(test_blind),       TEST(test_stopped),
        TEST(test_wait),           TEST(test_conditions),  TEST(test_ways_out),
        TEST(test_owner),          TEST(test_foresee),     TEST(test_import),
        TEST(test_large),          TEST(test_nested),
    };
    return cmocka_run_group_tests_name("stack", tests, cloud_start, cloud_stop);
}
