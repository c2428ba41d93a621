/* What the files of planning share. */
#ifndef TROUPE_RELEASE_PLAN_PLAN_INTERNAL_H
#define TROUPE_RELEASE_PLAN_PLAN_INTERNAL_H

#include "base/vec.h"
#include "release/plan/plan.h"

struct planning {
    const struct release *r;
    struct plan *plan;
    VEC(struct change) changes;
};

/* ---- plan_changes.c: changes into the plan ---- */

/* Functions and shared APIs: published, moved, or as they are. */
int changes_functions(struct planning *p, struct err *err);
void changes_apis(struct planning *p);
/* Resources of the stage's stack. */
void changes_stage(struct planning *p, const struct node *old, const struct node *target);
/* Resources of the service's stack; `pending`: they wait for a deployment of the service. */
void changes_service(struct planning *p, const struct node *old, const struct node *target,
                     bool only_added);
/* Of what was recorded before there were keys, only hashes without one can be compared. */
const struct node *changes_parts_like(struct arena *a, const struct function_plan *f,
                                      const struct node *before);

/* ---- plan_template.c ---- */

/* Head `was` as `deploy --service` makes it: the text that it was created with, and today's
 * settings of the function as a whole, which no version keeps. Itself when they are the same. */
const struct node *plan_head(struct arena *a, const struct node *was, const struct node *now);

/* ---- plan_service.c ---- */

/* The service's stack into the plan. */
int plan_service(struct planning *p, struct err *err);

#endif
