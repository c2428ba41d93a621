/* Alarms and dashboards that watch a shared function: each stage's watches the stage's alias of
 * it. */
#include "layout/layout_internal.h"

/* The shared function that `value` names: by a Ref, or by an Fn::Sub of that alone. */
static const struct layout_function *shared_function(const struct laying *l,
                                                     const struct node *value)
{
    struct cfn_value v;
    const struct placement *p = cfn_is_value(value, &v) ? placement_of(l, v.id) : NULL;
    return p && p->scope == SCOPE_HEAD ? p->function : NULL;
}

static const struct node *dimension(struct arena *a, const char *name, struct str value,
                                    const struct node *from)
{
    struct node *out = node_map(a);
    node_put_str(a, out, "Name", str_c(name));
    node_put_c(a, out, "Value", node_from(node_str(a, value), node_get_c(from, "Value")));
    return node_from(out, from);
}

static bool has_dimension(const struct node *dimensions, const char *name)
{
    node_each (one, dimensions)
        if (node_is_text(node_get_c(one, "Name"), name))
            return true;
    return false;
}

/* Only dimensions of Lambda's own metrics are rewritten: metrics that functions write in namespaces
 * of their own have no dimension for an alias. */
static const struct node *rewrite_dimensions(struct laying *l, const struct node *dimensions,
                                             bool of_lambda)
{
    struct arena *a = l->arena;
    struct node *out = node_seq(a);
    bool changed = false;
    node_each (one, dimensions) {
        const struct layout_function *f = node_is_text(node_get_c(one, "Name"), "FunctionName")
                                              ? shared_function(l, node_get_c(one, "Value"))
                                              : NULL;
        node_push(a, out, f ? dimension(a, "FunctionName", f->name, one) : one);
        changed = changed || f;
        if (f && of_lambda && !has_dimension(dimensions, "Resource"))
            node_push(
                a, out,
                dimension(a, "Resource",
                          str_fmt(a, "%.*s:%.*s", STR_ARG(f->name), STR_ARG(l->service->stage)),
                          one));
    }
    return changed ? node_from(out, dimensions) : dimensions;
}

static const struct node *rewrite_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    return metrics_rewrite(context, child);
}

const struct node *metrics_rewrite(struct laying *l, const struct node *n)
{
    const struct node *dimensions = node_get_c(n, "Dimensions");
    if (node_is(dimensions, NODE_SEQ)) {
        const struct node *now = rewrite_dimensions(
            l, dimensions, node_is_text(node_get_c(n, "Namespace"), "AWS/Lambda"));
        if (now != dimensions)
            n = cfn_with(l->arena, n, "Dimensions", now);
    }
    return node_change_children(l->arena, n, rewrite_child, l);
}
