/* Deleting and emptying what is ours. */
#include "release/dispose/dispose_internal.h"

#include "aws/services/destroy.h"
#include "release/stack/stack.h"

/* ---- stacks and what is in them ---- */

static bool has_our_tags(const struct release *r, const struct stack *stack)
{
    return r->service->name.n &&
           str_eq(node_text(node_get_c(stack->tags, TAG_SERVICE)), r->service->name);
}

int dispose_content(const struct release *r, const struct stack *stack,
                    const struct content *bucket, struct err *err)
{
    struct str name = bucket->physical_id;
    size_t n;
    if (!has_our_tags(r, stack) || !bucket->goes || !name.n ||
        !str_eq(bucket->type, STR("AWS::S3::Bucket")))
        return dispose_refuse("what is in", name, OURS_RESOURCE, err);
    release_progress(r, "remove", "emptying bucket '%.*s'", STR_ARG(name));
    if (s3_empty(r->arena, r->aws, name, STR(""), &n, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return err_wrap(err, "empty bucket '%.*s'", STR_ARG(name));
        err_clear(err);
        return 0;
    }
    dispose_note(r, FATE_EMPTIED, bucket->type, name,
                 str_fmt(r->arena, "%s: '%.*s' of '%.*s'", dispose_reasons[OURS_RESOURCE],
                         STR_ARG(bucket->id), STR_ARG(stack->name)));
    return 0;
}

/* Versions are kept for rollbacks, not by a stack that goes: they go with their function. Functions
 * at the edge go afterwards (edge_functions.h). */
static bool goes_later(const struct content *c)
{
    return str_eq(c->type, STR("AWS::Lambda::Version")) || c->at_edge;
}

int dispose_stack(const struct release *r, const struct stack *stack, enum ours why,
                  const struct contents *contents, struct err *err)
{
    struct arena *a = r->arena;
    struct str token;
    if (why == OURS_ADOPTED ? has_our_tags(r, stack) : why != OURS_STACK || !has_our_tags(r, stack))
        return dispose_refuse("stack", stack->name, why, err);
    token = stack_token(a);
    if (cloudformation_delete(a, r->aws, stack->name, token, NULL, err) < 0)
        return err_wrap(err, "delete stack '%.*s'", STR_ARG(stack->name));
    if (stack_await_deletion(r, stack->name, stack->id, token, err) < 0)
        return -1;
    dispose_note(r, FATE_DELETED, STR("stack"), stack->name, str_c(dispose_reasons[why]));
    for (size_t i = 0; contents && i < contents->n; i++)
        if (!contents->p[i].goes && !goes_later(&contents->p[i]))
            dispose_keep(r, contents->p[i].type, contents->p[i].physical_id, contents->p[i].kept);
    return 0;
}

/* Stacks put their tags on the functions that they make, and those stay on what they keep. */
bool dispose_is_of_stage(const struct release *r, const struct lambda_function *f, struct str stage)
{
    return r->service->name.n &&
           str_eq(node_text(node_get_c(f->tags, TAG_SERVICE)), r->service->name) &&
           str_eq(node_text(node_get_c(f->tags, TAG_STAGE)), stage);
}

int dispose_function(const struct release *r, struct str function, struct str stage,
                     struct err *err)
{
    struct lambda_function f;
    if (lambda_get(r->arena, r->aws, function, STR(""), &f, err) < 0) {
        if (err->kind != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    if (!dispose_is_of_stage(r, &f, stage))
        return dispose_refuse("function", function, OURS_TAGGED, err);
    if (lambda_delete_function(r->arena, r->aws, function, err) < 0)
        return -1;
    dispose_note(r, FATE_DELETED, STR("AWS::Lambda::Function"), function,
                 str_c(dispose_reasons[OURS_TAGGED]));
    return 0;
}

/* ---- snapshots ---- */

static bool says_so_itself(const struct claim *claim)
{
    return claim->why == OURS_INTENT && claim->wrote.n && str_eq(claim->wrote, claim->says);
}

int dispose_version(struct arena *a, struct aws *aws, const struct claim *claim,
                    struct str function, struct str version, struct err *err)
{
    if (!says_so_itself(claim) &&
        (claim->why != OURS_RECORD || !record_names_version(claim->record, function, version)))
        return dispose_refuse("version",
                              str_fmt(a, "%.*s:%.*s", STR_ARG(function), STR_ARG(version)),
                              claim->why, err);
    return lambda_delete_version(a, aws, function, version, err);
}

int dispose_deployment(struct arena *a, struct aws *aws, const struct claim *claim,
                       const struct gateway *gateway, struct str api, struct str deployment,
                       struct err *err)
{
    if (!says_so_itself(claim) &&
        (claim->why != OURS_RECORD || !record_names_deployment(claim->record, api, deployment)))
        return dispose_refuse("deployment",
                              str_fmt(a, "%.*s of %.*s", STR_ARG(deployment), STR_ARG(api)),
                              claim->why, err);
    return gateway->delete_deployment(a, aws, api, deployment, err);
}
