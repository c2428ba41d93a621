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
    vec_push(a, &e->uses,
             (struct existing_use){.function = f,
                                   .thing = thing,
                                   .id = name_with(c, f, kind->id_ending),
                                   .pos = event->pos,
                                   .configurations = NODE_LIST(a, configuration),
                                   .is_forced =
                                       node_truthy(node_get_c(event->node, "forceDeploy"))});
    return 1;
}

/* The resource that configures the same thing before `use`, or empty: what is configured one after
 * the other is not overwritten. */
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
