/* Resources that change between stage and service: nothing may be lost on the way. */
#include "release/adopt.h"
#include "release/plan.h"
#include "release/resources.h"

/* Log groups of functions follow their functions; what they hold is not the stage's data. */
static bool is_precious(const struct node *resource)
{
    struct str type = node_text(node_get_c(resource, "Type"));
    return type.n && !resource_is_recreatable(type) && !str_eq(type, STR("AWS::Logs::LogGroup"));
}

static bool needs(const struct record *record, struct str id)
{
    node_each (one, node_get_c(record->body, "needs"))
        if (str_eq(node_text(one), id))
            return true;
    return false;
}

static int say_to_service(const struct release *r, struct str id, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "'%.*s' is to belong to the service: stage '%.*s' would delete its own", STR_ARG(id),
            STR_ARG(r->service->stage));
    return err_help(err, "to move it there as it is: troupe adopt %.*s",
                    STR_ARG(r->service->stage));
}

static int say_to_stage(const struct release *r, struct str id, struct err *err)
{
    err_set(err, ERR_REFUSED,
            "'%.*s' belongs to the service now: stage '%.*s' would get another one, which is empty",
            STR_ARG(id), STR_ARG(r->service->stage));
    return err_help(err, "keep it in custom.troupe.resources.service, or give the stage's own "
                         "another logical id");
}

int plan_scope(const struct release *r, const struct plan *plan, struct err *err)
{
    const struct world *w = &plan->world;
    const struct layout *l = plan->target.layout;
    const struct node *before = node_get_c(w->stage_template, "Resources");
    const struct node *after = node_get_c(l->stage_template, "Resources");
    const struct node *service = node_get_c(l->service_template, "Resources");
    const struct node *there = node_get_c(w->service_template, "Resources");
    member_each (m, before)
        if (!plan->target.adoption && !node_get(after, m->key) && is_precious(m->value) &&
            !resource_is_retained(m->value) && node_get(service, m->key) &&
            !node_get(there, m->key) && !str_starts(m->key, STR("ServerlessDeploymentBucket")))
            return say_to_service(r, m->key, err);
    member_each (m, after)
        if (!node_get(before, m->key) && is_precious(m->value) && needs(&w->record, m->key))
            return say_to_stage(r, m->key, err);
    return 0;
}
