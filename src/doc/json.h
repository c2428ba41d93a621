/* JSON in and out of nodes. */
#ifndef TROUPE_JSON_H
#define TROUPE_JSON_H

#include "base/buf.h"
#include "doc/node.h"

/* Deepest nesting the readers accept (YAML too). */
enum { DOC_DEPTH_MAX = 256 };

/* Read one JSON text (RFC 8259, nothing looser). Strings and keys point into `source->text` where
 * they hold no escapes, so the text must live as long as the nodes. Duplicate keys, bad UTF-8 and
 * anything behind the value are errors with a place. Whole numbers keep their digits exactly. */
const struct node *json_read(struct arena *a, const struct source *source, struct err *err);
/* Read a text that is no file: `name` is shown in errors. The text is not copied. */
const struct node *json_parse(struct arena *a, struct str name, struct str text, struct err *err);

/* Append `n`. `indent` 0: in one line without spaces; else that many spaces a level. Secret values
 * are written like others: masking is the caller's choice (json_write_masked). */
void json_write(struct buf *b, const struct node *n, unsigned indent);
/* json_write, with every secret scalar as "********". */
void json_write_masked(struct buf *b, const struct node *n, unsigned indent);
/* The text that fingerprints are made of: no spaces, map keys sorted by bytes. */
struct str json_canonical(struct arena *a, const struct node *n);
struct str json_text(struct arena *a, const struct node *n, unsigned indent);

#endif
