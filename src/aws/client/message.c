/* Pieces of requests and answers. */
#include "aws/client/aws_internal.h"
#include "base/buf.h"

struct str aws_encode(struct arena *a, struct str s, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash);
        if (plain) {
            buf_char(&b, (char)c);
        } else {
            buf_char(&b, '%');
            buf_char(&b, digits[c >> 4]);
            buf_char(&b, digits[c & 15]);
        }
    }
    return buf_str(&b);
}

struct str aws_path(struct arena *a, const char *pattern, const struct str *args, size_t n)
{
    struct buf b = BUF(a);
    struct str rest = str_c(pattern);
    for (size_t used = 0; used < n; used++) {
        ptrdiff_t at = str_find(rest, STR("{}"), 0);
        if (at < 0)
            break;
        buf_add(&b, str_sub(rest, 0, (size_t)at));
        buf_add(&b, aws_encode(a, args[used], false));
        rest = str_sub(rest, (size_t)at + 2, rest.n);
    }
    buf_add(&b, rest);
    return buf_str(&b);
}

struct str aws_header(const struct aws_answer *answer, const char *name)
{
    const struct str *value = map_get(&answer->headers, str_c(name));
    return value ? *value : (struct str){"", 0};
}

struct str text_of(const struct node *map, const char *key)
{
    return node_text(node_get_c(map, key));
}

const struct node *answer_list(struct arena *a, const struct node *map, const char *key)
{
    const struct node *found = node_get_c(map, key);
    if (node_is(found, NODE_SEQ))
        return found;
    struct node *list = node_seq(a);
    if (node_is(found, NODE_MAP) || node_text(found).n)
        node_push(a, list, found);
    return list;
}

struct str query_string(struct arena *a, const struct node *map)
{
    struct buf b = BUF(a);
    member_each (m, map) {
        struct node *one = node_seq(a);
        if (!node_is(m->value, NODE_SEQ))
            node_push(a, one, m->value);
        node_each (value, node_is(m->value, NODE_SEQ) ? m->value : one)
            buf_fmt(&b, "%s%.*s=%.*s", b.n ? "&" : "", STR_ARG(aws_encode(a, m->key, false)),
                    STR_ARG(aws_encode(a, node_text(value), false)));
    }
    return buf_str(&b);
}

void call_header(struct call *call, const char *name, struct str value)
{
    if (call->n_headers < sizeof call->headers / sizeof *call->headers)
        call->headers[call->n_headers++] = (struct header){str_c(name), value};
}
