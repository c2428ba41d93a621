/* Resetting a stage to what another is, and cloning: the recorded sources for another stage. */
#include "release/goal/from_record.h"

#include "cfn/expression.h"
#include "release/bucket/stage_address.h"
#include "release/plan/plan.h"
#include "release/publish/pointers.h"
#include "release/stack/nested.h"
#include "release/world/region.h"

static struct str stage_of(const struct release *r)
{
    return r->service->address;
}

/* What to be like. */
struct model {
    struct str stage; /* the other stage */
    int64_t number;   /* of a record; 0: the current one */
    bool exact;       /* its very versions */
};

/* ---- which record ---- */

static int say_no_current(const struct chain *chain, struct err *err)
{
    struct str stage = chain->stage;
    if (!chain->exists) {
        err_set(err, ERR_NOT_FOUND, "there is no stage '%.*s'", STR_ARG(stage));
        return err_help(err, "which stages there are: troupe stages");
    }
    err_set(err, ERR_LOCKED, "stage '%.*s' is being changed right now (%.*s)", STR_ARG(stage),
            STR_ARG(chain->status));
    return err_help(err, "wait until that is done, or name a deployment: %.*s#N", STR_ARG(stage));
}

static int find_record(const struct model *like, const struct release *r, struct world *w,
                       struct record *ret, struct err *err)
{
    struct chain chain;
    if (!w->bucket.n) {
        err_set(err, ERR_NOT_FOUND, "service '%.*s' is not deployed", STR_ARG(r->service->name));
        return err_help(err, "deploy it first: troupe deploy %.*s", STR_ARG(like->stage));
    }
    if (chain_begin(r, w, like->stage, &chain, err) < 0)
        return -1;
    if (!like->number && !chain.current)
        return say_no_current(&chain, err);
    return recorded_read(r, w, &chain, like->number, !like->number, ret, err);
}

/* ---- the very same versions ---- */

static bool belongs(const struct stack_resource *resources, size_t n, const char *type,
                    struct str value)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(resources[i].type, str_c(type)) && resources[i].physical_id.n &&
            (str_eq(value, resources[i].physical_id) ||
             (str_ends(value, resources[i].physical_id) &&
              value.p[value.n - resources[i].physical_id.n - 1] == '/')))
            return true;
    return false;
}

static int refuse_foreign(const struct model *like, struct str key, struct str version,
                          const char *what, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "version %.*s of '%.*s' %s of '%.*s' itself, which goes with that stage",
            STR_ARG(version), STR_ARG(key), what, STR_ARG(like->stage));
    return err_help(err, "leave out --exact: the same code is published for this stage");
}

static int refuse_unusable(const struct record *record, const struct pointer *p, const char *why,
                           struct err *err)
{
    err_set(err, ERR_REFUSED, "version %.*s of '%.*s', which %.*s#%lld published, %s",
            STR_ARG(p->want), STR_ARG(p->key), STR_ARG(record->stage), (long long)record->number,
            why);
    return err_help(err, "leave out --exact: its recorded sources are deployed again");
}

static bool is_of_stage(const struct layout *l, const struct node *value)
{
    struct cfn_value v;
    return cfn_is_value(value, &v) && node_member(node_get_c(l->stage_template, "Resources"), v.id);
}

/* Refuse versions that run under a role, or write to a log group, of the other stage's stack: they
 * fail once that stack is changed or removed. The record's own definitions are asked, because the
 * stack may be without them by now. */
static int check_described(const struct model *like, const struct record *record,
                           const struct layout *l, struct err *err)
{
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        struct str version = record_version(record->versions, f->key)->version;
        if (is_of_stage(l, node_get_c(f->definition, "Role")))
            return refuse_foreign(like, f->key, version, "runs under a role", err);
        if (is_of_stage(l, node_path(f->definition, "LoggingConfig.LogGroup")))
            return refuse_foreign(like, f->key, version, "logs into a group", err);
    }
    return 0;
}

/* A version's role and log group are frozen into it: they must not go when the other stage goes. */
static int check_exact(const struct model *like, const struct release *r,
                       const struct record *record, const struct layout *l, struct err *err)
{
    struct stack_resource *resources = NULL;
    size_t n = 0;
    if (check_described(like, record, l, err) < 0)
        return -1;
    struct str stack = layout_stack_name(r->arena, r->service, like->stage);
    if (nested_resources(r->arena, r->aws, stack, &resources, &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
    }
    vec_each (&record->versions->functions, v) {
        struct lambda_function got;
        struct str version = v->version, key = v->object.key;
        struct pointer p = {.key = key, .owner = v->name, .want = version};
        const char *why;
        if (pointer_unusable(r->arena, r, record, &p, &got, &why, err) < 0)
            return err_wrap(err, "version %.*s of '%.*s'", STR_ARG(version), STR_ARG(key));
        if (why)
            return refuse_unusable(record, &p, why, err);
        if (belongs(resources, n, "AWS::IAM::Role",
                    node_text(node_get_c(got.configuration, "Role"))))
            return refuse_foreign(like, key, version, "runs under a role", err);
        if (belongs(resources, n, "AWS::Logs::LogGroup",
                    node_text(node_path(got.configuration, "LoggingConfig.LogGroup"))))
            return refuse_foreign(like, key, version, "logs into a group", err);
    }
    return 0;
}

static void note_exact(const struct model *like, const struct release *r, struct target *t)
{
    target_note(r->arena, t,
                str_fmt(r->arena,
                        "--exact: the functions of '%.*s' run with the settings of '%.*s'",
                        STR_ARG(stage_of(r)), STR_ARG(like->stage)));
}

/* ---- the target ---- */

static int make(const struct model *like, const struct release *r, struct world *w,
                const char *what, struct target *ret, struct err *err)
{
    struct record *record = ARENA_NEW(r->arena, struct record);
    if (find_record(like, r, w, record, err) < 0 || recorded_target(r, w, record, ret, err) < 0)
        return -1;
    ret->what = str_fmt(r->arena, "%s %.*s#%lld%s", what, STR_ARG(like->stage),
                        (long long)record->number, like->exact ? " exactly" : "");
    if (record->unvouched.n)
        target_note(r->arena, ret, record->unvouched);
    if (!like->exact)
        return 0;
    struct str here, there;
    address_stage(like->stage, &there);
    address_stage(stage_of(r), &here);
    if (!str_eq(here, there)) {
        err_set(err, ERR_REFUSED,
                "'%.*s' and '%.*s' are in different regions and cannot share "
                "versions",
                STR_ARG(stage_of(r)), STR_ARG(like->stage));
        return err_help(err, "leave out --exact: the same code is used for this stage");
    }
    ret->pinned = true;
    note_exact(like, r, ret);
    return check_exact(like, r, record, ret->layout, err);
}

static int find_reset(const struct goal *goal, const struct release *r, struct world *w,
                      struct target *ret, struct err *err)
{
    const struct model *like = goal->context;
    if (!w->current) {
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed", STR_ARG(stage_of(r)));
        return err_help(err, "make it from '%.*s': troupe clone %.*s %.*s", STR_ARG(like->stage),
                        STR_ARG(like->stage), STR_ARG(stage_of(r)));
    }
    if (str_eq(like->stage, stage_of(r)) && !like->number) {
        err_set(err, ERR_USAGE, "'%.*s' is what '%.*s' is", STR_ARG(stage_of(r)),
                STR_ARG(like->stage));
        return err_help(err, "name a deployment of it: --to %.*s#N", STR_ARG(like->stage));
    }
    return make(like, r, w, "reset to", ret, err);
}

/* A stage that is there may be what an interrupted run of the same command has made of it. */
static int find_clone(const struct goal *goal, const struct release *r, struct world *w,
                      struct target *ret, struct err *err)
{
    const struct model *like = goal->context;
    if (make(like, r, w, "clone of", ret, err) < 0)
        return -1;
    const struct record *last = w->current ? &w->record : &w->interrupted;
    if (!w->stage_exists || !last->body || str_eq(last->body->what, ret->what))
        return 0;
    err_set(err, ERR_REFUSED, "stage '%.*s' is there already", STR_ARG(stage_of(r)));
    return err_help(err, "make it the same as '%.*s': troupe reset %.*s --to %.*s",
                    STR_ARG(like->stage), STR_ARG(stage_of(r)), STR_ARG(like->stage));
}

static const struct model *model(struct arena *a, struct str stage, int64_t number, bool exact)
{
    struct model *like = ARENA_NEW(a, struct model);
    *like = (struct model){stage, number, exact};
    return like;
}

struct goal goal_reset(struct arena *a, struct str stage, int64_t number, bool exact)
{
    return (struct goal){
        .verb = "reset", .find = find_reset, .context = model(a, stage, number, exact)};
}

struct goal goal_clone(struct arena *a, struct str stage, int64_t number, bool exact)
{
    return (struct goal){.verb = "clone",
                         .parts = WORLD_RECORD,
                         .find = find_clone,
                         .context = model(a, stage, number, exact)};
}
