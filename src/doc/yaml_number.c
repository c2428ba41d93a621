/* Which plain scalars are numbers: the reader asks, and the writer, which quotes other text. */
#include "doc/yaml.h"

#include <math.h>

static bool all_digits(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (!s.p[i] || !strchr(set, s.p[i]))
            return false;
    return s.n > 0;
}

/* A whole number in base 2, 8 or 16, as a double; exact up to 2^53 like in JavaScript. */
static bool based_number(struct str s, double *ret)
{
    static const struct {
        char letter;
        int base;
        const char *set;
    } bases[] = {{'x', 16, "0123456789abcdefABCDEF"}, {'o', 8, "01234567"}, {'b', 2, "01"}};
    if (s.n < 3 || s.p[0] != '0')
        return false;
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        struct str rest = str_sub(s, 2, s.n);
        if (s.p[1] != bases[i].letter || !all_digits(rest, bases[i].set))
            continue;
        *ret = 0;
        for (size_t k = 0; k < rest.n; k++) {
            char c = rest.p[k] | 0x20;
            *ret = *ret * bases[i].base + (c >= 'a' ? c - 'a' + 10 : rest.p[k] - '0');
        }
        return true;
    }
    return false;
}

/* [0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)? with at least one digit in front of the exponent. */
static bool is_decimal(struct str s)
{
    size_t i = 0, count = 0;
    for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
        count++;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
            count++;
    if (!count)
        return false;
    if (i == s.n)
        return true;
    if (s.p[i] != 'e' && s.p[i] != 'E')
        return false;
    i++;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
        i++;
    return all_digits(str_sub(s, i, s.n), "0123456789");
}

bool yaml_number(struct str s, double *ret)
{
    struct str rest = s.n && (s.p[0] == '-' || s.p[0] == '+') ? str_sub(s, 1, s.n) : s;
    /* A sign and a point are text: the dialect's reader wants a digit between them. */
    if (rest.n < s.n && rest.n && rest.p[0] == '.')
        return false;
    if (!based_number(rest, ret)) {
        if (!is_decimal(rest))
            return false;
        cleanup_arena struct arena *a = arena_new();
        *ret = strtod(str_z(a, rest), NULL);
    }
    if (rest.n < s.n && s.p[0] == '-')
        *ret = -*ret;
    return isfinite(*ret);
}
