/* Is a function shared by all stages, or does each stage have its own? All of troupe asks here. The
 * answer follows from the file alone, before anything is compiled. APIs have a setting each:
 * settings.rest_per_stage and settings.http_shared. */
#ifndef TROUPE_SHARING_H
#define TROUPE_SHARING_H

#include "cfn/expression.h"
#include "config/config.h"

/* Is `f` a function of its own in each stage: by `functions.perStage`, because its explicit name
 * depends on the stage, because it reserves concurrency, because CloudFront calls it, or because
 * something refers to it that cannot name an alias? */
bool sharing_is_per_stage(const struct service *service, const struct function *f);
/* Does functions.perStage list the function? */
bool sharing_is_listed(const struct settings *s, struct str key);

/* Does CloudFront call `f` at its edge (Lambda@Edge)? It calls versions, never an alias. */
bool sharing_is_edge(const struct function *f);

/* What reserves concurrency for `f`: its `reservedConcurrency`, or an extension of its resource.
 * NULL: nothing. Lambda has one reservation for a function, not one for each alias. */
const struct node *sharing_reserved(const struct service *service, const struct function *f);

/* A reference to a function that cannot name an alias, or that the user wants to name the function
 * itself. */
struct unqualified {
    struct str resource; /* logical id */
    struct pos pos;      /* of the reference */
};
/* The first such reference to function `key` in the user's resources. False: none. */
bool sharing_find_unqualified(const struct service *service, struct str key,
                              struct unqualified *ret);

/* Visit every value that means a function itself, with the logical id of the resource it is in:
 * those of entry `pattern` of references.unqualified; with SIZE_MAX those of all entries, and those
 * in properties for which AWS takes no alias. */
typedef void sharing_visit(void *context, struct str resource, const struct cfn_value *v);
void sharing_each_unqualified(const struct settings *s, size_t pattern,
                              const struct node *resources, sharing_visit *visit, void *context);

#endif
