/* References: each is turned into one that finds its target in the target's stack. */
#include "layout/layout_internal.h"

struct str own_rest_stage(const struct laying *l)
{
    const struct placement *p = placement_of(l, l->compiled->rest_deployment_id);
    return l->compiled->rest_api_id.n && p && p->scope == SCOPE_STAGE ? STR(REST_STAGE_ID)
                                                                      : STR("");
}

/* The name of a value of the service stack: of an Output there, and of a Parameter of the stage
 * stack. */
static struct str service_value(struct laying *l, struct str id, struct str attribute)
{
    struct arena *a = l->arena;
    struct str name = str_concat(a, id, cfn_name_text(a, attribute));
    if (!node_get(l->service_outputs, name)) {
        struct node *output = node_map(a);
        node_put_c(a, output, "Value",
                   attribute.n ? node_get_att(a, id, str_z(a, attribute)) : node_ref(a, id));
        node_put_c(a, output, "Condition", node_get_c(node_get(l->flat, id), "Condition"));
        node_put(a, l->service_outputs, name, output);
    }
    if (!node_get(l->stage_parameters, name)) {
        struct node *parameter = node_map(a);
        node_put_str(a, parameter, "Type", STR("String"));
        if (node_get_c(node_get(l->flat, id), "Condition")) /* the service stack may not have it */
            node_put_str(a, parameter, "Default", STR(""));
        node_put(a, l->stage_parameters, name, parameter);
    }
    return name;
}

/* Is `id` the AWS::ApiGateway::Stage that the user describes? Its Ref is its name. */
static bool is_stage(const struct laying *l, struct str id)
{
    return l->described_stage.n && str_eq(l->described_stage, id);
}

struct turning {
    struct laying *laying;
    enum reference_mode mode;
    struct err *err; /* the first fault, if any */
};

static struct node *deployment_hole(struct arena *a, struct str api)
{
    return node_fn(a, "Troupe::Deployment", node_str(a, api));
}

static struct node *refuse(const struct turning *t, const struct cfn_value *v, const char *what)
{
    if (t->err->kind == ERR_NONE)
        err_at(t->err, v->at->pos, ERR_CONFIG, "%s '%.*s'", what, STR_ARG(v->attribute));
    return NULL;
}

/* What a reference to a shared function, or to its version, becomes in the stage template. */
static struct node *turn_function(const struct turning *t, const struct placement *p,
                                  const struct cfn_value *v)
{
    struct arena *a = t->laying->arena;
    const struct layout_function *f = p->function;
    if (!v->attribute.n && p->scope == SCOPE_HEAD)
        return node_strf(a, "%.*s:%.*s", STR_ARG(f->name), STR_ARG(t->laying->service->stage));
    if (str_eq(v->attribute, STR("Version")) && v->form != CFN_IN_SUB)
        return node_fn(a, "Troupe::Version", node_str(a, f->key));
    if (v->attribute.n && !str_eq(v->attribute, STR("Arn")) &&
        !str_eq(v->attribute, STR("FunctionArn")))
        return refuse(t, v, "a shared function has no attribute");
    if (t->mode == REFERENCE_POINTER) /* the Ref of a version is an ARN, too */
        return node_ref(a, f->alias_id);
    return node_fn(
        a, "Fn::Sub",
        node_strf(
            a, "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:%.*s:%.*s",
            STR_ARG(f->name), STR_ARG(t->laying->service->stage)));
}

static struct node *turn_other(const struct turning *t, const struct placement *p,
                               const struct cfn_value *v)
{
    struct laying *l = t->laying;
    bool in_sub = v->form == CFN_IN_SUB;
    if (is_stage(l, v->id) && (in_sub || !v->attribute.n))
        return in_sub ? node_str(l->arena, l->service->stage)
                      : node_ref(l->arena, p->api ? p->api->stage_id : own_rest_stage(l));
    if (p->scope == SCOPE_NOWHERE && in_sub)
        return NULL;
    if (p->scope == SCOPE_NOWHERE && p->api && !v->attribute.n)
        return deployment_hole(l->arena, p->api->id);
    if (t->mode == REFERENCE_SERVICE || p->scope == SCOPE_STAGE)
        return cfn_value_node(
            l->arena,
            &(struct cfn_value){.id = p->id, .attribute = v->attribute, .computed = v->computed});
    if (v->computed)
        return refuse(t, v, "what is in the service's stack needs its attribute written out, not");
    return node_ref(l->arena, service_value(l, p->id, v->attribute));
}

static const struct node *turn(void *context, struct arena *a, const struct cfn_value *v)
{
    const struct turning *t = context;
    const struct placement *p = placement_of(t->laying, v->id);
    (void)a;
    if (!p || (p->scope == SCOPE_STAGE && str_eq(p->id, v->id)))
        return NULL;
    struct node *out =
        p->function && p->scope != SCOPE_STAGE ? turn_function(t, p, v) : turn_other(t, p, v);
    return out ? node_from(out, v->at) : NULL;
}

const struct node *references_rewrite(struct laying *l, const struct node *tree,
                                      enum reference_mode mode, struct err *err)
{
    struct turning t = {l, mode, err};
    const struct node *out = cfn_replace_values(l->arena, tree, turn, &t);
    return err->kind == ERR_NONE ? out : NULL;
}

const struct node *references_depends_on(struct laying *l, const struct node *depends_on,
                                         struct str pointer)
{
    struct arena *a = l->arena;
    struct node *out = node_seq(a);
    struct map seen = MAP(a);
    node_each (item, depends_on) {
        const struct placement *p = placement_of(l, node_text(item));
        struct str id = node_text(item);
        if (own_rest_stage(l).n && (is_stage(l, id) || str_eq(id, l->compiled->rest_deployment_id)))
            id = own_rest_stage(l); /* what waits for a deployment wants it served */
        else if (p && p->scope != SCOPE_STAGE)
            id = p->function ? p->function->alias_id : p->api ? p->api->stage_id : STR("");
        else if (p)
            id = p->id;
        if (!id.n || map_has(&seen, id))
            continue;
        map_put(&seen, id, item);
        node_push(a, out, node_str(a, id));
    }
    if (pointer.n)
        node_push(a, out, node_str(a, pointer));
    return out->count ? out : NULL;
}
