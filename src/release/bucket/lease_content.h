/* The object of a lease, `locks/<name>.json`, and what it says about its holder. */
#ifndef TROUPE_RELEASE_BUCKET_LEASE_CONTENT_H
#define TROUPE_RELEASE_BUCKET_LEASE_CONTENT_H

#include "doc/object.h"

struct lease_content {
    struct object object;
    struct str nonce;          /* tells this lease from others */
    struct str of, broken;     /* of the one that was broken: its nonce, and when; or empty */
    struct str host;           /* lease_host of the holder */
    int64_t pid;               /* of its process there */
    struct str user, purpose;  /* who, and for what: "deploy 'dev'" */
    struct str taken, renewed; /* ISO times by the holder's clock */
    struct str given_back; /* when its holder was done with it, and could not delete it; or empty */
    int64_t lasts_ms; /* runs out so long after its last writing; LEASE_MS where it does not say */
};
extern const struct object_table lease_table;

/* Read `text`, the object at `key`. What is no lease is one of somebody who cannot be told, and
 * runs out like any other. FAILED for one of a newer troupe. */
int lease_content_read(struct arena *a, struct str key, struct str text, struct lease_content *ret,
                       struct err *err);

/* Which machine and which boot: a process id means something only together with both. */
struct str lease_host(struct arena *a);
/* Was the holder a process of `host`, this machine, that is gone? */
bool lease_is_dead(struct str host, const struct lease_content *holder);

#endif
