#include "release/policy/policy_internal.h"

#include <fnmatch.h>

#include "base/buf.h"
#include "doc/json.h"

/* A statement under construction: grants that agree in something, by the rest. */
struct merged {
    struct str service;
    const struct node *condition;
    struct map actions, resources, whys; /* used as sets */
};

static int compare_entries(const void *x, const void *y)
{
    return str_cmp(((const struct map_entry *)x)->key, ((const struct map_entry *)y)->key);
}

/* From now on the set is only walked through: its index is that of the order before. */
static void sort(struct map *set)
{
    if (set->n)
        qsort(set->entries, set->n, sizeof *set->entries, compare_entries);
}

static struct str service_of(struct str action)
{
    return str_sub(action, 0, (size_t)str_find_char(action, ':', 0));
}

static struct merged *merged_at(struct arena *a, struct map *all, struct str key,
                                struct str service, const struct node *condition)
{
    struct merged *m = map_get(all, key);
    if (m)
        return m;
    m = ARENA_NEW(a, struct merged);
    *m = (struct merged){service, condition, MAP(a), MAP(a), MAP(a)};
    map_put(all, key, m);
    return m;
}

static void add_all(struct map *to, const struct map *from)
{
    for (size_t i = 0; i < from->n; i++)
        map_put(to, from->entries[i].key, from);
}

/* Is the ARN within what another one of the set allows? */
static bool is_covered(const struct map *set, size_t which)
{
    struct str s = set->entries[which].key;
    for (size_t i = 0; i < set->n; i++)
        if (i != which && fnmatch(set->entries[i].key.p, s.p, 0) == 0)
            return true;
    return false;
}

static void reduce(struct arena *a, struct map *resources)
{
    struct map kept = MAP(a);
    for (size_t i = 0; i < resources->n; i++)
        if (!is_covered(resources, i))
            map_put(&kept, resources->entries[i].key, resources);
    sort(&kept);
    *resources = kept;
}

static struct str text_of_set(struct arena *a, const struct map *set, const char *between)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < set->n; i++)
        buf_fmt(&b, "%s%.*s", i ? between : "", STR_ARG(set->entries[i].key));
    return buf_str(&b);
}

static struct str condition_key(struct arena *a, const struct node *condition)
{
    return condition ? json_canonical(a, condition) : (struct str){"", 0};
}

/* By action and condition: on what. Then by service, condition and resources: which actions. */
static struct map merge(struct arena *a, const struct grants *grants)
{
    struct map by_action = MAP(a), statements = MAP(a);
    vec_each (&grants->all, g) {
        struct str key =
            str_fmt(a, "%.*s %.*s", STR_ARG(g->action), STR_ARG(condition_key(a, g->condition)));
        struct merged *m = merged_at(a, &by_action, key, g->action, g->condition);
        map_put(&m->resources, g->resource, m);
        map_put(&m->whys, g->why, m);
    }
    for (size_t i = 0; i < by_action.n; i++) {
        struct merged *one = by_action.entries[i].value;
        struct str action = one->service, service = service_of(action);
        reduce(a, &one->resources);
        struct str key = str_fmt(a, "%.*s %.*s %.*s", STR_ARG(service),
                                 STR_ARG(text_of_set(a, &one->resources, " ")),
                                 STR_ARG(condition_key(a, one->condition)));
        struct merged *m = merged_at(a, &statements, key, service, one->condition);
        map_put(&m->actions, action, m);
        m->resources = one->resources;
        add_all(&m->whys, &one->whys);
    }
    sort(&statements);
    return statements;
}

/* One text, or a list of them. */
static const struct node *list_of(struct arena *a, const struct map *set)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < set->n; i++)
        node_push(a, list, node_str(a, set->entries[i].key));
    return set->n == 1 ? list->items[0] : list;
}

const struct node *grants_statements(struct arena *a, const struct grants *grants,
                                     const struct node **ret_reasons)
{
    struct node *all = node_seq(a), *reasons = node_map(a);
    struct map statements = merge(a, grants);
    struct str before = {"", 0};
    unsigned number = 0;
    for (size_t i = 0; i < statements.n; i++) {
        struct merged *m = statements.entries[i].value;
        struct node *statement = node_map(a);
        struct str name = str_upper_first(a, str_replace(a, m->service, STR("-"), STR("")));
        number = str_eq(before, m->service) ? number + 1 : 1;
        before = m->service;
        /* "Lambda", "Lambda2"; "S3", "S3n2" */
        bool digit = name.n && strchr("0123456789", name.p[name.n - 1]);
        struct str sid =
            number == 1 ? name : str_fmt(a, "%.*s%s%u", STR_ARG(name), digit ? "n" : "", number);
        sort(&m->actions);
        sort(&m->whys);
        node_put_str(a, statement, "Sid", sid);
        node_put_str(a, statement, "Effect", STR("Allow"));
        node_put_c(a, statement, "Action", list_of(a, &m->actions));
        node_put_c(a, statement, "Resource", list_of(a, &m->resources));
        node_put_c(a, statement, "Condition", m->condition);
        node_push(a, all, statement);
        node_put(a, reasons, sid, node_str(a, text_of_set(a, &m->whys, "; ")));
    }
    *ret_reasons = reasons;
    return all;
}
