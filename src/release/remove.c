/* Removing a stage, or the whole service. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "release/parts.h"
#include "release/resources.h"
#include "release/place.h"
#include "release/stack.h"

static int losses_of(const struct release *r, const struct world *w, struct str stack,
                     struct change **ret, size_t *ret_n, struct err *err)
{
    VEC(struct change) losses = {0};
    const struct node *template;
    *ret_n = 0;
    if (parts_read(r, &w->store, stack, &template, NULL, err) < 0)
        return -1;
    member_each (m, node_get_c(template, "Resources")) {
        struct str type = node_text(node_get_c(m->value, "Type"));
        bool ours = str_starts(m->key, STR("ServerlessDeploymentBucket")) ||
                    str_eq(m->key, STR(REMOTE_BUCKET));
        if (resource_is_stateful(type) && !ours && !resource_is_retained(m->value))
            vec_push(r->arena, &losses,
                     (struct change){.action = CHANGE_REMOVE,
                                     .kind = STR("resource"),
                                     .name = m->key,
                                     .detail = type,
                                     .reason = stack,
                                     .stateful = true});
    }
    *ret = losses.p;
    *ret_n = losses.n;
    return 0;
}

int remove_losses(const struct release *r, const struct world *w, struct change **ret,
                  size_t *ret_n, struct err *err)
{
    VEC(struct change) all = {0};
    struct str *stages = NULL;
    struct stack *stacks = NULL;
    size_t n = 0;
    if (!w->stage_name.n) {
        if (stages_find(r, &w->store, &stages, &stacks, &n, err) < 0)
            return -1;
    } else if (w->stage_exists) {
        stacks = ARENA_NEW(r->arena, struct stack);
        stacks[n++] = w->stage;
    }
    for (size_t i = 0; i <= n; i++) {
        struct change *losses;
        size_t count;
        bool service = i == n;
        if (service && (w->stage_name.n || !w->service_exists))
            break;
        struct release there = *r;
        if (stages && !service && place_at(r, stages[i], &there, err) < 0)
            return -1;
        if (losses_of(&there, w, service ? w->service_name : stacks[i].name, &losses, &count, err) <
            0)
            return -1;
        for (size_t k = 0; k < count; k++)
            vec_push(r->arena, &all, losses[k]);
    }
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}

/* CloudFormation deletes no bucket that holds something. */
static int purge_buckets(const struct release *r, struct str stack, struct err *err)
{
    struct stack_resource *resources;
    size_t n;
    if (parts_resources(r->arena, r->aws, stack, &resources, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (!str_eq(resources[i].type, STR("AWS::S3::Bucket")) || !resources[i].physical_id.n ||
            str_eq(resources[i].status, STR("DELETE_COMPLETE")))
            continue;
        release_progress(r, "remove", "emptying bucket '%.*s'", STR_ARG(resources[i].physical_id));
        if (s3_empty(r->arena, r->aws, resources[i].physical_id, err) < 0) {
            if (err->kind != ERR_NOT_FOUND)
                return err_wrap(err, "empty bucket '%.*s'", STR_ARG(resources[i].physical_id));
            err_clear(err);
        }
    }
    return 0;
}

/* What is in a remote stage's bucket is at home as well. */
static int empty_copies(const struct release *r, const struct stack *stack, struct err *err)
{
    struct str bucket = node_text(node_get_c(stack->outputs, REMOTE_BUCKET_OUTPUT));
    if (!bucket.n || s3_empty(r->arena, r->aws, bucket, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "empty bucket '%.*s'", STR_ARG(bucket));
    err_clear(err);
    return 0;
}

/* CloudFormation deletes so many resources at a time, so a larger stack is made smaller first. */
static int shrink(const struct release *r, const struct store *store, const struct stack *stack,
                  struct err *err)
{
    struct arena *a = r->arena;
    struct map *there = ARENA_NEW(a, struct map);
    const struct map *placed = there;
    const struct node *now, *step;
    *there = MAP(a);
    if (stack_condition(stack->status) != STACK_READY || !store->bucket.n)
        return 0;
    if (parts_read(r, store, stack->name, &now, there, err) < 0)
        return -1;
    while ((step = layout_shrink(a, now, STACK_CHANGES_MAX))) {
        struct node *parameters = node_map(a);
        member_each (m, node_get_c(step, "Parameters"))
            node_put(a, parameters, m->key, node_null(a)); /* as they are */
        release_progress(r, "remove", "%d resources at a time", STACK_CHANGES_MAX);
        if (stack_apply(r, stack->name, false, step, parameters, NULL, store, &placed, NULL, err) <
            0)
            return -1;
        now = step;
    }
    return 0;
}

/* `store`: NULL when the bucket must stay empty. */
static int remove_stack(const struct release *r, const struct store *store,
                        const struct stack *stack, bool purge, struct err *err)
{
    int64_t start = clock_mono_ms();
    if ((purge && purge_buckets(r, stack->name, err) < 0) ||
        (store && shrink(r, store, stack, err) < 0) || empty_copies(r, stack, err) < 0)
        return -1;
    if (stack_remove(r, stack->name, stack->id, err) < 0) {
        if (!purge && str_find(err->msg, STR("ucket"), 0) >= 0)
            err_help(err,
                     "to delete what is in the stage's buckets as well: troupe remove … --purge");
        return -1;
    }
    release_finished(r, "remove", "stack '%.*s' deleted in %.1fs", STR_ARG(stack->name),
                     (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

/* The stage's newest record; false: it has none. */
static bool newest_record(const struct record_ref *refs, size_t n, struct str stage,
                          struct record_ref *ret)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(refs[i].stage, stage)) {
            *ret = refs[i];
            return true;
        }
    return false;
}

/* The history says when a stage went. */
static int record_removal(const struct release *r, const struct store *store, struct str stage,
                          struct err *err)
{
    struct arena *a = r->arena;
    struct record_ref *refs, last = {0};
    struct node *body = node_map(a);
    struct str who;
    size_t n;
    if (records_list(a, store, &refs, &n, err) < 0 || sts_caller(a, r->aws, &who, err) < 0)
        return -1;
    newest_record(refs, n, stage, &last);
    int64_t number = last.number + 1;
    node_put_c(a, body, "format", node_int(a, RECORD_FORMAT));
    node_put_str(a, body, "service", r->service->name);
    node_put_str(a, body, "stage", r->service->stage);
    node_put_c(a, body, "number", node_int(a, number));
    node_put_str(a, body, "what", STR("remove"));
    node_put_str(a, body, "nonce", random_hex(a, 8));
    node_put_str(a, body, "when", time_iso(a, clock_wall_ms()));
    node_put_str(a, body, "who", who);
    node_put_str(a, body, "source", r->source_revision);
    node_put_str(a, body, "tool", STR(TROUPE_VERSION));
    if (record_write(a, store, stage, number, body, err) < 0)
        return -1;
    return record_write_outcome(a, store, stage, number, "succeeded", STR(""), err);
}

static int take_lease(const struct release *r, const struct store *store, struct str stage,
                      struct lease **ret, struct err *err)
{
    return lease_take(store, str_fmt(r->arena, "stage-%.*s", STR_ARG(stage)),
                      str_fmt(r->arena, "remove '%.*s'", STR_ARG(stage)), 0, ret, err);
}

/* Those of a remote stage went with its bucket, and a stage at home may have the same stack name.
 */
static void sweep_parts(const struct release *r, const struct store *store)
{
    if (!r->service->remote)
        parts_sweep(r, store, layout_stack_name(r->arena, r->service, r->service->stage), NULL);
}

/* There is no stack: the stage never was, is gone, or its removal was cut off before the record of
 * it was whole. */
static int finish_removal(const struct release *r, const struct store *store, struct str stage,
                          struct err *err)
{
    struct arena *a = r->arena;
    struct record_ref *refs, last;
    struct record record;
    cleanup_lease struct lease *lease = NULL;
    size_t n;
    if (records_list(a, store, &refs, &n, err) < 0)
        return -1;
    if (!newest_record(refs, n, stage, &last))
        return 0;
    if (record_read(a, store, stage, last.number, false, false, &record, err) < 0)
        return -1;
    bool removal = str_eq(node_text(node_get_c(record.body, "what")), STR("remove"));
    if (removal && last.has_outcome)
        return 0;
    if (take_lease(r, store, stage, &lease, err) < 0)
        return -1;
    sweep_parts(r, store);
    return removal ? record_write_outcome(a, store, stage, last.number, "succeeded", STR(""), err)
                   : record_removal(r, store, stage, err);
}

int remove_stage(const struct release *r, struct str stage, bool purge, struct err *err)
{
    struct world w;
    cleanup_lease struct lease *lease = NULL;
    if (world_find(r, true, &w, err) < 0)
        return -1;
    if (!w.stage_exists)
        return w.bucket.n ? finish_removal(r, &w.store, stage, err) : 0;
    if (w.bucket.n && take_lease(r, &w.store, stage, &lease, err) < 0)
        return -1;
    if (stack_condition(w.stage.status) == STACK_BUSY) {
        if (!lease_inherited(lease)) {
            err_set(err, ERR_CONFLICT, "stack '%.*s' is busy: %.*s", STR_ARG(w.stage_name),
                    STR_ARG(w.stage.status));
            return err_help(err, "wait until that is done, then try again");
        }
        if (stack_settle(r, w.stage.id, &w.stage, err) < 0)
            return -1;
    }
    if (lease_check(lease, err) < 0 || (stack_condition(w.stage.status) != STACK_GONE &&
                                        remove_stack(r, &w.stage_store, &w.stage, purge, err) < 0))
        return -1;
    if (!w.bucket.n)
        return 0;
    sweep_parts(r, &w.store);
    return record_removal(r, &w.store, stage, err);
}

static int empty_own(const struct release *r, const struct world *w, struct err *err)
{
    struct s3_object *objects;
    size_t n;
    if (!w->bucket.n)
        return 0;
    if (str_eq(w->bucket,
               node_text(node_get_c(w->service.outputs, "ServerlessDeploymentBucketName"))))
        return s3_empty(r->arena, r->aws, w->bucket, err);
    /* A bucket of the user's: only what is ours goes. */
    if (s3_list(r->arena, r->aws, w->bucket, store_key(r->arena, &w->store, "%s", ""), &objects, &n,
                err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (s3_delete(r->arena, r->aws, w->bucket, objects[i].key, STR(""), err) < 0)
            return -1;
    return 0;
}

static int remove_all_stages(const struct release *r, const struct world *w, bool purge,
                             struct err *err)
{
    struct str *stages;
    struct stack *stacks;
    size_t n;
    if (stages_find(r, &w->store, &stages, &stacks, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct release of_stage;
        if (place_at(r, stages[i], &of_stage, err) < 0 ||
            remove_stage(&of_stage, stages[i], purge, err) < 0)
            return err_wrap(err, "remove stage '%.*s'", STR_ARG(stages[i]));
    }
    return 0;
}

int remove_service(const struct release *r, bool purge, struct err *err)
{
    struct world w;
    if (world_find(r, false, &w, err) < 0)
        return -1;
    if (w.service_exists && stack_condition(w.service.status) == STACK_BUSY &&
        stack_settle(r, w.service.id, &w.service, err) < 0)
        return -1;
    if (remove_all_stages(r, &w, purge, err) < 0)
        return -1;
    if (!w.service_exists || stack_condition(w.service.status) == STACK_GONE)
        return 0;
    if (shrink(r, &w.store, &w.service, err) < 0)
        return -1;
    if (empty_own(r, &w, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
    }
    return remove_stack(r, NULL, &w.service, purge, err);
}
