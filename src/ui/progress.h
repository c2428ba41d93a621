/* Progress on the terminal, or as lines elsewhere. Never on stdout. */
#ifndef TROUPE_UI_PROGRESS_H
#define TROUPE_UI_PROGRESS_H

#include "release/release.h"

enum progress_mode {
    PROGRESS_QUIET,
    PROGRESS_LINES, /* one line an event, with the time since the start */
    PROGRESS_LIVE,  /* one line for each step, redrawn in place */
    PROGRESS_JSON,  /* one JSON object a line */
};

struct progress_look {
    enum progress_mode mode;
    bool colour;
    bool verbose;   /* in PROGRESS_LINES: every event instead of the important ones */
    unsigned width; /* cells in a line */
};
struct progress;

/* Writes to `out` (stderr). `now_ms` gives the time: clock_mono_ms, except in tests. */
struct progress *progress_new(FILE *out, const struct progress_look *look, int64_t (*now_ms)(void));
/* Clear a half drawn line and free it. NULL is fine. */
void progress_free(struct progress *p);
/* For `struct release`. */
struct observer progress_observer(struct progress *p);
/* Blank the line that is being redrawn, before something else is written to the terminal. */
void progress_clear(struct progress *p);

#endif
