/* Publishing: from definitions to verified snapshots. A head is a scratch register that anybody may
 * overwrite at any moment; what was published counts only after it was read back and compared. */
#ifndef TROUPE_RELEASE_PUBLISH_PUBLISH_H
#define TROUPE_RELEASE_PUBLISH_PUBLISH_H

#include "release/release.h"

/* Publish one function: bring its head to the definition, PublishVersion under the preconditions,
 * verify. Starts over when somebody else uses the head. `fresh_roles`: roles were made or changed a
 * moment ago, so what Lambda says against them may be out of date; it is asked again for five
 * minutes. `*ret_version` lives in `a`. Any thread. */
int publish_function(struct arena *a, const struct release *r, const struct store *store,
                     const struct function_plan *f, struct str hint, bool fresh_roles,
                     struct str *ret_version, struct err *err);
/* Is version `version` of `f` there, not failed, and what the definition says? `*ret` false when it
 * cannot be used. Sets f->awake. */
int publish_check(struct arena *a, const struct release *r, struct function_plan *f,
                  struct str version, bool *ret, struct err *err);

/* Publish a REST API: import the document, read back, cut a deployment, read again. The caller
 * holds the service lease. */
int publish_api(struct arena *a, const struct release *r, const struct api_plan *api,
                struct str hint, struct str *ret_deployment, struct err *err);

#endif
