/* `cloudwatchLog`: a subscription filter of a log group. A function has one permission for all of
 * its groups: for the beginning that their names have in common. */
#include "compile/compile_internal.h"

#include "base/buf.h"

struct log_state {
    struct map groups;     /* name -> struct log_group * */
    size_t function_index; /* that `common` belongs to */
    struct str common;     /* what the groups of that function begin with; p NULL: none yet */
};

struct log_group {
    size_t count; /* of its filters */
    struct pos first;
};

/* Source: CloudWatch Logs quotas, "Subscription filters" */
enum { FILTERS_MAX = 2 };

static int log_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->log = ARENA_NEW(c->arena, struct log_state);
    c->log->groups = MAP(c->arena);
    c->log->function_index = SIZE_MAX;
    return 0;
}

static int count_filter(struct compilation *c, const struct event *event, struct str name,
                        struct err *err)
{
    struct log_group *group = map_get(&c->log->groups, name);
    if (!group) {
        group = ARENA_NEW(c->arena, struct log_group);
        group->first = event->pos;
        map_put(&c->log->groups, name, group);
    }
    if (++group->count <= FILTERS_MAX)
        return 0;
    err_at(err, event->pos, ERR_CONFIG,
           "log group '%.*s' gets more than %d subscription filters, which is all it can have",
           STR_ARG(name), FILTERS_MAX);
    return err_note(err, group->first, "the first one is here");
}

static bool has_before(struct str s, char c, size_t end)
{
    ptrdiff_t at = str_find_char(s, c, 0);
    return at >= 0 && (size_t)at < end;
}

/* A filter whose first quote is escaped is unescaped once. */
static const struct node *filter_pattern(struct arena *a, const struct node *filter)
{
    if (!filter)
        return node_c(a, "");
    const struct node *line = node_one_line(a, filter);
    struct str s = line->text;
    ptrdiff_t quote = str_find_char(s, '"', 0);
    if (quote < 0 || !has_before(s, '\\', (size_t)quote))
        return line;
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n; i++) {
        bool is_escaped = s.p[i] == '\\' && i + 1 < s.n &&
                          (s.p[i + 1] == '"' || s.p[i + 1] == '\\' || s.p[i + 1] == '\'');
        i += is_escaped;
        buf_char(&b, s.p[i]);
    }
    return node_from(node_str(a, buf_str(&b)), line);
}

/* What the groups of the function begin with, this one included. */
static const struct node *common_name(struct compilation *c, const struct event *event,
                                      const struct node *group)
{
    struct log_state *log = c->log;
    if (log->function_index != event->function_index) {
        log->function_index = event->function_index;
        log->common = group->text;
        return group;
    }
    size_t n = 0;
    while (n < log->common.n && n < group->text.n && log->common.p[n] == group->text.p[n])
        n++;
    log->common = str_sub(log->common, 0, n);
    return node_from(node_str(c->arena, str_concat(c->arena, log->common, STR("*"))), group);
}

static void set_permission(struct compilation *c, const struct event *event, struct str id,
                           const struct node *group)
{
    struct arena *a = c->arena;
    const struct node *principal =
        node_join(a, "",
                  NODE_LIST(a, node_c(a, "logs."), node_ref(a, STR("AWS::Region")),
                            node_c(a, ".amazonaws.com")));
    const struct node *source =
        node_join(a, "",
                  NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                            node_c(a, ":logs:"), node_ref(a, STR("AWS::Region")), node_c(a, ":"),
                            node_ref(a, STR("AWS::AccountId")), node_c(a, ":log-group:"),
                            common_name(c, event, group), node_c(a, ":*")));
    struct node *permission = permission_new(a, target_arn(c, event->function), principal, source);
    struct function_alias alias;
    if (function_alias(c, event->function, &alias))
        node_put_c(a, permission, "DependsOn", NODE_LIST(a, node_str(a, alias.id)));
    resource_set(c, id, permission, event->pos);
}

static int log_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    const struct node *group =
        node_is(event->node, NODE_MAP) ? node_get_c(event->node, "logGroup") : event->node;
    const struct node *filter = node_setting(event->node, NULL, "filter");
    if (!node_is(group, NODE_STRING) || (filter && !node_is(filter, NODE_STRING))) {
        err_at(err, group ? group->pos : event->pos, ERR_CONFIG,
               "'logGroup' and 'filter' must be texts");
        return err_help(err, "of a log group in 'resources', write the name that it has there");
    }
    group = node_one_line(a, group);
    if (count_filter(c, event, group->text, err) < 0)
        return -1;
    struct str permission = name_with(c, f, "LambdaPermissionLogsSubscriptionFilterCloudWatchLog");
    struct node *p = node_map(a);
    node_put_c(a, p, "LogGroupName", group);
    node_put_c(a, p, "FilterPattern", filter_pattern(a, filter));
    node_put_c(a, p, "DestinationArn", target_arn(c, f));
    struct node *resource = resource_new(a, "AWS::Logs::SubscriptionFilter", p);
    node_put_c(a, resource, "DependsOn", depends_on_permission(c, f, permission));
    set_permission(c, event, permission, group);
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, f, "LogsSubscriptionFilterCloudWatchLog")),
                event_number(event));
    return resource_add(c, id, resource, event->pos, err);
}

const struct event_type event_cloudwatch_log = {"cloudwatchLog", log_begin, log_compile, NULL};
