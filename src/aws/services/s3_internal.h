/* What s3.c and s3_put.c have in common. */
#ifndef TROUPE_AWS_SERVICES_S3_INTERNAL_H
#define TROUPE_AWS_SERVICES_S3_INTERNAL_H

#include "aws/client/aws_internal.h"
#include "base/buf.h"

#define S3_CHECKSUM "x-amz-checksum-sha256"

/* {key: value} */
struct node *s3_text_map(struct arena *a, const char *key, struct str value);
/* The server's clock; 0: the answer does not say. */
int64_t s3_date(const struct aws_answer *answer);
/* Text of XML. */
void s3_add_escaped(struct buf *b, struct str s);

#endif
