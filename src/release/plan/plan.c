/* Planning: comparing the target with the world. Reads only. */
#include "release/plan/plan_internal.h"

#include "release/publish/definition.h"

/* ---- the plan ---- */

/* What the stage's stack says a pointer of it points at. */
static struct str points_at(const struct plan *plan, struct str id, const char *property)
{
    const struct node *resources = node_get_c(plan->world.stage_template, "Resources");
    return node_text(node_get_c(node_get_c(node_get(resources, id), "Properties"), property));
}

/* An alias of that name may be another function's: of the stage's own before it was shared. */
static struct str serves_now(const struct plan *plan, const struct layout_function *f)
{
    struct str of = points_at(plan, f->alias_id, "FunctionName");
    return str_eq(of, f->name) ? points_at(plan, f->alias_id, "FunctionVersion")
                               : (struct str){"", 0};
}

static void init_snapshots(const struct release *r, struct plan *plan)
{
    const struct layout *l = plan->target.layout;
    plan->functions = ARENA_ARRAY(r->arena, l->function_count + 1, struct function_plan);
    plan->apis = ARENA_ARRAY(r->arena, l->api_count + 1, struct api_plan);
    for (size_t i = 0; i < l->function_count; i++) {
        if (l->functions[i].per_stage)
            continue;
        struct function_plan *f = &plan->functions[plan->function_count++];
        f->function = &l->functions[i];
        f->from = serves_now(plan, f->function);
    }
    for (size_t i = 0; i < l->api_count; i++) {
        struct api_plan *p = &plan->apis[plan->api_count++];
        p->api = &l->apis[i];
        p->from = points_at(plan, p->api->stage_id, "DeploymentId");
    }
}

/* The snapshots of the target's record, as they are. */
static void pin(const struct release *r, struct plan *plan)
{
    const struct record *origin = plan->target.origin;
    /* A definition names the functions that a stage has of its own: it is no other stage's. */
    bool has_own = plan->function_count < plan->target.layout->function_count;
    bool calls_others = has_own && !str_eq(origin->stage, r->service->address);
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        struct str key = f->function->key;
        f->to = record_version(origin->versions, key)->version;
        f->pinned = f->to.n && !str_eq(key, plan->target.unpinned);
        if (!f->pinned) {
            f->to = (struct str){"", 0};
            continue;
        }
        f->fingerprint = record_version(origin->versions, key)->fingerprint;
        f->parts = record_function(origin->body, key)->parts;
        f->awake = map_has(&plan->target.awake, key);
    }
    for (size_t i = 0; i < plan->api_count && !calls_others; i++) {
        struct api_plan *p = &plan->apis[i];
        const struct record_api_deployment *d = record_deployment(origin->versions, p->api->id);
        p->to = d->deployment;
        p->aws_id = d->id;
        p->fingerprint = d->fingerprint;
        p->pinned = p->to.n > 0;
    }
}

/* Deploying one function leaves the recorded sources as they are: only its code may differ. */
static int check_only_code(const struct planning *p, struct err *err)
{
    struct str key = p->plan->target.unpinned, stage = p->r->service->address;
    for (size_t i = 0; i < p->plan->function_count && key.n; i++) {
        const struct function_plan *f = &p->plan->functions[i];
        const struct node *before =
            record_function(p->plan->world.record.body, f->function->key)->parts;
        if (!str_eq(f->function->key, key))
            continue;
        struct node *was = node_shallow(p->r->arena, before ? before : node_map(p->r->arena));
        const struct node *like = changes_parts_like(p->r->arena, f, before);
        struct node *now = node_shallow(p->r->arena, like ? like : node_map(p->r->arena));
        node_drop(was, STR("code"));
        node_drop(now, STR("code"));
        if (f->parts && node_equal(was, now))
            continue;
        struct str what =
            f->parts ? definition_reason(p->r->arena, was, now)
                     : str_fmt(p->r->arena, "it needs a resource that '%.*s' does not have yet",
                               STR_ARG(stage));
        err_set(err, ERR_REFUSED, "more than the code of function '%.*s' changed: %.*s",
                STR_ARG(key), STR_ARG(what));
        return err_help(err, "deploy the whole stage: troupe deploy %.*s", STR_ARG(stage));
    }
    return 0;
}

static bool all_known(const struct plan *plan)
{
    for (size_t i = 0; i < plan->function_count; i++)
        if (!plan->functions[i].to.n)
            return false;
    for (size_t i = 0; i < plan->api_count; i++)
        if (!plan->apis[i].to.n)
            return false;
    return true;
}

static int plan_stage(struct planning *p, struct err *err)
{
    struct plan *plan = p->plan;
    if (plan_domains(p->r, plan, err) < 0 || plan_scope(p->r, plan, err) < 0 ||
        plan_keep_network(p->r, plan, err) < 0 || plan_resolve(p->r, plan, false, err) < 0 ||
        plan_reuse(p->r, plan, err) < 0 || check_only_code(p, err) < 0 ||
        changes_functions(p, err) < 0 || plan_api_quota(p->r, plan, err) < 0 ||
        plan_outside(p->r, plan, err) < 0 || plan_edge_functions(p->r, plan, err) < 0)
        return -1;
    if (plan->world.stage_template &&
        layout_check_rights(p->r->arena, plan->target.layout, plan_stage_template(p->r, plan, 0),
                            plan->world.stage_template, err) < 0)
        return -1;
    changes_apis(p);
    /* A stack that names no deployment was changed by hand: it gets a number again. */
    if (all_known(plan) && plan_is_in_line(p->r, plan) && plan->world.current) {
        plan->unchanged += node_count(node_get_c(plan->target.layout->stage_template, "Resources"));
        return 0;
    }
    const struct node *target = plan_stage_template(p->r, plan, 0);
    changes_stage(p, plan->world.stage_template, target);
    plan->nothing = false;
    return plan_api_logs(p->r, plan, err);
}

int plan_make(const struct release *r, const struct target *target, const struct world *world,
              struct plan *ret, struct err *err)
{
    struct planning p = {.r = r, .plan = ret};
    *ret = (struct plan){.target = *target,
                         .world = *world,
                         .values = MAP(r->arena),
                         .nothing = true,
                         .digest = world_digest(&world->stage)};
    if (r->service->address.n)
        init_snapshots(r, ret);
    if (target->pinned)
        pin(r, ret);
    if (plan_service(&p, err) < 0 || (r->service->address.n && plan_stage(&p, err) < 0))
        return -1;
    ret->nothing = ret->nothing && !ret->service_target;
    ret->number = world->last_number > world->current ? world->last_number + 1 : world->current + 1;
    ret->changes = p.changes.p;
    ret->change_count = p.changes.n;
    return 0;
}
