/* What is known of resource types: which hold data, and which changes replace a resource. */
#ifndef TROUPE_RELEASE_RESOURCES_H
#define TROUPE_RELEASE_RESOURCES_H

#include "doc/node.h"

/* Does a resource of this type hold data that is lost with it? */
bool resource_is_stateful(struct str type);
/* Would changing `property` (top-level) of `type` replace the resource? False for types not in the
 * table. */
bool resource_replaces(struct str type, struct str property);
/* Kept when its stack goes: DeletionPolicy Retain. */
bool resource_is_retained(const struct node *resource);

#endif
