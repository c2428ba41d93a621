/* .env files: `NAME=value` assignments and the references between them. `.env.<stage>` replaces
 * `.env` as a whole. What the process has in its environment wins, unless it is empty.
 *
 * The readings are those of the dialect's two libraries, dotenv 17 and dotenv-expand 13, odd
 * corners included; tests/golden/dotenv compares whole files. */
#include "config/variables/variables.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/fs.h"
#include "doc/encoding.h"

enum {
    DOTENV_BYTES_MAX = 1024 * 1024,
    /* The dialect knows no limits, and hangs. */
    EXPANDED_BYTES_MAX = 64 * 1024, /* of a value with references */
    EXPANSIONS_MAX = 10000,         /* in one file */
};

/* ---- assignments ---- */

/* Bytes of the white space at `i`, as JavaScript's \s has it; 0: none. */
static size_t space_at(struct str s, size_t i)
{
    static const char *const wide[] = {
        "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
        "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
        "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9",
        "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80", "\xef\xbb\xbf"};
    if (i >= s.n)
        return 0;
    if ((unsigned char)s.p[i] < 0x80)
        return isspace((unsigned char)s.p[i]) ? 1 : 0;
    for (size_t k = 0; k < sizeof wide / sizeof *wide; k++)
        if (str_starts(str_sub(s, i, s.n), str_c(wide[k])))
            return strlen(wide[k]);
    return 0;
}

static size_t skip_space(struct str s, size_t i)
{
    for (size_t n; (n = space_at(s, i));)
        i += n;
    return i;
}

static struct str trim(struct str s)
{
    size_t start = skip_space(s, 0), end = start;
    for (size_t i = start, n; i < s.n; i += n ? n : 1) {
        n = space_at(s, i);
        if (!n)
            end = i + 1;
    }
    return str_sub(s, start, end - start);
}

static size_t skip_name(struct str s, size_t i)
{
    while (i < s.n && (isalnum((unsigned char)s.p[i]) || strchr("_.-", s.p[i])) && s.p[i])
        i++;
    return i;
}

/* Index behind the "=" or ": " that follows the name ending at `i`; 0: there is none. */
static size_t behind_separator(struct str s, size_t i)
{
    size_t sign = skip_space(s, i);
    if (sign < s.n && s.p[sign] == '=')
        return sign + 1;
    size_t space = i < s.n && s.p[i] == ':' ? space_at(s, i + 1) : 0;
    return space ? i + 1 + space : 0;
}

/* Read the name at `i`, with or without "export" in front. Returns where its value starts; 0: there
 * is no assignment. */
static size_t read_name(struct str s, size_t i, struct str *ret)
{
    size_t behind = str_starts(str_sub(s, i, s.n), STR("export")) ? skip_space(s, i + 6) : i;
    size_t starts[] = {behind > i + 6 ? behind : i, i};
    for (size_t k = 0; k < 2; k++) {
        size_t end = skip_name(s, starts[k]);
        size_t value = end > starts[k] ? behind_separator(s, end) : 0;
        *ret = str_sub(s, starts[k], end - starts[k]);
        if (value)
            return value;
    }
    return 0;
}

/* Does nothing but space and a comment follow on the line? */
static bool line_ends(struct str s, size_t i)
{
    for (size_t n; i < s.n && s.p[i] != '\n' && (n = space_at(s, i));)
        i += n;
    return i == s.n || s.p[i] == '\n' || s.p[i] == '#';
}

/* Index behind the quote that closes the one at `open`, or 0. A quote without a backslash closes
 * when nothing but a comment follows on its line; otherwise the last escaped one of which that is
 * true. */
static size_t behind_quote(struct str s, size_t open)
{
    size_t escaped = 0;
    for (size_t i = open + 1; i < s.n; i++) {
        if (s.p[i] != s.p[open])
            continue;
        bool ends = line_ends(s, i + 1);
        if (s.p[i - 1] != '\\')
            return ends ? i + 1 : escaped;
        escaped = ends ? i + 1 : escaped;
    }
    return escaped;
}

/* The value that starts at `i`, as it is written; `*end` is behind it. */
static struct str raw_value(struct str s, size_t i, size_t *end)
{
    size_t quote = skip_space(s, i);
    if (quote < s.n && strchr("'\"`", s.p[quote]) && s.p[quote] && (*end = behind_quote(s, quote)))
        return str_sub(s, quote, *end - quote);
    *end = i;
    while (*end < s.n && s.p[*end] != '#' && s.p[*end] != '\n')
        ++*end;
    return trim(str_sub(s, i, *end - i));
}

static struct str unquoted(struct arena *a, struct str s)
{
    char quote = s.n ? s.p[0] : 0;
    if (s.n > 1 && quote && strchr("'\"`", quote) && s.p[s.n - 1] == quote)
        s = str_sub(s, 1, s.n - 2);
    if (quote != '"')
        return s;
    s = str_replace(a, s, STR("\\n"), STR("\n"));
    return str_replace(a, s, STR("\\r"), STR("\r"));
}

struct map dotenv_assignments(struct arena *a, struct str text)
{
    struct map all = MAP(a);
    text = str_replace(a, text, STR("\r\n"), STR("\n"));
    text = str_replace(a, text, STR("\r"), STR("\n"));
    for (size_t i = 0; i < text.n;) {
        struct str name;
        i = skip_space(text, i);
        size_t value = read_name(text, i, &name);
        if (value) {
            struct dotenv_assignment *item = ARENA_NEW(a, struct dotenv_assignment);
            item->raw = unquoted(a, raw_value(text, value, &i));
            map_put(&all, name, item);
        }
        ptrdiff_t newline = str_find_char(text, '\n', i);
        i = newline < 0 ? text.n : (size_t)newline + 1;
    }
    return all;
}

/* ---- references ---- */

struct expansion {
    struct arena *arena; /* for the value that is expanded now */
    struct map all;      /* name -> struct dotenv_assignment */
    size_t count;        /* references replaced so far */
};

/* The value of a name while values are expanded: that of the environment, else the file's text. */
static struct str given(const struct expansion *x, struct str name)
{
    const char *value = str_find_char(name, '\0', 0) < 0 ? getenv(str_z(x->arena, name)) : NULL;
    if (value)
        return str_dup(x->arena, str_c(value));
    const struct dotenv_assignment *other = map_get(&x->all, name);
    return other ? other->raw : STR("");
}

/* The first reference, "${…}" without braces inside or "$NAME", and what stands in it. */
static bool find_reference(struct str s, struct str *ret, struct str *expression)
{
    for (size_t i = 0; i + 1 < s.n; i++) {
        if (s.p[i] != '$' || (i && s.p[i - 1] == '\\'))
            continue;
        size_t from = i + 1, end = from;
        if (s.p[from] == '{') {
            end = ++from;
            while (end < s.n && s.p[end] != '{' && s.p[end] != '}')
                end++;
            if (end == from || end == s.n || s.p[end] != '}')
                continue;
        } else {
            while (end < s.n && (isalpha((unsigned char)s.p[end]) || s.p[end] == '_' ||
                                 (end > from && isdigit((unsigned char)s.p[end]))))
                end++;
            if (end == from)
                continue;
        }
        *expression = str_sub(s, from, end - from);
        *ret = str_sub(s, i, end - i + (s.p[i + 1] == '{'));
        return true;
    }
    return false;
}

/* Cut "NAME:-word", "NAME-word", "NAME:+word" or "NAME+word". Returns the sign; 0: there is
 * none. */
static char cut_operation(struct str expression, struct str *name, struct str *word)
{
    size_t i = 0;
    while (i < expression.n && !strchr("+-", expression.p[i]))
        i++;
    bool colon = i && i < expression.n && expression.p[i - 1] == ':';
    *name = str_sub(expression, 0, i - colon);
    *word = str_sub(expression, i + 1, expression.n);
    return i < expression.n ? expression.p[i] : 0;
}

struct str dotenv_replace(struct arena *a, struct str s, struct str from, struct str to)
{
    size_t at = (size_t)str_find(s, from, 0);
    struct str before = str_sub(s, 0, at), behind = str_sub(s, at + from.n, s.n);
    struct buf b = BUF(a);
    buf_add(&b, before);
    for (size_t i = 0; i < to.n; i++) {
        char next = to.p[i] == '$' && i + 1 < to.n ? to.p[i + 1] : 0;
        i += next && strchr("$&`'", next);
        if (next == '$')
            buf_char(&b, '$');
        else if (next == '&')
            buf_add(&b, from);
        else if (next == '`')
            buf_add(&b, before);
        else if (next == '\'')
            buf_add(&b, behind);
        else
            buf_char(&b, to.p[i]);
    }
    buf_add(&b, behind);
    return buf_str(&b);
}

/* The text for a reference. A value that is among `seen` would be expanded for ever. */
static struct str reference_value(const struct expansion *x, char operation, struct str name,
                                  struct str word, const struct map *seen)
{
    struct str value = given(x, name);
    if (operation == '+')
        return value.n ? word : STR("");
    if (value.n && !map_has(seen, value))
        return value;
    return operation ? word : STR("");
}

static int expand(struct expansion *x, struct str s, struct str *ret, struct err *err)
{
    struct map seen = MAP(x->arena);
    struct str reference, expression, name, word;
    while (find_reference(s, &reference, &expression)) {
        if (x->count++ == EXPANSIONS_MAX || s.n > EXPANDED_BYTES_MAX)
            return err_set(err, ERR_CONFIG, "its references do not end, '%.*s' comes after %zu",
                           STR_ARG(reference), x->count - 1);
        map_put(&seen, s, x);
        char operation = cut_operation(expression, &name, &word);
        s = dotenv_replace(x->arena, s, reference,
                           reference_value(x, operation, name, word, &seen));
        const struct dotenv_assignment *earlier = map_get(&x->all, name);
        if (earlier && earlier->value.p && str_eq(earlier->value, s))
            break;
    }
    *ret = str_replace(x->arena, s, STR("\\$"), STR("$"));
    return 0;
}

/* ---- files ---- */

/* Values by name. What the environment has is left out, unless it is empty, the same text, or one
 * with "\$" in it: the dialect takes the backslash from the environment's value, too. */
static int read_values(struct arena *a, struct str text, struct map *ret, struct err *err)
{
    struct expansion x = {.all = dotenv_assignments(a, text)};
    for (size_t i = 0; i < x.all.n; i++) {
        cleanup_arena struct arena *scratch = x.arena = arena_new();
        struct str name = x.all.entries[i].key, value;
        struct dotenv_assignment *item = x.all.entries[i].value;
        const char *own = getenv(str_z(scratch, name));
        bool wins = own && *own && !str_eq(str_c(own), item->raw);
        if (wins)
            value = str_replace(scratch, str_c(own), STR("\\$"), STR("$"));
        else if (expand(&x, item->raw, &value, err) < 0)
            return err_wrap(err, "variable '%.*s'", STR_ARG(name));
        item->value = str_dup(a, value);
        if (!wins || !str_eq(value, str_c(own)))
            map_put(ret, name, &item->value);
    }
    return 0;
}

int dotenv_file(struct resolver *r, struct str name, struct str *ret, struct err *err)
{
    struct str path = path_join(r->arena, r->dir, name), text;
    *ret = (struct str){0};
    if (!fs_exists(path))
        return 0;
    if (fs_read(r->arena, path, DOTENV_BYTES_MAX, &text, err) < 0) {
        err->kind = ERR_CONFIG;
        return -1;
    }
    struct source *source = ARENA_NEW(r->arena, struct source);
    *source = (struct source){name, encoding_skip_mark(text)};
    if (encoding_check(source, err) < 0)
        return -1;
    *ret = source->text.p ? source->text : STR("");
    return 0;
}

int dotenv_read(struct resolver *r, struct str name, struct map **ret, struct err *err)
{
    struct str text;
    *ret = NULL;
    if (dotenv_file(r, name, &text, err) < 0)
        return -1;
    if (!text.p)
        return 0;
    struct map *values = ARENA_NEW(r->arena, struct map);
    *values = MAP(r->arena);
    if (read_values(r->arena, text, values, err) < 0)
        return err_wrap(err, "cannot read '%.*s'", STR_ARG(path_join(r->arena, r->dir, name)));
    *ret = values;
    return 0;
}

int dotenv_load(struct resolver *r, struct err *err)
{
    struct str names[] = {str_fmt(r->arena, ".env.%.*s", STR_ARG(r->stage)), STR(".env")};
    for (size_t i = r->stage.n ? 0 : 1; i < sizeof names / sizeof *names && !r->dotenv; i++) {
        struct map *values;
        if (dotenv_read(r, names[i], &values, err) < 0)
            return -1;
        r->dotenv = values;
        r->dotenv_name = values ? names[i] : STR("");
    }
    return 0;
}

struct str dotenv_text(struct resolver *r, struct str file, struct str name)
{
    return str_fmt(r->arena, "env(%.*s):%.*s", STR_ARG(file), STR_ARG(name));
}
