/* What a stack that is taken over must not lose. */
#include "release/adopt/adopt_internal.h"

#include "cfn/cfn.h"
#include "release/stack/stack.h"

/* Ids of the resources that move from the stage's stack into the service stack. */
static const struct node *withheld(struct arena *a, const struct deploying *d)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct node *ids = node_map(a);
    for (size_t i = 0; adoption && i < adoption->count; i++)
        if (adoption->items[i].fate == ADOPT_MOVED)
            node_put(a, ids, adoption->items[i].id, node_null(a));
    return ids;
}

const struct node *engine_adopt_withhold(const struct deploying *d, const struct node *service)
{
    if (!d->plan->target.adoption || d->phase >= DEPLOY_IMPORTED)
        return service;
    return adopt_withhold(d->arena, service, withheld(d->arena, d));
}

const struct node *engine_adopt_parameters(const struct deploying *d, const struct node *template,
                                           const struct node *given)
{
    struct node *known = node_map(d->arena);
    if (!d->plan->target.adoption)
        return given;
    member_each (m, node_get_c(template, "Parameters"))
        if (node_get(d->plan->world.stage.parameters, m->key))
            node_put(d->arena, known, m->key, m->value);
    struct node *some = node_map(d->arena);
    node_put_c(d->arena, some, "Parameters", known);
    return adopt_previous_parameters(d->arena, some, given, false);
}

/* "Conditional": it depends on the property, or on a value that is not known before. What the table
 * knows of the property counts; of a type that it does not know, nothing does. */
static bool may_replace(const struct node *change)
{
    struct str type = node_text(node_get_c(change, "ResourceType"));
    node_each (detail, node_get_c(change, "Details")) {
        const struct node *target = node_get_c(detail, "Target");
        struct str property = node_text(node_get_c(target, "Name"));
        if (node_is_text(node_get_c(target, "RequiresRecreation"), "Never"))
            continue;
        if (node_is_text(node_get_c(target, "RequiresRecreation"), "Always") ||
            !cfn_is_known(type) || cfn_replaces(type, property))
            return true;
    }
    return false;
}

static bool is_lost(const struct deploying *d, const struct node *change, const char **ret_how)
{
    const struct node *old = node_get_c(d->plan->world.stage_template, "Resources");
    struct str action = node_text(node_get_c(change, "Action"));
    struct str replaces = node_text(node_get_c(change, "Replacement"));
    struct str id = node_text(node_get_c(change, "LogicalResourceId"));
    if (cfn_is(node_text(node_get_c(change, "ResourceType")), CFN_RECREATABLE))
        return false;
    *ret_how = str_eq(action, STR("Remove")) ? "deleted" : "replaced";
    if (str_eq(action, STR("Remove")))
        return !cfn_is_retained(node_get(old, id));
    if (!str_eq(action, STR("Modify")))
        return false;
    return str_eq(replaces, STR("True")) ||
           (str_eq(replaces, STR("Conditional")) && may_replace(change));
}

int engine_adopt_foresee(struct deploying *d, const struct stack_update *update, struct err *err)
{
    struct stack_update foreseen = *update;
    const struct node *changes;
    const char *how;
    if (!d->plan->target.adoption)
        return 0;
    foreseen.store = &d->plan->world.store;
    if (stack_foresee(d->r, &foreseen, &changes, err) < 0)
        return -1;
    node_each (change, changes) {
        if (!is_lost(d, change, &how))
            continue;
        err_set(err, ERR_REFUSED, "'%.*s' (%.*s) would be %s, says CloudFormation",
                STR_ARG(node_text(node_get_c(change, "LogicalResourceId"))),
                STR_ARG(node_text(node_get_c(change, "ResourceType"))), how);
        return err_help(err, "the stage serves what it served; leave the resource as it was "
                             "deployed, and change it after the stage is adopted");
    }
    return 0;
}
