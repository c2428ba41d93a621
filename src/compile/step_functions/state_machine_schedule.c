/* `schedule` and `cloudwatchEvent` or `eventBridge` events of state machines: rules, schedules of
 * EventBridge Scheduler, and the role by which these start a machine. */
#include "compile/step_functions/step_functions.h"

#include "doc/json.h"

#define STARTED_BY_RULE "events.amazonaws.com"
#define STARTED_BY_SCHEDULER "scheduler.amazonaws.com"

/* ---- what both kinds say ---- */

static const struct node *state_of(struct arena *a, const struct node *settings)
{
    const struct node *enabled = node_get_c(settings, "enabled");
    bool is_off = node_is(enabled, NODE_BOOL) && !enabled->boolean;
    return node_from(node_c(a, is_off ? "DISABLED" : "ENABLED"), enabled);
}

/* A text as the plugin pastes it into one of JSON. */
static void put_text(struct arena *a, struct node *out, const char *key,
                     const struct node *settings, const char *from)
{
    const struct node *n = node_get_c(settings, from);
    if (node_truthy(n))
        node_put_c(a, out, key, node_templated(a, n, false));
}

static const struct node *input_text(struct arena *a, const struct node *input)
{
    if (!node_truthy(input))
        return NULL;
    return node_templated(a, node_is(input, NODE_STRING) ? input : node_stringified(a, input),
                          true);
}

static const struct node *transformer_of(struct arena *a, const struct node *given)
{
    const struct node *template = node_get_c(given, "inputTemplate");
    struct node *out = node_map(a);
    if (!node_truthy(given))
        return NULL;
    copy_member(a, out, "InputPathsMap", given, "inputPathsMap");
    if (template)
        node_put_c(a, out, "InputTemplate", node_templated(a, template, true));
    return out;
}

static const struct node *retries(struct arena *a, const struct node *given)
{
    struct node *out = node_map(a);
    if (!node_truthy(given))
        return NULL;
    copy_member(a, out, "MaximumEventAgeInSeconds", given, "maximumEventAgeInSeconds");
    copy_member(a, out, "MaximumRetryAttempts", given, "maximumRetryAttempts");
    return out;
}

static int check_input(const struct node *settings, struct err *err)
{
    static const char *const keys[] = {"input", "inputPath", "inputTransformer"};
    const struct node *seen = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *n = node_get_c(settings, keys[i]);
        if (!node_truthy(n))
            continue;
        if (seen)
            return err_at(err, node_pos(n), ERR_CONFIG,
                          "only one of 'input', 'inputPath' and 'inputTransformer' can be said");
        seen = n;
    }
    return 0;
}

static const struct node *role_arn(struct arena *a, const struct node *given, struct str own)
{
    return node_truthy(given) ? given : node_get_att(a, own, "Arn");
}

/* The role that starts the machine, unless the event names one. */
static void role_add(struct compilation *c, const struct state_machine *machine, struct str id,
                     const char *service, const char *what, const struct node *given,
                     struct pos pos)
{
    struct arena *a = c->arena;
    bool is_schedule = str_eq(str_c(what), STR("schedule"));
    if (node_truthy(given))
        return;
    resource_merge(c, id,
                   starter_role(c, service, starter_policy_name(c, machine, what),
                                NODE_LIST(a, node_c(a, "states:StartExecution")),
                                node_ref(a, machine->id), is_schedule),
                   pos);
}

/* ---- schedules ---- */

/* Settings that only one of the two kinds has. */
static const struct {
    const char *key;
    bool of_scheduler;
} exclusive[] = {
    {"inputTransformer", false}, {"inputPath", false}, {"timezone", true}, {"retryPolicy", false}};

static int check_schedule(const struct node *settings, bool is_scheduler, struct err *err)
{
    for (size_t i = 0; i < sizeof exclusive / sizeof *exclusive; i++) {
        const struct node *n = node_get_c(settings, exclusive[i].key);
        if (node_truthy(n) && exclusive[i].of_scheduler != is_scheduler)
            return err_at(err, node_pos(n), ERR_CONFIG, "'%s' %s 'method: scheduler'",
                          exclusive[i].key, is_scheduler ? "does not work with" : "needs");
    }
    return check_input(settings, err);
}

static struct node *scheduler_new(struct compilation *c, const struct state_machine *machine,
                                  const struct node *settings, const struct node *rate,
                                  const struct node *role)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *target = node_map(a);
    node_put_c(a, p, "ScheduleExpression", rate);
    node_put_c(a, p, "State", state_of(a, settings));
    put_text(a, p, "ScheduleExpressionTimezone", settings, "timezone");
    put_text(a, p, "Name", settings, "name");
    put_text(a, p, "Description", settings, "description");
    node_put_c(a, target, "Arn", node_ref(a, machine->id));
    node_put_c(a, target, "RoleArn", role);
    node_put_c(a, target, "Input", input_text(a, node_get_c(settings, "input")));
    node_put_c(a, p, "Target", target);
    node_put_c(a, p, "FlexibleTimeWindow", node_fn(a, "Mode", node_c(a, "OFF")));
    return resource_new(a, "AWS::Scheduler::Schedule", p);
}

static struct node *rule_new(struct compilation *c, const struct state_machine *machine,
                             const struct node *settings, const struct node *rate,
                             const struct node *role)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *target = node_map(a);
    node_put_c(a, p, "ScheduleExpression", rate);
    node_put_c(a, p, "State", state_of(a, settings));
    put_text(a, p, "Name", settings, "name");
    put_text(a, p, "Description", settings, "description");
    node_put_c(a, target, "Input", input_text(a, node_get_c(settings, "input")));
    put_text(a, target, "InputPath", settings, "inputPath");
    node_put_c(a, target, "InputTransformer",
               transformer_of(a, node_get_c(settings, "inputTransformer")));
    node_put_c(a, target, "Arn", node_ref(a, machine->id));
    node_put_c(a, target, "Id",
               node_str(a, str_concat(a, machine->key, STR("StepFunctionsSchedule"))));
    node_put_c(a, target, "RetryPolicy", retries(a, node_get_c(settings, "retryPolicy")));
    node_put_c(a, target, "RoleArn", role);
    node_put_c(a, p, "Targets", NODE_LIST(a, target));
    return resource_new(a, "AWS::Events::Rule", p);
}

static int schedule_add(struct compilation *c, const struct state_machine *machine,
                        const struct member *event, size_t number, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->value, *given = node_get_c(settings, "role");
    const struct node *rate = node_is(settings, NODE_MAP) ? node_get_c(settings, "rate") : settings;
    bool is_scheduler = node_is_text(node_get_c(settings, "method"), "scheduler");
    if (!node_truthy(rate) || !node_is(rate, NODE_STRING)) {
        err_at(err, event->key_pos, ERR_CONFIG, "'rate' is missing");
        return err_help(err, "write 'rate(5 minutes)' or 'cron(0 12 * * ? *)'");
    }
    if (check_schedule(settings, is_scheduler, err) < 0)
        return -1;
    struct str role_id = machine_id_with(c, machine, "ScheduleToStepFunctionsRole");
    const struct node *role = role_arn(a, given, role_id);
    struct node *resource = (is_scheduler ? scheduler_new : rule_new)(
        c, machine, settings, node_templated(a, rate, false), role);
    const char *kind =
        is_scheduler ? "StepFunctionsSchedulerSchedule" : "StepFunctionsEventsRuleSchedule";
    struct str id = str_fmt(a, "%.*s%zu", STR_ARG(machine_id_with(c, machine, kind)), number);
    role_add(c, machine, role_id, is_scheduler ? STARTED_BY_SCHEDULER : STARTED_BY_RULE, "schedule",
             given, event->key_pos);
    return resource_add(c, id, resource, event->key_pos, err);
}

/* ---- rules with a pattern ---- */

/* The pattern without line ends in its texts. */
static const struct node *pattern_of(struct arena *a, const struct node *given, struct err *err)
{
    struct str json = node_text(node_stringified(a, given));
    json = str_replace(a, str_replace(a, json, STR("\\n"), STR("")), STR("\\r"), STR(""));
    const struct node *read = json_parse(a, STR("event"), json, err);
    if (!read) {
        err->pos = node_pos(given);
        return NULL;
    }
    struct node *out = node_shallow(a, read);
    out->pos = node_pos(given);
    out->flags |= (uint8_t)node_flags_deep(given);
    return out;
}

/* Without the signs "\n" and "\r". */
static const struct node *without_escapes(struct arena *a, const struct node *input)
{
    struct str s = node_text(node_is(input, NODE_STRING) ? input : node_stringified(a, input));
    s = str_replace(a, str_replace(a, s, STR("\\n"), STR("")), STR("\\r"), STR(""));
    struct node *out = node_from(node_str(a, s), input);
    out->flags |= (uint8_t)node_flags_deep(input);
    return out;
}

static struct node *event_target(struct compilation *c, const struct state_machine *machine,
                                 const struct node *settings, const struct node *role)
{
    struct arena *a = c->arena;
    const struct node *input = node_get_c(settings, "input");
    const struct node *path = node_get_c(settings, "inputPath");
    const struct node *dead_letter = node_get_c(settings, "deadLetterConfig");
    struct node *target = node_map(a);
    if (node_truthy(input))
        node_put_c(a, target, "Input", node_templated(a, without_escapes(a, input), true));
    if (node_truthy(path))
        node_put_c(a, target, "InputPath", node_templated(a, node_one_line(a, path), false));
    node_put_c(a, target, "InputTransformer",
               transformer_of(a, node_get_c(settings, "inputTransformer")));
    node_put_c(a, target, "Arn", node_ref(a, machine->id));
    node_put_c(a, target, "Id", node_str(a, str_concat(a, machine->key, STR("CloudWatchEvent"))));
    if (dead_letter)
        node_put_c(a, target, "DeadLetterConfig", node_fn(a, "Arn", dead_letter));
    node_put_c(a, target, "RetryPolicy", retries(a, node_get_c(settings, "retryPolicy")));
    node_put_c(a, target, "RoleArn", role);
    return target;
}

static int rule_add(struct compilation *c, const struct state_machine *machine,
                    const struct member *event, size_t number, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->value, *given = node_get_c(settings, "iamRole");
    const struct node *bus = node_get_c(settings, "eventBusName");
    struct str role_id = machine_id_with(c, machine, "EventToStepFunctionsRole");
    if (!node_truthy(node_get_c(settings, "event")))
        return err_at(err, event->key_pos, ERR_CONFIG, "'event' is missing");
    const struct node *pattern =
        check_input(settings, err) < 0 ? NULL : pattern_of(a, node_get_c(settings, "event"), err);
    if (!pattern)
        return -1;
    struct node *p = node_map(a);
    if (bus)
        node_put_c(a, p, "EventBusName", bus);
    node_put_c(a, p, "EventPattern", pattern);
    node_put_c(a, p, "State", state_of(a, settings));
    put_text(a, p, "Description", settings, "description");
    put_text(a, p, "Name", settings, "name");
    node_put_c(a, p, "Targets",
               NODE_LIST(a, event_target(c, machine, settings, role_arn(a, given, role_id))));
    struct str id = str_fmt(
        a, "%.*s%zu", STR_ARG(machine_id_with(c, machine, "EventsRuleCloudWatchEvent")), number);
    role_add(c, machine, role_id, STARTED_BY_RULE, "event", given, event->key_pos);
    return resource_add(c, id, resource_new(a, "AWS::Events::Rule", p), event->key_pos, err);
}

/* ---- walking the events ---- */

typedef int event_add(struct compilation *c, const struct state_machine *machine,
                      const struct member *event, size_t number, struct err *err);

static int each_event(struct compilation *c, const struct state_machine *machine,
                      const char *const *keys, event_add *add, struct err *err)
{
    size_t number = 0;
    node_each (entry, node_get_c(machine->node, "events")) {
        const struct member *event = NULL;
        for (size_t i = 0; keys[i] && !(event && node_truthy(event->value)); i++)
            event = node_member(entry, str_c(keys[i]));
        struct err one = {0};
        if (event && node_truthy(event->value) && add(c, machine, event, ++number, &one) < 0)
            err_wrap(&one, "event '%.*s'", STR_ARG(event->key));
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

int state_machine_schedules(struct compilation *c, const struct state_machine *machine,
                            struct err *err)
{
    static const char *const keys[] = {"schedule", NULL};
    return each_event(c, machine, keys, schedule_add, err);
}

int state_machine_rules(struct compilation *c, const struct state_machine *machine, struct err *err)
{
    static const char *const keys[] = {"cloudwatchEvent", "eventBridge", NULL};
    return each_event(c, machine, keys, rule_add, err);
}
