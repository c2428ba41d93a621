/* ${opt:name}: what the command line says, then what it said when the bundle was recorded; ${opt:}
 * is all of it as a map. */
#include "config/variables/variables.h"

/* Does option `name` say where to deploy? A recorded one was for another place and does not
 * count. */
static bool is_place(struct str name)
{
    return str_eq(name, STR("stage")) || str_eq(name, STR("region"));
}

static const struct node *recorded_options(const struct resolver *r)
{
    return r->options->bundle ? r->options->bundle->options : NULL;
}

/* Find an option, given now or recorded. False: there is none. */
static bool option(const struct resolver *r, struct str name, struct str *ret)
{
    const struct str *value = r->options->options ? map_get(r->options->options, name) : NULL;
    if (!value && str_eq(name, STR("stage")) && r->options->stage.n)
        value = &r->options->stage;
    const struct node *recorded =
        value || is_place(name) ? NULL : node_get(recorded_options(r), name);
    *ret = value ? *value : node_text(recorded);
    return value || recorded;
}

const struct node *options_all(struct resolver *r)
{
    struct node *all = node_map(r->arena);
    const struct map *options = r->options->options;
    member_each (m, recorded_options(r))
        if (!is_place(m->key))
            node_put(r->arena, all, m->key, node_str(r->arena, node_text(m->value)));
    for (size_t i = 0; options && i < options->n; i++)
        node_put(r->arena, all, options->entries[i].key,
                 node_str(r->arena, *(const struct str *)options->entries[i].value));
    if (r->options->stage.n)
        node_put_c(r->arena, all, "stage", node_str(r->arena, r->options->stage));
    return all;
}

static void offer_options(const struct resolver *r, struct near *near)
{
    const struct map *options = r->options->options;
    for (size_t i = 0; options && i < options->n; i++)
        near_offer(near, options->entries[i].key);
    member_each (m, recorded_options(r))
        near_offer(near, m->key);
    near_offer(near, STR("stage"));
    near_offer(near, STR("region"));
}

/* The value of `${opt:stage}` when the option is not given and no fallback follows: the stage,
 * however it was named. It has none while the stage itself is looked up. */
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
        ret->value = options_all(r);
        ret->flags = NODE_STAGE;
        return 0;
    }
    if (str_eq(q->address, STR("stage")))
        ret->flags = NODE_STAGE;
    ret->what = str_fmt(r->arena, "option '--%.*s'", STR_ARG(q->address));
    struct str value;
    if (option(r, q->address, &value)) {
        ret->value = node_str(r->arena, value);
        if (!is_place(q->address))
            record_given(r, q, &r->given_options, value);
        return 0;
    }
    ret->why = str_fmt(r->arena, "option '--%.*s' is not given", STR_ARG(q->address));
    struct near near = {.name = q->address};
    offer_options(r, &near);
    if (near.best.n && !str_eq(near.best, q->address))
        ret->help = str_fmt(r->arena, "did you mean 'opt:%.*s'?", STR_ARG(near.best));
    return str_eq(q->address, STR("stage")) ? standard_stage(r, ret, err) : 0;
}
