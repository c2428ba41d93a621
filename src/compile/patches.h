/* Patches: how the template of a bridged service differs from what compile makes of its file.
 *
 * A patch is a map: `path`, the keys from the top of the template, and one of
 *
 *   value: what stands there                     absent: true, nothing does
 *   at: n, remove: k, insert: [...]              in the list there, `insert` in place of k items
 *
 * `patches` of a service file is a map of them by a name for each, in the order in which they are
 * made. Names that compile makes of hashes or of the time (versions, deployments) stand in patches
 * and in `resources` without them, with PATCHES_SUFFIX. */
#ifndef TROUPE_COMPILE_PATCHES_H
#define TROUPE_COMPILE_PATCHES_H

#include "doc/node.h"

#define PATCHES_SUFFIX "OfThisPackage"

/* `template` with one patch applied. NULL, CONFIG: there is nothing at its path. */
const struct node *patch_apply(struct arena *a, const struct node *template,
                               const struct node *patch, struct err *err);
/* `template` with every id in it that is made anew each time (of versions, API deployments) in its
 * form without hash and time; of each such id `*ret_names`, if it is not NULL, gets that form and
 * the id. */
const struct node *patches_steady(struct arena *a, const struct node *template,
                                  const struct node **ret_names);
/* `n` with every text that is, or refers to, a member of `names` as that says: ids by names. */
const struct node *patches_rename(struct arena *a, const struct node *n, const struct node *names);

#endif
