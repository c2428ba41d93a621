/* `schedule`: a rule of the default event bus, or a schedule of EventBridge Scheduler. */
#include "compile/compile_internal.h"

#include "doc/json.h"

struct schedule_state {
    size_t function_index;  /* that `count` belongs to */
    size_t count;           /* of expressions in that function so far: they number the resources */
    bool is_scheduler_seen; /* by that function */
    struct node *invoked;   /* what the scheduler's statement names */
};

/* What one event says, the same for all its expressions. */
struct schedule {
    const struct event *event;
    const struct node *input;
    bool is_scheduler;
};

static int schedule_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->schedule = ARENA_NEW(c->arena, struct schedule_state);
    c->schedule->function_index = SIZE_MAX;
    c->schedule->invoked = node_seq(c->arena);
    return 0;
}

/* ---- expressions ---- */

static bool is_count(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0 && s.p[0] != '0';
}

/* "1 minute", "5 hours" */
static bool is_rate(struct str s)
{
    static const char *const units[] = {"minute", "hour", "day"};
    struct str count;
    if (!str_cut(&s, ' ', &count) || !s.p || !is_count(count))
        return false;
    bool is_one = str_eq(count, STR("1"));
    if (!is_one && !str_ends(s, STR("s")))
        return false;
    struct str unit = is_one ? s : str_sub(s, 0, s.n - 1);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_eq(unit, str_c(units[i])))
            return true;
    return false;
}

/* Six fields, one space between. */
static bool is_cron(struct str s)
{
    size_t fields = 0;
    struct str field;
    while (str_cut(&s, ' ', &field)) {
        if (!field.n)
            return false;
        fields++;
    }
    return fields == 6;
}

static int check_expression(const struct compilation *c, const struct node *n, bool is_scheduler,
                            struct err *err)
{
    if (node_is(n, NODE_MAP))
        return 0;
    struct str s = node_text(n);
    ptrdiff_t open = str_find_char(s, '(', 0);
    struct str inner = open >= 0 && str_ends(s, STR(")"))
                           ? str_sub(s, (size_t)open + 1, s.n - (size_t)open - 2)
                           : STR("");
    if (str_starts(s, STR("rate("))   ? is_rate(inner)
        : str_starts(s, STR("cron(")) ? is_cron(inner)
                                      : is_scheduler && str_starts(s, STR("at(")) && inner.n > 0)
        return 0;
    err_at(err, node_pos(n), ERR_CONFIG, "'%.*s' is no schedule", STR_ARG(s));
    err_help(err, "write 'rate(5 minutes)', 'rate(1 hour)' or 'cron(0 12 * * ? *)'");
    return aws_refuses(c, err);
}

/* ---- values that go through the reference's text templates ---- */

/* `input` as text. A `body` that is JSON text is parsed first. NULL with `err` set on failure, NULL
 * without it when the event has no input. */
static const struct node *input_text(struct compilation *c, const struct node *input,
                                     bool is_scheduler, struct err *err)
{
    struct arena *a = c->arena;
    if (!node_truthy(input))
        return NULL;
    const struct node *body = node_get_c(input, "body");
    if (node_is(body, NODE_STRING)) {
        const struct node *parsed = json_parse(a, STR("body"), body->text, err);
        if (!parsed) {
            err->pos = body->pos; /* a position inside the parsed text is none of the file */
            err_wrap(err, "'body' must be JSON text");
            return NULL;
        }
        input = cfn_with(a, input, "body", parsed);
    }
    if (!node_is(input, NODE_STRING))
        input = node_stringified(a, input);
    return is_scheduler ? input : node_templated(a, input, true);
}

/* ---- the two kinds of resources ---- */

static const struct node *state_of(struct arena *a, const struct node *settings)
{
    const struct node *enabled = node_get_c(settings, "enabled");
    bool is_off = node_is(enabled, NODE_BOOL) && !enabled->boolean;
    return node_from(node_c(a, is_off ? "DISABLED" : "ENABLED"), enabled);
}

static int add_scheduler(struct compilation *c, const struct schedule *s,
                         const struct node *expression, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = s->event->function;
    const struct node *settings = s->event->node;
    const struct node *function = node_get(c->resources, name_function_id(c, f));
    struct node *target = node_map(a), *p = node_map(a);
    node_put_c(a, target, "Arn", target_arn(c, f));
    node_put_c(a, target, "RoleArn",
               node_or(node_get_c(settings, "roleArn"), node_path(function, "Properties.Role")));
    node_put_c(a, target, "Input", s->input);
    node_put_c(a, p, "ScheduleExpression", expression);
    node_put_c(a, p, "State", state_of(a, settings));
    node_put_c(a, p, "Target", target);
    node_put_c(a, p, "FlexibleTimeWindow", node_fn(a, "Mode", node_c(a, "OFF")));
    copy_member(a, p, "Name", settings, "name");
    copy_member(a, p, "GroupName", settings, "groupName");
    copy_member(a, p, "Description", settings, "description");
    copy_member(a, p, "ScheduleExpressionTimezone", settings, "timezone");
    struct node *resource = resource_new(a, "AWS::Scheduler::Schedule", p);
    depend_on_alias(c, resource, f);
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, f, "SchedulerSchedule")), c->schedule->count);
    return resource_add(c, id, resource, s->event->pos, err);
}

static const struct node *rule_target(struct compilation *c, const struct schedule *s)
{
    struct arena *a = c->arena;
    const struct node *settings = s->event->node;
    const struct node *transformer = node_get_c(settings, "inputTransformer");
    struct node *target = node_map(a);
    node_put_c(a, target, "Input", s->input);
    if (node_truthy(node_get_c(settings, "inputPath")))
        node_put_c(a, target, "InputPath",
                   node_templated(a, node_get_c(settings, "inputPath"), false));
    if (node_truthy(transformer)) {
        struct node *t = node_map(a);
        copy_member(a, t, "InputTemplate", transformer, "inputTemplate");
        node_put_c(a, t, "InputPathsMap", node_setting(transformer, NULL, "inputPathsMap"));
        node_put_c(a, target, "InputTransformer", t);
    }
    node_put_c(a, target, "Arn", target_arn(c, s->event->function));
    node_put_c(a, target, "Id",
               node_str(a, str_concat(a, s->event->function->key, STR("Schedule"))));
    return target;
}

static int add_rule(struct compilation *c, const struct schedule *s, const struct node *expression,
                    struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = s->event->function;
    const struct node *settings = s->event->node;
    struct node *p = node_map(a);
    node_put_c(a, p, "ScheduleExpression", expression);
    node_put_c(a, p, "State", state_of(a, settings));
    if (node_truthy(node_get_c(settings, "name")))
        node_put_c(a, p, "Name", node_templated(a, node_get_c(settings, "name"), false));
    if (node_truthy(node_get_c(settings, "description")))
        node_put_c(a, p, "Description",
                   node_templated(a, node_get_c(settings, "description"), false));
    node_put_c(a, p, "Targets", NODE_LIST(a, rule_target(c, s)));
    struct node *rule = resource_new(a, "AWS::Events::Rule", p);
    size_t i = c->schedule->count;
    struct str id = str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, f, "EventsRuleSchedule")), i);
    struct node *permission = permission_new(a, target_arn(c, f), node_c(a, "events.amazonaws.com"),
                                             node_get_att(a, id, "Arn"));
    depend_on_alias(c, rule, f);
    depend_on_alias(c, permission, f);
    struct str permission_id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, f, "LambdaPermissionEventsRuleSchedule")), i);
    if (resource_add(c, id, rule, s->event->pos, err) < 0)
        return -1;
    return resource_add(c, permission_id, permission, s->event->pos, err);
}

/* ---- the event ---- */

/* Settings that only one of the two kinds has. */
static const struct {
    const char *key;
    bool needs_scheduler;
} exclusive[] = {
    {"inputTransformer", false}, {"inputPath", false}, {"timezone", true}, {"groupName", true}};

static int check_settings(const struct node *settings, bool is_scheduler, size_t expressions,
                          struct err *err)
{
    for (size_t i = 0; i < sizeof exclusive / sizeof *exclusive; i++) {
        const struct node *n = node_get_c(settings, exclusive[i].key);
        if (!node_truthy(n) || exclusive[i].needs_scheduler == is_scheduler)
            continue;
        err_at(err, n->pos, ERR_CONFIG, "'%s' %s 'method: scheduler'", exclusive[i].key,
               is_scheduler ? "does not work with" : "needs");
        return err_help(err, "%s",
                        is_scheduler ? "remove it, or use 'method: eventBus'"
                                     : "add 'method: scheduler', or remove it");
    }
    const struct node *name = node_get_c(settings, "name");
    if (expressions > 1 && node_truthy(name)) {
        err_at(err, name->pos, ERR_CONFIG, "'name' cannot belong to %zu expressions", expressions);
        return err_help(err, "write one event per expression, each with its name");
    }
    return 0;
}

/* The scheduler assumes the function's role and calls the function with it. */
static void note_scheduler(struct compilation *c, const struct function *f)
{
    struct arena *a = c->arena;
    if (c->schedule->is_scheduler_seen)
        return;
    c->schedule->is_scheduler_seen = true;
    const struct node *name = name_function(c, f);
    static const char *const endings[] = {"", ":*"};
    for (size_t i = 0; i < 2; i++)
        node_push(a, c->schedule->invoked,
                  node_sub(a,
                           str_fmt(a,
                                   "arn:${AWS::Partition}:lambda:${AWS::Region}:"
                                   "${AWS::AccountId}:function:%.*s%s",
                                   STR_ARG(node_text(name)), endings[i]),
                           name));
}

static int schedule_compile(struct compilation *c, const struct event *event, struct err *err)
{
    struct schedule s = {.event = event};
    const struct node *rates = node_get_c(event->node, "rate");
    if (!node_is(rates, NODE_SEQ))
        rates =
            NODE_LIST(c->arena, node_is(event->node, NODE_MAP) && !node_get_c(event->node, "Ref")
                                    ? rates
                                    : event->node);
    if (!node_count(rates))
        return err_at(err, event->pos, ERR_CONFIG, "'rate' is missing");
    s.is_scheduler = node_is_text(node_get_c(event->node, "method"), "scheduler");
    if (check_settings(event->node, s.is_scheduler, rates->count, err) < 0)
        return -1;
    s.input = input_text(c, node_get_c(event->node, "input"), s.is_scheduler, err);
    if (err->kind)
        return -1;
    if (c->schedule->function_index != event->function_index) {
        c->schedule->function_index = event->function_index;
        c->schedule->count = 0;
        c->schedule->is_scheduler_seen = false;
    }
    if (s.is_scheduler)
        note_scheduler(c, event->function);
    node_each (expression, rates) {
        c->schedule->count++;
        if (check_expression(c, expression, s.is_scheduler, err) < 0 ||
            (s.is_scheduler ? add_scheduler : add_rule)(c, &s, expression, err) < 0)
            return -1;
    }
    return 0;
}

static int schedule_finish(struct compilation *c, struct err *err)
{
    (void)err;
    struct arena *a = c->arena;
    if (!c->schedule->invoked->count)
        return 0;
    node_push(a, c->role_services, node_c(a, "scheduler.amazonaws.com"));
    role_allow(
        c, statement_new(a, NODE_LIST(a, node_c(a, "lambda:InvokeFunction")), c->schedule->invoked),
        false);
    return 0;
}

const struct event_type event_schedule = {"schedule", schedule_begin, schedule_compile,
                                          schedule_finish};
