/* Publishing versions and deployments, and moving pointers, against a scripted AWS. */
#include "parse.h"

#include "base/hash.h"
#include "base/clock.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "records.h"
#include "release/bucket/lease.h"
#include "release/dispose/dispose.h"
#include "release/publish/definition.h"
#include "release/publish/pointers.h"
#include "release/publish/publish.h"

#define CODE "the code of this deployment"
#define NEIGHBOUR "somebody else's code"

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct service service;
    struct release release;
    struct store store;
    struct artifact artifact;
    struct layout_function function;
    struct function_plan plan;
    bool fresh_roles;
    struct observer observer;
    struct str told; /* the last notice */
    int notices;
    struct err err;
};

/* What Lambda has after another publisher, with other memory and other code. */
static void add_function(struct fixture *f)
{
    struct fake_function *made =
        fake_function_add(cloud, "shop-api", "{\"MemorySize\":128}", STR(NEIGHBOUR));
    member_each (m, f->plan.configuration)
        if (!str_eq(m->key, STR("MemorySize")))
            node_put(cloud->arena, made->head, m->key, node_deep(cloud->arena, m->value));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
    f->service = (struct service){.name = STR("shop"), .stage = STR("dev"), .address = STR("dev")};
    f->release = (struct release){.arena = f->arena, .aws = f->aws, .service = &f->service};
    f->store = (struct store){f->aws, STR(FAKE_BUCKET), STR("shop")};
    f->artifact.sha256_hex = sha256_hex(f->arena, STR(CODE));
    f->function = (struct layout_function){
        .key = STR("api"), .name = STR("shop-api"), .artifact = &f->artifact};
    f->plan.function = &f->function;
    check_ok(definition_complete(f->arena, &f->function,
                                 parse(f->arena,
                                       "{\"Handler\":\"h.f\",\"Runtime\":\"nodejs20.x\",\"Role\":"
                                       "\"arn:aws:iam::123456789012:role/r\",\"MemorySize\":512}"),
                                 NULL, &f->plan.configuration, &f->plan.code, &f->err),
             &f->err);
    f->plan.code_sha256 = sha256_base64(f->arena, STR(CODE));
    fake_put(cloud,
             str_fmt(f->arena, "troupe/shop/artifacts/%.*s.zip", STR_ARG(f->artifact.sha256_hex)).p,
             STR(CODE));
    add_function(f);
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

static int publish(struct fixture *f, struct str *ret)
{
    return publish_function(f->arena, &f->release, &f->store, &f->plan, STR("shop dev#1"),
                            f->fresh_roles, ret, &f->err);
}

/* The version is what was meant, whatever others did meanwhile. */
static void check_published(struct fixture *f, struct str version)
{
    int64_t number;
    bool usable = false;
    assert_true(str_to_int(version, &number));
    check_ok(publish_check(f->arena, &f->release, &f->plan, version, &usable, &f->err), &f->err);
    assert_true(usable);
    const struct node *made = cloud->functions.p[0].versions.p[number - 1];
    assert_true(str_eq(node_text(node_get_c(made, "CodeSha256")), f->plan.code_sha256));
    assert_int_equal(node_int_or(node_get_c(made, "MemorySize"), 0), 512);
}

static void test_publish(void **state)
{
    struct fixture *f = *state;
    struct str version, again;
    check_ok(publish(f, &version), &f->err);
    check_published(f, version);
    assert_true(
        node_is_text(node_get_c(cloud->functions.p[0].versions.p[0], "Description"), "shop dev#1"));
    check_ok(publish(f, &again), &f->err);
    assert_true(str_eq(version, again));
    assert_int_equal(fake_calls(cloud, "UpdateFunctionCode"), 1);
    assert_int_equal(fake_calls(cloud, "UpdateFunctionConfiguration"), 1);
}

/* Another publisher uses the head: its code, memory and revision are there. */
static void overwrite(struct fake_aws *aws)
{
    struct node *head = aws->functions.p[0].head;
    node_put_str(aws->arena, head, "CodeSha256", sha256_base64(aws->arena, STR(NEIGHBOUR)));
    node_put_c(aws->arena, head, "MemorySize", node_int(aws->arena, 128));
    node_put_str(aws->arena, head, "RevisionId", fake_id(aws, "theirs-"));
}

/* At each step somebody else may be faster. */
static void test_contention(void **state)
{
    static const char *const steps[] = {"UpdateFunctionConfiguration", "UpdateFunctionCode",
                                        "GetFunction", "PublishVersion"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int skip = 0; skip < (i == 2 ? 5 : 1); skip++) {
            struct str version;
            pthread_mutex_lock(&cloud->lock);
            overwrite(cloud);
            cloud->faults.n = 0;
            pthread_mutex_unlock(&cloud->lock);
            fake_fault(cloud,
                       (struct fake_fault){FAULT_RACE, steps[i], .race = overwrite, .skip = skip});
            check_ok(publish(f, &version), &f->err);
            check_published(f, version);
        }
    }
    /* a publisher that met another one queues up */
    assert_true(fake_calls(cloud, "PutObject") > 0);
    assert_null(fake_get(cloud, "troupe/shop/locks/function-shop-api.json").p);
}

static void test_endless_contention(void **state)
{
    struct fixture *f = *state;
    struct str version;
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "PublishVersion", .race = overwrite, .times = 1000});
    check_failed(f, publish(f, &version), ERR_PRECONDITION, "publish function 'api'");
    assert_int_equal(fake_calls(cloud, "PublishVersion"), 12);
    assert_null(fake_get(cloud, "troupe/shop/locks/function-shop-api.json").p);
}

/* Another update is in progress: Lambda answers 409, and later that one is in progress. */
static void test_busy(void **state)
{
    struct fixture *f = *state;
    struct str version;
    cloud->functions.p[0].busy = 3;
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "UpdateFunctionCode", NULL, 409,
                                          "ResourceConflictException",
                                          "The operation cannot be performed at this time."});
    check_ok(publish(f, &version), &f->err);
    check_published(f, version);
    assert_true(fake_calls(cloud, "GetFunction") > 5);
}

/* PublishVersion takes effect and its answer is lost: the version is found, and no second one
 * made. */
static void test_lost_answers(void **state)
{
    static const char *const steps[] = {"UpdateFunctionConfiguration", "UpdateFunctionCode",
                                        "PublishVersion"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct str version;
        fake_fault(cloud, (struct fake_fault){FAULT_LOST, steps[i]});
        pthread_mutex_lock(&cloud->lock);
        overwrite(cloud);
        cloud->functions.p[0].versions.n = 0;
        pthread_mutex_unlock(&cloud->lock);
        check_ok(publish(f, &version), &f->err);
        check_published(f, version);
        assert_int_equal(cloud->functions.p[0].versions.n, 1);
    }
}

/* Lambda, KMS and EC2 learn of a role later. */
static const struct {
    const char *message, *awaited;
    int fresh_s, other_s; /* how long it is asked again, after a role was changed and otherwise */
} refusals[] = {
    {"The role defined for the function cannot be assumed by Lambda", "Lambda to know its role",
     300, 90},
    {"The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
     "the new rights of its role", 300, 0},
    {"Lambda was unable to configure access to your environment variables because the KMS key is "
     "invalid for CreateGrant. Please check your KMS key settings",
     "KMS to know its role", 300, 0},
    {"Your request has been throttled by EC2, please make sure you have enough API rate limit",
     "EC2", 300, 300},
    {"Value 'x' at 'memorySize' failed to satisfy constraint", NULL, 0, 0},
};

static void refuse(const char *message, int times)
{
    fake_fault(cloud,
               (struct fake_fault){FAULT_REFUSE, "UpdateFunctionConfiguration", NULL, 400,
                                   "InvalidParameterValueException", message, .times = times});
}

static void note(void *context, enum told told, const char *step, struct str text)
{
    struct fixture *f = context;
    if (told != TOLD_NOTICE || strcmp(step, "publish") != 0)
        return;
    f->told = str_dup(f->arena, text);
    f->notices++;
}

static void test_fresh_roles(void **state)
{
    struct fixture *f = *state;
    struct str version;
    f->observer = (struct observer){.progress = note, .context = f};
    f->release.observer = &f->observer;
    for (size_t i = 0; i < 2 * (sizeof refusals / sizeof *refusals); i++) {
        int wanted = i % 2 ? refusals[i / 2].fresh_s : refusals[i / 2].other_s;
        f->fresh_roles = i % 2;
        f->notices = 0;
        refuse(refusals[i / 2].message, wanted ? 5 : 1);
        if (wanted) {
            check_ok(publish(f, &version), &f->err);
            check_published(f, version);
            assert_int_equal(f->notices, 1); /* once, not at every try */
            assert_true(str_find(f->told, str_c(refusals[i / 2].awaited), 0) > 0);
            pthread_mutex_lock(&cloud->lock);
            overwrite(cloud);
            pthread_mutex_unlock(&cloud->lock);
            refuse(refusals[i / 2].message, 100000);
        }
        int64_t begun = fake_clock_passed();
        check_failed(f, publish(f, &version), ERR_FAILED, refusals[i / 2].message);
        int64_t took = (fake_clock_passed() - begun) / 1000;
        assert_true(took >= wanted && took <= wanted + 6);
        pthread_mutex_lock(&cloud->lock);
        cloud->faults.n = 0;
        pthread_mutex_unlock(&cloud->lock);
    }
}

static void test_failures(void **state)
{
    struct fixture *f = *state;
    struct str version;
    /* somebody who may write to the bucket put something else in the artifact's place */
    fake_put(cloud,
             str_fmt(f->arena, "troupe/shop/artifacts/%.*s.zip", STR_ARG(f->artifact.sha256_hex)).p,
             STR("evil"));
    check_failed(f, publish(f, &version), ERR_REFUSED, "was altered");
    assert_int_equal(cloud->functions.p[0].versions.n, 0);
    cloud->functions.n = 0;
    assert_int_equal(publish(f, &version), -1);
    assert_int_equal(f->err.kind, ERR_NOT_FOUND);
    assert_true(str_find(f->err.help, STR("somebody deleted it"), 0) >= 0);
}

/* ---- what Lambda says of what was published ---- */

static void set(struct fake_aws *aws, struct node *n, const char *json)
{
    member_each (m, parse(aws->arena, json))
        node_put(aws->arena, n, m->key, m->value);
    node_put_str(aws->arena, n, "RevisionId", fake_id(aws, "revision-"));
}

static void set_head(struct fake_aws *aws)
{
    set(aws, aws->functions.p[0].head, "{\"MemorySize\":1024}");
}

/* Another publisher's settings get between an update and the answer to it: no version is made of
 * them, not even one that is thrown away. */
static void test_head_is_read_back(void **state)
{
    struct fixture *f = *state;
    for (int updates = 1; updates <= 2; updates++) {
        struct str version;
        pthread_mutex_lock(&cloud->lock);
        overwrite(cloud);
        cloud->functions.p[0].versions.n = 0;
        pthread_mutex_unlock(&cloud->lock);
        fake_fault(cloud, (struct fake_fault){FAULT_RACE, "GetFunction", .race = set_head,
                                              .skip = updates});
        check_ok(publish(f, &version), &f->err);
        check_published(f, version);
        assert_int_equal(cloud->functions.p[0].versions.n, 1);
    }
}

static const char *lie;

static void set_version(struct fake_aws *aws)
{
    set(aws, aws->functions.p[0].versions.p[0], lie);
}

/* The answer of PublishVersion is not the version: what it is is read, and counts. */
static void test_version_is_read_back(void **state)
{
    static const char *const lies[] = {"{\"MemorySize\":1024}", "{\"CodeSha256\":\"other\"}",
                                       "{\"Architectures\":[\"arm64\"]}",
                                       "{\"Environment\":{\"Variables\":{\"A\":\"b\"}}}"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct str version;
        lie = lies[i];
        cloud->functions.p[0].versions.n = 0;
        fake_fault(cloud, (struct fake_fault){FAULT_RACE, "GetFunction", "Qualifier=1",
                                              .race = set_version});
        check_ok(publish(f, &version), &f->err);
        check_str(version, "2");
        check_published(f, version);
    }
}

static void set_busy(struct fake_aws *aws)
{
    aws->functions.p[0].busy = 3;
}

static size_t calls_with(const char *words)
{
    size_t n = 0;
    pthread_mutex_lock(&cloud->lock);
    for (size_t i = 0; i < cloud->calls.n; i++)
        n += str_find(cloud->calls.p[i], str_c(words), 0) >= 0;
    pthread_mutex_unlock(&cloud->lock);
    return n;
}

/* A version can be called when Lambda says so, and not before. */
static void test_version_is_awaited(void **state)
{
    struct fixture *f = *state;
    struct str version;
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "GetFunction", "Qualifier=1", .race = set_busy});
    check_ok(publish(f, &version), &f->err);
    assert_int_equal(calls_with("Qualifier=1"), 4);
    lie = "{\"State\":\"Failed\",\"StateReason\":\"the subnet is gone\"}";
    cloud->functions.p[0].versions.n = 0;
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "GetFunction", "Qualifier=1", .race = set_version});
    check_failed(f, publish(f, &version), ERR_FAILED,
                 "version 1 of function 'shop-api' failed: the subnet is gone");
}

/* One stage's update failed: the next publisher's ends that, whatever the head shows. Where the
 * code is the reason, the configuration is not taken before it. */
static void test_failed_head(void **state)
{
    static const struct {
        const char *state;
        int failing;
        size_t configured, coded;
    } cases[] = {{"LastUpdateStatus", 0, 1, 0}, {"State", 0, 1, 0}, {"State", 1, 2, 1}};
    struct fixture *f = *state;
    struct str version;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_ok(publish(f, &version), &f->err); /* it shows what it should be */
        size_t configured = fake_calls(cloud, "UpdateFunctionConfiguration"),
               coded = fake_calls(cloud, "UpdateFunctionCode");
        node_put_str(cloud->arena, cloud->functions.p[0].head, cases[i].state, STR("Failed"));
        cloud->functions.p[0].failing = cases[i].failing;
        check_ok(publish(f, &version), &f->err);
        check_published(f, version);
        assert_int_equal(fake_calls(cloud, "UpdateFunctionConfiguration"),
                         configured + cases[i].configured);
        assert_int_equal(fake_calls(cloud, "UpdateFunctionCode"), coded + cases[i].coded);
    }
}

/* Somebody else's update failed, which came right after ours. */
static void fail_theirs(struct fake_aws *aws)
{
    struct node *head = aws->functions.p[0].head;
    overwrite(aws);
    node_put_str(aws->arena, head, "LastModified", fake_id(aws, "modified-"));
    node_put_str(aws->arena, head, "LastUpdateStatus", STR("Failed"));
}

static void test_failed_update(void **state)
{
    struct fixture *f = *state;
    struct str version;
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "GetFunction", .race = fail_theirs, .skip = 1});
    check_ok(publish(f, &version), &f->err);
    check_published(f, version);
    pthread_mutex_lock(&cloud->lock);
    overwrite(cloud);
    cloud->functions.p[0].failing = 1;
    pthread_mutex_unlock(&cloud->lock);
    size_t configured = fake_calls(cloud, "UpdateFunctionConfiguration");
    check_failed(f, publish(f, &version), ERR_FAILED, "its update failed: no address is free");
    assert_int_equal(fake_calls(cloud, "UpdateFunctionConfiguration"), configured + 1);
}

/* As long as AWS's own waiter waits for a version, and no longer. */
static void test_slow_version(void **state)
{
    struct fixture *f = *state;
    struct str version;
    cloud->functions.p[0].pending = 250; /* twenty minutes of looking every five seconds */
    int64_t begun = fake_clock_passed();
    check_ok(publish(f, &version), &f->err);
    check_published(f, version);
    assert_true(fake_clock_passed() - begun > 20 * 60 * 1000);
    pthread_mutex_lock(&cloud->lock);
    overwrite(cloud);
    cloud->functions.p[0].pending = 100000;
    pthread_mutex_unlock(&cloud->lock);
    begun = fake_clock_passed();
    check_failed(f, publish(f, &version), ERR_FAILED, "still busy after 1560 s");
    assert_true(fake_clock_passed() - begun >= 26 * 60 * 1000);
    cloud->functions.p[0].pending = 0;
}

/* PublishVersion answers the one that failed, until something changes. */
static void test_failed_version(void **state)
{
    struct fixture *f = *state;
    struct str version;
    cloud->functions.p[0].broken = true;
    check_failed(f, publish(f, &version), ERR_FAILED, "version 2 of function 'shop-api' failed");
    cloud->functions.p[0].broken = false;
    check_ok(publish(f, &version), &f->err);
    check_str(version, "3");
    check_published(f, version);
    assert_true(
        node_is_text(node_get_c(cloud->functions.p[0].versions.p[2], "Description"), "shop dev#1"));
}

/* The layers do not go with the code that is there: the code goes first. */
static void test_too_large(void **state)
{
    struct fixture *f = *state;
    struct str version;
    struct fake_fault refused = {FAULT_REFUSE,
                                 "UpdateFunctionConfiguration",
                                 NULL,
                                 400,
                                 "InvalidParameterValueException",
                                 "Function code combined with layers exceeds the maximum allowed "
                                 "size of 262144000 bytes. The actual size is 300000000 bytes."};
    fake_fault(cloud, refused);
    check_ok(publish(f, &version), &f->err);
    check_published(f, version);
    assert_int_equal(fake_calls(cloud, "UpdateFunctionCode"), 1);
    pthread_mutex_lock(&cloud->lock);
    overwrite(cloud);
    pthread_mutex_unlock(&cloud->lock);
    refused.times = 100;
    fake_fault(cloud, refused);
    check_failed(f, publish(f, &version), ERR_FAILED, "combined with layers");
}

/* Variables under a key that the caller may not use. */
static void test_unreadable(void **state)
{
    struct fixture *f = *state;
    struct str version;
    struct node *head = cloud->functions.p[0].head;
    const struct node *error =
        parse(f->arena, "{\"Error\":{\"ErrorCode\":\"AccessDeniedException\","
                        "\"Message\":\"not for you\"}}");
    check_ok(definition_complete(f->arena, &f->function,
                                 parse(f->arena, "{\"Handler\":\"h.f\",\"KmsKeyArn\":\"key\","
                                                 "\"Environment\":{\"Variables\":{\"A\":\"b\"}}}"),
                                 NULL, &f->plan.configuration, &f->plan.code, &f->err),
             &f->err);
    node_put_str(cloud->arena, head, "KMSKeyArn", STR("key"));
    node_put_c(cloud->arena, head, "Environment", error);
    assert_int_equal(publish(f, &version), -1);
    assert_int_equal(f->err.kind, ERR_REFUSED);
    assert_true(str_find(f->err.msg, STR("not for you"), 0) >= 0);
    assert_true(str_find(f->err.help, STR("kms:Decrypt"), 0) >= 0);
    err_clear(&f->err);
    assert_int_equal(fake_calls(cloud, "UpdateFunctionConfiguration"), 0);
    /* another stage's key hides another stage's variables: they are overwritten */
    node_put_str(cloud->arena, head, "KMSKeyArn", STR("theirs"));
    check_ok(publish(f, &version), &f->err);
    /* and no variables of ours are not the same as hidden ones */
    struct str member;
    const struct node *none = parse(f->arena, "{\"Environment\":{\"Variables\":{}}}");
    struct node *observed = node_map(f->arena);
    node_put_c(f->arena, observed, "Environment", error);
    assert_false(definition_matches(none, observed, &member));
}

static void test_check(void **state)
{
    struct fixture *f = *state;
    struct str version;
    bool usable = true;
    check_ok(publish_check(f->arena, &f->release, &f->plan, STR("1"), &usable, &f->err), &f->err);
    assert_false(usable);
    check_ok(publish(f, &version), &f->err);
    struct node *made = cloud->functions.p[0].versions.p[0];
    static const struct {
        const char *member, *value;
    } others[] = {{"MemorySize", "1024"},
                  {"CodeSha256", "\"x\""},
                  {"State", "\"Failed\""},
                  {"Architectures", "[\"arm64\"]"}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct node *before = node_get_c(made, others[i].member);
        node_put_c(cloud->arena, made, others[i].member, parse(f->arena, others[i].value));
        check_ok(publish_check(f->arena, &f->release, &f->plan, version, &usable, &f->err),
                 &f->err);
        assert_false(usable);
        node_put_c(cloud->arena, made, others[i].member, before);
    }
    check_ok(publish_check(f->arena, &f->release, &f->plan, version, &usable, &f->err), &f->err);
    assert_true(usable);
}

/* ---- APIs ---- */

#define DOCUMENT                                                                     \
    "{\"paths\":{\"/items\":{\"get\":{\"x-amazon-apigateway-integration\":"          \
    "{\"type\":\"aws_proxy\",\"uri\":\"arn:aws:x\"}}},\"/{id}\":{\"parameters\":[]," \
    "\"post\":{\"x-amazon-apigateway-integration\":{\"type\":\"http\",\"uri\":\"u\"}}}}}"

static void clear_api(struct fake_aws *aws)
{
    aws->apis.p[0].resources = node_seq(aws->arena);
}

static void test_api(void **state)
{
    struct fixture *f = *state;
    struct layout_api api = {.kind = API_REST, .id = STR("ApiGatewayRestApi")};
    struct api_plan plan = {.api = &api, .aws_id = STR("api1"), .document = STR(DOCUMENT)};
    struct str deployment;
    fake_api_add(cloud, "api1");
    /* an earlier run was stopped between cutting and recording */
    struct node *left = node_map(cloud->arena), *other = node_map(cloud->arena);
    node_put_str(cloud->arena, left, "id", STR("left"));
    node_put_str(cloud->arena, left, "description", STR("shop dev#1"));
    node_put_str(cloud->arena, other, "id", STR("other"));
    node_put_str(cloud->arena, other, "description", STR("shop dev#11"));
    vec_push(cloud->arena, &cloud->apis.p[0].deployments, left);
    vec_push(cloud->arena, &cloud->apis.p[0].deployments, other);
    check_ok(publish_api(f->arena, &f->release, &plan, STR("shop dev#1"), &deployment, &f->err),
             &f->err);
    assert_int_equal(cloud->apis.p[0].deployments.n, 2);
    for (size_t i = 0; i < 2; i++)
        assert_false(node_is_text(node_get_c(cloud->apis.p[0].deployments.p[i], "id"), "left"));
    /* somebody empties the API before and after the deployment is cut: that deployment does not
     * count */
    static const char *const steps[] = {"GetResources", "CreateDeployment"};
    for (size_t i = 0; i < 2; i++) {
        fake_fault(cloud, (struct fake_fault){FAULT_RACE, steps[i], .race = clear_api});
        check_ok(publish_api(f->arena, &f->release, &plan, STR("shop dev#2"), &deployment, &f->err),
                 &f->err);
        assert_int_equal(cloud->apis.p[0].resources->count, 2);
        size_t ours = 0;
        for (size_t k = 0; k < cloud->apis.p[0].deployments.n; k++)
            ours += node_is_text(node_get_c(cloud->apis.p[0].deployments.p[k], "description"),
                                 "shop dev#2");
        assert_int_equal(ours, 1);
    }
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, "GetResources", .race = clear_api, .times = 100});
    check_failed(f,
                 publish_api(f->arena, &f->release, &plan, STR("shop dev#3"), &deployment, &f->err),
                 ERR_FAILED, "does not consist of what was sent");
    plan.aws_id = STR("gone");
    check_failed(f,
                 publish_api(f->arena, &f->release, &plan, STR("shop dev#3"), &deployment, &f->err),
                 ERR_NOT_FOUND, "ApiGatewayRestApi");
}

/* ---- pointers ---- */

static struct node *add_alias(struct fake_function *function, const char *name, const char *version)
{
    struct node *alias = node_map(cloud->arena);
    node_put_str(cloud->arena, alias, "Name", str_c(name));
    node_put_str(cloud->arena, alias, "FunctionVersion", str_c(version));
    vec_push(cloud->arena, &function->aliases, alias);
    return alias;
}

static void test_pointers(void **state)
{
    struct fixture *f = *state;
    struct node *mine = add_alias(&cloud->functions.p[0], "dev", "1"),
                *neighbour = add_alias(&cloud->functions.p[0], "dev2", "1");
    struct fake_api *api = fake_api_add(cloud, "api1");
    struct node *stage = node_map(cloud->arena);
    node_put_str(cloud->arena, stage, "stageName", STR("dev"));
    node_put_str(cloud->arena, stage, "deploymentId", STR("d1"));
    vec_push(cloud->arena, &api->stages, stage);
    struct pointer all[] = {
        {.key = STR("api"), .owner = STR("shop-api"), .stage = STR("dev"), .want = STR("2")},
        {.gateway = &gateway_rest,
         .key = STR("Rest"),
         .owner = STR("api1"),
         .stage = STR("dev"),
         .want = STR("d2")}};
    struct pointers pointers = {all, 2};
    struct drift *astray;
    size_t n;
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    check_ok(pointers_reconcile(&f->release, &pointers, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    assert_true(node_is_text(node_get_c(mine, "FunctionVersion"), "2"));
    assert_true(node_is_text(node_get_c(stage, "deploymentId"), "d2"));
    assert_true(node_is_text(node_get_c(neighbour, "FunctionVersion"), "1"));
    check_ok(pointers_reconcile(&f->release, &pointers, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
    assert_int_equal(fake_calls(cloud, "UpdateAlias"), 1);

    all[0].beside = STR("3"); /* it has weights */
    all[0].percent = 5;
    check_ok(pointers_move(&f->release, &pointers, NULL, &f->err), &f->err);
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
    all[0].percent = 6;
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    check_str(astray[0].is, "v2 95% v3 5%");
    all[0].percent = 0;
    check_ok(pointers_reconcile(&f->release, &pointers, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    assert_int_equal(node_count(node_path(mine, "RoutingConfig.AdditionalVersionWeights")), 0);

    /* Lambda's own weights, where it has provisioned concurrency; not on the way elsewhere */
    node_put_c(cloud->arena, mine, "RoutingConfig",
               parse(cloud->arena, "{\"AdditionalVersionWeights\":{\"1\":1.0}}"));
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    all[0].provisioned = true;
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
    all[0].want = STR("1");
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    all[0].want = STR("2");
    all[0].provisioned = false;

    /* the answer to a move is lost: the same call again does no harm */
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "UpdateAlias"});
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "UpdateStage"});
    check_ok(pointers_move(&f->release, &pointers, NULL, &f->err), &f->err);

    all[0].stage = all[1].stage = STR("gone");
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    check_str(astray[0].is, "nothing");
    check_ok(pointers_reconcile(&f->release, &pointers, &n, &f->err), &f->err);
    check_failed(f, pointers_move(&f->release, &pointers, NULL, &f->err), ERR_HALF_DONE,
                 "'gone' of");
    all[0].owner = STR("nobody");
    all[1].owner = STR("nothing");
    check_ok(pointers_check(&f->release, &pointers, &astray, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "GetAlias", NULL, 403,
                                          "AccessDeniedException", "no"});
    check_failed(f, pointers_check(&f->release, &pointers, &astray, &n, &f->err), ERR_DENIED, "");
}

static void test_pointers_of(void **state)
{
    struct fixture *f = *state;
    struct function_plan functions[] = {
        {.function = &f->function, .from = STR("1"), .to = STR("2")},
        {.function = &f->function, .to = STR("1")}}; /* a new function pointed nowhere before */
    struct layout_api api = {.kind = API_HTTP, .id = STR("HttpApi")};
    struct api_plan apis[] = {
        {.api = &api, .aws_id = STR("a"), .from = STR("d1"), .to = STR("d2")}};
    struct plan plan = {.functions = functions, .function_count = 2, .apis = apis, .api_count = 1};
    struct pointers to, back;
    plan.world.stage.tags = parse(f->arena, "{\"troupe:stage\":\"dev\"}");
    pointers_of(f->arena, &plan, false, &to);
    pointers_of(f->arena, &plan, true, &back);
    assert_int_equal(to.n, 3);
    assert_int_equal(back.n, 2);
    check_str(to.all[0].want, "2");
    check_str(back.all[0].want, "1");
    check_str(back.all[1].want, "d1");
    assert_ptr_equal(to.all[2].gateway, &gateway_http);
    check_str(pointer_text(f->arena, STR("3"), STR("4"), 10), "v3 90% v4 10%");
}

static void test_unusable(void **state)
{
    struct fixture *f = *state;
    struct str version;
    struct record record = {0};
    struct lambda_function got;
    const char *why;
    check_ok(publish(f, &version), &f->err);
    struct pointer p = {.key = STR("api"), .owner = STR("shop-api"), .want = version};
    record.body =
        body_of(f->arena, str_fmt(f->arena, "{\"functions\":{\"api\":{\"artifact\":\"%.*s\"}}}",
                                  STR_ARG(f->artifact.sha256_hex))
                              .p);
    check_ok(pointer_unusable(f->arena, &f->release, &record, &p, &got, &why, &f->err), &f->err);
    assert_null(why);
    struct node *made = cloud->functions.p[0].versions.p[0];
    node_put_str(cloud->arena, made, "CodeSha256", sha256_base64(cloud->arena, STR("made again")));
    check_ok(pointer_unusable(f->arena, &f->release, &record, &p, &got, &why, &f->err), &f->err);
    assert_string_equal(why, "is not what was deployed");
    node_put_str(cloud->arena, made, "State", STR("Failed"));
    check_ok(pointer_unusable(f->arena, &f->release, &record, &p, &got, &why, &f->err), &f->err);
    assert_string_equal(why, "cannot run any more");
    p.want = STR("77");
    check_ok(pointer_unusable(f->arena, &f->release, &record, &p, &got, &why, &f->err), &f->err);
    assert_string_equal(why, "is gone");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_publish),
        TEST(test_contention),
        TEST(test_endless_contention),
        TEST(test_busy),
        TEST(test_lost_answers),
        TEST(test_fresh_roles),
        TEST(test_failures),
        TEST(test_check),
        TEST(test_api),
        TEST(test_pointers),
        TEST(test_pointers_of),
        TEST(test_unusable),
        TEST(test_head_is_read_back),
        TEST(test_version_is_read_back),
        TEST(test_version_is_awaited),
        TEST(test_failed_head),
        TEST(test_failed_update),
        TEST(test_slow_version),
        TEST(test_failed_version),
        TEST(test_too_large),
        TEST(test_unreadable),
    };
    return cmocka_run_group_tests_name("publish", tests, cloud_start, cloud_stop);
}
