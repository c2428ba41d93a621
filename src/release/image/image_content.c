/* What an image is built from, as a tag. */
#include "release/image/image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"

enum { FILE_BYTES_MAX = 1 << 30, TAG_HASH_DIGITS = 16, DEPTH_MAX = 64 };

/* Folders that change without the image changing. */
static const char *const left_out[] = {".git", ".serverless"};

struct content {
    struct arena *arena;
    struct str dir; /* the build's context */
    const struct docker_ignore *ignore;
    struct buf lines;
};

/* Of a folder: with all that is in it. */
static bool is_left_out(const struct content *c, struct str path, struct str name, bool is_folder)
{
    if (docker_ignores(c->ignore, str_z(c->arena, path)) && !(is_folder && c->ignore->keeps))
        return true;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (str_eq(name, str_c(left_out[i])))
            return true;
    return false;
}

static int add_link(struct content *c, struct str path, const char *full, struct err *err)
{
    char to[4096];
    ssize_t n = readlink(full, to, sizeof to);
    if (n < 0)
        return err_sys(err, errno, "cannot read link '%s'", full);
    buf_fmt(&c->lines, "link %.*s -> %.*s\n", STR_ARG(path), (int)n, to);
    return 0;
}

static int add_file(struct content *c, struct str path, const char *full, const struct stat *st,
                    struct err *err)
{
    cleanup_arena struct arena *scratch = arena_new();
    struct str bytes;
    if (fs_read(scratch, str_c(full), FILE_BYTES_MAX, &bytes, err) < 0)
        return -1;
    buf_fmt(&c->lines, "%s %.*s %.*s\n", st->st_mode & S_IXUSR ? "program" : "file",
            STR_ARG(sha256_hex(scratch, bytes)), STR_ARG(path));
    return 0;
}

static int add_folder(struct content *c, struct str path, unsigned depth, struct err *err)
{
    struct str *names, full = path_join(c->arena, c->dir, path);
    size_t n;
    if (depth > DEPTH_MAX)
        return err_set(err, ERR_CONFIG, "folders are nested too deeply in '%.*s'", STR_ARG(full));
    if (fs_list(c->arena, full, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str child = path_join(c->arena, path, names[i]);
        const char *at = str_z(c->arena, path_join(c->arena, c->dir, child));
        struct stat st;
        if (lstat(at, &st) < 0)
            return err_sys(err, errno, "cannot read '%s'", at);
        if (is_left_out(c, child, names[i], S_ISDIR(st.st_mode)))
            continue;
        int done = S_ISLNK(st.st_mode)   ? add_link(c, child, at, err)
                   : S_ISDIR(st.st_mode) ? add_folder(c, child, depth + 1, err)
                   : S_ISREG(st.st_mode) ? add_file(c, child, at, &st, err)
                                         : 0;
        if (done < 0)
            return -1;
    }
    return 0;
}

int image_tag(struct arena *a, struct str dir, const struct compile_image *image, struct str *ret,
              struct err *err)
{
    cleanup_docker_ignore struct docker_ignore ignore = {.keeps = false};
    struct content c = {a, path_join(a, dir, image->path), &ignore, BUF(a)};
    struct str file = path_join(a, c.dir, image->file);
    struct stat st;
    if (!fs_is_file(file) || stat(str_z(a, file), &st) < 0) {
        err_at(err, image->pos, ERR_CONFIG, "image '%.*s' has no Dockerfile: there is no '%.*s'",
               STR_ARG(image->name), STR_ARG(path_join(a, image->path, image->file)));
        return err_help(err, "'path' is the folder that is built, 'file' the Dockerfile in it");
    }
    if (docker_ignore_read(a, c.dir, file, &ignore, err) < 0 ||
        add_file(&c, image->file, str_z(a, file), &st, err) < 0 ||
        add_folder(&c, STR(""), 0, err) < 0)
        return err_wrap(err, "image '%.*s'", STR_ARG(image->name));
    if (image->settings)
        buf_add(&c.lines, json_canonical(a, image->settings));
    *ret = str_fmt(a, "%.*s-%.*s", STR_ARG(image->name), TAG_HASH_DIGITS,
                   sha256_hex(a, buf_str(&c.lines)).p);
    return 0;
}

bool image_is_tag(struct str tag)
{
    size_t n = tag.n > TAG_HASH_DIGITS ? tag.n - TAG_HASH_DIGITS : 0;
    return n > 1 && tag.p[n - 1] == '-' &&
           strspn(str_sub(tag, n, TAG_HASH_DIGITS).p, "0123456789abcdef") >= TAG_HASH_DIGITS;
}
