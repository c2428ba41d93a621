/* Deleting and emptying what is ours. */
#include "release/dispose/dispose.h"

#include "aws/services/destroy.h"
#include "release/dispose/late_log_groups.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

static const char *const reasons[OURS_COUNT] = {
    [OURS_FOLDER] = "below the service's folder in the deployment bucket",
    [OURS_STACK] = "a stack with the service's owner tags",
    [OURS_ADOPTED] = "an alias stack of the stack that was taken over",
    [OURS_RESOURCE] = "a resource that is deleted with its stack",
    [OURS_RECORD] = "named by a record of the service",
    [OURS_INTENT] = "made by a deployment of the service that was cut off",
};
static const char *const fates[FATE_COUNT] = {
    [FATE_DELETED] = "deleted", [FATE_EMPTIED] = "emptied", [FATE_KEPT] = "kept"};

/* ---- what was done ---- */

static void note(const struct release *r, enum fate fate, struct str type, struct str name,
                 struct str why)
{
    if (r->disposals)
        vec_push(r->arena, &r->disposals->all, (struct disposed){fate, type, name, why});
}

void dispose_keep(const struct release *r, struct str type, struct str name, struct str why)
{
    note(r, FATE_KEPT, type, name, why);
}

void disposals_put(struct arena *a, const struct disposals *all, struct node *into)
{
    for (size_t fate = 0; fate < FATE_COUNT; fate++) {
        struct node *list = node_seq(a);
        for (size_t i = 0; i < all->all.n; i++) {
            const struct disposed *d = &all->all.p[i];
            struct node *n = node_map(a);
            if (d->fate != fate)
                continue;
            node_put_str(a, n, "type", d->type);
            node_put_str(a, n, "name", d->name);
            node_put_str(a, n, "why", d->why);
            node_push(a, list, n);
        }
        if (list->count)
            node_put_c(a, into, fates[fate], list);
    }
}

static int refuse(const char *what, struct str name, enum ours why, struct err *err)
{
    return err_set(err, ERR_FAILED, "%s '%.*s' is not deleted: it is not %s", what, STR_ARG(name),
                   reasons[why]);
}

/* ---- objects ---- */

int dispose_object(struct arena *a, const struct store *store, struct str key, struct str etag,
                   struct err *err)
{
    struct str folder = store_key(a, store, "%s", "");
    if (!store->bucket.n || !store->service.n || !str_starts(key, folder) || key.n == folder.n)
        return refuse("object", key, OURS_FOLDER, err);
    return s3_delete(a, store->aws, store->bucket, key, etag, err);
}

int dispose_folder(const struct release *r, const struct store *store, struct str folder,
                   struct err *err)
{
    struct str whole = store_key(r->arena, store, "%.*s", STR_ARG(folder));
    size_t n;
    /* Without the slash it would be the neighbours' as well. */
    if (!store->bucket.n || !store->service.n || !str_ends(whole, STR("/")))
        return refuse("folder", whole, OURS_FOLDER, err);
    if (s3_empty(r->arena, store->aws, store->bucket, whole, &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "delete s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(whole));
        err_clear(err);
        return 0;
    }
    if (n)
        note(r, FATE_DELETED, STR("objects"),
             str_fmt(r->arena, "s3://%.*s/%.*s", STR_ARG(store->bucket), STR_ARG(whole)),
             str_c(reasons[OURS_FOLDER]));
    return 0;
}

/* ---- stacks and what is in them ---- */

static bool has_our_tags(const struct release *r, const struct stack *stack)
{
    return r->service->name.n &&
           str_eq(node_text(node_get_c(stack->tags, TAG_SERVICE)), r->service->name);
}

int dispose_content(const struct release *r, const struct stack *stack,
                    const struct content *bucket, struct err *err)
{
    struct str name = bucket->physical_id;
    size_t n;
    if (!has_our_tags(r, stack) || !bucket->goes || !name.n ||
        !str_eq(bucket->type, STR("AWS::S3::Bucket")))
        return refuse("what is in", name, OURS_RESOURCE, err);
    release_progress(r, "remove", "emptying bucket '%.*s'", STR_ARG(name));
    if (s3_empty(r->arena, r->aws, name, STR(""), &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "empty bucket '%.*s'", STR_ARG(name));
        err_clear(err);
        return 0;
    }
    note(r, FATE_EMPTIED, bucket->type, name,
         str_fmt(r->arena, "%s: '%.*s' of '%.*s'", reasons[OURS_RESOURCE], STR_ARG(bucket->id),
                 STR_ARG(stack->name)));
    return 0;
}

/* Versions are kept for rollbacks, not by a stack that goes: they go with their function. */
static bool goes_with_owner(const struct content *c)
{
    return str_eq(c->type, STR("AWS::Lambda::Version"));
}

int dispose_stack(const struct release *r, const struct stack *stack, enum ours why,
                  const struct contents *contents, struct err *err)
{
    struct arena *a = r->arena;
    struct str token;
    if (why == OURS_ADOPTED ? has_our_tags(r, stack) : why != OURS_STACK || !has_our_tags(r, stack))
        return refuse("stack", stack->name, why, err);
    token = stack_token(a);
    if (stack_delete(a, r->aws, stack->name, token, NULL, err) < 0)
        return err_wrap(err, "delete stack '%.*s'", STR_ARG(stack->name));
    if (stack_await_deletion(r, stack->name, stack->id, token, err) < 0)
        return -1;
    note(r, FATE_DELETED, STR("stack"), stack->name, str_c(reasons[why]));
    for (size_t i = 0; contents && i < contents->n; i++)
        if (!contents->p[i].goes && !goes_with_owner(&contents->p[i]))
            dispose_keep(r, contents->p[i].type, contents->p[i].physical_id, contents->p[i].kept);
    return 0;
}

/* ---- snapshots ---- */

/* Does the record name `value` as `key` of the one whose `owner_key` is `owner`? */
static bool names(const struct record *record, const char *section, const char *owner_key,
                  struct str owner, const char *key, struct str value)
{
    member_each (m, record ? node_get_c(record->versions, section) : NULL)
        if (str_eq(node_text(node_get_c(m->value, owner_key)), owner) &&
            str_eq(node_text(node_get_c(m->value, key)), value))
            return true;
    return false;
}

static bool says_so_itself(const struct claim *claim)
{
    return claim->why == OURS_INTENT && claim->wrote.n && str_eq(claim->wrote, claim->says);
}

int dispose_version(struct arena *a, struct aws *aws, const struct claim *claim,
                    struct str function, struct str version, struct err *err)
{
    if (!says_so_itself(claim) &&
        (claim->why != OURS_RECORD ||
         !names(claim->record, "functions", "name", function, "version", version)))
        return refuse("version", str_fmt(a, "%.*s:%.*s", STR_ARG(function), STR_ARG(version)),
                      claim->why, err);
    return lambda_delete_version(a, aws, function, version, err);
}

int dispose_deployment(struct arena *a, struct aws *aws, const struct claim *claim,
                       const struct gateway *gateway, struct str api, struct str deployment,
                       struct err *err)
{
    if (!says_so_itself(claim) &&
        (claim->why != OURS_RECORD ||
         !names(claim->record, "apis", "id", api, "deployment", deployment)))
        return refuse("deployment", str_fmt(a, "%.*s of %.*s", STR_ARG(deployment), STR_ARG(api)),
                      claim->why, err);
    return gateway->delete_deployment(a, aws, api, deployment, err);
}

/* ---- log groups ---- */

int dispose_log_group(const struct release *r, const struct claim *claim, struct str group,
                      bool *ret_gone, struct err *err)
{
    struct log_group found;
    *ret_gone = false;
    if (claim->why != OURS_RECORD || !claim->record || !log_groups_named(claim->record, group))
        return refuse("log group", group, claim->why, err);
    if (logs_group(r->arena, r->aws, group, &found, err) < 0)
        return err_wrap(err, "look at log group '%.*s'", STR_ARG(group));
    /* What a stack makes bears its tags, also when the stack has gone and left it. */
    if (!found.name.n || found.retention_days || node_count(found.tags))
        return 0;
    if (logs_delete_group(r->arena, r->aws, group, err) < 0)
        return err_wrap(err, "delete log group '%.*s'", STR_ARG(group));
    *ret_gone = true;
    note(r, FATE_DELETED, STR("AWS::Logs::LogGroup"), group, str_c(reasons[OURS_RECORD]));
    return 0;
}
