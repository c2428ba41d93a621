/* How the stacks of a plan are split into nested ones. */
#include "release/plan/plan.h"

static int plan_one(const struct release *r, const struct node *template, bool exists,
                    const struct map *nesting, struct split *ret, struct err *err)
{
    return layout_split(r->arena, template, exists ? nesting : NULL, &split_limits, ret, err);
}

int plan_nested(const struct release *r, struct plan *plan, struct err *err)
{
    const struct world *w = &plan->world;
    if (plan->service_target && plan_one(r, plan->service_target, w->service_exists,
                                         w->service_nesting, &plan->service_split, err) < 0)
        return err_wrap(err, "stack '%.*s'", STR_ARG(w->service_name));
    if (!plan->nothing && r->service->stage.n &&
        plan_one(r, plan_stage_template(r, plan, 0), w->stage_exists, w->stage_nesting,
                 &plan->stage_split, err) < 0)
        return err_wrap(err, "stack '%.*s'", STR_ARG(w->stage_name));
    return 0;
}
