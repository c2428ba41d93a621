/* What the file only names is nobody's here: an API has one resource of a path and one route of a
 * key, a user pool one function a trigger, and a bucket one notification of an event and a key,
 * whichever stage's stack made it. What another stage has there is found before AWS refuses it in
 * the middle (409), or serves one stage's callers by the other. */
#include "release/plan/plan.h"

#include "base/vec.h"
#include "cfn/expression.h"
#include "doc/json.h"
#include "release/stack/nested.h"

/* One thing of which there is one, of an API, pool or bucket outside the service. */
struct claim {
    struct str place;                /* identifies it; for a bucket: the bucket alone */
    const struct node *resource;     /* whose it is */
    const struct node *what;         /* as it is called: a route's key, a trigger, an event */
    const struct node *notification; /* {Event, Rules} of a bucket; NULL: it is no bucket */
};

struct claims {
    VEC(struct claim) all;
};

/* What there is one of in an API: the properties that tell. Source: API Gateway API reference,
 * CreateResource, PutMethod; API Gateway v2 API reference, CreateRoute. */
static const struct single {
    const char *type, *api, *at[2];
    const char *name; /* the property that the message shows */
} singles[] = {
    {"AWS::ApiGateway::Resource", "RestApiId", {"ParentId", "PathPart"}, "PathPart"},
    {"AWS::ApiGateway::Method", "RestApiId", {"ResourceId", "HttpMethod"}, "HttpMethod"},
    {"AWS::ApiGatewayV2::Route", "ApiId", {"RouteKey", NULL}, "RouteKey"},
};

/* A Ref or an attribute leads to what the stage has of its own, or to what all stages share. */
static bool is_outside(const struct node *value)
{
    struct cfn_value v;
    return value && !cfn_is_value(value, &v);
}

static void claim_in_api(struct arena *a, const struct node *resource, struct claims *ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        const struct single *s = &singles[i];
        const struct node *api = node_get_c(properties, s->api);
        const struct node *first = node_get_c(properties, s->at[0]);
        const struct node *second = s->at[1] ? node_get_c(properties, s->at[1]) : NULL;
        if (!node_is_text(node_get_c(resource, "Type"), s->type) || !is_outside(api) ||
            !is_outside(first))
            continue;
        struct str place = str_fmt(a, "%s %.*s %.*s %.*s", s->type, STR_ARG(json_canonical(a, api)),
                                   STR_ARG(json_canonical(a, first)),
                                   STR_ARG(second ? json_canonical(a, second) : STR("")));
        vec_push(a, &ret->all,
                 (struct claim){place, resource, node_get_c(properties, s->name), NULL});
    }
}

static void claim_in_pool(struct arena *a, const struct node *resource, struct claims *ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct node *pool = node_get_c(properties, "UserPoolName");
    node_each (config, node_get_c(properties, "UserPoolConfigs")) {
        const struct node *trigger = node_get_c(config, "Trigger");
        struct str place =
            str_fmt(a, "pool %.*s %.*s", STR_ARG(node_text(pool)), STR_ARG(node_text(trigger)));
        vec_push(a, &ret->all, (struct claim){place, resource, trigger, NULL});
    }
}

static void claim_in_bucket(struct arena *a, const struct node *resource, struct claims *ret)
{
    const struct node *properties = node_get_c(resource, "Properties");
    const struct node *bucket = node_get_c(properties, "BucketName");
    if (!is_outside(bucket))
        return;
    struct str place = str_fmt(a, "bucket %.*s", STR_ARG(json_canonical(a, bucket)));
    node_each (config, node_get_c(properties, "BucketConfigs"))
        vec_push(a, &ret->all,
                 (struct claim){place, resource, node_get_c(config, "Event"), config});
}

static struct claims claims_of(struct arena *a, const struct node *template)
{
    struct claims out = {0};
    member_each (m, node_get_c(template, "Resources")) {
        claim_in_api(a, m->value, &out);
        if (node_is_text(node_get_c(m->value, "Type"), "Custom::CognitoUserPool"))
            claim_in_pool(a, m->value, &out);
        if (node_is_text(node_get_c(m->value, "Type"), "Custom::S3"))
            claim_in_bucket(a, m->value, &out);
    }
    return out;
}

/* ---- do two notifications of a bucket overlap? ---- */

/* "s3:ObjectCreated:*" has all that begin like it. */
static bool events_overlap(struct str x, struct str y)
{
    if (str_ends(x, STR("*")))
        return str_starts(y, str_sub(x, 0, x.n - 1));
    if (str_ends(y, STR("*")))
        return str_starts(x, str_sub(y, 0, y.n - 1));
    return str_eq(x, y);
}

/* Prefix or suffix; empty: there is none. False: it is not known before CloudFormation knows it. */
static bool rule_of(const struct node *notification, const char *name, struct str *ret)
{
    *ret = STR("");
    node_each (rule, node_get_c(notification, "Rules")) {
        const struct node *value = node_get_c(rule, name);
        if (value && !node_is(value, NODE_STRING))
            return false;
        if (value)
            *ret = value->text;
    }
    return true;
}

/* Source: S3 user guide, "Configuring event notifications using object key name filtering". */
static bool notifications_overlap(const struct node *x, const struct node *y)
{
    struct str p, q, s, t;
    return events_overlap(node_text(node_get_c(x, "Event")), node_text(node_get_c(y, "Event"))) &&
           rule_of(x, "Prefix", &p) && rule_of(y, "Prefix", &q) && rule_of(x, "Suffix", &s) &&
           rule_of(y, "Suffix", &t) && (str_starts(p, q) || str_starts(q, p)) &&
           (str_ends(s, t) || str_ends(t, s));
}

static bool excludes(const struct claim *x, const struct claim *y)
{
    return str_eq(x->place, y->place) &&
           (!x->notification || notifications_overlap(x->notification, y->notification));
}

/* ---- what other stages have ---- */

/* What the plan adds outside the service. */
static struct claims added(const struct release *r, const struct plan *plan)
{
    struct claims had = claims_of(r->arena, plan->world.stage_template);
    struct claims wanted = claims_of(r->arena, plan->target.layout->stage_template), out = {0};
    vec_each (&wanted.all, w) {
        bool is_new = true;
        vec_each (&had.all, h)
            is_new =
                is_new && !(str_eq(h->place, w->place) &&
                            (!w->notification || node_equal(h->notification, w->notification)));
        if (is_new)
            vec_push(r->arena, &out.all, *w);
    }
    return out;
}

static int say_taken(const struct release *r, const struct claim *mine, struct str stage,
                     struct err *err)
{
    struct str type = node_text(node_get_c(mine->resource, "Type"));
    bool is_pool = str_eq(type, STR("Custom::CognitoUserPool"));
    const char *what = mine->notification ? "bucket" : is_pool ? "user pool" : "API";
    struct pos pos = node_pos(mine->what).source ? mine->what->pos : mine->resource->pos;
    err_at(err, pos, ERR_REFUSED,
           "stage '%.*s' has '%.*s' in this %s, which is outside the service: '%.*s' cannot have "
           "it, too",
           STR_ARG(stage), STR_ARG(node_text(mine->what)), what, STR_ARG(r->service->address));
    if (mine->notification)
        return err_help(err, "name a bucket for each stage, as in ${param:bucket}, or a prefix: S3 "
                             "notifies one function of an event and a key");
    if (is_pool)
        return err_help(err, "name a pool for each stage, as in ${param:pool}: a user pool has one "
                             "function a trigger");
    return err_help(err, "name an API for each stage, as in ${param:apiId}, or no API, so that "
                         "troupe makes one with stages of its own");
}

static int check_stage(const struct release *r, const struct plan *plan, const struct claims *mine,
                       const struct stack *stack, struct str stage, struct err *err)
{
    const struct node *template;
    if (nested_read(r, &plan->world.store, stack->name, &template, NULL, err) < 0) {
        if (err->kind != ERR_NOT_FOUND) /* removed meanwhile */
            return err_wrap(err, "look at stage '%.*s'", STR_ARG(stage));
        err_clear(err);
        return 0;
    }
    struct claims theirs = claims_of(r->arena, template);
    vec_each (&theirs.all, t)
        vec_each (&mine->all, m)
            if (excludes(m, t))
                return say_taken(r, m, stage, err);
    return 0;
}

int plan_outside(const struct release *r, struct plan *plan, struct err *err)
{
    struct claims mine = added(r, plan);
    struct str *stages;
    struct stack *stacks;
    size_t n;
    if (!mine.all.n)
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
