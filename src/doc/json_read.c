/* Reading JSON: a recursive descent over the text with a depth limit, RFC 8259 and nothing looser.
 */
#include "doc/json.h"

#include <math.h>

#include "doc/encoding.h"

struct reader {
    struct arena *arena;
    const struct source *source;
    const char *p, *end;
    const char *line_start;
    /* where counting has come in this line: a long line is not counted again and again */
    const char *counted;
    uint32_t counted_columns;
    uint32_t line;
    unsigned depth;
    struct err *err;
};

static uint32_t columns(const char *from, const char *to)
{
    uint32_t n = 0;
    for (; from < to; from++)
        n += ((unsigned char)*from & 0xC0) != 0x80;
    return n;
}

static struct pos pos_at(struct reader *r, const char *at)
{
    if (r->counted < r->line_start || r->counted > at) {
        r->counted = r->line_start;
        r->counted_columns = 0;
    }
    r->counted_columns += columns(r->counted, at);
    r->counted = at;
    return (struct pos){r->source, r->line, r->counted_columns + 1, 0};
}

static struct node *bad(struct reader *r, const char *what)
{
    if (r->err->kind == ERR_NONE)
        err_at(r->err, pos_at(r, r->p), ERR_CONFIG, "invalid JSON: %s", what);
    return NULL;
}

static void skip_space(struct reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n') {
            r->line++;
            r->line_start = r->p + 1;
        } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
            return;
        }
    }
}

static bool hex4(const char *p, const char *end, unsigned *ret)
{
    unsigned v = 0;
    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (unsigned)digit;
    }
    *ret = v;
    return true;
}

static void add_utf8(struct buf *b, unsigned c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xC0 | c >> 6));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xE0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(b, (char)(0xF0 | c >> 18));
        buf_char(b, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(b, (char)(0x80 | (c & 0x3F)));
    }
}

/* `\uXXXX`, with `r->p` behind the u; pairs of surrogates are one character. A lone surrogate
 * cannot be UTF-8: it becomes U+FFFD, as JavaScript's encoder does. */
static bool read_unicode(struct reader *r, struct buf *b)
{
    unsigned c, low;
    if (!hex4(r->p, r->end, &c))
        return false;
    r->p += 4;
    if (c >= 0xD800 && c <= 0xDBFF && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' &&
        hex4(r->p + 2, r->end, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        r->p += 6;
    } else if (c >= 0xD800 && c <= 0xDFFF) {
        c = 0xFFFD;
    }
    add_utf8(b, c);
    return true;
}

static bool read_escape(struct reader *r, struct buf *b)
{
    static const char plain[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    if (r->p >= r->end)
        return false;
    unsigned char c = (unsigned char)*r->p++;
    if (c == 'u')
        return read_unicode(r, b);
    if (!plain[c])
        return false;
    buf_char(b, plain[c]);
    return true;
}

/* Read a string; `r->p` is behind the opening quote. */
static bool read_string(struct reader *r, struct str *ret)
{
    const char *from = r->p;
    struct buf b = BUF(r->arena);
    bool escaped = false;
    for (;;) {
        if (r->p >= r->end || (unsigned char)*r->p < 0x20) {
            bad(r, r->p >= r->end ? "a string does not end" : "a control character in a string");
            return false;
        }
        if (*r->p == '"')
            break;
        if (*r->p++ != '\\')
            continue;
        buf_add(&b, (struct str){from, (size_t)(r->p - 1 - from)});
        escaped = true;
        if (!read_escape(r, &b)) {
            bad(r, "an unknown escape in a string");
            return false;
        }
        from = r->p;
    }
    struct str tail = {from, (size_t)(r->p - from)};
    r->p++;
    if (escaped)
        buf_add(&b, tail);
    *ret = escaped ? buf_str(&b) : tail;
    return true;
}

static bool digits(struct reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

static struct node *read_number(struct reader *r)
{
    const char *from = r->p;
    bool whole = true;
    if (*r->p == '-')
        r->p++;
    const char *first = r->p;
    if (!digits(r) || (*first == '0' && r->p - first > 1))
        return bad(r, "not a number");
    if (r->p < r->end && *r->p == '.') {
        whole = false;
        r->p++;
        if (!digits(r))
            return bad(r, "digits must follow the decimal point");
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        whole = false;
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        if (!digits(r))
            return bad(r, "digits must follow the exponent");
    }
    struct str text = {from, (size_t)(r->p - from)};
    if (whole)
        return node_number(r->arena, str_eq(text, STR("-0")) ? STR("0") : text);
    double value = strtod(str_z(r->arena, text), NULL);
    if (!isfinite(value))
        return bad(r, "a number out of range");
    return node_number(r->arena, number_canonical(r->arena, value));
}

static struct node *read_value(struct reader *r);

static struct node *read_seq(struct reader *r)
{
    struct node *seq = node_seq(r->arena);
    skip_space(r);
    if (r->p < r->end && *r->p == ']') {
        r->p++;
        return seq;
    }
    for (;;) {
        const struct node *item = read_value(r);
        if (!item)
            return NULL;
        node_push(r->arena, seq, item);
        skip_space(r);
        char c = r->p < r->end ? *r->p : 0;
        if (c != ',' && c != ']')
            return bad(r, "expected ',' or ']'");
        r->p++;
        if (c == ']')
            return seq;
    }
}

static bool read_member(struct reader *r, struct node *map)
{
    struct str key;
    skip_space(r);
    struct pos at = pos_at(r, r->p);
    if (r->p >= r->end || *r->p != '"') {
        bad(r, "expected a key in double quotes");
        return false;
    }
    r->p++;
    if (!read_string(r, &key))
        return false;
    at.length = (uint32_t)key.n + 2;
    const struct member *old = node_member(map, key);
    if (old) {
        err_at(r->err, at, ERR_CONFIG, "invalid JSON: key '%.*s' is there twice", STR_ARG(key));
        err_note(r->err, old->key_pos, "first");
        return false;
    }
    skip_space(r);
    if (r->p >= r->end || *r->p != ':') {
        bad(r, "expected ':'");
        return false;
    }
    r->p++;
    const struct node *value = read_value(r);
    if (!value)
        return false;
    node_put_at(r->arena, map, key, at, value);
    return true;
}

static struct node *read_map(struct reader *r)
{
    struct node *map = node_map(r->arena);
    skip_space(r);
    if (r->p < r->end && *r->p == '}') {
        r->p++;
        return map;
    }
    for (;;) {
        if (!read_member(r, map))
            return NULL;
        skip_space(r);
        char c = r->p < r->end ? *r->p : 0;
        if (c != ',' && c != '}')
            return bad(r, "expected ',' or '}'");
        r->p++;
        if (c == '}')
            return map;
    }
}

static struct node *read_word(struct reader *r)
{
    static const struct {
        struct str word;
        int value;
    } words[] = {{{"null", 4}, -1}, {{"true", 4}, 1}, {{"false", 5}, 0}};
    struct str rest = {r->p, (size_t)(r->end - r->p)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_starts(rest, words[i].word))
            continue;
        r->p += words[i].word.n;
        return words[i].value < 0 ? node_null(r->arena) : node_bool(r->arena, words[i].value);
    }
    return bad(r, "expected a value");
}

static struct node *read_collection(struct reader *r)
{
    if (r->depth >= DOC_DEPTH_MAX)
        return bad(r, "nested too deeply");
    r->depth++;
    struct node *n = *r->p++ == '[' ? read_seq(r) : read_map(r);
    r->depth--;
    return n;
}

static struct node *read_string_node(struct reader *r)
{
    struct str s;
    r->p++;
    return read_string(r, &s) ? node_str(r->arena, s) : NULL;
}

static struct node *read_value(struct reader *r)
{
    skip_space(r);
    if (r->p >= r->end)
        return bad(r, "it ends too early");
    const char *from = r->p;
    struct pos at = pos_at(r, from);
    char c = *from;
    struct node *n = c == '"'                             ? read_string_node(r)
                     : c == '[' || c == '{'               ? read_collection(r)
                     : c == '-' || (c >= '0' && c <= '9') ? read_number(r)
                                                          : read_word(r);
    if (!n)
        return NULL;
    if (at.line == r->line)
        at.length = columns(from, r->p);
    n->pos = at;
    return n;
}

static int check_text(const struct source *source, struct err *err)
{
    size_t bad_at;
    if (encoding_check(source, err) < 0)
        return -1;
    if (str_utf8_ok(source->text, &bad_at))
        return 0;
    struct pos at = {source, 1, 1, 0};
    const char *line = source->text.p;
    for (const char *p = line; p < source->text.p + bad_at; p++) {
        if (*p == '\n') {
            at.line++;
            line = p + 1;
        }
    }
    at.column = columns(line, source->text.p + bad_at) + 1;
    return err_at(err, at, ERR_CONFIG, "invalid UTF-8: byte 0x%02x",
                  (unsigned char)source->text.p[bad_at]);
}

const struct node *json_read(struct arena *a, const struct source *source, struct err *err)
{
    if (check_text(source, err) < 0)
        return NULL;
    struct str text = encoding_skip_mark(source->text);
    struct reader r = {.arena = a,
                       .source = source,
                       .p = text.p,
                       .end = text.p + text.n,
                       .line_start = text.p,
                       .counted = text.p,
                       .line = 1,
                       .err = err};
    const struct node *n = read_value(&r);
    if (!n)
        return NULL;
    skip_space(&r);
    if (r.p < r.end)
        return bad(&r, "something stands behind the value");
    return n;
}

const struct node *json_parse(struct arena *a, struct str name, struct str text, struct err *err)
{
    struct source *source = ARENA_NEW(a, struct source);
    *source = (struct source){str_dup(a, name), text};
    return json_read(a, source, err);
}
