/* The templates that a plan sends, and what distinguishes them. */
#include "release/plan/plan_internal.h"

#include "base/hash.h"
#include "doc/json.h"
#include "cfn/expression.h"
#include "cfn/template.h"

static const struct node *filler(void *context, struct arena *a, struct str kind, struct str name)
{
    const struct plan *plan = *(const struct plan **)context;
    struct str with = {"", 0};
    if (str_eq(kind, STR("Troupe::Bucket")))
        with = plan->world.bucket;
    for (size_t i = 0; i < plan->function_count && str_eq(kind, STR("Troupe::Version")); i++)
        if (str_eq(plan->functions[i].function->key, name))
            with = plan->functions[i].to;
    for (size_t i = 0; i < plan->api_count && str_eq(kind, STR("Troupe::Deployment")); i++)
        if (str_eq(plan->apis[i].api->id, name))
            with = plan->apis[i].to;
    const struct layout *l = plan->target.layout;
    for (size_t i = 0; i < l->function_count && str_eq(kind, STR("Troupe::ArtifactKey")); i++)
        if (str_eq(l->functions[i].key, name))
            with = layout_artifact_key(a, plan->world.store.service,
                                       l->functions[i].artifact->sha256_hex);
    return with.n ? node_str(a, with) : NULL;
}

const struct node *plan_with_kept(struct arena *a, const struct node *template,
                                  const struct node *kept)
{
    static const char *const sections[] = {"Mappings", "Conditions", "Resources", NULL};
    struct node *out = node_shallow(a, template), *parameters = node_map(a);
    cfn_merge_sections(a, out, kept, template, sections);
    member_each (m, node_get_c(kept, "Parameters"))
        if (cfn_mentions(node_get_c(kept, "Resources"), m->key))
            node_put(a, parameters, m->key, m->value);
    member_each (m, node_get_c(template, "Parameters"))
        node_put(a, parameters, m->key, m->value);
    if (parameters->size)
        node_put_c(a, out, "Parameters", parameters);
    return out;
}

const struct node *plan_stage_template(const struct release *r, const struct plan *plan,
                                       int64_t number)
{
    struct arena *a = r->arena;
    const struct node *filled = layout_fill(a, plan->target.layout->stage_template, filler, &plan);
    if (plan->keeps)
        filled = plan_with_kept(a, filled, plan->keeps);
    return number ? plan_numbered(a, filled, number, plan->digest) : plan_unnumbered(a, filled);
}

/* What the file gives parameter `name` of a stack that has `had`. NULL: its default. */
static const struct node *given_value(const struct release *r, struct str name,
                                      const struct node *had)
{
    const struct node *given = layout_given_parameter(r->service, name);
    if (!node_bool_or(node_get_c(given, "UsePreviousValue"), false))
        return node_get_c(given, "ParameterValue");
    return node_member(had, name) ? node_null(r->arena) : NULL;
}

const struct node *plan_service_parameters(const struct release *r, const struct world *w,
                                           const struct node *template, bool keep)
{
    const struct node *had = w->service_exists ? w->service.parameters : NULL;
    struct node *values = node_map(r->arena);
    member_each (m, node_get_c(template, "Parameters"))
        node_put(r->arena, values, m->key,
                 keep && node_member(had, m->key) ? node_null(r->arena)
                                                  : given_value(r, m->key, had));
    return values;
}

const struct node *plan_parameters(const struct release *r, const struct plan *plan,
                                   const struct node *template)
{
    struct node *values = node_map(r->arena);
    member_each (m, node_get_c(template, "Parameters")) {
        struct str name = m->key;
        str_skip(&name, STR(LAYOUT_RENAMED));
        const struct node *value = node_get(plan->world.service.outputs, name);
        if (!value && name.n < m->key.n) /* of the service once; the stack still has it */
            value = node_get(plan->world.stage.parameters, name);
        if (!value && name.n < m->key.n)
            value = node_get(plan->world.stage.parameters, m->key);
        if (!value)
            value = given_value(r, m->key, plan->world.stage.parameters);
        node_put(r->arena, values, m->key, value);
    }
    return values;
}

const struct node *plan_unnumbered(struct arena *a, const struct node *template)
{
    const struct node *old = node_get_c(template, "Outputs");
    if (!node_get_c(old, DEPLOYMENT_OUTPUT) && !node_get_c(old, RECORD_OUTPUT))
        return template;
    struct node *out = node_shallow(a, template), *outputs = node_shallow(a, old);
    node_drop(outputs, STR(DEPLOYMENT_OUTPUT));
    node_drop(outputs, STR(RECORD_OUTPUT));
    node_drop(out, STR("Outputs"));
    if (outputs->size)
        node_put_c(a, out, "Outputs", outputs);
    return out;
}

static void put_output(struct arena *a, struct node *outputs, const char *name, struct str value)
{
    struct node *output = node_map(a);
    node_put_str(a, output, "Value", value);
    node_put_c(a, outputs, name, output);
}

const struct node *plan_numbered(struct arena *a, const struct node *template, int64_t number,
                                 struct str digest)
{
    template = plan_unnumbered(a, template);
    struct node *out = node_shallow(a, template);
    const struct node *old = node_get_c(template, "Outputs");
    struct node *outputs = old ? node_shallow(a, old) : node_map(a);
    put_output(a, outputs, DEPLOYMENT_OUTPUT, str_fmt(a, "%lld", (long long)number));
    if (digest.n)
        put_output(a, outputs, RECORD_OUTPUT, digest);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

/* SHA-256 of stage template and parameters, without the deployment's number. */
static struct str stage_hash(struct arena *a, const struct node *template,
                             const struct node *parameters)
{
    struct node *both = node_map(a);
    node_put_c(a, both, "template", plan_unnumbered(a, template));
    node_put_c(a, both, "parameters", parameters);
    return sha256_hex(a, json_canonical(a, both));
}

/* The values that parameters have in the end: what is given, what `had` has where that stays, and
 * defaults. */
static const struct node *effective(struct arena *a, const struct node *template,
                                    const struct node *given, const struct node *had)
{
    struct node *out = node_map(a);
    member_each (m, node_get_c(template, "Parameters")) {
        const struct node *value = node_get(given, m->key);
        if (value && node_is(value, NODE_NULL))
            value = node_get(had, m->key);
        if (!value)
            value = node_get_c(m->value, "Default");
        if (value)
            node_put(a, out, m->key, node_str(a, node_text(value)));
    }
    return out;
}

const struct node *plan_changed_parameters(const struct release *r, const struct plan *plan,
                                           const struct node *template)
{
    struct arena *a = r->arena;
    const struct node *had = plan->world.stage.parameters;
    struct node *changed = node_map(a);
    member_each (m, effective(a, template, plan_parameters(r, plan, template), had))
        if (!node_member(plan->world.service.outputs, m->key) && node_member(had, m->key) &&
            !str_eq(node_text(m->value), node_text(node_get(had, m->key))))
            node_put(a, changed, m->key, m->value);
    return changed;
}

bool plan_is_in_line(const struct release *r, const struct plan *plan)
{
    const struct world *w = &plan->world;
    const struct node *had = w->stage.parameters, *target = plan_stage_template(r, plan, 0);
    if (!w->stage_template)
        return false;
    return str_eq(stage_hash(r->arena, target,
                             effective(r->arena, target, plan_parameters(r, plan, target), had)),
                  stage_hash(r->arena, w->stage_template, had ? had : node_map(r->arena)));
}

const struct node *plan_head(struct arena *a, const struct node *was, const struct node *now)
{
    static const char *const whole[] = {"Tags", "CodeSigningConfigArn"};
    const struct node *had = node_get_c(was, "Properties"), *has = node_get_c(now, "Properties");
    bool same = true;
    struct node *properties = node_shallow(a, had);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        const struct node *value = node_get_c(has, whole[i]);
        same &= node_equal(node_get_c(had, whole[i]), value);
        node_drop(properties, str_c(whole[i]));
        node_put_c(a, properties, whole[i], value);
    }
    return same ? was : cfn_with(a, now, "Properties", properties);
}

const struct node *plan_service_additions(struct arena *a, const struct node *current,
                                          const struct node *today)
{
    static const char *const sections[] = {"Mappings", "Parameters", "Conditions", "Resources",
                                           "Outputs"};
    struct node *out = node_shallow(a, current);
    bool more = false;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const struct node *old = node_get_c(current, sections[i]);
        struct node *merged = old ? node_shallow(a, old) : node_map(a);
        size_t before = merged->size;
        bool joined = false;
        member_each (m, node_get_c(today, sections[i])) {
            const struct node *was = node_get(old, m->key), *both = m->value;
            if (was)
                both = layout_join_rights(a, was, m->value);
            joined |= was && both != was;
            node_put(a, merged, m->key, both);
        }
        if (merged->size > before || joined) {
            node_put_c(a, out, sections[i], merged);
            more = true;
        }
    }
    return more ? out : NULL;
}
