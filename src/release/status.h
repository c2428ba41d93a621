/* What the stages of a service serve, and what of them is not finished. Reads only. */
#ifndef TROUPE_RELEASE_STATUS_H
#define TROUPE_RELEASE_STATUS_H

#include "release/bucket/lease_list.h"
#include "release/publish/pointers.h"

/* How it went with one record. */
enum record_state {
    RECORD_SUCCEEDED,
    RECORD_FAILED,
    RECORD_SUPERSEDED,
    RECORD_UNDER_WAY,   /* somebody is at it */
    RECORD_SHIFTING,    /* by hand: stands at a part of the calls */
    RECORD_HALF_DONE,   /* current, but the stack has not followed its pointers */
    RECORD_INTERRUPTED, /* its writer is gone */
};
const char *record_state_word(enum record_state state);

/* What is known of a stage beside its records. */
struct stage_status {
    struct str name;
    struct stack stack;      /* name empty: none */
    int64_t number;          /* it is at; 0: none */
    struct record record;    /* of `number`, with its versions; body NULL: none */
    struct record open;      /* the newest one when it has no outcome and is not `record` */
    bool altered;            /* it is not what the stack says it was: body NULL */
    bool unclosed;           /* `record` has no outcome */
    bool behind;             /* and the stack is not what it is to be */
    struct lease_info lease; /* nonce empty: nobody is at work */
    struct drift *drifts;    /* pointers that are elsewhere than `record` says; asked for only when
                                something that moves them by API is open */
    size_t drift_count;
    const char *word; /* "ready", "busy", "shifting", "interrupted", "half done", or AWS's */
    struct str note;  /* what it is and what finishes or undoes it; empty when ready */
};

/* State of one of the stage's records. `outcome` as read, NULL: none. */
enum record_state record_state(const struct stage_status *stage, int64_t number,
                               const struct record_outcome *outcome);

/* Of one stage (r->service->stage), whose stack is in `w`. `w->records` are listed. */
int status_of_stage(const struct release *r, struct world *w, struct stage_status *ret,
                    struct err *err);
/* Of all stages, by name. */
int status_of_all(const struct release *r, struct world *w, struct stage_status **ret,
                  size_t *ret_n, struct err *err);

#endif
