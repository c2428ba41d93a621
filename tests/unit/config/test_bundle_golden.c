/* The golden cases once more, each from the bundle that a deployment of it would record: the same
 * service, and the same bundle again. */
#include "bundle.h"
#include "golden.h"
#include "base/buf.h"

#include "base/fs.h"
#include "doc/json.h"

static struct str tests_dir;

/* Without the time of loading. */
static bool is_timed(const struct service *s)
{
    for (size_t i = 0; i < s->file_count; i++)
        if (str_find(s->files[i].text, STR("instanceId"), 0) >= 0)
            return true;
    return false;
}

/* Without ${opt:} as a whole: that is today's command line. */
static bool takes_all_options(const struct service *s)
{
    return str_find(s->files[0].text, STR("${opt:}"), 0) >= 0;
}

static bool flags_equal(const struct node *x, const struct node *y)
{
    if (x->flags != y->flags || node_count(x) != node_count(y))
        return false;
    for (size_t i = 0; x->kind == NODE_SEQ && i < x->count; i++)
        if (!flags_equal(x->items[i], y->items[i]))
            return false;
    member_each (m, x)
        if (!flags_equal(m->value, node_get(y, m->key)))
            return false;
    return true;
}

/* What scripts ask for is not asked again, as they are not run. */
static bool same_bundle(struct arena *a, const struct source_bundle *bundle, struct str text,
                        const struct service *again)
{
    if (!node_count(bundle->scripts))
        return str_eq(text, bundle_text(a, again));
    return node_equal(bundle->scripts, service_bundle(again).scripts);
}

/* Environment and command line are gone, except for what says where to deploy. */
static bool same_from_bundle(struct golden *g, const struct service *first)
{
    struct arena *a = g->arena;
    struct service again;
    cleanup_err struct err err = {0};
    struct str text = bundle_text(a, first);
    struct source_bundle bundle = bundle_read(a, text);
    bundle.stage = first->stage;
    struct map region = MAP(a);
    struct config_options options = golden_options(g);
    bool is_whole = !takes_all_options(first);
    if (g->region.n)
        map_put(&region, STR("region"), &g->region);
    options.bundle = &bundle;
    options.dir = STR("/dev/null");
    options.options = is_whole ? &region : &g->options;
    options.params = NULL;
    if (service_load(a, &options, &again, &err) < 0) {
        print_error("%s\n%s", str_z(a, g->name), err_render(a, &err, false).p);
        return false;
    }
    if (!is_timed(first) &&
        (!node_equal(first->root, again.root) || !flags_equal(first->root, again.root))) {
        print_error("%s: differs\n%s\n%s\n", str_z(a, g->name), json_text(a, first->root, 0).p,
                    json_text(a, again.root, 0).p);
        return false;
    }
    if (!same_bundle(a, &bundle, text, &again)) {
        print_error("%s: another bundle\n%s\n%s\n", str_z(a, g->name), text.p,
                    bundle_text(a, &again).p);
        return false;
    }
    return true;
}

static size_t each_case(const char *sub, size_t *ret_count)
{
    size_t failed = 0, count;
    struct str *names;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct str dir = path_join(a, tests_dir, str_c(sub));
    check_ok(fs_list(a, dir, &names, &count, &err), &err);
    *ret_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct golden g;
        struct service service;
        cleanup_arena struct arena *own = arena_new();
        cleanup_err struct err ignored = {0};
        if (!fs_is_dir(path_join(a, dir, names[i])) || str_eq(names[i], STR("errors")))
            continue;
        golden_open(&g, own, dir, names[i]);
        int loaded = golden_load(&g, &service, &ignored);
        golden_close(&g);
        if (loaded < 0)
            continue;
        ++*ret_count;
        failed += !same_from_bundle(&g, &service);
    }
    return failed;
}

static void test_golden_cases(void **state)
{
    (void)state;
    size_t count;
    assert_int_equal(each_case("golden/config", &count), 0);
    assert_true(count >= 15);
    assert_int_equal(each_case("golden/compile", &count), 0);
    assert_true(count >= 60);
}

int main(int argc, char **argv)
{
    tests_dir = argc > 1 ? str_c(argv[1]) : STR("tests");
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden_cases)};
    return cmocka_run_group_tests_name("config_bundle_golden", tests, NULL, NULL);
}
