/* The state of stages. */
#include "release/status.h"

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/plan/plan.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

static const char *const words[] = {
    [RECORD_SUCCEEDED] = "succeeded",     [RECORD_FAILED] = "failed",
    [RECORD_SUPERSEDED] = "superseded",   [RECORD_UNDER_WAY] = "under way",
    [RECORD_SHIFTING] = "shifting",       [RECORD_HALF_DONE] = "half done",
    [RECORD_INTERRUPTED] = "interrupted",
};

const char *record_state_word(enum record_state state)
{
    return words[state];
}

static bool at_work(const struct stage_status *s)
{
    return s->lease.nonce.n && !s->lease.dead && s->lease.ends_ms >= s->lease.date_ms;
}

/* Is this the record of a shift by hand that stands at its weight? */
static bool is_shift(const struct record *record)
{
    return record->body && record->body->shifts && record->body->to && world_shift_percent(record);
}

/* The stack, or a pointer, has not followed the record that the stage is at. */
static bool is_half_done(const struct stage_status *s)
{
    return s->behind || (s->unclosed && s->drift_count);
}

enum record_state record_state(const struct stage_status *s, int64_t number,
                               const struct record_outcome *outcome)
{
    static const enum record_state states[] = {[OUTCOME_SUCCEEDED] = RECORD_SUCCEEDED,
                                               [OUTCOME_FAILED] = RECORD_FAILED,
                                               [OUTCOME_SUPERSEDED] = RECORD_SUPERSEDED};
    if (outcome)
        return states[outcome->outcome];
    bool open = s->open.body && number == s->open.number;
    if (number == s->number && s->number)
        return !is_half_done(s) ? RECORD_SUCCEEDED
               : at_work(s)     ? RECORD_UNDER_WAY
                                : RECORD_HALF_DONE;
    if (open && at_work(s))
        return RECORD_UNDER_WAY;
    return open && is_shift(&s->open) ? RECORD_SHIFTING : RECORD_INTERRUPTED;
}

/* ---- reading ---- */

static const struct record_ref *find_ref(const struct world *w, struct str stage, int64_t number)
{
    for (size_t i = 0; i < w->record_count; i++)
        if (str_eq(w->records[i].stage, stage) && (!number || w->records[i].number == number))
            return &w->records[i]; /* newest first */
    return NULL;
}

/* A rollback's pointers stand, and maybe its stack has not followed: its template says so. */
static int look_behind(const struct release *r, const struct world *w, struct stage_status *s,
                       struct err *err)
{
    const struct node *template;
    struct str text, sha = record_stage_template(&s->record);
    if (!s->unclosed || !sha.n || stack_condition(s->stack.status) == STACK_BUSY)
        return 0;
    if (nested_read(r, &w->store, s->stack.name, &template, NULL, err) < 0)
        return -1;
    text = json_text(r->arena, plan_unnumbered(r->arena, template), 0);
    s->behind = !str_eq(sha256_hex(r->arena, text), sha);
    return 0;
}

/* Aliases are asked only where something that moves them by API is open. */
static int look_drifted(const struct release *r, struct stage_status *s, struct err *err)
{
    struct arena *a = r->arena;
    VEC(struct pointer) all = {0};
    bool may_be = record_moves_by_api(&s->open) || (s->unclosed && record_moves_by_api(&s->record));
    if (!may_be)
        return 0;
    const struct record_versions *published = s->record.versions;
    for (size_t i = 0; published && i < published->functions.n; i++) {
        const struct record_version *v = &published->functions.p[i];
        vec_push(a, &all,
                 (struct pointer){.key = v->object.key,
                                  .owner = v->name,
                                  .stage = r->service->stage,
                                  .want = v->version});
    }
    for (size_t i = 0; published && i < published->apis.n; i++) {
        const struct record_api_deployment *d = &published->apis.p[i];
        vec_push(a, &all,
                 (struct pointer){.gateway = api_gateway(d->kind),
                                  .key = d->object.key,
                                  .owner = d->id,
                                  .stage = r->service->stage,
                                  .want = d->deployment});
    }
    struct pointers *pointers = ARENA_NEW(a, struct pointers);
    *pointers = (struct pointers){all.p, all.n};
    return pointers_check(r, pointers, &s->drifts, &s->drift_count, err);
}

/* ---- what to say of it ---- */

static struct str record_name(struct arena *a, const struct record *record)
{
    return str_fmt(a, "%.*s#%lld (%.*s)", STR_ARG(record->stage), (long long)record->number,
                   STR_ARG(record->body->what));
}

static void say_open(struct arena *a, struct stage_status *s)
{
    struct str name = record_name(a, &s->open);
    if (is_shift(&s->open)) {
        s->word = "shifting";
        s->note = str_fmt(a,
                          "%.*s has %u %% of the calls; finish it with 'troupe shift %.*s "
                          "--promote', or take it back with --abort",
                          STR_ARG(name), world_shift_percent(&s->open), STR_ARG(s->name));
        return;
    }
    bool switches = record_moves_by_api(&s->open) && !s->open.body->shifts;
    s->word = "interrupted";
    s->note =
        str_fmt(a, "%.*s was interrupted; %s it with: troupe repair %.*s", STR_ARG(name),
                switches ? "finish" : "go on with the same command, or undo", STR_ARG(s->name));
}

static void say_at_work(struct arena *a, struct stage_status *s)
{
    const struct lease_info *l = &s->lease;
    s->word = s->open.body && record_moves_by_api(&s->open) && s->drift_count ? "shifting" : "busy";
    s->note =
        str_fmt(a, "'%.*s' on '%.*s' is at work%s%.*s: %.*s", STR_ARG(l->user), STR_ARG(l->host),
                l->taken.n ? " since " : "", STR_ARG(l->taken), STR_ARG(l->purpose));
}

static void say(struct arena *a, struct stage_status *s)
{
    enum stack_condition condition = stack_condition(s->stack.status);
    s->word = "ready";
    if (at_work(s)) {
        say_at_work(a, s);
    } else if (!s->stack.name.n) {
        s->word = "not deployed";
    } else if (condition == STACK_BUSY) {
        s->word = "busy";
        s->note = str_fmt(a, "stack '%.*s' is changing: %.*s", STR_ARG(s->stack.name),
                          STR_ARG(s->stack.status));
    } else if (condition != STACK_READY) {
        s->word = str_z(a, s->stack.status);
        s->note = str_fmt(a, "stack '%.*s' cannot be updated; %.*s", STR_ARG(s->stack.name),
                          STR_ARG(stack_way_out(a, s->stack.status, s->name)));
    } else if (s->altered) {
        s->word = "altered";
        s->note =
            str_fmt(a,
                    "the record of %.*s#%lld is not what was deployed; find out who may write "
                    "to the bucket, and put back an earlier version of the object",
                    STR_ARG(s->name), (long long)s->number);
    } else if (s->number && !s->record.body) {
        s->word = "unknown";
        s->note = str_fmt(a,
                          "the record of %.*s#%lld is gone; put it back, or remove the stage and "
                          "deploy it again: troupe remove %.*s",
                          STR_ARG(s->name), (long long)s->number, STR_ARG(s->name));
    } else if (is_half_done(s)) {
        s->word = "half done";
        s->note = str_fmt(a, "%s not followed %.*s; finish it with: troupe repair %.*s",
                          s->behind ? "the stack has" : "some pointers have",
                          STR_ARG(record_name(a, &s->record)), STR_ARG(s->name));
    } else if (s->open.body) {
        say_open(a, s);
    }
}

/* ---- the whole ---- */

/* One that somebody deleted has no body. */
static int read_record(const struct release *r, const struct world *w, struct stage_status *s,
                       int64_t number, struct record *ret, struct err *err)
{
    *ret = (struct record){.stage = s->name, .number = number};
    if (number == s->number)
        ret->digest = world_digest(&s->stack);
    if (record_read_more(r->arena, &w->store, RECORD_VERSIONS, ret, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND && err->kind != ERR_REFUSED)
        return -1;
    s->altered |= err->kind == ERR_REFUSED;
    ret->body = NULL;
    ret->versions = NULL;
    err_clear(err);
    return 0;
}

/* `s` has name, stack and number. */
static int fill(const struct release *r, struct world *w, const struct lease_info *leases, size_t n,
                struct stage_status *s, struct err *err)
{
    struct str lease = str_fmt(r->arena, LEASE_STAGE "%.*s", STR_ARG(s->name));
    const struct record_ref *last = find_ref(w, s->name, 0);
    const struct record_ref *now = s->number ? find_ref(w, s->name, s->number) : NULL;
    for (size_t i = 0; i < n; i++)
        if (str_eq(leases[i].name, lease))
            s->lease = leases[i];
    if (s->number && read_record(r, w, s, s->number, &s->record, err) < 0)
        return -1;
    s->unclosed = now && !now->has_outcome;
    if (last && !last->has_outcome && last != now &&
        read_record(r, w, s, last->number, &s->open, err) < 0)
        return -1;
    if (look_behind(r, w, s, err) < 0 || look_drifted(r, s, err) < 0)
        return -1;
    say(r->arena, s);
    return 0;
}

int status_of_stage(const struct release *r, struct world *w, struct stage_status *ret,
                    struct err *err)
{
    struct lease_info *leases;
    size_t n;
    *ret = (struct stage_status){.name = r->service->address};
    if (w->stage_exists)
        ret->stack = w->stage;
    ret->number = w->stage_exists ? world_deployment(&w->stage) : 0;
    if (leases_list(r->arena, &w->store, &leases, &n, err) < 0)
        return -1;
    return fill(r, w, leases, n, ret, err);
}

int status_of_all(const struct release *r, struct world *w, struct stage_status **ret,
                  size_t *ret_n, struct err *err)
{
    struct str *names;
    struct stack *stacks;
    struct lease_info *leases;
    size_t n;
    if (stages_find(r, &w->store, &names, &stacks, ret_n, err) < 0 ||
        records_list(r->arena, &w->store, &w->records, &w->record_count, err) < 0 ||
        leases_list(r->arena, &w->store, &leases, &n, err) < 0)
        return -1;
    *ret = ARENA_ARRAY(r->arena, *ret_n + 1, struct stage_status);
    for (size_t i = 0; i < *ret_n; i++) {
        struct stage_status *s = &(*ret)[i];
        *s = (struct stage_status){
            .name = names[i], .stack = stacks[i], .number = world_deployment(&stacks[i])};
        struct release there;
        if (region_at(r, names[i], &there, err) < 0 || fill(&there, w, leases, n, s, err) < 0)
            return -1;
    }
    return 0;
}
