/* What a record says, from the JSON that a test has of it. */
#ifndef TROUPE_TEST_RECORDS_H
#define TROUPE_TEST_RECORDS_H

#include "check.h"
#include "doc/json.h"
#include "release/bucket/store.h"

static inline const struct node *json_of(struct arena *a, const char *text)
{
    struct err err = {0};
    const struct node *n = json_parse(a, STR("test"), str_c(text), &err);
    check_ok(n ? 0 : -1, &err);
    return n;
}

static inline struct record_body *body_of(struct arena *a, const char *text)
{
    struct err err = {0};
    struct record_body *ret = ARENA_NEW(a, struct record_body);
    check_ok(record_body_read(a, json_of(a, text), ret, &err), &err);
    return ret;
}

static inline const struct record_versions *versions_of(struct arena *a, const char *text)
{
    struct err err = {0};
    struct record_versions *ret = ARENA_NEW(a, struct record_versions);
    check_ok(object_read(a, &versions_table, json_of(a, text), ret, &err), &err);
    return ret;
}

/* `word`: "succeeded" and so on. */
static inline const struct record_outcome *outcome_of(struct arena *a, const char *word)
{
    struct err err = {0};
    struct record_outcome *ret = ARENA_NEW(a, struct record_outcome);
    const char *text = str_fmt(a, "{\"outcome\":\"%s\"}", word).p;
    check_ok(object_read(a, &outcome_table, json_of(a, text), ret, &err), &err);
    return ret;
}

#endif
