/* JSON 1.0 and 1.1: the operation is a header. */
#include "aws/client/aws_internal.h"

#include "doc/json.h"

int aws_json(struct arena *a, struct aws *aws, const char *service, const char *operation,
             const struct node *body, const struct node **ret, struct err *err)
{
    struct call call = {.service = aws_service_find(service),
                        .operation = operation,
                        .method = "POST",
                        .path = STR("/")};
    if (!call.service || !call.service->target)
        return err_set(err, ERR_FAILED, "'%s' is no service of the JSON protocol", service);
    call.body = json_text(a, body ? body : node_map(a), 0);
    call_header(&call, "Content-Type", str_fmt(a, "application/x-amz-json-%s", call.service->json));
    call_header(&call, "X-Amz-Target", str_fmt(a, "%s.%s", call.service->target, operation));
    struct aws_answer answer;
    if (call_send(a, aws, &call, &answer, err) < 0)
        return -1;
    const struct node *node =
        str_trim(answer.body).n ? json_parse(a, STR("answer"), answer.body, err) : node_map(a);
    if (!node) { /* the answer may hold a secret: the message does not show where it is broken */
        err_clear(err);
        return err_set(err, ERR_FAILED, "%s: the answer is not JSON", operation);
    }
    if (ret)
        *ret = node;
    return 0;
}
