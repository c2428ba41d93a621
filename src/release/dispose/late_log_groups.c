/* Finding and deleting log groups that calls made anew. */
#include "release/dispose/late_log_groups.h"

#include "aws/services/destroy.h"
#include "release/bucket/stage_address.h"
#include "release/dispose/dispose_internal.h"
#include "release/world/region.h"

#define FUNCTION_GROUP "/aws/lambda/"

/* ---- names ---- */

const struct node *log_groups_of(struct arena *a, const struct node *template)
{
    struct node *names = node_seq(a);
    member_each (m, node_get_c(template, "Resources")) {
        const struct node *name = node_path(m->value, "Properties.LogGroupName");
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Logs::LogGroup") &&
            node_is(name, NODE_STRING))
            node_push(a, names, node_str(a, name->text));
    }
    return names;
}

static bool has_name(const struct node *names, struct str name)
{
    node_each (n, names)
        if (str_eq(node_text(n), name))
            return true;
    return false;
}

/* Where the recorded function writes to unless it is told otherwise. */
static bool is_default_group(const struct record_function *function, struct str group)
{
    struct str name = function->name;
    return str_starts(group, STR(FUNCTION_GROUP)) && name.n &&
           str_eq(str_sub(group, strlen(FUNCTION_GROUP), group.n), name);
}

static bool has_function_of(const struct record *record, struct str group)
{
    for (size_t i = 0; record->body && i < record->body->functions.n; i++)
        if (is_default_group(&record->body->functions.p[i], group))
            return true;
    return false;
}

bool log_groups_named(const struct record *record, struct str group)
{
    const struct node *names = record->body ? record->body->log_groups : NULL;
    return record_succeeded(record) &&
           (names ? has_name(names, group) : has_function_of(record, group));
}

/* ---- records ---- */

struct records {
    struct record *p; /* NULL: not read yet */
    size_t n;
};

/* Records of `stage` (empty: of all), newest first. */
static int read_records(const struct release *r, const struct store *store,
                        const struct record_ref *refs, size_t n, struct str stage,
                        struct records *ret, struct err *err)
{
    VEC(struct record_ref) wanted = {0};
    for (size_t i = 0; i < n; i++)
        if (!stage.n || str_eq(refs[i].stage, stage))
            vec_push(r->arena, &wanted, refs[i]);
    *ret = (struct records){ARENA_ARRAY(r->arena, wanted.n + 1, struct record), wanted.n};
    return records_read(r->arena, store, wanted.p, wanted.n, ret->p, err);
}

/* Does a function that some stage serves write to it? */
static bool is_written_to(const struct records *all, struct str group)
{
    struct str stage = {"", 0};
    for (size_t i = 0; i < all->n; i++) {
        const struct record *record = &all->p[i];
        if (str_eq(record->stage, stage) || !record_succeeded(record))
            continue;
        stage = record->stage; /* this is its newest that did */
        if (has_function_of(record, group))
            return true;
    }
    return false;
}

static const struct record *find_record(const struct records *all, struct str group)
{
    for (size_t i = 0; i < all->n; i++)
        if (log_groups_named(&all->p[i], group))
            return &all->p[i];
    return NULL;
}

/* ---- one stack ---- */

int log_groups_clear(const struct release *r, const struct world *w, struct str stage,
                     const struct node *now, const struct node *next, struct err *err)
{
    const struct node *there = log_groups_of(r->arena, now);
    struct records records = {0};
    bool known = false;
    for (size_t i = 0; i < w->record_count; i++)
        known |= !stage.n || str_eq(w->records[i].stage, stage);
    node_each (item, log_groups_of(r->arena, next)) {
        struct str group = node_text(item);
        struct log_group found;
        bool gone;
        if (!known || has_name(there, group))
            continue;
        if (logs_group(r->arena, r->aws, group, &found, err) < 0)
            return err_wrap(err, "look at log group '%.*s'", STR_ARG(group));
        if (found.name.n && !records.p &&
            read_records(r, &w->store, w->records, w->record_count, stage, &records, err) < 0)
            return -1;
        struct claim claim = {OURS_RECORD, find_record(&records, group)};
        if (!found.name.n || !claim.record || is_written_to(&records, group))
            continue;
        if (dispose_log_group(r, &claim, group, &gone, err) < 0)
            return -1;
        if (gone)
            release_progress(r, "stack", "log group '%.*s' of %.*s#%lld was left over",
                             STR_ARG(group), STR_ARG(claim.record->stage),
                             (long long)claim.record->number);
    }
    return 0;
}

/* ---- all ---- */

struct log_groups log_groups_recorded(struct arena *a, const struct record *records, size_t n)
{
    VEC(struct log_group_named) all = {0};
    struct map seen = MAP(a);
    for (size_t i = 0; i < n; i++) {
        const struct record *record = &records[i];
        const struct record_body *body = record->body;
        struct node *names = node_seq(a);
        struct str region;
        address_stage(record->stage, &region);
        for (size_t k = 0; body && k < body->functions.n; k++)
            node_push(a, names,
                      node_strf(a, FUNCTION_GROUP "%.*s", STR_ARG(body->functions.p[k].name)));
        node_each (name, body ? body->log_groups : NULL)
            node_push(a, names, name);
        node_each (item, names) {
            struct str name = node_text(item);
            struct str key = str_fmt(a, "%.*s %.*s", STR_ARG(region), STR_ARG(name));
            if (map_has(&seen, key) || !log_groups_named(record, name))
                continue;
            map_put(&seen, key, a);
            vec_push(a, &all, (struct log_group_named){name, record});
        }
    }
    return (struct log_groups){all.p, all.n};
}

int log_groups_sweep(const struct release *r, const struct log_groups *all, struct err *err)
{
    for (size_t i = 0; i < all->n; i++) {
        struct claim claim = {OURS_RECORD, all->p[i].record};
        struct release there;
        bool gone;
        if (region_at(r, claim.record->stage, &there, err) < 0 ||
            dispose_log_group(&there, &claim, all->p[i].name, &gone, err) < 0)
            return -1;
    }
    return 0;
}

int dispose_log_group(const struct release *r, const struct claim *claim, struct str group,
                      bool *ret_gone, struct err *err)
{
    struct log_group found;
    *ret_gone = false;
    if (claim->why != OURS_RECORD || !claim->record || !log_groups_named(claim->record, group))
        return dispose_refuse("log group", group, claim->why, err);
    if (logs_group(r->arena, r->aws, group, &found, err) < 0)
        return err_wrap(err, "look at log group '%.*s'", STR_ARG(group));
    /* What a stack makes bears its tags, also when the stack has gone and left it. */
    if (!found.name.n || found.retention_days || node_count(found.tags))
        return 0;
    if (logs_delete_group(r->arena, r->aws, group, err) < 0)
        return err_wrap(err, "delete log group '%.*s'", STR_ARG(group));
    *ret_gone = true;
    dispose_note(r, FATE_DELETED, STR("AWS::Logs::LogGroup"), group,
                 str_c(dispose_reasons[OURS_RECORD]));
    return 0;
}
