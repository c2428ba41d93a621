/* Policies of two templates joined, so that a role may what it may by either.
 *
 * Statements are compared as they are written. One that adds actions or resources to another is
 * joined with it, because IAM takes 10,240 characters of a role's policies and twice the same would
 * soon be too much. What both deny is denied, and nothing else: a denial of one of the two would
 * take from the other. Policies that only CloudFormation can tell (Fn::If) are not joined. */
#include "layout/layout_internal.h"

struct document {
    const struct node *policy; /* {PolicyName, PolicyDocument} */
    VEC(const struct node *) statements;
    bool is_new, is_changed;
};

struct documents {
    VEC(struct document) all;
};

/* ---- what a right refers to ---- */

bool joining_admit(struct rights_joining *j, struct str id, const struct node *expression)
{
    struct closure c;
    closure_of_missing(j->arena, j->from, j->into, id, expression, &c);
    if (c.holes.n) {
        j->waits = true;
        return false;
    }
    for (size_t i = 0; i < c.ids.n; i++)
        if (!map_has(&j->ids, c.ids.entries[i].key))
            map_put(&j->ids, c.ids.entries[i].key, c.ids.entries[i].value);
    return true;
}

/* May `right`, a statement or a piece of one, be added now? What it refers to comes along. */
static bool admits(struct rights_joining *j, const struct node *right)
{
    return joining_admit(j, STR(""), right);
}

/* ---- statements ---- */

static bool is_denial(const struct node *statement)
{
    return node_is_text(node_get_c(statement, "Effect"), "Deny");
}

/* The statements of a policy, a list even of one. NULL: only CloudFormation can tell. */
static const struct node *statements_of(struct arena *a, const struct node *policy)
{
    const struct node *n = node_path(policy, "PolicyDocument.Statement");
    if (node_is(n, NODE_SEQ))
        return n;
    if (!node_get_c(n, "Effect"))
        return NULL;
    struct node *one = node_seq(a);
    node_push(a, one, n);
    return one;
}

static bool has_item(const struct node *list, const struct node *wanted)
{
    node_each (item, list)
        if (node_equal(item, wanted))
            return true;
    return false;
}

/* `n`, a list or one text. NULL: it is a function that may give a list. */
static const struct node *listed(struct arena *a, const struct node *n)
{
    struct cfn_value v;
    if (node_is(n, NODE_SEQ))
        return n;
    if (!node_is(n, NODE_STRING) && !node_get_c(n, "Fn::Sub") && !node_get_c(n, "Fn::Join") &&
        !cfn_value_of(n, &v))
        return NULL;
    struct node *one = node_seq(a);
    node_push(a, one, n);
    return one;
}

static size_t count_without_sid(const struct node *statement)
{
    return node_count(statement) - (node_get_c(statement, "Sid") != NULL);
}

/* Are the two the same but for their Sid and one list? `*ret` is that list's name, or empty. */
static bool alike(const struct node *x, const struct node *y, struct str *ret)
{
    *ret = (struct str){"", 0};
    if (!node_is(x, NODE_MAP) || !node_is(y, NODE_MAP) ||
        count_without_sid(x) != count_without_sid(y))
        return false;
    member_each (m, y) {
        if (str_eq(m->key, STR("Sid")) || node_equal(node_get(x, m->key), m->value))
            continue;
        bool list = str_eq(m->key, STR("Action")) || str_eq(m->key, STR("Resource"));
        if (ret->n || !list || !node_get(x, m->key))
            return false;
        *ret = m->key;
    }
    return true;
}

/* Does `base` allow what `more` allows? */
static bool covers(struct arena *a, const struct node *base, const struct node *more)
{
    struct str list;
    if (!alike(base, more, &list))
        return node_equal(base, more);
    if (!list.n)
        return true;
    const struct node *had = listed(a, node_get(base, list));
    const struct node *wanted = listed(a, node_get(more, list));
    bool all = had && wanted;
    node_each (item, wanted)
        all = all && has_item(had, item);
    return all;
}

const struct node *policies_join_lists(struct rights_joining *j, const struct node *base,
                                       const struct node *more)
{
    struct node *out = NULL;
    if (base && !node_is(base, NODE_SEQ))
        return base;
    node_each (item, more) {
        if (has_item(out ? out : base, item) || !admits(j, item))
            continue;
        if (!out)
            out = base ? node_shallow(j->arena, base) : node_seq(j->arena);
        node_push(j->arena, out, item);
    }
    return out ? out : base;
}

/* `base` with the list items of `more` that it lacks. NULL: they differ in more than one list. */
static const struct node *widened(struct rights_joining *j, const struct node *base,
                                  const struct node *more)
{
    struct str name;
    if (is_denial(base) || !alike(base, more, &name) || !name.n)
        return NULL;
    const struct node *had = listed(j->arena, node_get(base, name));
    const struct node *wanted = listed(j->arena, node_get(more, name));
    if (!had || !wanted)
        return NULL;
    struct node *out = node_shallow(j->arena, base);
    node_put(j->arena, out, name, policies_join_lists(j, had, wanted));
    return out;
}

/* ---- policies ---- */

static struct documents read_documents(struct arena *a, const struct node *policies)
{
    struct documents d = {0};
    node_each (policy, policies) {
        struct document one = {.policy = policy};
        node_each (statement, statements_of(a, policy))
            vec_push(a, &one.statements, statement);
        vec_push(a, &d.all, one);
    }
    return d;
}

static bool has_statement(const struct node *policies, struct arena *a,
                          const struct node *statement)
{
    node_each (policy, policies)
        if (has_item(statements_of(a, policy), statement))
            return true;
    return false;
}

/* Take the denials out that only one of the two templates has. */
static void drop_denials(struct arena *a, struct documents *d, const struct node *more)
{
    vec_each (&d->all, document) {
        size_t kept = 0;
        vec_each (&document->statements, s)
            if (!is_denial(*s) || has_statement(more, a, *s))
                document->statements.p[kept++] = *s;
        document->is_changed |= kept < document->statements.n;
        document->statements.n = kept;
    }
}

static bool is_covered(struct arena *a, struct documents *d, const struct node *statement)
{
    vec_each (&d->all, document)
        vec_each (&document->statements, s)
            if (!is_denial(*s) && covers(a, *s, statement))
                return true;
    return false;
}

/* Sids are unique in a document. */
static const struct node *with_free_sid(struct arena *a, struct document *document,
                                        const struct node *statement)
{
    const struct node *sid = node_get_c(statement, "Sid");
    vec_each (&document->statements, s)
        if (sid && node_equal(node_get_c(*s, "Sid"), sid))
            return cfn_with(a, statement, "Sid", NULL);
    return statement;
}

static void add_statement(struct rights_joining *j, struct document *document,
                          const struct node *statement)
{
    vec_each (&document->statements, s) {
        const struct node *both = widened(j, *s, statement);
        if (!both)
            continue;
        document->is_changed |= !node_equal(both, *s);
        *s = both;
        return;
    }
    if (!admits(j, statement))
        return;
    vec_push(j->arena, &document->statements, with_free_sid(j->arena, document, statement));
    document->is_changed = true;
}

/* The document of that name, made when there is none. */
static struct document *document_for(struct arena *a, struct documents *d,
                                     const struct node *policy)
{
    const struct node *name = node_get_c(policy, "PolicyName");
    vec_each (&d->all, document)
        if (node_equal(node_get_c(document->policy, "PolicyName"), name))
            return statements_of(a, document->policy) ? document : NULL;
    vec_push(a, &d->all, (struct document){.policy = policy, .is_new = true});
    return &d->all.p[d->all.n - 1];
}

static void add_policy(struct rights_joining *j, struct documents *d, const struct node *policy)
{
    node_each (statement, statements_of(j->arena, policy)) {
        if (is_denial(statement) || is_covered(j->arena, d, statement))
            continue;
        struct document *document = document_for(j->arena, d, policy);
        if (document)
            add_statement(j, document, statement);
    }
}

static const struct node *written(struct arena *a, struct document *document)
{
    struct node *statements = node_seq(a);
    vec_each (&document->statements, s)
        node_push(a, statements, *s);
    return cfn_with(
        a, document->policy, "PolicyDocument",
        cfn_with(a, node_get_c(document->policy, "PolicyDocument"), "Statement", statements));
}

const struct node *policies_join(struct rights_joining *j, const struct node *base,
                                 const struct node *more)
{
    struct arena *a = j->arena;
    if ((base && !node_is(base, NODE_SEQ)) || (more && !node_is(more, NODE_SEQ)))
        return base;
    struct documents d = read_documents(a, base);
    drop_denials(a, &d, more);
    node_each (policy, more)
        add_policy(j, &d, policy);
    struct node *out = node_seq(a);
    bool changed = false;
    vec_each (&d.all, document) {
        changed |= document->is_changed;
        if (document->is_changed && document->statements.n) /* IAM takes no empty one */
            node_push(a, out, written(a, document));
        else if (!document->is_changed && !document->is_new)
            node_push(a, out, document->policy);
    }
    return changed ? out : base;
}

const struct node *policies_join_documents(struct rights_joining *j, const struct node *base,
                                           const struct node *more)
{
    struct node *one = node_seq(j->arena), *other = node_seq(j->arena);
    if (!base || !more)
        return base;
    node_push(j->arena, one, node_fn(j->arena, "PolicyDocument", base));
    node_push(j->arena, other, node_fn(j->arena, "PolicyDocument", more));
    const struct node *both = policies_join(j, one, other);
    return node_count(both) == 1 ? node_get_c(both->items[0], "PolicyDocument") : base;
}
