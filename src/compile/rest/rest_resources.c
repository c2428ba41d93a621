/* The tree of path parts: one AWS::ApiGateway::Resource for every prefix of every path, unless
 * provider.apiGateway.restApiResources knows its id. */
#include "compile/rest/rest.h"

static struct str trimmed(struct str path)
{
    str_skip(&path, STR("/"));
    str_strip(&path, STR("/"));
    return path;
}

static void note_existing(struct compilation *c, struct str path, const struct node *id)
{
    if (node_truthy(id))
        map_put(&c->rest->resource_ids, trimmed(path), id);
}

/* Read restApiResources: a map of path to id, or a list of {path, resourceId}. */
static void read_existing(struct compilation *c)
{
    const struct node *known = node_get_c(c->rest->settings, "restApiResources");
    member_each (m, known)
        note_existing(c, m->key, m->value);
    node_each (item, known)
        note_existing(c, node_text(node_get_c(item, "path")), node_get_c(item, "resourceId"));
}

/* Refuse a path whose id is not known although that of a longer path is: API Gateway has both, and
 * this template would make it a second time. */
static int check_missing(struct compilation *c, const struct rest_event *e, struct str path,
                         size_t known, struct err *err)
{
    struct str below = str_concat(c->arena, path, STR("/"));
    for (size_t i = 0; i < known; i++) {
        if (!str_starts(c->rest->resource_ids.entries[i].key, below))
            continue;
        err_at(err, e->event.pos, ERR_CONFIG, "the id of resource '/%.*s' is not known",
               STR_ARG(path));
        return err_help(err, "add '/%.*s' to 'provider.apiGateway.restApiResources'",
                        STR_ARG(path));
    }
    return 0;
}

/* Length of the longest beginning of `path` whose resource has an id, which goes to `*ret`. */
static size_t longest_known(struct compilation *c, struct str path, const struct node **ret)
{
    size_t longest = 0;
    *ret = c->rest->root;
    for (size_t end = 1; end <= path.n; end++) {
        const struct node *id = end == path.n || path.p[end] == '/'
                                    ? map_get(&c->rest->resource_ids, str_sub(path, 0, end))
                                    : NULL;
        if (!id)
            continue;
        longest = end;
        *ret = id;
    }
    return longest;
}

/* Logical ids forget the case of letters and some signs: two paths may end up with one. */
static int refuse_same_id(struct compilation *c, const struct rest_event *e, struct str path,
                          struct str id, struct err *err)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < c->rest->resource_ids.n; i++) {
        struct str other = c->rest->resource_ids.entries[i].key;
        if (!str_eq(name_path(a, other), name_path(a, path)))
            continue;
        struct str below = str_concat(a, other, STR("/"));
        err_at(err, node_pos(e->path_node), ERR_CONFIG,
               "paths '/%.*s' and '/%.*s' get the same logical id '%.*s'", STR_ARG(other),
               STR_ARG(path), STR_ARG(id));
        vec_each (&c->rest->events, first)
            if (str_eq(first->path, other) || str_starts(first->path, below)) {
                err_note(err, node_pos(first->path_node), "'/%.*s' is part of '/%.*s'",
                         STR_ARG(other), STR_ARG(first->path));
                break;
            }
        return err_help(err, "write that part of the paths the same way, or rename one of them");
    }
    return 0;
}

/* The resource of `path`, whose last part begins at `from`. */
static const struct node *resource_make(struct compilation *c, const struct rest_event *e,
                                        struct str path, size_t from, const struct node *parent,
                                        struct err *err)
{
    struct arena *a = c->arena;
    struct str id = str_concat(a, STR("ApiGatewayResource"), name_path(a, path));
    struct str part = str_sub(path, from, SIZE_MAX);
    struct node *p = node_map(a);
    node_put_c(a, p, "ParentId", parent);
    node_put_c(a, p, "PathPart", node_from(node_str(a, part), e->path_node));
    node_put_c(a, p, "RestApiId", c->rest->id);
    struct node *resource = resource_new(a, "AWS::ApiGateway::Resource", p);
    if (refuse_same_id(c, e, path, id, err) < 0 ||
        resource_add(c, id, resource, e->event.pos, err) < 0)
        return NULL;
    const struct node *ref = node_ref(a, id);
    map_put(&c->rest->resource_ids, path, ref);
    return ref;
}

static int path_add(struct compilation *c, const struct rest_event *e, size_t known,
                    struct err *err)
{
    const struct node *parent;
    size_t from = longest_known(c, e->path, &parent);
    while (from < e->path.n) {
        from += from > 0; /* the slash */
        ptrdiff_t slash = str_find_char(e->path, '/', from);
        size_t end = slash < 0 ? e->path.n : (size_t)slash;
        struct str path = str_sub(e->path, 0, end);
        if (check_missing(c, e, path, known, err) < 0)
            return -1;
        parent = resource_make(c, e, path, from, parent, err);
        if (!parent)
            return -1;
        from = end;
    }
    return 0;
}

int rest_resources(struct compilation *c, struct err *err)
{
    read_existing(c);
    size_t known = c->rest->resource_ids.n;
    vec_each (&c->rest->events, e) {
        struct err one = {0};
        path_add(c, e, known, &one);
        err_also(err, &one);
    }
    map_put(&c->rest->resource_ids, STR(""), c->rest->root);
    return err->kind ? -1 : 0;
}
