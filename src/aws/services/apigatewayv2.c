/* API Gateway's operations on HTTP APIs. Source: service model of API Gateway v2; developer guide,
 * "Working with OpenAPI definitions for HTTP APIs". */
#include "aws/client/aws_internal.h"

#include "base/backoff.h"
#include "cfn/template.h"
#include "doc/json.h"
#include "aws/services/gateway_internal.h"

static const struct gateway_service service = {"apigatewayv2", "maxResults", "nextToken", "items"};

/* ---- the definition ---- */

/* `document` with the tags that the API has: an import replaces them by those that it brings.
 * Source: API Gateway developer guide, "x-amazon-apigateway-tag-value property". */
static int with_tags(struct arena *a, struct aws *aws, struct str api, struct str document,
                     struct str *ret, struct err *err)
{
    struct aws_rest request = {.method = "GET", .path = AWS_PATH(a, "/v2/apis/{}", api)};
    const struct node *answer, *definition;
    struct node *tags = node_seq(a);
    if (gateway_send(a, aws, &service, "GetApi", &request, &answer, err) < 0 ||
        !(definition = json_parse(a, api, document, err)))
        return -1;
    member_each (m, node_get_c(answer, "tags")) {
        struct node *tag = node_map(a);
        if (str_starts(m->key, STR("aws:"))) /* CloudFormation's own stay by themselves */
            continue;
        node_put_str(a, tag, "name", m->key);
        node_put_c(a, tag, "x-amazon-apigateway-tag-value", m->value);
        node_push(a, tags, tag);
    }
    *ret = tags->count ? json_canonical(a, cfn_with(a, definition, "tags", tags)) : document;
    return 0;
}

static int put(struct arena *a, struct aws *aws, struct str api, struct str document,
               struct err *err)
{
    struct node *query = node_map(a), *body = node_map(a);
    if (with_tags(a, aws, api, document, &document, err) < 0)
        return -1;
    node_put_str(a, query, "failOnWarnings", STR("true"));
    node_put_str(a, body, "body", document);
    struct aws_rest request = {
        .method = "PUT", .path = AWS_PATH(a, "/v2/apis/{}", api), .query = query, .json = body};
    return gateway_send(a, aws, &service, "ReimportApi", &request, NULL, err);
}

/* "GET /users" -> the operation and its path; "$default" has no method. */
static void put_route_key(struct arena *a, struct node *method, struct str key)
{
    struct str verb = {"", 0};
    if (str_find_char(key, ' ', 0) >= 0)
        str_cut(&key, ' ', &verb);
    bool any = !verb.n || str_eq(verb, STR("ANY"));
    node_put_str(a, method, "path", verb.n ? key : str_concat(a, STR("/"), key));
    node_put_str(a, method, "method",
                 any ? STR("x-amazon-apigateway-any-method") : str_lower(a, verb));
}

static int methods(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                   struct str *ret_whole, struct err *err)
{
    const struct node *routes, *integrations;
    struct node *all = node_seq(a), *by_target = node_map(a), *whole = node_seq(a);
    if (gateway_list(a, aws, &service, "GetRoutes", AWS_PATH(a, "/v2/apis/{}/routes", api), NULL,
                     &routes, err) < 0 ||
        gateway_list(a, aws, &service, "GetIntegrations",
                     AWS_PATH(a, "/v2/apis/{}/integrations", api), NULL, &integrations, err) < 0)
        return -1;
    node_each (integration, integrations)
        node_put(a, by_target,
                 str_concat(a, STR("integrations/"), text_of(integration, "integrationId")),
                 integration);
    node_each (route, routes) {
        const struct node *integration = node_get(by_target, text_of(route, "target"));
        struct node *method = node_map(a);
        put_route_key(a, method, text_of(route, "routeKey"));
        node_put_str(a, method, "type", str_lower(a, text_of(integration, "integrationType")));
        node_put_str(a, method, "uri", text_of(integration, "integrationUri"));
        node_push(a, all, method);
    }
    node_push(a, whole, gateway_sorted(a, routes, "routeId"));
    node_push(a, whole, gateway_sorted(a, integrations, "integrationId"));
    *ret = all;
    *ret_whole = json_canonical(a, whole);
    return 0;
}

/* ---- deployments ---- */

/* Wait until API Gateway has made the deployment, which it does in the background. */
static int wait_for_deployment(struct arena *a, struct aws *aws, struct str api, struct str id,
                               struct err *err)
{
    enum { PAUSE_MS = 200, WAIT_MS = 30 * 1000 };
    struct backoff wait = backoff_begin(PAUSE_MS, PAUSE_MS, WAIT_MS);
    struct aws_rest request = {.method = "GET",
                               .path = AWS_PATH(a, "/v2/apis/{}/deployments/{}", api, id)};
    for (;;) {
        const struct node *answer;
        if (gateway_send(a, aws, &service, "GetDeployment", &request, &answer, err) < 0)
            return -1;
        struct str status = text_of(answer, "deploymentStatus");
        if (str_eq(status, STR("FAILED")))
            return err_set(err, ERR_FAILED, "deployment %.*s failed: %.*s", STR_ARG(id),
                           STR_ARG(text_of(answer, "deploymentStatusMessage")));
        if (!str_eq(status, STR("PENDING")))
            return 0;
        if (backoff_is_over(&wait))
            return err_set(err, ERR_FAILED, "deployment %.*s is still being made", STR_ARG(id));
        if (backoff_pause(&wait) < 0)
            return err_set(err, ERR_CANCELLED, "stopped");
    }
}

static int deploy(struct arena *a, struct aws *aws, struct str api, struct str description,
                  struct str *ret_id, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "description", description);
    struct aws_rest request = {
        .method = "POST", .path = AWS_PATH(a, "/v2/apis/{}/deployments", api), .json = body};
    const struct node *answer;
    if (gateway_send(a, aws, &service, "CreateDeployment", &request, &answer, err) < 0)
        return -1;
    *ret_id = text_of(answer, "deploymentId");
    return str_eq(text_of(answer, "deploymentStatus"), STR("PENDING"))
               ? wait_for_deployment(a, aws, api, *ret_id, err)
               : 0;
}

static int deployments(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                       struct err *err)
{
    const struct node *all;
    struct node *items = node_seq(a);
    if (gateway_list(a, aws, &service, "GetDeployments",
                     AWS_PATH(a, "/v2/apis/{}/deployments", api), NULL, &all, err) < 0)
        return -1;
    node_each (one, all) {
        struct node *item = node_map(a);
        node_put_str(a, item, "id", text_of(one, "deploymentId"));
        node_put_str(a, item, "description", text_of(one, "description"));
        node_push(a, items, item);
    }
    *ret = items;
    return 0;
}

/* DeleteDeployment. API Gateway answers a deployment in use with a bad request, and nothing else
 * about this call can be bad. */
static int delete_deployment(struct arena *a, struct aws *aws, struct str api, struct str id,
                             struct err *err)
{
    struct aws_rest request = {.method = "DELETE",
                               .path = AWS_PATH(a, "/v2/apis/{}/deployments/{}", api, id)};
    if (gateway_send(a, aws, &service, "DeleteDeployment", &request, NULL, err) == 0)
        return 0;
    if (err->kind == ERR_NOT_FOUND) {
        err_clear(err);
        return 0;
    }
    if (str_eq(err->code, STR("BadRequestException")))
        err->kind = ERR_CONFLICT;
    return -1;
}

/* ---- stages ---- */

static int stages(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                  struct err *err)
{
    return gateway_list(a, aws, &service, "GetStages", AWS_PATH(a, "/v2/apis/{}/stages", api), NULL,
                        ret, err);
}

static int stage_move(struct arena *a, struct aws *aws, struct str api, struct str stage,
                      struct str deployment, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "deploymentId", deployment);
    struct aws_rest request = {
        .method = "PATCH", .path = AWS_PATH(a, "/v2/apis/{}/stages/{}", api, stage), .json = body};
    return gateway_send(a, aws, &service, "UpdateStage", &request, NULL, err);
}

const struct gateway gateway_http = {
    .name = "http api",
    .put = put,
    .methods = methods,
    .deploy = deploy,
    .deployments = deployments,
    .delete_deployment = delete_deployment,
    .stages = stages,
    .stage_move = stage_move,
};

/* ---- custom domains ---- */

int gateway_http_mappings(struct arena *a, struct aws *aws, struct str domain,
                          const struct node **ret, struct err *err)
{
    return gateway_list(a, aws, &service, "GetApiMappings",
                        AWS_PATH(a, "/v2/domainnames/{}/apimappings", domain), NULL, ret, err);
}
