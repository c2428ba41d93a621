/* ${param:name}: --param, then the stage's block of `params`, then its `default` block. */
#include "config/variables.h"

/* Does any block but `default` know the name? Then another stage may get another value. */
static bool stage_takes_part(const struct node *params, struct str name)
{
    member_each (block, params)
        if (!str_eq(block->key, STR("default")) && node_get(block->value, name))
            return true;
    return false;
}

static int from_block(struct resolver *r, const struct node *params, struct str block,
                      struct str name, const struct node **ret, struct near *near, struct err *err)
{
    const struct node *values;
    if (resolve_step(r, params, block, &values, err) < 0)
        return -1;
    member_each (m, values)
        near_offer(near, m->key);
    const struct node *raw = values ? node_get(values, name) : NULL;
    *ret = raw && raw->kind != NODE_NULL ? with_flags(r->arena, raw, values->flags) : NULL;
    return 0;
}

static int from_file(struct resolver *r, const struct query *q, struct answer *ret,
                     struct near *near, struct err *err)
{
    const struct node *params;
    if (resolve_step(r, r->root, STR("params"), &params, err) < 0)
        return -1;
    if (!node_is(params, NODE_MAP))
        return 0;
    if (stage_takes_part(params, q->address))
        ret->flags |= NODE_STAGE;
    if (resolve_stage(r, err) < 0)
        return -1;
    if (r->stage.n) {
        ret->what = str_fmt(r->arena, "param '%.*s' of stage '%.*s'", STR_ARG(q->address),
                            STR_ARG(r->stage));
        if (from_block(r, params, r->stage, q->address, &ret->value, near, err) < 0)
            return -1;
    }
    if (ret->value)
        return 0;
    ret->what = str_fmt(r->arena, "param '%.*s'", STR_ARG(q->address));
    return from_block(r, params, STR("default"), q->address, &ret->value, near, err);
}

int source_param(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (!q->has_address)
        return err_at(err, q->pos, ERR_CONFIG, "'param' needs a name: '${param:name}'");
    const struct str *given = r->options->params ? map_get(r->options->params, q->address) : NULL;
    if (given) {
        ret->what = str_fmt(r->arena, "option '--param %.*s'", STR_ARG(q->address));
        ret->flags = NODE_STAGE;
        ret->value = node_str(r->arena, *given);
        node_put(r->arena, r->externals, str_fmt(r->arena, "param:%.*s", STR_ARG(q->address)),
                 ret->value);
        return 0;
    }
    struct near near = {.name = q->address};
    if (from_file(r, q, ret, &near, err) < 0)
        return -1;
    if (ret->value)
        return 0;
    ret->why = r->stage.n ? str_fmt(r->arena, "no param '%.*s' for stage '%.*s'",
                                    STR_ARG(q->address), STR_ARG(r->stage))
                          : str_fmt(r->arena, "no param '%.*s'", STR_ARG(q->address));
    if (near.best.n)
        ret->help = str_fmt(r->arena, "did you mean 'param:%.*s'?", STR_ARG(near.best));
    else
        ret->help = str_fmt(r->arena, "add it under 'params', or give --param %.*s=VALUE",
                            STR_ARG(q->address));
    return 0;
}
