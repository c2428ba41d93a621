/* npm packages that only development needs, found as `npm ls` finds them but without running it:
 * the tree below node_modules is followed from package.json, once over all dependencies and once
 * over those that are not for development; what only the first way reaches is left out. */
#include "pack/pack_internal.h"

#include "base/fs.h"
#include "base/vec.h"
#include "doc/encoding.h"
#include "doc/json.h"

/* More than any package.json; larger ones are not followed. */
enum { PACKAGE_BYTES_MAX = 4 * 1024 * 1024 };

/* An installed package. */
struct package {
    struct str path; /* relative to the service directory: "node_modules/a/node_modules/b" */
    const struct node *json;
    /* a workspace or a local folder: the packages that it is developed with are installed, too */
    bool linked;
    bool all, prod; /* reached from the root: over any packages; over those that production needs */
};

struct tree {
    struct arena *arena;
    struct str dir, root; /* `root`: empty, or ending in '/' */
    struct map packages;  /* path -> struct package, NULL values are not kept */
    struct map missing;   /* paths without a package */
};

static const struct node *read_json(struct tree *t, struct str path)
{
    cleanup_err struct err err = {0};
    struct str file = path_join(t->arena, t->dir, str_concat(t->arena, path, STR("/package.json")));
    struct str text;
    if (fs_read(t->arena, file, PACKAGE_BYTES_MAX, &text, &err) < 0)
        return NULL;
    return json_parse(t->arena, file, encoding_skip_mark(text), &err);
}

static bool is_link(struct tree *t, struct str path)
{
    struct stat st;
    return lstat(path_join(t->arena, t->dir, path).p, &st) == 0 && S_ISLNK(st.st_mode);
}

/* Is `path` a link to a folder that is itself no installed package? */
static bool is_linked(struct tree *t, struct str path)
{
    if (!is_link(t, path))
        return false;
    char *real = realpath(path_join(t->arena, t->dir, path).p, NULL);
    bool linked = real && !strstr(real, "/node_modules/");
    free(real);
    return linked;
}

/* The package at `path`; NULL: there is none. */
static struct package *package_at(struct tree *t, struct str path)
{
    struct package *known = map_get(&t->packages, path);
    if (known || map_has(&t->missing, path))
        return known;
    const struct node *json = read_json(t, path);
    if (!node_is(json, NODE_MAP)) {
        map_put(&t->missing, path, t);
        return NULL;
    }
    struct package *p = ARENA_NEW(t->arena, struct package);
    *p = (struct package){.path = path, .json = json, .linked = is_linked(t, path)};
    map_put(&t->packages, path, p);
    return p;
}

/* The package that `name` means for the one at `from` (the root has ""): in its own node_modules,
 * or in the nearest one above. */
static struct package *resolve(struct tree *t, struct str from, struct str name)
{
    struct str owner = str_eq(from, t->root) ? from : str_concat(t->arena, from, STR("/"));
    for (;;) {
        struct package *p = package_at(
            t, str_fmt(t->arena, "%.*snode_modules/%.*s", STR_ARG(owner), STR_ARG(name)));
        if (p || owner.n <= t->root.n)
            return p;
        /* "x/node_modules/a/node_modules/b/" -> "x/node_modules/a/" -> "x/" */
        size_t end = owner.n;
        while (end > t->root.n && !str_starts(str_sub(owner, end, owner.n), STR("node_modules/")))
            end--;
        owner = str_sub(owner, 0, end);
    }
}

typedef VEC(struct package *) package_vec;

static void reach(struct tree *t, struct str from, const struct node *names, bool prod,
                  const struct node *but, package_vec *queue)
{
    member_each (m, names) {
        if (node_member(but, m->key))
            continue;
        struct package *p = resolve(t, from, m->key);
        bool *mark = !p ? NULL : prod ? &p->prod : &p->all;
        if (!mark || *mark)
            continue;
        *mark = true;
        vec_push(t->arena, queue, p);
    }
}

enum { KINDS = 3 };
static const char *const production[KINDS] = {"dependencies", "optionalDependencies",
                                              "peerDependencies"};

static void follow_one(struct tree *t, const struct package *p, bool prod, package_vec *queue)
{
    const struct node *dev = p->linked ? node_get_c(p->json, "devDependencies") : NULL;
    for (size_t k = 0; k < KINDS; k++)
        reach(t, p->path, node_get_c(p->json, production[k]), prod, dev, queue);
    if (!prod)
        reach(t, p->path, dev, prod, NULL, queue);
}

/* Mark the packages that are reached from the root and its workspaces. For production, also those
 * that are reached from packages which nobody asked for: npm does not count these as development's.
 * A name that is also among the devDependencies counts as one of these. */
static void follow(struct tree *t, const struct node *root, const struct node *dev, bool prod)
{
    package_vec queue = {0};
    bool workspaces = node_count(node_get_c(root, "workspaces")) > 0;
    for (size_t k = 0; k < KINDS; k++)
        reach(t, t->root, node_get_c(root, production[k]), prod, dev, &queue);
    if (!prod)
        reach(t, t->root, dev, prod, NULL, &queue);
    for (size_t i = 0; i < t->packages.n; i++) {
        struct package *p = t->packages.entries[i].value;
        bool *mark = prod ? &p->prod : &p->all;
        bool root_too = (p->linked && workspaces) || (prod && !p->all);
        if (*mark || !root_too)
            continue;
        *mark = true;
        vec_push(t->arena, &queue, p);
    }
    for (size_t i = 0; i < queue.n; i++)
        follow_one(t, queue.p[i], prod, &queue);
}

/* Read all packages in the node_modules of `owner` (empty or ending in '/'), and those in them. */
static void read_installed(struct tree *t, struct str owner, struct str scope)
{
    cleanup_err struct err err = {0};
    struct str modules = str_fmt(t->arena, "%.*snode_modules/%.*s", STR_ARG(owner), STR_ARG(scope));
    struct str *names;
    size_t n;
    if (fs_list(t->arena, path_join(t->arena, t->dir, modules), &names, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct str path = str_concat(t->arena, modules, names[i]);
        if (names[i].p[0] == '.')
            continue;
        if (names[i].p[0] == '@' && !scope.n)
            read_installed(t, owner, str_concat(t->arena, names[i], STR("/")));
        else if (package_at(t, path) && !is_link(t, path)) /* a link may lead back to here */
            read_installed(t, str_concat(t->arena, path, STR("/")), STR(""));
    }
}

/* Add the executables of a package, in the .bin directory beside it. */
static void add_executables(struct arena *a, const struct package *p, struct map *files)
{
    const struct node *bin = node_get_c(p->json, "bin");
    struct str name = path_base(p->path);
    struct str beside = str_sub(p->path, 0, p->path.n - name.n);
    if (node_is(bin, NODE_STRING))
        map_put(files, str_fmt(a, "%.*s.bin/%.*s", STR_ARG(beside), STR_ARG(name)), files);
    member_each (m, bin)
        map_put(files, str_fmt(a, "%.*s.bin/%.*s", STR_ARG(beside), STR_ARG(m->key)), files);
}

void dev_dependencies(struct arena *a, struct str dir, struct str sub, struct map *directories,
                      struct map *files)
{
    struct tree t = {.arena = a, .dir = dir, .root = sub};
    t.packages = t.missing = MAP(a);
    struct str here = sub.n ? str_sub(sub, 0, sub.n - 1) : STR(".");
    const struct node *root = read_json(&t, here);
    const struct node *dev = node_get_c(root, "devDependencies");
    if (!node_count(dev))
        return;
    read_installed(&t, sub, STR(""));
    follow(&t, root, dev, false);
    follow(&t, root, dev, true);
    for (size_t i = 0; i < t.packages.n; i++) {
        const struct package *p = t.packages.entries[i].value;
        if (!p->all || p->prod)
            continue;
        map_put(directories, p->path, directories);
        add_executables(a, p, files);
    }
}
