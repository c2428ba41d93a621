/* Builds: from the files of a service to the files of its zips, where programs have to make them.
 *
 * Five builders: the commands of `custom.troupe.build`; esbuild, as `serverless-esbuild` calls it,
 * also for TypeScript handlers of services without a plugin; TypeScript, as
 * `serverless-plugin-typescript` calls it; Python's packages, as `serverless-python-requirements`
 * installs them; the modules that `serverless-plugin-include-dependencies` finds. They run in the
 * service's directory, in parallel, each in a process group of its own, and write into a folder
 * below `.troupe` there that nobody reads before they have ended well. What is there is taken again
 * while their inputs have not changed. */
#ifndef TROUPE_BUILD_H
#define TROUPE_BUILD_H

#include "pack/pack.h"

struct build_options {
    unsigned jobs; /* 0: number of cores */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help); /* may be NULL */
    void *warn_context;
};

/* What pack_options wants. */
struct built {
    const struct pack_files *service;
    const struct pack_files **functions; /* one for each function; elements may be NULL */
    struct str dir; /* stands for the service's folder where `package:` selects; empty: none */
    const struct node *package, **packages; /* the latter for each function; may be NULL */
    const struct pack_addition *added_to_service;
    const struct pack_addition **added; /* one for each function; elements may be NULL */
    const struct pack_files *beside;    /* NULL: none */
    const struct pack_files **layers;   /* one for each layer; elements may be NULL */
    size_t ran, kept;                   /* builders that were run, and that did not have to */
};

/* Does a builder make the code of this service? */
bool build_is_needed(const struct service *service);
/* Check what `serverless.yml` says of builds; runs nothing. ERR_CONFIG with a place. */
int build_check(struct arena *a, const struct service *service, const struct build_options *options,
                struct err *err);
/* Build. `*ret` lives in `a`. ERR_CONFIG: what the file says is wrong, a builder failed, wrote
 * nothing or took longer than allowed; its last lines are notes. ERR_CANCELLED: the user stopped
 * it; no builder runs any more. */
int build_service(struct arena *a, const struct service *service,
                  const struct build_options *options, struct built *ret, struct err *err);

/* The files of functions whose zip has nothing else, and whose text is the program's own: one for
 * each function, without a name where it is not so. */
const struct pack_text *build_texts(struct arena *a, const struct service *service);

#endif
