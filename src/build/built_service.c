/* What the service file says, as all builders read it. */
#include "build/build_internal.h"

const struct node *build_plugin(const struct service *service, const char *name)
{
    const struct node *list = node_get_c(service->root, "plugins");
    if (node_is(list, NODE_MAP))
        list = node_get_c(list, "modules");
    const struct node *found = NULL;
    node_each (entry, list)
        if (node_is_text(entry, name))
            found = entry;
    return found;
}

bool build_individually(const struct service *service, const struct function *fn)
{
    return node_bool_or(node_path(service->root, "package.individually"), false) ||
           (fn && node_bool_or(node_path(fn->node, "package.individually"), false));
}

const struct pack_files *build_files(struct arena *a, const file_vec *v)
{
    struct pack_files *files = ARENA_NEW(a, struct pack_files);
    *files = (struct pack_files){v->p, v->n};
    return files;
}

void build_beside(struct building *b, const file_vec *v)
{
    const struct pack_files *old = b->built->beside;
    file_vec all = {0};
    for (size_t i = 0; old && i < old->count; i++)
        vec_push(b->arena, &all, old->files[i]);
    vec_each (v, file)
        vec_push(b->arena, &all, *file);
    b->built->beside = build_files(b->arena, &all);
}
