/* What all parts of a compilation use: small nodes, resources, permissions. */
#include "compile/compile_internal.h"

#include "doc/json.h"

/* ---- nodes ---- */

struct node *node_c(struct arena *a, const char *text)
{
    return node_str(a, str_c(text));
}

struct node *node_list(struct arena *a, size_t n, const struct node *const *items)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < n; i++)
        if (items[i])
            node_push(a, list, items[i]);
    return list;
}

struct node *node_join(struct arena *a, const char *separator, const struct node *parts)
{
    return node_fn(a, "Fn::Join", NODE_LIST(a, node_c(a, separator), parts));
}

struct node *node_sub(struct arena *a, struct str text, const struct node *from)
{
    return node_fn(a, "Fn::Sub", node_from(node_str(a, text), from));
}

void copy_member(struct arena *a, struct node *out, const char *to, const struct node *map,
                 const char *from)
{
    const struct node *value = node_get_c(map, from);
    if (!node_empty(value))
        node_put_c(a, out, to, value);
}

const struct node *node_or(const struct node *x, const struct node *y)
{
    return node_truthy(x) ? x : y;
}

const struct node *node_setting(const struct node *x, const struct node *y, const char *key)
{
    const struct node *own = node_or(node_get_c(x, key), node_get_c(y, key));
    return node_truthy(own) ? own : NULL;
}

/* ---- JavaScript's order of members ---- */

struct ordered {
    int64_t index; /* of an integer-like key; -1 for others */
    bool is_null;
    size_t at;
};

/* Array indices are keys like 0, 17, never 01 or -1. */
static int64_t integer_key(struct str key)
{
    int64_t v;
    if (!str_to_int(key, &v) || v < 0 || v >= UINT32_MAX || key.p[0] == '+' || key.p[0] == '-' ||
        (key.p[0] == '0' && key.n > 1))
        return -1;
    return v;
}

static int by_javascript(const void *px, const void *py)
{
    const struct ordered *x = px, *y = py;
    if ((x->index >= 0) != (y->index >= 0))
        return x->index >= 0 ? -1 : 1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    if (x->is_null != y->is_null)
        return x->is_null ? 1 : -1;
    return x->at < y->at ? -1 : 1;
}

struct node *node_javascript_order(struct arena *a, const struct node *map)
{
    struct node *out = node_map(a);
    if (!map->size)
        return node_from(out, map);
    struct ordered *order = ARENA_ARRAY(a, map->size, struct ordered);
    for (size_t i = 0; i < map->size; i++)
        order[i] = (struct ordered){integer_key(map->members[i].key),
                                    node_empty(map->members[i].value), i};
    qsort(order, map->size, sizeof *order, by_javascript);
    for (size_t i = 0; i < map->size; i++) {
        const struct member *m = &map->members[order[i].at];
        node_put_at(a, out, m->key, m->key_pos, m->value);
    }
    return node_from(out, map);
}

const struct node *node_entries(struct arena *a, const struct node *n)
{
    struct node *out = node_map(a);
    if (node_is(n, NODE_MAP))
        return n;
    if (node_is(n, NODE_SEQ))
        for (size_t i = 0; i < n->count; i++)
            node_put(a, out, str_fmt(a, "%zu", i), n->items[i]);
    if (node_is(n, NODE_STRING))
        for (size_t i = 0, at = 0, end; at < n->text.n; i++, at = end) {
            for (end = at + 1; end < n->text.n && ((unsigned char)n->text.p[end] & 0xC0) == 0x80;)
                end++;
            struct node *letter = node_str(a, str_sub(n->text, at, end - at));
            node_put(a, out, str_fmt(a, "%zu", i), node_from(letter, n));
        }
    return node_from(out, n);
}

static const struct node *ordered_deep(struct arena *a, const struct node *n)
{
    if (n->kind == NODE_SEQ) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, ordered_deep(a, item));
        return node_from(out, n);
    }
    if (n->kind != NODE_MAP)
        return n;
    struct node *ordered = node_javascript_order(a, n), *out = node_map(a);
    member_each (m, ordered)
        node_put_at(a, out, m->key, m->key_pos, ordered_deep(a, m->value));
    return node_from(out, n);
}

struct node *node_stringified(struct arena *a, const struct node *n)
{
    struct node *text = node_from(node_str(a, json_text(a, ordered_deep(a, n), 0)), n);
    text->flags |= (uint8_t)node_flags_deep(n);
    return text;
}

const struct node *node_one_line(struct arena *a, const struct node *n)
{
    struct str s = str_replace(a, node_text(n), STR("\r\n"), STR("\n"));
    return node_from(node_str(a, str_replace(a, s, STR("\n"), STR(""))), n);
}

const struct node *node_templated(struct arena *a, const struct node *n, bool escape_quotes)
{
    if (!node_is(n, NODE_STRING) || str_find_char(n->text, '\\', 0) < 0)
        return n;
    struct str body = escape_quotes ? str_replace(a, n->text, STR("\""), STR("\\\"")) : n->text;
    struct err ignored = {0};
    const struct node *parsed =
        json_parse(a, STR("text"), str_fmt(a, "\"%.*s\"", STR_ARG(body)), &ignored);
    err_clear(&ignored);
    if (!parsed)
        return n;
    struct node *out = node_str(a, parsed->text);
    return node_from(out, n);
}

void add_unique(struct arena *a, struct node *seq, const struct node *item)
{
    node_each (old, seq)
        if (node_equal(old, item))
            return;
    node_push(a, seq, item);
}

struct node *key_value_list(struct arena *a, const struct node *map)
{
    struct node *list = node_seq(a);
    const struct node *ordered = node_javascript_order(a, node_entries(a, map));
    member_each (m, ordered) {
        struct node *pair = node_map(a);
        node_put_c(a, pair, "Key", node_str(a, m->key));
        node_put_c(a, pair, "Value", m->value);
        pair->pos = m->key_pos;
        node_push(a, list, pair);
    }
    return list;
}

/* ---- resources ---- */

struct node *resource_new(struct arena *a, const char *type, const struct node *properties)
{
    struct node *r = node_map(a);
    node_put_c(a, r, "Type", node_c(a, type));
    node_put_c(a, r, "Properties", properties);
    return r;
}

int resource_add(struct compilation *c, struct str id, struct node *resource, struct pos from,
                 struct err *err)
{
    const struct member *old = node_member(c->resources, id);
    if (old) {
        err_at(err, from, ERR_CONFIG, "logical id '%.*s' is made twice", STR_ARG(id));
        return err_note(err, old->value->pos, "made here before");
    }
    if (from.source)
        resource->pos = from;
    node_put_at(c->arena, c->resources, id, from, resource);
    return 0;
}

void resource_set(struct compilation *c, struct str id, struct node *resource, struct pos from)
{
    resource->pos = from;
    node_put_at(c->arena, c->resources, id, from, resource);
}

int resource_share(struct compilation *c, struct str id, struct node *resource, struct pos from,
                   struct err *err)
{
    const struct node *old = node_get(c->resources, id);
    return old && node_equal(old, resource) ? 0 : resource_add(c, id, resource, from, err);
}

struct node *permission_new(struct arena *a, const struct node *target,
                            const struct node *principal, const struct node *source_arn)
{
    struct node *p = node_map(a);
    node_put_c(a, p, "FunctionName", target);
    node_put_c(a, p, "Action", node_c(a, "lambda:InvokeFunction"));
    node_put_c(a, p, "Principal", principal);
    node_put_c(a, p, "SourceArn", source_arn);
    return resource_new(a, "AWS::Lambda::Permission", p);
}

/* ---- the function role ---- */

struct node *statement_new(struct arena *a, const struct node *actions,
                           const struct node *resources)
{
    struct node *s = node_map(a);
    node_put_c(a, s, "Effect", node_c(a, "Allow"));
    node_put_c(a, s, "Action", actions);
    node_put_c(a, s, "Resource", resources);
    return s;
}

void role_allow(struct compilation *c, struct node *statement, bool unique)
{
    if (unique)
        add_unique(c->arena, c->role_statements, statement);
    else
        node_push(c->arena, c->role_statements, statement);
}
