/* What a removal would delete. Reads only. */
#ifndef TROUPE_RELEASE_REMOVE_PLAN_H
#define TROUPE_RELEASE_REMOVE_PLAN_H

#include "release/dispose/network.h"
#include "release/release.h"

struct removal_resource {
    struct str id, type; /* logical id */
    bool retained;       /* it stays, by its DeletionPolicy */
    bool loses;          /* it goes with the data in it */
};

struct removal_stack {
    struct str stage; /* its address; empty: what all stages share */
    struct str name, status;
    struct removal_resource *resources; /* nested stacks' included, in the template's order */
    size_t n;
};

/* Of a world that was found: its stage's stack, or without a stage in it those of all stages and
 * the service's, in the order in which they would go. REFUSED when one of them is protected against
 * deletion. */
int removal_plan(const struct release *r, const struct world *w, struct removal_stack **ret,
                 size_t *ret_n, struct err *err);

/* Who leaves the network of the stage's stack before the stack goes: versions and heads that stacks
 * do not delete. `ret_contents`: of the stack. */
int removal_network(const struct release *r, const struct world *w, struct contents *ret_contents,
                    struct network *ret, struct err *err);
/* REFUSED when somebody who is in that network stays. */
int removal_network_check(const struct world *w, const struct network *n, struct err *err);

#endif
