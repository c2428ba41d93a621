/* Dynamic references that CloudFormation refuses in a function. Source: CloudFormation User Guide,
 * "Using dynamic references to specify template values": a parameter's version is a number, and
 * ssm-secure is taken in few properties, none of them Lambda's. */
#include "layout/layout_internal.h"

#include "cfn/dynamic_reference.h"
#include "doc/place.h"

static void refuse(const struct node *text, const struct cfn_dynamic *d, struct pos outer,
                   struct err *err)
{
    struct err one = {0};
    struct pos pos = text->pos.source ? text->pos : outer;
    if (d->problem) {
        err_at(&one, pos, ERR_CONFIG, "'%.*s': %s", STR_ARG(d->whole), d->problem);
    } else {
        err_at(&one, pos, ERR_CONFIG, "'%.*s': Lambda takes no ssm-secure", STR_ARG(d->whole));
        err_help(&one, "take it by a variable, ${ssm:%.*s}: troupe keeps it secret",
                 STR_ARG(d->name));
    }
    err_also(err, &one);
}

static void walk(const struct node *n, struct pos outer, struct err *err)
{
    struct cfn_dynamic d;
    if (node_is(n, NODE_STRING))
        for (size_t from = 0; cfn_dynamic_next(n->text, from, &d); from = d.at + d.whole.n) {
            /* what Fn::Sub makes of it is not known before */
            bool is_open = str_find(d.whole, STR("${"), 0) >= 0;
            if (d.service == CFN_SSM_SECURE || (d.problem && !is_open))
                refuse(n, &d, outer, err);
        }
    if (node_pos(n).source)
        outer = n->pos;
    node_each (item, n)
        walk(item, outer, err);
    member_each (m, n)
        walk(m->value, m->key_pos.source ? m->key_pos : outer, err);
}

int check_dynamic_references(const struct checking *k, struct err *err)
{
    member_each (m, k->resources)
        if (node_is_text(node_get_c(m->value, "Type"), "AWS::Lambda::Function"))
            walk(node_get_c(m->value, "Properties"), node_pos(m->value), err);
    return err->kind ? -1 : 0;
}
