/* The YAML reader: no input may crash it, and what it accepts must survive being written as YAML
 * and as JSON and read again. */
#include "fuzz.h"

#include "doc/json.h"
#include "doc/yaml.h"

/* Trees made by aliases can be much larger than their text. Such trees are not written: that would
 * take long and find nothing new. */
enum { WRITTEN_NODES_MAX = 20000 };

static void check_round_trip(struct arena *a, const struct node *n)
{
    struct err err = {0};
    struct buf written = BUF(a);
    yaml_write(&written, n);
    struct source source = {STR("again.yml"), buf_str(&written)};
    const struct node *again = yaml_read(a, &source, &err);
    fuzz_check(again && node_equal(n, again));
    struct str json = json_text(a, n, 0);
    again = json_parse(a, STR("again.json"), json, &err);
    fuzz_check(again && node_equal(n, again));
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct source source = {STR("input.yml"), (struct str){(const char *)data, size}};
    const struct node *n = yaml_read(a, &source, &err);
    if (!n)
        fuzz_check_error(a, &err);
    else if (n->weight <= WRITTEN_NODES_MAX)
        check_round_trip(a, n);
    err_clear(&err);
    arena_free(a);
    return 0;
}
