/* Reading and moving pointers by API. */
#include "release/publish/pointers.h"
#include "base/backoff.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

#include <stdatomic.h>

enum { JOBS = 16 };

void pointers_of(struct arena *a, const struct plan *plan, bool back, struct pointers *ret)
{
    struct str stage = node_text(node_get_c(plan->world.stage.tags, TAG_STAGE));
    const struct node *resources = node_get_c(plan->world.stage_template, "Resources");
    VEC(struct pointer) all = {0};
    for (size_t i = 0; i < plan->function_count; i++) {
        const struct function_plan *f = &plan->functions[i];
        struct str want = back ? f->from : f->to;
        const struct node *alias = node_get(resources, f->function->alias_id);
        if (want.n)
            vec_push(a, &all,
                     (struct pointer){.key = f->function->key,
                                      .owner = f->function->name,
                                      .stage = stage,
                                      .want = want,
                                      .provisioned = node_path(
                                          alias, "Properties.ProvisionedConcurrencyConfig")});
    }
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct api_plan *p = &plan->apis[i];
        struct str want = back ? p->from : p->to;
        if (want.n)
            vec_push(a, &all,
                     (struct pointer){.gateway = api_gateway(p->api->kind),
                                      .key = p->api->id,
                                      .owner = p->aws_id,
                                      .stage = stage,
                                      .want = want});
    }
    *ret = (struct pointers){all.p, all.n};
}

struct str pointer_text(struct arena *a, struct str version, struct str beside, unsigned percent)
{
    if (!beside.n)
        return str_fmt(a, "v%.*s", STR_ARG(version));
    return str_fmt(a, "v%.*s %u%% v%.*s %u%%", STR_ARG(version), 100 - percent, STR_ARG(beside),
                   percent);
}

/* ---- versions ---- */

/* A function that somebody deleted and made again counts its versions from 1: same number, other
 * code. */
static bool is_other_code(struct arena *a, const struct record *record, struct str key,
                          const struct lambda_function *got)
{
    struct str artifact = record_function(record->body, key)->artifact, bytes;
    return artifact.n && got->code_sha256.n && base64_decode(a, got->code_sha256, &bytes) &&
           !str_eq(hex_encode(a, bytes.p, bytes.n), artifact);
}

int pointer_unusable(struct arena *a, const struct release *r, const struct record *record,
                     const struct pointer *p, struct lambda_function *ret, const char **ret_why,
                     struct err *err)
{
    *ret = (struct lambda_function){0};
    *ret_why = NULL;
    if (lambda_get(a, r->aws, p->owner, p->want, ret, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        *ret_why = "is gone";
    } else if (str_eq(ret->state, STR("Failed")) ||
               str_starts(ret->state_reason_code, STR("Image"))) {
        *ret_why = "cannot run any more";
    } else if (is_other_code(a, record, p->key, ret)) {
        *ret_why = "is not what was deployed";
    }
    return 0;
}

/* ---- waking ---- */

/* The call that wakes it fails, whatever it answers. False: the caller may not make it. */
static bool call(struct arena *a, const struct release *r, const struct pointer *p)
{
    struct lambda_invocation answer;
    struct err expected = {0};
    release_progress(r, "switch", "waking version %.*s of '%.*s'", STR_ARG(p->want),
                     STR_ARG(p->key));
    lambda_invoke(a, r->aws, &(struct lambda_call){p->owner, p->want, STR("{}")}, &answer,
                  &expected);
    bool allowed = expected.kind != ERR_DENIED;
    if (!allowed)
        release_tell(r, TOLD_NOTICE, "switch",
                     "version %.*s of '%.*s' was not called for weeks: its next call will fail, "
                     "because this caller may not wake it (lambda:InvokeFunction)",
                     STR_ARG(p->want), STR_ARG(p->key));
    err_clear(&expected);
    return allowed;
}

static int until_awake(struct arena *a, const struct release *r, const struct pointer *p,
                       struct err *err)
{
    enum { PAUSE_MS = 200, PAUSE_MOST_MS = 5000 };
    struct backoff wait = backoff_begin(PAUSE_MS, PAUSE_MOST_MS, LAMBDA_VERSION_MS);
    struct lambda_function found;
    for (bool called = false;; called = true) {
        if (lambda_wait_idle(a, r->aws, p->owner, p->want, LAMBDA_VERSION_MS, &found, err) < 0)
            return -1;
        if (!str_eq(found.state, STR("Inactive")))
            return called && lambda_has_failed(&found) ? lambda_failure(&found, p->owner, err) : 0;
        if (backoff_is_over(&wait))
            return lambda_failure(&found, p->owner, err);
        if (!call(a, r, p))
            return 0;
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

static int wake(struct arena *a, const struct release *r, const struct pointer *p, struct err *err)
{
    if (p->gateway || until_awake(a, r, p, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "wake version %.*s of '%.*s'", STR_ARG(p->want), STR_ARG(p->key));
    err_clear(err);
    return 0;
}

struct waking {
    const struct release *r;
    const struct pointers *pointers;
};

static int wake_one(size_t i, void *context, struct arena *a, struct err *err)
{
    const struct waking *w = context;
    return wake(a, w->r, &w->pointers->all[i], err);
}

int pointers_wake(const struct release *r, const struct pointers *pointers, struct err *err)
{
    struct waking w = {r, pointers};
    return pool_run_into(r->arena, pointers->n, JOBS, wake_one, &w, err);
}

/* ---- moving ---- */

struct moving {
    const struct release *r;
    const struct pointers *pointers;
    bool only_drifted;
    atomic_size_t moved;
    struct drift *drifts; /* when only looking: by pointer; `pointer` NULL: it is where it should */
};

static int move_alias(struct arena *a, const struct release *r, const struct pointer *p,
                      struct err *err)
{
    struct lambda_move to = {p->owner, p->stage, p->want, p->beside, p->percent};
    return lambda_alias_move(a, r->aws, &to, err);
}

static unsigned percent_of(const struct lambda_alias *alias)
{
    return (unsigned)(alias->weight * 100 + 0.5);
}

static bool is_there(const struct lambda_alias *alias, const struct pointer *p)
{
    struct str beside = p->percent ? p->beside : STR("");
    if (!str_eq(alias->version, p->want))
        return false;
    if (p->provisioned && !beside.n) /* nobody else can give it weights */
        return true;
    return str_eq(alias->weighted_version, beside) &&
           (!beside.n || percent_of(alias) == p->percent);
}

static int read_alias(struct arena *a, const struct release *r, const struct pointer *p,
                      struct str *ret_is, bool *ret_good, struct err *err)
{
    struct lambda_alias alias;
    if (lambda_alias_get(a, r->aws, p->owner, p->stage, &alias, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    *ret_good = is_there(&alias, p);
    *ret_is = pointer_text(a, alias.version, alias.weighted_version, percent_of(&alias));
    return 0;
}

static int read_stage(struct arena *a, const struct release *r, const struct pointer *p,
                      struct str *ret_is, bool *ret_good, struct err *err)
{
    const struct node *stages;
    if (p->gateway->stages(a, r->aws, p->owner, &stages, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    node_each (s, stages) {
        if (!str_eq(node_text(node_get_c(s, "stageName")), p->stage))
            continue;
        *ret_is = node_text(node_get_c(s, "deploymentId"));
        *ret_good = str_eq(*ret_is, p->want);
    }
    return 0;
}

static int look_at(struct arena *a, struct moving *m, const struct pointer *p, bool *ret_good,
                   struct err *err)
{
    struct str is = {0}; /* stays absent when there is none */
    if ((p->gateway ? read_stage(a, m->r, p, &is, ret_good, err)
                    : read_alias(a, m->r, p, &is, ret_good, err)) < 0)
        return -1;
    if (!*ret_good && m->drifts)
        m->drifts[p - m->pointers->all] = (struct drift){p, is.p ? is : STR("nothing"), !is.p};
    return 0;
}

static int say_gone(const struct moving *m, const struct pointer *p, struct err *err)
{
    struct str stage = m->r->service->address;
    err_set(err, ERR_HALF_DONE, "the %s '%.*s' of '%.*s' is gone",
            p->gateway ? "API stage" : "alias", STR_ARG(p->stage), STR_ARG(p->key));
    return err_help(err, "to make it again, and to finish this: troupe repair %.*s",
                    STR_ARG(stage));
}

static int move_one(size_t i, void *context, struct arena *a, struct err *err)
{
    struct moving *m = context;
    const struct pointer *p = &m->pointers->all[i];
    bool good = false;
    if ((m->only_drifted || m->drifts) && look_at(a, m, p, &good, err) < 0)
        return -1;
    if (good || m->drifts)
        return 0;
    if (m->only_drifted && wake(a, m->r, p, err) < 0)
        return -1;
    int moved = p->gateway ? p->gateway->stage_move(a, m->r->aws, p->owner, p->stage, p->want, err)
                           : move_alias(a, m->r, p, err);
    if (moved < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "move '%.*s' to %.*s", STR_ARG(p->key), STR_ARG(p->want));
        err_clear(err);
        return m->only_drifted ? 0 : say_gone(m, p, err);
    }
    m->moved++;
    return 0;
}

static int work(struct moving *m, struct err *err)
{
    return pool_run_into(m->r->arena, m->pointers->n, JOBS, move_one, m, err);
}

int pointers_move(const struct release *r, const struct pointers *pointers, size_t *ret_moved,
                  struct err *err)
{
    struct moving m = {.r = r, .pointers = pointers};
    int done = work(&m, err);
    if (ret_moved)
        *ret_moved = m.moved;
    return done;
}

int pointers_reconcile(const struct release *r, const struct pointers *pointers, size_t *ret_moved,
                       struct err *err)
{
    struct moving m = {.r = r, .pointers = pointers, .only_drifted = true};
    int done = work(&m, err);
    *ret_moved = m.moved;
    return done;
}

int pointers_check(const struct release *r, const struct pointers *pointers, struct drift **ret,
                   size_t *ret_n, struct err *err)
{
    struct moving m = {.r = r, .pointers = pointers};
    m.drifts = ARENA_ARRAY(r->arena, pointers->n + 1, struct drift);
    *ret = m.drifts;
    *ret_n = 0;
    if (work(&m, err) < 0)
        return -1;
    for (size_t i = 0; i < pointers->n; i++)
        if (m.drifts[i].pointer)
            m.drifts[(*ret_n)++] = m.drifts[i];
    return 0;
}

/* ---- provisioned concurrency ---- */

static int until_unweighted(struct arena *a, const struct release *r, const struct pointer *p,
                            struct err *err)
{
    enum { PAUSE_MS = 500, PAUSE_MOST_MS = 5000, WAIT_MS = 15 * 60 * 1000 };
    struct backoff wait = backoff_begin(PAUSE_MS, PAUSE_MOST_MS, WAIT_MS);
    for (bool told = false;; told = true) {
        struct lambda_alias alias;
        if (lambda_alias_get(a, r->aws, p->owner, p->stage, &alias, err) < 0)
            return -1;
        if (!alias.weighted_version.n)
            return 0;
        if (backoff_is_over(&wait))
            return err_set(err, ERR_FAILED,
                           "its provisioned concurrency does not follow: it is at %.*s",
                           STR_ARG(pointer_text(a, alias.version, alias.weighted_version,
                                                percent_of(&alias))));
        if (!told)
            release_progress(r, "switch", "%.*s: waiting for its provisioned concurrency",
                             STR_ARG(p->key));
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

static int wait_one(size_t i, void *context, struct arena *a, struct err *err)
{
    const struct waking *w = context;
    const struct pointer *p = &w->pointers->all[i];
    if (!p->provisioned || until_unweighted(a, w->r, p, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "move '%.*s'", STR_ARG(p->key));
    err_clear(err);
    return 0;
}

int pointers_wait(const struct release *r, const struct pointers *pointers, struct err *err)
{
    struct waking w = {r, pointers};
    return pool_run_into(r->arena, pointers->n, JOBS, wait_one, &w, err);
}
