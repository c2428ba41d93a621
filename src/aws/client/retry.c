/* Retry decisions. */
#include "aws/client/retry.h"

#include "base/clock.h"

enum {
    TRANSIENT_BASE_MS = 50,
    THROTTLED_BASE_MS = 1000,
    BACKOFF_MAX_MS = 20 * 1000,
    /* a server may ask a call to wait this much longer than its back-off */
    RETRY_AFTER_MORE_MS = 5 * 1000,
    TRANSIENT_COST = 14,
    THROTTLED_COST = 5,
    SUCCESS_TOKENS = 1,
    SKEW_MIN_MS = 4 * 60 * 1000, /* AWS takes signatures up to five minutes off */
};

static const struct {
    const char *code;
    enum retry_class class;
} codes[] = {
    {"RequestTimeout", RETRY_TRANSIENT},
    {"RequestTimeoutException", RETRY_TRANSIENT},
    {"PriorRequestNotComplete", RETRY_THROTTLED},
    {"Throttling", RETRY_THROTTLED},
    {"ThrottlingException", RETRY_THROTTLED},
    {"ThrottledException", RETRY_THROTTLED},
    {"RequestThrottledException", RETRY_THROTTLED},
    {"TooManyRequestsException", RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", RETRY_THROTTLED},
    {"TransactionInProgressException", RETRY_THROTTLED},
    {"RequestLimitExceeded", RETRY_THROTTLED},
    {"BandwidthLimitExceeded", RETRY_THROTTLED},
    {"LimitExceededException", RETRY_THROTTLED},
    {"RequestThrottled", RETRY_THROTTLED},
    {"SlowDown", RETRY_THROTTLED},
    {"EC2ThrottledException", RETRY_THROTTLED},
};

/* Answers that only their words tell to be temporary. */
static const struct {
    const char *service, *code, *words;
    enum retry_class class;
} special[] = {
    /* S3 answers so when two writers of one key meet. Source: S3 user guide, "Conditional
     * writes" */
    {"s3", "ConditionalRequestConflict", "", RETRY_TRANSIENT},
    /* "…due to concurrent modification. Please try again later." */
    {"apigateway", "ConflictException", "concurrent modification", RETRY_THROTTLED},
    {"apigateway", "BadRequestException", "already an update in progress", RETRY_THROTTLED},
    {"sts", "IDPCommunicationError", "", RETRY_TRANSIENT},
};

enum retry_class retry_class(const char *service, const struct outcome *o)
{
    if (!o->status)
        return RETRY_TRANSIENT;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (str_eq(o->code, str_c(codes[i].code)))
            return codes[i].class;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (strcmp(service, special[i].service) == 0 && str_eq(o->code, str_c(special[i].code)) &&
            str_find(o->message, str_c(special[i].words), 0) >= 0)
            return special[i].class;
    /* the answer to a HEAD has no code */
    bool slow_down = o->status == 503 && strcmp(service, "s3") == 0;
    if (o->status == 429 || slow_down)
        return RETRY_THROTTLED;
    bool down = o->status == 500 || o->status == 502 || o->status == 503 || o->status == 504;
    return down ? RETRY_TRANSIENT : RETRY_NO;
}

/* Milliseconds that the server asks to wait; -1: it does not ask. */
static int64_t asked_ms(const struct outcome *o)
{
    int64_t value;
    if (str_to_int(o->retry_after_ms, &value) && value >= 0)
        return value;
    if (str_to_int(o->retry_after_s, &value) && value >= 0 && value < INT32_MAX)
        return value * 1000;
    return -1;
}

int64_t retry_delay_ms(enum retry_class class, int attempt, double random, const struct outcome *o)
{
    int64_t base = class == RETRY_THROTTLED ? THROTTLED_BASE_MS : TRANSIENT_BASE_MS;
    for (int i = 1; i < attempt && base < BACKOFF_MAX_MS; i++)
        base *= 2;
    int64_t delay = (int64_t)(random * (double)(base < BACKOFF_MAX_MS ? base : BACKOFF_MAX_MS));
    int64_t asked = asked_ms(o), most = delay + RETRY_AFTER_MORE_MS;
    if (asked > most)
        asked = most;
    return asked > delay ? asked : delay;
}

int retry_quota_take(struct retry_quota *quota, enum retry_class class)
{
    int cost = class == RETRY_THROTTLED ? THROTTLED_COST : TRANSIENT_COST;
    pthread_mutex_lock(&quota->lock);
    bool enough = quota->tokens >= cost;
    if (enough)
        quota->tokens -= cost;
    pthread_mutex_unlock(&quota->lock);
    return enough ? cost : 0;
}

void retry_quota_give(struct retry_quota *quota, int cost)
{
    pthread_mutex_lock(&quota->lock);
    quota->tokens += cost ? cost : SUCCESS_TOKENS;
    if (quota->tokens > RETRY_QUOTA)
        quota->tokens = RETRY_QUOTA;
    pthread_mutex_unlock(&quota->lock);
}

bool retry_skew_ms(const struct outcome *o, struct str date, int64_t wall_ms, int64_t *ret_skew_ms)
{
    static const char *const skewed[] = {"RequestTimeTooSkewed",      "RequestExpired",
                                         "InvalidSignatureException", "SignatureDoesNotMatch",
                                         "RequestInTheFuture",        "AuthFailure"};
    int64_t theirs;
    for (size_t i = 0; i < sizeof skewed / sizeof *skewed; i++) {
        if (!str_eq(o->code, str_c(skewed[i])) || !time_parse(date, &theirs))
            continue;
        int64_t off = theirs - wall_ms;
        *ret_skew_ms = off;
        return off > SKEW_MIN_MS || off < -SKEW_MIN_MS;
    }
    return false;
}
