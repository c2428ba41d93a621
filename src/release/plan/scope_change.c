/* Resources that change between stage and service: nothing may be lost on the way. */
#include "release/plan/plan.h"

#include "cfn/cfn.h"
#include "release/adopt/adopt.h"

/* Log groups of functions follow their functions; what they hold is not the stage's data. */
static bool is_precious(const struct node *resource)
{
    struct str type = node_text(node_get_c(resource, "Type"));
    return type.n && !cfn_is(type, CFN_RECREATABLE) && !str_eq(type, STR("AWS::Logs::LogGroup"));
}

/* Does what the stage is at name the service's `id`? Not every command has read its record by now.
 */
static int needs(const struct release *r, struct world *w, struct str id, struct err *err)
{
    if (world_want(r, WORLD_RECORD, w, err) < 0)
        return -1;
    node_each (one, w->record.body ? w->record.body->needs : NULL)
        if (str_eq(node_text(one), id))
            return 1;
    return 0;
}

static int say_to_service(const struct release *r, struct str id, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "'%.*s' is to belong to the service: stage '%.*s' would delete its own", STR_ARG(id),
            STR_ARG(r->service->stage));
    return err_help(err, "to move it there as it is: troupe adopt %.*s",
                    STR_ARG(r->service->stage));
}

static int say_to_stage(const struct release *r, struct str id, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "'%.*s' belongs to the service now: stage '%.*s' would get another one, which is empty",
            STR_ARG(id), STR_ARG(r->service->stage));
    return err_help(err,
                    "to move it to this stage as it is: troupe adopt %.*s; to keep it for all, "
                    "leave it in custom.troupe.resources.service",
                    STR_ARG(r->service->stage));
}

static int say_taken(const struct release *r, struct str id, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "'%.*s' is not in the service stack any more: stage '%.*s' would get another one, "
            "which is empty",
            STR_ARG(id), STR_ARG(r->service->stage));
    return err_help(err, "a stage has it: take it out of custom.troupe.resources.service");
}

static int check_to_service(const struct release *r, struct plan *plan, struct err *err)
{
    struct world *w = &plan->world;
    const struct node *after = node_get_c(plan->target.layout->stage_template, "Resources");
    const struct node *today = node_get_c(plan->target.layout->service_template, "Resources");
    member_each (m, node_get_c(w->stage_template, "Resources")) {
        if (node_get(after, m->key) || !is_precious(m->value) || cfn_is_retained(m->value) ||
            !node_get(today, m->key) || str_starts(m->key, STR("ServerlessDeploymentBucket")))
            continue;
        if (world_want(r, WORLD_SERVICE, w, err) < 0)
            return -1;
        if (!node_get(node_get_c(w->service_template, "Resources"), m->key))
            return say_to_service(r, m->key, err);
    }
    return 0;
}

/* Is it the service's, or on its way from there? */
static bool service_has(const struct world *w, struct str id)
{
    return node_get(node_get_c(w->service_template, "Resources"), id) ||
           node_get(adopt_moving(w->service_template), id);
}

static bool is_taken(const struct plan *plan, struct str id)
{
    const struct adoption *adoption = plan->target.adoption;
    const struct adopt_item *item = adoption ? adopt_find(adoption, id) : NULL;
    return item && (item->fate == ADOPT_TAKEN || item->fate == ADOPT_REFUSED);
}

static int check_to_stage(const struct release *r, struct plan *plan, struct err *err)
{
    struct world *w = &plan->world;
    const struct node *before = node_get_c(w->stage_template, "Resources");
    member_each (m, node_get_c(plan->target.layout->stage_template, "Resources")) {
        if (node_get(before, m->key) || !is_precious(m->value) || is_taken(plan, m->key))
            continue;
        int needed = needs(r, w, m->key, err);
        if (needed < 0 || (needed && world_want(r, WORLD_SERVICE, w, err) < 0))
            return -1;
        if (needed && service_has(w, m->key))
            return say_to_stage(r, m->key, err);
    }
    return 0;
}

/* The plan is about to make a resource with data in the service stack. When this stage's record
 * needs it from there, it was there: somebody took it away, and an empty one is no replacement. */
static int check_still_there(const struct release *r, struct plan *plan, struct err *err)
{
    struct world *w = &plan->world;
    if (!w->service_template || plan->target.adoption)
        return 0;
    member_each (m, node_get_c(plan->target.layout->service_template, "Resources")) {
        if (!is_precious(m->value) ||
            node_get(node_get_c(w->service_template, "Resources"), m->key) ||
            str_starts(m->key, STR("ServerlessDeploymentBucket")))
            continue;
        int needed = needs(r, w, m->key, err);
        if (needed)
            return needed < 0 ? -1 : say_taken(r, m->key, err);
    }
    return 0;
}

/* ---- functions of one name in both ---- */

/* The function of that name in a template; NULL: there is none. */
static const struct node *function_named(const struct node *template, struct str name)
{
    member_each (m, node_get_c(template, "Resources"))
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Function") &&
            str_eq(node_text(node_path(m->value, "Properties.FunctionName")), name))
            return m->value;
    return NULL;
}

static int say_one_name(const struct layout_function *f, struct err *err)
{
    err_at(err, f->pos, ERR_REFUSED, "function '%.*s' is called '%.*s', and so is %s",
           STR_ARG(f->key), STR_ARG(f->name),
           f->per_stage ? "the one that all stages share until now"
                        : "the one that this stage has for itself until now");
    return err_help(err, "give it a name with ${sls:stage} in it, or none");
}

/* A function that moves between service and stage is made in one stack before it goes in the other,
 * so it cannot keep a name of the user's. */
static int check_fixed_names(const struct release *r, struct plan *plan, struct err *err)
{
    struct world *w = &plan->world;
    const struct layout *l = plan->target.layout;
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        bool had = function_named(w->stage_template, f->name);
        if (!f->per_stage && had)
            return say_one_name(f, err);
        if (!f->per_stage || had || f->of_stage || !w->service_exists)
            continue;
        if (world_want(r, WORLD_SERVICE, w, err) < 0)
            return -1;
        if (function_named(w->service_template, f->name))
            return say_one_name(f, err);
    }
    return 0;
}

int plan_scope(const struct release *r, struct plan *plan, struct err *err)
{
    if (!plan->target.adoption && check_to_service(r, plan, err) < 0)
        return -1;
    if (!plan->target.adoption && check_fixed_names(r, plan, err) < 0)
        return -1;
    return check_to_stage(r, plan, err) < 0 ? -1 : check_still_there(r, plan, err);
}
