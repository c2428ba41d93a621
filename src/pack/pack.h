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
    struct str sha256_hex; /* names the object in the bucket */
    struct str sha256_base64; /* Lambda's CodeSha256 */
    uint64_t zip_bytes, unzipped_bytes;
    size_t file_count;
    const struct artifact_source *source; /* NULL: only the hashes are known */
};

/* Takes the bytes of a zip, piece after piece. */
typedef int zip_sink(void *context, struct str bytes, struct err *err);

/* Hand all bytes of `artifact`, which has a source, to `sink`: they are made anew from files that
 * were compressed before. Any thread. FAILED when they are not those that the hash was made of, and
 * what the sink says. */
int artifact_read(const struct artifact *artifact, zip_sink *sink, void *context, struct err *err);
/* The same in one piece, mapped from a temporary file: `*ret` is released by artifact_unmap. */
int artifact_map(const struct artifact *artifact, struct str *ret, struct err *err);
void artifact_unmap(struct str *mapped);
/* Let go of the memory of a part of it, which begins on a page: it is read again when it is looked
 * at. */
void artifact_let_go(struct str part);

/* Lambda's limit for a function's code and layers, unzipped.
 * Source: Lambda developer guide, "Lambda quotas". */
enum { UNZIPPED_BYTES_MAX = 262144000 };

/* "node_modules/sharp 20.1 MB, src 3.0 MB, …": the largest in it, ten at most, unzipped. Empty:
 * only its hashes are known. */
struct str artifact_largest(struct arena *a, const struct artifact *artifact);

struct packed {
    struct artifact *artifacts; /* each once, however many functions or layers have it */
    size_t artifact_count;
    /* For each function of the service, in its order: its artifact, or NULL for images. */
    const struct artifact **of_function;
    const struct artifact **of_layer; /* for each member of `layers`, in its order */
};

/* Files that a build made for a zip. */
struct pack_file {
    struct str path; /* absolute */
    struct str name; /* in the zip */
};
struct pack_files {
    const struct pack_file *files; /* of several with one name the last counts */
    size_t count;
};

/* What a build adds to a zip whose files `package:` selects, or another build makes. */
struct pack_addition {
    struct pack_files files; /* whatever `package:` says, and before what it selects of that name */
    /* Only what is below this folder is selected, and named from there; empty: everything. What
     * serverless-python-requirements adds to it by name stays, too. */
    struct str folder;
};

/* How to package. */
struct pack_options {
    /* What goes into the service's zip, and for each function, in its order, into a zip of its own,
     * whatever `package:` says. Either, and each element, may be NULL: `package:` selects. */
    const struct pack_files *built_service;
    const struct pack_files *const *built;
    struct str built_dir; /* where functions' files are selected; empty: the service's folder */
    /* In place of `package:` of the service and of each function, in its order. Either, and each
     * element, may be NULL. */
    const struct node *package, *const *packages;
    /* For the service's zip, and for each function, in its order, with a zip of its own. Either,
     * and each element, may be NULL. */
    const struct pack_addition *added_to_service;
    const struct pack_addition *const *added;
    /* Files for `package:` to select as if they lay in the service's folder, where a file of that
     * name is not seen then; NULL: none. */
    const struct pack_files *beside;
    const struct pack_files *const *built_layers; /* for each layer as for functions; or NULL */
    unsigned jobs;                                /* 0: number of cores */
    bool no_cache;                                /* forget what earlier runs packaged */
    /* Zips that are given are made again, with the times and the order of troupe's own: one that
     * was zipped anew from the same files gives the same bytes. */
    bool make_given_again;
    bool handlers_may_lack; /* a plugin that is not run may make them: only warn */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help); /* may be NULL */
    void *warn_context;
};

/* Write a zip of `files` to `path`: the same files give the same bytes. */
int pack_zip(struct arena *a, const struct pack_files *files, struct str path, struct err *err);

/* Package all functions and layers. Finds before anything is contacted: handlers that do not exist
 * (with the place of `handler:`), patterns that match no file, zips over Lambda's limits (250 MB
 * unzipped).
 * `*ret` lives in `a`. ERR_CONFIG. */
int pack_service(struct arena *a, const struct service *service, const struct pack_options *options,
                 struct packed *ret, struct err *err);

/* Write the zips that were made, not those that were given (but of a package that another tool has
 * made all of them), into `dir`, which is made when it is
 * not there: all of them, or none. What an earlier run wrote there and nobody changed since is left
 * as it is. ERR_CONFIG: two of them have one name. */
int pack_write(struct arena *a, const struct service *service, const struct pack_options *options,
               const struct packed *packed, struct str dir, struct err *err);

/* A file whose text the program has: a zip of it needs no folder. */
struct pack_text {
    struct str name; /* in the zip; empty: there is none */
    struct str text;
};

/* What was packaged for an earlier deployment, without files: `recorded` has its functions by key,
 * each a struct str *: SHA-256 of the code as hexadecimal digits, empty for an image;
 * `recorded_layers` has its layers likewise. Artifacts have their two hashes and the name
 * "<key>.zip" of the first function that runs them; they have no source and sizes
 * 0, so they must be in the bucket already. Functions with `image:` have none, as above. A function
 * that the deployment did not have is made of its text in `texts`, one for each function, or NULL.
 * `*ret` lives in `a`. ERR_CONFIG with the function's place: the deployment has no code for it.
 * ERR_FAILED: what it names is no hash. */
int pack_recorded(struct arena *a, const struct service *service, const struct map *recorded,
                  const struct map *recorded_layers, const struct pack_text *texts,
                  struct packed *ret, struct err *err);

#endif
