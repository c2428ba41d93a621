/* Answers of AWS: no XML may crash the reader or the reading of refusals, and what the reader makes
 * is a tree that can be written as JSON and read again. */
#include "fuzz.h"

#include "doc/json.h"
#include "aws/client/aws_internal.h"
#include "aws/client/xml.h"

static void check_tree(struct arena *a, const struct node *n)
{
    struct err err = {0};
    const struct node *again = json_parse(a, STR("again"), json_text(a, n, 0), &err);
    fuzz_check(again && node_equal(n, again));
    err_clear(&err);
}

/* Read the input as the body of a refusal, in each form. */
static void check_refusal(struct arena *a, struct str text)
{
    struct err err = {0};
    struct aws_answer answer = {.status = 400, .headers = MAP(a), .body = text};
    struct call call = {.service = aws_service_find("cloudformation"), .operation = "Operation"};
    struct refusal refusal;
    refusal_read(a, &answer, &refusal);
    fuzz_check(refusal_err(&call, &answer, &refusal, &err) == -1);
    fuzz_check_error(a, &err);
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct str text = {(const char *)data, size}, root;
    const struct node *n = xml_read(a, text, &root, &err);
    if (n) {
        fuzz_check(err.kind == ERR_NONE && root.n > 0);
        check_tree(a, n);
    } else {
        fuzz_check_error(a, &err);
    }
    check_refusal(a, text);
    err_clear(&err);
    arena_free(a);
    return 0;
}
