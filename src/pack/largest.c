/* What makes a zip large. */
#include "pack/pack_internal.h"

#include "base/buf.h"
#include "base/vec.h"

static double megabytes(uint64_t bytes)
{
    return (double)bytes / 1024 / 1024;
}

/* Something at the top of a zip, or a package of node_modules. */
struct share {
    struct str name;
    uint64_t bytes;
};

static int by_bytes(const void *x, const void *y)
{
    const struct share *s = x, *t = y;
    if (s->bytes != t->bytes)
        return s->bytes < t->bytes ? 1 : -1;
    return str_cmp(s->name, t->name);
}

/* What a file counts for: "src", "node_modules/sharp", "python/lib/x.so". */
static struct str share_of(struct str name)
{
    struct str modules = STR("node_modules/");
    size_t from = str_starts(name, modules) ? modules.n : 0;
    if (from && name.p[from] == '@') {
        ptrdiff_t scope = str_find_char(name, '/', from);
        from = scope < 0 ? from : (size_t)scope + 1;
    }
    ptrdiff_t slash = str_find_char(name, '/', from);
    return slash < 0 ? name : str_sub(name, 0, (size_t)slash);
}

struct str largest_in(struct arena *a, const struct file_list *list)
{
    enum { SHOWN = 10 };
    struct map by_name = MAP(a);
    VEC(struct share) shares = {0};
    for (size_t i = 0; i < list->count; i++) {
        struct str name = share_of(list->files[i]->name);
        size_t *index = map_get(&by_name, name);
        if (!index) {
            index = ARENA_NEW(a, size_t);
            *index = shares.n;
            map_put(&by_name, name, index);
            vec_push(a, &shares, (struct share){name, 0});
        }
        shares.p[*index].bytes += list->files[i]->stamp.size;
    }
    if (shares.n)
        qsort(shares.p, shares.n, sizeof *shares.p, by_bytes);
    struct buf b = BUF(a);
    for (size_t i = 0; i < shares.n && i < SHOWN; i++)
        buf_fmt(&b, "%s%.*s %.1f MB", i ? ", " : "", STR_ARG(shares.p[i].name),
                megabytes(shares.p[i].bytes));
    return buf_str(&b);
}

struct str artifact_largest(struct arena *a, const struct artifact *artifact)
{
    return artifact->source ? largest_in(a, &artifact->source->list) : (struct str){"", 0};
}
