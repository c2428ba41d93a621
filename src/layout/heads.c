/* Heads: the mutable things in the service stack that snapshots are cut from. Their text never
 * changes after creation, so that CloudFormation leaves alone what is published through them. */
#include "layout/layout_internal.h"

/* What a new head is made of. Whoever calls it instead of an alias gets this error. Another runtime
 * goes here before AWS refuses new functions of this one, a month after its deprecation; heads that
 * are there keep theirs until something is published through them. Source: Lambda developer guide,
 * "Lambda runtimes". */
static const struct {
    const char *runtime, *deprecated, *handler, *code;
} placeholder = {"nodejs24.x", "2028-04-30", "index.handler",
                 "exports.handler = async () => { throw new Error("
                 "'this function is called through its aliases, one for each stage'); };\n"};

/* Properties that a function has from its creation on: no publishing gives them to one that was
 * made without. Source: CloudFormation registry schema of AWS::Lambda::Function
 * (createOnlyProperties) and, for DurableConfig, go-to-k/cdkd#1621; code signing is of the function
 * as a whole, as its tags are. */
static const char *const made_with[] = {"PackageType", "TenancyConfig", "DurableConfig",
                                        "CodeSigningConfigArn"};

static void add_made_with(struct laying *l, struct node *properties, const struct node *from)
{
    for (size_t i = 0; i < sizeof made_with / sizeof *made_with; i++)
        node_put_c(l->arena, properties, made_with[i], node_get_c(from, made_with[i]));
}

/* Put the tags that are the same for every stage, and warn of the others: the one function that all
 * stages share cannot have each stage's. */
static void add_tags(struct laying *l, struct node *properties, const struct node *from,
                     const struct layout_function *f)
{
    struct node *tags = node_seq(l->arena);
    node_each (tag, node_get_c(from, "Tags")) {
        if (node_flags_deep(tag) & NODE_STAGE)
            vec_push(l->arena, &l->warnings,
                     str_fmt(l->arena,
                             "tag '%.*s' of function '%.*s' depends on the stage and is left out: "
                             "all stages share the function",
                             STR_ARG(node_text(node_get_c(tag, "Key"))), STR_ARG(f->key)));
        else
            node_push(l->arena, tags, tag);
    }
    if (tags->count)
        node_put_c(l->arena, properties, "Tags", tags);
}

static struct node *inline_code(struct arena *a)
{
    struct node *code = node_map(a);
    node_put_str(a, code, "ZipFile", str_c(placeholder.code));
    return code;
}

/* ---- the role ---- */

struct search {
    const struct laying *l;
    struct str found;
};

static void find_foreign_value(void *context, const struct cfn_value *v)
{
    struct search *s = context;
    const struct node *parameters = node_get_c(s->l->compiled->template, "Parameters");
    bool pseudo = str_starts(v->id, STR("AWS::")) && !str_starts(v->id, STR("AWS::Stack"));
    if (!pseudo && !node_member(parameters, v->id))
        s->found = v->id;
}

static void find_condition(void *context, const struct node *name)
{
    struct search *s = context;
    s->found = node_text(name);
}

/* What `value` takes from the stage's stack, a resource or a condition; empty: it means the same in
 * the service's template. */
static struct str stage_value(const struct laying *l, const struct node *value)
{
    struct search s = {.l = l};
    cfn_each_value(value, find_foreign_value, &s);
    cfn_each_condition(value, find_condition, &s);
    return s.found;
}

static bool stands_alone(const struct laying *l, const struct node *value)
{
    return value && !stage_value(l, value).n;
}

static const struct node *role_of(const struct laying *l, const struct layout_function *f)
{
    return node_path(node_get(l->flat, f->logical_id), "Properties.Role");
}

const struct node *head_given_role(const struct laying *l, const struct layout_function *f)
{
    const struct layout *out = l->out;
    const struct node *own = role_of(l, f);
    if (stands_alone(l, own))
        return own;
    if (node_get(l->flat, STR("IamRoleLambdaExecution"))) /* roles are made, whatever heads use */
        return NULL;
    for (size_t i = 0; i < out->function_count; i++)
        if (stands_alone(l, role_of(l, &out->functions[i])))
            return role_of(l, &out->functions[i]);
    return NULL;
}

/* Tags without those that depend on the stage: all stages share the role. */
static const struct node *shared_tags(struct arena *a, const struct node *tags)
{
    struct node *out = node_seq(a);
    node_each (tag, tags)
        if (!(node_flags_deep(tag) & NODE_STAGE))
            node_push(a, out, tag);
    return out->count ? out : NULL;
}

/* A role that allows nothing: heads are not meant to run. */
struct node *head_role(struct laying *l)
{
    struct arena *a = l->arena;
    struct str name = STR("lambda.amazonaws.com");
    const struct node *settings = compile_role_settings(a, l->service);
    const struct node *boundary = node_get_c(settings, "PermissionsBoundary");
    struct node *role = node_map(a), *properties = node_map(a), *document = node_map(a);
    struct node *statement = node_map(a), *statements = node_seq(a), *principal = node_map(a);
    node_put_str(a, principal, "Service", name);
    node_put_str(a, statement, "Effect", STR("Allow"));
    node_put_c(a, statement, "Principal", principal);
    node_put_str(a, statement, "Action", STR("sts:AssumeRole"));
    node_push(a, statements, statement);
    node_put_str(a, document, "Version", STR("2012-10-17"));
    node_put_c(a, document, "Statement", statements);
    node_put_c(a, properties, "AssumeRolePolicyDocument", document);
    node_put_c(a, properties, "Path", node_get_c(settings, "Path"));
    node_put_c(a, properties, "Tags", shared_tags(a, node_get_c(settings, "Tags")));
    if (stands_alone(l, boundary))
        node_put_c(a, properties, "PermissionsBoundary", boundary);
    else if (boundary)
        vec_push(
            a, &l->warnings,
            str_fmt(a,
                    "the role that shared functions are made with has no permissions boundary: "
                    "it is made before '%.*s', which the boundary is taken from%.*s",
                    STR_ARG(stage_value(l, boundary)), STR_ARG(place_text(a, node_pos(boundary)))));
    node_put_str(a, role, "Type", STR("AWS::IAM::Role"));
    node_put_c(a, role, "Properties", properties);
    return role;
}

/* ---- the function ---- */

struct node *head_of_function(struct laying *l, const struct layout_function *f,
                              const struct node *flat)
{
    struct arena *a = l->arena;
    const struct node *role = head_given_role(l, f);
    const struct node *from = node_get_c(flat, "Properties");
    struct node *properties = node_map(a), *head = node_map(a);
    node_put_str(a, properties, "FunctionName", f->name);
    node_put_c(a, properties, "Role", role ? role : node_get_att(a, STR(LAYOUT_HEAD_ROLE), "Arn"));
    if (f->image) {
        struct node *code = node_map(a);
        node_put_c(a, code, "ImageUri", f->image);
        node_put_c(a, properties, "Code", code);
    } else {
        node_put_str(a, properties, "Runtime", str_c(placeholder.runtime));
        node_put_str(a, properties, "Handler", str_c(placeholder.handler));
        node_put_c(a, properties, "Code", inline_code(a));
    }
    add_made_with(l, properties, from);
    add_tags(l, properties, from, f);
    node_put_str(a, head, "Type", STR("AWS::Lambda::Function"));
    node_put_c(a, head, "Properties", properties);
    return node_from(head, flat);
}

bool layout_is_head(const struct layout *layout, struct str id)
{
    for (size_t i = 0; i < layout->function_count; i++)
        if (!layout->functions[i].per_stage && str_eq(layout->functions[i].logical_id, id))
            return true;
    return false;
}
