/* Events of buckets that exist already: event_s3_existing.c, for event_s3.c. */
#ifndef TROUPE_COMPILE_EVENTS_EVENT_S3_H
#define TROUPE_COMPILE_EVENTS_EVENT_S3_H

#include "compile/custom_resources.h"

int s3_existing_compile(struct compilation *c, struct existing *e, const struct event *event,
                        struct err *err);
int s3_existing_finish(struct compilation *c, const struct existing *e, struct err *err);

#endif
