/* Shifting: functions move by weights first, everything else at the end (docs/design.md, "Shift").
 */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/vec.h"
#include "release/deploy/shift_schedule.h"
#include "release/deploy/verify.h"
#include "release/publish/pointers.h"
#include "release/stack/nested.h"

/* ---- which functions ---- */

bool shift_possible(const struct node *alias, const struct node *parts_before,
                    const struct node *parts_after, const char **ret_why)
{
    static const struct {
        const char *part, *why;
    } same[] = {
        {"Role", "its role changes"},
        {"DeadLetterConfig", "its dead letter configuration changes"},
    };
    const char *why = NULL;
    if (node_path(alias, "Properties.ProvisionedConcurrencyConfig"))
        why = "it has provisioned concurrency";
    for (size_t i = 0; i < sizeof same / sizeof *same && !why; i++) {
        const struct node *before = node_get_c(parts_before, same[i].part);
        const struct node *after = node_get_c(parts_after, same[i].part);
        if (!before || !after || !node_equal(before, after))
            why = same[i].why;
    }
    if (ret_why)
        *ret_why = why;
    return !why;
}

/* Aliases that can share their calls between where they are and where they are to be; the others
 * are said, unless `quiet`. */
static struct pointers shared_aliases(const struct deploying *d, bool quiet)
{
    struct arena *a = d->arena;
    const struct world *w = &d->plan->world;
    const struct node *resources = node_get_c(w->stage_template, "Resources");
    VEC(struct pointer) all = {0};
    for (size_t i = 0; i < d->plan->function_count; i++) {
        const struct function_plan *f = &d->plan->functions[i];
        const char *why;
        if (!f->from.n || !f->to.n || str_eq(f->from, f->to))
            continue;
        if (shift_possible(node_get(resources, f->function->alias_id),
                           record_function(w->record.body, f->function->key)->parts, f->parts,
                           &why)) {
            vec_push(a, &all,
                     (struct pointer){.key = f->function->key,
                                      .owner = f->function->name,
                                      .stage = d->r->service->stage,
                                      .want = f->from,
                                      .beside = f->to});
        } else if (!quiet) {
            release_finished(d->r, "shift", "'%.*s' moves at the end, at once: %s",
                             STR_ARG(f->function->key), why);
        }
    }
    return (struct pointers){all.p, all.n};
}

static void set_percent(struct pointers *aliases, unsigned percent)
{
    for (size_t i = 0; i < aliases->n; i++)
        aliases->all[i].percent = percent;
}

/* ---- what goes wrong ---- */

/* The aliases as they were. A wish to stop is what led here, or may come now: one more stops this
 * too. */
static int take_back(struct deploying *d, struct err *err)
{
    struct err failed = {0};
    bool cancelled = cancel_requested();
    struct str stage = engine_stage(d);
    if (lease_lost(d->lease)) /* the aliases are somebody else's to move */
        return -1;
    cancel_clear();
    release_progress(d->r, "shift", "taking it back");
    bool good = engine_reconcile(d, true, &failed) == 0;
    if (cancelled && good)
        cancel_request();
    if (good) {
        err_note(err, (struct pos){0}, "taken back: '%.*s' serves what it served before",
                 STR_ARG(stage));
    } else {
        err_note(err, (struct pos){0}, "it could not be taken back: %.*s", STR_ARG(failed.msg));
        err_help(err, "take it back with: troupe repair %.*s", STR_ARG(stage));
        err->kind = ERR_HALF_DONE;
    }
    err_clear(&failed);
    return -1;
}

/* ---- alarms ---- */

struct alarms {
    struct str *names;
    size_t n;
};

/* What a {Ref} of the stage's stack is called; empty: it is not there yet. */
static struct str physical_name(const struct stack_resource *resources, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(resources[i].logical_id, id))
            return resources[i].physical_id;
    return (struct str){"", 0};
}

static int name_alarms(const struct deploying *d, struct alarms *ret, struct err *err)
{
    struct arena *a = d->arena;
    const struct node *list = d->plan->target.shifting->settings->alarms;
    struct stack_resource *resources = NULL;
    size_t n = 0;
    *ret = (struct alarms){ARENA_ARRAY(a, node_count(list) + 1, struct str), 0};
    node_each (one, list) {
        struct str id = node_text(node_get_c(one, "Ref")), name = node_text(one);
        if (id.n && !resources &&
            nested_resources(a, d->r->aws, d->plan->world.stage_name, &resources, &n, err) < 0)
            return -1;
        if (id.n)
            name = physical_name(resources, n, id);
        if (name.n)
            ret->names[ret->n++] = name;
        else
            release_finished(d->r, "shift", "alarm '%.*s' is not watched: it is new", STR_ARG(id));
    }
    return 0;
}

static int check_alarms_exist(const struct alarms *alarms, const struct cloudwatch_alarm *states,
                              size_t n, struct err *err)
{
    for (size_t i = 0; i < alarms->n; i++) {
        bool there = false;
        for (size_t k = 0; k < n; k++)
            there |= str_eq(states[k].name, alarms->names[i]);
        if (there)
            continue;
        err_set(err, ERR_FAILED, "there is no alarm '%.*s'", STR_ARG(alarms->names[i]));
        return err_help(err, "create it, or correct 'alarms' in custom.troupe.shift");
    }
    return 0;
}

static int watch_alarms(const struct deploying *d, const struct alarms *alarms, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct cloudwatch_alarm *states;
    size_t n;
    if (!alarms->n)
        return 0;
    if (cloudwatch_alarms(a, d->r->aws, alarms->names, alarms->n, &states, &n, err) < 0)
        return err_wrap(err, "watch the alarms");
    if (check_alarms_exist(alarms, states, n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_eq(states[i].state, STR("ALARM")))
            return err_set(err, ERR_FAILED, "alarm '%.*s' went off: %.*s", STR_ARG(states[i].name),
                           STR_ARG(states[i].reason));
    return 0;
}

/* ---- steps ---- */

enum { POLL_MS = 5000 };

static int hold(struct deploying *d, const struct shift_step *step, const struct alarms *alarms,
                struct err *err)
{
    int64_t end = clock_mono_ms() + step->hold_ms;
    for (;;) {
        if (lease_check(d->lease, err) < 0 || watch_alarms(d, alarms, err) < 0)
            return -1;
        int64_t left = end - clock_mono_ms();
        if (left <= 0)
            return 0;
        release_progress(d->r, "shift", "%u %%, %llds left", step->percent,
                         (long long)(left + 999) / 1000);
        if (clock_sleep_ms(left < POLL_MS ? left : POLL_MS) < 0)
            return err_set(err, ERR_CANCELLED, "stopped at %u %%", step->percent);
    }
}

static int verify(struct deploying *d, const struct shift_step *step, struct err *err)
{
    const struct shifting *s = d->plan->target.shifting;
    struct verification v = {.command = s->verify,
                             .service = d->r->service->name,
                             .stage = d->r->service->stage,
                             .region = aws_region(d->r->aws),
                             .deployment = d->plan->number,
                             .percent = step->percent};
    if (!s->verify.n)
        return 0;
    release_progress(d->r, "shift", "%u %%, verifying", step->percent);
    return verify_run(d->arena, &v, err);
}

static int take_step(struct deploying *d, struct pointers *aliases, const struct shift_step *step,
                     const struct alarms *alarms, struct err *err)
{
    set_percent(aliases, step->percent);
    if (lease_check(d->lease, err) < 0 || pointers_move(d->r, aliases, NULL, err) < 0 ||
        hold(d, step, alarms, err) < 0 || verify(d, step, err) < 0)
        return -1;
    release_finished(d->r, "shift", "%u %% of the calls", step->percent);
    return 0;
}

static int take_steps(struct deploying *d, struct pointers *aliases, const struct alarms *alarms,
                      struct err *err)
{
    const struct shifting *s = d->plan->target.shifting;
    struct shift_step *steps;
    size_t n;
    shift_schedule(d->arena, s->settings, s->verify.n > 0, &steps, &n);
    for (size_t i = 0; i < n; i++)
        if (take_step(d, aliases, &steps[i], alarms, err) < 0)
            return -1;
    for (size_t i = 0; i < aliases->n; i++) {
        aliases->all[i].want = aliases->all[i].beside;
        aliases->all[i].percent = 0;
    }
    return n ? pointers_move(d->r, aliases, NULL, err) : 0;
}

int engine_shift(struct deploying *d, struct err *err)
{
    struct alarms alarms;
    if (!d->plan->target.shifting)
        return 0;
    struct pointers aliases = shared_aliases(d, false);
    if (!aliases.n)
        return 0;
    if (name_alarms(d, &alarms, err) < 0 || watch_alarms(d, &alarms, err) < 0)
        return -1;
    d->drifted = true;
    return take_steps(d, &aliases, &alarms, err) < 0 ? take_back(d, err) : 0;
}

/* ---- by hand ---- */

int engine_stand(struct deploying *d, struct err *err)
{
    struct pointers aliases = shared_aliases(d, false);
    unsigned percent = d->plan->target.shifting->stand;
    if (!aliases.n) {
        err_set(err, ERR_REFUSED, "no function of '%.*s' can be shifted", STR_ARG(engine_stage(d)));
        return err_help(err, "move all at once: troupe rollback %.*s --to %lld",
                        STR_ARG(engine_stage(d)), (long long)d->plan->target.to);
    }
    d->percent = percent;
    set_percent(&aliases, percent);
    if (intent_versions(d, d->arena, err) < 0)
        return -1;
    if (engine_wake(d, err) == 0 && lease_check(d->lease, err) == 0 &&
        pointers_move(d->r, &aliases, NULL, err) == 0) {
        release_finished(d->r, "shift", "%u %% of the calls of %zu function%s", percent, aliases.n,
                         aliases.n == 1 ? "" : "s");
        return 0;
    }
    return take_back(d, err);
}
