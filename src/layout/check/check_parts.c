/* Parts of resources: `resources:` may add to a resource that is made from functions and events, by
 * its logical id and without a type. Source: CloudFormation API reference, CreateStack: "Template
 * format error: [/Resources/X] Every Resources object must contain a Type member." */
#include "layout/layout_internal.h"

#include "base/near.h"

int check_parts(const struct checking *k, struct err *err)
{
    member_each (m, k->resources) {
        struct err one = {0};
        struct near near = {.name = m->key};
        if (!node_is(m->value, NODE_MAP) || str_starts(m->key, STR("Fn::")) ||
            node_get_c(m->value, "Type"))
            continue;
        member_each (other, k->resources)
            if (other != m && node_get_c(other->value, "Type"))
                near_offer(&near, other->key);
        err_at(&one, m->key_pos.source ? m->key_pos : node_pos(m->value), ERR_CONFIG,
               "resource '%.*s' has no 'Type'", STR_ARG(m->key));
        if (near.best.n)
            err_help(&one, "did you mean '%.*s', of which this would be a part?",
                     STR_ARG(near.best));
        else
            err_help(&one, "give it one; only a part of a resource that is made from functions "
                           "and events has none");
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
