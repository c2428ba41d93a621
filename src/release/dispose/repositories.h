/* Repositories of images that were built: one in each region in which the service has, or had,
 * stages. troupe makes them by itself, because images are pushed before there is a stack; so no
 * stack takes them along. */
#ifndef TROUPE_RELEASE_DISPOSE_REPOSITORIES_H
#define TROUPE_RELEASE_DISPOSE_REPOSITORIES_H

#include "base/vec.h"
#include "release/release.h"

struct repository {
    struct str name, region;
    const struct release *at; /* `r` for its region */
    struct str foreign;       /* why it is not ours alone; empty: it goes with the service */
};
typedef VEC(struct repository) repository_list;
/* Those that are there. Registries are asked only where the file has 'provider.ecr' or one of
 * `records` names such an image. A right that is missing is no error: the repository counts as
 * foreign. */
int repositories_find(const struct release *r, const struct store *store,
                      const struct record *records, size_t n, repository_list *ret,
                      struct err *err);
/* Delete those that are ours with their images, after the service's functions are gone; what stays
 * is noted. */
int repositories_dispose(const struct release *r, const repository_list *all, struct err *err);

#endif
