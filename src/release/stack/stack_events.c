/* The watch on an operation: its events, what failed in it first, and its end. */
#include "release/stack/stack_internal.h"

#include "base/clock.h"
#include "release/stack/reason.h"

static bool is_over(struct str status)
{
    return !str_ends(status, STR("_IN_PROGRESS"));
}

struct stack_watch stack_watch(const struct release *r, struct str name, struct str token)
{
    return (struct stack_watch){
        .r = r, .arena = r->arena, .name = name, .token = token, .seen = MAP(r->arena)};
}

static struct stack_failure failure_of(struct arena *a, struct str id, struct str type,
                                       struct str reason)
{
    return (struct stack_failure){str_dup(a, id), str_dup(a, type),
                                  str_dup(a, reason.n ? reason : STR("no reason given"))};
}

static void note_event(struct stack_watch *w, const struct stack_event *e)
{
    bool failed = str_ends(e->status, STR("_FAILED"));
    bool cancelled = str_find(e->reason, STR("cancelled"), 0) >= 0, told = false;
    if (failed && !e->root && !cancelled && !w->failure.id.n) {
        if (str_eq(e->type, STR("AWS::CloudFormation::Stack")))
            w->nested = str_dup(w->arena, e->physical_id);
        w->failure = failure_of(w->arena, e->logical_id, e->type, e->reason);
        told = true;
    }
    if (e->root && is_over(e->status))
        w->final = str_dup(w->arena, e->status);
    if (e->root && (failed || str_ends(e->status, STR("ROLLBACK_IN_PROGRESS"))) &&
        !w->failure.reason.n && !reason_says_nothing(e->reason)) {
        w->failure.reason = str_dup(w->arena, e->reason);
        told = true;
    }
    /* The first reason is told at the end. */
    struct str more = failed && !told && !cancelled ? reason_plain(w->arena, e->reason) : STR("");
    release_tell(w->r, failed ? TOLD_FAILURE : TOLD_STEP, "stack", "%.*s %.*s%s%.*s",
                 STR_ARG(e->status), STR_ARG(e->logical_id), more.n ? ": " : "", STR_ARG(more));
}

/* New events of this call, oldest first. */
static int read_events(struct stack_watch *w, struct arena *a, struct err *err)
{
    struct stack_events which = {.stack = w->name, .token = w->token, .seen = &w->seen};
    struct stack_event *fresh;
    size_t n;
    if (cloudformation_events(a, w->r->aws, &which, &fresh, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        map_put(&w->seen, str_dup(w->arena, fresh[i].id), w);
        note_event(w, &fresh[i]);
    }
    return 0;
}

struct backoff stack_backoff(const struct release *r)
{
    enum { FIRST_MS = 100, MOST_MS = 3000, HOUR_MS = 3600 * 1000 };
    return backoff_begin(FIRST_MS, MOST_MS, r->timeout_ms ? r->timeout_ms : HOUR_MS);
}

static int say_cut_off(struct str name, struct err *err)
{
    err_set(err, ERR_HALF_DONE, "stopped watching stack '%.*s'; CloudFormation goes on with it",
            STR_ARG(name));
    return err_help(err, "run the same command again: it waits for the stack and continues");
}

/* Questions about the stack's update failed for too long: CloudFormation goes on with it. */
static int say_unknown(struct str name, struct err *err)
{
    err_wrap(err, "lost sight of stack '%.*s', CloudFormation goes on with it", STR_ARG(name));
    err->kind = ERR_HALF_DONE;
    if (!err->help.n)
        err_help(err, "run the same command again: it waits for the stack and continues");
    return -1;
}

/* No answer, or one that says nothing about the question. */
static bool is_passing(const struct err *err)
{
    return err->kind == ERR_NETWORK || err->kind == ERR_THROTTLED || err->http_status >= 500;
}

enum { BLIND_MS = 2 * 60 * 1000 };

int stack_watch_to_end(struct stack_watch *w, struct err *err)
{
    struct backoff wait = stack_backoff(w->r);
    int64_t seen = clock_mono_ms();
    while (!w->final.n) {
        cleanup_arena struct arena *a = arena_new();
        if (backoff_is_over(&wait) || backoff_pause(&wait) < 0)
            return say_cut_off(w->name, err);
        if (read_events(w, a, err) == 0)
            seen = clock_mono_ms();
        else if (is_passing(err) && clock_mono_ms() - seen < BLIND_MS)
            err_clear(err); /* the stack's operation does not need us */
        else
            return say_unknown(w->name, err);
    }
    return 0;
}

int stack_is_under_way(struct stack_watch *w, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err unread = {0};
    bool lost = is_passing(err) && err->kind != ERR_THROTTLED;
    bool blind = read_events(w, a, &unread) < 0;
    if (w->seen.n) {
        err_clear(err);
        return 0;
    }
    return lost || (blind && err->kind == ERR_CONFLICT) ? say_unknown(w->name, err) : -1;
}

int stack_wait(const struct release *r, struct str name, struct stack *ret, struct err *err)
{
    struct backoff wait = stack_backoff(r);
    for (;;) {
        if (cloudformation_describe(r->arena, r->aws, name, ret, err) < 0)
            return -1;
        if (stack_condition(ret->status) != STACK_BUSY)
            return 0;
        release_tell(r, TOLD_NOTICE, "stack", "waiting for '%.*s': %.*s", STR_ARG(name),
                     STR_ARG(ret->status));
        if (backoff_is_over(&wait) || backoff_pause(&wait) < 0)
            return say_cut_off(name, err);
    }
}

/* ---- what failed ---- */

/* CloudFormation checks names and syntax before it creates anything; what it found is told by
 * another call. */
static void explain_validation(struct stack_watch *w)
{
    struct err ignored = {0};
    struct stack_event refused;
    if (str_find(w->failure.reason, STR("alidation fail"), 0) < 0)
        return;
    if (cloudformation_refused(w->arena, w->r->aws, w->name, &refused, &ignored) == 0 &&
        refused.reason.n)
        w->failure = failure_of(w->arena, refused.logical_id, refused.type, refused.reason);
    err_clear(&ignored);
}

/* Of a nested stack: what failed first in its last operation, which is told by its own events.
 * `*ret_nested`: the nested stack in it that failed, or empty. */
static struct stack_failure failure_inside(struct stack_watch *w, struct str stack,
                                           struct str *ret_nested)
{
    struct err ignored = {0};
    struct stack_event *events = NULL;
    struct stack_failure failure = {0};
    size_t n = 0;
    struct stack_events which = {.stack = stack};
    if (cloudformation_events(w->arena, w->r->aws, &which, &events, &n, &ignored) < 0)
        n = 0;
    err_clear(&ignored);
    for (size_t i = 0; i < n; i++) {
        const struct stack_event *e = &events[i];
        static const char *const starts[] = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS",
                                             "DELETE_IN_PROGRESS"};
        for (size_t k = 0; k < 3 && e->root; k++)
            if (str_eq(e->status, str_c(starts[k])) && !(k == 2 && failure.id.n)) {
                failure = (struct stack_failure){0}; /* of an operation before */
                *ret_nested = (struct str){"", 0};
            }
        if (failure.id.n || e->root || !str_ends(e->status, STR("_FAILED")) ||
            str_find(e->reason, STR("cancelled"), 0) >= 0)
            continue;
        if (str_eq(e->type, STR("AWS::CloudFormation::Stack")))
            *ret_nested = e->physical_id;
        failure = failure_of(w->arena, e->logical_id, e->type, e->reason);
    }
    return failure;
}

/* A nested stack says no more than that something in it failed. */
static void explain_nested(struct stack_watch *w)
{
    enum { DEPTH = 5 };
    for (size_t i = 0; i < DEPTH && w->nested.n; i++) {
        struct str deeper = {"", 0};
        struct stack_failure inside = failure_inside(w, w->nested, &deeper);
        if (inside.id.n)
            w->failure = inside;
        w->nested = deeper;
    }
}

void stack_explain(struct stack_watch *w)
{
    explain_nested(w);
    explain_validation(w);
}

struct str stack_what_failed(const struct stack_watch *w)
{
    const struct stack_failure *f = &w->failure;
    struct str reason = reason_plain(w->arena, f->reason);
    if (!f->reason.n)
        return w->final;
    return f->id.n ? str_fmt(w->arena, "%.*s (%.*s): %.*s", STR_ARG(f->id), STR_ARG(f->type),
                             STR_ARG(reason))
                   : reason;
}
