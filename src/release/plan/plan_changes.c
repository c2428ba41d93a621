/* What a plan changes, item by item, for whoever reads it. */
#include "release/plan/plan_internal.h"

#include "doc/json.h"
#include "cfn/cfn.h"
#include "release/publish/definition.h"

/* Hashes of the settings that can be compared with those of `before`: a record from before services
 * had keys has hashes without a key. */
const struct node *changes_parts_like(struct arena *a, const struct function_plan *f,
                                      const struct node *before)
{
    bool keyed = false;
    member_each (m, before)
        keyed |= definition_is_keyed(m->value);
    return keyed || !f->configuration
               ? f->parts
               : definition_parts(a, STR(""), f->configuration, f->code, f->code_sha256);
}

static void add_change(struct planning *p, struct change change)
{
    vec_push(p->r->arena, &p->changes, change);
}

static struct str arrow(struct arena *a, const char *letter, struct str from, struct str to)
{
    struct str new = to.n ? str_fmt(a, "%s%.*s", letter, STR_ARG(to)) : STR("new");
    if (!from.n)
        return new;
    return str_fmt(a, "%s%.*s -> %.*s", letter, STR_ARG(from), STR_ARG(new));
}

int changes_functions(struct planning *p, struct err *err)
{
    struct arena *a = p->r->arena;
    if (p->r->explain && world_want(p->r, WORLD_RECORD, &p->plan->world, err) < 0)
        return -1;
    const struct record_body *record = p->plan->world.record.body;
    for (size_t i = 0; i < p->plan->function_count; i++) {
        const struct function_plan *f = &p->plan->functions[i];
        if (f->to.n && str_eq(f->to, f->from)) {
            p->plan->unchanged++;
            continue;
        }
        const struct node *before = record_function(record, f->function->key)->parts;
        struct str reason = f->parts
                                ? definition_reason(a, before, changes_parts_like(a, f, before))
                            : before ? STR("a resource it needs changes")
                                     : STR("new");
        add_change(p, (struct change){.action = f->to.n ? CHANGE_MOVE : CHANGE_PUBLISH,
                                      .kind = STR("function"),
                                      .name = f->function->key,
                                      .detail = arrow(a, "v", f->from, f->to),
                                      .reason = reason,
                                      .pos = f->function->pos});
    }
    return 0;
}

void changes_apis(struct planning *p)
{
    for (size_t i = 0; i < p->plan->api_count; i++) {
        const struct api_plan *api = &p->plan->apis[i];
        if (api->to.n && str_eq(api->to, api->from)) {
            p->plan->unchanged++;
            continue;
        }
        add_change(p,
                   (struct change){.action = api->to.n ? CHANGE_MOVE : CHANGE_PUBLISH,
                                   .kind = str_c(api_gateway(api->api->kind)->name),
                                   .name = api->api->id,
                                   .detail = arrow(p->r->arena, "", api->from, api->to),
                                   .reason = api->from.n ? STR("definition changed") : STR("new"),
                                   .pos = api->api->pos});
    }
}

void target_note(struct arena *a, struct target *t, struct str note)
{
    struct str *notes = ARENA_ARRAY(a, t->note_count + 1, struct str);
    for (size_t i = 0; i < t->note_count; i++)
        notes[i] = t->notes[i];
    notes[t->note_count++] = note;
    t->notes = notes;
}

void plan_note(struct arena *a, struct plan *plan, struct str note)
{
    target_note(a, &plan->target, note);
}

/* Do definitions of functions hold a value of it? */
static bool is_in_definitions(const struct planning *p, struct str id)
{
    const struct layout *l = p->plan->target.layout;
    for (size_t i = 0; i < l->value_count; i++) {
        struct str text = json_text(p->r->arena, l->values[i].expression, 0);
        if (str_find(text, str_fmt(p->r->arena, "\"%.*s\"", STR_ARG(id)), 0) >= 0 ||
            str_find(text, str_fmt(p->r->arena, "${%.*s", STR_ARG(id)), 0) >= 0)
            return true;
    }
    return false;
}

static void note_replacement(struct planning *p, struct str id)
{
    if (is_in_definitions(p, id))
        plan_note(p->r->arena, p->plan,
                  str_fmt(p->r->arena,
                          "'%.*s' is replaced before the functions that use it move: what serves "
                          "now loses it, for good if the deployment then fails",
                          STR_ARG(id)));
}

static void list_resource(struct planning *p, const char *kind, struct str id,
                          const struct node *before, const struct node *after, bool pending)
{
    const struct node *some = after ? after : before;
    struct change c = {.kind = str_c(kind),
                       .name = id,
                       .detail = node_text(node_get_c(some, "Type")),
                       .pos = node_pos(after),
                       .stateful = cfn_is(cfn_type_of(some), CFN_HOLDS_DATA)};
    bool replaces = false;
    if (node_equal(before, after)) {
        p->plan->unchanged++;
        return;
    }
    if (before && after)
        c.reason = cfn_difference(p->r->arena, before, after, &replaces);
    c.action = !before    ? CHANGE_ADD
               : !after   ? CHANGE_REMOVE
               : replaces ? CHANGE_REPLACE
                          : CHANGE_UPDATE;
    c.stateful = c.stateful && (replaces || !after) && !cfn_is_retained(before);
    if (replaces && !pending)
        note_replacement(p, id);
    if (pending) {
        c.reason = after ? c.reason : STR("no longer in serverless.yml");
        c.action = CHANGE_PENDING;
        c.stateful = false;
    }
    add_change(p, c);
}

static bool is_pointer(const struct plan *plan, struct str id)
{
    const struct layout *l = plan->target.layout;
    for (size_t i = 0; i < plan->function_count; i++)
        if (str_eq(plan->functions[i].function->alias_id, id))
            return true;
    for (size_t i = 0; i < l->api_count; i++)
        if (str_eq(l->apis[i].stage_id, id))
            return true;
    return false;
}

void changes_stage(struct planning *p, const struct node *old, const struct node *target)
{
    const struct node *before = node_get_c(old, "Resources"),
                      *after = node_get_c(target, "Resources");
    member_each (m, after)
        if (!is_pointer(p->plan, m->key))
            list_resource(p, "resource", m->key, node_get(before, m->key), m->value, false);
    member_each (m, before)
        if (!node_member(after, m->key))
            list_resource(p, "resource", m->key, m->value, NULL, false);
}

void changes_service(struct planning *p, const struct node *old, const struct node *target,
                     bool only_added)
{
    const struct node *before = node_get_c(old, "Resources"),
                      *after = node_get_c(target, "Resources");
    member_each (m, after) {
        const struct node *was = node_get(before, m->key), *next = m->value;
        bool is_head = was && layout_is_head(p->plan->target.layout, m->key);
        if (is_head && (next = plan_head(p->r->arena, was, next)) == was)
            continue;
        list_resource(p, "service", m->key, was, next,
                      was && only_added &&
                          !node_equal(layout_join_rights(p->r->arena, was, next), next));
    }
    member_each (m, before)
        if (!node_member(after, m->key) && !only_added)
            list_resource(p, "service", m->key, m->value, NULL, false);
}
