/* Applying the schema. Problems are collected: of several alternatives that fail, the one that got
 * furthest into the value tells what is wrong. */
#include "config/schema/schema.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <strings.h>

#include "base/map.h"
#include "base/vec.h"
#include "config/variables/variables.h"

enum { SHOWN_MAX = 60, WORDS_SHOWN_MAX = 12 };

struct problem {
    struct pos pos;
    unsigned depth; /* how deep in the value */
    enum weight weight;
    bool unknown;       /* a key that is not in the schema: told together */
    struct str subject; /* set: "'subject' must be <expected>, not <actual>" */
    struct str expected, actual;
    struct str message; /* else this */
    struct str help;
    const struct origin *origin;
};

typedef VEC(struct problem) problem_list;

struct place {
    struct str name; /* of the value, for messages */
    unsigned depth;
    struct pos key_pos;
};

static bool check_value(struct checker *c, const struct schema *s, struct place at,
                        const struct node **value, problem_list *problems);

static bool coerce(struct checker *c, enum schema_type type, const struct node **value);

/* ---- patterns ---- */

static bool matches(struct checker *c, const char *pattern, bool ignore_case, struct str text)
{
    if (str_find_char(text, '\0', 0) >= 0)
        return false;
    struct str key = str_c(pattern);
    regex_t *compiled = map_get(c->patterns, key);
    if (!compiled) {
        compiled = ARENA_NEW(c->arena, regex_t);
        if (regcomp(compiled, pattern, REG_EXTENDED | REG_NOSUB | (ignore_case ? REG_ICASE : 0)))
            abort(); /* the tables are wrong */
        map_put(c->patterns, key, compiled);
    }
    return regexec(compiled, str_z(c->arena, text), 0, NULL, 0) == 0;
}

void checker_free(struct checker *c)
{
    for (size_t i = 0; c->patterns && i < c->patterns->n; i++)
        regfree(c->patterns->entries[i].value);
}

/* ---- what is expected, what is there ---- */

static void add_words(struct buf *b, const char *const *words)
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
        add_words(&b, s->words);
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
    return coerce(c, s->type, &n);
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

static bool mismatch(struct checker *c, const struct schema *s, struct place at,
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

static bool complain(struct checker *c, enum weight weight, struct pos pos, unsigned depth,
                     struct str message, struct str help, problem_list *problems)
{
    struct problem p = {
        .pos = pos, .depth = depth, .weight = weight, .message = message, .help = help};
    vec_push(c->arena, problems, p);
    return false;
}

/* ---- coercion ---- */

static bool is_type(const struct node *n, enum schema_type type)
{
    int64_t whole;
    switch (type) {
    case TYPE_STRING:
        return n->kind == NODE_STRING;
    case TYPE_NUMBER:
        return n->kind == NODE_NUMBER;
    case TYPE_INTEGER:
        return n->kind == NODE_NUMBER && node_to_int(n, &whole);
    case TYPE_BOOLEAN:
        return n->kind == NODE_BOOL;
    case TYPE_MAP:
        return n->kind == NODE_MAP;
    case TYPE_LIST:
        return n->kind == NODE_SEQ;
    case TYPE_NULL:
        return n->kind == NODE_NULL;
    default:
        return true;
    }
}

/* JavaScript's +text for a text, or false when that is no number. */
static bool text_number(struct arena *a, struct str text, struct str *ret)
{
    const char *z = str_z(a, str_trim(text));
    char *end;
    if (!*z || strspn(z, "0123456789.eE+-") != strlen(z))
        return false;
    double v = strtod(z, &end);
    if (*end || !isfinite(v))
        return false;
    *ret = number_canonical(a, v);
    return true;
}

static struct node *to_number(struct arena *a, const struct node *n)
{
    struct str number;
    if (n->kind == NODE_BOOL)
        return node_int(a, n->boolean);
    if (n->kind == NODE_NULL)
        return node_int(a, 0);
    if (n->kind == NODE_STRING && n->text.n && text_number(a, n->text, &number))
        return node_number(a, number);
    return NULL;
}

static struct node *to_boolean(struct arena *a, const struct node *n)
{
    bool number = n->kind == NODE_NUMBER;
    if (node_is_text(n, "false") || (number && str_eq(n->text, STR("0"))) || n->kind == NODE_NULL)
        return node_bool(a, false);
    if (node_is_text(n, "true") || (number && str_eq(n->text, STR("1"))))
        return node_bool(a, true);
    return NULL;
}

static struct node *to_type(struct arena *a, const struct node *n, enum schema_type type)
{
    struct node *made;
    switch (type) {
    case TYPE_STRING:
        return n->kind == NODE_NUMBER || n->kind == NODE_BOOL ? node_str(a, node_text(n))
               : n->kind == NODE_NULL                         ? node_str(a, STR(""))
                                                              : NULL;
    case TYPE_NUMBER:
    case TYPE_INTEGER:
        made = to_number(a, n);
        return made && is_type(made, type) ? made : NULL;
    case TYPE_BOOLEAN:
        return to_boolean(a, n);
    case TYPE_NULL:
        return (n->kind == NODE_STRING && !n->text.n) || (n->kind == NODE_BOOL && !n->boolean) ||
                       (n->kind == NODE_NUMBER && str_eq(n->text, STR("0")))
                   ? node_null(a)
                   : NULL;
    case TYPE_LIST:
        if (n->kind == NODE_MAP || n->kind == NODE_SEQ)
            return NULL;
        made = node_seq(a);
        node_push(a, made, n);
        return made;
    default:
        return NULL;
    }
}

static bool coerce(struct checker *c, enum schema_type type, const struct node **value)
{
    const struct node *n = *value;
    if (is_type(n, type))
        return true;
    /* of a list of one, only the item itself or what can be made from it is taken */
    if (n->kind == NODE_SEQ && n->count == 1 && type != TYPE_MAP) {
        n = n->items[0];
        if (is_type(n, type)) {
            *value = n;
            return true;
        }
    }
    struct node *made = to_type(c->arena, n, type);
    if (!made)
        return false;
    *value = node_from(made, n);
    return true;
}

/* ---- scalars ---- */

static bool known_word(const struct schema *s, const struct node *n)
{
    struct str text = node_text(n);
    if (s->type == ANY && n->kind != NODE_STRING)
        return false;
    for (size_t i = 0; s->words[i]; i++) {
        struct str word = str_c(s->words[i]);
        if (s->ignore_case ? word.n == text.n && !strncasecmp(word.p, text.p, text.n)
                           : str_eq(word, text))
            return true;
    }
    return false;
}

static size_t length_of(const struct node *n)
{
    size_t length = 0;
    if (n->kind != NODE_STRING)
        return node_count(n);
    for (size_t i = 0; i < n->text.n; i++)
        length += ((unsigned char)n->text.p[i] & 0xC0) != 0x80;
    return length;
}

static bool in_range(const struct schema *s, const struct node *n)
{
    double v = n->kind == NODE_NUMBER ? strtod(n->text.p, NULL) : (double)length_of(n);
    return (!s->has_min || v >= (double)s->min) && (!s->has_max || v <= (double)s->max);
}

static bool check_own(struct checker *c, const struct schema *s, struct place at,
                      const struct node *n, problem_list *problems)
{
    if (s->constant && (n->kind != NODE_BOOL || !str_eq(node_text(n), str_c(s->constant))))
        return mismatch(c, s, at, n, problems);
    if (s->words && !known_word(s, n))
        return mismatch(c, s, at, n, problems);
    if (s->pattern && n->kind == NODE_STRING && !matches(c, s->pattern, s->ignore_case, n->text))
        return mismatch(c, s, at, n, problems);
    if ((s->has_min || s->has_max) && !in_range(s, n))
        return mismatch(c, s, at, n, problems);
    return true;
}

/* ---- alternatives ---- */

/* How far into the value an alternative got before its first problem. One whose `type` is another
 * one was not meant: it counts half a level less. */
static unsigned reached(problem_list *problems)
{
    unsigned least = UINT32_MAX;
    vec_each (problems, p) {
        unsigned steps = 2 * p->depth - (p->depth && str_eq(p->subject, STR("type")));
        if (p->weight != NO_EFFECT && steps < least)
            least = steps;
    }
    return least;
}

static bool check_any(struct checker *c, const struct schema *s, struct place at,
                      const struct node **value, problem_list *problems)
{
    problem_list best = {0};
    unsigned best_depth = 0;
    for (size_t i = 0; s->any[i]; i++) {
        problem_list own = {0};
        if (check_value(c, s->any[i], at, value, &own)) {
            vec_each (&own, p)
                vec_push(c->arena, problems, *p);
            return true;
        }
        unsigned depth = reached(&own);
        if (!best.n || depth > best_depth) {
            best = own;
            best_depth = depth;
        }
    }
    if (best_depth <= 2 * at.depth && best.n && best.p[0].subject.n)
        return mismatch(c, s, at, *value, problems);
    vec_each (&best, p)
        vec_push(c->arena, problems, *p);
    return false;
}

/* ---- containers ---- */

static bool check_list(struct checker *c, const struct schema *s, struct place at,
                       const struct node **value, problem_list *problems)
{
    const struct node *list = *value;
    struct node *copy = NULL;
    bool good = true;
    for (size_t i = 0; s->items && i < list->count; i++) {
        const struct node *item = list->items[i];
        struct place below = {str_fmt(c->arena, "%.*s[%zu]", STR_ARG(at.name), i), at.depth + 1,
                              item->pos.source ? item->pos : at.key_pos};
        good = check_value(c, s->items, below, &item, problems) && good;
        if (item == list->items[i])
            continue;
        copy = copy ? copy : node_shallow(c->arena, list);
        copy->items[i] = item;
    }
    if (copy)
        *value = copy;
    return good;
}

static bool is_spoken(const struct checker *c, const struct field *f)
{
    return !(f->flags & (c->dialect == DIALECT_4 ? ONLY_3 : ONLY_4));
}

static const struct field *field_of(const struct checker *c, const struct schema *s, struct str key)
{
    for (const struct field *f = s->fields; f && f->name; f++)
        if (str_eq(key, str_c(f->name)) && is_spoken(c, f))
            return f;
    return NULL;
}

static struct str inside(struct checker *c, struct place at)
{
    return at.name.n ? str_fmt(c->arena, " in '%.*s'", STR_ARG(at.name)) : STR("");
}

static struct str known_keys(struct checker *c, const struct schema *s)
{
    struct buf b = BUF(c->arena);
    size_t count = 0;
    for (const struct field *f = s->fields; f && f->name; f++)
        if (!(f->flags & UNSUPPORTED) && is_spoken(c, f))
            buf_fmt(&b, "%s%s", count++ ? ", " : "", f->name);
    return count && count <= WORDS_SHOWN_MAX
               ? str_fmt(c->arena, "keys are %.*s", STR_ARG(buf_str(&b)))
               : (struct str){0};
}

static struct str key_help(struct checker *c, const struct schema *s, struct str key)
{
    struct near near = {.name = key};
    for (const struct hint *hint = s->hints; hint && hint->key; hint++)
        if (str_eq(key, str_c(hint->key)))
            return str_c(hint->help);
    for (const struct field *f = s->fields; f && f->name; f++)
        if (!(f->flags & UNSUPPORTED) && is_spoken(c, f))
            near_offer(&near, str_c(f->name));
    if (near.best.n)
        return str_fmt(c->arena, "did you mean '%.*s'?", STR_ARG(near.best));
    if (!c->strict) /* told with others, in a line */
        return (struct str){0};
    return s->help ? str_c(s->help) : s->keys ? (struct str){0} : known_keys(c, s);
}

static bool unknown_key(struct checker *c, const struct schema *s, struct place at,
                        const struct member *m, problem_list *problems)
{
    struct str in = inside(c, at);
    struct problem p = {.pos = m->key_pos.source ? m->key_pos : at.key_pos,
                        .depth = at.depth + 1,
                        .weight = s->wrong_keys ? s->wrong_keys : DOUBTFUL,
                        .help = key_help(c, s, m->key)};
    p.unknown = p.weight == DOUBTFUL && !s->keys && !s->kind;
    if (s->keys)
        p.message = str_fmt(c->arena, "key '%.*s'%.*s is not allowed: it must be made of %s",
                            STR_ARG(m->key), STR_ARG(in), s->keys_expected);
    else if (s->kind)
        p.message = str_fmt(c->arena, "unknown %s '%.*s'%.*s: nothing comes of it", s->kind,
                            STR_ARG(m->key), STR_ARG(in));
    else
        p.message = str_fmt(c->arena, "unknown key '%.*s'%.*s", STR_ARG(m->key), STR_ARG(in));
    vec_push(c->arena, problems, p);
    return false;
}

static void say_no_effect(struct checker *c, struct place at, const struct member *m,
                          const char *why, problem_list *problems)
{
    struct problem p = {.pos = m->key_pos.source ? m->key_pos : at.key_pos,
                        .depth = at.depth + 1,
                        .weight = NO_EFFECT,
                        .message = str_fmt(c->arena, "key '%.*s'%.*s has no effect",
                                           STR_ARG(m->key), STR_ARG(inside(c, at))),
                        .help = str_c(why)};
    vec_push(c->arena, problems, p);
}

static bool check_member(struct checker *c, const struct schema *s, struct place at,
                         const struct member *m, const struct node **value, problem_list *problems)
{
    const struct field *f = field_of(c, s, m->key);
    struct place below = {m->key, at.depth + 1, m->key_pos};
    if (f && f->flags & UNSUPPORTED)
        return complain(c, STOPS, m->key_pos, at.depth + 1,
                        str_fmt(c->arena,
                                "%s '%.*s'%.*s is not supported by this version of troupe",
                                s->kind ? s->kind : "key", STR_ARG(m->key), STR_ARG(inside(c, at))),
                        str_c(s->unsupported_help ? s->unsupported_help : "remove it"), problems);
    if (f && f->no_effect && !node_empty(m->value) && node_bool_or(m->value, true))
        say_no_effect(c, at, m, f->no_effect, problems);
    if (f)
        return !f->schema || check_value(c, f->schema, below, value, problems);
    bool named = !s->keys || matches(c, s->keys, false, m->key);
    if (s->values && named)
        return check_value(c, s->values, below, value, problems);
    if (named && (!s->closed || s->keys))
        return true;
    return s->closed ? unknown_key(c, s, at, m, problems) : true;
}

static bool has_member(const struct node *map, const char *name)
{
    return !node_empty(node_get_c(map, name));
}

static bool check_choice(struct checker *c, const char *const *names, bool only_one,
                         struct place at, const struct node *map, problem_list *problems)
{
    size_t count = 0;
    for (size_t i = 0; names[i]; i++)
        count += has_member(map, names[i]);
    if (count == 1 || (count > 1 && !only_one))
        return true;
    struct buf b = BUF(c->arena);
    add_words(&b, names);
    return complain(c, REFUSED, at.key_pos.source ? at.key_pos : map->pos, at.depth + 1,
                    str_fmt(c->arena, "'%.*s' needs %s %.*s", STR_ARG(at.name),
                            only_one ? "exactly one of" : "at least", STR_ARG(buf_str(&b))),
                    (struct str){0}, problems);
}

/* Does a map that lacks a required member still count as this alternative? Alternatives with
 * `expected` are told apart by their members, so there it does not. */
static bool is_itself(const struct schema *s)
{
    return !s->expected;
}

static bool check_map(struct checker *c, const struct schema *s, struct place at,
                      const struct node **value, problem_list *problems)
{
    const struct node *map = *value;
    struct node *copy = NULL;
    bool good = true;
    for (const struct field *f = s->fields; f && f->name; f++)
        if (f->flags & (REQUIRED | EXPECTED) && is_spoken(c, f) && !has_member(map, f->name))
            good =
                complain(c, f->flags & REQUIRED ? REFUSED : DOUBTFUL,
                         at.key_pos.source ? at.key_pos : map->pos, at.depth + is_itself(s),
                         str_fmt(c->arena, "'%s' is missing%.*s", f->name, STR_ARG(inside(c, at))),
                         (struct str){0}, problems);
    if (s->one_of)
        good = check_choice(c, s->one_of, true, at, map, problems) && good;
    if (s->some_of)
        good = check_choice(c, s->some_of, false, at, map, problems) && good;
    for (size_t i = 0; i < map->size; i++) {
        const struct node *member = map->members[i].value;
        const struct member *m = &map->members[i];
        if (member->kind == NODE_NULL) {
            if (s->kind && map->size == 1)
                good = complain(c, DOUBTFUL, m->key_pos, at.depth + 1,
                                str_fmt(c->arena, "%s '%.*s'%.*s has no value: nothing comes of it",
                                        s->kind, STR_ARG(m->key), STR_ARG(inside(c, at))),
                                (struct str){0}, problems);
            if (c->names && s->closed && !s->keys && !s->values && !field_of(c, s, m->key))
                good = unknown_key(c, s, at, m, problems) && good;
            continue;
        }
        good = check_member(c, s, at, &map->members[i], &member, problems) && good;
        if (member == map->members[i].value)
            continue;
        copy = copy ? copy : node_shallow(c->arena, map);
        copy->members[i].value = member;
    }
    if (copy)
        *value = copy;
    return good;
}

/* Is `n` a text of which nothing comes, by `s`? */
static bool is_idle_text(struct checker *c, const struct schema *s, const struct node *n,
                         problem_list *problems)
{
    for (const struct hint *t = s->texts; t && t->key; t++) {
        if (!node_is_text(n, t->key))
            continue;
        struct problem p = {.pos = n->pos,
                            .weight = NO_EFFECT,
                            .message = str_fmt(c->arena, "%s '%s' alone has no effect",
                                               s->kind ? s->kind : "key", t->key),
                            .help = str_c(t->help)};
        vec_push(c->arena, problems, p);
        return true;
    }
    return false;
}

static bool check_value(struct checker *c, const struct schema *s, struct place at,
                        const struct node **value, problem_list *problems)
{
    if (is_idle_text(c, s, *value, problems))
        return true;
    if (!coerce(c, s->type, value))
        return mismatch(c, s, at, *value, problems);
    bool good = check_own(c, s, at, *value, problems);
    if (!good && (*value)->kind != NODE_MAP && (*value)->kind != NODE_SEQ)
        return false;
    good = (!s->any || check_any(c, s, at, value, problems)) && good;
    if ((*value)->kind == NODE_SEQ && s->type == TYPE_LIST)
        good = check_list(c, s, at, value, problems) && good;
    if ((*value)->kind == NODE_MAP && s->type == TYPE_MAP)
        good = check_map(c, s, at, value, problems) && good;
    return good;
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

int schema_check(struct checker *c, const struct schema *schema, struct str name,
                 const struct node **value, struct err *err)
{
    problem_list problems = {0};
    if (!c->patterns) {
        c->patterns = ARENA_NEW(c->arena, struct map);
        *c->patterns = MAP(c->arena);
    }
    check_value(c, schema, (struct place){name, 0, (*value)->pos}, value, &problems);
    vec_each (&problems, p) {
        if (is_error(c, p))
            raise(c, p, err);
        else if (!p->unknown)
            warn(c, p->pos, problem_text(c, p), p->help);
    }
    if (!c->strict)
        tell_unknown(c, &problems);
    return err->kind ? -1 : 0;
}
