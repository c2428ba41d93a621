/* What AWS has once, whichever stage's stack made it: a route of an API that the file only names, a
 * priority of a listener, a rule of a given name. What another stage has there is found before AWS
 * refuses it in the middle (409), or serves one stage's callers by the other. */
#include "release/plan/plan.h"

#include "cfn/expression.h"
#include "doc/json.h"
#include "release/stack/nested.h"

#define AN_API_EACH                                                         \
    "name an API for each stage, as in ${param:apiId}, or no API, so that " \
    "troupe makes one with stages of its own"
#define IN_API "in this API, which is outside the service"
#define HERE "in this account and region"
#define A_NAME_EACH "put the stage into the name: ${sls:stage}, or leave it out"

/* What there is one of: the properties that tell, in `named` what people call it by. Sources: API
 * Gateway API reference, CreateResource, PutMethod; API Gateway v2 API reference, CreateRoute;
 * Elastic Load Balancing API reference, CreateRule, CreateTargetGroup; EventBridge API reference,
 * PutRule; AWS IoT API reference, CreateTopicRule, CreateProvisioningTemplate; CloudWatch Logs API
 * reference, PutSubscriptionFilter. */
static const struct single {
    const char *type, *at[2], *named;
    size_t limit; /* of all stages together */
    const char *noun, *where, *help;
} singles[] = {
    {"AWS::ApiGateway::Resource",
     {"RestApiId", "ParentId"},
     "PathPart",
     1,
     "",
     IN_API,
     AN_API_EACH},
    {"AWS::ApiGateway::Method",
     {"RestApiId", "ResourceId"},
     "HttpMethod",
     1,
     "",
     IN_API,
     AN_API_EACH},
    {"AWS::ApiGatewayV2::Route", {"ApiId", NULL}, "RouteKey", 1, "", IN_API, AN_API_EACH},
    {"AWS::ElasticLoadBalancingV2::ListenerRule",
     {"ListenerArn", NULL},
     "Priority",
     1,
     "priority ",
     "on this listener",
     "give each stage its own, as in priority: ${param:priority}, and conditions that tell the "
     "stages apart"},
    {"AWS::ElasticLoadBalancingV2::TargetGroup",
     {0},
     "Name",
     1,
     "target group ",
     HERE,
     A_NAME_EACH},
    {"AWS::Events::Rule", {"EventBusName", NULL}, "Name", 1, "rule ", HERE, A_NAME_EACH},
    {"AWS::IoT::TopicRule", {0}, "RuleName", 1, "topic rule ", HERE, A_NAME_EACH},
    {"AWS::IoT::ProvisioningTemplate",
     {0},
     "TemplateName",
     1,
     "provisioning template ",
     HERE,
     A_NAME_EACH},
    {"AWS::Logs::SubscriptionFilter",
     {0},
     "LogGroupName",
     2,
     "a subscription filter of ",
     "and a log group has two at most",
     "leave the event out in a stage, or name a log group for each"},
};
enum { SINGLES = sizeof singles / sizeof *singles };

/* What the plan wants to have of one of them. */
struct claim {
    const struct node *resource; /* the last one */
    const struct single *single;
    size_t count, others; /* the plan's own, and those of other stages so far */
};

/* A Ref or an attribute leads to what the stage has of its own, unless it is a Ref of what the
 * service's stack has for all stages. */
static bool is_outside(const struct node *shared, const struct node *value)
{
    struct cfn_value v;
    return value && (!cfn_is_value(value, &v) || node_get(shared, v.id));
}

/* Empty: `resource` is nothing that stages could share. `shared`: resources of the service. */
static struct str place_outside(struct arena *a, const struct node *shared,
                                const struct node *resource, const struct single **ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct single *s = singles;
    while (s < singles + SINGLES && !node_is_text(node_get_c(resource, "Type"), s->type))
        s++;
    if (s == singles + SINGLES || !is_outside(shared, node_get_c(properties, s->named)))
        return (struct str){"", 0};
    struct buf b = BUF(a);
    buf_fmt(&b, "%s %.*s", s->type, STR_ARG(json_canonical(a, node_get_c(properties, s->named))));
    for (size_t i = 0; i < sizeof s->at / sizeof *s->at && s->at[i]; i++) {
        const struct node *at = node_get_c(properties, s->at[i]);
        if (at && !is_outside(shared, at))
            return (struct str){"", 0};
        buf_fmt(&b, " %.*s", STR_ARG(at ? json_canonical(a, at) : STR("")));
    }
    *ret = s;
    return buf_str(&b);
}

static struct claim *claim_of(struct arena *a, struct map *claims, const struct node *shared,
                              const struct node *resource)
{
    const struct single *single;
    struct str place = place_outside(a, shared, resource, &single);
    if (!place.n)
        return NULL;
    struct claim *claim = map_get(claims, place);
    if (!claim) {
        claim = ARENA_NEW(a, struct claim);
        map_put(claims, place, claim);
    }
    claim->resource = resource;
    claim->single = single;
    return claim;
}

/* What the plan adds to what is outside the stage: what identifies it there -> struct claim. */
static struct map added(const struct release *r, const struct plan *plan, const struct node *shared)
{
    struct map wanted = MAP(r->arena), had = MAP(r->arena), all = MAP(r->arena);
    struct claim *claim;
    member_each (m, node_get_c(plan->target.layout->stage_template, "Resources"))
        if ((claim = claim_of(r->arena, &wanted, shared, m->value)))
            claim->count++;
    member_each (m, node_get_c(plan->world.stage_template, "Resources"))
        if ((claim = claim_of(r->arena, &had, shared, m->value)))
            claim->count++;
    for (size_t i = 0; i < wanted.n; i++) {
        const struct claim *before = map_get(&had, wanted.entries[i].key);
        claim = wanted.entries[i].value;
        if (!before || claim->count > before->count)
            map_put(&all, wanted.entries[i].key, claim);
    }
    return all;
}

static int say_taken(const struct release *r, const struct claim *claim, struct str stage,
                     struct err *err)
{
    const struct single *s = claim->single;
    struct str what = node_text(node_get_c(node_get_c(claim->resource, "Properties"), s->named));
    err_at(err, claim->resource->pos, ERR_REFUSED,
           "stage '%.*s' has %s'%.*s' %s: '%.*s' cannot have it, too", STR_ARG(stage), s->noun,
           STR_ARG(what), s->where, STR_ARG(r->service->address));
    return err_help(err, "%s", s->help);
}

static int check_stage(const struct release *r, const struct plan *plan, struct map *mine,
                       const struct node *shared, const struct stack *stack, struct str stage,
                       struct err *err)
{
    const struct node *template;
    const struct single *single;
    if (nested_read(r, &plan->world.store, stack->name, &template, NULL, err) < 0) {
        if (err->kind != ERR_NOT_FOUND) /* removed meanwhile */
            return err_wrap(err, "look at stage '%.*s'", STR_ARG(stage));
        err_clear(err);
        return 0;
    }
    member_each (m, node_get_c(template, "Resources")) {
        struct claim *claim = map_get(mine, place_outside(r->arena, shared, m->value, &single));
        if (claim && claim->count + ++claim->others > claim->single->limit)
            return say_taken(r, claim, stage, err);
    }
    return 0;
}

int plan_outside(const struct release *r, struct plan *plan, struct err *err)
{
    const struct node *shared = node_get_c(plan->target.layout->service_template, "Resources");
    struct map mine = added(r, plan, shared);
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
            check_stage(r, plan, &mine, shared, &stacks[i], stages[i], err) < 0)
            return -1;
    }
    return 0;
}
