/* Removing stages and services: what goes, what stays, whose it is, and what a removal that is cut
 * off leaves to the next one. */
#include "fixture.h"

#include "release/dispose/late_log_groups.h"
#include "release/remove_plan.h"

#define UPLOADS "shop-dev-Uploads"
#define ARCHIVE "shop-dev-Archive"

static bool is_stack(const char *name)
{
    return fake_stack_find(cloud, str_c(name));
}

static int remove_dev(struct fixture *f, bool purge, bool *ret_nothing)
{
    f->disposals = (struct disposals){0};
    return remove_stage(&f->release, STR("dev"), purge, ret_nothing, &f->err);
}

/* ---- a stage ---- */

/* CloudFormation deletes no bucket that holds something; --purge empties those that go. */
static void test_purge(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_put_in(cloud, UPLOADS, "a", STR("x"));
    fake_put_in(cloud, ARCHIVE, "a", STR("x"));
    fake_put_in(cloud, UPLOADS "2", "a", STR("x"));
    assert_int_equal(remove_dev(f, false, &nothing), -1);
    check_has(f->err.help, "--purge");
    check_failed(f, -1, ERR_FAILED, "stack 'shop-dev' could not be deleted: Uploads");
    assert_int_equal(fake_count_in(cloud, UPLOADS), 1);

    check_ok(remove_dev(f, true, &nothing), &f->err);
    assert_false(nothing);
    assert_false(is_stack("shop-dev"));
    assert_true(is_stack("shop"));
    assert_int_equal(fake_count_in(cloud, UPLOADS), 0);
    assert_int_equal(fake_count_in(cloud, ARCHIVE), 1);
    assert_int_equal(fake_count_in(cloud, UPLOADS "2"), 1);
    assert_null(fake_get(cloud, "troupe/shop/locks/stage-dev.json").p);

    const struct node *record = fixture_object(f, "stages/dev/2.json");
    check_str(node_text(node_get_c(record, "what")), "remove");
    check_str(node_text(node_path(record, "emptied.0.name")), UPLOADS);
    check_str(node_text(node_path(record, "deleted.0.name")), "shop-dev");
    check_str(node_text(node_path(record, "kept.0.name")), ARCHIVE);
    check_str(node_text(node_path(record, "kept.0.why")), "DeletionPolicy: Retain");
    assert_int_equal(node_count(node_get_c(record, "kept")), 1);
    check_str(node_text(node_get_c(fixture_object(f, "stages/dev/2.outcome.json"), "outcome")),
              "succeeded");
    check_ok(remove_dev(f, true, &nothing), &f->err);
    assert_true(nothing);
    assert_null(fixture_object(f, "stages/dev/3.json"));
}

/* A bucket that somebody deleted meanwhile is as good as empty. */
static void test_bucket_is_gone(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "ListObjectVersions", UPLOADS, 404,
                                          "NoSuchBucket", "The specified bucket does not exist"});
    check_ok(remove_dev(f, true, &nothing), &f->err);
    assert_int_equal(cloud->faults.p[0].times, -1);
    assert_false(is_stack("shop-dev"));
}

/* Lambda may never give its interface back, or the caller may not ask: the wait has an end. */
static void test_network(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "network.yml", "dev", "one"), &f->err);
    cloud->interface = "eni-1";
    int64_t before = fake_clock_passed();
    check_failed(f, remove_dev(f, false, &nothing), ERR_FAILED,
                 "Lambda keeps network interface 'eni-1' (AWS Lambda VPC ENI-other)");
    assert_true(is_stack("shop-dev"));
    int64_t minutes = (fake_clock_passed() - before) / 1000 / 60;
    assert_true(minutes >= 40 && minutes < 45);
    assert_true(fake_calls(cloud, "DescribeNetworkInterfaces") < 1000);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "DescribeNetworkInterfaces", NULL, 403,
                                          "AccessDenied", "no"});
    check_ok(remove_dev(f, false, &nothing), &f->err);
    assert_false(is_stack("shop-dev"));
}

static void test_denied(void **state)
{
    static const struct {
        const char *operation, *target, *words;
    } cases[] = {
        {"ListObjectVersions", UPLOADS, "empty bucket '" UPLOADS "'"},
        {"ListStackResources", NULL, "look at stack 'shop-dev'"},
        {"DeleteStack", NULL, "delete stack 'shop-dev'"},
    };
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, cases[i].operation, cases[i].target,
                                              403, "AccessDenied", "no"});
        check_failed(f, remove_dev(f, true, &nothing), ERR_DENIED, cases[i].words);
        assert_true(is_stack("shop-dev"));
    }
    check_ok(remove_dev(f, true, &nothing), &f->err);
}

/* The stack is gone, and the record of that is not, or not whole. */
static void test_cut_off_after_the_stack(void **state)
{
    static const char *const objects[] = {"stages/dev/2.json", "stages/dev/2.outcome.json"};
    struct fixture *f = *state;
    bool nothing;
    for (size_t i = 0; i < 2; i++) {
        fake_aws_reset(cloud);
        check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
        fake_put(cloud, "troupe/shop/parts/shop-dev/x.json", STR("{}"));
        fake_put(cloud, "troupe/shop/parts/shop-dev2/x.json", STR("{}"));
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "PutObject", objects[i], 403,
                                              "AccessDenied", "no"});
        check_failed(f, remove_dev(f, false, &nothing), ERR_DENIED, "dev");
        assert_false(is_stack("shop-dev"));
        check_ok(remove_dev(f, false, &nothing), &f->err);
        assert_false(nothing);
        check_str(node_text(node_get_c(fixture_object(f, "stages/dev/2.outcome.json"), "outcome")),
                  "succeeded");
        assert_null(fixture_object(f, "stages/dev/3.json"));
        assert_null(fixture_object(f, "parts/shop-dev/x.json"));
        assert_non_null(fixture_object(f, "parts/shop-dev2/x.json"));
        check_ok(remove_dev(f, false, &nothing), &f->err);
        assert_true(nothing);
    }
}

static void set_complete(struct fake_aws *aws)
{
    fake_stack_find(aws, STR("shop-dev"))->status = STR("UPDATE_COMPLETE");
}

/* Nobody removes a stack under somebody's hands, but what a dead command left is waited for. */
static void test_busy(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_stack_find(cloud, STR("shop-dev"))->status = STR("UPDATE_IN_PROGRESS");
    check_failed(f, remove_dev(f, false, &nothing), ERR_CONFLICT, "stack 'shop-dev' is busy");
    fake_put(cloud, "troupe/shop/locks/stage-dev.json", data_text(f->arena, "broken-lease.json"));
    fake_fault(cloud, (struct fake_fault){FAULT_RACE, "DescribeStacks", "StackName=arn",
                                          .race = set_complete, .skip = 2});
    check_ok(remove_dev(f, false, &nothing), &f->err);
    assert_false(is_stack("shop-dev"));
    assert_true(fake_calls(cloud, "DescribeStacks") > 3);
}

/* What is left when somebody deleted the bucket: no lease, no record, but the stack goes. */
static void test_without_bucket(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    cloud->no_bucket = true;
    check_ok(remove_dev(f, false, &nothing), &f->err);
    assert_false(is_stack("shop-dev"));
    check_failed(f, remove_dev(f, false, &nothing), ERR_NOT_FOUND, "it was never deployed");
}

/* CloudFormation deletes so many resources at a time. */
static void test_large(void **state)
{
    struct fixture *f = *state;
    struct buf template = BUF(cloud->arena);
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    buf_lit(&template, "{\"Resources\":{");
    for (size_t i = 0; i < 2300; i++)
        buf_fmt(&template, "%s\"T%zu\":{\"Type\":\"AWS::SNS::Topic\"}", i ? "," : "", i);
    buf_lit(&template, "}}");
    fake_stack_find(cloud, STR("shop-dev"))->template = buf_str(&template);
    size_t updates = fake_calls(cloud, "UpdateStack");
    check_ok(remove_dev(f, false, &nothing), &f->err);
    assert_int_equal(fake_calls(cloud, "UpdateStack"), updates + 1);
    assert_false(is_stack("shop-dev"));
}

/* ---- the service ---- */

static void test_service(void **state)
{
    static const struct {
        const char *name;
        bool goes;
    } groups[] = {{"/aws/lambda/shop-api", true},
                  {"/aws/lambda/shop-api-2", false},
                  {"/aws/lambda/shop", false}};
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "prod", "one"), &f->err);
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_stack_add(cloud, "shop-dev2", "shop-api", "dev2", "CREATE_COMPLETE", "{}");
    fake_put_in(cloud, UPLOADS, "a", STR("x"));
    for (size_t i = 0; i < 3; i++)
        fake_log_group_add(cloud, groups[i].name, 0, NULL);
    check_ok(remove_service(&f->release, true, &nothing, &f->err), &f->err);
    assert_false(nothing);
    assert_false(is_stack("shop-dev") || is_stack("shop-prod") || is_stack("shop"));
    assert_true(is_stack("shop-dev2"));
    assert_int_equal(fake_count_in(cloud, FAKE_BUCKET), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fake_log_group_is(cloud, groups[i].name), !groups[i].goes);
    check_ok(remove_service(&f->release, true, &nothing, &f->err), &f->err);
    assert_true(nothing);
}

/* In a bucket that is the user's, only our folder goes. */
static void test_given_bucket(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "given-bucket.yml", "dev", "one"), &f->err);
    fake_put(cloud, "troupe/shop-api/stages/dev/1.json", STR("{}"));
    fake_put(cloud, "troupe/shop.json", STR("{}"));
    check_ok(remove_service(&f->release, false, &nothing, &f->err), &f->err);
    assert_false(is_stack("shop") || is_stack("shop-dev"));
    assert_int_equal(fake_count_in(cloud, FAKE_BUCKET), 2);
    assert_non_null(fake_get(cloud, "troupe/shop-api/stages/dev/1.json").p);
    /* What a run that was cut off left of the folder goes without a stack, too. */
    fake_put(cloud, "troupe/shop/artifacts/a.zip", STR("x"));
    check_ok(remove_service(&f->release, false, &nothing, &f->err), &f->err);
    assert_int_equal(fake_count_in(cloud, FAKE_BUCKET), 2);
}

/* The file says another bucket by now than the stack was deployed with. */
static void test_another_bucket(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_put_in(cloud, "elsewhere", "troupe/shop/artifacts/a.zip", STR("x"));
    fake_put_in(cloud, "elsewhere", "mine", STR("x"));
    fixture_load(f, "given-bucket.yml", "dev", "one");
    struct node *provider = node_map(f->arena);
    node_put_str(f->arena, provider, "deploymentBucket", STR("elsewhere"));
    f->service.root = node_fn(f->arena, "provider", provider);
    check_ok(remove_service(&f->release, true, &nothing, &f->err), &f->err);
    assert_int_equal(fake_count_in(cloud, "elsewhere"), 1);
    assert_int_equal(fake_count_in(cloud, FAKE_BUCKET), 0);
}

static void test_stage_of_the_service_fails(void **state)
{
    struct fixture *f = *state;
    bool nothing;
    check_ok(fixture_deploy(f, "files.yml", "dev", "one"), &f->err);
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "DeleteStack", NULL, 403, "AccessDenied", "no"});
    check_failed(f, remove_service(&f->release, false, &nothing, &f->err), ERR_DENIED,
                 "remove stage 'dev': delete stack 'shop-dev'");
    assert_true(is_stack("shop"));
    /* A stage in a region that cannot be reached is not passed over. */
    fake_put(cloud, "troupe/shop/stages/dev@us-east-1/region.json", STR("{}"));
    check_failed(f, remove_service(&f->release, false, &nothing, &f->err), ERR_FAILED,
                 "no client for us-east-1");
    assert_true(is_stack("shop-dev"));
}

/* ---- what would go ---- */

static struct str losses(struct fixture *f, bool stage)
{
    struct world w = {0};
    struct change *all;
    struct buf b = BUF(f->arena);
    size_t n;
    check_ok(world_remains(&f->release, stage, &w, &f->err), &f->err);
    check_ok(remove_losses(&f->release, &w, &all, &n, &f->err), &f->err);
    buf_lit(&b, "");
    for (size_t i = 0; i < n; i++) {
        assert_true(all[i].stateful);
        assert_int_equal(all[i].action, CHANGE_REMOVE);
        buf_fmt(&b, "%.*s/%.*s ", STR_ARG(all[i].reason), STR_ARG(all[i].name));
    }
    return buf_str(&b);
}

static void test_plan(void **state)
{
    struct fixture *f = *state;
    struct removal_stack *stacks;
    struct world w = {0};
    size_t n;
    check_ok(fixture_deploy(f, "files.yml", "prod", "one"), &f->err);
    check_str(losses(f, true), "shop-prod/Uploads shop-prod/Orders ");
    check_ok(fixture_deploy(f, "orders.yml", "dev", "one"), &f->err);
    check_str(losses(f, true), "");
    check_str(losses(f, false), "shop-prod/Uploads shop-prod/Orders shop/Orders ");

    check_ok(world_remains(&f->release, false, &w, &f->err), &f->err);
    check_ok(removal_plan(&f->release, &w, &stacks, &n, &f->err), &f->err);
    assert_int_equal(n, 3);
    check_str(stacks[0].name, "shop-dev");
    check_str(stacks[1].stage, "prod");
    check_str(stacks[2].name, "shop");
    assert_int_equal(stacks[2].stage.n, 0);
    for (size_t i = 0; i < stacks[1].n; i++) {
        const struct removal_resource *x = &stacks[1].resources[i];
        assert_int_equal(x->retained, str_eq(x->id, STR("Archive")));
        assert_false(x->retained && x->loses);
    }
    check_ok(fixture_deploy(f, "orders.yml", "dev", "one"), &f->err);
    fixture_load(f, "orders.yml", "never", "one");
    check_str(losses(f, true), "");
}

static void test_contents(void **state)
{
    struct fixture *f = *state;
    struct contents all;
    const struct node *c = data_json(f->arena, "contents.json");
    struct node *got = node_seq(f->arena);
    fixture_load(f, "files.yml", "dev", "one");
    member_each (m, node_get_c(c, "stacks"))
        fake_stack_add(cloud, str_dup(cloud->arena, m->key).p, "shop", "dev", "CREATE_COMPLETE",
                       json_text(cloud->arena, m->value, 0).p);
    check_ok(stack_contents(&f->release, STR("shop-dev"), &all, &f->err), &f->err);
    for (size_t i = 0; i < all.n; i++)
        node_push(f->arena, got,
                  all.p[i].goes ? node_strf(f->arena, "%.*s goes", STR_ARG(all.p[i].id))
                                : node_strf(f->arena, "%.*s stays: %.*s", STR_ARG(all.p[i].id),
                                            STR_ARG(all.p[i].kept)));
    check_str(json_text(f->arena, got, 2), json_text(f->arena, node_get_c(c, "expect"), 2).p);
    /* A template in YAML says as much. */
    fake_stack_find(cloud, STR("shop-dev-Kept"))->template =
        STR("Resources:\n  Letters:\n    Type: AWS::S3::Bucket\n");
    check_ok(stack_contents(&f->release, STR("shop-dev-Inner"), &all, &f->err), &f->err);
    assert_int_equal(all.n, 1);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "GetTemplate", "StackName=shop-dev-Inner",
                                          403, "AccessDenied", "no"});
    check_failed(f, stack_contents(&f->release, STR("shop-dev"), &all, &f->err), ERR_DENIED,
                 "look at stack 'shop-dev'");
}

/* ---- log groups that calls made anew ---- */

static void test_log_groups(void **state)
{
    struct fixture *f = *state;
    const struct node *data = data_json(f->arena, "log-groups.json");
    node_each (c, node_get_c(data, "cases")) {
        struct str next = node_text(node_get_c(c, "next"));
        struct world w;
        fake_aws_reset(cloud);
        fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE",
                       str_dup(cloud->arena, data_text(f->arena, "service.json")).p);
        member_each (m, node_get_c(data, "records"))
            fake_put(cloud, str_fmt(f->arena, "troupe/shop/stages/%.*s", STR_ARG(m->key)).p,
                     json_text(f->arena, m->value, 0));
        member_each (m, node_get_c(data, "groups"))
            fake_log_group_add(cloud, str_z(f->arena, m->key),
                               str_eq(m->key, next) ? node_int_or(node_get_c(c, "days"), 0) : 0,
                               str_eq(m->key, next) ? node_get_c(c, "tags") : NULL);
        fixture_load(f, "orders.yml", "dev", "one");
        fixture_world(f, &w);
        struct node *group = node_map(f->arena), *resource = node_map(f->arena);
        node_put_str(f->arena, group, "LogGroupName", next);
        node_put_str(f->arena, resource, "Type", STR("AWS::Logs::LogGroup"));
        node_put_c(f->arena, resource, "Properties", group);
        const struct node *template =
            node_fn(f->arena, "Resources", node_fn(f->arena, "L", resource));
        check_ok(log_groups_clear(&f->release, &w, node_text(node_get_c(c, "stage")),
                                  node_get_c(data, "now"), template, &f->err),
                 &f->err);
        bool goes = node_bool_or(node_get_c(c, "goes"), false);
        if (fake_log_group_is(cloud, str_z(f->arena, next)) == goes)
            fail_msg("%s", json_text(f->arena, c, 0).p);
        assert_int_equal(cloud->log_groups.n,
                         node_count(node_get_c(data, "groups")) - (goes ? 1 : 0));
        assert_int_equal(f->disposals.all.n, goes);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_purge),
        FIXTURE_TEST(test_bucket_is_gone),
        FIXTURE_TEST(test_network),
        FIXTURE_TEST(test_denied),
        FIXTURE_TEST(test_cut_off_after_the_stack),
        FIXTURE_TEST(test_busy),
        FIXTURE_TEST(test_without_bucket),
        FIXTURE_TEST(test_large),
        FIXTURE_TEST(test_service),
        FIXTURE_TEST(test_given_bucket),
        FIXTURE_TEST(test_another_bucket),
        FIXTURE_TEST(test_stage_of_the_service_fails),
        FIXTURE_TEST(test_plan),
        FIXTURE_TEST(test_contents),
        FIXTURE_TEST(test_log_groups),
    };
    (void)argc;
    return FIXTURE_RUN("remove", tests, argv);
}
