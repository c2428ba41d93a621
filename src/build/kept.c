/* What builders made, kept in the service's folder `.troupe`:
 *
 *   .troupe/build-XXXXXX           a builder writes here
 *   .troupe/build/<name>-XXXXXX    the same when it has ended well
 *   .troupe/build/<name>.json      which of these is taken while the inputs are as noted
 *
 * A run that is killed leaves a folder that no later one takes. Two runs at once build both; the
 * one that ends last is noted, and each has its own folder. */
#include "build/build_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"

enum {
    FORMAT = 1,
    NOTE_BYTES_MAX = 64 * 1024 * 1024,
    INPUT_BYTES_MAX = 1024 * 1024 * 1024,
    UNUSED_S = 15 * 60,        /* after which a folder that is not noted is removed */
    LEFT_S = 2 * 24 * 60 * 60, /* the same of one that a builder was writing into */
};

/* ---- inputs ---- */

/* Ignores what tools keep beside sources. */
static struct str dir_digest(struct arena *a, struct str path)
{
    struct str *names;
    size_t n;
    struct buf b = BUF(a);
    cleanup_err struct err none = {0};
    if (fs_list(a, path, &names, &n, &none) < 0)
        return STR("-");
    for (size_t i = 0; i < n; i++)
        if (names[i].p[0] != '.') {
            buf_add(&b, names[i]);
            buf_char(&b, 0);
        }
    return sha256_hex(a, buf_str(&b));
}

static struct str file_digest(struct arena *a, struct str path)
{
    cleanup_arena struct arena *scratch = arena_new();
    cleanup_err struct err none = {0};
    struct str text;
    if (fs_read(scratch, path, INPUT_BYTES_MAX, &text, &none) < 0)
        return STR("-");
    return sha256_hex(a, text);
}

typedef struct str digest_fn(struct arena *a, struct str path);

static const struct node *digests(struct arena *a, const struct build *b, const struct node *paths,
                                  digest_fn *digest)
{
    struct node *map = node_map(a);
    node_each (path, paths) {
        struct str text = node_text(path);
        struct str value = digest(a, path_join(a, b->service_dir, text));
        node_put(a, map, text, node_str(a, value));
    }
    return map;
}

static bool still(struct arena *a, const struct build *b, const struct node *noted,
                  digest_fn *digest)
{
    member_each (m, noted)
        if (!str_eq(node_text(m->value), digest(a, path_join(a, b->service_dir, m->key))))
            return false;
    return node_is(noted, NODE_MAP);
}

/* Has one of the files been written since the builder's folder was made? A builder may have read it
 * before or after that. */
static bool changed_since(struct arena *a, const struct build *b, const struct node *files,
                          const struct stat *made)
{
    node_each (path, files) {
        struct stat st;
        if (stat(path_join(a, b->service_dir, node_text(path)).p, &st) == 0 &&
            (st.st_ctim.tv_sec > made->st_ctim.tv_sec ||
             (st.st_ctim.tv_sec == made->st_ctim.tv_sec &&
              st.st_ctim.tv_nsec >= made->st_ctim.tv_nsec)))
            return true;
    }
    return false;
}

/* ---- notes ---- */

static struct str build_dir(struct arena *a, struct str service_dir)
{
    return path_join(a, service_dir, STR(".troupe/build"));
}

static struct str note_path(struct arena *a, const struct build *b)
{
    return path_join(a, build_dir(a, b->service_dir), str_concat(a, b->name, STR(".json")));
}

/* They may be secret. */
static struct str options_digest(struct arena *a, const struct build *b)
{
    return sha256_hex(a, json_canonical(a, b->options));
}

/* How many files a folder has, and bytes in them: whether somebody has changed it. Links count as
 * what they are. */
static void measure(struct arena *a, struct str folder, int64_t *files, int64_t *bytes)
{
    cleanup_err struct err none = {0};
    struct str *names;
    size_t n;
    if (fs_list(a, folder, &names, &n, &none) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct str path = path_join(a, folder, names[i]);
        if (lstat(path.p, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            measure(a, path, files, bytes);
        } else {
            *files += 1;
            *bytes += (int64_t)st.st_size;
        }
    }
}

bool kept_take(struct arena *a, struct build *b)
{
    cleanup_err struct err none = {0};
    struct str text;
    int64_t files = 0, bytes = 0;
    if (fs_read(a, note_path(a, b), NOTE_BYTES_MAX, &text, &none) < 0)
        return false;
    const struct node *note = json_parse(a, STR("note"), text, &none);
    struct str folder = node_text(node_get_c(note, "folder"));
    if (node_int_or(node_get_c(note, "format"), 0) != FORMAT || !folder.n ||
        str_find_char(folder, '/', 0) >= 0 ||
        !str_eq(node_text(node_get_c(note, "options")), options_digest(a, b)) ||
        !still(a, b, node_get_c(note, "inputs"), file_digest) ||
        !still(a, b, node_get_c(note, "dirs"), dir_digest))
        return false;
    folder = path_join(a, build_dir(a, b->service_dir), folder);
    measure(a, folder, &files, &bytes);
    if (files == 0 || files != node_int_or(node_get_c(note, "files"), -1) ||
        bytes != node_int_or(node_get_c(note, "bytes"), -1))
        return false;
    b->folder = folder;
    b->result = node_get_c(note, "result");
    return true;
}

static int write_note(struct arena *a, const struct build *b, const struct node *inputs,
                      const struct node *dirs, int64_t files, int64_t bytes, struct err *err)
{
    struct node *note = node_map(a);
    node_put_c(a, note, "format", node_int(a, FORMAT));
    node_put_str(a, note, "folder", path_base(b->folder));
    node_put_str(a, note, "options", options_digest(a, b));
    node_put_c(a, note, "files", node_int(a, files));
    node_put_c(a, note, "bytes", node_int(a, bytes));
    node_put_c(a, note, "inputs", inputs);
    node_put_c(a, note, "dirs", dirs);
    node_put_c(a, note, "result", b->result);
    return fs_write(note_path(a, b), json_text(a, note, 0), 0600, err);
}

/* ---- building ---- */

/* Move `place` to a name of its own among what is kept. */
static int keep(struct arena *a, struct build *b, struct str place, struct err *err)
{
    struct str random = str_sub(place, place.n - 6, 6);
    b->folder = path_join(a, build_dir(a, b->service_dir),
                          str_fmt(a, "%.*s-%.*s", STR_ARG(b->name), STR_ARG(random)));
    if (rename(place.p, b->folder.p) < 0)
        return err_sys(err, errno, "cannot keep what was built as '%s'", b->folder.p);
    return 0;
}

static int no_output(struct err *err)
{
    err_set(err, ERR_CONFIG, "it has ended well, and has written nothing");
    return err_help(err, "a builder writes into the folder that $TROUPE_BUILD_DIR names, or "
                         "'outputs' says where it writes");
}

static int build_in(struct arena *a, struct build *b, struct str place, struct err *err)
{
    struct build_inputs inputs = {0};
    struct stat made;
    int64_t files = 0, bytes = 0;
    if (stat(place.p, &made) < 0)
        return err_sys(err, errno, "cannot use '%s'", place.p);
    if (b->run(a, b, place, &inputs, &b->result, err) < 0)
        return -1;
    measure(a, place, &files, &bytes);
    if (!files)
        return no_output(err);
    const struct node *read = digests(a, b, inputs.files, file_digest);
    const struct node *dirs = digests(a, b, inputs.dirs, dir_digest);
    bool certain = inputs.files && (b->by_content || !changed_since(a, b, inputs.files, &made));
    if (keep(a, b, place, err) < 0)
        return -1;
    if (certain)
        return write_note(a, b, read, dirs, files, bytes, err);
    return fs_remove_all(note_path(a, b), err);
}

int kept_build(struct arena *a, struct build *b, struct err *err)
{
    char *place = str_z(a, path_join(a, b->service_dir, STR(".troupe/build-XXXXXX")));
    if (!mkdtemp(place))
        return err_sys(err, errno, "cannot make '%s'", place);
    chmod(place, 0755);
    if (build_in(a, b, str_c(place), err) == 0)
        return 0;
    cleanup_err struct err ignored = {0};
    fs_remove_all(str_c(place), &ignored);
    if (err->kind == ERR_CANCELLED)
        return err_wrap(err, "%.*s", STR_ARG(b->what));
    err_wrap(err, "the build of %.*s failed", STR_ARG(b->what));
    if (!err->pos.source)
        err->pos = b->pos;
    return -1;
}

/* Remove what is old and not noted. */
static void tidy(struct arena *a, struct str dir, const struct map *noted, struct str prefix,
                 int64_t unused_s)
{
    struct str *names;
    size_t n;
    cleanup_err struct err ignored = {0};
    if (fs_list(a, dir, &names, &n, &ignored) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct str path = path_join(a, dir, names[i]);
        cleanup_err struct err one = {0};
        if (str_starts(names[i], prefix) && !map_has(noted, names[i]) && lstat(path.p, &st) == 0 &&
            S_ISDIR(st.st_mode) && clock_wall_ms() / 1000 - st.st_ctim.tv_sec > unused_s)
            fs_remove_all(path, &one);
    }
}

static struct map noted_folders(struct arena *a, struct str dir)
{
    struct map noted = MAP(a);
    struct str *names, text;
    size_t n;
    cleanup_err struct err ignored = {0};
    if (fs_list(a, dir, &names, &n, &ignored) < 0)
        return noted;
    for (size_t i = 0; i < n; i++) {
        cleanup_err struct err one = {0};
        if (!str_ends(names[i], STR(".json")) ||
            fs_read(a, path_join(a, dir, names[i]), NOTE_BYTES_MAX, &text, &one) < 0)
            continue;
        struct str folder = node_text(node_get_c(json_parse(a, STR("note"), text, &one), "folder"));
        if (folder.n)
            map_put(&noted, folder, "");
    }
    return noted;
}

int kept_prepare(struct arena *a, struct str service_dir, struct err *err)
{
    struct str top = path_join(a, service_dir, STR(".troupe")), dir = build_dir(a, service_dir);
    struct str ignore = path_join(a, top, STR(".gitignore"));
    if (fs_mkdirs(dir, err) < 0)
        return -1;
    if (!fs_exists(ignore) && fs_write(ignore, STR("*\n"), 0644, err) < 0)
        return -1;
    struct map noted = noted_folders(a, dir), none = MAP(a);
    tidy(a, dir, &noted, STR(""), UNUSED_S);
    tidy(a, top, &none, STR("build-"), LEFT_S);
    return 0;
}
