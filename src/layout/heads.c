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

/* Properties that cannot change after creation. Source: CloudFormation registry schema of
 * AWS::Lambda::Function (createOnlyProperties) and, for the last two, their documentation. */
static const char *const fixed[] = {"PackageType", "TenancyConfig", "DurableConfig",
                                    "CodeSigningConfigArn"};

static void add_fixed(struct laying *l, struct node *properties, const struct node *from)
{
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        node_put_c(l->arena, properties, fixed[i], node_get_c(from, fixed[i]));
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

struct node *head_of_function(struct laying *l, const struct layout_function *f,
                              const struct node *flat)
{
    struct arena *a = l->arena;
    const struct node *from = node_get_c(flat, "Properties");
    struct node *properties = node_map(a), *head = node_map(a);
    node_put_str(a, properties, "FunctionName", f->name);
    node_put_c(a, properties, "Role", node_get_att(a, STR(HEAD_ROLE), "Arn"));
    if (f->image) {
        struct node *code = node_map(a);
        node_put_c(a, code, "ImageUri", f->image);
        node_put_c(a, properties, "Code", code);
    } else {
        node_put_str(a, properties, "Runtime", str_c(placeholder.runtime));
        node_put_str(a, properties, "Handler", str_c(placeholder.handler));
        node_put_c(a, properties, "Code", inline_code(a));
    }
    add_fixed(l, properties, from);
    add_tags(l, properties, from, f);
    const struct node *reserved = node_get_c(from, "ReservedConcurrentExecutions");
    if (reserved && !(node_flags_deep(reserved) & NODE_STAGE))
        node_put_c(a, properties, "ReservedConcurrentExecutions", reserved);
    node_put_str(a, head, "Type", STR("AWS::Lambda::Function"));
    node_put_c(a, head, "Properties", properties);
    return node_from(head, flat);
}

bool layout_is_head(const struct node *resource)
{
    return node_is_text(node_get_c(resource, "Type"), "AWS::Lambda::Function") &&
           node_is_text(node_path(resource, "Properties.Role.Fn::GetAtt.0"), HEAD_ROLE);
}

/* A role that allows nothing: heads are not meant to run. */
struct node *head_role(struct arena *a)
{
    struct str name = STR("lambda.amazonaws.com");
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
    node_put_str(a, role, "Type", STR("AWS::IAM::Role"));
    node_put_c(a, role, "Properties", properties);
    return role;
}
