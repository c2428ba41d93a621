/* Token buckets. A call may run a bucket into debt and is told how long to wait until the debt is
 * paid, so calls go out in the order in which they came. */
#include "aws/client/ratelimit.h"

#include <assert.h>

static const struct limit {
    /* operation NULL: all operations without a row, or every operation (`every`) */
    const char *service, *operation;
    double rate, burst;
    bool every; /* also counts calls with a row of their own */
} limits_table[] = {
    {"lambda", "GetFunction", 100, 100, false},
    {"lambda", "Invoke", 1000, 1000, false},
    /* AWS documents 15 calls a second and says nothing about bursts. A switch moves fifty pointers
     * at once; a call that is throttled all the same is tried again later, when the bucket is
     * empty. */
    {"lambda", NULL, 15, 50, false},
    {"apigateway", "PutRestApi", 1, 1, false},
    {"apigateway", "CreateDeployment", 0.2, 1, false},
    {"apigateway", "DeleteRestApi", 1.0 / 30, 1, false},
    {"apigateway", NULL, 10, 40, true},
    {"apigatewayv2", NULL, 10, 40, true},
};

enum { LIMITS = sizeof limits_table / sizeof *limits_table };
static_assert((int)LIMITS <= (int)RATE_BUCKETS_MAX, "a bucket for every row");

void ratelimit_init(struct ratelimit *limits, int64_t mono_ms)
{
    const char *switched = getenv("TROUPE_RATE_LIMITS");
    limits->off = switched && strcmp(switched, "off") == 0;
    pthread_mutex_init(&limits->lock, NULL);
    for (size_t i = 0; i < LIMITS; i++)
        limits->buckets[i] = (struct bucket){limits_table[i].burst, limits_table[i].rate, mono_ms};
}

/* The first row from `from` on that counts this call; LIMITS: none. */
static size_t next_row(size_t from, const char *service, const char *operation, bool *own)
{
    for (size_t i = from; i < LIMITS; i++) {
        const struct limit *l = &limits_table[i];
        if (strcmp(l->service, service) != 0)
            continue;
        if (l->operation && strcmp(l->operation, operation) == 0) {
            *own = true;
            return i;
        }
        if (!l->operation && (!*own || l->every))
            return i;
    }
    return LIMITS;
}

static void refill(struct bucket *b, const struct limit *l, int64_t mono_ms)
{
    b->tokens += (double)(mono_ms - b->filled_ms) / 1000 * b->rate;
    if (b->tokens > l->burst)
        b->tokens = l->burst;
    b->filled_ms = mono_ms;
}

int64_t ratelimit_take(struct ratelimit *limits, const char *service, const char *operation,
                       int64_t mono_ms)
{
    if (limits->off)
        return 0;
    int64_t wait = 0;
    bool own = false;
    pthread_mutex_lock(&limits->lock);
    for (size_t i = 0; (i = next_row(i, service, operation, &own)) < LIMITS; i++) {
        struct bucket *b = &limits->buckets[i];
        refill(b, &limits_table[i], mono_ms);
        b->tokens -= 1;
        int64_t debt = b->tokens < 0 ? (int64_t)(-b->tokens / b->rate * 1000 + 0.5) : 0;
        if (debt > wait)
            wait = debt;
    }
    pthread_mutex_unlock(&limits->lock);
    return wait;
}

void ratelimit_result(struct ratelimit *limits, const char *service, const char *operation,
                      bool throttled)
{
    bool own = false;
    pthread_mutex_lock(&limits->lock);
    for (size_t i = 0; (i = next_row(i, service, operation, &own)) < LIMITS; i++) {
        const struct limit *l = &limits_table[i];
        struct bucket *b = &limits->buckets[i];
        double slowest = l->rate / 10;
        b->rate = throttled ? b->rate * 0.7 : b->rate + l->rate / 50;
        b->rate = b->rate > l->rate ? l->rate : b->rate < slowest ? slowest : b->rate;
        if (throttled && b->tokens > 0)
            b->tokens = 0;
    }
    pthread_mutex_unlock(&limits->lock);
}
