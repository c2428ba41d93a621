/* Functions as events and APIs call them: by ARN, or by the alias that the dialect makes. */
#include "compile/compile_internal.h"

bool function_alias(struct compilation *c, const struct function *f, struct function_alias *ret)
{
    if (name_is_shared(c, f)) /* it has the stage's alias instead */
        return false;
    if (durable_config(c, f))
        *ret = (struct function_alias){name_with(c, f, "DurableLambdaAlias"), STR("durable")};
    else if (node_truthy(node_get_c(f->node, "provisionedConcurrency")))
        *ret = (struct function_alias){name_with(c, f, "ProvConcLambdaAlias"), STR("provisioned")};
    else if (node_truthy(node_get_c(f->node, "snapStart")))
        *ret = (struct function_alias){name_with(c, f, "SnapStartLambdaAlias"), STR("snapstart")};
    else
        return false;
    return true;
}

struct node *function_arn(struct compilation *c, const struct function *f)
{
    return node_get_att(c->arena, name_function_id(c, f), "Arn");
}

const struct node *target_arn(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    struct function_alias alias;
    struct node *arn = function_arn(c, f);
    if (!function_alias(c, f, &alias))
        return arn;
    return node_join(a, ":", NODE_LIST(a, arn, node_str(a, alias.name)));
}

struct node *invocation_uri(struct arena *a, const struct node *function)
{
    return node_join(a, "",
                     NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                               node_c(a, ":apigateway:"), node_ref(a, STR("AWS::Region")),
                               node_c(a, ":lambda:path/2015-03-31/functions/"), function,
                               node_c(a, "/invocations")));
}

const struct function *function_by_key(struct compilation *c, struct str key)
{
    for (size_t i = 0; i < c->service->function_count; i++)
        if (str_eq(c->service->functions[i].key, key))
            return &c->service->functions[i];
    return NULL;
}

void depend_on_alias(struct compilation *c, struct node *resource, const struct function *f)
{
    struct function_alias alias;
    if (function_alias(c, f, &alias))
        node_put_str(c->arena, resource, "DependsOn", alias.id);
}

struct node *depends_on_permission(struct compilation *c, const struct function *f,
                                   struct str permission)
{
    struct function_alias alias;
    struct node *list = NODE_LIST(c->arena, node_str(c->arena, permission));
    if (function_alias(c, f, &alias))
        node_push(c->arena, list, node_str(c->arena, alias.id));
    return list;
}
