/* The world: stacks, bucket and records as they are now. */
#include "release/parts.h"
#include "release/stack.h"

#include <stdarg.h>

static void tell(const struct release *r, void (*to)(void *, const char *, struct str),
                 const char *step, const char *fmt, va_list ap)
{
    cleanup_arena struct arena *a = arena_new();
    if (to)
        to(r->observer->context, step, str_vfmt(a, fmt, ap));
}

void release_progress(const struct release *r, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->observer)
        tell(r, r->observer->progress, step, fmt, ap);
    va_end(ap);
}

void release_finished(const struct release *r, const char *step, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->observer)
        tell(r, r->observer->finished, step, fmt, ap);
    va_end(ap);
}

int64_t world_deployment(const struct stack *stage)
{
    int64_t n = 0;
    str_to_int(node_text(node_get_c(stage->outputs, DEPLOYMENT_OUTPUT)), &n);
    return n;
}

static int find_stack(const struct release *r, struct str name, struct str stage, bool *ret_exists,
                      struct stack *ret, struct err *err)
{
    *ret_exists = false;
    if (stack_describe(r->arena, r->aws, name, ret, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "look at stack '%.*s'", STR_ARG(name));
        err_clear(err);
        return 0;
    }
    if (stack_condition(ret->status) == STACK_GONE)
        return 0;
    *ret_exists = true;
    return stack_check_owner(ret, r->service->name, stage, err);
}

/* "arn:aws:cloudformation:us-east-1:123456789012:stack/…" */
static void read_stack_id(struct world *w, struct str id)
{
    struct str part;
    for (int i = 0; i < 5 && str_cut(&id, ':', &part); i++) {
        if (i == 1)
            w->partition = part;
        if (i == 4)
            w->account = part;
    }
}

static struct str bucket_of(const struct release *r, const struct world *w)
{
    const struct node *given = node_path(r->service->root, "provider.deploymentBucket");
    struct str name =
        node_is(given, NODE_STRING) ? given->text : node_text(node_get_c(given, "name"));
    return name.n ? name
                  : node_text(node_get_c(w->service.outputs, "ServerlessDeploymentBucketName"));
}

void world_use_bucket(const struct release *r, struct world *w)
{
    w->bucket = bucket_of(r, w);
    w->store = (struct store){r->aws, w->bucket, r->service->name};
}

static int find_stage(const struct release *r, struct world *w, struct err *err)
{
    struct str stage = r->service->stage;
    if (!stage.n)
        return 0;
    w->stage_name = layout_stack_name(r->arena, r->service, stage);
    if (find_stack(r, w->stage_name, stage, &w->stage_exists, &w->stage, err) == 0)
        return 0;
    if (err->kind != ERR_REFUSED || !r->adopts || node_get_c(w->stage.tags, TAG_SERVICE))
        return -1;
    err_clear(err); /* nobody's: it is about to become ours */
    return 0;
}

int world_find(const struct release *r, bool stage, struct world *w, struct err *err)
{
    *w = (struct world){.service_name = layout_stack_name(r->arena, r->service, STR(""))};
    if (find_stack(r, w->service_name, STR(""), &w->service_exists, &w->service, err) < 0)
        return -1;
    if (w->service_exists) {
        read_stack_id(w, w->service.id);
        world_use_bucket(r, w);
    }
    return stage ? find_stage(r, w, err) : 0;
}

/* A stack that is not ready: wait when the cut-off operation was ours, else say what to do. */
static int make_ready(const struct release *r, struct stack *stack, struct str name, bool wait,
                      struct str stage, struct err *err)
{
    if (stack_condition(stack->status) == STACK_BUSY) {
        if (!wait) {
            err_set(err, ERR_CONFLICT, "stack '%.*s' is busy: %.*s", STR_ARG(name),
                    STR_ARG(stack->status));
            return err_help(err,
                            "something else works on it; wait until it is done, then try again");
        }
        if (stack_settle(r, name, stack, err) < 0)
            return -1;
    }
    if (stack_condition(stack->status) != STACK_STUCK)
        return 0;
    err_set(err, ERR_FAILED, "stack '%.*s' is in state %.*s and cannot be updated", STR_ARG(name),
            STR_ARG(stack->status));
    if (r->adopts && !node_get_c(stack->tags, TAG_SERVICE)) /* not ours to remove */
        return err_help(err, "%s", stack_way_out(stack->status));
    if (stage.n)
        return err_help(err, "%s: troupe remove %.*s", stack_way_out(stack->status),
                        STR_ARG(stage));
    return err_help(err, "%s: troupe remove --service", stack_way_out(stack->status));
}

/* ---- records ---- */

static void find_last(struct world *w, struct str stage)
{
    bool newest = true;
    for (size_t i = 0; i < w->record_count; i++) {
        const struct record_ref *ref = &w->records[i];
        if (!str_eq(ref->stage, stage))
            continue;
        if (newest) {
            w->last_number = ref->number;
            w->last_interrupted = !ref->has_outcome && ref->number != w->current;
        }
        w->unsettled |= ref->number == w->current && !ref->has_outcome;
        newest = false;
    }
}

static bool is_listed(const struct world *w, struct str stage, int64_t number)
{
    for (size_t i = 0; i < w->record_count; i++)
        if (w->records[i].number == number && str_eq(w->records[i].stage, stage))
            return true;
    return false;
}

static int say_no_record(const struct release *r, const struct world *w, struct err *err)
{
    err_set(err, ERR_FAILED,
            "stack '%.*s' says it is at deployment %lld, but the bucket has no such record",
            STR_ARG(w->stage_name), (long long)w->current);
    return err_help(err, "restore s3://%.*s/%.*s, or remove the stage and deploy it again",
                    STR_ARG(w->bucket),
                    STR_ARG(store_key(r->arena, &w->store, "stages/%.*s/%lld.json",
                                      STR_ARG(r->service->stage), (long long)w->current)));
}

static int check_current(const struct release *r, const struct world *w, struct err *err)
{
    if (!w->current || is_listed(w, r->service->stage, w->current))
        return 0;
    return say_no_record(r, w, err);
}

static int read_interrupted(const struct release *r, struct world *w, struct err *err)
{
    if (!w->last_interrupted)
        return 0;
    return record_read(r->arena, &w->store, r->service->stage, w->last_number, true, false,
                       &w->interrupted, err);
}

const struct record *world_shift(const struct world *w)
{
    const struct record *last = &w->interrupted;
    bool by_hand = last->body && node_get_c(last->body, "shift") && node_get_c(last->body, "to");
    return by_hand && world_shift_percent(last) ? last : NULL;
}

unsigned world_shift_percent(const struct record *shift)
{
    return (unsigned)node_int_or(node_get_c(shift->versions, "percent"), 0);
}

static int read_template(const struct release *r, const struct world *w, bool exists,
                         struct str name, const struct node **ret, const struct map **ret_placed,
                         struct err *err)
{
    if (!exists)
        return 0;
    struct map *placed = ARENA_NEW(r->arena, struct map);
    *placed = MAP(r->arena);
    *ret_placed = placed;
    return parts_read(r, &w->store, name, ret, placed, err);
}

static int read_records(const struct release *r, struct world *w, struct err *err)
{
    if (records_list(r->arena, &w->store, &w->records, &w->record_count, err) < 0)
        return -1;
    find_last(w, r->service->stage);
    return check_current(r, w, err) < 0 || read_interrupted(r, w, err) < 0 ? -1 : 0;
}

int world_want(const struct release *r, unsigned parts, struct world *w, struct err *err)
{
    bool versions = parts & WORLD_VERSIONS;
    w->record.stage = r->service->stage;
    w->record.number = w->current;
    if (w->current && (versions || parts & WORLD_RECORD) &&
        record_read_more(r->arena, &w->store, versions, false, &w->record, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return say_no_record(r, w, err);
    }
    return parts & WORLD_SERVICE && !w->service_template
               ? read_template(r, w, w->service_exists, w->service_name, &w->service_template,
                               &w->service_placed, err)
               : 0;
}

int world_read(const struct release *r, unsigned parts, bool wait_busy, struct world *w,
               struct err *err)
{
    if (find_stage(r, w, err) < 0)
        return -1;
    /* Only a first deployment of the service creates it; what it makes is everybody's. */
    bool being_made = str_eq(w->service.status, STR("CREATE_IN_PROGRESS"));
    if (w->service_exists &&
        make_ready(r, &w->service, w->service_name, wait_busy || being_made, STR(""), err) < 0)
        return -1;
    if (w->stage_exists &&
        make_ready(r, &w->stage, w->stage_name, wait_busy, r->service->stage, err) < 0)
        return -1;
    if (!w->account.n && sts_account(r->arena, r->aws, &w->account, NULL, err) < 0)
        return -1;
    if (!w->partition.n)
        w->partition = aws_partition(r->aws);
    world_use_bucket(r, w);
    w->current = w->stage_exists ? world_deployment(&w->stage) : 0;
    if (w->service_exists && (read_records(r, w, err) < 0 || world_want(r, parts, w, err) < 0))
        return -1;
    return read_template(r, w, w->stage_exists, w->stage_name, &w->stage_template, &w->stage_placed,
                         err);
}

/* ---- all stages ---- */

static int by_stage(const void *x, const void *y)
{
    const struct stack *a = x, *b = y;
    return str_cmp(node_text(node_get_c(a->tags, TAG_STAGE)),
                   node_text(node_get_c(b->tags, TAG_STAGE)));
}

int stages_find(const struct release *r, struct str **ret, struct stack **ret_stacks, size_t *ret_n,
                struct err *err)
{
    struct stack *stacks;
    size_t all, n = 0;
    if (stack_list(r->arena, r->aws, &stacks, &all, err) < 0)
        return -1;
    for (size_t i = 0; i < all; i++) {
        struct str service = node_text(node_get_c(stacks[i].tags, TAG_SERVICE));
        bool live = stack_condition(stacks[i].status) != STACK_GONE;
        if (live && !stacks[i].nested && str_eq(service, r->service->name) &&
            node_get_c(stacks[i].tags, TAG_STAGE))
            stacks[n++] = stacks[i];
    }
    if (n)
        qsort(stacks, n, sizeof *stacks, by_stage);
    *ret = ARENA_ARRAY(r->arena, n + 1, struct str);
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = node_text(node_get_c(stacks[i].tags, TAG_STAGE));
    *ret_stacks = stacks;
    *ret_n = n;
    return 0;
}
