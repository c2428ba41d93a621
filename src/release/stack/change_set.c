/* Change sets: what an update would do, and the import of resources that exist. */
#include "release/stack/stack_internal.h"

#include "doc/json.h"

/* A change set is made in the background. */
static int wait_for_change_set(const struct release *r, struct str id, struct change_set *ret,
                               struct err *err)
{
    struct backoff wait = stack_backoff(r);
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

int stack_foresee(const struct release *r, const struct stack_update *u, const struct node **ret,
                  struct err *err)
{
    struct stack_change change = stack_describe_change(r, u);
    struct change_set set = {0};
    struct split split;
    struct str id;
    if (stack_put_template(r, u, NULL, &change, &split, err) < 0)
        return -1;
    if (change_set_create(r->arena, r->aws, &change, change.token, NULL, &id, err) < 0)
        return err_wrap(err, "look ahead at stack '%.*s'", STR_ARG(u->name));
    int waited = wait_for_change_set(r, id, &set, err);
    drop_change_set(r, id);
    *ret = set.changes;
    return waited;
}

int stack_import(const struct release *r, const struct stack_update *u, const struct node *imports,
                 struct err *err)
{
    struct arena *a = r->arena;
    struct stack_change change = stack_describe_change(r, u);
    struct change_set set;
    struct str id;
    if (stack_put_text(r, u, json_text(a, u->template, 0), &change, err) < 0)
        return -1;
    if (change_set_create(a, r->aws, &change, change.token, imports, &id, err) < 0)
        return err_wrap(err, "import into stack '%.*s'", STR_ARG(u->name));
    if (wait_for_change_set(r, id, &set, err) < 0)
        return -1;
    if (!str_eq(set.execution_status, STR("AVAILABLE"))) {
        drop_change_set(r, id);
        return err_set(err, ERR_FAILED, "nothing could be imported into stack '%.*s': %.*s",
                       STR_ARG(u->name), STR_ARG(set.reason));
    }
    struct stack_watch w = stack_watch(r, u->name, change.token);
    if (change_set_execute(a, r->aws, id, change.token, err) < 0 && stack_is_under_way(&w, err) < 0)
        return err->kind == ERR_HALF_DONE
                   ? -1
                   : err_wrap(err, "import into stack '%.*s'", STR_ARG(u->name));
    if (stack_watch_to_end(&w, err) < 0)
        return -1;
    if (str_eq(w.final, STR("IMPORT_COMPLETE")))
        return 0;
    return err_set(err, ERR_FAILED, "import into stack '%.*s' failed: %.*s", STR_ARG(u->name),
                   STR_ARG(stack_what_failed(&w)));
}
