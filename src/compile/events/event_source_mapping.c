/* What event source mappings of all kinds (sqs, streams) have in common. */
#include "compile/compile_internal.h"

void put_mapping_filters(struct arena *a, struct node *properties, const struct node *settings)
{
    const struct node *type = node_get_c(settings, "functionResponseType");
    const struct node *patterns = node_get_c(settings, "filterPatterns");
    if (!node_empty(type))
        node_put_c(a, properties, "FunctionResponseTypes", NODE_LIST(a, type));
    if (!node_truthy(patterns))
        return;
    struct node *filters = node_seq(a);
    node_each (pattern, patterns)
        node_push(a, filters, node_fn(a, "Pattern", node_stringified(a, pattern)));
    node_put_c(a, properties, "FilterCriteria", node_fn(a, "Filters", filters));
}

struct node *mapping_depends_on(struct compilation *c, const struct function *f)
{
    struct node *list = node_seq(c->arena);
    struct str role = role_resource_name(c, f);
    struct function_alias alias;
    if (role.n)
        node_push(c->arena, list, node_str(c->arena, role));
    if (function_alias(c, f, &alias))
        node_push(c->arena, list, node_str(c->arena, alias.id));
    return list;
}
