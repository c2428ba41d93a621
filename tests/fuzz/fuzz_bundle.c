/* A source bundle of arbitrary JSON: loading a service from it never crashes, for its own stage or
 * another; one that loads gives a bundle that loads as well, and all of it can be explained. */
#include "config/config.h"

#include "fuzz.h"
#include "doc/json.h"
#include "config/explain.h"

enum { INPUT_MAX = 16 * 1024 };

static void ignore_warning(void *context, struct pos pos, struct str msg, struct str help)
{
    (void)context;
    (void)pos;
    (void)help;
    fuzz_check(msg.n > 0);
}

static bool read_bundle(struct arena *a, const struct node *n, struct source_bundle *ret)
{
    struct err err = {0};
    int done =
        source_bundle_read(a, STR("bundle.json"), n, node_text(node_get_c(n, "stage")), ret, &err);
    if (done < 0)
        fuzz_check_error(a, &err);
    err_clear(&err);
    return done == 0;
}

static int load(struct arena *a, const struct source_bundle *bundle, struct str stage,
                struct service *ret)
{
    struct err err = {0};
    struct config_options options = {
        .bundle = bundle, .stage = stage, .lenient = bundle->main.n % 2, .warn = ignore_warning};
    int loaded = service_load(a, &options, ret, &err);
    if (loaded < 0) {
        fuzz_check(err.kind == ERR_CONFIG || err.kind == ERR_FAILED);
        fuzz_check_error(a, &err);
    }
    err_clear(&err);
    return loaded;
}

static void explain_all(struct arena *a, const struct service *s)
{
    struct err err = {0};
    member_each (m, s->root) {
        if (!m->key.n || str_find_char(m->key, '.', 0) >= 0)
            continue;
        const struct node *explained = service_explain(a, s, m->key, &err);
        fuzz_check(explained && json_text(a, explained, 0).n > 0);
    }
    err_clear(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    struct arena *a = arena_new();
    struct err err = {0};
    struct str text = {arena_dup(a, data, size), size};
    const struct node *n = json_parse(a, STR("bundle.json"), text, &err);
    struct source_bundle bundle;
    struct str stages[] = {STR("dev"), STR("qa")};
    bool read = n && read_bundle(a, n, &bundle);
    for (size_t i = 0; read && i < 2; i++) {
        struct service first, second;
        if (load(a, &bundle, stages[i], &first) < 0)
            continue;
        explain_all(a, &first);
        struct source_bundle again, made = service_bundle(&first);
        fuzz_check(read_bundle(a, object_node(a, &source_bundle_table, &made, 0), &again));
        fuzz_check(load(a, &again, stages[i], &second) == 0);
    }
    err_clear(&err);
    arena_free(a);
    return 0;
}
