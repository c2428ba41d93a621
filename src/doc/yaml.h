/* YAML 1.2 (core schema) in and out of nodes, by libyaml's event interface. */
#ifndef TROUPE_YAML_H
#define TROUPE_YAML_H

#include "base/buf.h"
#include "doc/node.h"

/* Read a file of one document. Anchors, aliases and merge keys work; CloudFormation short tags
 * become their long form (`!Ref x` -> {Ref: x}, `!GetAtt a.b` -> {Fn::GetAtt: [a, b]}). Plain
 * scalars follow the core schema as the dialect's reader does: `yes` and `on` are strings, `017` is
 * 17, `1_000` and dates are strings. An empty document gives a null node. Errors with a place:
 * syntax, unknown tag, unknown anchor, duplicate or non-scalar key, NUL or bad UTF-8, more than one
 * document, nesting beyond DOC_DEPTH_MAX, expansion by aliases beyond YAML_WEIGHT_MAX nodes. */
enum { YAML_WEIGHT_MAX = 2000000, DOC_BYTES_MAX = 16 * 1024 * 1024 };
const struct node *yaml_read(struct arena *a, const struct source *source, struct err *err);

/* Is the plain scalar `s` a number, and which? One that is larger than any double is text, as the
 * dialect's reader has it: "4e84730" names a commit. Infinities are none. */
bool yaml_number(struct str s, double *ret);

/* Append `n` as block YAML that any YAML 1.2 reader reads back the same. */
void yaml_write(struct buf *b, const struct node *n);

#endif
