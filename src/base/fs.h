/* Files: reading, writing whole, paths. Paths are NUL-terminated C strings or str; results live in
 * the given arena. Any thread. */
#ifndef TROUPE_FS_H
#define TROUPE_FS_H

#include <sys/stat.h>

#include "base/err.h"

/* Whole content of a regular file of at most `max_bytes`. ERR_NOT_FOUND when missing; a directory,
 * a pipe, a device or a larger file is an error, and never waited for. */
int fs_read(struct arena *a, struct str path, size_t max_bytes, struct str *ret, struct err *err);
/* "a directory", "a pipe", …: what a file is that is no regular one. */
const char *fs_type_name(mode_t mode);
/* Write all of `content` to `fd`; `name` is for the message. */
int fs_write_fd(int fd, struct str content, struct str name, struct err *err);
/* A file without a name in $TMPDIR or /tmp, which is gone when it is closed. */
int fs_temporary(struct arena *a, struct err *err);
/* A descriptor from which another program reads `text`: of such a file, so that nobody waits until
 * it has been read, as with a full pipe; of /dev/null for an empty text. */
int fs_input(struct str text, struct err *err);
/* Read `n` bytes at `at`. Any thread. False: there are not so many, or they cannot be read. */
bool fs_read_at(int fd, uint64_t at, void *p, size_t n);
/* Replace `path` by a file with this content and mode, through a temporary file and rename. */
int fs_write(struct str path, struct str content, mode_t mode, struct err *err);
/* Make a directory and its parents; existing ones are fine. */
int fs_mkdirs(struct str path, struct err *err);
/* The same for a directory whose content is trusted later: new directories are the caller's alone.
 * FAILED when `path` belongs to another user, or group or others may write to it. */
int fs_mkdirs_own(struct str path, struct err *err);
/* Check that nobody else may change what is in directory `path`, as fs_mkdirs_own does. */
int fs_check_own(struct str path, struct err *err);
/* Remove a file or a whole directory tree; missing is fine. Symbolic links are not followed. */
int fs_remove_all(struct str path, struct err *err);
bool fs_exists(struct str path);
bool fs_is_dir(struct str path);
bool fs_is_file(struct str path);
/* Names in a directory without "." and "..", sorted by bytes. `*ret_n` of them. */
int fs_list(struct arena *a, struct str path, struct str **ret, size_t *ret_n, struct err *err);

/* "a/b"; `b` alone when it is absolute or `a` is empty. */
struct str path_join(struct arena *a, struct str dir, struct str name);
/* "a/b" of "a/b/c"; "." without a slash. */
struct str path_dir(struct arena *a, struct str path);
/* "c" of "a/b/c". */
struct str path_base(struct str path);
/* The path without ".", "..", double and trailing slashes; ".." at the start stays. Purely
 * textual. */
struct str path_clean(struct arena *a, struct str path);
/* Absolute and clean, from the current directory. Links are not resolved. Relative where there is
 * no current directory, which is an error that main() finds. */
struct str path_absolute(struct arena *a, struct str path);
/* Per-user cache directory of troupe: $XDG_CACHE_HOME/troupe or ~/.cache/troupe. Whoever reads
 * from it makes sure by path_cache_own that it is the user's own. */
struct str path_cache(struct arena *a);
/* Directory `name` in it, made if needed, both as fs_mkdirs_own has them. */
int path_cache_own(struct arena *a, struct str name, struct str *ret, struct err *err);

void fd_cleanup(int *fd);
#define cleanup_fd __attribute__((cleanup(fd_cleanup)))

#endif
