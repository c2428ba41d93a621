/* Patterns are compiled to a small program.
 *
 * The rules are those the dialect is defined by (picomatch 2.3 with dot files matched), odd corners
 * included; tests/golden/pack compares whole selections, test_glob.c single patterns. */
#include "pack/glob_code.h"

enum { PATTERN_BYTES_MAX = 65536 };

typedef VEC(struct instruction) code;

/* What stands in front of a star decides what it may match. */
enum before { BEFORE_START, BEFORE_SLASH, BEFORE_DOT, BEFORE_STAR, BEFORE_OTHER };

struct parser {
    struct arena *arena;
    struct str in;
    size_t i;
    enum before before;
    enum glob_pass pass;
    bool simple; /* no slash, no group: then the dialect has no rule for dots */
    bool deep_tail;
    unsigned depth; /* how many groups are open */
};

/* ---- building code ---- */

static void emit(struct parser *p, code *c, enum op op, int32_t x, int32_t y)
{
    vec_push(p->arena, c, (struct instruction){.op = op, .x = x, .y = y});
}

static void emit_byte(struct parser *p, code *c, char byte)
{
    emit(p, c, OP_BYTE, (unsigned char)byte, 0);
}

/* Emit code for any number of `op`. */
static void emit_many(struct parser *p, code *c, enum op op)
{
    emit(p, c, OP_SPLIT, 1, 3);
    emit(p, c, op, 0, 0);
    emit(p, c, OP_JUMP, -2, 0);
}

static void append(struct parser *p, code *c, const code *piece)
{
    for (size_t i = 0; i < piece->n; i++)
        vec_push(p->arena, c, piece->p[i]);
}

/* Code for `first` or `second`. */
static code either(struct parser *p, const code *first, const code *second)
{
    code c = {0};
    emit(p, &c, OP_SPLIT, 1, (int32_t)first->n + 2);
    append(p, &c, first);
    emit(p, &c, OP_JUMP, (int32_t)second->n + 1, 0);
    append(p, &c, second);
    return c;
}

/* ---- reading the pattern ---- */

static int peek(const struct parser *p, size_t ahead)
{
    return p->i + ahead < p->in.n ? (unsigned char)p->in.p[p->i + ahead] : -1;
}

static const struct {
    const char *name, *ranges; /* pairs of bounds */
} posix_classes[] = {
    {"alnum", "azAZ09"},
    {"alpha", "azAZ"},
    {"ascii", "\001\177"},
    {"blank", "  \t\t"},
    {"cntrl", "\001\037\177\177"},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "  \t\r"},
    {"upper", "AZ"},
    {"word", "AZaz09__"},
    {"xdigit", "AFaf09"},
};

/* Read "[:alpha:]" at `*i`, inside of a class. */
static bool read_posix_class(struct parser *p, size_t *i, struct char_class *class)
{
    for (size_t k = 0; k < sizeof posix_classes / sizeof *posix_classes; k++) {
        struct str text = str_fmt(p->arena, "[:%s:]", posix_classes[k].name);
        if (!str_starts(str_sub(p->in, *i, p->in.n), text))
            continue;
        for (const char *r = posix_classes[k].ranges; *r; r += 2)
            vec_push(p->arena, &class->ranges,
                     (struct char_range){(unsigned char)r[0], (unsigned char)r[1]});
        *i += text.n;
        return true;
    }
    return false;
}

/* Index where the class that opens at p->i ends; -1: it is no class but the character '['. */
static ptrdiff_t class_end(const struct parser *p, bool negated)
{
    for (size_t i = p->i + 1 + negated, first = i; i < p->in.n; i++) {
        if (p->in.p[i] == '\\')
            i++;
        else if (p->in.p[i] == '[' && i + 1 < p->in.n && p->in.p[i + 1] == ':' &&
                 str_find(p->in, STR(":]"), i) > 0)
            i = (size_t)str_find(p->in, STR(":]"), i) + 1;
        else if (p->in.p[i] == ']' && i > first)
            return (ptrdiff_t)i;
    }
    return -1;
}

static void read_class_items(struct parser *p, size_t i, size_t end, struct char_class *class)
{
    struct str in = str_sub(p->in, 0, end);
    while (i < end) {
        if (in.p[i] == '[' && read_posix_class(p, &i, class))
            continue;
        if (in.p[i] == '\\' && i + 1 < end)
            i++;
        uint32_t low = glob_next_char(in, &i), high = low;
        if (i + 1 < end && in.p[i] == '-') {
            i++;
            if (in.p[i] == '\\' && i + 1 < end)
                i++;
            high = glob_next_char(in, &i);
        }
        vec_push(p->arena, &class->ranges, (struct char_range){low, high});
    }
}

static void read_class(struct parser *p, code *out)
{
    bool negated = peek(p, 1) == '^' || (p->pass == GLOB_FIND && peek(p, 1) == '!');
    ptrdiff_t end = class_end(p, negated);
    p->before = BEFORE_OTHER;
    if (end < 0) {
        emit_byte(p, out, '[');
        p->i++;
        return;
    }
    struct char_class *class = ARENA_NEW(p->arena, struct char_class);
    class->negated = negated;
    read_class_items(p, p->i + 1 + negated, (size_t)end, class);
    code one = {0};
    vec_push(p->arena, &one, (struct instruction){.op = OP_CLASS, .class = class});
    struct str whole = str_sub(p->in, p->i, (size_t)end + 1 - p->i);
    bool plain = true;
    for (size_t i = 1; i + 1 < whole.n; i++)
        plain = plain && !strchr("-*+?.^${}(|)[]\\!", whole.p[i]);
    if (plain) { /* a file named "[id]" matches, too */
        code literal = {0};
        for (size_t i = 0; i < whole.n; i++)
            emit_byte(p, &literal, whole.p[i]);
        one = either(p, &literal, &one);
    }
    append(p, out, &one);
    p->i = (size_t)end + 1;
}

/* Index of the ')' that closes the '(' at `open`, or -1. */
static ptrdiff_t closing_parenthesis(struct str s, size_t open)
{
    size_t depth = 0;
    for (size_t i = open; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '(')
            depth++;
        else if (s.p[i] == ')' && --depth == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

static code read_sequence(struct parser *p);

/* The code of `text` on its own. */
static code read_part(struct parser *p, struct str text)
{
    struct parser part = *p;
    part.in = text;
    part.i = 0;
    part.before = BEFORE_OTHER;
    part.depth++;
    return read_sequence(&part);
}

/* Code for the inside of a group: parts with '
 * ' between them. */
static code read_choices(struct parser *p, struct str inside)
{
    size_t depth = 0, start = 0;
    for (size_t i = 0; i < inside.n; i++) {
        char c = inside.p[i];
        if (c == '\\') {
            i++;
        } else if (c == '(') {
            depth++;
        } else if (c == ')') {
            depth--;
        } else if (c == '|' && depth == 0) {
            code first = read_part(p, str_sub(inside, start, i - start));
            code second = read_choices(p, str_sub(inside, i + 1, inside.n));
            return either(p, &first, &second);
        }
    }
    return read_part(p, inside);
}

/* Emit "!(…)". It matches any rest of this part of the path that does not begin with the inside; at
 * the end of the pattern, any that is not the inside. */
static void emit_negation(struct parser *p, code *out, struct str inside, const code *choices,
                          struct str rest)
{
    bool crosses = inside.n > 1 && str_find_char(inside, '/', 0) >= 0;
    bool last = true;
    for (size_t i = 0; i < rest.n; i++)
        last = last && rest.p[i] == ')';
    code refused = {0};
    append(p, &refused, choices);
    bool suffix = str_find_char(inside, '*', 0) >= 0 && rest.n > 1 && rest.p[0] == '.' &&
                  str_find_char(str_sub(rest, 1, rest.n), '.', 0) < 0 &&
                  str_find_char(rest, '/', 0) < 0 && str_find_char(rest, '\\', 0) < 0;
    if (suffix) {
        code behind = read_part(p, rest);
        append(p, &refused, &behind);
    } else if (crosses || last) {
        emit(p, &refused, OP_END, 0, 0);
    }
    emit(p, &refused, OP_MATCH, 0, 0);
    emit(p, out, OP_NOT, (int32_t)refused.n + 1, 0);
    append(p, out, &refused);
    emit_many(p, out, crosses ? OP_DEEP : OP_ANY);
}

/* Read a group at p->i: "(a
 * b)", or one with "@", "?", "*", "+" or "!" in front. False: it does not close. */
static bool read_group(struct parser *p, code *out)
{
    char kind = p->in.p[p->i] == '(' ? '@' : p->in.p[p->i];
    size_t open = p->in.p[p->i] == '(' ? p->i : p->i + 1;
    ptrdiff_t close = closing_parenthesis(p->in, open);
    if (close < 0 || p->depth > 32)
        return false;
    struct str inside = str_sub(p->in, open + 1, (size_t)close - open - 1);
    struct str rest = str_sub(p->in, (size_t)close + 1, p->in.n);
    code choices = read_choices(p, inside);
    int32_t n = (int32_t)choices.n;
    if (kind == '!') {
        emit_negation(p, out, inside, &choices, rest);
    } else {
        if (kind == '*')
            emit(p, out, OP_SPLIT, 1, n + 2);
        if (kind == '?')
            emit(p, out, OP_SPLIT, 1, n + 1);
        append(p, out, &choices);
        if (kind == '*')
            emit(p, out, OP_JUMP, -n - 1, 0);
        if (kind == '+')
            emit(p, out, OP_SPLIT, -n, 1);
    }
    p->i = (size_t)close + 1;
    p->before = BEFORE_OTHER;
    return true;
}

/* Length of the "**" at p->i, with repeated "/" and stars, if it is whole parts of the path; else
 * 0. */
static size_t deep_parts(const struct parser *p)
{
    size_t n = 0;
    while (peek(p, n) == '*' && peek(p, n + 1) == '*' &&
           (peek(p, n + 2) == '/' || peek(p, n + 2) < 0)) {
        n += 2;
        if (peek(p, n) < 0 || peek(p, n + 1) != '*' || peek(p, n + 2) != '*' ||
            (peek(p, n + 3) != '/' && peek(p, n + 3) >= 0))
            return n;
        n++;
    }
    return n;
}

/* Read two stars that are the first part of the pattern. */
static void read_deep_start(struct parser *p, code *out, size_t stars)
{
    p->i += stars;
    p->before = BEFORE_STAR;
    if (p->i == p->in.n) {
        emit_many(p, out, OP_DEEP);
        p->deep_tail = true;
        return;
    }
    code start = {0}, below = {0};
    emit(p, &start, OP_START, 0, 0);
    emit_many(p, &below, OP_DEEP);
    emit_byte(p, &below, '/');
    code both = either(p, &start, &below);
    append(p, out, &both);
    p->i++;
    p->before = BEFORE_SLASH;
}

/* Read the slash of an absolute pattern. Two stars behind it, as a whole part, stand for one part
 * of the path at least, unlike two stars elsewhere. */
static void read_root(struct parser *p, code *out)
{
    p->i++;
    p->before = BEFORE_SLASH;
    emit_byte(p, out, '/');
    size_t stars = deep_parts(p);
    if (!stars)
        return;
    emit(p, out, OP_NOT_DOTS, 0, 0);
    emit_many(p, out, OP_DEEP);
    p->i += stars;
    p->before = BEFORE_STAR;
    p->deep_tail = p->i == p->in.n && p->depth == 0;
}

/* Read a slash, with two stars as a whole part behind it or without. */
static void read_slash(struct parser *p, code *out)
{
    bool after_star = p->before == BEFORE_STAR;
    p->i++;
    p->before = BEFORE_SLASH;
    size_t stars = deep_parts(p);
    code below = {0};
    emit_byte(p, &below, '/');
    if (!stars) {
        append(p, out, &below);
        return;
    }
    p->i += stars;
    emit_many(p, &below, OP_DEEP);
    if (p->i == p->in.n) {
        p->deep_tail = p->depth == 0;
        p->before = BEFORE_STAR;
        if (after_star) { /* "*" and "**" behind a star want something below */
            append(p, out, &below);
            return;
        }
        code end = {0};
        emit(p, &end, OP_END, 0, 0);
        below = either(p, &below, &end);
        append(p, out, &below);
        return;
    }
    emit_byte(p, &below, '/');
    code slash = {0}, end = {0};
    emit_byte(p, &slash, '/');
    emit(p, &end, OP_END, 0, 0); /* needed where what follows may be empty, as "!(a)" */
    below = either(p, &below, &slash);
    if (p->i + 1 < p->in.n)
        below = either(p, &below, &end);
    append(p, out, &below);
    p->i++;
}

static void read_star(struct parser *p, code *out)
{
    size_t stars = 0;
    while (peek(p, stars) == '*')
        stars++;
    if (stars > 1 && peek(p, stars) == '(')
        stars--; /* the last star belongs to a group */
    if (p->before == BEFORE_START || p->before == BEFORE_SLASH)
        emit(p, out, OP_NOT_DOTS, 0, 0);
    else if (p->before == BEFORE_DOT && !p->simple)
        emit(p, out, OP_NOT_DOT_REST, 0, 0);
    if (stars == 1 && p->before != BEFORE_OTHER && !p->simple)
        emit(p, out, OP_SOME, 0, 0);
    emit_many(p, out, OP_ANY);
    p->i += stars;
    p->before = BEFORE_STAR;
}

static void read_literal(struct parser *p, code *out)
{
    char c = p->in.p[p->i++];
    bool part_start = p->before == BEFORE_START || p->before == BEFORE_SLASH;
    p->before = c == '.' && part_start ? BEFORE_DOT : BEFORE_OTHER;
    if (c == '\\' && p->i < p->in.n)
        c = p->in.p[p->i++];
    if (c != '"' || p->simple) {
        emit_byte(p, out, c);
        return;
    }
    while (p->i < p->in.n && p->in.p[p->i] != '"')
        emit_byte(p, out, p->in.p[p->i++]);
    if (p->i < p->in.n)
        p->i++;
}

static code read_sequence(struct parser *p)
{
    code out = {0};
    while (p->i < p->in.n) {
        char c = p->in.p[p->i];
        size_t stars = c == '*' && p->before == BEFORE_START ? deep_parts(p) : 0;
        bool group = c == '(' || (c && strchr("@?*+!", c) && peek(p, 1) == '(');
        if (stars) {
            read_deep_start(p, &out, stars);
        } else if (group && read_group(p, &out)) {
            continue;
        } else if (c == '/' && p->before == BEFORE_START) {
            read_root(p, &out);
        } else if (c == '/') {
            read_slash(p, &out);
        } else if (c == '*') {
            read_star(p, &out);
        } else if (c == '?') {
            emit(p, &out, OP_ANY, 0, 0);
            p->before = BEFORE_OTHER;
            p->i++;
        } else if (c == '[') {
            read_class(p, &out);
        } else {
            read_literal(p, &out);
        }
    }
    return out;
}

/* ---- compiling ---- */

/* 2, the length of the stars, when `s` is two stars and extensions behind them; else 0. Such stars
 * reach into directories, unlike others that do not stand alone between slashes. */
static size_t stars_and_extensions(struct str s)
{
    if (!str_starts(s, STR("**.")))
        return 0;
    for (size_t i = 2; i < s.n; i++) {
        bool word = s.p[i] == '_' || (s.p[i] >= '0' && s.p[i] <= '9') ||
                    ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z');
        bool dot = s.p[i] == '.' && i + 1 < s.n && s.p[i + 1] != '.';
        if (!word && !dot)
            return 0;
    }
    return 2;
}

static struct alternative compile_one(struct arena *a, struct str text, enum glob_pass pass)
{
    while (str_skip(&text, STR("./")))
        ;
    if (str_eq(text, STR("***")))
        text = STR("*");
    struct parser p = {.arena = a, .in = text, .pass = pass};
    p.simple = text.n && text.p[0] != '*' && text.p[0] != '!';
    for (size_t i = 0; i < text.n; i++)
        p.simple = p.simple && !strchr("/()[]{}\"", text.p[i]);
    code c = {0};
    size_t deep = stars_and_extensions(text);
    if (deep) {
        emit_many(&p, &c, OP_DEEP);
        p.i = deep;
    }
    code rest = read_sequence(&p);
    append(&p, &c, &rest);
    emit(&p, &c, OP_MATCH, 0, 0);
    struct alternative alt = {.code = c.p,
                              .count = (uint32_t)c.n,
                              .deep_tail = p.deep_tail,
                              .absolute = str_starts(text, STR("/"))};
    char *prefix = arena_alloc(a, c.n);
    while (c.p[alt.prefix.n].op == OP_BYTE) {
        prefix[alt.prefix.n] = (char)c.p[alt.prefix.n].x;
        alt.prefix.n++;
    }
    alt.prefix.p = prefix;
    alt.exact = c.p[alt.prefix.n].op == OP_MATCH;
    return alt;
}

static struct str single_slashes(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '/' || i < 2 || s.p[i - 1] != '/')
            p[n++] = s.p[i];
    return (struct str){p, n};
}

/* A class of the bounds, sorted, for a range like "{1..3}" that is left in the filtering pass. */
static struct str range_as_class(struct arena *a, struct str s)
{
    ptrdiff_t open = str_find_char(s, '{', 0);
    ptrdiff_t close = open < 0 ? -1 : str_find_char(s, '}', (size_t)open);
    ptrdiff_t dots = open < 0 ? -1 : str_find(s, STR(".."), (size_t)open);
    if (dots < 0 || close < dots || dots == open + 1 || close == dots + 2)
        return s;
    struct str low = str_sub(s, (size_t)open + 1, (size_t)(dots - open) - 1);
    struct str high = str_sub(s, (size_t)dots + 2, (size_t)(close - dots) - 2);
    if (str_cmp(low, high) > 0) {
        struct str t = low;
        low = high;
        high = t;
    }
    struct str rest = range_as_class(a, str_sub(s, (size_t)close + 1, s.n));
    return str_fmt(a, "%.*s[%.*s-%.*s]%.*s", (int)open, s.p, STR_ARG(low), STR_ARG(high),
                   STR_ARG(rest));
}

int glob_compile(struct arena *a, struct str pattern, enum glob_pass pass, struct glob **ret,
                 struct err *err)
{
    if (pattern.n > PATTERN_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "pattern of %zu bytes is longer than %d", pattern.n,
                       PATTERN_BYTES_MAX);
    struct glob *g = ARENA_NEW(a, struct glob);
    g->text = pattern;
    g->literal_too = pass == GLOB_FILTER;
    while (pattern.n && pattern.p[0] == '!' && !(pattern.n > 1 && pattern.p[1] == '(')) {
        g->negated = !g->negated && pass == GLOB_FILTER;
        pattern = str_sub(pattern, 1, pattern.n);
    }
    struct str *texts;
    if (glob_expand(a, pattern, pass == GLOB_FIND, &texts, &g->count, err) < 0)
        return -1;
    g->alternatives = ARENA_ARRAY(a, g->count, struct alternative);
    for (size_t i = 0; i < g->count; i++) {
        struct str text =
            pass == GLOB_FIND ? single_slashes(a, texts[i]) : range_as_class(a, texts[i]);
        g->alternatives[i] = compile_one(a, text, pass);
    }
    *ret = g;
    return 0;
}
