/* Copies of resources and templates with a change. */
#include "cfn/template.h"

#include "cfn/cfn.h"
#include "cfn/expression.h"

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

/* ---- without some resources ---- */

static bool is_behind(const struct node *resource, struct str alias)
{
    return cfn_is(cfn_type_of(resource), CFN_WITH_ALIAS) &&
           (cfn_depends_on(resource, alias) ||
            cfn_mentions(node_get_c(resource, "Properties"), alias));
}

void cfn_behind_alias(const struct node *resources, struct str id, struct map *ret)
{
    member_each (m, resources)
        if (is_behind(m->value, id))
            map_put(ret, m->key, NULL);
}

/* An alias has its ARN as an attribute, too. */
static const struct node *stand_in(void *context, struct arena *a, const struct cfn_value *v)
{
    (void)a;
    bool same = !v->attribute.n || str_eq(v->attribute, STR("AliasArn"));
    return same ? map_get(context, v->id) : NULL;
}

static bool goes(const void *context, struct str id)
{
    return map_has(context, id);
}

struct needed {
    const struct map *gone;
    bool any;
};

static void look_whether_gone(void *context, const struct cfn_value *v)
{
    struct needed *needed = context;
    needed->any |= map_has(needed->gone, v->id);
}

static bool needs_any(const struct node *n, const struct map *gone)
{
    struct needed needed = {gone, false};
    cfn_each_value(n, look_whether_gone, &needed);
    return needed.any;
}

const struct node *cfn_without_resources(struct arena *a, const struct node *template,
                                         const struct map *gone)
{
    struct map known = *gone;
    struct node *out = node_shallow(a, template), *resources = node_map(a), *outputs = node_map(a);
    member_each (m, node_get_c(template, "Resources"))
        if (!map_has(gone, m->key))
            node_put(a, resources, m->key,
                     cfn_replace_values(a, cfn_without_dependencies(a, m->value, goes, gone),
                                        stand_in, &known));
    if (needs_any(resources, gone))
        return NULL;
    member_each (m, node_get_c(template, "Outputs")) {
        const struct node *output = cfn_replace_values(a, m->value, stand_in, &known);
        if (!needs_any(output, gone))
            node_put(a, outputs, m->key, output);
    }
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

/* ---- the rest ---- */

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
