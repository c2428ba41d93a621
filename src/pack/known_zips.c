/* A list behind a checksum. */
#include "pack/known_zips.h"

#include <libdeflate.h>

#include "base/clock.h"
#include "base/fs.h"
#include "pack/cache.h"

enum { ZIPS_MAX = 1024, STEPS_MAX = 20 };

static const char magic[24] = "troupe zips 2 " LIBDEFLATE_VERSION_STRING;

struct str service_path(struct arena *a, const struct service *service)
{
    return path_absolute(a, path_join(a, service->dir, path_base(service->file)));
}

struct known_zips known_zips_open(struct arena *a, const struct service *service, bool no_cache)
{
    struct known_zips known = {.arena = a, .clock_ns = cache_clock_ns()};
    known.zips = ARENA_ARRAY(a, ZIPS_MAX, struct known_zip);
    if (no_cache)
        return known;
    cleanup_err struct err ignored = {0};
    struct str text;
    uint32_t crc;
    size_t head = sizeof magic + sizeof crc;
    known.path = cache_path(a, service_path(a, service), ".zips");
    if (!known.path.n ||
        fs_read(a, known.path, head + ZIPS_MAX * sizeof *known.zips, &text, &ignored) < 0 ||
        text.n < head || memcmp(text.p, magic, sizeof magic) != 0)
        return known;
    memcpy(&crc, text.p + sizeof magic, sizeof crc);
    struct str zips = str_sub(text, head, text.n);
    if (crc != libdeflate_crc32(0, zips.p, zips.n) || zips.n % sizeof *known.zips)
        return known;
    known.count = zips.n / sizeof *known.zips;
    memcpy(known.zips, zips.p, zips.n);
    return known;
}

const struct known_zip *known_zips_find(const struct known_zips *known, const struct stamp *stamp,
                                        bool again)
{
    for (size_t i = 0; i < known->count; i++)
        if (known->zips[i].again == again &&
            memcmp(&known->zips[i].stamp, stamp, sizeof *stamp) == 0)
            return &known->zips[i];
    return NULL;
}

void known_zips_put(struct known_zips *known, const struct known_zip *zip, bool written)
{
    if (!known->path.n)
        return;
    for (int i = 0; written && zip->stamp.changed_ns >= known->clock_ns && i < STEPS_MAX; i++) {
        clock_sleep_ms(1);
        known->clock_ns = cache_clock_ns();
    }
    if (!cache_trusts(&zip->stamp, known->clock_ns))
        return;
    if (known->count == ZIPS_MAX) /* the oldest half goes */
        memmove(known->zips, known->zips + ZIPS_MAX / 2,
                (known->count = ZIPS_MAX / 2) * sizeof *known->zips);
    known->zips[known->count++] = *zip;
    known->is_new = true;
}

void known_zips_keep(struct known_zips *known)
{
    if (!known->is_new)
        return;
    cleanup_err struct err ignored = {0};
    size_t n = known->count * sizeof *known->zips, head = sizeof magic + sizeof(uint32_t);
    char *p = arena_alloc(known->arena, head + n);
    uint32_t crc = libdeflate_crc32(0, known->zips, n);
    memcpy(p, magic, sizeof magic);
    memcpy(p + sizeof magic, &crc, sizeof crc);
    memcpy(p + head, known->zips, n);
    fs_write(known->path, (struct str){p, head + n}, 0600, &ignored);
}
