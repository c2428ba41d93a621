/* Values that one stack takes from another. */
#include "layout/split/split_internal.h"

struct str split_value_key(struct arena *a, const struct cfn_value *v)
{
    return str_fmt(a, "%.*s%s%.*s", STR_ARG(v->id), v->form == CFN_AS_TEXT ? "!" : ".",
                   STR_ARG(v->attribute));
}

static void note_need(void *context, const struct cfn_value *v)
{
    map_put(context, v->id, context);
}

void split_needs(const struct node *n, struct map *ret)
{
    cfn_each_value(n, note_need, ret);
}

struct gathering {
    const struct node *conditions;
    struct map *ret;
};

static void add_condition(void *context, const struct node *name)
{
    const struct gathering *g = context;
    const struct node *condition = node_get(g->conditions, name->text);
    if (!condition || map_has(g->ret, name->text))
        return;
    map_put(g->ret, name->text, condition);
    cfn_each_condition(condition, add_condition, context);
}

void split_conditions(const struct node *conditions, const struct node *n, struct map *ret)
{
    cfn_each_condition(n, add_condition, &(struct gathering){conditions, ret});
}
