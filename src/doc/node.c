/* Building and looking at nodes. */
#include "doc/node.h"

#include <assert.h>
#include <stdarg.h>

#include "base/vec.h"

static struct node *node_new(struct arena *a, enum node_kind kind)
{
    struct node *n = ARENA_NEW(a, struct node);
    n->kind = (uint8_t)kind;
    n->weight = 1;
    return n;
}

struct node *node_null(struct arena *a)
{
    return node_new(a, NODE_NULL);
}

struct node *node_bool(struct arena *a, bool value)
{
    struct node *n = node_new(a, NODE_BOOL);
    n->boolean = value;
    return n;
}

struct node *node_number(struct arena *a, struct str text)
{
    struct node *n = node_new(a, NODE_NUMBER);
    n->text = text;
    return n;
}

struct node *node_int(struct arena *a, int64_t value)
{
    return node_number(a, str_fmt(a, "%lld", (long long)value));
}

struct node *node_str(struct arena *a, struct str text)
{
    struct node *n = node_new(a, NODE_STRING);
    n->text = text;
    return n;
}

struct node *node_strf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = str_vfmt(a, fmt, ap);
    va_end(ap);
    return node_str(a, s);
}

struct node *node_seq(struct arena *a)
{
    return node_new(a, NODE_SEQ);
}

struct node *node_map(struct arena *a)
{
    return node_new(a, NODE_MAP);
}

static void add_weight(struct node *parent, const struct node *child)
{
    if (__builtin_add_overflow(parent->weight, child->weight, &parent->weight))
        parent->weight = UINT32_MAX;
}

void node_push(struct arena *a, struct node *seq, const struct node *item)
{
    assert(seq->kind == NODE_SEQ && item);
    if (seq->count == seq->cap) {
        size_t cap = seq->cap ? seq->cap * 2 : 4;
        seq->items =
            arena_grow(a, seq->items, seq->cap * sizeof *seq->items, cap * sizeof *seq->items);
        seq->cap = cap;
    }
    seq->items[seq->count++] = item;
    add_weight(seq, item);
}

enum { INDEX_FROM = 12 }; /* smaller maps are searched from front to back */

static size_t slot_of(const struct node *map, struct str key)
{
    size_t i = (size_t)str_hash(key) & (map->slot_count - 1);
    while (map->slots[i] && !str_eq(map->members[map->slots[i] - 1].key, key))
        i = (i + 1) & (map->slot_count - 1);
    return i;
}

static struct member *find_member(const struct node *map, struct str key)
{
    if (!node_is(map, NODE_MAP))
        return NULL;
    if (map->slots) {
        uint32_t at = map->slots[slot_of(map, key)];
        return at ? &map->members[at - 1] : NULL;
    }
    for (size_t i = 0; i < map->size; i++)
        if (str_eq(map->members[i].key, key))
            return &map->members[i];
    return NULL;
}

const struct member *node_member(const struct node *map, struct str key)
{
    return find_member(map, key);
}

static void index_build(struct arena *a, struct node *map)
{
    map->slot_count = 32;
    while (map->slot_count < map->room * 2)
        map->slot_count *= 2;
    map->slots = ARENA_ARRAY(a, map->slot_count, uint32_t);
    for (size_t i = 0; i < map->size; i++)
        map->slots[slot_of(map, map->members[i].key)] = (uint32_t)i + 1;
}

static void member_room(struct arena *a, struct node *map)
{
    if (map->size < map->room)
        return;
    size_t room = map->room ? map->room * 2 : 4;
    map->members =
        arena_grow(a, map->members, map->room * sizeof *map->members, room * sizeof *map->members);
    map->room = room;
    if (room > INDEX_FROM)
        index_build(a, map);
}

void node_put_at(struct arena *a, struct node *map, struct str key, struct pos key_pos,
                 const struct node *value)
{
    assert(map->kind == NODE_MAP);
    if (!value)
        return;
    add_weight(map, value);
    struct member *old = find_member(map, key);
    if (old) {
        *old = (struct member){key, key_pos, value};
        return;
    }
    member_room(a, map);
    map->members[map->size++] = (struct member){key, key_pos, value};
    if (map->slots)
        map->slots[slot_of(map, key)] = (uint32_t)map->size;
}

void node_put(struct arena *a, struct node *map, struct str key, const struct node *value)
{
    if (value)
        node_put_at(a, map, key, value->pos, value);
}

void node_put_c(struct arena *a, struct node *map, const char *key, const struct node *value)
{
    node_put(a, map, str_c(key), value);
}

void node_put_str(struct arena *a, struct node *map, const char *key, struct str value)
{
    node_put(a, map, str_c(key), node_str(a, value));
}

void node_drop(struct node *map, struct str key)
{
    struct member *m = find_member(map, key);
    if (!m)
        return;
    size_t at = (size_t)(m - map->members);
    memmove(m, m + 1, (map->size - at - 1) * sizeof *m);
    map->size--;
    if (!map->slots)
        return;
    memset(map->slots, 0, map->slot_count * sizeof *map->slots);
    for (size_t i = 0; i < map->size; i++)
        map->slots[slot_of(map, map->members[i].key)] = (uint32_t)i + 1;
}

struct node *node_fn(struct arena *a, const char *key, const struct node *value)
{
    struct node *n = node_map(a);
    node_put_c(a, n, key, value);
    return node_from(n, value);
}

struct node *node_ref(struct arena *a, struct str name)
{
    return node_fn(a, "Ref", node_str(a, name));
}

struct node *node_get_att(struct arena *a, struct str name, const char *attribute)
{
    struct node *pair = node_seq(a);
    node_push(a, pair, node_str(a, name));
    node_push(a, pair, node_str(a, str_c(attribute)));
    return node_fn(a, "Fn::GetAtt", pair);
}

struct node *node_shallow(struct arena *a, const struct node *n)
{
    struct node *copy = ARENA_NEW(a, struct node);
    *copy = *n;
    if (n->kind == NODE_SEQ) {
        copy->items = ARENA_ARRAY(a, n->count ? n->count : 1, const struct node *);
        copy->cap = n->count ? n->count : 1;
        for (size_t i = 0; i < n->count; i++)
            copy->items[i] = n->items[i];
    } else if (n->kind == NODE_MAP) {
        copy->room = n->size ? n->size : 1;
        copy->members = ARENA_ARRAY(a, copy->room, struct member);
        copy->slots = NULL;
        copy->slot_count = 0;
        for (size_t i = 0; i < n->size; i++)
            copy->members[i] = n->members[i];
        if (copy->room > INDEX_FROM)
            index_build(a, copy);
    }
    return copy;
}

struct node *node_placed(struct arena *a, const struct node *n, struct pos pos)
{
    struct node *copy = n->kind == NODE_SEQ   ? node_seq(a)
                        : n->kind == NODE_MAP ? node_map(a)
                                              : node_shallow(a, n);
    copy->flags = 0;
    copy->pos = pos;
    copy->origin = NULL;
    node_each (item, n)
        node_push(a, copy, node_placed(a, item, pos));
    member_each (m, n)
        node_put_at(a, copy, m->key, pos, node_placed(a, m->value, pos));
    return copy;
}

struct node *node_deep(struct arena *a, const struct node *n)
{
    struct node *copy = node_shallow(a, n);
    if (n->kind == NODE_STRING || n->kind == NODE_NUMBER)
        copy->text = str_dup(a, n->text);
    for (size_t i = 0; n->kind == NODE_SEQ && i < n->count; i++)
        copy->items[i] = node_deep(a, n->items[i]);
    for (size_t i = 0; n->kind == NODE_MAP && i < n->size; i++) {
        copy->members[i].key = str_dup(a, n->members[i].key);
        copy->members[i].value = node_deep(a, n->members[i].value);
    }
    return copy;
}

const struct node *node_masked(struct arena *a, const struct node *n)
{
    if (!(node_flags_deep(n) & NODE_SECRET))
        return n;
    if (n->kind != NODE_SEQ && n->kind != NODE_MAP)
        return node_str(a, STR("********"));
    struct node *out = node_shallow(a, n);
    for (size_t i = 0; n->kind == NODE_SEQ && i < n->count; i++)
        out->items[i] = node_masked(a, n->items[i]);
    for (size_t i = 0; n->kind == NODE_MAP && i < n->size; i++)
        out->members[i].value = node_masked(a, n->members[i].value);
    return out;
}

const struct node *node_change_children(struct arena *a, const struct node *n, node_change *change,
                                        void *context)
{
    struct node *out = NULL;
    for (size_t i = 0; i < node_count(n); i++) {
        bool listed = n->kind == NODE_SEQ;
        const struct node *old = listed ? n->items[i] : n->members[i].value;
        const struct node *child =
            change(context, listed ? (struct str){"", 0} : n->members[i].key, old);
        if (!child)
            return NULL;
        if (child == old)
            continue;
        if (!out)
            out = node_shallow(a, n);
        if (listed)
            out->items[i] = child;
        else
            out->members[i].value = child;
    }
    return out ? out : n;
}

struct node *node_from(struct node *n, const struct node *from)
{
    if (!from)
        return n;
    n->flags |= from->flags;
    if (!n->pos.source) {
        n->pos = from->pos;
        n->origin = from->origin;
    }
    return n;
}

bool node_is(const struct node *n, enum node_kind kind)
{
    return n && n->kind == kind;
}

const struct node *node_get(const struct node *map, struct str key)
{
    const struct member *m = node_member(map, key);
    return m ? m->value : NULL;
}

const struct node *node_get_c(const struct node *map, const char *key)
{
    return node_get(map, str_c(key));
}

const struct node *node_path(const struct node *n, const char *path)
{
    struct str rest = str_c(path), part;
    while (n && str_cut(&rest, '.', &part)) {
        int64_t index;
        if (n->kind == NODE_SEQ)
            n = str_to_int(part, &index) && index >= 0 && (size_t)index < n->count ? n->items[index]
                                                                                   : NULL;
        else
            n = node_get(n, part);
    }
    return n;
}

struct str node_text(const struct node *n)
{
    if (node_is(n, NODE_STRING) || node_is(n, NODE_NUMBER))
        return n->text;
    if (node_is(n, NODE_BOOL))
        return n->boolean ? STR("true") : STR("false");
    return STR("");
}

struct str node_text_or(const struct node *n, struct str fallback)
{
    return node_empty(n) ? fallback : node_text(n);
}

bool node_is_text(const struct node *n, const char *text)
{
    return node_is(n, NODE_STRING) && str_eq(n->text, str_c(text));
}

bool node_bool_or(const struct node *n, bool fallback)
{
    return node_is(n, NODE_BOOL) ? n->boolean : fallback;
}

bool node_to_int(const struct node *n, int64_t *ret)
{
    return node_is(n, NODE_NUMBER) && str_to_int(n->text, ret);
}

int64_t node_int_or(const struct node *n, int64_t fallback)
{
    int64_t v;
    return node_to_int(n, &v) ? v : fallback;
}

bool node_empty(const struct node *n)
{
    return !n || n->kind == NODE_NULL;
}

bool node_truthy(const struct node *n)
{
    if (node_empty(n))
        return false;
    if (n->kind == NODE_BOOL)
        return n->boolean;
    if (n->kind == NODE_NUMBER)
        return !str_eq(n->text, STR("0"));
    return n->kind != NODE_STRING || n->text.n > 0;
}

size_t node_count(const struct node *n)
{
    return node_is(n, NODE_SEQ) ? n->count : node_is(n, NODE_MAP) ? n->size : 0;
}

struct pos node_pos(const struct node *n)
{
    return n ? n->pos : (struct pos){0};
}

unsigned node_flags_deep(const struct node *n)
{
    unsigned flags = n ? n->flags : 0;
    node_each (item, n)
        flags |= node_flags_deep(item);
    member_each (m, n)
        flags |= node_flags_deep(m->value);
    return flags;
}

static bool origin_has_stage(const struct origin *o)
{
    return o && ((o->flags | o->chosen) & NODE_STAGE || o->pattern.n ||
                 (o->value && o->value->flags & NODE_STAGE));
}

/* The variable that brought the stage into a value. Only a value that depends on the stage has one,
 * so others are not searched. */
static const struct origin *stage_cause(const struct origin *o)
{
    if (!origin_has_stage(o))
        return NULL;
    if (o->flags & NODE_STAGE)
        return o;
    const struct origin *cause = NULL;
    for (const struct origin_link *l = o->links; l && !cause; l = l->next)
        cause = stage_cause(l->origin);
    return cause ? cause : stage_cause(o->from);
}

const struct node *node_stage_value(const struct node *n, const struct origin **ret_cause)
{
    const struct node *found = NULL;
    const struct origin *cause = n ? stage_cause(n->origin) : NULL;
    node_each (item, n)
        if (!found)
            found = node_stage_value(item, ret_cause);
    member_each (m, n)
        if (!found)
            found = node_stage_value(m->value, ret_cause);
    if (!found && n && n->flags & NODE_STAGE) {
        found = n;
        *ret_cause = NULL;
    }
    if (found && !*ret_cause)
        *ret_cause = cause; /* the stage chose the file that the whole container is in */
    return found;
}

const char *node_kind_name(const struct node *n)
{
    static const char *const names[] = {
        [NODE_NULL] = "null",       [NODE_BOOL] = "a boolean", [NODE_NUMBER] = "a number",
        [NODE_STRING] = "a string", [NODE_SEQ] = "a list",     [NODE_MAP] = "a map"};
    return n ? names[n->kind] : "nothing";
}
