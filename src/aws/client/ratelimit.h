/* Token buckets: how fast AWS lets an account call each API. troupe waits before a call would be
 * refused, and calls more slowly for a while after a refusal. Source: quotas of Lambda and API
 * Gateway. */
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

/* Fill all buckets. With TROUPE_RATE_LIMITS=off in the environment (for tests) no call waits. */
void ratelimit_init(struct ratelimit *limits, int64_t mono_ms);
/* Take one call's tokens; returns milliseconds to wait before sending, 0: none. */
int64_t ratelimit_take(struct ratelimit *limits, const char *service, const char *operation,
                       int64_t mono_ms);
/* Tell what came of the call. */
void ratelimit_result(struct ratelimit *limits, const char *service, const char *operation,
                      bool throttled);

#endif
