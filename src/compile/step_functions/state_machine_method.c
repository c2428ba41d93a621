/* A method that starts a state machine: integration, answers, authorization. */
#include "compile/step_functions/state_machine_http.h"

static const char origin_header[] = "method.response.header.Access-Control-Allow-Origin";

/* `responses`, or what `response` says: {status code: what is answered}. */
static const struct node *responses_of(struct arena *a, const struct machine_event *e)
{
    const struct node *given = node_get_c(e->http, "responses");
    const struct node *response = node_get_c(e->http, "response");
    const struct node *templates = node_get_c(response, "template");
    struct node *headers = node_map(a), *good = node_map(a), *bad = node_map(a), *out = node_map(a);
    if (node_is(given, NODE_MAP))
        return given;
    member_each (m, node_get_c(response, "headers"))
        node_put(a, headers, str_concat(a, STR("method.response.header."), m->key), m->value);
    node_put_c(a, good, "selectionPattern", node_c(a, ""));
    node_put_c(a, good, "responseParameters", headers);
    node_put_c(a, good, "responseTemplates", templates);
    node_put_c(a, bad, "selectionPattern", node_c(a, "400"));
    node_put_c(a, out, "200", good);
    node_put_c(a, out, "400", bad);
    return out;
}

/* With `cors`, each answer says the origins. */
static const struct node *with_origin(struct arena *a, const struct machine_event *e,
                                      const struct node *parameters)
{
    const struct node *origins = node_get_c(e->cors, "origins");
    struct node *out = node_is(parameters, NODE_MAP) ? node_shallow(a, parameters) : node_map(a);
    struct buf b = BUF(a);
    if (!e->cors)
        return out;
    node_each (origin, origins)
        buf_fmt(&b, "%s%.*s", i_origin ? "," : "", STR_ARG(node_text(origin)));
    struct str text = b.n ? buf_str(&b) : script_text(a, node_get_c(e->cors, "origin"));
    node_put_c(a, out, origin_header, node_from(node_strf(a, "'%.*s'", STR_ARG(text)), e->cors));
    return out;
}

static const struct node *code_of(struct arena *a, struct str key)
{
    int64_t code = 0;
    str_to_int(key, &code);
    return node_int(a, code);
}

static const struct node *integration_responses(struct arena *a, const struct machine_event *e)
{
    struct node *out = node_seq(a);
    const struct node *ordered = node_javascript_order(a, responses_of(a, e));
    member_each (m, ordered) {
        const struct node *code = node_get_c(m->value, "statusCode");
        const struct node *pattern = node_get_c(m->value, "selectionPattern");
        const struct node *templates = node_get_c(m->value, "responseTemplates");
        struct node *r = node_map(a);
        node_put_c(a, r, "StatusCode", code ? code : code_of(a, m->key));
        node_put_c(a, r, "SelectionPattern", pattern ? pattern : node_str(a, m->key));
        node_put_c(a, r, "ResponseParameters",
                   with_origin(a, e, node_get_c(m->value, "responseParameters")));
        node_put_c(a, r, "ResponseTemplates", templates ? templates : node_map(a));
        node_push(a, out, r);
    }
    return out;
}

static const struct node *method_responses(struct arena *a, const struct machine_event *e)
{
    static const int codes[] = {200, 400};
    struct node *headers = node_map(a), *out = node_seq(a);
    member_each (m, node_path(e->http, "response.headers"))
        node_put(a, headers, str_concat(a, STR("method.response.header."), m->key), m->value);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct node *r = node_map(a);
        node_put_c(a, r, "ResponseParameters", with_origin(a, e, i ? NULL : headers));
        node_put_c(a, r, "ResponseModels", node_map(a));
        node_put_c(a, r, "StatusCode", node_int(a, codes[i]));
        node_push(a, out, r);
    }
    return out;
}

static const struct node *integration(struct compilation *c, const struct machine_event *e)
{
    struct arena *a = c->arena;
    const struct node *role = node_get_c(e->http, "iamRole");
    const struct node *action = node_get_c(e->http, "action");
    const struct node *own = node_get_c(e->http, "timeoutInMillis");
    const struct node *timeout =
        node_truthy(own) ? own : node_get_c(c->rest->settings, "timeoutInMillis");
    struct str name = node_truthy(action) ? node_text(action) : STR("StartExecution");
    struct node *out = node_map(a);
    node_put_c(a, out, "IntegrationHttpMethod", node_c(a, "POST"));
    node_put_c(a, out, "Type", node_c(a, "AWS"));
    node_put_c(a, out, "Credentials",
               role ? role : node_get_att(a, STR("ApigatewayToStepFunctionsRole"), "Arn"));
    node_put_c(a, out, "Uri",
               node_join(a, "",
                         NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                                   node_c(a, ":apigateway:"), node_ref(a, STR("AWS::Region")),
                                   node_strf(a, ":states:action/%.*s", STR_ARG(name)))));
    node_put_c(a, out, "PassthroughBehavior",
               node_c(a, node_truthy(action) ? "WHEN_NO_TEMPLATES" : "NEVER"));
    node_put_c(a, out, "RequestTemplates", machine_templates(a, e));
    if (node_truthy(timeout))
        node_put_c(a, out, "TimeoutInMillis", timeout);
    node_put_c(a, out, "IntegrationResponses", integration_responses(a, e));
    return out;
}

void machine_method_add(struct compilation *c, const struct machine_event *e)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    node_put_c(a, p, "HttpMethod", node_str(a, e->rest.method));
    node_put_c(a, p, "RequestParameters", node_map(a));
    node_put_c(a, p, "ApiKeyRequired", node_bool(a, node_truthy(node_get_c(e->http, "private"))));
    node_put_c(a, p, "ResourceId", map_get(&c->rest->resource_ids, e->rest.path));
    node_put_c(a, p, "RestApiId", c->rest->id);
    node_put_c(a, p, "Integration", integration(c, e));
    node_put_c(a, p, "MethodResponses", method_responses(a, e));
    struct str after = machine_authorize(c, e, p);
    struct node *method = resource_new(a, "AWS::ApiGateway::Method", p);
    if (after.n)
        node_put_str(a, method, "DependsOn", after);
    resource_merge(c, rest_method_id(a, e->rest.path, e->rest.method), method, e->rest.event.pos);
}
