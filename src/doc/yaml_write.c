/* Writing YAML: block style, two spaces a level, quotes only where a reader would take the text for
 * something else; the choices of style are those of the dialect's `print`: long lines are folded,
 * several lines stand as they are. */
#include "doc/yaml.h"

#include <ctype.h>

#include "doc/json.h"

static void write_value(struct buf *b, const struct node *n, unsigned indent);

/* ---- which style ---- */

static size_t span(struct str s, size_t from, const char *set)
{
    size_t i = from;
    while (i < s.n && s.p[i] && strchr(set, s.p[i]))
        i++;
    return i - from;
}

static const char digits[] = "0123456789";

/* 1:30 is 90 to old readers. */
static bool is_sexagesimal(struct str s)
{
    size_t i = s.n && strchr("+-", s.p[0]) ? 1 : 0;
    size_t first = span(s, i, "0123456789_");
    return first && i + first < s.n && s.p[i + first] == ':' &&
           span(s, i, "0123456789_:.") == s.n - i && s.p[s.n - 1] != ':';
}

static bool is_date(struct str s)
{
    size_t month = span(s, 5, digits), day = 0;
    if (span(s, 0, digits) != 4 || s.n < 8 || s.p[4] != '-' || !month || month > 2)
        return false;
    if (5 + month < s.n && s.p[5 + month] == '-')
        day = span(s, 6 + month, digits);
    size_t end = 6 + month + day;
    return day && day <= 2 && (end == s.n || (strchr("Tt ", s.p[end]) && end + 1 < s.n));
}

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
    double value;
    return yaml_number(s, &value) || is_sexagesimal(s) || is_date(s);
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7F;
}

/* Does the text hold characters that only double quotes can: control characters, and line ends of
 * other alphabets? */
static bool needs_escapes(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_control(c) && c != '\n')
            return true;
        if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] <= 0xA0)
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
    if (strchr("-?:&*!|=>'\"%@`,[]{}#", first) || str_starts(s, STR("...")))
        return false;
    return str_find(s, STR(": "), 0) < 0 && str_find(s, STR(" #"), 0) < 0;
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

/* The control characters and the space behind ASCII. */
static void write_latin(struct buf *b, unsigned char c)
{
    if (c == 0x85 || c == 0xA0)
        buf_add(b, c == 0x85 ? STR("\\N") : STR("\\_"));
    else
        buf_fmt(b, "\\x%02X", c);
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
        else if (c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] <= 0xA0)
            write_latin(b, (unsigned char)s.p[++i]);
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

/* `|` or `>` with the indicators for leading spaces and for how the end is kept. */
static void write_header(struct buf *b, char style, struct str s)
{
    bool clip = str_ends(s, STR("\n"));
    bool keep = clip && (s.n == 1 || s.p[s.n - 2] == '\n');
    size_t breaks = span(s, 0, "\n");
    buf_char(b, style);
    if (breaks < s.n && s.p[breaks] == ' ')
        buf_char(b, '2');
    buf_add(b, keep ? STR("+") : clip ? STR("") : STR("-"));
}

static void write_line(struct buf *b, struct str line, unsigned indent)
{
    buf_char(b, '\n');
    for (unsigned i = 0; line.n && i < indent; i++)
        buf_char(b, ' ');
    buf_add(b, line);
}

static void write_literal(struct buf *b, struct str s, unsigned indent)
{
    struct str rest = s, line;
    str_strip(&rest, STR("\n"));
    write_header(b, '|', s);
    while (str_cut(&rest, '\n', &line))
        write_line(b, line, indent);
}

/* One line in several of at most `width` characters where spaces allow. */
static void write_folded_line(struct buf *b, struct str line, unsigned indent, size_t width)
{
    size_t start = 0, last = 0;
    if (!line.n || line.p[0] == ' ') {
        write_line(b, line, indent);
        return;
    }
    for (size_t i = 0; i + 1 < line.n; i++) {
        if (line.p[i] != ' ' || line.p[i + 1] == ' ')
            continue;
        if (i - start > width) {
            size_t end = last > start ? last : i;
            write_line(b, str_sub(line, start, end - start), indent);
            start = end + 1;
        }
        last = i;
        i++;
    }
    if (line.n - start > width && last > start) {
        write_line(b, str_sub(line, start, last - start), indent);
        start = last + 1;
    }
    write_line(b, str_sub(line, start, line.n), indent);
}

static void write_folded(struct buf *b, struct str s, unsigned indent, size_t width)
{
    struct str rest = s, line;
    str_strip(&rest, STR("\n"));
    bool deep = s.p[0] == ' ' || s.p[0] == '\n', first = true;
    write_header(b, '>', s);
    while (str_cut(&rest, '\n', &line)) {
        bool indented = line.n && line.p[0] == ' ';
        if (!first && line.n && !deep && !indented)
            buf_char(b, '\n');
        write_folded_line(b, line, indent, width);
        if (line.n || first)
            deep = indented || (first && deep);
        first = false;
    }
}

static bool has_long_line(struct str s, size_t width)
{
    struct str rest = s, line;
    while (str_cut(&rest, '\n', &line))
        if (line.n > width && line.p[0] != ' ')
            return true;
    return false;
}

static void write_string(struct buf *b, struct str s, unsigned indent, bool key)
{
    enum { LINE_WIDTH = 80, LINE_WIDTH_MIN = 40 };
    bool lines = str_find_char(s, '\n', 0) >= 0;
    indent = indent ? indent : 2;
    size_t width = indent < LINE_WIDTH - LINE_WIDTH_MIN ? LINE_WIDTH - indent : LINE_WIDTH_MIN;
    if (!s.n)
        buf_lit(b, "''");
    else if (needs_escapes(s) || (key && lines))
        write_double(b, s);
    else if (!key && has_long_line(s, width))
        write_folded(b, s, indent, width);
    else if (lines)
        write_literal(b, s, indent);
    else if (plain_possible(s))
        buf_add(b, s);
    else
        write_single(b, s);
}

/* A small number with one digit gets a point, "1.e-7": readers of YAML 1.1 need it. */
static void write_number(struct buf *b, struct str s)
{
    ptrdiff_t e = str_find(s, STR("e-"), 0);
    if (e < 0 || str_find_char(s, '.', 0) >= 0)
        buf_add(b, s);
    else
        buf_fmt(b, "%.*s.%.*s", (int)e, s.p, STR_ARG(str_sub(s, (size_t)e, s.n)));
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
    member_each (m, n) {
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
        write_number(b, node_text(n));
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
