/* Conditions: which of them hold for the stage, as far as the file tells. CloudFormation decides
 * about resources; about what troupe publishes itself troupe has to decide, before it publishes. */
#include "layout/conditions.h"

#include "layout/layout.h"

#include "config/variables/variables.h"

const struct node *layout_given_parameter(const struct service *service, struct str name)
{
    node_each (given, node_path(service->root, "provider.stackParameters"))
        if (str_eq(node_text(node_get_c(given, "ParameterKey")), name))
            return given;
    return NULL;
}

static const struct node *lookup(void *context, struct arena *a, struct str name)
{
    struct conditions *c = context;
    const struct node *parameter = node_get(node_get_c(c->template, "Parameters"), name);
    if (str_eq(name, STR("AWS::Region")))
        return node_str(a, c->service->region);
    if (str_eq(name, STR("AWS::StackName"))) {
        c->of_stage = true;
        return node_str(a, layout_stack_name(a, c->service, c->service->stage));
    }
    const struct node *given = parameter ? layout_given_parameter(c->service, name) : NULL;
    if (node_bool_or(node_get_c(given, "UsePreviousValue"), false))
        return NULL;
    const struct node *value =
        given ? node_get_c(given, "ParameterValue") : node_get_c(parameter, "Default");
    return value ? node_str(a, node_text(value)) : NULL;
}

static const struct node *value_of(struct conditions *c, const struct node *n, struct err *err)
{
    const struct node *keys = node_is(n, NODE_MAP) ? node_get_c(n, "Fn::FindInMap") : NULL;
    const struct node *found = node_get_c(c->template, "Mappings");
    if (!node_is(keys, NODE_SEQ) || keys->count != 3)
        return layout_resolve(c->arena, n, lookup, c, err);
    node_each (key, keys) {
        const struct node *name = value_of(c, key, err);
        if (!name)
            return NULL;
        found = node_get(found, node_text(name));
    }
    if (!found)
        err_at(err, n->pos, ERR_CONFIG, "there is no such value in Mappings");
    return found;
}

static int decide(struct conditions *c, const struct node *n, struct err *err);

/* Do all conditions of a list hold (`all`), or any of them? */
static int decide_list(struct conditions *c, const struct node *list, bool all, struct err *err)
{
    node_each (item, list) {
        int holds = decide(c, item, err);
        if (holds < 0 || holds != all)
            return holds;
    }
    return all;
}

static int decide_equals(struct conditions *c, const struct node *pair, struct err *err)
{
    if (node_count(pair) != 2 || !node_is(pair, NODE_SEQ))
        return err_at(err, node_pos(pair), ERR_CONFIG, "Fn::Equals takes two values");
    const struct node *x = value_of(c, pair->items[0], err);
    const struct node *y = x ? value_of(c, pair->items[1], err) : NULL;
    return y ? str_eq(node_text(x), node_text(y)) : -1;
}

static int decide(struct conditions *c, const struct node *n, struct err *err)
{
    enum { DEPTH_MAX = 50 };
    struct str key = node_is(n, NODE_MAP) && n->size == 1 ? n->members[0].key : STR("");
    const struct node *value = key.n ? n->members[0].value : NULL;
    c->of_stage |= (node_flags_deep(n) & NODE_STAGE) != 0;
    if (c->depth >= DEPTH_MAX)
        return err_at(err, node_pos(n), ERR_CONFIG, "conditions refer to each other in a cycle");
    c->depth++;
    int holds;
    if (str_eq(key, STR("Condition")))
        holds = conditions_hold(c, node_text(value), node_pos(n), err);
    else if (str_eq(key, STR("Fn::Equals")))
        holds = decide_equals(c, value, err);
    else if (str_eq(key, STR("Fn::And")) || str_eq(key, STR("Fn::Or")))
        holds = decide_list(c, value, str_eq(key, STR("Fn::And")), err);
    else if (str_eq(key, STR("Fn::Not")) && node_count(value) == 1 && node_is(value, NODE_SEQ)) {
        holds = decide(c, value->items[0], err);
        holds = holds < 0 ? -1 : !holds;
    } else
        holds = err_at(err, node_pos(n), ERR_CONFIG,
                       "a condition is Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition");
    c->depth--;
    return holds;
}

static int say_unknown(const struct conditions *c, struct str name, struct pos pos, struct err *err)
{
    struct near near = {.name = name};
    member_each (m, node_get_c(c->template, "Conditions"))
        near_offer(&near, m->key);
    err_at(err, pos, ERR_CONFIG, "there is no condition '%.*s'", STR_ARG(name));
    return near.best.n ? err_help(err, "did you mean '%.*s'?", STR_ARG(near.best))
                       : err_help(err, "conditions stand in resources.Conditions");
}

int conditions_hold(struct conditions *c, struct str name, struct pos pos, struct err *err)
{
    const struct node *n = node_get(node_get_c(c->template, "Conditions"), name);
    return n ? decide(c, n, err) : say_unknown(c, name, pos, err);
}
