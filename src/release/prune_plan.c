/* Which records are kept, and what the others had alone. */
#include "release/prune.h"

#include "base/map.h"
#include "base/vec.h"

/* ---- records ---- */

static const struct prune_stage *find_stage(const struct prune_stage *stages, size_t n,
                                            struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(stages[i].name, name))
            return &stages[i];
    return NULL;
}

/* When the last pointer left the record: the time of the outcome of the stage's next deployment
 * that succeeded. A shift that was taken back had calls until its own outcome was written. 0:
 * pointers are still there. */
static int64_t left_ms(const struct prune_record *all, size_t i)
{
    int64_t own = all[i].ref.outcome_ms;
    if (!record_succeeded(&all[i].record))
        return own;
    for (size_t k = i; k-- > 0 && str_eq(all[k].ref.stage, all[i].ref.stage);)
        if (record_succeeded(&all[k].record))
            return all[k].ref.outcome_ms > own ? all[k].ref.outcome_ms : own;
    return 0;
}

static bool is_recent(const struct prune_record *all, size_t i, const struct prune_rules *rules)
{
    int64_t left = left_ms(all, i);
    return !left || rules->now_ms - left < rules->unused_ms;
}

/* A rollback or a shift that is not finished names the record it goes to (`i`): whoever finishes it
 * needs what that record names. */
static bool is_awaited(const struct prune_record *all, size_t i, size_t newest)
{
    for (size_t k = newest; k < i; k++) {
        const struct record_body *body = all[k].record.body;
        if (!all[k].ref.has_outcome && body &&
            (body->to == all[i].ref.number || body->restores == all[i].ref.number))
            return true;
    }
    return false;
}

/* `newest` is the stage's newest record. */
static enum kept decide(const struct prune_record *all, size_t i, size_t newest,
                        const struct prune_stage *stage, const struct prune_rules *rules)
{
    const struct prune_record *r = &all[i];
    bool removed = !stage && all[newest].ref.has_outcome && record_is_removal(&all[newest].record);
    if (r->ref.pruned) /* others count on its being gone */
        return KEPT_NOT;
    /* Nobody can go on with it, and what is left of it may wait for its versions to go. What an
     * alias still points at stays. */
    if (stage && stage->leaving)
        return KEPT_NOT;
    if (!r->ref.has_outcome || is_awaited(all, i, newest))
        return KEPT_OPEN;
    if (stage ? !stage->settled || !stage->current : !removed)
        return KEPT_UNSETTLED;
    if (stage && r->ref.number == stage->current)
        return KEPT_CURRENT;
    if (stage && (int64_t)(i - newest) < rules->keep)
        return KEPT_LAST;
    if (removed ? rules->now_ms - all[newest].ref.outcome_ms < rules->unused_ms
                : is_recent(all, i, rules))
        return KEPT_RECENT;
    return KEPT_NOT;
}

void prune_decide(struct prune_record *records, size_t n, const struct prune_stage *stages,
                  size_t stage_count, const struct prune_rules *rules)
{
    size_t newest = 0;
    for (size_t i = 0; i < n; i++) {
        struct str name = records[i].ref.stage;
        if (!str_eq(name, records[newest].ref.stage))
            newest = i;
        records[i].kept = decide(records, i, newest, find_stage(stages, stage_count, name), rules);
    }
}

/* ---- what they name ---- */

struct items_of {
    struct arena *arena;
    struct map *needed; /* by kept records */
    VEC(struct prune_item) items;
    struct map seen;
};

static struct str item_key(struct arena *a, const struct prune_item *item)
{
    return str_fmt(a, "%d %.*s %.*s", item->kind, STR_ARG(item->owner), STR_ARG(item->id));
}

static void name_item(struct items_of *x, const struct prune_record *r, struct prune_item item)
{
    item.stage = r->ref.stage;
    item.number = r->ref.number;
    item.claim = (struct claim){OURS_RECORD, .record = &r->record};
    if (!item.id.n)
        return;
    struct str key = item_key(x->arena, &item);
    if (r->kept != KEPT_NOT) {
        map_put(x->needed, key, x);
    } else if (!map_has(&x->seen, key)) {
        map_put(&x->seen, key, x);
        vec_push(x->arena, &x->items, item);
    }
}

static void name_object(struct items_of *x, const struct prune_record *r, const char *folder,
                        struct str sha, const char *ending)
{
    if (sha.n)
        name_item(x, r,
                  (struct prune_item){
                      .kind = COLLECT_OBJECT,
                      .id = str_fmt(x->arena, "%s/%.*s.%s", folder, STR_ARG(sha), ending)});
}

static void name_all(struct items_of *x, const struct prune_record *r)
{
    static const struct record_body no_body;
    static const struct record_versions no_versions;
    const struct record_body *body = r->record.body ? r->record.body : &no_body;
    const struct record_versions *versions = r->record.versions ? r->record.versions : &no_versions;
    vec_each (&versions->functions, v)
        name_item(x, r,
                  (struct prune_item){.kind = COLLECT_VERSION, .owner = v->name, .id = v->version});
    vec_each (&versions->apis, d)
        name_item(
            x, r,
            (struct prune_item){
                .kind = COLLECT_DEPLOYMENT, .api = d->kind, .owner = d->id, .id = d->deployment});
    vec_each (&body->functions, f)
        name_object(x, r, "artifacts", f->artifact, "zip");
    vec_each (&body->layers, layer) {
        name_item(x, r, (struct prune_item){.kind = COLLECT_LAYER, .id = layer->id});
        name_object(x, r, "artifacts", layer->artifact, "zip");
    }
    name_object(x, r, "sources", body->sources, "json");
    name_object(x, r, "templates", versions->stage_template, "json");
}

void prune_items(struct arena *a, const struct prune_record *records, size_t n,
                 struct prune_item **ret, size_t *ret_n)
{
    struct map needed = MAP(a);
    struct items_of x = {.arena = a, .needed = &needed, .seen = MAP(a)};
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        name_all(&x, &records[i]);
    for (size_t i = 0; i < x.items.n; i++)
        if (!map_has(&needed, item_key(a, &x.items.p[i])))
            x.items.p[count++] = x.items.p[i];
    *ret = x.items.p;
    *ret_n = count;
}
