/* ${param:name}: --param, then the stage's block of `params`, then --param as the bundle recorded
 * it (before the block, when it was recorded for this very stage), then the `default` block. */
#include "config/variables/variables.h"

/* May another stage get another value? It may when any block but `default` has the name. */
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

static void from_option(struct resolver *r, const struct query *q, struct str value,
                        const char *when, struct answer *ret)
{
    ret->what = str_fmt(r->arena, "option '--param %.*s'%s", STR_ARG(q->address), when);
    ret->flags |= NODE_STAGE;
    ret->value = node_str(r->arena, value);
    record_given(r, q, &r->given_params, value);
}

static bool is_own_bundle(const struct resolver *r)
{
    return r->stage.n && str_eq(r->options->bundle->stage, r->stage);
}

/* Ask the file's blocks and `recorded`, the recorded --param or NULL, in the order told above. */
static int from_file(struct resolver *r, const struct query *q, const struct node *recorded,
                     struct answer *ret, struct near *near, struct err *err)
{
    const struct node *params;
    if (resolve_step(r, r->root, STR("params"), &params, err) < 0)
        return -1;
    bool is_map = node_is(params, NODE_MAP);
    if (is_map && stage_takes_part(params, q->address))
        ret->flags |= NODE_STAGE;
    if (is_map && resolve_stage(r, err) < 0)
        return -1;
    if (is_map && recorded && is_own_bundle(r)) {
        from_option(r, q, node_text(recorded), ", as recorded", ret);
    } else if (is_map && r->stage.n) {
        ret->what = str_fmt(r->arena, "param '%.*s' of stage '%.*s'", STR_ARG(q->address),
                            STR_ARG(r->stage));
        if (from_block(r, params, r->stage, q->address, &ret->value, near, err) < 0)
            return -1;
    }
    if (!ret->value && recorded)
        from_option(r, q, node_text(recorded), ", as recorded", ret);
    if (ret->value || !is_map)
        return 0;
    ret->what = str_fmt(r->arena, "param '%.*s'", STR_ARG(q->address));
    return from_block(r, params, STR("default"), q->address, &ret->value, near, err);
}

int source_param(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (!q->has_address)
        return err_at(err, q->pos, ERR_CONFIG, "'param' needs a name: '${param:name}'");
    const struct str *given = r->options->params ? map_get(r->options->params, q->address) : NULL;
    const struct node *recorded =
        r->options->bundle ? node_get(r->options->bundle->params, q->address) : NULL;
    if (given) {
        from_option(r, q, *given, "", ret);
        return 0;
    }
    struct near near = {.name = q->address};
    if (from_file(r, q, recorded, ret, &near, err) < 0)
        return -1;
    if (ret->value)
        return 0;
    ret->why = r->stage.n ? str_fmt(r->arena, "no param '%.*s' for stage '%.*s'",
                                    STR_ARG(q->address), STR_ARG(r->stage))
                          : str_fmt(r->arena, "no param '%.*s'", STR_ARG(q->address));
    if (str_eq(near.best, q->address)) /* the name is there, without a value */
        ret->why = str_fmt(r->arena, "param '%.*s' is null", STR_ARG(q->address));
    else if (near.best.n)
        ret->help = str_fmt(r->arena, "did you mean 'param:%.*s'?", STR_ARG(near.best));
    else
        ret->help = str_fmt(r->arena, "add it under 'params', or give --param %.*s=VALUE",
                            STR_ARG(q->address));
    return 0;
}
