/* Files by patterns, as globby 11 finds them with its defaults; plugins take it for what
 * `package.patterns` adds to what they built. */
#include "build/build_internal.h"

#include <dirent.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "pack/glob.h"

enum { DEPTH_MAX = 64 }; /* where links go round in circles */

struct pattern {
    struct glob *glob;
    struct str base;
    bool negated, names_dot;
};

struct search {
    struct arena *arena;
    struct str dir;          /* empty: `names` */
    const struct str *names; /* of them the files are found */
    size_t name_count;
    VEC(struct pattern) patterns;
    struct map found;
    bool dots;
};

/* Does a part of it begin with a dot, other than "." and ".."? */
static bool has_dot_name(struct str path)
{
    struct str rest = path, part;
    while (rest.p && str_cut(&rest, '/', &part))
        if (part.n > 1 && part.p[0] == '.' && !str_eq(part, STR("..")))
            return true;
    return false;
}

static bool is_folder(const struct search *s, struct str path)
{
    if (s->dir.n)
        return fs_is_dir(path_join(s->arena, s->dir, path));
    str_strip(&path, STR("/"));
    for (size_t i = 0; i < s->name_count; i++)
        if (str_starts(s->names[i], path) && s->names[i].n > path.n && s->names[i].p[path.n] == '/')
            return true;
    return false;
}

static int add_pattern(struct search *s, const struct node *item, struct err *err)
{
    struct str text = node_text(item);
    bool negated = str_skip(&text, STR("!"));
    while (str_skip(&text, STR("./")))
        ;
    if (!text.n)
        return 0;
    if (is_folder(s, text)) {
        str_strip(&text, STR("/"));
        text = str_concat(s->arena, text, STR("/**"));
    }
    struct pattern p = {
        .base = glob_base(text), .negated = negated, .names_dot = has_dot_name(text)};
    if (glob_compile(s->arena, text, GLOB_FIND, &p.glob, err) < 0)
        return err->pos = node_pos(item), -1;
    vec_push(s->arena, &s->patterns, p);
    return 0;
}

static bool is_taken_away(const struct search *s, size_t from, struct str path)
{
    for (size_t i = from; i < s->patterns.n; i++)
        if (s->patterns.p[i].negated && glob_match_negated(s->patterns.p[i].glob, path, STR("")))
            return true;
    return false;
}

/* Does a '!' behind pattern `from` take all below `dir` away? */
static bool is_covered(const struct search *s, size_t from, struct str dir)
{
    for (size_t i = from; i < s->patterns.n; i++)
        if (s->patterns.p[i].negated && glob_covers(s->patterns.p[i].glob, dir))
            return true;
    return false;
}

static bool is_ours(struct str name)
{
    return str_eq(name, STR(".git")) || str_eq(name, STR(".troupe")) ||
           str_eq(name, STR(".serverless"));
}

static void close_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

static void walk(struct search *s, size_t at, struct str path, unsigned depth)
{
    const struct pattern *p = &s->patterns.p[at];
    bool top = str_eq(path, STR("."));
    struct str full = path_join(s->arena, s->dir, path);
    __attribute__((cleanup(close_dir))) DIR *d = opendir(full.p);
    for (struct dirent *e; d && depth < DEPTH_MAX && (e = readdir(d));) {
        struct str name = str_c(e->d_name), child;
        if (str_eq(name, STR(".")) || str_eq(name, STR("..")) || is_ours(name) ||
            (name.p[0] == '.' && !s->dots && !p->names_dot))
            continue;
        name = str_dup(s->arena, name);
        child = top ? name : path_join(s->arena, path, name);
        struct stat st;
        bool known = e->d_type == DT_REG || e->d_type == DT_DIR, folder = e->d_type == DT_DIR;
        if (!known) {
            if (fstatat(dirfd(d), e->d_name, &st, 0) < 0 ||
                (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
                continue;
            folder = S_ISDIR(st.st_mode);
        }
        if (folder && !is_covered(s, at + 1, child) && glob_may_match_below(p->glob, child))
            walk(s, at, child, depth + 1);
        else if (!folder && glob_match(p->glob, child) && !is_taken_away(s, at + 1, child))
            map_put(&s->found, child, "");
    }
}

static int by_bytes(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void found(struct search *s, struct str **ret, size_t *ret_n)
{
    *ret = ARENA_ARRAY(s->arena, s->found.n, struct str);
    *ret_n = s->found.n;
    for (size_t i = 0; i < s->found.n; i++)
        (*ret)[i] = s->found.entries[i].key;
    if (s->found.n)
        qsort(*ret, s->found.n, sizeof **ret, by_bytes);
}

int matching_files(struct arena *a, struct str dir, const struct node *patterns, bool dots,
                   struct str **ret, size_t *ret_n, struct err *err)
{
    struct search s = {.arena = a, .dir = dir, .found = MAP(a), .dots = dots};
    node_each (item, patterns)
        if (add_pattern(&s, item, err) < 0)
            return -1;
    for (size_t i = 0; i < s.patterns.n; i++) {
        const struct pattern *p = &s.patterns.p[i];
        if (!p->negated)
            walk(&s, i, p->base, 0);
    }
    found(&s, ret, ret_n);
    return 0;
}

int matching_names(struct arena *a, const struct str *names, size_t n, const struct node *patterns,
                   struct str **ret, size_t *ret_n, struct err *err)
{
    struct search s = {.arena = a, .names = names, .name_count = n, .found = MAP(a)};
    node_each (item, patterns)
        if (add_pattern(&s, item, err) < 0)
            return -1;
    for (size_t i = 0; i < s.patterns.n; i++)
        for (size_t k = 0; k < n && !s.patterns.p[i].negated; k++)
            if (glob_match(s.patterns.p[i].glob, names[k]) &&
                (s.patterns.p[i].names_dot || !has_dot_name(names[k])) &&
                !is_taken_away(&s, i + 1, names[k]))
                map_put(&s.found, names[k], "");
    found(&s, ret, ret_n);
    return 0;
}

int all_files(struct arena *a, struct str dir, struct str **ret, size_t *ret_n, struct err *err)
{
    struct node *all = node_seq(a);
    node_push(a, all, node_str(a, STR("**")));
    return matching_files(a, dir, all, true, ret, ret_n, err);
}
