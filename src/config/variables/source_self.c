/* ${self:a.b.0}: another value of the service file; ${self:} is all of it. */
#include "config/variables/variables.h"

/* Defaults of keys that the file need not set. The reference refuses such a variable without a
 * fallback; services written for its earlier versions rely on the default. */
static int standard_value(struct resolver *r, const struct query *q, struct answer *ret,
                          struct err *err)
{
    if (str_eq(q->address, STR("provider.stage"))) {
        if (resolve_stage(r, err) < 0)
            return -1;
        ret->standard = r->stage.n ? node_str(r->arena, r->stage) : NULL;
    } else if (str_eq(q->address, STR("provider.region"))) {
        if (resolve_region(r, err) < 0)
            return -1;
        ret->standard = node_str(r->arena, r->region);
    }
    return 0;
}

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
    struct found found;
    if (resolve_path(r, r->root, q->address, STR("the service file"), &found, err) < 0)
        return -1;
    answer_found(ret, &found);
    return ret->value ? 0 : standard_value(r, q, ret, err);
}
