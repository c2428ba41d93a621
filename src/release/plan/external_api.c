/* An API that the file only names is nobody's here: it has one resource of a path and one route of
 * a key, whichever stage's stack made it. What another stage has there is found before AWS refuses
 * it in the middle (409), or serves one stage's callers by the other. */
#include "release/plan/plan.h"

#include "cfn/expression.h"
#include "doc/json.h"
#include "release/stack/nested.h"

/* What there is one of: the properties that tell. Source: API Gateway API reference,
 * CreateResource, PutMethod; API Gateway v2 API reference, CreateRoute. */
static const struct single {
    const char *type, *api, *at[2];
} singles[] = {
    {"AWS::ApiGateway::Resource", "RestApiId", {"ParentId", "PathPart"}},
    {"AWS::ApiGateway::Method", "RestApiId", {"ResourceId", "HttpMethod"}},
    {"AWS::ApiGatewayV2::Route", "ApiId", {"RouteKey", NULL}},
};

/* A Ref or an attribute leads to what the stage has of its own, or to what all stages share. */
static bool is_outside(const struct node *value)
{
    struct cfn_value v;
    return value && !cfn_is_value(value, &v);
}

/* Empty: `resource` is nothing of an outside API. */
static struct str place_in_api(struct arena *a, const struct node *resource)
{
    const struct node *properties = node_get_c(resource, "Properties");
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        const struct single *s = &singles[i];
        const struct node *api = node_get_c(properties, s->api);
        const struct node *first = node_get_c(properties, s->at[0]);
        const struct node *second = s->at[1] ? node_get_c(properties, s->at[1]) : NULL;
        if (node_is_text(node_get_c(resource, "Type"), s->type) && is_outside(api) &&
            is_outside(first))
            return str_fmt(a, "%s %.*s %.*s %.*s", s->type, STR_ARG(json_canonical(a, api)),
                           STR_ARG(json_canonical(a, first)),
                           STR_ARG(second ? json_canonical(a, second) : STR("")));
    }
    return (struct str){"", 0};
}

/* What the plan adds to APIs outside the service: what identifies it there -> resource. */
static struct map added(const struct release *r, const struct plan *plan)
{
    struct map all = MAP(r->arena), had = MAP(r->arena);
    member_each (m, node_get_c(plan->world.stage_template, "Resources"))
        map_put(&had, place_in_api(r->arena, m->value), m->value);
    member_each (m, node_get_c(plan->target.layout->stage_template, "Resources")) {
        struct str place = place_in_api(r->arena, m->value);
        if (place.n && !map_has(&had, place))
            map_put(&all, place, m->value);
    }
    return all;
}

static int say_taken(const struct release *r, const struct node *mine, struct str stage,
                     struct err *err)
{
    static const char *const names[] = {"RouteKey", "PathPart", "HttpMethod"};
    const struct node *properties = node_get_c(mine, "Properties");
    struct str what = {"", 0};
    for (size_t i = 0; i < sizeof names / sizeof *names && !what.n; i++)
        what = node_text(node_get_c(properties, names[i]));
    err_at(err, mine->pos, ERR_REFUSED,
           "stage '%.*s' has '%.*s' in this API, which is outside the service: '%.*s' cannot have "
           "it, too",
           STR_ARG(stage), STR_ARG(what), STR_ARG(r->service->address));
    return err_help(err, "name an API for each stage, as in ${param:apiId}, or no API, so that "
                         "troupe makes one with stages of its own");
}

static int check_stage(const struct release *r, const struct plan *plan, const struct map *mine,
                       const struct stack *stack, struct str stage, struct err *err)
{
    const struct node *template;
    if (nested_read(r, &plan->world.store, stack->name, &template, NULL, err) < 0) {
        if (err->kind != ERR_NOT_FOUND) /* removed meanwhile */
            return err_wrap(err, "look at stage '%.*s'", STR_ARG(stage));
        err_clear(err);
        return 0;
    }
    member_each (m, node_get_c(template, "Resources")) {
        const struct node *taken = map_get(mine, place_in_api(r->arena, m->value));
        if (taken)
            return say_taken(r, taken, stage, err);
    }
    return 0;
}

int plan_external_api(const struct release *r, struct plan *plan, struct err *err)
{
    struct map mine = added(r, plan);
    struct str *stages;
    struct stack *stacks;
    size_t n;
    if (!mine.n)
        return 0;
    if (stages_find(r, &plan->world.store, &stages, &stacks, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        bool here = str_find(stacks[i].id, str_fmt(r->arena, ":%.*s:", STR_ARG(aws_region(r->aws))),
                             0) >= 0;
        if (here && !str_eq(stages[i], r->service->address) &&
            check_stage(r, plan, &mine, &stacks[i], stages[i], err) < 0)
            return -1;
    }
    return 0;
}
