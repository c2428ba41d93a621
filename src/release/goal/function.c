/* Goal of one function: everything as it is, but for its code. */
#include "release/goal/from_record.h"

#include "cfn/template.h"
#include "release/plan/plan.h"

struct one_function {
    const struct target *ready;
    struct str key;
};

static const struct node *with_hole(struct arena *a, const struct node *template, struct str alias,
                                    struct str key)
{
    const struct node *hole = node_fn(a, "Troupe::Version", node_str(a, key));
    struct node *resources = node_shallow(a, node_get_c(template, "Resources"));
    node_put(a, resources, alias,
             cfn_with_property(a, node_get(resources, alias), "FunctionVersion", hole));
    return cfn_with(a, template, "Resources", resources);
}

static struct layout_function *find_function(const struct layout *l, struct str key)
{
    for (size_t i = 0; i < l->function_count; i++)
        if (str_eq(l->functions[i].key, key))
            return &l->functions[i];
    return NULL;
}

static bool has_function(const struct service *s, struct str key)
{
    for (size_t i = 0; i < s->function_count; i++)
        if (str_eq(s->functions[i].key, key))
            return true;
    return false;
}

static int check_function(struct str key, const struct release *r, struct world *w,
                          const struct layout_function *now, const struct layout_function *was,
                          struct err *err)
{
    struct str stage = r->service->address;
    if (!now && has_function(r->service, key)) {
        err_set(err, ERR_REFUSED, "function '%.*s' is left out of '%.*s' by its condition",
                STR_ARG(key), STR_ARG(stage));
        return -1;
    }
    if (!now) {
        err_set(err, ERR_NOT_FOUND, "there is no function '%.*s' in %.*s", STR_ARG(key),
                STR_ARG(r->service->file));
        return err_help(err, "look at the keys below 'functions'");
    }
    if (!w->record.body)
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed yet", STR_ARG(stage));
    else if (!was)
        err_set(err, ERR_NOT_FOUND, "function '%.*s' is not part of '%.*s' yet", STR_ARG(key),
                STR_ARG(stage));
    else if (now->per_stage || was->per_stage || !was->alias_id.n)
        err_set(err, ERR_REFUSED, "function '%.*s' is made by the stage's stack", STR_ARG(key));
    else if (!str_eq(was->name, now->name))
        err_set(err, ERR_REFUSED, "function '%.*s' has another name in '%.*s'", STR_ARG(key),
                STR_ARG(stage));
    else
        return 0;
    return err_help(err, "deploy the whole stage: troupe deploy %.*s", STR_ARG(stage));
}

static int find_one_function(const struct goal *goal, const struct release *r, struct world *w,
                             struct target *ret, struct err *err)
{
    const struct one_function *one = goal->context;
    struct arena *a = r->arena;
    struct layout *layout = ARENA_NEW(a, struct layout);
    const struct layout_function *now = find_function(one->ready->layout, one->key);
    const struct node *template = plan_unnumbered(a, w->stage_template);
    if (w->record.body)
        recorded_layout(r, &w->record, template, layout);
    struct layout_function *was = find_function(layout, one->key);
    if (check_function(one->key, r, w, now, was, err) < 0)
        return -1;
    struct str alias = was->alias_id;
    *was = *now;
    was->alias_id = alias;
    layout->stage_template = with_hole(a, template, alias, one->key);
    *ret = (struct target){.layout = layout,
                           .what = str_fmt(a, "deploy of function %.*s", STR_ARG(one->key)),
                           .origin = &w->record,
                           .pinned = true,
                           .unpinned = one->key,
                           .sources = w->record.body->sources,
                           .needs = w->record.body->needs};
    return 0;
}

struct goal goal_function(struct arena *a, const struct target *ready, struct str function)
{
    struct one_function *one = ARENA_NEW(a, struct one_function);
    *one = (struct one_function){ready, function};
    return (struct goal){.verb = "deploy",
                         .parts = WORLD_RECORD | WORLD_VERSIONS,
                         .find = find_one_function,
                         .context = one};
}
