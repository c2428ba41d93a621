/* Comparing deployments: the cases of tests/golden/release/diff.json. */
#include "fixture.h"

#include "records.h"
#include "release/diff.h"

static struct diff_side side_of(struct arena *a, const struct node *n, const char *stage)
{
    const struct node *body = node_get_c(n, "body"), *versions = node_get_c(n, "versions");
    return (struct diff_side){
        .record = {.stage = str_c(stage),
                   .number = 1,
                   .body = body ? body_of(a, json_text(a, body, 0).p) : NULL,
                   .versions = versions ? versions_of(a, json_text(a, versions, 0).p) : NULL},
        .template = node_get_c(n, "template"),
        .configurations = node_get_c(n, "configurations")};
}

static const char *const signs[] = {[DIFF_BOTH] = "~", [DIFF_ONLY_A] = "-", [DIFF_ONLY_B] = "+"};

/* One line for each function and API. */
static const struct node *outcome(struct arena *a, const struct diff *d)
{
    struct node *lines = node_seq(a);
    for (size_t i = 0; i < d->function_count; i++) {
        const struct diff_function *f = &d->functions[i];
        struct buf b = BUF(a);
        buf_fmt(&b, "%s %.*s:%s", signs[f->where], STR_ARG(f->key), f->code ? " code" : "");
        for (size_t k = 0; k < f->part_count; k++)
            buf_fmt(&b, " %.*s", STR_ARG(f->parts[k]));
        node_push(a, lines, node_str(a, buf_str(&b)));
    }
    node_push(a, lines, node_strf(a, "same %zu, named %zu", d->same_functions, d->named_functions));
    for (size_t i = 0; i < d->api_count; i++)
        node_push(a, lines,
                  node_strf(a, "%s %.*s %.*s%.*s", signs[d->apis[i].where], STR_ARG(d->apis[i].id),
                            STR_ARG(d->apis[i].deployment[0]), STR_ARG(d->apis[i].deployment[1])));
    if (d->same_apis)
        node_push(a, lines, node_strf(a, "same APIs %zu", d->same_apis));
    return lines;
}

static void test_cases(void **state)
{
    struct fixture *f = *state;
    node_each (c, data_json(f->arena, "diff.json")) {
        struct diff_side a = side_of(f->arena, node_get_c(c, "a"), "dev");
        struct diff_side b = side_of(f->arena, node_get_c(c, "b"), "prod");
        struct diff d;
        print_message("%.*s\n", STR_ARG(node_text(node_get_c(c, "what"))));
        diff_make(f->arena, &a, &b, &d);
        check_str(json_text(f->arena, outcome(f->arena, &d), 2),
                  json_text(f->arena, node_get_c(c, "expect"), 2).p);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {FIXTURE_TEST(test_cases)};
    (void)argc;
    return FIXTURE_RUN("diff_cases", tests, argv);
}
