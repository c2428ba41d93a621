/* All functions: resource, version, alias, URL, asynchronous invocation. */
#include "compile/compile_internal.h"

static int compile_one(struct compilation *c, size_t index, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = &c->service->functions[index];
    struct compiled_function *out = &c->out->functions[index];
    struct building b = {
        .f = f, .index = index, .properties = node_map(a), .depends_on = node_seq(a)};
    b.resource = resource_new(a, "AWS::Lambda::Function", b.properties);
    if (out->log_group_id.n)
        node_push(a, b.depends_on, node_str(a, out->log_group_id));
    if (durable_check(c, f, err) < 0 || function_code(c, &b, err) < 0 ||
        function_properties(c, &b, err) < 0)
        return -1;
    if (b.depends_on->count)
        node_put_c(a, b.resource, "DependsOn", b.depends_on);
    out->logical_id = name_function_id(c, f);
    if (resource_add(c, out->logical_id, b.resource, f->pos, err) < 0 ||
        function_version(c, &b, err) < 0 || function_url(c, f, err) < 0)
        return -1;
    return function_is_versioned(c, f) ? 0 : function_async(c, f, err);
}

int functions_compile(struct compilation *c, struct err *err)
{
    const struct service *s = c->service;
    struct err one = {0};
    for (size_t i = 0; i < s->function_count; i++) {
        if (compile_one(c, i, &one) < 0)
            err_wrap(&one, "function '%.*s'", STR_ARG(s->functions[i].key));
        err_also(err, &one);
    }
    /* The dialect hashes the code of versioned functions before it comes to their destinations, so
     * what these add to the role stands behind the statements of all functions. */
    for (size_t i = 0; i < s->function_count; i++) {
        if (function_is_versioned(c, &s->functions[i]) &&
            function_async(c, &s->functions[i], &one) < 0)
            err_wrap(&one, "function '%.*s'", STR_ARG(s->functions[i].key));
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
