/* Zips that were given: what is in them. */
#ifndef TROUPE_PACK_ZIP_READ_H
#define TROUPE_PACK_ZIP_READ_H

#include "pack/pack_internal.h"

struct zip_entry {
    struct str name;
    uint64_t size, packed; /* bytes */
    uint64_t offset;       /* of the local header */
    uint32_t crc, attributes;
    uint16_t made_by; /* upper byte: whose attributes these are */
    uint16_t flags, method;
};

/* Read the directory of a zip, `fd` of `bytes`. ERR_CONFIG when it is none. */
int zip_entries(struct arena *a, int fd, uint64_t bytes, struct zip_entry **ret, size_t *ret_n,
                struct err *err);
/* Where in the file that is which is packed of an entry. Any thread. ERR_CONFIG: damaged. */
int zip_data_at(int fd, const struct zip_entry *entry, uint64_t *ret, struct err *err);
/* Read what is packed of an entry, `entry->packed` bytes. Any thread. ERR_CONFIG: damaged. */
int zip_data(int fd, const struct zip_entry *entry, void *out, struct err *err);

#endif
