/* Source bundles as a deployment keeps them. */
#ifndef TROUPE_TEST_CONFIG_BUNDLE_H
#define TROUPE_TEST_CONFIG_BUNDLE_H

#include "config/config.h"

/* What took part in `s`, as one JSON text. */
struct str bundle_text(struct arena *a, const struct service *s);
/* From such a text, which may lack anything. */
struct source_bundle bundle_read(struct arena *a, struct str text);
/* What was written and read again. */
struct source_bundle bundle_of(struct arena *a, const struct service *s);

#endif
