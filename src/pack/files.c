/* Which files go into an artifact. The dialect selects in two passes, and both matter:
 *
 * 1. Finding: everything below the service, and what patterns name outside of it. A pattern with
 *    '!' takes away what the patterns before it found, a whole directory at once when it ends in a
 *    name or in two stars; patterns behind it find again. Behind the '!', what begins with '/' is
 *    compared with the absolute path.
 * 2. Filtering: default excludes, legacy `exclude`, then all patterns in their order; the last one
 *    that matches a file decides.
 *
 * Development dependencies go last, whatever the patterns say. */
#include "pack/pack_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/vec.h"

enum { FOLDERS_AT_ONCE = 32 };

/* A pattern, compiled for both passes. */
struct matcher {
    struct rule rule;
    const struct glob *find, *filter; /* `find` NULL: the pattern only filters */
    struct str base;                  /* where the search for it starts; "." */
    bool is_static;
    bool drops_directories; /* excludes, and keeps a search out of directories */
};

struct selector {
    const struct selection *selection;
    struct matcher *excludes, *patterns;
    size_t exclude_count, pattern_count;
    bool has_absolute; /* some pattern with '!' is compared with absolute paths */
    /* Where the patterns begin that only name files: nothing stands behind them that takes one of
     * these away. Builds name thousands. */
    size_t names_from;
    struct map names, above; /* these files, and the directories that they are in */
};

struct walk {
    struct arena *arena;
    struct str dir, npm_dir;
    struct selector *selectors;
    size_t selector_count;
    unsigned jobs;
    bool drop_dev; /* every selection leaves out development dependencies */
    struct map dev_dirs, dev_files;
    VEC(struct file *) files;
};

/* ---- compiling selections ---- */

/* "./x" -> "x" */
static struct str without_dot(struct str s)
{
    while (str_skip(&s, STR("./")))
        ;
    return s;
}

static int compile_rule(struct arena *a, const struct rule *rule, bool finds, struct matcher *ret,
                        struct err *err)
{
    struct glob *filter = NULL, *find = NULL;
    struct str text = without_dot(rule->text);
    if (glob_compile(a, text, GLOB_FILTER, &filter, err) < 0 ||
        (finds && glob_compile(a, text, GLOB_FIND, &find, err) < 0))
        return -1;
    *ret = (struct matcher){.rule = *rule, .filter = filter, .find = find};
    ret->base = glob_base(text);
    ret->is_static = glob_is_static(text);
    ret->drops_directories = str_ends(text, STR("/**")) || glob_is_static(path_base(text));
    return 0;
}

/* Let the patterns between two that start with '!' be searched for together: from the top of the
 * service if one of them starts there, and the first ones together with everything. */
static void join_bases(struct selector *s)
{
    bool top = true;
    for (size_t i = 0; i < s->pattern_count; i++) {
        struct matcher *m = &s->patterns[i];
        if (m->rule.exclude) {
            top = false;
            for (size_t k = i + 1; k < s->pattern_count && !s->patterns[k].rule.exclude; k++)
                top = top || (!s->patterns[k].is_static && str_eq(s->patterns[k].base, STR(".")));
        } else if (top && !str_starts(m->base, STR("..")) && m->base.p[0] != '/') {
            m->base = STR(".");
        }
    }
}

static bool is_name(const struct matcher *m)
{
    return !m->rule.exclude && m->is_static && str_find_char(m->rule.text, '\\', 0) < 0;
}

static void index_names(struct arena *a, struct selector *s)
{
    s->names = s->above = MAP(a);
    s->names_from = s->pattern_count;
    while (s->names_from && is_name(&s->patterns[s->names_from - 1]))
        s->names_from--;
    for (size_t i = s->names_from; i < s->pattern_count; i++) {
        struct str name = without_dot(s->patterns[i].rule.text);
        map_put(&s->names, name, s);
        for (ptrdiff_t at = str_find_char(name, '/', 0); at >= 0;
             at = str_find_char(name, '/', (size_t)at + 1))
            map_put(&s->above, str_sub(name, 0, (size_t)at), s);
    }
}

static int compile_selection(struct arena *a, const struct selection *in, struct selector *ret,
                             struct err *err)
{
    *ret = (struct selector){
        .selection = in, .exclude_count = in->exclude_count, .pattern_count = in->pattern_count};
    ret->excludes = ARENA_ARRAY(a, in->exclude_count, struct matcher);
    ret->patterns = ARENA_ARRAY(a, in->pattern_count, struct matcher);
    for (size_t i = 0; i < in->exclude_count; i++)
        if (compile_rule(a, &in->excludes[i], false, &ret->excludes[i], err) < 0)
            return -1;
    for (size_t i = 0; i < in->pattern_count; i++)
        if (compile_rule(a, &in->patterns[i], true, &ret->patterns[i], err) < 0)
            return err->pos = in->patterns[i].pos, -1;
    for (size_t i = 0; i < in->pattern_count; i++)
        ret->has_absolute = ret->has_absolute || (ret->patterns[i].rule.exclude &&
                                                  glob_has_absolute(ret->patterns[i].find));
    join_bases(ret);
    index_names(a, ret);
    return 0;
}

/* ---- deciding ---- */

/* Does `m`, with '!', keep a search that started at `base` out of a directory above `path`? */
static bool drops_above(const struct matcher *m, struct str base, struct str path)
{
    if (!m->drops_directories)
        return false;
    size_t from = str_eq(base, STR(".")) ? 0 : base.n + 1;
    for (ptrdiff_t at = str_find_char(path, '/', from); at >= 0;
         at = str_find_char(path, '/', (size_t)at + 1))
        if (at > 0 && glob_match(m->find, str_sub(path, 0, (size_t)at)))
            return true;
    return false;
}

/* Does a '!' behind pattern `i` take away `path`, which that pattern (-1: the search for
 * everything) finds? */
static bool taken_away(const struct selector *s, ptrdiff_t i, struct str path, struct str absolute)
{
    bool is_static = i >= 0 && s->patterns[i].is_static;
    struct str base = i >= 0 ? s->patterns[i].base : STR(".");
    for (size_t k = (size_t)(i + 1); k < s->names_from; k++) {
        const struct matcher *m = &s->patterns[k];
        if (m->rule.exclude && (glob_match_negated(m->find, path, absolute) ||
                                (!is_static && drops_above(m, base, path))))
            return true;
    }
    return false;
}

static bool is_outside(struct str path)
{
    return str_starts(path, STR("../")) || path.p[0] == '/';
}

static bool is_found(const struct selector *s, struct str path, struct str absolute)
{
    if (map_has(&s->names, path) || (!is_outside(path) && !taken_away(s, -1, path, absolute)))
        return true;
    for (size_t i = 0; i < s->names_from; i++)
        if (!s->patterns[i].rule.exclude && glob_match(s->patterns[i].find, path) &&
            !taken_away(s, (ptrdiff_t)i, path, absolute))
            return true;
    return false;
}

static bool passes_filter(const struct selector *s, struct str path)
{
    if (map_has(&s->names, path))
        return true;
    for (size_t i = s->names_from; i-- > 0;)
        if (glob_match(s->patterns[i].filter, path))
            return !s->patterns[i].rule.exclude;
    for (size_t i = s->exclude_count; i-- > 0;)
        if (glob_match(s->excludes[i].filter, path))
            return !s->excludes[i].rule.exclude;
    return true;
}

/* Does a pattern before `end` start its search at or below `dir`, so that nothing keeps it out of
 * there? */
static bool starts_below(const struct selector *s, size_t end, struct str dir)
{
    for (size_t i = 0; i < end; i++) {
        const struct matcher *m = &s->patterns[i];
        bool inside = m->is_static || str_eq(m->base, dir) ||
                      (str_starts(m->base, dir) && m->base.p[dir.n] == '/');
        if (!m->rule.exclude && inside && glob_may_match_below(m->find, dir))
            return true;
    }
    return false;
}

/* Can no file below `dir` be selected? False when in doubt. */
static bool skips_below(const struct selector *s, struct str dir)
{
    if (map_has(&s->above, dir))
        return false;
    for (size_t i = s->names_from; i-- > 0;) {
        const struct matcher *m = &s->patterns[i];
        if (m->rule.exclude && glob_covers(m->filter, dir) && glob_covers(m->find, dir))
            return true;
        if (m->rule.exclude && m->drops_directories && glob_match(m->find, dir))
            return !starts_below(s, i, dir);
        if (!m->rule.exclude &&
            (glob_may_match_below(m->filter, dir) || glob_may_match_below(m->find, dir)))
            return false;
    }
    for (size_t i = s->exclude_count; i-- > 0;) {
        const struct matcher *m = &s->excludes[i];
        if (m->rule.exclude && glob_covers(m->filter, dir))
            return true;
        if (!m->rule.exclude && glob_may_match_below(m->filter, dir))
            return false;
    }
    return false;
}

static bool nobody_wants(const struct walk *w, struct str dir)
{
    if (w->drop_dev && map_has(&w->dev_dirs, dir))
        return true;
    for (size_t i = 0; i < w->selector_count; i++)
        if (!skips_below(&w->selectors[i], dir))
            return false;
    return true;
}

/* ---- walking ---- */

/* Something in a directory. */
struct entry {
    struct str name;
    struct file *file;    /* NULL: a directory */
    struct folder *below; /* that directory, if it is read */
    bool linked;          /* a link may lead to it */
};

typedef VEC(struct entry) entry_vec;

/* A directory that is read, in the one that it is in. */
struct folder {
    struct folder *parent;
    struct str path; /* relative to the service */
    dev_t device;    /* as is `inode`: once it is identified */
    ino_t inode;
    bool identified, linked;
    entry_vec entries; /* in the order of the paths below them */
    bool npm;          /* it has package.json and node_modules */
};

/* Directories that are read at once. */
struct round {
    struct walk *walk;
    VEC(struct folder *) folders;
};

static void close_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* Does a link lead back into a directory that is being read? To follow it would never end. */
static bool is_inside(const struct folder *folder, const struct stat *st)
{
    for (; folder; folder = folder->parent)
        if (folder->identified && folder->device == st->st_dev && folder->inode == st->st_ino)
            return true;
    return false;
}

/* Before a link is followed: which directories those above it are. Asking this of each directory
 * would be a tenth of the work. */
static void identify(const struct walk *w, struct folder *folder)
{
    struct stat st;
    for (; folder && !folder->identified; folder = folder->parent)
        if (stat(path_join(w->arena, w->dir, folder->path).p, &st) == 0) {
            folder->device = st.st_dev;
            folder->inode = st.st_ino;
            folder->identified = true;
        }
}

/* By the bytes of the paths: those of what is below a directory have a slash behind its name. */
static int by_path(const void *x, const void *y)
{
    const struct entry *e = x, *f = y;
    size_t n = e->name.n < f->name.n ? e->name.n : f->name.n;
    int order = memcmp(e->name.p, f->name.p, n);
    if (order)
        return order;
    int c = e->name.n > n ? (unsigned char)e->name.p[n] : e->file ? 0 : '/';
    int d = f->name.n > n ? (unsigned char)f->name.p[n] : f->file ? 0 : '/';
    return c - d;
}

/* Is it a file or a directory behind its links? A link to nothing is left out, as are pipes and
 * devices. Files are made `*ret`, with what the system tells of them. */
static bool look_at(struct arena *a, int dir, const struct dirent *e, struct entry *ret)
{
    *ret = (struct entry){0};
    if (e->d_type != DT_DIR) {
        struct stat st;
        bool known = e->d_type == DT_REG;
        int error = 0;
        if (!known && e->d_type != DT_LNK && e->d_type != DT_UNKNOWN)
            return false;
        if (fstatat(dir, e->d_name, &st, 0) < 0)
            error = errno;
        if (error ? !known || error == ENOENT : !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            return false;
        if (error || S_ISREG(st.st_mode)) {
            ret->file = ARENA_NEW(a, struct file);
            ret->file->error = error;
            ret->file->stamp = error ? (struct stamp){0} : stamp_of(&st);
            ret->file->executable = !error && (st.st_mode & S_IXUSR) != 0;
        }
    }
    ret->linked = e->d_type != DT_DIR;
    ret->name = str_dup(a, str_c(e->d_name));
    return true;
}

static bool name_is(const struct dirent *e, const char *name)
{
    return strcmp(e->d_name, name) == 0;
}

static int read_entries(struct arena *a, const struct walk *w, struct folder *folder,
                        struct err *err)
{
    struct str full = path_join(a, w->dir, folder->path);
    __attribute__((cleanup(close_dir))) DIR *d = opendir(full.p);
    struct stat st;
    if (!d || (folder->linked && fstat(dirfd(d), &st) < 0))
        return err_sys(err, errno, "cannot read directory '%s'", full.p);
    if (folder->linked && is_inside(folder->parent, &st))
        return 0;
    bool package = false, modules = false;
    for (struct dirent *e; (e = readdir(d));) {
        struct entry entry;
        if (name_is(e, ".") || name_is(e, "..") || !look_at(a, dirfd(d), e, &entry))
            continue;
        package = package || (entry.file && name_is(e, "package.json"));
        modules = modules || (!entry.file && name_is(e, "node_modules"));
        vec_push(a, &folder->entries, entry);
    }
    if (folder->entries.n)
        qsort(folder->entries.p, folder->entries.n, sizeof *folder->entries.p, by_path);
    if (!str_eq(w->npm_dir, w->dir)) {
        struct str there = path_join(a, w->npm_dir, folder->path);
        modules = modules && fs_is_dir(path_join(a, there, STR("node_modules")));
        package = fs_is_file(path_join(a, there, STR("package.json")));
    }
    folder->npm = package && modules;
    return 0;
}

/* A piece of work for a thread. */
static int read_some(size_t index, void *context, struct arena *a, struct err *err)
{
    const struct round *round = context;
    size_t from = index * FOLDERS_AT_ONCE, end = from + FOLDERS_AT_ONCE;
    for (size_t i = from; i < end && i < round->folders.n; i++)
        if (read_entries(a, round->walk, round->folders.p[i], err) < 0)
            return -1;
    return 0;
}

static bool in_node_modules(struct str path)
{
    return str_find(path, STR("node_modules"), 0) >= 0;
}

/* Name the files of a directory, and put into the next round what is to be read below it. */
static void visit(struct walk *w, struct folder *folder, struct round *next)
{
    struct str path = folder->path;
    struct str prefix = path.n ? str_fmt(w->arena, "%.*s/", STR_ARG(path)) : STR("");
    if (folder->npm && !is_outside(prefix.n ? prefix : STR(".")) && !in_node_modules(path))
        dev_dependencies(w->arena, w->npm_dir, prefix, &w->dev_dirs, &w->dev_files);
    vec_each (&folder->entries, e) {
        struct str child = str_concat(w->arena, prefix, e->name);
        if (e->file) {
            e->file->path = child;
        } else if (!nobody_wants(w, child)) {
            if (e->linked)
                identify(w, folder);
            e->below = ARENA_NEW(w->arena, struct folder);
            *e->below = (struct folder){.parent = folder, .path = child, .linked = e->linked};
            vec_push(w->arena, &next->folders, e->below);
        }
    }
}

/* Keep the files in the order of their paths. */
static void collect(struct walk *w, const struct folder *folder)
{
    vec_each (&folder->entries, e)
        if (e->file)
            vec_push(w->arena, &w->files, e->file);
        else if (e->below)
            collect(w, e->below);
}

/* Read a directory and all below it, level by level: the system answers several threads at once. */
static int walk_directory(struct walk *w, struct str path, struct err *err)
{
    struct folder *top = ARENA_NEW(w->arena, struct folder);
    struct round now = {.walk = w};
    top->path = path;
    vec_push(w->arena, &now.folders, top);
    while (now.folders.n) {
        size_t pieces = (now.folders.n + FOLDERS_AT_ONCE - 1) / FOLDERS_AT_ONCE;
        if (pool_run_into(w->arena, pieces, w->jobs, read_some, &now, err) < 0)
            return -1;
        struct round next = {.walk = w};
        vec_each (&now.folders, folder)
            visit(w, *folder, &next);
        now = next;
    }
    collect(w, top);
    return 0;
}

/* Walk what a pattern names outside of the service. `seen` keeps the directories that were
 * walked. */
static int walk_outside(struct walk *w, const struct matcher *m, struct map *seen, struct err *err)
{
    struct str text = without_dot(m->rule.text);
    if (m->rule.exclude || !is_outside(text))
        return 0;
    struct str start = m->is_static ? text : m->base;
    struct str full = path_join(w->arena, w->dir, start);
    if (map_has(seen, start))
        return 0;
    map_put(seen, start, w);
    if (m->is_static) {
        struct stat st;
        if (stat(full.p, &st) < 0 || !S_ISREG(st.st_mode))
            return 0;
        struct file *f = ARENA_NEW(w->arena, struct file);
        *f = (struct file){
            .path = start, .stamp = stamp_of(&st), .executable = (st.st_mode & S_IXUSR) != 0};
        vec_push(w->arena, &w->files, f);
        return 0;
    }
    return fs_is_dir(full) ? walk_directory(w, start, err) : 0;
}

static int walk_all(struct walk *w, struct err *err)
{
    if (walk_directory(w, STR(""), err) < 0)
        return -1;
    struct map seen = MAP(w->arena);
    for (size_t i = 0; i < w->selector_count; i++)
        for (size_t k = 0; k < w->selectors[i].pattern_count; k++)
            if (walk_outside(w, &w->selectors[i].patterns[k], &seen, err) < 0)
                return -1;
    return 0;
}

/* ---- from paths to lists ---- */

/* The path without leading "/", "." and "..": files outside of the service are packed below its
 * top. */
static struct str name_in_zip(struct arena *a, struct str path)
{
    struct str s = path_clean(a, path);
    while (s.n && (s.p[0] == '/' || str_starts(s, STR("../"))))
        s = str_sub(s, s.p[0] == '/' ? 1 : 3, s.n);
    return s;
}

static bool is_dev(const struct walk *w, struct str path)
{
    if (map_has(&w->dev_files, path))
        return true;
    for (ptrdiff_t at = str_find_char(path, '/', 0); at >= 0;
         at = str_find_char(path, '/', (size_t)at + 1))
        if (map_has(&w->dev_dirs, str_sub(path, 0, (size_t)at)))
            return true;
    return false;
}

static int by_name(const void *x, const void *y)
{
    const struct file *f = *(struct file *const *)x, *g = *(struct file *const *)y;
    int order = str_cmp(f->name, g->name);
    return order ? order : str_cmp(f->path, g->path);
}

/* Put the files of a build where patterns find them. */
static int add_beside(struct walk *w, const struct pack_files *beside, struct err *err)
{
    struct file_list given;
    struct map names = MAP(w->arena);
    size_t kept = 0;
    if (!beside)
        return 0;
    if (files_given(w->arena, beside, &given, err) < 0)
        return -1;
    for (size_t i = 0; i < given.count; i++)
        map_put(&names, given.files[i]->name, given.files[i]);
    for (size_t i = 0; i < w->files.n; i++)
        if (!map_has(&names, w->files.p[i]->path))
            w->files.p[kept++] = w->files.p[i];
    w->files.n = kept;
    for (size_t i = 0; i < given.count; i++) {
        given.files[i]->elsewhere = given.files[i]->path;
        given.files[i]->path = given.files[i]->name;
        vec_push(w->arena, &w->files, given.files[i]);
    }
    return 0;
}

/* Patterns have chosen: from now on `path` is where a file is. */
static void find_elsewhere(struct walk *w)
{
    vec_each (&w->files, f)
        if ((*f)->elsewhere.n)
            (*f)->path = (*f)->elsewhere;
}

static void sort_files(struct walk *w)
{
    vec_each (&w->files, f)
        (*f)->name = is_outside((*f)->path) ? name_in_zip(w->arena, (*f)->path) : (*f)->path;
    bool sorted = true; /* unless patterns lead outside */
    for (size_t i = 1; i < w->files.n && sorted; i++)
        sorted = str_cmp(w->files.p[i - 1]->name, w->files.p[i]->name) < 0;
    if (!sorted)
        qsort(w->files.p, w->files.n, sizeof *w->files.p, by_name);
}

/* A job for the pool of threads. */
struct job {
    const struct walk *walk;
    struct file_list *lists; /* for each selection */
};

static struct str absolute_path(struct arena *a, const struct walk *w, struct str path)
{
    struct str full = path_join(a, w->dir, path);
    return is_outside(path) ? path_clean(a, full) : full;
}

/* Make the list of one selection, in memory that was made before: a thread's own arena would not
 * last. Of two files with one name the one inside of the service wins, as when the reference's zip
 * is unpacked. Only patterns outside of the service can give two. */
static int choose(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)err;
    struct job *job = context;
    const struct walk *w = job->walk;
    const struct selector *s = &w->selectors[index];
    struct file_list *list = &job->lists[index];
    bool dev = s->selection->drop_dev_dependencies && (w->dev_dirs.n || w->dev_files.n);
    for (size_t i = 0; i < w->files.n; i++) {
        struct file *f = w->files.p[i];
        struct str absolute =
            s->has_absolute ? absolute_path(scratch, w, f->path) : (struct str){"", 0};
        if (!is_found(s, f->path, absolute) || !passes_filter(s, f->path) ||
            (dev && is_dev(w, f->path)))
            continue;
        if (list->count && str_eq(list->files[list->count - 1]->name, f->name))
            list->count--;
        list->files[list->count++] = f;
    }
    return 0;
}

/* Refuse a name that is not UTF-8: neither Lambda nor others could read the zip. */
static int check_name(struct arena *a, struct str path, struct err *err)
{
    size_t bad;
    if (str_utf8_ok(path, &bad))
        return 0;
    struct buf shown = BUF(a);
    for (size_t i = 0; i < path.n; i++)
        if ((unsigned char)path.p[i] < 0x80)
            buf_char(&shown, path.p[i]);
        else
            buf_fmt(&shown, "\\x%02x", (unsigned char)path.p[i]);
    err_set(err, ERR_CONFIG, "the file name '%.*s' is not UTF-8", STR_ARG(buf_str(&shown)));
    return err_help(err, "rename the file, or leave it out with package patterns");
}

static int check_files(struct arena *a, const struct file_list *list, struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct file *f = list->files[i];
        if (check_name(a, f->path, err) < 0)
            return -1;
        if (f->error)
            return err_sys(err, f->error, "cannot read '%.*s'", STR_ARG(f->path));
    }
    return 0;
}

int files_given(struct arena *a, const struct pack_files *given, struct file_list *ret,
                struct err *err)
{
    struct map last = MAP(a);
    for (size_t i = 0; i < given->count; i++)
        map_put(&last, given->files[i].name, &given->files[i]);
    *ret = (struct file_list){ARENA_ARRAY(a, last.n, struct file *), last.n};
    for (size_t i = 0; i < last.n; i++) {
        const struct pack_file *from = last.entries[i].value;
        struct file *f = ret->files[i] = ARENA_NEW(a, struct file);
        struct stat st;
        *f = (struct file){.path = from->path, .name = from->name};
        if (check_name(a, f->name, err) < 0)
            return -1;
        if (stat(f->path.p, &st) < 0)
            return err_sys(err, errno, "cannot read '%s'", f->path.p);
        f->stamp = stamp_of(&st);
        f->executable = (st.st_mode & S_IXUSR) != 0;
    }
    if (ret->count)
        qsort(ret->files, ret->count, sizeof *ret->files, by_name);
    return 0;
}

static int no_files(const struct selection *s, struct err *err)
{
    const char *of = s->what.n ? " for " : "";
    err_at(err, s->pos, ERR_CONFIG, "no file matches the package patterns%s%.*s", of,
           STR_ARG(s->what));
    return err_help(err, "the last pattern that matches a file decides; list what is packed with: "
                         "troupe package");
}

static bool same_rules(const struct rule *x, const struct rule *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i].exclude != y[i].exclude || !str_eq(x[i].text, y[i].text))
            return false;
    return true;
}

static bool selects_same(const struct selection *x, const struct selection *y)
{
    return x->exclude_count == y->exclude_count && x->pattern_count == y->pattern_count &&
           x->drop_dev_dependencies == y->drop_dev_dependencies &&
           same_rules(x->excludes, y->excludes, x->exclude_count) &&
           same_rules(x->patterns, y->patterns, x->pattern_count);
}

static int make_lists(struct arena *a, struct walk *w, unsigned jobs, struct file_list *rets,
                      struct err *err)
{
    size_t n = w->selector_count;
    struct job job = {w, rets};
    sort_files(w);
    for (size_t i = 0; i < n; i++)
        rets[i] = (struct file_list){ARENA_ARRAY(a, w->files.n, struct file *), 0};
    if (pool_run(n, w->files.n * n < 4096 ? 1 : jobs, choose, &job, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!rets[i].count)
            return no_files(w->selectors[i].selection, err);
        if (check_files(a, &rets[i], err) < 0)
            return -1;
    }
    return 0;
}

int files_select(struct arena *a, struct str dir, struct str npm_dir,
                 const struct pack_files *beside, const struct selection *selections, size_t n,
                 unsigned jobs, struct file_list *rets, struct err *err)
{
    struct walk w = {.arena = a, .dir = dir, .npm_dir = npm_dir, .jobs = jobs, .drop_dev = true};
    w.dev_dirs = w.dev_files = MAP(a);
    w.selectors = ARENA_ARRAY(a, n, struct selector);
    size_t *which = ARENA_ARRAY(a, n, size_t); /* selector of each selection */
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < w.selector_count && !selects_same(w.selectors[k].selection, &selections[i]))
            k++;
        which[i] = k;
        if (k < w.selector_count)
            continue;
        if (compile_selection(a, &selections[i], &w.selectors[w.selector_count++], err) < 0)
            return -1;
        w.drop_dev = w.drop_dev && selections[i].drop_dev_dependencies;
    }
    struct file_list *lists = ARENA_ARRAY(a, w.selector_count, struct file_list);
    if (!n)
        return 0;
    if (walk_all(&w, err) < 0 || add_beside(&w, beside, err) < 0 ||
        make_lists(a, &w, jobs, lists, err) < 0)
        return -1;
    find_elsewhere(&w);
    for (size_t i = 0; i < n; i++)
        rets[i] = lists[which[i]];
    return 0;
}
