/* The templates between the old one and the new one. Pure.
 *
 * A resource that changes stacks is in neither for a moment. What is known of it then stands in the
 * Metadata of the template that it was taken out of, so the same update that takes it out says so.
 */
#include "release/adopt/adopt.h"

#include "cfn/expression.h"
#include "cfn/template.h"

/* An Output: without a change to a resource or an Output, CloudFormation has been seen to take
 * policies for no update. */
#define MARK "TroupeAdopting"

static const struct node *ours(const struct node *template)
{
    return node_get_c(node_get_c(template, "Metadata"), "Troupe");
}

const struct node *adopt_moving(const struct node *template)
{
    return node_get_c(ours(template), "Moving");
}

struct str adopt_original(const struct node *template)
{
    return node_text(node_get_c(ours(template), "Original"));
}

static const struct node *with_ours(struct arena *a, const struct node *template, const char *key,
                                    const struct node *value)
{
    const struct node *old = node_get_c(template, "Metadata"), *mine = ours(template);
    struct node *out = node_shallow(a, template);
    struct node *metadata = old ? node_shallow(a, old) : node_map(a);
    struct node *changed = mine ? node_shallow(a, mine) : node_map(a);
    node_put_c(a, changed, key, value);
    node_put_c(a, metadata, "Troupe", changed);
    node_put_c(a, out, "Metadata", metadata);
    return out;
}

static enum adopt_fate fate_of(const struct adoption *adoption, struct str id)
{
    const struct adopt_item *item = adopt_find(adoption, id);
    return item ? item->fate : ADOPT_KEPT;
}

/* ---- values of what moves, and of what it needs ---- */

struct values {
    struct arena *arena;
    const struct adoption *adoption;
    const struct node *resources; /* of the template */
    bool inside;                  /* a resource that moves: others are meant */
    struct node *gathered;        /* Outputs that are to tell them, or */
    const struct node *outputs;   /* what the stack told */
    struct str missing;
};

/* Not of what is there with it: what moves may refer to what moves along. */
static bool is_of_others(const struct values *v, struct str id)
{
    bool moves = fate_of(v->adoption, id) == ADOPT_MOVED && node_get(v->resources, id);
    return !str_starts(id, STR("AWS::")) && moves != v->inside;
}

/* However it is written, a value is told once. */
static const struct node *expression_of(struct arena *a, const struct cfn_value *of)
{
    struct cfn_value plain = *of;
    plain.form = CFN_AS_NODE;
    return cfn_value_node(a, &plain);
}

static void gather_value(void *context, const struct cfn_value *of)
{
    struct values *v = context;
    if (!is_of_others(v, of->id))
        return;
    const struct node *expression = expression_of(v->arena, of);
    node_put(v->arena, v->gathered, layout_value_name(v->arena, expression),
             node_fn(v->arena, "Value", expression));
}

static const struct node *value_of(void *context, struct arena *a, const struct cfn_value *of)
{
    struct values *v = context;
    if (!is_of_others(v, of->id))
        return NULL;
    const struct node *value = node_get(v->outputs, layout_value_name(a, expression_of(a, of)));
    if (!value)
        v->missing = of->attribute.n
                         ? str_fmt(a, "%.*s.%.*s", STR_ARG(of->id), STR_ARG(of->attribute))
                         : of->id;
    return value;
}

static void gather_values(struct arena *a, const struct node *template,
                          const struct adoption *adoption, struct node *outputs)
{
    const struct node *resources = node_get_c(template, "Resources");
    struct values v = {
        .arena = a, .adoption = adoption, .resources = resources, .gathered = outputs};
    member_each (m, resources) {
        v.inside = fate_of(adoption, m->key) == ADOPT_MOVED;
        cfn_each_value(m->value, gather_value, &v);
    }
    v.inside = false;
    cfn_each_value(node_get_c(template, "Outputs"), gather_value, &v);
}

/* ---- first: nothing is lost any more ---- */

static const struct node *retained(struct arena *a, const struct node *resource)
{
    struct node *out = node_shallow(a, resource);
    node_put_str(a, out, "DeletionPolicy", STR("Retain"));
    node_put_str(a, out, "UpdateReplacePolicy", STR("Retain"));
    return out;
}

const struct node *adopt_retain(struct arena *a, const struct node *template,
                                const struct adoption *adoption)
{
    const struct node *old = node_get_c(template, "Outputs");
    struct node *resources = node_shallow(a, node_get_c(template, "Resources"));
    struct node *outputs = old ? node_shallow(a, old) : node_map(a);
    bool changes = false;
    member_each (m, node_get_c(template, "Resources")) {
        enum adopt_fate fate = fate_of(adoption, m->key);
        if (fate != ADOPT_MOVED && fate != ADOPT_LEFT)
            continue;
        node_put(a, resources, m->key, retained(a, m->value));
        changes = true;
    }
    if (!changes)
        return template;
    gather_values(a, template, adoption, outputs);
    if (!node_get_c(outputs, MARK)) {
        struct node *mark = node_map(a);
        node_put_str(a, mark, "Value", adoption->original_sha);
        node_put_c(a, outputs, MARK, mark);
    }
    struct node *out = node_shallow(a, template);
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    const struct node *marked =
        adopt_original(template).n
            ? out
            : with_ours(a, out, "Original", node_str(a, adoption->original_sha));
    return node_equal(marked, template) ? template : marked;
}

/* ---- second: what moves is taken out ---- */

static bool moves(const void *adoption, struct str id)
{
    return fate_of(adoption, id) == ADOPT_MOVED;
}

static const struct node *definition_of(struct arena *a, const struct node *resource,
                                        const struct adopt_item *item)
{
    struct node *entry = node_map(a), *definition = node_shallow(a, resource);
    node_drop(definition, STR("Condition"));
    node_drop(definition, STR("DependsOn"));
    node_put_str(a, entry, "PhysicalId", item->physical);
    node_put_c(a, entry, "Definition", definition);
    return entry;
}

const struct node *adopt_release(struct arena *a, const struct node *template,
                                 const struct adoption *adoption, const struct node *outputs,
                                 struct err *err)
{
    const struct node *old = node_get_c(template, "Resources"), *before = adopt_moving(template);
    struct node *resources = node_map(a), *out = node_shallow(a, template);
    struct node *moving = before ? node_shallow(a, before) : node_map(a);
    struct values v = {.arena = a, .adoption = adoption, .resources = old, .outputs = outputs};
    size_t taken = 0;
    member_each (m, old) {
        v.inside = fate_of(adoption, m->key) == ADOPT_MOVED;
        const struct node *literal = cfn_replace_values(a, m->value, value_of, &v);
        if (v.inside)
            node_put(a, moving, m->key, definition_of(a, literal, adopt_find(adoption, m->key)));
        else
            node_put(a, resources, m->key, cfn_without_dependencies(a, literal, moves, adoption));
        taken += v.inside;
    }
    if (!taken)
        return template;
    v.inside = false;
    node_put_c(a, out, "Outputs",
               cfn_replace_values(a, node_get_c(template, "Outputs"), value_of, &v));
    if (v.missing.n) {
        err_set(err, ERR_FAILED, "the value of '%.*s' is not known", STR_ARG(v.missing));
        return NULL;
    }
    node_put_c(a, out, "Resources", resources);
    return with_ours(a, out, "Moving", moving);
}

/* ---- the service, until they are in it ---- */

const struct node *adopt_withhold(struct arena *a, const struct node *service,
                                  const struct node *moving)
{
    struct node *resources = node_shallow(a, node_get_c(service, "Resources"));
    struct node *outputs = node_map(a), *out = node_shallow(a, service);
    struct map withheld = MAP(a);
    member_each (m, moving)
        if (node_get(resources, m->key))
            map_put(&withheld, m->key, m->value);
    for (size_t i = 0; i < withheld.n; i++) { /* grows while it is walked */
        struct str id = withheld.entries[i].key;
        node_drop(resources, id);
        member_each (m, resources)
            if (!map_has(&withheld, m->key) && cfn_mentions(m->value, id))
                map_put(&withheld, m->key, m->value);
    }
    member_each (m, node_get_c(service, "Outputs")) {
        bool stays = true;
        for (size_t i = 0; i < withheld.n && stays; i++)
            stays = !cfn_mentions(m->value, withheld.entries[i].key);
        if (stays)
            node_put(a, outputs, m->key, m->value);
    }
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return withheld.n ? out : service;
}

/* ---- the way back ---- */

const struct node *adopt_tidy(struct arena *a, const struct node *service)
{
    const struct node *metadata = node_get_c(service, "Metadata");
    if (!ours(service))
        return service;
    struct node *out = node_shallow(a, service), *outputs = node_map(a);
    struct node *rest = node_shallow(a, metadata);
    node_drop(rest, STR("Troupe"));
    node_drop(out, STR("Metadata"));
    if (rest->size)
        node_put_c(a, out, "Metadata", rest);
    member_each (m, node_get_c(service, "Outputs"))
        if (!str_eq(m->key, STR(MARK)) && !str_starts(m->key, STR(LAYOUT_VALUE)))
            node_put(a, outputs, m->key, m->value);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

struct room {
    const struct node *moving, *parameters, *values;
};

static const struct node *parameter_value(void *context, struct arena *a, const struct cfn_value *v)
{
    const struct room *room = context;
    (void)a;
    return !v->attribute.n && node_get(room->moving, v->id) && node_get(room->parameters, v->id)
               ? node_get(room->values, v->id)
               : NULL;
}

const struct node *adopt_make_room(struct arena *a, const struct node *template,
                                   const struct node *moving, const struct node *values)
{
    struct room room = {moving, node_get_c(template, "Parameters"), values};
    struct node *parameters = node_map(a);
    member_each (m, room.parameters)
        if (!node_get(moving, m->key) || !node_get(values, m->key))
            node_put(a, parameters, m->key, m->value);
    if (parameters->size == node_count(room.parameters))
        return template;
    struct node *out = node_shallow(a, cfn_replace_values(a, template, parameter_value, &room));
    node_drop(out, STR("Parameters"));
    if (parameters->size)
        node_put_c(a, out, "Parameters", parameters);
    return out;
}

const struct adopt_item *adopt_find(const struct adoption *adoption, struct str id)
{
    for (size_t i = 0; i < adoption->count; i++)
        if (str_eq(adoption->items[i].id, id))
            return &adoption->items[i];
    return NULL;
}
