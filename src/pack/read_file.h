/* Reading files of a service, as they are at one moment. */
#ifndef TROUPE_PACK_READ_FILE_H
#define TROUPE_PACK_READ_FILE_H

#include "pack/pack_internal.h"

/* What a thread reads one file after another into; `p` is freed by its owner. */
struct read_buffer {
    char *p;
    size_t room;
};

/* Open a file, whose path is relative to `dir`. FAILED with advice, also when it is no regular file
 * any more. */
int file_open(int dir, const struct file *f, struct stat *st, struct err *err);
/* Read a file of at most LARGE_BYTES (large.h). `*ret`: the stamp that it had meanwhile; its size
 * is that of what was read. FAILED: it changes all the time. */
int file_read(int dir, const struct file *f, struct read_buffer *b, struct stamp *ret,
              struct err *err);
/* The error of a file that changes. */
int file_say_changes(const struct file *f, struct err *err);

#endif
