/* Numbers as JavaScript prints them (ECMAScript, Number::toString). */
#include "doc/node.h"

#include <math.h>

/* Shortest decimal digits that read back as `value`: digits without point, and the exponent of the
 * first digit plus one. */
static size_t shortest(double value, char digits[32], int *exponent)
{
    char text[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value)
            break;
    }
    size_t n = 0;
    char *p = text;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    *exponent = (int)strtol(p + 1, NULL, 10) + 1;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

struct str number_canonical(struct arena *a, double value)
{
    if (!isfinite(value))
        return STR("null");
    if (value == 0)
        return STR("0");
    const char *sign = value < 0 ? "-" : "";
    char d[32];
    int e, n = (int)shortest(fabs(value), d, &e);
    if (n <= e && e <= 21)
        return str_fmt(a, "%s%.*s%.*s", sign, n, d, e - n, "000000000000000000000");
    if (0 < e && e <= 21)
        return str_fmt(a, "%s%.*s.%.*s", sign, e, d, n - e, d + e);
    if (-6 < e && e <= 0)
        return str_fmt(a, "%s0.%.*s%.*s", sign, -e, "000000", n, d);
    return str_fmt(a, "%s%c%s%.*se%+d", sign, d[0], n > 1 ? "." : "", n - 1, d + 1, e - 1);
}
