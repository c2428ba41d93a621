/* Kinds of shared APIs: what the layout calls them, how AWS is asked. */
#ifndef TROUPE_RELEASE_PUBLISH_API_KIND_H
#define TROUPE_RELEASE_PUBLISH_API_KIND_H

#include "layout/layout.h"
#include "aws/services/gateway.h"

const struct gateway *api_gateway(enum api_kind kind);

#endif
