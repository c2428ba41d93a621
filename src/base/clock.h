/* Time. Milliseconds everywhere; wall time is UTC. */
#ifndef TROUPE_CLOCK_H
#define TROUPE_CLOCK_H

#include "base/str.h"

/* Milliseconds since some fixed point; never goes back. */
int64_t clock_mono_ms(void);
/* Milliseconds since 1970. */
int64_t clock_wall_ms(void);
/* Sleep; returns early with -1 when a signal asks the program to stop (see cancel_requested). */
int clock_sleep_ms(int64_t ms);
/* "2026-01-31T12:00:00Z" */
struct str time_iso(struct arena *a, int64_t wall_ms);
/* "20260131T120000Z", as signatures want it. */
struct str time_basic(struct arena *a, int64_t wall_ms);
/* Parse either ISO form (with a fraction, "UTC" or an offset "+02:00", too) or an HTTP date
 * ("Sat, 31 Jan 2026 12:00:00 GMT"). False when it is neither. */
bool time_parse(struct str s, int64_t *ret_wall_ms);
/* "90s", "30m", "12h", "7d". False when it is none. */
bool duration_parse(struct str s, int64_t *ret_ms);

/* Note that the user wants to stop; called from a signal handler. The program looks at safe
 * points. */
void cancel_request(void);
bool cancel_requested(void);
/* Forget the user's wish, which has been heard: what has to be undone can be done now. A further
 * wish stops that. */
void cancel_clear(void);
/* Put the user's wish off for at most `ms`: what has to be done before the end can be done. A
 * further wish ends that, and so does 0. */
void cancel_put_off(int64_t ms);

#endif
