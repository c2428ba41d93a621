/* CloudWatch Logs: groups and their tags. */
#include "check.h"

#include "fake_aws.h"

#include "doc/json.h"

#define ARN "arn:aws:logs:eu-central-1:" FAKE_ACCOUNT ":log-group:"

static struct fake_log_group *find(struct fake_aws *aws, struct str name)
{
    for (size_t i = 0; i < aws->log_groups.n; i++)
        if (str_eq(aws->log_groups.p[i].name, name))
            return &aws->log_groups.p[i];
    return NULL;
}

void fake_log_group_add(struct fake_aws *aws, const char *name, int64_t retention_days,
                        const struct node *tags)
{
    pthread_mutex_lock(&aws->lock);
    vec_push(aws->arena, &aws->log_groups,
             (struct fake_log_group){str_dup(aws->arena, str_c(name)), retention_days, tags});
    pthread_mutex_unlock(&aws->lock);
}

bool fake_log_group_is(struct fake_aws *aws, const char *name)
{
    pthread_mutex_lock(&aws->lock);
    bool is = find(aws, str_c(name));
    pthread_mutex_unlock(&aws->lock);
    return is;
}

/* "Logs_20140328.DeleteLogGroup" */
const char *fake_target_operation(const struct fake_request *q)
{
    struct str target = fake_header(q, "x-amz-target"), version;
    str_cut(&target, '.', &version);
    return str_z(q->arena, target);
}

/* A page of one group each: the caller has to go on. */
static void describe(struct fake_aws *aws, const struct fake_request *q, const struct node *body,
                     struct reply *ret)
{
    struct arena *a = q->arena;
    struct str prefix = node_text(node_get_c(body, "logGroupNamePrefix"));
    struct node *out = node_map(a), *groups = node_seq(a);
    int64_t from = 0;
    str_to_int(node_text(node_get_c(body, "nextToken")), &from);
    for (size_t i = (size_t)from; i < aws->log_groups.n; i++) {
        const struct fake_log_group *g = &aws->log_groups.p[i];
        struct node *group = node_map(a);
        if (!str_starts(g->name, prefix))
            continue;
        node_put_str(a, group, "logGroupName", g->name);
        node_put_c(a, group, "arn", node_strf(a, ARN "%.*s:*", STR_ARG(g->name)));
        if (g->retention_days)
            node_put_c(a, group, "retentionInDays", node_int(a, g->retention_days));
        node_push(a, groups, group);
        node_put_c(a, out, "nextToken", node_strf(a, "%zu", i + 1));
        break;
    }
    node_put_c(a, out, "logGroups", groups);
    fake_json(q, out, ret);
}

void fake_logs(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct err err = {0};
    const struct node *body = json_parse(q->arena, STR("body"), q->body, &err);
    struct str name = node_text(node_get_c(body, "logGroupName"));
    struct str arn = node_text(node_get_c(body, "resourceArn"));
    err_clear(&err);
    if (str_eq(q->operation, STR("DescribeLogGroups"))) {
        describe(aws, q, body, ret);
        return;
    }
    struct fake_log_group *found = find(aws, arn.n ? str_sub(arn, strlen(ARN), arn.n) : name);
    struct node *out = node_map(q->arena);
    if (!found) {
        fake_refuse(q, 400, "ResourceNotFoundException", "The specified log group does not exist.",
                    ret);
    } else if (str_eq(q->operation, STR("ListTagsForResource"))) {
        node_put_c(q->arena, out, "tags", found->tags ? found->tags : node_map(q->arena));
        fake_json(q, out, ret);
    } else {
        *found = aws->log_groups.p[--aws->log_groups.n];
        fake_json(q, out, ret);
    }
}
