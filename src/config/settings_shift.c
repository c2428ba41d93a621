/* custom.troupe.shift: one rule, or a map of rules by stage. */
#include "config/config_internal.h"

#include "base/clock.h"
#include "config/schema/schema.h"

#define DURATION PATTERN("a time like 30s, 2m or 1h", "^[1-9][0-9]{0,3}[smh]$")
#define ALARMS                                                 \
    {                                                          \
        "alarms", LIST_OF(EITHER(&non_empty_string, &aws_ref)) \
    }

static const struct rule {
    const char *type;
    enum shift_kind kind;
    const char *percent, *pause; /* the members of the rule */
    const struct schema *schema;
} rules[] = {
    {"allAtOnce", SHIFT_ALL_AT_ONCE, NULL, NULL, CLOSED_MAP({"type", NULL, REQUIRED}, ALARMS)},
    {"canary", SHIFT_CANARY, "percent", "after",
     CLOSED_MAP({"type", NULL, REQUIRED}, {"percent", WHOLE(1, 99), REQUIRED},
                {"after", DURATION, REQUIRED}, ALARMS)},
    {"linear", SHIFT_LINEAR, "step", "every",
     CLOSED_MAP({"type", NULL, REQUIRED}, {"step", WHOLE(1, 99), REQUIRED},
                {"every", DURATION, REQUIRED}, ALARMS)},
};
enum { RULES = sizeof rules / sizeof *rules };

static const struct rule *find_rule(const struct node *type, struct err *err)
{
    for (size_t i = 0; i < RULES; i++)
        if (node_is_text(type, rules[i].type))
            return &rules[i];
    err_at(err, type->pos, ERR_CONFIG, "there is no way to shift called '%.*s'",
           STR_ARG(node_text(type)));
    err_help(err, "one of: allAtOnce, canary, linear");
    return NULL;
}

static int read_rule(struct checker *c, const struct node *n, struct str name, struct shift *ret,
                     struct err *err)
{
    const struct node *type = node_is(n, NODE_MAP) ? node_get_c(n, "type") : n;
    if (!type || !node_text(type).n) {
        err_at(err, n->pos, ERR_CONFIG, "'%.*s' needs a type", STR_ARG(name));
        return err_help(err, "one of: allAtOnce, canary, linear");
    }
    const struct rule *rule = find_rule(type, err);
    if (!rule || (node_is(n, NODE_MAP) && schema_check(c, rule->schema, name, &n, err) < 0))
        return -1;
    *ret = (struct shift){.kind = rule->kind, .alarms = node_get_c(n, "alarms")};
    if (rule->kind == SHIFT_ALL_AT_ONCE)
        return 0;
    if (!node_is(n, NODE_MAP)) {
        err_at(err, n->pos, ERR_CONFIG, "'%s' needs '%s' and '%s'", rule->type, rule->percent,
               rule->pause);
        return err_help(err, "{type: %s, %s: 10, %s: 5m}", rule->type, rule->percent, rule->pause);
    }
    ret->percent = (unsigned)node_int_or(node_get_c(n, rule->percent), 0);
    duration_parse(node_text(node_get_c(n, rule->pause)), &ret->pause_ms);
    return 0;
}

/* Read the rule for `stage` into `*ret`, which stays as it is when there is none. */
static int read_rules(struct checker *c, const struct node *n, struct str name, struct str stage,
                      struct shift *ret, struct err *err)
{
    if (node_empty(n))
        return 0;
    if (!node_is(n, NODE_MAP) || node_get_c(n, "type"))
        return read_rule(c, n, name, ret, err);
    member_each (m, n) {
        struct shift one;
        struct str full = str_fmt(c->arena, "%.*s.%.*s", STR_ARG(name), STR_ARG(m->key));
        if (read_rule(c, m->value, full, &one, err) < 0)
            return -1;
        if (str_eq(m->key, stage))
            *ret = one;
    }
    return 0;
}

int settings_shift(struct checker *c, const struct node *section, struct str stage,
                   struct shift *ret, struct err *err)
{
    if (read_rules(c, node_get_c(section, "shift"), STR("custom.troupe.shift"), stage, ret, err) <
        0)
        return -1;
    member_each (m, node_get_c(section, "stages")) {
        struct shift other, *to = str_eq(m->key, stage) ? ret : &other;
        struct str name = str_fmt(c->arena, "custom.troupe.stages.%.*s.shift", STR_ARG(m->key));
        if (read_rules(c, node_get_c(m->value, "shift"), name, m->key, to, err) < 0)
            return -1;
    }
    return 0;
}
