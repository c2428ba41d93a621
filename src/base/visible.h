/* Text from files, from AWS and from other people as it may be shown: what would drive a terminal
 * or change the order of what is read is written out. These are the control characters (C0, DEL and
 * C1), the characters that turn the direction of writing, and bytes that are no UTF-8. A character
 * becomes \uXXXX (which in a JSON document still means the same), a byte \xXX; newline, return and
 * tab become \n, \r and \t. Any thread. */
#ifndef TROUPE_VISIBLE_H
#define TROUPE_VISIBLE_H

#include "base/buf.h"

enum visible_kept {
    VISIBLE_LINE,   /* nothing is kept: names, values, messages */
    VISIBLE_TEXT,   /* newlines and tabs: what is a text of several lines */
    VISIBLE_OUTPUT, /* the colours that troupe itself uses, too */
};

void buf_visible(struct buf *b, struct str s, enum visible_kept kept);
struct str visible(struct arena *a, struct str s, enum visible_kept kept);
/* Append only the character at `at`; returns how many bytes of `s` it has. */
size_t buf_visible_one(struct buf *b, struct str s, size_t at, enum visible_kept kept);
/* How many columns a text takes that was made visible: one for each character. */
size_t visible_columns(struct str s);

#endif
