/* Comparing and merging nodes. */
#include "doc/node.h"

#include "base/buf.h"
#include "base/vec.h"

static bool map_equal(const struct node *x, const struct node *y)
{
    if (x->size != y->size)
        return false;
    member_each (m, x) {
        const struct node *other = node_get(y, m->key);
        if (!other || !node_equal(m->value, other))
            return false;
    }
    return true;
}

static bool seq_equal(const struct node *x, const struct node *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (!node_equal(x->items[i], y->items[i]))
            return false;
    return true;
}

bool node_equal(const struct node *x, const struct node *y)
{
    if (x == y)
        return true;
    if (!x || !y || x->kind != y->kind)
        return false;
    switch ((enum node_kind)x->kind) {
    case NODE_NULL:
        return true;
    case NODE_BOOL:
        return x->boolean == y->boolean;
    case NODE_NUMBER:
    case NODE_STRING:
        return str_eq(x->text, y->text);
    case NODE_SEQ:
        return seq_equal(x, y);
    case NODE_MAP:
        return map_equal(x, y);
    }
    return false;
}

static const struct node *merge_maps(struct arena *a, const struct node *base,
                                     const struct node *over)
{
    struct node *out = node_shallow(a, base);
    out->flags |= over->flags;
    member_each (m, over) {
        const struct member *old = node_member(base, m->key);
        node_put_at(a, out, m->key, m->key_pos, node_merge(a, old ? old->value : NULL, m->value));
    }
    return out;
}

static const struct node *merge_seqs(struct arena *a, const struct node *base,
                                     const struct node *over)
{
    struct node *out = node_seq(a);
    out->pos = over->pos;
    out->flags = base->flags | over->flags;
    size_t n = base->count > over->count ? base->count : over->count;
    for (size_t i = 0; i < n; i++)
        node_push(a, out,
                  i >= over->count
                      ? base->items[i]
                      : node_merge(a, i < base->count ? base->items[i] : NULL, over->items[i]));
    return out;
}

const struct node *node_merge(struct arena *a, const struct node *base, const struct node *over)
{
    if (!over || base == over)
        return base;
    if (node_is(base, NODE_MAP) && node_is(over, NODE_MAP))
        return merge_maps(a, base, over);
    if (node_is(base, NODE_SEQ) && node_is(over, NODE_SEQ))
        return merge_seqs(a, base, over);
    return over;
}

struct diff {
    struct arena *arena;
    VEC(struct node_change) changes;
};

static void diff_at(struct diff *d, struct str path, const struct node *before,
                    const struct node *after);

static struct str path_of(struct diff *d, struct str path, struct str key)
{
    return path.n ? str_fmt(d->arena, "%.*s.%.*s", STR_ARG(path), STR_ARG(key)) : key;
}

static void diff_maps(struct diff *d, struct str path, const struct node *before,
                      const struct node *after)
{
    member_each (m, after)
        diff_at(d, path_of(d, path, m->key), node_get(before, m->key), m->value);
    member_each (m, before)
        if (!node_member(after, m->key))
            diff_at(d, path_of(d, path, m->key), m->value, NULL);
}

static void diff_seqs(struct diff *d, struct str path, const struct node *before,
                      const struct node *after)
{
    size_t n = before->count > after->count ? before->count : after->count;
    for (size_t i = 0; i < n; i++)
        diff_at(d, path_of(d, path, str_fmt(d->arena, "%zu", i)),
                i < before->count ? before->items[i] : NULL,
                i < after->count ? after->items[i] : NULL);
}

static void diff_at(struct diff *d, struct str path, const struct node *before,
                    const struct node *after)
{
    if (before == after)
        return;
    if (node_is(before, NODE_MAP) && node_is(after, NODE_MAP))
        diff_maps(d, path, before, after);
    else if (node_is(before, NODE_SEQ) && node_is(after, NODE_SEQ))
        diff_seqs(d, path, before, after);
    else if (!node_equal(before, after))
        vec_push(d->arena, &d->changes, (struct node_change){path, before, after});
}

void node_diff(struct arena *a, const struct node *before, const struct node *after,
               struct node_change **ret, size_t *ret_n)
{
    struct diff d = {.arena = a};
    diff_at(&d, STR(""), before, after);
    *ret = d.changes.p;
    *ret_n = d.changes.n;
}
