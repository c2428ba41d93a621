/* The log group of each function. */
#include "compile/compile_internal.h"

static int log_group(struct compilation *c, size_t index, struct err *err)
{
    struct arena *a = c->arena;
    const struct function *f = &c->service->functions[index];
    if (node_truthy(node_get_c(f->node, "disableLogs")))
        return 0;
    struct node *p = node_map(a);
    node_put_c(a, p, "LogGroupName", name_log_group(c, f));
    node_put_c(a, p, "RetentionInDays", node_setting(f->node, c->provider, "logRetentionInDays"));
    node_put_c(a, p, "DataProtectionPolicy",
               node_setting(f->node, c->provider, "logDataProtectionPolicy"));
    struct str id = name_with(c, f, "LogGroup");
    struct node *resource = resource_new(a, "AWS::Logs::LogGroup", p);
    put_condition(c, resource, f);
    c->out->functions[index].log_group_id = id;
    return resource_add(c, id, resource, f->pos, err);
}

int provider_log_group_add(struct compilation *c, struct str id, const struct node *name,
                           struct pos pos, struct err *err)
{
    struct arena *a = c->arena;
    struct node *p = node_map(a);
    node_put_c(a, p, "LogGroupName", name);
    node_put_c(a, p, "RetentionInDays", node_setting(c->provider, NULL, "logRetentionInDays"));
    node_put_c(a, p, "DataProtectionPolicy",
               node_setting(c->provider, NULL, "logDataProtectionPolicy"));
    return resource_add(c, id, resource_new(a, "AWS::Logs::LogGroup", p), pos, err);
}

int log_groups_compile(struct compilation *c, struct err *err)
{
    for (size_t i = 0; i < c->service->function_count; i++)
        if (log_group(c, i, err) < 0)
            return err_wrap(err, "function '%.*s'", STR_ARG(c->service->functions[i].key));
    return 0;
}
