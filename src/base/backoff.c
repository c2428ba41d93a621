#include "base/backoff.h"

#include "base/clock.h"

struct backoff backoff_begin(int64_t first_ms, int64_t most_ms, int64_t for_ms)
{
    return (struct backoff){first_ms, most_ms, clock_mono_ms() + for_ms};
}

bool backoff_is_over(const struct backoff *b)
{
    return clock_mono_ms() >= b->end_ms;
}

int backoff_pause(struct backoff *b)
{
    int64_t left = b->end_ms - clock_mono_ms(), pause = b->pause_ms;
    b->pause_ms = pause * 3 / 2 < b->most_ms ? pause * 3 / 2 : b->most_ms;
    return clock_sleep_ms(pause < left ? pause : left > 0 ? left : 0);
}
