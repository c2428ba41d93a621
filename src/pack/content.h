/* What the store keeps of a content, for zip.c and cache.c. */
#ifndef TROUPE_PACK_CONTENT_H
#define TROUPE_PACK_CONTENT_H

#include "pack/pack_internal.h"

/* One content, in memory as in the cache's file. */
struct content {
    unsigned char digest[SHA256_BYTES]; /* of the file */
    uint64_t offset, packed_bytes;      /* the piece: where it is in the store's file */
    uint64_t size_bytes;                /* of the file */
    uint32_t crc, packed_crc;           /* of the file; of the piece */
    uint32_t index;                     /* in the cache's file */
    uint16_t machine;                   /* of an ELF file (e_machine), else 0 */
    uint16_t deflated;                  /* compressed; or as it is, when that is not smaller */
};

enum { PIECE_AT_ONCE = 256 * 1024 };

/* What was read last of the store's file: pieces that follow each other are read together. */
struct content_window {
    uint64_t at;
    size_t n;
    char p[PIECE_AT_ONCE];
};

/* Hand the piece of `f` to `sink`. `w` starts empty, and is the thread's own. A piece that an
 * earlier run kept and that is damaged is made again from the file. Any thread. */
int content_read(struct content_store *s, const struct file *f, struct content_window *w,
                 zip_sink *sink, void *context, struct err *err);

/* The same for a content that no file has: `raw` need not live longer. Any thread. */
int content_store_put(struct content_store *s, struct str raw, const struct content **ret,
                      struct err *err);

/* The same for what is in `fd`, which has more than LARGE_BYTES (large.h) and is `name` in
 * messages. */
int content_store_put_file(struct content_store *s, int fd, uint64_t size, struct str name,
                           const struct content **ret, struct err *err);

/* Size and SHA-256 of the zip with this key (SHA-256 of its entries) from an earlier run, or of
 * this one: false when not known. Any thread. */
bool content_store_zip(struct content_store *s, const unsigned char key[SHA256_BYTES],
                       uint64_t *ret_bytes, unsigned char sha256[SHA256_BYTES]);
void content_store_put_zip(struct content_store *s, const unsigned char key[SHA256_BYTES],
                           uint64_t bytes, const unsigned char sha256[SHA256_BYTES]);

#endif
