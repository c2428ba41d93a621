/* Matching: the program of a pattern is run so that every pair of instruction and position is
 * visited at most once; no pattern can take exponential time. */
#include "pack/glob_code.h"

uint32_t glob_next_char(struct str s, size_t *i)
{
    unsigned char c = (unsigned char)s.p[(*i)++];
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    if (!more || *i + more > s.n)
        return c;
    uint32_t value = c & (0x3fu >> more);
    for (size_t k = 0; k < more; k++) {
        unsigned char d = (unsigned char)s.p[*i + k];
        if ((d & 0xc0) != 0x80)
            return c;
        value = value << 6 | (d & 0x3f);
    }
    *i += more;
    return value;
}

/* Does a part that is "." or ".." begin at `i`? */
static bool dots_at(struct str s, size_t i)
{
    size_t n = 0;
    while (i + n < s.n && s.p[i + n] == '.')
        n++;
    return (n == 1 || n == 2) && (i + n == s.n || s.p[i + n] == '/');
}

static bool class_has(const struct char_class *class, uint32_t c)
{
    if (class->negated && c == '/')
        return false;
    for (size_t i = 0; i < class->ranges.n; i++)
        if (c >= class->ranges.p[i].low && c <= class->ranges.p[i].high)
            return !class->negated;
    return class->negated;
}

/* Does `in` hold at `*i`? Moves `*i` behind the character that it matches. */
static bool step(const struct instruction *in, struct str s, size_t *i)
{
    bool more = *i < s.n;
    switch (in->op) {
    case OP_BYTE:
        return more && (unsigned char)s.p[(*i)++] == (unsigned)in->x;
    case OP_ANY:
        return more && glob_next_char(s, i) != '/';
    case OP_CLASS:
        return more && class_has(in->class, glob_next_char(s, i));
    case OP_DEEP:
        if (!more || (*i == 0 && dots_at(s, 0)) || (s.p[*i] == '/' && dots_at(s, *i + 1)))
            return false;
        (*i)++;
        return true;
    case OP_NOT_DOTS:
        return !dots_at(s, *i);
    case OP_NOT_DOT_REST:
        return more && s.p[*i] != '/' && !(s.p[*i] == '.' && (*i + 1 == s.n || s.p[*i + 1] == '/'));
    case OP_SOME:
        return more;
    case OP_START:
        return *i == 0;
    case OP_END:
        return !more;
    default:
        return false;
    }
}

struct place {
    uint32_t pc, at;
};

/* Working memory of one match: the pairs visited, and where to go on after a dead end. */
struct run {
    struct arena *arena; /* made when the local memory is too small */
    uint64_t *visited;
    struct place *stack;
    size_t depth, room;
};

static void push(struct run *r, uint32_t pc, size_t at)
{
    if (r->depth == r->room) {
        struct place *old = r->stack;
        r->arena = r->arena ? r->arena : arena_new();
        r->stack = ARENA_ARRAY(r->arena, r->room * 2, struct place);
        memcpy(r->stack, old, r->room * sizeof *old);
        r->room *= 2;
    }
    r->stack[r->depth++] = (struct place){pc, (uint32_t)at};
}

static bool run_code(const struct instruction *code, uint32_t count, struct str s, uint32_t pc,
                     size_t at);

/* Follow one thread of the match from `pc` at `at` until it matches or fails; its branches are kept
 * for later. */
static bool follow(struct run *r, const struct instruction *code, uint32_t count, struct str s,
                   uint32_t pc, size_t at)
{
    for (;;) {
        size_t bit = (size_t)pc * (s.n + 1) + at;
        if (r->visited[bit / 64] >> bit % 64 & 1)
            return false;
        r->visited[bit / 64] |= (uint64_t)1 << bit % 64;
        const struct instruction *in = &code[pc];
        /* the outermost must match the whole path; one in OP_NOT its beginning */
        if (in->op == OP_MATCH)
            return pc + 1 < count || at == s.n;
        if (in->op == OP_SPLIT) {
            push(r, pc + (uint32_t)in->y, at);
            pc += (uint32_t)in->x;
        } else if (in->op == OP_JUMP) {
            pc += (uint32_t)in->x;
        } else if (in->op == OP_NOT) {
            if (run_code(code, count, s, pc + 1, at))
                return false;
            pc += (uint32_t)in->x;
        } else if (step(in, s, &at)) {
            pc++;
        } else {
            return false;
        }
    }
}

static bool run_code(const struct instruction *code, uint32_t count, struct str s, uint32_t pc,
                     size_t at)
{
    uint64_t visited[256];
    struct place stack[64];
    struct run r = {.visited = visited, .stack = stack, .room = 64};
    size_t words = ((size_t)count * (s.n + 1) + 63) / 64;
    if (words > sizeof visited / sizeof *visited) {
        r.arena = arena_new();
        r.visited = ARENA_ARRAY(r.arena, words, uint64_t);
    } else {
        memset(visited, 0, words * sizeof *visited);
    }
    bool found = follow(&r, code, count, s, pc, at);
    while (!found && r.depth) {
        struct place next = r.stack[--r.depth];
        found = follow(&r, code, count, s, next.pc, next.at);
    }
    arena_free(r.arena);
    return found;
}

static bool alternative_match(const struct alternative *alt, struct str path)
{
    if (!str_starts(path, alt->prefix))
        return false;
    if (alt->exact)
        return path.n == alt->prefix.n;
    return run_code(alt->code, alt->count, path, (uint32_t)alt->prefix.n, alt->prefix.n);
}

bool glob_match(const struct glob *g, struct str path)
{
    if (!path.n)
        return false;
    if (g->literal_too && str_eq(path, g->text))
        return true;
    bool found = false;
    for (size_t i = 0; i < g->count && !found; i++)
        found = alternative_match(&g->alternatives[i], path);
    return found != g->negated;
}

bool glob_match_negated(const struct glob *g, struct str path, struct str absolute)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct alternative *alt = &g->alternatives[i];
        if (alternative_match(alt, alt->absolute ? absolute : path))
            return true;
    }
    return false;
}

bool glob_has_absolute(const struct glob *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->alternatives[i].absolute)
            return true;
    return false;
}

/* Is `dir` one of the directories above `path`? */
static bool is_above(struct str dir, struct str path)
{
    return path.n > dir.n && path.p[dir.n] == '/' && str_starts(path, dir);
}

bool glob_may_match_below(const struct glob *g, struct str dir)
{
    if (g->negated)
        return true;
    for (size_t i = 0; i < g->count; i++) {
        const struct alternative *alt = &g->alternatives[i];
        if (is_above(dir, alt->prefix) || (g->literal_too && is_above(dir, g->text)))
            return true;
        if (!alt->exact && str_starts(dir, alt->prefix))
            return true;
    }
    return false;
}

bool glob_covers(const struct glob *g, struct str dir)
{
    for (size_t i = 0; i < g->count && !g->negated; i++)
        if (g->alternatives[i].deep_tail && alternative_match(&g->alternatives[i], dir))
            return true;
    return false;
}
