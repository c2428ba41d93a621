/* The user's `resources:` are merged into what was compiled, then `extensions` are applied, then
 * members that are null are taken out. */
#include "compile/compile_internal.h"

struct node *template_new(struct arena *a, const struct node *resources, const struct node *outputs)
{
    struct node *t = node_map(a);
    node_put_c(a, t, "AWSTemplateFormatVersion", node_c(a, "2010-09-09"));
    node_put_c(a, t, "Description",
               node_c(a, "The AWS CloudFormation template for this Serverless application"));
    node_put_c(a, t, "Resources", resources);
    node_put_c(a, t, "Outputs", outputs);
    return t;
}

/* `resources:` as one map: a list is merged from left to right. */
static const struct node *user_resources(struct compilation *c)
{
    const struct node *given = node_get_c(c->service->root, "resources");
    if (!node_is(given, NODE_SEQ))
        return given;
    const struct node *merged = NULL;
    node_each (part, given)
        if (!node_empty(part))
            merged = node_merge(c->arena, merged, part);
    return merged;
}

/* ---- extensions ---- */

enum extension_way { EXTEND_REPLACE, EXTEND_ASSIGN, EXTEND_APPEND };

static const struct extension {
    const char *attribute;
    enum extension_way way;
} extensions[] = {
    {"Condition", EXTEND_REPLACE},
    {"CreationPolicy", EXTEND_REPLACE},
    {"DeletionPolicy", EXTEND_REPLACE},
    {"UpdatePolicy", EXTEND_REPLACE},
    {"UpdateReplacePolicy", EXTEND_REPLACE},
    {"Properties", EXTEND_ASSIGN},
    {"Metadata", EXTEND_ASSIGN},
    {"DependsOn", EXTEND_APPEND},
};

static const struct extension *extension_of(struct str attribute)
{
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (str_eq(attribute, str_c(extensions[i].attribute)))
            return &extensions[i];
    return NULL;
}

static const struct node *assigned(struct arena *a, const struct node *old, const struct node *add)
{
    struct node *map = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    member_each (m, add)
        node_put_at(a, map, m->key, m->key_pos, m->value);
    return map;
}

static const struct node *appended(struct arena *a, const struct node *old, const struct node *add)
{
    struct node *list = node_is(old, NODE_SEQ) ? node_shallow(a, old) : node_seq(a);
    if (node_is(old, NODE_STRING))
        node_push(a, list, old);
    if (node_is(add, NODE_SEQ))
        node_each (item, add)
            node_push(a, list, item);
    else if (!node_empty(add))
        node_push(a, list, add);
    return list;
}

static int extend_one(struct compilation *c, struct node *resources, const struct member *extension,
                      struct err *err)
{
    struct arena *a = c->arena;
    const struct node *old = node_get(resources, extension->key);
    if (!old)
        return err_at(err, extension->key_pos, ERR_CONFIG,
                      "cannot extend '%.*s': there is no such resource", STR_ARG(extension->key));
    struct node *resource = node_shallow(a, old);
    member_each (m, extension->value) {
        const struct extension *e = extension_of(m->key);
        if (!e)
            return err_at(err, m->key_pos, ERR_CONFIG,
                          "cannot extend '%.*s': attribute '%.*s' cannot be extended",
                          STR_ARG(extension->key), STR_ARG(m->key));
        const struct node *before = node_get(resource, m->key);
        node_put_at(a, resource, m->key, m->key_pos,
                    e->way == EXTEND_REPLACE  ? m->value
                    : e->way == EXTEND_ASSIGN ? assigned(a, before, m->value)
                                              : appended(a, before, m->value));
    }
    node_put(a, resources, extension->key, resource);
    return 0;
}

/* ---- nulls ---- */

/* `n` without members that are null, at any depth; items of lists stay. */
static const struct node *without_nulls(struct arena *a, const struct node *n)
{
    if (n->kind == NODE_SEQ) {
        struct node *out = NULL;
        for (size_t i = 0; i < n->count; i++) {
            const struct node *item = without_nulls(a, n->items[i]);
            if (item == n->items[i])
                continue;
            out = out ? out : node_shallow(a, n);
            out->items[i] = item;
        }
        return out ? out : n;
    }
    if (n->kind != NODE_MAP)
        return n;
    struct node *out = node_map(a);
    bool changed = false;
    member_each (m, n) {
        if (m->value->kind == NODE_NULL) {
            changed = true;
            continue;
        }
        const struct node *value = without_nulls(a, m->value);
        changed = changed || value != m->value;
        node_put_at(a, out, m->key, m->key_pos, value);
    }
    return changed ? node_from(out, n) : n;
}

static void strip_properties(struct arena *a, struct node *resources)
{
    for (size_t i = 0; i < resources->size; i++) {
        struct member *m = &resources->members[i];
        const struct node *p = node_get_c(m->value, "Properties");
        if (!p)
            continue;
        m->value = cfn_with(a, m->value, "Properties", node_truthy(p) ? without_nulls(a, p) : NULL);
    }
}

/* ---- all of it ---- */

static int check_resources(const struct node *resources, struct err *err)
{
    if (!node_is(resources, NODE_MAP))
        return err_at(err, node_pos(resources), ERR_CONFIG, "'Resources' must be a map, not %s",
                      node_kind_name(resources));
    member_each (m, resources)
        /* functions in place of resources, Fn::ForEach with its list */
        if (!node_is(m->value, NODE_MAP) && !str_starts(m->key, STR("Fn::")))
            return err_at(err, m->key_pos.source ? m->key_pos : m->value->pos, ERR_CONFIG,
                          "resource '%.*s' must be a map, not %s", STR_ARG(m->key),
                          node_kind_name(m->value));
    return 0;
}

static const struct node *given_sections(struct arena *a, const struct node *user)
{
    struct node *sections = node_shallow(a, user);
    node_drop(sections, STR("extensions"));
    /* `Resources:` or `Outputs:` with nothing below it must not replace what was compiled. */
    static const char *const maps[] = {"Resources", "Outputs"};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (node_empty(node_get_c(sections, maps[i])))
            node_drop(sections, str_c(maps[i]));
    return sections;
}

const struct node *resources_finish(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *template = template_new(a, c->resources, c->outputs);
    const struct node *user = user_resources(c);
    if (!node_empty(user) && !node_is(user, NODE_MAP)) {
        err_at(err, node_pos(user), ERR_CONFIG, "'resources' must be a map, not %s",
               node_kind_name(user));
        return NULL;
    }
    if (!node_empty(user))
        template = node_merge(a, template, given_sections(a, user));
    if (check_resources(node_get_c(template, "Resources"), err) < 0)
        return NULL;
    struct node *resources = node_shallow(a, node_get_c(template, "Resources"));
    const struct node *extended = node_get_c(user, "extensions");
    member_each (m, extended)
        if (extend_one(c, resources, m, err) < 0)
            return NULL;
    strip_properties(a, resources);
    return cfn_with(a, template, "Resources", resources);
}
