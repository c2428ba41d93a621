/* What the files of adopting share. */
#ifndef TROUPE_RELEASE_ADOPT_ADOPT_INTERNAL_H
#define TROUPE_RELEASE_ADOPT_ADOPT_INTERNAL_H

#include "release/adopt/adopt.h"
#include "release/deploy/engine.h"

/* ---- adopt_identifiers.c ---- */

/* Type -> names of the identifier, for the types of `resources` that can be imported. */
int adopt_identifiers(const struct release *r, const struct node *resources,
                      const struct node **ret, struct err *err);
/* One key is the physical id; of several, those that are no properties. NULL: not to be known.
 * `entry` is one of `moving` (adopt_moving). */
const struct node *adopt_identifier(struct arena *a, const struct node *moving,
                                    const struct node *entry, const struct node *keys);

/* ---- adopt.c ---- */

/* Update the stage's stack to `template`, which becomes the world's; nothing when it is that
 * already. FAILED when CloudFormation sees no update in it. */
int adopt_step(struct deploying *d, const struct node *template, const char *what, struct err *err);
/* What of `moving` is not in resources `now`: for stack_import into `imports`, the definitions into
 * `resources`. */
int adopt_list_imports(struct deploying *d, const struct node *moving, const struct node *now,
                       struct node *imports, struct node *resources, struct err *err);
/* Parameters of `template` whose values are not in `given` keep what the stack has: all, or those
 * without default. */
const struct node *adopt_previous_parameters(struct arena *a, const struct node *template,
                                             const struct node *given, bool all);

/* ---- adopt_back.c ---- */

/* What belongs to the service and is to be the stage's: take it out there, import it here. */
int adopt_take_back(struct deploying *d, struct err *err);

#endif
