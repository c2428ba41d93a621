/* API Gateway's operations on REST APIs. */
#include "aws/client/aws_internal.h"

#include "doc/json.h"
#include "aws/services/gateway_internal.h"

static const struct gateway_service service = {"apigateway", "limit", "position", "item"};

/* ---- the head ---- */

static int put(struct arena *a, struct aws *aws, struct str api, struct str document,
               struct err *err)
{
    struct node *query = node_map(a);
    node_put_str(a, query, "mode", STR("overwrite"));
    node_put_str(a, query, "failonwarnings", STR("true"));
    struct aws_rest request = {.method = "PUT",
                               .path = AWS_PATH(a, "/restapis/{}", api),
                               .query = query,
                               .body = document,
                               .content_type = "application/octet-stream"};
    return gateway_send(a, aws, &service, "PutRestApi", &request, NULL, err);
}

static struct node *method_of(struct arena *a, struct str path, const struct member *m)
{
    const struct node *integration = node_get_c(m->value, "methodIntegration");
    struct node *method = node_map(a);
    node_put_str(a, method, "path", path);
    node_put_str(a, method, "method",
                 str_eq(m->key, STR("ANY")) ? STR("x-amazon-apigateway-any-method")
                                            : str_lower(a, m->key));
    node_put_str(a, method, "type", str_lower(a, text_of(integration, "type")));
    node_put_str(a, method, "uri", text_of(integration, "uri"));
    return method;
}

static int methods(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                   struct str *ret_whole, struct err *err)
{
    struct node *query = node_map(a), *all = node_seq(a);
    const struct node *resources;
    node_put_str(a, query, "embed", STR("methods"));
    if (gateway_list(a, aws, &service, "GetResources", AWS_PATH(a, "/restapis/{}/resources", api),
                     query, &resources, err) < 0)
        return -1;
    node_each (resource, resources)
        member_each (m, node_get_c(resource, "resourceMethods"))
            node_push(a, all, method_of(a, text_of(resource, "path"), m));
    *ret = all;
    *ret_whole = json_canonical(a, gateway_sorted(a, resources, "id"));
    return 0;
}

static int models(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                  struct err *err)
{
    return gateway_list(a, aws, &service, "GetModels", AWS_PATH(a, "/restapis/{}/models", api),
                        NULL, ret, err);
}

/* UpdateStage, UpdateModel: one member is replaced. */
static int replace(struct arena *a, struct aws *aws, const char *operation, struct str path,
                   const char *member, struct str value, struct err *err)
{
    struct node *patch = node_map(a), *patches = node_seq(a), *body = node_map(a);
    node_put_str(a, patch, "op", STR("replace"));
    node_put_str(a, patch, "path", str_c(member));
    node_put_str(a, patch, "value", value);
    node_push(a, patches, patch);
    node_put_c(a, body, "patchOperations", patches);
    struct aws_rest request = {.method = "PATCH", .path = path, .json = body};
    return gateway_send(a, aws, &service, operation, &request, NULL, err);
}

static int model_set(struct arena *a, struct aws *aws, struct str api, struct str name,
                     struct str schema, struct err *err)
{
    return replace(a, aws, "UpdateModel", AWS_PATH(a, "/restapis/{}/models/{}", api, name),
                   "/schema", schema, err);
}

/* ---- deployments ---- */

static int deploy(struct arena *a, struct aws *aws, struct str api, struct str description,
                  struct str *ret_id, struct err *err)
{
    struct node *body = node_map(a);
    if (description.n)
        node_put_str(a, body, "description", description);
    struct aws_rest request = {
        .method = "POST", .path = AWS_PATH(a, "/restapis/{}/deployments", api), .json = body};
    const struct node *answer;
    if (gateway_send(a, aws, &service, "CreateDeployment", &request, &answer, err) < 0)
        return -1;
    *ret_id = text_of(answer, "id");
    return 0;
}

static int deployments(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                       struct err *err)
{
    return gateway_list(a, aws, &service, "GetDeployments",
                        AWS_PATH(a, "/restapis/{}/deployments", api), NULL, ret, err);
}

static int delete_deployment(struct arena *a, struct aws *aws, struct str api, struct str id,
                             struct err *err)
{
    struct aws_rest request = {.method = "DELETE",
                               .path = AWS_PATH(a, "/restapis/{}/deployments/{}", api, id)};
    if (gateway_send(a, aws, &service, "DeleteDeployment", &request, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

/* ---- stages ---- */

static int stages(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                  struct err *err)
{
    struct aws_rest request = {.method = "GET", .path = AWS_PATH(a, "/restapis/{}/stages", api)};
    const struct node *answer;
    if (gateway_send(a, aws, &service, "GetStages", &request, &answer, err) < 0)
        return -1;
    *ret = answer_list(a, answer, service.items);
    return 0;
}

static int stage_move(struct arena *a, struct aws *aws, struct str api, struct str stage,
                      struct str deployment, struct err *err)
{
    return replace(a, aws, "UpdateStage", AWS_PATH(a, "/restapis/{}/stages/{}", api, stage),
                   "/deploymentId", deployment, err);
}

const struct gateway gateway_rest = {
    .name = "rest api",
    .put = put,
    .methods = methods,
    .models = models,
    .model_set = model_set,
    .deploy = deploy,
    .deployments = deployments,
    .delete_deployment = delete_deployment,
    .stages = stages,
    .stage_move = stage_move,
};

/* ---- the account ---- */

int apigateway_log_role(struct arena *a, struct aws *aws, struct str *ret, struct err *err)
{
    struct aws_rest request = {.method = "GET", .path = STR("/account")};
    const struct node *answer;
    if (gateway_send(a, aws, &service, "GetAccount", &request, &answer, err) < 0)
        return -1;
    *ret = text_of(answer, "cloudwatchRoleArn");
    return 0;
}

int apigateway_log_role_set(struct arena *a, struct aws *aws, struct str arn, struct err *err)
{
    return replace(a, aws, "UpdateAccount", STR("/account"), "/cloudwatchRoleArn", arn, err);
}

/* ---- custom domains ---- */

int domains_list(struct arena *a, struct aws *aws, const struct node **ret, struct err *err)
{
    const struct node *domains;
    struct node *names = node_seq(a);
    if (gateway_list(a, aws, &service, "GetDomainNames", STR("/domainnames"), NULL, &domains, err) <
        0)
        return -1;
    node_each (domain, domains)
        node_push(a, names, node_str(a, text_of(domain, "domainName")));
    *ret = names;
    return 0;
}

static int rest_mappings(struct arena *a, struct aws *aws, struct str domain,
                         const struct node **ret, struct err *err)
{
    return gateway_list(a, aws, &service, "GetBasePathMappings",
                        AWS_PATH(a, "/domainnames/{}/basepathmappings", domain), NULL, ret, err);
}

int domain_mappings(struct arena *a, struct aws *aws, struct str domain, bool is_http,
                    const struct node **ret, struct err *err)
{
    const struct node *items;
    struct node *out = node_seq(a);
    if ((is_http ? gateway_http_mappings : rest_mappings)(a, aws, domain, &items, err) < 0)
        return -1;
    node_each (item, items) {
        struct str path = text_of(item, is_http ? "apiMappingKey" : "basePath");
        struct node *mapping = node_map(a);
        node_put_str(a, mapping, "path", path.n ? path : STR("(none)"));
        node_put_str(a, mapping, "api", text_of(item, is_http ? "apiId" : "restApiId"));
        node_put_str(a, mapping, "stage", text_of(item, "stage"));
        node_put_str(a, mapping, "id", text_of(item, "apiMappingId"));
        node_push(a, out, mapping);
    }
    *ret = out;
    return 0;
}

int restapi_domains(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                    struct err *err)
{
    const struct node *domains, *mappings;
    struct node *names = node_seq(a);
    if (gateway_list(a, aws, &service, "GetDomainNames", STR("/domainnames"), NULL, &domains, err) <
        0)
        return -1;
    node_each (domain, domains) {
        struct str name = text_of(domain, "domainName");
        if (gateway_list(a, aws, &service, "GetBasePathMappings",
                         AWS_PATH(a, "/domainnames/{}/basepathmappings", name), NULL, &mappings,
                         err) < 0)
            return -1;
        node_each (mapping, mappings)
            if (str_eq(text_of(mapping, "restApiId"), api)) {
                node_push(a, names, node_str(a, name));
                break;
            }
    }
    *ret = names;
    return 0;
}
