/* Pointers that somebody deleted: the template without them. */
#include "release/plan/without_pointers.h"

#include "cfn/template.h"
#include "layout/layout.h"

static struct str id_of(const struct plan *plan, const struct pointer *p)
{
    for (size_t i = 0; i < plan->function_count && !p->gateway; i++)
        if (str_eq(plan->functions[i].function->key, p->key))
            return plan->functions[i].function->alias_id;
    for (size_t i = 0; i < plan->api_count && p->gateway; i++)
        if (str_eq(plan->apis[i].api->id, p->key))
            return plan->apis[i].api->stage_id;
    return (struct str){"", 0};
}

/* The Ref of an alias is its ARN, that of an API's stage its name. */
static const struct node *ref_of(struct arena *a, const struct world *w, struct str region,
                                 const struct pointer *p)
{
    if (p->gateway)
        return node_str(a, p->stage);
    return node_strf(a, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s:%.*s", STR_ARG(w->partition),
                     STR_ARG(region), STR_ARG(w->account), STR_ARG(p->owner), STR_ARG(p->stage));
}

const struct node *missing_without(struct arena *a, const struct plan *plan,
                                   const struct node *template, struct str region,
                                   const struct pointer *const *gone, size_t n)
{
    const struct node *resources = node_get_c(template, "Resources");
    struct map ids = MAP(a);
    for (size_t i = 0; i < n; i++) {
        struct str id = id_of(plan, gone[i]);
        if (!node_get(resources, id))
            continue;
        if (!gone[i]->gateway)
            cfn_behind_alias(resources, id, &ids);
        map_put(&ids, id, ref_of(a, &plan->world, region, gone[i]));
    }
    const struct node *out = cfn_without_resources(a, template, &ids);
    return out ? layout_with_a_resource(a, out) : NULL;
}
