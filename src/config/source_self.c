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
    if (resolve_path(r, r->root, q->address, STR("the service file"), &ret->value, &ret->why,
                     &ret->help, err) < 0)
        return -1;
    /* what the file need not say has a source of its own */
    if (!ret->value && str_eq(q->address, STR("provider.stage")))
        ret->help = STR("set 'provider.stage', or write '${sls:stage}' here");
    if (!ret->value && str_eq(q->address, STR("provider.region")))
        ret->help = STR("set 'provider.region', or write '${aws:region}' here");
    return 0;
}
