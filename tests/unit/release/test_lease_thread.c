/* Leases against a server of the test's own: renewing by the clock that nobody sets, and without
 * a thread to renew. The linker puts this file's two functions in place of pthread's
 * (meson.build). */
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "aws/loopback.h"
#include "release/bucket/lease.h"

static const struct reply written[] = {{200, "ETag: \"1\"\r\n", "", WHOLE, 0}};

static atomic_bool no_threads;
static atomic_int waits;
static _Atomic int64_t wait_ms; /* how far ahead on the monotonic clock the first wait would end */
static sem_t renewed;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                          void *arg)
{
    return atomic_load(&no_threads) ? EAGAIN : __real_pthread_create(thread, attr, start, arg);
}

/* The first wait is over at once. When the second one begins, the lease has been renewed. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (atomic_fetch_add(&waits, 1) == 0) {
        atomic_store(&wait_ms, (until->tv_sec - now.tv_sec) * 1000);
        return ETIMEDOUT;
    }
    sem_post(&renewed);
    return __real_pthread_cond_timedwait(cond, lock, until);
}

struct fixture {
    struct arena *arena;
    struct loopback *server;
    struct store store;
    struct err err;
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new(), .server = loopback_start(written, 1)};
    struct aws_options options = {.region = STR("eu-central-1"),
                                  .endpoint_url = loopback_url(f->server),
                                  .access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("very-secret-key")};
    f->store = (struct store){aws_new(&options, &f->err), STR("bucket"), STR("shop")};
    assert_non_null(f->store.aws);
}

static void tear_down(struct fixture *f)
{
    aws_free(f->store.aws);
    loopback_stop(f->server);
    err_clear(&f->err);
    arena_free(f->arena);
}

static void a_lease_is_renewed_by_the_clock_that_nobody_sets(void **state)
{
    (void)state;
    struct fixture f;
    struct lease *lease = NULL;
    set_up(&f);
    atomic_store(&waits, 0);
    sem_init(&renewed, 0, 0);
    check_ok(lease_take_stage(&f.store, STR("dev"), "deploy", &lease, &f.err), &f.err);
    sem_wait(&renewed);
    assert_in_range(atomic_load(&wait_ms), LEASE_RENEW_MS - 2000, LEASE_RENEW_MS + 2000);
    assert_int_equal(loopback_requests(f.server), 2);
    struct str request = loopback_request(f.server, 1);
    assert_true(str_find(request, STR("/troupe/shop/locks/stage-dev.json"), 0) > 0);
    check_str(loopback_header(f.arena, f.server, 1, "if-match"), "\"1\"");
    check_ok(lease_check(lease, &f.err), &f.err);
    lease_release(&lease);
    sem_destroy(&renewed);
    tear_down(&f);
}

static void a_lease_that_no_thread_can_renew_is_given_back(void **state)
{
    (void)state;
    struct fixture f;
    struct lease *lease = NULL;
    set_up(&f);
    /* The server starts its own thread for a connection: it has this one already. */
    struct s3_put first = {.key = STR("first"), .body = STR("x")};
    check_ok(store_put(f.arena, &f.store, &first, NULL, &f.err), &f.err);
    atomic_store(&no_threads, true);
    int taken = lease_take_stage(&f.store, STR("dev"), "deploy", &lease, &f.err);
    atomic_store(&no_threads, false);
    assert_int_equal(taken, -1);
    assert_null(lease);
    assert_true(str_find(err_render(f.arena, &f.err, false), STR("cannot start the thread"), 0) >=
                0);
    struct str last = loopback_request(f.server, loopback_requests(f.server) - 1);
    assert_true(str_starts(last, STR("DELETE ")));
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_is_renewed_by_the_clock_that_nobody_sets),
        cmocka_unit_test(a_lease_that_no_thread_can_renew_is_given_back),
    };
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
