/* The service stack: creating it, adding to it, changing it, under the service's lease. */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "release/dispose/dispose.h"
#include "release/dispose/late_log_groups.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

static int refresh_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    if (cloudformation_describe(d->arena, w->store.aws, w->service_name, &w->service, err) < 0)
        return -1;
    w->service_exists = true;
    world_use_bucket(d->r, w);
    return 0;
}

/* Only the bucket, for a template that is too large to be sent without one, or whose layers are
 * made from zips in it. */
static const struct node *bucket_only(struct deploying *d, const struct node *whole)
{
    struct arena *a = d->arena;
    struct node *out = node_map(a), *resources = node_map(a), *outputs = node_map(a);
    member_each (m, node_get_c(whole, "Resources"))
        if (str_starts(m->key, STR("ServerlessDeploymentBucket")))
            node_put(a, resources, m->key, m->value);
    node_put_c(a, outputs, "ServerlessDeploymentBucketName",
               node_path(whole, "Outputs.ServerlessDeploymentBucketName"));
    node_put_str(a, out, "AWSTemplateFormatVersion", STR("2010-09-09"));
    if (!resources->size) /* the bucket is the user's */
        node_put_c(
            a, resources, LAYOUT_PLACEHOLDER,
            node_fn(a, "Type", node_str(a, STR("AWS::CloudFormation::WaitConditionHandle"))));
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

static int apply_service(struct deploying *d, bool create, const struct node *template,
                         const struct map **nesting, struct err *err)
{
    const struct world *w = &d->plan->world;
    struct release home = region_home(d->r);
    struct stack_update update = {
        .name = w->service_name,
        .template = template,
        .parameters = plan_service_parameters(d->r, w, template, !create && engine_stage(d).n),
        .tags = stack_tags(d->arena, d->r->service, STR("")),
        .store = create ? NULL : &w->store,
        .create = create};
    return stack_apply(&home, &update, nesting, NULL, err);
}

/* Bring the stack from `now` to the template, in as many updates as that takes. */
static int apply_in_steps(struct deploying *d, const struct node *now, const struct node *template,
                          const struct map **nesting, struct err *err)
{
    const struct node *step;
    while ((step = layout_grow(d->arena, now, template, STACK_CHANGES_MAX))) {
        release_progress(d->r, "service", "%d resources at a time", STACK_CHANGES_MAX);
        if (apply_service(d, false, step, nesting, err) < 0)
            return -1;
        now = step;
    }
    return apply_service(d, false, template, nesting, err);
}

static bool has_shared_layers(const struct deploying *d)
{
    const struct layout *l = d->plan->target.layout;
    for (size_t i = 0; i < l->layer_count; i++)
        if (!l->layers[i].per_stage)
            return true;
    return false;
}

static int create_service(struct deploying *d, struct err *err)
{
    const struct node *whole = engine_adopt_withhold(d, d->plan->service_target);
    const struct map *nesting = NULL;
    bool large = nested_need_bucket(d->arena, whole) || has_shared_layers(d);
    const struct node *first = large ? bucket_only(d, whole) : whole;
    struct release home = region_home(d->r);
    if (d->plan->world.service_dead &&
        dispose_stack(&home, &d->plan->world.service, OURS_STACK, NULL, err) < 0)
        return -1;
    if (apply_service(d, true, first, &nesting, err) < 0 || refresh_service(d, err) < 0)
        return -1;
    if (!large)
        return 0;
    return engine_upload_layers(d, NULL, err) < 0 ? -1
                                                  : apply_in_steps(d, first, whole, &nesting, err);
}

/* Add what is missing, under the service's lease. The template is read again there: another stage
 * may have added to it since the plan. */
static int extend_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    cleanup_lease struct lease *lease = NULL;
    const struct node *target = d->plan->service_target;
    struct map there = MAP(d->arena);
    const struct map *nesting = &there;
    const struct node *now;
    struct release home = region_home(d->r);
    if (lease_take(&w->store, STR("service"),
                   str_fmt(d->arena, "change the service stack for '%.*s'",
                           STR_ARG(engine_stage(d).n ? engine_stage(d) : d->r->service->name)),
                   SERVICE_WAIT_MS, &lease, err) < 0 ||
        stack_wait(&home, w->service_name, &w->service, err) < 0 ||
        nested_read(&home, &w->store, w->service_name, &now, &there, err) < 0)
        return -1;
    if (engine_stage(d).n) {
        target = plan_service_additions(
            d->arena, now, engine_adopt_withhold(d, d->plan->target.layout->service_template));
        if (!target)
            return 0;
    }
    return engine_upload_layers(d, now, err) < 0 || lease_check(lease, err) < 0 ||
                   log_groups_clear(&home, w, STR(""), now, target, err) < 0
               ? -1
               : apply_in_steps(d, now, target, &nesting, err);
}

/* Another first deployment was faster: what it makes is ours as well. */
static int join_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    struct release home = region_home(d->r);
    err_clear(err);
    if (stack_wait(&home, w->service_name, &w->service, err) < 0 ||
        stack_check_owner(&w->service, d->r->service->name, STR(""), err) < 0)
        return -1;
    if (stack_condition(w->service.status) != STACK_READY)
        return err_set(err, ERR_FAILED, "somebody else created stack '%.*s', which ended as %.*s",
                       STR_ARG(w->service_name), STR_ARG(w->service.status));
    return refresh_service(d, err) < 0 ? -1 : extend_service(d, err);
}

int engine_service_again(struct deploying *d, struct err *err)
{
    return extend_service(d, err) < 0 ? -1 : refresh_service(d, err);
}

int engine_service(struct deploying *d, struct err *err)
{
    int64_t start = clock_mono_ms();
    if (!d->plan->service_target)
        return 0;
    bool create = !d->plan->world.service_exists;
    d->fresh_roles |= /* whoever makes them: another stage may be as fast */
        layout_changes_rights(d->plan->world.service_template, d->plan->service_target);
    int done = create ? create_service(d, err) : extend_service(d, err);
    if (done < 0 && create && err->kind == ERR_CONFLICT)
        done = join_service(d, err);
    if (done < 0)
        return -1;
    release_finished(d->r, "service", "stack '%.*s' %s in %.1fs",
                     STR_ARG(d->plan->world.service_name), create ? "created" : "updated",
                     (double)(clock_mono_ms() - start) / 1000);
    return refresh_service(d, err);
}
