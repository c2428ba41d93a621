/* The query protocol: form-encoded requests, XML answers. */
#include "aws/client/aws_internal.h"

#include "base/buf.h"
#include "aws/client/xml.h"

static void add_pair(struct buf *b, struct str name, struct str value)
{
    buf_fmt(b, "&%.*s=%.*s", STR_ARG(aws_encode(b->arena, name, false)),
            STR_ARG(aws_encode(b->arena, value, false)));
}

static void flatten(struct buf *b, struct str name, const struct node *value)
{
    struct arena *a = b->arena;
    if (node_is(value, NODE_MAP)) {
        member_each (m, value)
            flatten(b, str_fmt(a, "%.*s.%.*s", STR_ARG(name), STR_ARG(m->key)), m->value);
    } else if (node_is(value, NODE_SEQ)) {
        for (size_t i = 0; i < value->count; i++)
            flatten(b, str_fmt(a, "%.*s.member.%zu", STR_ARG(name), i + 1), value->items[i]);
        if (!value->count) /* for AWS an empty list is not an absent one */
            add_pair(b, name, (struct str){"", 0});
    } else if (!node_empty(value)) {
        add_pair(b, name, node_text(value));
    }
}

/* Content of <OperationResult>; some operations answer without it, and EC2 always does. */
static const struct node *result_of(struct arena *a, const struct node *root, const char *operation)
{
    const struct node *result = node_get(root, str_fmt(a, "%sResult", operation));
    return node_is(result, NODE_MAP) ? result : node_is(root, NODE_MAP) ? root : node_map(a);
}

int query_send(struct arena *a, struct aws *aws, const char *service, const char *operation,
               const struct node *params, const struct credentials *credentials,
               const struct node **ret, struct err *err)
{
    struct call call = {.service = aws_service_find(service),
                        .operation = operation,
                        .method = "POST",
                        .path = STR("/"),
                        .credentials = credentials};
    if (!call.service || !call.service->version)
        return err_set(err, ERR_FAILED, "'%s' is no service of the query protocol", service);
    struct buf body = BUF(a);
    buf_fmt(&body, "Action=%s&Version=%s", operation, call.service->version);
    member_each (m, params)
        flatten(&body, m->key, m->value);
    call.body = buf_str(&body);
    call_header(&call, "Content-Type", STR("application/x-www-form-urlencoded; charset=utf-8"));
    struct aws_answer answer;
    if (call_send(a, aws, &call, &answer, err) < 0)
        return -1;
    const struct node *root = xml_read(a, answer.body, NULL, err);
    if (!root)
        return err_wrap(err, "%s: unusable answer", operation);
    if (ret)
        *ret = result_of(a, root, operation);
    return 0;
}

int aws_query(struct arena *a, struct aws *aws, const char *service, const char *operation,
              const struct node *params, const struct node **ret, struct err *err)
{
    return query_send(a, aws, service, operation, params, NULL, ret, err);
}
