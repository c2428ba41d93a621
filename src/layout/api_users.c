/* Resources that name the stage of an API by text (mappings of domains, usage plans, web ACLs):
 * CloudFormation cannot see that the stage has to be made before them. */
#include "layout/layout_internal.h"

const struct node *api_users_depends_on(struct laying *l, const struct node *resource)
{
    struct str api = l->compiled->rest_api_id;
    bool of_stage = api.n && cfn_is(cfn_type_of(resource), CFN_NAMES_STAGE) &&
                    cfn_mentions(node_get_c(resource, "Properties"), api);
    return cfn_dependencies_and(l->arena, resource,
                                of_stage ? l->compiled->rest_deployment_id : STR(""));
}

const struct node *api_users_mapping(struct laying *l, const struct node *resource)
{
    const struct node *properties = node_get_c(resource, "Properties");
    struct cfn_value api;
    if (!shared_api_is_http(l) || !cfn_is_value(node_get_c(properties, "ApiId"), &api) ||
        !str_eq(api.id, l->compiled->http_api_id) ||
        !node_is_text(node_get_c(properties, "Stage"), "$default"))
        return resource;
    return cfn_with_property(l->arena, resource, "Stage", node_ref(l->arena, STR("HttpApiStage")));
}
