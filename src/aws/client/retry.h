/* Whether, and after how long, a call is sent again: botocore's "standard" mode. Pure decisions;
 * the loop is in client.c. Source: botocore 1.44.5, retries/standard.py and retries/quota.py. */
#ifndef TROUPE_AWS_CLIENT_RETRY_H
#define TROUPE_AWS_CLIENT_RETRY_H

#include <pthread.h>

#include "aws/aws.h"

/* A throttled call took no effect, and the same call may go through later. So it is tried more
 * often than botocore does, within the same quota. */
enum { RETRY_ATTEMPTS = 3, RETRY_ATTEMPTS_THROTTLED = 8, RETRY_QUOTA = 500 };

enum retry_class { RETRY_NO, RETRY_TRANSIENT, RETRY_THROTTLED };

/* What came of an attempt. */
struct outcome {
    int status; /* 0: no answer at all */
    struct str code, message;
    struct str retry_after_ms; /* header x-amz-retry-after */
    struct str retry_after_s;  /* header Retry-After */
};

enum retry_class retry_class(const char *service, const struct outcome *outcome);

/* Milliseconds to wait before attempt `attempt` + 1 (1: the first has failed). `random` is in
 * [0, 1). */
int64_t retry_delay_ms(enum retry_class class, int attempt, double random,
                       const struct outcome *outcome);

/* Tokens shared by all calls of a client, so that an outage does not multiply the load. */
struct retry_quota {
    pthread_mutex_t lock;
    int tokens;
};

/* Take what a retry of this class costs. Returns the cost; 0: the quota is used up, do not
 * retry. */
int retry_quota_take(struct retry_quota *quota, enum retry_class class);
/* Give back after a success: `cost` of the call's last retry, 0 when there was none. */
void retry_quota_give(struct retry_quota *quota, int cost);

/* Milliseconds to add to this machine's clock so that AWS accepts a signature whose time it
 * refused; they follow from the answer's Date. False: the refusal has another reason. */
bool retry_skew_ms(const struct outcome *outcome, struct str date, int64_t wall_ms,
                   int64_t *ret_skew_ms);

#endif
