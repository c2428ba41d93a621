/* Waves: a value may need a pointer to what is published before the function that takes the value.
 * A user pool calls one function, and another has the pool's id in its environment: the first is
 * published, then its alias and the pool come, then the second is published. */
#include "layout/layout_internal.h"

/* What is published: the functions, then the APIs, in the order of `needed`. */
struct waves {
    struct laying *laying;
    size_t count;
    enum { UNSEEN, OPEN, DONE } * seen;
    struct err *err;
};

static struct str name_of(const struct waves *w, size_t i)
{
    const struct layout *out = w->laying->out;
    return i < out->function_count ? out->functions[i].key : out->apis[i - out->function_count].id;
}

/* "Troupe::Version api" -> the index of that function. */
static size_t index_of(const struct waves *w, struct str hole)
{
    const struct layout *out = w->laying->out;
    struct str kind, name = hole;
    str_cut(&name, ' ', &kind);
    bool is_function = str_eq(kind, STR("Troupe::Version"));
    size_t i = is_function ? 0 : out->function_count;
    size_t end = is_function ? out->function_count : w->count;
    while (i < end && !str_eq(name_of(w, i), name))
        i++;
    return i < end ? i : w->count;
}

/* Visit what function or API `i` needs, then itself. `way`: how the walk came here, "api ->
 * Pool". */
static int go(struct waves *w, size_t i, struct pos pos, struct str way)
{
    struct arena *a = w->laying->arena;
    struct layout *out = w->laying->out;
    struct str name = name_of(w, i), here = name;
    if (way.n)
        here = str_fmt(a, "%.*s -> %.*s", STR_ARG(way), STR_ARG(name));
    if (w->seen[i] == DONE)
        return 0;
    if (w->seen[i] == OPEN) {
        err_at(w->err, pos, ERR_CONFIG,
               "this value needs '%.*s' published, and '%.*s' needs it in turn: a cycle",
               STR_ARG(name), STR_ARG(name));
        err_note(w->err, (struct pos){0}, "%.*s", STR_ARG(here));
        return err_help(w->err,
                        "name the resource instead of referring to it, or pass the value another "
                        "way, for example by a parameter in SSM");
    }
    w->seen[i] = OPEN;
    vec_each (&w->laying->needed[i].all, v) {
        struct closure c;
        closure_of(a, out->stage_template, NULL, NULL, v->expression, &c);
        if (i < out->function_count)
            out->functions[i].waits |= c.holes.n > 0;
        for (size_t k = 0; k < c.holes.n; k++) {
            size_t next = index_of(w, c.holes.entries[k].key);
            struct str further = str_fmt(a, "%.*s -> %.*s", STR_ARG(here),
                                         STR_ARG(*(struct str *)c.holes.entries[k].value));
            if (next < w->count && go(w, next, v->pos, further) < 0)
                return -1;
        }
    }
    w->seen[i] = DONE;
    return 0;
}

int waves_check(struct laying *l, struct err *err)
{
    struct waves w = {.laying = l, .count = l->out->function_count + l->out->api_count, .err = err};
    w.seen = ARENA_ARRAY(l->arena, w.count + 1, __typeof__(*w.seen));
    for (size_t i = 0; i < w.count; i++)
        if (go(&w, i, (struct pos){0}, STR("")) < 0)
            return -1;
    return 0;
}
