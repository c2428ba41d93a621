/* Expand: what must exist in the stage stack before functions can be published. */
#include "layout/internal.h"

struct closure {
    struct arena *arena;
    const struct node *target; /* Resources of the final template */
    const struct node *old;    /* those of the stack as it is, or NULL */
    struct map ids;            /* those needed, in the order found */
    struct str path;           /* how the one being looked at was reached: "A -> B" */
    struct pos pos;            /* where the value is needed */
    bool failed;
    struct err *err;
};

static void add_needed(struct closure *c, struct str id);

static void visit(void *context, struct str id, const struct node *at)
{
    (void)at;
    add_needed(context, id);
}

static bool has_hole(const struct node *n)
{
    if (node_is(n, NODE_MAP) && n->size == 1 && str_starts(n->members[0].key, STR("Troupe::")))
        return true;
    node_each (item, n)
        if (has_hole(item))
            return true;
    member_each (m, n)
        if (has_hole(m->value))
            return true;
    return false;
}

/* Resources whose values stay what they are until one of these properties changes. Source:
 * CloudFormation resource reference, "Update requires: Replacement" and "Return values". */
static const struct lasting {
    const char *type, *identity[2];
} lasting[] = {
    {"AWS::Lambda::Function", {"FunctionName"}},
    {"AWS::IAM::Role", {"RoleName", "Path"}},
    {"AWS::SQS::Queue", {"QueueName", "FifoQueue"}},
    {"AWS::SNS::Topic", {"TopicName", "FifoTopic"}},
    {"AWS::S3::Bucket", {"BucketName"}},
    {"AWS::Logs::LogGroup", {"LogGroupName"}},
};

static bool same_property(const struct node *before, const struct node *after, const char *name)
{
    return !name || node_equal(node_get_c(node_get_c(before, "Properties"), name),
                               node_get_c(node_get_c(after, "Properties"), name));
}

/* What is there and keeps its values changes with the pointers, not before: the stage still serves
 * what needs it as it is, and a failing deployment must leave it so. */
static bool is_kept(const struct node *before, const struct node *after)
{
    for (size_t i = 0; i < sizeof lasting / sizeof *lasting; i++)
        if (node_is_text(node_get_c(before, "Type"), lasting[i].type) &&
            node_is_text(node_get_c(after, "Type"), lasting[i].type))
            return same_property(before, after, lasting[i].identity[0]) &&
                   same_property(before, after, lasting[i].identity[1]) &&
                   node_equal(node_get_c(before, "Condition"), node_get_c(after, "Condition"));
    return false;
}

static void add_needed(struct closure *c, struct str id)
{
    const struct node *resource = node_get(c->target, id);
    if (!resource || map_has(&c->ids, id) || c->failed || is_kept(node_get(c->old, id), resource))
        return;
    struct str outer = c->path;
    c->path = outer.n ? str_fmt(c->arena, "%.*s -> %.*s", STR_ARG(outer), STR_ARG(id)) : id;
    if (has_hole(resource)) {
        c->failed = true;
        err_at(c->err, c->pos, ERR_CONFIG,
               "a function needs '%.*s' before it is published, which needs a published function: "
               "a cycle",
               STR_ARG(outer.n ? outer : id));
        err_note(c->err, (struct pos){0}, "%.*s", STR_ARG(c->path));
        err_help(c->err, "name the resource instead of referring to it, or pass the value another "
                         "way, for example by a parameter in SSM");
        return;
    }
    map_put(&c->ids, id, (void *)resource);
    references_each(c->arena, node_get_c(resource, "Properties"), visit, c);
    const struct node *depends = node_get_c(resource, "DependsOn");
    if (node_is(depends, NODE_STRING))
        add_needed(c, depends->text);
    node_each (item, depends)
        add_needed(c, node_text(item));
    c->path = outer;
}

static int find_closure(struct closure *c, const struct layout *layout)
{
    for (size_t i = 0; i < layout->value_count && !c->failed; i++) {
        c->pos = layout->values[i].pos;
        references_each(c->arena, layout->values[i].expression, visit, c);
    }
    return c->failed ? -1 : 0;
}

static bool stands_already(const struct closure *c, const struct layout *layout,
                           const struct node *target, const struct node *old)
{
    for (size_t i = 0; i < c->ids.n; i++)
        if (!node_equal(node_get(node_get_c(old, "Resources"), c->ids.entries[i].key),
                        c->ids.entries[i].value))
            return false;
    for (size_t i = 0; i < layout->value_count; i++) {
        struct str name = layout->values[i].output;
        if (!node_equal(node_get(node_get_c(old, "Outputs"), name),
                        node_get(node_get_c(target, "Outputs"), name)))
            return false;
    }
    return true;
}

/* ---- old and new in one template ---- */

static struct node *copy_or_new(struct arena *a, const struct node *n)
{
    return n ? node_shallow(a, n) : node_map(a);
}

/* Sections that resources may refer to: the new ones over the old. */
static void merge_sections(struct arena *a, struct node *out, const struct node *target,
                           const struct node *old)
{
    static const char *const names[] = {"Mappings", "Conditions", "Transform", "Metadata"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct node *before = node_get_c(old, names[i]), *now = node_get_c(target, names[i]);
        node_put_c(a, out, names[i],
                   before && now ? node_merge(a, before, now)
                   : now         ? now
                                 : before);
    }
}

static bool is_mentioned(struct arena *a, const struct map *parts, struct str name)
{
    for (size_t i = 0; i < parts->n; i++)
        if (layout_mentions(a, parts->entries[i].value, name))
            return true;
    return false;
}

static const struct node *renamed(void *context, struct arena *a, struct str id,
                                  struct str attribute)
{
    const struct map *names = context;
    const struct str *to = attribute.n ? NULL : map_get(names, id);
    return to ? node_ref(a, *to) : NULL;
}

/* A value that comes from the service now may have the name of a resource that the stack still has:
 * CloudFormation takes no template with both, so the parameter has another name for as long. */
static void merge_parameters(struct arena *a, struct node *out, const struct node *target,
                             const struct node *old, const struct node *resources,
                             const struct map *parts, struct map *ret_renamed)
{
    struct node *parameters = copy_or_new(a, node_get_c(old, "Parameters"));
    member_each (m, node_get_c(target, "Parameters")) {
        if (!node_get(resources, m->key)) {
            node_put(a, parameters, m->key, m->value);
            continue;
        }
        if (!is_mentioned(a, parts, m->key))
            continue;
        struct str *name = ARENA_NEW(a, struct str);
        *name = str_concat(a, STR(LAYOUT_RENAMED), m->key);
        node_put(a, parameters, *name, m->value);
        map_put(ret_renamed, m->key, name);
    }
    if (parameters->size)
        node_put_c(a, out, "Parameters", parameters);
}

/* The other way round: a parameter that the stack has, and a new resource of that name. */
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
               layout_replace_references(a, node_get_c(old, "Resources"), renamed, &names));
    node_put_c(a, out, "Outputs",
               layout_replace_references(a, node_get_c(old, "Outputs"), renamed, &names));
    return out;
}

/* `old` with resources `ids` and Outputs `values` of `target`. */
static const struct node *both(struct arena *a, const struct node *target, const struct node *old,
                               const struct map *ids, const struct map *values)
{
    old = make_room(a, old, ids);
    struct node *out = node_map(a);
    struct node *resources = copy_or_new(a, node_get_c(old, "Resources"));
    struct node *outputs = copy_or_new(a, node_get_c(old, "Outputs"));
    struct map parts = MAP(a), names = MAP(a);
    for (size_t i = 0; i < ids->n; i++) {
        map_put(&parts, ids->entries[i].key, ids->entries[i].value);
        node_put(a, resources, ids->entries[i].key, ids->entries[i].value);
    }
    for (size_t i = 0; i < values->n; i++)
        map_put(&parts, str_concat(a, STR("Outputs."), values->entries[i].key),
                values->entries[i].value);
    node_put_c(a, out, "AWSTemplateFormatVersion", node_get_c(target, "AWSTemplateFormatVersion"));
    merge_sections(a, out, target, old);
    merge_parameters(a, out, target, old, resources, &parts, &names);
    for (size_t i = 0; i < ids->n; i++)
        node_put(a, resources, ids->entries[i].key,
                 layout_replace_references(a, ids->entries[i].value, renamed, &names));
    for (size_t i = 0; i < values->n; i++)
        node_put(a, outputs, values->entries[i].key,
                 layout_replace_references(a, values->entries[i].value, renamed, &names));
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

const struct node *layout_beside(struct arena *a, const struct node *target, const struct node *old)
{
    struct map ids = MAP(a), values = MAP(a), exports = MAP(a);
    const struct node *had = node_get_c(old, "Outputs");
    member_each (m, node_get_c(target, "Resources"))
        map_put(&ids, m->key, (void *)m->value);
    member_each (m, had)
        map_put(&exports, node_text(node_path(m->value, "Export.Name")), (void *)m->value);
    member_each (m, node_get_c(target, "Outputs")) {
        struct str export = node_text(node_path(m->value, "Export.Name"));
        if (!node_get(had, m->key) && !(export.n && map_has(&exports, export)))
            map_put(&values, m->key, (void *)m->value);
    }
    return both(a, target, old, &ids, &values);
}

int layout_expand(struct arena *a, const struct layout *layout, const struct node *target,
                  const struct node *old, const struct node **ret, struct err *err)
{
    struct closure c = {.arena = a,
                        .target = node_get_c(target, "Resources"),
                        .old = node_get_c(old, "Resources"),
                        .ids = MAP(a),
                        .err = err};
    struct map values = MAP(a);
    *ret = NULL;
    if (find_closure(&c, layout) < 0)
        return -1;
    if (stands_already(&c, layout, target, old))
        return 0;
    for (size_t i = 0; i < layout->value_count; i++) {
        struct str name = layout->values[i].output;
        map_put(&values, name, (void *)node_get(node_get_c(target, "Outputs"), name));
    }
    *ret = both(a, target, old, &c.ids, &values);
    return 0;
}
