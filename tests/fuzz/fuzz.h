/* What fuzz targets share: the entry point's declaration and a check that is never compiled out. */
#ifndef TROUPE_FUZZ_H
#define TROUPE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(condition)                                                       \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

/* A failed reader must have said why, at a place inside the text, and be able to show it. */
static inline void fuzz_check_error(struct arena *a, const struct err *err)
{
    fuzz_check(err->kind != ERR_NONE && err->msg.n > 0);
    if (err->pos.source)
        fuzz_check(err->pos.line >= 1 && err->pos.column >= 1);
    fuzz_check(err_render(a, err, false).n > 0);
}

#endif
