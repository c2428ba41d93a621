/* References: turning them to where their targets went. */
#include "layout/layout_internal.h"

#include "base/buf.h"

const struct placement *placement_of(const struct laying *l, struct str id)
{
    return map_get(&l->placements, id);
}

bool references_get_att(const struct node *value, struct str *id, struct str *attribute)
{
    if (node_is(value, NODE_SEQ) && value->count == 2 && node_is(value->items[0], NODE_STRING)) {
        *id = value->items[0]->text;
        *attribute = node_text(value->items[1]);
        return true;
    }
    if (!node_is(value, NODE_STRING))
        return false;
    ptrdiff_t dot = str_find_char(value->text, '.', 0);
    if (dot < 0)
        return false;
    *id = str_sub(value->text, 0, (size_t)dot);
    *attribute = str_sub(value->text, (size_t)dot + 1, value->text.n);
    return true;
}

static struct str alnum(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if ((s.p[i] | 0x20) >= 'a' ? (s.p[i] | 0x20) <= 'z' : s.p[i] >= '0' && s.p[i] <= '9')
            p[n++] = s.p[i];
    return (struct str){p, n};
}

/* A value of the service stack: an Output there, a Parameter of the same name here. */
static struct str service_value(struct laying *l, struct str id, struct str attribute)
{
    struct arena *a = l->arena;
    struct str name = str_concat(a, id, alnum(a, attribute));
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
        if (node_get_c(node_get(l->flat, id), "Condition")) /* it may not exist */
            node_put_str(a, parameter, "Default", STR(""));
        node_put(a, l->stage_parameters, name, parameter);
    }
    return name;
}

static struct str alias_arn_text(struct laying *l, const struct layout_function *f)
{
    return str_fmt(
        l->arena,
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:%.*s:%.*s",
        STR_ARG(f->name), STR_ARG(l->service->stage));
}

/* Its Ref is its name. */
static bool is_stage(const struct laying *l, struct str id)
{
    return l->described_stage.n && str_eq(l->described_stage, id);
}

/* What `${…}` inside Fn::Sub becomes for `id` and `attribute` (may be empty): text with its own
 * ${…}. Empty when the reference stays as it is. */
static struct str sub_text(struct laying *l, struct str id, struct str attribute,
                           enum reference_mode mode)
{
    struct arena *a = l->arena;
    const struct placement *p = placement_of(l, id);
    if (!p)
        return (struct str){"", 0};
    if (p->function && p->scope != SCOPE_STAGE) {
        if (!attribute.n && p->scope == SCOPE_HEAD)
            return str_fmt(a, "%.*s:%.*s", STR_ARG(p->function->name), STR_ARG(l->service->stage));
        return mode == REFERENCE_POINTER ? str_fmt(a, "${%.*s}", STR_ARG(p->function->alias_id))
                                         : alias_arn_text(l, p->function);
    }
    if (is_stage(l, id))
        return l->service->stage;
    if ((p->scope == SCOPE_STAGE && str_eq(p->id, id)) || p->scope == SCOPE_NOWHERE)
        return (struct str){"", 0};
    if (mode == REFERENCE_SERVICE || p->scope == SCOPE_STAGE)
        return str_fmt(a, attribute.n ? "${%.*s.%.*s}" : "${%.*s%.*s}", STR_ARG(p->id),
                       STR_ARG(attribute));
    return str_fmt(a, "${%.*s}", STR_ARG(service_value(l, p->id, attribute)));
}

bool references_next_sub(struct str text, size_t *at, struct str *before, struct str *ret)
{
    size_t from = *at;
    for (size_t i = from;;) {
        ptrdiff_t open = str_find(text, STR("${"), i);
        ptrdiff_t close = open < 0 ? -1 : str_find_char(text, '}', (size_t)open);
        if (close < 0) {
            *before = str_sub(text, from, text.n);
            *at = text.n;
            return false;
        }
        *ret = str_sub(text, (size_t)open + 2, (size_t)(close - open - 2));
        i = (size_t)close + 1;
        if (str_starts(*ret, STR("!")))
            continue;
        *before = str_sub(text, from, (size_t)open - from);
        *at = i;
        *ret = str_trim(*ret);
        return true;
    }
}

void references_split_name(struct str name, struct str *id, struct str *attribute)
{
    ptrdiff_t dot = str_find_char(name, '.', 0);
    *id = dot < 0 ? name : str_sub(name, 0, (size_t)dot);
    *attribute = dot < 0 ? (struct str){"", 0} : str_sub(name, (size_t)dot + 1, name.n);
}

static struct str rewrite_sub_text(struct laying *l, struct str text, const struct node *locals,
                                   enum reference_mode mode)
{
    struct buf b = BUF(l->arena);
    struct str before, name;
    size_t at = 0;
    while (references_next_sub(text, &at, &before, &name)) {
        struct str id, attribute;
        references_split_name(name, &id, &attribute);
        struct str with =
            node_get(locals, name) ? (struct str){"", 0} : sub_text(l, id, attribute, mode);
        buf_add(&b, before);
        if (with.n)
            buf_add(&b, with);
        else
            buf_fmt(&b, "${%.*s}", STR_ARG(name));
    }
    buf_add(&b, before);
    return buf_str(&b);
}

static const struct node *rewrite_sub(struct laying *l, const struct node *value,
                                      enum reference_mode mode, struct err *err)
{
    struct arena *a = l->arena;
    if (node_is(value, NODE_STRING))
        return node_from(node_str(a, rewrite_sub_text(l, value->text, NULL, mode)), value);
    if (!node_is(value, NODE_SEQ) || value->count != 2)
        return references_rewrite(l, value, mode, err);
    struct node *pair = node_seq(a);
    const struct node *text = value->items[0], *locals = value->items[1];
    node_push(a, pair,
              node_from(node_str(a, rewrite_sub_text(l, node_text(text), locals, mode)), text));
    const struct node *inner = references_rewrite(l, locals, mode, err);
    if (!inner)
        return NULL;
    node_push(a, pair, inner);
    return node_from(pair, value);
}

static struct node *deployment_hole(struct arena *a, struct str api)
{
    return node_fn(a, "Troupe::Deployment", node_str(a, api));
}

static const struct node *rewrite_ref(struct laying *l, const struct node *n, struct str id,
                                      enum reference_mode mode)
{
    struct arena *a = l->arena;
    const struct placement *p = placement_of(l, id);
    if (!p || (p->scope == SCOPE_STAGE && str_eq(p->id, id)))
        return n;
    struct node *out;
    if (p->function && p->scope != SCOPE_STAGE) {
        if (p->scope == SCOPE_HEAD)
            out = node_strf(a, "%.*s:%.*s", STR_ARG(p->function->name), STR_ARG(l->service->stage));
        else /* a version: its Ref is an ARN */
            out = mode == REFERENCE_POINTER
                      ? node_ref(a, p->function->alias_id)
                      : node_fn(a, "Fn::Sub", node_str(a, alias_arn_text(l, p->function)));
    } else if (is_stage(l, id)) {
        out = p->api ? node_ref(a, p->api->stage_id) : node_str(a, l->service->stage);
    } else if (p->api && p->scope == SCOPE_NOWHERE) {
        out = deployment_hole(a, p->api->id);
    } else if (mode == REFERENCE_SERVICE || p->scope == SCOPE_STAGE) {
        out = node_ref(a, p->id);
    } else {
        out = node_ref(a, service_value(l, p->id, STR("")));
    }
    return node_from(out, n);
}

static const struct node *rewrite_get_att(struct laying *l, const struct node *n, struct str id,
                                          struct str attribute, enum reference_mode mode,
                                          struct err *err)
{
    struct arena *a = l->arena;
    const struct placement *p = placement_of(l, id);
    if (!p || (p->scope == SCOPE_STAGE && str_eq(p->id, id)))
        return n;
    struct node *out;
    if (p->function && p->scope != SCOPE_STAGE) {
        if (str_eq(attribute, STR("Version")))
            out = node_fn(a, "Troupe::Version", node_str(a, p->function->key));
        else if (!str_eq(attribute, STR("Arn")) && !str_eq(attribute, STR("FunctionArn"))) {
            err_at(err, n->pos, ERR_CONFIG, "a shared function has no attribute '%.*s'",
                   STR_ARG(attribute));
            return NULL;
        } else
            out = mode == REFERENCE_POINTER
                      ? node_ref(a, p->function->alias_id)
                      : node_fn(a, "Fn::Sub", node_str(a, alias_arn_text(l, p->function)));
    } else if (mode == REFERENCE_SERVICE || p->scope == SCOPE_STAGE) {
        out = node_get_att(a, p->id, str_z(a, attribute));
    } else {
        out = node_ref(a, service_value(l, p->id, attribute));
    }
    return node_from(out, n);
}

struct rewriting {
    struct laying *laying;
    enum reference_mode mode;
    struct err *err;
};

static const struct node *rewrite_child(void *context, struct str key, const struct node *child)
{
    (void)key;
    const struct rewriting *r = context;
    return references_rewrite(r->laying, child, r->mode, r->err);
}

const struct node *references_rewrite(struct laying *l, const struct node *n,
                                      enum reference_mode mode, struct err *err)
{
    if (node_is(n, NODE_MAP) && n->size == 1) {
        struct str key = n->members[0].key, id, attribute;
        const struct node *value = n->members[0].value;
        if (str_eq(key, STR("Ref")) && node_is(value, NODE_STRING))
            return rewrite_ref(l, n, value->text, mode);
        if (str_eq(key, STR("Fn::GetAtt")) && references_get_att(value, &id, &attribute))
            return rewrite_get_att(l, n, id, attribute, mode, err);
        if (str_eq(key, STR("Fn::Sub"))) {
            const struct node *inner = rewrite_sub(l, value, mode, err);
            return inner ? node_from(node_fn(l->arena, "Fn::Sub", inner), n) : NULL;
        }
    }
    return node_change_children(l->arena, n, rewrite_child, &(struct rewriting){l, mode, err});
}

const struct node *references_depends_on(struct laying *l, const struct node *depends_on)
{
    struct arena *a = l->arena;
    struct node *one = NULL, *out = node_seq(a);
    if (node_is(depends_on, NODE_STRING)) {
        one = node_seq(a);
        node_push(a, one, depends_on);
        depends_on = one;
    }
    struct map seen = MAP(a);
    node_each (item, depends_on) {
        const struct placement *p = placement_of(l, node_text(item));
        struct str id = node_text(item);
        if (p && !p->api && is_stage(l, id)) /* the deployment makes it */
            p = placement_of(l, l->compiled->rest_deployment_id);
        if (p && p->scope != SCOPE_STAGE)
            id = p->function ? p->function->alias_id : p->api ? p->api->stage_id : STR("");
        else if (p)
            id = p->id;
        if (!id.n || map_has(&seen, id))
            continue;
        map_put(&seen, id, (void *)item);
        node_push(a, out, node_str(a, id));
    }
    return out->count ? out : NULL;
}

void references_each(struct arena *a, const struct node *n, reference_visit *visit, void *context)
{
    struct str id, attribute;
    if (node_is(n, NODE_MAP) && n->size == 1) {
        struct str key = n->members[0].key;
        const struct node *value = n->members[0].value;
        if (str_eq(key, STR("Ref")) && node_is(value, NODE_STRING)) {
            visit(context, value->text, n);
            return;
        }
        if (str_eq(key, STR("Fn::GetAtt")) && references_get_att(value, &id, &attribute)) {
            visit(context, id, n);
            return;
        }
        if (str_eq(key, STR("Fn::Sub"))) {
            const struct node *text =
                node_is(value, NODE_SEQ) && value->count ? value->items[0] : value;
            const struct node *locals =
                node_is(value, NODE_SEQ) && value->count > 1 ? value->items[1] : NULL;
            struct str before, name;
            for (size_t at = 0; references_next_sub(node_text(text), &at, &before, &name);) {
                references_split_name(name, &id, &attribute);
                if (!node_get(locals, name))
                    visit(context, id, n);
            }
        }
    }
    node_each (item, n)
        references_each(a, item, visit, context);
    member_each (m, n)
        references_each(a, m->value, visit, context);
}
