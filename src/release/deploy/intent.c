/* The record of a deployment: the intent before anything is published, the versions as they come.
 */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/adopt/adopt.h"
#include "release/dispose/late_log_groups.h"
#include "release/publish/definition.h"

/* A function that waits for a wave has no fingerprint as long as its values are not known;
 * `waiting` false leaves out all such functions' fingerprints. */
static void add_functions(const struct deploying *d, bool waiting, struct record_body *ret)
{
    const struct layout *l = d->plan->target.layout;
    ret->functions.p = ARENA_ARRAY(d->arena, l->function_count + 1, struct record_function);
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        struct record_function *n = &ret->functions.p[ret->functions.n++];
        n->object.key = f->key;
        n->name = f->name;
        n->layout = f->per_stage ? LAYOUT_PER_STAGE : LAYOUT_SHARED;
        if (f->artifact)
            n->artifact = f->artifact->sha256_hex;
        for (size_t k = 0; k < d->plan->function_count; k++)
            if (d->plan->functions[k].function == f && (waiting || !f->waits)) {
                n->fingerprint = d->plan->functions[k].fingerprint;
                n->parts = d->plan->functions[k].parts;
            }
    }
}

static void add_layers(const struct deploying *d, struct record_body *ret)
{
    const struct layout *l = d->plan->target.layout;
    ret->layers.p = ARENA_ARRAY(d->arena, l->layer_count + 1, struct record_layer);
    for (size_t i = 0; i < l->layer_count; i++)
        ret->layers.p[ret->layers.n++] = (struct record_layer){
            .object.key = l->layers[i].key,
            .id = l->layers[i].id,
            .artifact = l->layers[i].artifact->sha256_hex,
        };
}

static void add_apis(const struct deploying *d, struct record_body *ret)
{
    ret->apis.p = ARENA_ARRAY(d->arena, d->plan->api_count + 1, struct record_api);
    for (size_t i = 0; i < d->plan->api_count; i++) {
        const struct api_plan *p = &d->plan->apis[i];
        ret->apis.p[ret->apis.n++] = (struct record_api){.object.key = p->api->id,
                                                         .id = p->aws_id,
                                                         .fingerprint = p->fingerprint,
                                                         .kind = p->api->kind};
    }
}

/* What it was made from, so that another stage can be made from it later. */
static int keep_sources(struct deploying *d, struct str *ret, struct err *err)
{
    *ret = d->plan->target.sources;
    if (ret->n)
        return 0;
    struct source_bundle bundle = service_bundle(d->r->service);
    struct str text = object_text(d->arena, &source_bundle_table, &bundle);
    const struct record *origin = d->plan->target.origin;
    *ret = sha256_hex(d->arena, text);
    if (origin && str_eq(*ret, origin->body->sources))
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "sources", *ret, text, NULL, err);
}

static const struct node *images(const struct deploying *d)
{
    const struct target *t = &d->plan->target;
    return t->images ? t->images : t->origin ? t->origin->body->images : NULL;
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
static struct record_adoption *adopted(const struct deploying *d)
{
    struct arena *a = d->arena;
    const struct adoption *adoption = d->plan->target.adoption;
    struct record_adoption *ret = ARENA_NEW(a, struct record_adoption);
    struct node *moved = node_seq(a);
    for (size_t i = 0; i < adoption->count; i++)
        if (adoption->items[i].fate == ADOPT_MOVED)
            node_push(a, moved, node_str(a, adoption->items[i].id));
    *ret = (struct record_adoption){
        .by = adoption->by, .template = adoption->original_sha, .moved = moved};
    return ret;
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
static struct record_body record_of(const struct deploying *d, struct str sources, bool waiting)
{
    struct arena *a = d->arena;
    const struct target *t = &d->plan->target;
    struct record_body body = {.service = d->r->service->name,
                               .stage = d->r->service->stage,
                               .region = aws_region(d->r->aws),
                               .what = t->what.n ? t->what : STR("deploy"),
                               .restores = t->restores,
                               .to = t->to,
                               .switches = t->switches,
                               .shifts = t->shifting,
                               .adopted = t->adoption ? adopted(d) : NULL,
                               .sources = sources,
                               .images = images(d),
                               .needs = needs(d),
                               .log_groups = log_groups(d)};
    /* A hash of it would let secrets be tried until one fits. */
    if (!(node_flags_deep(t->layout->stage_template) & NODE_SECRET))
        body.template = sha256_hex(a, json_canonical(a, t->layout->stage_template));
    add_functions(d, waiting, &body);
    add_apis(d, &body);
    add_layers(d, &body);
    return body;
}

/* ---- what an interrupted run left behind ---- */

/* `body` without what depends on how far the run had come that wrote it (add_functions). */
static struct record_body without_waiting(const struct deploying *d, const struct record_body *body)
{
    const struct layout *l = d->plan->target.layout;
    struct record_body ret = *body;
    ret.functions.p = ARENA_ARRAY(d->arena, body->functions.n + 1, struct record_function);
    for (size_t i = 0; i < body->functions.n; i++) {
        const struct record_function *f = &body->functions.p[i];
        struct record_function *out = &ret.functions.p[i];
        *out = *f;
        for (size_t k = 0; k < l->function_count; k++)
            if (l->functions[k].waits && str_eq(l->functions[k].key, f->object.key))
                *out = (struct record_function){.object.key = f->object.key,
                                                .name = f->name,
                                                .layout = f->layout,
                                                .artifact = f->artifact};
    }
    return ret;
}

/* Has the record this content? The hash is computed from what the record says. The one that it
 * gives itself is not believed, because nothing vouches for an unfinished record. */
static bool says(const struct deploying *d, const struct record *record, struct str hash)
{
    if (!record->body)
        return false;
    struct record_body body = without_waiting(d, record->body);
    return str_eq(record_content(d->arena, &body), hash);
}

/* Was the record made when the stage was at the deployment where it is now? */
static bool follows(const struct deploying *d, const struct record *record)
{
    const struct world *w = &d->plan->world;
    return record->body->before == w->current &&
           str_eq(record->body->before_digest, world_digest(&w->stage));
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
    /* A record after the current one that has an outcome may have been superseded by a run that was
     * killed before its own record was there: then nothing else says what the older one moved. */
    bool closed_after = w->current && !w->last_interrupted && w->last_number > w->current;
    if ((w->unclosed || closed_after) && world_want(d->r, WORLD_RECORD, w, err) < 0)
        return -1;
    d->drifted = closed_after || record_moves_by_api(&w->interrupted) ||
                 (w->unclosed && record_moves_by_api(&w->record));
    if (says(d, &w->interrupted, hash) && follows(d, &w->interrupted)) {
        resume(d, &w->interrupted);
        return 0;
    }
    if (w->unclosed && says(d, &w->record, hash)) {
        resume(d, &w->record);
        return 0;
    }
    if (w->last_interrupted &&
        record_write_outcome(d->arena, &w->store, engine_stage(d), w->last_number,
                             OUTCOME_SUPERSEDED,
                             STR("interrupted, and another deployment came after it"), err) < 0)
        return -1;
    if (!w->unclosed)
        return 0;
    /* The record is current, so its pointers stand. Those of a record that moved no pointer by API
     * moved in one update with everything else. */
    switches = w->record.body->switches;
    return record_write_outcome(
        d->arena, &w->store, engine_stage(d), w->current,
        switches ? OUTCOME_SUPERSEDED : OUTCOME_SUCCEEDED,
        switches ? STR("its stack had not followed when another deployment came") : STR(""), err);
}

static void sign(struct deploying *d, struct record_body *body, struct str who)
{
    struct arena *a = d->arena;
    body->number = d->plan->number;
    body->nonce = random_hex(a, 8);
    body->lease = lease_nonce(d->lease);
    body->when = time_iso(a, clock_wall_ms());
    body->who = who;
    body->source = d->r->source_revision;
    body->tool = STR(TROUPE_VERSION);
    body->drifted = d->drifted;
    body->before = d->plan->world.current;
    body->before_digest = world_digest(&d->plan->world.stage);
}

int intent_write(struct deploying *d, struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    struct str who, sources;
    if (keep_sources(d, &sources, err) < 0)
        return -1;
    struct record_body known = record_of(d, sources, false);
    struct str hash = record_content(a, &known);
    if (close_last(d, hash, err) < 0)
        return -1;
    if (d->resumed) {
        d->phase = DEPLOY_RECORDED;
        return 0;
    }
    if (sts_caller(a, d->r->aws, &who, err) < 0)
        return -1;
    struct record_body *body = ARENA_NEW(a, struct record_body);
    *body = record_of(d, sources, true);
    body->content = hash;
    sign(d, body, who);
    d->body = body;
    if (record_write(a, &w->store, engine_stage(d), d->plan->number, body, err) == 0) {
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

/* What the snapshots were published with: of pinned ones their own record says it. The values of
 * another stage (reset --exact) cannot be looked up in this stage's stack, so they are left out. */
static const struct node *values(const struct deploying *d, struct arena *a)
{
    const struct plan *plan = d->plan;
    const struct target *t = &plan->target;
    bool of_record = t->pinned && str_eq(t->origin->stage, engine_stage(d));
    if (of_record && !t->origin->versions->values)
        return NULL;
    struct node *all = of_record ? node_shallow(a, t->origin->versions->values) : node_map(a);
    for (size_t i = 0; i < plan->values.n; i++) {
        struct str name = plan->values.entries[i].key;
        node_put(
            a, all, name,
            node_str(a, definition_value_hash(a, plan->key, name, plan->values.entries[i].value)));
    }
    return all;
}

static struct record_versions versions(const struct deploying *d, struct arena *a)
{
    const struct plan *plan = d->plan;
    struct record_versions all = {.values = values(d, a), .stage_template = d->template_sha};
    all.functions.p = ARENA_ARRAY(a, plan->function_count + 1, struct record_version);
    all.apis.p = ARENA_ARRAY(a, plan->api_count + 1, struct record_api_deployment);
    for (size_t i = 0; i < plan->function_count; i++) {
        const struct function_plan *f = &plan->functions[i];
        if (f->to.n)
            all.functions.p[all.functions.n++] =
                (struct record_version){.object.key = f->function->key,
                                        .name = f->function->name,
                                        .fingerprint = f->fingerprint,
                                        .version = f->to};
    }
    for (size_t i = 0; i < plan->api_count; i++) {
        const struct api_plan *p = &plan->apis[i];
        if (p->to.n)
            all.apis.p[all.apis.n++] = (struct record_api_deployment){.object.key = p->api->id,
                                                                      .id = p->aws_id,
                                                                      .fingerprint = p->fingerprint,
                                                                      .deployment = p->to,
                                                                      .kind = p->api->kind};
    }
    /* The end of a shift by hand counts as all of it, so that a cut-off one is finished. */
    all.percent = plan->target.to && !d->percent ? 100 : d->percent;
    return all;
}

int intent_versions(struct deploying *d, struct arena *a, struct err *err)
{
    struct record_versions all = versions(d, a);
    return record_write_versions(a, &d->plan->world.store, engine_stage(d), d->plan->number, &all,
                                 err);
}

int intent_finish(struct deploying *d, struct err *err)
{
    struct record_versions all = versions(d, d->arena);
    d->plan->digest = record_digest(d->arena, d->body, &all);
    return intent_versions(d, d->arena, err);
}
