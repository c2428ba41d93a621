/* What the service stack is to be: a union of what is wanted and what records need. */
#include "release/plan/plan_internal.h"

#include "cfn/cfn.h"
#include "cfn/expression.h"
#include "cfn/template.h"
#include "release/publish/definition.h"

/* What the stages' records need of the service stack: logical ids, with a record each. */
static int needed_by_records(const struct release *r, const struct world *w, struct map *ret,
                             struct err *err)
{
    for (size_t i = 0; i < w->record_count; i++) {
        struct record record;
        if (w->records[i].pruned)
            continue;
        if (record_read(r->arena, &w->store, w->records[i].stage, w->records[i].number, 0, &record,
                        err) < 0)
            return -1;
        node_each (id, record.body->needs)
            if (!map_has(ret, node_text(id)))
                map_put(ret, node_text(id), &w->records[i]);
    }
    return 0;
}

/* Functions, their roles and logs stay for old versions without a word. */
static void note_kept(const struct release *r, struct plan *plan, const struct member *m,
                      const struct record_ref *by)
{
    if (cfn_is(cfn_type_of(m->value), CFN_FOLLOWS))
        return;
    plan_note(r->arena, plan,
              str_fmt(r->arena, "'%.*s' stays in the service: deployment %.*s#%lld needs it",
                      STR_ARG(m->key), STR_ARG(by->stage), (long long)by->number));
}

/* What kept resources may refer to. */
static void keep_sections(struct arena *a, struct node *out, const struct node *old)
{
    static const char *const names[] = {"Mappings", "Parameters", "Conditions", NULL};
    cfn_merge_sections(a, out, old, out, names);
}

/* Heads that were made with a role of their own keep it, also when the file names another now. */
static void keep_head_role(struct arena *a, struct node *resources, const struct node *old)
{
    const struct node *role = node_get_c(old, LAYOUT_HEAD_ROLE);
    if (!role || node_get_c(resources, LAYOUT_HEAD_ROLE))
        return;
    member_each (m, resources)
        if (cfn_mentions(m->value, STR(LAYOUT_HEAD_ROLE))) {
            node_put(a, resources, STR(LAYOUT_HEAD_ROLE), role);
            return;
        }
}

/* Whom the file permits a layer that it has is the file's to say, whatever records need: an account
 * that is taken out is to lose its access. */
static bool is_withdrawn(const struct node *resource, const struct node *today)
{
    return node_is_text(node_get_c(resource, "Type"), "AWS::Lambda::LayerVersionPermission") &&
           node_get(today, node_text(node_path(resource, "Properties.LayerVersionArn.Ref")));
}

/* Today's service template and what records still need of the one that is there. Heads keep their
 * text.
 */
static int service_union(const struct release *r, struct plan *plan, struct err *err)
{
    struct arena *a = r->arena;
    const struct world *w = &plan->world;
    const struct node *today = plan->target.layout->service_template, *old = w->service_template;
    plan->service_target = today;
    if (!old)
        return 0;
    struct map needed = MAP(a);
    bool kept = false;
    if (needed_by_records(r, w, &needed, err) < 0)
        return -1;
    struct node *resources = node_shallow(a, node_get_c(today, "Resources"));
    struct node *outputs = node_shallow(a, node_get_c(today, "Outputs"));
    member_each (m, node_get_c(old, "Resources")) {
        const struct node *now = node_get(resources, m->key);
        if (!now && map_has(&needed, m->key) &&
            !is_withdrawn(m->value, node_get_c(today, "Resources"))) {
            node_put(a, resources, m->key, m->value);
            note_kept(r, plan, m, map_get(&needed, m->key));
            kept = true;
        }
        if (now && layout_is_head(plan->target.layout, m->key))
            node_put(a, resources, m->key, plan_head(a, m->value, now));
    }
    keep_head_role(a, resources, node_get_c(old, "Resources"));
    member_each (m, node_get_c(old, "Outputs")) {
        struct cfn_value v;
        if (!node_member(outputs, m->key) && cfn_value_of(node_get_c(m->value, "Value"), &v) &&
            node_member(resources, v.id))
            node_put(a, outputs, m->key, m->value);
    }
    struct node *out = node_shallow(a, today);
    if (kept)
        keep_sections(a, out, old);
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    const struct node *had = w->service.parameters;
    bool same = node_equal(out, old);
    member_each (m, plan_service_parameters(r, w, out, /* keep= */ false))
        same &= node_is(m->value, NODE_NULL) ||
                str_eq(node_text(m->value), node_text(node_get(had, m->key)));
    plan->service_target = same ? NULL : out;
    return 0;
}

/* Has the service stack all that the target needs of it, as far as a deployment that stands and its
 * Outputs tell? Then its template need not be read. */
static bool has_all(const struct plan *plan)
{
    const struct record *like = plan->target.origin ? plan->target.origin : &plan->world.record;
    const struct node *today = plan->target.layout->service_template;
    if (layout_shares_rights(today)) /* they may be to have more */
        return false;
    const struct node *needs = like->body ? like->body->needs : NULL;
    member_each (m, node_get_c(today, "Outputs"))
        if (!node_get(plan->world.service.outputs, m->key))
            return false;
    member_each (m, node_get_c(today, "Resources")) {
        bool known = false;
        node_each (id, needs)
            known |= str_eq(node_text(id), m->key);
        if (!known)
            return false;
    }
    return true;
}

/* Settings that Lambda gives a function when it makes it, against those of the heads there. */
static int check_heads(const struct planning *p, const struct node *old, struct err *err)
{
    const struct layout *l = p->plan->target.layout;
    const struct node *today = node_get_c(l->service_template, "Resources");
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        const struct node *was = node_get(node_get_c(old, "Resources"), f->logical_id);
        const struct node *now = node_get(today, f->logical_id);
        if (was && now &&
            definition_check_made(f, node_get_c(now, "Properties"), node_get_c(was, "Properties"),
                                  err) < 0)
            return -1;
    }
    return 0;
}

int plan_service(struct planning *p, struct err *err)
{
    struct plan *plan = p->plan;
    if ((p->r->explain || !p->r->service->address.n || !has_all(plan)) &&
        world_want(p->r, WORLD_SERVICE, &plan->world, err) < 0)
        return -1;
    const struct node *old = plan->world.service_template;
    const struct node *today = plan->target.layout->service_template;
    if (check_heads(p, old, err) < 0)
        return -1;
    if (!p->r->service->address.n) {
        if (service_union(p->r, plan, err) < 0)
            return -1;
        changes_service(p, old, plan->service_target ? plan->service_target : old, false);
        return 0;
    }
    if (old || !plan->world.service_exists) {
        plan->service_target = old ? plan_service_additions(p->r->arena, old, today) : today;
        changes_service(p, old, today, true);
    }
    return 0;
}
