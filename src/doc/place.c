/* Where a piece of a string stands in its source. */
#include "doc/place.h"

/* Column and line move with every character of `text`. */
static void advance(struct pos *pos, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n') {
            pos->line++;
            pos->column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            pos->column++;
        }
    }
}

static uint32_t characters(struct str s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

ptrdiff_t place_offset(struct pos pos)
{
    if (!pos.source || !pos.line)
        return -1;
    struct str text = pos.source->text;
    size_t i = 0;
    for (uint32_t line = 1; line < pos.line; line++) {
        ptrdiff_t end = str_find_char(text, '\n', i);
        if (end < 0)
            return -1;
        i = (size_t)end + 1;
    }
    for (uint32_t column = 1; column < pos.column && i < text.n; column++)
        for (i++; i < text.n && ((unsigned char)text.p[i] & 0xC0) == 0x80;)
            i++;
    return (ptrdiff_t)i;
}

/* A value and its source differ in quotes, escapes and folding. So the piece is searched for in the
 * source: as the same text, as many times from the start of the scalar on as in the value. */
struct pos string_pos(const struct node *n, size_t from, size_t end)
{
    struct str needle = str_sub(n->text, from, end - from);
    ptrdiff_t start = place_offset(n->pos);
    if (start < 0 || !needle.n)
        return n->pos;
    size_t nth = 0;
    for (ptrdiff_t i = 0; (i = str_find(n->text, needle, (size_t)i)) >= 0 && (size_t)i < from; i++)
        nth++;
    struct str text = str_sub(n->pos.source->text, (size_t)start, n->text.n * 4 + 256);
    ptrdiff_t at = -1;
    do {
        at = str_find(text, needle, (size_t)(at + 1));
    } while (at >= 0 && nth--);
    if (at < 0)
        return n->pos;
    struct pos pos = n->pos;
    advance(&pos, str_sub(text, 0, (size_t)at));
    ptrdiff_t newline = str_find_char(needle, '\n', 0);
    pos.length = characters(newline < 0 ? needle : str_sub(needle, 0, (size_t)newline));
    return pos;
}
