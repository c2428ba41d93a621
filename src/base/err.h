/* Errors: what failed, where, why, and what to do.
 *
 * A function that can fail takes `struct err *err` last and returns -1 or NULL, having called
 * err_set once: `return err_set(err, ERR_CONFIG, "…");`. Callers that know a name the callee did
 * not put it in front with err_wrap. Wording: lower case, no full stop, subjects in single quotes,
 * the cause behind a colon; advice belongs into err_help. An err starts as `{0}`, owns its texts,
 * and is released by err_clear; one per thread. */
#ifndef TROUPE_ERR_H
#define TROUPE_ERR_H

#include "base/str.h"

/* A text with positions in it. Lives as long as the nodes read from it. */
struct source {
    struct str path; /* as it is shown to the user */
    struct str text;
};

/* A place: 1-based line and column (in characters), length in characters (0 is shown as 1).
 * No source: the place is unknown. */
struct pos {
    const struct source *source;
    uint32_t line, column, length;
};

/* Kinds that some caller tells apart; exit codes follow from them in cli/. */
enum err_kind {
    ERR_NONE,
    ERR_FAILED,       /* it did not work: exit 1 */
    ERR_USAGE,        /* wrong command line: exit 2 */
    ERR_CONFIG,       /* invalid configuration, nothing was contacted: exit 2 */
    ERR_REFUSED,      /* needs confirmation or is protected: exit 3 */
    ERR_LOCKED,       /* somebody else holds the lock or moved the stage: exit 4 */
    ERR_HALF_DONE,    /* interrupted half way, the same command continues: exit 5 */
    ERR_CANCELLED,    /* stopped by the user: exit 130 */
    ERR_NOT_FOUND,    /* no such thing, at AWS or among stages and deployments: exit 1 */
    ERR_CONFLICT,     /* AWS: exists already, busy, or changed meanwhile (409) */
    ERR_PRECONDITION, /* AWS: a condition of the request did not hold (412) */
    ERR_THROTTLED,    /* AWS: too many requests, after all retries */
    ERR_DENIED,       /* AWS: credentials or permissions */
    ERR_NETWORK,      /* no answer */
    ERR_KIND_COUNT
};

struct err_note {
    struct err_note *next;
    struct str text;
    struct pos pos;
};

struct err {
    enum err_kind kind;
    struct arena *arena; /* owns the texts */
    struct str msg;
    struct str help;       /* empty: none */
    struct pos pos;        /* of the message */
    struct err_note *note; /* more places, oldest first */
    struct err *more;      /* found with it, in the same arena: err_also */
    size_t uncounted;      /* how many more there were than are kept */
    /* Set for AWS answers: */
    struct str code; /* e.g. "ValidationError" */
    struct str request_id;
    int http_status;
};

/* Fill `err`, which must be empty; returns -1. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a place. */
int err_at(struct err *err, struct pos pos, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same from errno value `error`: "<message>: <strerror>". ENOENT gives ERR_NOT_FOUND. */
int err_sys(struct err *err, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Put "<context>: " in front; returns -1. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Advice, shown as "= help: …". The last one wins. Returns -1. */
int err_help(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A further place or fact, shown as "= note: …". Returns -1. */
int err_note(struct err *err, struct pos pos, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Add `one`, and what is behind it, to the errors that `err` tells together, and empty it. `one`
 * may be empty; one that stands there already (the same text at the same place) is dropped. Returns
 * -1 when `err` holds any error now, else 0, so a walk that goes on after a failure ends in it. The
 * first one that was added decides the kind. err_wrap puts its text in front of all of them. */
int err_also(struct err *err, struct err *one);
/* Empty it again and release its texts. */
void err_clear(struct err *err);
/* Hand the content of `from` over to the empty `to`. */
void err_move(struct err *to, struct err *from);
#define cleanup_err __attribute__((cleanup(err_clear)))

/* The error as a person reads it, with the source line and a caret, control bytes made visible.
 * Several come in the order of the file, the first ERRORS_SHOWN of them and how many more there
 * are. `colour`: with ANSI colours. Ends in a newline. */
enum { ERRORS_SHOWN = 20 };
struct str err_render(struct arena *a, const struct err *err, bool colour);
/* The same for a warning at a place (no place: source NULL). `help` may be empty. */
struct str warning_render(struct arena *a, struct pos pos, struct str msg, struct str help,
                          bool colour);

#endif
