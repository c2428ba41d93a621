/* Expressions: the one place that takes Ref, Fn::GetAtt and Fn::Sub apart. */
#include "cfn/expression.h"

#include "base/buf.h"

bool cfn_is_function(const struct node *n)
{
    if (!node_is(n, NODE_MAP) || n->size != 1)
        return false;
    struct str key = n->members[0].key;
    return str_starts(key, STR("Fn::")) || str_eq(key, STR("Ref"));
}

bool cfn_has_function(const struct node *n)
{
    if (cfn_is_function(n))
        return true;
    node_each (item, n)
        if (cfn_has_function(item))
            return true;
    member_each (m, n)
        if (cfn_has_function(m->value))
            return true;
    return false;
}

bool cfn_is_no_value(const struct node *n)
{
    return cfn_is_function(n) && node_is_text(node_get_c(n, "Ref"), "AWS::NoValue");
}

/* ---- values ---- */

/* "Id.Attribute", or "Id". */
static void split_name(struct str name, struct cfn_value *ret)
{
    ptrdiff_t dot = str_find_char(name, '.', 0);
    ret->id = dot < 0 ? name : str_sub(name, 0, (size_t)dot);
    ret->attribute = dot < 0 ? (struct str){"", 0} : str_sub(name, (size_t)dot + 1, name.n);
}

bool cfn_value_of(const struct node *n, struct cfn_value *ret)
{
    if (!cfn_is_function(n))
        return false;
    const struct node *ref = node_get_c(n, "Ref"), *att = node_get_c(n, "Fn::GetAtt");
    *ret = (struct cfn_value){.attribute = {"", 0}, .at = n, .text = ref};
    if (node_is(ref, NODE_STRING)) {
        ret->id = ref->text;
        return true;
    }
    if (node_is(att, NODE_STRING)) {
        split_name(att->text, ret);
        ret->form = CFN_AS_TEXT;
        ret->text = att;
        return ret->attribute.n > 0;
    }
    if (!node_is(att, NODE_SEQ) || att->count != 2 || !node_is(att->items[0], NODE_STRING))
        return false;
    ret->text = att->items[0];
    ret->id = ret->text->text;
    ret->computed = node_is(att->items[1], NODE_STRING) ? NULL : att->items[1];
    ret->attribute = ret->computed ? STR("?") : att->items[1]->text;
    return ret->attribute.n > 0;
}

bool cfn_is_value(const struct node *n, struct cfn_value *ret)
{
    struct cfn_sub s;
    if (cfn_value_of(n, ret))
        return true;
    if (!cfn_sub_of(n, &s) || !cfn_sub_next(&s) || s.before.n || s.at != s.text->text.n || s.local)
        return false;
    *ret = s.value;
    return true;
}

struct node *cfn_value_node(struct arena *a, const struct cfn_value *v)
{
    if (!v->attribute.n)
        return node_ref(a, v->id);
    if (v->form == CFN_AS_TEXT)
        return node_fn(a, "Fn::GetAtt",
                       node_strf(a, "%.*s.%.*s", STR_ARG(v->id), STR_ARG(v->attribute)));
    if (!v->computed)
        return node_get_att(a, v->id, str_z(a, v->attribute));
    struct node *pair = node_seq(a);
    node_push(a, pair, node_str(a, v->id));
    node_push(a, pair, v->computed);
    return node_fn(a, "Fn::GetAtt", pair);
}

/* ---- Fn::Sub ---- */

bool cfn_sub_of(const struct node *n, struct cfn_sub *ret)
{
    const struct node *argument = cfn_is_function(n) ? node_get_c(n, "Fn::Sub") : NULL;
    bool pair = node_is(argument, NODE_SEQ) && argument->count == 2;
    *ret = (struct cfn_sub){.text = pair ? argument->items[0] : argument,
                            .locals = pair ? argument->items[1] : NULL,
                            .value = {.form = CFN_IN_SUB, .at = n}};
    ret->value.text = ret->text;
    return node_is(ret->text, NODE_STRING);
}

bool cfn_sub_next(struct cfn_sub *s)
{
    struct str text = s->text->text;
    size_t from = s->at;
    for (size_t i = from;;) {
        ptrdiff_t open = str_find(text, STR("${"), i);
        ptrdiff_t close = open < 0 ? -1 : str_find_char(text, '}', (size_t)open);
        if (close < 0) {
            s->before = str_sub(text, from, text.n);
            s->at = text.n;
            return false;
        }
        struct str name = str_sub(text, (size_t)open + 2, (size_t)(close - open - 2));
        i = (size_t)close + 1;
        if (str_starts(name, STR("!"))) /* "${!x}" is the text "${x}" */
            continue;
        s->before = str_sub(text, from, (size_t)open - from);
        s->at = i;
        s->name = str_trim(name);
        s->local = node_get(s->locals, s->name);
        split_name(s->name, &s->value);
        return true;
    }
}

/* ---- visiting values ---- */

void cfn_values_at(const struct node *n, cfn_visit *visit, void *context)
{
    struct cfn_value v;
    struct cfn_sub s;
    if (cfn_value_of(n, &v))
        visit(context, &v);
    else if (cfn_sub_of(n, &s))
        while (cfn_sub_next(&s))
            if (!s.local)
                visit(context, &s.value);
}

void cfn_each_value(const struct node *n, cfn_visit *visit, void *context)
{
    cfn_values_at(n, visit, context);
    node_each (item, n)
        cfn_each_value(item, visit, context);
    member_each (m, n)
        cfn_each_value(m->value, visit, context);
}

struct mention {
    struct str id;
    bool found;
};

static void note_mention(void *context, const struct cfn_value *v)
{
    struct mention *m = context;
    m->found |= str_eq(v->id, m->id);
}

bool cfn_mentions(const struct node *n, struct str id)
{
    struct mention m = {.id = id};
    cfn_each_value(n, note_mention, &m);
    return m.found;
}

void cfn_each_condition(const struct node *n, cfn_visit_condition *visit, void *context)
{
    const struct node *branches = node_get_c(n, "Fn::If"), *named = node_get_c(n, "Condition");
    if (node_is(branches, NODE_SEQ) && branches->count && node_is(branches->items[0], NODE_STRING))
        visit(context, branches->items[0]);
    if (node_is(named, NODE_STRING))
        visit(context, named);
    node_each (item, n)
        cfn_each_condition(item, visit, context);
    member_each (m, n)
        cfn_each_condition(m->value, visit, context);
}

/* ---- replacing values ---- */

struct replacing {
    struct arena *arena;
    cfn_substitute *substitute;
    void *context;
};

static const struct node *replace(void *context, struct str key, const struct node *n);

/* Write `with` into the text of an Fn::Sub. False: it cannot stand there. */
static bool add_in_sub(struct buf *b, const struct node *with)
{
    struct cfn_value v;
    struct cfn_sub sub;
    if (cfn_value_of(with, &v) && !v.computed)
        buf_fmt(b, "${%.*s%s%.*s}", STR_ARG(v.id), v.attribute.n ? "." : "", STR_ARG(v.attribute));
    else if (cfn_sub_of(with, &sub) && !sub.locals)
        buf_add(b, sub.text->text);
    else if (node_is(with, NODE_STRING) || node_is(with, NODE_NUMBER) || node_is(with, NODE_BOOL))
        buf_add(b, str_replace(b->arena, node_text(with), STR("${"), STR("${!")));
    else
        return false;
    return true;
}

static const struct node *replace_sub(struct replacing *r, const struct node *n, struct cfn_sub s)
{
    struct arena *a = r->arena;
    struct buf b = BUF(a);
    while (cfn_sub_next(&s)) {
        const struct node *with = s.local ? NULL : r->substitute(r->context, a, &s.value);
        buf_add(&b, s.before);
        if (!add_in_sub(&b, with))
            buf_fmt(&b, "${%.*s}", STR_ARG(s.name));
    }
    buf_add(&b, s.before);
    const struct node *locals = s.locals ? replace(r, STR(""), s.locals) : NULL, *with = s.text;
    if (!str_eq(buf_str(&b), s.text->text))
        with = node_from(node_str(a, buf_str(&b)), s.text);
    if (with == s.text && locals == s.locals)
        return n;
    if (locals) {
        struct node *pair = node_seq(a);
        node_push(a, pair, with);
        node_push(a, pair, locals);
        with = node_from(pair, node_get_c(n, "Fn::Sub"));
    }
    return node_from(node_fn(a, "Fn::Sub", with), n);
}

static const struct node *replace(void *context, struct str key, const struct node *n)
{
    struct replacing *r = context;
    struct cfn_value v;
    struct cfn_sub s;
    (void)key;
    if (cfn_value_of(n, &v)) {
        v.computed = v.computed ? replace(r, STR(""), v.computed) : NULL;
        const struct node *with = r->substitute(r->context, r->arena, &v);
        if (with || !v.computed)
            return with ? with : n;
    }
    return cfn_sub_of(n, &s) ? replace_sub(r, n, s) : node_change_children(r->arena, n, replace, r);
}

const struct node *cfn_replace_values(struct arena *a, const struct node *n,
                                      cfn_substitute *substitute, void *context)
{
    return replace(&(struct replacing){a, substitute, context}, STR(""), n);
}
