/* CloudWatch's operations. */
#include "aws/client/aws_internal.h"

#include "base/vec.h"

static const char *const lists[] = {"MetricAlarms", "CompositeAlarms"};

static int describe(struct arena *a, struct aws *aws, const struct str *names, size_t n,
                    const struct node **ret, struct err *err)
{
    struct node *params = node_map(a), *all = node_seq(a), *types = node_seq(a);
    for (size_t i = 0; i < n; i++)
        node_push(a, all, node_str(a, names[i]));
    node_push(a, types, node_str(a, STR("MetricAlarm")));
    /* without it CloudWatch leaves composite alarms out */
    node_push(a, types, node_str(a, STR("CompositeAlarm")));
    node_put_c(a, params, "AlarmNames", all);
    node_put_c(a, params, "AlarmTypes", types);
    node_put_c(a, params, "MaxRecords", node_int(a, 100));
    return aws_query(a, aws, "cloudwatch", "DescribeAlarms", params, ret, err);
}

int cloudwatch_alarms(struct arena *a, struct aws *aws, const struct str *names, size_t n,
                      struct cloudwatch_alarm **ret, size_t *ret_n, struct err *err)
{
    enum { NAMES_MAX = 100 };
    VEC(struct cloudwatch_alarm) all = {0};
    for (size_t at = 0; at < n; at += NAMES_MAX) {
        const struct node *answer;
        size_t some = n - at < NAMES_MAX ? n - at : NAMES_MAX;
        if (describe(a, aws, names + at, some, &answer, err) < 0)
            return -1;
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            node_each (alarm, answer_list(a, answer, lists[i]))
                vec_push(a, &all,
                         (struct cloudwatch_alarm){text_of(alarm, "AlarmName"),
                                                   text_of(alarm, "StateValue"),
                                                   text_of(alarm, "StateReason")});
    }
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}
