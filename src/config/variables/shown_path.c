/* How files are named in messages. */
#include "config/variables/variables.h"

#include "base/fs.h"

struct str file_shown(struct resolver *r, struct str path)
{
    struct buf b = BUF(r->arena);
    struct str dir = r->dir;
    while (dir.n > 1 && !(str_starts(path, dir) && path.n > dir.n && path.p[dir.n] == '/')) {
        buf_lit(&b, "../");
        dir = path_dir(r->arena, dir);
    }
    if (dir.n <= 1 && b.n)
        return path; /* nothing in common: the whole path says more */
    buf_add(&b, str_sub(path, dir.n + (dir.n > 1), path.n));
    return buf_str(&b);
}
