/* Creating, updating and deleting a stack. */
#include "release/stack/stack_internal.h"

#include "base/hash.h"
#include "doc/json.h"
#include "release/stack/nested.h"

/* Every status CloudFormation documents. Source: CloudFormation user guide, "Stack status codes".
 */
static const struct {
    const char *status;
    enum stack_condition condition;
    const char *way_out;
    bool removes; /* removing the stack is the way out, and loses nothing that serves */
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
     "a change set waits on it: execute or delete that one, or delete the stack", true},
    {"ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_IN_PROGRESS", STACK_BUSY, ""},
    {"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", STACK_BUSY, ""},
    {"CREATE_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it", true},
    {"ROLLBACK_COMPLETE", STACK_STUCK,
     "it never worked: the next deployment makes it again, or remove it", true},
    {"ROLLBACK_FAILED", STACK_STUCK, "it never worked, so nothing is lost by removing it", true},
    {"DELETE_FAILED", STACK_STUCK, "fix what keeps it from being deleted, then remove it again",
     true},
    {"UPDATE_FAILED", STACK_STUCK,
     "roll it back: aws cloudformation rollback-stack --stack-name …"},
    {"UPDATE_ROLLBACK_FAILED", STACK_STUCK,
     "fix the resource named in its events, then: aws cloudformation continue-update-rollback"},
    {"IMPORT_ROLLBACK_FAILED", STACK_STUCK, "see its events in the CloudFormation console"},
    {"DELETE_COMPLETE", STACK_GONE, ""},
};

struct str stack_token(struct arena *a)
{
    return str_fmt(a, "troupe-%.*s", STR_ARG(random_hex(a, 8)));
}

struct stack_change stack_describe_change(const struct release *r, const struct stack_update *u)
{
    const struct node *root = r->service->root;
    struct str role = node_text(node_path(root, "provider.iam.deploymentRole"));
    return (struct stack_change){
        .name = u->name,
        .parameters = u->parameters,
        .tags = u->tags,
        .role_arn = role.n ? role : node_text(node_path(root, "provider.cfnRole")),
        .token = stack_token(r->arena),
        .notification_arns = node_path(root, "provider.notificationArns"),
        .rollback_configuration = node_path(root, "provider.rollbackConfiguration")};
}

bool stack_never_worked(struct str status)
{
    return str_eq(status, STR("ROLLBACK_COMPLETE"));
}

struct str stack_way_out(struct arena *a, struct str status, struct str what)
{
    size_t i = status_row(status);
    if (i == sizeof statuses / sizeof *statuses)
        return (struct str){"", 0};
    return statuses[i].removes && what.n
               ? str_fmt(a, "%s: troupe remove %.*s", statuses[i].way_out, STR_ARG(what))
               : str_c(statuses[i].way_out);
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

static int64_t timeout_of(const struct release *r)
{
    enum { HOUR_MS = 3600 * 1000 };
    return r->timeout_ms ? r->timeout_ms : HOUR_MS;
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

enum { POLL_FIRST_MS = 100, POLL_MAX_MS = 3000, BLIND_MS = 2 * 60 * 1000 };

static int watch_to_end(struct watch *w, struct err *err)
{
    int64_t end = clock_mono_ms() + timeout_of(w->r), pause = POLL_FIRST_MS;
    int64_t seen = clock_mono_ms();
    while (!w->final.n) {
        cleanup_arena struct arena *a = arena_new();
        if (clock_sleep_ms(pause) < 0)
            return say_cut_off(w->name, err);
        pause = pause * 3 / 2 > POLL_MAX_MS ? POLL_MAX_MS : pause * 3 / 2;
        if (read_events(w, a, err) == 0)
            seen = clock_mono_ms();
        else if (is_passing(err) && clock_mono_ms() - seen < BLIND_MS)
            err_clear(err); /* the stack's operation does not need us */
        else
            return say_unknown(w->name, err);
        if (clock_mono_ms() > end)
            return say_cut_off(w->name, err);
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
    int64_t end = clock_mono_ms() + timeout_of(r), pause = POLL_FIRST_MS;
    for (;;) {
        if (cloudformation_describe(r->arena, r->aws, name, ret, err) < 0)
            return -1;
        if (stack_condition(ret->status) != STACK_BUSY)
            return 0;
        release_tell(r, TOLD_NOTICE, "stack", "waiting for '%.*s': %.*s", STR_ARG(name),
                     STR_ARG(ret->status));
        if (clock_sleep_ms(pause) < 0 || clock_mono_ms() > end)
            return say_cut_off(name, err);
        pause = pause * 3 / 2 > POLL_MAX_MS ? POLL_MAX_MS : pause * 3 / 2;
    }
}

/* ---- creating and updating ---- */

enum { TEMPLATE_MAX = 1000 * 1000 };

int stack_put_text(const struct release *r, const struct stack_update *u, struct str text,
                   struct stack_change *change, struct err *err)
{
    struct arena *a = r->arena;
    const struct store *store = u->store;
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

int stack_put_template(const struct release *r, const struct stack_update *u,
                       const struct map *nesting, struct stack_change *change, struct split *ret,
                       struct err *err)
{
    struct map asked = MAP(r->arena);
    const struct node *now;
    struct str text;
    if (!u->create && !nesting && nested_read(r, u->store, u->name, &now, &asked, err) < 0)
        return -1;
    nesting = u->create ? NULL : nesting ? nesting : &asked;
    if (layout_split(r->arena, u->template, nesting, &split_limits, ret, err) < 0 ||
        nested_write(r, u->store, u->name, ret, &text, err) < 0)
        return -1;
    return stack_put_text(r, u, text, change, err);
}

/* ---- what failed ---- */

/* Somebody deleted what the stack has still. */
static bool is_gone_pointer(const struct stack_failure *f)
{
    static const char *const types[] = {"AWS::Lambda::Alias", "AWS::ApiGateway::Stage",
                                        "AWS::ApiGatewayV2::Stage"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(f->type, str_c(types[i])))
            return str_find(f->reason, STR("NotFound"), 0) >= 0;
    return false;
}

static bool has_failed(const struct stack_watch *w, const char *type, const char *reason)
{
    return str_eq(w->failure.type, str_c(type)) &&
           str_find(w->failure.reason, str_c(reason), 0) >= 0;
}

static int say_failed(struct stack_watch *w, bool create, struct err *err)
{
    stack_explain(w);
    struct str service = layout_stack_name(w->arena, w->r->service, STR(""));
    err_set(err, ERR_FAILED, "stack '%.*s' could not be %s: %.*s", STR_ARG(w->name),
            create ? "created" : "updated", STR_ARG(stack_what_failed(w)));
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
    return err_help(err, "%.*s", STR_ARG(stack_way_out(w->arena, w->final, STR(""))));
}

/* ---- the operations ---- */

/* `asked`: what came of sending the change. */
static int check_begun(const struct stack_update *u, struct stack_watch *w, int asked,
                       struct err *err)
{
    if (asked == 0)
        return 0;
    if (stack_is_under_way(w)) {
        err_clear(err);
        return 0;
    }
    if (stack_is_passing(err) && err->kind != ERR_THROTTLED)
        return stack_say_unknown(u->name, err);
    return err_wrap(err, "%s stack '%.*s'", u->create ? "create" : "update", STR_ARG(u->name));
}

int stack_apply(const struct release *r, const struct stack_update *u, const struct map **nesting,
                bool *ret_changed, struct err *err)
{
    struct arena *a = r->arena;
    bool nothing = false;
    struct str id;
    struct split split;
    struct stack_change change = stack_describe_change(r, u);
    if (stack_put_template(r, u, *nesting, &change, &split, err) < 0)
        return -1;
    struct stack_watch w = stack_watch(r, u->name, change.token);
    int asked = u->create ? cloudformation_create(a, r->aws, &change, &id, err)
                          : cloudformation_update(a, r->aws, &change, &nothing, err);
    if (check_begun(u, &w, asked, err) < 0)
        return -1;
    if (ret_changed)
        *ret_changed = !nothing;
    if (nothing)
        return 0;
    if (stack_watch_to_end(&w, err) < 0)
        return -1;
    bool good = str_eq(w.final, STR("CREATE_COMPLETE")) || str_eq(w.final, STR("UPDATE_COMPLETE"));
    if (!good)
        return say_failed(&w, u->create, err);
    if (split.nested_count)
        nested_sweep(r, u->store, u->name, &split);
    return nested_after(a, &split, nesting, err);
}

int stack_await_deletion(const struct release *r, struct str name, struct str id, struct str token,
                         struct err *err)
{
    struct stack_watch w = stack_watch(r, id, token); /* a name would find no deleted one */
    if (stack_watch_to_end(&w, err) < 0)
        return -1;
    if (str_eq(w.final, STR("DELETE_COMPLETE")))
        return 0;
    stack_explain(&w);
    err_set(err, ERR_FAILED, "stack '%.*s' could not be deleted: %.*s", STR_ARG(name),
            STR_ARG(stack_what_failed(&w)));
    if (str_eq(w.failure.type, STR("AWS::S3::Bucket")))
        return err_help(err, "to delete what is in the stage's buckets as well: troupe remove … "
                             "--purge");
    return err_help(err, "fix the cause and run the same command again");
}
