/* Token buckets: how fast AWS lets an account call each API, so that troupe waits before it is
 * refused. Slower for a while after a refusal. Source: quotas of Lambda and API Gateway. */
#ifndef TROUPE_AWS_CLIENT_RATELIMIT_H
#define TROUPE_AWS_CLIENT_RATELIMIT_H

#include <pthread.h>

#include "aws/aws.h"

enum { RATE_BUCKETS_MAX = 8 };

struct bucket {
    double tokens, rate; /* `rate` a second now, at most the table's */
    int64_t filled_ms;
};

struct ratelimit {
    pthread_mutex_t lock;
    bool off;
    struct bucket buckets[RATE_BUCKETS_MAX];
};

/* Full buckets. TROUPE_RATE_LIMITS=off in the environment (for tests) never waits. */
void ratelimit_init(struct ratelimit *limits, int64_t mono_ms);
/* Take one call's tokens; returns milliseconds to wait before sending, 0: none. */
int64_t ratelimit_take(struct ratelimit *limits, const char *service, const char *operation,
                       int64_t mono_ms);
/* The call was throttled, or not. */
void ratelimit_result(struct ratelimit *limits, const char *service, const char *operation,
                      bool throttled);

#endif
