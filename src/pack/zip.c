/* Zips: written so that equal files give equal bytes, and read as far as checks need.
 *
 * Every distinct content is read from the store, already compressed. The format is PKWARE's APPNOTE
 * 6.3; 65,535 entries and more use its Zip64 records. */
#include "pack/pack_internal.h"

#include "pack/content.h"

enum {
    SIGNATURE_LOCAL = 0x04034b50,
    SIGNATURE_CENTRAL = 0x02014b50,
    SIGNATURE_END = 0x06054b50,
    SIGNATURE_END64 = 0x06064b50,
    SIGNATURE_LOCATOR64 = 0x07064b50,
    VERSION_NEEDED = 20,
    VERSION_NEEDED_64 = 45,
    MADE_BY_UNIX = 3 << 8,
    FLAG_UTF8 = 1 << 11,
    METHOD_DEFLATE = 8,
    DATE_1980_01_01 = 0x0021, /* the earliest date of the format */
    LOCAL_BYTES = 30,
    CENTRAL_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    MODE_FILE = 0100644,
    MODE_EXECUTABLE = 0100755,
};

static const uint64_t FULL_32 = 0xffffffff;
static const size_t FULL_16 = 0xffff;

/* ---- writing ---- */

struct writer {
    unsigned char *p;
    size_t n;
};

static void put(struct writer *w, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        w->p[w->n++] = (unsigned char)(value >> 8 * i);
}

static void put_str(struct writer *w, struct str s)
{
    if (s.n)
        memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
}

/* Put what local and central headers have in common, from "version needed" on. */
static void put_common(struct writer *w, const struct content *c, size_t name_bytes)
{
    put(w, VERSION_NEEDED, 2);
    put(w, FLAG_UTF8, 2);
    put(w, c->deflated ? METHOD_DEFLATE : 0, 2);
    put(w, 0, 2);
    put(w, DATE_1980_01_01, 2);
    put(w, c->crc, 4);
    put(w, c->packed.n, 4);
    put(w, c->size_bytes, 4);
    put(w, name_bytes, 2);
    put(w, 0, 2); /* no extra field */
}

static void put_central(struct writer *w, const struct file *f, const struct content *c,
                        uint64_t offset)
{
    put(w, SIGNATURE_CENTRAL, 4);
    put(w, MADE_BY_UNIX | VERSION_NEEDED, 2);
    put_common(w, c, f->name.n);
    put(w, 0, 2); /* no comment */
    put(w, 0, 2); /* disk */
    put(w, 0, 2); /* internal attributes */
    put(w, (uint64_t)(f->executable ? MODE_EXECUTABLE : MODE_FILE) << 16, 4);
    put(w, offset, 4);
    put_str(w, f->name);
}

static void put_end64(struct writer *w, size_t count, uint64_t start, uint64_t bytes)
{
    uint64_t at = w->n;
    put(w, SIGNATURE_END64, 4);
    put(w, END64_BYTES - 12, 8);
    put(w, MADE_BY_UNIX | VERSION_NEEDED_64, 2);
    put(w, VERSION_NEEDED_64, 2);
    put(w, 0, 4);
    put(w, 0, 4);
    put(w, count, 8);
    put(w, count, 8);
    put(w, bytes, 8);
    put(w, start, 8);
    put(w, SIGNATURE_LOCATOR64, 4);
    put(w, 0, 4);
    put(w, at, 8);
    put(w, 1, 4);
}

static void put_end(struct writer *w, size_t count, uint64_t start, uint64_t bytes)
{
    size_t shown = count < FULL_16 ? count : FULL_16;
    put(w, SIGNATURE_END, 4);
    put(w, 0, 2);
    put(w, 0, 2);
    put(w, shown, 2);
    put(w, shown, 2);
    put(w, bytes, 4);
    put(w, start, 4);
    put(w, 0, 2);
}

int zip_size(const struct content_store *s, const struct file_list *list, size_t *ret,
             struct err *err)
{
    uint64_t n = END_BYTES + (list->count >= FULL_16 ? END64_BYTES + LOCATOR64_BYTES : 0);
    for (size_t i = 0; i < list->count; i++) {
        struct str name = list->files[i].name;
        if (name.n >= FULL_16)
            return err_set(err, ERR_CONFIG, "name of a file is too long for a zip: '%.*s'",
                           STR_ARG(name));
        n += LOCAL_BYTES + CENTRAL_BYTES + 2 * name.n;
        n += content_find(s, list->files[i].path)->packed.n;
    }
    /* far beyond what Lambda takes; and with it offsets fit into 32 bits */
    if (n >= FULL_32)
        return err_set(err, ERR_CONFIG, "zip is larger than 4 GiB");
    *ret = n;
    return 0;
}

void zip_write(const struct content_store *s, const struct file_list *list, char *out)
{
    struct writer w = {.p = (unsigned char *)out};
    for (size_t i = 0; i < list->count; i++) {
        const struct content *c = content_find(s, list->files[i].path);
        put(&w, SIGNATURE_LOCAL, 4);
        put_common(&w, c, list->files[i].name.n);
        put_str(&w, list->files[i].name);
        put_str(&w, c->packed);
    }
    uint64_t start = w.n, offset = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct content *c = content_find(s, list->files[i].path);
        put_central(&w, &list->files[i], c, offset);
        offset += LOCAL_BYTES + list->files[i].name.n + c->packed.n;
    }
    uint64_t bytes = w.n - start;
    if (list->count >= FULL_16)
        put_end64(&w, list->count, start, bytes);
    put_end(&w, list->count, start, bytes);
}

/* ---- reading ---- */

static uint64_t get(struct str s, uint64_t at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)s.p[at + i] << 8 * i;
    return value;
}

/* Index of the end record, which may have a comment of up to 65,535 bytes behind it; -1: there is
 * none. */
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

static bool read_end(struct str s, struct directory *ret)
{
    int64_t end = find_end(s);
    if (end < 0)
        return false;
    uint64_t at = (uint64_t)end;
    *ret = (struct directory){get(s, at + 16, 4), get(s, at + 12, 4), get(s, at + 10, 2)};
    bool is64 = at >= LOCATOR64_BYTES && get(s, at - LOCATOR64_BYTES, 4) == SIGNATURE_LOCATOR64;
    if (is64) {
        uint64_t end64 = get(s, at - LOCATOR64_BYTES + 8, 8);
        if (s.n < END64_BYTES || end64 > s.n - END64_BYTES || get(s, end64, 4) != SIGNATURE_END64)
            return false;
        *ret =
            (struct directory){get(s, end64 + 48, 8), get(s, end64 + 40, 8), get(s, end64 + 32, 8)};
    }
    return ret->start <= s.n && ret->bytes <= s.n - ret->start;
}

/* Size of the entry whose central header is at `at`; a large one has its size in an extra field. */
static uint64_t entry_size(struct str s, uint64_t at, uint64_t name, uint64_t extra)
{
    uint64_t size = get(s, at + 24, 4);
    if (size != FULL_32)
        return size;
    uint64_t i = at + CENTRAL_BYTES + name, end = i + extra;
    while (i + 4 <= end) {
        uint64_t id = get(s, i, 2), n = get(s, i + 2, 2);
        if (id == 1 && n >= 8 && i + 12 <= end)
            return get(s, i + 4, 8);
        i += 4 + n;
    }
    return size;
}

static bool read_entries(struct str s, const struct directory *d, struct zip_summary *ret)
{
    uint64_t at = d->start, end = d->start + d->bytes;
    *ret = (struct zip_summary){0};
    for (uint64_t i = 0; i < d->count; i++) {
        if (end - at < CENTRAL_BYTES || get(s, at, 4) != SIGNATURE_CENTRAL)
            return false;
        uint64_t name = get(s, at + 28, 2), extra = get(s, at + 30, 2);
        uint64_t whole = CENTRAL_BYTES + name + extra + get(s, at + 32, 2);
        if (end - at < whole)
            return false;
        uint64_t size = entry_size(s, at, name, extra);
        if (size > UINT64_MAX - ret->unzipped_bytes)
            return false;
        ret->unzipped_bytes += size;
        ret->file_count += !(name && s.p[at + CENTRAL_BYTES + name - 1] == '/');
        at += whole;
    }
    return true;
}

int zip_inspect(struct str bytes, struct zip_summary *ret, struct err *err)
{
    struct directory d;
    if (!read_end(bytes, &d) || !read_entries(bytes, &d, ret))
        return err_set(err, ERR_CONFIG, "not a zip file, or a damaged one");
    return 0;
}
