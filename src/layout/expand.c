/* The prepare step: what must exist in the stage stack before functions can be published. */
#include "layout/layout_internal.h"

/* ---- parameters that get another value ---- */

struct taking {
    const struct node *changed, *conditions;
    unsigned depth;
    bool found;
};

static void find_parameter(void *context, const struct cfn_value *v)
{
    struct taking *t = context;
    t->found |= node_member(t->changed, v->id) != NULL;
}

static void find_in_condition(void *context, const struct node *name)
{
    enum { DEPTH_MAX = 50 };
    struct taking *t = context;
    const struct node *condition = node_get(t->conditions, node_text(name));
    if (!condition || t->found || ++t->depth > DEPTH_MAX)
        return;
    cfn_each_value(condition, find_parameter, t);
    cfn_each_condition(condition, find_in_condition, t);
    t->depth--;
}

/* Does `n`, a part of `target`, take a parameter of `changed`, itself or by a condition? */
static bool takes_changed(const struct node *n, const struct node *target,
                          const struct node *changed)
{
    struct taking t = {.changed = changed, .conditions = node_get_c(target, "Conditions")};
    if (!node_count(changed))
        return false;
    cfn_each_value(n, find_parameter, &t);
    cfn_each_condition(n, find_in_condition, &t);
    return t.found;
}

/* ---- what a value needs ---- */

struct walk {
    struct arena *arena;
    const struct node *template, *changed;
    const struct node *target; /* Resources of the final template */
    const struct node *old;    /* those of the stack as it is, or NULL */
    bool missing;              /* what `old` has stays as it is there */
    struct str path;           /* the way to the resource that is looked at: "A -> B" */
    struct closure *ret;
};

static void add_needed(struct walk *w, struct str id);

static void visit(void *context, const struct cfn_value *v)
{
    add_needed(context, v->id);
}

/* Find the holes in `n` for what is published: "Troupe::Version" and "Troupe::Deployment". */
static void find_holes(struct walk *w, const struct node *n)
{
    if (node_is(n, NODE_MAP) && n->size == 1 &&
        (str_eq(n->members[0].key, STR("Troupe::Version")) ||
         str_eq(n->members[0].key, STR("Troupe::Deployment")))) {
        struct str name = str_fmt(w->arena, "%.*s %.*s", STR_ARG(n->members[0].key),
                                  STR_ARG(node_text(n->members[0].value)));
        struct str *path = ARENA_NEW(w->arena, struct str);
        *path = w->path;
        if (!map_has(&w->ret->holes, name))
            map_put(&w->ret->holes, name, path);
    }
    node_each (item, n)
        find_holes(w, item);
    member_each (m, n)
        find_holes(w, m->value);
}

/* A resource whose Ref and GetAtt values stay the same is updated together with the pointers, not
 * before: until then the stage serves functions that use it as it is, and a deployment that fails
 * must leave it so. */
static bool is_kept(const struct walk *w, const struct node *before, const struct node *after)
{
    return cfn_is(cfn_type_of(after), CFN_KEEPS_VALUES) && cfn_keeps_identity(before, after) &&
           !takes_changed(after, w->template, w->changed);
}

static void add_needed(struct walk *w, struct str id)
{
    const struct node *resource = node_get(w->target, id), *before = node_get(w->old, id);
    if (!resource || map_has(&w->ret->ids, id) || (w->missing && before) ||
        is_kept(w, before, resource))
        return;
    struct str outer = w->path;
    w->path = outer.n ? str_fmt(w->arena, "%.*s -> %.*s", STR_ARG(outer), STR_ARG(id)) : id;
    map_put(&w->ret->ids, id, resource);
    find_holes(w, resource);
    cfn_each_value(node_get_c(resource, "Properties"), visit, w);
    size_t n;
    const struct node *const *depends = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++)
        add_needed(w, node_text(depends[i]));
    w->path = outer;
}

void closure_of(struct arena *a, const struct node *target, const struct node *old,
                const struct node *changed, const struct node *expression, struct closure *ret)
{
    struct walk w = {.arena = a,
                     .template = target,
                     .changed = changed,
                     .target = node_get_c(target, "Resources"),
                     .old = node_get_c(old, "Resources"),
                     .ret = ret};
    *ret = (struct closure){MAP(a), MAP(a)};
    cfn_each_value(expression, visit, &w);
}

void closure_of_missing(struct arena *a, const struct node *from, const struct node *into,
                        struct str id, const struct node *expression, struct closure *ret)
{
    struct walk w = {.arena = a,
                     .target = node_get_c(from, "Resources"),
                     .old = node_get_c(into, "Resources"),
                     .missing = true,
                     .ret = ret};
    *ret = (struct closure){MAP(a), MAP(a)};
    add_needed(&w, id);
    cfn_each_value(expression, visit, &w);
}

static bool stand_already(const struct map *parts, const struct node *old,
                          const struct node *target, const struct node *changed)
{
    for (size_t i = 0; i < parts->n; i++)
        if (!node_equal(node_get(old, parts->entries[i].key), parts->entries[i].value) ||
            takes_changed(parts->entries[i].value, target, changed))
            return false;
    return true;
}

/* ---- old and new in one template ---- */

static struct node *copy_or_new(struct arena *a, const struct node *n)
{
    return n ? node_shallow(a, n) : node_map(a);
}

/* Sections that resources may refer to: an entry of the newer template replaces the older one. */
static const char *const merged_sections[] = {"Mappings", "Conditions", "Transform", "Metadata",
                                              NULL};

static bool is_mentioned(const struct map *parts, struct str name)
{
    for (size_t i = 0; i < parts->n; i++)
        if (cfn_mentions(parts->entries[i].value, name))
            return true;
    return false;
}

static const struct node *renamed(void *context, struct arena *a, const struct cfn_value *v)
{
    const struct map *names = context;
    const struct str *to = v->attribute.n ? NULL : map_get(names, v->id);
    return to ? node_ref(a, *to) : NULL;
}

/* A value that now comes from the service stack may have the name of a resource that the stage
 * stack still has. CloudFormation takes no template with a parameter and a resource of one name, so
 * the parameter has another name until the resource is gone. */
static void merge_parameters(struct arena *a, struct node *out, const struct node *from,
                             const struct node *into, bool newer, const struct node *resources,
                             const struct map *parts, struct map *ret_renamed)
{
    struct node *parameters = copy_or_new(a, node_get_c(into, "Parameters"));
    member_each (m, node_get_c(from, "Parameters")) {
        if (!newer && node_get(parameters, m->key))
            continue;
        if (!node_get(resources, m->key)) {
            node_put(a, parameters, m->key, m->value);
            continue;
        }
        if (!is_mentioned(parts, m->key))
            continue;
        struct str *name = ARENA_NEW(a, struct str);
        *name = str_concat(a, STR(LAYOUT_RENAMED), m->key);
        node_put(a, parameters, *name, m->value);
        map_put(ret_renamed, m->key, name);
    }
    if (parameters->size)
        node_put_c(a, out, "Parameters", parameters);
}

/* The opposite of merge_parameters: the stack has a parameter, and a new resource has its name. The
 * parameter gets another name, also where `old` refers to it. */
static const struct node *make_room(struct arena *a, const struct node *old, const struct map *ids)
{
    struct map names = MAP(a);
    struct node *parameters = node_map(a);
    member_each (m, node_get_c(old, "Parameters")) {
        struct str *name = ARENA_NEW(a, struct str);
        *name = map_has(ids, m->key) ? str_concat(a, STR(LAYOUT_RENAMED), m->key) : m->key;
        node_put(a, parameters, *name, m->value);
        if (map_has(ids, m->key))
            map_put(&names, m->key, name);
    }
    if (!names.n)
        return old;
    struct node *out = node_shallow(a, old);
    node_put_c(a, out, "Parameters", parameters);
    node_put_c(a, out, "Resources",
               cfn_replace_values(a, node_get_c(old, "Resources"), renamed, &names));
    node_put_c(a, out, "Outputs",
               cfn_replace_values(a, node_get_c(old, "Outputs"), renamed, &names));
    return out;
}

const struct node *template_of_both(struct arena *a, const struct node *from,
                                    const struct node *into, bool newer, const struct map *ids,
                                    const struct map *values)
{
    into = make_room(a, into, ids);
    struct node *out = node_map(a);
    struct node *resources = copy_or_new(a, node_get_c(into, "Resources"));
    struct node *outputs = copy_or_new(a, node_get_c(into, "Outputs"));
    struct map parts = MAP(a), names = MAP(a);
    for (size_t i = 0; i < ids->n; i++) {
        map_put(&parts, ids->entries[i].key, ids->entries[i].value);
        node_put(a, resources, ids->entries[i].key, ids->entries[i].value);
    }
    for (size_t i = 0; i < values->n; i++)
        map_put(&parts, str_concat(a, STR("Outputs."), values->entries[i].key),
                values->entries[i].value);
    node_put_c(a, out, "AWSTemplateFormatVersion", node_get_c(from, "AWSTemplateFormatVersion"));
    cfn_merge_sections(a, out, newer ? into : from, newer ? from : into, merged_sections);
    merge_parameters(a, out, from, into, newer, resources, &parts, &names);
    for (size_t i = 0; i < ids->n; i++)
        node_put(a, resources, ids->entries[i].key,
                 cfn_replace_values(a, ids->entries[i].value, renamed, &names));
    for (size_t i = 0; i < values->n; i++)
        node_put(a, outputs, values->entries[i].key,
                 cfn_replace_values(a, values->entries[i].value, renamed, &names));
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

const struct node *layout_beside(struct arena *a, const struct node *target, const struct node *old)
{
    struct map ids = MAP(a), values = MAP(a), exports = MAP(a);
    const struct node *had = node_get_c(old, "Outputs");
    member_each (m, node_get_c(target, "Resources"))
        map_put(&ids, m->key, m->value);
    member_each (m, had)
        map_put(&exports, node_text(node_path(m->value, "Export.Name")), m->value);
    member_each (m, node_get_c(target, "Outputs")) {
        struct str export = node_text(node_path(m->value, "Export.Name"));
        if (!node_get(had, m->key) && !(export.n && map_has(&exports, export)))
            map_put(&values, m->key, m->value);
    }
    return template_of_both(a, target, old, true, &ids, &values);
}

const struct node *layout_with_a_resource(struct arena *a, const struct node *template)
{
    const struct node *resources = node_get_c(template, "Resources");
    member_each (m, resources)
        if (!node_get_c(m->value, "Condition"))
            return template;
    const struct node *placeholder =
        node_fn(a, "Type", node_str(a, STR("AWS::CloudFormation::WaitConditionHandle")));
    return cfn_with(a, template, "Resources",
                    cfn_with(a, resources, LAYOUT_PLACEHOLDER, placeholder));
}

const struct node *layout_expand(struct arena *a, const struct layout *layout,
                                 const struct node *target, const struct node *old,
                                 const struct node *changed, struct map *ret_waiting)
{
    struct map ids = MAP(a), values = MAP(a);
    for (size_t i = 0; i < layout->value_count; i++) {
        const struct layout_value *v = &layout->values[i];
        struct closure c;
        closure_of(a, target, old, changed, v->expression, &c);
        if (c.holes.n) {
            map_put(ret_waiting, v->output, v);
            continue;
        }
        for (size_t k = 0; k < c.ids.n; k++)
            map_put(&ids, c.ids.entries[k].key, c.ids.entries[k].value);
        map_put(&values, v->output, node_get(node_get_c(target, "Outputs"), v->output));
    }
    if (stand_already(&ids, node_get_c(old, "Resources"), target, changed) &&
        stand_already(&values, node_get_c(old, "Outputs"), target, changed))
        return NULL;
    return layout_with_a_resource(a, template_of_both(a, target, old, true, &ids, &values));
}
