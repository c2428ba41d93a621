/* What of buckets and user pools outside the service the plan's custom resources configure. */
#ifndef TROUPE_RELEASE_PLAN_OUTSIDE_CUSTOM_H
#define TROUPE_RELEASE_PLAN_OUTSIDE_CUSTOM_H

#include "base/vec.h"
#include "release/plan/plan.h"

struct existing_claims {
    const struct node *shared;      /* resources of the service */
    VEC(struct existing_claim) all; /* in the arena of the release */
};

/* What the plan adds. REFUSED when something moves between two resources of the stage, since
 * CloudFormation makes what is new before it removes what is old. */
int existing_added(const struct release *r, const struct plan *plan, struct existing_claims *ret,
                   struct err *err);
/* REFUSED when `template`, that of `stage`, has some of `mine`. */
int existing_check(const struct release *r, const struct existing_claims *mine,
                   const struct node *template, struct str stage, struct err *err);

#endif
