/* Signature Version 4. */
#include "aws/client/sigv4.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"

/* ---- path and query ---- */

/* The path without ".", ".." and empty segments; a trailing slash stays. */
static struct str normalised(struct arena *a, struct str path)
{
    VEC(struct str) kept = {0};
    struct str rest = path, part;
    bool folder = false;
    while (str_cut(&rest, '/', &part)) {
        folder = part.n == 0 || str_eq(part, STR(".")) || str_eq(part, STR(".."));
        if (str_eq(part, STR("..")) && kept.n)
            kept.n--;
        else if (!folder)
            vec_push(a, &kept, part);
    }
    struct buf b = BUF(a);
    vec_each (&kept, p) {
        buf_char(&b, '/');
        buf_add(&b, *p);
    }
    if (folder || !kept.n)
        buf_char(&b, '/');
    return buf_str(&b);
}

static struct str canonical_path(struct arena *a, const struct sigv4 *s, struct str path)
{
    if (!path.n)
        return STR("/");
    if (s->s3)
        return path;
    return aws_encode(a, normalised(a, path), true);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str percent_decoded(struct arena *a, struct str s)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 &&
            hex_digit(s.p[i + 2]) >= 0) {
            buf_char(&b, (char)(hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2])));
            i += 2;
        } else {
            buf_char(&b, s.p[i]);
        }
    }
    return buf_str(&b);
}

static int pair_cmp(const void *x, const void *y)
{
    const struct header *p = x, *q = y;
    int by_name = str_cmp(p->name, q->name);
    return by_name ? by_name : str_cmp(p->value, q->value);
}

static struct str canonical_query(struct arena *a, struct str query)
{
    VEC(struct header) pairs = {0};
    struct str rest = query, part;
    while (query.n && str_cut(&rest, '&', &part)) {
        struct str value = part, name;
        if (!part.n || !str_cut(&value, '=', &name))
            continue;
        struct header pair = {aws_encode(a, percent_decoded(a, name), false),
                              aws_encode(a, percent_decoded(a, value), false)};
        vec_push(a, &pairs, pair);
    }
    if (pairs.n)
        qsort(pairs.p, pairs.n, sizeof *pairs.p, pair_cmp);
    struct buf b = BUF(a);
    vec_each (&pairs, p)
        buf_fmt(&b, "%s%.*s=%.*s", p == pairs.p ? "" : "&", STR_ARG(p->name), STR_ARG(p->value));
    return buf_str(&b);
}

/* ---- headers ---- */

/* The value without blanks around it, and one space for several blanks in it. */
static struct str squeezed(struct arena *a, struct str value)
{
    struct buf b = BUF(a);
    struct str s = str_trim(value);
    for (size_t i = 0; i < s.n; i++) {
        bool blank = s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\n' || s.p[i] == '\r';
        if (!blank)
            buf_char(&b, s.p[i]);
        else if (b.n && b.p[b.n - 1] != ' ')
            buf_char(&b, ' ');
    }
    return buf_str(&b);
}

struct signed_header {
    struct header h;
    size_t order; /* as sent: values of one name keep their order */
};

static int signed_cmp(const void *x, const void *y)
{
    const struct signed_header *p = x, *q = y;
    int by_name = str_cmp(p->h.name, q->h.name);
    return by_name ? by_name : p->order < q->order ? -1 : p->order > q->order;
}

static bool is_left_out(struct str name)
{
    return str_eq(name, STR("authorization")) || str_eq(name, STR("user-agent"));
}

static struct str canonical_headers(struct arena *a, const struct sigv4_request *r,
                                    struct str *ret_signed)
{
    VEC(struct signed_header) list = {0};
    for (size_t i = 0; i < r->n_headers; i++) {
        struct header h = {str_lower(a, r->headers[i].name), squeezed(a, r->headers[i].value)};
        if (!is_left_out(h.name))
            vec_push(a, &list, (struct signed_header){h, i});
    }
    if (list.n)
        qsort(list.p, list.n, sizeof *list.p, signed_cmp);
    struct buf text = BUF(a), names = BUF(a);
    for (size_t i = 0; i < list.n; i++) {
        if (i && str_eq(list.p[i].h.name, list.p[i - 1].h.name)) {
            buf_fmt(&text, ",%.*s", STR_ARG(list.p[i].h.value));
            continue;
        }
        buf_fmt(&text, "%s%.*s:%.*s", i ? "\n" : "", STR_ARG(list.p[i].h.name),
                STR_ARG(list.p[i].h.value));
        buf_fmt(&names, "%s%.*s", i ? ";" : "", STR_ARG(list.p[i].h.name));
    }
    *ret_signed = buf_str(&names);
    return buf_str(&text);
}

/* ---- stages ---- */

struct str sigv4_canonical(struct arena *a, const struct sigv4 *s, const struct sigv4_request *r,
                           struct str *ret_signed)
{
    struct str headers = canonical_headers(a, r, ret_signed);
    return str_fmt(a, "%s\n%.*s\n%.*s\n%.*s\n\n%.*s\n%.*s", r->method,
                   STR_ARG(canonical_path(a, s, r->path)), STR_ARG(canonical_query(a, r->query)),
                   STR_ARG(headers), STR_ARG(*ret_signed), STR_ARG(r->payload_hash));
}

static struct str scope(struct arena *a, const struct sigv4 *s)
{
    return str_fmt(a, "%.8s/%.*s/%.*s/aws4_request", time_basic(a, s->wall_ms).p,
                   STR_ARG(s->region), STR_ARG(s->service));
}

struct str sigv4_string_to_sign(struct arena *a, const struct sigv4 *s, struct str canonical)
{
    return str_fmt(a, "AWS4-HMAC-SHA256\n%s\n%.*s\n%.*s", time_basic(a, s->wall_ms).p,
                   STR_ARG(scope(a, s)), STR_ARG(sha256_hex(a, canonical)));
}

struct str sigv4_signature(struct arena *a, const struct sigv4 *s, struct str string_to_sign)
{
    unsigned char key[SHA256_BYTES];
    struct str secret = str_concat(a, STR("AWS4"), s->secret_key);
    const struct str steps[] = {str_sub(time_basic(a, s->wall_ms), 0, 8), s->region, s->service,
                                STR("aws4_request"), string_to_sign};
    hmac_sha256(secret, steps[0], key);
    for (size_t i = 1; i < sizeof steps / sizeof *steps; i++) {
        unsigned char next[SHA256_BYTES];
        hmac_sha256((struct str){(const char *)key, sizeof key}, steps[i], next);
        memcpy(key, next, sizeof key);
    }
    return hex_encode(a, key, sizeof key);
}

struct str sigv4_authorization(struct arena *a, const struct sigv4 *s,
                               const struct sigv4_request *r)
{
    struct str names;
    struct str canonical = sigv4_canonical(a, s, r, &names);
    struct str signature = sigv4_signature(a, s, sigv4_string_to_sign(a, s, canonical));
    return str_fmt(a, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
                   STR_ARG(s->access_key), STR_ARG(scope(a, s)), STR_ARG(names),
                   STR_ARG(signature));
}
