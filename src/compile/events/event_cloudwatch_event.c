/* `cloudwatchEvent`: a rule of the default event bus, as it was written before `eventBridge`.
 *
 * The reference puts the texts of this event between quotes and reads the whole as JSON. So escapes
 * in them are undone, and line ends disappear; a text for which that fails stays as it is. */
#include "compile/compile_internal.h"

#include "doc/json.h"

/* `json` without the escapes of line ends. */
static struct str drop_line_ends(struct arena *a, struct str json)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < json.n; i++) {
        bool is_end =
            json.p[i] == '\\' && i + 1 < json.n && (json.p[i + 1] == 'n' || json.p[i + 1] == 'r');
        if (is_end)
            i++;
        else
            buf_char(&b, json.p[i]);
    }
    return buf_str(&b);
}

/* `text` as JSON between quotes reads it. */
static const struct node *unescaped(struct arena *a, struct str text, const struct node *from)
{
    struct err failed = {0};
    struct str quoted = str_concat(a, str_concat(a, STR("\""), text), STR("\""));
    const struct node *read = json_parse(a, STR("text"), quoted, &failed);
    return node_is(read, NODE_STRING) ? node_from(node_str(a, read->text), from) : from;
}

static struct str pattern_text(struct arena *a, struct str text)
{
    struct str json = json_text(a, node_str(a, text), 0), without = drop_line_ends(a, json);
    if (without.n == json.n)
        return text;
    struct err failed = {0};
    const struct node *read = json_parse(a, STR("pattern"), without, &failed);
    return node_is(read, NODE_STRING) ? read->text : text;
}

static const struct node *event_pattern(struct arena *a, const struct node *n)
{
    if (n->kind == NODE_STRING)
        return node_from(node_str(a, pattern_text(a, n->text)), n);
    if (n->kind == NODE_SEQ) {
        struct node *list = node_seq(a);
        node_each (item, n)
            node_push(a, list, event_pattern(a, item));
        return node_from(list, n);
    }
    if (n->kind != NODE_MAP)
        return n;
    struct node *map = node_map(a);
    member_each (m, n)
        node_put_at(a, map, pattern_text(a, m->key), m->key_pos, event_pattern(a, m->value));
    return node_from(map, n);
}

static const struct node *input_text(struct arena *a, const struct node *input)
{
    const struct node *text = node_is(input, NODE_MAP) || node_is(input, NODE_SEQ)
                                  ? node_stringified(a, input)
                                  : node_from(node_str(a, node_text(input)), input);
    struct str escaped = str_replace(a, text->text, STR("\""), STR("\\\""));
    return unescaped(a, drop_line_ends(a, escaped), text);
}

static const struct node *input_transformer(struct arena *a, const struct node *given)
{
    struct node *t = node_map(a);
    copy_member(a, t, "InputTemplate", given, "inputTemplate");
    node_put_c(a, t, "InputPathsMap", node_setting(given, NULL, "inputPathsMap"));
    return t;
}

static const struct node *rule_target(struct compilation *c, const struct event *event)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node, *input = node_setting(settings, NULL, "input");
    const struct node *path = node_setting(settings, NULL, "inputPath");
    const struct node *transformer = node_setting(settings, NULL, "inputTransformer");
    struct node *target = node_map(a);
    if (input)
        node_put_c(a, target, "Input", input_text(a, input));
    if (path)
        node_put_c(a, target, "InputPath",
                   unescaped(a, node_one_line(a, path)->text, node_one_line(a, path)));
    if (transformer)
        node_put_c(a, target, "InputTransformer", input_transformer(a, transformer));
    node_put_c(a, target, "Arn", target_arn(c, event->function));
    node_put_str(a, target, "Id", str_concat(a, event->function->key, STR("CloudWatchEvent")));
    return target;
}

static void put_text(struct arena *a, struct node *p, const char *to, const struct node *settings,
                     const char *from)
{
    const struct node *n = node_setting(settings, NULL, from);
    if (n)
        node_put_c(a, p, to, node_is(n, NODE_STRING) ? unescaped(a, n->text, n) : n);
}

static int rule_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    const struct node *settings = event->node, *pattern = node_get_c(settings, "event");
    bool is_on = node_bool_or(node_get_c(settings, "enabled"), true);
    if (node_empty(pattern))
        return err_at(err, event->pos, ERR_CONFIG, "'event' is missing");
    if (event_check_input(event, err) < 0)
        return -1;
    struct node *p = node_map(a);
    node_put_c(a, p, "EventPattern", event_pattern(a, pattern));
    node_put_c(a, p, "State", node_c(a, is_on ? "ENABLED" : "DISABLED"));
    put_text(a, p, "Description", settings, "description");
    put_text(a, p, "Name", settings, "name");
    node_put_c(a, p, "Targets", NODE_LIST(a, rule_target(c, event)));
    struct node *rule = resource_new(a, "AWS::Events::Rule", p);
    depend_on_alias(c, rule, f);
    size_t number = event_number(event);
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, f, "EventsRuleCloudWatchEvent")), number);
    if (resource_add(c, id, rule, event->pos, err) < 0)
        return -1;
    struct node *permission = permission_new(a, target_arn(c, f), node_c(a, "events.amazonaws.com"),
                                             node_get_att(a, id, "Arn"));
    depend_on_alias(c, permission, f);
    id = str_fmt(a, "%.*s%zu",
                 STR_ARG(name_with(c, f, "LambdaPermissionEventsRuleCloudWatchEvent")), number);
    return resource_add(c, id, permission, event->pos, err);
}

const struct event_type event_cloudwatch_event = {"cloudwatchEvent", NULL, rule_compile, NULL};
