/* The definition of a state machine as text: CloudFormation functions in it become variables of
 * an Fn::Sub, named by the MD5 of what they stand for. */
#include "compile/step_functions/step_functions.h"

#include "base/hash.h"
#include "doc/json.h"

struct definition {
    struct compilation *c;
    struct node *values;     /* name of a variable -> what it stands for */
    VEC(struct str) numbers; /* variables that stand for a number: Seconds of a Wait state */
    struct err *err;
};

/* ---- functions become variables ---- */

static const struct node *variable_for(struct definition *d, const struct node *value,
                                       bool is_number)
{
    struct arena *a = d->c->arena;
    struct str name = md5_hex(a, node_text(node_stringified(a, value)));
    const struct node *att = node_get_c(value, "Fn::GetAtt");
    if (att && !node_is(att, NODE_SEQ)) {
        struct err one = {0};
        err_at(&one, node_pos(att), ERR_CONFIG, "'Fn::GetAtt' must be a list of id and attribute");
        err_also(d->err, &one);
    }
    node_put(a, d->values, name, function_keys_translated(d->c, value));
    if (is_number)
        vec_push(a, &d->numbers, name);
    return node_from(node_strf(a, "${%.*s}", STR_ARG(name)), value);
}

static const struct node *without_functions(struct definition *d, const struct node *n)
{
    struct arena *a = d->c->arena;
    if (node_is(n, NODE_SEQ)) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out,
                      is_intrinsic(item) ? variable_for(d, item, false)
                                         : without_functions(d, item));
        return node_from(out, n);
    }
    if (!node_is(n, NODE_MAP))
        return n;
    bool waits = node_is_text(node_get_c(n, "Type"), "Wait");
    struct node *out = node_map(a);
    member_each (m, n) {
        bool is_number = waits && str_eq(m->key, STR("Seconds"));
        node_put_at(a, out, m->key, m->key_pos,
                    is_intrinsic(m->value) ? variable_for(d, m->value, is_number)
                                           : without_functions(d, m->value));
    }
    return node_from(out, n);
}

/* ---- what checking adds ---- */

/* With `validate`, each state that names no language gets one behind its other members: the checker
 * that the plugin uses writes it into the definition. */
static const struct node *with_language(struct arena *a, const struct node *n,
                                        const struct node *language, bool is_states)
{
    if (node_is(n, NODE_SEQ)) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, with_language(a, item, language, false));
        return node_from(out, n);
    }
    if (!node_is(n, NODE_MAP))
        return n;
    struct node *out = node_map(a);
    member_each (m, n) {
        bool of_states = str_eq(m->key, STR("States"));
        const struct node *value = with_language(a, m->value, language, of_states);
        if (is_states && node_is(value, NODE_MAP) &&
            !node_truthy(node_get_c(value, "QueryLanguage")))
            value = cfn_with(a, value, "QueryLanguage", language);
        node_put_at(a, out, m->key, m->key_pos, value);
    }
    return node_from(out, n);
}

/* ---- the text ---- */

/* #{AWS::Region} as ${AWS::Region}; `*ret_any`: there was one. */
static struct str pseudo_replaced(struct arena *a, struct str json, bool *ret_any)
{
    struct buf b = BUF(a);
    size_t at = 0;
    for (ptrdiff_t open; (open = str_find(json, STR("#{"), at)) >= 0;) {
        ptrdiff_t close = str_find_char(json, '}', (size_t)open + 2);
        if (close < 0)
            break;
        if (close == open + 2) {
            buf_add(&b, str_sub(json, at, (size_t)close - at));
            at = (size_t)close;
            continue;
        }
        *ret_any = true;
        buf_add(&b, str_sub(json, at, (size_t)open - at));
        buf_char(&b, '$');
        buf_add(&b, str_sub(json, (size_t)open + 1, (size_t)(close - open)));
        at = (size_t)close + 1;
    }
    buf_add(&b, str_sub(json, at, SIZE_MAX));
    return buf_str(&b);
}

static struct node *text_like(struct arena *a, struct str text, const struct node *from)
{
    struct node *n = node_from(node_str(a, text), from);
    n->flags |= (uint8_t)node_flags_deep(from);
    return n;
}

static const struct node *of_map(struct definition *d, const struct node *given)
{
    struct arena *a = d->c->arena;
    const struct node *own = node_get_c(given, "QueryLanguage");
    const struct node *plain = without_functions(d, given);
    if (node_truthy(node_path(d->c->service->root, "stepFunctions.validate")))
        plain = with_language(a, plain, own ? own : node_c(a, "JSONPath"), false);
    bool has_pseudo = false;
    struct str json = pseudo_replaced(a, node_text(node_stringified(a, plain)), &has_pseudo);
    const struct node *read = json_parse(a, STR("definition"), json, d->err);
    if (!read) {
        d->err->pos = node_pos(given);
        return NULL;
    }
    struct str text = json_text(a, read, 2);
    vec_each (&d->numbers, name) {
        struct str variable = str_fmt(a, "${%.*s}", STR_ARG(*name));
        text = str_replace(a, text, str_fmt(a, "\"%.*s\"", STR_ARG(variable)), variable);
    }
    struct node *out = text_like(a, text, given);
    if (!d->values->size)
        return has_pseudo ? node_fn(a, "Fn::Sub", out) : out;
    return node_fn(a, "Fn::Sub", NODE_LIST(a, out, d->values));
}

static const struct node *of_text(struct arena *a, const struct node *given)
{
    struct str json = node_text(node_stringified(a, given));
    json = str_replace(a, str_replace(a, json, STR("\\n"), STR("")), STR("\\r"), STR(""));
    return text_like(a, json, given);
}

/* ---- exact versions ---- */

/* The version's ARN. With stages a Ref would be the alias, which moves on while a machine runs. */
static const struct node *version_of(struct compilation *c, struct str function)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < c->out->function_count; i++) {
        const struct compiled_function *f = &c->out->functions[i];
        if (!str_eq(f->logical_id, function) || !f->version_id.n)
            continue;
        if (c->options->naming == NAMING_FLAT)
            return node_ref(a, f->version_id);
        return node_join(a, ":",
                         NODE_LIST(a, function_arn_by_name(c, f->function, ""),
                                   node_get_att(a, f->version_id, "Version")));
    }
    return NULL;
}

static const struct node *exact_versions(struct compilation *c, const struct node *definition)
{
    struct arena *a = c->arena;
    const struct node *sub = node_get_c(definition, "Fn::Sub");
    struct node *values = node_map(a);
    if (node_count(sub) != 2)
        return definition;
    member_each (m, sub->items[1]) {
        const struct node *ref = node_get_c(m->value, "Ref");
        const struct node *id = ref ? ref : node_path(m->value, "Fn::GetAtt.0");
        const struct node *version = version_of(c, node_text(id));
        node_put(a, values, m->key, version ? version : m->value);
    }
    return node_fn(a, "Fn::Sub", NODE_LIST(a, sub->items[0], values));
}

const struct node *state_machine_definition(struct compilation *c,
                                            const struct state_machine *machine, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *given = node_get_c(machine->node, "definition");
    const struct node *exact = node_get_c(machine->node, "useExactVersion");
    struct definition d = {.c = c, .values = node_map(a), .err = err};
    if (!node_is(given, NODE_MAP))
        return of_text(a, given);
    const struct node *out = of_map(&d, given);
    if (err->kind)
        return NULL;
    return node_truthy(exact) ? exact_versions(c, out) : out;
}
