/* Rights: what the roles of functions may do while a stage goes from one template to another.
 *
 * Lambda asks a function's role when the function is published with a network, tracing or a
 * dead-letter queue, and when a destination or an event source is set (Lambda developer guide,
 * "Defining Lambda function permissions with an execution role"). So what a role gets comes before
 * all that (layout_grant). What it loses goes last (layout_keep_rights), because the versions that
 * serve until the pointers have moved run under the same role. A permissions boundary cannot be
 * joined; it changes with the pointers. */
#include "layout/layout_internal.h"

/* IAM's quotas, in characters without white space (IAM user guide, "IAM and AWS STS quotas"). */
enum { ROLE_MAX = 10240, MANAGED_POLICY_MAX = 6144 };

static const struct {
    const char *name; /* of a property of a role or a policy */
    const struct node *(*join)(struct rights_joining *, const struct node *, const struct node *);
} joined_properties[] = {
    {"AssumeRolePolicyDocument", policies_join_documents},
    {"ManagedPolicyArns", policies_join_lists},
    {"Policies", policies_join},
    {"PolicyDocument", policies_join_documents},
    {"Roles", policies_join_lists},
};

static const char *const policy_types[] = {"AWS::IAM::Policy", "AWS::IAM::RolePolicy",
                                           "AWS::IAM::ManagedPolicy", NULL};

static bool is_role(const struct node *resource)
{
    return node_is_text(node_get_c(resource, "Type"), "AWS::IAM::Role");
}

static bool is_policy(const struct node *resource)
{
    for (size_t i = 0; policy_types[i]; i++)
        if (node_is_text(node_get_c(resource, "Type"), policy_types[i]))
            return true;
    return false;
}

static const struct node *property_of(const struct node *resource, const char *name)
{
    return node_get_c(node_get_c(resource, "Properties"), name);
}

/* ---- whose rights ---- */

/* The roles of functions, and the policies that roles and policies name. */
struct holders {
    const struct node *resources;
    struct map ids;
};

static void put_role(void *context, const struct cfn_value *v)
{
    struct holders *h = context;
    if (is_role(node_get(h->resources, v->id)))
        map_put(&h->ids, v->id, h);
}

static void put_policy(void *context, const struct cfn_value *v)
{
    struct holders *h = context;
    if (is_policy(node_get(h->resources, v->id)))
        map_put(&h->ids, v->id, h);
}

/* Is the policy attached to one of the roles, or to a role outside the template, which functions
 * may run under? */
static bool is_attached(const struct holders *h, const struct node *policy)
{
    const struct node *roles = property_of(policy, "Roles"),
                      *name = property_of(policy, "RoleName");
    struct cfn_value v;
    if (name)
        return !cfn_is_value(name, &v) || map_has(&h->ids, v.id) || !node_get(h->resources, v.id);
    node_each (role, roles)
        if (!cfn_is_value(role, &v) || map_has(&h->ids, v.id) || !node_get(h->resources, v.id))
            return true;
    return roles && !node_is(roles, NODE_SEQ);
}

/* `all`: also of functions that each stage has of its own, whose roles CloudFormation makes before
 * them. */
static struct holders holders_of(struct arena *a, const struct node *template, bool all)
{
    struct holders h = {node_get_c(template, "Resources"), MAP(a)};
    member_each (m, node_get_c(template, "Outputs"))
        if (str_starts(m->key, STR(LAYOUT_VALUE)))
            cfn_each_value(m->value, put_role, &h);
    member_each (m, h.resources)
        if (all && node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Function"))
            cfn_each_value(property_of(m->value, "Role"), put_role, &h);
    for (size_t i = 0, n = h.ids.n; i < n; i++)
        cfn_each_value(
            property_of(node_get(h.resources, h.ids.entries[i].key), "ManagedPolicyArns"),
            put_policy, &h);
    member_each (m, h.resources)
        if (is_policy(m->value) && is_attached(&h, m->value))
            map_put(&h.ids, m->key, h.resources);
    return h;
}

/* ---- joining ---- */

/* Resource `base` with the rights of `more`. */
static const struct node *join(struct rights_joining *j, const struct node *base,
                               const struct node *more)
{
    const struct node *out = base;
    for (size_t i = 0; i < sizeof joined_properties / sizeof *joined_properties; i++) {
        const char *name = joined_properties[i].name;
        const struct node *had = property_of(base, name), *wanted = property_of(more, name);
        const struct node *both =
            node_equal(had, wanted) ? had : joined_properties[i].join(j, had, wanted);
        if (both != had)
            out = cfn_with_property(j->arena, out, name, node_count(both) ? both : NULL);
    }
    return out;
}

const struct node *layout_join_rights(struct arena *a, const struct node *before,
                                      const struct node *after)
{
    struct rights_joining j = {.arena = a, .ids = MAP(a)};
    if ((!is_role(before) && !is_policy(before)) ||
        !str_eq(cfn_type_of(before), cfn_type_of(after)))
        return before;
    return join(&j, before, after);
}

static const struct node *ended(struct rights_joining *j, const struct map *joined, bool newer)
{
    struct map no_values = MAP(j->arena);
    for (size_t i = 0; i < joined->n; i++)
        map_put(&j->ids, joined->entries[i].key, joined->entries[i].value);
    return j->ids.n ? template_of_both(j->arena, j->from, j->into, newer, &j->ids, &no_values)
                    : NULL;
}

/* ---- what comes first ---- */

/* A role that lacks a right for now: its functions are published later. */
static void let_wait(const struct layout *layout, struct str role, struct map *ret_waiting)
{
    for (size_t i = 0; i < layout->value_count; i++)
        if (cfn_mentions(layout->values[i].expression, role))
            map_put(ret_waiting, layout->values[i].output, &layout->values[i]);
}

const struct node *layout_grant(struct arena *a, const struct layout *layout,
                                const struct node *target, const struct node *now,
                                struct map *ret_waiting)
{
    struct rights_joining j = {.arena = a, .from = target, .into = now, .ids = MAP(a)};
    struct holders h = holders_of(a, target, false);
    struct map joined = MAP(a);
    for (size_t i = 0; i < h.ids.n; i++) {
        struct str id = h.ids.entries[i].key;
        const struct node *after = node_get(h.resources, id);
        const struct node *before = node_get(node_get_c(now, "Resources"), id);
        j.waits = false;
        if (!before && is_policy(after)) /* a new role comes with the values that need it */
            joining_admit(&j, id, NULL);
        if (!before || !str_eq(cfn_type_of(before), cfn_type_of(after)))
            continue;
        const struct node *both =
            cfn_keeps_identity(before, after) ? join(&j, before, after) : join(&j, after, before);
        if (!node_equal(both, before))
            map_put(&joined, id, both);
        if (j.waits && is_role(after))
            let_wait(layout, id, ret_waiting);
    }
    const struct node *out = ended(&j, &joined, true);
    return out ? layout_with_a_resource(a, out) : NULL;
}

/* ---- what goes last ---- */

static bool pointers_move(const struct node *now, const struct node *target)
{
    member_each (m, node_get_c(now, "Resources")) {
        const struct node *after = node_get(node_get_c(target, "Resources"), m->key);
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Alias") &&
            !node_equal(node_get_c(m->value, "Properties"), node_get_c(after, "Properties")))
            return true;
    }
    return false;
}

const struct node *layout_keep_rights(struct arena *a, const struct node *target,
                                      const struct node *now)
{
    struct rights_joining j = {.arena = a, .from = now, .into = target, .ids = MAP(a)};
    struct holders h = holders_of(a, now, true);
    struct map joined = MAP(a);
    if (!pointers_move(now, target))
        return NULL;
    for (size_t i = 0; i < h.ids.n; i++) {
        struct str id = h.ids.entries[i].key;
        const struct node *before = node_get(h.resources, id);
        const struct node *after = node_get(node_get_c(target, "Resources"), id);
        if (!after || !cfn_keeps_identity(before, after))
            continue;
        const struct node *both = join(&j, after, before);
        if (both != after)
            map_put(&joined, id, both);
    }
    const struct node *out = joined.n ? ended(&j, &joined, false) : NULL;
    return out ? cfn_with(a, out, "Description", node_get_c(target, "Description")) : NULL;
}

bool layout_changes_rights(const struct node *before, const struct node *after)
{
    const struct node *resources = node_get_c(before, "Resources");
    member_each (m, node_get_c(after, "Resources"))
        if ((is_role(m->value) || is_policy(m->value)) &&
            !node_equal(node_get(resources, m->key), m->value))
            return true;
    return false;
}

bool layout_shares_rights(const struct node *service_template)
{
    struct str role = STR("IamRoleLambdaExecution");
    member_each (m, node_get_c(service_template, "Resources")) {
        ptrdiff_t at = str_find(m->key, role, 0); /* "Hello" in front: the role of a function */
        bool hashed = at >= 0 && m->key.n > (size_t)at + role.n;
        if (!hashed && !str_eq(m->key, STR(LAYOUT_HEAD_ROLE)) &&
            (is_role(m->value) || is_policy(m->value)))
            return true;
    }
    return false;
}

/* ---- quotas ---- */

/* The fewest characters that it has in JSON; a value that only CloudFormation knows counts as one.
 */
static size_t least_size(const struct node *n)
{
    size_t size = 0;
    struct cfn_sub s;
    if (node_is(n, NODE_STRING) || node_is(n, NODE_NUMBER) || node_is(n, NODE_BOOL))
        return node_text(n).n + (node_is(n, NODE_STRING) ? strlen("\"\"") : 0);
    if (cfn_sub_of(n, &s)) {
        while (cfn_sub_next(&s))
            size += s.before.n + 1;
        return strlen("\"\"") + size + s.before.n;
    }
    if (node_get_c(n, "Fn::Join")) {
        node_each (part, node_path(n, "Fn::Join.1"))
            size += node_is(part, NODE_STRING) ? part->text.n : 1;
        return strlen("\"\"") + size;
    }
    if (cfn_is_function(n))
        return strlen("\"\"");
    node_each (item, n)
        size += least_size(item) + strlen(",");
    member_each (m, n)
        size += strlen("\"\":,") + m->key.n + least_size(m->value);
    return strlen("{}") + size - (node_count(n) > 0); /* one comma less than items */
}

static size_t size_of_role(const struct node *resources, struct str id)
{
    size_t size = 0;
    node_each (policy, property_of(node_get(resources, id), "Policies"))
        size += least_size(node_get_c(policy, "PolicyDocument"));
    member_each (m, resources)
        if (is_policy(m->value) &&
            !node_is_text(node_get_c(m->value, "Type"), "AWS::IAM::ManagedPolicy") &&
            (cfn_mentions(property_of(m->value, "Roles"), id) ||
             cfn_mentions(property_of(m->value, "RoleName"), id)))
            size += least_size(property_of(m->value, "PolicyDocument"));
    return size;
}

static int check_size(const struct node *target, struct str id, size_t size, size_t max,
                      struct err *err)
{
    const struct node *resource = node_get(node_get_c(target, "Resources"), id);
    if (size <= max)
        return 0;
    err_at(err, node_pos(resource), ERR_REFUSED,
           "while functions move, '%.*s' has its old rights and its new ones: that is %zu "
           "characters or more, and IAM takes %zu",
           STR_ARG(id), size, max);
    return err_help(err, "put some of the statements into an AWS::IAM::ManagedPolicy of their own, "
                         "or first deploy with fewer changes of rights");
}

static int check_sizes(const struct node *template, const struct node *target, struct err *err)
{
    const struct node *resources = node_get_c(template, "Resources");
    member_each (m, resources) {
        bool managed = node_is_text(node_get_c(m->value, "Type"), "AWS::IAM::ManagedPolicy");
        if (is_role(m->value) &&
            check_size(target, m->key, size_of_role(resources, m->key), ROLE_MAX, err) < 0)
            return -1;
        if (managed &&
            check_size(target, m->key, least_size(property_of(m->value, "PolicyDocument")),
                       MANAGED_POLICY_MAX, err) < 0)
            return -1;
    }
    return 0;
}

int layout_check_rights(struct arena *a, const struct layout *layout, const struct node *target,
                        const struct node *now, struct err *err)
{
    struct map waiting = MAP(a);
    const struct node *granted = layout_grant(a, layout, target, now, &waiting);
    const struct node *kept = layout_keep_rights(a, target, now);
    return check_sizes(granted, target, err) < 0 ? -1 : check_sizes(kept, target, err);
}
