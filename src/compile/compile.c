/* The order of a compilation. It is the reference's, because it decides the order of statements in
 * the function role and of dependencies. */
#include "compile/compile_internal.h"

int compile_service(struct arena *a, const struct service *service, const struct packed *packed,
                    const struct compile_options *options, struct compiled *ret, struct err *err)
{
    struct compiled out = {
        .functions = ARENA_ARRAY(a, service->function_count + 1, struct compiled_function),
        .function_count = service->function_count,
    };
    struct compilation c = {
        .arena = a,
        .service = service,
        .packed = packed,
        .options = options,
        .out = &out,
        .provider = node_get_c(service->root, "provider"),
        .resources = node_map(a),
        .outputs = node_map(a),
        .destinations = node_seq(a),
    };
    for (size_t i = 0; i < service->function_count; i++)
        out.functions[i].function = &service->functions[i];
    static int (*const parts[])(struct compilation *, struct err *) = {limits_check,
                                                                       log_groups_compile,
                                                                       iam_compile,
                                                                       layers_compile,
                                                                       functions_compile,
                                                                       state_machines_compile,
                                                                       events_compile,
                                                                       state_machine_events_compile,
                                                                       cache_policies_compile,
                                                                       own_roles_compile,
                                                                       domains_compile};
    bucket_compile(&c);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct err one = {0};
        parts[i](&c, &one);
        err_also(err, &one);
    }
    if (err->kind)
        return -1;
    outputs_export(&c);
    const struct node *template = resources_finish(&c, err);
    if (!template)
        return -1;
    template = pseudo_parameters_replace(&c, warmers_finish(&c, template));
    out.template = bridged_finish(&c, template, err);
    if (!out.template)
        return -1;
    *ret = out;
    return 0;
}
