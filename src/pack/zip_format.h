/* Numbers of the zip format, after PKWARE's APPNOTE 6.3. */
#ifndef TROUPE_PACK_ZIP_FORMAT_H
#define TROUPE_PACK_ZIP_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIGNATURE_LOCAL = 0x04034b50,
    SIGNATURE_CENTRAL = 0x02014b50,
    SIGNATURE_END = 0x06054b50,
    SIGNATURE_END64 = 0x06064b50,
    SIGNATURE_LOCATOR64 = 0x07064b50,
    MADE_BY_UNIX = 3 << 8,
    FLAG_UTF8 = 1 << 11,
    METHOD_DEFLATE = 8,
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
};

static const uint64_t FULL_32 = 0xffffffff;
static const size_t FULL_16 = 0xffff;

#endif
