/* Leases against a scripted S3, on clocks that the test moves. */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "doc/json.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "release/bucket/lease_content.h"
#include "release/bucket/lease_list.h"

#define KEY "troupe/shop/locks/stage-dev.json"

struct fixture {
    struct arena *arena;
    struct aws *aws;
    struct store store;
    struct err err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
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

static struct str holder(struct arena *a, const char *nonce, struct str host, long pid,
                         long lasts_ms)
{
    return str_fmt(a,
                   "{\"format\":1,\"nonce\":\"%s\",\"host\":\"%.*s\",\"pid\":%ld,"
                   "\"user\":\"ann\",\"purpose\":\"roll back 'dev'\",\"lasts_ms\":%ld}",
                   nonce, STR_ARG(host), pid, lasts_ms);
}

static struct str elsewhere(struct arena *a)
{
    return holder(a, "theirs", STR("far/boot"), 1, LEASE_MS);
}

static int take(struct fixture *f, int64_t wait_ms, struct lease **ret)
{
    return lease_take(&f->store, STR("stage-dev"), STR("deploy 'dev'"), wait_ms, ret, &f->err);
}

static struct str nonce_in_bucket(struct fixture *f)
{
    struct err err = {0};
    struct str text = fake_get(cloud, KEY);
    return text.p ? node_text(node_get_c(json_parse(f->arena, STR(KEY), text, &err), "nonce"))
                  : (struct str){"", 0};
}

static void test_take_and_give_back(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    struct err err = {0};
    check_ok(take(f, 0, &lease), &f->err);
    const struct node *content = json_parse(f->arena, STR(KEY), fake_get(cloud, KEY), &err);
    check_str(node_text(node_get_c(content, "purpose")), "deploy 'dev'");
    assert_int_equal(node_int_or(node_get_c(content, "pid"), 0), getpid());
    assert_int_equal(node_int_or(node_get_c(content, "lasts_ms"), 0), LEASE_MS);
    assert_true(str_eq(lease_nonce(lease), nonce_in_bucket(f)));
    assert_false(lease_inherited(lease));
    assert_int_equal(lease_inherited_nonce(lease).n, 0);
    check_ok(lease_check(lease, &f->err), &f->err);
    lease_release(&lease);
    assert_null(lease);
    assert_null(fake_get(cloud, KEY).p);
    lease_release(&lease);
    check_ok(lease_check(NULL, &f->err), &f->err);
    assert_false(lease_lost(NULL));
    assert_int_equal(lease_nonce(NULL).n, 0);
}

/* Two commands of this process exclude each other, as two of different machines do. */
static void test_held(void **state)
{
    struct fixture *f = *state;
    struct lease *first = NULL, *second = NULL;
    check_ok(take(f, 0, &first), &f->err);
    check_failed(f, take(f, 3000, &second), ERR_LOCKED, "is at work: deploy 'dev'");
    assert_null(second);
    assert_true(fake_clock_passed() >= 3000);
    lease_release(&first);
    check_ok(take(f, 0, &second), &f->err);
    lease_release(&second);
    fake_put(cloud, KEY, elsewhere(f->arena));
    check_failed(f, take(f, 0, &second), ERR_LOCKED,
                 "deploy 'dev': 'ann' on 'far' (process 1) is at work: roll back 'dev'");
    assert_true(str_eq(fake_get(cloud, KEY), elsewhere(f->arena)));
}

/* Where it cannot be deleted, a mark says that nobody has it; nobody was interrupted. */
static void test_given_back(void **state)
{
    struct fixture *f = *state;
    struct lease *first = NULL, *second = NULL;
    struct lease_info *held;
    size_t n;
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "DeleteObject", NULL, 501, "NotImplemented",
                                          "A header you provided implies functionality that is "
                                          "not implemented",
                                          .times = 1});
    check_ok(take(f, 0, &first), &f->err);
    lease_release(&first);
    assert_non_null(fake_get(cloud, KEY).p);
    check_ok(leases_list(f->arena, &f->store, &held, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
    check_ok(take(f, 0, &second), &f->err);
    assert_false(lease_inherited(second));
    assert_int_equal(lease_inherited_nonce(second).n, 0);
    lease_release(&second);
    assert_null(fake_get(cloud, KEY).p);
}

/* A command that waits gets the lease when it runs out. */
static void test_wait_until_it_runs_out(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    fake_put(cloud, KEY, elsewhere(f->arena));
    check_ok(take(f, 2 * LEASE_MS, &lease), &f->err);
    assert_true(fake_clock_passed() > LEASE_MS);
    assert_true(lease_inherited(lease));
    check_str(lease_inherited_nonce(lease), "theirs");
    lease_release(&lease);
}

static void test_stop_while_waiting(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    fake_put(cloud, KEY, elsewhere(f->arena));
    cancel_request();
    assert_int_equal(take(f, LEASE_MS, &lease), -1);
    assert_int_equal(f->err.kind, ERR_CANCELLED);
    cancel_clear();
}

/* ^C: what was begun may be half done, and nobody waits until the lease has run out. */
static void test_stopped_holder(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    struct lease_info *held;
    size_t n;
    check_ok(take(f, 0, &lease), &f->err);
    struct str nonce = str_dup(f->arena, lease_nonce(lease));
    cancel_request();
    lease_release(&lease);
    assert_true(cancel_requested());
    cancel_clear();
    check_ok(leases_list(f->arena, &f->store, &held, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
    check_ok(take(f, 0, &lease), &f->err);
    assert_true(lease_inherited(lease));
    check_str(lease_inherited_nonce(lease), str_z(f->arena, nonce));
    lease_release(&lease);
    assert_null(fake_get(cloud, KEY).p);
}

/* ^C, and S3 does not answer: the end comes all the same. */
static void test_stopped_without_network(void **state)
{
    enum { PATIENCE_MS = 6000 };
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "PutObject", NULL, 503, "SlowDown",
                                          "Please reduce your request rate", .times = 100});
    cancel_request();
    int64_t begun = fake_clock_passed();
    lease_release(&lease);
    assert_true(fake_clock_passed() - begun < PATIENCE_MS);
    assert_non_null(fake_get(cloud, KEY).p);
}

/* Whether a lease has run out is decided by S3's clock alone. */
static void test_whose_clock(void **state)
{
    static const struct {
        int64_t s3_ms, wall_ms;
        long lasts_ms;
        bool taken;
    } cases[] = {
        {0, 0, LEASE_MS, false},
        {LEASE_MS - 1000, 0, LEASE_MS, false},
        {LEASE_MS, 0, LEASE_MS, false}, /* at this moment it is still the holder's */
        {LEASE_MS + 1000, 0, LEASE_MS, true},
        /* this machine's clock is two days ahead */
        {0, 48 * 3600 * 1000, LEASE_MS, false},
        /* this machine's clock is two days behind */
        {LEASE_MS + 1000, -48 * 3600 * 1000, LEASE_MS, true},
        /* the holder says how long it lasts */
        {LEASE_MS + 1000, 0, 5 * LEASE_MS, false},
        /* the holder says that it lasts for no time at all */
        {2000, 0, 0, true},
        {-3600 * 1000, 0, LEASE_MS, false}, /* S3's clock is set back */
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lease *lease = NULL;
        fake_aws_reset(cloud);
        fake_put(cloud, KEY, holder(f->arena, "theirs", STR("far/boot"), 1, cases[i].lasts_ms));
        cloud->skew_ms = cases[i].s3_ms;
        fake_clock_step(cases[i].wall_ms);
        int taken = take(f, 0, &lease);
        assert_int_equal(taken == 0, cases[i].taken);
        assert_int_equal(lease_inherited(lease), cases[i].taken);
        err_clear(&f->err);
        lease_release(&lease);
    }
}

static long dead_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void test_dead_holder(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    struct str here = lease_host(f->arena);
    long dead = dead_process();
    fake_put(cloud, KEY, holder(f->arena, "dead", here, dead, LEASE_MS));
    check_ok(take(f, 0, &lease), &f->err);
    check_str(lease_inherited_nonce(lease), "dead");
    lease_release(&lease);
    /* the same process number on another machine, or before this machine was started, says
     * nothing */
    fake_put(cloud, KEY, holder(f->arena, "x", STR("far/boot"), dead, LEASE_MS));
    check_failed(f, take(f, 0, &lease), ERR_LOCKED, "'far'");
    struct str name = here, boot;
    str_cut(&name, '/', &boot);
    fake_put(
        cloud, KEY,
        holder(f->arena, "x", str_fmt(f->arena, "%.*s/before", STR_ARG(boot)), dead, LEASE_MS));
    check_failed(f, take(f, 0, &lease), ERR_LOCKED, "is at work");
}

static void test_unreadable_content(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    fake_put(cloud, KEY, STR("{\"nonce\": "));
    check_failed(f, take(f, 0, &lease), ERR_LOCKED, "the lease cannot be read");
    check_ok(take(f, 2 * LEASE_MS, &lease), &f->err);
    lease_release(&lease);
}

/* `troupe unlock` shows it, and can break it. */
static void test_unreadable_is_listed(void **state)
{
    struct fixture *f = *state;
    struct lease_info *all;
    size_t n;
    bool gone;
    fake_put(cloud, KEY, STR("{\"nonce\": 7}"));
    check_ok(leases_list(f->arena, &f->store, &all, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    check_str(all[0].user, "somebody");
    check_ok(lease_break(f->arena, &f->store, &all[0], &gone, &f->err), &f->err);
    check_ok(leases_list(f->arena, &f->store, &all, &n, &f->err), &f->err);
    assert_int_equal(n, 0);
}

/* What a newer troupe says is not guessed at, even when it seems to have run out. */
static void test_newer_content(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    struct lease_info *all;
    size_t n;
    fake_put(cloud, KEY, STR("{\"format\": 2, \"tool\": \"9.1\", \"nonce\": [1]}"));
    cloud->skew_ms = 2 * LEASE_MS;
    check_failed(f, take(f, 0, &lease), ERR_FAILED, "has format 2, written by troupe 9.1");
    assert_null(lease);
    check_failed(f, leases_list(f->arena, &f->store, &all, &n, &f->err), ERR_FAILED,
                 "has format 2");
}

/* A holder is told that its lease is lost when another's, or anything else, stands in its place. */
static void test_replaced_content(void **state)
{
    static const char *const others[] = {"oops", "{\"format\": 2}", "{\"format\": 1}"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct lease *lease = NULL;
        fake_aws_reset(cloud);
        check_ok(take(f, 0, &lease), &f->err);
        fake_put(cloud, KEY, str_c(others[i]));
        fake_clock_pass(LEASE_SEEN_MS);
        check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "broken or taken over");
        lease_release(&lease);
        check_str(fake_get(cloud, KEY), others[i]);
    }
}

static void put_theirs(struct fake_aws *aws)
{
    fake_put_locked(aws, KEY, holder(aws->arena, "faster", STR("far/boot"), 1, LEASE_MS));
}

/* Two see that the lease has run out, and one of them is faster. */
static void test_two_take_over(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    fake_put(cloud, KEY, elsewhere(f->arena));
    cloud->skew_ms = 2 * LEASE_MS;
    fake_fault(cloud, (struct fake_fault){FAULT_RACE, "PutObject", .race = put_theirs, .skip = 1});
    check_failed(f, take(f, 0, &lease), ERR_LOCKED, "is at work");
    check_str(nonce_in_bucket(f), "faster");
}

/* The first write takes effect and its answer is lost; the client sends it again. */
static void test_lost_answers(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject"});
    check_ok(take(f, 0, &lease), &f->err);
    assert_int_equal(fake_calls(cloud, "PutObject"), 2);
    assert_false(lease_inherited(lease));
    check_ok(lease_check(lease, &f->err), &f->err);
    lease_release(&lease);
    assert_null(fake_get(cloud, KEY).p);
    /* The same when the lease is taken over. */
    fake_put(cloud, KEY, holder(f->arena, "dead", lease_host(f->arena), dead_process(), LEASE_MS));
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject", .skip = 1});
    check_ok(take(f, 0, &lease), &f->err);
    check_str(lease_inherited_nonce(lease), "dead");
    lease_release(&lease);
    assert_null(fake_get(cloud, KEY).p);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    static const char *const operations[] = {"PutObject", "GetObject", "ListObjectsV2"};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        fake_put(cloud, KEY, elsewhere(f->arena));
        fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, operations[i], NULL, 403,
                                              "AccessDenied", "no"});
        check_failed(f, take(f, 0, &lease), ERR_DENIED, operations[i]);
        assert_null(lease);
    }
}

/* ---- renewing ---- */

/* Let the time of a renewal come, and wait until it was written. */
static void pass_and_renew(size_t puts)
{
    fake_clock_await_waiters(1);
    fake_clock_pass(LEASE_RENEW_MS);
    fake_await_calls(cloud, "PutObject", puts);
    fake_clock_await_waiters(1);
}

static void test_renew(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL, *other = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    for (size_t i = 0; i < 5; i++) { /* longer than the lease lasts */
        pass_and_renew(2 + i);
        assert_false(lease_lost(lease));
        check_ok(lease_check(lease, &f->err), &f->err);
    }
    check_failed(f, take(f, 0, &other), ERR_LOCKED, "is at work");
    lease_release(&lease);
    assert_null(fake_get(cloud, KEY).p);
}

/* The answer to a renewal is lost. Sent again it is refused, finds its own content, and goes on
 * with the tag of that. */
static void test_renewal_lost_answer(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_LOST, "PutObject"});
    pass_and_renew(3); /* one renewal is sent twice */
    assert_false(lease_lost(lease));
    pass_and_renew(4);
    assert_int_equal(fake_calls(cloud, "PutObject"), 4);
    check_ok(lease_check(lease, &f->err), &f->err);
    lease_release(&lease);
    assert_null(fake_get(cloud, KEY).p);
}

/* Another has taken the lease: the renewal finds out and leaves the other's alone. */
static void test_renewal_meets_another(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_put(cloud, KEY, elsewhere(f->arena));
    pass_and_renew(2);
    assert_true(lease_lost(lease));
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "broken or taken over");
    lease_release(&lease);
    check_str(nonce_in_bucket(f), "theirs");
}

static void test_renewal_finds_nothing(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_delete(cloud, KEY);
    pass_and_renew(2);
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "broken or taken over");
    lease_release(&lease);
}

/* No renewal gets through: the lease runs out, by the clock that goes on while the machine
 * sleeps. */
static void test_renewal_fails(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "PutObject", NULL, 403, "AccessDenied",
                                          "no", .times = 99});
    pass_and_renew(2);
    check_ok(lease_check(lease, &f->err), &f->err);
    pass_and_renew(3);
    pass_and_renew(4);
    assert_true(lease_lost(lease));
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "has run out");
    lease_release(&lease);
}

static void test_machine_sleeps(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_clock_await_waiters(1);
    fake_fault(cloud, (struct fake_fault){FAULT_REFUSE, "PutObject", NULL, 403, "AccessDenied",
                                          "no", .times = 99});
    fake_clock_suspend(LEASE_MS);
    assert_true(lease_lost(lease));
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "has run out");
    lease_release(&lease);
}

/* Before each change the lease is looked at when it was not for a while, however young its
 * renewal. */
static void test_check_looks(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_put(cloud, KEY, elsewhere(f->arena));
    fake_clock_pass(LEASE_SEEN_MS - 1);
    check_ok(lease_check(lease, &f->err), &f->err);
    assert_int_equal(fake_calls(cloud, "GetObject"), 0);
    fake_clock_pass(1);
    assert_false(lease_lost(lease));
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "broken or taken over");
    assert_true(lease_lost(lease));
    lease_release(&lease);
    check_str(nonce_in_bucket(f), "theirs");
}

/* The lease is given back only while it is still ours. */
static void test_release_of_anothers(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL;
    check_ok(take(f, 0, &lease), &f->err);
    fake_put(cloud, KEY, elsewhere(f->arena));
    lease_release(&lease);
    check_str(nonce_in_bucket(f), "theirs");
}

/* ---- from outside ---- */

static void test_list_and_break(void **state)
{
    struct fixture *f = *state;
    struct lease *lease = NULL, *next = NULL;
    struct lease_info *all;
    size_t n;
    bool gone;
    check_ok(take(f, 0, &lease), &f->err);
    fake_put(cloud, "troupe/shop/locks/service.json", elsewhere(f->arena));
    fake_put(cloud, "troupe/shop/locks/note.txt", STR("x"));
    fake_put(cloud, "troupe/shop-api/locks/service.json", elsewhere(f->arena));
    check_ok(leases_list(f->arena, &f->store, &all, &n, &f->err), &f->err);
    assert_int_equal(n, 2);
    check_str(all[0].name, "service");
    check_str(all[0].user, "ann");
    check_str(all[0].host, "far");
    assert_int_equal(all[0].ends_ms - all[0].date_ms, LEASE_MS);
    assert_false(all[0].dead);
    check_str(all[1].name, "stage-dev");
    assert_int_equal(all[1].pid, getpid());
    check_ok(lease_break(f->arena, &f->store, &all[1], &gone, &f->err), &f->err);
    assert_false(gone);
    check_ok(leases_list(f->arena, &f->store, &all, &n, &f->err), &f->err);
    assert_int_equal(n, 1);
    struct str nonce = str_dup(f->arena, lease_nonce(lease));
    check_ok(take(f, 0, &next), &f->err); /* at once, as from a process that died */
    assert_true(str_eq(lease_inherited_nonce(next), nonce));
    fake_clock_pass(LEASE_SEEN_MS);
    check_failed(f, lease_check(lease, &f->err), ERR_LOCKED, "broken or taken over");
    lease_release(&lease);
    check_ok(lease_check(next, &f->err), &f->err);
    lease_release(&next);
}

static void renew_theirs(struct fake_aws *aws)
{
    fake_put_locked(aws, KEY, elsewhere(aws->arena));
}

static void drop_theirs(struct fake_aws *aws)
{
    aws->objects.n = 0;
}

static void test_break_races(void **state)
{
    static const struct {
        void (*race)(struct fake_aws *aws);
        int times;
        bool gone;
        const char *refused;
    } cases[] = {
        {renew_theirs, 2, false, NULL},
        {renew_theirs, 9, false, "being renewed all the time"},
        {put_theirs, 1, false, "changed hands"},
        {drop_theirs, 1, true, NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lease_info *all;
        size_t n;
        bool gone;
        fake_aws_reset(cloud);
        fake_put(cloud, KEY, elsewhere(f->arena));
        check_ok(leases_list(f->arena, &f->store, &all, &n, &f->err), &f->err);
        fake_fault(cloud, (struct fake_fault){FAULT_RACE, "PutObject", .race = cases[i].race,
                                              .times = cases[i].times});
        int done = lease_break(f->arena, &f->store, &all[0], &gone, &f->err);
        assert_int_equal(gone, cases[i].gone);
        if (cases[i].refused)
            check_failed(f, done, ERR_LOCKED, cases[i].refused);
        else
            check_ok(done, &f->err);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_take_and_give_back),
        TEST(test_given_back),
        TEST(test_held),
        TEST(test_wait_until_it_runs_out),
        TEST(test_stop_while_waiting),
        TEST(test_stopped_holder),
        TEST(test_stopped_without_network),
        TEST(test_whose_clock),
        TEST(test_dead_holder),
        TEST(test_unreadable_content),
        TEST(test_unreadable_is_listed),
        TEST(test_newer_content),
        TEST(test_replaced_content),
        TEST(test_two_take_over),
        TEST(test_lost_answers),
        TEST(test_refused),
        TEST(test_renew),
        TEST(test_renewal_lost_answer),
        TEST(test_renewal_meets_another),
        TEST(test_renewal_finds_nothing),
        TEST(test_renewal_fails),
        TEST(test_machine_sleeps),
        TEST(test_check_looks),
        TEST(test_release_of_anothers),
        TEST(test_list_and_break),
        TEST(test_break_races),
    };
    return cmocka_run_group_tests_name("lease", tests, cloud_start, cloud_stop);
}
