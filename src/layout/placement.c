/* Where resources of the flat template go, as far as it has been decided (scope.c). */
#include "layout/layout_internal.h"

const struct placement *placement_of(const struct laying *l, struct str id)
{
    return map_get(&l->placements, id);
}

struct placement *placement_set(struct laying *l, struct str id, enum scope scope)
{
    struct placement *p = ARENA_NEW(l->arena, struct placement);
    *p = (struct placement){.scope = scope, .id = id};
    map_put(&l->placements, id, p);
    return p;
}

struct search {
    const struct laying *l;
    bool found;
};

static void find_stage_scoped(void *context, const struct cfn_value *v)
{
    struct search *s = context;
    const struct placement *p = placement_of(s->l, v->id);
    bool known = node_get(s->l->flat, v->id) != NULL;
    bool pseudo = str_starts(v->id, STR("AWS::")) && !str_starts(v->id, STR("AWS::Stack"));
    if (p ? p->scope != SCOPE_SERVICE && p->scope != SCOPE_API : known || !pseudo)
        s->found = true;
    /* The hash in the id is of its content, which may differ between stages. */
    if (p && p->scope == SCOPE_SERVICE && !str_eq(p->id, v->id))
        s->found = true;
}

bool placement_needs_stage(const struct laying *l, const struct node *resource)
{
    struct search s = {.l = l};
    if (l->service->remote) /* "${AWS::Region}" in a role means another region there */
        return true;
    cfn_each_value(node_get_c(resource, "Properties"), find_stage_scoped, &s);
    return s.found || node_get_c(resource, "Condition");
}
