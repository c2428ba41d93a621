/* `eventBridge` with `useCloudFormation: false`: a custom resource makes the rules. */
#include "compile/custom_resources.h"
#include "compile/events/event_event_bridge.h"

struct rules_state {
    struct node *rights; /* statements that the handler needs */
    struct pos pos;      /* of the first rule */
    bool has_buses;      /* one needs a bus that is not the account's default */
    bool has_rules;
};

struct rules_state *rules_new(struct compilation *c)
{
    struct rules_state *s = ARENA_NEW(c->arena, struct rules_state);
    s->rights = node_seq(c->arena);
    return s;
}

int rule_check_custom(const struct event *event, struct err *err)
{
    static const char *const unknown[] = {"retryPolicy", "deadLetterQueueArn"};
    const char *help = "remove 'eventBridge' from 'provider', so that CloudFormation makes the "
                       "rules";
    const struct node *bus = node_get_c(event->node, "eventBus");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        const struct node *n = node_get_c(event->node, unknown[i]);
        if (!node_truthy(n))
            continue;
        err_at(err, n->pos, ERR_CONFIG, "'%s' needs a rule that CloudFormation makes", unknown[i]);
        return err_help(err, "%s", help);
    }
    if (!node_is(bus, NODE_MAP))
        return 0;
    err_at(err, bus->pos, ERR_CONFIG,
           "a bus from a CloudFormation function needs a rule that CloudFormation makes");
    return err_help(err, "%s", help);
}

int rule_note_custom(struct compilation *c, const struct event *event, const struct node *name,
                     const struct node *state, const struct node *transformer, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = event->node, *bus = node_get_c(settings, "eventBus");
    struct node *rule = node_map(a), *p = node_map(a);
    node_put_c(a, rule, "RuleName", name);
    node_put_c(a, rule, "State", state);
    node_put_c(a, rule, "EventBus", bus);
    node_put_c(a, rule, "Schedule", node_get_c(settings, "schedule"));
    node_put_c(a, rule, "Pattern", node_get_c(settings, "pattern"));
    node_put_c(a, rule, "Input", node_get_c(settings, "input"));
    node_put_c(a, rule, "InputPath", node_get_c(settings, "inputPath"));
    node_put_c(a, rule, "InputTransformer", transformer);
    node_put_c(a, p, "EventBridgeConfig", rule);
    if (!c->rules->has_rules)
        c->rules->pos = event->pos;
    c->rules->has_rules = true;
    if (node_truthy(bus) && !node_is_text(bus, "default") && !c->rules->has_buses) {
        c->rules->has_buses = true;
        node_push(a, c->rules->rights,
                  statement_new(a, TEXTS(a, "events:CreateEventBus", "events:DeleteEventBus"),
                                custom_arn(a, "events", "event-bus/*", NULL)));
    }
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, event->function, "CustomEventBridge")),
                event->index + 1);
    return resource_add(c, id,
                        custom_resource_new(c, &custom_event_bridge, "Custom::EventBridge", p,
                                            event->function, STR("")),
                        event->pos, err);
}

int rules_finish_custom(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    struct rules_state *s = c->rules;
    if (!s->has_rules)
        return 0;
    node_push(a, s->rights,
              statement_new(a,
                            TEXTS(a, "events:PutRule", "events:RemoveTargets", "events:PutTargets",
                                  "events:DeleteRule"),
                            custom_arn(a, "events", "rule/*", NULL)));
    node_push(a, s->rights,
              statement_new(a, TEXTS(a, "lambda:AddPermission", "lambda:RemovePermission"),
                            custom_arn(a, "lambda", "function", "*")));
    return custom_handler_add(c, &custom_event_bridge, s->rights, s->pos, err);
}
