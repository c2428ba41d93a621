/* Packaging: from the files of a service to zips and their hashes.
 *
 * Selection, names, bytes and modes follow the dialect (see docs/design.md); the bytes are
 * deterministic. No network. */
#ifndef TROUPE_PACK_H
#define TROUPE_PACK_H

#include "config/config.h"

struct artifact {
    /* file name: "<service>.zip", "<function key>.zip", "<layer key>.zip", or that of the given
     * artifact */
    struct str name;
    struct str path;       /* absolute path of a ready zip on disk (given `artifact:`), or empty */
    struct str bytes;      /* the zip, mapped or in the arena */
    struct str sha256_hex; /* names the object in the bucket */
    struct str sha256_base64; /* Lambda's CodeSha256 */
    uint64_t unzipped_bytes;
    size_t file_count;
};

/* Lambda's limit for a function's code and layers, unzipped.
 * Source: Lambda developer guide, "Lambda quotas". */
enum { UNZIPPED_BYTES_MAX = 262144000 };

struct packed {
    struct artifact *artifacts; /* each once, however many functions or layers have it */
    size_t artifact_count;
    /* For each function of the service, in its order: its artifact, or NULL for images. */
    const struct artifact **of_function;
    const struct artifact **of_layer; /* for each member of `layers`, in its order */
};

/* How to package. */
struct pack_options {
    unsigned jobs;          /* 0: number of cores */
    bool handlers_may_lack; /* a plugin that is not run may make them: only warn */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help); /* may be NULL */
    void *warn_context;
};

/* Package all functions and layers. Finds before anything is contacted: handlers that do not exist
 * (with the place of `handler:`), patterns that match no file, zips over Lambda's limits (250 MB
 * unzipped).
 * `*ret` lives in `a`. ERR_CONFIG. */
int pack_service(struct arena *a, const struct service *service, const struct pack_options *options,
                 struct packed *ret, struct err *err);

/* Write the zips that were made, not those that were given, into `dir`, which is made when it is
 * not there. ERR_CONFIG: two of them have one name. */
int pack_write(struct arena *a, const struct packed *packed, struct str dir, struct err *err);

/* What was packaged for an earlier deployment, without files: `recorded` has its functions by key,
 * each a struct str *: SHA-256 of the code as hexadecimal digits, empty for an image;
 * `recorded_layers` has its layers likewise. Artifacts have their two hashes and the name
 * "<key>.zip" of the first function that runs them; `bytes` are empty and sizes 0, so they must be
 * in the bucket already. Functions with `image:` have none, as above.
 * `*ret` lives in `a`. ERR_CONFIG with the function's place: the deployment has no code for it.
 * ERR_FAILED: what it names is no hash. */
int pack_recorded(struct arena *a, const struct service *service, const struct map *recorded,
                  const struct map *recorded_layers, struct packed *ret, struct err *err);

#endif
