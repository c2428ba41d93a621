/* A byte buffer that grows in an arena. `.p` always has a NUL at `.p[.n]` once anything was added;
 * buf_str gives the view. For output: JSON, request bodies, messages. */
#ifndef TROUPE_BUF_H
#define TROUPE_BUF_H

#include "base/str.h"

struct buf {
    struct arena *arena;
    char *p;
    size_t n, cap;
};

#define BUF(a) ((struct buf){.arena = (a)})

void buf_add(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull));
/* `n` bytes of space at the end, already counted; for reading into. */
char *buf_room(struct buf *b, size_t n);
/* View of the content; valid until the next change. */
struct str buf_str(const struct buf *b);

#define buf_lit(b, lit) buf_add((b), STR(lit))

#endif
