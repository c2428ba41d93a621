/* Zips on the disk whose hash is known from an earlier run: those that were given, and those that
 * were written for `troupe package`. One small file for each service beside its pieces. */
#ifndef TROUPE_PACK_KNOWN_ZIPS_H
#define TROUPE_PACK_KNOWN_ZIPS_H

#include "pack/pack_internal.h"

struct known_zip {
    struct stamp stamp;
    uint64_t again; /* 1: what follows is of the zip that is made again of it, */
    uint64_t plain; /* if it is such that this can be done */
    unsigned char sha256[SHA256_BYTES];
    uint64_t zip_bytes, unzipped_bytes, file_count;
    uint64_t machines; /* that programs in it are for: machine_bit */
};

struct known_zips {
    struct arena *arena;
    struct str path; /* empty: nothing is kept */
    struct known_zip *zips;
    size_t count;
    int64_t clock_ns;
    bool is_new;
};

struct known_zips known_zips_open(struct arena *a, const struct service *service, bool no_cache);
const struct known_zip *known_zips_find(const struct known_zips *known, const struct stamp *stamp,
                                        bool again);
/* Remember a zip that was read after known_zips_open, or, `written`, written since: then this waits
 * for the file system's clock to go on, some milliseconds at most. */
void known_zips_put(struct known_zips *known, const struct known_zip *zip, bool written);
/* Write what is new; a failure is nobody's business. */
void known_zips_keep(struct known_zips *known);

/* The file that the cache's files are named after. */
struct str service_path(struct arena *a, const struct service *service);

#endif
