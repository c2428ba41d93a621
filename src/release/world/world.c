/* The world: stacks, bucket and records as they are now. */
#include "release/world/region.h"

#include "base/vec.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"
#include "release/world/deployment_bucket.h"

int64_t world_deployment(const struct stack *stage)
{
    int64_t n = 0;
    str_to_int(node_text(node_get_c(stage->outputs, DEPLOYMENT_OUTPUT)), &n);
    return n;
}

struct str world_digest(const struct stack *stage)
{
    return node_text(node_get_c(stage->outputs, RECORD_OUTPUT));
}

static int find_stack(const struct release *r, struct str name, struct str stage, bool *ret_exists,
                      struct stack *ret, struct err *err)
{
    *ret_exists = false;
    if (cloudformation_describe(r->arena, r->aws, name, ret, err) < 0) {
        if (err->kind == ERR_DENIED &&
            !err->http_status) /* without credentials nothing was asked */
            return -1;
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

/* The name of the user's own bucket, or NULL. */
static const struct node *given_bucket(const struct release *r)
{
    const struct node *given = node_path(r->service->root, "provider.deploymentBucket");
    const struct node *name = node_is(given, NODE_STRING) ? given : node_get_c(given, "name");
    return node_text(name).n ? name : NULL;
}

static struct str output_bucket(const struct world *w)
{
    return node_text(node_get_c(w->service.outputs, SERVICE_BUCKET_OUTPUT));
}

static struct str bucket_of(const struct release *r, const struct world *w)
{
    const struct node *given = given_bucket(r);
    return given ? node_text(given) : output_bucket(w);
}

/* A bucket of the user's that this service has not used yet: before anything is made. */
static int check_bucket(const struct release *r, const struct world *w, struct err *err)
{
    struct aws *aws = region_home(r).aws;
    const struct node *given = given_bucket(r);
    struct str name = node_text(given), region;
    bool there;
    if (!given || (w->service_exists && str_eq(name, output_bucket(w))))
        return 0;
    if (s3_bucket_exists(r->arena, aws, name, &there, &region, err) < 0)
        return err_wrap(err, "provider.deploymentBucket '%.*s'", STR_ARG(name));
    if (!there && deployment_bucket_is_made(r->service))
        return 0; /* the deployment does */
    if (!there) {
        err_at(err, given->pos, ERR_FAILED, "there is no bucket '%.*s'", STR_ARG(name));
        return err_help(err, "create it, or leave out provider.deploymentBucket: troupe makes one");
    }
    if (!region.n || str_eq(region, aws_region(aws)))
        return 0;
    err_at(err, given->pos, ERR_FAILED, "bucket '%.*s' is in %.*s, and the service in %.*s",
           STR_ARG(name), STR_ARG(region), STR_ARG(aws_region(aws)));
    return err_help(err, "Lambda takes code from buckets of its own region: name one of %.*s",
                    STR_ARG(aws_region(aws)));
}

void world_use_bucket(const struct release *r, struct world *w)
{
    struct str bucket = bucket_of(r, w);
    if (bucket.n || !w->service_exists)
        w->bucket = bucket; /* else what find_bucket knows stays */
    w->store = (struct store){region_home(r).aws, w->bucket, r->service->name};
    w->stage_store = w->store;
    if (r->service->remote)
        w->stage_store =
            (struct store){r->aws, node_text(node_get_c(w->stage.outputs, REMOTE_BUCKET_OUTPUT)),
                           r->service->name};
    aws_expect_owner(w->store.aws, w->store.bucket, w->account);
    aws_expect_owner(w->stage_store.aws, w->stage_store.bucket, w->account);
    aws_expect_owner(w->stage_store.aws, w->store.bucket, w->account); /* copied from */
    const struct node *given = node_path(r->service->root, "provider.deploymentBucket");
    aws_encrypt(w->store.aws, w->store.bucket, node_text(node_get_c(given, "serverSideEncryption")),
                node_text(node_get_c(given, "sseKMSKeyId")));
}

/* A stack that is being updated does not tell its Outputs (CloudFormation user guide, "Outputs"),
 * but what it has. */
static int find_bucket(const struct release *home, struct world *w, struct err *err)
{
    struct stack_resource *all;
    size_t n;
    world_use_bucket(home, w);
    if (w->bucket.n || stack_condition(w->service.status) != STACK_BUSY ||
        str_eq(w->service.status, STR("CREATE_IN_PROGRESS")))
        return 0;
    if (cloudformation_resources(home->arena, home->aws, w->service_name, &all, &n, err) < 0)
        return err_wrap(err, "look at stack '%.*s'", STR_ARG(w->service_name));
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].logical_id, STR(SERVICE_BUCKET)) &&
            !str_eq(all[i].status, STR("DELETE_COMPLETE")))
            w->bucket = all[i].physical_id;
    world_use_bucket(home, w);
    return 0;
}

/* An independent service of the same name may be at home in that region. */
static int check_home(const struct release *r, const struct world *w, struct err *err)
{
    struct str home = node_text(node_get_c(w->stage.tags, TAG_HOME));
    struct str wanted = r->service->remote ? r->service->home : (struct str){"", 0};
    if (!w->stage_exists || str_eq(home, wanted))
        return 0;
    if (home.n)
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to service '%.*s' in %.*s",
                STR_ARG(w->stage_name), STR_ARG(r->service->name), STR_ARG(home));
    else
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to an independent service '%.*s' in %.*s",
                STR_ARG(w->stage_name), STR_ARG(r->service->name), STR_ARG(r->service->region));
    return err_help(err, "use another name for the stage, or remove that one first");
}

static int find_stage(const struct release *r, struct world *w, struct err *err)
{
    struct str stage = r->service->stage;
    if (!stage.n)
        return 0;
    w->stage_name = layout_stack_name(r->arena, r->service, stage);
    if (find_stack(r, w->stage_name, stage, &w->stage_exists, &w->stage, err) == 0)
        return check_home(r, w, err);
    if (err->kind != ERR_REFUSED || !r->adopts || node_get_c(w->stage.tags, TAG_SERVICE))
        return -1;
    err_clear(err); /* nobody's: it is about to become ours */
    return 0;
}

/* Somebody deleted the service stack while stages stand: refuse everything but removing them. */
static int check_service(const struct release *r, const struct world *w, struct err *err)
{
    struct str *names;
    struct stack *stacks;
    size_t n;
    if (w->service_exists)
        return 0;
    if (stages_find(r, &w->store, &names, &stacks, &n, err) < 0) {
        if (err->kind != ERR_DENIED) /* who may not list stacks may deploy all the same */
            return -1;
        err_clear(err);
        n = 0;
    }
    bool own = w->stage_exists && node_get_c(w->stage.tags, TAG_SERVICE);
    if (!n && !own)
        return 0;
    err_set(err, ERR_FAILED,
            "the service's stack '%.*s', with the code and the records of all stages, is gone, "
            "but stack '%.*s' of a stage is there",
            STR_ARG(w->service_name), STR_ARG(own ? w->stage_name : stacks[0].name));
    return err_help(err, "remove what is left, then deploy again: troupe remove --service");
}

static int find_both(const struct release *r, bool stage, struct world *w, struct err *err)
{
    *w = (struct world){.service_name = layout_stack_name(r->arena, r->service, STR(""))};
    struct release home = region_home(r);
    w->store = w->stage_store = (struct store){home.aws, {"", 0}, r->service->name};
    if (find_stack(&home, w->service_name, STR(""), &w->service_exists, &w->service, err) < 0)
        return -1;
    if (w->service_exists) {
        read_stack_id(w, w->service.id);
        if (find_bucket(&home, w, err) < 0)
            return -1;
    }
    if (!stage)
        return 0;
    if (find_stage(r, w, err) < 0)
        return -1;
    if (w->service_exists)
        world_use_bucket(r, w); /* a remote stage's is named by its stack */
    return 0;
}

int world_find(const struct release *r, bool stage, struct world *w, struct err *err)
{
    return find_both(r, stage, w, err) < 0 ? -1 : check_service(r, w, err);
}

int world_remains(const struct release *r, bool stage, struct world *w, struct err *err)
{
    bool there = false;
    if (find_both(r, stage, w, err) < 0)
        return -1;
    world_use_bucket(r, w); /* the file may name one, also when there is no stack */
    if (w->bucket.n && s3_bucket_exists(r->arena, w->store.aws, w->bucket, &there, NULL, err) < 0)
        return err_wrap(err, "look at bucket '%.*s'", STR_ARG(w->bucket));
    if (!there)
        w->bucket = w->store.bucket = (struct str){"", 0};
    if (!r->service->remote)
        w->stage_store = w->store;
    return 0;
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
        if (stack_wait(r, name, stack, err) < 0)
            return -1;
    }
    bool dead = stack_never_worked(stack->status) && node_get_c(stack->tags, TAG_SERVICE);
    if (stack_condition(stack->status) != STACK_STUCK || dead)
        return 0;
    err_set(err, ERR_FAILED, "stack '%.*s' is in state %.*s and cannot be updated", STR_ARG(name),
            STR_ARG(stack->status));
    struct str what = stage.n ? stage : STR("--service");
    if (r->adopts && !node_get_c(stack->tags, TAG_SERVICE)) /* not ours to remove */
        what = (struct str){"", 0};
    return err_help(err, "%.*s", STR_ARG(stack_way_out(r->arena, stack->status, what)));
}

/* One that never worked is as good as none. Another tool's is not ours to clear away. */
static void bury(const struct stack *stack, bool *exists, bool *ret_dead)
{
    *ret_dead =
        *exists && stack_never_worked(stack->status) && node_get_c(stack->tags, TAG_SERVICE);
    *exists = *exists && !*ret_dead;
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
        w->unclosed |= ref->number == w->current && !ref->has_outcome;
        newest = false;
    }
}

static bool has_record(const struct world *w, struct str stage, int64_t number)
{
    for (size_t i = 0; i < w->record_count; i++)
        if (w->records[i].number == number && str_eq(w->records[i].stage, stage))
            return w->records[i].has_body;
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
                                      STR_ARG(r->service->address), (long long)w->current)));
}

static int check_current(const struct release *r, const struct world *w, struct err *err)
{
    if (!w->current || has_record(w, r->service->address, w->current))
        return 0;
    return say_no_record(r, w, err);
}

static int read_interrupted(const struct release *r, struct world *w, struct err *err)
{
    if (!w->last_interrupted)
        return 0;
    return record_read(r->arena, &w->store, r->service->address, w->last_number, RECORD_VERSIONS,
                       &w->interrupted, err);
}

const struct record *world_shift(const struct world *w)
{
    const struct record *last = &w->interrupted;
    bool by_hand = last->body && last->body->shifts && last->body->to;
    return by_hand && world_shift_percent(last) ? last : NULL;
}

unsigned world_shift_percent(const struct record *shift)
{
    return shift->versions ? (unsigned)shift->versions->percent : 0;
}

static int read_template(const struct release *r, const struct world *w, bool exists,
                         struct str name, const struct node **ret, const struct map **ret_nesting,
                         struct err *err)
{
    if (!exists)
        return 0;
    struct map *nesting = ARENA_NEW(r->arena, struct map);
    *nesting = MAP(r->arena);
    *ret_nesting = nesting;
    const struct store *store = str_eq(name, w->service_name) ? &w->store : &w->stage_store;
    return nested_read(r, store, name, ret, nesting, err);
}

static int read_records(const struct release *r, struct world *w, struct err *err)
{
    if (records_list(r->arena, &w->store, &w->records, &w->record_count, err) < 0)
        return -1;
    find_last(w, r->service->address);
    return check_current(r, w, err) < 0 || read_interrupted(r, w, err) < 0 ? -1 : 0;
}

int world_want(const struct release *r, unsigned parts, struct world *w, struct err *err)
{
    bool versions = parts & WORLD_VERSIONS;
    struct release home = region_home(r);
    w->record.stage = r->service->address;
    w->record.number = w->current;
    w->record.digest = world_digest(&w->stage);
    if (w->current && (versions || parts & WORLD_RECORD) &&
        record_read_more(r->arena, &w->store, versions ? RECORD_VERSIONS : 0, &w->record, err) <
            0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return say_no_record(r, w, err);
    }
    return parts & WORLD_SERVICE && !w->service_template
               ? read_template(&home, w, w->service_exists, w->service_name, &w->service_template,
                               &w->service_nesting, err)
               : 0;
}

/* The newest record of the stage that succeeded. */
static int find_succeeded(const struct release *r, struct world *w, struct record *ret,
                          struct err *err)
{
    if (!w->bucket.n)
        return 0;
    if (records_list(r->arena, &w->store, &w->records, &w->record_count, err) < 0)
        return -1;
    for (size_t i = 0; i < w->record_count; i++) {
        const struct record_ref *ref = &w->records[i];
        if (!str_eq(ref->stage, r->service->address) || !ref->has_outcome)
            continue;
        if (record_read(r->arena, &w->store, ref->stage, ref->number, RECORD_OUTCOME, ret, err) < 0)
            return -1;
        if (record_succeeded(ret))
            return 0;
    }
    *ret = (struct record){0};
    return 0;
}

int world_served(const struct release *r, bool versions, struct world *w, struct err *err)
{
    bool busy = w->stage_exists && stack_condition(w->stage.status) == STACK_BUSY;
    w->current = w->stage_exists ? world_deployment(&w->stage) : 0;
    w->record = (struct record){.stage = r->service->address,
                                .number = w->current,
                                .digest = w->current ? world_digest(&w->stage) : STR("")};
    if (!w->current && busy && find_succeeded(r, w, &w->record, err) < 0)
        return -1;
    if (!record_is_removal(&w->record))
        w->current = w->record.number;
    if (w->current)
        return record_read_more(r->arena, &w->store, versions ? RECORD_VERSIONS : 0, &w->record,
                                err);
    err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed", STR_ARG(r->service->address));
    return err_help(err, "troupe deploy %.*s", STR_ARG(r->service->address));
}

int world_read(const struct release *r, unsigned parts, bool wait_busy, struct world *w,
               struct err *err)
{
    if (find_stage(r, w, err) < 0)
        return -1;
    /* Only a first deployment of the service creates it; what it makes is everybody's. */
    bool being_made = str_eq(w->service.status, STR("CREATE_IN_PROGRESS"));
    struct release home = region_home(r);
    if (w->service_exists &&
        make_ready(&home, &w->service, w->service_name, wait_busy || being_made, STR(""), err) < 0)
        return -1;
    bury(&w->service, &w->service_exists, &w->service_dead);
    if (w->stage_exists &&
        make_ready(r, &w->stage, w->stage_name, wait_busy, r->service->address, err) < 0)
        return -1;
    bury(&w->stage, &w->stage_exists, &w->stage_dead);
    if (check_bucket(r, w, err) < 0)
        return -1;
    if (!w->account.n && sts_account(r->arena, r->aws, &w->account, NULL, err) < 0)
        return -1;
    if (!w->partition.n)
        w->partition = aws_partition(r->aws);
    world_use_bucket(r, w);
    w->current = w->stage_exists ? world_deployment(&w->stage) : 0;
    if (w->service_exists && (read_records(r, w, err) < 0 || world_want(r, parts, w, err) < 0))
        return -1;
    return read_template(r, w, w->stage_exists, w->stage_name, &w->stage_template,
                         &w->stage_nesting, err);
}

/* ---- all stages ---- */

struct found_stages {
    struct arena *arena;
    VEC(struct stack) all;
    VEC(struct str) addresses;
};

static int by_address(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

/* The stages of the service that have their stacks in the region of `r`; `region` is empty at home.
 */
static int find_in(const struct release *r, struct str region, struct found_stages *f,
                   struct err *err)
{
    struct arena *a = r->arena;
    struct stack *stacks;
    size_t n;
    struct str wanted = region.n ? r->service->home : (struct str){"", 0};
    if (cloudformation_list(a, r->aws, &stacks, &n, err) < 0)
        return region.n ? err_wrap(err, "list the stages in %.*s", STR_ARG(region)) : -1;
    for (size_t i = 0; i < n; i++) {
        const struct node *tags = stacks[i].tags;
        struct str stage = node_text(node_get_c(tags, TAG_STAGE));
        if (stack_condition(stacks[i].status) == STACK_GONE || stacks[i].nested || !stage.n ||
            !str_eq(node_text(node_get_c(tags, TAG_SERVICE)), r->service->name) ||
            !str_eq(node_text(node_get_c(tags, TAG_HOME)), wanted))
            continue;
        vec_push(a, &f->all, stacks[i]);
        vec_push(a, &f->addresses,
                 region.n ? str_fmt(a, "%.*s@%.*s", STR_ARG(stage), STR_ARG(region)) : stage);
    }
    return 0;
}

static int find_elsewhere(const struct release *r, const struct store *store,
                          struct found_stages *f, struct err *err)
{
    struct str *regions;
    size_t n;
    if (regions_list(r, store, &regions, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct release there;
        struct str address = str_concat(r->arena, STR("any@"), regions[i]);
        if (region_at(r, address, &there, err) < 0 || find_in(&there, regions[i], f, err) < 0)
            return -1;
    }
    return 0;
}

int stages_find(const struct release *r, const struct store *store, struct str **ret,
                struct stack **ret_stacks, size_t *ret_n, struct err *err)
{
    struct release home = region_home(r);
    struct found_stages f = {.arena = r->arena};
    if (find_in(&home, STR(""), &f, err) < 0 || find_elsewhere(r, store, &f, err) < 0)
        return -1;
    size_t n = f.all.n;
    *ret = ARENA_ARRAY(r->arena, n + 1, struct str);
    *ret_stacks = ARENA_ARRAY(r->arena, n + 1, struct stack);
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = f.addresses.p[i];
    if (n)
        qsort(*ret, n, sizeof **ret, by_address);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (str_eq((*ret)[i], f.addresses.p[k]))
                (*ret_stacks)[i] = f.all.p[k];
    *ret_n = n;
    return 0;
}
