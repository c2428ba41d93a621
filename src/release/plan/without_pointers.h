/* Pointers that somebody deleted. Their stack has them still, so an update to what it has makes
 * nothing: they are taken out of it, and put back in. Pure. */
#ifndef TROUPE_RELEASE_PLAN_WITHOUT_POINTERS_H
#define TROUPE_RELEASE_PLAN_WITHOUT_POINTERS_H

#include "release/plan/plan.h"
#include "release/publish/pointers.h"

/* The template of a stage's stack without those of its pointers that are `gone`, and without what
 * AWS deleted together with them: permissions, URLs and settings of an alias. Everything else stays
 * what it is: where it names a pointer, the name stands; where nothing else is, a placeholder
 * stands. `region` is the stage's. NULL when something that stays needs an attribute of what goes.
 */
const struct node *missing_without(struct arena *a, const struct plan *plan,
                                   const struct node *template, struct str region,
                                   const struct pointer *const *gone, size_t n);

#endif
