/* What builds add to zips whose files `package:` selects. */
#include "pack/pack_internal.h"

#include "pack/zip_format.h"

/* The mode that serverless-python-requirements gives what it moves out of a function's folder. */
static const uint32_t MOVED_MODE = 0100664;

/* Files at the top that it keeps: those of a package that wraps handlers. */
static bool is_wrapper(struct str name)
{
    return str_starts(name, STR("serverless_sdk/")) ||
           (str_starts(name, STR("s_")) && str_find(name, STR(".py"), 2) >= 0);
}

static struct file *moved(struct arena *a, const struct file *f, struct str name)
{
    struct file *copy = ARENA_NEW(a, struct file);
    *copy = *f;
    copy->name = name;
    copy->executable = false;
    copy->attributes = MOVED_MODE << 16;
    copy->made_by = MADE_BY_UNIX;
    return copy;
}

/* Put into `list` what is left of `selected`: all of it, or what is below a folder. */
static void keep(struct arena *a, struct str folder, const struct file_list *selected,
                 struct file_list *list)
{
    struct str prefix = folder.n ? str_concat(a, folder, STR("/")) : folder;
    for (size_t i = 0; i < selected->count; i++) {
        struct file *f = selected->files[i];
        struct str name = f->name;
        if (folder.n && !str_skip(&name, prefix) && !is_wrapper(name))
            continue;
        list->files[list->count++] = folder.n ? moved(a, f, name) : f;
    }
}

static int by_name(const void *x, const void *y)
{
    return str_cmp((*(struct file *const *)x)->name, (*(struct file *const *)y)->name);
}

int files_add(struct arena *a, const struct pack_addition *more, const struct file_list *selected,
              struct file_list *ret, struct err *err)
{
    struct file_list given, kept = {ARENA_ARRAY(a, selected->count, struct file *), 0};
    struct map names = MAP(a);
    if (files_given(a, &more->files, &given, err) < 0)
        return -1;
    keep(a, more->folder, selected, &kept);
    *ret = (struct file_list){ARENA_ARRAY(a, kept.count + given.count, struct file *), 0};
    for (size_t i = 0; i < given.count; i++) {
        map_put(&names, given.files[i]->name, given.files[i]);
        ret->files[ret->count++] = given.files[i];
    }
    for (size_t i = 0; i < kept.count; i++) {
        if (map_has(&names, kept.files[i]->name))
            continue;
        map_put(&names, kept.files[i]->name, kept.files[i]);
        ret->files[ret->count++] = kept.files[i];
    }
    if (ret->count)
        qsort(ret->files, ret->count, sizeof *ret->files, by_name);
    return 0;
}
