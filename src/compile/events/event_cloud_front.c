/* `cloudFront`: a distribution that calls versions of functions at its edge (Lambda@Edge), with the
 * origins and behaviors of all events put together. */
#include "compile/compile_internal.h"

/* For a behavior that says nothing of caching: AWS's own policy CachingOptimized. */
#define CACHING_OPTIMIZED "658327ea-f89d-4fab-a63d-7e88639e58f6"
#define DISTRIBUTION "CloudFrontDistribution"
#define DOMAIN_NAME "CloudFrontDistributionDomainName"

/* What a function may have by the side it runs on. Source: CloudFront developer guide, "Quotas on
 * Lambda@Edge". */
static const struct edge_limit {
    const char *side; /* an event type starts with it */
    int64_t memory_mb, timeout_s;
} edge_limits[] = {{"viewer-", 128, 5}, {"origin-", 10240, 30}};

struct cloud_front_state {
    struct node *origins, *behaviors;  /* sequences; behaviors stand where their event stands */
    const struct node *default_origin; /* of an event with isDefaultOrigin, or NULL */
};

static int cloud_front_begin(struct compilation *c, struct err *err)
{
    (void)err;
    c->cloud_front = ARENA_NEW(c->arena, struct cloud_front_state);
    c->cloud_front->origins = node_seq(c->arena);
    c->cloud_front->behaviors = node_seq(c->arena);
    return 0;
}

/* ---- cache policies ---- */

static struct str policy_id(struct compilation *c, struct str name)
{
    return str_concat(c->arena, STR("CloudFrontCachePolicy"), name_normalize(c->arena, name));
}

static const struct node *cache_policies(struct compilation *c)
{
    return node_path(c->provider, "cloudFront.cachePolicies");
}

int cache_policies_compile(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    struct str prefix =
        str_fmt(a, "%.*s-%.*s-", STR_ARG(c->service->name), STR_ARG(c->service->stage));
    member_each (m, cache_policies(c)) {
        struct node *config = node_is(m->value, NODE_MAP) ? node_shallow(a, m->value) : node_map(a);
        node_put_c(a, config, "Name", node_staged(c, str_concat(a, prefix, m->key)));
        struct node *policy = resource_new(a, "AWS::CloudFront::CachePolicy",
                                           node_fn(a, "CachePolicyConfig", config));
        if (resource_add(c, policy_id(c, m->key), policy, m->key_pos, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- putting origins and behaviors together ---- */

static struct node *lists_together(struct arena *a, const struct node *x, const struct node *y)
{
    struct node *out = node_seq(a);
    node_each (item, x)
        add_unique(a, out, item);
    node_each (item, y)
        add_unique(a, out, item);
    return out;
}

/* `base` with what only `more` has: members of maps, items of lists. What both say stays as `base`
 * says it. */
static const struct node *extended(struct arena *a, const struct node *base,
                                   const struct node *more)
{
    struct node *out = node_shallow(a, base);
    member_each (m, more) {
        const struct node *own = node_get(base, m->key);
        if (!own)
            node_put_at(a, out, m->key, m->key_pos, m->value);
        else if (own->kind == NODE_SEQ && m->value->kind == NODE_SEQ)
            node_put(a, out, m->key, lists_together(a, own, m->value));
        else if (own->kind == NODE_MAP && m->value->kind == NODE_MAP)
            node_put(a, out, m->key, extended(a, own, m->value));
    }
    return out;
}

/* ---- origins ---- */

/* The parts of "https://host:80/path?query" that make an origin. */
static bool url_read(struct arena *a, struct str url, bool *ret_is_s3, struct str *ret_host,
                     struct str *ret_path)
{
    ptrdiff_t colon = str_find(url, STR("://"), 0);
    if (colon <= 0)
        return false;
    struct str rest = str_sub(url, (size_t)colon + 3, SIZE_MAX), part;
    str_cut(&rest, '#', &part);
    rest = part;
    str_cut(&rest, '?', &part);
    ptrdiff_t slash = str_find_char(part, '/', 0);
    struct str host = slash < 0 ? part : str_sub(part, 0, (size_t)slash);
    *ret_path = slash < 0 ? STR("") : str_sub(part, (size_t)slash, SIZE_MAX);
    host = str_sub(host, (size_t)(str_rfind_char(host, '@') + 1), SIZE_MAX);
    ptrdiff_t port = str_find_char(host, ':', 0);
    *ret_host = str_lower(a, port < 0 ? host : str_sub(host, 0, (size_t)port));
    *ret_is_s3 = str_eq(str_lower(a, str_sub(url, 0, (size_t)colon)), STR("s3"));
    return ret_host->n > 0;
}

static struct node *origin_from_url(struct compilation *c, const struct node *url, struct err *err)
{
    struct arena *a = c->arena;
    struct node *origin = node_map(a);
    struct str host, path;
    bool is_s3;
    if (!url_read(a, url->text, &is_s3, &host, &path)) {
        err_at(err, url->pos, ERR_CONFIG, "'origin' must be a URL with a host, not '%.*s'",
               STR_ARG(url->text));
        err_help(err, "s3://<bucket>.s3.amazonaws.com/<path> or https://<host>/<path>");
        return NULL;
    }
    node_put_c(a, origin, "DomainName", node_from(node_str(a, host), url));
    if (path.n > 1)
        node_put_c(a, origin, "OriginPath", node_from(node_str(a, path), url));
    if (is_s3)
        node_put_c(a, origin, "S3OriginConfig", node_map(a));
    else
        node_put_c(a, origin, "CustomOriginConfig",
                   node_fn(a, "OriginProtocolPolicy", node_c(a, "match-viewer")));
    return origin;
}

static struct str origin_id(struct compilation *c, const struct node *origin)
{
    struct arena *a = c->arena;
    const struct node *domain = node_get_c(origin, "DomainName");
    const char *kind = node_truthy(node_get_c(origin, "S3OriginConfig")) ? "s3" : "custom";
    struct str name = node_is(domain, NODE_STRING)
                          ? domain->text
                          : name_alphanumeric(a, node_stringified(a, domain)->text);
    return str_fmt(a, "%s/%.*s%.*s", kind, STR_ARG(name),
                   STR_ARG(node_text(node_get_c(origin, "OriginPath"))));
}

/* The first of `list` whose members `keys` are those of `like`; SIZE_MAX: none. */
static size_t find_like(const struct node *list, const struct node *like, const char *const *keys)
{
    node_each (item, list) {
        bool same = true;
        for (size_t k = 0; keys[k] && same; k++) {
            const struct node *x = node_get_c(item, keys[k]), *y = node_get_c(like, keys[k]);
            same = x && y ? node_equal(x, y) : x == y;
        }
        if (same)
            return i_item;
    }
    return SIZE_MAX;
}

/* Put `one` into `list`, or into the one of it that is the same by `keys`. Gives what is there. */
static const struct node *put_together(struct compilation *c, struct node *list,
                                       const struct node *one, const char *const *keys)
{
    size_t at = find_like(list, one, keys);
    if (at == SIZE_MAX)
        node_push(c->arena, list, one);
    else
        list->items[at] = extended(c->arena, list->items[at], one);
    return list->items[at == SIZE_MAX ? list->count - 1 : at];
}

/* The id of the event's origin; empty: it failed. */
static struct str add_origin(struct compilation *c, const struct event *event, struct err *err)
{
    static const char *const same[] = {"Id", NULL};
    struct arena *a = c->arena;
    const struct node *given = node_get_c(event->node, "origin");
    struct node *origin = NULL;
    if (node_is(given, NODE_STRING))
        origin = origin_from_url(c, given, err);
    else if (node_is(given, NODE_MAP) && node_truthy(node_get_c(given, "DomainName")))
        origin = node_shallow(a, given);
    else
        err_at(err, given ? given->pos : event->pos, ERR_CONFIG,
               "'origin' must be a URL, or a map with 'DomainName'");
    if (!origin)
        return STR("");
    struct str id = origin_id(c, origin);
    node_put_str(a, origin, "Id", id);
    const struct node *there = put_together(c, c->cloud_front->origins, origin, same);
    if (!node_truthy(node_get_c(event->node, "isDefaultOrigin")))
        return id;
    const struct node *other = c->cloud_front->default_origin;
    c->cloud_front->default_origin = there;
    if (!other || node_equal(node_get_c(other, "Id"), node_get_c(there, "Id")))
        return id;
    err_at(err, node_member(event->node, STR("isDefaultOrigin"))->key_pos, ERR_CONFIG,
           "a second origin has 'isDefaultOrigin'");
    return STR("");
}

/* ---- behaviors ---- */

/* Does the behavior say how long CloudFront keeps answers, so that it needs no cache policy? */
static bool says_caching(const struct node *behavior)
{
    static const char *const times[] = {"MaxTTL", "MinTTL", "DefaultTTL"};
    bool says = node_truthy(node_get_c(behavior, "CachePolicyId")) ||
                node_truthy(node_get_c(behavior, "ForwardedValues"));
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        says = says || !node_empty(node_get_c(behavior, times[i]));
    return says;
}

static int put_cache_policy(struct compilation *c, const struct event *event, struct node *behavior,
                            struct err *err)
{
    struct arena *a = c->arena;
    const struct node *policy = node_setting(event->node, NULL, "cachePolicy");
    const struct node *id = node_setting(policy, NULL, "id");
    const struct node *name = node_setting(policy, NULL, "name");
    if (name && !node_get(cache_policies(c), name->text)) {
        err_at(err, name->pos, ERR_CONFIG, "there is no cache policy '%.*s'", STR_ARG(name->text));
        return err_help(err, "cache policies are named in 'provider.cloudFront.cachePolicies'");
    }
    if (id || name)
        node_put_c(a, behavior, "CachePolicyId", id ? id : node_ref(a, policy_id(c, name->text)));
    else if (!says_caching(node_get_c(event->node, "behavior")))
        node_put_c(a, behavior, "CachePolicyId", node_c(a, CACHING_OPTIMIZED));
    return 0;
}

static struct node *association(struct compilation *c, const struct event *event)
{
    struct arena *a = c->arena;
    struct node *one = node_map(a);
    copy_member(a, one, "EventType", event->node, "eventType");
    node_put_c(a, one, "LambdaFunctionARN",
               node_ref(a, c->out->functions[event->function_index].version_id));
    copy_member(a, one, "IncludeBody", event->node, "includeBody");
    one->pos = event->pos;
    return one;
}

static int add_behavior(struct compilation *c, const struct event *event, struct str origin,
                        struct err *err)
{
    static const char *const same[] = {"PathPattern", "TargetOriginId", NULL};
    struct arena *a = c->arena;
    const struct node *pattern = node_get_c(event->node, "pathPattern");
    struct node *behavior = node_map(a);
    node_put_c(a, behavior, "ViewerProtocolPolicy", node_c(a, "allow-all"));
    member_each (m, node_entries(a, node_get_c(event->node, "behavior")))
        node_put_at(a, behavior, m->key, m->key_pos, m->value);
    if (put_cache_policy(c, event, behavior, err) < 0)
        return -1;
    node_put_str(a, behavior, "TargetOriginId", origin);
    node_put_c(a, behavior, "LambdaFunctionAssociations", NODE_LIST(a, association(c, event)));
    if (node_is(pattern, NODE_STRING) && pattern->text.n)
        node_put_c(a, behavior, "PathPattern", pattern);
    behavior->pos = event->pos;
    put_together(c, c->cloud_front->behaviors, behavior, same);
    return 0;
}

static int check_limits(const struct event *event, struct err *err)
{
    struct str type = node_text(node_get_c(event->node, "eventType"));
    for (size_t i = 0; i < sizeof edge_limits / sizeof *edge_limits; i++) {
        const struct edge_limit *limit = &edge_limits[i];
        const struct {
            const char *key, *unit;
            int64_t max;
        } settings[] = {{"memorySize", "MB", limit->memory_mb},
                        {"timeout", "seconds", limit->timeout_s}};
        if (!str_starts(type, str_c(limit->side)))
            continue;
        for (size_t k = 0; k < sizeof settings / sizeof *settings; k++) {
            const struct node *n = node_get_c(event->function->node, settings[k].key);
            if (node_int_or(n, 0) > settings[k].max)
                return err_at(err, n->pos, ERR_CONFIG,
                              "'%s' is more than the %lld %s that a function may have which "
                              "CloudFront calls at '%.*s'",
                              settings[k].key, (long long)settings[k].max, settings[k].unit,
                              STR_ARG(type));
        }
    }
    return 0;
}

/* What CloudFront needs to call the version. */
static void allow_edge(struct compilation *c, const struct event *event)
{
    struct arena *a = c->arena;
    const struct node *version = node_ref(a, c->out->functions[event->function_index].version_id);
    const struct node *source =
        node_join(a, "",
                  NODE_LIST(a, node_c(a, ""), node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                            node_c(a, ":cloudfront::"), node_ref(a, STR("AWS::AccountId")),
                            node_c(a, ":distribution/"), node_ref(a, STR(DISTRIBUTION))));
    resource_set(c, name_with(c, event->function, "LambdaFunctionInvokePermission"),
                 permission_new(a, version, node_c(a, "edgelambda.amazonaws.com"), source),
                 event->pos);
}

static int cloud_front_compile(struct compilation *c, const struct event *event, struct err *err)
{
    if (!str_eq(c->service->region, STR("us-east-1"))) {
        err_at(err, event->pos, ERR_CONFIG,
               "functions that CloudFront calls must be in region us-east-1, not in %.*s",
               STR_ARG(c->service->region));
        return err_help(err, "set 'provider.region: us-east-1', or move these functions to a "
                             "service of their own");
    }
    if (check_limits(event, err) < 0)
        return -1;
    struct str origin = add_origin(c, event, err);
    if (!origin.n || add_behavior(c, event, origin, err) < 0)
        return -1;
    allow_edge(c, event);
    return 0;
}

/* ---- the distribution ---- */

/* Two behaviors for one path, or two functions for one event of a path. */
static int check_unique(const struct node *list, const char *key, const char *what, struct err *err)
{
    const char *const same[] = {key, NULL};
    node_each (one, list) {
        size_t first = find_like(list, one, same);
        if (first == i_one)
            continue;
        struct str value = node_text_or(node_get_c(one, key), STR("(none)"));
        err_at(err, one->pos, ERR_CONFIG, "%s '%.*s' stands here twice", what, STR_ARG(value));
        return err_note(err, list->items[first]->pos, "here before");
    }
    return 0;
}

static int check_behaviors(const struct node *behaviors, struct err *err)
{
    if (check_unique(behaviors, "PathPattern", "with different origins, 'pathPattern'", err) < 0)
        return -1;
    node_each (behavior, behaviors)
        if (check_unique(node_get_c(behavior, "LambdaFunctionAssociations"), "EventType",
                         "for one path and origin, 'eventType'", err) < 0)
            return -1;
    return 0;
}

/* Of the behavior for all paths: one without a pattern, else the first one without pattern and
 * functions, to the default origin. `*ret_is_made` says which. */
static const struct node *default_behavior(struct compilation *c, bool *ret_is_made,
                                           struct err *err)
{
    struct arena *a = c->arena;
    const struct cloud_front_state *s = c->cloud_front;
    node_each (behavior, s->behaviors)
        if (!node_get_c(behavior, "PathPattern"))
            return behavior;
    if (!s->default_origin && s->origins->count > 1) {
        err_at(err, s->behaviors->items[0]->pos, ERR_CONFIG,
               "there are several origins, and none is for all other paths");
        err_help(err, "set 'isDefaultOrigin: true' in one of the events, or leave out its "
                      "'pathPattern'");
        return NULL;
    }
    const struct node *origin = s->default_origin ? s->default_origin : s->origins->items[0];
    struct node *made = node_shallow(a, s->behaviors->items[0]);
    node_drop(made, STR("PathPattern"));
    node_drop(made, STR("LambdaFunctionAssociations"));
    node_put_c(a, made, "TargetOriginId", node_get_c(origin, "Id"));
    *ret_is_made = true;
    return made;
}

/* The role may be assumed at the edge, and writes its logs in every region. */
static void allow_role(struct compilation *c)
{
    struct arena *a = c->arena;
    node_push(a, c->role_services, node_c(a, "edgelambda.amazonaws.com"));
    struct node *actions =
        NODE_LIST(a, node_c(a, "logs:CreateLogGroup"), node_c(a, "logs:CreateLogStream"),
                  node_c(a, "logs:PutLogEvents"), node_c(a, "logs:TagResource"));
    struct node *everywhere = node_fn(a, "Fn::Sub", node_c(a, "arn:${AWS::Partition}:logs:*:*:*"));
    role_allow(c, statement_new(a, actions, NODE_LIST(a, everywhere)), false);
}

static void put_output(struct compilation *c, const char *id, const char *description,
                       const struct node *value)
{
    struct node *output = node_map(c->arena);
    node_put_c(c->arena, output, "Description", node_c(c->arena, description));
    node_put_c(c->arena, output, "Value", value);
    node_put_c(c->arena, c->outputs, id, output);
}

static int cloud_front_finish(struct compilation *c, struct err *err)
{
    struct arena *a = c->arena;
    const struct cloud_front_state *s = c->cloud_front;
    bool is_made = false;
    if (check_behaviors(s->behaviors, err) < 0)
        return -1;
    const struct node *common = default_behavior(c, &is_made, err);
    if (!common)
        return -1;
    struct node *others = node_seq(a), *config = node_map(a);
    node_each (behavior, s->behaviors)
        if (is_made || behavior != common)
            node_push(a, others, behavior);
    struct str comment =
        str_fmt(a, "%.*s %.*s", STR_ARG(c->service->name), STR_ARG(c->service->stage));
    node_put_c(a, config, "Comment", node_staged(c, comment));
    node_put_c(a, config, "Enabled", node_bool(a, true));
    node_put_c(a, config, "DefaultCacheBehavior", common);
    node_put_c(a, config, "Origins", s->origins);
    node_put_c(a, config, "CacheBehaviors", others->count ? others : NULL);
    allow_role(c);
    put_output(c, DISTRIBUTION, "CloudFront Distribution Id", node_ref(a, STR(DISTRIBUTION)));
    put_output(c, DOMAIN_NAME, "CloudFront Distribution Domain Name",
               node_get_att(a, STR(DISTRIBUTION), "DomainName"));
    return resource_add(
        c, STR(DISTRIBUTION),
        resource_new(a, "AWS::CloudFront::Distribution", node_fn(a, "DistributionConfig", config)),
        s->behaviors->items[0]->pos, err);
}

const struct event_type event_cloud_front = {"cloudFront", cloud_front_begin, cloud_front_compile,
                                             cloud_front_finish};
