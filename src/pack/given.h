/* Zips that `artifact:` names. */
#ifndef TROUPE_PACK_GIVEN_H
#define TROUPE_PACK_GIVEN_H

#include "pack/zip_read.h"

/* Open a zip that was given. ERR_FAILED when it is no regular file. */
int given_open(struct arena *a, struct str path, struct stat *ret, struct err *err);
/* Hand what is left to be read from `fd` to `sink`. */
int given_read(int fd, zip_sink *sink, void *context, struct err *err);
/* SHA-256 of what is left to be read from `fd`. */
int given_hash(int fd, unsigned char sha256[SHA256_BYTES], struct err *err);

/* The list of what is in a zip, without its folders. Contents are not read. */
void given_list(struct arena *a, const struct zip_entry *entries, size_t n, struct file_list *ret);
/* e_machine of an entry that is an ELF file, else 0. */
uint16_t given_machine(int fd, const struct zip_entry *entry);
/* Give the files of `list`, made of these entries, contents that say which processor they are for:
 * nothing else. */
void given_set_machines(struct arena *a, int fd, const struct zip_entry *entries, size_t n,
                        const struct file_list *list);

/* Can the zip be made again, with nothing lost but times, comments and the order of the entries? */
bool given_is_plain(struct arena *a, const struct zip_entry *entries, size_t n);
/* Put what is in the zip, `fd` of `bytes`, which is plain, into a store of its own: `*ret` makes it
 * again, equal for equal entries, modes and contents. ERR_CONFIG: damaged. */
int given_load(struct arena *a, struct content_store *s, int fd, uint64_t bytes,
               struct file_list *ret, struct err *err);

#endif
