#include "release/stack/reason.h"

/* The text before the first `mark`; all of it without one. */
static struct str before(struct str s, struct str mark)
{
    ptrdiff_t at = str_find(s, mark, 0);
    return at < 0 ? s : str_sub(s, 0, (size_t)at);
}

/* "(Service: Lambda, Status Code: 404, Request ID: 1b2c…)" without the id. */
static struct str without_ids(struct arena *a, struct str s)
{
    ptrdiff_t at;
    while ((at = str_find(s, STR(", Request ID: "), 0)) >= 0) {
        ptrdiff_t end = str_find_char(s, ')', (size_t)at);
        if (end < 0)
            return str_sub(s, 0, (size_t)at);
        s = str_concat(a, str_sub(s, 0, (size_t)at), str_sub(s, (size_t)end, s.n));
    }
    return s;
}

struct str reason_plain(struct arena *a, struct str reason)
{
    struct str s = before(reason, STR(" (RequestToken: "));
    if (str_skip(&s, STR("Resource handler returned message: \"")))
        str_strip(&s, STR("\""));
    s = without_ids(a, s);
    struct str tail = STR(" Rollback requested by user.");
    return str_ends(s, tail) ? str_sub(s, 0, s.n - tail.n) : s;
}

bool reason_says_nothing(struct str reason)
{
    return !reason.n || str_starts(reason, STR("Rollback requested")) ||
           str_starts(reason, STR("The following resource(s) failed"));
}
