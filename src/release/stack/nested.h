/* The nested stacks of a large one (layout/split/split.h), in AWS. Whoever reads
 * a stack's template gets the flat one, whoever sends one hands over the flat one.
 *
 * Templates of nested stacks are in the bucket, "parts/<stack>/<sha256>.json", where CloudFormation
 * fetches them; those that the stack does not name any more are deleted after an update. */
#ifndef TROUPE_RELEASE_STACK_NESTED_H
#define TROUPE_RELEASE_STACK_NESTED_H

#include "layout/split/split.h"
#include "release/release.h"

/* The flat template of stack `name`. `*ret_nesting` (may be NULL): where each resource is now, for
 * layout_split. Templates of nested stacks that are not in the bucket (`store` may be NULL or
 * without one) are asked of CloudFormation. */
int nested_read(const struct release *r, const struct store *store, struct str name,
                const struct node **ret, struct map *ret_nesting, struct err *err);

/* Put the nested stacks of `split` into the bucket: `*ret_root` is the root's text, which names
 * them. */
int nested_write(const struct release *r, const struct store *store, struct str name,
                 const struct split *split, struct str *ret_root, struct err *err);
/* Delete templates of the stack's nested stacks other than those in `split`. What cannot be deleted
 * stays: it is in nobody's way. */
void nested_sweep(const struct release *r, const struct store *store, struct str name,
                  const struct split *split);

/* Where everything is once `split` has been applied. */
int nested_after(struct arena *a, const struct split *split, const struct map **ret,
                 struct err *err);

/* Resources of the stack and of its nested stacks; the nested stacks themselves too. */
int nested_resources(struct arena *a, struct aws *aws, struct str name, struct stack_resource **ret,
                     size_t *ret_n, struct err *err);

/* Would the template be sent through the bucket? */
bool nested_need_bucket(struct arena *a, const struct node *template);

#endif
