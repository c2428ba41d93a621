/* Asynchronous invocation: destinations, age and retries of events. */
#include "compile/compile_internal.h"

/* Kinds of destinations: the word for it in `type`, what its ARN contains, and the action that the
 * role needs. */
static const struct destination {
    const char *type, *mark, *action;
} destinations[] = {
    {"function", ":function:", "lambda:InvokeFunction"},
    {"sqs", ":sqs:", "sqs:SendMessage"},
    {"sns", ":sns:", "sns:Publish"},
    {"eventBus", ":event-bus/", "events:PutEvents"},
};

static const struct destination *destination_of(const struct node *value)
{
    struct str type = node_text(node_get_c(value, "type"));
    for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
        const struct destination *d = &destinations[i];
        if (node_is(value, NODE_STRING) ? str_find(value->text, str_c(d->mark), 0) >= 0
                                        : str_eq(type, str_c(d->type)))
            return d;
    }
    return NULL;
}

/* The function that `value` names by its key; NULL for ARNs and references. */
static const struct function *named_function(struct compilation *c, const struct node *value)
{
    if (!node_is(value, NODE_STRING) || str_starts(value->text, STR("arn:")))
        return NULL;
    return function_by_key(c, value->text);
}

/* The ARN of `f` by Fn::Sub. With Fn::GetAtt the role would wait for the function, which waits for
 * the role when it runs under it. */
static const struct node *function_pattern(struct compilation *c, const struct function *f)
{
    struct function_alias alias;
    const struct node *name = name_function(c, f);
    /* A shared function is called through the stage's alias, which the shared role cannot name. */
    struct str qualifier = function_alias(c, f, &alias) ? alias.name : STR("");
    if (name_is_shared(c, f))
        qualifier = STR("*");
    struct str arn = str_fmt(c->arena,
                             "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
                             ":function:%.*s%s%.*s",
                             STR_ARG(node_text(name)), qualifier.n ? ":" : "", STR_ARG(qualifier));
    return node_sub(c->arena, arn, name);
}

/* Let the role send to `value`. Texts count once however many functions name them; references are
 * compared by identity, as the dialect does: an alias of one YAML node counts once. */
static void allow(struct compilation *c, const struct node *value, const char *action,
                  const struct node *arn)
{
    for (size_t i = 0; i < c->destinations->count; i++) {
        const struct node *seen = c->destinations->items[i];
        if (node_is(value, NODE_STRING) ? node_equal(seen, value) : seen == value)
            return;
    }
    node_push(c->arena, c->destinations, value);
    role_allow(c, statement_new(c->arena, node_c(c->arena, action), arn), false);
}

static int put_destination(struct compilation *c, const struct function *f, struct node *config,
                           struct node *depends_on, const char *key, const char *name,
                           struct err *err)
{
    struct arena *a = c->arena;
    const struct node *value = node_path(f->node, key);
    if (!node_truthy(value))
        return 0;
    const struct function *target = named_function(c, value);
    const struct destination *kind = target ? &destinations[0] : destination_of(value);
    if (!target && node_is(value, NODE_STRING) && !str_starts(value->text, STR("arn:")))
        return err_at(err, node_pos(value), ERR_CONFIG,
                      "destination '%.*s' is no ARN and no function of this service",
                      STR_ARG(value->text));
    const struct node *needed = target ? node_setting(target->node, NULL, "condition") : NULL;
    if (is_dialect_4(c) && needed && !node_equal(needed, node_get_c(f->node, "condition"))) {
        err_at(err, node_pos(value), ERR_CONFIG,
               "destination '%.*s' is there under condition '%.*s' only", STR_ARG(value->text),
               STR_ARG(node_text(needed)));
        return err_help(err, "set 'condition: %.*s' on this function, too",
                        STR_ARG(node_text(needed)));
    }
    const struct node *arn = node_is(value, NODE_STRING) ? value : node_get_c(value, "arn");
    bool is_own_role = role_of_function(c, f) != NULL;
    if (!is_own_role && !kind)
        return err_at(err, node_pos(value), ERR_CONFIG,
                      "a destination is a function, queue, topic or event bus");
    node_put_c(a, config, name, node_fn(a, "Destination", target ? target_arn(c, target) : arn));
    if (!is_own_role)
        allow(c, value, kind->action, target ? function_pattern(c, target) : arn);
    struct function_alias alias;
    if (target && function_alias(c, target, &alias))
        add_unique(a, depends_on, node_str(a, alias.id));
    return 0;
}

int function_async(struct compilation *c, const struct function *f, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *age = node_setting(f->node, NULL, "maximumEventAge");
    const struct node *retries = node_get_c(f->node, "maximumRetryAttempts");
    if (!node_truthy(node_get_c(f->node, "destinations")) && !age && node_empty(retries))
        return 0;
    struct function_alias alias;
    bool has_alias = function_alias(c, f, &alias);
    struct node *config = node_map(a), *depends_on = node_seq(a), *p = node_map(a);
    if (has_alias)
        node_push(a, depends_on, node_str(a, alias.id));
    if (put_destination(c, f, config, depends_on, "destinations.onSuccess", "OnSuccess", err) < 0 ||
        put_destination(c, f, config, depends_on, "destinations.onFailure", "OnFailure", err) < 0)
        return -1;
    node_put_c(a, p, "FunctionName", node_ref(a, name_function_id(c, f)));
    node_put_c(a, p, "DestinationConfig", config);
    node_put_c(a, p, "Qualifier", has_alias ? node_str(a, alias.name) : node_c(a, "$LATEST"));
    node_put_c(a, p, "MaximumEventAgeInSeconds", age);
    copy_member(a, p, "MaximumRetryAttempts", f->node, "maximumRetryAttempts");
    struct node *resource = resource_new(a, "AWS::Lambda::EventInvokeConfig", p);
    if (depends_on->count)
        node_put_c(a, resource, "DependsOn",
                   depends_on->count == 1 ? depends_on->items[0] : depends_on);
    put_condition(c, resource, f);
    return resource_add(c, name_with(c, f, "LambdaEvConf"), resource, f->pos, err);
}
