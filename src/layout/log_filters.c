/* Subscription filters of log groups that the file has, by their names: the group has to be made
 * before the filter, and that of a shared function is called otherwise than in the dialect. */
#include "layout/layout_internal.h"

static struct str group_of_file(const struct laying *l, struct str name)
{
    member_each (m, l->flat)
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Logs::LogGroup") &&
            str_eq(node_text(node_path(m->value, "Properties.LogGroupName")), name))
            return m->key;
    return (struct str){"", 0};
}

/* The shared function whose log group the dialect would call `name`; NULL: none. */
static const struct layout_function *logs_elsewhere(const struct laying *l, struct str name)
{
    if (!str_skip(&name, STR("/aws/lambda/")))
        return NULL;
    for (size_t i = 0; i < l->out->function_count; i++) {
        const struct function *f = l->compiled->functions[i].function;
        if (!l->out->functions[i].per_stage && !f->name_explicit && str_eq(f->name, name))
            return &l->out->functions[i];
    }
    return NULL;
}

const struct node *log_filter_rewrite(struct laying *l, const struct node *resource,
                                      struct err *err)
{
    const struct node *name = node_path(resource, "Properties.LogGroupName");
    if (!node_is(name, NODE_STRING))
        return resource;
    struct str id = group_of_file(l, name->text);
    if (id.n)
        return cfn_with_property(l->arena, resource, "LogGroupName",
                                 node_from(node_ref(l->arena, id), name));
    const struct layout_function *f = logs_elsewhere(l, name->text);
    if (!f)
        return resource;
    err_at(err, name->pos.source ? name->pos : resource->pos, ERR_CONFIG,
           "function '%.*s' does not log into '%.*s': all stages share its log group",
           STR_ARG(f->key), STR_ARG(name->text));
    err_help(err, "give each stage a log group of that name with 'custom.troupe.logs: stage'");
    return NULL;
}
