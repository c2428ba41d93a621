/* The tree of path parts: one AWS::ApiGateway::Resource for every prefix of every path, unless
 * provider.apiGateway.restApiResources knows its id. */
#include "compile/rest/rest.h"

static struct str trimmed(struct str path)
{
    str_skip(&path, STR("/"));
    str_strip(&path, STR("/"));
    return path;
}

/* One of the paths that have one logical id. */
struct named_path {
    struct str path;
    const struct named_path *before;
};

static void note_path(struct compilation *c, struct str path, const struct node *id)
{
    struct named_path *named = ARENA_NEW(c->arena, struct named_path);
    struct str name = name_path(c->arena, path);
    *named = (struct named_path){path, map_get(&c->rest->same_name, name)};
    map_put(&c->rest->same_name, name, named);
    map_put(&c->rest->resource_ids, path, id);
}

static void note_existing(struct compilation *c, struct str path, const struct node *id)
{
    if (node_truthy(id))
        note_path(c, trimmed(path), id);
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

/* ---- paths that meet ---- */

/* The part of `path` that begins at `from`. */
static struct str part_at(struct str path, size_t from)
{
    ptrdiff_t slash = str_find_char(path, '/', from);
    return str_sub(path, 0, slash < 0 ? path.n : (size_t)slash);
}

static size_t first_seen(const struct compilation *c, struct str path)
{
    size_t i = 0;
    while (i < c->rest->resource_ids.n && !str_eq(c->rest->resource_ids.entries[i].key, path))
        i++;
    return i;
}

/* Does the reference make the resource of `x` after that of `y`? It goes down the tree of paths,
 * whose branches stand in the order of the events that came upon them. */
static bool is_made_later(const struct compilation *c, struct str x, struct str y)
{
    size_t from = 0;
    while (from < x.n && from < y.n) {
        struct str above_x = part_at(x, from), above_y = part_at(y, from);
        if (!str_eq(above_x, above_y))
            return first_seen(c, above_x) > first_seen(c, above_y);
        from = above_x.n + 1;
    }
    return x.n > y.n;
}

static void warn_of_lost(struct compilation *c, const struct rest_event *e, struct str id,
                         struct str lost, struct str kept)
{
    struct arena *a = c->arena;
    if (!c->options->warn)
        return;
    c->options->warn(
        c->options->warn_context, node_pos(e->path_node),
        str_fmt(a, "there is no path '/%.*s': it and '/%.*s' have one logical id, '%.*s'",
                STR_ARG(lost), STR_ARG(kept), STR_ARG(id)),
        STR("the reference makes the last one of such paths: write that part of the paths the same "
            "way, or rename one of them"));
}

/* Is `path` the one to be made of those that have its logical id? Ids forget the case of letters
 * and some signs, and of several resources with one id the reference makes the last. */
static bool is_kept(struct compilation *c, const struct rest_event *e, struct str id,
                    struct str path)
{
    struct str other = {0};
    bool is_last = true;
    const struct named_path *seen = map_get(&c->rest->same_name, name_path(c->arena, path));
    for (; seen; seen = seen->before) {
        if (str_eq(seen->path, path))
            continue;
        if (!other.n)
            other = seen->path;
        is_last = is_last && is_made_later(c, path, seen->path);
    }
    if (other.n)
        warn_of_lost(c, e, id, is_last ? other : path, is_last ? path : other);
    return is_last;
}

/* The resource of `path`, whose last part begins at `from`. */
static const struct node *resource_make(struct compilation *c, const struct rest_event *e,
                                        struct str path, size_t from, const struct node *parent)
{
    struct arena *a = c->arena;
    struct str id = str_concat(a, STR("ApiGatewayResource"), name_path(a, path));
    struct str part = str_sub(path, from, SIZE_MAX);
    struct node *p = node_map(a);
    node_put_c(a, p, "ParentId", parent);
    node_put_c(a, p, "PathPart", node_from(node_str(a, part), e->path_node));
    node_put_c(a, p, "RestApiId", c->rest->id);
    const struct node *ref = node_ref(a, id);
    note_path(c, path, ref);
    if (is_kept(c, e, id, path))
        resource_set(c, id, resource_new(a, "AWS::ApiGateway::Resource", p), e->event.pos);
    return ref;
}

int rest_path(struct compilation *c, const struct rest_event *e, struct err *err)
{
    const struct node *parent;
    size_t from = longest_known(c, e->path, &parent);
    while (from < e->path.n) {
        from += from > 0; /* the slash */
        ptrdiff_t slash = str_find_char(e->path, '/', from);
        size_t end = slash < 0 ? e->path.n : (size_t)slash;
        struct str path = str_sub(e->path, 0, end);
        if (check_missing(c, e, path, c->rest->known_ids, err) < 0)
            return -1;
        parent = resource_make(c, e, path, from, parent);
        from = end;
    }
    return 0;
}

int rest_resources(struct compilation *c, struct err *err)
{
    read_existing(c);
    c->rest->known_ids = c->rest->resource_ids.n;
    vec_each (&c->rest->events, e) {
        struct err one = {0};
        rest_path(c, e, &one);
        err_also(err, &one);
    }
    map_put(&c->rest->resource_ids, STR(""), c->rest->root);
    return err->kind ? -1 : 0;
}
