/* Functions that CloudFront calls at its edge (Lambda@Edge), as a template tells. */
#include "cfn/expression.h"
#include "cfn/template.h"

struct search {
    const struct node *resources;
    struct str id;
    bool found;
};

static void find_function(void *context, const struct cfn_value *v)
{
    struct search *s = context;
    s->found = s->found || str_eq(v->id, s->id);
}

static void find_called(void *context, const struct cfn_value *v)
{
    struct search *s = context;
    const struct node *called = node_get(s->resources, v->id);
    if (node_is_text(node_get_c(called, "Type"), "AWS::Lambda::Version"))
        cfn_each_value(node_path(called, "Properties.FunctionName"), find_function, s);
    else
        find_function(s, v);
}

static void walk(struct search *s, const struct node *n)
{
    node_each (item, n)
        walk(s, item);
    member_each (m, n) {
        if (str_eq(m->key, STR("LambdaFunctionARN")))
            cfn_each_value(m->value, find_called, s);
        walk(s, m->value);
    }
}

bool cfn_is_at_edge(const struct node *resources, struct str function)
{
    struct search s = {.resources = resources, .id = function};
    member_each (m, resources)
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::CloudFront::Distribution"))
            walk(&s, node_get_c(m->value, "Properties"));
    return s.found;
}
