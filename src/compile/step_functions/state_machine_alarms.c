/* `alarms` of a state machine. */
#include "compile/step_functions/step_functions.h"

static const struct metric {
    const char *key, *name, *says;
} known[] = {
    {"executionsTimedOut", "ExecutionsTimedOut", "executions timed out"},
    {"executionsFailed", "ExecutionsFailed", "executions failed"},
    {"executionsAborted", "ExecutionsAborted", "executions were aborted"},
    {"executionThrottled", "ExecutionThrottled", "execution were throttled"},
    {"executionsSucceeded", "ExecutionsSucceeded", "executions succeeded"},
};

static const struct metric *metric_by_key(struct str key)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(key, str_c(known[i].key)))
            return &known[i];
    return NULL;
}

/* ---- names ---- */

/* nameTemplate with its variables, $[stateMachineName] and the like. */
static const struct node *name_of(struct arena *a, const struct state_machine *machine,
                                  const struct node *template, const struct metric *metric,
                                  struct err *err)
{
    const struct {
        struct str name, value;
    } variables[] = {{STR("$[stateMachineName]"), node_text(machine->name)},
                     {STR("$[cloudWatchMetricName]"), str_c(metric->name)},
                     {STR("$[metricName]"), str_c(metric->key)}};
    struct str text = node_text(template);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        text = str_replace(a, text, variables[i].name, variables[i].value);
    bool is_same = str_eq(text, node_text(template));
    if (!is_same && str_find(text, STR("$["), 0) < 0) {
        struct node *name = node_from(node_str(a, text), template);
        name->flags |= machine->name->flags;
        return name;
    }
    err_at(err, node_pos(template), ERR_CONFIG, "'nameTemplate' has %s",
           is_same ? "no variable" : "an unknown variable");
    err_help(err, "use $[stateMachineName], $[cloudWatchMetricName] and $[metricName]");
    return NULL;
}

/* ---- an alarm ---- */

static void put_topic(struct arena *a, struct node *p, const char *key, const struct node *topic)
{
    node_put_c(a, p, key, NODE_LIST(a, node_truthy(topic) ? topic : NULL));
}

static const struct node *or_default(const struct node *one, const struct node *other,
                                     const struct node *fallback)
{
    return one ? one : other ? other : fallback;
}

static struct node *alarm_new(struct compilation *c, const struct state_machine *machine,
                              const struct node *metric_node, const struct metric *metric)
{
    struct arena *a = c->arena;
    const struct service *s = c->service;
    const struct node *alarms = node_get_c(machine->node, "alarms");
    const struct node *topics = node_get_c(alarms, "topics");
    struct node *p = node_map(a), *dimension = node_map(a);
    node_put_c(a, p, "Namespace", node_c(a, "AWS/States"));
    node_put_c(a, p, "MetricName", node_c(a, metric->name));
    node_put_c(a, p, "AlarmDescription",
               node_staged(c, str_fmt(a, "%.*s[%.*s][%.*s]: %s", STR_ARG(node_text(machine->name)),
                                      STR_ARG(s->stage), STR_ARG(s->region), metric->says)));
    node_put_c(a, p, "Threshold", node_int(a, 1));
    node_put_c(a, p, "Period",
               or_default(node_get_c(metric_node, "period"), node_get_c(alarms, "period"),
                          node_int(a, 60)));
    node_put_c(a, p, "EvaluationPeriods", node_int(a, 1));
    node_put_c(a, p, "ComparisonOperator", node_c(a, "GreaterThanOrEqualToThreshold"));
    node_put_c(a, p, "Statistic", node_c(a, "Sum"));
    put_topic(a, p, "OKActions", node_get_c(topics, "ok"));
    put_topic(a, p, "AlarmActions", node_get_c(topics, "alarm"));
    put_topic(a, p, "InsufficientDataActions", node_get_c(topics, "insufficientData"));
    node_put_c(a, p, "TreatMissingData",
               or_default(node_get_c(metric_node, "treatMissingData"),
                          node_get_c(alarms, "treatMissingData"), node_c(a, "missing")));
    node_put_c(a, dimension, "Name", node_c(a, "StateMachineArn"));
    node_put_c(a, dimension, "Value", node_ref(a, machine->id));
    node_put_c(a, p, "Dimensions", NODE_LIST(a, dimension));
    return p;
}

static int alarm_add(struct compilation *c, const struct state_machine *machine,
                     const struct node *metric_node, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *alarms = node_get_c(machine->node, "alarms");
    const struct node *key = node_or(node_get_c(metric_node, "metric"), metric_node);
    const struct node *given_id = node_get_c(metric_node, "logicalId");
    const struct node *name = node_get_c(metric_node, "alarmName");
    const struct node *template = node_get_c(alarms, "nameTemplate");
    const struct metric *metric = metric_by_key(node_text(key));
    if (!metric)
        return err_at(err, node_pos(key), ERR_CONFIG, "there is no metric '%.*s'",
                      STR_ARG(node_text(key)));
    struct node *p = alarm_new(c, machine, metric_node, metric);
    if (!name && node_truthy(template)) {
        name = name_of(a, machine, template, metric, err);
        if (!name)
            return -1;
    }
    if (node_truthy(name))
        node_put_c(a, p, "AlarmName", name);
    struct str id = given_id ? node_text(given_id)
                             : str_fmt(a, "%.*s%sAlarm", STR_ARG(machine->id), metric->name);
    resource_set(c, id, resource_new(a, "AWS::CloudWatch::Alarm", p), node_pos(metric_node));
    return 0;
}

int state_machine_alarms(struct compilation *c, const struct state_machine *machine,
                         struct err *err)
{
    node_each (metric, node_path(machine->node, "alarms.metrics")) {
        struct err one = {0};
        alarm_add(c, machine, metric, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
