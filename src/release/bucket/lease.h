/* Leases: who may work on a stage, or on what all stages share, right now.
 *
 * An object in the bucket, `locks/<name>.json`, written with conditions and renewed by a thread
 * while work goes on. The clock that decides whether a lease has run out is S3's, never the local
 * one. A holder on this very machine whose process is gone is known to be dead at once. */
#ifndef TROUPE_RELEASE_BUCKET_LEASE_H
#define TROUPE_RELEASE_BUCKET_LEASE_H

#include "release/bucket/store.h"

struct lease;

enum { LEASE_MS = 60000, LEASE_RENEW_MS = 20000, LEASE_SEEN_MS = 5000 };
/* Leases of stages are named with this in front. */
#define LEASE_STAGE "stage-"

/* Take lease `name` ("stage-dev", "service"). LOCKED when somebody else holds it, after waiting up
 * to `wait_ms`; the message says who, since when and for what. `*ret` is released by lease_release.
 */
int lease_take(const struct store *store, struct str name, struct str purpose, int64_t wait_ms,
               struct lease **ret, struct err *err);
/* The lease of a stage, not waited for; `verb` is what it is for ("deploy"). */
int lease_take_stage(const struct store *store, struct str address, const char *verb,
                     struct lease **ret, struct err *err);
/* Still ours? LOCKED when it was lost (another broke it, or renewing failed until it ran out): the
 * caller stops before its next change. Reads the lease when it was not seen for LEASE_SEEN_MS. NULL
 * is fine: nothing to check. */
int lease_check(struct lease *lease, struct err *err);
/* Is it known to be lost? No call: whoever must not even take back what it did asks this. */
bool lease_lost(const struct lease *lease);
/* Was it taken over from a holder that died or ran out: is there something half done? */
bool lease_inherited(const struct lease *lease);
/* What tells this lease from others; and of the lease it was taken over from, or empty: records
 * name the lease they were written under, so a command knows what the dead one had done. */
struct str lease_nonce(const struct lease *lease);
struct str lease_inherited_nonce(const struct lease *lease);
/* Give it back (only if still ours). After the user's wish to stop, what was begun may be half
 * done: then it is left for whoever takes it next to inherit. NULL is fine; failures are ignored:
 * it runs out. */
void lease_release(struct lease **lease);
#define cleanup_lease __attribute__((cleanup(lease_release)))

#endif
