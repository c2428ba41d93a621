/* The bytes at the start of a text file, before a reader gets it. */
#ifndef TROUPE_ENCODING_H
#define TROUPE_ENCODING_H

#include "base/err.h"

/* `text` without the byte order mark that some editors put in front of UTF-8. */
struct str encoding_skip_mark(struct str text);
/* Refuse UTF-16 and UTF-32, told from their mark or from the zero bytes of the first character:
 * ERR_CONFIG at the start of `source`. */
int encoding_check(const struct source *source, struct err *err);

#endif
