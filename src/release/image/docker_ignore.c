/* `.dockerignore`: what of a folder the builder does not get. Its rules are those of
 * github.com/moby/patternmatcher, which Docker, Podman and Buildah have in common; they are not
 * the dialect's globs, nor git's. */
#include "release/image/image.h"

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static bool has_wildcard(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("*?[]\\", s.p[i]))
            return true;
    return false;
}

static void add_literal(struct buf *b, char c)
{
    if (strchr(".+()|{}$^*?[]\\", c))
        buf_char(b, '\\');
    buf_char(b, c);
}

/* Two stars: any folders before what follows, and everything at the end. At the start of a pattern
 * without other wildcards they are the beginning of a name, too ("**.pyc"). */
static void add_stars(struct buf *b, struct str *rest, bool at_start)
{
    bool slash = str_skip(rest, STR("/"));
    bool any = !rest->n || (at_start && !slash && !has_wildcard(*rest));
    buf_add(b, any ? STR(".*") : STR("(.*/)?"));
}

/* "[a-z]" is as in regular expressions. */
static void add_class(struct buf *b, struct str *rest)
{
    ptrdiff_t end = str_find_char(*rest, ']', 1);
    size_t n = end < 0 ? rest->n : (size_t)end + 1;
    buf_add(b, str_sub(*rest, 0, n));
    *rest = str_sub(*rest, n, SIZE_MAX);
}

/* What matches a folder matches all that is in it. */
static struct str to_regex(struct arena *a, struct str pattern)
{
    struct buf b = BUF(a);
    struct str rest = pattern;
    buf_add(&b, STR("^("));
    while (rest.n) {
        char c = rest.p[0];
        if (str_skip(&rest, STR("**"))) {
            add_stars(&b, &rest, rest.p == pattern.p + 2);
            continue;
        }
        if (c == '[') {
            add_class(&b, &rest);
            continue;
        }
        rest = str_sub(rest, 1, SIZE_MAX);
        if (c == '*' || c == '?') {
            buf_add(&b, c == '*' ? STR("[^/]*") : STR("[^/]"));
            continue;
        }
        if (c == '\\' && rest.n) {
            c = rest.p[0];
            rest = str_sub(rest, 1, SIZE_MAX);
        }
        add_literal(&b, c);
    }
    buf_add(&b, STR(")(/.*)?$"));
    return buf_str(&b);
}

static int add_line(struct arena *a, struct docker_ignore *into, struct str line, struct err *err)
{
    struct docker_rule rule = {.regex = ARENA_NEW(a, regex_t)};
    if (str_starts(line, STR("#")))
        return 0;
    line = str_trim(line);
    rule.keeps = str_skip(&line, STR("!"));
    line = str_trim(line);
    if (!line.n && !rule.keeps)
        return 0;
    struct str pattern = path_clean(a, line);
    str_skip(&pattern, STR("/"));
    if (!line.n || memchr(line.p, '\0', line.n) ||
        regcomp(rule.regex, str_z(a, to_regex(a, pattern)), REG_EXTENDED | REG_NOSUB))
        return err_set(err, ERR_CONFIG, "'%s%.*s' is no pattern", rule.keeps ? "!" : "",
                       STR_ARG(line));
    into->keeps |= rule.keeps;
    vec_push(a, &into->rules, rule);
    return 0;
}

int docker_ignore_read(struct arena *a, struct str folder, struct str dockerfile,
                       struct docker_ignore *ret, struct err *err)
{
    struct str own = str_concat(a, dockerfile, STR(".dockerignore")), text, line;
    struct str path = fs_is_file(own) ? own : path_join(a, folder, STR(".dockerignore"));
    *ret = (struct docker_ignore){.keeps = false};
    if (fs_exists(str_concat(a, dockerfile, STR(".containerignore"))) ||
        fs_exists(path_join(a, folder, STR(".containerignore"))) || !fs_exists(path))
        return 0;
    if (fs_read(a, path, FILE_BYTES_MAX, &text, err) < 0)
        return -1;
    str_skip(&text, STR("\xef\xbb\xbf"));
    for (unsigned number = 1; str_cut(&text, '\n', &line); number++)
        if (add_line(a, ret, line, err) < 0)
            return err_wrap(err, "%.*s:%u", STR_ARG(path), number);
    return 0;
}

void docker_ignore_free(struct docker_ignore *ignore)
{
    vec_each (&ignore->rules, rule)
        regfree(rule->regex);
}

bool docker_ignores(const struct docker_ignore *ignore, const char *path)
{
    bool ignored = false;
    vec_each (&ignore->rules, rule)
        if (rule->keeps == ignored && regexec(rule->regex, path, 0, NULL, 0) == 0)
            ignored = !rule->keeps;
    return ignored;
}
