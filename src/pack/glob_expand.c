/* What can be said about a pattern from its text: the patterns its braces stand for, and where a
 * search for it starts. */
#include "pack/pack_internal.h"

#include "base/buf.h"
#include "base/vec.h"

/* A pattern that stands for more is a mistake, or an attack. */
enum { EXPANSIONS_MAX = 4096 };

typedef VEC(struct str) str_vec;

/* Index of the brace that closes the one at `open`, or -1. */
static ptrdiff_t closing_brace(struct str s, size_t open)
{
    size_t depth = 0;
    for (size_t i = open; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '{')
            depth++;
        else if (s.p[i] == '}' && --depth == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* Split the inside of braces at the commas that are not in further braces. */
static void split_commas(struct arena *a, struct str inside, str_vec *parts)
{
    size_t depth = 0, start = 0;
    for (size_t i = 0; i < inside.n; i++) {
        char c = inside.p[i];
        if (c == '\\')
            i++;
        else if (c == '{')
            depth++;
        else if (c == '}')
            depth--;
        else if (c == ',' && depth == 0) {
            vec_push(a, parts, str_sub(inside, start, i - start));
            start = i + 1;
        }
    }
    vec_push(a, parts, str_sub(inside, start, inside.n));
}

/* Expand "1..3", "a..c", "3..1", "0..10..5". */
static bool expand_range(struct arena *a, struct str inside, str_vec *parts)
{
    ptrdiff_t dots = str_find(inside, STR(".."), 0);
    if (dots <= 0)
        return false;
    struct str from = str_sub(inside, 0, (size_t)dots),
               to = str_sub(inside, (size_t)dots + 2, inside.n);
    struct str step_text = STR("1");
    ptrdiff_t more = str_find(to, STR(".."), 0);
    if (more >= 0) {
        step_text = str_sub(to, (size_t)more + 2, to.n);
        to = str_sub(to, 0, (size_t)more);
    }
    int64_t low, high, step;
    if (!str_to_int(step_text, &step))
        return false;
    step = step < 0 ? -step : step ? step : 1;
    bool letters = from.n == 1 && to.n == 1 && !str_to_int(from, &low) && !str_to_int(to, &high);
    if (letters) {
        low = (unsigned char)from.p[0];
        high = (unsigned char)to.p[0];
    } else if (!str_to_int(from, &low) || !str_to_int(to, &high)) {
        return false;
    }
    if (low < -1000000 || low > 1000000 || high < -1000000 || high > 1000000)
        return false;
    bool padded = (from.n > 1 && from.p[0] == '0') || (to.n > 1 && to.p[0] == '0');
    int width = padded ? (int)(from.n > to.n ? from.n : to.n) : 0;
    for (int64_t v = low; low <= high ? v <= high : v >= high; v += low <= high ? step : -step) {
        if (parts->n > EXPANSIONS_MAX)
            return true;
        if (letters)
            vec_push(a, parts, str_fmt(a, "%c", (char)v));
        else
            vec_push(a, parts, str_fmt(a, "%0*lld", width, (long long)v));
    }
    return true;
}

static struct str around(struct arena *a, struct str before, struct str middle, struct str after)
{
    return str_fmt(a, "%.*s%.*s%.*s", STR_ARG(before), STR_ARG(middle), STR_ARG(after));
}

/* Expand the first braces at or behind `from` that stand for something, and the rest by
 * recursion. */
static void expand(struct arena *a, struct str s, size_t from, bool ranges, str_vec *out)
{
    for (size_t i = from; i < s.n && out->n <= EXPANSIONS_MAX; i++) {
        if (s.p[i] == '\\') {
            i++;
            continue;
        }
        ptrdiff_t close = s.p[i] == '{' ? closing_brace(s, i) : -1;
        if (close < 0)
            continue;
        str_vec parts = {0};
        struct str inside = str_sub(s, i + 1, (size_t)close - i - 1);
        split_commas(a, inside, &parts);
        bool choice = parts.n > 1;
        if (!choice) {
            parts.n = 0;
            choice = ranges && expand_range(a, inside, &parts);
        }
        if (!choice)
            continue; /* "{x}" stands for itself; its inside may hold braces */
        vec_each (&parts, part)
            expand(a, around(a, str_sub(s, 0, i), *part, str_sub(s, (size_t)close + 1, s.n)), i,
                   ranges, out);
        return;
    }
    vec_push(a, out, s);
}

int glob_expand(struct arena *a, struct str pattern, bool ranges, struct str **ret, size_t *ret_n,
                struct err *err)
{
    str_vec out = {0};
    expand(a, pattern, 0, ranges, &out);
    if (out.n > EXPANSIONS_MAX)
        return err_set(err, ERR_CONFIG, "pattern '%.*s' stands for more than %d patterns",
                       STR_ARG(pattern), EXPANSIONS_MAX);
    *ret = out.p;
    *ret_n = out.n;
    return 0;
}

bool glob_is_static(struct str pattern)
{
    for (size_t i = 0; i < pattern.n; i++)
        if (strchr("*?[{(\\", pattern.p[i]))
            return false;
    return true;
}

struct str glob_base(struct str pattern)
{
    size_t end = 0;
    for (size_t i = 0; i < pattern.n; i++) {
        if (strchr("*?[{(\\", pattern.p[i]))
            break;
        if (pattern.p[i] == '/')
            end = i ? i : 1;
    }
    return end ? str_sub(pattern, 0, end) : STR(".");
}
