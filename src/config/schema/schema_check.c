/* Applying the schema. Problems are collected: of several alternatives that fail, the one that got
 * furthest into the value tells what is wrong. */
#include "config/schema/schema_internal.h"

#include <regex.h>
#include <stdlib.h>
#include <strings.h>

#include "base/map.h"
#include "base/near.h"
#include "config/plugins/plugins.h"

static bool check_value(struct checker *c, const struct schema *s, struct place at,
                        const struct node **value, problem_list *problems);

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
        return problem_mismatch(c, s, at, n, problems);
    if (s->words && !known_word(s, n))
        return problem_mismatch(c, s, at, n, problems);
    if (s->pattern && n->kind == NODE_STRING && !matches(c, s->pattern, s->ignore_case, n->text))
        return problem_mismatch(c, s, at, n, problems);
    if ((s->has_min || s->has_max) && !in_range(s, n))
        return problem_mismatch(c, s, at, n, problems);
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
        return problem_mismatch(c, s, at, *value, problems);
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
    for (const struct schema_more *more = c->more; more; more = more->next)
        for (const struct field *f = more->fields; more->of == s && f->name; f++)
            if (str_eq(key, str_c(f->name)))
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
    const char *plugin = plugin_of_key(s, key);
    if (plugin)
        return str_fmt(c->arena, "%s reads it, which is not among the 'plugins'", plugin);
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
        return problem_note(
            c, STOPS, m->key_pos, at.depth + 1,
            str_fmt(c->arena, "%s '%.*s'%.*s is not supported by this version of troupe",
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
    problem_words(&b, names);
    return problem_note(c, REFUSED, at.key_pos.source ? at.key_pos : map->pos, at.depth + 1,
                        str_fmt(c->arena, "'%.*s' needs %s %.*s", STR_ARG(at.name),
                                only_one ? "exactly one of" : "at least", STR_ARG(buf_str(&b))),
                        (struct str){0}, problems);
}

/* What a map without the member comes to. */
static enum weight weight_without(const struct field *f)
{
    if (!(f->flags & REQUIRED))
        return DOUBTFUL;
    return f->schema && f->schema->wrong == STOPS ? STOPS : REFUSED;
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
            good = problem_note(
                c, weight_without(f), at.key_pos.source ? at.key_pos : map->pos,
                at.depth + is_itself(s),
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
                good = problem_note(c, DOUBTFUL, m->key_pos, at.depth + 1,
                                    str_fmt(c->arena,
                                            "%s '%.*s'%.*s has no value: nothing comes of it",
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
    if (!schema_coerce(c->arena, s->type, value))
        return problem_mismatch(c, s, at, *value, problems);
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

int schema_check(struct checker *c, const struct schema *schema, struct str name,
                 const struct node **value, struct err *err)
{
    problem_list problems = {0};
    if (!c->patterns) {
        c->patterns = ARENA_NEW(c->arena, struct map);
        *c->patterns = MAP(c->arena);
    }
    check_value(c, schema, (struct place){name, 0, (*value)->pos}, value, &problems);
    problems_tell(c, &problems, err);
    return err->kind ? -1 : 0;
}
