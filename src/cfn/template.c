/* Copies of resources and templates with a change. */
#include "cfn/template.h"

struct node *cfn_with(struct arena *a, const struct node *map, const char *key,
                      const struct node *value)
{
    struct node *out = map ? node_shallow(a, map) : node_map(a);
    if (value)
        node_put_c(a, out, key, value);
    else
        node_drop(out, str_c(key));
    return out;
}

struct node *cfn_with_property(struct arena *a, const struct node *resource, const char *name,
                               const struct node *value)
{
    return cfn_with(a, resource, "Properties",
                    cfn_with(a, node_get_c(resource, "Properties"), name, value));
}

const struct node *const *cfn_dependencies(const struct node *resource, size_t *ret_n)
{
    const struct member *m = node_member(resource, STR("DependsOn"));
    bool list = m && node_is(m->value, NODE_SEQ);
    *ret_n = list ? m->value->count : m && node_is(m->value, NODE_STRING);
    return list ? m->value->items : m ? &m->value : NULL;
}

bool cfn_depends_on(const struct node *resource, struct str id)
{
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(node_text(ids[i]), id))
            return true;
    return false;
}

struct node *cfn_dependencies_and(struct arena *a, const struct node *resource, struct str id)
{
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    struct node *out = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, out, ids[i]);
    if (id.n)
        node_push(a, out, node_str(a, id));
    return out->count ? out : NULL;
}

const struct node *cfn_without_dependencies(struct arena *a, const struct node *resource,
                                            cfn_goes *goes, const void *context)
{
    size_t n;
    const struct node *const *ids = cfn_dependencies(resource, &n);
    struct node *left = node_seq(a);
    for (size_t i = 0; i < n; i++)
        if (!goes(context, node_text(ids[i])))
            node_push(a, left, ids[i]);
    if (left->count == n)
        return resource;
    struct node *out = cfn_with(a, resource, "DependsOn", NULL);
    if (left->count)
        node_put_c(a, out, "DependsOn", left);
    return out;
}

struct str cfn_name_text(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z'))
            p[n++] = s.p[i];
    return (struct str){p, n};
}

void cfn_merge_sections(struct arena *a, struct node *out, const struct node *base,
                        const struct node *over, const char *const *names)
{
    for (; *names; names++) {
        const struct node *under = node_get_c(base, *names), *upper = node_get_c(over, *names);
        node_put_c(a, out, *names,
                   under && upper ? node_merge(a, under, upper)
                   : upper        ? upper
                                  : under);
    }
}
