/* Growing byte buffers. */
#include "base/buf.h"

#include <stdarg.h>

static void reserve(struct buf *b, size_t more)
{
    size_t need = b->n + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    b->p = arena_grow(b->arena, b->p, b->cap, cap);
    b->cap = cap;
}

char *buf_room(struct buf *b, size_t n)
{
    reserve(b, n);
    char *at = b->p + b->n;
    b->n += n;
    b->p[b->n] = 0;
    return at;
}

void buf_add(struct buf *b, struct str s)
{
    if (s.n)
        memcpy(buf_room(b, s.n), s.p, s.n);
}

void buf_char(struct buf *b, char c)
{
    *buf_room(b, 1) = c;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n > 0) {
        char *at = buf_room(b, (size_t)n);
        vsnprintf(at, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    va_end(ap);
}

struct str buf_str(const struct buf *b)
{
    return b->p ? (struct str){b->p, b->n} : (struct str){"", 0};
}
