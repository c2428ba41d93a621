/* Definitions with their values filled in, as far as those are known. */
#include "release/plan/plan.h"

#include "base/hash.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/publish/definition.h"

struct known {
    const struct release *r;
    struct plan *plan;
    bool create; /* may the service's key be made? */
};

const struct node *values_now(const struct world *w, struct str name)
{
    bool of_stage = str_starts(name, STR(LAYOUT_VALUE));
    return node_get(of_stage ? w->stage.outputs : w->service.outputs, name);
}

/* One that a stack has now, noted for the record. */
static const struct node *take(struct known *k, struct str name)
{
    const struct node *value = values_now(&k->plan->world, name);
    if (value)
        map_put(&k->plan->values, name, value);
    return value;
}

static const struct node *lookup(void *context, struct arena *a, struct str name)
{
    struct known *k = context;
    const struct world *w = &k->plan->world;
    const struct {
        struct str name, value;
    } pseudo[] = {{STR("AWS::Region"), aws_region(k->r->aws)},
                  {STR("AWS::AccountId"), w->account},
                  {STR("AWS::Partition"), w->partition},
                  {STR("AWS::URLSuffix"), aws_url_suffix(k->r->aws)},
                  {STR("AWS::StackName"), w->stage_name}};
    for (size_t i = 0; i < sizeof pseudo / sizeof *pseudo; i++)
        if (str_eq(name, pseudo[i].name))
            return node_str(a, pseudo[i].value);
    if (map_has(&k->plan->waiting, name)) /* the stack may still have an old one */
        return NULL;
    if (str_starts(name, STR(LAYOUT_VALUE)))
        return take(k, name);
    /* The service may still show a value that has the name of a resource of the stage. */
    const struct node *parameters =
        node_get_c(k->plan->target.layout->stage_template, "Parameters");
    return node_get(parameters, name) ? take(k, name) : NULL;
}

static const struct node *resolve_tree(struct known *k, const struct node *tree, struct err *err)
{
    if (plan_dynamic_check(k->r, k->plan, tree, err) < 0)
        return NULL;
    const struct node *out = layout_resolve(k->r->arena, tree, lookup, k, err);
    return out ? plan_dynamic_values(k->r, k->plan, out, err) : NULL;
}

static int resolve_one(struct known *k, struct function_plan *f, struct err *err)
{
    struct arena *a = k->r->arena;
    const struct node *image = NULL;
    const struct node *properties = resolve_tree(k, f->function->definition, err);
    if (!properties || (f->function->image && !(image = resolve_tree(k, f->function->image, err))))
        return -1;
    if (definition_complete(a, f->function, properties, image, &f->configuration, &f->code, err) <
        0)
        return -1;
    f->code_sha256 = f->function->artifact ? f->function->artifact->sha256_base64 : STR("");
    return 0;
}

/* Values are hashed with the service's key, those of variables and those of the stacks. */
static int fingerprint_all(const struct release *r, struct plan *plan, bool create, struct err *err)
{
    struct arena *a = r->arena;
    bool values = plan->values.n > 0;
    for (size_t i = 0; i < plan->function_count; i++)
        values |= definition_has_values(plan->functions[i].configuration);
    if (values && !plan->key.n && store_secret(a, &plan->world.store, create, &plan->key, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        const struct node *c = f->configuration;
        if (f->pinned || !c)
            continue;
        f->unkeyed = definition_fingerprint(a, STR(""), c, f->code, f->code_sha256);
        f->fingerprint = definition_fingerprint(a, plan->key, c, f->code, f->code_sha256);
        f->parts = definition_parts(a, plan->key, c, f->code, f->code_sha256);
    }
    return 0;
}

/* An import drops CORS settings that the document does not have, for all stages. So the document
 * gets those that the service stack has. */
static const struct node *with_cors(struct arena *a, const struct plan *plan,
                                    const struct api_plan *p, const struct node *document,
                                    struct err *err)
{
    struct str name = str_concat(a, p->api->id, STR(LAYOUT_CORS));
    struct str text = node_text(node_get(plan->world.service.outputs, name));
    if (p->api->kind != API_HTTP || !text.n)
        return document;
    const struct node *cors = json_parse(a, name, text, err);
    return cors ? cfn_with(a, document, "x-amazon-apigateway-cors", cors) : NULL;
}

static int resolve_api(struct known *k, struct api_plan *p, struct err *err)
{
    struct arena *a = k->r->arena;
    const struct node *document = resolve_tree(k, p->api->document, err);
    if (!document)
        return -1;
    p->aws_id = node_text(node_get(k->plan->world.service.outputs, p->api->id));
    if (!p->aws_id.n)
        return err_set(err, ERR_NOT_FOUND, "the service stack has no API '%.*s' yet",
                       STR_ARG(p->api->id));
    if (!(document = with_cors(a, k->plan, p, document, err)))
        return -1;
    p->document = json_text(a, document, 0);
    p->fingerprint = sha256_hex(a, json_canonical(a, document));
    if (!(node_flags_deep(document) & NODE_SECRET))
        return 0;
    if (!k->plan->key.n &&
        store_secret(a, &k->plan->world.store, k->create, &k->plan->key, err) < 0)
        return -1;
    p->fingerprint = definition_keyed(a, k->plan->key, p->fingerprint);
    return 0;
}

static int tolerate(int result, bool strict, struct err *err)
{
    if (result == 0 || strict || err->kind != ERR_NOT_FOUND)
        return result;
    err_clear(err);
    return 0;
}

int plan_resolve(const struct release *r, struct plan *plan, bool strict, struct err *err)
{
    struct known k = {r, plan, strict};
    for (size_t i = 0; i < plan->function_count; i++) {
        struct function_plan *f = &plan->functions[i];
        if (!f->pinned && tolerate(resolve_one(&k, f, err), strict, err) < 0)
            return err_wrap(err, "function '%.*s'", STR_ARG(f->function->key));
    }
    for (size_t i = 0; i < plan->api_count; i++)
        if (!plan->apis[i].pinned &&
            tolerate(resolve_api(&k, &plan->apis[i], err), strict, err) < 0)
            return -1;
    return fingerprint_all(r, plan, strict, err);
}
