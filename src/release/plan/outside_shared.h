/* What stages share without owning it, as the two lists of it are asked: resources of which AWS has
 * one (outside.c), and what custom resources configure (outside_custom.c). */
#ifndef TROUPE_RELEASE_PLAN_OUTSIDE_SHARED_H
#define TROUPE_RELEASE_PLAN_OUTSIDE_SHARED_H

#include "release/plan/plan.h"

/* Is `value` the same for all stages? A Ref or an attribute leads to what the stage has of its own,
 * unless it is of what the service's stack has for all stages. `shared`: the service's resources.
 */
bool outside_is_shared(const struct node *shared, const struct node *value);
/* REFUSED: `stage` has it. `what`: "priority '5' on this listener". */
int outside_taken(const struct release *r, struct pos pos, struct str stage, struct str what,
                  const char *help, struct err *err);

#endif
