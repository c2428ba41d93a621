/* A command of the user's that judges a step of a shift. */
#ifndef TROUPE_RELEASE_DEPLOY_VERIFY_H
#define TROUPE_RELEASE_DEPLOY_VERIFY_H

#include "base/err.h"

struct verification {
    struct str command; /* for /bin/sh -c */
    struct str service, stage, region;
    int64_t deployment; /* the new one */
    unsigned percent;   /* of the calls that it has now */
};

/* Run it with TROUPE_SERVICE, TROUPE_STAGE, TROUPE_REGION, TROUPE_DEPLOYMENT and TROUPE_WEIGHT in
 * its environment, its stdout on ours for errors. FAILED when it does not exit with 0; CANCELLED
 * when the user wants to stop: it is told to as well. */
int verify_run(struct arena *a, const struct verification *v, struct err *err);

#endif
