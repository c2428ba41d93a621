/* What names the stage of an API by text: mappings of domains, usage plans, web ACLs. */
#include "layout/layout_internal.h"

const struct node *api_users_depends_on(struct laying *l, const struct node *resource)
{
    struct str api = l->compiled->rest_api_id;
    const struct node *given = node_get_c(resource, "DependsOn");
    struct node *all = node_seq(l->arena);
    if (!api.n || !cfn_is(cfn_type_of(resource), CFN_NAMES_STAGE) ||
        !layout_mentions(l->arena, node_get_c(resource, "Properties"), api))
        return given;
    if (node_is(given, NODE_STRING))
        node_push(l->arena, all, given);
    node_each (item, given)
        node_push(l->arena, all, item);
    node_push(l->arena, all, node_str(l->arena, l->compiled->rest_deployment_id));
    return all;
}

const struct node *api_users_mapping(struct laying *l, const struct node *resource)
{
    const struct node *properties = node_get_c(resource, "Properties");
    struct str api = node_text(node_path(properties, "ApiId.Ref"));
    if (!shared_api_is_http(l) || !str_eq(api, l->compiled->http_api_id) ||
        !node_is_text(node_get_c(properties, "Stage"), "$default"))
        return resource;
    struct node *copy = node_shallow(l->arena, resource);
    struct node *changed = node_shallow(l->arena, properties);
    node_put_c(l->arena, changed, "Stage", node_ref(l->arena, STR("HttpApiStage")));
    node_put_c(l->arena, copy, "Properties", changed);
    return copy;
}
