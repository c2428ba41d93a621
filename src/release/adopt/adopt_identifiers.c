/* What CloudFormation knows a resource by, for importing it. */
#include "release/adopt/adopt_internal.h"

#include "cfn/expression.h"
#include "doc/json.h"

/* A literal, or the physical id of what moves along. */
static struct str property_value(const struct node *moving, const struct node *definition,
                                 struct str key)
{
    const struct node *value = node_get(node_get_c(definition, "Properties"), key);
    struct cfn_value v;
    if (node_is(value, NODE_STRING))
        return value->text;
    return cfn_is_value(value, &v) && !v.attribute.n
               ? node_text(node_get_c(node_get(moving, v.id), "PhysicalId"))
               : (struct str){"", 0};
}

/* One key is the physical id; of several, those that are no properties. NULL: not to be known. */
const struct node *adopt_identifier(struct arena *a, const struct node *moving,
                                    const struct node *entry, const struct node *keys)
{
    struct node *identifier = node_map(a);
    size_t unknown = 0;
    node_each (key, keys) {
        struct str value = {"", 0};
        if (keys->count > 1)
            value = property_value(moving, node_get_c(entry, "Definition"), node_text(key));
        unknown += !value.n;
        node_put(a, identifier, node_text(key),
                 value.n ? node_str(a, value) : node_get_c(entry, "PhysicalId"));
    }
    return unknown > 1 ? NULL : identifier;
}

int adopt_identifiers(const struct release *r, const struct node *resources,
                      const struct node **ret, struct err *err)
{
    struct node *bare = node_map(r->arena), *template = node_map(r->arena);
    member_each (m, resources) {
        struct node *resource = node_map(r->arena);
        node_put_c(r->arena, resource, "Type", node_get_c(m->value, "Type"));
        node_put(r->arena, bare, m->key, resource);
    }
    node_put_c(r->arena, template, "Resources", bare);
    return template_identifiers(r->arena, r->aws, json_text(r->arena, template, 0), ret, err);
}
