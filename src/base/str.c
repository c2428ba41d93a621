/* String views. */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>

struct str str_c(const char *s)
{
    return s ? (struct str){s, strlen(s)} : (struct str){"", 0};
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq((struct str){s.p, prefix.n}, prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq((struct str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

bool str_skip(struct str *s, struct str prefix)
{
    bool begins = str_starts(*s, prefix);
    if (begins)
        *s = str_sub(*s, prefix.n, s->n);
    return begins;
}

bool str_strip(struct str *s, struct str suffix)
{
    bool ends = str_ends(*s, suffix);
    if (ends)
        s->n -= suffix.n;
    return ends;
}

struct str str_sub(struct str s, size_t from, size_t n)
{
    if (from > s.n)
        from = s.n;
    if (n > s.n - from)
        n = s.n - from;
    return (struct str){s.p ? s.p + from : "", n};
}

ptrdiff_t str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.n || needle.n > s.n - from)
        return -1;
    if (!needle.n)
        return (ptrdiff_t)from;
    const char *p = memmem(s.p + from, s.n - from, needle.p, needle.n);
    return p ? p - s.p : -1;
}

ptrdiff_t str_find_char(struct str s, char c, size_t from)
{
    if (from >= s.n)
        return -1;
    const char *p = memchr(s.p + from, c, s.n - from);
    return p ? p - s.p : -1;
}

ptrdiff_t str_rfind_char(struct str s, char c)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c)
            return (ptrdiff_t)i - 1;
    return -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_cut(struct str *rest, char sep, struct str *part)
{
    if (!rest->p) {
        *part = STR("");
        return false;
    }
    ptrdiff_t at = str_find_char(*rest, sep, 0);
    if (at < 0) {
        *part = *rest;
        *rest = (struct str){NULL, 0};
    } else {
        *part = str_sub(*rest, 0, (size_t)at);
        *rest = str_sub(*rest, (size_t)at + 1, rest->n);
    }
    return true;
}

bool str_to_int(struct str s, int64_t *ret)
{
    size_t i = 0;
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        i = 1;
    if (i >= s.n)
        return false;
    int64_t v = 0;
    for (; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        int digit = s.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, negative ? -digit : digit, &v))
            return false;
    }
    *ret = v;
    return true;
}

uint64_t str_hash(struct str s)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h;
}

enum { DISTANCE_MAX = 64 };

size_t str_distance(struct str a, struct str b, size_t limit)
{
    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
        return SIZE_MAX;
    size_t row[DISTANCE_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = diagonal + (a.p[i - 1] != b.p[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.n] <= limit ? row[b.n] : SIZE_MAX;
}

struct str str_dup(struct arena *a, struct str s)
{
    return (struct str){arena_dup(a, s.p, s.n), s.n};
}

char *str_z(struct arena *a, struct str s)
{
    return arena_dup(a, s.p, s.n);
}

struct str str_concat(struct arena *a, struct str x, struct str y)
{
    char *p = arena_alloc(a, x.n + y.n + 1);
    if (x.n)
        memcpy(p, x.p, x.n);
    if (y.n)
        memcpy(p + x.n, y.p, y.n);
    return (struct str){p, x.n + y.n};
}

struct str str_lower(struct arena *a, struct str s)
{
    char *p = arena_dup(a, s.p, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + ('a' - 'A'));
    return (struct str){p, s.n};
}

struct str str_upper(struct arena *a, struct str s)
{
    char *p = arena_dup(a, s.p, s.n);
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'a' && p[i] <= 'z')
            p[i] = (char)(p[i] - ('a' - 'A'));
    return (struct str){p, s.n};
}

struct str str_upper_first(struct arena *a, struct str s)
{
    char *p = arena_dup(a, s.p, s.n);
    if (s.n && p[0] >= 'a' && p[0] <= 'z')
        p[0] = (char)(p[0] - ('a' - 'A'));
    return (struct str){p, s.n};
}

struct str str_replace(struct arena *a, struct str s, struct str from, struct str to)
{
    size_t count = 0;
    for (ptrdiff_t at = 0; from.n && (at = str_find(s, from, (size_t)at)) >= 0; at += from.n)
        count++;
    if (!count)
        return s;
    char *p = arena_alloc(a, s.n + count * to.n - count * from.n + 1);
    size_t n = 0, pos = 0;
    for (ptrdiff_t at; (at = str_find(s, from, pos)) >= 0; pos = (size_t)at + from.n) {
        memcpy(p + n, s.p + pos, (size_t)at - pos);
        n += (size_t)at - pos;
        if (to.n)
            memcpy(p + n, to.p, to.n);
        n += to.n;
    }
    memcpy(p + n, s.p + pos, s.n - pos);
    return (struct str){p, n + s.n - pos};
}

struct str str_vfmt(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        die("out of memory"); /* or a text of more than INT_MAX bytes */
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}

struct str str_fmt(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = str_vfmt(a, fmt, ap);
    va_end(ap);
    return s;
}

/* Table 3-7 of the Unicode standard. */
size_t str_utf8_len(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
                 : p[0] >= 0xE0 && p[0] <= 0xEF ? 3
                 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                : 0;
    if (!len || len > s.n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    bool bad = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
               (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F);
    return bad ? 0 : len;
}

bool str_utf8_ok(struct str s, size_t *ret_bad)
{
    static const uint64_t not_ascii = 0x8080808080808080;
    for (size_t i = 0; i < s.n;) {
        uint64_t word;
        if (s.n - i >= sizeof word && (memcpy(&word, s.p + i, sizeof word), !(word & not_ascii))) {
            i += sizeof word;
            continue;
        }
        size_t len = str_utf8_len(str_sub(s, i, s.n));
        if (!len) {
            *ret_bad = i;
            return false;
        }
        i += len;
    }
    return true;
}
