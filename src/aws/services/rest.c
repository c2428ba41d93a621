/* REST-JSON: Lambda, API Gateway. */
#include "aws/client/aws_internal.h"

#include "doc/json.h"

static void add_headers(struct call *call, const struct node *headers)
{
    member_each (m, headers)
        call_header(call, m->key.p, node_text(m->value));
}

static bool is_json(const struct aws_answer *answer)
{
    struct str type = aws_header(answer, "content-type");
    return str_trim(answer->body).n && (!type.n || str_find(type, STR("json"), 0) >= 0);
}

int aws_rest_json(struct arena *a, struct aws *aws, const char *service, const char *operation,
                  const struct aws_rest *request, struct aws_answer *answer, struct err *err)
{
    struct call call = {.service = aws_service_find(service),
                        .operation = operation,
                        .method = request->method,
                        .path = request->path,
                        .query = query_string(a, request->query),
                        .body = request->json ? json_text(a, request->json, 0) : request->body,
                        .timeout_ms = request->timeout_ms,
                        .once = request->once};
    if (!call.service)
        return err_set(err, ERR_FAILED, "'%s' is no known service", service);
    if (request->json)
        call_header(&call, "Content-Type", STR("application/json"));
    else if (request->content_type)
        call_header(&call, "Content-Type", str_c(request->content_type));
    call_header(&call, "Accept", STR("application/json"));
    add_headers(&call, request->headers);
    if (call_send(a, aws, &call, answer, err) < 0)
        return -1;
    if (!request->raw_answer && is_json(answer)) {
        answer->node = json_parse(a, STR("answer"), answer->body, err);
        if (!answer->node) {
            err_clear(err);
            return err_set(err, ERR_FAILED, "%s: the answer is not JSON", operation);
        }
    }
    return 0;
}
