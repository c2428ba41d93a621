/* Lists that CloudFormation computes. Source: CloudFormation User Guide, "Outputs": the value of an
 * Output is a string. */
#include "layout/layout_internal.h"

/* Is what `args`, from `i` on, choose from `n` a list? A key that is an expression may be any. */
static bool leads_to_list(const struct node *n, const struct node *args, size_t i)
{
    if (i == node_count(args) || !node_is(n, NODE_MAP))
        return node_is(n, NODE_SEQ);
    const struct node *key = args->items[i];
    if (!node_is(key, NODE_MAP))
        return leads_to_list(node_get(n, node_text(key)), args, i + 1);
    member_each (m, n)
        if (leads_to_list(m->value, args, i + 1))
            return true;
    return false;
}

static bool is_list_parameter(const struct laying *l, const struct node *name)
{
    const struct node *parameters = node_get_c(l->compiled->template, "Parameters");
    struct str type = node_text(node_get_c(node_get(parameters, node_text(name)), "Type"));
    return str_eq(type, STR("CommaDelimitedList")) || str_find(type, STR("List<"), 0) >= 0;
}

static bool gives_list(const struct laying *l, const struct node *n)
{
    struct str key = n->members[0].key;
    const struct node *args = n->members[0].value;
    return str_eq(key, STR("Fn::GetAZs")) || str_eq(key, STR("Fn::Cidr")) ||
           (str_eq(key, STR("Fn::FindInMap")) && node_is(args, NODE_SEQ) &&
            leads_to_list(node_get_c(l->compiled->template, "Mappings"), args, 0)) ||
           (str_eq(key, STR("Ref")) && is_list_parameter(l, args));
}

static const struct node *joined_and_split(struct arena *a, const struct node *n)
{
    const struct node *comma = node_str(a, STR(","));
    struct node *join = node_seq(a), *split = node_seq(a);
    node_push(a, join, comma);
    node_push(a, join, n);
    node_push(a, split, comma);
    node_push(a, split, node_from(node_fn(a, "Fn::Join", join), n));
    return node_from(node_fn(a, "Fn::Split", split), n);
}

static const struct node *rewrite_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    return list_values_rewrite(context, child);
}

const struct node *list_values_rewrite(struct laying *l, const struct node *tree)
{
    /* what an Fn::If chooses from stands where the Fn::If does */
    if (!cfn_is_function(tree) || node_get_c(tree, "Fn::If"))
        return node_change_children(l->arena, tree, rewrite_child, l);
    return gives_list(l, tree) ? joined_and_split(l->arena, tree) : tree;
}
