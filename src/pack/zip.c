/* Zips, written so that equal files give equal bytes. Every content comes from the store, already
 * compressed. The format is PKWARE's APPNOTE 6.3; 65,535 entries and more use its Zip64 records. */
#include "pack/content.h"

#include "base/buf.h"
#include "pack/zip_format.h"

enum {
    VERSION_NEEDED = 20,
    VERSION_NEEDED_64 = 45,
    DATE_1980_01_01 = 0x0021, /* the earliest date of the format */
    MODE_FILE = 0100644,
    MODE_EXECUTABLE = 0100755,
    HELD_BYTES = 64 * 1024,
};

/* Bytes on their way to the sink, which gets many at once. */
struct writer {
    zip_sink *sink;
    void *context;
    unsigned char *p; /* n of HELD_BYTES */
    size_t n;
    uint64_t passed; /* what the sink has */
};

static int pass_on(struct writer *w, struct err *err)
{
    struct str held = {(char *)w->p, w->n};
    w->passed += w->n;
    w->n = 0;
    return held.n ? w->sink(w->context, held, err) : 0;
}

static int make_room(struct writer *w, size_t n, struct err *err)
{
    return n <= HELD_BYTES - w->n ? 0 : pass_on(w, err);
}

static void put(struct writer *w, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        w->p[w->n++] = (unsigned char)(value >> 8 * i);
}

/* Put a text, which may be larger than what is held. */
static int put_str(void *context, struct str s, struct err *err)
{
    struct writer *w = context;
    if (make_room(w, s.n, err) < 0)
        return -1;
    if (s.n > HELD_BYTES) {
        w->passed += s.n;
        return w->sink(w->context, s, err);
    }
    if (s.n)
        memcpy(w->p + w->n, s.p, s.n);
    w->n += s.n;
    return 0;
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
    put(w, c->packed_bytes, 4);
    put(w, c->size_bytes, 4);
    put(w, name_bytes, 2);
    put(w, 0, 2); /* no extra field */
}

static int put_local(struct content_store *s, struct writer *w, struct content_window *window,
                     const struct file *f, struct err *err)
{
    if (make_room(w, LOCAL_BYTES, err) < 0)
        return -1;
    put(w, SIGNATURE_LOCAL, 4);
    put_common(w, f->content, f->name.n);
    return put_str(w, f->name, err) < 0 ? -1 : content_read(s, f, window, put_str, w, err);
}

static int put_central(struct writer *w, const struct file *f, uint64_t offset, struct err *err)
{
    if (make_room(w, CENTRAL_BYTES, err) < 0)
        return -1;
    put(w, SIGNATURE_CENTRAL, 4);
    bool given = f->made_by || f->attributes;
    uint32_t own = (uint32_t)(f->executable ? MODE_EXECUTABLE : MODE_FILE) << 16;
    put(w, (given ? f->made_by : MADE_BY_UNIX) | VERSION_NEEDED, 2);
    put_common(w, f->content, f->name.n);
    put(w, 0, 2); /* no comment */
    put(w, 0, 2); /* disk */
    put(w, 0, 2); /* internal attributes */
    put(w, given ? f->attributes : own, 4);
    put(w, offset, 4);
    return put_str(w, f->name, err);
}

static void put_end64(struct writer *w, size_t count, uint64_t start, uint64_t bytes)
{
    uint64_t at = w->passed + w->n;
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

static uint64_t entry_bytes(const struct file *f)
{
    return LOCAL_BYTES + f->name.n + f->content->packed_bytes;
}

static int check_names(const struct file_list *list, uint64_t *ret_bytes, struct err *err)
{
    uint64_t n = END_BYTES + (list->count >= FULL_16 ? END64_BYTES + LOCATOR64_BYTES : 0);
    for (size_t i = 0; i < list->count; i++) {
        const struct file *f = list->files[i];
        if (f->name.n >= FULL_16)
            return err_set(err, ERR_CONFIG, "name of a file is too long for a zip: '%.*s'",
                           STR_ARG(f->name));
        n += entry_bytes(f) + CENTRAL_BYTES + f->name.n;
    }
    /* far beyond what Lambda takes; and with it offsets fit into 32 bits */
    if (n >= FULL_32)
        return err_set(err, ERR_CONFIG, "zip is larger than 4 GiB");
    *ret_bytes = n;
    return 0;
}

int zip_make(struct content_store *s, const struct file_list *list, zip_sink *sink, void *context,
             struct err *err)
{
    unsigned char held[HELD_BYTES];
    struct writer w = {.p = held, .sink = sink, .context = context};
    uint64_t bytes, offset = 0;
    if (check_names(list, &bytes, err) < 0)
        return -1;
    cleanup_arena struct arena *a = arena_new();
    struct content_window *window = ARENA_NEW(a, struct content_window);
    for (size_t i = 0; i < list->count; i++)
        if (put_local(s, &w, window, list->files[i], err) < 0)
            return -1;
    uint64_t start = w.passed + w.n;
    for (size_t i = 0; i < list->count; i++) {
        if (put_central(&w, list->files[i], offset, err) < 0)
            return -1;
        offset += entry_bytes(list->files[i]);
    }
    bytes = w.passed + w.n - start;
    if (make_room(&w, END64_BYTES + LOCATOR64_BYTES + END_BYTES, err) < 0)
        return -1;
    if (list->count >= FULL_16)
        put_end64(&w, list->count, start, bytes);
    put_end(&w, list->count, start, bytes);
    return pass_on(&w, err);
}

/* SHA-256 of the names, modes and contents of the entries: the same gives the same zip. */
static void entries_key(const struct file_list *list, unsigned char key[SHA256_BYTES])
{
    cleanup_arena struct arena *a = arena_new();
    struct digest *d = sha256_begin();
    struct buf b = BUF(a);
    for (size_t i = 0; i < list->count; i++) {
        const struct file *f = list->files[i];
        buf_add(&b, f->name);
        buf_char(&b, 0);
        buf_char(&b, f->executable ? 'x' : '-');
        buf_add(&b, (struct str){(const char *)&f->attributes, sizeof f->attributes});
        buf_add(&b, (struct str){(const char *)&f->made_by, sizeof f->made_by});
        buf_add(&b, (struct str){(const char *)f->content->digest, SHA256_BYTES});
        if (b.n > HELD_BYTES) {
            digest_add(d, buf_str(&b));
            b.n = 0;
        }
    }
    digest_add(d, buf_str(&b));
    digest_end(d, key);
}

static int hash_piece(void *context, struct str bytes, struct err *err)
{
    (void)err;
    digest_add(context, bytes);
    return 0;
}

int zip_identify(struct content_store *s, const struct file_list *list, uint64_t *ret_bytes,
                 unsigned char sha256[SHA256_BYTES], struct err *err)
{
    unsigned char key[SHA256_BYTES];
    entries_key(list, key);
    if (content_store_zip(s, key, ret_bytes, sha256))
        return 0;
    if (check_names(list, ret_bytes, err) < 0)
        return -1;
    struct digest *d = sha256_begin();
    int made = zip_make(s, list, hash_piece, d, err);
    digest_end(d, sha256);
    if (made == 0)
        content_store_put_zip(s, key, *ret_bytes, sha256);
    return made;
}
