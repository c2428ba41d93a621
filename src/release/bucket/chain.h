/* Which records can be relied on. A stage's stack says which record it is at and what that one is
 * (record_digest); every record says the same of the one before it. Who may write to the bucket,
 * but not change the stack, cannot make a record that is found this way. */
#ifndef TROUPE_RELEASE_BUCKET_CHAIN_H
#define TROUPE_RELEASE_BUCKET_CHAIN_H

#include "base/vec.h"
#include "release/release.h"

struct chain {
    struct str stage;         /* its address */
    bool exists;              /* the stage has a stack of ours */
    struct str status;        /* of that stack */
    int64_t current;          /* 0: none, or the stack is busy and does not say */
    bool passed;              /* the stage never was at the one that was looked for last */
    VEC(struct record) links; /* from the current one back, as far as it was followed */
};

/* Of a stage of the service: one call for another one than the release's. */
int chain_begin(const struct release *r, const struct world *w, struct str stage, struct chain *ret,
                struct err *err);

/* Fill stage, number and digest of record `number`, the current one for 0; `ret->unvouched` says
 * why there is no digest: an older troupe made it, the stack is gone, the stage never was at it.
 * Reads the bodies in between. REFUSED when one of those is altered or gone. */
int chain_find(const struct release *r, const struct world *w, struct chain *chain, int64_t number,
               struct record *ret, struct err *err);

/* Which of a stage's records, newest first, are not what the one after them says: their bodies go,
 * and `unvouched` says so. Starts with what the stage's stack says. */
void chain_check(struct arena *a, int64_t current, struct str digest, struct record *records,
                 size_t n);

#endif
