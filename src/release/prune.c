/* Pruning: reading, marking, deleting. prune_plan.c decides what goes. */
#include "release/prune.h"

#include "base/pool.h"
#include "base/vec.h"
#include "release/bucket/lease_list.h"
#include "release/dispose/edge_functions.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

enum { JOBS = 16, HANDFUL = 5 };

struct gathering {
    const struct release *r;
    const struct pruning *how;
    struct world *world;
    struct lease *lease;
    struct prune_record *records;
    size_t record_count;
    struct prune_stage *stages;
    size_t stage_count;
    int64_t now_ms; /* by S3's clock */
    struct prune_item *items;
    size_t item_count;
};

/* ---- reading ---- */

static int read_stages(struct gathering *g, struct err *err)
{
    struct arena *a = g->r->arena;
    struct str *names;
    struct stack *stacks;
    if (stages_find(g->r, &g->world->store, &names, &stacks, &g->stage_count, err) < 0)
        return -1;
    g->stages = ARENA_ARRAY(a, g->stage_count + 1, struct prune_stage);
    for (size_t i = 0; i < g->stage_count; i++)
        g->stages[i] =
            (struct prune_stage){.name = names[i],
                                 .settled = str_ends(stacks[i].status, STR("_COMPLETE")),
                                 .current = world_deployment(&stacks[i]),
                                 .leaving = str_starts(stacks[i].status, STR("DELETE_"))};
    return 0;
}

static int read_one(size_t i, void *context, struct arena *a, struct err *err)
{
    struct gathering *g = context;
    struct prune_record *r = &g->records[i];
    return record_read(a, &g->world->store, r->ref.stage, r->ref.number,
                       RECORD_VERSIONS | RECORD_OUTCOME, &r->record, err);
}

static int read_records(struct gathering *g, struct err *err)
{
    struct arena *a = g->r->arena;
    struct world *w = g->world;
    struct record_ref *refs;
    size_t n;
    if (records_list(a, &w->store, &refs, &n, err) < 0)
        return -1;
    g->records = ARENA_ARRAY(a, n + 1, struct prune_record);
    g->record_count = 0;
    for (size_t i = 0; i < n; i++)
        if (!refs[i].gone)
            g->records[g->record_count++] = (struct prune_record){.ref = refs[i]};
    return pool_run_into(a, g->record_count, JOBS, read_one, g, err);
}

/* The time by S3's clock, from an object that is there for sure. */
static int read_clock(struct gathering *g, struct err *err)
{
    struct store *s = &g->world->store;
    struct str text;
    struct s3_stamp stamp;
    const struct record_ref *ref = &g->records[0].ref;
    struct str key = store_key(g->r->arena, s, "stages/%.*s/%lld.json", STR_ARG(ref->stage),
                               (long long)ref->number);
    if (store_get(g->r->arena, s, key, &text, &stamp, err) < 0)
        return -1;
    g->now_ms = stamp.date_ms;
    return 0;
}

static int gather(struct gathering *g, struct err *err)
{
    const struct settings *settings = &g->r->service->settings;
    g->item_count = 0;
    if (read_records(g, err) < 0)
        return -1;
    if (!g->record_count)
        return 0;
    if (read_stages(g, err) < 0 || read_clock(g, err) < 0)
        return -1;
    struct prune_rules rules = {settings->history_keep, g->how->unused_ms, g->now_ms};
    prune_decide(g->records, g->record_count, g->stages, g->stage_count, &rules);
    prune_items(g->r->arena, g->records, g->record_count, &g->items, &g->item_count);
    return prune_layers_find(g->r, g->world, g->items, &g->item_count, err);
}

/* ---- orphans ---- */

/* What a deployment published before it could say so: its versions tell by their description. */
struct orphans {
    struct gathering *g;
    struct map functions; /* name -> itself: of records that go and did not succeed */
    struct map hints;     /* "dev#7 1a2b3c4d" -> struct claim */
    struct orphans_of {
        VEC(struct prune_item) all;
    } * found; /* by function */
};

static void expect_orphans(struct orphans *o, const struct prune_record *r)
{
    struct arena *a = o->g->r->arena;
    if (r->kept != KEPT_NOT || record_succeeded(&r->record) || !r->record.body)
        return;
    vec_each (&r->record.body->functions, f) {
        struct str hint = dispose_hint(a, r->ref.stage, r->ref.number, f->fingerprint);
        if (!hint.n || record_version(r->record.versions, f->object.key)->object.read)
            continue;
        map_put(&o->functions, f->name, r);
        struct claim *claim = ARENA_NEW(a, struct claim);
        *claim = (struct claim){OURS_INTENT, &r->record, .wrote = hint};
        map_put(&o->hints, claim->wrote, claim);
    }
}

static int look_for_orphans(size_t i, void *context, struct arena *a, struct err *err)
{
    struct orphans *o = context;
    struct lambda_version *versions;
    size_t n;
    struct str name = o->functions.entries[i].key;
    if (lambda_versions(a, o->g->r->aws, name, &versions, &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    for (size_t k = 0; k < n; k++) {
        const struct claim *claim = map_get(&o->hints, versions[k].description);
        if (!claim)
            continue;
        vec_push(a, &o->found[i].all,
                 (struct prune_item){.kind = COLLECT_VERSION,
                                     .owner = name,
                                     .id = versions[k].number,
                                     .stage = claim->record->stage,
                                     .number = claim->record->number,
                                     .claim = {OURS_INTENT, claim->record, claim->wrote,
                                               .says = versions[k].description}});
    }
    return 0;
}

static bool is_named(const struct gathering *g, const struct prune_item *item)
{
    for (size_t i = 0; i < g->record_count; i++)
        if (record_names_version(&g->records[i].record, item->owner, item->id))
            return true;
    return false;
}

static int add_orphans(struct gathering *g, struct err *err)
{
    struct arena *a = g->r->arena;
    struct orphans o = {.g = g, .functions = MAP(a), .hints = MAP(a)};
    for (size_t i = 0; i < g->record_count; i++)
        expect_orphans(&o, &g->records[i]);
    o.found = ARENA_ARRAY(a, o.functions.n + 1, struct orphans_of);
    if (pool_run_into(a, o.functions.n, JOBS, look_for_orphans, &o, err) < 0)
        return -1;
    VEC(struct prune_item) all = {0};
    for (size_t i = 0; i < g->item_count; i++)
        vec_push(a, &all, g->items[i]);
    for (size_t i = 0; i < o.functions.n; i++)
        for (size_t k = 0; k < o.found[i].all.n; k++)
            if (!is_named(g, &o.found[i].all.p[k]))
                vec_push(a, &all, o.found[i].all.p[k]);
    g->items = all.p;
    g->item_count = all.n;
    return 0;
}

/* ---- what serves ---- */

static void keep_in_use(struct prune_item *item, struct arena *a, struct str pointer)
{
    item->why_kept = str_fmt(a, "'%.*s' points at it", STR_ARG(pointer));
}

static void compare_aliases(struct arena *a, struct gathering *g, struct str function,
                            const struct lambda_alias *aliases, size_t n)
{
    for (size_t i = 0; i < g->item_count; i++) {
        struct prune_item *item = &g->items[i];
        for (size_t k = 0; k < n && item->kind == COLLECT_VERSION; k++)
            if (str_eq(item->owner, function) && (str_eq(aliases[k].version, item->id) ||
                                                  str_eq(aliases[k].weighted_version, item->id)))
                keep_in_use(item, a, aliases[k].name);
    }
}

static void compare_stages(struct arena *a, struct gathering *g, struct str api,
                           const struct node *stages)
{
    for (size_t i = 0; i < g->item_count; i++) {
        struct prune_item *item = &g->items[i];
        if (item->kind != COLLECT_DEPLOYMENT || !str_eq(item->owner, api))
            continue;
        node_each (stage, stages)
            if (str_eq(node_text(node_get_c(stage, "deploymentId")), item->id))
                keep_in_use(item, a, node_text(node_get_c(stage, "stageName")));
    }
}

struct owners {
    struct gathering *g;
    struct map all; /* function name or id of an API -> its first item */
};

static int look_at_pointers(size_t i, void *context, struct arena *a, struct err *err)
{
    struct owners *o = context;
    const struct prune_item *first = o->all.entries[i].value;
    struct lambda_alias *aliases = NULL;
    const struct node *stages = NULL;
    size_t n = 0;
    int done = first->kind == COLLECT_VERSION
                   ? lambda_aliases(a, o->g->r->aws, first->owner, &aliases, &n, err)
                   : api_gateway(first->api)->stages(a, o->g->r->aws, first->owner, &stages, err);
    if (done < 0) {
        if (err->kind != ERR_NOT_FOUND) /* gone with all it had */
            return -1;
        err_clear(err);
    }
    compare_aliases(a, o->g, first->owner, aliases, n);
    compare_stages(a, o->g, first->owner, stages);
    return 0;
}

/* Whatever an alias (mainly or by weight) or an API stage points at stays, whoever moved it there.
 */
static int keep_what_serves(struct gathering *g, struct err *err)
{
    struct owners o = {g, MAP(g->r->arena)};
    for (size_t i = 0; i < g->item_count; i++)
        if (g->items[i].owner.n && !map_has(&o.all, g->items[i].owner))
            map_put(&o.all, g->items[i].owner, &g->items[i]);
    return pool_run_into(g->r->arena, o.all.n, JOBS, look_at_pointers, &o, err);
}

/* ---- others at work ---- */

/* The name of a stage that somebody works on; empty: none. */
static int find_others(struct gathering *g, struct str *ret_stage, struct err *err)
{
    struct lease_info *leases;
    size_t n;
    *ret_stage = (struct str){"", 0};
    if (leases_list(g->r->arena, &g->world->store, &leases, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!leases[i].dead && leases[i].date_ms < leases[i].ends_ms &&
            str_starts(leases[i].name, STR(LEASE_STAGE)))
            *ret_stage = str_sub(leases[i].name, strlen(LEASE_STAGE), leases[i].name.n);
    return 0;
}

static int check_alone(struct gathering *g, struct pruned *ret, struct err *err)
{
    struct str stage;
    if (find_others(g, &stage, err) < 0)
        return -1;
    ret->put_off = stage.n > 0;
    if (!stage.n || g->how->automatic)
        return 0;
    err_set(err, ERR_LOCKED, "stage '%.*s' is being worked on", STR_ARG(stage));
    return err_help(err, "wait until that is done, then: troupe prune");
}

/* ---- marking and deleting ---- */

static int mark(struct gathering *g, const char *mark, struct err *err)
{
    for (size_t i = 0; i < g->record_count; i++) {
        struct prune_record *r = &g->records[i];
        bool there = strcmp(mark, "collected") == 0 ? r->ref.pruned : r->ref.gone;
        if (r->kept != KEPT_NOT || there)
            continue;
        if (lease_check(g->lease, err) < 0 ||
            record_write_mark(g->r->arena, &g->world->store, r->ref.stage, r->ref.number, mark,
                              &g->now_ms, err) < 0)
            return -1;
    }
    return 0;
}

static int delete_item(struct arena *a, const struct gathering *g, const struct prune_item *item,
                       struct err *err)
{
    const struct store *s = &g->world->store;
    if (item->kind == COLLECT_VERSION)
        return dispose_version(a, s->aws, &item->claim, item->owner, item->id, err);
    if (item->kind == COLLECT_DEPLOYMENT)
        return dispose_deployment(a, s->aws, &item->claim, api_gateway(item->api), item->owner,
                                  item->id, err);
    return dispose_object(a, s, store_key(a, s, "%.*s", STR_ARG(item->id)), STR(""), err);
}

static int delete_one(size_t i, void *context, struct arena *a, struct err *err)
{
    struct gathering *g = context;
    struct prune_item *item = &g->items[i];
    if (item->why_kept.n || item->kind == COLLECT_LAYER)
        return 0;
    if (lease_check(g->lease, err) < 0)
        return -1;
    if (delete_item(a, g, item, err) == 0 || err->kind == ERR_NOT_FOUND) {
        err_clear(err);
        return 0;
    }
    if (err->kind != ERR_CONFLICT)
        return -1;
    item->why_kept = str_dup(a, err->msg); /* AWS says it is in use */
    err_clear(err);
    return 0;
}

/* Records whose snapshots are in use are looked at again the next time. */
static void not_gone_yet(struct gathering *g)
{
    for (size_t i = 0; i < g->item_count; i++)
        for (size_t k = 0; k < g->record_count && g->items[i].why_kept.n; k++)
            if (g->records[k].ref.number == g->items[i].number &&
                str_eq(g->records[k].ref.stage, g->items[i].stage))
                g->records[k].ref.gone = true;
}

static int take_away(struct gathering *g, struct pruned *ret, struct err *err)
{
    if (mark(g, "collected", err) < 0 || gather(g, err) < 0 || check_alone(g, ret, err) < 0)
        return -1;
    if (ret->put_off)
        return 0;
    if (add_orphans(g, err) < 0 || keep_what_serves(g, err) < 0 ||
        prune_layers_drop(g->r, g->world, g->items, g->item_count, err) < 0 ||
        pool_run_into(g->r->arena, g->item_count, JOBS, delete_one, g, err) < 0)
        return -1;
    not_gone_yet(g);
    return mark(g, "gone", err);
}

/* ---- what no record that is kept or pruned names ---- */

/* Functions at the edge that removals had to keep. Nothing points at them, so nobody has to be
 * waited for. */
static int take_kept_functions(const struct gathering *g, prune_item_list *all, struct err *err)
{
    struct arena *a = g->r->arena;
    edge_function_list kept = {0};
    if (g->how->automatic)
        return 0;
    if (edge_functions_kept(g->r, &g->world->store, &kept, err) < 0)
        return -1;
    vec_each (&kept, f) {
        struct prune_item item = {
            .kind = COLLECT_FUNCTION, .id = f->name, .stage = f->stage, .number = f->number};
        if (!g->how->only_look && edge_function_delete(g->r, f, err) < 0) {
            if (err->kind != ERR_CONFLICT)
                return err_wrap(err, "delete function '%.*s'", STR_ARG(f->name));
            item.why_kept = str_dup(a, err->msg);
            err_clear(err);
        }
        vec_push(a, all, item);
    }
    return 0;
}

static int take_others(const struct gathering *g, struct pruned *ret, struct err *err)
{
    prune_item_list all = {0};
    for (size_t i = 0; i < ret->item_count; i++)
        vec_push(g->r->arena, &all, ret->items[i]);
    if (take_kept_functions(g, &all, err) < 0 ||
        prune_uploads(g->r, &g->world->store, g->how->only_look, &all, err) < 0)
        return -1;
    ret->items = all.p;
    ret->item_count = all.n;
    return 0;
}

/* ---- the whole ---- */

static bool has_any(const struct gathering *g)
{
    for (size_t i = 0; i < g->record_count; i++)
        if (g->records[i].kept == KEPT_NOT)
            return true;
    return false;
}

static void count(const struct gathering *g, struct pruned *ret)
{
    for (size_t i = 0; i < g->record_count; i++)
        if (g->records[i].kept == KEPT_NOT)
            ret->records++;
        else
            ret->kept[g->records[i].kept]++;
    ret->items = g->items;
    ret->item_count = g->item_count;
}

/* Have enough records come together for a command to prune by itself? The list of records alone is
 * asked: it costs no further call. */
static bool is_worth_it(const struct gathering *g)
{
    const struct world *w = g->world;
    int64_t rank = 0, more = 0;
    for (size_t i = 0; i < w->record_count; i++) {
        bool first = !i || !str_eq(w->records[i].stage, w->records[i - 1].stage);
        rank = first ? 0 : rank + 1;
        more += !w->records[i].gone && rank >= g->r->service->settings.history_keep;
    }
    return more >= HANDFUL;
}

static int prune(struct gathering *g, struct pruned *ret, struct err *err)
{
    enum { WAIT_MS = 15 * 60 * 1000 };
    bool automatic = g->how->automatic;
    if (gather(g, err) < 0)
        return -1;
    if (!has_any(g) || g->how->only_look) {
        if (add_orphans(g, err) < 0 || keep_what_serves(g, err) < 0)
            return -1;
        return 0;
    }
    if (check_alone(g, ret, err) < 0)
        return -1;
    if (ret->put_off)
        return 0;
    if (lease_take(&g->world->store, STR("service"), STR("prune"), automatic ? 0 : WAIT_MS,
                   &g->lease, err) < 0) {
        ret->put_off = automatic && err->kind == ERR_LOCKED;
        if (ret->put_off)
            err_clear(err);
        return ret->put_off ? 0 : -1;
    }
    return take_away(g, ret, err);
}

int prune_run(const struct release *r, const struct pruning *how, struct world *world,
              struct pruned *ret, struct err *err)
{
    struct release home = region_home(r);
    struct gathering g = {.r = &home, .how = how, .world = world};
    *ret = (struct pruned){0};
    if (!world->bucket.n || (how->automatic && !is_worth_it(&g)))
        return 0;
    int done = prune(&g, ret, err);
    lease_release(&g.lease);
    if (done < 0 || ret->put_off)
        return done;
    count(&g, ret);
    return take_others(&g, ret, err);
}
