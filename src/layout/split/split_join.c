/* Joining: the flat template of a root and its nested stacks. */
#include "layout/split/split_internal.h"

struct joining {
    struct arena *arena;
    const struct node *root;
    const struct map *nested;
    const struct node *inner;     /* the nested stack whose values are turned; NULL: the root */
    const struct node *arguments; /* the values that the root gives for its Parameters */
};

bool layout_is_nested(struct str id, const struct node *resource)
{
    return str_starts(id, STR(PART_PREFIX)) &&
           node_is_text(node_get_c(resource, "Type"), PART_TYPE);
}

/* The value that `n` is, without what splitting put around it: the Fn::If of a condition, the Join
 * of a list. */
static bool plain_value(const struct node *n, struct cfn_value *ret)
{
    const struct node *branches = node_get_c(n, "Fn::If"), *join = node_get_c(n, "Fn::Join");
    if (node_is(branches, NODE_SEQ) && branches->count == 3)
        n = branches->items[1];
    if (node_is(join, NODE_SEQ) && join->count == 2)
        n = join->items[1];
    return cfn_value_of(n, ret);
}

/* The value behind {"Fn::GetAtt": [nested stack, "Outputs.X"]} of the root: what that stack's
 * Output X is. */
static bool output_of(const struct joining *j, const struct cfn_value *v, struct cfn_value *ret)
{
    const struct node *inner = map_get(j->nested, v->id);
    struct str name = v->attribute;
    if (!inner || !str_skip(&name, STR("Outputs.")))
        return false;
    return plain_value(node_get_c(node_get(node_get_c(inner, "Outputs"), name), "Value"), ret);
}

static const struct node *turn_back(void *context, struct arena *a, const struct cfn_value *v)
{
    const struct joining *j = context;
    struct cfn_value outer = *v, inner;
    if (j->inner && (v->attribute.n || !plain_value(node_get(j->arguments, v->id), &outer)))
        return NULL;
    if (!output_of(j, &outer, &inner))
        inner = outer;
    bool same = str_eq(inner.id, v->id) && str_eq(inner.attribute, v->attribute);
    return same ? NULL : node_from(cfn_value_node(a, &inner), v->at);
}

static const struct node *kept(const struct node *template, const char *what)
{
    return node_get_c(node_get_c(node_get_c(template, "Metadata"), PART_METADATA), what);
}

static void add_output(struct joining *j, struct str name, const struct node *output,
                       const char *stack, struct node *out, struct map *assigned)
{
    node_put(j->arena, out, name, cfn_replace_values(j->arena, output, turn_back, j));
    if (assigned)
        map_put(assigned, str_concat(j->arena, STR(OUTPUT_PREFIX), name), stack);
}

static void add_resources(struct joining *j, const struct node *template, const char *stack,
                          struct node *out, struct map *assigned)
{
    struct arena *a = j->arena;
    const struct node *depends = kept(template, "DependsOn");
    member_each (m, node_get_c(template, "Resources")) {
        const struct node *was = node_get(depends, m->key);
        if (!j->inner && layout_is_nested(m->key, m->value) && map_has(j->nested, m->key))
            continue;
        const struct node *r = cfn_replace_values(a, m->value, turn_back, j);
        node_put(a, out, m->key, was ? cfn_with(a, r, "DependsOn", was) : r);
        if (assigned)
            map_put(assigned, m->key, stack);
    }
}

static int check_all_there(const struct joining *j, struct err *err)
{
    member_each (m, node_get_c(j->root, "Resources"))
        if (layout_is_nested(m->key, m->value) && !map_has(j->nested, m->key))
            return err_set(err, ERR_FAILED, "the template of nested stack '%.*s' is missing",
                           STR_ARG(m->key));
    return 0;
}

static const struct node *without_kept(struct arena *a, const struct node *metadata)
{
    const struct node *out = cfn_with(a, metadata, PART_METADATA, NULL);
    return out->size ? out : NULL;
}

int layout_join(struct arena *a, const struct node *root, const struct map *nested,
                const struct node **ret, struct map *ret_assigned, struct err *err)
{
    struct joining j = {.arena = a, .root = root, .nested = nested};
    struct node *outputs = node_map(a);
    const struct node *metadata = node_get_c(root, "Metadata");
    if (check_all_there(&j, err) < 0)
        return -1;
    struct node *resources = node_map(a);
    add_resources(&j, root, "", resources, ret_assigned);
    member_each (m, node_get_c(root, "Outputs"))
        add_output(&j, m->key, m->value, "", outputs, ret_assigned);
    if (!nested->n) {
        *ret = root;
        return 0;
    }
    struct node *out = node_shallow(a, root);
    for (size_t i = 0; i < nested->n; i++) {
        struct str id = nested->entries[i].key;
        const struct node *of = node_get(node_get_c(root, "Resources"), id);
        j.inner = nested->entries[i].value;
        j.arguments = node_path(of, "Properties.Parameters");
        add_resources(&j, j.inner, str_z(a, id), resources, ret_assigned);
        node_each (name, kept(j.inner, "Outputs"))
            add_output(&j, node_text(name),
                       node_get(node_get_c(j.inner, "Outputs"), node_text(name)), str_z(a, id),
                       outputs, ret_assigned);
    }
    if (outputs->size)
        node_put_c(a, out, "Outputs", outputs);
    node_put_c(a, out, "Resources", resources);
    if (metadata && node_get_c(metadata, PART_METADATA)) {
        node_drop(out, STR("Metadata"));
        node_put_c(a, out, "Metadata", without_kept(a, metadata));
    }
    *ret = out;
    return 0;
}
