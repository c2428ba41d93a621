/* Networks that go while functions are in them: security groups, subnets and VPCs of a stage.
 *
 * Lambda has network interfaces in what a function, or any published version of it, is configured
 * with, and gives them back a while after the last of these is gone; until then AWS deletes neither
 * group, subnet nor VPC. Heads and versions are not the stage's stack's, which deletes the network:
 * so they leave it before. Source: Lambda developer guide, "Giving Lambda functions access to
 * resources in an Amazon VPC"; repost.aws, "lambda-eni-find-delete" (up to 20 minutes). */
#ifndef TROUPE_RELEASE_DISPOSE_NETWORK_H
#define TROUPE_RELEASE_DISPOSE_NETWORK_H

#include "base/vec.h"
#include "release/dispose/dispose.h"

enum { NETWORK_KINDS = 3 };

struct network_version {
    struct str function, number;
    struct claim claim;
};
/* The groups, subnets and VPCs that go, and the functions in them. */
struct network {
    const struct node *ids[NETWORK_KINDS]; /* seqs: groups, subnets, VPCs */
    VEC(struct network_version) versions;
    VEC(struct str) heads;           /* names of functions */
    struct map aliases;              /* of the stack, that point at these versions: id -> ARN */
    VEC(const struct node *) inside; /* VpcConfig of functions that the stack itself deletes */
    struct str why_not;              /* it cannot be left: whoever else needs it; or empty */
};

/* Is a resource of this type one that functions are in? */
bool network_is(struct str type);
/* Of the template `now` of a stage's stack: the network that `next` (NULL: nothing) has no more,
 * and what it refers to, as a template. NULL: none. */
const struct node *network_dropped(struct arena *a, const struct node *now,
                                   const struct node *next);

/* Who is in the network that goes with the stage's stack, of which `contents` are the contents;
 * `stays`: Resources of the template that the stack gets. NULL: the whole stack goes, with the
 * functions in it, and versions of those do not count. Reads only, and nothing where no network
 * goes. */
int network_find(const struct release *r, const struct world *w, const struct contents *contents,
                 const struct node *stays, struct network *ret, struct err *err);
/* Empty the network: an update takes the stack's aliases out of the stack, the versions are
 * deleted, heads lose their network. Then wait until Lambda has given its interfaces back: FAILED
 * after 40 minutes. When nobody is in it, nothing is done. Called again after an interruption, it
 * goes on. `lease`: the stage's. */
int network_leave(const struct release *r, const struct world *w, struct lease *lease,
                  const struct network *n, struct err *err);

#endif
