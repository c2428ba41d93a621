/* Proof that a login's key is held by whoever renews the login. Source: RFC 9449. */
#ifndef TROUPE_AWS_CREDENTIALS_DPOP_H
#define TROUPE_AWS_CREDENTIALS_DPOP_H

#include "base/err.h"

struct dpop {
    struct str url;  /* that the proof is for; the method is POST */
    int64_t wall_ms; /* when it is made */
    struct str id;   /* of this proof alone */
};

/* The DPoP header: a JWT with the public key, signed with ES256. `pem` is the private key, on the
 * curve P-256. FAILED: it is none. */
int dpop_proof(struct arena *a, struct str pem, const struct dpop *dpop, struct str *ret,
               struct err *err);

#endif
