/* The way back: a resource of the service becomes a stage's. The same steps with the stacks
 * exchanged: retained and taken out there, imported here. What other stages serve holds its values
 * as literals, so they go on with it until they are deployed. */
#include "release/adopt/adopt_internal.h"

#include "base/clock.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"

/* The service's stack under its lease, as it is by now. */
struct giving {
    struct deploying *d;
    struct lease *lease;
    const struct node *template;
};

static int give_step(struct giving *g, const struct node *template, const char *what,
                     struct err *err)
{
    struct deploying *d = g->d;
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    const struct map *nesting = NULL; /* it asks */
    bool changed;
    if (template == g->template)
        return 0;
    struct stack_update update = {.name = w->service_name,
                                  .template = template,
                                  .tags = stack_tags(d->arena, d->r->service, STR("")),
                                  .store = &w->store};
    if (lease_check(d->lease, err) < 0 || lease_check(g->lease, err) < 0 ||
        stack_apply(d->r, &update, &nesting, &changed, err) < 0 ||
        cloudformation_describe(d->arena, d->r->aws, w->service_name, &w->service, err) < 0)
        return -1;
    if (!changed)
        return err_set(err, ERR_FAILED, "CloudFormation sees no update of stack '%.*s' in it: %s",
                       STR_ARG(w->service_name), what);
    g->template = template;
    release_finished(d->r, "adopt", "%s in %.1fs", what, (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

/* The resources that the stage takes, as those that move out of the service stack. */
static struct adoption seen_from_service(struct arena *a, const struct node *taken)
{
    struct adoption out = {.original_sha = STR("service"),
                           .items = ARENA_ARRAY(a, node_count(taken) + 1, struct adopt_item)};
    member_each (m, taken)
        out.items[out.count++] =
            (struct adopt_item){.fate = ADOPT_MOVED,
                                .id = m->key,
                                .physical = node_text(node_get_c(m->value, "PhysicalId"))};
    return out;
}

static int take_out(struct giving *g, const struct node *taken, struct err *err)
{
    struct arena *a = g->d->arena;
    const struct world *w = &g->d->plan->world;
    struct adoption out = seen_from_service(a, taken);
    if (give_step(g, adopt_retain(a, g->template, &out), "what moves is retained", err) < 0)
        return -1;
    const struct node *next = adopt_release(a, g->template, &out, w->service.outputs, err);
    return next ? give_step(g, next, "what moves is taken out of the service", err) : -1;
}

static int take_in(struct giving *g, const struct node *moving, struct err *err)
{
    struct deploying *d = g->d;
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    const struct node *room = adopt_make_room(a, w->stage_template, moving, w->stage.parameters);
    struct node *imports = node_seq(a);
    if (adopt_step(d, room, "the stage has room for it", err) < 0)
        return -1;
    struct node *resources = node_map(a);
    if (adopt_list_imports(d, moving, node_get_c(w->stage_template, "Resources"), imports,
                           resources, err) < 0)
        return -1;
    if (!imports->count)
        return 0;
    if (engine_import(d, resources, imports, err) < 0)
        return -1;
    release_finished(d->r, "adopt", "%zu resource%s moved into stack '%.*s'", imports->count,
                     imports->count == 1 ? "" : "s", STR_ARG(w->stage_name));
    return 0;
}

/* The service's template notes all resources that are on their way to some stage: those that this
 * adoption takes. */
static const struct node *ours_of(struct arena *a, const struct node *moving,
                                  const struct node *taken)
{
    struct node *out = node_map(a);
    member_each (m, moving)
        if (node_get(taken, m->key))
            node_put(a, out, m->key, m->value);
    return out;
}

static int give(struct giving *g, const struct node *taken, struct err *err)
{
    struct deploying *d = g->d;
    struct world *w = &d->plan->world;
    if (stack_wait(d->r, w->service_name, &w->service, err) < 0 ||
        nested_read(d->r, &w->store, w->service_name, &g->template, NULL, err) < 0 ||
        take_out(g, taken, err) < 0)
        return -1;
    const struct node *moving = ours_of(d->arena, adopt_moving(g->template), taken);
    if (take_in(g, moving, err) < 0) {
        if (err->kind == ERR_FAILED)
            err->kind = ERR_HALF_DONE;
        return err_help(err, "what moves is kept, in no stack; run the same command again to go "
                             "on");
    }
    return give_step(g, adopt_tidy(d->arena, g->template), "the service is tidied up", err);
}

/* Have all resources arrived that the service's template notes as on their way? A run that was
 * interrupted after the import leaves its notes behind. */
static bool has_arrived(const struct deploying *d)
{
    const struct world *w = &d->plan->world;
    const struct node *moving = adopt_moving(w->service_template);
    member_each (m, moving)
        if (!node_get(node_get_c(w->stage_template, "Resources"), m->key))
            return false;
    return node_count(moving) > 0;
}

int adopt_take_back(struct deploying *d, struct err *err)
{
    const struct node *taken = d->plan->target.adoption->taken;
    struct giving g = {.d = d};
    if (!node_count(taken) && !has_arrived(d))
        return 0;
    if (lease_take(&d->plan->world.store, STR("service"), STR("move out of the service stack"),
                   SERVICE_WAIT_MS, &g.lease, err) < 0)
        return -1;
    int done = give(&g, taken, err);
    lease_release(&g.lease);
    return done;
}
