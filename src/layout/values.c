/* Evaluating definitions: references become the literals that the Lambda and API Gateway APIs want.
 *
 * What cannot be known here is evaluated by CloudFormation, as an Output of the stage stack named
 * by a hash of the expression. Gathering those and using them is one walk, so that both see the
 * same names. */
#include "layout/layout_internal.h"

#include "base/buf.h"
#include "base/hash.h"
#include "doc/json.h"

/* The branch of an Fn::If that the walk is in: a resource in it may exist only when the condition
 * holds. */
struct guard {
    const struct guard *outer;
    const struct node *condition; /* its name */
    bool when;
};

struct resolving {
    struct arena *arena;
    layout_lookup *lookup;
    void *context;
    const struct guard *guard;
    struct laying *gather; /* not NULL: collect unknown values instead of failing */
    struct needed_values *needed;
    struct err *err;
};

struct str layout_value_name(struct arena *a, const struct node *expression)
{
    struct str hash = sha256_hex(a, json_canonical(a, expression));
    return str_fmt(a, LAYOUT_VALUE "%.*s", 12, hash.p);
}

static const struct node *resolve(struct resolving *r, const struct node *n);

static struct node *if_node(struct arena *a, const struct node *condition, const struct node *then,
                            const struct node *otherwise)
{
    struct node *args = node_seq(a);
    node_push(a, args, condition);
    node_push(a, args, then);
    node_push(a, args, otherwise);
    return node_fn(a, "Fn::If", args);
}

static const struct node *guarded(struct arena *a, const struct guard *g, const struct node *n)
{
    for (; g; g = g->outer) {
        const struct node *nothing = node_str(a, STR(""));
        n = if_node(a, g->condition, g->when ? n : nothing, g->when ? nothing : n);
    }
    return n;
}

static bool has_value(const struct layout_value *all, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].output, name))
            return true;
    return false;
}

static void gather_value(struct resolving *r, struct str name, const struct node *expression,
                         struct pos pos)
{
    struct layout_value value = {name, expression, pos};
    struct laying *l = r->gather;
    if (!has_value(l->values.p, l->values.n, name))
        vec_push(l->arena, &l->values, value);
    if (!has_value(r->needed->all.p, r->needed->all.n, name))
        vec_push(l->arena, &r->needed->all, value);
}

static const struct node *resolve_output(struct resolving *r, const struct node *n)
{
    const struct node *expression = guarded(r->arena, r->guard, n);
    struct str name = layout_value_name(r->arena, expression);
    const struct node *value = r->lookup(r->context, r->arena, name);
    if (value)
        return value;
    if (r->gather) {
        gather_value(r, name, expression, n->pos);
        return node_str(r->arena, STR(""));
    }
    err_at(r->err, n->pos, ERR_NOT_FOUND, "the value of %.*s is not known",
           STR_ARG(json_text(r->arena, n, 0)));
    return NULL;
}

static const struct node *resolve_branch(struct resolving *r, const struct node *condition,
                                         bool when, const struct node *branch)
{
    struct guard guard = {r->guard, condition, when};
    r->guard = &guard;
    const struct node *n = resolve(r, branch);
    r->guard = guard.outer;
    return n;
}

static const struct node *resolve_if(struct resolving *r, const struct node *n)
{
    const struct node *args = n->members[0].value;
    struct arena *a = r->arena;
    if (!node_is(args, NODE_SEQ) || args->count != 3)
        return resolve_output(r, n);
    const struct node *condition = args->items[0];
    struct node *question =
        if_node(a, condition, node_str(a, STR("true")), node_str(a, STR("false")));
    const struct guard *outer = r->guard; /* the condition itself is evaluated in any case */
    r->guard = NULL;
    const struct node *answer = resolve_output(r, node_from(question, n));
    r->guard = outer;
    if (!answer)
        return NULL;
    if (r->gather && (!resolve_branch(r, condition, true, args->items[1]) ||
                      !resolve_branch(r, condition, false, args->items[2])))
        return NULL;
    bool when = node_is_text(answer, "true");
    return resolve_branch(r, condition, when, args->items[when ? 1 : 2]);
}

static const struct node *resolve_join(struct resolving *r, const struct node *n)
{
    const struct node *args = n->members[0].value;
    if (!node_is(args, NODE_SEQ) || args->count != 2 || !node_is(args->items[1], NODE_SEQ))
        return resolve_output(r, n);
    const struct node *parts = resolve(r, args->items[1]);
    if (!parts)
        return NULL;
    struct buf b = BUF(r->arena);
    bool first = true;
    node_each (part, parts) {
        if (!first)
            buf_add(&b, node_text(args->items[0]));
        buf_add(&b, node_text(part));
        first = false;
    }
    return node_from(node_str(r->arena, buf_str(&b)), n);
}

static const struct node *sub_value(struct resolving *r, const struct cfn_sub *s)
{
    if (s->local)
        return resolve(r, s->local);
    struct node *reference = cfn_value_node(r->arena, &s->value);
    reference->pos = s->value.at->pos;
    return resolve(r, reference);
}

static const struct node *resolve_sub(struct resolving *r, const struct node *n)
{
    struct cfn_sub s;
    struct buf b = BUF(r->arena);
    if (!cfn_sub_of(n, &s))
        return resolve_output(r, n);
    while (cfn_sub_next(&s)) {
        const struct node *part = sub_value(r, &s);
        if (!part)
            return NULL;
        buf_add(&b, str_replace(r->arena, s.before, STR("${!"), STR("${")));
        buf_add(&b, node_text(part));
    }
    buf_add(&b, str_replace(r->arena, s.before, STR("${!"), STR("${")));
    return node_from(node_str(r->arena, buf_str(&b)), n);
}

/* An Output is a text, so a list is split here. */
static const struct node *resolve_split(struct resolving *r, const struct node *n)
{
    const struct node *args = n->members[0].value;
    struct arena *a = r->arena;
    if (!node_is(args, NODE_SEQ) || args->count != 2 || !node_text(args->items[0]).n)
        return resolve_output(r, n);
    const struct node *source = resolve(r, args->items[1]);
    if (!source)
        return NULL;
    struct node *out = node_seq(a);
    struct str text = node_text(source), by = node_text(args->items[0]);
    for (ptrdiff_t end; (end = str_find(text, by, 0)) >= 0;
         text = str_sub(text, (size_t)end + by.n, text.n))
        node_push(a, out, node_from(node_str(a, str_sub(text, 0, (size_t)end)), source));
    node_push(a, out, node_from(node_str(a, text), source));
    return node_from(out, n);
}

static const struct node *resolve_children(struct resolving *r, const struct node *n)
{
    struct node *out = n->kind == NODE_SEQ ? node_seq(r->arena) : node_map(r->arena);
    node_from(out, n);
    node_each (item, n) {
        const struct node *child = resolve(r, item);
        if (!child)
            return NULL;
        if (!cfn_is_no_value(child))
            node_push(r->arena, out, child);
    }
    member_each (m, n) {
        const struct node *child = resolve(r, m->value);
        if (!child)
            return NULL;
        if (!cfn_is_no_value(child))
            node_put_at(r->arena, out, m->key, m->key_pos, child);
    }
    return out;
}

static const struct node *resolve(struct resolving *r, const struct node *n)
{
    static const struct {
        const char *key;
        const struct node *(*run)(struct resolving *, const struct node *);
    } functions[] = {{"Fn::Join", resolve_join},
                     {"Fn::Sub", resolve_sub},
                     {"Fn::If", resolve_if},
                     {"Fn::Split", resolve_split}};
    struct cfn_value v;
    if (!node_is(n, NODE_MAP) && !node_is(n, NODE_SEQ))
        return n;
    if (cfn_is_no_value(n))
        return n;
    if (!cfn_is_function(n))
        return resolve_children(r, n);
    const struct node *known =
        cfn_value_of(n, &v) && !v.attribute.n ? r->lookup(r->context, r->arena, v.id) : NULL;
    if (known)
        return known;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (str_eq(n->members[0].key, str_c(functions[i].key)))
            return functions[i].run(r, n);
    return resolve_output(r, n);
}

const struct node *layout_resolve(struct arena *a, const struct node *tree, layout_lookup *lookup,
                                  void *context, struct err *err)
{
    struct resolving r = {.arena = a, .lookup = lookup, .context = context, .err = err};
    return resolve(&r, tree);
}

int values_gather(struct laying *l, const struct node *tree, layout_lookup *known, void *context,
                  struct needed_values *ret, struct err *err)
{
    struct resolving r = {.arena = l->arena,
                          .lookup = known,
                          .context = context,
                          .gather = l,
                          .needed = ret,
                          .err = err};
    return resolve(&r, tree) ? 0 : -1;
}
