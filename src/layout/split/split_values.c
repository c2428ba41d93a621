/* Values that one part of a template takes from another: finding and turning them. */
#include "base/buf.h"
#include "layout/split/split_internal.h"

struct str split_value_key(struct arena *a, const struct split_value *v)
{
    return str_fmt(a, "%.*s%s%.*s", STR_ARG(v->id), v->as_text ? "!" : ".", STR_ARG(v->attribute));
}

const struct node *split_value_node(struct arena *a, const struct split_value *v)
{
    if (!v->attribute.n)
        return node_ref(a, v->id);
    if (v->as_text)
        return node_fn(a, "Fn::GetAtt",
                       node_strf(a, "%.*s.%.*s", STR_ARG(v->id), STR_ARG(v->attribute)));
    return node_get_att(a, v->id, str_z(a, v->attribute));
}

bool split_value_of(const struct node *n, struct split_value *ret)
{
    if (!node_is(n, NODE_MAP) || n->size != 1)
        return false;
    struct str key = n->members[0].key;
    const struct node *value = n->members[0].value;
    *ret = (struct split_value){0};
    if (str_eq(key, STR("Ref")) && node_is(value, NODE_STRING)) {
        ret->id = value->text;
        return true;
    }
    if (!str_eq(key, STR("Fn::GetAtt")))
        return false;
    if (node_is(value, NODE_STRING)) {
        references_split_name(value->text, &ret->id, &ret->attribute);
        ret->as_text = true;
        return ret->attribute.n > 0;
    }
    if (!node_is(value, NODE_SEQ) || value->count != 2 || !node_is(value->items[0], NODE_STRING) ||
        !node_is(value->items[1], NODE_STRING))
        return false;
    ret->id = value->items[0]->text;
    ret->attribute = value->items[1]->text;
    return ret->attribute.n > 0;
}

static const struct node *sub_of(const struct node *n)
{
    return node_is(n, NODE_MAP) && n->size == 1 ? node_get_c(n, "Fn::Sub") : NULL;
}

static void sub_parts(const struct node *sub, struct str *text, const struct node **locals)
{
    bool pair = node_is(sub, NODE_SEQ);
    *text = node_text(pair && sub->count ? sub->items[0] : sub);
    *locals = pair && sub->count > 1 ? sub->items[1] : NULL;
}

void split_each(const struct node *n, split_visit *visit, void *context)
{
    struct split_value v;
    const struct node *sub = sub_of(n), *locals;
    if (split_value_of(n, &v)) {
        visit(context, &v);
        return;
    }
    if (sub) {
        struct str text, before, name;
        sub_parts(sub, &text, &locals);
        for (size_t at = 0; references_next_sub(text, &at, &before, &name);) {
            v = (struct split_value){0};
            references_split_name(name, &v.id, &v.attribute);
            if (!node_get(locals, name))
                visit(context, &v);
        }
    }
    node_each (item, n)
        split_each(item, visit, context);
    member_each (m, n)
        split_each(m->value, visit, context);
}

static void note_need(void *context, const struct split_value *v)
{
    map_put(context, v->id, context);
}

void split_needs(const struct node *n, struct map *ret)
{
    split_each(n, note_need, ret);
}

static const struct node *turn_text(struct arena *a, const struct node *n,
                                    const struct node *locals, split_turn *turn, void *context)
{
    struct buf b = BUF(a);
    struct str text = node_text(n), before, name;
    bool changed = false;
    size_t at = 0;
    while (references_next_sub(text, &at, &before, &name)) {
        struct split_value v = {0}, with;
        references_split_name(name, &v.id, &v.attribute);
        bool turned = !node_get(locals, name) && turn(context, &v, &with);
        buf_add(&b, before);
        if (turned)
            buf_fmt(&b, "${%.*s%s%.*s}", STR_ARG(with.id), with.attribute.n ? "." : "",
                    STR_ARG(with.attribute));
        else
            buf_fmt(&b, "${%.*s}", STR_ARG(name));
        changed |= turned;
    }
    buf_add(&b, before);
    return changed ? node_from(node_str(a, buf_str(&b)), n) : n;
}

static const struct node *turn_sub(struct arena *a, const struct node *n, const struct node *sub,
                                   split_turn *turn, void *context)
{
    const struct node *with;
    if (node_is(sub, NODE_STRING)) {
        with = turn_text(a, sub, NULL, turn, context);
    } else if (node_is(sub, NODE_SEQ) && sub->count == 2) {
        struct node *pair = node_seq(a);
        node_push(a, pair, turn_text(a, sub->items[0], sub->items[1], turn, context));
        node_push(a, pair, split_rewrite(a, sub->items[1], turn, context));
        bool same = pair->items[0] == sub->items[0] && pair->items[1] == sub->items[1];
        with = same ? sub : node_from(pair, sub);
    } else {
        with = split_rewrite(a, sub, turn, context);
    }
    return with == sub ? n : node_from(node_fn(a, "Fn::Sub", with), n);
}

struct rewriting {
    struct arena *arena;
    split_turn *turn;
    void *context;
};

static const struct node *rewrite_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    const struct rewriting *r = context;
    return split_rewrite(r->arena, child, r->turn, r->context);
}

const struct node *split_rewrite(struct arena *a, const struct node *n, split_turn *turn,
                                 void *context)
{
    struct split_value v, with;
    const struct node *sub = sub_of(n);
    if (split_value_of(n, &v))
        return turn(context, &v, &with) ? node_from((struct node *)split_value_node(a, &with), n)
                                        : n;
    if (sub)
        return turn_sub(a, n, sub, turn, context);
    return node_change_children(a, n, rewrite_child, &(struct rewriting){a, turn, context});
}

static void add_condition(const struct node *conditions, struct str name, struct map *ret)
{
    const struct node *condition = node_get(conditions, name);
    if (!condition || map_has(ret, name))
        return;
    map_put(ret, name, (void *)condition);
    split_conditions(conditions, condition, ret);
}

void split_conditions(const struct node *conditions, const struct node *n, struct map *ret)
{
    const struct node *branches = node_get_c(n, "Fn::If"), *named = node_get_c(n, "Condition");
    if (!conditions)
        return;
    if (node_is(branches, NODE_SEQ) && branches->count)
        add_condition(conditions, node_text(branches->items[0]), ret);
    if (node_is(named, NODE_STRING))
        add_condition(conditions, named->text, ret);
    node_each (item, n)
        split_conditions(conditions, item, ret);
    member_each (m, n)
        split_conditions(conditions, m->value, ret);
}
