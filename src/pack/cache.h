/* What is kept of packages from run to run: one file for each service, below the user's cache
 * directory. Its format, and why it is safe, is in docs/design.md, "Packages". */
#ifndef TROUPE_PACK_CACHE_H
#define TROUPE_PACK_CACHE_H

#include "pack/content.h"

struct cached_file {
    struct stamp stamp;
    uint64_t content; /* index */
};

struct cached_zip {
    unsigned char key[SHA256_BYTES], sha256[SHA256_BYTES];
    uint64_t bytes;
    uint64_t used; /* by this run */
};

/* What is behind the pieces in the file. */
struct cache_index {
    uint64_t piece_bytes; /* the pieces: everything before it */
    struct content *contents;
    struct cached_file *files; /* sorted: cache_find */
    struct cached_zip *zips;
    size_t content_count, file_count, zip_count;
};

/* Path of the file for a service: empty when there is no directory that is the user's own. */
struct str cache_path(struct arena *a, struct str service_file, const char *ending);
/* Open the file and read its index; -1: there is none that can be used. */
int cache_open(struct arena *a, struct str path, struct cache_index *ret);
/* What is known of a file, or NULL. */
const struct cached_file *cache_find(const struct cache_index *index, const struct stamp *stamp);
/* Write the index, whose files are sorted here, behind the pieces in `fd`, a file at `temporary`
 * beside `path`, and let it take that one's place. Then remove the oldest files when the directory
 * is too large. What fails leaves everything as it was, without `temporary`. */
void cache_commit(int fd, struct str temporary, struct str path, struct cache_index *index);

/* The time that files changed before to be trusted, in the clock that file systems take. */
int64_t cache_clock_ns(void);
/* May what was read since `clock_ns` stand for the file from now on? Not when the file could have
 * changed again within one step of the clock. */
bool cache_trusts(const struct stamp *stamp, int64_t clock_ns);

#endif
