/* serverless-plugin-warmup in stages: a warmer calls the aliases of its own stage, by the names
 * that functions have there, and may call nothing else. */
#include "compile/compile_internal.h"

#include "doc/json.h"

struct warmer {
    struct compilation *c;
    const struct function *fn;
    const struct node *calls;
};

static const struct function *function_of(const struct compilation *c, const struct node *call)
{
    for (size_t i = 0; i < c->service->function_count; i++)
        if (str_eq(c->service->functions[i].key, node_text(node_get_c(call, "key"))))
            return &c->service->functions[i];
    return NULL;
}

/* ---- environment ---- */

/* Names, and what is said of most of them only once: variables have little room. */
static const struct node *called(const struct warmer *w)
{
    struct compilation *c = w->c;
    struct arena *a = c->arena;
    const struct node *common = node_path(w->calls, "0.config");
    struct node *all = node_map(a), *functions = node_seq(a);
    node_each (call, w->calls) {
        const struct node *config = node_get_c(call, "config");
        const struct node *name = node_str(a, node_text(name_function(c, function_of(c, call))));
        struct node *own = node_map(a);
        node_put_c(a, own, "name", name);
        node_put_c(a, own, "config", config);
        node_push(a, functions, node_equal(config, common) ? name : own);
    }
    struct str shared = str_concat(a, c->service->name, STR("-"));
    node_put_c(a, all, "verbose", node_path(w->fn->node, "warmer.verbose"));
    node_put_c(a, all, "prefixes",
               NODE_LIST(a, node_str(a, shared),
                         node_str(a, str_fmt(a, "%.*s%.*s-", STR_ARG(shared),
                                             STR_ARG(c->service->stage)))));
    node_put_c(a, all, "config", common);
    node_put_c(a, all, "functions", functions);
    return node_staged(c, json_text(a, all, 0));
}

static const struct node *with_environment(const struct warmer *w, const struct node *resource)
{
    struct arena *a = w->c->arena;
    const struct node *old = node_path(resource, "Properties.Environment.Variables");
    struct node *variables = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    node_put_c(a, variables, "SERVERLESS_ALIAS", node_staged(w->c, w->c->service->stage));
    node_put_c(a, variables, "WARMUP_FUNCTIONS", called(w));
    return cfn_with_property(a, resource, "Environment", node_fn(a, "Variables", variables));
}

/* ---- role ---- */

static const struct node *arn_of(const struct warmer *w, const char *service, struct str rest)
{
    struct arena *a = w->c->arena;
    return node_fn(
        a, "Fn::Sub",
        node_staged(w->c,
                    str_fmt(a, "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%.*s",
                            service, STR_ARG(rest))));
}

static const struct node *log_arns(const struct warmer *w, const char *ending)
{
    struct arena *a = w->c->arena;
    struct str group = node_text(name_log_group(w->c, w->fn));
    return NODE_LIST(a, arn_of(w, "logs", str_fmt(a, "log-group:%.*s%s", STR_ARG(group), ending)));
}

static const struct node *called_arns(const struct warmer *w)
{
    struct arena *a = w->c->arena;
    struct node *arns = node_seq(a);
    node_each (call, w->calls) {
        const struct node *name = name_function(w->c, function_of(w->c, call));
        node_push(a, arns,
                  arn_of(w, "lambda",
                         str_fmt(a, "function:%.*s:%.*s", STR_ARG(node_text(name)),
                                 STR_ARG(w->c->service->stage))));
    }
    return arns;
}

/* The statements stand as plugin_warmup.c has made them. */
static const struct node *with_rights(const struct warmer *w, const struct node *role)
{
    struct arena *a = w->c->arena;
    const struct node *policy = node_path(role, "Properties.Policies.0");
    const struct node *document = node_get_c(policy, "PolicyDocument");
    const struct node *old = node_get_c(document, "Statement");
    const struct node *resources[] = {log_arns(w, ":*"), log_arns(w, ":*:*"), called_arns(w)};
    struct node *statements = node_seq(a);
    for (size_t i = 0; i < node_count(old); i++)
        node_push(a, statements,
                  i < sizeof resources / sizeof *resources
                      ? cfn_with(a, old->items[i], "Resource", resources[i])
                      : old->items[i]);
    document = cfn_with(a, document, "Statement", statements);
    return cfn_with_property(a, role, "Policies",
                             NODE_LIST(a, cfn_with(a, policy, "PolicyDocument", document)));
}

static const struct node *put(struct arena *a, const struct node *resources, struct str id,
                              const struct node *resource)
{
    struct node *copy = node_shallow(a, resources);
    node_put(a, copy, id, resource);
    return copy;
}

const struct node *warmers_finish(struct compilation *c, const struct node *template)
{
    struct arena *a = c->arena;
    const struct node *resources = node_get_c(template, "Resources"), *before = resources;
    if (c->options->naming == NAMING_FLAT)
        return template;
    for (size_t i = 0; i < c->service->function_count; i++) {
        const struct function *fn = &c->service->functions[i];
        struct warmer w = {c, fn, node_path(fn->node, "warmer.calls")};
        struct str id = name_function_id(c, fn), role = node_text(node_get_c(fn->node, "role"));
        if (!w.calls)
            continue;
        resources = put(a, resources, id, with_environment(&w, node_get(resources, id)));
        if (node_bool_or(node_path(fn->node, "warmer.ownRole"), false))
            resources = put(a, resources, role, with_rights(&w, node_get(resources, role)));
    }
    return resources == before ? template : cfn_with(a, template, "Resources", resources);
}
