/* What is asked of, and said about, all that stages share without owning it. */
#include "release/plan/outside_shared.h"

#include "cfn/expression.h"

bool outside_is_shared(const struct node *shared, const struct node *value)
{
    struct cfn_value v;
    return value && (!cfn_is_value(value, &v) || node_get(shared, v.id));
}

int outside_taken(const struct release *r, struct pos pos, struct str stage, struct str what,
                  const char *help, struct err *err)
{
    err_at(err, pos, ERR_REFUSED, "stage '%.*s' has %.*s: '%.*s' cannot have it, too",
           STR_ARG(stage), STR_ARG(what), STR_ARG(r->service->address));
    return err_help(err, "%s", help);
}
