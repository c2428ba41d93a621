/* ${self:a.b.0}: another value of the service file; ${self:} is all of it. */
#include "config/variables.h"

int source_self(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    ret->what = str_fmt(r->arena, "'%.*s'", STR_ARG(q->text));
    ret->resolved = true;
    if (!q->has_address) {
        ret->value = r->root;
        return 0;
    }
    if (str_eq(q->address, STR("provider.stage")))
        ret->flags |= NODE_STAGE;
    return resolve_path(r, r->root, q->address, STR("the service file"), &ret->value, &ret->why,
                        &ret->help, err);
}
