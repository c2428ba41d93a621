/* `eventBridge`: a rule of an event bus; the bus too when it is named and not there yet. */
#include "compile/events/event_event_bridge.h"

#include "base/hash.h"

enum { NAME_MAX_LENGTH = 64, HASHED_STEM = 31 };

/* The event bus of one event. */
struct bus {
    const struct node *name; /* EventBusName; NULL: the default bus */
    struct str id;           /* logical id when the service makes it, else empty */
};

/* `name`; when it is longer than EventBridge takes, its beginning, a hash of the whole, and
 * `suffix`. */
static struct str hashed(struct arena *a, struct str name, struct str suffix)
{
    if (name.n <= NAME_MAX_LENGTH)
        return name;
    return str_fmt(a, "%.*s%.*s-%.*s", STR_ARG(str_sub(name, 0, HASHED_STEM - suffix.n)),
                   STR_ARG(md5_hex(a, name)), STR_ARG(suffix));
}

/* What the rule names of `f` start with. Each stage has rules of its own; named after a shared
 * function, the rules of two stages would have one name. */
static const struct node *rule_stem(struct compilation *c, const struct function *f)
{
    if (!name_is_shared(c, f))
        return name_function(c, f);
    return node_staged(c, str_fmt(c->arena, "%.*s-%.*s", STR_ARG(name_prefix(c)), STR_ARG(f->key)));
}

static int read_bus(struct compilation *c, const struct event *event, struct bus *bus,
                    struct err *err)
{
    struct arena *a = c->arena;
    const struct node *given = node_setting(event->node, NULL, "eventBus");
    bool is_arn = node_is(given, NODE_STRING) && str_starts(given->text, STR("arn"));
    *bus = (struct bus){.name = given};
    if (is_arn)
        bus->name = node_from(
            node_str(a, str_sub(given->text, (size_t)(str_find_char(given->text, '/', 0) + 1),
                                SIZE_MAX)),
            given);
    if (node_is_text(bus->name, "default"))
        bus->name = NULL;
    if (!bus->name || is_arn || !node_is(bus->name, NODE_STRING))
        return 0;
    bus->id = str_concat(a, name_alphanumeric(a, name_normalize(a, bus->name->text)),
                         STR("EventBridgeEventBus"));
    struct node *resource = resource_new(a, "AWS::Events::EventBus", node_fn(a, "Name", bus->name));
    return resource_share(c, bus->id, resource, event->pos, err);
}

/* ---- the target ---- */

/* InputTransformer, or NULL. */
static const struct node *transformer(struct arena *a, const struct node *settings)
{
    const struct node *given = node_setting(settings, NULL, "inputTransformer");
    struct node *t = node_map(a);
    if (!given)
        return NULL;
    member_each (m, node_entries(a, given))
        node_put_at(a, t, str_upper_first(a, m->key), m->key_pos, m->value);
    return t;
}

static void put_input(struct arena *a, struct node *target, const struct node *settings)
{
    const struct node *input = node_setting(settings, NULL, "input");
    if (input)
        node_put_c(a, target, "Input", node_stringified(a, input));
    node_put_c(a, target, "InputPath", node_setting(settings, NULL, "inputPath"));
    node_put_c(a, target, "InputTransformer", transformer(a, settings));
}

static const struct node *rule_target(struct compilation *c, const struct event *event,
                                      const struct node *rule_name)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node;
    const struct node *retry = node_setting(settings, NULL, "retryPolicy");
    const struct node *letters = node_setting(settings, NULL, "deadLetterQueueArn");
    struct node *target = node_map(a);
    struct str id = str_concat(a, node_text(rule_name), STR("-target"));
    node_put_c(a, target, "Arn", target_arn(c, event->function));
    node_put_c(a, target, "Id", node_from(node_str(a, hashed(a, id, STR("target"))), rule_name));
    if (retry) {
        struct node *policy = node_map(a);
        copy_member(a, policy, "MaximumEventAgeInSeconds", retry, "maximumEventAge");
        copy_member(a, policy, "MaximumRetryAttempts", retry, "maximumRetryAttempts");
        node_put_c(a, target, "RetryPolicy", policy);
    }
    if (letters)
        node_put_c(a, target, "DeadLetterConfig", node_fn(a, "Arn", letters));
    put_input(a, target, settings);
    return target;
}

/* ---- rule and permission ---- */

static void depend_on_bus(struct compilation *c, struct node *rule, const struct bus *bus)
{
    struct arena *a = c->arena;
    const struct node *alias = node_get_c(rule, "DependsOn");
    if (!bus->id.n)
        return;
    const struct node *id = node_str(a, bus->id);
    node_put_c(a, rule, "DependsOn", alias ? NODE_LIST(a, alias, id) : id);
}

static int add_permission(struct compilation *c, const struct event *event, const struct bus *bus,
                          const struct node *rule_name, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *path =
        node_join(a, "/", NODE_LIST(a, node_c(a, "rule"), bus->name, rule_name));
    const struct node *source = node_join(
        a, ":",
        NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")), node_c(a, "events"),
                  node_ref(a, STR("AWS::Region")), node_ref(a, STR("AWS::AccountId")), path));
    struct node *permission = permission_new(a, target_arn(c, event->function),
                                             node_c(a, "events.amazonaws.com"), source);
    depend_on_alias(c, permission, event->function);
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, event->function, "EventBridgeLambdaPermission")),
                event->index + 1);
    return resource_add(c, id, permission, event->pos, err);
}

static int event_bridge_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node, *name = node_setting(settings, NULL, "name");
    const struct node *enabled = node_get_c(settings, "enabled");
    const struct node *stem = rule_stem(c, event->function);
    struct str suffix = str_fmt(a, "rule-%zu", event->index + 1);
    struct str full = str_fmt(a, "%.*s-%.*s", STR_ARG(node_text(stem)), STR_ARG(suffix));
    struct bus bus;
    if (!node_get_c(settings, "pattern") && !node_get_c(settings, "schedule"))
        return err_at(err, event->pos, ERR_CONFIG, "'pattern' or 'schedule' is missing");
    if (event_check_input(event, err) < 0)
        return -1;
    if (!name)
        name = node_from(node_str(a, hashed(a, full, suffix)), stem);
    bool is_off = node_is(enabled, NODE_BOOL) && !enabled->boolean;
    const struct node *state = node_from(node_c(a, is_off ? "DISABLED" : "ENABLED"), enabled);
    if (c->rules && rule_check_custom(event, err) < 0)
        return -1;
    if (c->rules && c->options->naming == NAMING_FLAT)
        return rule_note_custom(c, event, name, state, transformer(a, settings), err);
    if (read_bus(c, event, &bus, err) < 0)
        return -1;
    struct node *p = node_map(a);
    copy_member(a, p, "Description", settings, "description");
    node_put_c(a, p, "EventBusName", bus.name);
    copy_member(a, p, "EventPattern", settings, "pattern");
    node_put_c(a, p, "Name", name);
    copy_member(a, p, "ScheduleExpression", settings, "schedule");
    node_put_c(a, p, "State", state);
    node_put_c(a, p, "Targets", NODE_LIST(a, rule_target(c, event, name)));
    struct node *rule = resource_new(a, "AWS::Events::Rule", p);
    depend_on_alias(c, rule, event->function);
    depend_on_bus(c, rule, &bus);
    struct str id = str_concat(a, name_alphanumeric(a, full), STR("EventBridgeRule"));
    if (resource_add(c, id, rule, event->pos, err) < 0)
        return -1;
    return add_permission(c, event, &bus, name, err);
}

/* With `provider.eventBridge` but not `useCloudFormation` the reference lets a custom resource make
 * the rules. With stages CloudFormation makes them all the same: it can, and takes back its own. */
static int event_bridge_begin(struct compilation *c, struct err *err)
{
    const struct node *options = node_get_c(c->provider, "eventBridge");
    (void)err;
    if (!is_dialect_4(c) && node_truthy(options) &&
        !node_truthy(node_get_c(options, "useCloudFormation")))
        c->rules = rules_new(c);
    return 0;
}

static int event_bridge_finish(struct compilation *c, struct err *err)
{
    return c->rules ? rules_finish_custom(c, err) : 0;
}

const struct event_type event_event_bridge = {"eventBridge", event_bridge_begin,
                                              event_bridge_compile, event_bridge_finish};
