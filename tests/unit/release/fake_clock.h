/* Clocks of the test: they stand still until the test, or a sleep of troupe's, moves them. The
 * linker puts these in place of the C library's (tests/unit/release/meson.build): only the tests
 * that are linked so have them. */
#ifndef TROUPE_TEST_FAKE_CLOCK_H
#define TROUPE_TEST_FAKE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Set all clocks to the start. */
void fake_clock_reset(void);
/* Let time pass, on all clocks. */
void fake_clock_pass(int64_t ms);
/* Let the machine sleep: CLOCK_MONOTONIC stands still meanwhile. */
void fake_clock_suspend(int64_t ms);
/* Set the machine's wall clock, as somebody may. */
void fake_clock_step(int64_t ms);
/* How much time has really passed since the start. */
int64_t fake_clock_passed(void);
/* Wait until `n` threads wait for a time to come (pthread_cond_timedwait). */
void fake_clock_await_waiters(int n);
/* Let every later start of a thread fail. */
void fake_clock_forbid_threads(bool forbid);

#endif
