/* The objects of the bucket: whatever one says, reading it never crashes, and what is read is
 * written again as it was, with every member that is not known. So it goes through any number of
 * troupes, and the hash that vouches for a record stays. */
#include "fuzz.h"

#include "base/vec.h"
#include "doc/json.h"
#include "release/bucket/lease_content.h"
#include "release/bucket/store.h"

static const struct object_table *const tables[] = {&lease_table,    &record_table,  &removal_table,
                                                    &versions_table, &outcome_table, &mark_table,
                                                    &region_table};

/* Larger than each of them. */
union any {
    struct object object;
    struct lease_content lease;
    struct record_body body;
    struct record_versions versions;
    struct record_outcome outcome;
};

static void check_table(struct arena *a, const struct object_table *table, const struct node *n)
{
    struct err err = {0};
    union any first, again;
    fuzz_check(table->size <= sizeof first);
    if (object_read(a, table, n, &first, &err) < 0) {
        fuzz_check(err.kind == ERR_FAILED);
        fuzz_check_error(a, &err);
    } else {
        const struct node *written = object_node(a, table, &first, 0);
        fuzz_check(node_equal(written, n));
        fuzz_check(str_eq(json_canonical(a, written), json_canonical(a, n)));
        fuzz_check(object_read(a, table, written, &again, &err) == 0);
        fuzz_check(str_eq(object_text(a, table, &again), json_text(a, written, 1)));
    }
    err_clear(&err);
}

static void check_record(struct arena *a, const struct node *n)
{
    struct err err = {0};
    struct record_body body;
    struct record record = {.body = &body};
    if (record_body_read(a, n, &body, &err) == 0) {
        fuzz_check(node_equal(record_body_node(a, &body), n));
        fuzz_check(record_content(a, &body).n > 0);
        record_moves_by_api(&record);
        vec_each (&body.functions, f)
            fuzz_check(record_function(&body, f->object.key) == f);
    }
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct str text = {arena_dup(a, data, size), size}, key = STR("stages/dev/1.json");
    struct lease_content lease;
    const struct node *n = json_parse(a, key, text, &err);
    err_clear(&err);
    if (n && object_check(n, key, &err) == 0) {
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
            check_table(a, tables[i], n);
        check_record(a, n);
    } else if (n) {
        fuzz_check_error(a, &err);
    }
    err_clear(&err);
    fuzz_check(lease_content_read(a, key, text, &lease, &err) == 0 || object_format(n) > 1);
    err_clear(&err);
    arena_free(a);
    return 0;
}
