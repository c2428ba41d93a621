/* `iot`: a topic rule of AWS IoT that calls the function. */
#include "compile/compile_internal.h"

static void put_line(struct arena *a, struct node *out, const char *to, const struct node *settings,
                     const char *from)
{
    const struct node *n = node_setting(settings, NULL, from);
    if (n)
        node_put_c(a, out, to, node_one_line(a, n));
}

static int add_permission(struct compilation *c, const struct event *event, struct str rule,
                          struct err *err)
{
    struct arena *a = c->arena;
    const struct node *source = node_join(
        a, "",
        NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")), node_c(a, ":iot:"),
                  node_ref(a, STR("AWS::Region")), node_c(a, ":"),
                  node_ref(a, STR("AWS::AccountId")), node_c(a, ":rule/"), node_ref(a, rule)));
    struct node *permission =
        permission_new(a, target_arn(c, event->function), node_c(a, "iot.amazonaws.com"), source);
    depend_on_alias(c, permission, event->function);
    struct str id = str_fmt(a, "%.*s%zu",
                            STR_ARG(name_with(c, event->function, "LambdaPermissionIotTopicRule")),
                            event_number(event));
    return resource_add(c, id, permission, event->pos, err);
}

static int iot_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node, *sql = node_get_c(settings, "sql");
    if (!node_is(sql, NODE_STRING))
        return err_at(err, sql ? sql->pos : event->pos, ERR_CONFIG, "'sql' must be a text");
    struct node *payload = node_map(a), *p = node_map(a);
    node_put_c(a, payload, "RuleDisabled",
               node_bool(a, !node_bool_or(node_get_c(settings, "enabled"), true)));
    node_put_c(a, payload, "Sql", node_one_line(a, sql));
    node_put_c(a, payload, "Actions",
               NODE_LIST(a, node_fn(a, "Lambda",
                                    node_fn(a, "FunctionArn", target_arn(c, event->function)))));
    put_line(a, payload, "Description", settings, "description");
    put_line(a, payload, "AwsIotSqlVersion", settings, "sqlVersion");
    put_line(a, p, "RuleName", settings, "name");
    node_put_c(a, p, "TopicRulePayload", payload);
    struct node *rule = resource_new(a, "AWS::IoT::TopicRule", p);
    depend_on_alias(c, rule, event->function);
    struct str id = str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, event->function, "IotTopicRule")),
                            event_number(event));
    if (resource_add(c, id, rule, event->pos, err) < 0)
        return -1;
    return add_permission(c, event, id, err);
}

const struct event_type event_iot = {"iot", NULL, iot_compile, NULL};
