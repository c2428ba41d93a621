/* Given zips: whatever the bytes, reading their directory and entries does not crash, and no entry
 * has more bytes in the zip than the zip. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "pack/zip_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct zip_entry *entries;
    size_t n;
    int fd = memfd_create("zip", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    if (zip_entries(a, fd, size, &entries, &n, &err) < 0) {
        fuzz_check_error(a, &err);
        n = 0;
    }
    for (size_t i = 0; i < n && !err.kind; i++) {
        fuzz_check(entries[i].packed <= size);
        if (zip_data(fd, &entries[i], arena_alloc(a, entries[i].packed), &err) < 0)
            fuzz_check_error(a, &err);
    }
    err_clear(&err);
    close(fd);
    arena_free(a);
    return 0;
}
