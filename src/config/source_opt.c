/* ${opt:name}: what the command line says; ${opt:} is all of it as a map. */
#include "config/variables.h"

static const struct node *external(struct resolver *r, struct str name, const struct str *value)
{
    const struct node *n = node_str(r->arena, *value);
    node_put(r->arena, r->externals, str_fmt(r->arena, "opt:%.*s", STR_ARG(name)), n);
    return n;
}

static const struct str *option(const struct resolver *r, struct str name)
{
    const struct str *value = r->options->options ? map_get(r->options->options, name) : NULL;
    if (!value && str_eq(name, STR("stage")) && r->options->stage.n)
        value = &r->options->stage;
    return value;
}

/* `${opt:stage}` without the option and without a fallback means the stage there is, however it was
 * named, unless the stage itself is being looked for. */
static int standard_stage(struct resolver *r, struct answer *ret, struct err *err)
{
    struct str configured = node_text(node_path(r->root, "provider.stage"));
    if (str_find(configured, STR("${"), 0) >= 0)
        return 0;
    if (resolve_stage(r, err) < 0)
        return -1;
    ret->standard = r->stage.n ? node_str(r->arena, r->stage) : NULL;
    return 0;
}

int source_opt(struct resolver *r, const struct query *q, struct answer *ret, struct err *err)
{
    if (!q->has_address) {
        struct node *all = node_map(r->arena);
        const struct map *options = r->options->options;
        for (size_t i = 0; options && i < options->n; i++)
            node_put(r->arena, all, options->entries[i].key,
                     external(r, options->entries[i].key, options->entries[i].value));
        if (r->options->stage.n)
            node_put_c(r->arena, all, "stage", node_str(r->arena, r->options->stage));
        ret->value = all;
        ret->flags = NODE_STAGE;
        return 0;
    }
    if (str_eq(q->address, STR("stage")))
        ret->flags = NODE_STAGE;
    ret->what = str_fmt(r->arena, "option '--%.*s'", STR_ARG(q->address));
    const struct str *value = option(r, q->address);
    if (value) {
        ret->value = external(r, q->address, value);
        return 0;
    }
    ret->why = str_fmt(r->arena, "option '--%.*s' is not given", STR_ARG(q->address));
    struct near near = {.name = q->address};
    for (size_t i = 0; r->options->options && i < r->options->options->n; i++)
        near_offer(&near, r->options->options->entries[i].key);
    near_offer(&near, STR("stage"));
    near_offer(&near, STR("region"));
    if (near.best.n && !str_eq(near.best, q->address))
        ret->help = str_fmt(r->arena, "did you mean 'opt:%.*s'?", STR_ARG(near.best));
    return str_eq(q->address, STR("stage")) ? standard_stage(r, ret, err) : 0;
}
