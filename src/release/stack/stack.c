/* Stack operations and the watch on them. */
#include "release/stack/stack.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/stack/nested.h"
#include "release/stack/reason.h"

/* Every status CloudFormation documents. Source: CloudFormation user guide, "Stack status codes".
 */
static const struct {
    const char *status;
    enum stack_condition condition;
    const char *way_out;
} statuses[] = {
    {"CREATE_COMPLETE", STACK_READY, ""},
    {"UPDATE_COMPLETE", STACK_READY, ""},
    {"UPDATE_ROLLBACK_COMPLETE", STACK_READY, ""},
    {"IMPORT_COMPLETE", STACK_READY, ""},
    {"IMPORT_ROLLBACK_COMPLETE", STACK_READY, ""},
    {"CREATE_IN_PROGRESS", STACK_BUSY, ""},
    {"DELETE_IN_PROGRESS", STACK_BUSY, ""},
    {"IMPORT_IN_PROGRESS", STACK_BUSY, ""},
    {"IMPORT_ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"REVIEW_IN_PROGRESS", STACK_STUCK,
     "a change set waits on it: execute or delete that one, or delete the stack"},
    {"ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"CREATE_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it"},
    {"ROLLBACK_COMPLETE", STACK_STUCK,
     "it never worked: the next deployment makes it again, or remove it"},
    {"ROLLBACK_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it"},
    {"DELETE_FAILED", STACK_STUCK, "fix what keeps it from being deleted, then remove it again"},
    {"UPDATE_FAILED", STACK_STUCK,
     "roll it back: aws cloudformation rollback-stack --stack-name …"},
    {"UPDATE_ROLLBACK_FAILED", STACK_STUCK,
     "fix the resource named in its events, then: aws cloudformation continue-update-rollback"},
    {"IMPORT_ROLLBACK_FAILED", STACK_STUCK, "see its events in the CloudFormation console"},
    {"DELETE_COMPLETE", STACK_GONE, ""},
};

static size_t status_row(struct str status)
{
    size_t i = 0;
    while (i < sizeof statuses / sizeof *statuses && !str_eq(status, str_c(statuses[i].status)))
        i++;
    return i;
}

enum stack_condition stack_condition(struct str status)
{
    size_t i = status_row(status);
    return i < sizeof statuses / sizeof *statuses ? statuses[i].condition : STACK_BUSY;
}

bool stack_never_worked(struct str status)
{
    return str_eq(status, STR("ROLLBACK_COMPLETE"));
}

const char *stack_way_out(struct str status)
{
    size_t i = status_row(status);
    return i < sizeof statuses / sizeof *statuses ? statuses[i].way_out : "";
}

/* ---- owner ---- */

const struct node *stack_tags(struct arena *a, const struct service *service, struct str stage)
{
    struct node *tags = node_map(a);
    member_each (m, node_path(service->root, "provider.stackTags"))
        if (stage.n || !(node_flags_deep(m->value) & NODE_STAGE))
            node_put_str(a, tags, str_z(a, m->key), node_text(m->value));
    node_put_str(a, tags, TAG_SERVICE, service->name);
    if (stage.n)
        node_put_str(a, tags, TAG_STAGE, stage);
    if (stage.n && service->remote)
        node_put_str(a, tags, TAG_HOME, service->home);
    return tags;
}

int stack_check_owner(const struct stack *stack, struct str service, struct str stage,
                      struct err *err)
{
    struct str has_service = node_text(node_get_c(stack->tags, TAG_SERVICE));
    struct str has_stage = node_text(node_get_c(stack->tags, TAG_STAGE));
    if (str_eq(has_service, service) && str_eq(has_stage, stage))
        return 0;
    if (!has_service.n) {
        err_set(err, ERR_REFUSED, "stack '%.*s' exists, but was not made by troupe",
                STR_ARG(stack->name));
        if (stage.n)
            return err_help(err, "if it is this stage, take it over with: troupe adopt %.*s",
                            STR_ARG(stage));
    } else if (!has_stage.n)
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to service '%.*s'", STR_ARG(stack->name),
                STR_ARG(has_service));
    else
        err_set(err, ERR_REFUSED, "stack '%.*s' belongs to stage '%.*s' of service '%.*s'",
                STR_ARG(stack->name), STR_ARG(has_stage), STR_ARG(has_service));
    return err_help(err,
                    "use another name for the service or the stage, or another account or region");
}

/* ---- watching ---- */

/* Why an operation failed: the first resource that did, or (no id) the stack as a whole, which a
 * resource's goes before. No reason: nothing failed so far. */
struct failure {
    struct str id, type, reason;
};

struct watch {
    const struct release *r;
    struct arena *arena; /* of seen ids */
    struct str name;     /* stack name or id */
    struct str token;
    struct map seen;
    struct failure failure;
    struct str nested; /* id of the nested stack that failed, where that was the first to fail */
    struct str final;  /* status of the root when the operation is over */
};

static bool is_over(struct str status)
{
    return !str_ends(status, STR("_IN_PROGRESS"));
}

static struct str event_text(const struct node *e, const char *key)
{
    return node_text(node_get_c(e, key));
}

static struct failure failure_of(struct arena *a, struct str id, struct str type, struct str reason)
{
    return (struct failure){str_dup(a, id), str_dup(a, type),
                            str_dup(a, reason.n ? reason : STR("no reason given"))};
}

static void note_event(struct watch *w, const struct node *e)
{
    struct str id = event_text(e, "LogicalResourceId"), status = event_text(e, "ResourceStatus");
    struct str reason = event_text(e, "ResourceStatusReason");
    bool root = str_eq(event_text(e, "PhysicalResourceId"), event_text(e, "StackId"));
    bool failed = str_ends(status, STR("_FAILED"));
    bool cancelled = str_find(reason, STR("cancelled"), 0) >= 0, told = false;
    if (failed && !root && !cancelled && !w->failure.id.n) {
        if (str_eq(event_text(e, "ResourceType"), STR("AWS::CloudFormation::Stack")))
            w->nested = str_dup(w->arena, event_text(e, "PhysicalResourceId"));
        w->failure = failure_of(w->arena, id, event_text(e, "ResourceType"), reason);
        told = true;
    }
    if (root && is_over(status))
        w->final = str_dup(w->arena, status);
    if (root && (failed || str_ends(status, STR("ROLLBACK_IN_PROGRESS"))) && !w->failure.reason.n &&
        !reason_says_nothing(reason)) {
        w->failure.reason = str_dup(w->arena, reason);
        told = true;
    }
    /* The first reason is told at the end. */
    struct str more = failed && !told && !cancelled ? reason_plain(w->arena, reason) : STR("");
    release_tell(w->r, failed ? TOLD_FAILURE : TOLD_STEP, "stack", "%.*s %.*s%s%.*s",
                 STR_ARG(status), STR_ARG(id), more.n ? ": " : "", STR_ARG(more));
}

/* New events of this call, oldest first. They come newest first; a page that ends with an event of
 * an earlier call or one seen before is the last that matters. */
static int read_events(struct watch *w, struct arena *a, struct err *err)
{
    VEC(const struct node *) fresh = {0};
    struct str page = {"", 0};
    for (bool more = true; more;) {
        struct node *params = node_map(a);
        const struct node *answer;
        node_put_str(a, params, "StackName", w->name);
        if (page.n)
            node_put_str(a, params, "NextToken", page);
        if (aws_query(a, w->r->aws, "cloudformation", "DescribeStackEvents", params, &answer, err) <
            0)
            return -1;
        page = node_text(node_get_c(answer, "NextToken"));
        more = page.n > 0;
        node_each (e, node_get_c(answer, "StackEvents")) {
            bool known = map_has(&w->seen, event_text(e, "EventId"));
            bool ours = str_eq(event_text(e, "ClientRequestToken"), w->token);
            if (ours && !known)
                vec_push(a, &fresh, e);
            if (known || !ours)
                more = false;
        }
    }
    for (size_t i = fresh.n; i-- > 0;) {
        map_put(&w->seen, str_dup(w->arena, event_text(fresh.p[i], "EventId")), w);
        note_event(w, fresh.p[i]);
    }
    return 0;
}

static struct backoff wait_for(const struct release *r)
{
    enum { FIRST_MS = 100, MOST_MS = 3000, HOUR_MS = 3600 * 1000 };
    return backoff_begin(FIRST_MS, MOST_MS, r->timeout_ms ? r->timeout_ms : HOUR_MS);
}

static int say_cut_off(struct str name, struct err *err)
{
    err_set(err, ERR_HALF_DONE, "stopped watching stack '%.*s'; CloudFormation goes on with it",
            STR_ARG(name));
    return err_help(err, "run the same command again: it waits for the stack and continues");
}

/* Questions about the stack's update failed for too long (`err`): say that CloudFormation goes on
 * with it, and how to go on afterwards. */
static int say_unknown(struct str name, struct err *err)
{
    err_wrap(err, "lost sight of stack '%.*s', CloudFormation goes on with it", STR_ARG(name));
    err->kind = ERR_HALF_DONE;
    if (!err->help.n)
        err_help(err, "run the same command again: it waits for the stack and continues");
    return -1;
}

/* No answer, or one that says nothing about the question. */
static bool is_passing(const struct err *err)
{
    return err->kind == ERR_NETWORK || err->kind == ERR_THROTTLED || err->http_status >= 500;
}

enum { BLIND_MS = 2 * 60 * 1000 };

static int watch_to_end(struct watch *w, struct err *err)
{
    struct backoff wait = wait_for(w->r);
    int64_t seen = clock_mono_ms();
    while (!w->final.n) {
        cleanup_arena struct arena *a = arena_new();
        if (backoff_is_over(&wait) || backoff_pause(&wait) < 0)
            return say_cut_off(w->name, err);
        if (read_events(w, a, err) == 0)
            seen = clock_mono_ms();
        else if (is_passing(err) && clock_mono_ms() - seen < BLIND_MS)
            err_clear(err); /* the stack's operation does not need us */
        else
            return say_unknown(w->name, err);
    }
    return 0;
}

/* The operation was refused, or its answer got lost. A lost one is sent again, and then it is
 * refused because it is under way already: its events tell by their token. */
static bool is_under_way(struct watch *w)
{
    cleanup_arena struct arena *a = arena_new();
    struct err ignored = {0};
    bool found = read_events(w, a, &ignored) == 0 && w->seen.n;
    err_clear(&ignored);
    return found;
}

int stack_wait(const struct release *r, struct str name, struct stack *ret, struct err *err)
{
    struct backoff wait = wait_for(r);
    for (;;) {
        if (cloudformation_describe(r->arena, r->aws, name, ret, err) < 0)
            return -1;
        if (stack_condition(ret->status) != STACK_BUSY)
            return 0;
        release_tell(r, TOLD_NOTICE, "stack", "waiting for '%.*s': %.*s", STR_ARG(name),
                     STR_ARG(ret->status));
        if (backoff_is_over(&wait) || backoff_pause(&wait) < 0)
            return say_cut_off(name, err);
    }
}

/* ---- creating and updating ---- */

enum { TEMPLATE_MAX = 1000 * 1000 };

static int place_text(const struct release *r, struct str text, const struct store *store,
                      struct stack_change *change, struct err *err)
{
    struct arena *a = r->arena;
    change->template_body = text;
    if (text.n <= STACK_BODY_MAX)
        return 0;
    if (text.n > TEMPLATE_MAX)
        return err_set(err, ERR_FAILED, "the template has %zu bytes, CloudFormation takes %d",
                       text.n, TEMPLATE_MAX);
    if (!store || !store->bucket.n)
        return err_set(err, ERR_FAILED, "the template has %zu bytes and there is no bucket yet",
                       text.n);
    struct str hash = sha256_hex(a, text);
    if (store_put_once(a, store, "templates", hash, "json", text, NULL, err) < 0)
        return -1;
    struct str key = store_key(a, store, "templates/%.*s.json", STR_ARG(hash));
    change->template_body = (struct str){"", 0};
    change->template_url = str_fmt(a, "https://%.*s.s3.%.*s.%.*s/%.*s", STR_ARG(store->bucket),
                                   STR_ARG(aws_region(r->aws)), STR_ARG(aws_url_suffix(r->aws)),
                                   STR_ARG(aws_encode(a, key, true)));
    return 0;
}

/* Into nested stacks, where it is too large for one; what exists stays where it is. */
static int place_template(const struct release *r, const struct node *template, bool create,
                          const struct store *store, const struct map *placed,
                          struct stack_change *change, struct split *ret, struct err *err)
{
    struct map asked = MAP(r->arena);
    const struct node *now;
    struct str text;
    if (!create && !placed && nested_read(r, store, change->name, &now, &asked, err) < 0)
        return -1;
    placed = create ? NULL : placed ? placed : &asked;
    if (layout_split(r->arena, template, placed, &split_limits, ret, err) < 0 ||
        nested_write(r, store, change->name, ret, &text, err) < 0)
        return -1;
    return place_text(r, text, store, change, err);
}

/* CloudFormation checks names and syntax before it creates anything; what it found is told by
 * another call. Source: CloudFormation user guide, "Validate stack deployments". */
static void explain_validation(struct watch *w)
{
    struct err ignored = {0};
    struct node *params = node_map(w->arena);
    const struct node *answer;
    if (str_find(w->failure.reason, STR("alidation fail"), 0) < 0)
        return;
    node_put_str(w->arena, params, "StackName", w->name);
    if (aws_query(w->arena, w->r->aws, "cloudformation", "DescribeEvents", params, &answer,
                  &ignored) == 0) {
        node_each (e, node_get_c(answer, "OperationEvents")) {
            struct str reason = event_text(e, "ValidationStatusReason");
            if (!reason.n || !str_eq(event_text(e, "ValidationStatus"), STR("FAILED")))
                continue;
            w->failure = failure_of(w->arena, event_text(e, "LogicalResourceId"),
                                    event_text(e, "ResourceType"), reason);
            break;
        }
    }
    err_clear(&ignored);
}

/* Of a nested stack: what failed first in its last operation, which is told by its own events.
 * `*ret_nested`: the nested stack in it that failed, or empty. */
static struct failure failure_inside(struct watch *w, struct str stack, struct str *ret_nested)
{
    struct err ignored = {0};
    struct stack_event *events = NULL;
    struct failure failure = {0};
    size_t n = 0;
    if (cloudformation_events(w->arena, w->r->aws, stack, STR(""), &events, &n, &ignored) < 0)
        n = 0;
    err_clear(&ignored);
    for (size_t i = 0; i < n; i++) {
        const struct stack_event *e = &events[i];
        static const char *const starts[] = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS",
                                             "DELETE_IN_PROGRESS"};
        for (size_t k = 0; k < 3 && e->root; k++)
            if (str_eq(e->status, str_c(starts[k])) && !(k == 2 && failure.id.n)) {
                failure = (struct failure){0}; /* of an operation before */
                *ret_nested = (struct str){"", 0};
            }
        if (failure.id.n || e->root || !str_ends(e->status, STR("_FAILED")) ||
            str_find(e->reason, STR("cancelled"), 0) >= 0)
            continue;
        if (str_eq(e->type, STR("AWS::CloudFormation::Stack")))
            *ret_nested = e->physical_id;
        failure = failure_of(w->arena, e->logical_id, e->type, e->reason);
    }
    return failure;
}

/* A nested stack says no more than that something in it failed. */
static void explain_nested(struct watch *w)
{
    enum { DEPTH = 5 };
    for (size_t i = 0; i < DEPTH && w->nested.n; i++) {
        struct str deeper = {"", 0};
        struct failure inside = failure_inside(w, w->nested, &deeper);
        if (inside.id.n)
            w->failure = inside;
        w->nested = deeper;
    }
}

/* Somebody deleted what the stack has still. */
static bool is_gone_pointer(const struct failure *f)
{
    static const char *const types[] = {"AWS::Lambda::Alias", "AWS::ApiGateway::Stage",
                                        "AWS::ApiGatewayV2::Stage"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(f->type, str_c(types[i])))
            return str_find(f->reason, STR("NotFound"), 0) >= 0;
    return false;
}

static struct str what_failed(const struct watch *w)
{
    const struct failure *f = &w->failure;
    struct str reason = reason_plain(w->arena, f->reason);
    if (!f->reason.n)
        return w->final;
    return f->id.n ? str_fmt(w->arena, "%.*s (%.*s): %.*s", STR_ARG(f->id), STR_ARG(f->type),
                             STR_ARG(reason))
                   : reason;
}

static bool has_failed(const struct watch *w, const char *type, const char *reason)
{
    return str_eq(w->failure.type, str_c(type)) &&
           str_find(w->failure.reason, str_c(reason), 0) >= 0;
}

static int say_failed(struct watch *w, bool create, struct err *err)
{
    explain_nested(w);
    explain_validation(w);
    struct str service = layout_stack_name(w->arena, w->r->service, STR(""));
    err_set(err, ERR_FAILED, "stack '%.*s' could not be %s: %.*s", STR_ARG(w->name),
            create ? "created" : "updated", STR_ARG(what_failed(w)));
    /* A version names the hash of its code: none is made of what somebody put in its place. */
    if (has_failed(w, "AWS::Lambda::Version", "CodeSHA256"))
        return err_help(err, "its code in the bucket, below artifacts/, was altered: delete that "
                             "object, find out who may write to the bucket, and deploy again");
    if (has_failed(w, "AWS::Logs::LogGroup", "already exists"))
        return err_help(err,
                        "nothing says that this log group is left over from the stage: if nobody "
                        "needs its lines, delete it, then %s",
                        create ? "remove what was begun with 'troupe remove', and deploy again"
                               : "run the same command again");
    if (create && stack_never_worked(w->final))
        return err_help(err, "fix the cause and deploy again: the stack is made anew");
    if (create)
        return err_help(
            err, "fix the cause, then: troupe remove %.*s, and deploy again",
            STR_ARG(str_eq(w->name, service) ? STR("--service") : w->r->service->address));
    if (is_gone_pointer(&w->failure) && w->r->service->address.n)
        return err_help(err, "to make again what somebody deleted: troupe repair %.*s",
                        STR_ARG(w->r->service->address));
    if (str_eq(w->final, STR("UPDATE_ROLLBACK_COMPLETE")))
        return err_help(err, "the stage serves what it served before; fix the cause and try again");
    return err_help(err, "%s", stack_way_out(w->final));
}

struct str stack_token(struct arena *a)
{
    return str_fmt(a, "troupe-%.*s", STR_ARG(random_hex(a, 8)));
}

static struct stack_change describe_change(const struct release *r, struct str name,
                                           const struct node *parameters, const struct node *tags)
{
    struct arena *a = r->arena;
    const struct node *root = r->service->root;
    struct str role = node_text(node_path(root, "provider.iam.deploymentRole"));
    return (struct stack_change){
        .name = name,
        .parameters = parameters,
        .tags = tags,
        .role_arn = role.n ? role : node_text(node_path(root, "provider.cfnRole")),
        .token = stack_token(a),
        .notification_arns = node_path(root, "provider.notificationArns"),
        .rollback_configuration = node_path(root, "provider.rollbackConfiguration")};
}

int stack_apply(const struct release *r, struct str name, bool create, const struct node *template,
                const struct node *parameters, const struct node *tags, const struct store *store,
                const struct map **placed, bool *ret_changed, struct err *err)
{
    struct arena *a = r->arena;
    bool nothing = false;
    struct str id;
    struct split split;
    struct stack_change change = describe_change(r, name, parameters, tags);
    if (place_template(r, template, create, store, *placed, &change, &split, err) < 0)
        return -1;
    struct watch w = {.r = r, .arena = a, .name = name, .token = change.token, .seen = MAP(a)};
    int asked = create ? cloudformation_create(a, r->aws, &change, &id, err)
                       : cloudformation_update(a, r->aws, &change, &nothing, err);
    if (asked < 0 && is_under_way(&w))
        err_clear(err);
    else if (asked < 0 && is_passing(err) && err->kind != ERR_THROTTLED)
        return say_unknown(name, err);
    else if (asked < 0)
        return err_wrap(err, "%s stack '%.*s'", create ? "create" : "update", STR_ARG(name));
    if (ret_changed)
        *ret_changed = !nothing;
    if (nothing)
        return 0;
    if (watch_to_end(&w, err) < 0)
        return -1;
    bool good = str_eq(w.final, STR("CREATE_COMPLETE")) || str_eq(w.final, STR("UPDATE_COMPLETE"));
    if (!good)
        return say_failed(&w, create, err);
    if (split.part_count)
        nested_sweep(r, store, name, &split);
    return nested_placed(a, &split, placed, err);
}

int stack_await_deletion(const struct release *r, struct str name, struct str id, struct str token,
                         struct err *err)
{
    struct watch w = {.r = r,
                      .arena = r->arena,
                      .name = id, /* a deleted stack is found by its id only */
                      .seen = MAP(r->arena),
                      .token = token};
    if (watch_to_end(&w, err) < 0)
        return -1;
    if (str_eq(w.final, STR("DELETE_COMPLETE")))
        return 0;
    explain_nested(&w);
    err_set(err, ERR_FAILED, "stack '%.*s' could not be deleted: %.*s", STR_ARG(name),
            STR_ARG(what_failed(&w)));
    if (str_eq(w.failure.type, STR("AWS::S3::Bucket")))
        return err_help(err, "to delete what is in the stage's buckets as well: troupe remove … "
                             "--purge");
    return err_help(err, "fix the cause and run the same command again");
}

/* ---- change sets ---- */

/* A change set is made in the background. */
static int wait_for_change_set(const struct release *r, struct str id, struct change_set *ret,
                               struct err *err)
{
    struct backoff wait = wait_for(r);
    for (;;) {
        if (change_set_describe(r->arena, r->aws, id, ret, err) < 0)
            return -1;
        if (!str_ends(ret->status, STR("_PENDING")) && !str_ends(ret->status, STR("_IN_PROGRESS")))
            return 0;
        if (backoff_is_over(&wait) || backoff_pause(&wait) < 0)
            return err_set(err, ERR_FAILED, "change set '%.*s' is still being made", STR_ARG(id));
    }
}

static void drop_change_set(const struct release *r, struct str id)
{
    struct err ignored = {0};
    change_set_delete(r->arena, r->aws, id, &ignored);
    err_clear(&ignored);
}

int stack_foresee(const struct release *r, struct str name, const struct node *template,
                  const struct node *parameters, const struct node *tags, const struct store *store,
                  const struct node **ret, struct err *err)
{
    struct stack_change change = describe_change(r, name, parameters, tags);
    struct change_set set = {0};
    struct split split;
    struct str id;
    if (place_template(r, template, false, store, NULL, &change, &split, err) < 0)
        return -1;
    if (change_set_create(r->arena, r->aws, &change, change.token, NULL, &id, err) < 0)
        return err_wrap(err, "look ahead at stack '%.*s'", STR_ARG(name));
    int waited = wait_for_change_set(r, id, &set, err);
    drop_change_set(r, id);
    *ret = set.changes;
    return waited;
}

int stack_import(const struct release *r, struct str name, const struct node *template,
                 const struct node *parameters, const struct node *imports,
                 const struct store *store, struct err *err)
{
    struct arena *a = r->arena;
    struct stack_change change = describe_change(r, name, parameters, NULL);
    struct change_set set;
    struct str id;
    if (place_text(r, json_text(a, template, 0), store, &change, err) < 0)
        return -1;
    if (change_set_create(a, r->aws, &change, change.token, imports, &id, err) < 0)
        return err_wrap(err, "import into stack '%.*s'", STR_ARG(name));
    if (wait_for_change_set(r, id, &set, err) < 0)
        return -1;
    if (!str_eq(set.execution_status, STR("AVAILABLE"))) {
        drop_change_set(r, id);
        return err_set(err, ERR_FAILED, "nothing could be imported into stack '%.*s': %.*s",
                       STR_ARG(name), STR_ARG(set.reason));
    }
    struct watch w = {.r = r, .arena = a, .name = name, .token = change.token, .seen = MAP(a)};
    if (change_set_execute(a, r->aws, id, change.token, err) < 0) {
        if (!is_under_way(&w))
            return err_wrap(err, "import into stack '%.*s'", STR_ARG(name));
        err_clear(err);
    }
    if (watch_to_end(&w, err) < 0)
        return -1;
    if (str_eq(w.final, STR("IMPORT_COMPLETE")))
        return 0;
    return err_set(err, ERR_FAILED, "import into stack '%.*s' failed: %.*s", STR_ARG(name),
                   STR_ARG(what_failed(&w)));
}
