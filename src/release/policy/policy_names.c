/* What the service's things are called in ARNs: with `*` for what AWS makes up. */
#include "release/policy/policy_internal.h"

#include "cfn/cfn.h"
#include "cfn/expression.h"

/* CloudFormation makes names up of stack, logical id and 12 or 13 random characters. Where that is
 * too long both are cut, each to about half of what is left. Source: names that AWS made, as in
 * KensioSoftware/yulin#1113; it is not documented. */
enum { RANDOM_MAX = 14, HALF_LEAST = 24 };

/* ---- values ---- */

static const struct node *known(void *context, struct arena *a, struct str name)
{
    const struct policy_stack *s = context;
    if (str_eq(name, STR("AWS::Region")))
        return node_str(a, s->region);
    if (str_eq(name, STR("AWS::AccountId")))
        return node_str(a, s->request->account);
    if (str_eq(name, STR("AWS::Partition")))
        return node_str(a, s->request->partition);
    if (str_eq(name, STR("AWS::StackName")))
        return node_str(a, s->name);
    return NULL;
}

struct str policy_text(const struct policy_stack *s, const struct node *value)
{
    struct arena *a = s->arena;
    const struct service *service = s->request->service;
    struct policy_stack stack = *s;
    cleanup_err struct err unknown = {0};
    const struct node *n = value ? layout_resolve(a, value, known, &stack, &unknown) : NULL;
    if (!n || n->kind == NODE_MAP || n->kind == NODE_SEQ)
        return (struct str){NULL, 0};
    if (node_flags_deep(value) & NODE_SECRET) /* a policy is no place for it */
        return STR("*");
    struct str text = str_dup(a, node_text(n));
    if (s->request->every_stage && node_flags_deep(value) & NODE_STAGE)
        text = str_replace(a, text, service->stage, STR("*"));
    return text;
}

/* ---- names ---- */

/* The resource, here or in the service's stack, that `id` is, or that a parameter of that name
 * takes its value from. */
static const struct member *resource_of(const struct policy_stack *s, struct str id,
                                        const struct policy_stack **ret_stack)
{
    const struct member *found = node_member(s->resources, id);
    *ret_stack = s;
    if (found || !s->service)
        return found;
    *ret_stack = s->service;
    member_each (m, s->service->resources)
        if (str_starts(id, m->key) && (!found || m->key.n > found->key.n))
            found = m;
    return found;
}

/* `id` without the hash that layout/scope.c puts behind a shared role's: it changes with the role.
 */
static struct str without_hash(struct str id)
{
    enum { HASH = 8 };
    size_t n = id.n;
    while (n && id.n - n < HASH && strchr("0123456789abcdef", id.p[n - 1]))
        n--;
    return id.n - n == HASH ? str_sub(id, 0, n) : id;
}

static struct str made_up(const struct policy_stack *s, struct str id, const struct cfn_arn *form)
{
    struct arena *a = s->arena;
    struct str stack = s->name, name;
    bool over = form->name_max && stack.n + 1 + id.n + RANDOM_MAX > form->name_max;
    id = without_hash(id);
    if (over)
        id = str_sub(id, 0, HALF_LEAST);
    if (over && stack.n > HALF_LEAST)
        name = str_fmt(a, "%.*s*", HALF_LEAST, stack.p);
    else if (s->service &&
             !form->by_id) /* what is a stage's own begins with the name of its stack */
        name = str_fmt(a, "%.*s-*", STR_ARG(stack));
    else
        name = str_fmt(a, "%.*s-%.*s*", STR_ARG(stack), STR_ARG(id));
    return form->lower ? str_lower(a, name) : name;
}

/* "hello" of "arn:…:function:hello:3", "Orders" of "arn:…:table/Orders". */
static struct str name_in_arn(struct str text)
{
    static const char *const before[] = {":function:", ":role/", ":table/", ":log-group:"};
    if (!str_starts(text, STR("arn:")))
        return text;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        ptrdiff_t at = str_find(text, str_c(before[i]), 0);
        struct str rest = at < 0 ? (struct str){NULL, 0}
                                 : str_sub(text, (size_t)at + strlen(before[i]), text.n),
                   name;
        if (str_cut(&rest, ':', &name))
            return name;
    }
    return str_sub(text, (size_t)str_rfind_char(text, ':') + 1, text.n);
}

/* "/aws/lambda/shop-*" of "/aws/lambda/shop-hello": the name that all log groups of the service
 * begin with. */
static struct str shortened(const struct policy_stack *s, struct str name,
                            const struct cfn_arn *form)
{
    struct arena *a = s->arena;
    struct str service = str_fmt(a, "%.*s-", STR_ARG(s->request->service->name));
    struct str stack = str_fmt(a, "%.*s-", STR_ARG(s->name));
    size_t folder = (size_t)(str_rfind_char(name, '/') + 1);
    struct str last = str_sub(name, folder, name.n);
    size_t keep = form->in_service && str_starts(last, service) ? folder + service.n
                  : s->service && str_starts(name, stack)       ? stack.n
                                                                : 0;
    return keep ? str_fmt(a, "%.*s*", STR_ARG(str_sub(name, 0, keep))) : name;
}

static struct str name_of(const struct policy_stack *s, struct str id, const struct node *resource,
                          const struct cfn_arn *form, unsigned depth);

static struct str name_of_value(const struct policy_stack *s, const struct node *value,
                                const struct cfn_arn *form, unsigned depth)
{
    enum { DEPTH_MAX = 4 };
    struct str text = policy_text(s, value);
    struct cfn_value v;
    const struct policy_stack *stack;
    const struct member *m = NULL;
    if (text.p)
        return shortened(s, name_in_arn(text), form);
    if (depth < DEPTH_MAX && cfn_is_value(value, &v))
        m = resource_of(s, v.id, &stack);
    const struct cfn_arn *other = m ? cfn_arn_of(cfn_type_of(m->value)) : NULL;
    if (other)
        return name_of(stack, m->key, m->value, other, depth + 1);
    return form->in_service ? str_fmt(s->arena, "%.*s-*", STR_ARG(s->request->service->name))
                            : STR("*");
}

static struct str name_of(const struct policy_stack *s, struct str id, const struct node *resource,
                          const struct cfn_arn *form, unsigned depth)
{
    const struct node *given = form->name && *form->name
                                   ? node_get_c(node_get_c(resource, "Properties"), form->name)
                                   : NULL;
    if (!given || cfn_is_no_value(given))
        return made_up(s, id, form);
    return name_of_value(s, node_is(given, NODE_SEQ) && given->count ? given->items[0] : given,
                         form, depth);
}

/* ---- ARNs ---- */

struct str policy_arn(const struct policy_stack *s, struct str form, struct str path,
                      struct str name)
{
    struct arena *a = s->arena;
    form = str_replace(a, form, STR("{region}"), s->region);
    form = str_replace(a, form, STR("{account}"), s->request->account);
    form = str_replace(a, form, STR("{path}"), path);
    form = str_replace(a, form, STR("{name}"), name);
    return str_fmt(a, "arn:%.*s:%.*s", STR_ARG(s->request->partition), STR_ARG(form));
}

const struct node *policy_arns(const struct policy_stack *s, struct str id,
                               const struct node *resource)
{
    struct arena *a = s->arena;
    const struct cfn_arn *arn = cfn_arn_of(cfn_type_of(resource));
    struct node *all = node_seq(a);
    if (!arn) {
        node_push(a, all, node_str(a, STR("*")));
        return all;
    }
    struct str forms = str_c(arn->form), form;
    struct str name = arn->name ? name_of(s, id, resource, arn, 0) : (struct str){"", 0};
    struct str path = policy_text(s, node_path(resource, "Properties.Path"));
    if (str_starts(forms, STR("ssm:")))
        str_skip(&name, STR("/"));
    while (str_cut(&forms, ' ', &form)) {
        struct str one = policy_arn(s, form, path.n ? path : STR("/"), name);
        node_push(a, all, node_str(a, one));
        if (arn->in_service && !str_ends(one, STR("*"))) /* its versions, or its streams */
            node_push(a, all, node_str(a, str_fmt(a, "%.*s:*", STR_ARG(one))));
    }
    return all;
}

struct str policy_role(const struct policy_stack *s, const struct node *value)
{
    struct str text = policy_text(s, value);
    struct cfn_value v;
    const struct policy_stack *stack;
    if (text.p || !cfn_is_value(value, &v))
        return text;
    const struct member *m = resource_of(s, v.id, &stack);
    if (!m || !str_eq(cfn_type_of(m->value), STR("AWS::IAM::Role")))
        return (struct str){"", 0};
    return node_text(policy_arns(stack, m->key, m->value)->items[0]);
}
