/* Taking a stack over and giving back, from a file to AWS: what is kept, and what a run that is cut
 * off leaves to the next one. */
#include "fixture.h"

#include "release/adopt/adopt.h"

#define TABLE "shop-dev-Orders"

static struct fake_stack *stack(const char *name)
{
    struct fake_stack *s = fake_stack_find(cloud, str_c(name));
    assert_non_null(s);
    return s;
}

/* The stack that `serverless deploy` made. */
static void add_foreign(struct fixture *f)
{
    struct node *tags = node_map(cloud->arena);
    struct fake_stack *s =
        fake_stack_add(cloud, "shop-dev", "", "", "UPDATE_COMPLETE",
                       str_dup(cloud->arena, data_text(f->arena, "orders-foreign.json")).p);
    node_put_str(cloud->arena, tags, "STAGE", STR("dev"));
    s->tags = tags;
}

static int adopt(struct fixture *f, const char *file)
{
    struct goal goal = goal_adopt(&f->target);
    fixture_load(f, file, "dev", "one");
    f->release.adopts = true;
    return deploy_run(&f->release, &goal, NULL, NULL, &f->done, &f->err);
}

static const struct node *template_of(const struct fake_stack *s)
{
    struct err err = {0};
    const struct node *n = json_parse(cloud->arena, s->name, s->template, &err);
    check_ok(n ? 0 : -1, &err);
    return n;
}

static bool has(const char *name, const char *resource)
{
    return node_get_c(node_get_c(template_of(stack(name)), "Resources"), resource);
}

/* The table is in exactly one of the stacks, and is the one that was there. */
static void check_table(const char *in, const char *not_in)
{
    assert_true(has(in, "Orders"));
    assert_false(has(not_in, "Orders"));
    check_str(fake_physical(cloud, stack(in), STR("Orders")), TABLE);
    assert_true(str_find(stack(in)->template, STR("TroupeAdopting"), 0) < 0);
    assert_true(str_find(stack(not_in)->template, STR("\"Moving\""), 0) < 0);
}

static bool is_deleted(const char *physical)
{
    for (size_t i = 0; i < cloud->deleted.n; i++)
        if (str_eq(cloud->deleted.p[i], str_c(physical)))
            return true;
    return false;
}

/* What the function of the service's stack gets as the table's name. */
static struct str table_of_function(void)
{
    struct fake_function *f = fake_function_find(cloud, STR("shop-api"));
    assert_non_null(f);
    assert_true(f->versions.n > 0);
    return node_text(node_path(f->versions.p[f->versions.n - 1], "Environment.Variables.TABLE"));
}

static void test_there_and_back(void **state)
{
    struct fixture *f = *state;
    add_foreign(f);
    check_ok(adopt(f, "orders.yml"), &f->err);
    check_table("shop", "shop-dev");
    check_str(table_of_function(), TABLE);
    assert_true(is_deleted("shop-dev-api"));
    check_str(node_text(node_get_c(stack("shop-dev")->tags, TAG_SERVICE)), "shop");
    assert_int_equal(f->done.number, 1);
    check_ok(adopt(f, "orders.yml"), &f->err); /* there is nothing left to take over */
    assert_true(f->done.plan.nothing);

    check_ok(adopt(f, "orders-stage.yml"), &f->err);
    check_table("shop-dev", "shop");
    check_str(table_of_function(), TABLE);
    assert_int_equal(f->done.number, 2);
    assert_false(is_deleted(TABLE));
}

/* ---- cut off ---- */

/* Nobody has lost the table: one stack has it, or a template notes where it is. */
static void check_not_lost(void)
{
    size_t known = 0;
    assert_false(is_deleted(TABLE));
    for (size_t i = 0; i < cloud->stacks.n; i++) {
        const struct fake_stack *s = &cloud->stacks.p[i];
        const struct node *note = node_get_c(adopt_moving(template_of(s)), "Orders");
        known += (has(s->name.p, "Orders") &&
                  str_eq(fake_physical(cloud, s, STR("Orders")), STR(TABLE))) ||
                 node_is_text(node_get_c(note, "PhysicalId"), TABLE);
    }
    assert_true(known > 0);
}

/* Fail at call `skip` of an operation, and run the same again. False: it has not so many calls. */
static bool cut_off(struct fixture *f, const char *file, const char *operation, int skip)
{
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, operation, NULL, 403, "AccessDenied", "no",
                                          .skip = skip});
    int done = adopt(f, file);
    bool fired = cloud->faults.p[cloud->faults.n - 1].times < 0;
    cloud->faults.n = 0;
    if (fired)
        assert_int_equal(done, -1);
    check_not_lost();
    err_clear(&f->err);
    check_ok(adopt(f, file), &f->err);
    return fired;
}

static const char *const changes[] = {"CreateStack",        "UpdateStack",        "CreateChangeSet",
                                      "ExecuteChangeSet",   "GetTemplateSummary", "PublishVersion",
                                      "UpdateFunctionCode", "GetTemplate"};

/* The same command again ends where it would have, whatever call it was cut off at. */
static void test_cut_off_there(void **state)
{
    struct fixture *f = *state;
    size_t fired = 0;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (int skip = 0;; skip++) {
            fake_aws_reset(cloud);
            add_foreign(f);
            if (!cut_off(f, "orders.yml", changes[i], skip))
                break;
            check_table("shop", "shop-dev");
            check_str(table_of_function(), TABLE);
            fired++;
        }
    assert_true(fired >= 10);
}

static void test_cut_off_back(void **state)
{
    struct fixture *f = *state;
    size_t fired = 0;
    for (size_t i = 1; i < sizeof changes / sizeof *changes; i++)
        for (int skip = 0;; skip++) {
            fake_aws_reset(cloud);
            add_foreign(f);
            check_ok(adopt(f, "orders.yml"), &f->err);
            if (!cut_off(f, "orders-stage.yml", changes[i], skip))
                break;
            check_table("shop-dev", "shop");
            fired++;
        }
    assert_true(fired >= 10);
}

/* ---- what stops it ---- */

/* It is in no stack when the import does not work: the error says that it is kept. */
static void test_import_fails(void **state)
{
    static const char *const files[] = {"orders.yml", "orders-stage.yml"};
    struct fixture *f = *state;
    add_foreign(f);
    for (size_t i = 0; i < 2; i++) {
        cloud->import_status = "UNAVAILABLE";
        assert_int_equal(adopt(f, files[i]), -1);
        check_has(f->err.help, "what moves is kept, in no stack");
        check_failed(f, -1, ERR_HALF_DONE, "nothing could be imported into stack 'shop");
        check_not_lost();
        cloud->import_status = NULL;
        check_ok(adopt(f, files[i]), &f->err);
        check_table(i ? "shop-dev" : "shop", i ? "shop" : "shop-dev");
    }
}

/* An update that CloudFormation takes for none has not made anything safe. */
static void test_no_update_is_seen(void **state)
{
    struct fixture *f = *state;
    struct fake_fault none = {FAULT_REFUSE, "UpdateStack",     "StackName=shop-",
                              400,          "ValidationError", "No updates are to be performed."};
    add_foreign(f);
    fake_fault(cloud, none);
    check_failed(
        f, adopt(f, "orders.yml"), ERR_FAILED,
        "CloudFormation sees no update of stack 'shop-dev' in it: what is left or moves is "
        "retained");
    assert_true(has("shop-dev", "Orders"));
    cloud->faults.n = 0;
    check_ok(adopt(f, "orders.yml"), &f->err);
    none.target = "StackName=shop&";
    fake_fault(cloud, none);
    check_failed(f, adopt(f, "orders-stage.yml"), ERR_FAILED,
                 "CloudFormation sees no update of stack 'shop' in it: what moves is retained");
    assert_true(has("shop", "Orders"));
}

/* CloudFormation says before the last update what that would do. */
static void test_foreseen(void **state)
{
#define CHANGE(action, type, replacement, details)                                       \
    "<member><ResourceChange><Action>" action "</Action><LogicalResourceId>Thing"        \
    "</LogicalResourceId><ResourceType>" type "</ResourceType><Replacement>" replacement \
    "</Replacement><Details>" details "</Details></ResourceChange></member>"
#define DETAIL(property, recreation)                                           \
    "<member><Target><Name>" property "</Name><RequiresRecreation>" recreation \
    "</RequiresRecreation></Target></member>"
    static const struct {
        const char *change, *how; /* NULL: it is not lost */
    } cases[] = {
        {CHANGE("Remove", "AWS::DynamoDB::Table", "", ""), "deleted"},
        {CHANGE("Remove", "AWS::Events::Rule", "", ""), NULL},
        {CHANGE("Add", "AWS::DynamoDB::Table", "", ""), NULL},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "True", ""), "replaced"},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "False", ""), NULL},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "Conditional", DETAIL("TableName", "Always")),
         "replaced"},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "Conditional", DETAIL("TableName", "Never")),
         NULL},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "Conditional",
                DETAIL("TableName", "Conditionally")),
         "replaced"},
        {CHANGE("Modify", "AWS::DynamoDB::Table", "Conditional",
                DETAIL("BillingMode", "Conditionally")),
         NULL},
        {CHANGE("Modify", "AWS::Quantum::Ledger", "Conditional", DETAIL("Any", "Conditionally")),
         "replaced"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_aws_reset(cloud);
        add_foreign(f);
        cloud->foreseen = cases[i].change;
        int done = adopt(f, "orders.yml");
        if (cases[i].how) {
            check_failed(f, done, ERR_REFUSED,
                         str_fmt(f->arena, "would be %s, says CloudFormation", cases[i].how).p);
            assert_true(has("shop-dev", "ApiLambdaFunction"));
        } else {
            check_ok(done, &f->err);
        }
    }
}

/* ---- serverless-aws-alias ---- */

/* Its stacks import what the stage's has, so they go before that changes, and only they do. */
static void test_alias_stacks(void **state)
{
    struct fixture *f = *state;
    struct node *tags = node_map(cloud->arena);
    add_foreign(f);
    node_put_str(cloud->arena, tags, "ALIAS", STR("live"));
    fake_stack_add(cloud, "shop-dev-live", "", "", "CREATE_COMPLETE",
                   str_dup(cloud->arena, data_text(f->arena, "orders-alias.json")).p)
        ->tags = tags;
    fake_stack_add(cloud, "shop-dev-live2", "", "", "CREATE_COMPLETE", "{}")->tags = tags;
    check_ok(adopt(f, "orders.yml"), &f->err);
    assert_null(fake_stack_find(cloud, STR("shop-dev-live")));
    assert_non_null(fake_stack_find(cloud, STR("shop-dev-live2")));
    check_table("shop", "shop-dev");
    assert_int_equal(f->disposals.all.n, 1);
    check_str(f->disposals.all.p[0].name, "shop-dev-live");
    check_has(f->disposals.all.p[0].why, "alias stack");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_there_and_back),    FIXTURE_TEST(test_cut_off_there),
        FIXTURE_TEST(test_cut_off_back),      FIXTURE_TEST(test_import_fails),
        FIXTURE_TEST(test_no_update_is_seen), FIXTURE_TEST(test_foreseen),
        FIXTURE_TEST(test_alias_stacks),
    };
    (void)argc;
    return FIXTURE_RUN("adopt_run", tests, argv);
}
