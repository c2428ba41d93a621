/* What is known of resource types: which hold data, and which changes replace a resource. */
#ifndef TROUPE_RELEASE_RESOURCES_H
#define TROUPE_RELEASE_RESOURCES_H

#include "doc/node.h"

/* Does a resource of this type hold data that is lost with it? */
bool resource_is_stateful(struct str type);
/* Is it in the table? */
bool resource_is_known(struct str type);
/* Would changing `property` (top-level) of `type` replace the resource? False for types not in the
 * table. */
bool resource_replaces(struct str type, struct str property);
/* Can one of this type be deleted and made anew without losing anything but its identity? Types
 * that are not known cannot. */
bool resource_is_recreatable(struct str type);
/* The first property that differs, "KeySchema changed", and whether changing it replaces the
 * resource. */
struct str resource_difference(struct arena *a, const struct node *before, const struct node *after,
                               bool *ret_replaces);
/* Kept when its stack goes: DeletionPolicy Retain, RetainExceptOnCreate (once the stack stands), or
 * what is in it is kept: Snapshot. */
bool resource_is_retained(const struct node *resource);
/* Deleted when its stack goes, for certain: its DeletionPolicy is Delete or missing. */
bool resource_goes_with_stack(const struct node *resource);

#endif
