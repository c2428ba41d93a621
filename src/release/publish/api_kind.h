/* Kinds of shared APIs: what the layout calls them, what a record says, how AWS is asked. */
#ifndef TROUPE_RELEASE_PUBLISH_API_KIND_H
#define TROUPE_RELEASE_PUBLISH_API_KIND_H

#include "layout/layout.h"
#include "aws/services/gateway.h"

const struct gateway *api_gateway(enum api_kind kind);
/* Records name the kind of HTTP APIs only ("kind": "http"). */
void api_kind_record(struct arena *a, struct node *entry, enum api_kind kind);
enum api_kind api_kind_recorded(const struct node *entry);

#endif
