/* Templates and their resources: copies with a change. */
#ifndef TROUPE_CFN_TEMPLATE_H
#define TROUPE_CFN_TEMPLATE_H

#include "base/map.h"
#include "doc/node.h"

/* A copy of a map with one member set; NULL: without it. */
struct node *cfn_with(struct arena *a, const struct node *map, const char *key,
                      const struct node *value);
/* A copy of a resource with one of its Properties set; NULL: without it. */
struct node *cfn_with_property(struct arena *a, const struct node *resource, const char *name,
                               const struct node *value);

/* The ids in DependsOn of a resource, which is one text or a list. */
const struct node *const *cfn_dependencies(const struct node *resource, size_t *ret_n);
bool cfn_depends_on(const struct node *resource, struct str id);
/* DependsOn of the resource with `id` behind the others; an empty `id` adds nothing. NULL: there is
 * none. */
struct node *cfn_dependencies_and(struct arena *a, const struct node *resource, struct str id);
/* `resource` without those dependencies that `goes` names; itself when there are none. */
typedef bool cfn_goes(const void *context, struct str id);
const struct node *cfn_without_dependencies(struct arena *a, const struct node *resource,
                                            cfn_goes *goes, const void *context);

/* Put what Lambda deletes together with the alias `id` into `ret` (id -> NULL): permissions, URLs
 * and settings of it. */
void cfn_behind_alias(const struct node *resources, struct str id, struct map *ret);
/* `template` without the resources `gone` (id -> the node that stands for its Ref from then on, or
 * NULL), without dependencies on them, and without Outputs that need another value of them. NULL
 * when a resource that stays needs one. */
const struct node *cfn_without_resources(struct arena *a, const struct node *template,
                                         const struct map *gone);

/* Does a CloudFront distribution call the function with this id, or a version of it? */
bool cfn_is_at_edge(const struct node *resources, struct str function);

/* Letters and digits of `s`: names of resources, Parameters and Outputs have no others. */
struct str cfn_name_text(struct arena *a, struct str s);

/* Puts sections (`names` ends with NULL) of two templates into `out`, merged: where both have
 * something, that of `over` holds. */
void cfn_merge_sections(struct arena *a, struct node *out, const struct node *base,
                        const struct node *over, const char *const *names);

#endif
