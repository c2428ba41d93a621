/* Methods: AWS::ApiGateway::Method of each event. */
#include "compile/rest/rest.h"

/* {method.request.<place>.<name>: is it required} */
static const struct node *request_parameters(struct arena *a, const struct rest_event *e)
{
    struct node *out = node_map(a);
    member_each (m, e->parameters) {
        const struct node *value = m->value;
        if (node_is(value, NODE_MAP) || node_is(value, NODE_SEQ)) {
            value = node_get_c(value, "required");
            value = node_empty(value) ? node_bool(a, true) : value;
        }
        node_put_at(a, out, m->key, m->key_pos, value);
    }
    return out;
}

/* A method is made after the permission to call its function and the function's alias; one with an
 * authorizer after that instead of the permission. */
static const struct node *depends_on(struct compilation *c, const struct rest_event *e,
                                     struct str authorizer)
{
    struct arena *a = c->arena;
    const struct function *f = e->event.function;
    struct node *list = node_seq(a);
    struct function_alias alias;
    node_push(
        a, list,
        node_str(a, authorizer.n ? authorizer : name_with(c, f, "LambdaPermissionApiGateway")));
    if (function_alias(c, f, &alias))
        node_push(a, list, node_str(a, alias.id));
    return list;
}

static int method_add(struct compilation *c, const struct rest_event *e, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    const struct node *integration = rest_integration(c, e, err);
    if (!integration)
        return -1;
    node_put_c(a, p, "HttpMethod", node_from(node_str(a, e->method), e->method_node));
    node_put_c(a, p, "RequestParameters", request_parameters(a, e));
    node_put_c(a, p, "ResourceId", map_get(&c->rest->resource_ids, e->path));
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "OperationName", rest_setting(e, "operationId"));
    node_put_c(a, p, "ApiKeyRequired", node_bool(a, node_truthy(rest_setting(e, "private"))));
    struct str authorizer = rest_authorize(c, e, p);
    node_put_c(a, p, "Integration", integration);
    node_put_c(a, p, "MethodResponses", rest_method_responses(a, e));
    struct node *method = resource_new(a, "AWS::ApiGateway::Method", p);
    node_put_c(a, method, "DependsOn", depends_on(c, e, authorizer));
    struct str id = rest_method_id(a, e->path, e->method);
    /* The last event of a route replaces the method that earlier events made, and an OPTIONS event
     * the one that answers preflights. */
    node_push(a, c->rest->method_ids, node_str(a, id));
    resource_set(c, id, method, e->event.pos);
    return 0;
}

int rest_methods(struct compilation *c, struct err *err)
{
    vec_each (&c->rest->events, e)
        if (method_add(c, e, err) < 0)
            return err_wrap(err, "function '%.*s'", STR_ARG(e->event.function->key));
    return 0;
}
