/* Writing JSON. */
#include "doc/json.h"

struct writer {
    struct buf *out;
    unsigned indent;
    bool sorted;
};

/* Is this one of U+0080 to U+009F? JSON takes them as they are; YAML, as which CloudFormation's
 * tools read a template, does not. */
static bool is_late_control(struct str s, size_t i)
{
    unsigned char c = i + 1 < s.n && s.p[i] == '\xC2' ? (unsigned char)s.p[i + 1] : 0;
    return c >= 0x80 && c < 0xA0;
}

static void write_string(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    static const char escapes[256] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
                                      ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool late = is_late_control(s, i);
        if (c >= 0x20 && c != 0x7F && c != '"' && c != '\\' && !late)
            continue;
        buf_add(b, str_sub(s, from, i - from));
        if (late)
            c = (unsigned char)s.p[++i];
        from = i + 1;
        buf_char(b, '\\');
        if (escapes[c]) {
            buf_char(b, escapes[c]);
        } else {
            buf_lit(b, "u00");
            buf_char(b, hex[c >> 4]);
            buf_char(b, hex[c & 15]);
        }
    }
    buf_add(b, str_sub(s, from, s.n));
    buf_char(b, '"');
}

static void write_node(struct writer *w, const struct node *n, unsigned depth);

static void line(struct writer *w, unsigned depth)
{
    if (!w->indent)
        return;
    buf_char(w->out, '\n');
    for (unsigned i = 0; i < depth * w->indent; i++)
        buf_char(w->out, ' ');
}

static void write_seq(struct writer *w, const struct node *n, unsigned depth)
{
    buf_char(w->out, '[');
    for (size_t i = 0; i < n->count; i++) {
        if (i)
            buf_char(w->out, ',');
        line(w, depth + 1);
        write_node(w, n->items[i], depth + 1);
    }
    if (n->count)
        line(w, depth);
    buf_char(w->out, ']');
}

static int by_key(const void *x, const void *y)
{
    return str_cmp((*(const struct member *const *)x)->key,
                   (*(const struct member *const *)y)->key);
}

static void write_map(struct writer *w, const struct node *n, unsigned depth)
{
    const struct member **order = ARENA_ARRAY(w->out->arena, n->size + 1, const struct member *);
    for (size_t i = 0; i < n->size; i++)
        order[i] = &n->members[i];
    if (w->sorted && n->size)
        qsort(order, n->size, sizeof *order, by_key);
    buf_char(w->out, '{');
    for (size_t i = 0; i < n->size; i++) {
        if (i)
            buf_char(w->out, ',');
        line(w, depth + 1);
        write_string(w->out, order[i]->key);
        buf_char(w->out, ':');
        if (w->indent)
            buf_char(w->out, ' ');
        write_node(w, order[i]->value, depth + 1);
    }
    if (n->size)
        line(w, depth);
    buf_char(w->out, '}');
}

static void write_node(struct writer *w, const struct node *n, unsigned depth)
{
    switch ((enum node_kind)n->kind) {
    case NODE_NULL:
        buf_lit(w->out, "null");
        return;
    case NODE_BOOL:
    case NODE_NUMBER:
    case NODE_STRING:
        if (n->kind == NODE_STRING)
            write_string(w->out, n->text);
        else
            buf_add(w->out, node_text(n));
        return;
    case NODE_SEQ:
        write_seq(w, n, depth);
        return;
    case NODE_MAP:
        write_map(w, n, depth);
        return;
    }
}

void json_write(struct buf *b, const struct node *n, unsigned indent)
{
    write_node(&(struct writer){.out = b, .indent = indent}, n, 0);
}

void json_write_masked(struct buf *b, const struct node *n, unsigned indent)
{
    json_write(b, node_masked(b->arena, n), indent);
}

struct str json_canonical(struct arena *a, const struct node *n)
{
    struct buf b = BUF(a);
    write_node(&(struct writer){.out = &b, .sorted = true}, n, 0);
    return buf_str(&b);
}

struct str json_text(struct arena *a, const struct node *n, unsigned indent)
{
    struct buf b = BUF(a);
    json_write(&b, n, indent);
    return buf_str(&b);
}
