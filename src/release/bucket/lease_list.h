/* The leases of a service as others see them, and breaking one. */
#ifndef TROUPE_RELEASE_BUCKET_LEASE_LIST_H
#define TROUPE_RELEASE_BUCKET_LEASE_LIST_H

#include "release/bucket/lease.h"

/* A lease that somebody holds. */
struct lease_info {
    struct str name;       /* "stage-dev", "service" */
    struct str user, host; /* who, on which machine */
    struct str purpose;    /* "deploy 'dev'" */
    struct str taken;      /* ISO time by the holder's clock; empty: of an older troupe */
    int64_t pid;
    int64_t ends_ms, date_ms; /* when it runs out unless renewed, and now; both by S3's clock */
    bool dead;                /* its process was on this machine and is gone */
    struct str nonce, etag;
};

/* Those that are held or were left behind, by name; broken ones are not among them. */
int leases_list(struct arena *a, const struct store *store, struct lease_info **ret, size_t *ret_n,
                struct err *err);
/* Break it, as long as the same holder has it: LOCKED when it changed hands, 0 with `*ret_gone`
 * when nobody holds it any more. What is left in its place is for the next holder, who treats it as
 * that of one that died: it waits for the stack and looks at what is half done. */
int lease_break(struct arena *a, const struct store *store, const struct lease_info *lease,
                bool *ret_gone, struct err *err);

#endif
