/* `alb`: a rule of a listener of an Application Load Balancer, and the target group it forwards to.
 * A function has one target group a load balancer, and another one with `multiValueHeaders`. */
#include "compile/compile_internal.h"

#include "base/hash.h"

enum { GROUP_NAME_MAX = 32 }; /* Source: ELB API reference, CreateTargetGroup */

/* One event. */
struct alb {
    const struct event *event;
    const struct node *listener; /* its ARN */
    struct str balancer;    /* what tells the load balancer: its id, or the listener's logical id */
    struct str listener_id; /* likewise the listener */
    const struct node *priority; /* NULL: none */
    bool is_multi_value;
    struct str group_id; /* logical id of the target group */
    struct str rule_id;  /* of the rule */
};

struct alb_state {
    struct alb *events; /* all so far */
    size_t count, room;
};

static int alb_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->alb = ARENA_NEW(c->arena, struct alb_state);
    return 0;
}

/* ---- reading ---- */

/* arn:aws:elasticloadbalancing:<region>:<account>:listener/app/<name>/<balancer>/<listener> */
static bool read_arn(struct str arn, struct alb *alb)
{
    ptrdiff_t at = str_find(arn, STR(":listener/app/"), 0);
    struct str rest = str_sub(arn, (size_t)at + sizeof ":listener/app/" - 1, SIZE_MAX), name;
    if (at < 0 || !str_starts(arn, STR("arn:")) || !str_cut(&rest, '/', &name) || !rest.p ||
        !str_cut(&rest, '/', &alb->balancer) || !rest.p)
        return false;
    alb->listener_id = rest;
    return name.n && alb->balancer.n && rest.n && str_find_char(rest, '/', 0) < 0;
}

static int read_listener(struct alb *alb, struct err *err)
{
    const struct node *n = alb->listener = node_get_c(alb->event->node, "listenerArn");
    struct str ref = node_text(node_get_c(n, "Ref"));
    if (ref.n) {
        alb->balancer = alb->listener_id = ref;
        return 0;
    }
    if (node_is(n, NODE_STRING) && read_arn(n->text, alb))
        return 0;
    err_at(err, n ? n->pos : alb->event->pos, ERR_CONFIG,
           "'listenerArn' must be the ARN of a listener of an Application Load Balancer, or a "
           "reference to one in 'resources'");
    return err_help(err, "it tells which load balancer it is, from which the names of the target "
                         "groups are made");
}

/* As a part of a logical id. */
static struct str priority_text(const struct alb *alb)
{
    if (!alb->priority)
        return STR("undefined");
    return node_is(alb->priority, NODE_NULL) ? STR("null") : node_text(alb->priority);
}

/* Two functions with one priority on a listener, or a function with one on two listeners: the
 * latter would get one logical id. */
static int check_priority(struct compilation *c, const struct alb *alb, struct err *err)
{
    for (size_t i = 0; i < c->alb->count; i++) {
        const struct alb *old = &c->alb->events[i];
        bool same_function = old->event->function == alb->event->function;
        if (!node_equal(old->priority, alb->priority) ||
            same_function == str_eq(old->listener_id, alb->listener_id))
            continue;
        err_at(err, node_pos(node_get_c(alb->event->node, "priority")), ERR_CONFIG,
               same_function ? "priority %.*s is used twice by function '%.*s'"
                             : "priority %.*s is used already on the listener of function '%.*s'",
               STR_ARG(priority_text(alb)), STR_ARG(alb->event->function->key));
        return err_note(err, node_pos(node_get_c(old->event->node, "priority")),
                        "the other one is here");
    }
    return 0;
}

static int read_event(struct compilation *c, const struct event *event, struct alb *alb,
                      struct err *err)
{
    struct arena *a = c->arena;
    const struct node *conditions = node_get_c(event->node, "conditions");
    *alb = (struct alb){.event = event, .priority = node_get_c(event->node, "priority")};
    if (read_listener(alb, err) < 0)
        return -1;
    int64_t number;
    if (!node_to_int(alb->priority, &number)) {
        err_at(err, alb->priority ? alb->priority->pos : event->pos, ERR_CONFIG,
               "'priority' must be a whole number");
        bool is_scalar = !node_is(alb->priority, NODE_MAP) && !node_is(alb->priority, NODE_SEQ);
        if (!is_scalar || aws_refuses(c, err) < 0)
            return -1;
    }
    if (!node_is(conditions, NODE_MAP) || !conditions->size) {
        err_at(err, conditions ? conditions->pos : event->pos, ERR_CONFIG,
               "'conditions' needs at least one condition");
        if (!node_entries(a, conditions)->size || aws_refuses(c, err) < 0)
            return -1;
    }
    alb->is_multi_value = node_truthy(node_get_c(event->node, "multiValueHeaders"));
    alb->group_id =
        str_fmt(a, "%.*sAlb%sTargetGroup%.*s", STR_ARG(name_with(c, event->function, "")),
                alb->is_multi_value ? "MultiValue" : "", STR_ARG(alb->balancer));
    alb->rule_id = str_fmt(a, "%.*s%.*s", STR_ARG(name_with(c, event->function, "AlbListenerRule")),
                           STR_ARG(priority_text(alb)));
    return check_priority(c, alb, err);
}

/* ---- the target group ---- */

static const struct node *settings_of(struct compilation *c, const char *key)
{
    return node_setting(node_get_c(c->provider, "alb"), NULL, key);
}

static void put_health_check(struct arena *a, struct node *p, const struct node *check)
{
    static const struct {
        const char *from, *to;
        int by_default;
    } numbers[] = {{"intervalSeconds", "HealthCheckIntervalSeconds", 35},
                   {"timeoutSeconds", "HealthCheckTimeoutSeconds", 30},
                   {"healthyThresholdCount", "HealthyThresholdCount", 5},
                   {"unhealthyThresholdCount", "UnhealthyThresholdCount", 5}};
    const struct node *path = node_get_c(check, "path");
    const struct node *code = node_setting(node_get_c(check, "matcher"), NULL, "httpCode");
    node_put_c(a, p, "HealthCheckEnabled", node_bool(a, node_truthy(check)));
    if (!node_truthy(check))
        return;
    node_put_c(a, p, "HealthCheckPath", node_empty(path) ? node_c(a, "/") : path);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        node_put_c(a, p, numbers[i].to, node_int(a, numbers[i].by_default));
        copy_member(a, p, numbers[i].to, check, numbers[i].from);
    }
    node_put_c(a, p, "Matcher", node_fn(a, "HttpCode", code ? code : node_c(a, "200")));
}

static int group_name(struct compilation *c, const struct alb *alb, const struct node **ret,
                      struct err *err)
{
    struct arena *a = c->arena;
    struct str stage = c->service->stage, key = alb->event->function->key;
    const struct node *given = node_setting(alb->event->node, NULL, "targetGroupName");
    const struct node *prefix = settings_of(c, "targetGroupPrefix");
    if (given && prefix) {
        err_at(err, given->pos, ERR_CONFIG,
               "'targetGroupName' and 'provider.alb.targetGroupPrefix' exclude each other");
        return err_note(err, prefix->pos, "the prefix is here");
    }
    struct str name =
        str_fmt(a, "%.*s-%.*s-%.*s-%s%.*s", STR_ARG(c->service->name), STR_ARG(key),
                STR_ARG(alb->balancer), alb->is_multi_value ? "multi-value-" : "", STR_ARG(stage));
    struct str full = str_concat(a, node_text(prefix), md5_hex(a, name));
    *ret = given ? given : node_staged(c, str_sub(full, 0, GROUP_NAME_MAX));
    return 0;
}

static int set_target_group(struct compilation *c, const struct alb *alb, struct str permission,
                            struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = alb->event->function;
    const struct node *name = NULL;
    if (group_name(c, alb, &name, err) < 0)
        return -1;
    struct node *tag = node_map(a), *headers = node_map(a), *p = node_map(a);
    node_put_c(a, tag, "Key", node_c(a, "Name"));
    node_put_c(
        a, tag, "Value",
        node_staged(c, str_fmt(a, "%.*s-%.*s-%.*s-%.*s", STR_ARG(c->service->name), STR_ARG(f->key),
                               STR_ARG(alb->balancer), STR_ARG(c->service->stage))));
    node_put_c(a, headers, "Key", node_c(a, "lambda.multi_value_headers.enabled"));
    node_put_c(a, headers, "Value", node_bool(a, alb->is_multi_value));
    node_put_c(a, p, "TargetType", node_c(a, "lambda"));
    node_put_c(a, p, "Targets", NODE_LIST(a, node_fn(a, "Id", target_arn(c, f))));
    node_put_c(a, p, "Name", name);
    node_put_c(a, p, "Tags", NODE_LIST(a, tag));
    node_put_c(a, p, "TargetGroupAttributes", NODE_LIST(a, headers));
    put_health_check(a, p, node_get_c(alb->event->node, "healthCheck"));
    struct node *group = resource_new(a, "AWS::ElasticLoadBalancingV2::TargetGroup", p);
    node_put_c(a, group, "DependsOn", depends_on_permission(c, f, permission));
    resource_set(c, alb->group_id, group, alb->event->pos);
    return 0;
}

/* ---- the rule: authorizers, then the target group ---- */

static void put_members(struct arena *a, struct node *out, const struct node *map,
                        const char *const (*names)[2])
{
    for (; (*names)[0]; names++)
        copy_member(a, out, (*names)[1], map, (*names)[0]);
}

static struct node *authorize_action(struct arena *a, const struct node *authorizer, size_t order)
{
    static const char *const cognito[][2] = {{"userPoolArn", "UserPoolArn"},
                                             {"userPoolClientId", "UserPoolClientId"},
                                             {"userPoolDomain", "UserPoolDomain"},
                                             {0}};
    static const char *const oidc[][2] = {{"authorizationEndpoint", "AuthorizationEndpoint"},
                                          {"clientId", "ClientId"},
                                          {"issuer", "Issuer"},
                                          {"tokenEndpoint", "TokenEndpoint"},
                                          {"userInfoEndpoint", "UserInfoEndpoint"},
                                          {0}};
    static const char *const both[][2] = {
        {"requestExtraParams", "AuthenticationRequestExtraParams"},
        {"scope", "Scope"},
        {"sessionCookieName", "SessionCookieName"},
        {"sessionTimeout", "SessionTimeout"},
        {0}};
    bool is_cognito = node_is_text(node_get_c(authorizer, "type"), "cognito");
    const struct node *otherwise = node_setting(authorizer, NULL, "onUnauthenticatedRequest");
    const struct node *secret = node_setting(authorizer, NULL, "clientSecret");
    struct node *config = node_map(a), *action = node_map(a);
    put_members(a, config, authorizer, is_cognito ? cognito : oidc);
    put_members(a, config, authorizer, both);
    node_put_c(a, config, "OnUnauthenticatedRequest", otherwise ? otherwise : node_c(a, "deny"));
    if (!is_cognito && secret)
        node_put_c(a, config, "ClientSecret", secret);
    else if (!is_cognito)
        node_put_c(a, config, "UseExistingClientSecret", node_bool(a, true));
    node_put_c(a, action, "Type",
               node_c(a, is_cognito ? "authenticate-cognito" : "authenticate-oidc"));
    node_put_c(a, action, "Order", node_int(a, (int64_t)order));
    node_put_c(a, action, is_cognito ? "AuthenticateCognitoConfig" : "AuthenticateOidcConfig",
               config);
    return action;
}

static int authorize(struct compilation *c, const struct node *name, struct node *actions,
                     struct err *err)
{
    const struct node *authorizer = node_get(settings_of(c, "authorizers"), node_text(name));
    if (!authorizer) {
        err_at(err, name->pos, ERR_CONFIG, "there is no authorizer '%.*s'",
               STR_ARG(node_text(name)));
        return err_help(err, "authorizers of load balancers are in 'provider.alb.authorizers'");
    }
    node_push(c->arena, actions, authorize_action(c->arena, authorizer, actions->count + 1));
    return 0;
}

static struct node *rule_actions(struct compilation *c, const struct alb *alb, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *names = node_setting(alb->event->node, NULL, "authorizer");
    struct node *actions = node_seq(a), *forward = node_map(a);
    if (names && !node_is(names, NODE_SEQ))
        names = NODE_LIST(a, names);
    node_each (name, names)
        if (authorize(c, name, actions, err) < 0)
            return NULL;
    node_put_c(a, forward, "Type", node_c(a, "forward"));
    node_put_c(a, forward, "TargetGroupArn", node_ref(a, alb->group_id));
    if (actions->count)
        node_put_c(a, forward, "Order", node_int(a, (int64_t)actions->count + 1));
    node_push(a, actions, forward);
    return actions;
}

/* ---- conditions ---- */

static const struct node *as_list(struct arena *a, const struct node *n)
{
    return node_is(n, NODE_SEQ) ? n : NODE_LIST(a, n);
}

static void add_condition(struct arena *a, struct node *list, const char *field, const char *config,
                          const struct node *value)
{
    struct node *condition = node_map(a);
    node_put_c(a, condition, "Field", node_c(a, field));
    node_put_c(a, condition, config, value);
    node_push(a, list, condition);
}

/* A condition on values, as most are: {Field: …, <config>: {Values: […]}}. */
static void add_values(struct arena *a, struct node *list, const struct node *given,
                       const char *key, const char *field, const char *config)
{
    const struct node *values = node_setting(given, NULL, key);
    if (values)
        add_condition(a, list, field, config, node_fn(a, "Values", as_list(a, values)));
}

static struct node *rule_conditions(struct arena *a, const struct node *given)
{
    struct node *list = node_seq(a);
    const struct node *path = node_setting(given, NULL, "path");
    const struct node *headers = node_setting(given, NULL, "header");
    const struct node *query = node_setting(given, NULL, "query");
    if (path)
        add_condition(a, list, "path-pattern", "Values", as_list(a, path));
    add_values(a, list, given, "host", "host-header", "HostHeaderConfig");
    add_values(a, list, given, "method", "http-request-method", "HttpRequestMethodConfig");
    headers = headers ? as_list(a, headers) : NULL;
    node_each (header, headers) {
        struct node *config = node_map(a);
        copy_member(a, config, "HttpHeaderName", header, "name");
        copy_member(a, config, "Values", header, "values");
        add_condition(a, list, "http-header", "HttpHeaderConfig", config);
    }
    if (query)
        add_condition(a, list, "query-string", "QueryStringConfig",
                      node_fn(a, "Values", key_value_list(a, query)));
    add_values(a, list, given, "ip", "source-ip", "SourceIpConfig");
    return list;
}

static int set_rule(struct compilation *c, const struct alb *alb, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *settings = alb->event->node, *actions = rule_actions(c, alb, err);
    if (!actions)
        return -1;
    struct node *p = node_map(a);
    node_put_c(a, p, "Actions", actions);
    node_put_c(a, p, "Conditions", rule_conditions(a, node_get_c(settings, "conditions")));
    node_put_c(a, p, "ListenerArn", alb->listener);
    if (alb->priority)
        node_put_c(a, p, "Priority", alb->priority);
    resource_set(c, alb->rule_id, resource_new(a, "AWS::ElasticLoadBalancingV2::ListenerRule", p),
                 alb->event->pos);
    return 0;
}

/* ---- permissions: to call the function, and to register it before the group is there ---- */

static void set_permission(struct compilation *c, const struct alb *alb, struct str id,
                           const struct node *source)
{
    struct arena *a = c->arena;
    const struct function *f = alb->event->function;
    struct function_alias alias;
    struct node *permission = permission_new(
        a, target_arn(c, f), node_c(a, "elasticloadbalancing.amazonaws.com"), source);
    if (function_alias(c, f, &alias))
        node_put_c(a, permission, "DependsOn", NODE_LIST(a, node_str(a, alias.id)));
    resource_set(c, id, permission, alb->event->pos);
}

static void remember(struct compilation *c, const struct alb *alb)
{
    struct alb_state *s = c->alb;
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 8;
        struct alb *grown = ARENA_ARRAY(c->arena, room, struct alb);
        if (s->count)
            memcpy(grown, s->events, s->count * sizeof *grown);
        s->events = grown;
        s->room = room;
    }
    s->events[s->count++] = *alb;
}

static int alb_compile(struct compilation *c, const struct event *event, struct err *err)
{
    const struct function *f = event->function;
    struct str register_id = name_with(c, f, "LambdaPermissionRegisterTarget");
    struct event *kept = ARENA_NEW(c->arena, struct event);
    struct alb alb;
    /* The dialect makes nothing of a text; the schema refuses it. */
    if (!node_is(event->node, NODE_MAP) && !node_is(event->node, NODE_SEQ))
        return 0;
    *kept = *event;
    if (read_event(c, kept, &alb, err) < 0)
        return -1;
    remember(c, &alb);
    if (set_target_group(c, &alb, register_id, err) < 0 || set_rule(c, &alb, err) < 0)
        return -1;
    set_permission(c, &alb, name_with(c, f, "LambdaPermissionAlb"),
                   node_ref(c->arena, alb.group_id));
    set_permission(c, &alb, register_id, NULL);
    return 0;
}

const struct event_type event_alb = {"alb", alb_begin, alb_compile, NULL};
