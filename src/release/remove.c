/* Removing a stage, or the whole service. */
#include "release/dispose/dispose.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "release/dispose/edge_functions.h"
#include "release/dispose/late_log_groups.h"
#include "release/dispose/repositories.h"
#include "release/remove_plan.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

/* The bucket that troupe put there: of the service, or of a remote stage. */
static bool is_troupes(const struct content *c)
{
    return str_eq(c->id, STR(SERVICE_BUCKET)) || str_eq(c->id, STR(REMOTE_BUCKET));
}

/* CloudFormation deletes no bucket that holds something. Only what goes with the stack is emptied:
 * the user's buckets, or (`troupes`) the one for records and code. */
static int empty_buckets(const struct release *r, const struct stack *stack,
                         const struct contents *contents, bool troupes, struct err *err)
{
    for (size_t i = 0; i < contents->n; i++) {
        const struct content *c = &contents->p[i];
        if (str_eq(c->type, STR("AWS::S3::Bucket")) && c->goes && is_troupes(c) == troupes &&
            dispose_content(r, stack, c, err) < 0)
            return -1;
    }
    return 0;
}

/* CloudFormation deletes so many resources at a time, so a larger stack is made smaller first. */
static int shrink(const struct release *r, const struct store *store, const struct stack *stack,
                  struct err *err)
{
    struct arena *a = r->arena;
    struct map *there = ARENA_NEW(a, struct map);
    const struct map *nesting = there;
    const struct node *now, *step;
    *there = MAP(a);
    if (stack_condition(stack->status) != STACK_READY || !store->bucket.n)
        return 0;
    if (nested_read(r, store, stack->name, &now, there, err) < 0)
        return -1;
    while ((step = layout_shrink(a, now, STACK_CHANGES_MAX))) {
        struct node *parameters = node_map(a);
        member_each (m, node_get_c(step, "Parameters"))
            node_put(a, parameters, m->key, node_null(a)); /* as they are */
        release_progress(r, "remove", "%d resources at a time", STACK_CHANGES_MAX);
        struct stack_update update = {
            .name = stack->name, .template = step, .parameters = parameters, .store = store};
        if (stack_apply(r, &update, &nesting, NULL, err) < 0)
            return -1;
        now = step;
    }
    return 0;
}

static const struct content *find_bucket(const struct contents *contents, struct str name)
{
    for (size_t i = 0; contents && i < contents->n; i++)
        if (str_eq(contents->p[i].type, STR("AWS::S3::Bucket")) &&
            str_eq(contents->p[i].physical_id, name))
            return &contents->p[i];
    return NULL;
}

/* A bucket is ours when the service stack has it as a resource; it goes with the stack, or stays as
 * its DeletionPolicy says. In any other, which is the user's, only our folder goes. The file may
 * name another one by now than the stack was deployed with. */
static int leave_buckets(const struct release *r, const struct contents *contents,
                         const struct world *w, struct err *err)
{
    struct str deployed = node_text(node_get_c(w->service.outputs, SERVICE_BUCKET_OUTPUT));
    struct str buckets[] = {w->bucket, str_eq(deployed, w->bucket) ? STR("") : deployed};
    for (size_t i = 0; i < 2; i++) {
        struct store store = {w->store.aws, buckets[i], r->service->name};
        if (buckets[i].n && !find_bucket(contents, buckets[i]) &&
            dispose_folder(r, &store, STR(""), err) < 0)
            return -1;
    }
    return 0;
}

/* Of the service, or of the stage. */
static int remove_stack(const struct release *r, const struct world *w, bool of_service,
                        const struct contents *contents, bool purge, struct err *err)
{
    const struct stack *stack = of_service ? &w->service : &w->stage;
    int64_t start = clock_mono_ms();
    if ((purge && empty_buckets(r, stack, contents, false, err) < 0) ||
        shrink(r, of_service ? &w->store : &w->stage_store, stack, err) < 0 ||
        (of_service && leave_buckets(r, contents, w, err) < 0) ||
        empty_buckets(r, stack, contents, true, err) < 0)
        return -1;
    if (dispose_stack(r, stack, OURS_STACK, contents, err) < 0)
        return -1;
    release_finished(r, "remove", "stack '%.*s' deleted in %.1fs", STR_ARG(stack->name),
                     (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

/* Functions leave the stage's network before its stack goes. While an alias of the stack holds a
 * version there, and the stack cannot be updated, CloudFormation takes away what it can first: then
 * there is no alias any more. */
static int remove_stage_stack(const struct release *r, struct world *w, struct lease *lease,
                              bool purge, struct err *err)
{
    for (bool again = false;; again = true) {
        struct contents contents;
        struct network network;
        if (removal_network(r, w, &contents, &network, err) < 0 ||
            removal_network_check(w, &network, err) < 0)
            return -1;
        bool held = network.aliases.n && stack_condition(w->stage.status) != STACK_READY;
        if (!held && network_leave(r, w, lease, &network, err) < 0)
            return -1;
        if (remove_stack(r, w, false, &contents, purge, err) == 0)
            return edge_functions_dispose(r, &contents, err);
        if (!held || again || err->kind != ERR_FAILED)
            return -1;
        err_clear(err);
        if (stack_wait(r, w->stage.id, &w->stage, err) < 0)
            return -1;
    }
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
    struct str who;
    size_t n;
    if (records_list(a, store, &refs, &n, err) < 0 || sts_caller(a, r->aws, &who, err) < 0)
        return -1;
    newest_record(refs, n, stage, &last);
    struct record_body body = {.removal = true,
                               .service = r->service->name,
                               .stage = r->service->stage,
                               .number = last.number + 1,
                               .what = STR(RECORD_REMOVAL),
                               .nonce = random_hex(a, 8),
                               .when = time_iso(a, clock_wall_ms()),
                               .who = who,
                               .source = r->source_revision,
                               .tool = STR(TROUPE_VERSION)};
    if (r->disposals)
        disposals_record(a, r->disposals, &body);
    if (record_write(a, store, stage, body.number, &body, err) < 0)
        return -1;
    return record_write_outcome(a, store, stage, body.number, OUTCOME_SUCCEEDED, STR(""), err);
}

/* Delete the stage's nested templates from the bucket. Not for a remote stage: its templates went
 * with its own bucket, and a stage at home may have a stack of the same name. */
static void sweep_nested(const struct release *r, const struct store *store)
{
    struct arena *a = r->arena;
    cleanup_err struct err ignored = {0}; /* what stays is in nobody's way */
    struct str stack = layout_stack_name(a, r->service, r->service->stage);
    if (!r->service->remote)
        dispose_folder(r, store, str_fmt(a, "parts/%.*s/", STR_ARG(stack)), &ignored);
}

static int say_never_was(struct str stage, struct err *err)
{
    err_set(err, ERR_NOT_FOUND, "there is no stage '%.*s': it was never deployed", STR_ARG(stage));
    return err_help(err, "which there are: troupe stages");
}

/* There is no stack: the stage never was, is gone, or its removal was cut off before the record of
 * it was whole. */
static int finish_removal(const struct release *r, const struct store *store, struct str stage,
                          bool *ret_nothing, struct err *err)
{
    struct arena *a = r->arena;
    struct record_ref *refs, last;
    struct record record;
    cleanup_lease struct lease *lease = NULL;
    size_t n;
    if (records_list(a, store, &refs, &n, err) < 0)
        return -1;
    if (!newest_record(refs, n, stage, &last))
        return say_never_was(stage, err);
    if (record_read(a, store, stage, last.number, 0, &record, err) < 0)
        return -1;
    bool removal = record_is_removal(&record);
    *ret_nothing = removal && last.has_outcome;
    if (*ret_nothing)
        return 0;
    if (lease_take_stage(store, stage, "remove", &lease, err) < 0)
        return -1;
    sweep_nested(r, store);
    return removal
               ? record_write_outcome(a, store, stage, last.number, OUTCOME_SUCCEEDED, STR(""), err)
               : record_removal(r, store, stage, err);
}

int remove_stage(const struct release *r, struct str stage, bool purge, bool *ret_nothing,
                 struct err *err)
{
    struct world w;
    cleanup_lease struct lease *lease = NULL;
    *ret_nothing = false;
    if (world_remains(r, true, &w, err) < 0)
        return -1;
    if (w.stage_exists && stack_check_unguarded(&w.stage, r->service->region, err) < 0)
        return -1;
    if (!w.stage_exists)
        return w.bucket.n ? finish_removal(r, &w.store, stage, ret_nothing, err)
                          : say_never_was(stage, err);
    if (w.bucket.n && lease_take_stage(&w.store, stage, "remove", &lease, err) < 0)
        return -1;
    if (stack_condition(w.stage.status) == STACK_BUSY) {
        if (!lease_inherited(lease)) {
            err_set(err, ERR_CONFLICT, "stack '%.*s' is busy: %.*s", STR_ARG(w.stage_name),
                    STR_ARG(w.stage.status));
            return err_help(err, "wait until that is done, then try again");
        }
        if (stack_wait(r, w.stage.id, &w.stage, err) < 0)
            return -1;
    }
    if (lease_check(lease, err) < 0 || (stack_condition(w.stage.status) != STACK_GONE &&
                                        remove_stage_stack(r, &w, lease, purge, err) < 0))
        return -1;
    if (!w.bucket.n)
        return 0;
    sweep_nested(r, &w.store);
    return record_removal(r, &w.store, stage, err);
}

/* ---- the service ---- */

/* What stages that went before had to keep is in their records, which go now, too. */
static int remove_kept_functions(const struct release *r, const struct world *w, struct err *err)
{
    edge_function_list kept = {0};
    if (edge_functions_kept(r, &w->store, &kept, err) < 0)
        return -1;
    vec_each (&kept, f) {
        if (edge_function_delete(r, f, err) == 0)
            continue;
        if (err->kind != ERR_CONFLICT)
            return err_wrap(err, "delete function '%.*s'", STR_ARG(f->name));
        err_clear(err);
        dispose_keep(r, STR("AWS::Lambda::Function"), f->name,
                     str_fmt(r->arena,
                             "CloudFront has copies of it for some hours; then: aws lambda "
                             "delete-function --function-name %.*s",
                             STR_ARG(f->name)));
    }
    return 0;
}

/* Before the first of them goes. */
static int check_unguarded(const struct release *r, const struct world *w, struct err *err)
{
    struct str *stages;
    struct stack *stacks;
    size_t n;
    if (stages_find(r, &w->store, &stages, &stacks, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct release of_stage;
        struct err one = {0};
        if (region_at(r, stages[i], &of_stage, err) < 0)
            return -1;
        stack_check_unguarded(&stacks[i], of_stage.service->region, &one);
        err_also(err, &one);
    }
    struct err one = {0};
    if (w->service_exists)
        stack_check_unguarded(&w->service, r->service->home, &one);
    err_also(err, &one);
    return err->kind ? -1 : 0;
}

static int remove_all_stages(const struct release *r, const struct world *w, bool purge,
                             size_t *ret_n, struct err *err)
{
    struct str *stages;
    struct stack *stacks;
    if (stages_find(r, &w->store, &stages, &stacks, ret_n, err) < 0)
        return -1;
    for (size_t i = 0; i < *ret_n; i++) {
        struct release of_stage;
        bool nothing;
        if (region_at(r, stages[i], &of_stage, err) < 0 ||
            remove_stage(&of_stage, stages[i], purge, &nothing, err) < 0)
            return err_wrap(err, "remove stage '%.*s'", STR_ARG(stages[i]));
    }
    return 0;
}

int remove_service(const struct release *r, bool purge, bool *ret_nothing, struct err *err)
{
    struct world w;
    struct record *records;
    repository_list repositories = {0};
    size_t stages, n;
    *ret_nothing = false;
    if (world_remains(r, false, &w, err) < 0)
        return -1;
    if (w.service_exists && stack_condition(w.service.status) == STACK_BUSY &&
        stack_wait(r, w.service.id, &w.service, err) < 0)
        return -1;
    if (check_unguarded(r, &w, err) < 0 || remove_all_stages(r, &w, purge, &stages, err) < 0 ||
        (w.bucket.n && remove_kept_functions(r, &w, err) < 0) ||
        records_all(r->arena, &w.store, &records, &n, err) < 0 ||
        repositories_find(r, &w.store, records, n, &repositories, err) < 0)
        return -1;
    struct log_groups groups = log_groups_recorded(r->arena, records, n);
    bool there = w.service_exists && stack_condition(w.service.status) != STACK_GONE;
    *ret_nothing = !there && !stages && !repositories.n;
    struct contents contents;
    if (there ? stack_contents(r, w.service.name, &contents, err) < 0 ||
                    remove_stack(r, &w, true, &contents, purge, err) < 0
              : leave_buckets(r, NULL, &w, err) < 0)
        return -1;
    if (repositories_dispose(r, &repositories, err) < 0)
        return -1;
    return log_groups_sweep(r, &groups, err);
}
