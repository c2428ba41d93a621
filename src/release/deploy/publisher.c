/* May the caller publish? With a role for CloudFormation this is asked before anything is made:
 * whoever has one may be somebody who has few rights of their own. */
#include "release/deploy/engine.h"

#include "release/stack/stack.h"

/* The first function that is to be published. */
static const struct layout_function *first_to_publish(const struct plan *plan)
{
    for (size_t i = 0; i < plan->function_count; i++)
        if (!plan->functions[i].to.n)
            return plan->functions[i].function;
    return NULL;
}

int engine_check_publisher(struct deploying *d, struct err *err)
{
    const struct layout_function *f = first_to_publish(d->plan);
    struct lambda_function unused;
    cleanup_err struct err denied = {0};
    if (!f || !stack_role(d->r->service).n)
        return 0;
    if (lambda_get(d->arena, d->r->aws, f->name, STR(""), &unused, &denied) == 0 ||
        denied.kind != ERR_DENIED)
        return 0; /* whatever else is wrong is told when it is published */
    err_move(err, &denied);
    err_wrap(err, "publish '%.*s'", STR_ARG(f->key));
    return err_help(err,
                    "the deployment role is for CloudFormation, versions are published with your "
                    "own rights: 'troupe iam' prints what they have to be");
}
