/* Time and the wish to stop. */
#include "base/clock.h"

#include <errno.h>
#include <stdatomic.h>

/* lock-free: set from a signal handler */
static atomic_bool cancelled;
static _Atomic int64_t put_off_until_ms;

void cancel_request(void)
{
    atomic_store(&put_off_until_ms, 0);
    atomic_store(&cancelled, true);
}

void cancel_clear(void)
{
    atomic_store(&cancelled, false);
}

bool cancel_requested(void)
{
    if (!atomic_load(&cancelled))
        return false;
    int64_t until = atomic_load(&put_off_until_ms);
    return !until || clock_mono_ms() >= until;
}

void cancel_put_off(int64_t ms)
{
    atomic_store(&put_off_until_ms, ms ? clock_mono_ms() + ms : 0);
}

static int64_t now(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    return now(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return now(CLOCK_REALTIME);
}

int clock_sleep_ms(int64_t ms)
{
    enum { SLICE_MS = 50 }; /* signals may be handled by another thread */
    int64_t end = clock_mono_ms() + ms;
    for (int64_t left; (left = end - clock_mono_ms()) > 0;) {
        if (cancel_requested())
            return -1;
        if (left > SLICE_MS)
            left = SLICE_MS;
        struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)left * 1000000};
        nanosleep(&ts, NULL);
    }
    return cancel_requested() ? -1 : 0;
}

static struct str format(struct arena *a, int64_t wall_ms, const char *fmt)
{
    time_t t = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[40];
    if (!gmtime_r(&t, &tm))
        return STR("");
    return str_dup(a, (struct str){text, strftime(text, sizeof text, fmt, &tm)});
}

struct str time_iso(struct arena *a, int64_t wall_ms)
{
    return format(a, wall_ms, "%Y-%m-%dT%H:%M:%SZ");
}

struct str time_basic(struct arena *a, int64_t wall_ms)
{
    return format(a, wall_ms, "%Y%m%dT%H%M%SZ");
}

/* Milliseconds that an ISO time's rest, ".123+02:00", is ahead of UTC. */
static int64_t offset_ms(const char *rest)
{
    unsigned hours, minutes = 0;
    rest += *rest == '.' ? 1 + strspn(rest + 1, "0123456789") : 0;
    if ((*rest != '+' && *rest != '-') || sscanf(rest + 1, "%2u:%2u", &hours, &minutes) < 1)
        return 0;
    int64_t ms = ((int64_t)hours * 60 + minutes) * 60 * 1000;
    return *rest == '-' ? -ms : ms;
}

bool time_parse(struct str s, int64_t *ret_wall_ms)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y%m%dT%H%M%SZ",
                                          "%a, %d %b %Y %H:%M:%S GMT"};
    char text[64];
    if (!s.n || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, formats[i], &tm);
        if (rest) {
            *ret_wall_ms = (int64_t)timegm(&tm) * 1000 - offset_ms(rest);
            return true;
        }
    }
    return false;
}

bool duration_parse(struct str s, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}, {'d', 24 * 3600 * 1000}};
    int64_t n;
    if (s.n < 2 || !str_to_int(str_sub(s, 0, s.n - 1), &n) || n < 0 || n > INT32_MAX)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (s.p[s.n - 1] == units[i].unit) {
            *ret_ms = n * units[i].ms;
            return true;
        }
    return false;
}
