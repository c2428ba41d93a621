/* Content of files: each file is read once, each distinct content is compressed once, however many
 * functions pack it. A pool of threads works on the files in batches.
 *
 * A cache of compressed contents that lasts from run to run, keyed by path, size, modification time
 * and inode, belongs into add_file: it would answer before the file is opened. */
#include "pack/content.h"

#include <libdeflate.h>
#include <pthread.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

/* level 6 of libdeflate packs better than the reference's zlib, several times as fast */
enum { LEVEL = 6, BATCH_FILES = 128, BATCH_BYTES = 2 * 1024 * 1024 };
/* Lambda's limit is far below; this keeps a stray file from filling the memory. */
static const size_t FILE_BYTES_MAX = (size_t)1 << 30;

struct pending {
    struct str path;
    uint64_t size_bytes;
    const struct content *content;
};

struct batch {
    size_t first, count;
};

struct content_store {
    struct arena *arena; /* guarded by `lock` while threads work */
    struct str dir;
    pthread_mutex_t lock;
    struct map by_path;    /* -> struct pending */
    struct map by_content; /* digest -> struct content */
    VEC(struct pending *) pending;
    VEC(struct batch) batches;
};

struct content_store *content_store_new(struct arena *a, struct str dir)
{
    struct content_store *s = ARENA_NEW(a, struct content_store);
    s->arena = a;
    s->dir = dir;
    s->by_path = s->by_content = MAP(a);
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void content_store_free(struct content_store **s)
{
    if (*s)
        pthread_mutex_destroy(&(*s)->lock);
}

const struct content *content_find(const struct content_store *s, struct str path)
{
    const struct pending *p = map_get(&s->by_path, path);
    return p->content;
}

/* The content with this digest. Tells whether the caller is the first to have it, and so has to
 * fill it in. Other threads may refer to it before it is filled: nobody reads it until all threads
 * are done. */
static struct content *claim(struct content_store *s, struct str digest, bool *ret_first)
{
    pthread_mutex_lock(&s->lock);
    struct content *c = map_get(&s->by_content, digest);
    *ret_first = !c;
    if (!c) {
        c = ARENA_NEW(s->arena, struct content);
        map_put(&s->by_content, str_dup(s->arena, digest), c);
    }
    pthread_mutex_unlock(&s->lock);
    return c;
}

static void fill(struct content_store *s, struct content *c, struct libdeflate_compressor *z,
                 struct str raw, struct arena *scratch)
{
    c->size_bytes = raw.n;
    c->crc = libdeflate_crc32(0, raw.p, raw.n);
    /* with one byte less than the content, compression fails when it gains nothing: then it is
     * stored */
    char *out = arena_alloc(scratch, raw.n);
    size_t n = raw.n > 1 ? libdeflate_deflate_compress(z, raw.p, raw.n, out, raw.n - 1) : 0;
    c->deflated = n > 0;
    struct str best = n ? (struct str){out, n} : raw;
    pthread_mutex_lock(&s->lock);
    c->packed = str_dup(s->arena, best);
    pthread_mutex_unlock(&s->lock);
}

static int add_file(struct content_store *s, struct pending *p, struct libdeflate_compressor *z,
                    struct err *err)
{
    cleanup_arena struct arena *scratch = arena_new();
    struct str raw, full = path_join(scratch, s->dir, p->path);
    if (fs_read(scratch, full, FILE_BYTES_MAX, &raw, err) < 0)
        return -1;
    unsigned char digest[SHA256_BYTES];
    sha256(raw, digest);
    bool first;
    struct content *c = claim(s, (struct str){(char *)digest, sizeof digest}, &first);
    if (first)
        fill(s, c, z, raw, scratch);
    p->content = c;
    return 0;
}

static void free_compressor(struct libdeflate_compressor **z)
{
    libdeflate_free_compressor(*z);
}

static int add_batch(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    struct content_store *s = context;
    struct batch batch = s->batches.p[index];
    __attribute__((cleanup(free_compressor))) struct libdeflate_compressor *z =
        libdeflate_alloc_compressor(LEVEL);
    if (!z)
        return err_set(err, ERR_FAILED, "out of memory");
    for (size_t i = 0; i < batch.count; i++)
        if (add_file(s, s->pending.p[batch.first + i], z, err) < 0)
            return -1;
    return 0;
}

static void collect(struct content_store *s, const struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct file *f = &list->files[i];
        if (map_has(&s->by_path, f->path))
            continue;
        struct pending *p = ARENA_NEW(s->arena, struct pending);
        *p = (struct pending){.path = f->path, .size_bytes = f->size_bytes};
        map_put(&s->by_path, f->path, p);
        vec_push(s->arena, &s->pending, p);
    }
}

static void make_batches(struct content_store *s, size_t from)
{
    while (from < s->pending.n) {
        struct batch b = {.first = from};
        uint64_t bytes = 0;
        while (from < s->pending.n && b.count < BATCH_FILES && bytes < BATCH_BYTES) {
            bytes += s->pending.p[from++]->size_bytes;
            b.count++;
        }
        vec_push(s->arena, &s->batches, b);
    }
}

int content_store_add(struct content_store *s, const struct file_list *lists, size_t n,
                      unsigned jobs, struct err *err)
{
    size_t from = s->pending.n;
    s->batches.n = 0;
    for (size_t i = 0; i < n; i++)
        collect(s, &lists[i]);
    make_batches(s, from);
    return pool_run(s->batches.n, jobs, add_batch, s, err);
}
