/* `http` events of state machines: methods of the service's REST API that start an execution, or
 * call another of Step Functions' actions. The plugin makes them behind those of functions, in the
 * same API where there is one. */
#include "compile/step_functions/state_machine_http.h"

#define ROLE "ApigatewayToStepFunctionsRole"

/* ---- reading ---- */

static const char *const methods[] = {"get",     "post", "put",    "patch",
                                      "options", "head", "delete", "any"};

static int method_read(struct machine_event *e, const struct node *method, struct str written,
                       struct err *err)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_eq(e->method, str_c(methods[i])))
            return 0;
    if (node_empty(method))
        return err_at(err, e->rest.event.pos, ERR_CONFIG, "'method' is missing");
    err_at(err, node_pos(method), ERR_CONFIG, "unknown method '%.*s'", STR_ARG(written));
    return err_help(err, "use one of GET, POST, PUT, PATCH, OPTIONS, HEAD, DELETE or ANY");
}

static int event_read(struct compilation *c, struct machine_event *e, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = e->http;
    struct str words = node_text(n), rest = {0}, method = {0};
    bool is_map = node_is(n, NODE_MAP);
    const struct node *method_node = is_map ? node_get_c(n, "method") : n;
    const struct node *path_node = is_map ? node_get_c(n, "path") : n;
    if (is_map) {
        method = node_text(method_node);
        rest = node_text(path_node);
    } else {
        str_cut(&words, ' ', &method);
        str_cut(&words, ' ', &rest);
    }
    e->method = str_lower(a, method);
    if (method_read(e, method_node, method, err) < 0)
        return -1;
    if (node_empty(path_node) || !rest.p)
        return err_at(err, e->rest.event.pos, ERR_CONFIG, "'path' is missing");
    str_skip(&rest, STR("/"));
    str_strip(&rest, STR("/"));
    e->rest.path = rest;
    e->rest.path_node = path_node;
    e->rest.method_node = method_node;
    e->rest.method = str_upper(a, e->method);
    e->rest.settings = is_map ? n : NULL;
    e->rest.request = is_map ? node_get_c(n, "request") : NULL;
    return machine_authorizer_read(c, e, err);
}

/* ---- cross-origin requests ---- */

static const char *const cors_headers[] = {"Content-Type",         "X-Amz-Date",
                                           "Authorization",        "X-Api-Key",
                                           "X-Amz-Security-Token", "X-Amz-User-Agent"};

static const struct node *headers_list(struct arena *a)
{
    struct node *list = node_seq(a);
    for (size_t i = 0; i < sizeof cors_headers / sizeof *cors_headers; i++)
        node_push(a, list, node_c(a, cors_headers[i]));
    return list;
}

static int cors_read(struct compilation *c, struct machine_event *e, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *given = node_get_c(e->http, "cors");
    const struct node *headers = node_get_c(given, "headers");
    const struct node *age = node_get_c(given, "maxAge"), *origin = node_get_c(given, "origin");
    int64_t seconds;
    if (!node_truthy(given))
        return 0;
    if (node_truthy(origin) && node_truthy(node_get_c(given, "origins")))
        return err_at(err, node_pos(origin), ERR_CONFIG,
                      "only one of 'origin' and 'origins' can be said");
    if (age && (!node_to_int(age, &seconds) || seconds <= 0))
        return err_at(err, node_pos(age), ERR_CONFIG, "'maxAge' must be a whole number over 0");
    struct node *cors = node_map(a), *all = node_seq(a);
    bool is_map = node_is(given, NODE_MAP);
    node_put_c(a, cors, "origin", is_map ? origin : node_c(a, "*"));
    node_put_c(a, cors, "origins",
               is_map ? node_get_c(given, "origins") : NODE_LIST(a, node_c(a, "*")));
    node_put_c(a, cors, "headers", node_truthy(headers) ? headers : headers_list(a));
    node_each (method, node_get_c(given, "methods"))
        node_push(a, all, method);
    add_unique(a, all, node_c(a, "OPTIONS"));
    add_unique(a, all, node_str(a, e->rest.method));
    node_put_c(a, cors, "methods", all);
    node_put_c(a, cors, "maxAge", age);
    node_put_c(a, cors, "allowCredentials",
               node_bool(a, node_truthy(node_get_c(given, "allowCredentials"))));
    e->cors = node_from(cors, given);
    return 0;
}

/* What all events of a path say together: { headers, methods, origins, … }. */
static void cors_merge(struct arena *a, struct node *all, const struct node *one)
{
    static const char *const lists[] = {"headers", "methods", "origins"};
    const struct node *origin = node_get_c(one, "origin"), *age = node_get_c(one, "maxAge");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct node *list = node_seq(a);
        node_each (x, node_get_c(one, lists[i]))
            add_unique(a, list, x);
        node_each (y, node_get_c(all, lists[i]))
            add_unique(a, list, y);
        node_put_c(a, all, lists[i], list);
    }
    node_put_c(a, all, "origin", node_truthy(origin) ? origin : node_c(a, "*"));
    if (!node_truthy(node_get_c(all, "allowCredentials")))
        node_put_c(a, all, "allowCredentials", node_get_c(one, "allowCredentials"));
    node_put_c(a, all, "maxAge", age);
    all->flags |= (uint8_t)node_flags_deep(one);
}

static void header_put(struct arena *a, struct node *out, const char *name, struct str value,
                       const struct node *cors)
{
    node_put(a, out, str_fmt(a, "method.response.header.%s", name),
             node_from(node_strf(a, "'%.*s'", STR_ARG(value)), cors));
}

static struct str origin_text(struct arena *a, const struct node *cors)
{
    const struct node *origins = node_get_c(cors, "origins");
    return node_count(origins) ? rest_joined(a, origins)
                               : script_text(a, node_get_c(cors, "origin"));
}

static const struct node *preflight_headers(struct arena *a, const struct node *cors)
{
    const struct node *age = node_get_c(cors, "maxAge");
    struct str names = rest_joined(a, node_get_c(cors, "methods"));
    ptrdiff_t any = -1;
    node_each (method, node_get_c(cors, "methods"))
        if (node_is_text(method, "ANY"))
            any = str_find(names, STR("ANY"), 0);
    if (any >= 0)
        names = str_fmt(a, "%.*sDELETE,GET,HEAD,PATCH,POST,PUT%.*s",
                        STR_ARG(str_sub(names, 0, (size_t)any)),
                        STR_ARG(str_sub(names, (size_t)any + 3, SIZE_MAX)));
    struct node *out = node_map(a);
    header_put(a, out, "Access-Control-Allow-Origin", origin_text(a, cors), cors);
    header_put(a, out, "Access-Control-Allow-Headers", rest_joined(a, node_get_c(cors, "headers")),
               cors);
    header_put(a, out, "Access-Control-Allow-Methods", names, cors);
    header_put(a, out, "Access-Control-Allow-Credentials",
               node_text(node_get_c(cors, "allowCredentials")), cors);
    if (age)
        header_put(a, out, "Access-Control-Max-Age", node_text(age), cors);
    return out;
}

static const struct node *answer(struct arena *a, const struct node *parameters, bool is_mock)
{
    struct node *out = node_map(a);
    node_put_c(a, out, "StatusCode", node_c(a, "200"));
    node_put_c(a, out, "ResponseParameters", parameters);
    node_put_c(a, out, is_mock ? "ResponseTemplates" : "ResponseModels",
               is_mock ? node_fn(a, "application/json", node_c(a, "")) : node_map(a));
    return out;
}

static void preflight_add(struct compilation *c, const struct machine_event *e,
                          const struct node *cors)
{
    struct arena *a = c->arena;
    const struct node *headers = preflight_headers(a, cors);
    struct node *models = node_map(a), *mock = node_map(a), *p = node_map(a);
    member_each (m, headers)
        node_put(a, models, m->key, node_bool(a, true));
    node_put_c(a, mock, "Type", node_c(a, "MOCK"));
    node_put_c(a, mock, "RequestTemplates",
               node_fn(a, "application/json", node_c(a, "{statusCode:200}")));
    node_put_c(a, mock, "ContentHandling", node_c(a, "CONVERT_TO_TEXT"));
    node_put_c(a, mock, "IntegrationResponses", NODE_LIST(a, answer(a, headers, true)));
    node_put_c(a, p, "AuthorizationType", node_c(a, "NONE"));
    node_put_c(a, p, "HttpMethod", node_c(a, "OPTIONS"));
    node_put_c(a, p, "MethodResponses", NODE_LIST(a, answer(a, models, false)));
    node_put_c(a, p, "RequestParameters", node_map(a));
    node_put_c(a, p, "Integration", mock);
    node_put_c(a, p, "ResourceId", map_get(&c->rest->resource_ids, e->rest.path));
    node_put_c(a, p, "RestApiId", c->rest->id);
    resource_merge(c, rest_method_id(a, e->rest.path, STR("options")),
                   resource_new(a, "AWS::ApiGateway::Method", p), e->rest.event.pos);
}

static void preflights_add(struct compilation *c, const machine_events *events)
{
    struct map by_path = MAP(c->arena); /* path -> struct node * */
    vec_each (events, e) {
        struct node *all = map_get(&by_path, e->rest.path);
        if (!e->cors)
            continue;
        if (!all) {
            all = node_map(c->arena);
            map_put(&by_path, e->rest.path, all);
        }
        cors_merge(c->arena, all, e->cors);
    }
    vec_each (events, e) {
        const struct node *all = map_get(&by_path, e->rest.path);
        if (e->cors && all)
            preflight_add(c, e, all);
    }
}

/* ---- the role ---- */

static int role_add(struct compilation *c, const machine_events *events, struct err *err)
{
    struct arena *a = c->arena;
    struct node *actions = NODE_LIST(a, node_c(a, "states:StartExecution"));
    const struct machine_event *without = NULL;
    vec_each (events, e) {
        const struct node *action = node_get_c(e->http, "action");
        if (!node_get_c(e->http, "iamRole"))
            without = e;
        if (action)
            add_unique(a, actions, node_strf(a, "states:%.*s", STR_ARG(node_text(action))));
    }
    if (!without)
        return 0;
    return resource_add(c, STR(ROLE),
                        starter_role(c, "apigateway.amazonaws.com",
                                     node_c(a, "apigatewaytostepfunctions"), actions,
                                     node_c(a, "*"), false),
                        without->rest.event.pos, err);
}

/* ---- keys and usage plans ---- */

static const struct node *of_api(struct compilation *c, const char *key)
{
    const struct node *own = node_get_c(node_get_c(c->provider, "apiGateway"), key);
    const struct node *old = node_get_c(c->provider, key);
    return node_truthy(own) ? own : node_truthy(old) ? old : NULL;
}

static const struct node *stage_of_api(struct compilation *c, const char *id, const char *stage)
{
    struct arena *a = c->arena;
    struct node *out = node_map(a);
    node_put_c(a, out, id, c->rest->id);
    node_put_c(a, out, stage, node_staged(c, c->service->stage));
    return out;
}

static void limits_put(struct arena *a, struct node *p, const struct node *plan)
{
    static const char *const names[][4] = {{"Quota", "quota", "limit", "Limit"},
                                           {"Quota", "quota", "offset", "Offset"},
                                           {"Quota", "quota", "period", "Period"},
                                           {"Throttle", "throttle", "burstLimit", "BurstLimit"},
                                           {"Throttle", "throttle", "rateLimit", "RateLimit"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct node *value = node_get_c(node_get_c(plan, names[i][1]), names[i][2]);
        const struct node *old = node_get_c(p, names[i][0]);
        if (!node_empty(value))
            node_put_c(a, p, names[i][0], cfn_with(a, old ? old : node_map(a), names[i][3], value));
    }
}

static void plan_add(struct compilation *c, const struct node *plan, struct pos pos)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    struct node *p = node_map(a);
    node_put_c(a, p, "ApiStages", NODE_LIST(a, stage_of_api(c, "ApiId", "Stage")));
    node_put_c(a, p, "Description",
               node_staged(c, str_fmt(a, "Usage plan for %.*s %.*s stage", STR_ARG(s->name),
                                      STR_ARG(s->stage))));
    node_put_c(a, p, "UsagePlanName", node_staged(c, name_prefix(c)));
    limits_put(a, p, plan);
    struct node *resource = resource_new(a, "AWS::ApiGateway::UsagePlan", p);
    node_put_str(a, resource, "DependsOn", c->out->rest_deployment_id);
    resource_merge(c, STR("ApiGatewayUsagePlan"), resource, pos);
}

static void key_add(struct compilation *c, const struct node *key, size_t number)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a), *link = node_map(a);
    struct str id = str_fmt(a, "ApiGatewayApiKey%zu", number);
    bool is_map = node_is(key, NODE_MAP);
    node_put_c(a, p, "Enabled", node_bool(a, true));
    node_put_c(a, p, "Name", is_map ? node_get_c(key, "name") : key);
    node_put_c(a, p, "StageKeys", NODE_LIST(a, stage_of_api(c, "RestApiId", "StageName")));
    if (is_map)
        copy_member(a, p, "Value", key, "value");
    struct node *resource = resource_new(a, "AWS::ApiGateway::ApiKey", p);
    node_put_str(a, resource, "DependsOn", c->out->rest_deployment_id);
    resource_merge(c, id, resource, node_pos(key));
    node_put_c(a, link, "KeyId", node_ref(a, id));
    node_put_c(a, link, "KeyType", node_c(a, "API_KEY"));
    node_put_c(a, link, "UsagePlanId", node_ref(a, STR("ApiGatewayUsagePlan")));
    resource_merge(c, str_fmt(a, "ApiGatewayUsagePlanKey%zu", number),
                   resource_new(a, "AWS::ApiGateway::UsagePlanKey", link), node_pos(key));
}

static int keys_add(struct compilation *c, struct err *err)
{
    const struct node *keys = of_api(c, "apiKeys"), *plan = of_api(c, "usagePlan");
    size_t number = 0;
    if (!keys && !plan)
        return 0;
    const struct node *given = plan ? plan : keys;
    if (c->rest->is_existing || node_is(plan, NODE_SEQ)) {
        err_at(err, node_pos(given), ERR_CONFIG, "state machines with 'http' events %s",
               c->rest->is_existing ? "have no keys and plans in an API outside the service"
                                    : "have one usage plan");
        return err_help(err, "write keys and plans under 'resources'");
    }
    plan_add(c, plan, node_pos(given));
    node_each (key, keys)
        key_add(c, key, ++number);
    return 0;
}

/* ---- all of it ---- */

static int events_read(struct compilation *c, const struct state_machine *machines, size_t n,
                       machine_events *ret, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        node_each (entry, node_get_c(machines[i].node, "events")) {
            const struct member *m = node_member(entry, STR("http"));
            struct err one = {0};
            if (!m)
                continue;
            struct machine_event e = {.machine = &machines[i], .http = m->value};
            e.rest.event.pos = m->key_pos;
            if (event_read(c, &e, &one) < 0 || cors_read(c, &e, &one) < 0)
                err_wrap(&one, "state machine '%.*s': event 'http'", STR_ARG(machines[i].key));
            else
                vec_push(c->arena, ret, e);
            err_also(err, &one);
        }
    return err->kind ? -1 : 0;
}

int state_machines_http(struct compilation *c, const struct state_machine *machines, size_t n,
                        struct err *err)
{
    machine_events events = {0};
    struct node *ids = node_seq(c->arena);
    if (events_read(c, machines, n, &events, err) < 0)
        return -1;
    if (!events.n)
        return 0;
    if (!c->rest && (rest_begin(c, err) < 0 || rest_resources(c, err) < 0))
        return -1;
    if (rest_api_merge(c, err) < 0)
        return -1;
    vec_each (&events, e)
        if (rest_path(c, &e->rest, err) < 0)
            return -1;
    vec_each (&events, e) {
        machine_method_add(c, e);
        node_push(c->arena, ids,
                  node_str(c->arena, rest_method_id(c->arena, e->rest.path, e->rest.method)));
        rest_validate(c, &e->rest);
    }
    machine_authorizers_add(c, &events);
    preflights_add(c, &events);
    if (role_add(c, &events, err) < 0 ||
        rest_deployment_extend(c, ids, events.p[0].rest.event.pos, err) < 0)
        return -1;
    return keys_add(c, err);
}
