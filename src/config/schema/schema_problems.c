/* What is wrong with a value: how it is said, how bad it is, and telling it as error or warning. */
#include "config/schema/schema_internal.h"

#include "base/near.h"
#include "config/variables/variables.h"

enum { SHOWN_MAX = 60 };

/* ---- what is expected, what is there ---- */

void problem_words(struct buf *b, const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    for (size_t i = 0; i < count && i < WORDS_SHOWN_MAX; i++)
        buf_fmt(b, "%s'%s'", !i ? "" : i + 1 == count ? " or " : ", ", words[i]);
    if (count > WORDS_SHOWN_MAX)
        buf_lit(b, ", …");
}

static void add_range(struct buf *b, const struct schema *s)
{
    static const char *const units[] = {[TYPE_STRING] = " characters",
                                        [TYPE_LIST] = " items",
                                        [TYPE_MAP] = " members",
                                        [TYPE_NULL] = ""};
    const char *unit = units[s->type] ? units[s->type] : "";
    const char *with = *unit ? " of " : " ";
    if (s->has_min && s->has_max)
        buf_fmt(b, "%s%s%lld %s %lld%s", with, *unit ? "" : "between ", (long long)s->min,
                *unit ? "to" : "and", (long long)s->max, unit);
    else if (s->has_min)
        buf_fmt(b, "%sat least %lld%s", with, (long long)s->min, unit);
    else if (s->has_max)
        buf_fmt(b, "%sat most %lld%s", with, (long long)s->max, unit);
}

static struct str describe(struct arena *a, const struct schema *s)
{
    static const char *const types[] = {
        [ANY] = "another value",          [TYPE_STRING] = "a string",
        [TYPE_NUMBER] = "a number",       [TYPE_INTEGER] = "a whole number",
        [TYPE_BOOLEAN] = "true or false", [TYPE_MAP] = "a map",
        [TYPE_LIST] = "a list",           [TYPE_NULL] = "another value"};
    if (s->expected)
        return str_c(s->expected);
    struct buf b = BUF(a);
    if (s->words) {
        problem_words(&b, s->words);
    } else if (s->constant) {
        buf_add(&b, str_c(s->constant));
    } else if (s->any && s->type == ANY) {
        struct str last = {0};
        for (size_t i = 0; s->any[i]; i++) {
            struct str one = describe(a, s->any[i]);
            if (last.p && !str_eq(one, last))
                buf_lit(&b, " or ");
            if (!last.p || !str_eq(one, last))
                buf_add(&b, one);
            last = one;
        }
    } else {
        buf_add(&b, str_c(types[s->type]));
        add_range(&b, s);
    }
    return buf_str(&b);
}

static struct str actual_text(struct arena *a, const struct node *n)
{
    if (n->flags & NODE_SECRET)
        return STR("the secret value");
    if (n->kind == NODE_SEQ || n->kind == NODE_MAP || n->kind == NODE_NULL)
        return str_c(node_kind_name(n));
    struct str text = node_text(n);
    if (!text.n)
        return STR("an empty string");
    if (text.n > SHOWN_MAX) {
        size_t cut = SHOWN_MAX;
        while (cut && ((unsigned char)text.p[cut] & 0xC0) == 0x80)
            cut--;
        return str_fmt(a, "'%.*s…'", STR_ARG(str_sub(text, 0, cut)));
    }
    return str_fmt(a, n->kind == NODE_STRING ? "'%.*s'" : "%.*s", STR_ARG(text));
}

/* Describe a map with several members where one is expected: mostly what belongs below that one
 * stands beside it. */
static void say_members(struct arena *a, const struct node *map, struct problem *p)
{
    const struct member *first = &map->members[0];
    p->actual = str_fmt(a, "a map of %zu: '%.*s', '%.*s'%s", map->size, STR_ARG(first->key),
                        STR_ARG(map->members[1].key), map->size > 2 ? ", …" : "");
    if (first->value->kind == NODE_NULL)
        p->weight = REFUSED;
    p->help = first->value->kind == NODE_NULL
                  ? str_fmt(a, "indent what belongs to '%.*s' by two more spaces than its name",
                            STR_ARG(first->key))
                  : str_fmt(a,
                            "if it belongs to '%.*s', write that as a map and indent the key below "
                            "by two more spaces than its name",
                            STR_ARG(first->key));
}

/* Could AWS tell more of the map than its text does? */
static bool is_function(const struct node *n)
{
    return n->kind == NODE_MAP && n->size == 1 &&
           (str_eq(n->members[0].key, STR("Ref")) || str_starts(n->members[0].key, STR("Fn::")));
}

static bool takes_kind(struct checker *c, const struct schema *s, const struct node *n)
{
    for (size_t i = 0; s->type == ANY && s->any && s->any[i]; i++)
        if (takes_kind(c, s->any[i], n))
            return true;
    if (s->type == ANY)
        return !s->any && (!s->words || n->kind == NODE_STRING);
    return schema_coerce(c->arena, s->type, &n);
}

static bool takes_container(const struct schema *s)
{
    for (size_t i = 0; s->any && s->any[i]; i++)
        if (takes_container(s->any[i]))
            return true;
    return s->type == TYPE_MAP || s->type == TYPE_LIST;
}

static enum weight weigh(struct checker *c, const struct schema *s, const struct node *n);

/* As the mildest of the alternatives that take such a value has it; 0: none does. */
static enum weight weigh_alternatives(struct checker *c, const struct schema *s,
                                      const struct node *n)
{
    enum weight mildest = 0;
    for (size_t i = 0; s->type == ANY && s->any && s->any[i]; i++) {
        if (!takes_kind(c, s->any[i], n))
            continue;
        enum weight w = weigh(c, s->any[i], n);
        mildest = !mildest || w < mildest ? w : mildest;
    }
    return mildest;
}

/* What comes of a value that does not match. */
static enum weight weigh(struct checker *c, const struct schema *s, const struct node *n)
{
    bool is_scalar = n->kind != NODE_MAP && n->kind != NODE_SEQ;
    bool is_nothing = is_scalar ? !node_text(n).n : !node_count(n);
    if (s->text_read && !is_scalar)
        return STOPS;
    if (is_function(n))
        return s->wrong == STOPS ? STOPS : DOUBTFUL;
    if (is_nothing)
        return DOUBTFUL;
    if (s->wrong)
        return s->wrong;
    enum weight mildest = weigh_alternatives(c, s, n);
    if (mildest || takes_kind(c, s, n))
        return mildest ? mildest : DOUBTFUL;
    return is_scalar && !takes_container(s) ? DOUBTFUL : REFUSED;
}

bool problem_mismatch(struct checker *c, const struct schema *s, struct place at,
                      const struct node *n, problem_list *problems)
{
    struct problem p = {.pos = n->pos.source ? n->pos : at.key_pos,
                        .depth = at.depth,
                        .weight = weigh(c, s, n),
                        .subject = at.name,
                        .expected = describe(c->arena, s),
                        .actual = actual_text(c->arena, n),
                        .origin = n->origin};
    if (n->kind == NODE_MAP && s->type == TYPE_MAP && s->has_max && n->size > 1)
        say_members(c->arena, n, &p);
    if (s->words && n->kind == NODE_STRING) {
        struct near near = {.name = n->text};
        for (size_t i = 0; s->words[i]; i++)
            near_offer(&near, str_c(s->words[i]));
        if (near.best.n)
            p.help = str_fmt(c->arena, "did you mean '%.*s'?", STR_ARG(near.best));
    }
    vec_push(c->arena, problems, p);
    return false;
}

bool problem_note(struct checker *c, enum weight weight, struct pos pos, unsigned depth,
                  struct str message, struct str help, problem_list *problems)
{
    struct problem p = {
        .pos = pos, .depth = depth, .weight = weight, .message = message, .help = help};
    vec_push(c->arena, problems, p);
    return false;
}

/* ---- telling ---- */

static bool is_error(const struct checker *c, const struct problem *p)
{
    return p->weight == STOPS || (p->weight == DOUBTFUL && c->strict) ||
           (p->weight == REFUSED && (c->strict || !c->lenient));
}

static struct str problem_text(const struct checker *c, const struct problem *p)
{
    if (!p->subject.n)
        return p->message;
    return str_fmt(c->arena, "'%.*s' %s be %.*s, not %.*s", STR_ARG(p->subject),
                   is_error(c, p) ? "must" : "should", STR_ARG(p->expected), STR_ARG(p->actual));
}

static void raise(struct checker *c, const struct problem *p, struct err *err)
{
    struct err one = {0};
    struct str text = problem_text(c, p);
    err_at(&one, p->pos, ERR_CONFIG, "%.*s", STR_ARG(text));
    for (const struct origin *o = p->origin; o; o = o->from)
        if (o->what.n && (o->pos.source || !o->from))
            err_note(&one, o->pos, "it comes from %.*s", STR_ARG(o->what));
    if (p->help.n)
        err_help(&one, "%.*s", STR_ARG(p->help));
    err_also(err, &one);
}

static void warn(struct checker *c, struct pos pos, struct str text, struct str help)
{
    if (c->options->warn && !c->silent)
        c->options->warn(c->options->warn_context, pos, text, help);
}

#define STRICT_HINT "--strict makes unknown keys errors"

/* Unknown keys are told together: mostly they are several of one plugin. */
static void tell_unknown(struct checker *c, const problem_list *problems)
{
    const struct problem *only = NULL;
    struct buf b = BUF(c->arena);
    size_t n = 0;
    vec_each (problems, p) {
        if (!p->unknown)
            continue;
        only = p;
        if (++n > ERRORS_SHOWN)
            continue;
        /* "unknown key 'x' in 'y'" */
        struct str key = p->message;
        str_skip(&key, STR("unknown key "));
        buf_fmt(&b, "%s%.*s at %.*s:%u:%u", n == 1 ? "" : ", ", STR_ARG(key),
                STR_ARG(p->pos.source ? p->pos.source->path : STR("?")), p->pos.line,
                p->pos.column);
        if (p->help.n)
            buf_fmt(&b, " (%.*s)", STR_ARG(p->help));
    }
    if (n > ERRORS_SHOWN)
        buf_fmt(&b, ", and %zu more", n - ERRORS_SHOWN);
    if (n == 1)
        warn(c, only->pos, only->message,
             !only->help.n ? STR(STRICT_HINT)
                           : str_fmt(c->arena, "%.*s%s" STRICT_HINT, STR_ARG(only->help),
                                     str_ends(only->help, STR("?")) ? " " : "; "));
    else if (n)
        warn(c, (struct pos){0},
             str_fmt(c->arena, "%zu unknown keys: %.*s", n, STR_ARG(buf_str(&b))),
             STR(STRICT_HINT));
}

void problems_tell(struct checker *c, const problem_list *problems, struct err *err)
{
    vec_each (problems, p) {
        if (is_error(c, p))
            raise(c, p, err);
        else if (!p->unknown)
            warn(c, p->pos, problem_text(c, p), p->help);
    }
    if (!c->strict)
        tell_unknown(c, problems);
}
