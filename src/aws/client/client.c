/* The client, and the one loop every call goes through: limit, sign, send, judge, wait, again. */
#include "aws/client/aws_internal.h"

#include <openssl/rand.h>

#include "base/clock.h"
#include "base/hash.h"
#include "aws/client/sigv4.h"

/* ---- life ---- */

struct str aws_region(const struct aws *aws)
{
    return aws->region;
}

struct str aws_partition(const struct aws *aws)
{
    return str_c(aws->partition->name);
}

struct str aws_url_suffix(const struct aws *aws)
{
    return str_c(aws->partition->url_suffix);
}

unsigned long aws_call_count(const struct aws *aws)
{
    return atomic_load(&aws->calls);
}

/* ---- parts of requests and answers ---- */

/* Circles of any length are found: the walk keeps the token of one page, comes back to it if it
 * goes in a circle, and takes another token after twice as many pages each time (R. Brent,
 * 1980). */
bool page_next(struct pages *p, const char *operation, struct str next, struct err *err)
{
    enum { PAGES_MAX = 1000 * 1000 };
    p->token = next;
    if (!next.n)
        return false;
    if ((p->n && str_eq(next, p->seen)) || p->n >= PAGES_MAX) {
        err_set(err, ERR_FAILED, "%s: the answers do not end, page after page", operation);
        err_help(err, "what answers is not AWS, or AWS is ill; which endpoint it is: --debug-http");
        return false;
    }
    if (p->n++ >= p->until) {
        p->seen = next;
        p->until = p->until * 2 + 1;
    }
    return true;
}

/* ---- one attempt ---- */

struct attempt {
    struct arena *arena;
    struct aws *aws;
    struct call *call;
    struct endpoint endpoint;
    struct str body_hash; /* the same for every attempt */
    int number;           /* 1: the first */
    struct aws_meter meter;
    int64_t moved;   /* bytes that the call's meter was told of this attempt */
    bool of_profile; /* the credentials that signed it are the profile's */
};

static struct str endpoint_path(struct arena *a, const struct attempt *t)
{
    struct str url = t->endpoint.url, origin = url_origin(url);
    return str_concat(a, str_sub(url, origin.n, url.n), t->call->path);
}

static struct str user_agent(struct arena *a)
{
    struct str app = env_get("AWS_SDK_UA_APP_ID");
    return app.n && app.n <= 50 ? str_fmt(a, "troupe/" TROUPE_VERSION " app/%.*s",
                                          STR_ARG(aws_encode(a, app, false)))
                                : STR("troupe/" TROUPE_VERSION);
}

/* The call's headers, and those that differ by attempt, signed. */
static void sign(struct arena *a, const struct attempt *t, const struct credentials *who,
                 struct str path, struct call *signed_call)
{
    struct aws *aws = t->aws;
    const struct endpoint_service *service = t->call->service;
    int64_t now = clock_wall_ms() + atomic_load(&aws->skew_ms);
    bool s3 = strcmp(service->name, "s3") == 0;
    *signed_call = *t->call;
    call_header(signed_call, "Host", url_authority(t->endpoint.url));
    if (who->access_key.n) {
        call_header(signed_call, "X-Amz-Date", time_basic(a, now));
        if (who->session_token.n)
            call_header(signed_call, "X-Amz-Security-Token", who->session_token);
        if (s3)
            call_header(signed_call, "X-Amz-Content-SHA256", t->body_hash);
        struct sigv4 s = {t->endpoint.region,
                          str_c(service->signing),
                          who->access_key,
                          who->secret_key,
                          who->session_token,
                          now,
                          .s3 = s3};
        struct sigv4_request r = {t->call->method,        path,
                                  t->call->query,         signed_call->headers,
                                  signed_call->n_headers, t->body_hash};
        call_header(signed_call, "Authorization", sigv4_authorization(a, &s, &r));
    }
    /* not among the signed headers: proxies may change it */
    call_header(signed_call, "User-Agent", user_agent(a));
}

static void on_moved(void *context, int64_t bytes)
{
    struct attempt *t = context;
    t->moved += bytes;
    t->call->meter->moved(t->call->meter->context, bytes);
}

/* What was sent was sent for nothing. */
static void take_back(struct attempt *t)
{
    if (t->moved)
        on_moved(t, -t->moved);
}

static int send_once(struct arena *a, struct attempt *t, struct aws_answer *answer, bool *ret_sent,
                     struct err *err)
{
    struct aws *aws = t->aws;
    const struct call *call = t->call;
    struct credentials who;
    *ret_sent = false;
    if (call->credentials)
        who = *call->credentials;
    else if (credentials_current(aws, &who, err) < 0)
        return -1;
    t->of_profile = who.of_profile;
    struct call signed_call;
    struct str path = endpoint_path(a, t);
    sign(a, t, &who, path, &signed_call);
    struct http_request request = {
        .method = call->method,
        .url = str_fmt(a, "%.*s%.*s%s%.*s", STR_ARG(url_origin(t->endpoint.url)), STR_ARG(path),
                       call->query.n ? "?" : "", STR_ARG(call->query)),
        .headers = signed_call.headers,
        .n_headers = signed_call.n_headers,
        .body = call->body,
        .answer_max = call->answer_max,
        .meter = call->meter ? &t->meter : NULL,
        .timeout_ms = call->timeout_ms ? call->timeout_ms : aws->options.timeout_ms};
    if (aws->options.trace)
        aws->options.trace(aws->options.trace_context, call->service->name, call->operation,
                           t->number);
    atomic_fetch_add(&aws->calls, 1);
    return http_send(a, aws->http, &request, answer, ret_sent, err);
}

/* ---- the loop ---- */

static double random_unit(void)
{
    uint32_t r = 0;
    RAND_bytes((unsigned char *)&r, sizeof r);
    return (double)r / 4294967296.0;
}

static int wait_for_limit(struct aws *aws, const struct call *call, struct err *err)
{
    int64_t wait =
        ratelimit_take(&aws->limits, call->service->name, call->operation, clock_mono_ms());
    if ((wait > 0 && clock_sleep_ms(wait) < 0) || cancel_requested())
        return err_set(err, ERR_CANCELLED, "stopped");
    return 0;
}

/* Decide whether there is another attempt, and wait before it. What it costs is taken from the
 * quota and is in `*cost`. */
static bool again(struct attempt *t, const struct outcome *o, bool sent, int *cost)
{
    enum retry_class class = retry_class(t->call->service->name, o);
    ratelimit_result(&t->aws->limits, t->call->service->name, t->call->operation,
                     class == RETRY_THROTTLED);
    int most = class == RETRY_THROTTLED ? t->aws->max_throttled : t->aws->max_attempts;
    if (class == RETRY_NO || t->number >= most)
        return false;
    if (t->call->once && sent && class == RETRY_TRANSIENT)
        return false;
    int taken = retry_quota_take(&t->aws->quota, class);
    if (!taken)
        return false;
    *cost = taken;
    return clock_sleep_ms(retry_delay_ms(class, t->number, random_unit(), o)) == 0;
}

static struct outcome outcome_of(const struct aws_answer *answer, const struct refusal *refusal)
{
    return (struct outcome){answer->status, refusal->code, refusal->message,
                            aws_header(answer, "x-amz-retry-after"),
                            aws_header(answer, "retry-after")};
}

/* Correct this machine's clock by the answer's, once a call, when AWS refused because of it. */
static bool corrected_clock(struct attempt *t, const struct outcome *o,
                            const struct aws_answer *answer, bool *corrected)
{
    int64_t skew;
    if (*corrected || !retry_skew_ms(o, aws_header(answer, "date"),
                                     clock_wall_ms() + atomic_load(&t->aws->skew_ms), &skew))
        return false;
    atomic_fetch_add(&t->aws->skew_ms, skew);
    return *corrected = true;
}

static bool is_success(const struct aws_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

static int attempts(struct arena *a, struct attempt *t, struct aws_answer *answer, struct err *err)
{
    int cost = 0;
    bool corrected = false, sent;
    for (t->number = 1;; t->number++) {
        *answer = (struct aws_answer){0};
        take_back(t);
        if (wait_for_limit(t->aws, t->call, err) < 0)
            return -1;
        if (send_once(a, t, answer, &sent, err) < 0) {
            struct outcome none = {0};
            if (err->kind != ERR_NETWORK || !again(t, &none, sent, &cost))
                return -1;
            err_clear(err);
            continue;
        }
        if (is_success(answer)) {
            retry_quota_give(&t->aws->quota, cost);
            ratelimit_result(&t->aws->limits, t->call->service->name, t->call->operation, false);
            return 0;
        }
        struct refusal refusal;
        refusal_read(a, answer, &refusal);
        struct outcome outcome = outcome_of(answer, &refusal);
        if (corrected_clock(t, &outcome, answer, &corrected) || again(t, &outcome, sent, &cost))
            continue;
        refusal_err(t->call, answer, &refusal, err);
        if (err->kind == ERR_DENIED && !t->call->credentials && t->of_profile)
            profile_note(t->aws, true, err);
        return -1;
    }
}

int call_send(struct arena *a, struct aws *aws, struct call *call, struct aws_answer *answer,
              struct err *err)
{
    struct attempt t = {.arena = a, .aws = aws, .call = call, .endpoint = call->endpoint};
    if (!t.endpoint.url.n && endpoint_find(a, call->service, aws->region, aws->options.endpoint_url,
                                           aws->settings, &t.endpoint, err) < 0)
        return -1;
    t.body_hash = sha256_hex(a, call->body);
    t.meter = (struct aws_meter){on_moved, &t};
    if (attempts(a, &t, answer, err) < 0) {
        take_back(&t);
        if (err->kind == ERR_NETWORK && (t.endpoint.fips || t.endpoint.dualstack))
            endpoint_variant_help(&t.endpoint, err);
        if (err->kind == ERR_NETWORK)
            err_wrap(err, "%s", call->operation);
        return -1;
    }
    return 0;
}
