/* Export names: every output that troupe makes is exported as `sls-<service>-<stage>-<key>`. Those
 * of the user's `resources:` are merged later and keep what they say. */
#include "compile/compile_internal.h"

void outputs_export(struct compilation *c)
{
    struct arena *a = c->arena;
    for (size_t i = 0; i < c->outputs->size; i++) {
        struct member *m = &c->outputs->members[i];
        if (node_get_c(m->value, "Export"))
            continue;
        struct str name = str_fmt(a, "sls-%.*s-%.*s", STR_ARG(name_prefix(c)), STR_ARG(m->key));
        m->value = cfn_with(a, m->value, "Export", node_fn(a, "Name", node_staged(c, name)));
    }
}
