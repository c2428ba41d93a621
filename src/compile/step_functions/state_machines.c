/* serverless-step-functions: state machines and activities, their outputs, and the order in which
 * their parts are made. */
#include "compile/step_functions/step_functions.h"

#include "config/plugins/plugins.h"

#define PLUGIN "serverless-step-functions"

/* ---- a state machine ---- */

static const struct node *tags_of(struct compilation *c, const struct node *machine)
{
    struct arena *a = c->arena;
    const struct node *inherits = node_get_c(machine, "inheritGlobalTags");
    const struct node *maps[] = {node_get_c(c->provider, "tags"), node_get_c(machine, "tags")};
    struct node *out = node_seq(a);
    bool is_own = node_is(inherits, NODE_BOOL) && !inherits->boolean;
    for (size_t i = is_own; i < 2; i++) {
        if (!node_is(maps[i], NODE_MAP))
            continue;
        const struct node *pairs = key_value_list(a, maps[i]);
        node_each (pair, pairs) {
            const struct node *value = node_get_c(pair, "Value");
            struct str text = node_truthy(value) ? script_text(a, value) : STR("");
            node_push(a, out, cfn_with(a, pair, "Value", node_from(node_str(a, text), value)));
        }
    }
    return out;
}

static const struct node *logging(struct arena *a, const struct node *given)
{
    const struct node *level = node_get_c(given, "level");
    const struct node *data = node_get_c(given, "includeExecutionData");
    struct node *out = node_map(a), *destinations = node_seq(a);
    if (!node_truthy(given))
        return NULL;
    node_put_c(a, out, "Level", node_empty(level) ? node_c(a, "OFF") : level);
    node_put_c(a, out, "IncludeExecutionData", node_empty(data) ? node_bool(a, false) : data);
    node_each (arn, node_get_c(given, "destinations"))
        node_push(a, destinations,
                  node_fn(a, "CloudWatchLogsLogGroup", node_fn(a, "LogGroupArn", arn)));
    if (destinations->count)
        node_put_c(a, out, "Destinations", destinations);
    return out;
}

static const struct node *tracing(struct arena *a, const struct node *given)
{
    const struct node *enabled = node_get_c(given, "enabled");
    if (!node_truthy(given))
        return NULL;
    return node_fn(a, "Enabled", node_empty(enabled) ? node_bool(a, false) : enabled);
}

static const struct node *encryption(struct arena *a, const struct node *given)
{
    const struct node *period = node_get_c(given, "KmsDataKeyReusePeriodSeconds");
    const struct node *key = node_get_c(given, "KmsKeyId"), *type = node_get_c(given, "Type");
    struct node *out = node_map(a);
    if (!node_truthy(given))
        return NULL;
    node_put_c(a, out, "KmsDataKeyReusePeriodSeconds",
               node_empty(period) ? node_int(a, 900) : period);
    node_put_c(a, out, "KmsKeyId", node_fn(a, "Fn::Sub", node_empty(key) ? node_c(a, "") : key));
    node_put_c(a, out, "Type", node_empty(type) ? node_c(a, "AWS_OWNED_KEY") : type);
    return out;
}

static const struct node *depends_on(struct arena *a, const struct state_machine *machine,
                                     bool has_role)
{
    const struct node *given = node_get_c(machine->node, "dependsOn");
    struct node *out = node_seq(a);
    if (has_role)
        node_push(a, out, node_str(a, str_concat(a, machine->id, STR("Role"))));
    if (node_is(given, NODE_STRING) && given->text.n)
        node_push(a, out, given);
    node_each (id, given)
        node_push(a, out, id);
    return out;
}

static struct node *machine_resource(struct compilation *c, const struct state_machine *machine,
                                     struct err *err)
{
    struct arena *a = c->arena;
    const struct node *n = machine->node, *role = node_get_c(n, "role"), *tags = tags_of(c, n);
    const struct node *definition = state_machine_definition(c, machine, err);
    if (!definition)
        return NULL;
    bool has_role = !node_truthy(role);
    struct node *p = node_map(a);
    node_put_c(a, p, "DefinitionString", definition);
    node_put_c(a, p, "RoleArn",
               has_role ? node_get_att(a, str_concat(a, machine->id, STR("Role")), "Arn") : role);
    copy_member(a, p, "StateMachineType", n, "type");
    node_put_c(a, p, "LoggingConfiguration", logging(a, node_get_c(n, "loggingConfig")));
    node_put_c(a, p, "TracingConfiguration", tracing(a, node_get_c(n, "tracingConfig")));
    node_put_c(a, p, "EncryptionConfiguration", encryption(a, node_get_c(n, "encryptionConfig")));
    if (node_count(tags))
        node_put_c(a, p, "Tags", tags);
    if (node_truthy(node_get_c(n, "name")))
        node_put_c(a, p, "StateMachineName", node_get_c(n, "name"));
    struct node *resource = resource_new(a, "AWS::StepFunctions::StateMachine", p);
    node_put_c(a, resource, "DependsOn", depends_on(a, machine, has_role));
    if (node_truthy(node_get_c(n, "retain")))
        node_put_c(a, resource, "DeletionPolicy", node_c(a, "Retain"));
    return resource;
}

static void output_add(struct compilation *c, struct str id, struct str resource)
{
    struct arena *a = c->arena;
    struct node *output = node_map(a);
    node_put_c(a, output, "Description", node_c(a, "Current StateMachine Arn"));
    node_put_c(a, output, "Value", node_ref(a, resource));
    node_put(a, c->outputs, id, output);
}

/* ---- functions that are named in texts ---- */

/* The function of the service whose name `text` is, alone or at the end of an ARN. */
static const struct function *function_named(const struct compilation *c, struct str text)
{
    ptrdiff_t at = str_find(text, STR(":function:"), 0);
    struct str name = at < 0 ? text : str_sub(text, (size_t)at + sizeof ":function:" - 1, SIZE_MAX);
    for (size_t i = 0; i < c->service->function_count; i++)
        if (str_eq(c->service->functions[i].name, name))
            return &c->service->functions[i];
    return NULL;
}

/* With stages a function has another name than the plugin's template gives it, and what it serves
 * is an alias: a name in `FunctionName` or `Resource` becomes a reference. */
static const struct node *with_references(struct compilation *c, const struct node *n)
{
    struct arena *a = c->arena;
    if (node_is(n, NODE_SEQ)) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, with_references(c, item));
        return node_from(out, n);
    }
    if (!node_is(n, NODE_MAP))
        return n;
    struct node *out = node_map(a);
    member_each (m, n) {
        const struct node *sub = node_get_c(m->value, "Fn::Sub");
        struct str text = node_is(sub, NODE_STRING) ? sub->text : node_text(m->value);
        bool may_name = str_eq(m->key, STR("FunctionName")) || str_eq(m->key, STR("Resource"));
        const struct function *f = may_name && text.n ? function_named(c, text) : NULL;
        node_put_at(a, out, m->key, m->key_pos,
                    f ? node_from(node_get_att(a, f->key, "Arn"), m->value)
                      : with_references(c, m->value));
    }
    return node_from(out, n);
}

/* ---- reading ---- */

static const struct node *settings(const struct compilation *c)
{
    const struct node *root = c->service->root;
    return plugin_listed(root, PLUGIN) ? node_get_c(root, "stepFunctions") : NULL;
}

static struct state_machine machine_read(struct compilation *c, const struct member *m)
{
    struct arena *a = c->arena;
    const struct node *definition = node_get_c(m->value, "definition"), *n = m->value;
    if (c->options->naming == NAMING_SHARED && node_is(definition, NODE_MAP))
        n = node_from(cfn_with(a, n, "definition", with_references(c, definition)), n);
    const struct node *given_id = node_get_c(m->value, "id"), *name = node_get_c(m->value, "name");
    const struct node *custom = node_truthy(given_id) ? given_id : name;
    struct str id = node_truthy(custom) ? name_normalize(a, node_text(custom))
                                        : str_concat(a, name_normalize(a, m->key),
                                                     STR("StepFunctionsStateMachine"));
    struct node *key = node_str(a, m->key);
    key->pos = m->key_pos;
    return (struct state_machine){m->key, m->key_pos, n, id, node_truthy(name) ? name : key};
}

/* NULL, and `*ret_n` 0: there are none. */
static struct state_machine *machines_read(struct compilation *c, size_t *ret_n)
{
    struct arena *a = c->arena;
    const struct node *map = node_get_c(settings(c), "stateMachines");
    *ret_n = 0;
    if (!node_is(map, NODE_MAP) || !map->size)
        return NULL;
    struct state_machine *all = ARENA_ARRAY(a, map->size, struct state_machine);
    const struct node *ordered = node_javascript_order(a, map);
    member_each (m, ordered)
        all[(*ret_n)++] = machine_read(c, m);
    return all;
}

typedef int machine_part(struct compilation *c, const struct state_machine *machine,
                         struct err *err);

static int for_each(struct compilation *c, machine_part *part, struct err *err)
{
    size_t n;
    const struct state_machine *all = machines_read(c, &n);
    for (size_t i = 0; i < n; i++) {
        struct err one = {0};
        if (part(c, &all[i], &one) < 0)
            err_wrap(&one, "state machine '%.*s'", STR_ARG(all[i].key));
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

/* ---- the parts ---- */

static int role_part(struct compilation *c, const struct state_machine *machine, struct err *err)
{
    const struct node *role = node_get_c(machine->node, "role");
    const struct node *statements = node_get_c(machine->node, "iamRoleStatements");
    if (state_machine_check(c, machine, err) < 0)
        return -1;
    if (!node_truthy(role))
        return state_machine_role(c, machine, err);
    if (!statements)
        return 0;
    err_at(err, node_pos(statements), ERR_CONFIG, "'iamRoleStatements' of a machine with a role");
    err_note(err, node_pos(role), "the role is given here");
    return err_help(err, "leave one of the two away");
}

static int machine_part_make(struct compilation *c, const struct state_machine *machine,
                             struct err *err)
{
    struct arena *a = c->arena;
    struct node *resource = machine_resource(c, machine, err);
    if (!resource || resource_add(c, machine->id, resource, machine->pos, err) < 0)
        return -1;
    if (!node_truthy(node_get_c(settings(c), "noOutput")))
        output_add(c, str_concat(a, machine->id, STR("Arn")), machine->id);
    return 0;
}

static int activities(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    node_each (name, node_get_c(settings(c), "activities")) {
        struct str id =
            str_concat(a, name_normalize(a, node_text(name)), STR("StepFunctionsActivity"));
        struct node *resource =
            resource_new(a, "AWS::StepFunctions::Activity", node_fn(a, "Name", name));
        struct err one = {0};
        resource_add(c, id, resource, name->pos, &one);
        err_also(err, &one);
        output_add(c, str_concat(a, id, STR("Arn")), id);
    }
    return err->kind ? -1 : 0;
}

int state_machines_compile(struct compilation *c, struct err *err)
{
    if (for_each(c, role_part, err) < 0 || for_each(c, machine_part_make, err) < 0 ||
        activities(c, err) < 0 || for_each(c, state_machine_alarms, err) < 0)
        return -1;
    return for_each(c, state_machine_notifications, err);
}

int state_machine_events_compile(struct compilation *c, struct err *err)
{
    size_t n;
    const struct state_machine *all = machines_read(c, &n);
    if (for_each(c, state_machine_schedules, err) < 0 || state_machines_http(c, all, n, err) < 0)
        return -1;
    return for_each(c, state_machine_rules, err);
}
