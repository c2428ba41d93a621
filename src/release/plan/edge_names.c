/* Functions at CloudFront's edge outlive their stage for hours (dispose/edge_functions.h), under
 * their names. A stage that comes back before cannot make them: CloudFormation would say so in the
 * middle. */
#include "release/plan/plan_internal.h"

#include "cfn/template.h"
#include "release/dispose/dispose.h"

static int say_there(const struct release *r, const struct layout_function *f,
                     const struct lambda_function *there, struct err *err)
{
    bool is_ours = dispose_is_of_stage(r, there, r->service->stage);
    err_at(err, f->pos, ERR_REFUSED, "function '%.*s' is there already%s", STR_ARG(f->name),
           is_ours ? ": the stage had it before, and CloudFront may have copies of it for hours"
                   : ", and does not belong to this stage");
    return is_ours ? err_help(err, "run 'troupe prune' until it is gone, or give the function "
                                   "another 'name'")
                   : err_help(err, "give the function another 'name'");
}

int plan_edge_functions(const struct release *r, struct plan *plan, struct err *err)
{
    const struct layout *l = plan->target.layout;
    const struct node *now = node_get_c(plan->world.stage_template, "Resources");
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        struct lambda_function there;
        if (!f->per_stage || node_get(now, f->logical_id) ||
            !cfn_is_at_edge(node_get_c(l->stage_template, "Resources"), f->logical_id))
            continue;
        if (lambda_get(r->arena, r->aws, f->name, STR(""), &there, err) == 0)
            return say_there(r, f, &there, err);
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
    }
    return 0;
}
