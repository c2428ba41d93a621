/* Files and paths. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"

void fd_cleanup(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int read_fd(int fd, char *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = read(fd, p + got, n - got);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k < 0 ? errno : ESTALE; /* the file has become shorter */
        got += (size_t)k;
    }
    return 0;
}

const char *fs_type_name(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *name;
    } types[] = {{S_IFDIR, "a directory"},
                 {S_IFIFO, "a pipe"},
                 {S_IFSOCK, "a socket"},
                 {S_IFCHR, "a device"},
                 {S_IFBLK, "a device"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if ((mode & S_IFMT) == types[i].type)
            return types[i].name;
    return "something else";
}

int fs_read(struct arena *a, struct str path, size_t max_bytes, struct str *ret, struct err *err)
{
    const char *name = str_z(a, path);
    struct stat st;
    /* Opening a pipe would wait for its writer, opening a device may do something. */
    if (stat(name, &st) < 0)
        return err_sys(err, errno, "cannot read '%.*s'", STR_ARG(path));
    cleanup_fd int fd = -1;
    if (S_ISREG(st.st_mode)) {
        fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
            return err_sys(err, errno, "cannot read '%.*s'", STR_ARG(path));
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_FAILED, "cannot read '%.*s': it is %s, not a regular file",
                       STR_ARG(path), fs_type_name(st.st_mode));
    if ((uintmax_t)st.st_size > max_bytes)
        return err_set(err, ERR_FAILED, "cannot read '%.*s': larger than %zu bytes", STR_ARG(path),
                       max_bytes);
    size_t n = (size_t)st.st_size;
    char *p = arena_alloc(a, n + 1);
    int error = read_fd(fd, p, n);
    if (error)
        return err_sys(err, error, "cannot read '%.*s'", STR_ARG(path));
    *ret = (struct str){p, n};
    return 0;
}

static int write_fd(int fd, struct str s)
{
    while (s.n) {
        ssize_t k = write(fd, s.p, s.n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return errno;
        s = str_sub(s, (size_t)k, s.n);
    }
    return 0;
}

int fs_write_fd(int fd, struct str content, struct str name, struct err *err)
{
    int error = write_fd(fd, content);
    return error ? err_sys(err, error, "cannot write '%.*s'", STR_ARG(name)) : 0;
}

int fs_temporary(struct arena *a, struct err *err)
{
    const char *dir = getenv("TMPDIR");
    char *name = str_z(
        a, path_join(a, dir && dir[0] == '/' ? str_c(dir) : STR("/tmp"), STR("troupe.XXXXXX")));
    int fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot write '%s'", name);
    unlink(name);
    return fd;
}

int fs_input(struct str text, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    int fd = text.n ? fs_temporary(a, err) : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return text.n ? -1 : err_sys(err, errno, "cannot open '/dev/null'");
    if (fs_write_fd(fd, text, STR("a temporary file"), err) == 0) {
        lseek(fd, 0, SEEK_SET);
        return fd;
    }
    close(fd);
    return -1;
}

bool fs_read_at(int fd, uint64_t at, void *p, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = pread(fd, (char *)p + got, n - got, (off_t)(at + got));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return false;
        got += (size_t)k;
    }
    return true;
}

int fs_write(struct str path, struct str content, mode_t mode, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const char *target = str_z(a, path);
    char *temporary = str_z(a, str_fmt(a, "%s.XXXXXX", target));
    cleanup_fd int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, errno, "cannot write '%s'", target);
    int error = write_fd(fd, content);
    if (!error && (fchmod(fd, mode) < 0 || rename(temporary, target) < 0))
        error = errno;
    if (error) {
        unlink(temporary);
        return err_sys(err, error, "cannot write '%s'", target);
    }
    return 0;
}

static int make_dirs(struct str path, mode_t mode, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 1; i <= path.n; i++) {
        if (i < path.n && path.p[i] != '/')
            continue;
        const char *part = str_z(a, str_sub(path, 0, i));
        if (mkdir(part, mode) < 0 && errno != EEXIST)
            return err_sys(err, errno, "cannot create directory '%s'", part);
    }
    if (path.n && !fs_is_dir(path))
        return err_sys(err, ENOTDIR, "cannot create directory '%.*s'", STR_ARG(path));
    return 0;
}

int fs_mkdirs(struct str path, struct err *err)
{
    return make_dirs(path, 0777, err);
}

int fs_check_own(struct str path, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    if (stat(str_z(a, path), &st) < 0)
        return err_sys(err, errno, "cannot use directory '%.*s'", STR_ARG(path));
    if (st.st_uid != geteuid()) {
        err_set(err, ERR_FAILED, "directory '%.*s' belongs to user %lu, not to you (%lu)",
                STR_ARG(path), (unsigned long)st.st_uid, (unsigned long)geteuid());
        return err_help(err, "what is in it would be run; choose a directory of your own with "
                             "XDG_CACHE_HOME or TROUPE_LOCAL_DIR");
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        err_set(err, ERR_FAILED, "others may write to directory '%.*s'", STR_ARG(path));
        return err_help(err,
                        "what is in it would be run; if nobody has changed it: chmod go-w '%.*s'",
                        STR_ARG(path));
    }
    return 0;
}

int fs_mkdirs_own(struct str path, struct err *err)
{
    return make_dirs(path, 0700, err) < 0 ? -1 : fs_check_own(path, err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

int fs_remove_all(struct str path, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    const char *z = str_z(a, path);
    if (nftw(z, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        return err_sys(err, errno, "cannot remove '%s'", z);
    return 0;
}

static bool stat_is(struct str path, mode_t type)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    return stat(str_z(a, path), &st) == 0 && (!type || (st.st_mode & S_IFMT) == type);
}

bool fs_exists(struct str path)
{
    return stat_is(path, 0);
}

bool fs_is_dir(struct str path)
{
    return stat_is(path, S_IFDIR);
}

bool fs_is_file(struct str path)
{
    return stat_is(path, S_IFREG);
}

static int by_name(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void dir_cleanup(DIR **d)
{
    if (*d)
        closedir(*d);
}

int fs_list(struct arena *a, struct str path, struct str **ret, size_t *ret_n, struct err *err)
{
    __attribute__((cleanup(dir_cleanup))) DIR *d = opendir(str_z(a, path));
    if (!d)
        return err_sys(err, errno, "cannot list '%.*s'", STR_ARG(path));
    VEC(struct str) names = {0};
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            vec_push(a, &names, str_dup(a, str_c(e->d_name)));
    if (names.n)
        qsort(names.p, names.n, sizeof *names.p, by_name);
    *ret = names.p;
    *ret_n = names.n;
    return 0;
}

struct str path_join(struct arena *a, struct str dir, struct str name)
{
    if (!dir.n || (name.n && name.p[0] == '/'))
        return str_dup(a, name);
    const char *slash = dir.p[dir.n - 1] == '/' ? "" : "/";
    return str_fmt(a, "%.*s%s%.*s", STR_ARG(dir), slash, STR_ARG(name));
}

struct str path_dir(struct arena *a, struct str path)
{
    ptrdiff_t at = str_rfind_char(path, '/');
    if (at < 0)
        return STR(".");
    return str_dup(a, str_sub(path, 0, at ? (size_t)at : 1));
}

struct str path_base(struct str path)
{
    ptrdiff_t at = str_rfind_char(path, '/');
    return at < 0 ? path : str_sub(path, (size_t)at + 1, path.n);
}

struct str path_clean(struct arena *a, struct str path)
{
    bool absolute = path.n && path.p[0] == '/';
    VEC(struct str) parts = {0};
    struct str rest = path, part;
    while (str_cut(&rest, '/', &part)) {
        if (!part.n || str_eq(part, STR(".")))
            continue;
        bool up = str_eq(part, STR(".."));
        if (up && parts.n && !str_eq(parts.p[parts.n - 1], STR("..")))
            parts.n--;
        else if (!up || !absolute)
            vec_push(a, &parts, part);
    }
    struct buf b = BUF(a);
    if (absolute)
        buf_char(&b, '/');
    vec_each (&parts, p) {
        if (p != parts.p)
            buf_char(&b, '/');
        buf_add(&b, *p);
    }
    return b.n ? buf_str(&b) : STR(".");
}

struct str path_absolute(struct arena *a, struct str path)
{
    if (path.n && path.p[0] == '/')
        return path_clean(a, path);
    char *cwd = getcwd(NULL, 0);
    struct str s = path_clean(a, cwd ? path_join(a, str_c(cwd), path) : path);
    free(cwd);
    return s;
}

/* $HOME, or the home that the user database has. A user without either gets a path that cannot be
 * made. */
static struct str home_dir(struct arena *a)
{
    enum { ENTRY_BYTES = 16384 };
    const char *home = getenv("HOME");
    struct passwd entry, *found = NULL;
    if (home && home[0] == '/')
        return str_c(home);
    int error = getpwuid_r(geteuid(), &entry, arena_alloc(a, ENTRY_BYTES), ENTRY_BYTES, &found);
    return !error && found && found->pw_dir[0] == '/' ? str_c(found->pw_dir) : STR("/nonexistent");
}

struct str path_cache(struct arena *a)
{
    const char *xdg = getenv("XDG_CACHE_HOME");
    if (xdg && xdg[0] == '/')
        return path_join(a, str_c(xdg), STR("troupe"));
    return path_join(a, home_dir(a), STR(".cache/troupe"));
}

int path_cache_own(struct arena *a, struct str name, struct str *ret, struct err *err)
{
    struct str top = path_cache(a);
    *ret = path_join(a, top, name);
    return fs_mkdirs_own(top, err) < 0 ? -1 : fs_mkdirs_own(*ret, err);
}
