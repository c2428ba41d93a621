#include "config/explain.h"

#include "config/variables/variables.h"

enum { MEMBERS_MAX = 200, STEP_DEPTH_MAX = 64 };

struct explaining {
    struct arena *arena;
    struct map seen; /* origin -> itself */
    struct node *because;
};

/* ---- finding ---- */

static const struct node *child_of(const struct node *n, struct str key)
{
    int64_t index;
    if (node_is(n, NODE_MAP))
        return node_get(n, key);
    if (!node_is(n, NODE_SEQ) || !str_to_int(key, &index) || index < 0 ||
        (uint64_t)index >= n->count)
        return NULL;
    return n->items[index];
}

/* The longest key that `rest` starts with; its length, or 0. */
static size_t key_length(const struct node *n, struct str rest)
{
    for (size_t end = rest.n; end > 0; end--)
        if ((end == rest.n || rest.p[end] == '.') && child_of(n, str_sub(rest, 0, end)))
            return end;
    return 0;
}

/* Advice for the key "events[0]", where `n` has a list "events". */
static int dot_for_bracket(struct str before, const struct node *n, struct str key, struct err *err)
{
    struct str index = key, name, number;
    if (!str_cut(&index, '[', &name) || !str_cut(&index, ']', &number) || !number.n ||
        !node_is(child_of(n, name), NODE_SEQ))
        return 0;
    return err_help(err, "an item of a list is written with a dot: '%.*s%s%.*s.%.*s'",
                    STR_ARG(before), before.n ? "." : "", STR_ARG(name), STR_ARG(number));
}

static int nothing_there(struct arena *a, const struct node *n, struct str path, size_t at,
                         struct err *err)
{
    struct str before = str_sub(path, 0, at ? at - 1 : 0), key, rest = str_sub(path, at, path.n);
    struct near near = {.name = rest};
    if (!str_cut(&rest, '.', &key))
        key = STR("");
    near.name = key;
    member_each (m, n)
        near_offer(&near, m->key);
    if (node_count(n) || n->kind >= NODE_SEQ)
        err_set(err, ERR_USAGE, "no '%.*s' in %s%.*s%s", STR_ARG(key), before.n ? "'" : "",
                STR_ARG(before.n ? before : STR("the service")), before.n ? "'" : "");
    else
        err_set(err, ERR_USAGE, "'%.*s' is %s, it has no '%.*s'", STR_ARG(before),
                node_kind_name(n), STR_ARG(key));
    if (dot_for_bracket(before, n, key, err) < 0)
        return -1;
    if (near.best.n)
        return err_help(err, "did you mean '%.*s%s%.*s'?", STR_ARG(before), before.n ? "." : "",
                        STR_ARG(near.best));
    struct buf names = BUF(a);
    member_each (m, n)
        buf_fmt(&names, "%s%.*s", names.n ? ", " : "", STR_ARG(m->key));
    if (names.n)
        return err_help(err, "there are: %.*s", STR_ARG(buf_str(&names)));
    if (n->kind != NODE_SEQ)
        return -1;
    return err_help(err, "it has %zu item%s, counted from 0", n->count, n->count == 1 ? "" : "s");
}

/* One step down from `n`, from `*at` of `path` to behind the next dot. */
static const struct node *descend(struct arena *a, const struct node *n, struct str path,
                                  size_t *at, struct err *err)
{
    size_t length = key_length(n, str_sub(path, *at, path.n)), end = *at + length;
    if (!length)
        return nothing_there(a, n, path, *at, err), NULL;
    n = child_of(n, str_sub(path, *at, length));
    *at = end + (end < path.n);
    if (*at == path.n && end < path.n) /* a dot at the end */
        return nothing_there(a, n, path, *at, err), NULL;
    return n;
}

const struct node *service_part(struct arena *a, const struct service *s, struct str path,
                                struct err *err)
{
    const struct node *n = s->root;
    for (size_t at = 0; n && at < path.n;)
        n = descend(a, n, path, &at, err);
    return n;
}

/* Settings that a function has from the provider unless it sets them. */
static const char *const inherited[] = {
    "runtime",     "timeout", "memorySize",         "architecture",
    "environment", "vpc",     "logRetentionInDays", "kmsKeyArn",
    "tags",        "layers"};

/* "provider.timeout" for "functions.get.timeout", when only the provider sets it. Otherwise
 * empty. */
static struct str inherited_path(struct arena *a, const struct service *s, struct str path)
{
    struct str rest = path, part, function;
    const struct node *of_function;
    cleanup_err struct err none = {0};
    if (!str_cut(&rest, '.', &part) || !str_eq(part, STR("functions")) ||
        !str_cut(&rest, '.', &function) || !rest.n)
        return (struct str){"", 0};
    struct str key = rest, own = rest;
    str_cut(&own, '.', &key);
    of_function = node_get(node_get_c(s->root, "functions"), function);
    if (!of_function || service_part(a, s, path, &none))
        return (struct str){"", 0};
    struct str found = str_concat(a, STR("provider."), rest);
    err_clear(&none);
    for (size_t i = 0; i < sizeof inherited / sizeof *inherited; i++)
        if (str_eq(key, str_c(inherited[i])) && service_part(a, s, found, &none))
            return found;
    return (struct str){"", 0};
}

/* ---- steps ---- */

static void put_place(struct arena *a, struct node *map, const char *key, struct pos pos)
{
    if (!pos.source || !pos.line)
        return;
    struct node *n = node_map(a);
    node_put_str(a, n, "file", pos.source->path);
    node_put_c(a, n, "line", node_int(a, pos.line));
    node_put_c(a, n, "column", node_int(a, pos.column));
    node_put_c(a, map, key, n);
}

static void put_value(struct explaining *x, struct node *map, const struct node *value,
                      unsigned flags)
{
    const struct node *shown = with_flags(x->arena, value, flags & NODE_SECRET);
    node_put_c(x->arena, map, "value", node_masked(x->arena, shown));
}

static bool seen(struct explaining *x, const struct origin *o)
{
    const struct origin **key = ARENA_NEW(x->arena, const struct origin *);
    *key = o;
    struct str name = {(const char *)key, sizeof *key};
    if (map_has(&x->seen, name))
        return true;
    map_put(&x->seen, name, *key);
    return false;
}

static void add_because(struct explaining *x, const struct origin *o)
{
    struct node *n = node_map(x->arena);
    node_put_str(x->arena, n, "variable", o->text.n ? o->text : o->what);
    if (o->text.n)
        put_place(x->arena, n, "place", o->at);
    node_each (known, x->because)
        if (node_equal(known, n))
            return;
    node_push(x->arena, x->because, n);
}

static const struct node *step(struct explaining *x, const struct origin *o, unsigned depth);

static void put_links(struct explaining *x, struct node *map, const struct origin *o,
                      unsigned depth)
{
    static const struct {
        enum origin_role role;
        const char *key;
    } lists[] = {{ORIGIN_PART, "parts"},
                 {ORIGIN_BEFORE, "before"},
                 {ORIGIN_ADDRESS, "address"},
                 {ORIGIN_VIA, "via"}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct node *list = node_seq(x->arena);
        for (const struct origin_link *l = o->links; l; l = l->next)
            if (l->role == lists[i].role)
                node_push(x->arena, list, step(x, l->origin, depth + 1));
        if (list->count)
            node_put_c(x->arena, map, lists[i].key, list);
    }
}

static void put_variable(struct explaining *x, struct node *n, const struct origin *o)
{
    struct arena *a = x->arena;
    bool hidden = o->chosen & NODE_SECRET; /* the resolved address would show it */
    bool brings = o->flags & NODE_STAGE;
    struct str says = hidden ? STR("what a secret names") : o->what;
    bool is_named = str_eq(says, str_fmt(a, "'%.*s'", STR_ARG(o->text)));
    if (!o->value) {
        node_put_str(a, n, "missing", says);
    } else {
        if (!is_named)
            node_put_str(a, n, "says", says);
        if (o->value->kind < NODE_SEQ)
            put_value(x, n, o->value, o->flags);
        else
            node_put_c(a, n, "holds",
                       node_strf(a, "%s of %zu", node_kind_name(o->value), node_count(o->value)));
        put_place(a, n, "from", o->pos);
    }
    node_put_c(a, n, "stage", node_bool(a, brings));
    if (brings)
        add_because(x, o);
}

static const struct node *step(struct explaining *x, const struct origin *o, unsigned depth)
{
    struct arena *a = x->arena;
    struct node *n = node_map(a);
    bool is_text = !o->what.n;
    node_put_str(a, n, is_text ? "text" : "variable", o->text);
    put_place(a, n, "place", o->at);
    if (seen(x, o) || depth > STEP_DEPTH_MAX) {
        node_put_c(a, n, "again", node_bool(a, true));
        return n;
    }
    if (!is_text)
        put_variable(x, n, o);
    put_links(x, n, o, depth);
    if (!is_text && o->from)
        node_put_c(a, n, "then", step(x, o->from, depth + 1));
    return n;
}

/* ---- members ---- */

static bool is_made(const struct node *n)
{
    return n->origin || n->flags & NODE_STAGE;
}

static void add_members(struct explaining *x, struct node *list, const struct node *n,
                        struct str path)
{
    struct arena *a = x->arena;
    if (list->count >= MEMBERS_MAX)
        return;
    if (n->kind < NODE_SEQ) {
        if (!is_made(n))
            return;
        struct node *m = node_map(a);
        node_put_str(a, m, "key", path);
        put_value(x, m, n, 0);
        node_put_c(a, m, "stage", node_bool(a, n->flags & NODE_STAGE));
        node_push(a, list, m);
        if (n->origin)
            step(x, n->origin, 0); /* collects what brings the stage in */
        return;
    }
    for (size_t i = 0; n->kind == NODE_SEQ && i < n->count; i++)
        add_members(x, list, n->items[i], str_fmt(a, "%.*s.%zu", STR_ARG(path), i));
    member_each (m, n)
        add_members(x, list, m->value,
                    str_fmt(a, "%.*s%s%.*s", STR_ARG(path), path.n ? "." : "", STR_ARG(m->key)));
}

/* ---- the whole ---- */

/* When no variable brought the stage in, the value is the stage's name itself, as provider.stage
 * is. */
static void say_why_stage(struct explaining *x, const struct node *n)
{
    struct origin own = {.what = STR("the stage's name itself")};
    if (!x->because->count && n->kind < NODE_SEQ)
        add_because(x, &own);
}

const struct node *service_explain(struct arena *a, const struct service *s, struct str path,
                                   struct err *err)
{
    struct explaining x = {.arena = a, .seen = MAP(a), .because = node_seq(a)};
    struct node *ret = node_map(a), *steps = node_seq(a), *members = node_seq(a);
    const struct node *n = s->root;
    struct str typed = path, from = inherited_path(a, s, path);
    path = from.n ? from : path;
    for (size_t at = 0; at < path.n;) {
        if (!(n = descend(a, n, path, &at, err)))
            return NULL;
        if (n->origin) {
            const struct node *made = step(&x, n->origin, 0);
            if (at < path.n) {
                struct node *outer = node_map(a);
                node_put_str(a, outer, "key", str_sub(path, 0, at - 1));
                member_each (m, made)
                    node_put(a, outer, m->key, m->value);
                made = outer;
            }
            node_push(a, steps, made);
        }
    }
    bool depends = node_flags_deep(n) & NODE_STAGE;
    if (n->kind >= NODE_SEQ)
        add_members(&x, members, n, path);
    else if (!depends)
        x.because = node_seq(a);
    if (depends)
        say_why_stage(&x, n);
    node_put_str(a, ret, "key", typed);
    if (from.n)
        node_put_str(a, ret, "inherited", from);
    put_value(&x, ret, n, 0);
    put_place(a, ret, "place", n->pos);
    node_put_c(a, ret, "stage", node_bool(a, depends));
    node_put_c(a, ret, "because", x.because);
    node_put_c(a, ret, "steps", steps);
    if (n->kind >= NODE_SEQ)
        node_put_c(a, ret, "members", members);
    return ret;
}
