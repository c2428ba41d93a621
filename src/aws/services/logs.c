/* CloudWatch Logs' operations. */
#include "aws/client/aws_internal.h"

#include "base/vec.h"
#include "aws/services/destroy.h"

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

int logs_filter(struct arena *a, struct aws *aws, const struct log_filter *filter,
                struct log_events *ret, struct err *err)
{
    struct pages p = {0};
    const struct node *answer;
    do { /* an empty page need not be the last. Source: API reference, FilterLogEvents */
        struct node *body = node_map(a);
        node_put_str(a, body, "logGroupName", filter->group);
        node_put_str(a, body, "logStreamNamePrefix", filter->prefix);
        node_put_c(a, body, "startTime", node_int(a, filter->start_ms));
        if (filter->pattern.n)
            node_put_str(a, body, "filterPattern", filter->pattern);
        if (p.token.n)
            node_put_str(a, body, "nextToken", p.token);
        if (aws_json(a, aws, "logs", "FilterLogEvents", body, &answer, err) < 0)
            return -1;
        node_each (event, node_get_c(answer, "events")) {
            struct log_event e = read_event(event);
            e.order = ret->n;
            vec_push(a, ret, e);
        }
    } while (page_next(&p, "FilterLogEvents", text_of(answer, "nextToken"), err));
    return err->kind ? -1 : 0;
}

int logs_group(struct arena *a, struct aws *aws, struct str name, struct log_group *ret,
               struct err *err)
{
    struct node *body = node_map(a);
    const struct node *answer, *tags;
    *ret = (struct log_group){.name = {"", 0}};
    node_put_str(a, body, "logGroupNamePrefix", name);
    do { /* the group of exactly this name comes first, but pages may be empty */
        if (aws_json(a, aws, "logs", "DescribeLogGroups", body, &answer, err) < 0)
            return -1;
        node_each (group, node_get_c(answer, "logGroups")) {
            if (!str_eq(text_of(group, "logGroupName"), name))
                continue;
            ret->name = name;
            ret->arn = text_of(group, "arn");
            ret->retention_days = node_int_or(node_get_c(group, "retentionInDays"), 0);
        }
        node_put_str(a, body, "nextToken", text_of(answer, "nextToken"));
    } while (!ret->name.n && text_of(answer, "nextToken").n);
    if (!ret->name.n)
        return 0;
    if (str_ends(ret->arn, STR(":*")))
        ret->arn.n -= 2;
    body = node_map(a);
    node_put_str(a, body, "resourceArn", ret->arn);
    if (aws_json(a, aws, "logs", "ListTagsForResource", body, &tags, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err); /* the group was deleted meanwhile */
        ret->name = (struct str){"", 0};
        return 0;
    }
    ret->tags = node_get_c(tags, "tags");
    return 0;
}

int logs_delete_group(struct arena *a, struct aws *aws, struct str group, struct err *err)
{
    struct node *body = node_map(a);
    node_put_str(a, body, "logGroupName", group);
    if (aws_json(a, aws, "logs", "DeleteLogGroup", body, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}
