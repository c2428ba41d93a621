/* What a removal would delete. */
#include "release/remove_plan.h"

#include "base/vec.h"
#include "cfn/cfn.h"
#include "release/stack/nested.h"
#include "release/stack/stack.h"
#include "release/world/region.h"

/* `there` is at the stack's stage; with the whole service the bucket goes, and all history. */
static int add_stack(const struct release *there, const struct store *store,
                     const struct stack *stack, struct str stage, struct removal_stack *ret,
                     struct err *err)
{
    struct arena *a = there->arena;
    VEC(struct removal_resource) all = {0};
    const struct node *template;
    if (stack_check_unguarded(stack, there->service->region, err) < 0)
        return -1;
    if (nested_read(there, store, stack->name, &template, NULL, err) < 0)
        return -1;
    member_each (m, node_get_c(template, "Resources")) {
        struct removal_resource x = {.id = m->key, .type = node_text(node_get_c(m->value, "Type"))};
        x.retained = cfn_is_retained(m->value);
        x.loses = !x.retained && cfn_is(x.type, CFN_HOLDS_DATA);
        vec_push(a, &all, x);
    }
    *ret = (struct removal_stack){stage, stack->name, stack->status, all.p, all.n};
    return 0;
}

int removal_plan(const struct release *r, const struct world *w, struct removal_stack **ret,
                 size_t *ret_n, struct err *err)
{
    struct str *stages = NULL;
    struct stack *stacks = NULL;
    size_t n = 0;
    bool whole = !w->stage_name.n;
    if (whole && stages_find(r, &w->store, &stages, &stacks, &n, err) < 0)
        return -1;
    *ret_n = 0;
    *ret = ARENA_ARRAY(r->arena, n + 1, struct removal_stack);
    for (size_t i = 0; i < n; i++) {
        struct release there;
        if (region_at(r, stages[i], &there, err) < 0 ||
            add_stack(&there, &w->store, &stacks[i], stages[i], &(*ret)[(*ret_n)++], err) < 0)
            return -1;
    }
    if (whole ? !w->service_exists : !w->stage_exists)
        return 0;
    return add_stack(r, &w->store, whole ? &w->service : &w->stage,
                     whole ? STR("") : r->service->address, &(*ret)[(*ret_n)++], err);
}

int removal_network(const struct release *r, const struct world *w, struct contents *ret_contents,
                    struct network *ret, struct err *err)
{
    if (stack_contents(r, w->stage.name, ret_contents, err) < 0)
        return -1;
    return network_find(r, w, ret_contents, /* stays= */ NULL, ret, err);
}

int removal_network_check(const struct world *w, const struct network *n, struct err *err)
{
    if (!n->why_not.n)
        return 0;
    err_set(err, ERR_REFUSED, "the network of stack '%.*s' cannot go: %.*s", STR_ARG(w->stage_name),
            STR_ARG(n->why_not));
    return err_help(err, "what uses it has to be deleted first; a network for more than one stage "
                         "belongs into custom.troupe.resources.service");
}

/* The bucket that troupe itself put there holds nothing of the user's. */
static bool is_own_bucket(struct str id)
{
    return str_starts(id, STR(SERVICE_BUCKET)) || str_eq(id, STR(REMOTE_BUCKET));
}

int remove_losses(const struct release *r, const struct world *w, struct change **ret,
                  size_t *ret_n, struct err *err)
{
    VEC(struct change) losses = {0};
    struct removal_stack *stacks;
    size_t n;
    if (removal_plan(r, w, &stacks, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < stacks[i].n; k++) {
            const struct removal_resource *x = &stacks[i].resources[k];
            if (x->loses && !is_own_bucket(x->id))
                vec_push(r->arena, &losses,
                         (struct change){.action = CHANGE_REMOVE,
                                         .kind = STR("resource"),
                                         .name = x->id,
                                         .detail = x->type,
                                         .reason = stacks[i].name,
                                         .stateful = true});
        }
    *ret = losses.p;
    *ret_n = losses.n;
    return 0;
}
