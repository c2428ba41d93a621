/* Dynamic references to what the same file makes, by its fixed name. What CloudFormation makes of
 * them is known only when the parameter or the secret is there, so the definition has to depend on
 * that resource. */
#include "layout/layout_internal.h"

#include "base/buf.h"
#include "cfn/dynamic_reference.h"

/* The logical id of the resource that a reference names; empty: it is nobody's here. */
static struct str made_here(const struct laying *l, const struct cfn_dynamic *d)
{
    static const char *const types[] = {[CFN_SSM] = "AWS::SSM::Parameter",
                                        [CFN_SSM_SECURE] = "AWS::SSM::Parameter",
                                        [CFN_SECRETS_MANAGER] = "AWS::SecretsManager::Secret"};
    if (d->service != CFN_UNKNOWN_SERVICE && d->name.n)
        member_each (m, l->flat)
            if (node_is_text(node_get_c(m->value, "Type"), types[d->service]) &&
                str_eq(node_text(node_path(m->value, "Properties.Name")), d->name))
                return m->key;
    return (struct str){"", 0};
}

static struct str escaped(struct arena *a, struct str text)
{
    return str_replace(a, text, STR("${"), STR("${!"));
}

/* "{{resolve:ssm:/made/here}}" -> {"Fn::Sub": "{{resolve:ssm:${Here}}}"} */
static const struct node *rewrite_text(struct laying *l, const struct node *n)
{
    struct arena *a = l->arena;
    struct buf b = BUF(a);
    struct cfn_dynamic d;
    size_t done = 0;
    for (size_t from = 0; cfn_dynamic_next(n->text, from, &d); from = d.at + d.whole.n) {
        struct str id = made_here(l, &d);
        if (!id.n)
            continue;
        size_t name = (size_t)(d.name.p - n->text.p);
        buf_add(&b, escaped(a, str_sub(n->text, done, name - done)));
        buf_fmt(&b, "${%.*s}", STR_ARG(id));
        done = name + d.name.n;
    }
    if (!done)
        return n;
    buf_add(&b, escaped(a, str_sub(n->text, done, n->text.n)));
    const struct node *text = node_from(node_str(a, buf_str(&b)), n);
    return node_from(node_fn(a, "Fn::Sub", text), n);
}

static const struct node *rewrite_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    return dynamic_names_rewrite(context, child);
}

const struct node *dynamic_names_rewrite(struct laying *l, const struct node *tree)
{
    if (node_is(tree, NODE_STRING))
        return rewrite_text(l, tree);
    if (cfn_is_function(tree))
        return tree;
    return node_change_children(l->arena, tree, rewrite_child, l);
}
