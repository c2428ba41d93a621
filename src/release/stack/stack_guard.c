/* Termination protection: CloudFormation deletes no stack that has it, whoever asks. */
#include "release/stack/stack.h"

int stack_check_unguarded(const struct stack *stack, struct str region, struct err *err)
{
    if (!stack->guarded)
        return 0;
    err_set(err, ERR_REFUSED,
            "stack '%.*s' is protected against deletion: its termination protection is on",
            STR_ARG(stack->name));
    return err_help(err,
                    "lift it with: aws cloudformation update-termination-protection --stack-name "
                    "%.*s --region %.*s --no-enable-termination-protection",
                    STR_ARG(stack->name), STR_ARG(region));
}

void stack_guard(const struct release *r, const struct stack *stack, bool on)
{
    cleanup_err struct err err = {0};
    if (stack->guarded == on)
        return;
    if (cloudformation_guard(r->arena, r->aws, stack->name, on, &err) < 0)
        release_tell(r, TOLD_FAILURE, "protect",
                     "termination protection of stack '%.*s' could not be turned %s: %.*s",
                     STR_ARG(stack->name), on ? "on" : "off", STR_ARG(err.msg));
    else
        release_finished(r, "protect", "termination protection of stack '%.*s' is %s",
                         STR_ARG(stack->name), on ? "on" : "off");
}
