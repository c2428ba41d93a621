/* ${sls:stage} and ${sls:instanceId}; with them, how the stage and the region are found. */
#include "config/variables/variables.h"

#include <ctype.h>

#include "base/clock.h"

int source_sls(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    ret->resolved = true;
    if (str_eq(q->address, STR("instanceId"))) {
        if (!r->instance_id.n)
            r->instance_id = str_fmt(r->arena, "%lld", (long long)clock_wall_ms());
        ret->value = node_str(r->arena, r->instance_id);
        return 0;
    }
    if (!str_eq(q->address, STR("stage"))) {
        err_at(err, q->pos, ERR_CONFIG, "'sls' has no '%.*s'", STR_ARG(q->address));
        return err_help(err, "it has 'sls:stage' and 'sls:instanceId'");
    }
    if (resolve_stage(r, err) < 0)
        return -1;
    ret->flags = NODE_STAGE;
    ret->what = STR("the stage");
    if (!r->stage.n) {
        err_at(err, q->pos, ERR_CONFIG, "'${sls:stage}' needs a stage, and none is named");
        return err_help(err, "name one with --stage NAME, or set 'provider.stage'");
    }
    ret->value = node_str(r->arena, r->stage);
    return 0;
}
