/* CloudFormation's operations. */
#include "aws/client/aws_internal.h"
#include "aws/services/destroy.h"

#include "base/vec.h"

static int call(struct arena *a, struct aws *aws, const char *operation, const struct node *params,
                const struct node **ret, struct err *err)
{
    return aws_query(a, aws, "cloudformation", operation, params, ret, err);
}

static struct node *named(struct arena *a, const char *key, struct str value)
{
    struct node *map = node_map(a);
    node_put_str(a, map, key, value);
    return map;
}

static void put_if(struct arena *a, struct node *map, const char *key, struct str value)
{
    if (value.n)
        node_put_str(a, map, key, value);
}

/* One page after the other: `item` gets each member of `list` in the answers; it returns false when
 * no page after this one is needed. */
static int pages(struct arena *a, struct aws *aws, const char *operation, struct node *params,
                 const char *list,
                 bool (*item)(struct arena *a, void *context, const struct node *item),
                 void *context, struct err *err)
{
    struct pages p = {0};
    const struct node *answer;
    bool more = true;
    do {
        if (p.token.n) {
            params = node_shallow(a, params);
            node_put_str(a, params, "NextToken", p.token);
        }
        if (call(a, aws, operation, params, &answer, err) < 0)
            return -1;
        node_each (one, answer_list(a, answer, list))
            more &= item(a, context, one);
    } while (more && page_next(&p, operation, text_of(answer, "NextToken"), err));
    return err->kind ? -1 : 0;
}

/* ---- describing ---- */

/* [{<key>: name, <value>: text}] as a map. */
static const struct node *pairs(struct arena *a, const struct node *list, const char *key,
                                const char *value)
{
    struct node *map = node_map(a);
    node_each (pair, list)
        node_put(a, map, text_of(pair, key), node_str(a, text_of(pair, value)));
    return map;
}

static struct stack stack_of(struct arena *a, const struct node *stack)
{
    return (struct stack){
        .name = text_of(stack, "StackName"),
        .id = text_of(stack, "StackId"),
        .status = text_of(stack, "StackStatus"),
        .outputs = pairs(a, answer_list(a, stack, "Outputs"), "OutputKey", "OutputValue"),
        .parameters =
            pairs(a, answer_list(a, stack, "Parameters"), "ParameterKey", "ParameterValue"),
        .tags = pairs(a, answer_list(a, stack, "Tags"), "Key", "Value"),
        .nested = text_of(stack, "ParentId").n > 0,
        .guarded = node_is_text(node_get_c(stack, "EnableTerminationProtection"), "true")};
}

int cloudformation_describe(struct arena *a, struct aws *aws, struct str name, struct stack *ret,
                            struct err *err)
{
    const struct node *answer;
    if (call(a, aws, "DescribeStacks", named(a, "StackName", name), &answer, err) < 0)
        return -1;
    const struct node *stacks = answer_list(a, answer, "Stacks");
    if (!stacks->count)
        return err_set(err, ERR_NOT_FOUND, "DescribeStacks: stack '%.*s' does not exist",
                       STR_ARG(name));
    *ret = stack_of(a, stacks->items[0]);
    return 0;
}

int cloudformation_guard(struct arena *a, struct aws *aws, struct str name, bool on,
                         struct err *err)
{
    const struct node *answer;
    struct node *params = named(a, "StackName", name);
    node_put_str(a, params, "EnableTerminationProtection", str_c(on ? "true" : "false"));
    return call(a, aws, "UpdateTerminationProtection", params, &answer, err);
}

struct stacks {
    VEC(struct stack) list;
};

static bool add_stack(struct arena *a, void *context, const struct node *item)
{
    struct stacks *all = context;
    vec_push(a, &all->list, stack_of(a, item));
    return true;
}

int cloudformation_list(struct arena *a, struct aws *aws, struct stack **ret, size_t *ret_n,
                        struct err *err)
{
    struct stacks all = {0};
    if (pages(a, aws, "DescribeStacks", node_map(a), "Stacks", add_stack, &all, err) < 0)
        return -1;
    *ret = all.list.p;
    *ret_n = all.list.n;
    return 0;
}

struct events {
    VEC(struct stack_event) list;
    const struct stack_events *which;
};

static bool add_event(struct arena *a, void *context, const struct node *item)
{
    struct events *events = context;
    const struct stack_events *which = events->which;
    struct str id = text_of(item, "EventId"), physical = text_of(item, "PhysicalResourceId");
    if ((which->token.n && !str_eq(text_of(item, "ClientRequestToken"), which->token)) ||
        (which->seen && map_has(which->seen, id)))
        return false;
    vec_push(a, &events->list,
             (struct stack_event){.id = id,
                                  .logical_id = text_of(item, "LogicalResourceId"),
                                  .physical_id = physical,
                                  .type = text_of(item, "ResourceType"),
                                  .status = text_of(item, "ResourceStatus"),
                                  .reason = text_of(item, "ResourceStatusReason"),
                                  .root = str_eq(physical, text_of(item, "StackId"))});
    return true;
}

int cloudformation_events(struct arena *a, struct aws *aws, const struct stack_events *which,
                          struct stack_event **ret, size_t *ret_n, struct err *err)
{
    struct events events = {.which = which};
    if (pages(a, aws, "DescribeStackEvents", named(a, "StackName", which->stack), "StackEvents",
              add_event, &events, err) < 0)
        return -1;
    for (size_t i = 0; i < events.list.n / 2; i++) { /* AWS answers the newest first */
        struct stack_event swap = events.list.p[i];
        events.list.p[i] = events.list.p[events.list.n - 1 - i];
        events.list.p[events.list.n - 1 - i] = swap;
    }
    *ret = events.list.p;
    *ret_n = events.list.n;
    return 0;
}

int cloudformation_refused(struct arena *a, struct aws *aws, struct str stack,
                           struct stack_event *ret, struct err *err)
{
    const struct node *answer;
    *ret = (struct stack_event){0};
    if (aws_query(a, aws, "cloudformation", "DescribeEvents", named(a, "StackName", stack), &answer,
                  err) < 0)
        return -1;
    node_each (e, node_get_c(answer, "OperationEvents")) {
        struct str reason = text_of(e, "ValidationStatusReason");
        if (ret->reason.n || !reason.n || !str_eq(text_of(e, "ValidationStatus"), STR("FAILED")))
            continue;
        *ret = (struct stack_event){.logical_id = text_of(e, "LogicalResourceId"),
                                    .type = text_of(e, "ResourceType"),
                                    .reason = reason};
    }
    return 0;
}

struct resources {
    VEC(struct stack_resource) list;
};

static bool add_resource(struct arena *a, void *context, const struct node *item)
{
    struct resources *resources = context;
    vec_push(a, &resources->list,
             (struct stack_resource){
                 text_of(item, "LogicalResourceId"), text_of(item, "PhysicalResourceId"),
                 text_of(item, "ResourceType"), text_of(item, "ResourceStatus")});
    return true;
}

int cloudformation_resources(struct arena *a, struct aws *aws, struct str name,
                             struct stack_resource **ret, size_t *ret_n, struct err *err)
{
    struct resources resources = {0};
    if (pages(a, aws, "ListStackResources", named(a, "StackName", name), "StackResourceSummaries",
              add_resource, &resources, err) < 0)
        return -1;
    *ret = resources.list.p;
    *ret_n = resources.list.n;
    return 0;
}

int cloudformation_template(struct arena *a, struct aws *aws, struct str name, struct str *ret,
                            struct err *err)
{
    struct node *params = named(a, "StackName", name);
    node_put_str(a, params, "TemplateStage", STR("Original"));
    const struct node *answer;
    if (call(a, aws, "GetTemplate", params, &answer, err) < 0)
        return -1;
    *ret = text_of(answer, "TemplateBody");
    return 0;
}

/* ---- changing ---- */

/* `map` as the API's list of {<key>, <value>}. */
static const struct node *pair_list(struct arena *a, const struct node *map, const char *key,
                                    const char *value)
{
    struct node *list = node_seq(a);
    member_each (m, map) {
        struct node *pair = named(a, key, m->key);
        if (node_is(m->value, NODE_NULL))
            node_put_c(a, pair, "UsePreviousValue", node_bool(a, true));
        else
            node_put_str(a, pair, value, node_text(m->value));
        node_push(a, list, pair);
    }
    return list;
}

static const struct node *all_capabilities(struct arena *a)
{
    struct node *capabilities = node_seq(a);
    node_push(a, capabilities, node_str(a, STR("CAPABILITY_IAM")));
    node_push(a, capabilities, node_str(a, STR("CAPABILITY_NAMED_IAM")));
    node_push(a, capabilities, node_str(a, STR("CAPABILITY_AUTO_EXPAND")));
    return capabilities;
}

static struct node *change_params(struct arena *a, const struct stack_change *change)
{
    struct node *params = named(a, "StackName", change->name);
    put_if(a, params, "TemplateBody", change->template_body);
    put_if(a, params, "TemplateURL", change->template_url);
    put_if(a, params, "RoleARN", change->role_arn);
    put_if(a, params, "ClientRequestToken", change->token);
    node_put_c(a, params, "Capabilities", all_capabilities(a));
    if (node_count(change->parameters))
        node_put_c(a, params, "Parameters",
                   pair_list(a, change->parameters, "ParameterKey", "ParameterValue"));
    if (change->tags) /* an empty list removes the stack's tags, no list keeps them */
        node_put_c(a, params, "Tags", pair_list(a, change->tags, "Key", "Value"));
    node_put_c(a, params, "NotificationARNs", change->notification_arns);
    node_put_c(a, params, "RollbackConfiguration", change->rollback_configuration);
    return params;
}

static struct node *with_policy(struct arena *a, const struct stack_change *change,
                                struct node *params)
{
    put_if(a, params, "StackPolicyBody", change->policy); /* a change set takes none */
    return params;
}

int cloudformation_create(struct arena *a, struct aws *aws, const struct stack_change *change,
                          struct str *ret_id, struct err *err)
{
    const struct node *answer;
    if (call(a, aws, "CreateStack", with_policy(a, change, change_params(a, change)), &answer,
             err) < 0)
        return -1;
    if (ret_id)
        *ret_id = text_of(answer, "StackId");
    return 0;
}

int cloudformation_update(struct arena *a, struct aws *aws, const struct stack_change *change,
                          bool *ret_nothing, struct err *err)
{
    *ret_nothing = false;
    if (call(a, aws, "UpdateStack", with_policy(a, change, change_params(a, change)), NULL, err) ==
        0)
        return 0;
    if (!str_eq(err->code, STR("ValidationError")) ||
        str_find(err->msg, STR("No updates are to be performed"), 0) < 0)
        return -1;
    err_clear(err);
    *ret_nothing = true;
    return 0;
}

int cloudformation_delete(struct arena *a, struct aws *aws, struct str name, struct str token,
                          const struct node *retain, struct err *err)
{
    struct node *params = named(a, "StackName", name);
    put_if(a, params, "ClientRequestToken", token);
    if (node_count(retain))
        node_put_c(a, params, "RetainResources", retain);
    if (call(a, aws, "DeleteStack", params, NULL, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

int cloudformation_continue_rollback(struct arena *a, struct aws *aws, struct str name,
                                     struct err *err)
{
    return call(a, aws, "ContinueUpdateRollback", named(a, "StackName", name), NULL, err);
}

/* ---- change sets ---- */

/* Find a change set by its name. The caller made the name up, so a change set of that name is from
 * this very call, whose first answer was lost. */
static int find_change_set(struct arena *a, struct aws *aws, struct str stack, struct str name,
                           struct str *ret_id, struct err *err)
{
    struct node *params = named(a, "ChangeSetName", name);
    const struct node *answer;
    err_clear(err);
    node_put_str(a, params, "StackName", stack);
    if (call(a, aws, "DescribeChangeSet", params, &answer, err) < 0)
        return -1;
    *ret_id = text_of(answer, "ChangeSetId");
    return 0;
}

int change_set_create(struct arena *a, struct aws *aws, const struct stack_change *change,
                      struct str name, const struct node *imports, struct str *ret_id,
                      struct err *err)
{
    struct node *params = change_params(a, change);
    const struct node *answer;
    node_drop(params, STR("ClientRequestToken")); /* it goes with the execution */
    node_put_str(a, params, "ChangeSetName", name);
    node_put_str(a, params, "ChangeSetType", imports ? STR("IMPORT") : STR("UPDATE"));
    if (imports) {
        struct node *list = node_seq(a);
        node_each (one, imports) {
            struct node *resource = node_map(a), *identifier = node_map(a), *entries = node_map(a);
            size_t n = 0;
            node_put_str(a, resource, "ResourceType", text_of(one, "type"));
            node_put_str(a, resource, "LogicalResourceId", text_of(one, "id"));
            member_each (m, node_get_c(one, "identifier")) {
                struct node *entry = named(a, "key", m->key);
                node_put_str(a, entry, "value", node_text(m->value));
                node_put(a, entries, str_fmt(a, "%zu", ++n), entry);
            }
            node_put_c(a, identifier, "entry", entries);
            node_put_c(a, resource, "ResourceIdentifier", identifier);
            node_push(a, list, resource);
        }
        node_put_c(a, params, "ResourcesToImport", list);
    }
    if (call(a, aws, "CreateChangeSet", params, &answer, err) < 0)
        return str_eq(err->code, STR("AlreadyExistsException"))
                   ? find_change_set(a, aws, change->name, name, ret_id, err)
                   : -1;
    *ret_id = text_of(answer, "Id");
    return 0;
}

static bool add_change(struct arena *a, void *context, const struct node *item)
{
    node_push(a, context, node_get_c(item, "ResourceChange"));
    return true;
}

int change_set_describe(struct arena *a, struct aws *aws, struct str id, struct change_set *ret,
                        struct err *err)
{
    const struct node *answer;
    struct node *changes = node_seq(a);
    if (call(a, aws, "DescribeChangeSet", named(a, "ChangeSetName", id), &answer, err) < 0)
        return -1;
    *ret = (struct change_set){.status = text_of(answer, "Status"),
                               .execution_status = text_of(answer, "ExecutionStatus"),
                               .reason = text_of(answer, "StatusReason"),
                               .changes = changes};
    if (!str_eq(ret->status, STR("CREATE_COMPLETE")))
        return 0;
    return pages(a, aws, "DescribeChangeSet", named(a, "ChangeSetName", id), "Changes", add_change,
                 changes, err);
}

int change_set_execute(struct arena *a, struct aws *aws, struct str id, struct str token,
                       struct err *err)
{
    struct node *params = named(a, "ChangeSetName", id);
    put_if(a, params, "ClientRequestToken", token);
    return call(a, aws, "ExecuteChangeSet", params, NULL, err);
}

int change_set_delete(struct arena *a, struct aws *aws, struct str id, struct err *err)
{
    return call(a, aws, "DeleteChangeSet", named(a, "ChangeSetName", id), NULL, err);
}

int template_identifiers(struct arena *a, struct aws *aws, struct str body, const struct node **ret,
                         struct err *err)
{
    const struct node *answer;
    struct node *all = node_map(a);
    if (call(a, aws, "GetTemplateSummary", named(a, "TemplateBody", body), &answer, err) < 0)
        return -1;
    node_each (summary, answer_list(a, answer, "ResourceIdentifierSummaries"))
        node_put(a, all, text_of(summary, "ResourceType"),
                 answer_list(a, summary, "ResourceIdentifiers"));
    *ret = all;
    return 0;
}

static bool add_importer(struct arena *a, void *context, const struct node *item)
{
    node_push(a, context, item);
    return true;
}

int cloudformation_importers(struct arena *a, struct aws *aws, struct str export_name,
                             const struct node **ret, struct err *err)
{
    struct node *names = node_seq(a);
    *ret = names;
    if (pages(a, aws, "ListImports", named(a, "ExportName", export_name), "Imports", add_importer,
              names, err) == 0)
        return 0;
    /* "Export 'x' is not imported by any stack." */
    if (!str_eq(err->code, STR("ValidationError")) ||
        str_find(err->msg, STR("not imported by any stack"), 0) < 0)
        return -1;
    err_clear(err);
    return 0;
}
