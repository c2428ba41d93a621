/* What took part in a service, noted while its variables are resolved. Variables are named by their
 * resolved text, so that a value is used again for whatever stage asks for the same one. */
#include "config/variables/variables.h"

#include "base/fs.h"

enum { PATTERN_COUNT_MAX = 64 };

struct str query_params(struct arena *a, const struct query *q)
{
    struct buf b = BUF(a);
    buf_lit(&b, "");
    for (size_t i = 0; i < q->param_count; i++) {
        if (i)
            buf_char(&b, ',');
        buf_add(&b, node_text(q->params[i]));
    }
    return b.p ? buf_str(&b) : (struct str){"", 0};
}

struct str recorded_text(struct resolver *r, const struct query *q)
{
    struct str params = query_params(r->arena, q);
    return params.n ? str_fmt(r->arena, "%.*s(%.*s):%.*s", STR_ARG(q->type), STR_ARG(params),
                              STR_ARG(q->address))
                    : str_fmt(r->arena, "%.*s:%.*s", STR_ARG(q->type), STR_ARG(q->address));
}

void record_absent(struct resolver *r, struct str text)
{
    r->absent = r->absent ? r->absent : node_map(r->arena);
    node_put(r->arena, r->absent, text, node_null(r->arena));
}

void record_value(struct resolver *r, const struct query *q, struct str text,
                  const struct node *value)
{
    struct arena *a = r->arena;
    if (q->secret)
        return;
    if (node_empty(value)) {
        record_absent(r, text);
        return;
    }
    bool secret = node_flags_deep(value) & NODE_SECRET;
    node_put(a, r->externals, text, secret ? node_null(a) : value);
}

void record_given(struct resolver *r, const struct query *q, struct node **map, struct str value)
{
    if (q->secret)
        return;
    *map = *map ? *map : node_map(r->arena);
    node_put(r->arena, *map, q->address, node_str(r->arena, value));
}

void record_file(struct resolver *r, struct str path, struct str text)
{
    vec_each (&r->sources, file)
        if (str_eq(file->path, path))
            return;
    vec_push(r->arena, &r->sources, (struct source_file){path, text});
}

static bool has_letters(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (pattern.p[i] && pattern.p[i] != '/')
            return true;
    return false;
}

/* The pattern for a name that the stage chose as a whole, as "config/dev.yml" chosen from a map:
 * any file beside it with the same ending, and in directories whose names differ by the stage's. */
static struct str pattern_of_name(struct resolver *r, struct str name)
{
    struct str base = path_base(name), any = {"", 1};
    ptrdiff_t dot = str_rfind_char(base, '.');
    struct str end = dot > 0 ? str_sub(base, (size_t)dot, base.n) : STR("");
    struct str dir = str_sub(name, 0, name.n - base.n);
    if (r->stage.n)
        dir = str_replace(r->arena, dir, r->stage, any);
    return str_concat(r->arena, str_concat(r->arena, dir, any), end);
}

static bool is_inside(struct str pattern)
{
    return pattern.n && pattern.p[0] != '/' && pattern.p[0] != '~' && !str_eq(pattern, STR("..")) &&
           !str_starts(pattern, STR("../"));
}

void siblings_note(struct resolver *r, const struct query *q, struct str name)
{
    if (!q->pattern.n || q->secret || r->options->bundle || r->patterns.n >= PATTERN_COUNT_MAX)
        return;
    struct str pattern =
        has_letters(q->pattern) ? path_clean(r->arena, q->pattern) : pattern_of_name(r, name);
    if (!is_inside(pattern))
        return;
    vec_each (&r->patterns, known)
        if (str_eq(known->pattern, pattern))
            return;
    vec_push(r->arena, &r->patterns, (struct sibling_pattern){pattern, name, q->pos});
}

bool fallback_is_worth(const struct variable_source *s)
{
    return str_eq(s->type, STR("file")) || str_eq(s->type, STR("env"));
}

void siblings_note_fallbacks(struct resolver *r, const struct node *host, const struct variable *v,
                             size_t from)
{
    for (size_t i = from; i < v->source_count && !r->options->bundle; i++)
        if (fallback_is_worth(&v->sources[i])) {
            struct fallback f = {host, &v->sources[i], v->source_count - i};
            vec_push(r->arena, &r->fallbacks, f);
            return;
        }
}
