/* Deciding what becomes of each resource of a stack that is taken over. Pure. */
#include "release/adopt/adopt.h"

#include "base/hash.h"
#include "base/vec.h"
#include "doc/json.h"
#include "cfn/cfn.h"
#include "cfn/expression.h"

const char *const adopt_fate_words[ADOPT_FATE_COUNT] = {
    [ADOPT_REFUSED] = "refused",      [ADOPT_ADDRESS] = "new address",
    [ADOPT_MOVED] = "to the service", [ADOPT_TAKEN] = "to the stage",
    [ADOPT_LEFT] = "left behind",     [ADOPT_KEPT] = "kept",
    [ADOPT_CHANGED] = "changed",      [ADOPT_REPLACED] = "replaced",
    [ADOPT_REMOVED] = "removed",
};

struct deciding {
    struct arena *arena;
    const struct adopt_input *in;
    const struct node *old, *target, *today, *now; /* their Resources */
    VEC(struct adopt_item) items;
    size_t kept;
};

/* ---- what is at an address ---- */

/* A URL that an Output of the stack shows of it, else its physical id. */
static struct str address_of(const struct deciding *d, struct str id)
{
    member_each (m, node_get_c(d->in->old, "Outputs")) {
        struct str value = node_text(node_get(d->in->outputs, m->key));
        if (str_starts(value, STR("https://")) && cfn_mentions(node_get_c(m->value, "Value"), id))
            return value;
    }
    return node_text(node_get(d->in->physical, id));
}

static struct str new_address(const struct deciding *d, struct str id, struct str type)
{
    const struct layout *l = d->in->layout;
    for (size_t i = 0; i < l->function_count; i++)
        if (str_eq(l->functions[i].logical_id, id) && str_eq(type, STR("AWS::Lambda::Function")))
            return l->functions[i].per_stage
                       ? l->functions[i].name
                       : str_fmt(d->arena, "%.*s:%.*s", STR_ARG(l->functions[i].name),
                                 STR_ARG(d->in->stage));
    return (struct str){"", 0};
}

static void add(struct deciding *d, struct adopt_item item)
{
    item.physical = node_text(node_get(d->in->physical, item.id));
    vec_push(d->arena, &d->items, item);
}

/* CloudFormation makes new resources before it deletes old ones, so a new one cannot have the name
 * that an old one still has. */
static void check_name(struct deciding *d, struct str id, const struct node *resource)
{
    struct str name = node_text(cfn_given_name(resource)), type = cfn_type_of(resource);
    if (!name.n)
        return;
    member_each (m, d->old) {
        bool function = str_eq(type, STR("AWS::Lambda::Function"));
        if (!str_eq(cfn_type_of(m->value), type) ||
            !str_eq(node_text(cfn_given_name(m->value)), name) ||
            !node_get(d->in->physical, m->key))
            continue;
        add(d, (struct adopt_item){
                   .fate = ADOPT_REFUSED,
                   .id = id,
                   .type = type,
                   .reason = str_fmt(d->arena,
                                     "its name '%.*s' is taken until the end by the one "
                                     "that is there%s",
                                     STR_ARG(name),
                                     function ? ": put it into custom.troupe.functions.perStage"
                                              : ": give it another name"),
                   .pos = node_pos(resource)});
        return;
    }
}

/* ---- fates ---- */

static bool is_asked_for(const struct deciding *d, struct str id)
{
    const struct settings *s = d->in->settings;
    for (size_t i = 0; i < s->service_resource_count; i++)
        if (settings_glob(s->service_resources[i], id))
            return !str_starts(id, STR("ServerlessDeploymentBucket"));
    return false;
}

/* Conditions are the stage's: the service template has none. */
static bool has_condition(struct arena *a, const struct node *resource)
{
    return str_find(json_text(a, resource, 0), STR("\"Fn::If\""), 0) >= 0;
}

static void decide_service(struct deciding *d, struct adopt_item item, const struct node *before,
                           bool moving)
{
    bool replaces = false;
    const struct node *today = node_get(d->today, item.id);
    struct str why = cfn_difference(d->arena, before, today, &replaces);
    if (!moving && node_get(d->now, item.id)) {
        item.fate = item.precious ? ADOPT_LEFT : ADOPT_REMOVED;
        item.reason = STR("the service has its own already");
    } else if (replaces) {
        item.fate = ADOPT_REFUSED;
        item.reason = str_fmt(d->arena, "%.*s: the service would get another one", STR_ARG(why));
    } else if (has_condition(d->arena, before)) {
        item.fate = ADOPT_REFUSED;
        item.reason = STR("a condition of the stage is in its properties");
    } else if (!item.precious) {
        item.fate = ADOPT_REPLACED;
        item.reason = STR("made anew for the service");
    } else {
        item.fate = ADOPT_MOVED;
    }
    add(d, item);
}

static void decide_gone(struct deciding *d, struct adopt_item item, const struct node *before)
{
    bool address = cfn_is(item.type, CFN_HAS_ADDRESS);
    item.to = address ? new_address(d, item.id, item.type) : (struct str){"", 0};
    if (cfn_is_retained(before) && !item.precious)
        return; /* versions: they go with their function */
    if (address && (item.to.n || node_get(d->today, item.id))) {
        item.fate = ADOPT_ADDRESS;
        item.from = address_of(d, item.id);
    } else if (str_eq(item.type, STR("AWS::CloudFormation::Stack"))) {
        item.fate = ADOPT_REFUSED;
        item.reason =
            STR("a nested stack, which is not looked into: deploy without the plugin that "
                "makes it first");
    } else if (item.precious) {
        item.fate = ADOPT_LEFT;
        item.reason = str_starts(item.id, STR("ServerlessDeploymentBucket"))
                          ? STR("the old deployment bucket")
                          : STR("not in the stage any more");
    } else {
        item.fate = ADOPT_REMOVED;
        item.reason = address ? STR("no longer in serverless.yml") : (struct str){"", 0};
    }
    add(d, item);
}

static void decide_both(struct deciding *d, struct adopt_item item, const struct node *before,
                        const struct node *after)
{
    bool replaces = false, same = node_equal(before, after);
    item.reason = same ? (struct str){"", 0} : cfn_difference(d->arena, before, after, &replaces);
    item.pos = node_pos(after);
    item.fate = same ? ADOPT_KEPT : replaces ? ADOPT_REPLACED : ADOPT_CHANGED;
    if (replaces && item.precious) {
        item.fate = ADOPT_REFUSED;
        item.reason = str_fmt(d->arena, "%.*s: it would be replaced", STR_ARG(item.reason));
    } else if (replaces && cfn_is(item.type, CFN_HAS_ADDRESS)) {
        item.fate = ADOPT_ADDRESS;
        item.from = address_of(d, item.id);
        item.to = new_address(d, item.id, item.type);
    }
    if (same && !item.precious && !cfn_is(item.type, CFN_HAS_ADDRESS))
        d->kept++;
    else
        add(d, item);
}

static void decide(struct deciding *d, struct str id, const struct node *before, bool moving)
{
    struct adopt_item item = {.id = id,
                              .type = cfn_type_of(before),
                              .precious = !cfn_is(cfn_type_of(before), CFN_RECREATABLE)};
    const struct node *after = node_get(d->target, id);
    if (after)
        decide_both(d, item, before, after);
    else if (is_asked_for(d, id) && str_eq(cfn_type_of(node_get(d->today, id)), item.type))
        decide_service(d, item, before, moving);
    else
        decide_gone(d, item, before);
}

/* The resource was taken out of the stage's stack before: it is in none, until the service stack
 * imports it. */
static void decide_moving(struct deciding *d, struct str id, const struct node *moving)
{
    const struct node *definition = node_get_c(moving, "Definition");
    if (node_get(d->target, id) || !node_get(d->today, id)) {
        add(d, (struct adopt_item){.fate = ADOPT_REFUSED,
                                   .id = id,
                                   .type = cfn_type_of(definition),
                                   .precious = true,
                                   .reason =
                                       STR("it is on its way into the service stack: leave it in "
                                           "custom.troupe.resources.service until it is there")});
        return;
    }
    decide(d, id, definition, true);
}

static bool is_needed(const struct deciding *d, struct str id)
{
    node_each (one, d->in->needs)
        if (str_eq(node_text(one), id))
            return true;
    return false;
}

/* The service's until now, and this stage uses it: it comes along. Log groups follow functions. */
static bool decide_taken(struct deciding *d, struct str id, const struct node *after)
{
    const struct node *moving = node_get(adopt_moving(d->in->service_now), id);
    const struct node *there = node_get(d->now, id);
    const struct node *before = there ? there : node_get_c(moving, "Definition");
    struct str type = cfn_type_of(after);
    bool replaces = false;
    if (!before || !is_needed(d, id) || node_get(d->today, id) || cfn_is(type, CFN_RECREATABLE) ||
        str_eq(type, STR("AWS::Logs::LogGroup")))
        return false;
    struct adopt_item item = {
        .fate = ADOPT_TAKEN, .id = id, .type = type, .precious = true, .pos = node_pos(after)};
    struct str why = cfn_difference(d->arena, before, after, &replaces);
    if (replaces) {
        item.fate = ADOPT_REFUSED;
        item.reason = str_fmt(d->arena, "%.*s: it would be replaced", STR_ARG(why));
    }
    add(d, item);
    return true;
}

static int by_fate(const void *x, const void *y)
{
    const struct adopt_item *a = x, *b = y;
    if (a->fate != b->fate)
        return (int)a->fate - (int)b->fate;
    return a->precious != b->precious ? (int)b->precious - (int)a->precious : str_cmp(a->id, b->id);
}

void adopt_classify(struct arena *a, const struct adopt_input *in, struct adoption *ret)
{
    struct deciding d = {.arena = a,
                         .in = in,
                         .old = node_get_c(in->old, "Resources"),
                         .target = node_get_c(in->target, "Resources"),
                         .today = node_get_c(in->service_today, "Resources"),
                         .now = node_get_c(in->service_now, "Resources")};
    const struct node *moving = adopt_moving(in->old);
    member_each (m, d.old)
        if (node_get(in->physical, m->key)) /* else a condition keeps it away */
            decide(&d, m->key, m->value, false);
    member_each (m, moving)
        decide_moving(&d, m->key, m->value);
    member_each (m, d.target)
        if (!node_get(d.old, m->key) && !node_get(moving, m->key) &&
            !decide_taken(&d, m->key, m->value))
            check_name(&d, m->key, m->value);
    member_each (m, d.today)
        if (!node_get(d.now, m->key) && !node_get(moving, m->key) && !is_asked_for(&d, m->key))
            check_name(&d, m->key, m->value);
    if (d.items.n)
        qsort(d.items.p, d.items.n, sizeof *d.items.p, by_fate);
    ret->items = d.items.p;
    ret->count = d.items.n;
    ret->kept = d.kept;
    ret->physical = in->physical;
    ret->refused = 0;
    while (ret->refused < ret->count && ret->items[ret->refused].fate == ADOPT_REFUSED)
        ret->refused++;
}
