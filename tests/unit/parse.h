/* JSON in unit tests. */
#ifndef TROUPE_TEST_PARSE_H
#define TROUPE_TEST_PARSE_H

#include "check.h"

#include "doc/json.h"

/* The tree of `text`; a test whose own text is no JSON fails. */
static inline const struct node *parse(struct arena *a, const char *text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("test"), str_c(text), &err);
    check_ok(n ? 0 : -1, &err);
    return n;
}

#endif
