/* Given zips: whatever the bytes, reading their directory neither crashes nor reads beyond them. */
#include "fuzz.h"

#include "pack/pack_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct zip_summary summary;
    /* A copy of exactly this size, so that the sanitizer sees every byte too many. */
    struct str bytes = {arena_dup(a, data, size), size};
    if (zip_inspect(bytes, &summary, &err) < 0)
        fuzz_check_error(a, &err);
    else
        fuzz_check(summary.file_count <= size);
    err_clear(&err);
    arena_free(a);
    return 0;
}
