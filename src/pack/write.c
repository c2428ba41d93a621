/* Zips for `troupe package`, written into a directory. */
#include "pack/known_zips.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/pool.h"

/* A zip that is to be written. */
struct writing {
    const struct artifact *artifact;
    struct str target;
    char *temporary;             /* beside it; NULL: none yet */
    const struct writing *other; /* an earlier one with the same bytes, or NULL */
    struct stamp stamp;
};

struct writings {
    struct writing *all;
    size_t count;
};

static int same_name(const struct artifact *made, struct err *err)
{
    err_set(err, ERR_CONFIG,
            "two zips would be called '%.*s': one of a layer, the other of the "
            "code",
            STR_ARG(made->name));
    return err_help(err, "give the layer another key, and its present one as 'name'");
}

static bool is_there(const struct known_zips *known, const struct artifact *made, struct str target)
{
    struct stat st;
    unsigned char sha256[SHA256_BYTES];
    if (lstat(target.p, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    struct stamp stamp = stamp_of(&st);
    const struct known_zip *zip = known_zips_find(known, &stamp, false);
    cleanup_arena struct arena *a = arena_new();
    if (!zip)
        return false;
    memcpy(sha256, zip->sha256, SHA256_BYTES);
    return str_eq(hex_encode(a, sha256, SHA256_BYTES), made->sha256_hex);
}

/* Find what is to be written, each name once. */
static int plan(struct arena *a, const struct packed *packed, bool given_too, struct str dir,
                const struct known_zips *known, struct writings *ret, struct err *err)
{
    struct map names = MAP(a), hashes = MAP(a);
    ret->all = ARENA_ARRAY(a, packed->artifact_count, struct writing);
    for (size_t i = 0; i < packed->artifact_count; i++) {
        const struct artifact *made = &packed->artifacts[i];
        if (made->path.n && !given_too)
            continue;
        if (map_has(&names, made->name))
            return same_name(made, err);
        map_put(&names, made->name, &names);
        struct str target = path_join(a, dir, made->name);
        if (is_there(known, made, target))
            continue;
        struct writing *w = &ret->all[ret->count++];
        *w = (struct writing){
            .artifact = made, .target = target, .other = map_get(&hashes, made->sha256_hex)};
        w->temporary = str_z(a, str_concat(a, target, STR(".XXXXXX")));
        if (!w->other)
            map_put(&hashes, made->sha256_hex, w);
    }
    return 0;
}

static int write_piece(void *context, struct str bytes, struct err *err)
{
    return fs_write_fd(*(int *)context, bytes, STR("the zip"), err);
}

static int copy_other(const struct writing *w, int fd, struct err *err)
{
    cleanup_fd int from = open(w->other->temporary, O_RDONLY | O_CLOEXEC);
    uint64_t n = w->artifact->zip_bytes;
    while (from >= 0 && n) {
        ssize_t k = copy_file_range(from, NULL, fd, NULL, n, 0);
        if (k <= 0) {
            if (lseek(fd, 0, SEEK_SET) < 0)
                return err_sys(err, errno, "cannot write '%.*s'", STR_ARG(w->target));
            return artifact_read(w->artifact, write_piece, &fd, err);
        }
        n -= (uint64_t)k;
    }
    return from < 0 ? err_sys(err, errno, "cannot read '%s'", w->other->temporary) : 0;
}

static int write_temporary(struct writing *w, struct err *err)
{
    char *name = w->temporary;
    cleanup_fd int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0) {
        w->temporary = NULL;
        return err_sys(err, errno, "cannot write '%.*s'", STR_ARG(w->target));
    }
    int done =
        w->other ? copy_other(w, fd, err) : artifact_read(w->artifact, write_piece, &fd, err);
    if (done < 0)
        return err_wrap(err, "write '%.*s'", STR_ARG(w->target));
    if (fchmod(fd, 0644) < 0)
        return err_sys(err, errno, "cannot write '%.*s'", STR_ARG(w->target));
    return 0;
}

static int write_first(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    struct writing *w = &((struct writings *)context)->all[index];
    return w->other ? 0 : write_temporary(w, err);
}

static int write_copy(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    struct writing *w = &((struct writings *)context)->all[index];
    return w->other ? write_temporary(w, err) : 0;
}

static int put_in_place(struct writings *ws, struct err *err)
{
    for (size_t i = 0; i < ws->count; i++) {
        struct writing *w = &ws->all[i];
        struct stat st;
        if (rename(w->temporary, w->target.p) < 0)
            return err_sys(err, errno, "cannot write '%.*s'", STR_ARG(w->target));
        w->temporary = NULL;
        w->stamp = stat(w->target.p, &st) < 0 ? (struct stamp){0} : stamp_of(&st);
    }
    return 0;
}

static void remember(struct known_zips *known, const struct writings *ws)
{
    for (size_t i = 0; i < ws->count; i++) {
        const struct artifact *made = ws->all[i].artifact;
        struct known_zip zip = {.stamp = ws->all[i].stamp, .zip_bytes = made->zip_bytes};
        struct str digest = {0};
        cleanup_arena struct arena *a = arena_new();
        if (!base64_decode(a, made->sha256_base64, &digest) || digest.n != SHA256_BYTES)
            continue;
        memcpy(zip.sha256, digest.p, SHA256_BYTES);
        known_zips_put(known, &zip, true);
    }
    known_zips_keep(known);
}

int pack_write(struct arena *a, const struct service *service, const struct pack_options *options,
               const struct packed *packed, struct str dir, struct err *err)
{
    struct writings ws = {0};
    bool of_a_package = service->artifact_dir.n > 0;
    struct known_zips known = known_zips_open(a, service, options->no_cache);
    if (fs_mkdirs(dir, err) < 0 || plan(a, packed, of_a_package, dir, &known, &ws, err) < 0)
        return -1;
    int done = pool_run(ws.count, options->jobs, write_first, &ws, err);
    if (done == 0)
        done = pool_run(ws.count, options->jobs, write_copy, &ws, err);
    if (done == 0)
        done = put_in_place(&ws, err);
    for (size_t i = 0; i < ws.count; i++)
        if (ws.all[i].temporary)
            unlink(ws.all[i].temporary);
    if (done == 0)
        remember(&known, &ws);
    return done;
}
