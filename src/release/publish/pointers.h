/* Pointers: Lambda aliases and stages of APIs, read and moved by API. */
#ifndef TROUPE_RELEASE_PUBLISH_POINTERS_H
#define TROUPE_RELEASE_PUBLISH_POINTERS_H

#include "release/release.h"

/* The pointers of `plan` that have a place to go; `back`: to where they were before. */
void pointers_of(struct arena *a, const struct plan *plan, bool back, struct pointers *ret);
/* "v3", "v3 90% v4 10%" */
struct str pointer_text(struct arena *a, struct str version, struct str beside, unsigned percent);
/* Lambda puts a version away that was not called for weeks, and its next call fails: wake those of
 * `pointers` that are, before users call them. One that is not there is left out. Source: Lambda
 * developer guide, "Lambda function states". */
int pointers_wake(const struct release *r, const struct pointers *pointers, struct err *err);
/* Wait until Lambda has taken its own weights from aliases with provisioned concurrency: until then
 * a stack cannot update them. Source: hashicorp/terraform-provider-aws#48116. */
int pointers_wait(const struct release *r, const struct pointers *pointers, struct err *err);
/* Move all of them at once, to their weights or clearing weights. One call each, in parallel. A
 * pointer that is not there is left to the stack. `*ret_moved` (may be NULL) counts, also when one
 * failed. */
int pointers_move(const struct release *r, const struct pointers *pointers, size_t *ret_moved,
                  struct err *err);
/* Read all of them and move those that are elsewhere or weighted, waking versions before.
 * `*ret_moved` counts, also when one failed. */
int pointers_reconcile(const struct release *r, const struct pointers *pointers, size_t *ret_moved,
                       struct err *err);
/* Can version `p->want` of the function serve what `record` says of it? `*ret`: what it is.
 * `*ret_why`: "is gone", "is not what was deployed", …; NULL: it can. */
int pointer_unusable(struct arena *a, const struct release *r, const struct record *record,
                     const struct pointer *p, struct lambda_function *ret, const char **ret_why,
                     struct err *err);

/* The same without moving: `*ret` gets those that are elsewhere, with what they point at as text in
 * `is`, in `r->arena`. */
struct drift {
    const struct pointer *pointer;
    struct str is; /* "v3", "v3 90% v4 10%", "nothing" */
    bool gone;     /* the alias or API stage itself is not there */
};
int pointers_check(const struct release *r, const struct pointers *pointers, struct drift **ret,
                   size_t *ret_n, struct err *err);

#endif
