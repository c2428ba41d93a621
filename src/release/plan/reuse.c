/* Snapshots that exist already: what kept records published is used again. */
#include "release/plan/plan.h"

#include "base/pool.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/publish/publish.h"

/* An index maps "<function or api> <fingerprint>" to struct str *: the snapshot's number or id. */
static void index_add(struct arena *a, struct map *index, struct str name, struct str fingerprint,
                      struct str snapshot)
{
    struct str key = str_fmt(a, "%.*s %.*s", STR_ARG(name), STR_ARG(fingerprint));
    if (!snapshot.n || map_has(index, key))
        return;
    struct str *value = ARENA_NEW(a, struct str);
    *value = snapshot;
    map_put(index, key, value);
}

static void index_record(struct arena *a, struct map *index, const struct record_versions *versions)
{
    if (!versions)
        return;
    vec_each (&versions->functions, v)
        index_add(a, index, v->name, v->fingerprint, v->version);
    vec_each (&versions->apis, d)
        index_add(a, index, d->id, d->fingerprint, d->deployment);
}

static struct str index_find(struct arena *a, const struct map *index, struct str name,
                             struct str fingerprint)
{
    struct str *value =
        map_get(index, str_fmt(a, "%.*s %.*s", STR_ARG(name), STR_ARG(fingerprint)));
    return value && fingerprint.n ? *value : (struct str){"", 0};
}

struct reading {
    const struct world *world;
    const struct record_ref **refs;
    struct record *records;
};

static int read_versions(size_t i, void *context, struct arena *a, struct err *err)
{
    struct reading *x = context;
    if (record_read(a, &x->world->store, x->refs[i]->stage, x->refs[i]->number, RECORD_VERSIONS,
                    &x->records[i], err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err); /* deleted by hand: nothing to reuse */
    x->records[i].versions = NULL;
    return 0;
}

/* The newest records of every stage, as many as are kept. */
static int index_all(const struct release *r, const struct world *w, struct map *index,
                     struct err *err)
{
    struct reading x = {.world = w};
    x.refs = ARENA_ARRAY(r->arena, w->record_count + 1, const struct record_ref *);
    x.records = ARENA_ARRAY(r->arena, w->record_count + 1, struct record);
    size_t n = 0;
    int64_t kept = 0, keep = r->service->settings.history_keep;
    for (size_t i = 0; i < w->record_count; i++) {
        bool first = !i || !str_eq(w->records[i].stage, w->records[i - 1].stage);
        kept = first ? 0 : kept;
        if (w->records[i].has_versions && !w->records[i].pruned && kept++ < (keep > 0 ? keep : 10))
            x.refs[n++] = &w->records[i];
    }
    if (pool_run_into(r->arena, n, 8, read_versions, &x, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        index_record(r->arena, index, x.records[i].versions);
    return 0;
}

static bool wants_more(const struct plan *plan)
{
    for (size_t i = 0; i < plan->function_count; i++)
        if (plan->functions[i].fingerprint.n && !plan->functions[i].to.n)
            return true;
    for (size_t i = 0; i < plan->api_count; i++)
        if (plan->apis[i].fingerprint.n && !plan->apis[i].to.n)
            return true;
    return false;
}

/* `vouched`: by the records of the stage, or of the target, which its stack vouches for. */
static void reuse_from(struct arena *a, struct plan *plan, const struct map *index, bool vouched)
{
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        if (!f->to.n)
            f->to = index_find(a, index, f->function->name, f->fingerprint);
        if (!f->to.n)
            f->to = index_find(a, index, f->function->name, f->unkeyed);
        f->vouched |= vouched && f->to.n;
    }
    for (size_t i = 0; i < plan->api_count; i++) {
        struct api_plan *p = &plan->apis[i];
        if (!p->to.n)
            p->to = index_find(a, index, p->aws_id, p->fingerprint);
        p->vouched |= vouched && p->to.n;
    }
}

/* A reused version is verified like a new one: records can be older than what was deleted by hand.
 */
static int check_reused(const struct release *r, struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        bool good = true;
        if (!f->pinned && f->to.n && !(f->vouched && str_eq(f->to, f->from)) &&
            publish_check(r->arena, r, f, f->to, &good, err) < 0)
            return -1;
        if (!good)
            f->to = (struct str){"", 0};
    }
    return 0;
}

/* Is this API deployment made from the plan's definition? AWS does not show what a deployment
 * consists of, so troupe wrote the definition's fingerprint into the description. */
static bool is_of(const struct node *deployment, const struct api_plan *p)
{
    return str_eq(node_text(node_get_c(deployment, "id")), p->to) &&
           str_ends(node_text(node_get_c(deployment, "description")),
                    str_sub(p->fingerprint, 0, 8));
}

static int check_reused_apis(const struct release *r, struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->api_count; i++) {
        struct api_plan *p = &plan->apis[i];
        const struct node *deployments;
        bool there = false;
        if (p->pinned || !p->to.n || (p->vouched && str_eq(p->to, p->from)))
            continue;
        if (api_gateway(p->api->kind)->deployments(r->arena, r->aws, p->aws_id, &deployments, err) <
            0)
            return -1;
        node_each (d, deployments)
            there |= is_of(d, p);
        if (!there)
            p->to = (struct str){"", 0};
    }
    return 0;
}

static bool is_current_layer(const struct plan *plan, struct str id)
{
    const struct record_body *body = plan->world.record.body;
    for (size_t i = 0; body && i < body->layers.n; i++)
        if (str_eq(body->layers.p[i].id, id))
            return true;
    return false;
}

static void note_reuse(struct plan *plan)
{
    for (size_t i = 0; i < plan->function_count; i++)
        plan->reuses |=
            plan->functions[i].to.n && !str_eq(plan->functions[i].to, plan->functions[i].from);
    for (size_t i = 0; i < plan->api_count; i++)
        plan->reuses |= plan->apis[i].to.n && !str_eq(plan->apis[i].to, plan->apis[i].from);
    for (size_t i = 0; i < plan->target.layout->layer_count; i++)
        plan->reuses |= !is_current_layer(plan, plan->target.layout->layers[i].id);
}

int plan_reuse(const struct release *r, struct plan *plan, struct err *err)
{
    struct map index = MAP(r->arena);
    if (plan->target.origin)
        index_record(r->arena, &index, plan->target.origin->versions);
    reuse_from(r->arena, plan, &index, true);
    if (wants_more(plan) && world_want(r, WORLD_VERSIONS, &plan->world, err) < 0)
        return -1;
    index_record(r->arena, &index, plan->world.record.versions);
    reuse_from(r->arena, plan, &index, true);
    if (wants_more(plan) && plan->world.record_count) {
        if (index_all(r, &plan->world, &index, err) < 0)
            return -1;
        reuse_from(r->arena, plan, &index, false);
        note_reuse(plan);
    }
    return check_reused(r, plan, err) < 0 ? -1 : check_reused_apis(r, plan, err);
}
