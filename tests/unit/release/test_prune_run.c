/* Pruning on the small AWS: what goes and stays of tests/golden/release/prune.json, whoever points
 * at it, works beside it or refuses a call. */
#include "fixture.h"

#include "release/prune.h"

static const struct node *data;
static const struct pruning now = {.unused_ms = 0};

/* ---- the AWS of the data ---- */

static void add_versions(struct fake_function *f)
{
    member_each (m, node_get_c(data, "versions")) {
        struct node *version = node_deep(cloud->arena, f->head);
        node_put_str(cloud->arena, version, "Version", m->key);
        node_put_str(cloud->arena, version, "Description", node_text(m->value));
        vec_push(cloud->arena, &f->versions, node_deep(cloud->arena, version));
    }
}

static void add_cloud(struct fixture *f)
{
    struct arena *a = cloud->arena;
    const char *stages = "troupe/shop/stages/dev/";
    data = data_json(f->arena, "prune.json");
    fake_stack_add(cloud, "shop", "shop", "", "UPDATE_COMPLETE",
                   str_dup(a, data_text(f->arena, "service.json")).p);
    fake_stack_add(cloud, "shop-dev", "shop", "dev", "UPDATE_COMPLETE",
                   json_text(a, node_get_c(data, "stack"), 0).p);
    member_each (m, node_get_c(data, "records"))
        fake_put(cloud, str_fmt(f->arena, "%s%.*s", stages, STR_ARG(m->key)).p,
                 json_text(f->arena, m->value, 0));
    node_each (key, node_get_c(data, "objects"))
        fake_put(cloud, str_fmt(f->arena, "troupe/shop/%.*s", STR_ARG(key->text)).p, STR("x"));
    add_versions(fake_function_add(cloud, "shop-api", "{}", STR("code")));
    struct fake_api *api = fake_api_add(cloud, "api1");
    node_each (id, node_get_c(data, "deployments"))
        vec_push(a, &api->deployments,
                 node_deep(a, node_fn(f->arena, "id", node_str(f->arena, id->text))));
    fixture_load(f, "orders.yml", "dev", "one");
    f->service.settings.history_keep = 1;
}

/* Somebody's alias, with all calls at `version` and some at `beside`. */
static struct node *add_alias(const char *name, const char *version, const char *beside)
{
    struct arena *a = cloud->arena;
    struct fake_function *f = fake_function_find(cloud, STR("shop-api"));
    struct node *alias = node_map(a), *weights = node_map(a);
    node_put_str(a, alias, "Name", str_c(name));
    node_put_str(a, alias, "FunctionVersion", str_c(version));
    if (beside) {
        node_put_c(a, weights, beside, node_number(a, STR("0.1")));
        node_put_c(a, alias, "RoutingConfig", node_fn(a, "AdditionalVersionWeights", weights));
    }
    vec_push(a, &f->aliases, alias);
    return alias;
}

static void add_stage(const char *name, const char *deployment)
{
    struct arena *a = cloud->arena;
    struct node *stage = node_map(a);
    node_put_str(a, stage, "stageName", str_c(name));
    node_put_str(a, stage, "deploymentId", str_c(deployment));
    vec_push(a, &cloud->apis.p[0].stages, stage);
}

/* ---- looking ---- */

static bool is_version(const char *number)
{
    const struct fake_function *f = fake_function_find(cloud, STR("shop-api"));
    for (size_t i = 0; i < f->versions.n; i++)
        if (node_is_text(node_get_c(f->versions.p[i], "Version"), number))
            return true;
    return false;
}

static bool is_deployment(const char *id)
{
    for (size_t i = 0; i < cloud->apis.p[0].deployments.n; i++)
        if (node_is_text(node_get_c(cloud->apis.p[0].deployments.p[i], "id"), id))
            return true;
    return false;
}

static bool is_among(const struct node *names, struct str name)
{
    node_each (n, names)
        if (str_eq(n->text, name))
            return true;
    return false;
}

static bool is_object(struct fixture *f, struct str key)
{
    return fake_get(cloud, str_fmt(f->arena, "troupe/shop/%.*s", STR_ARG(key)).p).p;
}

/* `pruned`: what the data says is gone, and nothing else; or nothing is. */
static void check_cloud(struct fixture *f, bool pruned)
{
    const struct node *goes = pruned ? node_get_c(data, "goes") : NULL;
    member_each (m, node_get_c(data, "versions"))
        if (is_version(str_z(f->arena, m->key)) == is_among(node_get_c(goes, "versions"), m->key))
            fail_msg("version %.*s", STR_ARG(m->key));
    node_each (id, node_get_c(data, "deployments"))
        if (is_deployment(str_z(f->arena, id->text)) ==
            is_among(node_get_c(goes, "deployments"), id->text))
            fail_msg("deployment %.*s", STR_ARG(id->text));
    node_each (key, node_get_c(data, "objects"))
        if (is_object(f, key->text) == is_among(node_get_c(goes, "objects"), key->text))
            fail_msg("object %.*s", STR_ARG(key->text));
}

static int prune(struct fixture *f, const struct pruning *how, struct pruned *ret)
{
    struct world w = {0};
    check_ok(world_find(&f->release, true, &w, &f->err), &f->err);
    check_ok(world_read(&f->release, 0, false, &w, &f->err), &f->err);
    return prune_run(&f->release, how, &w, ret, &f->err);
}

static const struct prune_item *item(const struct pruned *p, const char *id)
{
    for (size_t i = 0; i < p->item_count; i++)
        if (str_eq(p->items[i].id, str_c(id)))
            return &p->items[i];
    return NULL;
}

/* ---- tests ---- */

static void test_prune(void **state)
{
    struct fixture *f = *state;
    struct pruned p;
    add_cloud(f);
    fake_put(cloud, "troupe/shop-api/artifacts/a2.zip", STR("x"));
    check_ok(prune(f, &now, &p), &f->err);
    check_cloud(f, true);
    assert_int_equal(p.records, 3);
    assert_int_equal(p.kept[KEPT_CURRENT], 1);
    assert_int_equal(p.item_count, 11);
    assert_false(p.put_off);
    assert_non_null(fake_get(cloud, "troupe/shop-api/artifacts/a2.zip").p);
    for (int i = 1; i <= 4; i++) {
        struct str stage = str_fmt(f->arena, "stages/dev/%d", i);
        const char *marks[] = {"collected", "gone"};
        for (size_t k = 0; k < 2; k++)
            assert_int_equal(
                is_object(f, str_fmt(f->arena, "%.*s.%s.json", STR_ARG(stage), marks[k])), i < 4);
        assert_true(is_object(f, str_fmt(f->arena, "%.*s.json", STR_ARG(stage))));
    }
    assert_false(is_object(f, STR("locks/service.json")));
    check_ok(prune(f, &now, &p), &f->err); /* what is gone is not looked at again */
    assert_int_equal(p.records + p.item_count, 0);
}

static void test_only_look(void **state)
{
    struct fixture *f = *state;
    struct pruning look = {.only_look = true};
    struct pruned p;
    add_cloud(f);
    add_alias("somebody", "1", NULL);
    size_t puts = fake_calls(cloud, "PutObject");
    check_ok(prune(f, &look, &p), &f->err);
    check_cloud(f, false);
    assert_int_equal(fake_calls(cloud, "PutObject"), puts);
    assert_int_equal(p.records, 3);
    assert_int_equal(p.item_count, 11);
    check_str(item(&p, "1")->why_kept, "'somebody' points at it");
    assert_int_equal(item(&p, "2")->why_kept.n, 0);
    assert_int_equal(item(&p, "2")->number, 2);
}

/* Recently left ones stay, by S3's clock. */
static void test_recent(void **state)
{
    struct fixture *f = *state;
    struct pruning hour = {.unused_ms = COLLECT_UNUSED_MS};
    struct pruned p;
    add_cloud(f);
    check_ok(prune(f, &hour, &p), &f->err);
    check_cloud(f, false);
    assert_int_equal(p.records, 0);
    assert_int_equal(p.kept[KEPT_RECENT], 3);
    cloud->skew_ms += COLLECT_UNUSED_MS;
    check_ok(prune(f, &hour, &p), &f->err);
    check_cloud(f, true);
}

/* What is pointed at stays, and its record is looked at again the next time. */
static void test_in_use(void **state)
{
    struct fixture *f = *state;
    struct pruned p;
    add_cloud(f);
    struct node *alias = add_alias("somebody", "1", "3");
    add_stage("else", "d2");
    check_ok(prune(f, &now, &p), &f->err);
    assert_true(is_version("1") && is_version("3") && is_deployment("d2"));
    assert_false(is_version("2") || is_deployment("d1"));
    check_str(item(&p, "3")->why_kept, "'somebody' points at it");
    check_str(item(&p, "d2")->why_kept, "'else' points at it");
    for (int i = 1; i < 4; i++)
        assert_false(is_object(f, str_fmt(f->arena, "stages/dev/%d.gone.json", i)));
    node_put_str(cloud->arena, alias, "FunctionVersion", STR("4"));
    node_drop(alias, STR("RoutingConfig"));
    cloud->apis.p[0].stages.n = 0;
    check_ok(prune(f, &now, &p), &f->err);
    check_cloud(f, true);
    for (int i = 1; i < 4; i++)
        assert_true(is_object(f, str_fmt(f->arena, "stages/dev/%d.gone.json", i)));
}

/* An alias that moves between the look and the deletion: AWS refuses, and that counts. */
static void test_refused_by_aws(void **state)
{
    struct fixture *f = *state;
    struct pruned p;
    add_cloud(f);
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "DeleteFunction", "Qualifier=1", 409,
                                   "ResourceConflictException", "an alias has it", .times = 99});
    check_ok(prune(f, &now, &p), &f->err);
    check_has(item(&p, "1")->why_kept, "an alias has it");
    cloud->faults.n = 0;
    assert_true(is_version("1"));
    assert_false(is_object(f, STR("stages/dev/1.gone.json")));
    assert_true(is_object(f, STR("stages/dev/2.gone.json")));
    check_ok(prune(f, &now, &p), &f->err);
    check_cloud(f, true);
}

/* Whatever call is refused, the next run goes on. */
static void test_cut_off(void **state)
{
    static const struct {
        const char *operation, *target;
    } calls[] = {{"PutObject", "collected"},
                 {"PutObject", "1.gone.json"},
                 {"DeleteFunction", NULL},
                 {"DeleteDeployment", NULL},
                 {"DeleteObject", "artifacts"},
                 {"ListAliases", NULL},
                 {"GetStages", NULL},
                 {"ListVersionsByFunction", "shop-api"},
                 {"PutObject", "locks/service.json"}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct pruned p;
        fake_aws_reset(cloud);
        add_cloud(f);
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, calls[i].operation, calls[i].target,
                                              403, "AccessDenied", "no"});
        check_failed(f, prune(f, &now, &p), ERR_DENIED, "no");
        assert_false(is_object(f, STR("locks/service.json")));
        check_ok(prune(f, &now, &p), &f->err);
        check_cloud(f, true);
    }
}

/* ---- others at work ---- */

static void put_lease(struct fake_aws *aws)
{
    fake_put_locked(aws, "troupe/shop/locks/stage-dev.json", data_text(aws->arena, "lease.json"));
}

static void test_others_at_work(void **state)
{
    struct fixture *f = *state;
    struct pruning automatic = {.automatic = true};
    struct pruned p;
    add_cloud(f);
    put_lease(cloud);
    assert_int_equal(prune(f, &now, &p), -1);
    check_has(f->err.help, "troupe prune");
    check_failed(f, -1, ERR_LOCKED, "stage 'dev' is being worked on");
    check_cloud(f, false);
    assert_false(is_object(f, STR("stages/dev/1.collected.json")));
    for (int i = 5; i < 10; i++) /* enough to be worth it */
        fake_put(cloud, str_fmt(f->arena, "troupe/shop/stages/old/%d.json", i).p,
                 data_text(f->arena, "empty-record.json"));
    check_ok(prune(f, &automatic, &p), &f->err);
    assert_true(p.put_off);
    check_cloud(f, false);
    /* One that ran out is nobody's. */
    cloud->skew_ms += 61000;
    check_ok(prune(f, &automatic, &p), &f->err);
    assert_false(p.put_off);
    check_cloud(f, true);
}

/* Somebody begins after the look, before the marks are written: nothing is deleted. */
static void test_others_begin(void **state)
{
    struct fixture *f = *state;
    struct pruned p;
    add_cloud(f);
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "PutObject", "1.collected.json", .race = put_lease});
    check_failed(f, prune(f, &now, &p), ERR_LOCKED, "stage 'dev' is being worked on");
    check_cloud(f, false);
    assert_true(is_object(f, STR("stages/dev/1.collected.json")));
    fake_delete(cloud, "troupe/shop/locks/stage-dev.json");
    check_ok(prune(f, &now, &p), &f->err);
    check_cloud(f, true);
}

static void test_automatic(void **state)
{
    struct fixture *f = *state;
    struct pruning automatic = {.automatic = true};
    struct world w = {0};
    struct pruned p;
    add_cloud(f);
    check_ok(world_find(&f->release, true, &w, &f->err), &f->err);
    check_ok(world_read(&f->release, 0, false, &w, &f->err), &f->err);
    size_t calls = cloud->calls.n;
    check_ok(prune_run(&f->release, &automatic, &w, &p, &f->err), &f->err);
    assert_int_equal(cloud->calls.n, calls); /* three are no handful */
    /* Who changes the service stack is not waited for. */
    for (int i = 5; i < 10; i++)
        fake_put(cloud, str_fmt(f->arena, "troupe/shop/stages/old/%d.json", i).p,
                 data_text(f->arena, "empty-record.json"));
    fake_put(cloud, "troupe/shop/locks/service.json", data_text(f->arena, "lease.json"));
    check_ok(prune(f, &automatic, &p), &f->err);
    assert_true(p.put_off);
    check_cloud(f, false);
    assert_true(fake_clock_passed() < 60000);
}

static void test_nothing(void **state)
{
    struct fixture *f = *state;
    struct world w = {0};
    struct pruned p;
    fixture_load(f, "orders.yml", "dev", "one");
    check_ok(prune_run(&f->release, &now, &w, &p, &f->err), &f->err); /* no bucket */
    assert_int_equal(cloud->calls.n, 0);
    check_ok(fixture_deploy(f, "orders.yml", "dev", "one"), &f->err);
    for (size_t i = cloud->objects.n; i-- > 0;)
        if (str_starts(cloud->objects.p[i].key, STR("troupe/shop/stages/")))
            cloud->objects.p[i] = cloud->objects.p[--cloud->objects.n];
    check_ok(world_find(&f->release, false, &w, &f->err), &f->err);
    check_ok(prune_run(&f->release, &now, &w, &p, &f->err), &f->err); /* no records */
    assert_int_equal(p.records + p.item_count, 0);
}

/* Uploads that nobody went on with for a day: not a neighbour's, not one that may be under way. */
static void test_uploads(void **state)
{
    struct fixture *f = *state;
    fake_put(cloud, "troupe/shopping/now", STR(""));
    const int64_t hour = 60 * 60 * 1000, begun = cloud->objects.p[0].modified_ms;
    const struct fake_upload all[] = {{"troupe/shop/artifacts/old.zip", begun - 25 * hour},
                                      {"troupe/shop/artifacts/new.zip", begun - 23 * hour},
                                      {"troupe/shopping/artifacts/old.zip", begun - 25 * hour}};
    struct pruned pruned;
    add_cloud(f);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        vec_push(cloud->arena, &cloud->uploads, all[i]);
    for (int turn = 0; turn < 3; turn++) {
        const struct pruning how = {.unused_ms = 0, .only_look = turn == 0};
        check_ok(prune(f, &how, &pruned), &f->err);
        size_t uploads = 0;
        for (size_t i = 0; i < pruned.item_count; i++)
            if (pruned.items[i].kind == COLLECT_UPLOAD) {
                check_str(pruned.items[i].id, "artifacts/old.zip");
                uploads++;
            }
        assert_int_equal(uploads, turn < 2);
        assert_int_equal(cloud->uploads.n, turn == 0 ? 3 : 2);
    }
    /* who may not look has the rest pruned */
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "ListMultipartUploads", NULL, 403,
                                          "AccessDenied", "no", .times = 1});
    check_ok(prune(f, &now, &pruned), &f->err);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_prune),          FIXTURE_TEST(test_only_look),
        FIXTURE_TEST(test_recent),         FIXTURE_TEST(test_in_use),
        FIXTURE_TEST(test_refused_by_aws), FIXTURE_TEST(test_cut_off),
        FIXTURE_TEST(test_others_at_work), FIXTURE_TEST(test_others_begin),
        FIXTURE_TEST(test_automatic),      FIXTURE_TEST(test_nothing),
        FIXTURE_TEST(test_uploads),
    };
    (void)argc;
    return FIXTURE_RUN("prune_run", tests, argv);
}
