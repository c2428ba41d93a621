/* Zips that are files of zips. */
#include "pack/pack_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"

static int write_piece(void *context, struct str bytes, struct err *err)
{
    return fs_write_fd(*(const int *)context, bytes, STR("zip"), err);
}

static int make(struct content_store *store, struct file_list *list, struct str path,
                struct err *err)
{
    cleanup_fd int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_sys(err, errno, "cannot write '%s'", path.p);
    return content_store_add(store, list, 1, 1, err) < 0
               ? -1
               : zip_make(store, list, write_piece, &fd, err);
}

int pack_zip(struct arena *a, const struct pack_files *files, struct str path, struct err *err)
{
    struct file_list list;
    if (files_given(a, files, &list, err) < 0)
        return -1;
    struct content_store *store = content_store_new(a, STR("/"), STR(""), false);
    int done = make(store, &list, path, err);
    content_store_drop(store);
    return done;
}
