/* What content.c keeps of a file, for zip.c. */
#ifndef TROUPE_PACK_CONTENT_H
#define TROUPE_PACK_CONTENT_H

#include "pack/pack_internal.h"

struct content {
    struct str packed; /* compressed, or as it is when that is not smaller */
    uint64_t size_bytes;
    uint32_t crc;
    bool deflated;
};

/* Content of a file that was added. */
const struct content *content_find(const struct content_store *s, struct str path);

#endif
