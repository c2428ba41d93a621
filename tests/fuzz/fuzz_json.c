/* The JSON reader: no input may crash it, and what it accepts must survive being written and read
 * again, in every form it can be written in. */
#include "fuzz.h"

#include "doc/json.h"

static void check_round_trip(struct arena *a, const struct node *n, struct str text)
{
    struct err err = {0};
    const struct node *again = json_parse(a, STR("again"), text, &err);
    fuzz_check(again && node_equal(n, again));
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct str text = (struct str){(const char *)data, size};
    const struct node *n = json_parse(a, STR("input.json"), text, &err);
    if (n) {
        fuzz_check(err.kind == ERR_NONE);
        check_round_trip(a, n, json_text(a, n, 0));
        check_round_trip(a, n, json_text(a, n, 2));
        check_round_trip(a, n, json_canonical(a, n));
    } else {
        fuzz_check_error(a, &err);
    }
    err_clear(&err);
    arena_free(a);
    return 0;
}
