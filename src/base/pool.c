/* Worker threads: a shared counter hands out indices. */
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct pool {
    pool_fn *fn;
    void *context;
    struct arena *into; /* guarded by the lock; NULL: what a piece made is released with it */
    size_t n;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock;
    size_t failed_index; /* under lock */
    struct err failure;  /* under lock */
};

static void keep_first(struct pool *p, size_t index, struct err *err)
{
    pthread_mutex_lock(&p->lock);
    if (p->failure.kind == ERR_NONE || index < p->failed_index) {
        err_clear(&p->failure);
        err_move(&p->failure, err);
        p->failed_index = index;
    }
    pthread_mutex_unlock(&p->lock);
    err_clear(err);
    atomic_store(&p->failed, true);
}

static void hand_over(struct pool *p, struct arena *own)
{
    if (!p->into) {
        arena_free(own);
        return;
    }
    pthread_mutex_lock(&p->lock);
    arena_join(p->into, own);
    pthread_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
    struct pool *p = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&p->next, 1);
        if (i >= p->n || atomic_load(&p->failed))
            return NULL;
        struct err err = {0};
        struct arena *own = arena_new();
        if (p->fn(i, p->context, own, &err) < 0)
            keep_first(p, i, &err);
        hand_over(p, own);
    }
}

enum { JOBS_MAX = 64 };

int pool_run(size_t n, unsigned jobs, pool_fn *fn, void *context, struct err *err)
{
    return pool_run_into(NULL, n, jobs, fn, context, err);
}

int pool_run_into(struct arena *into, size_t n, unsigned jobs, pool_fn *fn, void *context,
                  struct err *err)
{
    struct pool p = {
        .fn = fn, .context = context, .into = into, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    if (!jobs) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        jobs = cores > 0 ? (unsigned)cores : 1;
    }
    if (jobs > n)
        jobs = (unsigned)n;
    if (jobs > JOBS_MAX)
        jobs = JOBS_MAX;
    pthread_t threads[JOBS_MAX];
    unsigned started = 0;
    while (started + 1 < jobs && pthread_create(&threads[started], NULL, work, &p) == 0)
        started++;
    work(&p);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&p.lock);
    if (p.failure.kind == ERR_NONE)
        return 0;
    err_move(err, &p.failure);
    return -1;
}
