/* Goal of a shift by hand: a deployment beside the current one. */
#include "release/stack/nested.h"

/* Which record: the one named, or that of the shift under way. */
static int find_number(const struct goal *goal, const struct release *r, const struct world *w,
                       int64_t *ret, struct err *err)
{
    const struct record *under_way = world_shift(w);
    struct str stage = r->service->address;
    if (!under_way && w->unclosed && w->record.body && w->record.body->to)
        under_way = &w->record; /* its end was cut off */
    int64_t at = under_way ? under_way->body->to : 0;
    const int64_t *asked = goal->context; /* 0: that of the shift under way */
    *ret = *asked ? *asked : at;
    if (!*ret) {
        err_set(err, ERR_REFUSED, "no shift of '%.*s' is under way", STR_ARG(stage));
        return err_help(err, "begin one: troupe shift %.*s --to N --weight PERCENT",
                        STR_ARG(stage));
    }
    if (at && *ret != at) {
        err_set(err, ERR_REFUSED, "a shift of '%.*s' to %lld is under way", STR_ARG(stage),
                (long long)at);
        return err_help(err,
                        "finish it with troupe shift %.*s --promote, or take it back with --abort",
                        STR_ARG(stage));
    }
    if (*ret == w->current)
        return err_set(err, ERR_REFUSED, "'%.*s' is at %lld", STR_ARG(stage), (long long)*ret);
    return 0;
}

/* Why the target's versions cannot serve beside those of now; empty: they can. A stage whose shift
 * stands has the stack of its current deployment, so its roles may no more than that says. */
static struct str why_not_beside(const struct release *r, const struct world *w,
                                 const struct target *t)
{
    struct map waiting = MAP(r->arena);
    if (!t->switches)
        return t->notes[t->note_count - 1];
    if (layout_grant(r->arena, t->layout, t->layout->stage_template, w->stage_template, &waiting))
        return STR("its functions need rights that their roles do not have now");
    return STR("");
}

static int find(const struct goal *goal, const struct release *r, struct world *w,
                struct target *ret, struct err *err)
{
    int64_t number;
    if (find_number(goal, r, w, &number, err) < 0)
        return -1;
    struct goal like = goal_rollback(r->arena, number);
    if (like.find(&like, r, w, ret, err) < 0)
        return -1;
    ret->what = str_fmt(r->arena, "shift to %lld", (long long)number);
    ret->restores = 0;
    ret->to = number;
    struct str why = why_not_beside(r, w, ret);
    if (!why.n)
        return 0;
    err_set(err, ERR_REFUSED, "%.*s#%lld cannot serve beside the current deployment: %.*s",
            STR_ARG(r->service->address), (long long)number, STR_ARG(why));
    return err_help(err, "go there at once: troupe rollback %.*s --to %lld",
                    STR_ARG(r->service->address), (long long)number);
}

struct goal goal_shift(struct arena *a, int64_t number, const struct shifting *shifting)
{
    int64_t *asked = ARENA_NEW(a, int64_t);
    *asked = number;
    return (struct goal){.verb = "shift",
                         .parts = WORLD_RECORD,
                         .find = find,
                         .context = asked,
                         .shifting = shifting,
                         .ends_shift = true};
}
