/* Waiting for something that happens elsewhere: pauses that grow by half, and a time when it is
 * enough. */
#ifndef TROUPE_BASE_BACKOFF_H
#define TROUPE_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    int64_t pause_ms; /* the next one */
    int64_t most_ms;
    int64_t end_ms; /* of clock_mono_ms */
};

/* From now on for `for_ms`. `first_ms` the same as `most_ms`: in equal steps. */
struct backoff backoff_begin(int64_t first_ms, int64_t most_ms, int64_t for_ms);
/* Is the time over? */
bool backoff_is_over(const struct backoff *b);
/* Pause, not beyond the end. -1: the user wants to stop (cancel_requested). */
int backoff_pause(struct backoff *b);

#endif
