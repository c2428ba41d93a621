/* Events of things that exist already, a bucket or a user pool: a custom resource for each function
 * puts all that the function asks for there. */
#include "compile/custom_resources.h"

static int check_one(const struct existing_kind *kind, const struct existing_use *use,
                     const struct node *thing, struct err *err)
{
    if (node_equal(use->thing, thing))
        return 0;
    err_at(err, node_pos(thing), ERR_CONFIG,
           "a function can have events of one existing %s, not of two", kind->what);
    return err_note(err, node_pos(use->thing), "the other one is here");
}

int existing_note(struct compilation *c, struct existing *e, const struct existing_kind *kind,
                  const struct event *event, const struct node *configuration, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = event->function;
    const struct node *thing = node_get_c(event->node, kind->key);
    struct existing_use *last = e->uses.n ? &e->uses.p[e->uses.n - 1] : NULL;
    if (last && last->function == f) {
        node_push(a, last->configurations, configuration);
        return check_one(kind, last, thing, err);
    }
    vec_push(
        a, &e->uses,
        (struct existing_use){.function = f,
                              .thing = thing,
                              .id = name_with(c, f, kind->id_ending),
                              .pos = event->pos,
                              .configurations = NODE_LIST(a, configuration),
                              .is_forced = node_truthy(node_get_c(event->node, "forceDeploy"))});
    return 1;
}

/* ARN of `f`, and of its aliases when stages share it: a right for one is none for the other. */
static void push_arns(struct compilation *c, struct node *list, const struct function *f)
{
    struct arena *a = c->arena;
    const struct node *name = name_function(c, f);
    struct str arn = str_fmt(a,
                             "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:"
                             "function:%.*s",
                             STR_ARG(node_text(name)));
    add_unique(a, list, node_sub(a, arn, name));
    if (name_is_shared(c, f))
        add_unique(a, list,
                   node_sub(a, str_fmt(a, "%.*s:%.*s", STR_ARG(arn), STR_ARG(c->service->stage)),
                            node_staged(c, STR(""))));
}

const struct node *existing_call_rights(struct compilation *c, const struct existing *e)
{
    struct arena *a = c->arena;
    struct node *functions = node_seq(a);
    if (c->options->naming == NAMING_FLAT)
        return statement_new(a, TEXTS(a, "lambda:AddPermission", "lambda:RemovePermission"),
                             custom_arn(a, "lambda", "function", "*"));
    vec_each (&e->uses, use)
        push_arns(c, functions, use->function);
    return statement_new(a, TEXTS(a, "lambda:AddPermission", "lambda:RemovePermission"), functions);
}

/* The resource that configures the same thing before `use`, or empty. CloudFormation calls handlers
 * at the same time unless one resource depends on the other; then both would read the thing, and
 * the later one would write over what the earlier one wrote. */
static struct str previous_use(const struct existing *e, const struct existing_use *use)
{
    for (const struct existing_use *other = use; other-- > e->uses.p;)
        if (node_equal(other->thing, use->thing))
            return other->id;
    return STR("");
}

int existing_add(struct compilation *c, const struct existing *e, const struct existing_kind *kind,
                 struct err *err)
{
    struct arena *a = c->arena;
    vec_each (&e->uses, use) {
        struct node *p = node_map(a);
        node_put_c(a, p, kind->property, use->thing);
        node_put_c(a, p, kind->configured, use->configurations);
        if (use->is_forced && c->options->time_ms)
            node_put_c(a, p, "ForceDeploy", node_int(a, c->options->time_ms));
        struct node *resource = custom_resource_new(c, kind->handler, kind->type, p, use->function,
                                                    previous_use(e, use));
        if (resource_add(c, use->id, resource, use->pos, err) < 0)
            return -1;
    }
    return 0;
}
