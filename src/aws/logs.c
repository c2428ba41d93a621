/* CloudWatch Logs' operations. */
#include "aws/internal.h"
#include "base/vec.h"

static struct log_event read_event(const struct node *n)
{
    struct str message = text_of(n, "message");
    while (message.n && (message.p[message.n - 1] == '\n' || message.p[message.n - 1] == '\r'))
        message.n--;
    return (struct log_event){.id = text_of(n, "eventId"),
                              .stream = text_of(n, "logStreamName"),
                              .message = message,
                              .time_ms = node_int_or(node_get_c(n, "timestamp"), 0)};
}

int logs_filter(struct arena *a, struct aws *aws, struct str group, struct str prefix,
                struct str pattern, int64_t start_ms, struct log_events *ret, struct err *err)
{
    struct str token = {"", 0};
    do { /* an empty page is not the end. Source: API reference, FilterLogEvents */
        struct node *body = node_map(a);
        const struct node *answer;
        node_put_str(a, body, "logGroupName", group);
        node_put_str(a, body, "logStreamNamePrefix", prefix);
        node_put_c(a, body, "startTime", node_int(a, start_ms));
        if (pattern.n)
            node_put_str(a, body, "filterPattern", pattern);
        if (token.n)
            node_put_str(a, body, "nextToken", token);
        if (aws_json(a, aws, "logs", "FilterLogEvents", body, &answer, err) < 0)
            return -1;
        node_each (event, node_get_c(answer, "events"))
            vec_push(a, ret, read_event(event));
        token = text_of(answer, "nextToken");
    } while (token.n);
    return 0;
}
