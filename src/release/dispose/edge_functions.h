/* Functions that CloudFront calls at its edge. Lambda deletes none of them as long as CloudFront
 * has copies, which is for hours after the distribution has gone. So their stack keeps them, and
 * they are deleted afterwards: at once where there are no copies yet, else by a later `prune`,
 * which finds in the record of a removal what that had to keep. Source: CloudFront developer guide,
 * "Delete Lambda@Edge functions and replicas". */
#ifndef TROUPE_RELEASE_DISPOSE_EDGE_FUNCTIONS_H
#define TROUPE_RELEASE_DISPOSE_EDGE_FUNCTIONS_H

#include "base/vec.h"
#include "release/dispose/contents.h"

/* The functions at the edge that a stack kept which is gone; what Lambda does not delete yet is
 * noted as kept. */
int edge_functions_dispose(const struct release *r, const struct contents *contents,
                           struct err *err);

/* The same for those that the update of the stage's stack from template `before` to `after` has
 * dropped. Nothing needs them, so whatever is in the way is only told. */
void edge_functions_dropped(const struct release *r, const struct node *before,
                            const struct node *after);

struct edge_function {
    struct str name, stage;
    int64_t number; /* of the record of the removal */
};
typedef VEC(struct edge_function) edge_function_list;
/* Those that removals had to keep, of stages that have not come back and of functions that are
 * still there. */
int edge_functions_kept(const struct release *r, const struct store *store, edge_function_list *ret,
                        struct err *err);
/* Delete it; absent is success. CONFLICT: CloudFront has copies. */
int edge_function_delete(const struct release *r, const struct edge_function *f, struct err *err);

#endif
