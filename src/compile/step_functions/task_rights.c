/* What the tasks of a state machine need, task by task, as the plugin derives it. */
#include "compile/step_functions/step_functions.h"

/* One derivation under way. */
struct tasks {
    struct compilation *c;
    const struct state_machine *machine;
    task_rights *out;
};

#define ARN "arn:${AWS::Partition}:"
#define HERE "${AWS::Region}:${AWS::AccountId}:"
#define RULE_ACTIONS "events:PutTargets,events:PutRule,events:DescribeRule"

static void need(struct tasks *t, const char *actions, const struct node *resource)
{
    vec_push(t->c->arena, t->out, (struct task_right){str_c(actions), resource});
}

static void need_all(struct tasks *t, const char *actions)
{
    need(t, actions, node_c(t->c->arena, "*"));
}

static int refuse_task(const struct node *state, const char *key, struct err *err)
{
    err_at(err, node_pos(state), ERR_CONFIG, "the rights of task '%.*s' need its '%s'",
           STR_ARG(node_text(node_get_c(state, "Resource"))), key);
    return err_help(err, "add it, or name a role of your own by 'role'");
}

/* ---- what a state says ---- */

static const struct node *parameter(const struct node *state, const char *key)
{
    return node_get_c(node_get_c(state, "Parameters"), key);
}

/* Of Parameters or Arguments, by the language that the state is written in. */
static const struct node *given(const struct node *state, const char *key)
{
    const struct node *language = node_get_c(state, "QueryLanguage");
    const struct node *parameters = node_get_c(state, "Parameters");
    const struct node *arguments = node_get_c(state, "Arguments");
    if (node_is_text(language, "JSONata"))
        return node_get_c(arguments, key);
    if (node_is_text(language, "JSONPath"))
        return node_get_c(parameters, key);
    if (node_truthy(parameters) && !node_truthy(arguments))
        return node_get_c(parameters, key);
    return node_truthy(arguments) && !node_truthy(parameters) ? node_get_c(arguments, key) : NULL;
}

static bool is_expression(const struct node *n)
{
    return node_is(n, NODE_STRING) && str_starts(str_trim(n->text), STR("{%"));
}

static const struct node *path_parameter(struct arena *a, const struct node *state, const char *key)
{
    return node_get(node_get_c(state, "Parameters"), str_fmt(a, "%s.$", key));
}

/* Is the value known only while the machine runs? */
static bool is_dynamic(struct arena *a, const struct node *state, const char *key)
{
    return node_truthy(path_parameter(a, state, key)) ||
           is_expression(node_get_c(node_get_c(state, "Arguments"), key));
}

/* ---- queues, topics, tables ---- */

/* https://sqs.REGION.amazonaws.com/ACCOUNT/NAME as an ARN; empty when it is none. */
static struct str queue_arn(struct arena *a, struct str url)
{
    static const char host[] = "amazonaws.com/";
    ptrdiff_t begin = str_find(url, STR("https://sqs."), 0);
    if (begin < 0)
        return STR("");
    struct str rest = str_sub(url, (size_t)begin + sizeof "https://sqs." - 1, SIZE_MAX);
    ptrdiff_t end = str_find(rest, str_c(host), 0);
    if (end < 1)
        return STR("");
    struct str region = str_sub(rest, 0, (size_t)end - 1);
    struct str path = str_sub(rest, (size_t)end + sizeof host - 1, SIZE_MAX);
    ptrdiff_t slash = str_rfind_char(path, '/');
    if (slash < 0)
        return STR("");
    const char *partition = str_starts(region, STR("us-gov")) ? "aws-us-gov"
                            : str_starts(region, STR("cn-"))  ? "aws-cn"
                                                              : "aws";
    return str_fmt(a, "arn:%s:sqs:%.*s:%.*s:%.*s", partition, STR_ARG(region),
                   STR_ARG(str_sub(path, 0, (size_t)slash)),
                   STR_ARG(str_sub(path, (size_t)slash + 1, SIZE_MAX)));
}

static int of_queue(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *url = parameter(state, "QueueUrl"), *arn = node_c(a, "*");
    if (node_truthy(path_parameter(a, state, "QueueUrl"))) {
        need(t, actions, arn);
        return 0;
    }
    if (!url)
        return refuse_task(state, "Parameters.QueueUrl", err);
    if (node_truthy(node_get_c(url, "Ref")))
        arn = node_get_att(a, node_text(node_get_c(url, "Ref")), "Arn");
    else if (!is_intrinsic(url)) {
        struct str text = queue_arn(a, node_text(url));
        if (!text.n) {
            err_at(err, node_pos(url), ERR_CONFIG, "'%.*s' is no address of a queue",
                   STR_ARG(node_text(url)));
            return err_help(err, "write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or a Ref");
        }
        arn = node_from(node_str(a, text), url);
    }
    need(t, actions, arn);
    return 0;
}

static int of_topic(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    bool is_input = node_truthy(path_parameter(a, state, "TopicArn"));
    if (!is_input && !parameter(state, "TopicArn"))
        return refuse_task(state, "Parameters.TopicArn", err);
    need(t, actions, is_input ? node_c(a, "*") : parameter(state, "TopicArn"));
    return 0;
}

/* arn:…:dynamodb:REGION:ACCOUNT: and `rest`. */
static const struct node *joined_arn(struct arena *a, const char *service, const struct node *rest)
{
    return node_join(a, ":",
                     NODE_LIST(a, node_c(a, "arn"), node_ref(a, STR("AWS::Partition")),
                               node_c(a, service), node_ref(a, STR("AWS::Region")),
                               node_ref(a, STR("AWS::AccountId")), rest));
}

static const struct node *table_arn(struct arena *a, const struct node *table)
{
    if (is_intrinsic(table) && node_truthy(node_get_c(table, "Ref")))
        return node_get_att(a, node_text(node_get_c(table, "Ref")), "Arn");
    if (is_intrinsic(table) && node_truthy(node_get_c(table, "Fn::ImportValue")))
        return joined_arn(a, "dynamodb",
                          node_join(a, "/", NODE_LIST(a, node_c(a, "table"), table)));
    struct node *rest = node_strf(a, "table/%.*s", STR_ARG(script_text(a, table)));
    return joined_arn(a, "dynamodb", table ? node_from(rest, table) : rest);
}

static int of_table(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *table = given(state, "TableName"), *index = given(state, "IndexName");
    if (is_dynamic(a, state, "TableName")) {
        need_all(t, actions);
        return 0;
    }
    if (!table)
        return refuse_task(state, "TableName", err);
    bool is_any = is_dynamic(a, state, "IndexName");
    if (is_any || node_truthy(index)) {
        struct str name = is_any ? STR("*") : script_text(a, index);
        table = node_from(
            node_strf(a, "%.*s/index/%.*s", STR_ARG(script_text(a, table)), STR_ARG(name)), table);
    }
    need(t, actions, table_arn(a, table));
    return 0;
}

static int of_tables(struct tasks *t, const struct node *state, const char *actions,
                     struct err *err)
{
    struct arena *a = t->c->arena;
    if (is_dynamic(a, state, "RequestItems")) {
        need_all(t, actions);
        return 0;
    }
    const struct node *items = given(state, "RequestItems");
    if (!node_is(items, NODE_MAP))
        return refuse_task(state, "RequestItems", err);
    const struct node *ordered = node_javascript_order(a, items);
    member_each (m, ordered) {
        struct str name = m->key;
        ptrdiff_t dollar = str_find(name, STR(".$"), 0);
        if (dollar >= 0)
            name = str_concat(a, str_sub(name, 0, (size_t)dollar),
                              str_sub(name, (size_t)dollar + 2, SIZE_MAX));
        need(t, actions, table_arn(a, node_str(a, name)));
    }
    return 0;
}

/* ---- Redshift ---- */

#define WORKGROUPS ARN "redshift-serverless:" HERE "workgroup/*"

static bool is_arn(const struct node *n)
{
    return str_starts(node_text(n), STR("arn:"));
}

static const struct node *workgroup_of(struct arena *a, const struct node *state)
{
    const struct node *name = parameter(state, "WorkgroupName");
    if (name && is_arn(name))
        return name;
    if (name || parameter(state, "WorkgroupName.$"))
        return node_sub(a, STR(WORKGROUPS), name ? name : state);
    return NULL;
}

static const struct node *secret_of(struct arena *a, const struct node *state)
{
    const struct node *name = parameter(state, "SecretArn");
    if (name && is_arn(name))
        return name;
    if (name)
        return node_sub(
            a, str_fmt(a, ARN "secretsmanager:" HERE "secret:%.*s*", STR_ARG(script_text(a, name))),
            name);
    return parameter(state, "SecretArn.$")
               ? node_sub(a, STR(ARN "secretsmanager:" HERE "secret:*"), state)
               : NULL;
}

static const struct node *redshift_arn(struct arena *a, const char *kind, struct str name,
                                       const struct node *from)
{
    return node_sub(a, str_fmt(a, ARN "redshift:" HERE "%s:%.*s", kind, STR_ARG(name)), from);
}

static int of_statement(struct tasks *t, const struct node *state, const char *actions,
                        struct err *err)
{
    (void)err;
    struct arena *a = t->c->arena;
    const struct node *workgroup = workgroup_of(a, state), *secret = secret_of(a, state);
    const struct node *database = parameter(state, "Database"), *user = parameter(state, "DbUser");
    const struct node *given_cluster = parameter(state, "ClusterIdentifier");
    struct str cluster = workgroup       ? STR("undefined")
                         : given_cluster ? script_text(a, given_cluster)
                                         : STR("*");
    struct str db = str_fmt(a, "%.*s/%.*s", STR_ARG(cluster),
                            STR_ARG(database ? script_text(a, database) : STR("*")));
    const struct node *db_arn = redshift_arn(a, "dbname", db, database ? database : state);
    struct str user_name = user                           ? script_text(a, user)
                           : parameter(state, "DbUser.$") ? STR("*")
                                                          : STR("");
    need(t, actions, workgroup ? workgroup : redshift_arn(a, "cluster", cluster, state));
    if (secret) {
        need(t, "secretsmanager:GetSecretValue", secret);
    } else if (user_name.n) {
        struct str path = str_fmt(a, "%.*s/%.*s", STR_ARG(cluster), STR_ARG(user_name));
        need(t, "redshift:GetClusterCredentials",
             NODE_LIST(a, redshift_arn(a, "dbuser", path, user ? user : state), db_arn));
    } else if (workgroup) {
        need(t, "redshift-serverless:GetCredentials", workgroup);
    } else {
        need(t, "redshift:GetClusterCredentialsWithIAM", db_arn);
    }
    return 0;
}

/* ---- jobs ---- */

static int everywhere(struct tasks *t, const struct node *state, const char *actions,
                      struct err *err)
{
    (void)state, (void)err;
    need_all(t, actions);
    return 0;
}

static void need_rule(struct tasks *t, const char *rule)
{
    struct arena *a = t->c->arena;
    need(t, RULE_ACTIONS, joined_arn(a, "events", node_strf(a, "rule/%s", rule)));
}

static int of_batch(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    (void)state, (void)err;
    need_all(t, actions);
    need_rule(t, "StepFunctionsGetEventsForBatchJobsRule");
    return 0;
}

static int of_ecs(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    (void)state, (void)err;
    need_all(t, actions);
    need_rule(t, "StepFunctionsGetEventsForECSTaskRule");
    return 0;
}

/* {"Fn::Sub": [text, {}]} */
static const struct node *sub_empty(struct arena *a, struct str text, const struct node *from)
{
    struct node *sub = sub_with(a, text, node_map(a));
    return from ? node_from(sub, from) : sub;
}

static void need_sub_rule(struct tasks *t, const char *rule)
{
    struct arena *a = t->c->arena;
    need(t, RULE_ACTIONS, sub_empty(a, str_fmt(a, ARN "events:" HERE "rule/%s", rule), NULL));
}

static int of_build(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *project = parameter(state, "ProjectName");
    if (!project)
        return refuse_task(state, "Parameters.ProjectName", err);
    struct str text =
        str_fmt(a, ARN "codebuild:" HERE "project/%.*s", STR_ARG(script_text(a, project)));
    need(t, actions, sub_empty(a, text, project));
    need_sub_rule(t, "StepFunctionsGetEventForCodeBuildStartBuildRule");
    return 0;
}

static int of_transform(struct tasks *t, const struct node *state, const char *actions,
                        struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *job = parameter(state, "TransformJobName");
    if (!node_get_c(state, "Parameters"))
        return refuse_task(state, "Parameters", err);
    struct str name = node_truthy(job) ? script_text(a, job) : STR("");
    struct str text = str_fmt(a, ARN "sagemaker:" HERE "transform-job/%.*s*", STR_ARG(name));
    need(t, actions, sub_empty(a, text, job));
    need_all(t, "sagemaker:ListTags");
    need_sub_rule(t, "StepFunctionsGetEventsForSageMakerTransformJobsRule");
    return 0;
}

static int of_model(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *model = parameter(state, "ModelId");
    if (!node_is(model, NODE_STRING))
        return refuse_task(state, "Parameters.ModelId", err);
    struct str text =
        str_fmt(a, ARN "bedrock:${AWS::Region}::foundation-model/%.*s", STR_ARG(model->text));
    need(t, actions, is_arn(model) ? model : sub_empty(a, text, model));
    return 0;
}

/* ---- functions ---- */

static const struct node *each_alias(struct arena *a, const struct node *arn)
{
    return sub_with(a, STR("${functionArn}:*"), node_fn(a, "functionArn", arn));
}

/* ARN of a Lambda function in any partition: arn:aws, then words with '-' before. */
static bool is_function_arn(struct str s)
{
    if (!str_skip(&s, STR("arn:aws")))
        return false;
    while (s.n > 1 && s.p[0] == '-' && s.p[1] >= 'a' && s.p[1] <= 'z') {
        s = str_sub(s, 1, SIZE_MAX);
        while (s.n && s.p[0] >= 'a' && s.p[0] <= 'z')
            s = str_sub(s, 1, SIZE_MAX);
    }
    return str_starts(s, STR(":lambda"));
}

static bool has_function_arn(struct str s)
{
    for (ptrdiff_t at = 0; (at = str_find(s, STR("arn:aws"), (size_t)at)) >= 0; at++)
        if (is_function_arn(str_sub(s, (size_t)at, SIZE_MAX)))
            return true;
    return false;
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static const struct node *named_functions(struct arena *a, const struct node *name)
{
    struct str s = name->text, rest = s, part, first = {0};
    size_t parts = 0;
    while (str_cut(&rest, ':', &part))
        if (!parts++)
            first = part;
    if (is_function_arn(s))
        return NODE_LIST(a, name, node_from(node_str(a, str_concat(a, s, STR(":*"))), name));
    const char *before = parts == 3 && is_digits(first) ? ARN "lambda:${AWS::Region}:"
                                                        : ARN "lambda:" HERE "function:";
    struct str arn = str_concat(a, str_c(before), s);
    return NODE_LIST(a, node_sub(a, arn, name), node_sub(a, str_concat(a, arn, STR(":*")), name));
}

static const struct node *referred_functions(struct arena *a, const struct node *ref)
{
    struct str arn = STR(ARN "lambda:" HERE "function:${functionArn}");
    const struct node *values = node_fn(a, "functionArn", ref);
    return NODE_LIST(a, sub_with(a, arn, values),
                     sub_with(a, str_concat(a, arn, STR(":*")), values));
}

/* With stages, a machine that calls exact versions goes on with those it was started with. */
static void need_versions(struct tasks *t, const struct node *reference)
{
    const struct node *ref = node_get_c(reference, "Ref");
    const struct node *id = ref ? ref : node_path(reference, "Fn::GetAtt.0");
    if (t->c->options->naming == NAMING_FLAT ||
        !node_truthy(node_get_c(t->machine->node, "useExactVersion")))
        return;
    for (size_t i = 0; i < t->c->out->function_count; i++)
        if (str_eq(t->c->out->functions[i].logical_id, node_text(id)))
            need(t, "lambda:InvokeFunction",
                 function_arn_by_name(t->c, t->c->out->functions[i].function, ":*"));
}

static int of_function(struct tasks *t, const struct node *state, const char *actions,
                       struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *name = given(state, "FunctionName");
    if (is_dynamic(a, state, "FunctionName")) {
        const struct node *allowed = given(state, "AllowedFunctions");
        need(t, actions, node_truthy(allowed) ? allowed : node_c(a, "*"));
        return 0;
    }
    if (!name)
        return refuse_task(state, "FunctionName", err);
    const struct node *resource = name;
    if (node_is(name, NODE_STRING)) {
        resource = named_functions(a, name);
    } else if (node_get_c(name, "Fn::GetAtt")) {
        const struct node *arn = function_keys_translated(t->c, name);
        resource = NODE_LIST(a, arn, each_alias(a, arn));
    } else if (node_get_c(name, "Ref")) {
        resource = referred_functions(a, function_keys_translated(t->c, name));
    }
    need(t, actions, resource);
    need_versions(t, function_keys_translated(t->c, name));
    return 0;
}

/* A task that names a function by `Resource`, the plugin's short form. */
static int of_resource(struct tasks *t, const struct node *state, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *resource = node_get_c(state, "Resource");
    if (node_is(resource, NODE_STRING) && is_function_arn(resource->text)) {
        size_t colons = 0, last = 0;
        for (size_t i = 0; i < resource->text.n; i++)
            if (resource->text.p[i] == ':')
                colons++, last = i;
        if (colons == 7)
            resource = node_from(node_str(a, str_sub(resource->text, 0, last)), resource);
    }
    if (!is_intrinsic(resource) && !has_function_arn(node_text(resource))) {
        if (!node_is(resource, NODE_STRING))
            return err_at(err, node_pos(state), ERR_CONFIG, "a task has no 'Resource'");
        warn_at(t->c, resource,
                str_fmt(a, "the role gets no rights for task '%.*s'", STR_ARG(resource->text)),
                "add them by 'iamRoleStatements'");
        return 0;
    }
    const struct node *arn = function_keys_translated(t->c, resource);
    need(t, "lambda:InvokeFunction", NODE_LIST(a, arn, each_alias(a, arn)));
    need_versions(t, arn);
    return 0;
}

/* ---- other machines ---- */

static const struct node *machine_arn(struct tasks *t, const struct node *state)
{
    struct arena *a = t->c->arena;
    const struct node *arguments = node_get_c(state, "Arguments");
    if (node_is_text(node_get_c(state, "Mode"), "DISTRIBUTED"))
        return sub_empty(a,
                         str_fmt(a, ARN "states:" HERE "stateMachine:%.*s",
                                 STR_ARG(node_text(t->machine->name))),
                         t->machine->name);
    if (node_truthy(arguments)) {
        const struct node *arn = node_get_c(arguments, "StateMachineArn");
        return is_expression(arn) ? node_c(a, "*") : arn;
    }
    return node_truthy(parameter(state, "StateMachineArn.$")) ? node_c(a, "*")
                                                              : parameter(state, "StateMachineArn");
}

static struct node *execution_text(struct arena *a, const struct node *n)
{
    static const char machine[] = ":stateMachine:";
    struct str s = node_text(n);
    ptrdiff_t at = str_find(s, str_c(machine), 0);
    if (at >= 0)
        s = str_fmt(a, "%.*s:execution:%.*s", STR_ARG(str_sub(s, 0, (size_t)at)),
                    STR_ARG(str_sub(s, (size_t)at + sizeof machine - 1, SIZE_MAX)));
    return node_from(node_str(a, str_concat(a, s, STR(":*"))), n);
}

static const struct node *execution_arn(struct arena *a, const struct node *machine)
{
    const struct node *sub = node_get_c(machine, "Fn::Sub");
    if (node_is_text(machine, "*"))
        return node_c(a, "*");
    if (node_is(machine, NODE_STRING))
        return execution_text(a, machine);
    if (node_is(sub, NODE_STRING))
        return node_fn(a, "Fn::Sub", execution_text(a, sub));
    if (node_is(sub, NODE_SEQ) && sub->count)
        return node_fn(
            a, "Fn::Sub",
            NODE_LIST(a, execution_text(a, sub->items[0]), sub->count > 1 ? sub->items[1] : NULL));
    return node_c(a, "*");
}

static int of_machine(struct tasks *t, const struct node *state, const char *actions,
                      struct err *err)
{
    const struct node *arn = machine_arn(t, state);
    if (!arn)
        return refuse_task(state, "StateMachineArn", err);
    need(t, actions, arn);
    need(t, "states:DescribeExecution,states:StopExecution", execution_arn(t->c->arena, arn));
    need_sub_rule(t, "StepFunctionsGetEventsForStepFunctionsExecutionRule");
    return 0;
}

/* ---- events, HTTP, schedules, objects ---- */

static int of_bus(struct tasks *t, const struct node *state, const char *actions, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *entries = given(state, "Entries");
    struct node *buses = node_seq(a), *arns = node_seq(a);
    if (!node_is(entries, NODE_SEQ))
        return refuse_task(state, "Entries", err);
    node_each (entry, entries) {
        const struct node *bus = node_get_c(entry, "EventBusName");
        add_unique(a, buses, node_truthy(bus) ? bus : node_c(a, "default"));
    }
    node_each (bus, buses)
        node_push(a, arns,
                  sub_with(a, STR(ARN "events:" HERE "event-bus/${eventBus}"),
                           node_fn(a, "eventBus", bus)));
    need(t, actions, arns);
    return 0;
}

static int of_endpoint(struct tasks *t, const struct node *state, const char *actions,
                       struct err *err)
{
    (void)err;
    struct arena *a = t->c->arena;
    const struct node *connection = node_get_c(parameter(state, "Authentication"), "ConnectionArn");
    need_all(t, actions);
    need(t, "events:RetrieveConnectionCredentials",
         node_truthy(connection) ? connection : node_c(a, "*"));
    need(t, "secretsmanager:GetSecretValue,secretsmanager:DescribeSecret",
         node_fn(a, "Fn::Sub", node_c(a, ARN "secretsmanager:" HERE "secret:events!connection/*")));
    return 0;
}

static int of_schedule(struct tasks *t, const struct node *state, const char *actions,
                       struct err *err)
{
    (void)err;
    struct arena *a = t->c->arena;
    const struct node *group = given(state, "GroupName");
    const struct node *role = node_get_c(given(state, "Target"), "RoleArn");
    need(t, actions,
         sub_with(
             a, STR(ARN "scheduler:" HERE "schedule/${scheduleGroupName}/*"),
             node_fn(a, "scheduleGroupName", node_truthy(group) ? group : node_c(a, "default"))));
    if (node_truthy(role))
        need(t, "iam:PassRole", role);
    return 0;
}

/* The bucket is a name or a reference; `before` and `after` stand around it. */
static const struct node *object_arn(struct arena *a, const struct node *bucket, struct str after)
{
    if (is_intrinsic(bucket))
        return sub_with(a, str_fmt(a, ARN "s3:::${bucket}%.*s", STR_ARG(after)),
                        node_fn(a, "bucket", bucket));
    struct str name = node_truthy(bucket) ? script_text(a, bucket) : STR("*");
    struct str text = str_fmt(a, ARN "s3:::%.*s%.*s", STR_ARG(name), STR_ARG(after));
    return bucket ? node_sub(a, text, bucket) : node_fn(a, "Fn::Sub", node_str(a, text));
}

static int of_listing(struct tasks *t, const struct node *state, const char *actions,
                      struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *bucket = parameter(state, "Bucket");
    if (!node_get_c(state, "Parameters"))
        return refuse_task(state, "Parameters", err);
    (void)actions;
    const struct node *both =
        NODE_LIST(a, object_arn(a, bucket, STR("")), object_arn(a, bucket, STR("/*")));
    need(t, "s3:Get*", both);
    need(t, "s3:List*", both);
    return 0;
}

static int of_object(struct tasks *t, const struct node *state, const char *actions,
                     struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *bucket = parameter(state, "Bucket"), *key = parameter(state, "Key");
    const struct node *prefix = parameter(state, "Prefix");
    if (!node_get_c(state, "Parameters"))
        return refuse_task(state, "Parameters", err);
    struct str name = node_truthy(key) ? script_text(a, key) : STR("*");
    bool is_any = str_eq(name, STR("*")) && (!node_truthy(bucket) || node_is_text(bucket, "*"));
    const struct node *arn = node_c(a, "*");
    if (node_truthy(prefix))
        arn = object_arn(a, bucket,
                         str_fmt(a, "/%.*s/%.*s", STR_ARG(script_text(a, prefix)), STR_ARG(name)));
    else if (!is_any)
        arn = object_arn(a, bucket, str_concat(a, STR("/"), name));
    need(t, actions, NODE_LIST(a, arn));
    return 0;
}

/* ---- the table ---- */

typedef int rights_of(struct tasks *t, const struct node *state, const char *actions,
                      struct err *err);

static const struct task_kind {
    const char *resource; /* behind arn:aws:states::: */
    rights_of *rights;
    const char *actions;
} kinds[] = {
    {"sqs:sendMessage", of_queue, "sqs:SendMessage"},
    {"sqs:sendMessage.waitForTaskToken", of_queue, "sqs:SendMessage"},
    {"sns:publish", of_topic, "sns:Publish"},
    {"sns:publish.waitForTaskToken", of_topic, "sns:Publish"},
    {"dynamodb:updateItem", of_table, "dynamodb:UpdateItem"},
    {"aws-sdk:dynamodb:updateItem", of_table, "dynamodb:UpdateItem"},
    {"aws-sdk:dynamodb:updateItem.waitForTaskToken", of_table, "dynamodb:UpdateItem"},
    {"dynamodb:putItem", of_table, "dynamodb:PutItem"},
    {"aws-sdk:dynamodb:putItem", of_table, "dynamodb:PutItem"},
    {"aws-sdk:dynamodb:putItem.waitForTaskToken", of_table, "dynamodb:PutItem"},
    {"dynamodb:getItem", of_table, "dynamodb:GetItem"},
    {"dynamodb:deleteItem", of_table, "dynamodb:DeleteItem"},
    {"aws-sdk:dynamodb:updateTable", of_table, "dynamodb:UpdateTable"},
    {"aws-sdk:dynamodb:query", of_table, "dynamodb:Query"},
    {"aws-sdk:dynamodb:scan", of_table, "dynamodb:Scan"},
    {"aws-sdk:dynamodb:batchGetItem", of_tables, "dynamodb:BatchGetItem"},
    {"aws-sdk:dynamodb:batchWriteItem", of_tables, "dynamodb:BatchWriteItem"},
    {"aws-sdk:redshiftdata:executeStatement", of_statement, "redshift-data:ExecuteStatement"},
    {"aws-sdk:redshiftdata:batchExecuteStatement", of_statement,
     "redshift-data:BatchExecuteStatement"},
    {"aws-sdk:redshiftdata:listStatements", everywhere, "redshift-data:ListStatements"},
    {"aws-sdk:redshiftdata:describeStatement", everywhere, "redshift-data:DescribeStatement"},
    {"aws-sdk:redshiftdata:getStatementResult", everywhere, "redshift-data:GetStatementResult"},
    {"aws-sdk:redshiftdata:cancelStatement", everywhere, "redshift-data:CancelStatement"},
    {"batch:submitJob.sync", of_batch, "batch:SubmitJob,batch:DescribeJobs,batch:TerminateJob"},
    {"batch:submitJob", of_batch, "batch:SubmitJob,batch:DescribeJobs,batch:TerminateJob"},
    {"glue:startJobRun.sync", everywhere,
     "glue:StartJobRun,glue:GetJobRun,glue:GetJobRuns,glue:BatchStopJobRun"},
    {"glue:startJobRun", everywhere,
     "glue:StartJobRun,glue:GetJobRun,glue:GetJobRuns,glue:BatchStopJobRun"},
#define ECS "ecs:RunTask,ecs:StopTask,ecs:DescribeTasks,ecs:TagResource,iam:PassRole"
    {"ecs:runTask.sync", of_ecs, ECS},
    {"ecs:runTask.waitForTaskToken", of_ecs, ECS},
    {"ecs:runTask", of_ecs, ECS},
    {"lambda:invoke", of_function, "lambda:InvokeFunction"},
    {"lambda:invoke.waitForTaskToken", of_function, "lambda:InvokeFunction"},
    {"states:startExecution", of_machine, "states:StartExecution"},
    {"states:startExecution.sync", of_machine, "states:StartExecution"},
    {"states:startExecution.sync:2", of_machine, "states:StartExecution"},
    {"states:startExecution.waitForTaskToken", of_machine, "states:StartExecution"},
    {"aws-sdk:sfn:startSyncExecution", of_machine, "states:StartSyncExecution"},
    {"codebuild:startBuild", of_build,
     "codebuild:StartBuild,codebuild:StopBuild,codebuild:BatchGetBuilds"},
    {"codebuild:startBuild.sync", of_build,
     "codebuild:StartBuild,codebuild:StopBuild,codebuild:BatchGetBuilds"},
    {"sagemaker:createTransformJob.sync", of_transform,
     "sagemaker:CreateTransformJob,sagemaker:DescribeTransformJob,sagemaker:StopTransformJob"},
    {"bedrock:invokeModel", of_model, "bedrock:InvokeModel"},
    {"events:putEvents", of_bus, "events:PutEvents"},
    {"events:putEvents.waitForTaskToken", of_bus, "events:PutEvents"},
    {"aws-sdk:scheduler:createSchedule", of_schedule, "scheduler:CreateSchedule"},
    {"aws-sdk:scheduler:deleteSchedule", of_schedule, "scheduler:DeleteSchedule"},
    {"http:invoke", of_endpoint, "states:InvokeHTTPEndpoint"},
    {"s3:getObject", of_object, "s3:GetObject"},
    {"aws-sdk:s3:getObject", of_object, "s3:GetObject"},
    {"s3:putObject", of_object, "s3:PutObject"},
    {"aws-sdk:s3:putObject", of_object, "s3:PutObject"},
    {"s3:listObjectsV2", of_listing, NULL},
    {"aws-sdk:s3:listObjectsV2", of_listing, NULL},
    {"aws-sdk:sesv2:sendEmail", everywhere, "ses:SendEmail"},
};

/* `resource` behind "arn:PARTITION:states:::"; empty when it is something else. */
static struct str service_task(const struct node *resource)
{
    struct str s = node_text(resource), partition;
    if (!node_is(resource, NODE_STRING) || !str_skip(&s, STR("arn:")))
        return STR("");
    if (!str_skip(&s, STR("${AWS::Partition}:")) &&
        (!str_starts(s, STR("aws")) || !str_cut(&s, ':', &partition)))
        return STR("");
    return str_skip(&s, STR("states:::")) ? s : STR("");
}

static int of_state(struct tasks *t, const struct node *state, struct err *err)
{
    struct str task = service_task(node_get_c(state, "Resource"));
    for (size_t i = 0; task.n && i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(task, str_c(kinds[i].resource)))
            return kinds[i].rights(t, state, kinds[i].actions, err);
    return of_resource(t, state, err);
}

/* ---- the states ---- */

static int of_states(struct tasks *t, const struct node *states, struct err *err);

static int of_map(struct tasks *t, const struct node *state, struct err *err)
{
    struct arena *a = t->c->arena;
    const struct node *processor = node_get_c(state, "ItemProcessor");
    const struct node *inner = node_truthy(processor) ? processor : node_get_c(state, "Iterator");
    static const char *const ends[] = {"ItemReader", "ResultWriter"};
    if (!node_is(inner, NODE_MAP))
        return err_at(err, node_pos(state), ERR_CONFIG,
                      "a state of type 'Map' has neither 'ItemProcessor' nor 'Iterator'");
    if (of_states(t, node_get_c(inner, "States"), err) < 0)
        return -1;
    if (node_is_text(node_path(processor, "ProcessorConfig.Mode"), "DISTRIBUTED")) {
        struct node *start = node_map(a);
        node_put_c(a, start, "Resource", node_c(a, "arn:aws:states:::states:startExecution"));
        node_put_c(a, start, "Mode", node_c(a, "DISTRIBUTED"));
        if (of_state(t, start, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (node_truthy(node_get_c(state, ends[i])) &&
            of_state(t, node_get_c(state, ends[i]), err) < 0)
            return -1;
    return 0;
}

static int of_one(struct tasks *t, const struct node *state, struct err *err)
{
    const struct node *type = node_get_c(state, "Type");
    if (node_is_text(type, "Task"))
        return of_state(t, state, err);
    if (node_is_text(type, "Map"))
        return of_map(t, state, err);
    if (node_is_text(type, "Parallel"))
        node_each (branch, node_get_c(state, "Branches"))
            if (of_states(t, node_get_c(branch, "States"), err) < 0)
                return -1;
    return 0;
}

static int of_states(struct tasks *t, const struct node *states, struct err *err)
{
    if (!node_is(states, NODE_MAP))
        return 0;
    const struct node *ordered = node_javascript_order(t->c->arena, states);
    member_each (m, ordered)
        if (of_one(t, m->value, err) < 0)
            return err_wrap(err, "state '%.*s'", STR_ARG(m->key));
    return 0;
}

int task_rights_collect(struct compilation *c, const struct state_machine *machine,
                        task_rights *ret, struct err *err)
{
    struct tasks t = {c, machine, ret};
    return of_states(&t, node_path(machine->node, "definition.States"), err);
}
