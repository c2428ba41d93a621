/* Splitting: the templates of the root and the nested stacks, once every resource has its stack. */
#include "layout/split/split_internal.h"

#include "base/hash.h"

/* A value that crosses between stacks has a name there: that of a Parameter of the nested stack
 * that needs it, or of an Output of the nested stack that has it. */
struct crossing {
    struct str name;
    struct cfn_value value;
};

struct building_stack {
    struct map imports, exports; /* value key -> struct crossing * */
    struct map import_names, export_names;
    struct node *resources, *depends;    /* `depends`: the DependsOn of the flat template */
    struct map needs;                    /* what the nested stack as a whole depends on */
    struct node *outputs, *output_names; /* the flat template's Outputs that are in this stack */
};

struct building {
    struct arena *arena;
    struct splitting *s;
    struct building_stack *nested; /* [0] is the root */
    int stack;                     /* of what is being rewritten */
};

static const struct split_resource *resource(const struct building *b, struct str id)
{
    return map_get(&b->s->index, id);
}

/* A Parameter for a Ref is named like what the Ref names: that name is free in the nested stack,
 * because it is taken in the flat template. An Output's name must not be one of the flat template's
 * own Outputs. */
static struct str name_crossing(struct building *b, const struct cfn_value *v,
                                const struct map *taken, bool out)
{
    struct arena *a = b->arena;
    const struct node *flat = b->s->flat;
    bool own =
        out &&
        node_member(node_get_c(flat, "Outputs"),
                    v->attribute.n ? str_concat(a, v->id, cfn_name_text(a, v->attribute)) : v->id);
    if (!v->attribute.n && !own)
        return split_is_pseudo_of_stack(v->id)
                   ? str_concat(a, STR("Troupe"), cfn_name_text(a, v->id))
                   : v->id;
    struct str key = split_value_key(a, v);
    struct str name = str_concat(a, v->id, cfn_name_text(a, v->attribute));
    bool free = !own && v->form != CFN_AS_TEXT && name.n <= 200 && !resource(b, name) &&
                !node_member(node_get_c(flat, "Parameters"), name) && !map_has(taken, name);
    return free ? name
                : str_fmt(a, "%.*s%.8s", STR_ARG(str_sub(name, 0, 200)), sha256_hex(a, key).p);
}

static struct crossing *cross(struct building *b, struct map *by_value, struct map *by_name,
                              const struct cfn_value *v, bool out)
{
    struct str key = split_value_key(b->arena, v);
    struct crossing *c = map_get(by_value, key);
    if (c)
        return c;
    c = ARENA_NEW(b->arena, struct crossing);
    *c = (struct crossing){name_crossing(b, v, by_name, out), *v};
    map_put(by_value, key, c);
    map_put(by_name, c->name, c);
    return c;
}

/* A value as b->stack writes it. */
static const struct node *turn(void *context, struct arena *a, const struct cfn_value *v)
{
    struct building *b = context;
    const struct split_resource *of = resource(b, v->id);
    struct building_stack *here = &b->nested[b->stack];
    bool parameter = !of && node_member(node_get_c(b->s->flat, "Parameters"), v->id);
    if (b->stack == ROOT) {
        if (!of || of->stack == ROOT)
            return NULL;
        struct building_stack *there = &b->nested[of->stack];
        struct crossing *c = cross(b, &there->exports, &there->export_names, v, true);
        struct str output = str_concat(a, STR("Outputs."), c->name);
        return node_from(node_get_att(a, b->s->nested.p[of->stack].id, str_z(a, output)), v->at);
    }
    if (of ? of->stack == b->stack : !parameter && !split_is_pseudo_of_stack(v->id))
        return NULL;
    struct crossing *c = cross(b, &here->imports, &here->import_names, v, false);
    bool same = !v->attribute.n && str_eq(c->name, v->id);
    return same ? NULL : node_from(node_ref(a, c->name), v->at);
}

static const struct node *rewrite_at(struct building *b, int stack, const struct node *n)
{
    b->stack = stack;
    return cfn_replace_values(b->arena, n, turn, b);
}

/* DependsOn of `r` in its stack: a dependency on a resource of a nested stack becomes one on the
 * whole nested stack. What was changed is kept in Metadata, for joining. */
static const struct node *rewrite_depends(struct building *b, const struct split_resource *r,
                                          const struct node *depends)
{
    struct arena *a = b->arena;
    struct building_stack *here = &b->nested[r->stack];
    struct node *out = node_seq(a);
    struct map seen = MAP(a);
    bool changed = false;
    size_t n;
    const struct node *const *ids = cfn_dependencies(r->node, &n);
    for (size_t i = 0; i < n; i++) {
        const struct split_resource *of = resource(b, node_text(ids[i]));
        bool same = !of || of->stack == r->stack;
        struct str id = same                ? node_text(ids[i])
                        : of->stack == ROOT ? of->id
                                            : b->s->nested.p[of->stack].id;
        changed |= !same;
        if (!same && r->stack != ROOT)
            map_put(&here->needs, id, b);
        else if (!map_has(&seen, id))
            node_push(a, out, node_str(a, id));
        map_put(&seen, id, b);
    }
    if (!changed)
        return depends;
    node_put(a, here->depends, r->id, depends);
    return out->count ? out : NULL;
}

static void add_resource(struct building *b, const struct split_resource *r)
{
    struct arena *a = b->arena;
    const struct node *depends = node_get_c(r->node, "DependsOn");
    const struct node *out = rewrite_at(b, r->stack, r->node);
    const struct node *with = depends ? rewrite_depends(b, r, depends) : NULL;
    if (with != depends)
        out = cfn_with(a, out, "DependsOn", with);
    node_put(a, b->nested[r->stack].resources, r->id, out);
}

/* ---- sections ---- */

/* `value`, or an empty text when a condition leaves its resource out. */
static const struct node *guarded(struct building *b, const struct cfn_value *v,
                                  const struct node *value)
{
    const struct split_resource *of = resource(b, v->id);
    const struct node *condition = of ? node_get_c(of->node, "Condition") : NULL;
    if (!condition)
        return value;
    struct node *branches = node_seq(b->arena);
    node_push(b->arena, branches, condition);
    node_push(b->arena, branches, value);
    node_push(b->arena, branches, node_str(b->arena, STR("")));
    return node_fn(b->arena, "Fn::If", branches);
}

static bool is_list_type(struct str type)
{
    return str_find(type, STR("List"), 0) >= 0;
}

/* The value that the root gives for a Parameter of a nested stack. */
static const struct node *argument(struct building *b, const struct crossing *c)
{
    struct arena *a = b->arena;
    const struct node *parameter = node_get(node_get_c(b->s->flat, "Parameters"), c->value.id);
    const struct node *value = rewrite_at(b, ROOT, cfn_value_node(a, &c->value));
    const struct split_resource *of = resource(b, c->value.id);
    if (of && of->stack != ROOT) /* its Output is guarded */
        return value;
    if (!is_list_type(node_text(node_get_c(parameter, "Type"))))
        return guarded(b, &c->value, value);
    struct node *join = node_seq(a);
    node_push(a, join, node_str(a, STR(",")));
    node_push(a, join, value);
    return node_fn(a, "Fn::Join", join);
}

static const struct node *declaration(struct building *b, const struct crossing *c)
{
    struct arena *a = b->arena;
    struct node *out = node_map(a);
    const struct node *from = node_get(node_get_c(b->s->flat, "Parameters"), c->value.id);
    bool list = is_list_type(node_text(node_get_c(from, "Type")));
    node_put_str(a, out, "Type", list ? STR("CommaDelimitedList") : STR("String"));
    node_put_c(a, out, "NoEcho", node_get_c(from, "NoEcho"));
    return out;
}

static bool finds_in_map(const struct node *n)
{
    if (node_is(n, NODE_MAP) && n->size == 1 && node_get_c(n, "Fn::FindInMap"))
        return true;
    node_each (item, n)
        if (finds_in_map(item))
            return true;
    member_each (m, n)
        if (finds_in_map(m->value))
            return true;
    return false;
}

static void put_if_any(struct arena *a, struct node *out, const char *name, const struct node *n)
{
    if (node_count(n))
        node_put_c(a, out, name, n);
}

/* `metadata` with what joining cannot find in the split templates. */
static const struct node *keep(struct building *b, const struct node *metadata,
                               const struct building_stack *p, const struct node *outputs)
{
    struct arena *a = b->arena;
    struct node *kept = node_map(a);
    if (p->depends->size)
        node_put_c(a, kept, "DependsOn", p->depends);
    if (node_count(outputs))
        node_put_c(a, kept, "Outputs", outputs);
    return kept->size ? cfn_with(a, metadata, PART_METADATA, kept) : metadata;
}

/* The flat template's own Outputs that are in this stack, rewritten; their names go into
 * `names`. */
static struct node *own_outputs(struct building *b, int stack, struct node *names)
{
    struct arena *a = b->arena;
    struct node *out = node_map(a);
    for (size_t i = 0; i < b->s->outputs.n; i++) {
        const struct map_entry *e = &b->s->outputs.entries[i];
        const struct split_output *o = e->value;
        if (o->stack != stack)
            continue;
        node_put(a, out, e->key, rewrite_at(b, stack, o->node));
        node_push(a, names, node_str(a, e->key));
    }
    return out;
}

static const struct node *describe(struct building *b, struct str id)
{
    const struct node *from = node_get_c(b->s->flat, "Description");
    return node_strf(b->arena, "%.*s%s%.*s", STR_ARG(str_sub(node_text(from), 0, 900)),
                     from ? ", " : "", STR_ARG(id));
}

/* The template of a nested stack without its Parameters and Outputs: which it needs is known only
 * when all stacks are rewritten. */
static struct node *begin_stack(struct building *b, int stack, const struct node **ret_conditions)
{
    struct arena *a = b->arena;
    const struct node *flat = b->s->flat, *conditions = node_get_c(flat, "Conditions");
    struct node *out = node_map(a), *own = node_map(a);
    struct map used = MAP(a);
    for (size_t i = 0; i < b->s->n; i++)
        if (b->s->all[i].stack == stack)
            split_conditions(conditions, b->s->all[i].node, &used);
    struct building_stack *p = &b->nested[stack];
    p->output_names = node_seq(a);
    p->outputs = own_outputs(b, stack, p->output_names);
    split_conditions(conditions, p->outputs, &used);
    for (size_t i = 0; i < used.n; i++)
        node_put(a, own, used.entries[i].key, rewrite_at(b, stack, used.entries[i].value));
    node_put_c(a, out, "AWSTemplateFormatVersion", node_get_c(flat, "AWSTemplateFormatVersion"));
    node_put_c(a, out, "Transform", node_get_c(flat, "Transform"));
    node_put_c(a, out, "Description", describe(b, b->s->nested.p[stack].id));
    *ret_conditions = own;
    return out;
}

static const struct node *finish_stack(struct building *b, int stack, struct node *out,
                                       const struct node *conditions)
{
    struct arena *a = b->arena;
    const struct building_stack *p = &b->nested[stack];
    struct node *parameters = node_map(a), *outputs = p->outputs;
    for (size_t i = 0; i < p->imports.n; i++) {
        const struct crossing *c = p->imports.entries[i].value;
        node_put(a, parameters, c->name, declaration(b, c));
    }
    for (size_t i = 0; i < p->exports.n; i++) {
        const struct crossing *c = p->exports.entries[i].value;
        node_put(a, outputs, c->name,
                 node_fn(a, "Value", guarded(b, &c->value, cfn_value_node(a, &c->value))));
    }
    put_if_any(a, out, "Metadata", keep(b, NULL, p, p->output_names));
    if (finds_in_map(p->resources) || finds_in_map(conditions))
        node_put_c(a, out, "Mappings", node_get_c(b->s->flat, "Mappings"));
    put_if_any(a, out, "Parameters", parameters);
    put_if_any(a, out, "Conditions", conditions);
    node_put_c(a, out, "Resources", p->resources);
    put_if_any(a, out, "Outputs", outputs);
    return out;
}

static const struct node *nested_resource(struct building *b, int stack)
{
    struct arena *a = b->arena;
    struct building_stack *p = &b->nested[stack];
    struct node *out = node_map(a), *properties = node_map(a), *arguments = node_map(a);
    struct node *depends = node_seq(a);
    for (size_t i = 0; i < p->imports.n; i++) {
        const struct crossing *c = p->imports.entries[i].value;
        node_put(a, arguments, c->name, argument(b, c));
    }
    for (size_t i = 0; i < p->needs.n; i++)
        node_push(a, depends, node_str(a, p->needs.entries[i].key));
    node_put_c(a, properties, "TemplateURL",
               node_fn(a, "Troupe::Part", node_str(a, b->s->nested.p[stack].id)));
    put_if_any(a, properties, "Parameters", arguments);
    node_put_str(a, out, "Type", STR(PART_TYPE));
    put_if_any(a, out, "DependsOn", depends);
    node_put_c(a, out, "Properties", properties);
    return out;
}

static const struct node *build_root(struct building *b)
{
    struct arena *a = b->arena;
    struct splitting *s = b->s;
    struct node *out = node_shallow(a, s->flat);
    struct building_stack *root = &b->nested[ROOT];
    struct node *outputs = node_map(a);
    member_each (m, node_get_c(s->flat, "Outputs"))
        if (!map_has(&s->outputs, m->key))
            node_put(a, outputs, m->key, rewrite_at(b, ROOT, m->value));
    node_drop(out, STR("Outputs"));
    put_if_any(a, out, "Outputs", outputs);
    for (int stack = 1; stack < (int)s->nested.n; stack++)
        if (b->nested[stack].resources->size)
            node_put(a, root->resources, s->nested.p[stack].id, nested_resource(b, stack));
    node_put_c(a, out, "Resources", root->resources);
    const struct node *metadata = keep(b, node_get_c(s->flat, "Metadata"), root, NULL);
    node_put_c(a, out, "Metadata", metadata);
    return out;
}

/* First rewrite everything that refers to another stack, then write Parameters and Outputs: only
 * then is it known which are needed. */
static void build(struct building *b, struct split *ret)
{
    struct arena *a = b->arena;
    struct splitting *s = b->s;
    struct node **templates = ARENA_ARRAY(a, s->nested.n, struct node *);
    const struct node **conditions = ARENA_ARRAY(a, s->nested.n, const struct node *);
    for (size_t i = 0; i < s->n; i++)
        add_resource(b, &s->all[i]);
    for (int stack = 1; stack < (int)s->nested.n; stack++)
        templates[stack] = begin_stack(b, stack, &conditions[stack]);
    ret->root = build_root(b);
    ret->nested = ARENA_ARRAY(a, s->nested.n, struct split_nested);
    for (int stack = 1; stack < (int)s->nested.n; stack++)
        if (b->nested[stack].resources->size)
            ret->nested[ret->nested_count++] = (struct split_nested){
                s->nested.p[stack].id, finish_stack(b, stack, templates[stack], conditions[stack])};
}

static int check_names(const struct split *split, size_t most, struct err *err)
{
    static const char *const sections[] = {"Parameters", "Outputs"};
    for (size_t i = 0; i <= split->nested_count; i++)
        for (size_t k = 0; k < sizeof sections / sizeof *sections; k++) {
            const struct node *t = i ? split->nested[i - 1].template : split->root;
            size_t n = node_count(node_get_c(t, sections[k]));
            if (n > most)
                return err_set(err, ERR_FAILED,
                               "%s%.*s would have %zu %s, CloudFormation takes %zu in a stack",
                               i ? "nested stack " : "the stack",
                               STR_ARG(i ? split->nested[i - 1].id : STR("")), n,
                               k ? "outputs" : "parameters", most);
        }
    return 0;
}

int layout_split(struct arena *a, const struct node *flat, const struct map *assigned,
                 const struct split_limits *limits, struct split *ret, struct err *err)
{
    struct splitting s = {.arena = a, .flat = flat, .limits = limits};
    *ret = (struct split){.root = flat};
    if (split_assign(&s, assigned, err) < 0)
        return -1;
    if (s.nested.n == 1)
        return 0;
    struct building b = {.arena = a, .s = &s};
    b.nested = ARENA_ARRAY(a, s.nested.n, struct building_stack);
    for (size_t i = 0; i < s.nested.n; i++)
        b.nested[i] = (struct building_stack){.imports = MAP(a),
                                              .exports = MAP(a),
                                              .import_names = MAP(a),
                                              .export_names = MAP(a),
                                              .resources = node_map(a),
                                              .depends = node_map(a),
                                              .needs = MAP(a)};
    build(&b, ret);
    return check_names(ret, limits->most_names, err);
}
