/* Which resource goes into which stack. */
#include "layout/split/split_internal.h"

#include "base/hash.h"
#include "doc/json.h"

const struct split_limits split_limits = {.alone = 400,
                                          .fill = 350,
                                          .most = 480,
                                          .fill_bytes = 600 * 1000,
                                          .most_bytes = 900 * 1000,
                                          .names = 180,
                                          .most_names = 200};

/* Values that are lists: a Parameter of a nested stack takes texts only. */
static const char *const list_attributes[] = {
    "NameServers",         "CidrBlockAssociations",       "Ipv6CidrBlocks",          "DnsEntries",
    "NetworkInterfaceIds", "SecondaryPrivateIpAddresses", "DelegationSetNameServers"};

bool split_is_pseudo_of_stack(struct str id)
{
    return str_eq(id, STR("AWS::StackName")) || str_eq(id, STR("AWS::StackId"));
}

static bool is_listed(struct str text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(text, str_c(list[i])))
            return true;
    return false;
}

static bool is_root_type(const struct split_resource *r)
{
    return cfn_is(cfn_type_of(r->node), CFN_IN_ROOT);
}

/* ---- the graph ---- */

struct gathering {
    struct splitting *s;
    size_t user; /* index of the resource that is looked at; s->n: the Outputs */
    struct map seen;
};

static void need(struct splitting *s, size_t user, size_t used)
{
    struct split_resource *r = &s->all[user];
    if (user == used || user == s->n)
        return;
    /* a resource needs few others, and often the same one several times in a row */
    for (size_t i = r->needs.n; i-- > 0;)
        if (r->needs.p[i] == used)
            return;
    vec_push(s->arena, &r->needs, used);
    vec_push(s->arena, &s->all[used].needed_by, user);
}

static void gather(void *context, const struct cfn_value *v)
{
    struct gathering *g = context;
    struct splitting *s = g->s;
    struct split_resource *of = map_get(&s->index, v->id);
    bool parameter = node_member(node_get_c(s->flat, "Parameters"), v->id);
    bool list = v->computed || is_listed(v->attribute, list_attributes,
                                         sizeof list_attributes / sizeof *list_attributes);
    struct str key = split_value_key(s->arena, v);
    if (g->user < s->n && str_eq(v->id, STR("AWS::NotificationARNs")))
        s->all[g->user].fixed = true;
    if (map_has(&g->seen, key) || (!of && !parameter && !split_is_pseudo_of_stack(v->id)))
        return;
    map_put(&g->seen, key, s);
    if (g->user < s->n) {
        vec_push(s->arena, &s->all[g->user].values, *v);
        s->all[g->user].fixed |= list;
    }
    if (!of)
        return;
    of->fixed |= list;
    need(s, g->user, (size_t)(of - s->all));
    vec_push(s->arena, &of->users, (struct split_user){g->user, *v});
}

static void follow_depends(struct splitting *s, size_t user)
{
    size_t n;
    const struct node *const *ids = cfn_dependencies(s->all[user].node, &n);
    struct map seen = MAP(s->arena); /* a DependsOn may list hundreds of ids */
    for (size_t i = 0; i < s->all[user].needs.n; i++)
        map_put(&seen, s->all[s->all[user].needs.p[i]].id, s);
    for (size_t i = 0; i < n; i++) {
        struct split_resource *of = map_get(&s->index, node_text(ids[i]));
        if (!of || map_has(&seen, of->id) || of == &s->all[user])
            continue;
        map_put(&seen, of->id, s);
        vec_push(s->arena, &s->all[user].needs, (size_t)(of - s->all));
        vec_push(s->arena, &of->needed_by, user);
    }
}

static void read_resources(struct splitting *s)
{
    const struct node *resources = node_get_c(s->flat, "Resources");
    const struct node *conditions = node_get_c(s->flat, "Conditions");
    size_t i = 0;
    s->n = node_count(resources);
    s->all = ARENA_ARRAY(s->arena, s->n + 1, struct split_resource);
    s->index = MAP(s->arena);
    member_each (m, resources) {
        s->all[i] = (struct split_resource){.id = m->key, .node = m->value, .stack = UNASSIGNED};
        map_put(&s->index, m->key, &s->all[i++]);
    }
    for (i = 0; i < s->n; i++) {
        cleanup_arena struct arena *scratch = arena_new();
        struct split_resource *r = &s->all[i];
        struct gathering g = {s, i, MAP(s->arena)};
        struct map used = MAP(s->arena);
        struct str type = node_text(node_get_c(r->node, "Type"));
        r->bytes = json_text(scratch, r->node, 0).n + r->id.n + 4;
        r->fixed |= str_starts(r->id, STR("ServerlessDeploymentBucket")) ||
                    str_starts(type, STR("AWS::CloudFormation::")) ||
                    node_get_c(r->node, "CreationPolicy");
        cfn_each_value(r->node, gather, &g);
        split_conditions(conditions, r->node, &used);
        for (size_t k = 0; k < used.n; k++)
            cfn_each_value(used.entries[k].value, gather, &g);
        follow_depends(s, i);
    }
    struct gathering outputs = {s, s->n, MAP(s->arena)};
    cfn_each_value(node_get_c(s->flat, "Outputs"), gather, &outputs);
}

/* ---- nested stacks ---- */

static int stack_named(struct splitting *s, struct str id)
{
    for (size_t i = 0; i < s->nested.n; i++)
        if (str_eq(s->nested.p[i].id, id))
            return (int)i;
    return UNASSIGNED;
}

static int add_stack(struct splitting *s, struct str id, int64_t number)
{
    struct arena *a = s->arena;
    vec_push(a, &s->nested,
             (struct splitting_stack){.id = id,
                                      .number = number,
                                      .imports = MAP(a),
                                      .exports = MAP(a),
                                      .needs_seen = MAP(a)});
    return (int)s->nested.n - 1;
}

static int new_stack(struct splitting *s)
{
    int64_t number = 0;
    for (size_t i = 1; i < s->nested.n; i++)
        number = s->nested.p[i].number > number ? s->nested.p[i].number : number;
    number++;
    return add_stack(s, str_fmt(s->arena, PART_PREFIX "%lld", (long long)number), number);
}

/* Count the Parameters and Outputs that `stack` gets with `r`. */
static void count_names(struct splitting *s, const struct split_resource *r, int stack,
                        struct map *imports, struct map *exports)
{
    for (size_t i = 0; i < r->values.n; i++) {
        const struct split_resource *of = map_get(&s->index, r->values.p[i].id);
        if (!of || of->stack != stack)
            map_put(imports, split_value_key(s->arena, &r->values.p[i]), s);
    }
    for (size_t i = 0; i < r->users.n; i++) {
        const struct split_user *u = &r->users.p[i];
        if (u->resource == s->n || s->all[u->resource].stack != stack)
            map_put(exports, split_value_key(s->arena, &u->value), s);
    }
}

static void put_in(struct splitting *s, struct split_resource *r, int stack)
{
    struct splitting_stack *p = &s->nested.p[stack];
    r->stack = stack;
    p->count++;
    p->bytes += r->bytes;
    if (stack == ROOT)
        return;
    count_names(s, r, stack, &p->imports, &p->exports);
    for (size_t i = 0; i < r->needs.n; i++) {
        struct str id = s->all[r->needs.p[i]].id;
        if (map_has(&p->needs_seen, id))
            continue;
        map_put(&p->needs_seen, id, s);
        vec_push(s->arena, &p->needs, r->needs.p[i]);
    }
}

/* ---- circles ---- */

struct walk {
    struct splitting *s;
    bool back; /* go from what is needed to those that need it */
    VEC(size_t) queue;
};

static void walk_to(struct walk *w, size_t i)
{
    struct split_resource *r = &w->s->all[i];
    if (r->stamp == w->s->stamp)
        return;
    r->stamp = w->s->stamp;
    vec_push(w->s->arena, &w->queue, i);
}

static void walk_from(struct walk *w, const struct split_resource *r)
{
    for (size_t i = 0; !w->back && i < r->needs.n; i++)
        walk_to(w, r->needs.p[i]);
    for (size_t i = 0; w->back && i < r->needed_by.n; i++)
        walk_to(w, r->needed_by.p[i]);
}

/* Whoever needs one resource of a nested stack needs the whole nested stack. */
static void walk_stack(struct walk *w, int stack)
{
    struct splitting_stack *p = &w->s->nested.p[stack];
    if (p->stamp == w->s->stamp)
        return;
    p->stamp = w->s->stamp;
    for (size_t i = 0; !w->back && i < p->needs.n; i++)
        walk_to(w, p->needs.p[i]);
    for (size_t i = 0; w->back && i < w->s->n; i++)
        if (w->s->all[i].stack == stack)
            walk_from(w, &w->s->all[i]);
}

/* Stamp everything outside of the nested stack that it needs (`back`: that needs it), directly or
 * not. True when the way leads back into it. */
static bool walk_around(struct splitting *s, int stack, bool back)
{
    struct walk w = {.s = s, .back = back};
    bool circle = false;
    s->stamp++;
    s->nested.p[stack].stamp = s->stamp;
    for (size_t i = 0; !back && i < s->nested.p[stack].needs.n; i++)
        if (s->all[s->nested.p[stack].needs.p[i]].stack != stack)
            walk_to(&w, s->nested.p[stack].needs.p[i]);
    for (size_t i = 0; back && i < s->n; i++)
        if (s->all[i].stack == stack)
            for (size_t k = 0; k < s->all[i].needed_by.n; k++)
                if (s->all[s->all[i].needed_by.p[k]].stack != stack)
                    walk_to(&w, s->all[i].needed_by.p[k]);
    for (size_t at = 0; at < w.queue.n; at++) {
        const struct split_resource *r = &s->all[w.queue.p[at]];
        if (r->stack == stack)
            circle = true;
        else if (r->stack > ROOT)
            walk_stack(&w, r->stack);
        else
            walk_from(&w, r);
    }
    return circle;
}

static int say_circle(const struct splitting *s, int stack, const struct split_resource *r,
                      struct err *err)
{
    struct str id = s->nested.p[stack].id;
    err_set(err, ERR_FAILED,
            "'%.*s' and the nested stack '%.*s' would need each other: a circle between stacks",
            STR_ARG(!r                ? STR("another")
                    : r->stack > ROOT ? s->nested.p[r->stack].id
                                      : r->id),
            STR_ARG(id));
    return err_help(err,
                    "a resource stays in the stack it was created in: name it instead of referring "
                    "to it, or give one of both another logical id, which makes it anew");
}

/* A resource of the root that a nested stack needs, and that needs that nested stack, would make a
 * circle of two stacks: move it into the nested stack. */
static int close_circles(struct splitting *s, struct err *err)
{
    for (int stack = 1; stack < (int)s->nested.n; stack++) {
        if (!walk_around(s, stack, false))
            continue;
        size_t forward = s->stamp;
        VEC(size_t) between = {0};
        bool *needed = ARENA_ARRAY(s->arena, s->n + 1, bool);
        for (size_t i = 0; i < s->n; i++)
            needed[i] = s->all[i].stamp == forward;
        walk_around(s, stack, true);
        for (size_t i = 0; i < s->n; i++)
            if (needed[i] && s->all[i].stamp == s->stamp && s->all[i].stack != stack)
                vec_push(s->arena, &between, i);
        for (size_t i = 0; i < between.n; i++) {
            struct split_resource *r = &s->all[between.p[i]];
            if (r->stack != UNASSIGNED)
                return say_circle(s, stack, r, err);
            put_in(s, r, stack);
        }
    }
    return 0;
}

/* ---- groups ---- */

static bool is_movable(const struct split_resource *r, bool everything)
{
    return r->stack == UNASSIGNED && !r->fixed && (everything || !is_root_type(r));
}

static size_t degree(const struct split_resource *r)
{
    return r->needs.n + r->needed_by.n;
}

enum { NO_GROUP = -1, IN_QUEUE = -2 };

/* Put `first`, and every movable resource without a group that is connected with it, into a group;
 * its members are in `w`. */
static void flood(struct splitting *s, size_t first, int group, bool everything, struct walk *w)
{
    w->queue.n = 0;
    s->all[first].group = group;
    vec_push(s->arena, &w->queue, first);
    for (size_t at = 0; at < w->queue.n; at++) {
        const struct split_resource *r = &s->all[w->queue.p[at]];
        for (size_t k = 0; k < degree(r); k++) {
            size_t i = k < r->needs.n ? r->needs.p[k] : r->needed_by.p[k - r->needs.n];
            if (s->all[i].group != NO_GROUP || !is_movable(&s->all[i], everything))
                continue;
            s->all[i].group = group;
            vec_push(s->arena, &w->queue, i);
        }
    }
}

/* The member with most connections, when it has many: without it the group falls apart. NULL:
 * none. */
static struct split_resource *hub_of(struct splitting *s, const struct walk *members)
{
    enum { HUB = 5 }; /* connections */
    struct split_resource *hub = NULL;
    for (size_t i = 0; i < members->queue.n; i++) {
        struct split_resource *r = &s->all[members->queue.p[i]];
        if (degree(r) >= HUB && (!hub || degree(r) > degree(hub)))
            hub = r;
    }
    return hub;
}

/* Make groups in the order of the template. The hub of a group that is too large goes to the root,
 * until the group is small enough. Returns how many there are. */
static int make_groups(struct splitting *s, bool everything)
{
    enum { HUB_ALWAYS = 40 };
    struct walk w = {.s = s};
    int groups = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->all[i].group = NO_GROUP;
        if (is_movable(&s->all[i], everything) && degree(&s->all[i]) > HUB_ALWAYS)
            put_in(s, &s->all[i], ROOT);
    }
    for (size_t i = 0; i < s->n; i++) {
        while (s->all[i].group == NO_GROUP && is_movable(&s->all[i], everything)) {
            flood(s, i, groups, everything, &w);
            struct split_resource *hub = w.queue.n > s->limits->fill ? hub_of(s, &w) : NULL;
            if (!hub) {
                groups++;
                break;
            }
            put_in(s, hub, ROOT);
            for (size_t k = 0; k < w.queue.n; k++)
                s->all[w.queue.p[k]].group = NO_GROUP;
        }
    }
    return groups;
}

/* ---- the stack for a group ---- */

struct members {
    size_t *p;
    size_t n;
};

static bool fits(struct splitting *s, struct members g, int stack, bool filling)
{
    const struct splitting_stack *p = &s->nested.p[stack];
    size_t bytes = p->bytes;
    for (size_t i = 0; i < g.n; i++)
        bytes += s->all[g.p[i]].bytes;
    if (p->count + g.n > (filling ? s->limits->fill : s->limits->most) ||
        bytes > (filling ? s->limits->fill_bytes : s->limits->most_bytes))
        return false;
    if (stack == ROOT)
        return true;
    struct map imports = MAP(s->arena), exports = MAP(s->arena);
    size_t more_in = 0, more_out = 0;
    for (size_t i = 0; i < g.n; i++)
        s->all[g.p[i]].stack = stack;
    for (size_t i = 0; i < g.n; i++)
        count_names(s, &s->all[g.p[i]], stack, &imports, &exports);
    for (size_t i = 0; i < g.n; i++)
        s->all[g.p[i]].stack = UNASSIGNED;
    for (size_t i = 0; i < imports.n; i++)
        more_in += !map_has(&p->imports, imports.entries[i].key);
    for (size_t i = 0; i < exports.n; i++)
        more_out += !map_has(&p->exports, exports.entries[i].key);
    return p->imports.n + more_in <= s->limits->names &&
           p->exports.n + more_out <= s->limits->names;
}

/* Would the nested stack need itself, through others, with the group in it? */
static bool makes_circle(struct splitting *s, struct members g, int stack)
{
    struct splitting_stack *p = &s->nested.p[stack];
    size_t needs = p->needs.n;
    if (stack == ROOT)
        return false;
    for (size_t i = 0; i < g.n; i++) {
        struct split_resource *r = &s->all[g.p[i]];
        r->stack = stack;
        for (size_t k = 0; k < r->needs.n; k++)
            vec_push(s->arena, &p->needs, r->needs.p[k]);
    }
    bool circle = walk_around(s, stack, false);
    for (size_t i = 0; i < g.n; i++)
        s->all[g.p[i]].stack = UNASSIGNED;
    p->needs.n = needs;
    return circle;
}

static bool try_stack(struct splitting *s, struct members g, int stack, bool filling)
{
    if (!fits(s, g, stack, filling) || makes_circle(s, g, stack))
        return false;
    for (size_t i = 0; i < g.n; i++)
        s->all[g.p[i]].stack = stack; /* all of them, before names are counted */
    for (size_t i = 0; i < g.n; i++)
        put_in(s, &s->all[g.p[i]], stack);
    return true;
}

/* The stack with what the group is connected with; UNASSIGNED: there is none. */
static int neighbour(struct splitting *s, struct members g)
{
    int root = UNASSIGNED;
    for (size_t i = 0; i < g.n; i++) {
        const struct split_resource *r = &s->all[g.p[i]];
        for (size_t k = 0; k < degree(r); k++) {
            const struct split_resource *other =
                &s->all[k < r->needs.n ? r->needs.p[k] : r->needed_by.p[k - r->needs.n]];
            if (other->stack > ROOT && other->existing)
                return other->stack;
            if (other->stack == ROOT && other->existing && !other->fixed && !is_root_type(other) &&
                degree(other) < 20)
                root = ROOT;
        }
    }
    return root;
}

static bool assign_group(struct splitting *s, struct members g)
{
    int near = neighbour(s, g);
    if (near != UNASSIGNED && (near != ROOT || s->nested.p[ROOT].count + g.n <= s->limits->alone) &&
        try_stack(s, g, near, false))
        return true;
    for (size_t p = 1; p < s->nested.n; p++)
        if (try_stack(s, g, (int)p, true))
            return true;
    if (try_stack(s, g, new_stack(s), g.n <= s->limits->fill))
        return true;
    s->nested.n--;
    return g.n == 1 && try_stack(s, g, ROOT, false);
}

static int say_no_room(const struct splitting *s, size_t i, struct err *err)
{
    return err_set(err, ERR_FAILED,
                   "resource '%.*s' fits into no stack: CloudFormation takes 500 resources, "
                   "1 MB and 200 parameters or outputs in each",
                   STR_ARG(s->all[i].id));
}

/* Put the members of the group into `ret`, each after those that it needs. */
static void by_need(struct splitting *s, size_t i, int group, struct members *ret)
{
    struct split_resource *r = &s->all[i];
    if (r->group != group)
        return;
    r->group = IN_QUEUE;
    for (size_t k = 0; k < r->needs.n; k++)
        by_need(s, r->needs.p[k], group, ret);
    ret->p[ret->n++] = i;
}

static int assign_groups(struct splitting *s, bool everything, struct err *err)
{
    int groups = make_groups(s, everything);
    struct members *all = ARENA_ARRAY(s->arena, (size_t)groups + 1, struct members);
    size_t *room = ARENA_ARRAY(s->arena, s->n + 1, size_t), used = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].group >= 0)
            all[s->all[i].group].n++;
    for (int g = 0; g < groups; g++) {
        all[g].p = room + used;
        used += all[g].n;
        all[g].n = 0;
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].group >= 0)
            by_need(s, i, s->all[i].group, &all[s->all[i].group]);
    for (int g = 0; g < groups; g++) {
        if (assign_group(s, all[g]))
            continue;
        for (size_t i = 0; i < all[g].n; i++)
            if (!assign_group(s, (struct members){&all[g].p[i], 1}))
                return say_no_room(s, all[g].p[i], err);
    }
    return 0;
}

/* ---- assigning everything ---- */

static void assign_existing(struct splitting *s, const struct map *assigned)
{
    for (size_t i = 0; assigned && i < assigned->n; i++) {
        struct str id = str_c(assigned->entries[i].value);
        int64_t number;
        if (id.n && stack_named(s, id) == UNASSIGNED &&
            str_to_int(str_sub(id, sizeof PART_PREFIX - 1, id.n), &number))
            add_stack(s, id, number);
    }
    /* all stacks first: only then is it known which values cross between stacks */
    for (size_t i = 0; i < s->n; i++)
        if (assigned && map_has(assigned, s->all[i].id)) {
            s->all[i].stack = stack_named(s, str_c(map_get(assigned, s->all[i].id)));
            s->all[i].existing = s->all[i].stack != UNASSIGNED;
        }
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].existing)
            put_in(s, &s->all[i], s->all[i].stack);
}

static bool is_small(const struct splitting *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->n; i++) {
        bytes += s->all[i].bytes;
        if (s->all[i].stack > ROOT)
            return false;
    }
    return s->n <= s->limits->alone && bytes <= s->limits->fill_bytes &&
           node_count(node_get_c(s->flat, "Outputs")) <= s->limits->names;
}

static void rest_to_root(struct splitting *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].stack == UNASSIGNED)
            put_in(s, &s->all[i], ROOT);
}

/* Would the root be too large with all resources that have no stack yet? Then more kinds of
 * resources go into nested stacks. */
static bool root_overflows(const struct splitting *s)
{
    size_t count = s->nested.p[ROOT].count, bytes = s->nested.p[ROOT].bytes;
    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].stack == UNASSIGNED) {
            count++;
            bytes += s->all[i].bytes;
        }
    return count + s->nested.n > s->limits->most || bytes > s->limits->most_bytes;
}

static int check_no_circle(struct splitting *s, struct err *err)
{
    for (int stack = 1; stack < (int)s->nested.n; stack++) {
        if (!walk_around(s, stack, false))
            continue;
        const struct split_resource *found = NULL, *some = NULL;
        size_t forward = s->stamp;
        bool *needed = ARENA_ARRAY(s->arena, s->n + 1, bool);
        for (size_t i = 0; i < s->n; i++)
            needed[i] = s->all[i].stamp == forward && s->all[i].stack != stack;
        walk_around(s, stack, true);
        for (size_t i = 0; i < s->n && !found; i++) {
            some = needed[i] && s->all[i].stack > ROOT ? &s->all[i] : some;
            found = needed[i] && s->all[i].stamp == s->stamp ? &s->all[i] : NULL;
        }
        return say_circle(s, stack, found ? found : some, err);
    }
    return 0;
}

/* ---- outputs ---- */

struct telling {
    const struct splitting *s;
    /* stack of all resources that the Output refers to; UNASSIGNED: it refers to none so far */
    int stack;
    bool several;
};

static void tell(void *context, const struct cfn_value *v)
{
    struct telling *t = context;
    const struct split_resource *of = map_get(&t->s->index, v->id);
    if (!of)
        return;
    t->several |= t->stack != UNASSIGNED && t->stack != of->stack;
    t->stack = of->stack;
}

/* The nested stack that could have the Output; ROOT: none. */
static int stack_told(struct splitting *s, const struct member *output)
{
    struct telling t = {s, UNASSIGNED, false};
    if (str_starts(output->key, STR("Troupe"))) /* troupe reads these from the root */
        return ROOT;
    cfn_each_value(output->value, tell, &t);
    return t.several || t.stack == UNASSIGNED ? ROOT : t.stack;
}

/* Assign Outputs. A stack has few, and one that is exported cannot move to another stack, so they
 * stay in the root. Those of a template with many go to the stack of the resource that they refer
 * to. */
static void assign_outputs(struct splitting *s, const struct map *assigned)
{
    const struct node *outputs = node_get_c(s->flat, "Outputs");
    size_t in_root = node_count(outputs);
    struct map stacks = MAP(s->arena);
    member_each (m, outputs) {
        struct str key = str_concat(s->arena, STR(OUTPUT_PREFIX), m->key);
        const char *now = assigned ? map_get(assigned, key) : NULL;
        struct split_output *o = ARENA_NEW(s->arena, struct split_output);
        int told = stack_told(s, m);
        *o = (struct split_output){now && stack_named(s, str_c(now)) != told ? ROOT : told,
                                   m->value};
        map_put(&stacks, m->key, o);
        in_root -= now && o->stack != ROOT;
    }
    bool many = in_root > s->limits->names * 3 / 4;
    member_each (m, outputs) {
        struct split_output *o = map_get(&stacks, m->key);
        bool now = assigned && map_has(assigned, str_concat(s->arena, STR(OUTPUT_PREFIX), m->key));
        if (o->stack != ROOT && (now || many))
            map_put(&s->outputs, m->key, o);
    }
}

int split_assign(struct splitting *s, const struct map *assigned, struct err *err)
{
    s->outputs = MAP(s->arena);
    read_resources(s);
    add_stack(s, STR(""), 0);
    assign_existing(s, assigned);
    if (is_small(s)) {
        s->nested.n = 1;
        return 0;
    }
    if (close_circles(s, err) < 0 || assign_groups(s, false, err) < 0 ||
        (root_overflows(s) && assign_groups(s, true, err) < 0))
        return -1;
    rest_to_root(s);
    assign_outputs(s, assigned);
    return check_no_circle(s, err);
}
