/* The record of a deployment: the intent before anything is published, the versions as they come.
 */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/adopt/adopt.h"
#include "release/dispose/late_log_groups.h"

/* A function that waits for a wave has no fingerprint as long as its values are not known;
 * `waiting` false leaves out all such functions' fingerprints. */
static const struct node *record_functions(const struct deploying *d, bool waiting)
{
    struct arena *a = d->arena;
    struct node *all = node_map(a);
    const struct layout *l = d->plan->target.layout;
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        struct node *n = node_map(a);
        node_put_str(a, n, "name", f->name);
        node_put_str(a, n, "layout", f->per_stage ? STR("perStage") : STR("shared"));
        if (f->artifact)
            node_put_str(a, n, "artifact", f->artifact->sha256_hex);
        for (size_t k = 0; k < d->plan->function_count; k++)
            if (d->plan->functions[k].function == f && (waiting || !f->waits)) {
                node_put_str(a, n, "fingerprint", d->plan->functions[k].fingerprint);
                node_put_c(a, n, "parts", d->plan->functions[k].parts);
            }
        node_put(a, all, f->key, n);
    }
    return all;
}

static const struct node *record_apis(const struct deploying *d)
{
    struct arena *a = d->arena;
    struct node *all = node_map(a);
    for (size_t i = 0; i < d->plan->api_count; i++) {
        struct node *n = node_map(a);
        node_put_str(a, n, "id", d->plan->apis[i].aws_id);
        node_put_str(a, n, "fingerprint", d->plan->apis[i].fingerprint);
        api_kind_record(a, n, d->plan->apis[i].api->kind);
        node_put(a, all, d->plan->apis[i].api->id, n);
    }
    return all;
}

/* What it was made from, so that another stage can be made from it later. */
static const struct node *source_bundle(const struct deploying *d)
{
    return cfn_with(d->arena, service_bundle(d->r->service), "format",
                    node_int(d->arena, RECORD_FORMAT));
}

static int keep_sources(struct deploying *d, struct str *ret, struct err *err)
{
    *ret = d->plan->target.sources;
    if (ret->n)
        return 0;
    struct str text = json_text(d->arena, source_bundle(d), 0);
    const struct record *origin = d->plan->target.origin;
    *ret = sha256_hex(d->arena, text);
    if (origin && str_eq(*ret, node_text(node_get_c(origin->body, "sources"))))
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "sources", *ret, "json", text, NULL,
                          err);
}

static const struct node *needs(const struct deploying *d)
{
    const struct target *t = &d->plan->target;
    if (t->needs)
        return t->needs;
    struct node *ids = node_seq(d->arena);
    member_each (m, node_get_c(t->layout->service_template, "Resources"))
        node_push(d->arena, ids, node_str(d->arena, m->key));
    return ids;
}

/* For the record of an adoption: which tool made the stack, and where its old template is kept. */
static const struct node *adopted(const struct deploying *d)
{
    struct arena *a = d->arena;
    const struct adoption *adoption = d->plan->target.adoption;
    struct node *n = node_map(a), *moved = node_seq(a);
    node_put_str(a, n, "by", adoption->by);
    node_put_str(a, n, "template", adoption->original_sha);
    for (size_t i = 0; i < adoption->count; i++)
        if (adoption->items[i].fate == ADOPT_MOVED)
            node_push(a, moved, node_str(a, adoption->items[i].id));
    node_put_c(a, n, "moved", moved);
    return n;
}

/* The names of the log groups that the stacks have. When a late call makes one anew after its
 * stack has deleted it, troupe knows by this list whose it is (late_log_groups.h). */
static const struct node *log_groups(const struct deploying *d)
{
    const struct layout *l = d->plan->target.layout;
    struct node *all = node_seq(d->arena);
    node_each (name, log_groups_of(d->arena, l->stage_template))
        node_push(d->arena, all, name);
    node_each (name, log_groups_of(d->arena, l->service_template))
        node_push(d->arena, all, name);
    return all;
}

/* What makes two records the same: everything but who wrote it when; and, without `waiting`, but
 * for what depends on how far a run before had come. */
static struct node *record_content(const struct deploying *d, struct str sources, bool waiting)
{
    struct arena *a = d->arena;
    const struct target *t = &d->plan->target;
    struct node *n = node_map(a);
    node_put_c(a, n, "format", node_int(a, RECORD_FORMAT));
    node_put_str(a, n, "service", d->r->service->name);
    node_put_str(a, n, "stage", d->r->service->stage);
    node_put_str(a, n, "region", aws_region(d->r->aws));
    node_put_str(a, n, "what", t->what.n ? t->what : STR("deploy"));
    if (t->restores)
        node_put_c(a, n, "restores", node_int(a, t->restores));
    if (t->to)
        node_put_c(a, n, "to", node_int(a, t->to));
    if (t->switches)
        node_put_c(a, n, "flips", node_bool(a, true));
    if (t->shifting)
        node_put_c(a, n, "shift", node_bool(a, true));
    if (t->adoption)
        node_put_c(a, n, "adopted", adopted(d));
    node_put_str(a, n, "sources", sources);
    /* A hash of it would let secrets be tried until one fits. */
    if (!(node_flags_deep(t->layout->stage_template) & NODE_SECRET))
        node_put_str(a, n, "template", sha256_hex(a, json_canonical(a, t->layout->stage_template)));
    node_put_c(a, n, "functions", record_functions(d, waiting));
    node_put_c(a, n, "apis", record_apis(d));
    node_put_c(a, n, "needs", needs(d));
    node_put_c(a, n, "logGroups", log_groups(d));
    return n;
}

/* ---- what an interrupted run left behind ---- */

/* Has the record this content? The hash is computed from what the record says. The one that it
 * gives itself is not believed, because nothing vouches for an unfinished record. */
static bool says(const struct deploying *d, const struct record *record, struct str hash)
{
    static const char *const signature[] = {"content", "number",       "nonce",  "lease",
                                            "when",    "who",          "source", "tool",
                                            "before",  "before_digest"};
    if (!record->body)
        return false;
    struct node *content = node_shallow(d->arena, record->body);
    for (size_t i = 0; i < sizeof signature / sizeof *signature; i++)
        node_drop(content, str_c(signature[i]));
    return str_eq(sha256_hex(d->arena, json_canonical(d->arena, content)), hash);
}

/* Was the record made when the stage was at the deployment where it is now? */
static bool follows(const struct deploying *d, const struct record *record)
{
    const struct world *w = &d->plan->world;
    return node_int_or(node_get_c(record->body, "before"), 0) == w->current &&
           str_eq(node_text(node_get_c(record->body, "before_digest")), world_digest(&w->stage));
}

static void resume(struct deploying *d, const struct record *record)
{
    d->plan->number = record->number;
    d->body = record->body;
    d->resumed = true;
}

/* An intent that a crash left behind and that says just what we are about to do is resumed, so
 * that the end is the same as without the crash. Another one is superseded. */
static int close_last(struct deploying *d, struct str hash, struct err *err)
{
    struct world *w = &d->plan->world;
    bool switches;
    d->drifted = record_moves_by_api(&w->interrupted);
    if (w->unclosed && world_want(d->r, WORLD_RECORD, w, err) < 0)
        return -1;
    if (says(d, &w->interrupted, hash) && follows(d, &w->interrupted)) {
        resume(d, &w->interrupted);
        return 0;
    }
    if (w->unclosed && says(d, &w->record, hash)) {
        resume(d, &w->record);
        return 0;
    }
    if (w->last_interrupted &&
        record_write_outcome(d->arena, &w->store, engine_stage(d), w->last_number, "superseded",
                             STR("interrupted, and another deployment came after it"), err) < 0)
        return -1;
    if (!w->unclosed)
        return 0;
    /* The record is current, so its pointers stand. Those of a record that moved no pointer by API
     * moved in one update with everything else. */
    switches = node_bool_or(node_get_c(w->record.body, "flips"), false);
    return record_write_outcome(
        d->arena, &w->store, engine_stage(d), w->current, switches ? "superseded" : "succeeded",
        switches ? STR("its stack had not followed when another deployment came") : STR(""), err);
}

static void sign(struct deploying *d, struct node *body, struct str who)
{
    struct arena *a = d->arena;
    node_put_c(a, body, "number", node_int(a, d->plan->number));
    node_put_str(a, body, "nonce", random_hex(a, 8));
    node_put_str(a, body, "lease", lease_nonce(d->lease));
    node_put_str(a, body, "when", time_iso(a, clock_wall_ms()));
    node_put_str(a, body, "who", who);
    node_put_str(a, body, "source", d->r->source_revision);
    node_put_str(a, body, "tool", STR(TROUPE_VERSION));
    node_put_c(a, body, "before", node_int(a, d->plan->world.current));
    node_put_str(a, body, "before_digest", world_digest(&d->plan->world.stage));
}

int intent_write(struct deploying *d, struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    struct str who, sources;
    if (keep_sources(d, &sources, err) < 0)
        return -1;
    struct node *content = record_content(d, sources, true);
    struct str hash = sha256_hex(a, json_canonical(a, record_content(d, sources, false)));
    if (close_last(d, hash, err) < 0)
        return -1;
    if (d->resumed) {
        d->phase = DEPLOY_RECORDED;
        return 0;
    }
    if (sts_caller(a, d->r->aws, &who, err) < 0)
        return -1;
    node_put_str(a, content, "content", hash);
    sign(d, content, who);
    d->body = content;
    if (record_write(a, &w->store, engine_stage(d), d->plan->number, content, err) == 0) {
        d->phase = DEPLOY_RECORDED;
        return 0;
    }
    if (err->kind != ERR_PRECONDITION)
        return -1;
    err->kind = ERR_LOCKED; /* the number is taken: somebody deployed meanwhile */
    return err_help(err,
                    "somebody else deployed '%.*s' at the same time; look at: troupe history %.*s",
                    STR_ARG(engine_stage(d)), STR_ARG(engine_stage(d)));
}

static const struct node *versions(const struct deploying *d, struct arena *a)
{
    struct node *all = node_map(a), *functions = node_map(a), *apis = node_map(a);
    for (size_t i = 0; i < d->plan->function_count; i++) {
        const struct function_plan *f = &d->plan->functions[i];
        struct node *n = node_map(a);
        if (!f->to.n)
            continue;
        node_put_str(a, n, "name", f->function->name);
        node_put_str(a, n, "fingerprint", f->fingerprint);
        node_put_str(a, n, "version", f->to);
        node_put(a, functions, f->function->key, n);
    }
    for (size_t i = 0; i < d->plan->api_count; i++) {
        const struct api_plan *p = &d->plan->apis[i];
        struct node *n = node_map(a);
        if (!p->to.n)
            continue;
        node_put_str(a, n, "id", p->aws_id);
        node_put_str(a, n, "fingerprint", p->fingerprint);
        node_put_str(a, n, "deployment", p->to);
        api_kind_record(a, n, p->api->kind);
        node_put(a, apis, p->api->id, n);
    }
    node_put_c(a, all, "format", node_int(a, RECORD_FORMAT));
    node_put_c(a, all, "functions", functions);
    node_put_c(a, all, "apis", apis);
    /* The end of a shift by hand counts as all of it, so that a cut-off one is finished. */
    unsigned percent = d->plan->target.to && !d->percent ? 100 : d->percent;
    if (percent)
        node_put_c(a, all, "percent", node_int(a, percent));
    if (d->template_sha.n)
        node_put_str(a, all, "stage_template", d->template_sha);
    return all;
}

int intent_versions(struct deploying *d, struct arena *a, struct err *err)
{
    return record_write_versions(a, &d->plan->world.store, engine_stage(d), d->plan->number,
                                 versions(d, a), err);
}

int intent_finish(struct deploying *d, struct err *err)
{
    d->plan->digest = record_digest(d->arena, d->body, versions(d, d->arena));
    return intent_versions(d, d->arena, err);
}
