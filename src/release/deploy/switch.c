/* Switching: roles get the rights that they lack; the pointers move by API, all at once; then the
 * stack is updated in two steps: first nothing but the pointers, then the rest. When a resource
 * fails in the second update, CloudFormation goes back to the template of the first, which has the
 * right pointers (docs/design.md, "Rollback"). */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/vec.h"
#include "release/publish/pointers.h"

int engine_wake(struct deploying *d, struct err *err)
{
    VEC(struct pointer) old = {0};
    for (size_t i = 0; i < d->plan->function_count; i++) {
        const struct function_plan *f = &d->plan->functions[i];
        if (f->to.n && !f->published && !f->awake && !str_eq(f->to, f->from))
            vec_push(d->arena, &old,
                     (struct pointer){
                         .key = f->function->key, .owner = f->function->name, .want = f->to});
    }
    struct pointers pointers = {old.p, old.n};
    return pointers_wake(d->r, &pointers, err);
}

/* Roles may what the versions need that are to serve. */
static int grant(struct deploying *d, struct err *err)
{
    struct map waiting = MAP(d->arena);
    const struct node *target = plan_stage_template(d->r, d->plan, 0);
    const struct node *granted =
        layout_grant(d->arena, d->plan->target.layout, target, engine_stage_now(d), &waiting);
    if (!granted)
        return 0;
    release_progress(d->r, "stack", "first the rights of the versions that are to serve");
    return engine_apply_stage(d, granted, err);
}

/* Move the pointers whose target differs from the record's. When an interrupted run may have moved
 * some, look at every pointer as it is in AWS. */
static int move(struct deploying *d, size_t *ret_moved, struct err *err)
{
    struct pointers all, moving;
    VEC(struct pointer) some = {0};
    int64_t start = clock_mono_ms();
    pointers_of(d->arena, d->plan, false, &all);
    if (d->drifted || d->resumed)
        return pointers_reconcile(d->r, &all, ret_moved, err) < 0 ? -1
                                                                  : pointers_wait(d->r, &all, err);
    for (size_t i = 0, k = 0; i < d->plan->function_count + d->plan->api_count; i++) {
        size_t n = d->plan->function_count;
        struct str from = i < n ? d->plan->functions[i].from : d->plan->apis[i - n].from;
        struct str to = i < n ? d->plan->functions[i].to : d->plan->apis[i - n].to;
        if (!to.n)
            continue;
        if (from.n && !str_eq(from, to))
            vec_push(d->arena, &some, all.all[k]);
        k++;
    }
    moving = (struct pointers){some.p, some.n};
    if (pointers_move(d->r, &moving, ret_moved, err) < 0)
        return -1;
    release_finished(d->r, "switch", "%zu pointer%s moved in %.1fs", moving.n,
                     moving.n == 1 ? "" : "s", (double)(clock_mono_ms() - start) / 1000);
    return pointers_wait(d->r, &moving, err);
}

/* Did none move? An interrupted run may have moved some, and of a call without an answer nobody
 * knows what came of it. */
static bool none_moved(const struct deploying *d, size_t moved, const struct err *err)
{
    bool refused = err->http_status >= 400 && err->http_status < 500;
    return !moved && refused && !d->drifted && !d->resumed;
}

static int switch_pointers(struct deploying *d, struct err *err)
{
    size_t moved;
    struct str stage = engine_stage(d);
    if (lease_check(d->lease, err) < 0)
        return -1;
    if (move(d, &moved, err) == 0)
        return 0;
    if (err->kind == ERR_HALF_DONE || none_moved(d, moved, err))
        return -1;
    if (err->help.n)
        err_note(err, (struct pos){0}, "%.*s", STR_ARG(err->help));
    err_note(err, (struct pos){0},
             "some functions of '%.*s' may serve what it is to serve, others what it served",
             STR_ARG(stage));
    err_help(err, "to go on with it: troupe repair %.*s; or another command, which takes it back",
             STR_ARG(stage));
    err->kind = ERR_HALF_DONE;
    return -1;
}

/* The user stopped troupe after the pointers had moved. CloudFormation may be updating the stack;
 * should that fail, it moves them back, and then they have to be moved again. */
static int say_stopped(struct deploying *d, struct err *err)
{
    struct str stage = engine_stage(d);
    err_note(err, (struct pos){0},
             "'%.*s' serves what it is to serve, its stack does not say so yet", STR_ARG(stage));
    err_help(err,
             "to bring the stack into line: troupe repair %.*s, which waits for CloudFormation",
             STR_ARG(stage));
    err->kind = ERR_HALF_DONE;
    return -1;
}

/* The update failed. CloudFormation puts the old template back, and with it the old versions: move
 * the pointers again. */
static int switch_again(struct deploying *d, struct err *err)
{
    if (cancel_requested())
        return say_stopped(d, err);
    struct err ignored = {0};
    struct pointers all;
    size_t moved;
    if (lease_lost(d->lease)) /* they are somebody else's to move */
        return -1;
    pointers_of(d->arena, d->plan, false, &all);
    bool good = pointers_reconcile(d->r, &all, &moved, &ignored) == 0;
    struct str stage = engine_stage(d);
    if (good) {
        err_help(err,
                 "'%.*s' serves what it is to serve, but its stack could not follow; fix the "
                 "cause, then: troupe repair %.*s",
                 STR_ARG(stage), STR_ARG(stage));
    } else {
        err_note(err, (struct pos){0}, "its pointers could not be moved again: %.*s",
                 STR_ARG(ignored.msg));
        err_help(err, "move them and bring the stack into line with: troupe repair %.*s",
                 STR_ARG(stage));
    }
    err_clear(&ignored);
    err->kind = ERR_HALF_DONE;
    return -1;
}

static int follow(struct deploying *d, const struct node *template, struct err *err)
{
    return engine_apply_last(d, template, err) < 0 ? switch_again(d, err) : 0;
}

int engine_switch(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    if (engine_keep_template(d, plan_stage_template(d->r, d->plan, 0), err) < 0 ||
        intent_finish(d, err) < 0 || grant(d, err) < 0 || engine_wake(d, err) < 0 ||
        switch_pointers(d, err) < 0)
        return -1;
    const struct node *whole = plan_stage_template(d->r, d->plan, d->plan->number);
    const struct node *first = engine_pointers_only(d);
    if (!node_equal(first, engine_stage_now(d)) && follow(d, first, err) < 0)
        return -1;
    if (!node_equal(first, whole) && follow(d, whole, err) < 0)
        return -1;
    release_finished(d->r, "stack", "'%.*s' updated in %.1fs", STR_ARG(w->stage_name),
                     (double)(clock_mono_ms() - start) / 1000);
    d->new_outputs = !node_equal(first, whole);
    return 0;
}
