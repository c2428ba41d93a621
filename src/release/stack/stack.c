/* Creating, updating and deleting a stack. */
#include "release/stack/stack_internal.h"

#include "base/hash.h"
#include "doc/json.h"
#include "release/stack/nested.h"

/* ---- what is sent ---- */

struct str stack_token(struct arena *a)
{
    return str_fmt(a, "troupe-%.*s", STR_ARG(random_hex(a, 8)));
}

struct str stack_role(const struct service *service)
{
    const struct node *root = service->root;
    struct str role = node_text(node_path(root, "provider.iam.deploymentRole"));
    return role.n ? role : node_text(node_path(root, "provider.cfnRole"));
}

/* provider.stackPolicy, for the stage's stack and the service's, which have between them what one
 * stack has elsewhere. What depends on the stage is for the stage's alone. */
static struct str policy_of(const struct release *r, const struct stack_update *u)
{
    struct arena *a = r->arena;
    const struct service *s = r->service;
    const struct node *statements = node_path(s->root, "provider.stackPolicy");
    bool is_stage = s->stage.n && str_eq(u->name, layout_stack_name(a, s, s->stage));
    if (!node_count(statements) || (!is_stage && node_flags_deep(statements) & NODE_STAGE))
        return (struct str){"", 0};
    return json_text(a, node_fn(a, "Statement", statements), 0);
}

struct stack_change stack_describe_change(const struct release *r, const struct stack_update *u)
{
    const struct node *root = r->service->root;
    return (struct stack_change){.name = u->name,
                                 .parameters = u->parameters,
                                 .tags = u->tags,
                                 .role_arn = stack_role(r->service),
                                 .token = stack_token(r->arena),
                                 .notification_arns = node_path(root, "provider.notificationArns"),
                                 .rollback_configuration =
                                     node_path(root, "provider.rollbackConfiguration"),
                                 .policy = policy_of(r, u)};
}

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
    if (store_put_once(a, store, "templates", hash, text, NULL, err) < 0)
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
    if (str_find(w->failure.reason, STR(" already exists"), 0) >= 0 ||
        str_find(w->failure.reason, STR(" is already exported by stack "), 0) >= 0)
        return err_help(err,
                        "AWS has this name once: put the stage into it, as in NAME-${sls:stage}, "
                        "and %s",
                        create && !stack_never_worked(w->final)
                            ? "remove what was begun with 'troupe remove', and deploy again"
                            : "deploy again");
    if (str_find(w->failure.reason, STR("is not authorized to perform"), 0) >= 0)
        return err_help(err, "'troupe iam' prints the policies that it takes; then run the same "
                             "command again");
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
    if (asked == 0 || stack_is_under_way(w, err) == 0)
        return 0;
    if (err->kind == ERR_HALF_DONE)
        return -1;
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
