/* Inside of packaging: glob -> files -> zip, and the checks around them.
 *
 * Paths of files are relative to the service's directory, with '/' and without "./"; only files
 * that patterns reach outside of it start with "../" or "/". */
#ifndef TROUPE_PACK_PACK_INTERNAL_H
#define TROUPE_PACK_PACK_INTERNAL_H

#include <sys/stat.h>

#include "base/hash.h"
#include "base/map.h"
#include "pack/glob.h"
#include "pack/pack.h"

/* ---- files.c: which files go into an artifact ---- */

/* One pattern with what it does: include or exclude. */
struct rule {
    struct str text; /* without '!' */
    bool exclude;
    struct pos pos;
};

/* The patterns that select the files of one artifact. */
struct selection {
    struct rule *excludes; /* defaults and legacy `exclude`; these only filter */
    size_t exclude_count;
    struct rule *patterns; /* `include` and `patterns`; these find and filter */
    size_t pattern_count;
    bool drop_dev_dependencies;
    struct pos pos;  /* of `package`, for "no file matches" */
    struct str what; /* "function 'api'", for messages; empty: the service */
};

/* What `package:` says, or a build in its place, for the service's zip, or for that of `fn`.
 * select.c */
struct selection selection_of(struct arena *a, const struct service *service,
                              const struct pack_options *options, const struct function *fn);
/* The same for a layer. The patterns of the service hold there, too. */
struct selection selection_of_layer(struct arena *a, const struct service *service,
                                    const struct member *layer);

/* What the system tells of a file. While it stays the same, the content does (docs/design.md,
 * "Packages"). */
struct stamp {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns; /* mtime, ctime */
};

struct stamp stamp_of(const struct stat *st);

struct content;

struct file {
    struct str path;
    struct str elsewhere; /* where it really is, when patterns are compared with `path`; or empty */
    struct str name;      /* in the zip */
    struct stamp stamp;
    const struct content *content; /* when the store has it */
    int error;                     /* why there is no stamp, or 0 */
    bool executable;
    /* of a zip's entry that is made again: its mode and the like, and whose they are */
    uint32_t attributes;
    uint16_t made_by;
};

struct file_list {
    struct file **files; /* sorted by name in byte order, names unique; shared between lists */
    size_t count;
};

/* Walk `dir` once and answer every selection; `rets` has `n` elements. Links are followed, except
 * into a directory that contains them. `npm_dir`: where it is looked up by path which npm packages
 * only development needs; `dir`, or for a layer the service's directory, as in the reference.
 * `beside`: files to choose from as if they were in `dir`; may be NULL. ERR_CONFIG when a selection
 * has no file. */
int files_select(struct arena *a, struct str dir, struct str npm_dir,
                 const struct pack_files *beside, const struct selection *selections, size_t n,
                 unsigned jobs, struct file_list *rets, struct err *err);

/* What is left of `selected` with what a build adds. additions.c */
int files_add(struct arena *a, const struct pack_addition *more, const struct file_list *selected,
              struct file_list *ret, struct err *err);

/* The list of the files that were given for a zip. ERR_CONFIG: a name that is not UTF-8. */
int files_given(struct arena *a, const struct pack_files *given, struct file_list *ret,
                struct err *err);

/* ---- devdeps.c: npm packages that only development needs ---- */

/* Directories and executables below `dir` (a service directory) that belong to npm packages which
 * package.json in `dir`/`sub` needs only for development. Adds paths relative to `dir` as keys to
 * `directories` and `files`. What cannot be read counts as needed: never fails. `sub` is empty or
 * ends in '/'. */
void dev_dependencies(struct arena *a, struct str dir, struct str sub, struct map *directories,
                      struct map *files);

/* ---- content.c: files, read once and compressed once ---- */

struct content_store;

/* A store for files relative to `dir`. `cache`: what is kept of `service_file` from run to run is
 * used, and kept. The store has a file open until the program ends: artifacts are read from it. */
struct content_store *content_store_new(struct arena *a, struct str dir, struct str service_file,
                                        bool cache);
/* Give all files of `lists` their content: read and compressed now, in parallel, or known from an
 * earlier run. */
int content_store_add(struct content_store *s, const struct file_list *lists, size_t n,
                      unsigned jobs, struct err *err);
/* Keep it for the next run, with what else was found out; a failure is nobody's business. */
void content_store_keep(struct content_store *s);
/* Packaging failed: nothing is left of it. */
void content_store_drop(struct content_store *s);

/* ---- zip.c ---- */

/* Make the zip of `list`, whose files have their content: fixed times, so that the same files give
 * the same bytes. Any thread. ERR_CONFIG when it is no zip that Lambda could take. */
int zip_make(struct content_store *s, const struct file_list *list, zip_sink *sink, void *context,
             struct err *err);

/* Bytes and SHA-256 of the zip of `list`: known from an earlier run, or by making it. Any thread.
 */
int zip_identify(struct content_store *s, const struct file_list *list, uint64_t *ret_bytes,
                 unsigned char sha256[SHA256_BYTES], struct err *err);

/* ---- artifact.c ---- */

/* Where the bytes of an artifact come from. */
struct artifact_source {
    struct content_store *store; /* NULL: the file at the artifact's path */
    struct file_list list;
    bool again; /* that file's zip, made again */
};

/* ---- largest.c ---- */

/* "node_modules/sharp 20.1 MB, src 3.0 MB, …": the largest contributors, ten at most. */
struct str largest_in(struct arena *a, const struct file_list *list);

/* ---- handlers.c ---- */

/* Is what `handler:` of `fn` names among `list`, which `zip` has (empty: it is packed)? Checks only
 * where Lambda's rule is known: Node.js, Python, Ruby and provided runtimes. ERR_CONFIG at
 * `handler:`. `*ret_certain`: the function cannot start; else a layer or a wrapper may help. */
int handler_check(const struct service *service, const struct function *fn,
                  const struct file_list *list, struct str zip, bool *ret_certain, struct err *err);

/* ---- binaries.c ---- */

/* Are the programs and libraries in `list`, whose files have their content, for the processor that
 * `fn` runs on? ERR_CONFIG at `architecture:`. `*ret_certain`: the function cannot start; else what
 * does not fit may be there for nothing. */
int binaries_check(const struct service *service, const struct function *fn,
                   const struct file_list *list, bool *ret_certain, struct err *err);
/* A bit for each of Lambda's processors, by e_machine of ELF; 0: it is none of them. */
uint64_t machine_bit(uint16_t machine);
/* Has a zip with these bits anything for another processor than that of `fn`? */
bool binaries_may_misfit(const struct service *service, const struct function *fn,
                         uint64_t machines_there);

#endif
