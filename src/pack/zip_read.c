/* Zips that were given, read as far as checks need. */
#include "pack/zip_read.h"

#include "base/fs.h"
#include "pack/zip_format.h"

enum { DIRECTORY_BYTES_MAX = 32 * 1024 * 1024 };

static uint64_t get(struct str s, uint64_t at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)s.p[at + i] << 8 * i;
    return value;
}

/* Index of the end record in the last bytes of a zip, which may have a comment of up to 65,535
 * bytes behind it; -1: there is none. */
static int64_t find_end(struct str s)
{
    for (size_t back = END_BYTES; back <= s.n && back <= END_BYTES + FULL_16; back++)
        if (get(s, s.n - back, 4) == SIGNATURE_END &&
            get(s, s.n - back + 20, 2) == back - END_BYTES)
            return (int64_t)(s.n - back);
    return -1;
}

struct directory {
    uint64_t start, bytes, count;
};

/* Find the directory by the end of the file, `tail`, whose first byte is at `from`. */
static bool read_end(struct str tail, uint64_t from, struct directory *ret)
{
    int64_t end = find_end(tail);
    if (end < 0)
        return false;
    uint64_t at = (uint64_t)end, size = from + tail.n;
    *ret = (struct directory){get(tail, at + 16, 4), get(tail, at + 12, 4), get(tail, at + 10, 2)};
    bool is64 = at >= LOCATOR64_BYTES && get(tail, at - LOCATOR64_BYTES, 4) == SIGNATURE_LOCATOR64;
    if (is64) {
        uint64_t end64 = get(tail, at - LOCATOR64_BYTES + 8, 8) - from;
        if (tail.n < END64_BYTES || end64 > tail.n - END64_BYTES ||
            get(tail, end64, 4) != SIGNATURE_END64)
            return false;
        *ret = (struct directory){get(tail, end64 + 48, 8), get(tail, end64 + 40, 8),
                                  get(tail, end64 + 32, 8)};
    }
    return ret->start <= size && ret->bytes <= size - ret->start;
}

/* Sizes of the entry whose central header is at `at`; large ones are in an extra field, in this
 * order. */
static void read_sizes(struct str s, uint64_t at, struct str extra, struct zip_entry *entry)
{
    uint64_t *sizes[] = {&entry->size, &entry->packed};
    entry->size = get(s, at + 24, 4);
    entry->packed = get(s, at + 20, 4);
    for (size_t i = 0; i + 4 <= extra.n;) {
        size_t id = get(extra, i, 2), end = i + 4 + get(extra, i + 2, 2), from = i + 4;
        for (size_t k = 0; id == 1 && k < 2; k++)
            if (*sizes[k] == FULL_32 && from + 8 <= end && end <= extra.n) {
                *sizes[k] = get(extra, from, 8);
                from += 8;
            }
        i = end;
    }
}

/* Read the entry whose central header is at `*at`, and go behind it. */
static bool read_entry(struct str s, uint64_t *at, struct zip_entry *ret)
{
    uint64_t i = *at;
    if (s.n - i < CENTRAL_BYTES || get(s, i, 4) != SIGNATURE_CENTRAL)
        return false;
    uint64_t name = get(s, i + 28, 2), extra = get(s, i + 30, 2);
    uint64_t whole = CENTRAL_BYTES + name + extra + get(s, i + 32, 2);
    if (s.n - i < whole)
        return false;
    *ret = (struct zip_entry){.name = str_sub(s, i + CENTRAL_BYTES, name),
                              .offset = get(s, i + 42, 4),
                              .crc = (uint32_t)get(s, i + 16, 4),
                              .attributes = (uint32_t)get(s, i + 38, 4),
                              .made_by = (uint16_t)(get(s, i + 4, 2) & 0xff00),
                              .flags = (uint16_t)get(s, i + 8, 2),
                              .method = (uint16_t)get(s, i + 10, 2)};
    read_sizes(s, i, str_sub(s, i + CENTRAL_BYTES + name, extra), ret);
    *at += whole;
    return true;
}

static bool read_part(struct arena *a, int fd, uint64_t at, uint64_t n, struct str *ret)
{
    char *p = arena_alloc(a, n);
    *ret = (struct str){p, n};
    return fs_read_at(fd, at, p, n);
}

int zip_entries(struct arena *a, int fd, uint64_t bytes, struct zip_entry **ret, size_t *ret_n,
                struct err *err)
{
    const uint64_t most = END_BYTES + FULL_16 + LOCATOR64_BYTES + END64_BYTES;
    uint64_t from = bytes > most ? bytes - most : 0, at = 0, i = 0;
    struct str tail, central;
    struct directory d = {0};
    bool good = read_part(a, fd, from, bytes - from, &tail) && read_end(tail, from, &d) &&
                d.bytes <= DIRECTORY_BYTES_MAX && read_part(a, fd, d.start, d.bytes, &central) &&
                d.count <= d.bytes / CENTRAL_BYTES;
    *ret = ARENA_ARRAY(a, good ? d.count : 0, struct zip_entry);
    for (; good && i < d.count; i++)
        good = read_entry(central, &at, &(*ret)[i]) && (*ret)[i].packed <= bytes;
    *ret_n = i;
    return good ? 0 : err_set(err, ERR_CONFIG, "not a zip file, or a damaged one");
}

static int say_damaged(const struct zip_entry *entry, struct err *err)
{
    return err_set(err, ERR_CONFIG, "the entry '%.*s' is damaged", STR_ARG(entry->name));
}

int zip_data_at(int fd, const struct zip_entry *entry, uint64_t *ret, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct str local;
    if (!read_part(a, fd, entry->offset, LOCAL_BYTES, &local) ||
        get(local, 0, 4) != SIGNATURE_LOCAL)
        return say_damaged(entry, err);
    *ret = entry->offset + LOCAL_BYTES + get(local, 26, 2) + get(local, 28, 2);
    return 0;
}

int zip_data(int fd, const struct zip_entry *entry, void *out, struct err *err)
{
    uint64_t at;
    if (zip_data_at(fd, entry, &at, err) < 0)
        return -1;
    return fs_read_at(fd, at, out, entry->packed) ? 0 : say_damaged(entry, err);
}
