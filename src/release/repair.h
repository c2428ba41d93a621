/* Repairing a stage: finishing or undoing what was interrupted, and bringing pointers and stack
 * back to what the current record says. */
#ifndef TROUPE_RELEASE_REPAIR_H
#define TROUPE_RELEASE_REPAIR_H

#include "release/release.h"

struct finding {
    struct str what; /* "alias of 'hello' points at v3 instead of v2" */
    bool reconciled; /* or would be */
};

struct repaired {
    struct finding *findings;
    size_t finding_count;
    bool unrepaired; /* a finding remains */
    int64_t number;  /* the deployment the stage is at */
};

/* Look, and unless `only_look` reconcile. A finding that needs a person is not reconciled.
 * HALF_DONE and FAILED when reconciling did not work. */
int repair_run(const struct release *r, bool only_look, struct repaired *ret, struct err *err);

#endif
