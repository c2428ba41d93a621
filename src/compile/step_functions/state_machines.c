/* serverless-step-functions: state machines and activities, their outputs, and the order in which
 * their parts are made. */
#include "compile/step_functions/step_functions.h"

#include "base/buf.h"
#include "config/plugins/plugins.h"

#define PLUGIN "serverless-step-functions"

/* ---- pieces ---- */

bool is_intrinsic(const struct node *n)
{
    member_each (m, n)
        if (str_starts(m->key, STR("Fn::")) || str_eq(m->key, STR("Ref")))
            return true;
    return false;
}

static const struct node *id_translated(struct compilation *c, const struct node *id)
{
    const struct function *f =
        node_get(c->resources, node_text(id)) ? NULL : function_by_key(c, node_text(id));
    return f ? node_from(node_str(c->arena, name_function_id(c, f)), id) : id;
}

const struct node *function_keys_translated(struct compilation *c, const struct node *value)
{
    struct arena *a = c->arena;
    const struct node *ref = node_get_c(value, "Ref"), *att = node_get_c(value, "Fn::GetAtt");
    if (ref)
        return node_from(node_fn(a, "Ref", id_translated(c, ref)), value);
    if (!node_is(att, NODE_SEQ) || !att->count)
        return value;
    const struct node *attribute = att->count > 1 ? att->items[1] : NULL;
    return node_from(
        node_fn(a, "Fn::GetAtt", NODE_LIST(a, id_translated(c, att->items[0]), attribute)), value);
}

struct str script_text(struct arena *a, const struct node *n)
{
    if (!n)
        return STR("undefined");
    if (node_is(n, NODE_MAP))
        return STR("[object Object]");
    if (node_is(n, NODE_NULL))
        return STR("null");
    struct buf b = BUF(a);
    if (!node_is(n, NODE_SEQ))
        return node_text(n);
    node_each (item, n) {
        if (i_item)
            buf_char(&b, ',');
        buf_add(&b, node_empty(item) ? STR("") : script_text(a, item));
    }
    return buf_str(&b);
}

struct node *sub_with(struct arena *a, struct str text, const struct node *values)
{
    return node_fn(a, "Fn::Sub", NODE_LIST(a, node_str(a, text), values));
}

void resource_merge(struct compilation *c, struct str id, const struct node *resource,
                    struct pos from)
{
    const struct node *old = node_get(c->resources, id);
    struct node *merged =
        node_shallow(c->arena, old ? node_merge(c->arena, old, resource) : resource);
    resource_set(c, id, merged, old ? old->pos : from);
}

struct str machine_id_with(struct compilation *c, const struct state_machine *machine,
                           const char *suffix)
{
    return str_concat(c->arena, name_normalize(c->arena, machine->key), str_c(suffix));
}

void warn_at(struct compilation *c, const struct node *at, struct str msg, const char *help)
{
    if (c->options->warn)
        c->options->warn(c->options->warn_context, node_pos(at), msg, str_c(help));
}

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

/* ---- reading ---- */

static const struct node *settings(const struct compilation *c)
{
    const struct node *root = c->service->root;
    return plugin_listed(root, PLUGIN) ? node_get_c(root, "stepFunctions") : NULL;
}

static struct state_machine machine_read(struct arena *a, const struct member *m)
{
    const struct node *given_id = node_get_c(m->value, "id"), *name = node_get_c(m->value, "name");
    const struct node *custom = node_truthy(given_id) ? given_id : name;
    struct str id = node_truthy(custom) ? name_normalize(a, node_text(custom))
                                        : str_concat(a, name_normalize(a, m->key),
                                                     STR("StepFunctionsStateMachine"));
    struct node *key = node_str(a, m->key);
    key->pos = m->key_pos;
    return (struct state_machine){m->key, m->key_pos, m->value, id, node_truthy(name) ? name : key};
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
        all[(*ret_n)++] = machine_read(a, m);
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
