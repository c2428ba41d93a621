/* What plugins make of the template: the framework's compared with what compile makes of the same
 * service. Left out of the comparison is what is another in each package: hashes of code, the times
 * in keys of zips. */
#include "compile/bridge/bridge_internal.h"

#include "base/buf.h"
#include "cfn/expression.h"
#include "cfn/template.h"
#include "compile/patches.h"

struct comparing {
    struct arena *arena;
    struct node *patches, *resources, *outputs, *sections;
};

/* ---- what counts ---- */

static const struct node *without(struct arena *a, const struct node *map, const char *const *path)
{
    const struct node *below = node_get_c(map, path[0]);
    if (!node_is(below, NODE_MAP) && path[1])
        return map;
    if (!below)
        return map;
    return cfn_with(a, map, path[0], path[1] ? without(a, below, path + 1) : NULL);
}

static const struct node *steady_resource(struct arena *a, const struct node *resource)
{
    static const struct {
        const char *type, *path[4];
    } rows[] = {{"AWS::Lambda::Function", {"Properties", "Code", "S3Key"}},
                {"AWS::Lambda::Function", {"Properties", "Code", "S3Bucket"}},
                {"AWS::Lambda::LayerVersion", {"Properties", "Content", "S3Key"}},
                {"AWS::Lambda::LayerVersion", {"Properties", "Content", "S3Bucket"}},
                {"AWS::Lambda::Version", {"Properties", "CodeSha256"}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (node_is_text(node_get_c(resource, "Type"), rows[i].type))
            resource = without(a, resource, rows[i].path);
    if (str_starts(node_text(node_get_c(resource, "Type")), STR("Custom::")))
        resource = without(a, resource, (const char *const[4]){"Properties", "ForceDeploy"});
    return resource;
}

/* Outputs that the framework makes to find unchanged layers again. */
static bool is_of_layers(struct str id)
{
    return str_ends(id, STR("LambdaLayerHash")) || str_ends(id, STR("LambdaLayerS3Key"));
}

static const struct node *steady(struct arena *a, const struct node *template)
{
    template = patches_steady(a, template, NULL);
    struct node *resources = node_map(a), *outputs = node_map(a);
    member_each (m, node_get_c(template, "Resources"))
        node_put(a, resources, m->key, steady_resource(a, m->value));
    member_each (m, node_get_c(template, "Outputs"))
        if (!is_of_layers(m->key))
            node_put(a, outputs, m->key, m->value);
    struct node *out = node_shallow(a, template);
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

/* ---- patches ---- */

struct path {
    const struct path *up;
    struct str key;
};

static void path_nodes(struct arena *a, const struct path *p, struct node *list)
{
    if (!p)
        return;
    path_nodes(a, p->up, list);
    node_push(a, list, node_str(a, p->key));
}

/* A patch, by its path as a JSON pointer. */
static struct node *add_patch(struct comparing *c, const struct path *path, const char *more)
{
    struct arena *a = c->arena;
    struct node *list = node_seq(a), *patch = node_map(a);
    struct buf name = BUF(a);
    path_nodes(a, path, list);
    node_each (key, list)
        buf_fmt(&name, "/%.*s", STR_ARG(node_text(key)));
    buf_add(&name, str_c(more));
    node_put_c(a, patch, "path", list);
    node_put(a, c->patches, buf_str(&name), patch);
    return patch;
}

static void compare(struct comparing *c, const struct path *path, const struct node *made,
                    const struct node *wanted);

/* Items that both have at the beginning and at the end stay; of what is between, each is compared
 * with the one in its place where there are as many, or else replaced. */
static void compare_lists(struct comparing *c, const struct path *path, const struct node *made,
                          const struct node *wanted)
{
    struct arena *a = c->arena;
    size_t from = 0, x = made->count, y = wanted->count;
    while (from < x && from < y && node_equal(made->items[from], wanted->items[from]))
        from++;
    while (x > from && y > from && node_equal(made->items[x - 1], wanted->items[y - 1])) {
        x--;
        y--;
    }
    if (x == y) {
        for (size_t i = from; i < x; i++) {
            struct path item = {path, str_fmt(a, "%zu", i)};
            compare(c, &item, made->items[i], wanted->items[i]);
        }
        return;
    }
    struct node *patch = add_patch(c, path, "/-"), *insert = node_seq(a);
    for (size_t i = from; i < y; i++)
        node_push(a, insert, wanted->items[i]);
    node_put_c(a, patch, "at", node_int(a, (int64_t)from));
    node_put_c(a, patch, "remove", node_int(a, (int64_t)(x - from)));
    node_put_c(a, patch, "insert", insert);
}

static void compare_maps(struct comparing *c, const struct path *path, const struct node *made,
                         const struct node *wanted)
{
    member_each (m, wanted) {
        struct path item = {path, m->key};
        compare(c, &item, node_get(made, m->key), m->value);
    }
    member_each (m, made) {
        struct path item = {path, m->key};
        if (!node_get(wanted, m->key))
            node_put_c(c->arena, add_patch(c, &item, ""), "absent", node_bool(c->arena, true));
    }
}

static void compare(struct comparing *c, const struct path *path, const struct node *made,
                    const struct node *wanted)
{
    if (node_equal(made, wanted))
        return;
    bool function = cfn_is_function(made) || cfn_is_function(wanted); /* is one value */
    if (node_is(made, NODE_MAP) && node_is(wanted, NODE_MAP) && !function)
        compare_maps(c, path, made, wanted);
    else if (node_is(made, NODE_SEQ) && node_is(wanted, NODE_SEQ))
        compare_lists(c, path, made, wanted);
    else
        node_put_c(c->arena, add_patch(c, path, ""), "value", wanted);
}

/* Resources and outputs: new ones are the user's, as if the file had them. */
static void compare_section(struct comparing *c, const char *name, const struct node *made,
                            const struct node *wanted, struct node *added)
{
    struct path top = {NULL, str_c(name)};
    member_each (m, wanted) {
        struct path item = {&top, m->key};
        const struct node *old = node_get(made, m->key);
        if (old)
            compare(c, &item, old, m->value);
        else
            node_put(c->arena, added, m->key, m->value);
    }
    member_each (m, made) {
        struct path item = {&top, m->key};
        if (!node_get(wanted, m->key))
            node_put_c(c->arena, add_patch(c, &item, ""), "absent", node_bool(c->arena, true));
    }
}

static const struct node *with_added(struct arena *a, const struct node *resources,
                                     const char *section, const struct node *added)
{
    if (!node_count(added))
        return resources;
    struct node *out = node_is(resources, NODE_MAP) ? node_shallow(a, resources) : node_map(a);
    const struct node *old = node_get_c(out, section);
    struct node *all = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    member_each (m, added)
        node_put(a, all, m->key, m->value);
    node_put_c(a, out, section, all);
    return out;
}

const struct node *compare_add(struct arena *a, const struct node *file,
                               const struct node *compiled, const struct node *wanted)
{
    struct comparing c = {.arena = a,
                          .patches = node_map(a),
                          .resources = node_map(a),
                          .outputs = node_map(a),
                          .sections = node_map(a)};
    compiled = steady(a, compiled);
    wanted = steady(a, wanted);
    member_each (m, wanted) {
        struct path top = {NULL, m->key};
        const struct node *made = node_get(compiled, m->key);
        if (str_eq(m->key, STR("Resources")))
            compare_section(&c, "Resources", made, m->value, c.resources);
        else if (str_eq(m->key, STR("Outputs")))
            compare_section(&c, "Outputs", made, m->value, c.outputs);
        else if (made)
            compare(&c, &top, made, m->value);
        else
            node_put(a, c.sections, m->key, m->value);
    }
    const struct node *resources = node_get_c(file, "resources");
    resources = with_added(a, resources, "Resources", c.resources);
    resources = with_added(a, resources, "Outputs", c.outputs);
    if (c.sections->size) {
        struct node *all = node_is(resources, NODE_MAP) ? node_shallow(a, resources) : node_map(a);
        member_each (m, c.sections)
            node_put(a, all, m->key, m->value);
        resources = all;
    }
    struct node *out = node_shallow(a, file);
    node_put_c(a, out, "resources", resources);
    if (c.patches->size)
        node_put_c(a, out, "patches", c.patches);
    return out;
}

struct str compare_rest(struct arena *a, const struct node *compiled, const struct node *wanted)
{
    struct node_change *changes;
    size_t n;
    node_diff(a, steady(a, compiled), steady(a, wanted), &changes, &n);
    return n ? changes[0].path : (struct str){"", 0};
}
