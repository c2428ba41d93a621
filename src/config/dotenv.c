/* .env files: `NAME=value` lines, quotes, comments, and `$NAME` within values. `.env.<stage>`
 * replaces `.env` as a whole. What the process has in its environment wins. */
#include "config/variables.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/fs.h"
#include "doc/encoding.h"

enum { DOTENV_BYTES_MAX = 1024 * 1024, DOTENV_VALUE_MAX = 64 * 1024 };

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

/* `name` at the start of `line` and what follows the `=`, or false: no assignment. */
static bool assignment(struct str line, struct str *name, struct str *rest)
{
    line = str_trim(line);
    if (str_starts(line, STR("export ")))
        line = str_trim(str_sub(line, 7, line.n));
    size_t i = 0;
    while (i < line.n && is_name(line.p[i]))
        i++;
    *name = str_sub(line, 0, i);
    size_t end = i;
    while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
        i++;
    bool equals = i < line.n && line.p[i] == '=';
    bool colon = end < line.n && line.p[end] == ':' && end + 1 < line.n && line.p[end + 1] == ' ';
    if (!name->n || (!equals && !colon))
        return false;
    *rest = str_sub(line, (equals ? i : end) + 1, line.n);
    return true;
}

static struct str unescape(struct arena *a, struct str s)
{
    s = str_replace(a, s, STR("\\n"), STR("\n"));
    return str_replace(a, s, STR("\\r"), STR("\r"));
}

/* The value that starts at `rest`, a part of `text`; `*next` is set behind its last line. */
static struct str value_at(struct arena *a, struct str text, struct str rest, struct str *next)
{
    size_t at = (size_t)(rest.p - text.p);
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
        at++;
    char quote = at < text.n ? text.p[at] : 0;
    if (quote == '"' || quote == '\'' || quote == '`') {
        ptrdiff_t end = (ptrdiff_t)at;
        do {
            end = str_find_char(text, quote, (size_t)end + 1);
        } while (end > 0 && text.p[end - 1] == '\\');
        if (end > 0) {
            ptrdiff_t newline = str_find_char(text, '\n', (size_t)end);
            *next = newline < 0 ? (struct str){0} : str_sub(text, (size_t)newline + 1, text.n);
            struct str value = str_sub(text, at + 1, (size_t)end - at - 1);
            return quote == '"' ? unescape(a, value) : value;
        }
    }
    ptrdiff_t comment = str_find_char(rest, '#', 0);
    return str_trim(comment < 0 ? rest : str_sub(rest, 0, (size_t)comment));
}

/* ---- references ---- */

static struct str reference_value(struct resolver *r, struct str expression)
{
    size_t i = 0;
    while (i < expression.n && (isalnum((unsigned char)expression.p[i]) || expression.p[i] == '_'))
        i++;
    struct str name = str_sub(expression, 0, i), rest = str_sub(expression, i, expression.n), value;
    bool found = environment_get(r, name, &value) && value.n;
    bool colon = str_starts(rest, STR(":"));
    char operation = rest.n > colon ? rest.p[colon] : 0;
    struct str word = str_sub(rest, (size_t)colon + 1, rest.n);
    if (operation == '+')
        return found ? word : (struct str){"", 0};
    return found ? value : operation == '-' ? word : (struct str){"", 0};
}

/* End of the reference at `from`, where a `$` stands, and what it names; 0: it is none. */
static size_t reference_end(struct str s, size_t from, struct str *expression)
{
    size_t i = from + 1;
    if (i < s.n && s.p[i] == '{') {
        ptrdiff_t end = str_find_char(s, '}', i);
        if (end < 0)
            return 0;
        *expression = str_sub(s, i + 1, (size_t)end - i - 1);
        return (size_t)end + 1;
    }
    if (i >= s.n || (!isalpha((unsigned char)s.p[i]) && s.p[i] != '_'))
        return 0;
    while (i < s.n && (isalnum((unsigned char)s.p[i]) || s.p[i] == '_'))
        i++;
    *expression = str_sub(s, from + 1, i - from - 1);
    return i;
}

static struct str expand(struct resolver *r, struct str s)
{
    struct buf b = BUF(r->arena);
    buf_lit(&b, "");
    for (size_t i = 0; i < s.n && b.n < DOTENV_VALUE_MAX;) {
        struct str expression;
        size_t end = 0;
        if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] == '$') {
            buf_char(&b, '$');
            i += 2;
            continue;
        }
        if (s.p[i] == '$')
            end = reference_end(s, i, &expression);
        if (end)
            buf_add(&b, reference_value(r, expression));
        else
            buf_char(&b, s.p[i]);
        i = end ? end : i + 1;
    }
    return b.p ? buf_str(&b) : (struct str){"", 0};
}

static void read_lines(struct resolver *r, struct str text)
{
    struct str rest = text;
    while (rest.n) {
        ptrdiff_t end = str_find_char(rest, '\n', 0);
        struct str line = end < 0 ? rest : str_sub(rest, 0, (size_t)end);
        struct str next = end < 0 ? (struct str){0} : str_sub(rest, (size_t)end + 1, rest.n);
        struct str name, value;
        if (assignment(line, &name, &value)) {
            struct str *stored = ARENA_NEW(r->arena, struct str);
            *stored = expand(r, value_at(r->arena, text, value, &next));
            map_put(r->dotenv, str_dup(r->arena, name), stored);
        }
        rest = next;
    }
}

int dotenv_read(struct resolver *r, struct str name, struct map **ret, struct err *err)
{
    struct str path = path_join(r->arena, r->dir, name), text;
    *ret = NULL;
    if (!fs_is_file(path))
        return 0;
    if (fs_read(r->arena, path, DOTENV_BYTES_MAX, &text, err) < 0) {
        err->kind = ERR_CONFIG;
        return -1;
    }
    struct source *source = ARENA_NEW(r->arena, struct source);
    *source = (struct source){name, encoding_skip_mark(text)};
    if (encoding_check(source, err) < 0)
        return -1;
    struct map *before = r->dotenv, *values = ARENA_NEW(r->arena, struct map);
    *values = MAP(r->arena);
    r->dotenv = values; /* values refer to those above them */
    read_lines(r, source->text);
    r->dotenv = before;
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
