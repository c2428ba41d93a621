/* Worker threads for independent blocking pieces of work. */
#ifndef TROUPE_POOL_H
#define TROUPE_POOL_H

#include "base/err.h"

/* One piece of work: index 0 … n-1, the caller's context, an arena of the worker's own that is
 * released with the piece (pool_run_into: that stays), and an err of this piece's own. */
typedef int pool_fn(size_t index, void *context, struct arena *scratch, struct err *err);

/* Run `fn` for every index on up to `jobs` threads (0: the number of cores). After a failure no new
 * piece starts; those running finish. Returns 0, or -1 with the error of the lowest failed index,
 * so that the outcome does not depend on timing. `jobs` of 1 runs in the calling thread. */
int pool_run(size_t n, unsigned jobs, pool_fn *fn, void *context, struct err *err);

/* The same for pieces whose results stay: the arena that a piece works in becomes part of `into`
 * when the piece is over. A piece writes its result into a place of its own, by its index, and
 * leaves `into` and every list that it shares with others alone: then it needs no lock. */
int pool_run_into(struct arena *into, size_t n, unsigned jobs, pool_fn *fn, void *context,
                  struct err *err);

#endif
