/* `frameworkVersion`: which versions of the dialect the service is written for, as a range of
 * semantic versions. Source: node-semver, "Ranges". */
#include "config/config_internal.h"

enum { PARTS = 3 };
/* The versions of the reference that are spoken, by enum dialect. */
static const int64_t spoken[][PARTS] = {[DIALECT_3] = {3, 77, 1}, [DIALECT_4] = {4, 3, 1}};

/* "3", "3.x", "v3.77.1-beta": its first `n` parts are given. */
struct partial {
    int64_t parts[PARTS];
    size_t n;
};

static bool is_any(struct str part)
{
    return str_eq(part, STR("x")) || str_eq(part, STR("X")) || str_eq(part, STR("*"));
}

static bool read_partial(struct str text, struct partial *ret)
{
    struct str part;
    *ret = (struct partial){0};
    str_skip(&text, STR("v"));
    ptrdiff_t suffix = str_find_char(text, '-', 0);
    text = str_sub(text, 0, suffix < 0 ? text.n : (size_t)suffix);
    while (str_cut(&text, '.', &part)) {
        if (is_any(part))
            return true;
        if (ret->n == PARTS || !str_to_int(part, &ret->parts[ret->n++]))
            return false;
    }
    return true;
}

/* `version` compared with `p`, by its first `n` parts. */
static int compare(const int64_t *version, const struct partial *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (version[i] != p->parts[i])
            return version[i] < p->parts[i] ? -1 : 1;
    return 0;
}

static bool holds(const int64_t *version, struct str op, const struct partial *p)
{
    if (str_eq(op, STR(">=")))
        return compare(version, p, PARTS) >= 0;
    if (str_eq(op, STR(">")))
        return compare(version, p, p->n) > 0;
    if (str_eq(op, STR("<")))
        return compare(version, p, PARTS) < 0;
    if (str_eq(op, STR("<=")))
        return compare(version, p, p->n) <= 0;
    if (str_eq(op, STR("^")))
        return compare(version, p, PARTS) >= 0 && compare(version, p, p->n ? 1 : 0) == 0;
    if (str_eq(op, STR("~")))
        return compare(version, p, PARTS) >= 0 && compare(version, p, p->n < 2 ? p->n : 2) == 0;
    return compare(version, p, p->n) == 0;
}

/* The next word of a range; an operator is a word of its own. */
static struct str next_word(struct str *rest)
{
    static const char *const operators[] = {">=", "<=", ">", "<", "=", "^", "~"};
    *rest = str_trim(*rest);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (str_skip(rest, str_c(operators[i])))
            return str_c(operators[i]);
    size_t n = 0;
    while (n < rest->n && !strchr(" <>=^~", rest->p[n]))
        n++;
    struct str word = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->n);
    return word;
}

/* Do all comparisons of `set` hold? -1: it is none. */
static int set_holds(const int64_t *version, struct str set)
{
    struct str op = STR("");
    struct partial p, upper;
    int all = 1;
    for (struct str word = next_word(&set); word.n; word = next_word(&set)) {
        if (strchr("<>=^~", word.p[0])) {
            op = word;
            continue;
        }
        if (!read_partial(word, &p))
            return -1;
        struct str after = str_trim(set);
        if (str_skip(&after, STR("- "))) { /* "2.1 - 3" */
            if (!read_partial(next_word(&after), &upper))
                return -1;
            all &= holds(version, STR(">="), &p) && holds(version, STR("<="), &upper);
            set = after;
        } else {
            all &= holds(version, op, &p);
        }
        op = STR("");
    }
    return op.n ? -1 : all;
}

static int range_holds(const int64_t *version, struct str range)
{
    int any = 0;
    for (ptrdiff_t bar; (bar = str_find(range, STR("||"), 0)) >= 0;
         range = str_sub(range, (size_t)bar + 2, range.n)) {
        int set = set_holds(version, str_sub(range, 0, (size_t)bar));
        if (set < 0)
            return -1;
        any |= set;
    }
    int last = set_holds(version, range);
    return last < 0 ? -1 : any | last;
}

enum dialect framework_version_dialect(struct arena *a, const struct node *root,
                                       const struct config_options *options)
{
    const struct node *given = node_get_c(root, "frameworkVersion");
    struct str range = node_text(given);
    int is = 1;
    if (options->dialect)
        return options->dialect;
    if (options->bundle && options->bundle->dialect)
        return options->bundle->dialect;
    for (enum dialect d = DIALECT_3; range.n && d <= DIALECT_4; d++)
        if ((is = range_holds(spoken[d], range)) == 1)
            return d;
    if (is == 1 || !options->warn)
        return DIALECT_3;
    options->warn(options->warn_context, given->pos,
                  str_fmt(a, "'frameworkVersion' is '%.*s', %s", STR_ARG(range),
                          is ? "which is no range of versions"
                             : "and troupe reads what is written for versions 3.77 and 4.3"),
                  is ? STR("write it like '3' or '>=3.40.0 <4'")
                     : STR("it is read as of version 3; --dialect 4 reads it as of version 4"));
    return DIALECT_3;
}
