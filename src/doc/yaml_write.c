/* Writing YAML: block style, two spaces a level, quotes only where a reader would take the text for
 * something else; the choices of style are those of the dialect's `print`. */
#include "doc/yaml.h"

#include <ctype.h>

#include "doc/json.h"

static void write_value(struct buf *b, const struct node *n, unsigned indent);

/* ---- which style ---- */

/* Would a reader of YAML 1.1 or 1.2 take the plain text for a null, boolean, number or date? */
static bool looks_typed(struct str s)
{
    static const char *const words[] = {"",     "~",     "null",  "Null",  "NULL", "true", "True",
                                        "TRUE", "false", "False", "FALSE", "y",    "Y",    "n",
                                        "N",    "yes",   "Yes",   "YES",   "no",   "No",   "NO",
                                        "on",   "On",    "ON",    "off",   "Off",  "OFF",  "=",
                                        "<<",   ".inf",  ".Inf",  ".INF",  ".nan", ".NaN", ".NAN"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(s, str_c(words[i])))
            return true;
    /* everything that starts like a number is quoted when it has only what numbers and dates have
     */
    size_t i = s.p[0] == '-' || s.p[0] == '+';
    if (i >= s.n || !(isdigit((unsigned char)s.p[i]) || s.p[i] == '.'))
        return false;
    for (; i < s.n; i++)
        if (!isxdigit((unsigned char)s.p[i]) && !strchr(".+-_:xoXOeEtTzZ ", s.p[i]))
            return str_ends(s, STR(".inf")) || str_ends(s, STR(".Inf")) || str_ends(s, STR(".INF"));
    return true;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7F;
}

/* Only double quotes can hold these: control characters, and the line ends of other alphabets. */
static bool needs_escapes(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_control(c) && c != '\n')
            return true;
        if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0)
            return true;
        if (c == 0xE2 && str_starts(str_sub(s, i, 3), STR("\xE2\x80")) && i + 2 < s.n &&
            ((unsigned char)s.p[i + 2] == 0xA8 || (unsigned char)s.p[i + 2] == 0xA9))
            return true;
        if (c == 0xEF && i + 2 < s.n &&
            (str_starts(str_sub(s, i, 3), STR("\xEF\xBB\xBF")) ||
             str_starts(str_sub(s, i, 3), STR("\xEF\xBF\xBE")) ||
             str_starts(str_sub(s, i, 3), STR("\xEF\xBF\xBF"))))
            return true;
    }
    return false;
}

static bool plain_possible(struct str s)
{
    char first = s.p[0], last = s.p[s.n - 1];
    if (first == ' ' || last == ' ' || last == ':' || looks_typed(s))
        return false;
    if (strchr("&*!|=>'\"%@`,[]{}#", first))
        return false;
    if (strchr("-?:", first) && (s.n == 1 || s.p[1] == ' ' || strchr(",[]{}", s.p[1])))
        return false;
    if (str_starts(s, STR("---")) || str_starts(s, STR("...")))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ':' && (i + 1 == s.n || s.p[i + 1] == ' '))
            return false;
        if (s.p[i] == '#' && i && s.p[i - 1] == ' ')
            return false;
        if (strchr(",[]{}", s.p[i]))
            return false;
    }
    return true;
}

/* ---- strings ---- */

static void write_single(struct buf *b, struct str s)
{
    buf_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_char(b, '\'');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '\'');
}

static void write_double(struct buf *b, struct str s)
{
    static const char names[] = {['\n'] = 'n', ['\t'] = 't', ['\r'] = 'r', ['\b'] = 'b',
                                 ['\f'] = 'f', ['\v'] = 'v', [7] = 'a',    [27] = 'e'};
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_fmt(b, "\\%c", c);
        else if (c < sizeof names && names[c])
            buf_fmt(b, "\\%c", names[c]);
        else if (is_control(c))
            buf_fmt(b, "\\x%02X", c);
        else if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0)
            buf_fmt(b, "\\x%02X", (unsigned char)s.p[++i]);
        else if ((c == 0xE2 || c == 0xEF) && needs_escapes(str_sub(s, i, 3))) {
            buf_fmt(b, "\\u%04X",
                    (c & 0x0F) << 12 | ((unsigned char)s.p[i + 1] & 0x3F) << 6 |
                        ((unsigned char)s.p[i + 2] & 0x3F));
            i += 2;
        } else
            buf_char(b, (char)c);
    }
    buf_char(b, '"');
}

/* A text of several lines as it is, with the indicator for how its end is kept. */
static void write_literal(struct buf *b, struct str s, unsigned indent)
{
    bool clip = str_ends(s, STR("\n"));
    bool keep = clip && (s.n == 1 || s.p[s.n - 2] == '\n');
    buf_char(b, '|');
    if (s.p[0] == ' ' || s.p[0] == '\n')
        buf_char(b, '2');
    buf_add(b, keep ? STR("+") : clip ? STR("") : STR("-"));
    struct str rest = clip ? str_sub(s, 0, s.n - 1) : s, line;
    while (str_cut(&rest, '\n', &line)) {
        buf_char(b, '\n');
        for (unsigned i = 0; line.n && i < indent; i++)
            buf_char(b, ' ');
        buf_add(b, line);
    }
}

static void write_string(struct buf *b, struct str s, unsigned indent, bool key)
{
    bool lines = str_find_char(s, '\n', 0) >= 0;
    if (!s.n)
        buf_lit(b, "''");
    else if (needs_escapes(s) || (key && lines))
        write_double(b, s);
    else if (lines)
        write_literal(b, s, indent ? indent : 2);
    else if (plain_possible(s))
        buf_add(b, s);
    else
        write_single(b, s);
}

/* ---- containers ---- */

static void new_line(struct buf *b, unsigned indent)
{
    buf_char(b, '\n');
    for (unsigned i = 0; i < indent; i++)
        buf_char(b, ' ');
}

static bool is_block(const struct node *n)
{
    return (n->kind == NODE_SEQ && n->count) || (n->kind == NODE_MAP && n->size);
}

static void write_key(struct buf *b, struct str key)
{
    enum { IMPLICIT_KEY_MAX = 1024 };
    if (key.n > IMPLICIT_KEY_MAX) {
        buf_lit(b, "? ");
        write_double(b, key);
        buf_lit(b, "\n");
    } else {
        write_string(b, key, 0, true);
    }
}

static void write_map(struct buf *b, const struct node *n, unsigned indent)
{
    bool first = true;
    member_each(m, n)
    {
        if (!first)
            new_line(b, indent);
        first = false;
        size_t start = b->n;
        write_key(b, m->key);
        if (b->p && b->n > start && b->p[b->n - 1] == '\n')
            for (unsigned i = 0; i < indent; i++)
                buf_char(b, ' ');
        buf_char(b, ':');
        if (is_block(m->value))
            new_line(b, indent + 2);
        else
            buf_char(b, ' ');
        write_value(b, m->value, indent + 2);
    }
}

static void write_seq(struct buf *b, const struct node *n, unsigned indent)
{
    for (size_t i = 0; i < n->count; i++) {
        if (i)
            new_line(b, indent);
        buf_lit(b, "- ");
        write_value(b, n->items[i], indent + 2);
    }
}

static void write_value(struct buf *b, const struct node *n, unsigned indent)
{
    switch ((enum node_kind)n->kind) {
    case NODE_NULL:
        buf_lit(b, "null");
        break;
    case NODE_BOOL:
    case NODE_NUMBER:
        buf_add(b, node_text(n));
        break;
    case NODE_STRING:
        write_string(b, n->text, indent, false);
        break;
    case NODE_SEQ:
        if (n->count)
            write_seq(b, n, indent);
        else
            buf_lit(b, "[]");
        break;
    case NODE_MAP:
        if (n->size)
            write_map(b, n, indent);
        else
            buf_lit(b, "{}");
        break;
    }
}

void yaml_write(struct buf *b, const struct node *n)
{
    write_value(b, n, 0);
    buf_char(b, '\n');
}
