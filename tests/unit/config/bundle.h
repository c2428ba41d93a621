/* Source bundles, as a deployment keeps them. */
#ifndef TROUPE_TEST_CONFIG_BUNDLE_H
#define TROUPE_TEST_CONFIG_BUNDLE_H

#include "config/config.h"

/* The bundle of `s`, as one JSON text. */
struct str bundle_text(struct arena *a, const struct service *s);
/* The bundle in such a text, in which anything may be missing. */
struct source_bundle bundle_read(struct arena *a, struct str text);
/* A bundle that was written and read again. */
struct source_bundle bundle_of(struct arena *a, const struct service *s);

#endif
