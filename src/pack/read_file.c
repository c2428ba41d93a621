/* A file is read between two looks at what the system tells of it. */
#include "pack/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "pack/large.h"

enum { TRIES = 3, SPARE_UP_TO = 4 * 1024 * 1024 };

static void make_room(struct read_buffer *b, size_t n)
{
    if (n <= b->room)
        return;
    free(b->p);
    b->room = n < SPARE_UP_TO ? n + n / 2 : n;
    b->p = malloc(b->room);
    if (!b->p)
        die("out of memory");
}

int file_open(int dir, const struct file *f, struct stat *st, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    int fd = openat(dir, str_z(a, f->path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !S_ISREG(st->st_mode))
        return err_set(err, ERR_FAILED, "cannot read '%.*s': it is no regular file any more",
                       STR_ARG(f->path));
    err_sys(err, error, "cannot read '%.*s'", STR_ARG(f->path));
    err->kind = ERR_FAILED;
    if (error == ENOENT)
        return err_help(err, "it was there a moment ago: is a build or an installation running?");
    return err_help(err, "change its permissions, or leave it out with package patterns");
}

/* Read `n` bytes, and see that there are no more. False: the file has another size by now. */
static bool read_whole(int fd, char *p, size_t n, int *ret_error)
{
    size_t got = 0;
    *ret_error = 0;
    while (got < n) {
        ssize_t k = read(fd, p + got, n - got);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            *ret_error = errno;
        if (k <= 0)
            return false;
        got += (size_t)k;
    }
    return true;
}

static int read_once(int dir, const struct file *f, struct read_buffer *b, struct stamp *ret,
                     bool *ret_same, struct err *err)
{
    struct stat before, after;
    int error;
    cleanup_fd int fd = file_open(dir, f, &before, err);
    if (fd < 0)
        return -1;
    size_t n = (size_t)before.st_size;
    if (n > LARGE_BYTES) /* it was smaller a moment ago */
        return *ret_same = false, 0;
    make_room(b, n);
    *ret_same = read_whole(fd, b->p, n, &error);
    if (error)
        return err_sys(err, error, "cannot read '%.*s'", STR_ARG(f->path));
    if (fstat(fd, &after) < 0)
        return err_sys(err, errno, "cannot read '%.*s'", STR_ARG(f->path));
    *ret = stamp_of(&after);
    struct stamp first = stamp_of(&before);
    *ret_same = *ret_same && memcmp(ret, &first, sizeof first) == 0;
    return 0;
}

/* Read a file that is still as it was when the directory was read. False: look closer. */
static bool read_known(int dir, const struct file *f, struct read_buffer *b)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    int error;
    if (f->stamp.size > LARGE_BYTES)
        return false;
    cleanup_fd int fd =
        openat(dir, str_z(a, f->path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    make_room(b, f->stamp.size);
    if (fd < 0 || !read_whole(fd, b->p, f->stamp.size, &error) || fstat(fd, &st) < 0)
        return false;
    struct stamp now = stamp_of(&st);
    return memcmp(&now, &f->stamp, sizeof now) == 0;
}

int file_say_changes(const struct file *f, struct err *err)
{
    err_set(err, ERR_FAILED, "'%.*s' changes while it is being packaged", STR_ARG(f->path));
    return err_help(err, "wait for what writes it, or leave it out with package patterns");
}

int file_read(int dir, const struct file *f, struct read_buffer *b, struct stamp *ret,
              struct err *err)
{
    bool same = read_known(dir, f, b);
    if (same)
        *ret = f->stamp;
    for (int i = 0; i < TRIES && !same; i++)
        if (read_once(dir, f, b, ret, &same, err) < 0)
            return -1;
    return same ? 0 : file_say_changes(f, err);
}
