/* API keys and usage plans: provider.apiGateway.apiKeys and usagePlan.
 *
 * Keys are a list of names or maps. With several usage plans, an entry {plan: [keys]} belongs to
 * that plan; everything else belongs to the only one. */
#include "compile/rest/rest.h"

/* First member as JavaScript walks them, or NULL. */
static const struct member *first_member(struct arena *a, const struct node *n)
{
    return node_count(n) && node_is(n, NODE_MAP) ? &node_javascript_order(a, n)->members[0] : NULL;
}

static bool is_plan(struct compilation *c, struct str name)
{
    node_each (plan, node_get_c(c->rest->settings, "usagePlan"))
        if (node_member(plan, name))
            return true;
    return false;
}

/* An id of the three kinds: <kind>[<Plan>][<number>] */
static struct str key_id(struct arena *a, const char *kind, struct str plan, size_t number)
{
    struct str id = str_concat(a, str_c(kind), str_upper_first(a, plan));
    return number ? str_fmt(a, "%.*s%zu", STR_ARG(id), number) : id;
}

/* ---- keys ---- */

/* Source: API Gateway developer guide, "API key file format", Key. */
static int check_value(struct compilation *c, const struct node *value, struct err *err)
{
    enum { VALUE_MIN = 20, VALUE_MAX = 128 };
    if (!node_is(value, NODE_STRING) || (value->text.n >= VALUE_MIN && value->text.n <= VALUE_MAX))
        return 0;
    err_at(err, value->pos, ERR_CONFIG, "the value of an API key has %d to %d characters, not %zu",
           VALUE_MIN, VALUE_MAX, value->text.n);
    err_help(err, "without 'value' API Gateway makes one");
    return aws_refuses(c, err);
}

static int key_add(struct compilation *c, const struct node *key, struct str plan, size_t number,
                   struct err *err)
{
    struct arena *a = c->arena;
    const struct node *enabled = node_get_c(key, "enabled");
    struct node *stage = node_map(a), *p = node_map(a), *link = node_map(a);
    node_put_c(a, stage, "RestApiId", c->rest->id);
    node_put_c(a, stage, "StageName", node_staged(c, c->service->stage));
    node_put_c(a, p, "Enabled", node_empty(enabled) ? node_bool(a, true) : enabled);
    node_put_c(a, p, "Name", node_is(key, NODE_MAP) ? node_get_c(key, "name") : key);
    if (check_value(c, node_setting(key, NULL, "value"), err) < 0)
        return -1;
    node_put_c(a, p, "Value", node_setting(key, NULL, "value"));
    copy_member(a, p, "Description", key, "description");
    copy_member(a, p, "CustomerId", key, "customerId");
    node_put_c(a, p, "StageKeys", NODE_LIST(a, stage));
    struct node *resource = resource_new(a, "AWS::ApiGateway::ApiKey", p);
    node_put_str(a, resource, "DependsOn", c->out->rest_deployment_id);
    struct str id = key_id(a, "ApiGatewayApiKey", plan, number);
    node_put_c(a, link, "KeyId", node_ref(a, id));
    node_put_c(a, link, "KeyType", node_c(a, "API_KEY"));
    node_put_c(a, link, "UsagePlanId", node_ref(a, key_id(a, "ApiGatewayUsagePlan", plan, 0)));
    if (resource_add(c, id, resource, key->pos, err) < 0)
        return -1;
    return resource_add(c, key_id(a, "ApiGatewayUsagePlanKey", plan, number),
                        resource_new(a, "AWS::ApiGateway::UsagePlanKey", link), key->pos, err);
}

/* One entry of apiKeys; `*number` counts within a plan. */
static int entry_add(struct compilation *c, const struct node *entry, size_t *number,
                     struct err *err)
{
    const struct member *first = first_member(c->arena, entry);
    if (first && is_plan(c, first->key)) {
        *number = 0;
        node_each (key, first->value)
            if (key_add(c, key, first->key, ++*number, err) < 0)
                return -1;
        return 0;
    }
    if (first && (node_is(first->value, NODE_MAP) || node_is(first->value, NODE_SEQ))) {
        err_at(err, first->key_pos, ERR_CONFIG, "API keys '%.*s' have no usage plan of that name",
               STR_ARG(first->key));
        return err_help(err, "add it to 'provider.apiGateway.usagePlan'");
    }
    if (node_is(node_get_c(c->rest->settings, "usagePlan"), NODE_SEQ)) {
        err_at(err, entry->pos, ERR_CONFIG, "the API key belongs to none of the usage plans");
        return err_help(err, "write it below the name of a plan: '- plan: [key]'");
    }
    return key_add(c, entry, STR(""), ++*number, err);
}

/* ---- usage plans ---- */

static const struct node *renamed(struct arena *a, const struct node *settings, size_t n,
                                  const char *const (*names)[2])
{
    struct node *out = node_map(a);
    for (size_t i = 0; i < n; i++)
        copy_member(a, out, names[i][1], settings, names[i][0]);
    return node_from(out, settings);
}

static void put_limits(struct arena *a, struct node *p, const struct node *plan)
{
    static const char *const quota[][2] = {
        {"limit", "Limit"}, {"offset", "Offset"}, {"period", "Period"}};
    static const char *const throttle[][2] = {{"burstLimit", "BurstLimit"},
                                              {"rateLimit", "RateLimit"}};
    if (node_count(node_get_c(plan, "quota")))
        node_put_c(a, p, "Quota", renamed(a, node_get_c(plan, "quota"), 3, quota));
    if (node_count(node_get_c(plan, "throttle")))
        node_put_c(a, p, "Throttle", renamed(a, node_get_c(plan, "throttle"), 2, throttle));
}

/* `name` is empty for the only plan; the resource of a plan called "default" is named like it. */
static int plan_add(struct compilation *c, struct str name, const struct node *plan, struct pos pos,
                    struct err *err)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    struct str described = STR(""), named = name_prefix(c);
    if (name.n && !str_eq(name, STR("default"))) {
        described = str_fmt(a, " \"%.*s\"", STR_ARG(name));
        named = str_fmt(a, "%.*s-%.*s-%.*s", STR_ARG(s->name), STR_ARG(name), STR_ARG(s->stage));
    }
    struct node *stage = node_map(a), *p = node_map(a);
    node_put_c(a, stage, "ApiId", c->rest->id);
    node_put_c(a, stage, "Stage", node_staged(c, s->stage));
    node_put_c(a, p, "ApiStages", NODE_LIST(a, stage));
    node_put_c(a, p, "Description",
               node_staged(c, str_fmt(a, "Usage plan%.*s for %.*s %.*s stage", STR_ARG(described),
                                      STR_ARG(s->name), STR_ARG(s->stage))));
    node_put_c(a, p, "UsagePlanName", node_staged(c, named));
    put_limits(a, p, plan);
    struct node *resource = resource_new(a, "AWS::ApiGateway::UsagePlan", p);
    node_put_str(a, resource, "DependsOn", c->out->rest_deployment_id);
    return resource_add(c, key_id(a, "ApiGatewayUsagePlan", name, 0), resource, pos, err);
}

static int plans_add(struct compilation *c, const struct node *plans, struct pos pos,
                     struct err *err)
{
    if (!node_is(plans, NODE_SEQ))
        return plan_add(c, STR(""), plans, pos, err);
    node_each (plan, plans) {
        const struct member *first = first_member(c->arena, plan);
        if (!first)
            return err_at(err, plan->pos, ERR_CONFIG, "a usage plan must be a map with its name");
        if (plan_add(c, first->key, first->value, first->key_pos, err) < 0)
            return -1;
    }
    return 0;
}

int rest_keys(struct compilation *c, struct err *err)
{
    const struct node *keys = node_get_c(c->rest->settings, "apiKeys");
    const struct node *plans = node_get_c(c->rest->settings, "usagePlan");
    size_t number = 0;
    if (!node_truthy(keys) && !node_truthy(plans))
        return 0;
    if (plans_add(c, plans, node_pos(node_truthy(plans) ? plans : keys), err) < 0)
        return -1;
    node_each (entry, keys)
        if (entry_add(c, entry, &number, err) < 0)
            return -1;
    return 0;
}
