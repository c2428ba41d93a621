/* API Gateway's operations on REST APIs. */
#include "aws/internal.h"

static int send(struct arena *a, struct aws *aws, const char *operation,
                const struct aws_rest *request, const struct node **ret, struct err *err)
{
    struct aws_answer answer;
    if (aws_rest_json(a, aws, "apigateway", operation, request, &answer, err) < 0)
        return -1;
    if (ret)
        *ret = answer.node;
    return 0;
}

/* Items of a listing; API Gateway's member is `item`, one alone need not be a list. */
static const struct node *page_items(struct arena *a, const struct node *answer)
{
    return answer_list(a, answer, "item");
}

/* All pages; `first` is the query of the first one. */
static int all_pages(struct arena *a, struct aws *aws, const char *operation, struct str path,
                     const struct node *first, const struct node **ret, struct err *err)
{
    struct node *items = node_seq(a);
    struct str position = {0};
    do {
        struct node *query = first ? node_shallow(a, first) : node_map(a);
        node_put_str(a, query, "limit", STR("500"));
        if (position.n)
            node_put_str(a, query, "position", position);
        struct aws_rest request = {.method = "GET", .path = path, .query = query};
        const struct node *answer;
        if (send(a, aws, operation, &request, &answer, err) < 0)
            return -1;
        node_each (item, page_items(a, answer))
            node_push(a, items, item);
        position = text_of(answer, "position");
    } while (position.n);
    *ret = items;
    return 0;
}

/* ---- the head ---- */

int restapi_put(struct arena *a, struct aws *aws, struct str api, struct str document,
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
    return send(a, aws, "PutRestApi", &request, NULL, err);
}

int restapi_resources(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                      struct err *err)
{
    struct node *query = node_map(a);
    node_put_str(a, query, "embed", STR("methods"));
    return all_pages(a, aws, "GetResources", AWS_PATH(a, "/restapis/{}/resources", api), query, ret,
                     err);
}

int restapi_parts(struct arena *a, struct aws *aws, struct str api, const char *kind,
                  const struct node **ret, struct err *err)
{
    static const struct {
        const char *kind, *operation;
    } kinds[] = {{"authorizers", "GetAuthorizers"},
                 {"models", "GetModels"},
                 {"requestvalidators", "GetRequestValidators"},
                 {"gatewayresponses", "GetGatewayResponses"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return all_pages(a, aws, kinds[i].operation,
                             AWS_PATH(a, "/restapis/{}/{}", api, str_c(kind)), NULL, ret, err);
    return err_set(err, ERR_FAILED, "'%s' is no part of a REST API", kind);
}

int restapi_get(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                struct err *err)
{
    struct aws_rest request = {.method = "GET", .path = AWS_PATH(a, "/restapis/{}", api)};
    return send(a, aws, "GetRestApi", &request, ret, err);
}

/* ---- deployments ---- */

int restapi_deploy(struct arena *a, struct aws *aws, struct str api, struct str description,
                   struct str *ret_id, struct err *err)
{
    struct node *body = node_map(a);
    if (description.n)
        node_put_str(a, body, "description", description);
    struct aws_rest request = {
        .method = "POST", .path = AWS_PATH(a, "/restapis/{}/deployments", api), .json = body};
    const struct node *answer;
    if (send(a, aws, "CreateDeployment", &request, &answer, err) < 0)
        return -1;
    *ret_id = text_of(answer, "id");
    return 0;
}

int restapi_deployments(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                        struct err *err)
{
    return all_pages(a, aws, "GetDeployments", AWS_PATH(a, "/restapis/{}/deployments", api), NULL,
                     ret, err);
}

int restapi_delete_deployment(struct arena *a, struct aws *aws, struct str api, struct str id,
                              struct err *err)
{
    struct aws_rest request = {.method = "DELETE",
                               .path = AWS_PATH(a, "/restapis/{}/deployments/{}", api, id)};
    if (send(a, aws, "DeleteDeployment", &request, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

/* ---- stages ---- */

int restapi_stages(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                   struct err *err)
{
    struct aws_rest request = {.method = "GET", .path = AWS_PATH(a, "/restapis/{}/stages", api)};
    const struct node *answer;
    if (send(a, aws, "GetStages", &request, &answer, err) < 0)
        return -1;
    *ret = page_items(a, answer);
    return 0;
}

int restapi_stage_move(struct arena *a, struct aws *aws, struct str api, struct str stage,
                       struct str deployment, struct err *err)
{
    struct node *patch = node_map(a), *patches = node_seq(a), *body = node_map(a);
    node_put_str(a, patch, "op", STR("replace"));
    node_put_str(a, patch, "path", STR("/deploymentId"));
    node_put_str(a, patch, "value", deployment);
    node_push(a, patches, patch);
    node_put_c(a, body, "patchOperations", patches);
    struct aws_rest request = {
        .method = "PATCH", .path = AWS_PATH(a, "/restapis/{}/stages/{}", api, stage), .json = body};
    return send(a, aws, "UpdateStage", &request, NULL, err);
}

/* ---- custom domains ---- */

int restapi_domains(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                    struct err *err)
{
    const struct node *domains, *mappings;
    struct node *names = node_seq(a);
    if (all_pages(a, aws, "GetDomainNames", STR("/domainnames"), NULL, &domains, err) < 0)
        return -1;
    node_each (domain, domains) {
        struct str name = text_of(domain, "domainName");
        if (all_pages(a, aws, "GetBasePathMappings",
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
