/* The stage's stack, for all who change it: its templates sent, kept, and read for pointers. */
#include "release/deploy/engine.h"

#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/dispose/dispose.h"
#include "release/dispose/edge_functions.h"
#include "release/dispose/late_log_groups.h"
#include "release/dispose/network.h"
#include "release/publish/pointers.h"
#include "release/stack/stack.h"

struct str engine_stage(const struct deploying *d)
{
    return d->r->service->address;
}

static int apply_once(struct deploying *d, const struct node *template, struct err *err)
{
    struct world *w = &d->plan->world;
    const struct adoption *adoption = d->plan->target.adoption;
    bool ours = !adoption || d->phase >= DEPLOY_LAST; /* another tool's until the last update */
    struct stack_update update = {
        .name = w->stage_name,
        .template = template,
        .parameters =
            engine_adopt_parameters(d, template, plan_parameters(d->r, d->plan, template)),
        .tags = ours ? stack_tags(d->arena, d->r->service, d->r->service->stage) : NULL,
        .store = &w->stage_store,
        .create = !w->stage_exists};
    if (engine_adopt_foresee(d, &update, err) < 0 || lease_check(d->lease, err) < 0 ||
        (w->stage_dead && dispose_stack(d->r, &w->stage, OURS_STACK, NULL, err) < 0) ||
        log_groups_clear(d->r, w, engine_stage(d), d->stage_now, template, err) < 0 ||
        stack_apply(d->r, &update, &w->stage_nesting, NULL, err) < 0)
        return -1;
    d->stage_now = template;
    w->stage_dead = false;
    return 0;
}

int engine_apply_stage(struct deploying *d, const struct node *template, struct err *err)
{
    struct world *w = &d->plan->world;
    const struct node *step;
    if (!d->stage_now && w->stage_exists)
        d->stage_now = w->stage_template;
    while ((step = layout_grow(d->arena, d->stage_now, template, STACK_CHANGES_MAX))) {
        release_progress(d->r, "stack", "%d resources at a time", STACK_CHANGES_MAX);
        if (apply_once(d, step, err) < 0)
            return -1;
        w->stage_exists = true;
    }
    return apply_once(d, template, err);
}

/* A network that goes with this update is left before. As long as that is not possible, it stays in
 * the stack, and the next deployment tries again. */
static int leave_network(struct deploying *d, const struct node *template, const struct node **ret,
                         struct err *err)
{
    struct world *w = &d->plan->world;
    const struct node *now = d->stage_now ? d->stage_now : w->stage_template;
    const struct node *dropped = network_dropped(d->arena, now, template);
    struct contents contents;
    struct network network;
    *ret = template;
    if (!dropped || !w->stage_exists || d->plan->target.adoption)
        return 0;
    if (stack_contents(d->r, w->stage_name, &contents, err) < 0 ||
        network_find(d->r, w, &contents, node_get_c(template, "Resources"), &network, err) < 0)
        return -1;
    bool used = network.versions.n || network.why_not.n;
    if (!used && network_leave(d->r, w, d->lease, &network, err) == 0)
        return 0;
    if (!used && err->kind != ERR_FAILED)
        return -1;
    release_tell(d->r, TOLD_NOTICE, "network", "the old network stays for now: %.*s",
                 STR_ARG(used ? STR("a version is in it") : err->msg));
    err_clear(err);
    *ret = plan_with_kept(d->arena, template, dropped);
    return 0;
}

int engine_apply_last(struct deploying *d, const struct node *template, struct err *err)
{
    const struct node *before = engine_stage_now(d);
    if (leave_network(d, template, &template, err) < 0 || engine_apply_stage(d, template, err) < 0)
        return -1;
    edge_functions_dropped(d->r, before, template);
    return 0;
}

/* Keep the template in the bucket: a later rollback sends it again. A template with a secret in it
 * is not kept; that rollback deploys the recorded sources instead. */
int engine_keep_template(struct deploying *d, const struct node *template, struct err *err)
{
    const struct target *t = &d->plan->target;
    struct str text = json_text(d->arena, plan_unnumbered(d->arena, template), 0);
    bool secret = node_flags_deep(template) & NODE_SECRET ||
                  (t->pinned && !record_stage_template(t->origin).n);
    d->template_sha = secret ? (struct str){"", 0} : sha256_hex(d->arena, text);
    if (secret)
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "templates", d->template_sha, text, NULL,
                          err);
}

/* Every pointer of the plan, to where it is to be (`back`: to where it was). */
int engine_reconcile(struct deploying *d, bool back, struct err *err)
{
    struct pointers all;
    size_t moved;
    pointers_of(d->arena, d->plan, back, &all);
    return pointers_reconcile(d->r, &all, &moved, err);
}

/* One that the stack has: `from` is what it points at. */
static void put_pointer(struct arena *a, struct node *resources, struct str id,
                        const char *property, struct str from, struct str to)
{
    const struct node *old = node_get(resources, id);
    if (old && from.n && to.n)
        node_put(a, resources, id, cfn_with_property(a, old, property, node_str(a, to)));
}

const struct node *engine_stage_now(const struct deploying *d)
{
    return d->stage_now ? d->stage_now : d->plan->world.stage_template;
}

const struct node *engine_pointers_only(const struct deploying *d)
{
    struct arena *a = d->arena;
    const struct node *old = engine_stage_now(d);
    struct node *resources = node_shallow(a, node_get_c(old, "Resources"));
    for (size_t i = 0; i < d->plan->function_count; i++)
        put_pointer(a, resources, d->plan->functions[i].function->alias_id, "FunctionVersion",
                    d->plan->functions[i].from, d->plan->functions[i].to);
    for (size_t i = 0; i < d->plan->api_count; i++)
        put_pointer(a, resources, d->plan->apis[i].api->stage_id, "DeploymentId",
                    d->plan->apis[i].from, d->plan->apis[i].to);
    const struct node *out = cfn_with(a, old, "Resources", resources);
    return plan_numbered(a, out, d->plan->number, d->plan->digest);
}
