/* `alexaSkill` and `alexaSmartHome`: a permission for the skill. */
#include "compile/compile_internal.h"

static int add_permission(struct compilation *c, const struct event *event, const char *principal,
                          const char *suffix, const struct node *token, struct err *err)
{
    struct arena *a = c->arena;
    bool is_on = node_bool_or(node_get_c(event->node, "enabled"), true);
    struct node *p = node_map(a);
    node_put_c(a, p, "FunctionName", target_arn(c, event->function));
    node_put_c(a, p, "Action",
               node_c(a, is_on ? "lambda:InvokeFunction" : "lambda:DisableInvokeFunction"));
    node_put_c(a, p, "Principal", node_c(a, principal));
    node_put_c(a, p, "EventSourceToken", token);
    struct node *permission = resource_new(a, "AWS::Lambda::Permission", p);
    depend_on_alias(c, permission, event->function);
    struct str id =
        str_fmt(a, "%.*s%zu", STR_ARG(name_with(c, event->function, suffix)), event_number(event));
    return resource_add(c, id, permission, event->pos, err);
}

/* The id of the skill, NULL for none. */
static int read_token(const struct event *event, const struct node **ret, struct err *err)
{
    const struct node *n = event->node;
    *ret = node_is(n, NODE_MAP) ? node_setting(n, NULL, "appId") : n;
    if (!*ret || node_is(*ret, NODE_STRING))
        return 0;
    err_at(err, (*ret)->pos, ERR_CONFIG, "the id of a skill must be a text, not %s",
           node_kind_name(*ret));
    return err_help(err, "copy it from the Alexa developer console: amzn1.ask.skill.…");
}

static int skill_compile(struct compilation *c, const struct event *event, struct err *err)
{
    const struct node *token;
    if (read_token(event, &token, err) < 0)
        return -1;
    return add_permission(c, event, "alexa-appkit.amazon.com", "LambdaPermissionAlexaSkill", token,
                          err);
}

static int smart_home_compile(struct compilation *c, const struct event *event, struct err *err)
{
    const struct node *token;
    if (read_token(event, &token, err) < 0)
        return -1;
    if (!token)
        return err_at(err, event->pos, ERR_CONFIG, "'appId' is missing");
    return add_permission(c, event, "alexa-connectedhome.amazon.com",
                          "LambdaPermissionAlexaSmartHome", token, err);
}

const struct event_type event_alexa_skill = {"alexaSkill", NULL, skill_compile, NULL};
const struct event_type event_alexa_smart_home = {"alexaSmartHome", NULL, smart_home_compile, NULL};
