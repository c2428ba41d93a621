/* From records back to targets: what a deployment was, and how it would be for another stage. */
#ifndef TROUPE_RELEASE_GOAL_FROM_RECORD_H
#define TROUPE_RELEASE_GOAL_FROM_RECORD_H

#include "release/bucket/chain.h"

/* Read record `number` of the chain's stage (0: the current one) with its versions, and see that it
 * can be had again. REFUSED for removals, deployments that failed, those whose snapshots were
 * pruned, and for what the chain refuses. `known`: it is known to have served. */
int recorded_read(const struct release *r, struct world *w, struct chain *chain, int64_t number,
                  bool known, struct record *ret, struct err *err);

/* The stage template as it was deployed, without its number. `*ret` NULL: it was not kept (a secret
 * was in it), or is gone. */
int recorded_template(const struct release *r, struct world *w, const struct record *record,
                      const struct node **ret, struct err *err);

/* A layout of what `record` says about functions and APIs around `template`: no definitions, only
 * pointers. Artifacts have hashes and no bytes. */
void recorded_layout(const struct release *r, const struct record *record,
                     const struct node *template, struct layout *ret);

/* Load, compile and lay out the sources of `record` for the release's stage. Nothing is packaged:
 * code is found by its hash. */
int recorded_target(const struct release *r, struct world *w, const struct record *record,
                    struct target *ret, struct err *err);

#endif
