/* What AWS has once, whichever stage's stack made it: a route of an API that the file only names, a
 * priority of a listener, a rule of a given name. What another stage has there is found before AWS
 * refuses it in the middle (409), or serves one stage's callers by the other. */
#include "release/plan/plan.h"

#include "doc/json.h"
#include "release/plan/outside_custom.h"
#include "release/plan/outside_shared.h"
#include "release/stack/nested.h"

#define RULE "AWS::ElasticLoadBalancingV2::ListenerRule"
#define AN_API_EACH                                                         \
    "name an API for each stage, as in ${param:apiId}, or no API, so that " \
    "troupe makes one with stages of its own"
#define A_PATH_EACH "give each stage its own, as in basePath: ${sls:stage}"
#define IN_API "in this API, which is outside the service"
#define HERE "in this account and region"
#define A_NAME_EACH "put the stage into the name: ${sls:stage}, or leave it out"

/* What there is one of: the properties that tell, in `named` what people call it by. Sources: API
 * Gateway API reference, CreateResource, PutMethod; API Gateway v2 API reference, CreateRoute;
 * Elastic Load Balancing API reference, CreateRule, CreateTargetGroup; EventBridge API reference,
 * PutRule; Step Functions API reference, CreateStateMachine, CreateActivity; CloudWatch API
 * reference, PutMetricAlarm; AWS IoT API reference, CreateTopicRule, CreateProvisioningTemplate;
 * CloudWatch Logs API reference, PutSubscriptionFilter. */
/* clang-format off */
static const struct single {
    const char *type, *at[2], *named;
    size_t limit; /* of all stages together */
    const char *noun, *where, *help; /* no help: AWS takes it, and a note says so */
} singles[] = {
    {"AWS::ApiGateway::Resource", {"RestApiId", "ParentId"}, "PathPart", 1, "", IN_API,
     AN_API_EACH},
    {"AWS::ApiGateway::Method", {"RestApiId", "ResourceId"}, "HttpMethod", 1, "", IN_API,
     AN_API_EACH},
    {"AWS::ApiGateway::BasePathMapping", {"DomainName"}, "BasePath", 1, "base path ",
     "of this domain", A_PATH_EACH},
    {"AWS::ApiGatewayV2::ApiMapping", {"DomainName"}, "ApiMappingKey", 1, "base path ",
     "of this domain", A_PATH_EACH},
    {"AWS::ApiGatewayV2::Route", {"ApiId"}, "RouteKey", 1, "", IN_API, AN_API_EACH},
    {RULE, {"ListenerArn"}, "Priority", 1, "priority ", "on this listener",
     "give each stage its own, as in priority: ${param:priority}, and conditions that tell the "
     "stages apart"},
    {RULE, {"ListenerArn"}, "Conditions", 1, "", "", NULL},
    {"AWS::ElasticLoadBalancingV2::TargetGroup", {0}, "Name", 1, "target group ", HERE,
     A_NAME_EACH},
    {"AWS::Events::Rule", {"EventBusName"}, "Name", 1, "rule ", HERE, A_NAME_EACH},
    {"AWS::IoT::TopicRule", {0}, "RuleName", 1, "topic rule ", HERE, A_NAME_EACH},
    {"AWS::IoT::ProvisioningTemplate", {0}, "TemplateName", 1, "provisioning template ", HERE,
     A_NAME_EACH},
    {"AWS::StepFunctions::StateMachine", {0}, "StateMachineName", 1, "state machine ", HERE,
     A_NAME_EACH},
    {"AWS::StepFunctions::Activity", {0}, "Name", 1, "activity ", HERE, A_NAME_EACH},
    {"AWS::CloudWatch::Alarm", {0}, "AlarmName", 1, "alarm ", HERE, A_NAME_EACH},
    {"AWS::Logs::SubscriptionFilter", {0}, "LogGroupName", 2, "a subscription filter of ",
     "and a log group has two at most",
     "leave the event out in a stage, or name a log group for each"},
};
/* clang-format on */
enum { SINGLES = sizeof singles / sizeof *singles };

/* What the plan wants to have of one of them. */
struct claim {
    const struct node *resource; /* the last one */
    const struct single *single;
    size_t count, others; /* the plan's own, and those of other stages so far */
};

/* What identifies `resource` as one of `s`, for all stages; empty: it is none. `shared`: resources
 * of the service. */
static struct str place_outside(struct arena *a, const struct node *shared,
                                const struct node *resource, const struct single *s)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct node *named = node_get_c(properties, s->named);
    if (!node_is_text(node_get_c(resource, "Type"), s->type) || !outside_is_shared(shared, named))
        return (struct str){"", 0};
    struct buf b = BUF(a);
    buf_fmt(&b, "%s %s %.*s", s->type, s->named, STR_ARG(json_canonical(a, named)));
    for (size_t i = 0; i < sizeof s->at / sizeof *s->at && s->at[i]; i++) {
        const struct node *at = node_get_c(properties, s->at[i]);
        if (at && !outside_is_shared(shared, at))
            return (struct str){"", 0};
        buf_fmt(&b, " %.*s", STR_ARG(at ? json_canonical(a, at) : STR("")));
    }
    return buf_str(&b);
}

/* What `template` has of what is outside the stage: what identifies it there -> struct claim. */
static struct map claims_of(struct arena *a, const struct node *template, const struct node *shared)
{
    struct map claims = MAP(a);
    member_each (m, node_get_c(template, "Resources"))
        for (const struct single *s = singles; s < singles + SINGLES; s++) {
            struct str place = place_outside(a, shared, m->value, s);
            struct claim *claim = map_get(&claims, place);
            if (place.n && !claim) {
                claim = ARENA_NEW(a, struct claim);
                *claim = (struct claim){.single = s};
                map_put(&claims, place, claim);
            }
            if (place.n) {
                claim->resource = m->value;
                claim->count++;
            }
        }
    return claims;
}

/* What the plan adds to that. */
static struct map added(const struct release *r, const struct plan *plan, const struct node *shared)
{
    struct map wanted = claims_of(r->arena, plan->target.layout->stage_template, shared);
    struct map had = claims_of(r->arena, plan->world.stage_template, shared), all = MAP(r->arena);
    for (size_t i = 0; i < wanted.n; i++) {
        const struct claim *before = map_get(&had, wanted.entries[i].key);
        struct claim *claim = wanted.entries[i].value;
        if (!before || claim->count > before->count)
            map_put(&all, wanted.entries[i].key, claim);
    }
    return all;
}

static int claim_is_taken(const struct release *r, struct plan *plan, const struct claim *claim,
                          struct str stage, struct err *err)
{
    const struct single *s = claim->single;
    if (!s->help) {
        plan_note(
            r->arena, plan,
            str_fmt(r->arena,
                    "stage '%.*s' has a rule with the same conditions on the listener: the one "
                    "with the lower priority gets all requests, the other stage none",
                    STR_ARG(stage)));
        return 0;
    }
    struct str what = node_text(node_get_c(node_get_c(claim->resource, "Properties"), s->named));
    return outside_taken(r, claim->resource->pos, stage,
                         str_fmt(r->arena, "%s'%.*s' %s", s->noun, STR_ARG(what), s->where),
                         s->help, err);
}

/* What the plan adds outside the stage. */
struct outside {
    struct map single;               /* what identifies it -> struct claim */
    struct existing_claims existing; /* of custom resources */
    const struct node *shared;       /* resources of the service */
};

static int check_stage(const struct release *r, struct plan *plan, const struct outside *mine,
                       const struct stack *stack, struct str stage, struct err *err)
{
    const struct node *template;
    if (nested_read(r, &plan->world.store, stack->name, &template, NULL, err) < 0) {
        if (err->kind != ERR_NOT_FOUND) /* somebody removed the stage meanwhile: it has nothing */
            return err_wrap(err, "look at stage '%.*s'", STR_ARG(stage));
        err_clear(err);
        return 0;
    }
    struct map theirs = claims_of(r->arena, template, mine->shared);
    for (size_t i = 0; i < theirs.n; i++) {
        struct claim *claim = map_get(&mine->single, theirs.entries[i].key);
        if (!claim)
            continue;
        claim->others += ((const struct claim *)theirs.entries[i].value)->count;
        if (claim->count + claim->others > claim->single->limit &&
            claim_is_taken(r, plan, claim, stage, err) < 0)
            return -1;
    }
    return existing_check(r, &mine->existing, template, stage, err);
}

int plan_outside(const struct release *r, struct plan *plan, struct err *err)
{
    struct outside mine = {.shared =
                               node_get_c(plan->target.layout->service_template, "Resources")};
    struct str *stages;
    struct stack *stacks;
    size_t n;
    mine.single = added(r, plan, mine.shared);
    if (existing_added(r, plan, &mine.existing, err) < 0)
        return -1;
    if (!mine.single.n && !mine.existing.all.n)
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
