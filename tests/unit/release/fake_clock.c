/* The C library's clocks and waits, moved by the test. */
#include "fake_clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { START_MONO_MS = 5000000 };
#define START_WALL_MS INT64_C(1767225600000) /* 2026-01-01 */

static _Atomic int64_t passed, suspended, stepped;
static atomic_int waiters, signals;
static atomic_bool no_threads;
/* the clock that this thread asked last: a time to wait for was made of it */
static _Thread_local clockid_t asked;

void fake_clock_reset(void)
{
    atomic_store(&passed, 0);
    atomic_store(&suspended, 0);
    atomic_store(&stepped, 0);
    atomic_store(&no_threads, false);
}

void fake_clock_pass(int64_t ms)
{
    atomic_fetch_add(&passed, ms);
}

void fake_clock_suspend(int64_t ms)
{
    atomic_fetch_add(&suspended, ms);
}

void fake_clock_step(int64_t ms)
{
    atomic_fetch_add(&stepped, ms);
}

int64_t fake_clock_passed(void)
{
    return atomic_load(&passed) + atomic_load(&suspended);
}

void fake_clock_await_waiters(int n)
{
    while (atomic_load(&waiters) != n)
        usleep(200);
}

void fake_clock_forbid_threads(bool forbid)
{
    atomic_store(&no_threads, forbid);
}

static int64_t now_ms(clockid_t id)
{
    if (id == CLOCK_REALTIME)
        return START_WALL_MS + fake_clock_passed() + atomic_load(&stepped);
    return START_MONO_MS + (id == CLOCK_BOOTTIME ? fake_clock_passed() : atomic_load(&passed));
}

/* ---- functions that the linker puts in place of the C library's ---- */

int __wrap_clock_gettime(clockid_t id, struct timespec *ret);
int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_nanosleep(const struct timespec *request, struct timespec *left);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __real_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
    int64_t ms = now_ms(id);
    asked = id;
    *ret = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    return 0;
}

int __wrap_nanosleep(const struct timespec *request, struct timespec *left)
{
    (void)left;
    fake_clock_pass((int64_t)request->tv_sec * 1000 + request->tv_nsec / 1000000);
    sched_yield();
    return 0;
}

/* Whoever signals holds the lock; a waiter that looks now and then sees the signal. */
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    atomic_fetch_add(&signals, 1);
    return __real_pthread_cond_signal(cond);
}

/* A wait until `until`. It is a time of the clock that this thread asked last. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock,
                                  const struct timespec *until)
{
    enum { LOOK_NS = 300000 };
    int64_t end = (int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000;
    int woken = ETIMEDOUT, before = atomic_load(&signals);
    atomic_fetch_add(&waiters, 1);
    while (woken == ETIMEDOUT && now_ms(asked) < end) {
        struct timespec look;
        __real_clock_gettime(CLOCK_MONOTONIC, &look);
        look.tv_nsec += LOOK_NS;
        if (look.tv_nsec >= 1000000000) {
            look.tv_sec++;
            look.tv_nsec -= 1000000000;
        }
        woken = pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &look);
        if (atomic_load(&signals) != before)
            woken = 0;
    }
    atomic_fetch_sub(&waiters, 1);
    return woken;
}

int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context)
{
    return atomic_load(&no_threads) ? EAGAIN : __real_pthread_create(ret, attributes, run, context);
}
