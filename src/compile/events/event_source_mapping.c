/* What event source mappings of all kinds (sqs, streams, brokers) have in common. */
#include "compile/compile_internal.h"

void put_mapping_filters(struct arena *a, struct node *properties, const struct node *settings)
{
    const struct node *patterns = node_get_c(settings, "filterPatterns");
    if (!node_truthy(patterns))
        return;
    struct node *filters = node_seq(a);
    node_each (pattern, patterns)
        node_push(a, filters, node_fn(a, "Pattern", node_stringified(a, pattern)));
    node_put_c(a, properties, "FilterCriteria", node_fn(a, "Filters", filters));
}

void put_mapping_response(struct arena *a, struct node *properties, const struct node *settings)
{
    const struct node *type = node_get_c(settings, "functionResponseType");
    if (!node_empty(type))
        node_put_c(a, properties, "FunctionResponseTypes", NODE_LIST(a, type));
}

void put_broker_settings(struct arena *a, struct node *properties, const struct node *settings)
{
    node_put_c(a, properties, "BatchSize", node_setting(settings, NULL, "batchSize"));
    node_put_c(a, properties, "MaximumBatchingWindowInSeconds",
               node_setting(settings, NULL, "maximumBatchingWindow"));
    copy_member(a, properties, "Enabled", settings, "enabled");
    put_mapping_filters(a, properties, settings);
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

/* ---- what the role gets ---- */

struct mapping_rights {
    const struct mapping_right *kinds;
    size_t kind_count;
    size_t function_index; /* that `resources` belong to */
    struct node **resources;
    bool *is_needed;
};

static void rights_clear(struct compilation *c, size_t function_index)
{
    struct mapping_rights *r = c->mapping_rights;
    r->function_index = function_index;
    for (size_t i = 0; i < r->kind_count; i++) {
        r->resources[i] = node_seq(c->arena);
        r->is_needed[i] = false;
    }
}

void mapping_rights_begin(struct compilation *c, const struct mapping_right *kinds, size_t count)
{
    struct mapping_rights *r = ARENA_NEW(c->arena, struct mapping_rights);
    *r = (struct mapping_rights){.kinds = kinds,
                                 .kind_count = count,
                                 .resources = ARENA_ARRAY(c->arena, count, struct node *),
                                 .is_needed = ARENA_ARRAY(c->arena, count, bool)};
    c->mapping_rights = r;
    rights_clear(c, SIZE_MAX);
}

void mapping_rights_finish(struct compilation *c)
{
    struct arena *a = c->arena;
    const struct mapping_rights *r = c->mapping_rights;
    for (size_t i = 0; i < r->kind_count; i++) {
        if (!r->is_needed[i])
            continue;
        struct node *actions = node_seq(a);
        for (size_t k = 0; r->kinds[i].actions[k]; k++)
            node_push(a, actions, node_c(a, r->kinds[i].actions[k]));
        const struct node *resources = r->kinds[i].is_everywhere ? node_c(a, "*") : r->resources[i];
        role_allow(c, statement_new(a, actions, resources), false);
    }
}

void mapping_rights_need(struct compilation *c, const struct event *event, size_t kind,
                         const struct node *resource)
{
    if (c->mapping_rights->function_index != event->function_index) {
        mapping_rights_finish(c);
        rights_clear(c, event->function_index);
    }
    c->mapping_rights->is_needed[kind] = true;
    if (resource)
        node_push(c->arena, c->mapping_rights->resources[kind], resource);
}
