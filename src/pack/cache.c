/* The cache's file: pieces, then the index, then a footer that says where the index is. */
#include "pack/cache.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"

/* Another libdeflate, another layout or another machine's numbers make another file. */
static const char magic[24] = "troupe packages 1 " LIBDEFLATE_VERSION_STRING;

static const int64_t NS = 1000000000;
/* All files of the directory. One that is larger than half of it is not kept. */
static const uint64_t CACHE_BYTES_MAX = (uint64_t)1 << 30;
enum { INDEX_BYTES_MAX = 256 * 1024 * 1024, DAY_S = 24 * 60 * 60 };

struct footer {
    char magic[sizeof magic];
    uint64_t piece_bytes, content_count, file_count, zip_count;
    uint32_t index_crc;  /* of what is between the pieces and the footer */
    uint32_t footer_crc; /* of the footer, with 0 here */
};

struct stamp stamp_of(const struct stat *st)
{
    return (struct stamp){.device = st->st_dev,
                          .inode = st->st_ino,
                          .size = (uint64_t)st->st_size,
                          .modified_ns = st->st_mtim.tv_sec * NS + st->st_mtim.tv_nsec,
                          .changed_ns = st->st_ctim.tv_sec * NS + st->st_ctim.tv_nsec};
}

int64_t cache_clock_ns(void)
{
    struct timespec t;
#ifdef CLOCK_REALTIME_COARSE /* the clock of Linux's file systems: it steps every few ms */
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return t.tv_sec * NS + t.tv_nsec;
#else
    enum { STEP_NS = 20000000 };
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NS + t.tv_nsec - STEP_NS;
#endif
}

bool cache_trusts(const struct stamp *stamp, int64_t clock_ns)
{
    /* whole seconds: most likely the file system knows no others */
    return stamp->changed_ns < clock_ns && stamp->changed_ns % NS != 0;
}

struct str cache_path(struct arena *a, struct str service_file, const char *ending)
{
    cleanup_err struct err ignored = {0};
    struct str dir, name = str_sub(sha256_hex(a, path_absolute(a, service_file)), 0, 32);
    if (path_cache_own(a, STR("packages"), &dir, &ignored) < 0)
        return (struct str){"", 0};
    return path_join(a, dir, str_concat(a, name, str_c(ending)));
}

/* ---- reading ---- */

static uint32_t footer_crc(struct footer f)
{
    f.footer_crc = 0;
    return libdeflate_crc32(0, &f, sizeof f);
}

/* Bytes of the index, or 0 when the counts cannot be. */
static uint64_t index_bytes(const struct footer *f)
{
    if (f->content_count > INDEX_BYTES_MAX || f->file_count > INDEX_BYTES_MAX ||
        f->zip_count > INDEX_BYTES_MAX)
        return 0;
    uint64_t n = f->content_count * sizeof(struct content) +
                 f->file_count * sizeof(struct cached_file) +
                 f->zip_count * sizeof(struct cached_zip);
    return n <= INDEX_BYTES_MAX ? n : 0;
}

static bool refers_well(const struct cache_index *index)
{
    for (size_t i = 0; i < index->content_count; i++) {
        const struct content *c = &index->contents[i];
        if (c->offset > index->piece_bytes || c->packed_bytes > index->piece_bytes - c->offset)
            return false;
    }
    for (size_t i = 0; i < index->file_count; i++)
        if (index->files[i].content >= index->content_count)
            return false;
    return true;
}

static bool read_index(struct arena *a, int fd, struct cache_index *ret, struct stat *st)
{
    struct footer f;
    if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) || (uint64_t)st->st_size < sizeof f ||
        !fs_read_at(fd, (uint64_t)st->st_size - sizeof f, &f, sizeof f) ||
        memcmp(f.magic, magic, sizeof magic) != 0 || f.footer_crc != footer_crc(f))
        return false;
    uint64_t n = index_bytes(&f);
    if (!n || f.piece_bytes != (uint64_t)st->st_size - sizeof f - n)
        return false;
    char *p = arena_alloc(a, n);
    if (!fs_read_at(fd, f.piece_bytes, p, n) || libdeflate_crc32(0, p, n) != f.index_crc)
        return false;
    *ret = (struct cache_index){.piece_bytes = f.piece_bytes,
                                .contents = (struct content *)p,
                                .content_count = f.content_count,
                                .file_count = f.file_count,
                                .zip_count = f.zip_count};
    ret->files = (struct cached_file *)(ret->contents + f.content_count);
    ret->zips = (struct cached_zip *)(ret->files + f.file_count);
    return refers_well(ret);
}

int cache_open(struct arena *a, struct str path, struct cache_index *ret)
{
    *ret = (struct cache_index){0};
    struct stat st;
    int fd = path.n ? open(path.p, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (fd < 0)
        return -1;
    if (!read_index(a, fd, ret, &st)) {
        *ret = (struct cache_index){0};
        close(fd);
        return -1;
    }
    if (st.st_mtim.tv_sec + DAY_S < time(NULL))
        futimens(fd, NULL); /* it was used: the oldest are removed first */
    return fd;
}

static int by_stamp(const void *x, const void *y)
{
    const struct stamp *s = x, *t = y; /* each the first member of a struct cached_file */
    if (s->inode != t->inode)
        return s->inode < t->inode ? -1 : 1;
    return memcmp(s, t, sizeof *s);
}

const struct cached_file *cache_find(const struct cache_index *index, const struct stamp *stamp)
{
    return index->file_count
               ? bsearch(stamp, index->files, index->file_count, sizeof *index->files, by_stamp)
               : NULL;
}

/* ---- writing ---- */

static bool write_at(int fd, const void *p, size_t n, uint64_t at)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));
        if (k <= 0)
            return false;
        done += (size_t)k;
    }
    return true;
}

static bool write_index(int fd, struct cache_index *index)
{
    if (index->file_count)
        qsort(index->files, index->file_count, sizeof *index->files, by_stamp);
    struct footer f = {.piece_bytes = index->piece_bytes,
                       .content_count = index->content_count,
                       .file_count = index->file_count,
                       .zip_count = index->zip_count};
    memcpy(f.magic, magic, sizeof magic);
    const struct {
        const void *p;
        size_t n;
    } parts[] = {{index->contents, index->content_count * sizeof *index->contents},
                 {index->files, index->file_count * sizeof *index->files},
                 {index->zips, index->zip_count * sizeof *index->zips}};
    uint64_t at = f.piece_bytes;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].n && !write_at(fd, parts[i].p, parts[i].n, at))
            return false;
        if (parts[i].n)
            f.index_crc = libdeflate_crc32(f.index_crc, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    f.footer_crc = footer_crc(f);
    return at - f.piece_bytes <= INDEX_BYTES_MAX && at <= CACHE_BYTES_MAX / 2 &&
           write_at(fd, &f, sizeof f, at) && ftruncate(fd, (off_t)(at + sizeof f)) == 0;
}

struct kept {
    struct str path;
    time_t used;
    uint64_t bytes;
};

static int by_use(const void *x, const void *y)
{
    const struct kept *k = x, *l = y;
    return k->used < l->used ? -1 : k->used > l->used;
}

/* Remove the oldest files until the rest is small enough, and what runs left behind that were
 * killed. */
static void evict(struct str dir)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err ignored = {0};
    struct str *names;
    size_t n;
    if (fs_list(a, dir, &names, &n, &ignored) < 0)
        return;
    struct kept *all = ARENA_ARRAY(a, n, struct kept);
    uint64_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        all[i].path = path_join(a, dir, names[i]);
        if (lstat(all[i].path.p, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        bool left = str_find(names[i], STR(".new."), 0) >= 0;
        if (left && st.st_mtim.tv_sec + DAY_S < time(NULL))
            unlink(all[i].path.p);
        else if (!left)
            bytes += all[i].bytes = (uint64_t)st.st_size;
        all[i].used = st.st_mtim.tv_sec;
    }
    if (n)
        qsort(all, n, sizeof *all, by_use);
    for (size_t i = 0; i < n && bytes > CACHE_BYTES_MAX; i++) {
        if (all[i].bytes)
            unlink(all[i].path.p);
        bytes -= all[i].bytes;
    }
}

void cache_commit(int fd, struct str temporary, struct str path, struct cache_index *index)
{
    if (!write_index(fd, index) || rename(temporary.p, path.p) < 0) {
        unlink(temporary.p);
        return;
    }
    cleanup_arena struct arena *a = arena_new();
    evict(path_dir(a, path));
}
