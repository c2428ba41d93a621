/* The bytes of artifacts: they are on no disk until somebody wants them. */
#include "pack/given.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"

/* Passes pieces on and hashes them on the way. */
struct checked {
    struct digest *digest;
    zip_sink *sink;
    void *context;
};

static int pass_checked(void *context, struct str bytes, struct err *err)
{
    struct checked *c = context;
    digest_add(c->digest, bytes);
    return c->sink(c->context, bytes, err);
}

static int pass_given(const struct artifact *artifact, struct checked *c, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    cleanup_fd int fd = given_open(a, artifact->path, &st, err);
    if (fd < 0)
        return -1;
    if (!artifact->source->again)
        return given_read(fd, pass_checked, c, err);
    struct content_store *store = content_store_new(a, STR("/"), STR(""), false);
    struct file_list list;
    int done = given_load(a, store, fd, (uint64_t)st.st_size, &list, err);
    if (done == 0)
        done = zip_make(store, &list, pass_checked, c, err);
    content_store_drop(store);
    return done;
}

int artifact_read(const struct artifact *artifact, zip_sink *sink, void *context, struct err *err)
{
    const struct artifact_source *from = artifact->source;
    if (from->store) /* each piece has its own checksum */
        return zip_make(from->store, &from->list, sink, context, err);
    struct checked c = {sha256_begin(), sink, context};
    unsigned char sha256[SHA256_BYTES];
    int done = pass_given(artifact, &c, err);
    digest_end(c.digest, sha256);
    cleanup_arena struct arena *a = arena_new();
    if (done < 0 || str_eq(hex_encode(a, sha256, SHA256_BYTES), artifact->sha256_hex))
        return done;
    err_set(err, ERR_FAILED, "'%.*s' was changed while it was being packaged",
            STR_ARG(artifact->name));
    return err_help(err, "run the command again");
}

static int map_piece(void *context, struct str bytes, struct err *err)
{
    return fs_write_fd(*(int *)context, bytes, STR("a temporary file"), err);
}

int artifact_map(const struct artifact *artifact, struct str *ret, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    *ret = (struct str){"", 0};
    cleanup_fd int fd = fs_temporary(a, err);
    if (fd < 0 || artifact_read(artifact, map_piece, &fd, err) < 0)
        return -1;
    void *p = mmap(NULL, artifact->zip_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(err, errno, "cannot map '%.*s'", STR_ARG(artifact->name));
    *ret = (struct str){p, artifact->zip_bytes};
    return 0;
}

void artifact_unmap(struct str *mapped)
{
    if (mapped->n)
        munmap((void *)(uintptr_t)mapped->p, mapped->n);
    *mapped = (struct str){"", 0};
}

void artifact_let_go(struct str part)
{
    if (part.n)
        madvise((void *)(uintptr_t)part.p, part.n, MADV_DONTNEED); /* else it stays: no harm */
}
