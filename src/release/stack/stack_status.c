/* Stacks: what their states mean, and whose they are. */
#include "release/stack/stack.h"

/* Every status CloudFormation documents. Source: CloudFormation user guide, "Stack status codes".
 */
static const struct {
    const char *status;
    enum stack_condition condition;
    const char *way_out;
    bool removes; /* removing the stack is the way out, and loses nothing that serves */
} statuses[] = {
    {"CREATE_COMPLETE", STACK_READY, ""},
    {"UPDATE_COMPLETE", STACK_READY, ""},
    {"UPDATE_ROLLBACK_COMPLETE", STACK_READY, ""},
    {"IMPORT_COMPLETE", STACK_READY, ""},
    {"IMPORT_ROLLBACK_COMPLETE", STACK_READY, ""},
    {"CREATE_IN_PROGRESS", STACK_BUSY, ""},
    {"DELETE_IN_PROGRESS", STACK_BUSY, ""},
    {"IMPORT_IN_PROGRESS", STACK_BUSY, ""},
    {"IMPORT_ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"REVIEW_IN_PROGRESS", STACK_STUCK,
     "a change set waits on it: execute or delete that one, or delete the stack", true},
    {"ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"CREATE_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it", true},
    {"ROLLBACK_COMPLETE", STACK_STUCK,
     "it never worked: the next deployment makes it again, or remove it", true},
    {"ROLLBACK_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it", true},
    {"DELETE_FAILED", STACK_STUCK, "fix what keeps it from being deleted, then remove it again",
     true},
    {"UPDATE_FAILED", STACK_STUCK,
     "roll it back: aws cloudformation rollback-stack --stack-name …"},
    {"UPDATE_ROLLBACK_FAILED", STACK_STUCK,
     "fix the resource named in its events, then: aws cloudformation continue-update-rollback"},
    {"IMPORT_ROLLBACK_FAILED", STACK_STUCK, "see its events in the CloudFormation console"},
    {"DELETE_COMPLETE", STACK_GONE, ""},
};

static size_t status_row(struct str status)
{
    size_t i = 0;
    while (i < sizeof statuses / sizeof *statuses && !str_eq(status, str_c(statuses[i].status)))
        i++;
    return i;
}

enum stack_condition stack_condition(struct str status)
{
    size_t i = status_row(status);
    return i < sizeof statuses / sizeof *statuses ? statuses[i].condition : STACK_BUSY;
}

bool stack_never_worked(struct str status)
{
    return str_eq(status, STR("ROLLBACK_COMPLETE"));
}

struct str stack_way_out(struct arena *a, struct str status, struct str what)
{
    size_t i = status_row(status);
    if (i == sizeof statuses / sizeof *statuses)
        return STR("");
    return statuses[i].removes && what.n
               ? str_fmt(a, "%s: troupe remove %.*s", statuses[i].way_out, STR_ARG(what))
               : str_c(statuses[i].way_out);
}

/* ---- owner ---- */

const struct node *stack_tags(struct arena *a, const struct service *service, struct str stage)
{
    struct node *tags = node_map(a);
    member_each (m, node_path(service->root, "provider.stackTags"))
        if (stage.n || !(node_flags_deep(m->value) & NODE_STAGE))
            node_put(a, tags, m->key, node_str(a, node_text(m->value)));
    node_put_str(a, tags, TAG_SERVICE, service->name);
    if (stage.n)
        node_put_str(a, tags, TAG_STAGE, stage);
    if (stage.n && service->remote)
        node_put_str(a, tags, TAG_HOME, service->home);
    return tags;
}

int stack_check_owner(const struct stack *stack, struct str service, struct str stage,
                      struct err *err)
{
    struct str has_service = node_text(node_get_c(stack->tags, TAG_SERVICE));
    struct str has_stage = node_text(node_get_c(stack->tags, TAG_STAGE));
    if (str_eq(has_service, service) && str_eq(has_stage, stage))
        return 0;
    if (!has_service.n) {
        err_set(err, ERR_REFUSED, "stack '%.*s' exists, but was not made by troupe",
                STR_ARG(stack->name));
        if (stage.n)
            return err_help(err, "if it is this stage, take it over with: troupe adopt %.*s",
                            STR_ARG(stage));
    } else if (!has_stage.n)
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to service '%.*s'", STR_ARG(stack->name),
                STR_ARG(has_service));
    else
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to stage '%.*s' of service '%.*s'",
                STR_ARG(stack->name), STR_ARG(has_stage), STR_ARG(has_service));
    return err_help(err,
                    "use another name for the service or the stage, or another account or region");
}
