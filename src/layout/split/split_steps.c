/* Steps: an update of more resources than one operation may change, in several operations. */
#include "layout/split/split_internal.h"

struct ordering {
    struct arena *arena;
    const struct node *resources;
    const struct node *there; /* resources that exist already, or NULL */
    struct map seen;
    VEC(struct str) order; /* ids, each after those that it needs */
};

static void order(struct ordering *o, struct str id)
{
    const struct node *resource = node_get(o->resources, id);
    if (!resource || map_has(&o->seen, id) || node_member(o->there, id))
        return;
    map_put(&o->seen, id, o);
    struct map needs = MAP(o->arena);
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    split_needs(resource, &needs);
    for (size_t i = 0; i < n; i++)
        order(o, node_text(ids[i]));
    for (size_t i = 0; i < needs.n; i++)
        order(o, needs.entries[i].key);
    vec_push(o->arena, &o->order, id);
}

static void order_all(struct ordering *o)
{
    o->seen = MAP(o->arena);
    member_each (m, o->resources)
        order(o, m->key);
}

static size_t count_changes(const struct node *before, const struct node *after)
{
    size_t n = 0;
    member_each (m, after)
        n += !node_equal(m->value, node_get(before, m->key));
    member_each (m, before)
        n += !node_member(after, m->key);
    return n;
}

const struct node *layout_grow(struct arena *a, const struct node *now, const struct node *target,
                               size_t most)
{
    static const char *const sections[] = {"Parameters", "Mappings", "Conditions", "Transform",
                                           NULL};
    struct ordering o = {.arena = a,
                         .resources = node_get_c(target, "Resources"),
                         .there = node_get_c(now, "Resources")};
    if (count_changes(o.there, o.resources) <= most)
        return NULL;
    order_all(&o);
    if (!o.order.n)
        return NULL;
    struct node *out = now ? node_shallow(a, now) : node_map(a);
    struct node *resources = now ? node_shallow(a, o.there) : node_map(a);
    node_put_c(a, out, "AWSTemplateFormatVersion", node_get_c(target, "AWSTemplateFormatVersion"));
    node_put_c(a, out, "Description", node_get_c(target, "Description"));
    cfn_merge_sections(a, out, now, target, sections);
    for (size_t i = 0; i < o.order.n && i < most; i++)
        node_put(a, resources, o.order.p[i], node_get(o.resources, o.order.p[i]));
    node_put_c(a, out, "Resources", resources);
    return out;
}

static bool is_whole(struct arena *a, const struct node *output, const struct node *before,
                     const struct node *after)
{
    struct map needs = MAP(a);
    split_needs(output, &needs);
    for (size_t i = 0; i < needs.n; i++)
        if (node_member(before, needs.entries[i].key) && !node_member(after, needs.entries[i].key))
            return false;
    return true;
}

const struct node *layout_shrink(struct arena *a, const struct node *now, size_t most)
{
    struct ordering o = {.arena = a, .resources = node_get_c(now, "Resources")};
    if (node_count(o.resources) <= most)
        return NULL;
    order_all(&o);
    struct node *out = node_shallow(a, now), *resources = node_map(a), *outputs = node_map(a);
    for (size_t i = 0; i < o.order.n - most; i++)
        node_put(a, resources, o.order.p[i], node_get(o.resources, o.order.p[i]));
    member_each (m, node_get_c(now, "Outputs"))
        if (is_whole(a, m->value, o.resources, resources))
            node_put(a, outputs, m->key, m->value);
    node_drop(out, STR("Outputs"));
    if (outputs->size)
        node_put_c(a, out, "Outputs", outputs);
    node_put_c(a, out, "Resources", resources);
    return out;
}
