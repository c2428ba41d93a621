/* Repairing a stage. */
#include "release/repair.h"

#include <stdarg.h>

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/deploy/engine.h"
#include "release/goal/from_record.h"
#include "release/plan/without_pointers.h"
#include "release/publish/pointers.h"
#include "release/stack/stack.h"

struct repairing {
    const struct release *r;
    bool only_look;
    struct world world;
    struct lease *lease;
    struct plan plan;                 /* to be what the current record says */
    VEC(const struct pointer *) gone; /* pointers that somebody deleted */
    VEC(struct finding) findings;
};

static struct str stage_of(const struct repairing *x)
{
    return x->r->service->address;
}

__attribute__((format(printf, 3, 4))) static void find(struct repairing *x, bool reconciled,
                                                       const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vec_push(x->r->arena, &x->findings,
             (struct finding){str_vfmt(x->r->arena, fmt, ap), reconciled});
    va_end(ap);
}

/* ---- the stack ---- */

/* A rollback that failed goes on once its cause is gone. */
static int continue_rollback(struct repairing *x, struct err *err)
{
    struct world *w = &x->world;
    if (!str_eq(w->stage.status, STR("UPDATE_ROLLBACK_FAILED")))
        return 0;
    find(x, true, "the rollback of stack '%.*s' had failed", STR_ARG(w->stage_name));
    if (x->only_look)
        return err_set(err, ERR_FAILED, "stack '%.*s' has to be repaired before more can be said",
                       STR_ARG(w->stage_name));
    if (cloudformation_continue_rollback(x->r->arena, x->r->aws, w->stage_name, err) < 0 ||
        stack_wait(x->r, w->stage_name, &w->stage, err) < 0)
        return -1;
    if (stack_condition(w->stage.status) == STACK_READY)
        return 0;
    err_set(err, ERR_FAILED, "stack '%.*s' could not be rolled back: it is in state %.*s",
            STR_ARG(w->stage_name), STR_ARG(w->stage.status));
    return err_help(err, "its events name the resource; fix that and repair again");
}

static int read_world(struct repairing *x, struct err *err)
{
    struct world *w = &x->world;
    struct str stage = stage_of(x);
    if (world_find(x->r, true, w, err) < 0)
        return -1;
    if (!w->bucket.n || !w->stage_exists) {
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed", STR_ARG(stage));
        return err_help(err, "which stages there are: troupe stages");
    }
    if (!x->only_look && lease_take_stage(&w->store, stage, "repair", &x->lease, err) < 0)
        return -1;
    if (continue_rollback(x, err) < 0)
        return -1;
    return world_read(x->r, WORLD_RECORD | WORLD_VERSIONS, !x->only_look, w, err);
}

/* ---- interrupted switches: their own command finishes them ---- */

/* Was this record's command interrupted while it moved pointers by API? A shift by hand counts only
 * when it was being promoted: before that it stands at its weight, or never began. */
static bool is_switch(const struct record *record, bool current)
{
    if (!record->body || !record->body->switches)
        return false;
    if (record->body->to)
        return current || world_shift_percent(record) >= 100;
    return record->body->restores;
}

static const struct record *unfinished_switch(const struct world *w)
{
    if (is_switch(&w->interrupted, false))
        return &w->interrupted;
    return w->unclosed && is_switch(&w->record, true) ? &w->record : NULL;
}

static int finish_switch(struct repairing *x, const struct record *record, struct repaired *ret,
                         struct err *err)
{
    static const struct shifting all = {.stand = 100};
    int64_t to = record->body->to;
    struct goal goal =
        to ? goal_shift(x->r->arena, to, &all) : goal_rollback(x->r->arena, record->body->restores);
    struct deployed deployed;
    goal.what = record->body->what;
    find(x, true, "%.*s (%.*s#%lld) was interrupted: finished", STR_ARG(goal.what),
         STR_ARG(stage_of(x)), (long long)record->number);
    if (x->only_look)
        return 0;
    lease_release(&x->lease);
    if (deploy_run(x->r, &goal, NULL, NULL, &deployed, err) < 0)
        return -1;
    ret->number = deployed.number;
    return 0;
}

/* ---- what the current record says ---- */

static int find_target(struct repairing *x, struct target *ret, struct err *err)
{
    struct world *w = &x->world;
    struct arena *a = x->r->arena;
    const struct node *template;
    struct layout *layout = ARENA_NEW(a, struct layout);
    if (recorded_template(x->r, w, &w->record, &template, err) < 0)
        return -1;
    if (!template) { /* kept nowhere but in the sources */
        if (record_stage_template(&w->record).n)
            find(x, true, "the template of %.*s#%lld is gone from the bucket", STR_ARG(stage_of(x)),
                 (long long)w->current);
        if (recorded_target(x->r, w, &w->record, ret, err) == 0) {
            ret->pinned = true;
            return 0;
        }
        if (err->kind != ERR_FAILED)
            return -1;
        find(x, false, "whether the stack was changed cannot be said: %.*s", STR_ARG(err->msg));
        err_clear(err);
        template = plan_unnumbered(a, w->stage_template);
    }
    recorded_layout(x->r, &w->record, template, layout);
    *ret = (struct target){.layout = layout, .origin = &w->record, .pinned = true};
    return 0;
}

static struct str meant(const struct repairing *x, const struct pointer *p)
{
    if (p->gateway)
        return p->want;
    return pointer_text(x->r->arena, p->want, p->percent ? p->beside : STR(""), p->percent);
}

/* Why a pointer that somebody deleted cannot be made again; NULL: it can. */
static int in_the_way(struct repairing *x, const struct pointer *p, const char **ret,
                      struct err *err)
{
    struct arena *a = x->r->arena;
    struct lambda_function function;
    const struct node *stages;
    *ret = NULL;
    if (!p->gateway)
        return pointer_unusable(a, x->r, &x->world.record, p, &function, ret, err);
    if (p->gateway->stages(a, x->r->aws, p->owner, &stages, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    *ret = "is gone";
    return 0;
}

static int find_gone(struct repairing *x, const struct pointer *p, struct err *err)
{
    const char *kind = p->gateway ? "API stage" : "alias", *why;
    if (in_the_way(x, p, &why, err) < 0)
        return -1;
    if (why) {
        struct str what =
            p->gateway ? STR("the API") : str_fmt(x->r->arena, "version %.*s", STR_ARG(p->want));
        find(x, false,
             "the %s '%.*s' of '%.*s' is gone, and %.*s %s: remove the stage and make it again",
             kind, STR_ARG(p->stage), STR_ARG(p->key), STR_ARG(what), why);
        return 0;
    }
    vec_push(x->r->arena, &x->gone, p);
    find(x, true, "the %s '%.*s' of '%.*s' was gone", kind, STR_ARG(p->stage), STR_ARG(p->key));
    return 0;
}

static int find_drift(struct repairing *x, const struct pointers *all, struct err *err)
{
    struct drift *drifts;
    size_t n;
    if (pointers_check(x->r, all, &drifts, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const struct pointer *p = drifts[i].pointer;
        if (!drifts[i].gone)
            find(x, true, "'%.*s' pointed at %.*s instead of %.*s", STR_ARG(p->key),
                 STR_ARG(drifts[i].is), STR_ARG(meant(x, p)));
        else if (find_gone(x, p, err) < 0)
            return -1;
    }
    return 0;
}

/* The aliases of a shift that stands have its weight. */
static void add_shift(const struct repairing *x, struct pointers *all)
{
    const struct record *shift = world_shift(&x->world);
    const struct node *resources = node_get_c(x->world.stage_template, "Resources");
    for (size_t i = 0, k = 0; shift && i < x->plan.function_count; i++) {
        const struct function_plan *f = &x->plan.functions[i];
        struct str key = f->function->key;
        if (!f->to.n)
            continue;
        struct pointer *p = &all->all[k++];
        struct str beside = record_version(shift->versions, key)->version;
        const struct node *after = record_function(shift->body, key)->parts;
        if (!beside.n || str_eq(beside, p->want) ||
            !shift_possible(node_get(resources, f->function->alias_id), f->parts, after, NULL))
            continue;
        p->beside = beside;
        p->percent = world_shift_percent(shift);
    }
}

static void find_resources(struct repairing *x)
{
    for (size_t i = 0; i < x->plan.change_count; i++) {
        const struct change *c = &x->plan.changes[i];
        if (c->action != CHANGE_PENDING)
            find(x, true, "%.*s '%.*s' of the stack is not what %.*s#%lld says: %.*s",
                 STR_ARG(c->kind), STR_ARG(c->name), STR_ARG(stage_of(x)),
                 (long long)x->world.current,
                 STR_ARG(c->reason.n ? c->reason : STR("added or gone")));
    }
    if (!x->plan.nothing && !x->plan.change_count)
        find(x, true, "stack '%.*s' is not what %.*s#%lld says", STR_ARG(x->world.stage_name),
             STR_ARG(stage_of(x)), (long long)x->world.current);
}

static int check_object(struct repairing *x, struct str key, const char *what, struct err *err)
{
    const struct store *store = &x->world.store;
    bool there;
    if (store_head(x->r->arena, store, key, &there, NULL, err) < 0)
        return -1;
    if (!there)
        find(x, false,
             "%s of %.*s#%lld is gone: s3://%.*s/%.*s; the next deployment writes it anew", what,
             STR_ARG(stage_of(x)), (long long)x->world.current, STR_ARG(store->bucket),
             STR_ARG(key));
    return 0;
}

static int check_artifact(struct repairing *x, struct map *seen, const char *what, struct str key,
                          struct str sha, struct err *err)
{
    struct arena *a = x->r->arena;
    if (!sha.n || map_has(seen, sha))
        return 0;
    map_put(seen, sha, x);
    return check_object(x, store_key(a, &x->world.store, "artifacts/%.*s.zip", STR_ARG(sha)),
                        str_fmt(a, "%s '%.*s'", what, STR_ARG(key)).p, err);
}

/* Nothing serves from them, but resets and clones need them. */
static int check_objects(struct repairing *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct store *store = &x->world.store;
    const struct record_body *body = x->world.record.body;
    struct map seen = MAP(a);
    if (check_object(x, store_key(a, store, "sources/%.*s.json", STR_ARG(body->sources)),
                     "the source bundle", err) < 0)
        return -1;
    vec_each (&body->functions, f)
        if (check_artifact(x, &seen, "the code of", f->object.key, f->artifact, err) < 0)
            return -1;
    vec_each (&body->layers, layer)
        if (check_artifact(x, &seen, "the content of layer", layer->object.key, layer->artifact,
                           err) < 0)
            return -1;
    return 0;
}

/* ---- reconciling ---- */

static int put_template_back(struct repairing *x, struct err *err)
{
    const struct world *w = &x->world;
    struct str sha = record_stage_template(&w->record);
    struct str text = json_text(x->r->arena, plan_stage_template(x->r, &x->plan, 0), 0);
    if (!sha.n || !str_eq(sha256_hex(x->r->arena, text), sha))
        return 0;
    return store_put_once(x->r->arena, &w->store, "templates", sha, text, NULL, err);
}

static int apply(struct repairing *x, const struct node *template, struct err *err)
{
    struct world *w = &x->world;
    struct stack_update update = {.name = w->stage_name,
                                  .template = template,
                                  .parameters = plan_parameters(x->r, &x->plan, template),
                                  .tags =
                                      stack_tags(x->r->arena, x->r->service, x->r->service->stage),
                                  .store = &w->stage_store};
    if (lease_check(x->lease, err) < 0 ||
        stack_apply(x->r, &update, &w->stage_nesting, NULL, err) < 0)
        return err_wrap(err, "bring stack '%.*s' into line", STR_ARG(w->stage_name));
    return 0;
}

/* CloudFormation takes a pointer that somebody deleted for one that is still there. So the resource
 * is taken out of the stack first; the next update makes it again. */
static int take_out_gone(struct repairing *x, const struct node *template, struct err *err)
{
    const struct node *without = missing_without(x->r->arena, &x->plan, template,
                                                 aws_region(x->r->aws), x->gone.p, x->gone.n);
    if (without)
        return apply(x, without, err);
    err_set(err, ERR_REFUSED, "something in stack '%.*s' needs what is gone",
            STR_ARG(x->world.stage_name));
    return err_help(err, "remove the stage and make it again: troupe remove %.*s",
                    STR_ARG(stage_of(x)));
}

/* Before an interrupted switch is finished, pointers that somebody deleted are made again, as the
 * stack has them. When the switch's target cannot be found here, finishing it will say so. */
static int make_gone_again(struct repairing *x, struct err *err)
{
    struct target target;
    struct pointers all;
    struct drift *drifts;
    size_t n;
    if (find_target(x, &target, err) < 0 ||
        plan_make(x->r, &target, &x->world, &x->plan, err) < 0) {
        err_clear(err);
        return 0;
    }
    pointers_of(x->r->arena, &x->plan, false, &all);
    if (pointers_check(x->r, &all, &drifts, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (drifts[i].gone && find_gone(x, drifts[i].pointer, err) < 0)
            return -1;
    if (!x->gone.n || x->only_look)
        return 0;
    const struct node *template = plan_stage_template(x->r, &x->plan, x->world.current);
    return take_out_gone(x, template, err) < 0 ? -1 : apply(x, template, err);
}

static int bring_into_line(struct repairing *x, const struct pointers *all, struct err *err)
{
    struct world *w = &x->world;
    size_t moved;
    const struct node *template = plan_stage_template(x->r, &x->plan, w->current);
    if (lease_check(x->lease, err) < 0 || pointers_reconcile(x->r, all, &moved, err) < 0 ||
        pointers_wait(x->r, all, err) < 0 || put_template_back(x, err) < 0)
        return -1;
    if (x->gone.n && take_out_gone(x, template, err) < 0)
        return -1;
    if (x->plan.nothing && !x->gone.n)
        return 0;
    if (apply(x, template, err) < 0)
        return -1;
    return pointers_reconcile(x->r, all, &moved, err);
}

static int close_records(struct repairing *x, struct err *err)
{
    struct world *w = &x->world;
    struct str stage = stage_of(x);
    if (w->last_interrupted && !world_shift(w)) {
        find(x, true, "%.*s#%lld was interrupted: undone", STR_ARG(stage),
             (long long)w->last_number);
        if (!x->only_look &&
            record_write_outcome(x->r->arena, &w->store, stage, w->last_number, OUTCOME_SUPERSEDED,
                                 STR("undone by repair"), err) < 0)
            return -1;
    }
    if (!w->unclosed)
        return 0;
    find(x, true, "%.*s#%lld had not said that it succeeded", STR_ARG(stage),
         (long long)w->current);
    return x->only_look ? 0
                        : record_write_outcome(x->r->arena, &w->store, stage, w->current,
                                               OUTCOME_SUCCEEDED, STR(""), err);
}

static int check_first(const struct repairing *x, struct err *err)
{
    const struct world *w = &x->world;
    if (w->record.body && w->record.versions)
        return 0;
    if (w->record.body) {
        err_set(err, ERR_FAILED, "what was published for %.*s#%lld is gone: s3://%.*s/%.*s",
                STR_ARG(stage_of(x)), (long long)w->current, STR_ARG(w->bucket),
                STR_ARG(store_key(x->r->arena, &w->store, "stages/%.*s/%lld.versions.json",
                                  STR_ARG(stage_of(x)), (long long)w->current)));
        return err_help(err, "the next deployment finds it out again: troupe deploy %.*s",
                        STR_ARG(stage_of(x)));
    }
    if (w->last_number && !w->last_interrupted) {
        err_set(err, ERR_REFUSED,
                "stack '%.*s' names no deployment: its output " DEPLOYMENT_OUTPUT
                " is missing, or its first deployment was interrupted",
                STR_ARG(w->stage_name));
        return err_help(err, "deploy it again: troupe deploy %.*s", STR_ARG(stage_of(x)));
    }
    err_set(err, ERR_REFUSED, "the first deployment of '%.*s' was interrupted, it serves nothing",
            STR_ARG(stage_of(x)));
    return err_help(err, "run that command again, or: troupe remove %.*s", STR_ARG(stage_of(x)));
}

static int repair(struct repairing *x, struct repaired *ret, struct err *err)
{
    struct target target;
    struct pointers all;
    if (read_world(x, err) < 0)
        return -1;
    ret->number = x->world.current;
    const struct record *switch_pointers = unfinished_switch(&x->world);
    if (switch_pointers)
        return make_gone_again(x, err) < 0 ? -1 : finish_switch(x, switch_pointers, ret, err);
    if (check_first(x, err) < 0 || find_target(x, &target, err) < 0)
        return -1;
    struct release own = *x->r;
    own.explain = true;
    if (plan_make(&own, &target, &x->world, &x->plan, err) < 0)
        return -1;
    pointers_of(x->r->arena, &x->plan, false, &all);
    add_shift(x, &all);
    find_resources(x);
    if (find_drift(x, &all, err) < 0 || check_objects(x, err) < 0 ||
        (!x->only_look && bring_into_line(x, &all, err) < 0))
        return -1;
    return close_records(x, err);
}

int repair_run(const struct release *r, bool only_look, struct repaired *ret, struct err *err)
{
    struct repairing x = {.r = r, .only_look = only_look};
    *ret = (struct repaired){0};
    int done = repair(&x, ret, err);
    lease_release(&x.lease);
    ret->findings = x.findings.p;
    ret->finding_count = x.findings.n;
    for (size_t i = 0; i < x.findings.n; i++)
        ret->unrepaired |= !x.findings.p[i].reconciled;
    return done;
}
