/* Taking a stack over: the steps before and around a deployment. */
#include "release/adopt/adopt_internal.h"

#include "doc/json.h"
#include "release/dispose/dispose.h"
#include "release/stack/stack.h"

/* ---- what the engine asks ---- */

/* Import the resources that were taken out of the stage's stack into the service stack, under the
 * service's lease. */
static int import_moving(struct deploying *d, const struct node *moving, struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    struct str text;
    cleanup_lease struct lease *lease = NULL;
    struct node *imports = node_seq(a);
    if (lease_take(&w->store, STR("service"), STR("import into the service stack"), SERVICE_WAIT_MS,
                   &lease, err) < 0 ||
        stack_wait(d->r, w->service_name, &w->service, err) < 0 ||
        cloudformation_template(a, d->r->aws, w->service_name, &text, err) < 0)
        return -1;
    const struct node *now = json_parse(a, w->service_name, text, err);
    if (!now)
        return -1;
    struct node *out = node_shallow(a, now);
    struct node *resources = node_shallow(a, node_get_c(now, "Resources"));
    if (adopt_list_imports(d, moving, node_get_c(now, "Resources"), imports, resources, err) < 0)
        return -1;
    if (!imports->count)
        return 0;
    node_put_c(a, out, "Resources", resources);
    struct stack_update update = {.name = w->service_name, .template = out, .store = &w->store};
    if (lease_check(d->lease, err) < 0 || lease_check(lease, err) < 0 ||
        stack_import(d->r, &update, imports, err) < 0)
        return -1;
    release_finished(d->r, "adopt", "%zu resource%s moved into stack '%.*s'", imports->count,
                     imports->count == 1 ? "" : "s", STR_ARG(w->service_name));
    return 0;
}

static int keep_original(struct deploying *d, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    if (!adoption->original)
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "templates", adoption->original_sha,
                          json_text(d->arena, adoption->original, 0), NULL, err);
}

int engine_adopt(struct deploying *d, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct world *w = &d->plan->world;
    const struct node *template;
    if (!adoption)
        return 0;
    if (keep_original(d, err) < 0 || adopt_take_back(d, err) < 0)
        return -1;
    template = adopt_retain(d->arena, w->stage_template, adoption);
    if (adopt_step(d, template, "what is left or moves is retained", err) < 0)
        return -1;
    template = adopt_release(d->arena, w->stage_template, adoption, w->stage.outputs, err);
    if (!template || adopt_step(d, template, "what moves is taken out of the stage", err) < 0)
        return -1;
    const struct node *moving = adopt_moving(w->stage_template);
    if (moving && import_moving(d, moving, err) < 0) {
        if (err->kind == ERR_FAILED)
            err->kind = ERR_HALF_DONE;
        return err_help(err, "what moves is kept, in no stack; run the same command again to go "
                             "on");
    }
    d->phase = DEPLOY_IMPORTED;
    return moving ? engine_service_again(d, err) : 0;
}

/* ---- serverless-aws-alias ---- */

int engine_adopt_aliases(struct deploying *d, const struct node *template, struct err *err)
{
    const struct adoption *adoption = d->plan->target.adoption;
    struct world *w = &d->plan->world;
    if (!adoption || !adoption->alias_stack_count)
        return 0;
    const struct node *both =
        layout_beside(d->arena, plan_unnumbered(d->arena, template), w->stage_template);
    if (engine_apply_stage(d, both, err) < 0)
        return -1;
    w->stage_template = both;
    for (size_t i = 0; i < adoption->alias_stack_count; i++) {
        const struct stack *stack = &adoption->alias_stacks[i];
        if (lease_check(d->lease, err) < 0 ||
            dispose_stack(d->r, stack, OURS_ADOPTED, NULL, err) < 0)
            return -1;
        release_finished(d->r, "adopt", "alias stack '%.*s' removed", STR_ARG(stack->name));
    }
    return 0;
}
