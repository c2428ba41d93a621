/* Values of dynamic references in definitions. CloudFormation puts them into properties of
 * resources and nowhere else, so those of what troupe publishes itself are asked for here. */
#include "release/plan/plan.h"

#include "base/buf.h"
#include "cfn/dynamic_reference.h"
#include "cfn/expression.h"
#include "doc/json.h"

struct resolving {
    const struct release *r;
    struct plan *plan;
    struct err *err;
};

/* Source: CloudFormation User Guide, "Get a plaintext value from Systems Manager Parameter Store":
 * a list is one text; a SecureString is not taken. */
static int ask_parameter(struct resolving *x, const struct cfn_dynamic *d, const struct node **ret)
{
    struct arena *a = x->r->arena;
    struct str name =
        d->version.n ? str_fmt(a, "%.*s:%.*s", STR_ARG(d->name), STR_ARG(d->version)) : d->name;
    if (ssm_parameter(a, x->r->aws, name, SSM_RAW | SSM_ENCRYPTED, ret, x->err) < 0)
        return -1;
    if (!*ret)
        return err_set(x->err, ERR_NOT_FOUND, "there is no parameter '%.*s'", STR_ARG(name));
    if ((*ret)->flags & NODE_SECRET) {
        err_set(x->err, ERR_CONFIG, "parameter '%.*s' is a SecureString", STR_ARG(name));
        return err_help(x->err, "take it by a variable, ${ssm:%.*s}: troupe keeps it secret",
                        STR_ARG(name));
    }
    return 0;
}

static int ask_secret(struct resolving *x, const struct cfn_dynamic *d, const struct node **ret)
{
    struct arena *a = x->r->arena;
    struct err unreadable cleanup_err = {0}; /* it may show a piece of the secret */
    const struct node *whole;
    if (secretsmanager_secret(a, x->r->aws, d->name, d->stage, d->version, &whole, x->err) < 0)
        return -1;
    *ret = whole;
    if (!d->key.n)
        return 0;
    const struct node *json = json_parse(a, d->name, whole->text, &unreadable);
    const struct node *value = node_get(json, d->key);
    if (!json)
        return err_set(x->err, ERR_NOT_FOUND, "the secret is no JSON");
    if (!value)
        return err_set(x->err, ERR_NOT_FOUND, "the secret has no key '%.*s'", STR_ARG(d->key));
    bool scalar = value->kind != NODE_MAP && value->kind != NODE_SEQ && value->kind != NODE_NULL;
    *ret = node_from(node_str(a, scalar ? node_text(value) : json_text(a, value, 0)), whole);
    return 0;
}

static const struct node *ask(struct resolving *x, const struct cfn_dynamic *d, struct pos pos)
{
    static int (*const services[])(struct resolving *, const struct cfn_dynamic *,
                                   const struct node **) = {
        [CFN_SSM] = ask_parameter, [CFN_SECRETS_MANAGER] = ask_secret};
    const struct node *value = map_get(&x->plan->dynamic, d->whole);
    if (value)
        return value;
    if (!d->problem && d->service == CFN_SSM_SECURE)
        err_set(x->err, ERR_CONFIG, "Lambda and API Gateway take no ssm-secure");
    else if (d->problem)
        err_set(x->err, ERR_CONFIG, "%s", d->problem);
    else if (services[d->service](x, d, &value) == 0) {
        map_put(&x->plan->dynamic, d->whole, value);
        return value;
    }
    if (x->err->kind == ERR_NOT_FOUND) /* that is no value that a later step makes known */
        x->err->kind = ERR_CONFIG;
    if (!x->err->pos.source)
        x->err->pos = pos;
    err_wrap(x->err, "'%.*s'", STR_ARG(d->whole));
    return NULL;
}

static const struct node *resolve_text(struct resolving *x, const struct node *n)
{
    struct buf b = BUF(x->r->arena);
    struct cfn_dynamic d;
    unsigned flags = 0;
    size_t from = 0;
    while (cfn_dynamic_next(n->text, from, &d)) {
        const struct node *value = ask(x, &d, n->pos);
        if (!value)
            return NULL;
        buf_add(&b, str_sub(n->text, from, d.at - from));
        buf_add(&b, value->text);
        flags |= value->flags;
        from = d.at + d.whole.n;
    }
    if (!from)
        return n;
    buf_add(&b, str_sub(n->text, from, n->text.n));
    struct node *out = node_from(node_str(x->r->arena, buf_str(&b)), n);
    out->flags |= flags;
    return out;
}

/* The values that are asked for whatever else becomes known: of texts that no function makes. */
static const struct node *probe(void *context, struct str key, const struct node *n)
{
    struct resolving *x = context;
    (void)key;
    if (node_is(n, NODE_STRING))
        return resolve_text(x, n);
    return cfn_is_function(n) ? n : node_change_children(x->r->arena, n, probe, x);
}

static const struct node *resolve(void *context, struct str key, const struct node *n)
{
    struct resolving *x = context;
    (void)key;
    if (node_is(n, NODE_STRING))
        return resolve_text(x, n);
    return node_change_children(x->r->arena, n, resolve, x);
}

int plan_dynamic_check(const struct release *r, struct plan *plan, const struct node *tree,
                       struct err *err)
{
    struct resolving x = {r, plan, err};
    if (!plan->dynamic.arena)
        plan->dynamic = MAP(r->arena);
    return probe(&x, STR(""), tree) ? 0 : -1;
}

const struct node *plan_dynamic_values(const struct release *r, struct plan *plan,
                                       const struct node *tree, struct err *err)
{
    struct resolving x = {r, plan, err};
    if (!plan->dynamic.arena)
        plan->dynamic = MAP(r->arena);
    return resolve(&x, STR(""), tree);
}
