/* Zips that `artifact:` names: opened, hashed, and made again in troupe's own way, so that one that
 * was zipped anew from the same files is the same zip. */
#include "pack/given.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/pool.h"
#include "pack/large.h"
#include "pack/zip_format.h"

enum { READ_AT_ONCE = 64 * 1024, ENTRIES_AT_ONCE = 64, FLAGS_PLAIN = FLAG_UTF8 | 0x000e };
static const uint64_t ENTRY_BYTES_MAX = (uint64_t)512 * 1024 * 1024;

int given_open(struct arena *a, struct str path, struct stat *ret, struct err *err)
{
    const char *name = str_z(a, path);
    /* Opening a pipe would wait for its writer, opening a device may do something. */
    if (stat(name, ret) < 0)
        return err_sys(err, errno, "cannot read '%.*s'", STR_ARG(path));
    if (!S_ISREG(ret->st_mode))
        return err_set(err, ERR_FAILED, "cannot read '%.*s': it is %s, not a regular file",
                       STR_ARG(path), fs_type_name(ret->st_mode));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret) < 0) {
        err_sys(err, errno, "cannot read '%.*s'", STR_ARG(path));
        fd_cleanup(&fd);
        return -1;
    }
    return fd;
}

int given_read(int fd, zip_sink *sink, void *context, struct err *err)
{
    char buffer[READ_AT_ONCE];
    for (;;) {
        ssize_t k = read(fd, buffer, sizeof buffer);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return err_sys(err, errno, "cannot read");
        if (k == 0)
            return 0;
        if (sink(context, (struct str){buffer, (size_t)k}, err) < 0)
            return -1;
    }
}

static int hash_piece(void *context, struct str bytes, struct err *err)
{
    (void)err;
    digest_add(context, bytes);
    return 0;
}

int given_hash(int fd, unsigned char sha256[SHA256_BYTES], struct err *err)
{
    struct digest *d = sha256_begin();
    int done = given_read(fd, hash_piece, d, err);
    digest_end(d, sha256);
    return done;
}

/* ---- what is in it ---- */

static bool is_folder(const struct zip_entry *e)
{
    return str_ends(e->name, STR("/"));
}

static int file_by_name(const void *x, const void *y)
{
    return str_cmp((*(struct file *const *)x)->name, (*(struct file *const *)y)->name);
}

void given_list(struct arena *a, const struct zip_entry *entries, size_t n, struct file_list *ret)
{
    *ret = (struct file_list){ARENA_ARRAY(a, n, struct file *), 0};
    for (size_t i = 0; i < n; i++) {
        const struct zip_entry *e = &entries[i];
        if (is_folder(e))
            continue;
        struct file *f = ret->files[ret->count++] = ARENA_NEW(a, struct file);
        f->path = str_dup(a, e->name);
        f->name = path_clean(a, f->path); /* "./x" is unpacked as "x" */
        f->stamp.size = e->size;
        f->executable = e->made_by == MADE_BY_UNIX && e->attributes >> 16 & S_IXUSR;
    }
    if (ret->count)
        qsort(ret->files, ret->count, sizeof *ret->files, file_by_name);
}

uint16_t given_machine(int fd, const struct zip_entry *e)
{
    enum { PACKED = 1024, HEAD = 64 }; /* of a deflated file at most, of an ELF file's header */
    char packed[PACKED], head[HEAD];
    cleanup_err struct err ignored = {0};
    size_t n = e->packed < PACKED ? (size_t)e->packed : PACKED;
    uint64_t at;
    if (e->size < HEAD || is_folder(e) || zip_data_at(fd, e, &at, &ignored) < 0 ||
        !fs_read_at(fd, at, packed, n))
        return 0;
    if (e->method == 0)
        return elf_machine((struct str){packed, n});
    return e->method == METHOD_DEFLATE && large_beginning(packed, n, head, HEAD)
               ? elf_machine((struct str){head, HEAD})
               : 0;
}

void given_set_machines(struct arena *a, int fd, const struct zip_entry *entries, size_t n,
                        const struct file_list *list)
{
    struct map by_name = MAP(a);
    for (size_t i = 0; i < n; i++)
        map_put(&by_name, str_dup(a, entries[i].name), (void *)(uintptr_t)&entries[i]);
    for (size_t i = 0; i < list->count; i++) {
        struct content *c = ARENA_NEW(a, struct content);
        c->machine = given_machine(fd, map_get(&by_name, list->files[i]->path));
        list->files[i]->content = c;
    }
}

/* ---- made again ---- */

static int entry_by_name(const void *x, const void *y)
{
    return str_cmp((*(const struct zip_entry *const *)x)->name,
                   (*(const struct zip_entry *const *)y)->name);
}

/* The entries, sorted by name. */
static const struct zip_entry **sorted(struct arena *a, const struct zip_entry *entries, size_t n)
{
    const struct zip_entry **all = ARENA_ARRAY(a, n, const struct zip_entry *);
    for (size_t i = 0; i < n; i++)
        all[i] = &entries[i];
    if (n)
        qsort(all, n, sizeof *all, entry_by_name);
    return all;
}

bool given_is_plain(struct arena *a, const struct zip_entry *entries, size_t n)
{
    const struct zip_entry **all = sorted(a, entries, n);
    size_t bad;
    for (size_t i = 0; i < n; i++) {
        const struct zip_entry *e = all[i];
        bool known = e->method == 0 ? e->size == e->packed : e->method == METHOD_DEFLATE;
        if (!known || e->flags & ~FLAGS_PLAIN || e->size > ENTRY_BYTES_MAX ||
            e->packed > ENTRY_BYTES_MAX || e->offset >= FULL_32 || !str_utf8_ok(e->name, &bad) ||
            (i && str_eq(all[i - 1]->name, e->name)))
            return false;
    }
    return n > 0;
}

struct loading {
    int fd;
    struct content_store *store;
    const struct zip_entry **entries;
    size_t count;
    struct file **files;
};

static int say_damaged(const struct zip_entry *e, struct err *err)
{
    return err_set(err, ERR_CONFIG, "the entry '%.*s' is damaged", STR_ARG(e->name));
}

/* A large entry goes through a file. */
static int load_large(const struct loading *l, size_t i, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const struct zip_entry *e = l->entries[i];
    struct large_sum sum;
    uint64_t at;
    cleanup_fd int out = fs_temporary(a, err);
    if (out < 0 || zip_data_at(l->fd, e, &at, err) < 0)
        return -1;
    int error = e->method == METHOD_DEFLATE ? large_inflate(l->fd, at, e->packed, out, e->size)
                                            : large_copy(l->fd, at, out, e->size);
    if (error && error != EILSEQ)
        return err_sys(err, error, "cannot unpack '%.*s'", STR_ARG(e->name));
    if (error || large_sum(out, e->size, &sum) || sum.crc != e->crc)
        return say_damaged(e, err);
    return content_store_put_file(l->store, out, e->size, e->name, &l->files[i]->content, err);
}

static int load_entry(const struct loading *l, size_t i, struct libdeflate_decompressor *z,
                      struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const struct zip_entry *e = l->entries[i];
    if (e->size > LARGE_BYTES)
        return load_large(l, i, err);
    if (e->packed > e->size + LARGE_BYTES)
        return say_damaged(e, err);
    char *packed = arena_alloc(a, e->packed);
    if (zip_data(l->fd, e, packed, err) < 0)
        return -1;
    struct str raw = {packed, e->packed};
    if (e->method == METHOD_DEFLATE) {
        char *out = arena_alloc(a, e->size);
        size_t got;
        raw = (struct str){out, e->size};
        if (libdeflate_deflate_decompress(z, packed, e->packed, out, e->size, &got) !=
                LIBDEFLATE_SUCCESS ||
            got != e->size)
            raw.p = NULL;
    }
    if (!raw.p || libdeflate_crc32(0, raw.p, raw.n) != e->crc)
        return say_damaged(e, err);
    return content_store_put(l->store, raw, &l->files[i]->content, err);
}

static int load_some(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    const struct loading *l = context;
    struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
    size_t from = index * ENTRIES_AT_ONCE, end = from + ENTRIES_AT_ONCE;
    int done = z ? 0 : err_set(err, ERR_FAILED, "out of memory");
    for (size_t i = from; i < end && i < l->count && done == 0; i++)
        done = load_entry(l, i, z, err);
    libdeflate_free_decompressor(z);
    return done;
}

/* Unix's mode, whether or not the type of file was said in it; what else there is, is DOS's. */
static uint32_t attributes_of(const struct zip_entry *e)
{
    if (e->made_by != MADE_BY_UNIX)
        return e->attributes;
    uint32_t mode = e->attributes >> 16;
    uint32_t type = str_ends(e->name, STR("/")) ? S_IFDIR : S_IFREG;
    return (mode & S_IFMT ? mode : mode | type) << 16;
}

int given_load(struct arena *a, struct content_store *s, int fd, uint64_t bytes,
               struct file_list *ret, struct err *err)
{
    struct zip_entry *entries;
    struct loading l = {.fd = fd, .store = s};
    if (zip_entries(a, fd, bytes, &entries, &l.count, err) < 0)
        return -1;
    l.entries = sorted(a, entries, l.count);
    l.files = ARENA_ARRAY(a, l.count, struct file *);
    for (size_t i = 0; i < l.count; i++) {
        l.files[i] = ARENA_NEW(a, struct file);
        *l.files[i] = (struct file){.name = l.entries[i]->name,
                                    .path = l.entries[i]->name,
                                    .attributes = attributes_of(l.entries[i]),
                                    .made_by = l.entries[i]->made_by};
    }
    *ret = (struct file_list){l.files, l.count};
    return pool_run((l.count + ENTRIES_AT_ONCE - 1) / ENTRIES_AT_ONCE, 0, load_some, &l, err);
}
