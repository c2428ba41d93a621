/* What the user should know of functions that CloudFront calls at its edge. */
#include "layout/layout_internal.h"

#include "config/sharing.h"

/* Of what the dialect leaves out of a function that CloudFront calls. */
static void left_out(struct laying *l, const struct layout_function *f)
{
    static const char *const keys[] = {"environment", "vpc"};
    const struct function *given = l->compiled->functions[f - l->out->functions].function;
    const struct node *provider = node_get_c(l->service->root, "provider");
    for (size_t i = 0; i < sizeof keys / sizeof *keys && sharing_is_edge(given); i++) {
        const struct node *own = node_get_c(given->node, keys[i]);
        const struct node *set = node_count(own) ? own : node_get_c(provider, keys[i]);
        if (node_count(set) && !node_is(own, NODE_BOOL))
            vec_push(l->arena, &l->warnings,
                     str_fmt(l->arena,
                             "function '%.*s' does not get '%s'%.*s: there is none at "
                             "CloudFront's edge",
                             STR_ARG(f->key), keys[i], STR_ARG(place_text(l->arena, set->pos))));
    }
}

static bool is_used(const struct laying *l, struct str policy)
{
    for (size_t i = 0; i < l->compiled->function_count; i++)
        node_each (event, node_get_c(l->compiled->functions[i].function->node, "events"))
            if (str_eq(node_text(node_path(event, "cloudFront.cachePolicy.name")), policy))
                return true;
    return false;
}

void edge_warn(struct laying *l)
{
    const struct node *provider = node_get_c(l->service->root, "provider");
    for (size_t i = 0; i < l->out->function_count; i++)
        left_out(l, &l->out->functions[i]);
    member_each (m, node_path(provider, "cloudFront.cachePolicies"))
        if (!is_used(l, m->key))
            vec_push(l->arena, &l->warnings,
                     str_fmt(l->arena, "no event uses cache policy '%.*s'%.*s", STR_ARG(m->key),
                             STR_ARG(place_text(l->arena, m->key_pos))));
}
