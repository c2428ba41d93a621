/* API Gateway's operations on HTTP APIs. */
#include "aws/internal.h"

int http_stages(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                struct err *err)
{
    struct node *items = node_seq(a);
    struct str token = {0};
    do {
        struct node *query = node_map(a);
        if (token.n)
            node_put_str(a, query, "nextToken", token);
        struct aws_rest request = {
            .method = "GET", .path = AWS_PATH(a, "/v2/apis/{}/stages", api), .query = query};
        struct aws_answer answer;
        if (aws_rest_json(a, aws, "apigatewayv2", "GetStages", &request, &answer, err) < 0)
            return -1;
        node_each (item, node_get_c(answer.node, "items"))
            node_push(a, items, item);
        token = text_of(answer.node, "nextToken");
    } while (token.n);
    *ret = items;
    return 0;
}

int http_stage_move(struct arena *a, struct aws *aws, struct str api, struct str stage,
                    struct str deployment, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "deploymentId", deployment);
    struct aws_rest request = {
        .method = "PATCH", .path = AWS_PATH(a, "/v2/apis/{}/stages/{}", api, stage), .json = body};
    struct aws_answer answer;
    return aws_rest_json(a, aws, "apigatewayv2", "UpdateStage", &request, &answer, err);
}
