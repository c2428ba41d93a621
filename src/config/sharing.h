/* Is this function one for all stages, or one of each stage's own? Asked here by all: of the file
 * alone, before anything is compiled. APIs have a setting each: settings.rest_per_stage and
 * settings.http_shared. */
#ifndef TROUPE_SHARING_H
#define TROUPE_SHARING_H

#include "cfn/expression.h"
#include "config/config.h"

/* Is `f` a function of its own in each stage: by `functions.perStage`, because its explicit name
 * depends on the stage, or because something refers to it that cannot name an alias? */
bool sharing_is_per_stage(const struct service *service, const struct function *f);
/* By `functions.perStage`? */
bool sharing_is_listed(const struct settings *s, struct str key);

/* What refers to a function and cannot name an alias, or is not to. */
struct unqualified {
    struct str resource; /* logical id */
    struct pos pos;      /* of the reference */
};
/* The first such reference to function `key` in the user's resources. False: none. */
bool sharing_find_unqualified(const struct service *service, struct str key,
                              struct unqualified *ret);

/* Every value that stands where a function itself is meant, with the logical id of the resource:
 * by entry `pattern` of references.unqualified; SIZE_MAX: by any of them, or because AWS takes no
 * alias there. */
typedef void sharing_visit(void *context, struct str resource, const struct cfn_value *v);
void sharing_each_unqualified(const struct settings *s, size_t pattern,
                              const struct node *resources, sharing_visit *visit, void *context);

#endif
