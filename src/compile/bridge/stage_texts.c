/* What of a packaged service depends on the stage: found by comparing it with the same service,
 * packaged for another stage, value by value. */
#include "compile/bridge/bridge_internal.h"

#include <ctype.h>

#include "base/buf.h"
struct walk {
    struct arena *arena;
    const struct stage_texts *of;
    bool in_secret; /* a mark is open */
};

struct path {
    const struct path *up;
    struct str key;
};

/* ---- texts ---- */

/* Add `text`, in which nothing but hidden secrets shall be a variable: `${` that would begin one
 * gets a backslash, and so do backslashes before any. */
static void add_literal(struct walk *w, struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t slashes = 0;
        if (text.p[i] == SECRET_MARK) {
            buf_add(b, w->in_secret ? STR("}") : STR("${"));
            w->in_secret = !w->in_secret;
            continue;
        }
        while (i + slashes < text.n && text.p[i + slashes] == '\\')
            slashes++;
        bool opens = str_starts(str_sub(text, i + slashes, text.n), STR("${"));
        bool variable =
            opens && i + slashes + 2 < text.n && islower((unsigned char)text.p[i + slashes + 2]);
        for (size_t k = 0; k < slashes * (opens ? 2 : 1); k++)
            buf_char(b, '\\');
        i += slashes;
        if (variable)
            buf_char(b, '\\');
        if (i < text.n)
            buf_char(b, text.p[i]);
    }
}

static const struct node *literal(struct walk *w, const struct node *n)
{
    struct buf b = BUF(w->arena);
    if (!node_is(n, NODE_STRING) ||
        (str_find(n->text, STR("${"), 0) < 0 && str_find_char(n->text, SECRET_MARK, 0) < 0))
        return n;
    add_literal(w, &b, n->text);
    return node_str(w->arena, buf_str(&b));
}

static const struct node *literal_child(void *context, struct str key, const struct node *child)
{
    struct walk *w = context;
    (void)key;
    return child->kind == NODE_STRING ? literal(w, child)
                                      : node_change_children(w->arena, child, literal_child, w);
}

/* Everything in `n` as it stands. */
static const struct node *literals(struct walk *w, const struct node *n)
{
    return literal_child(w, STR(""), n);
}

/* `text` with the stage's name as a variable where `of_other` has that of the other stage; NULL:
 * they differ otherwise. The two names begin and end with other characters. */
static const struct node *by_both(struct walk *w, struct str text, struct str of_other)
{
    struct str stage = w->of->stage, other = w->of->other;
    struct buf b = BUF(w->arena);
    size_t i = 0, k = 0, done = 0;
    while (i < text.n || k < of_other.n) {
        if (i < text.n && k < of_other.n && text.p[i] == of_other.p[k]) {
            i++;
            k++;
            continue;
        }
        if (!str_starts(str_sub(text, i, text.n), stage) ||
            !str_starts(str_sub(of_other, k, of_other.n), other))
            return w->in_secret = false, NULL;
        add_literal(w, &b, str_sub(text, done, i - done));
        buf_lit(&b, "${sls:stage}");
        i += stage.n;
        k += other.n;
        done = i;
    }
    add_literal(w, &b, str_sub(text, done, text.n));
    return node_str(w->arena, buf_str(&b));
}

static bool is_inside(struct str text, struct str word, size_t at)
{
    return word.n && str_starts(str_sub(text, at, text.n), word);
}

/* The same by the stage's name alone: where no letter or digit is beside it. In the name of the
 * service it is part of that. */
static const struct node *by_name(struct walk *w, const struct node *n)
{
    struct str text = n->text, stage = w->of->stage, service = w->of->service;
    struct buf b = BUF(w->arena);
    size_t done = 0;
    bool in_service = str_find(service, stage, 0) >= 0;
    for (size_t i = 0; i + stage.n <= text.n;) {
        if (in_service && is_inside(text, service, i)) {
            i += service.n;
            continue;
        }
        bool free_before = !i || !isalnum((unsigned char)text.p[i - 1]);
        size_t end = i + stage.n;
        if (!free_before || !is_inside(text, stage, i) ||
            (end < text.n && isalnum((unsigned char)text.p[end]))) {
            i++;
            continue;
        }
        add_literal(w, &b, str_sub(text, done, i - done));
        buf_lit(&b, "${sls:stage}");
        i = done = end;
    }
    if (!done)
        return literal(w, n);
    add_literal(w, &b, str_sub(text, done, text.n));
    return node_str(w->arena, buf_str(&b));
}

/* ---- values ---- */

static void add_path(struct buf *b, const struct path *p)
{
    if (!p)
        return;
    add_path(b, p->up);
    if (b->n)
        buf_char(b, '.');
    for (size_t i = 0; i < p->key.n; i++) {
        unsigned char ch = (unsigned char)p->key.p[i];
        if (isalnum(ch) || ch == '-')
            buf_char(b, (char)ch);
        else
            buf_fmt(b, "_%02x", ch);
    }
}

/* A value that is the stage's own in another way. */
static const struct node *opaque(struct walk *w, const struct path *path, const struct node *n)
{
    struct buf name = BUF(w->arena);
    add_path(&name, path);
    node_put(
        w->arena, w->of->opaque,
        str_fmt(w->arena, "bridged(%.*s):%.*s", STR_ARG(w->of->stage), STR_ARG(buf_str(&name))),
        literals(w, n));
    return node_strf(w->arena, "${bridged:%.*s}", STR_ARG(buf_str(&name)));
}

static const struct node *find(struct walk *w, const struct path *path, const struct node *n,
                               const struct node *of_other);

static const struct node *find_in_map(struct walk *w, const struct path *path, const struct node *n,
                                      const struct node *of_other)
{
    struct node *out = node_map(w->arena);
    member_each (m, n) {
        struct path below = {path, m->key};
        const struct node *other = node_get(of_other, m->key);
        node_put(w->arena, out, m->key,
                 other ? find(w, &below, m->value, other) : opaque(w, &below, m->value));
    }
    return out;
}

static const struct node *find_in_list(struct walk *w, const struct path *path,
                                       const struct node *n, const struct node *of_other)
{
    struct node *out = node_seq(w->arena);
    for (size_t i = 0; i < n->count; i++) {
        struct path below = {path, str_fmt(w->arena, "%zu", i)};
        node_push(w->arena, out, find(w, &below, n->items[i], of_other->items[i]));
    }
    return out;
}

static const struct node *find(struct walk *w, const struct path *path, const struct node *n,
                               const struct node *of_other)
{
    const struct node *text = NULL;
    if (node_equal(n, of_other))
        return literals(w, n);
    if (n->kind == NODE_STRING && str_find_char(n->text, SECRET_MARK, 0) >= 0)
        return by_name(w, n); /* the other stage has another secret, or none */
    if (n->kind != of_other->kind)
        return opaque(w, path, n);
    if (n->kind == NODE_MAP)
        return find_in_map(w, path, n, of_other);
    if (n->kind == NODE_SEQ && n->count == of_other->count)
        return find_in_list(w, path, n, of_other);
    if (n->kind == NODE_STRING)
        text = by_both(w, n->text, of_other->text);
    return text ? text : opaque(w, path, n);
}

/* What says of stages by their names what it says, and the name of the service, stay. */
static bool is_of_all_stages(const struct path *path)
{
    return (!path->up && str_eq(path->key, STR("service"))) ||
           (path->up && !path->up->up && str_eq(path->up->key, STR("custom")) &&
            str_eq(path->key, STR("troupe")));
}

static const struct node *find_by_name(struct walk *w, const struct path *path,
                                       const struct node *n)
{
    if (path && is_of_all_stages(path))
        return literals(w, n);
    if (n->kind == NODE_STRING)
        return by_name(w, n);
    if (n->kind == NODE_MAP) {
        struct node *out = node_map(w->arena);
        member_each (m, n) {
            struct path below = {path, m->key};
            node_put(w->arena, out, m->key, find_by_name(w, &below, m->value));
        }
        return out;
    }
    if (n->kind != NODE_SEQ)
        return n;
    struct node *out = node_seq(w->arena);
    node_each (item, n) {
        struct path below = {path, STR("")};
        node_push(w->arena, out, find_by_name(w, &below, item));
    }
    return out;
}

const struct node *stage_texts_find(struct arena *a, const struct stage_texts *s)
{
    struct walk w = {.arena = a, .of = s};
    return s->of_other ? find(&w, NULL, s->file, s->of_other) : find_by_name(&w, NULL, s->file);
}
