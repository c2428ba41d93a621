#include "cfn/notifications.h"

/* "s3:ObjectCreated:*" has all that begin like it. */
static bool events_overlap(struct str x, struct str y)
{
    if (str_ends(x, STR("*")))
        return str_starts(y, str_sub(x, 0, x.n - 1));
    if (str_ends(y, STR("*")))
        return str_starts(x, str_sub(y, 0, y.n - 1));
    return str_eq(x, y);
}

/* Prefix or suffix; empty: there is none. False: it is not known before CloudFormation knows it. */
static bool rule_of(const struct node *notification, const char *name, struct str *ret)
{
    *ret = STR("");
    node_each (rule, node_get_c(notification, "Rules")) {
        const struct node *value = node_get_c(rule, name);
        if (value && !node_is(value, NODE_STRING))
            return false;
        if (value)
            *ret = value->text;
    }
    return true;
}

bool cfn_notifications_overlap(const struct node *x, const struct node *y)
{
    struct str p, q, s, t;
    return events_overlap(node_text(node_get_c(x, "Event")), node_text(node_get_c(y, "Event"))) &&
           rule_of(x, "Prefix", &p) && rule_of(y, "Prefix", &q) && rule_of(x, "Suffix", &s) &&
           rule_of(y, "Suffix", &t) && (str_starts(p, q) || str_starts(q, p)) &&
           (str_ends(s, t) || str_ends(t, s));
}
