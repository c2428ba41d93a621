/* Networks that a target drops: they stay in the stage's stack while versions are in them, as those
 * versions' records need them, and go with the first deployment after these were pruned. */
#include "release/plan/plan.h"

#include "cfn/cfn.h"
#include "release/dispose/network.h"

static int say_replaced(struct arena *a, const struct node *now, const struct node *target,
                        struct str id, struct err *err)
{
    const struct node *after = node_get(target, id);
    bool replaces;
    struct str what = cfn_difference(a, node_get(now, id), after, &replaces);
    err_at(err, node_pos(after), ERR_REFUSED,
           "'%.*s' would be replaced (%.*s), and versions of functions are in it", STR_ARG(id),
           STR_ARG(what));
    return err_help(err, "AWS deletes it only when no version is in it any more: give the new one "
                         "another name in resources, then both are there until then");
}

/* The first network that is to be replaced; empty: none. */
static struct str find_replaced(const struct node *now, const struct node *target)
{
    member_each (m, now) {
        const struct node *after = node_get(target, m->key);
        if (network_is(cfn_type_of(m->value)) && after && !cfn_keeps_identity(m->value, after))
            return m->key;
    }
    return (struct str){"", 0};
}

static bool is_used(const struct network *n)
{
    return n->versions.n || n->why_not.n;
}

static void note_kept(struct arena *a, struct plan *plan, const struct node *target,
                      const struct network *n)
{
    const struct network_version *v = n->versions.p;
    struct str why =
        v ? str_fmt(a, "version %.*s of '%.*s' is in it", STR_ARG(v->number), STR_ARG(v->function))
          : n->why_not;
    member_each (m, node_get_c(plan->keeps, "Resources"))
        if (network_is(cfn_type_of(m->value)) && !node_get(target, m->key))
            plan_note(a, plan,
                      str_fmt(a, "'%.*s' stays for now: %.*s", STR_ARG(m->key), STR_ARG(why)));
}

int plan_keep_network(const struct release *r, struct plan *plan, struct err *err)
{
    struct arena *a = r->arena;
    struct world *w = &plan->world;
    const struct node *template = plan_stage_template(r, plan, 0);
    const struct node *target = node_get_c(template, "Resources");
    const struct node *now = node_get_c(w->stage_template, "Resources");
    const struct node *dropped = network_dropped(a, w->stage_template, template);
    struct str replaced = find_replaced(now, target);
    struct contents contents;
    struct network network;
    if ((!dropped && !replaced.n) || !w->stage_exists || plan->target.adoption)
        return 0;
    if (stack_contents(r, w->stage_name, &contents, err) < 0)
        return -1;
    if (replaced.n) {
        struct node *others = node_shallow(a, now);
        node_drop(others, replaced);
        if (network_find(r, w, &contents, others, &network, err) < 0)
            return -1;
        if (is_used(&network))
            return say_replaced(a, now, target, replaced, err);
    }
    if (!dropped)
        return 0;
    if (network_find(r, w, &contents, target, &network, err) < 0)
        return -1;
    if (is_used(&network)) {
        plan->keeps = dropped;
        note_kept(a, plan, target, &network);
    }
    return 0;
}
