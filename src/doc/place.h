/* Where a piece of a string stands in its source. */
#ifndef TROUPE_PLACE_H
#define TROUPE_PLACE_H

#include "doc/node.h"

/* The place of bytes `from` … `end` of string node `n`, that of `n` when they are not found there.
 */
struct pos string_pos(const struct node *n, size_t from, size_t end);

/* Offset in bytes of line and column in the source; -1: there is no such line. */
ptrdiff_t place_offset(struct pos pos);

#endif
