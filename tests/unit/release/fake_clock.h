/* Clocks of the test: they stand still until the test, or a sleep of troupe's, moves them. The
 * linker puts these in place of the C library's (tests/unit/release/meson.build): only the tests
 * that are linked so have them. */
#ifndef TROUPE_TEST_FAKE_CLOCK_H
#define TROUPE_TEST_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Everything as at the start. */
void fake_clock_reset(void);
/* Time passes, on all clocks. */
void fake_clock_pass(int64_t ms);
/* The machine sleeps: CLOCK_MONOTONIC stands still meanwhile. */
void fake_clock_suspend(int64_t ms);
/* Somebody sets the machine's wall clock. */
void fake_clock_step(int64_t ms);
/* What has really passed since the start. */
int64_t fake_clock_passed(void);
/* Wait until `n` threads wait for a time to come (pthread_cond_timedwait). */
void fake_clock_await_waiters(int n);
/* From now on no thread can be started. */
void fake_clock_forbid_threads(bool forbid);

#endif
