/* References of a template that is deployed, turned into something else: each one is shown to a
 * callback, wherever it stands. */
#include "layout/layout_internal.h"

#include "base/buf.h"

struct replacing {
    struct arena *arena;
    layout_substitute *substitute;
    void *context;
};

static const struct node *replace(struct replacing *r, const struct node *n);

static struct str in_sub(struct replacing *r, struct str text, const struct node *locals)
{
    struct buf b = BUF(r->arena);
    struct str before, name;
    size_t at = 0;
    while (references_next_sub(text, &at, &before, &name)) {
        struct str id, attribute;
        references_split_name(name, &id, &attribute);
        const struct node *with =
            node_get(locals, name) ? NULL : r->substitute(r->context, r->arena, id, attribute);
        const struct node *ref = node_get_c(with, "Ref");
        buf_add(&b, before);
        if (ref)
            buf_fmt(&b, "${%.*s}", STR_ARG(node_text(ref)));
        else if (with) /* ${!x} is literal text to Fn::Sub */
            buf_add(&b, str_replace(r->arena, node_text(with), STR("${"), STR("${!")));
        else
            buf_fmt(&b, "${%.*s}", STR_ARG(name));
    }
    buf_add(&b, before);
    return buf_str(&b);
}

static const struct node *replace_sub(struct replacing *r, const struct node *value)
{
    struct arena *a = r->arena;
    if (node_is(value, NODE_STRING))
        return node_fn(a, "Fn::Sub", node_str(a, in_sub(r, value->text, NULL)));
    if (!node_is(value, NODE_SEQ) || value->count != 2)
        return node_fn(a, "Fn::Sub", value);
    struct node *args = node_seq(a);
    node_push(a, args, node_str(a, in_sub(r, node_text(value->items[0]), value->items[1])));
    node_push(a, args, replace(r, value->items[1]));
    return node_fn(a, "Fn::Sub", args);
}

/* "Foo.Arn" or ["Foo", "Arn"] */
static bool get_att(const struct node *value, struct str *id, struct str *attribute)
{
    if (node_is(value, NODE_STRING))
        references_split_name(value->text, id, attribute);
    else if (node_is(value, NODE_SEQ) && value->count == 2)
        *id = node_text(value->items[0]), *attribute = node_text(value->items[1]);
    else
        return false;
    return attribute->n > 0;
}

static const struct node *replace_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    return replace(context, child);
}

static const struct node *replace_children(struct replacing *r, const struct node *n)
{
    return node_change_children(r->arena, n, replace_child, r);
}

static const struct node *replace(struct replacing *r, const struct node *n)
{
    if (!node_is(n, NODE_MAP) || n->size != 1)
        return replace_children(r, n);
    struct str id, attribute = {"", 0};
    const struct node *ref = node_get_c(n, "Ref"), *att = node_get_c(n, "Fn::GetAtt");
    const struct node *with = NULL;
    if (node_get_c(n, "Fn::Sub"))
        return replace_sub(r, node_get_c(n, "Fn::Sub"));
    if (node_is(ref, NODE_STRING))
        with = r->substitute(r->context, r->arena, ref->text, attribute);
    else if (att && get_att(att, &id, &attribute))
        with = r->substitute(r->context, r->arena, id, attribute);
    else
        return replace_children(r, n);
    return with ? with : n;
}

const struct node *layout_replace_references(struct arena *a, const struct node *tree,
                                             layout_substitute *substitute, void *context)
{
    struct replacing r = {a, substitute, context};
    return replace(&r, tree);
}

struct mention {
    struct str id;
    bool found;
};

static const struct node *note_mention(void *context, struct arena *a, struct str id,
                                       struct str attribute)
{
    struct mention *m = context;
    (void)a, (void)attribute;
    m->found |= str_eq(id, m->id);
    return NULL;
}

bool layout_mentions(struct arena *a, const struct node *tree, struct str id)
{
    struct mention m = {.id = id};
    layout_replace_references(a, tree, note_mention, &m);
    return m.found;
}
