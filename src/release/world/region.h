/* Remote stages: those in other regions than their service's (docs/design.md, "Regions").
 *
 * The service stack, the bucket and all records are at home. A remote stage has its stack, with all
 * its functions and APIs, in its own region, and there a bucket for copies of its artifacts, since
 * Lambda takes code from buckets of its region only (Source: Lambda API reference, FunctionCode).
 * In records and messages it is addressed "prod@eu-west-1". */
#ifndef TROUPE_RELEASE_WORLD_REGION_H
#define TROUPE_RELEASE_WORLD_REGION_H

#include "release/release.h"

/* The same stage always has the same address: "prod@<home>" is "prod". */
struct str region_address(const struct release *r, struct str address);

/* `r` for the service stack: its calls go home. */
struct release region_home(const struct release *r);
/* `r` for the stage at `address`: its calls go to the stage's region. The service is that of `r`
 * with another stage, not evaluated again. `*ret` lives as long as the arena of `r`. */
int region_at(const struct release *r, struct str address, struct release *ret, struct err *err);

/* The regions that have, or had, remote stages, each once. Empty when there is no bucket. */
int regions_list(const struct release *r, const struct store *store, struct str **ret,
                 size_t *ret_n, struct err *err);
/* Make the region of a remote stage known at home, before anything is made in it: whoever lists the
 * stages, or removes them all, would not look there else. Nothing for a stage at home. */
int region_mark(const struct release *r, const struct store *store, struct err *err);

/* Copy artifact `sha256` of the home bucket into that of the remote stage, if it is not there. */
int region_copy(struct arena *a, const struct store *from, const struct store *to,
                struct str sha256, struct err *err);
/* The template that gives the stage's stack the bucket for its artifacts: what the stack has now
 * (`now`, NULL: nothing) with the bucket. NULL: the stack has it already. */
const struct node *region_bucket_template(struct arena *a, const struct node *target,
                                          const struct node *now);

#endif
