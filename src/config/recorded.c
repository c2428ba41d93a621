/* Source bundles: what took part in a service is recorded in the resolver, and what a bundle has
 * recorded is looked up. Variables are named by their resolved text, so that a value is used again
 * for whatever stage asks for the same one. */
#include "config/variables.h"

#include "doc/yaml.h"

/* ---- recording ---- */

struct str query_params(struct arena *a, const struct query *q)
{
    struct buf b = BUF(a);
    buf_lit(&b, "");
    for (size_t i = 0; i < q->param_count; i++) {
        if (i)
            buf_char(&b, ',');
        buf_add(&b, node_text(q->params[i]));
    }
    return b.p ? buf_str(&b) : (struct str){"", 0};
}

struct str recorded_text(struct resolver *r, const struct query *q)
{
    struct str params = query_params(r->arena, q);
    return params.n ? str_fmt(r->arena, "%.*s(%.*s):%.*s", STR_ARG(q->type), STR_ARG(params),
                              STR_ARG(q->address))
                    : str_fmt(r->arena, "%.*s:%.*s", STR_ARG(q->type), STR_ARG(q->address));
}

void record_value(struct resolver *r, const struct query *q, struct str text,
                  const struct node *value)
{
    struct arena *a = r->arena;
    if (q->secret)
        return;
    if (node_empty(value)) {
        r->absent = r->absent ? r->absent : node_map(a);
        node_put(a, r->absent, text, node_null(a));
        return;
    }
    bool secret = node_flags_deep(value) & NODE_SECRET;
    node_put(a, r->externals, text, secret ? node_null(a) : value);
}

void record_given(struct resolver *r, const struct query *q, struct node **map, struct str value)
{
    if (q->secret)
        return;
    *map = *map ? *map : node_map(r->arena);
    node_put(r->arena, *map, q->address, node_str(r->arena, value));
}

void record_file(struct resolver *r, struct str path, struct str text)
{
    vec_each (&r->sources, file)
        if (str_eq(file->path, path))
            return;
    vec_push(r->arena, &r->sources, (struct source_file){path, text});
}

/* ---- looking up ---- */

/* A value without the place and the flags it has in the record: neither is what the user wrote. */
static const struct node *bare(struct arena *a, const struct node *n)
{
    struct node *copy;
    if (n->kind == NODE_SEQ)
        copy = node_seq(a);
    else if (n->kind == NODE_MAP)
        copy = node_map(a);
    else
        copy = node_shallow(a, n);
    copy->flags = 0;
    copy->pos = (struct pos){0};
    copy->origin = NULL;
    node_each (item, n)
        node_push(a, copy, bare(a, item));
    member_each (m, n)
        node_put(a, copy, m->key, bare(a, m->value));
    return copy;
}

bool recorded_absent(const struct source_bundle *b, struct str text)
{
    node_each (absent, b->absent)
        if (str_eq(node_text(absent), text))
            return true;
    return false;
}

enum recorded recorded_value(struct resolver *r, const struct query *q, struct str text,
                             const struct node **ret)
{
    const struct source_bundle *b = r->options->bundle;
    if (!b || q->secret)
        return RECORDED_NOT;
    const struct node *value = node_get(b->externals, text);
    if (!node_empty(value)) {
        *ret = bare(r->arena, value);
        return RECORDED_VALUE;
    }
    return recorded_absent(b, text) ? RECORDED_ABSENT : RECORDED_NOT;
}

const struct node *bundle_file(const struct source_bundle *b, struct str path)
{
    return node_get(b->files, path);
}

/* ---- checking ---- */

static int damaged(struct err *err, const char *part, const char *must, const struct node *n)
{
    return err_set(err, ERR_FAILED, "the recorded source is damaged: '%s' must be %s, not %s", part,
                   must, n ? node_kind_name(n) : "missing");
}

/* NULL is fine. */
static int check_texts(const char *part, const struct node *n, enum node_kind kind, struct err *err)
{
    if (!n)
        return 0;
    if (n->kind != kind)
        return damaged(err, part, kind == NODE_MAP ? "a map" : "a list", n);
    node_each (item, n)
        if (item->kind != NODE_STRING)
            return damaged(err, part, "a list of strings", item);
    member_each (m, n)
        if (m->value->kind != NODE_STRING)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: '%.*s' of '%s' must be a string, not "
                           "%s",
                           STR_ARG(m->key), part, node_kind_name(m->value));
    return 0;
}

static int check_externals(const struct node *externals, struct err *err)
{
    if (!externals)
        return 0;
    if (externals->kind != NODE_MAP)
        return damaged(err, "externals", "a map", externals);
    member_each (m, externals)
        if (str_starts(m->key, STR("env:")) && m->value->kind != NODE_STRING &&
            m->value->kind != NODE_NULL)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: '%.*s' must be a string, not %s",
                           STR_ARG(m->key), node_kind_name(m->value));
    return 0;
}

int bundle_check(const struct source_bundle *b, struct err *err)
{
    if (!b->files)
        return damaged(err, "files", "a map", NULL);
    if (check_texts("files", b->files, NODE_MAP, err) < 0 ||
        check_externals(b->externals, err) < 0 ||
        check_texts("absent", b->absent, NODE_SEQ, err) < 0 ||
        check_texts("params", b->params, NODE_MAP, err) < 0 ||
        check_texts("options", b->options, NODE_MAP, err) < 0)
        return -1;
    member_each (m, b->files)
        if (m->value->text.n > DOC_BYTES_MAX)
            return err_set(err, ERR_FAILED,
                           "the recorded source is damaged: file '%.*s' is too large",
                           STR_ARG(m->key));
    if (!b->main.n)
        return err_set(err, ERR_FAILED,
                       "the recorded source is damaged: it does not say which file the service is");
    if (!bundle_file(b, b->main))
        return err_set(err, ERR_FAILED,
                       "the recorded source is damaged: service file '%.*s' is not in it",
                       STR_ARG(b->main));
    return 0;
}
