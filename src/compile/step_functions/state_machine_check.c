/* What AWS is certain to refuse of a definition: states that there are not, states that nothing
 * leads to, states that neither end nor go on. Source: Amazon States Language; Step Functions API
 * reference, CreateStateMachine (InvalidDefinition). */
#include "compile/step_functions/step_functions.h"

#include "base/map.h"

struct check {
    struct compilation *c;
    const struct node *states; /* those of one machine, branch or map */
    struct map reached;
    struct err *err;
};

static void found(struct check *k, const struct node *at, struct str msg, const char *help)
{
    struct err one = {0};
    err_at(&one, node_pos(at), ERR_CONFIG, "%.*s", STR_ARG(msg));
    err_help(&one, "%s", help);
    err_also(k->err, &one);
}

/* `next` names a state, unless it is a function of CloudFormation. */
static void leads_to(struct check *k, const struct node *next)
{
    struct str name = node_text(next);
    if (!node_is(next, NODE_STRING))
        return;
    map_put(&k->reached, name, next);
    if (!node_get(k->states, name))
        found(k, next,
              str_fmt(k->c->arena, "there is no state '%.*s' beside this one", STR_ARG(name)),
              "states lead to states of the same 'States' only");
}

static void check_states(struct compilation *c, const struct node *machine, struct err *err);

static void check_inner(struct check *k, const struct node *state)
{
    static const char *const inner[] = {"ItemProcessor", "Iterator"};
    node_each (branch, node_get_c(state, "Branches"))
        check_states(k->c, branch, k->err);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (node_is(node_get_c(state, inner[i]), NODE_MAP))
            check_states(k->c, node_get_c(state, inner[i]), k->err);
}

static void check_state(struct check *k, const struct member *m)
{
    static const char *const types[] = {"Task", "Pass",    "Choice", "Wait",
                                        "Fail", "Succeed", "Map",    "Parallel"};
    enum { CHOICE = 2, FAIL = 4, SUCCEED = 5 };
    const struct node *state = m->value, *type = node_get_c(state, "Type");
    const struct node *next = node_get_c(state, "Next"), *end = node_get_c(state, "End");
    size_t kind = 0;
    while (kind < sizeof types / sizeof *types && !node_is_text(type, types[kind]))
        kind++;
    struct node *at = node_str(k->c->arena, m->key);
    at->pos = m->key_pos;
    if (kind == sizeof types / sizeof *types && !is_intrinsic(type)) {
        found(k, type ? type : at,
              str_fmt(k->c->arena, "state '%.*s' has no 'Type' that there is", STR_ARG(m->key)),
              "types are Task, Pass, Choice, Wait, Fail, Succeed, Map and Parallel");
        return;
    }
    bool goes_on = kind != CHOICE && kind != FAIL && kind != SUCCEED;
    if (goes_on && (next != NULL) == node_truthy(end))
        found(k, at,
              str_fmt(k->c->arena, "state '%.*s' has %s", STR_ARG(m->key),
                      next ? "both 'Next' and 'End'" : "neither 'Next' nor 'End'"),
              "write 'End: true' for the last state, 'Next' for others");
    leads_to(k, next);
    leads_to(k, node_get_c(state, "Default"));
    node_each (choice, node_get_c(state, "Choices"))
        leads_to(k, node_get_c(choice, "Next"));
    node_each (handler, node_get_c(state, "Catch"))
        leads_to(k, node_get_c(handler, "Next"));
    check_inner(k, state);
}

static void check_states(struct compilation *c, const struct node *machine, struct err *err)
{
    struct check k = {c, node_get_c(machine, "States"), MAP(c->arena), err};
    const struct node *start = node_get_c(machine, "StartAt");
    if (!node_is(k.states, NODE_MAP) || !start) {
        found(&k, machine, str_fmt(c->arena, "'%s' is missing", start ? "States" : "StartAt"),
              "a definition has both 'StartAt' and 'States'");
        return;
    }
    leads_to(&k, start);
    member_each (m, k.states)
        check_state(&k, m);
    member_each (m, k.states) {
        struct node *at = node_str(c->arena, m->key);
        at->pos = m->key_pos;
        if (!map_has(&k.reached, m->key) && node_is(start, NODE_STRING))
            found(&k, at, str_fmt(c->arena, "nothing leads to state '%.*s'", STR_ARG(m->key)),
                  "remove it, or name it by 'Next' of another");
    }
}

int state_machine_check(struct compilation *c, const struct state_machine *machine, struct err *err)
{
    const struct node *definition = node_get_c(machine->node, "definition");
    bool must_hold = node_truthy(node_path(c->service->root, "stepFunctions.validate"));
    struct err all = {0};
    if (!node_is(definition, NODE_MAP)) {
        err_at(&all, node_pos(definition), ERR_CONFIG, "the definition is a text, not a map");
        err_help(&all, "write it as YAML: the plugin makes text of a text, which AWS refuses");
    } else {
        check_states(c, definition, &all);
    }
    if (all.kind && (must_hold || aws_refuses(c, &all) < 0))
        return err_also(err, &all);
    return 0;
}
