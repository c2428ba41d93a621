/* New stages. deploy and clone make a stage by its name alone, so they ask about a name that looks
 * like a mistake, and custom.troupe.stages may list the names that are allowed. */
#include "cli/cli.h"

#include "release/bucket/stage_address.h"
#include "release/world/region.h"

static bool is_digit(struct str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

/* The name without its numbers and what sets them off: pr-12 and pr-13, dev and dev-2 are no
 * mistakes for each other. */
static struct str without_numbers(struct arena *a, struct str s)
{
    struct buf b = BUF(a);
    for (size_t i = 0; i < s.n; i++) {
        bool sets_off = (s.p[i] == '-' || s.p[i] == '_') && is_digit(s, i + 1);
        if (!is_digit(s, i) && !sets_off)
            buf_char(&b, s.p[i]);
    }
    return buf_str(&b);
}

static bool is_swapped(struct str x, struct str y)
{
    size_t at = 0;
    if (x.n != y.n)
        return false;
    while (at < x.n && x.p[at] == y.p[at])
        at++;
    return at + 1 < x.n && x.p[at] == y.p[at + 1] && x.p[at + 1] == y.p[at] &&
           memcmp(x.p + at + 2, y.p + at + 2, x.n - at - 2) == 0;
}

bool stage_is_nearly(struct arena *a, struct str name, struct str other)
{
    struct str x = without_numbers(a, name), y = without_numbers(a, other);
    size_t shorter = x.n < y.n ? x.n : y.n, longer = x.n < y.n ? y.n : x.n;
    /* of short names like dev and qa every letter counts */
    size_t letters = longer < 3 ? 0 : shorter < 4 ? 1 : 2;
    return !str_eq(x, y) &&
           ((letters && str_distance(x, y, letters) != SIZE_MAX) || is_swapped(x, y));
}

/* The nearest name among stages that have a deployment; or empty. */
static int find_near(struct cli *cli, const struct release *r, const struct plan *plan,
                     struct str *ret, struct err *err)
{
    const struct world *w = &plan->world;
    struct str *stages, region, name = r->service->stage;
    struct stack *stacks;
    size_t n = 0;
    bool near = false;
    *ret = (struct str){"", 0};
    for (size_t i = 0; i < w->record_count; i++) {
        struct str other = address_stage(w->records[i].stage, &region);
        if (str_eq(other, name))
            return 0; /* the stage was there before, or is in another region */
        near = near || stage_is_nearly(cli->arena, name, other);
    }
    if (!near)
        return 0;
    if (stages_find(r, &w->store, &stages, &stacks, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (stage_is_nearly(cli->arena, name, address_stage(stages[i], &region)))
            *ret = stages[i];
    return 0;
}

/* Refuse a stage that custom.troupe.stages does not list, when it has a list. */
static int check_allowed(struct cli *cli, const struct service *service, bool *ret_said,
                         struct err *err)
{
    const struct settings *s = &service->settings;
    struct buf all = BUF(cli->arena);
    *ret_said = s->stage_name_count > 0;
    for (size_t i = 0; i < s->stage_name_count; i++) {
        if (settings_glob(s->stage_names[i], service->stage))
            return 0;
        buf_fmt(&all, "%s%.*s", i ? ", " : "", STR_ARG(s->stage_names[i]));
    }
    if (!*ret_said)
        return 0;
    err_at(err, node_get_c(s->node, "stages")->pos, ERR_REFUSED,
           "there is no stage '%.*s', and it may not be made", STR_ARG(service->stage));
    return err_help(err, "custom.troupe.stages names: %.*s", STR_ARG(buf_str(&all)));
}

int context_new_stage(struct cli *cli, const struct release *r, const struct plan *plan,
                      struct err *err)
{
    const struct service *service = r->service;
    struct str near, name = service->stage;
    bool said;
    if (!name.n || plan->world.stage_exists)
        return 0;
    if (check_allowed(cli, service, &said, err) < 0)
        return -1;
    if (said || cli->options.yes)
        return 0;
    if (find_near(cli, r, plan, &near, err) < 0 || !near.n)
        return err->kind ? -1 : 0;
    struct str question = str_fmt(
        cli->arena, "there is no stage '%.*s' yet, but a stage '%.*s': this makes a new one",
        STR_ARG(name), STR_ARG(near));
    if (!cli->options.plan)
        return context_confirm(cli, question.p, name, err);
    context_warn(cli, (struct pos){0}, question, STR("without --plan it asks; --yes does not ask"));
    return 0;
}
