/* Content of files: each file is read once, each distinct content is compressed once, however many
 * functions pack it and names it has. A pool of threads works on the files in batches and writes
 * what is compressed, the pieces, into one file: the memory that is needed does not grow with the
 * input. That file is the next run's cache when it gets an index (cache.c). */
#include "pack/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/pool.h"
#include "base/vec.h"
#include "pack/large.h"
#include "pack/read_file.h"

/* level 6 of libdeflate packs better than the reference's zlib, several times as fast */
enum {
    LEVEL = 6,
    BATCH_FILES = 256,
    BATCH_BYTES = 4 * 1024 * 1024,
};
/* Lambda's limit is far below; this keeps a stray file from filling the memory. */
static const size_t FILE_BYTES_MAX = (size_t)1 << 30;
/* What threads may have in memory together; a larger file waits until it is alone. */
static const size_t MEMORY_MAX = (size_t)24 << 20;

/* A file, by what the system tells of it: links lead to the same. */
struct reading {
    struct file *file;  /* the first with this stamp */
    struct stamp stamp; /* when it was read; then it need not be the file's any more */
    struct content *content;
};

struct batch {
    size_t first, count;
};

struct content_store {
    struct arena *arena; /* guarded by `lock` while threads work, as are the maps */
    int dir;             /* of the service */
    struct str dir_path, path, temporary; /* `path`: of the cache, or empty */
    struct cache_index old;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    size_t in_memory;      /* bytes */
    int fd;                /* of the pieces; -1: there are none yet */
    bool is_own;           /* `fd` is this run's, at `temporary`; else the cache's */
    uint64_t end;          /* of the pieces */
    struct map by_inode;   /* -> struct reading */
    struct map by_content; /* digest -> struct content */
    struct map zips;       /* key -> struct cached_zip */
    VEC(struct reading *) readings, unread;
    VEC(struct batch) batches;
    struct worker *idle; /* under `lock`: memory is not given back and taken again */
    int64_t clock_ns;
    bool is_new;  /* there is something that the cache's file does not have */
    bool damaged; /* the cache's file is */
};

struct content_store *content_store_new(struct arena *a, struct str dir, struct str service_file,
                                        bool cache)
{
    struct content_store *s = ARENA_NEW(a, struct content_store);
    *s = (struct content_store){.arena = a, .dir_path = dir, .clock_ns = cache_clock_ns()};
    s->by_inode = s->by_content = s->zips = MAP(a);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    s->path = cache ? cache_path(a, service_file, ".pieces") : (struct str){"", 0};
    s->dir = open(str_z(a, dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->fd = cache_open(a, s->path, &s->old);
    s->end = s->old.piece_bytes;
    for (size_t i = 0; i < s->old.zip_count; i++) {
        s->old.zips[i].used = false;
        map_put(&s->zips, (struct str){(char *)s->old.zips[i].key, SHA256_BYTES}, &s->old.zips[i]);
    }
    return s;
}

void content_store_drop(struct content_store *s)
{
    if (s->path.n && s->temporary.n)
        unlink(s->temporary.p);
    if (s->fd >= 0)
        close(s->fd);
    if (s->dir >= 0)
        close(s->dir);
    s->fd = s->dir = -1;
}

/* ---- the file of pieces ---- */

static int copy_slowly(int from, int to, uint64_t at, uint64_t n, uint64_t out_at)
{
    char buffer[64 * 1024];
    while (n) {
        ssize_t k = pread(from, buffer, n < sizeof buffer ? n : sizeof buffer, (off_t)at);
        if (k <= 0 || pwrite(to, buffer, (size_t)k, (off_t)out_at) != k)
            return errno ? errno : EIO;
        n -= (uint64_t)k, at += (uint64_t)k, out_at += (uint64_t)k;
    }
    return 0;
}

/* Copy within the file system, where it can. Returns errno's value. */
static int copy_range(int from, int to, uint64_t at, uint64_t n, uint64_t out_at)
{
    off_t in = (off_t)at, out = (off_t)out_at;
    while (n) {
        ssize_t k = copy_file_range(from, &in, to, &out, n, 0);
        if (k <= 0)
            return copy_slowly(from, to, (uint64_t)in, n, (uint64_t)out);
        n -= (uint64_t)k;
    }
    return 0;
}

static int no_room(const struct content_store *s, int error, struct err *err)
{
    err_sys(err, error, "cannot write compressed files to '%.*s'",
            STR_ARG(s->path.n ? s->path : STR("a temporary file")));
    return err_help(err, "make room there; another place is chosen with %s",
                    s->path.n ? "XDG_CACHE_HOME, or with --no-cache and TMPDIR" : "TMPDIR");
}

/* Begin a file in the cache's directory, or without a name when `name` is NULL, with the pieces of
 * the earlier run. */
static int begin_file(struct content_store *s, char *name, struct err *err)
{
    int fd = name ? mkostemp(name, O_CLOEXEC) : fs_temporary(s->arena, err);
    int error = fd >= 0 && s->fd >= 0 ? copy_range(s->fd, fd, 0, s->end, 0) : 0;
    if (fd < 0)
        return name ? no_room(s, errno, err) : -1;
    if (error) {
        if (name)
            unlink(name);
        close(fd);
        return no_room(s, error, err);
    }
    fd_cleanup(&s->fd);
    s->fd = fd;
    s->is_own = true;
    s->temporary = str_c(name);
    return 0;
}

/* A file of this run's own. Where the cache cannot be written, nothing is kept. */
static int begin_pieces(struct content_store *s, struct err *err)
{
    if (s->is_own)
        return 0;
    char *name = str_z(s->arena, str_concat(s->arena, s->path, STR(".new.XXXXXX")));
    if (s->path.n && begin_file(s, name, err) == 0)
        return 0;
    err_clear(err);
    s->path = (struct str){"", 0};
    return begin_file(s, NULL, err);
}

static int write_pieces(const struct content_store *s, struct str pieces, uint64_t at,
                        struct err *err)
{
    for (size_t done = 0; done < pieces.n;) {
        ssize_t k = pwrite(s->fd, pieces.p + done, pieces.n - done, (off_t)(at + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return no_room(s, k < 0 ? errno : EIO, err);
        done += (size_t)k;
    }
    return 0;
}

/* Memory that a thread uses for one file after another. */
struct worker {
    struct worker *next; /* idle one */
    struct libdeflate_compressor *z;
    struct read_buffer raw;
    char *out;
    size_t out_room;
    char *held; /* small pieces, which are written together */
    size_t held_bytes, held_count;
    struct content *of[BATCH_FILES]; /* their contents; `offset` is that in `held` */
};

static void free_worker(struct worker *w)
{
    libdeflate_free_compressor(w->z);
    free(w->raw.p);
    free(w->out);
    free(w->held);
}
#define cleanup_worker __attribute__((cleanup(free_worker)))

static struct worker *take_worker(struct content_store *s)
{
    pthread_mutex_lock(&s->lock);
    struct worker *w = s->idle;
    if (w)
        s->idle = w->next;
    pthread_mutex_unlock(&s->lock);
    if (!w && !(w = calloc(1, sizeof *w)))
        die("out of memory");
    return w;
}

static void give_worker(struct content_store *s, struct worker *w)
{
    pthread_mutex_lock(&s->lock);
    w->next = s->idle;
    s->idle = w;
    pthread_mutex_unlock(&s->lock);
}

static void free_workers(struct content_store *s)
{
    for (struct worker *w = s->idle, *next; w; w = next) {
        next = w->next;
        free_worker(w);
        free(w);
    }
    s->idle = NULL;
}

static uint64_t take_room(struct content_store *s, uint64_t n)
{
    pthread_mutex_lock(&s->lock);
    uint64_t at = s->end;
    s->end += n;
    pthread_mutex_unlock(&s->lock);
    return at;
}

static int write_held(struct content_store *s, struct worker *w, struct err *err)
{
    uint64_t at = take_room(s, w->held_bytes);
    for (size_t i = 0; i < w->held_count; i++)
        w->of[i]->offset += at;
    struct str held = {w->held, w->held_bytes};
    w->held_bytes = w->held_count = 0;
    return write_pieces(s, held, at, err);
}

static int put_piece(struct content_store *s, struct worker *w, struct content *c, struct str piece,
                     struct err *err)
{
    c->packed_bytes = piece.n;
    c->packed_crc = libdeflate_crc32(0, piece.p, piece.n);
    if (piece.n > PIECE_AT_ONCE) {
        c->offset = take_room(s, piece.n);
        return write_pieces(s, piece, c->offset, err);
    }
    bool full = w->held_count == BATCH_FILES || piece.n > PIECE_AT_ONCE - w->held_bytes;
    if (full && write_held(s, w, err) < 0)
        return -1;
    if (!w->held && !(w->held = malloc(PIECE_AT_ONCE)))
        die("out of memory");
    c->offset = w->held_bytes;
    if (piece.n)
        memcpy(w->held + w->held_bytes, piece.p, piece.n);
    w->held_bytes += piece.n;
    w->of[w->held_count++] = c;
    return 0;
}

/* ---- compressing ---- */

static void make_room(struct worker *w, size_t n)
{
    if (!w->z && !(w->z = libdeflate_alloc_compressor(LEVEL)))
        die("out of memory");
    if (n <= w->out_room)
        return;
    free(w->out);
    w->out_room = n < BATCH_BYTES ? n + n / 2 : n;
    w->out = malloc(w->out_room);
    if (!w->out)
        die("out of memory");
}

static struct str pack(struct worker *w, struct str raw)
{
    make_room(w, raw.n);
    /* with one byte less than the content, compression fails when it gains nothing: then it is
     * stored */
    size_t n = raw.n > 1 ? libdeflate_deflate_compress(w->z, raw.p, raw.n, w->out, raw.n - 1) : 0;
    return n ? (struct str){w->out, n} : raw;
}

/* The content with this digest. Tells whether the caller is the first to have it, and so has to
 * fill it in. Other threads may refer to it before it is filled: nobody reads it until all threads
 * are done. */
static struct content *claim(struct content_store *s, const unsigned char digest[SHA256_BYTES],
                             bool *ret_first)
{
    pthread_mutex_lock(&s->lock);
    struct content *c = map_get(&s->by_content, (struct str){(const char *)digest, SHA256_BYTES});
    *ret_first = !c;
    if (!c) {
        c = ARENA_NEW(s->arena, struct content);
        memcpy(c->digest, digest, SHA256_BYTES);
        map_put(&s->by_content, (struct str){(char *)c->digest, SHA256_BYTES}, c);
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

/* Wait until `n` more bytes may be in memory, or nothing else is. */
static void take_memory(struct content_store *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    while (s->in_memory && s->in_memory + n > MEMORY_MAX)
        pthread_cond_wait(&s->freed, &s->lock);
    s->in_memory += n;
    pthread_mutex_unlock(&s->lock);
}

static void give_memory(struct content_store *s, size_t n)
{
    pthread_mutex_lock(&s->lock);
    s->in_memory -= n;
    pthread_cond_broadcast(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

static int add_content(struct content_store *s, struct str raw, struct worker *w,
                       struct content **ret, struct err *err)
{
    unsigned char digest[SHA256_BYTES];
    sha256(raw, digest);
    bool first;
    struct content *c = *ret = claim(s, digest, &first);
    if (!first)
        return 0;
    struct str piece = pack(w, raw);
    c->size_bytes = raw.n;
    c->crc = libdeflate_crc32(0, raw.p, raw.n);
    c->deflated = piece.p != raw.p;
    c->machine = elf_machine(raw);
    return put_piece(s, w, c, piece, err);
}

/* ---- large files ---- */

static size_t part_of(const struct content *c, uint64_t at)
{
    uint64_t rest = c->packed_bytes - at;
    return rest < PIECE_AT_ONCE ? (size_t)rest : PIECE_AT_ONCE;
}

/* A piece that is not in the store yet. */
struct large_piece {
    int fd; /* it is from the beginning of this file on */
    uint64_t bytes;
    uint32_t crc;
    bool deflated;
};

/* Make the piece of `fd`, `size` bytes. `*temporary` is closed by the caller. Errors as of
 * large_deflate. */
static int large_piece(int fd, uint64_t size, const struct large_sum *sum, int temporary,
                       struct large_piece *ret)
{
    bool shrinks;
    int error = large_shrinks(fd, size, &shrinks);
    *ret = (struct large_piece){.fd = temporary, .deflated = true};
    if (!error && shrinks)
        error = large_deflate(fd, size, sum->digest, temporary, &ret->bytes, &ret->crc);
    if (!error && (!shrinks || ret->bytes >= size))
        *ret = (struct large_piece){fd, size, sum->crc, false};
    return error;
}

/* Is what was copied what was summed up? */
static bool is_copied(const struct content_store *s, const struct content *c,
                      const struct large_sum *sum)
{
    cleanup_arena struct arena *a = arena_new();
    char *p = arena_alloc(a, PIECE_AT_ONCE);
    uint32_t crc = 0;
    for (uint64_t at = 0; at < c->packed_bytes; at += part_of(c, at)) {
        if (!fs_read_at(s->fd, c->offset + at, p, part_of(c, at)))
            return false;
        crc = libdeflate_crc32(crc, p, part_of(c, at));
    }
    return crc == sum->crc;
}

/* The content of `fd`, which has `size` bytes and is what `name` says for messages. -1 without an
 * error: it changes. */
static int put_large(struct content_store *s, int fd, uint64_t size, struct str name,
                     struct content **ret, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct large_sum sum;
    struct large_piece piece;
    bool first;
    int error = large_sum(fd, size, &sum);
    if (error && error != EAGAIN)
        return err_sys(err, error, "cannot read '%.*s'", STR_ARG(name));
    if (error)
        return -1;
    struct content *c = *ret = claim(s, sum.digest, &first);
    if (!first)
        return 0;
    cleanup_fd int temporary = fs_temporary(a, err);
    if (temporary < 0)
        return -1;
    error = large_piece(fd, size, &sum, temporary, &piece);
    if (error)
        return error == EAGAIN ? -1 : no_room(s, error, err);
    *c = (struct content){.offset = take_room(s, piece.bytes),
                          .packed_bytes = piece.bytes,
                          .size_bytes = size,
                          .crc = sum.crc,
                          .packed_crc = piece.crc,
                          .machine = sum.machine,
                          .deflated = piece.deflated};
    memcpy(c->digest, sum.digest, SHA256_BYTES);
    if ((error = copy_range(piece.fd, s->fd, 0, piece.bytes, c->offset)))
        return no_room(s, error, err);
    return piece.deflated || is_copied(s, c, &sum) ? 0 : -1;
}

static int add_large(struct content_store *s, struct reading *r, struct err *err)
{
    struct stat before, after;
    const struct file *f = r->file;
    cleanup_fd int fd = file_open(s->dir, f, &before, err);
    if (fd < 0)
        return -1;
    uint64_t size = (uint64_t)before.st_size;
    if (size > FILE_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "cannot package '%.*s': larger than %zu bytes",
                       STR_ARG(f->path), FILE_BYTES_MAX);
    if (put_large(s, fd, size, f->path, &r->content, err) < 0)
        return err->kind ? -1 : file_say_changes(f, err);
    r->stamp = stamp_of(&before);
    struct stamp now = fstat(fd, &after) < 0 ? (struct stamp){0} : stamp_of(&after);
    return memcmp(&now, &r->stamp, sizeof now) == 0 ? 0 : file_say_changes(f, err);
}

static int add_file(struct content_store *s, struct reading *r, struct worker *w, struct err *err)
{
    if (r->file->stamp.size > LARGE_BYTES)
        return add_large(s, r, err);
    if (file_read(s->dir, r->file, &w->raw, &r->stamp, err) < 0)
        return -1;
    return add_content(s, (struct str){w->raw.p, r->stamp.size}, w, &r->content, err);
}

int content_store_put_file(struct content_store *s, int fd, uint64_t size, struct str name,
                           const struct content **ret, struct err *err)
{
    struct content *c = NULL;
    pthread_mutex_lock(&s->lock);
    int done = begin_pieces(s, err);
    pthread_mutex_unlock(&s->lock);
    if (done == 0)
        done = put_large(s, fd, size, name, &c, err);
    *ret = c;
    return done == 0 || err->kind
               ? done
               : err_set(err, ERR_FAILED, "cannot read '%.*s' again", STR_ARG(name));
}

int content_store_put(struct content_store *s, struct str raw, const struct content **ret,
                      struct err *err)
{
    cleanup_worker struct worker w = {0};
    struct content *c = NULL;
    take_memory(s, 3 * raw.n);
    pthread_mutex_lock(&s->lock);
    int done = begin_pieces(s, err);
    pthread_mutex_unlock(&s->lock);
    if (done == 0)
        done = add_content(s, raw, &w, &c, err);
    if (done == 0)
        done = write_held(s, &w, err);
    give_memory(s, 3 * raw.n);
    *ret = c;
    return done;
}

static int add_batch(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    struct content_store *s = context;
    struct batch batch = s->batches.p[index];
    struct worker *w = take_worker(s);
    int status = 0;
    uint64_t largest = 0;
    for (size_t i = 0; i < batch.count; i++) {
        uint64_t size = s->unread.p[batch.first + i]->file->stamp.size;
        if (size <= LARGE_BYTES && size > largest)
            largest = size;
    }
    take_memory(s, 2 * largest);
    for (size_t i = 0; i < batch.count && status == 0; i++)
        status = add_file(s, s->unread.p[batch.first + i], w, err);
    if (status == 0)
        status = write_held(s, w, err);
    give_worker(s, w);
    give_memory(s, 2 * largest);
    return status;
}

/* What there is to be read for `f`. */
static struct reading *reading_of(struct content_store *s, struct file *f)
{
    struct str inode = {(char *)&f->stamp, offsetof(struct stamp, size)};
    struct reading *r = map_get(&s->by_inode, inode);
    if (r && memcmp(&r->file->stamp, &f->stamp, sizeof f->stamp) == 0)
        return r;
    r = ARENA_NEW(s->arena, struct reading);
    *r = (struct reading){.file = f, .stamp = f->stamp};
    map_put(&s->by_inode, inode, r);
    vec_push(s->arena, &s->readings, r);
    const struct cached_file *known = cache_find(&s->old, &f->stamp);
    if (known)
        r->content = &s->old.contents[known->content];
    else
        vec_push(s->arena, &s->unread, r);
    return r;
}

static void make_batches(struct content_store *s)
{
    s->batches.n = 0;
    for (size_t from = 0; from < s->unread.n;) {
        struct batch b = {.first = from};
        uint64_t bytes = 0;
        while (from < s->unread.n && b.count < BATCH_FILES && bytes < BATCH_BYTES) {
            bytes += s->unread.p[from++]->file->stamp.size;
            b.count++;
        }
        vec_push(s->arena, &s->batches, b);
    }
}

/* Read what has to be read. A file that is the same as one of an earlier run under another stamp
 * need not be compressed. */
static int read_all(struct content_store *s, unsigned jobs, struct err *err)
{
    if (s->dir < 0)
        return err_sys(err, ENOENT, "cannot read '%.*s'", STR_ARG(s->dir_path));
    if (begin_pieces(s, err) < 0)
        return -1;
    for (size_t i = 0; !s->by_content.n && i < s->old.content_count; i++) {
        struct content *c = &s->old.contents[i];
        map_put(&s->by_content, (struct str){(char *)c->digest, SHA256_BYTES}, c);
    }
    make_batches(s);
    s->is_new = true;
    int done = pool_run(s->batches.n, jobs, add_batch, s, err);
    free_workers(s);
    return done;
}

int content_store_add(struct content_store *s, const struct file_list *lists, size_t n,
                      unsigned jobs, struct err *err)
{
    struct waiting {
        struct file *file;
        struct reading *reading;
    };
    VEC(struct waiting) waiting = {0};
    s->unread.n = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < lists[i].count; k++) {
            struct file *f = lists[i].files[k];
            if (f->content)
                continue;
            struct reading *r = reading_of(s, f);
            f->content = r->content;
            if (!f->content)
                vec_push(s->arena, &waiting, (struct waiting){f, r});
        }
    if (s->unread.n && read_all(s, jobs, err) < 0)
        return -1;
    vec_each (&waiting, w)
        w->file->content = w->reading->content;
    return 0;
}

/* ---- pieces for zips ---- */

/* The part of the pieces at `at`, with what is behind it: at most as much as the window has. */
static struct str look(const struct content_store *s, struct content_window *w, uint64_t at,
                       size_t n)
{
    if (at < w->at || at + n > w->at + w->n) {
        uint64_t rest = at < s->end ? s->end - at : 0;
        w->at = at;
        w->n = rest < sizeof w->p ? (size_t)rest : sizeof w->p;
        if (n > w->n || !fs_read_at(s->fd, at, w->p, w->n))
            w->n = 0;
    }
    return w->n ? (struct str){w->p + (at - w->at), n} : (struct str){NULL, 0};
}

/* Is the piece as it was written? */
static bool is_sound(const struct content_store *s, const struct content *c,
                     struct content_window *w)
{
    uint32_t crc = 0;
    for (uint64_t at = 0; at < c->packed_bytes; at += part_of(c, at)) {
        struct str part = look(s, w, c->offset + at, part_of(c, at));
        if (!part.p)
            return false;
        crc = libdeflate_crc32(crc, part.p, part.n);
    }
    return crc == c->packed_crc;
}

static int say_was_changed(const struct file *f, struct err *err)
{
    err_set(err, ERR_FAILED, "'%.*s' was changed while it was being packaged", STR_ARG(f->path));
    return err_help(err, "run the command again");
}

static int make_large_again(struct content_store *s, const struct file *f, zip_sink *sink,
                            void *context, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const struct content *c = f->content;
    struct large_sum sum;
    struct large_piece piece;
    struct stat st;
    cleanup_fd int fd = file_open(s->dir, f, &st, err);
    cleanup_fd int temporary = fd < 0 ? -1 : fs_temporary(a, err);
    if (temporary < 0)
        return -1;
    if (large_sum(fd, c->size_bytes, &sum) || memcmp(sum.digest, c->digest, SHA256_BYTES) != 0 ||
        large_piece(fd, c->size_bytes, &sum, temporary, &piece) || piece.crc != c->packed_crc ||
        piece.bytes != c->packed_bytes)
        return say_was_changed(f, err);
    char *p = arena_alloc(a, PIECE_AT_ONCE);
    for (uint64_t at = 0; at < piece.bytes;) {
        size_t n = part_of(c, at);
        if (!fs_read_at(piece.fd, at, p, n))
            return say_was_changed(f, err);
        if (sink(context, (struct str){p, n}, err) < 0)
            return -1;
        at += n;
    }
    return 0;
}

/* The cache's file is damaged: make the piece from the file again, and let the next run make all
 * anew. */
static int make_again(struct content_store *s, const struct file *f, zip_sink *sink, void *context,
                      struct err *err)
{
    cleanup_worker struct worker w = {0};
    struct stamp stamp;
    unsigned char digest[SHA256_BYTES];
    pthread_mutex_lock(&s->lock);
    s->damaged = true;
    pthread_mutex_unlock(&s->lock);
    if (s->path.n)
        unlink(s->path.p);
    if (f->content->size_bytes > LARGE_BYTES)
        return make_large_again(s, f, sink, context, err);
    if (file_read(s->dir, f, &w.raw, &stamp, err) < 0)
        return -1;
    struct str raw = {w.raw.p, stamp.size};
    sha256(raw, digest);
    struct str piece = f->content->deflated ? pack(&w, raw) : raw;
    if (memcmp(digest, f->content->digest, SHA256_BYTES) != 0 ||
        piece.n != f->content->packed_bytes)
        return say_was_changed(f, err);
    return sink(context, piece, err);
}

int content_read(struct content_store *s, const struct file *f, struct content_window *w,
                 zip_sink *sink, void *context, struct err *err)
{
    const struct content *c = f->content;
    if (!is_sound(s, c, w))
        return make_again(s, f, sink, context, err);
    for (uint64_t at = 0; at < c->packed_bytes; at += part_of(c, at)) {
        struct str part = look(s, w, c->offset + at, part_of(c, at));
        if (!part.p)
            return err_set(err, ERR_FAILED, "cannot read '%.*s' again", STR_ARG(f->path));
        if (sink(context, part, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- what is kept ---- */

bool content_store_zip(struct content_store *s, const unsigned char key[SHA256_BYTES],
                       uint64_t *ret_bytes, unsigned char sha256[SHA256_BYTES])
{
    pthread_mutex_lock(&s->lock);
    struct cached_zip *zip = map_get(&s->zips, (struct str){(const char *)key, SHA256_BYTES});
    if (zip) {
        zip->used = true;
        *ret_bytes = zip->bytes;
        memcpy(sha256, zip->sha256, SHA256_BYTES);
    }
    pthread_mutex_unlock(&s->lock);
    return zip != NULL;
}

void content_store_put_zip(struct content_store *s, const unsigned char key[SHA256_BYTES],
                           uint64_t bytes, const unsigned char sha256[SHA256_BYTES])
{
    pthread_mutex_lock(&s->lock);
    struct cached_zip *zip = ARENA_NEW(s->arena, struct cached_zip);
    *zip = (struct cached_zip){.bytes = bytes, .used = true};
    memcpy(zip->key, key, SHA256_BYTES);
    memcpy(zip->sha256, sha256, SHA256_BYTES);
    map_put(&s->zips, (struct str){(char *)zip->key, SHA256_BYTES}, zip);
    s->is_new = true;
    pthread_mutex_unlock(&s->lock);
}

/* Number the contents that this run used. */
static void index_contents(const struct content_store *s, struct cache_index *index)
{
    index->contents = ARENA_ARRAY(s->arena, s->readings.n, struct content);
    vec_each (&s->readings, r)
        (*r)->content->index = 0;
    vec_each (&s->readings, r) {
        struct content *c = (*r)->content;
        if (c->index)
            continue;
        c->index = (uint32_t)++index->content_count;
        index->contents[c->index - 1] = *c;
    }
}

static struct cache_index index_of(const struct content_store *s)
{
    struct cache_index index = {.piece_bytes = s->end};
    index_contents(s, &index);
    index.files = ARENA_ARRAY(s->arena, s->readings.n, struct cached_file);
    vec_each (&s->readings, r)
        if (cache_trusts(&(*r)->stamp, s->clock_ns))
            index.files[index.file_count++] =
                (struct cached_file){(*r)->stamp, (*r)->content->index - 1};
    index.zips = ARENA_ARRAY(s->arena, s->zips.n, struct cached_zip);
    for (size_t i = 0; i < s->zips.n; i++) {
        const struct cached_zip *zip = s->zips.entries[i].value;
        if (zip->used)
            index.zips[index.zip_count++] = *zip;
    }
    return index;
}

/* Copy only what is used into a file of its own. This run goes on with the file that it has. */
static void compact(const struct content_store *s, struct cache_index *index)
{
    cleanup_err struct err ignored = {0};
    struct content_store other = {.arena = s->arena, .path = s->path, .fd = -1};
    int error = begin_pieces(&other, &ignored) < 0 || !other.path.n;
    for (size_t i = 0; i < index->content_count && !error; i++) {
        struct content *c = &index->contents[i];
        error = copy_range(s->fd, other.fd, c->offset, c->packed_bytes, other.end);
        c->offset = other.end;
        other.end += c->packed_bytes;
    }
    index->piece_bytes = other.end;
    if (!error)
        cache_commit(other.fd, other.temporary, s->path, index);
    else if (other.temporary.n)
        unlink(other.temporary.p);
    fd_cleanup(&other.fd);
    unlink(s->temporary.p);
}

void content_store_keep(struct content_store *s)
{
    cleanup_err struct err ignored = {0};
    if (!s->path.n || !s->is_new || s->damaged || begin_pieces(s, &ignored) < 0 || !s->path.n)
        return;
    struct cache_index index = index_of(s);
    uint64_t used = 0;
    for (size_t i = 0; i < index.content_count; i++)
        used += index.contents[i].packed_bytes;
    if (used >= s->end / 2)
        cache_commit(s->fd, s->temporary, s->path, &index);
    else
        compact(s, &index);
}
