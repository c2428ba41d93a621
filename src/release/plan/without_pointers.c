/* Pointers that somebody deleted: the template without them. */
#include "release/plan/without_pointers.h"

#include "cfn/cfn.h"
#include "cfn/expression.h"
#include "cfn/template.h"

struct leaving {
    const struct plan *plan;
    struct str region;
    const struct pointer *const *gone;
    size_t n;
    struct map ids; /* logical ids that go -> struct pointer *, or NULL behind an alias */
};

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

static bool is_behind(const struct node *resource, struct str alias)
{
    return cfn_is(cfn_type_of(resource), CFN_WITH_ALIAS) &&
           (cfn_depends_on(resource, alias) ||
            cfn_mentions(node_get_c(resource, "Properties"), alias));
}

static void find_leaving(struct leaving *x, const struct node *resources)
{
    for (size_t i = 0; i < x->n; i++) {
        struct str id = id_of(x->plan, x->gone[i]);
        if (!node_get(resources, id))
            continue;
        map_put(&x->ids, id, x->gone[i]);
        member_each (m, resources)
            if (!x->gone[i]->gateway && is_behind(m->value, id))
                map_put(&x->ids, m->key, NULL);
    }
}

/* The Ref of an alias is its ARN, that of an API's stage its name. */
static const struct node *name_of(void *context, struct arena *a, const struct cfn_value *v)
{
    const struct leaving *x = context;
    const struct pointer *p = map_has(&x->ids, v->id) ? map_get(&x->ids, v->id) : NULL;
    if (!p || v->attribute.n)
        return NULL;
    if (p->gateway)
        return node_str(a, p->stage);
    return node_strf(a, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s:%.*s",
                     STR_ARG(x->plan->world.partition), STR_ARG(x->region),
                     STR_ARG(x->plan->world.account), STR_ARG(p->owner), STR_ARG(p->stage));
}

static bool goes(const void *context, struct str id)
{
    const struct leaving *x = context;
    return map_has(&x->ids, id);
}

static void count_needed(void *context, const struct cfn_value *v)
{
    struct leaving *x = context;
    x->n += map_has(&x->ids, v->id);
}

static bool is_still_needed(struct leaving *x, const struct node *n)
{
    x->n = 0;
    cfn_each_value(n, count_needed, x);
    return x->n > 0;
}

const struct node *missing_without(struct arena *a, const struct plan *plan,
                                   const struct node *template, struct str region,
                                   const struct pointer *const *gone, size_t n)
{
    struct leaving x = {plan, region, gone, n, MAP(a)};
    struct node *out = node_shallow(a, template), *resources = node_map(a), *outputs = node_map(a);
    find_leaving(&x, node_get_c(template, "Resources"));
    member_each (m, node_get_c(template, "Resources"))
        if (!map_has(&x.ids, m->key))
            node_put(a, resources, m->key,
                     cfn_replace_values(a, cfn_without_dependencies(a, m->value, goes, &x), name_of,
                                        &x));
    if (is_still_needed(&x, resources))
        return NULL;
    member_each (m, node_get_c(template, "Outputs")) {
        const struct node *output = cfn_replace_values(a, m->value, name_of, &x);
        if (!is_still_needed(&x, output))
            node_put(a, outputs, m->key, output);
    }
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}
