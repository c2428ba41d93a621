/* What the files of serverless-step-functions share; nothing else includes this.
 *
 * The plugin (3.28.1) makes roles and state machines when the functions are made, and what starts
 * them when all events are. What it makes is made here in the same order, value by value. */
#ifndef TROUPE_COMPILE_STEP_FUNCTIONS_STEP_FUNCTIONS_H
#define TROUPE_COMPILE_STEP_FUNCTIONS_STEP_FUNCTIONS_H

#include "base/vec.h"
#include "compile/compile_internal.h"

/* An entry of stepFunctions.stateMachines. */
struct state_machine {
    struct str key;
    struct pos pos;
    const struct node *node;
    struct str id;           /* logical id of the resource */
    const struct node *name; /* `name`, else the key: what texts call it */
};

/* Rights that the tasks of a definition need, as the plugin collects them. */
struct task_right {
    struct str actions;          /* with commas between */
    const struct node *resource; /* a list counts as its items */
};
typedef VEC(struct task_right) task_rights;

/* Add to `ret` what the tasks of `machine` need, in their order: task_rights.c. CONFIG with a
 * place. */
int task_rights_collect(struct compilation *c, const struct state_machine *machine,
                        task_rights *ret, struct err *err);
/* The role of a machine that names none: state_machine_role.c */
int state_machine_role(struct compilation *c, const struct state_machine *machine, struct err *err);
/* DefinitionString: state_machine_definition.c */
const struct node *state_machine_definition(struct compilation *c,
                                            const struct state_machine *machine, struct err *err);
/* Refuse, or warn of, what AWS would refuse of its definition: state_machine_check.c */
int state_machine_check(struct compilation *c, const struct state_machine *machine,
                        struct err *err);
int state_machine_alarms(struct compilation *c, const struct state_machine *machine,
                         struct err *err);
int state_machine_notifications(struct compilation *c, const struct state_machine *machine,
                                struct err *err);
/* Rules and schedules: state_machine_schedule.c */
int state_machine_schedules(struct compilation *c, const struct state_machine *machine,
                            struct err *err);
int state_machine_rules(struct compilation *c, const struct state_machine *machine,
                        struct err *err);
/* Methods of the REST API, of all machines at once: state_machine_http.c */
int state_machines_http(struct compilation *c, const struct state_machine *machines, size_t n,
                        struct err *err);

/* ---- pieces ---- */

/* Is it a CloudFormation function, as the plugin tells them? */
bool is_intrinsic(const struct node *n);
/* `value` with the key of a function, where it stands for one in a Ref or Fn::GetAtt, as the
 * function's logical id. */
const struct node *function_keys_translated(struct compilation *c, const struct node *value);
/* ARN of the function with the name that it has, and `ending`: no alias. */
const struct node *function_arn_by_name(struct compilation *c, const struct function *f,
                                        const char *ending);
/* A text as JavaScript writes `n` into one: "undefined" for NULL, "[object Object]" for a map. */
struct str script_text(struct arena *a, const struct node *n);
/* {"Fn::Sub": [text, values]} */
struct node *sub_with(struct arena *a, struct str text, const struct node *values);
/* Merge `resource` into what the template has under `id`, as the plugin does. */
void resource_merge(struct compilation *c, struct str id, const struct node *resource,
                    struct pos from);
/* A role for `service`, which may do `actions` on `resource`, with path and, when `is_bounded`, the
 * boundary of the provider's roles. */
struct node *starter_role(struct compilation *c, const char *service, const struct node *policy,
                          const struct node *actions, const struct node *resource, bool is_bounded);
/* "<stage>-<region>-<service>-<machine>-<what>" */
const struct node *starter_policy_name(struct compilation *c, const struct state_machine *machine,
                                       const char *what);
/* <Machine> + `suffix` */
struct str machine_id_with(struct compilation *c, const struct state_machine *machine,
                           const char *suffix);
/* Tell about `at` what comes of it. */
void warn_at(struct compilation *c, const struct node *at, struct str msg, const char *help);

#endif
