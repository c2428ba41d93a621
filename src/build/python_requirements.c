/* Files of requirements, as serverless-python-requirements reads them. */
#include "build/python.h"

#include "base/fs.h"

enum { INCLUDES_MAX = 64 }; /* one in the other */

/* ---- pyproject.toml ---- */

static struct str without_quotes(struct str s)
{
    s = str_trim(s);
    bool quoted = s.n > 1 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
    return quoted ? str_sub(s, 1, s.n - 2) : s;
}

/* Is one of the strings in the array at the start of `s` of a package of poetry's? */
static bool array_has_poetry(struct str s)
{
    for (size_t i = 0; i < s.n && s.p[i] != ']'; i++) {
        char quote = s.p[i];
        if (quote == '#')
            while (i + 1 < s.n && s.p[i + 1] != '\n')
                i++;
        if (quote != '"' && quote != '\'')
            continue;
        ptrdiff_t end = str_find_char(s, quote, i + 1);
        if (end < 0)
            return false;
        if (str_starts(str_sub(s, i + 1, (size_t)end - i - 1), STR("poetry")))
            return true;
        i = (size_t)end;
    }
    return false;
}

/* The key and table of `build-system.requires`, however they are written. */
static bool is_requires(struct str table, struct str key)
{
    struct str first = key;
    ptrdiff_t dot = str_find_char(key, '.', 0);
    if (str_eq(table, STR("build-system")))
        return str_eq(without_quotes(key), STR("requires"));
    if (table.n || dot < 0)
        return false;
    first = str_sub(key, 0, (size_t)dot);
    return str_eq(without_quotes(first), STR("build-system")) &&
           str_eq(without_quotes(str_sub(key, (size_t)dot + 1, key.n)), STR("requires"));
}

bool pyproject_is_poetry(struct arena *a, struct str path)
{
    struct str rest, line, table = STR("");
    cleanup_err struct err none = {0};
    if (fs_read(a, path, REQUIREMENTS_BYTES_MAX, &rest, &none) < 0)
        return false;
    while (rest.p && str_cut(&rest, '\n', &line)) {
        struct str text = str_trim(line), key;
        ptrdiff_t end = str_find_char(text, ']', 0);
        if (str_starts(text, STR("[")) && end > 0) {
            table = without_quotes(str_sub(text, 1, (size_t)end - 1));
            continue;
        }
        ptrdiff_t equals = str_find_char(line, '=', 0);
        if (equals <= 0)
            continue;
        key = str_trim(str_sub(line, 0, (size_t)equals));
        if (!is_requires(table, key))
            continue;
        const char *from = line.p + equals + 1;
        size_t left = rest.p ? (size_t)(rest.p + rest.n - from) : (size_t)(line.p + line.n - from);
        return array_has_poetry((struct str){from, left});
    }
    return false;
}

/* ---- lines ---- */

typedef VEC(struct str) str_vec;

struct reading {
    struct arena *arena;
    struct node *files;
    str_vec lines;
};

/* Lines of a file, each trimmed, with those of the files that it names by `-r`. The plugin looks
 * for the second of these beside the first, and so on: so does this. */
static int read_lines(struct reading *r, struct str path, unsigned depth, struct err *err)
{
    struct arena *a = r->arena;
    struct str text, line;
    if (depth > INCLUDES_MAX)
        return err_set(err, ERR_CONFIG, "'%.*s' names itself by '-r'", STR_ARG(path));
    if (fs_read(a, path, REQUIREMENTS_BYTES_MAX, &text, err) < 0) {
        err->kind = ERR_CONFIG;
        return err_wrap(err, "read the requirements");
    }
    node_push(a, r->files, node_str(a, path));
    text = str_replace(a, text, STR("\\\n"), STR(" "));
    while (text.p && str_cut(&text, '\n', &line)) {
        line = str_trim(line);
        if (!str_starts(line, STR("-r"))) {
            vec_push(a, &r->lines, line);
            continue;
        }
        struct str name = str_sub(line, 2, line.n);
        name = str_trim(name).n < name.n ? str_trim(name) : line;
        path = path_clean(a, path_join(a, path_dir(a, path), name));
        if (read_lines(r, path, depth + 1, err) < 0)
            return -1;
    }
    return 0;
}

static bool is_option(struct str line)
{
    static const char *const marks[] = {"--", "-c", "-e", "-f", "-i", "-r"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_starts(line, str_c(marks[i])))
            return true;
    return false;
}

static struct str package_name(struct str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != '=' && line.p[n] != '<' && line.p[n] != '>' &&
           line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    return str_sub(line, 0, n);
}

static bool names(const struct node *list, struct str name)
{
    node_each (item, list)
        if (str_eq(node_text(item), name))
            return true;
    return false;
}

static int by_bytes(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

int requirements_read(struct arena *a, struct str path, const struct node *left_out,
                      struct node *files, struct node *warnings, struct str *ret, struct err *err)
{
    struct reading r = {.arena = a, .files = files};
    struct buf text = BUF(a);
    str_vec packages = {0};
    if (read_lines(&r, path, 0, err) < 0)
        return -1;
    vec_each (&r.lines, line) {
        struct str option = *line;
        if (!line->n || line->p[0] == '#')
            continue;
        if (!is_option(*line)) {
            if (!names(left_out, package_name(*line)))
                vec_push(a, &packages, *line);
            continue;
        }
        if (str_skip(&option, STR("-e"))) {
            option = str_trim(option);
            node_push(a, warnings,
                      node_strf(a, "requirement '%.*s' is installed as it is now, without '-e'",
                                STR_ARG(option)));
        }
        if (option.n)
            buf_fmt(&text, "%.*s\n", STR_ARG(option));
    }
    if (packages.n)
        qsort(packages.p, packages.n, sizeof *packages.p, by_bytes);
    vec_each (&packages, line)
        buf_fmt(&text, "%.*s\n", STR_ARG(*line));
    if (!buf_str(&text).n)
        buf_char(&text, '\n');
    return *ret = buf_str(&text), 0;
}

/* ---- what of this machine is installed ---- */

/* Is it something that building a package leaves in its folder, or that is of other tools? */
static bool is_left(struct str path)
{
    static const char *const names[] = {"__pycache__", "build", "node_modules"};
    struct str rest = path, one;
    while (rest.p && str_cut(&rest, '/', &one)) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (str_eq(one, str_c(names[i])))
                return true;
        if (str_ends(one, STR(".egg-info")))
            return true;
    }
    return false;
}

void inputs_add_folder(struct arena *a, struct str dir, struct str name, struct node *files,
                       struct node *dirs)
{
    struct str *found;
    size_t n;
    struct map seen = MAP(a);
    cleanup_err struct err none = {0};
    if (all_files(a, path_join(a, dir, name), &found, &n, &none) < 0)
        return;
    node_push(a, dirs, node_str(a, name));
    for (size_t i = 0; i < n; i++) {
        struct str file = path_join(a, name, found[i]), folder = path_dir(a, file);
        if (is_left(found[i]))
            continue;
        node_push(a, files, node_str(a, file));
        if (!map_has(&seen, folder))
            node_push(a, dirs, node_str(a, folder));
        map_put(&seen, folder, "");
    }
}

/* "name @ file:///a/b", "./a/b[extra]", "/a/b.whl ; marker" -> the path; empty: none. */
static struct str local_path(struct str line)
{
    ptrdiff_t at = str_find(line, STR("@ file:"), 0);
    if (at >= 0)
        line = str_sub(line, (size_t)at + 2, line.n);
    bool file = str_skip(&line, STR("file://")) || str_skip(&line, STR("file:"));
    size_t n = 0;
    while (n < line.n && line.p[n] != '[' && line.p[n] != ' ' && line.p[n] != ';' &&
           line.p[n] != '#')
        n++;
    struct str path = str_sub(line, 0, n);
    bool here = str_eq(path, STR(".")) || str_eq(path, STR(".."));
    return file || here || str_find_char(path, '/', 0) >= 0 ? path : STR("");
}

void requirements_local(struct arena *a, struct str dir, struct str lines, struct node *files,
                        struct node *dirs)
{
    struct str line;
    while (lines.p && str_cut(&lines, '\n', &line)) {
        struct str path = local_path(line), full;
        if (str_starts(line, STR("-c")))
            path = str_trim(str_sub(line, 2, line.n));
        full = path_join(a, dir, path);
        if (path.n && fs_is_dir(full))
            inputs_add_folder(a, dir, path, files, dirs);
        else if (path.n && fs_is_file(full))
            node_push(a, files, node_str(a, path));
    }
}
