/* Every key that the schema takes does something: without it another template comes out, or an
 * error, or the program says that it has no effect.
 *
 * The services of tests/golden are loaded without one of their keys after the other. What no
 * service shows is listed below, with the place that reads it. */
#include "check.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/vec.h"
#include "compile/compile.h"
#include "config/config_internal.h"
#include "config/schema/schema.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "layout/layout.h"

/* Keys (as globs) that templates do not show, and who reads them. */
static const struct {
    const char *keys, *reader;
} elsewhere[] = {
    {"package.*", "pack; tests/golden/pack"},
    {"functions.*.package.*", "pack; tests/golden/pack"},
    {"layers.*.path", "pack; tests/golden/pack"},
    {"layers.*.package*", "pack; tests/golden/pack"},
    {"provider.ecr.scanOnPush", "release/image: where the repository is made"},
    {"provider.ecr.images.*.*", "release/image: what is built; tests/e2e/test_images.py"},
    {"provider.notificationArns", "release/stack: who is told"},
    {"provider.rollbackConfiguration*", "release/stack: alarms that roll back"},
    {"provider.stackTags", "release/stack: tags of the stage's stack"},
    {"provider.stackParameters.*", "release/plan: values of parameters"},
    {"provider.stackPolicy.*", "release/stack: sent as it is"},
    {"provider.iam*tatements.*", "compile/iam.c: statements are copied whole"},
    {"provider.httpApi.useProviderTags", "true is all that it may be, and what is done"},
    {"deprecationNotificationMode", "there are no deprecations to tell of"},
    {"disabledDeprecations", "there are no deprecations to tell of"},
    {"provider.profile", "cli: whose credentials"},
    {"useDotenv", "config/variables: .env files; tests/golden/dotenv"},
};

/* ---- what comes of a service ---- */

static void hear(void *context, struct pos pos, struct str msg, struct str help)
{
    (void)pos;
    (void)help;
    buf_add(context, msg);
}

static void add_outcome(struct arena *a, const struct service *s, struct buf *b, struct err *err)
{
    struct compiled flat = {0}, shared = {0};
    struct layout layout = {0};
    struct compile_options as_reference = {.naming = NAMING_FLAT}, own = {.naming = NAMING_SHARED};
    as_reference.artifact_dir = own.artifact_dir = compile_artifact_dir(a, s, 0);
    buf_fmt(b, "%.*s %.*s %.*s\n", STR_ARG(s->name), STR_ARG(s->stage), STR_ARG(s->region));
    if (compile_service(a, s, NULL, &as_reference, &flat, err) < 0)
        return;
    buf_add(b, json_canonical(a, flat.template));
    if (compile_service(a, s, NULL, &own, &shared, err) < 0 ||
        layout_check(a, s, &shared, err) < 0 || layout_service(a, s, &shared, &layout, err) < 0)
        return;
    buf_add(b, json_canonical(a, layout.service_template));
    buf_add(b, json_canonical(a, layout.stage_template));
    for (size_t i = 0; i < layout.function_count; i++)
        if (layout.functions[i].definition)
            buf_add(b, json_canonical(a, layout.functions[i].definition));
    for (size_t i = 0; i < layout.api_count; i++)
        buf_add(b, json_canonical(a, layout.apis[i].document));
    for (size_t i = 0; i < layout.warning_count; i++)
        buf_add(b, layout.warnings[i]);
}

/* All that comes of the service file `root`, beside the other files of its case. */
static struct str outcome(struct arena *a, const struct node *files, const struct node *root)
{
    struct node *all = node_shallow(a, files);
    struct buf b = BUF(a);
    cleanup_err struct err err = {0};
    struct service service = {0};
    node_drop(all, STR("serverless.yml"));
    node_put_str(a, all, "serverless.yml", json_text(a, root, 0));
    struct source_bundle bundle = {.main = STR("serverless.yml"), .files = all};
    struct config_options options = {
        .bundle = &bundle, .default_stage = STR("dev"), .warn = hear, .warn_context = &b};
    if (service_load(a, &options, &service, &err) == 0)
        add_outcome(a, &service, &b, &err);
    if (err.kind)
        buf_add(&b, err.msg);
    return buf_str(&b);
}

/* ---- the keys of the schema ---- */

struct keys {
    struct arena *arena;
    struct map all; /* path -> bool *: seen to do something */
};

/* CloudFormation's functions are values, and go to CloudFormation. */
static bool cfn_name(const char *name)
{
    return strncmp(name, "Fn::", 4) == 0 || strcmp(name, "Ref") == 0;
}

static struct str below(struct arena *a, struct str path, const char *name)
{
    return path.n ? str_fmt(a, "%.*s.%s", STR_ARG(path), name) : str_c(name);
}

static void list_keys(struct keys *k, const struct schema *s, struct str path)
{
    for (size_t i = 0; s && s->any && s->any[i]; i++)
        list_keys(k, s->any[i], path);
    for (const struct field *f = s ? s->fields : NULL; f && f->name; f++) {
        struct str key = below(k->arena, path, f->name);
        if (f->flags & UNSUPPORTED || f->no_effect || cfn_name(f->name))
            continue;
        if (!map_has(&k->all, key))
            map_put(&k->all, key, ARENA_NEW(k->arena, bool));
        list_keys(k, f->schema, key);
    }
    if (s && s->items)
        list_keys(k, s->items, path);
    if (s && s->values)
        list_keys(k, s->values, below(k->arena, path, "*"));
}

/* ---- a service without one of its keys ---- */

static const struct node *without(struct arena *a, const struct node *n, const struct node *map,
                                  struct str key)
{
    if (n == map) {
        struct node *out = node_shallow(a, n);
        node_drop(out, key);
        return out;
    }
    if (node_is(n, NODE_MAP)) {
        struct node *out = node_map(a);
        member_each (m, n)
            node_put(a, out, m->key, without(a, m->value, map, key));
        return out;
    }
    if (node_is(n, NODE_SEQ)) {
        struct node *out = node_seq(a);
        node_each (item, n)
            node_push(a, out, without(a, item, map, key));
        return out;
    }
    return n;
}

struct trying {
    struct keys *keys;
    const struct node *files, *root;
    struct str whole; /* what comes of it with all its keys */
};

static void try_keys(struct trying *t, const struct schema *s, const struct node *n,
                     struct str path)
{
    struct arena *a = t->keys->arena;
    for (size_t i = 0; s && s->any && s->any[i]; i++)
        try_keys(t, s->any[i], n, path);
    for (const struct field *f = s && node_is(n, NODE_MAP) ? s->fields : NULL; f && f->name; f++) {
        const struct member *m = node_member(n, str_c(f->name));
        struct str key = below(a, path, f->name);
        bool *does = m ? map_get(&t->keys->all, key) : NULL;
        if (!does)
            continue;
        if (!*does) {
            cleanup_arena struct arena *one = arena_new();
            *does = !str_eq(t->whole, outcome(one, t->files, without(one, t->root, n, m->key)));
        }
        try_keys(t, f->schema, m->value, key);
    }
    if (s && s->items)
        node_each (item, n)
            try_keys(t, s->items, item, path);
    if (s && s->values)
        member_each (m, n)
            try_keys(t, s->values, m->value, below(a, path, "*"));
}

static void try_service(struct keys *k, struct str dir)
{
    struct arena *a = k->arena;
    cleanup_err struct err err = {0};
    struct str *names, text;
    size_t n;
    struct node *files = node_map(a);
    if (fs_list(a, dir, &names, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (fs_read(a, path_join(a, dir, names[i]), 1 << 20, &text, &err) == 0)
            node_put(a, files, names[i], node_str(a, text));
        else
            err_clear(&err);
    struct source source = {STR("serverless.yml"), node_text(node_get_c(files, "serverless.yml"))};
    const struct node *root = source.text.n ? yaml_read(a, &source, &err) : NULL;
    if (!root)
        return;
    struct trying t = {k, files, root, outcome(a, files, root)};
    try_keys(&t, &schema_root, root, STR(""));
}

static struct str tests_dir;

static void try_all(struct keys *k, const char *folder)
{
    cleanup_err struct err err = {0};
    struct str *names, dir = path_join(k->arena, tests_dir, str_c(folder));
    size_t n;
    check_ok(fs_list(k->arena, dir, &names, &n, &err), &err);
    for (size_t i = 0; i < n; i++)
        try_service(k, path_join(k->arena, dir, names[i]));
}

static void test_every_key_does_something(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct keys k = {a, MAP(a)};
    bool used[sizeof elsewhere / sizeof *elsewhere] = {0};
    list_keys(&k, &schema_root, STR(""));
    try_all(&k, "golden/compile");
    try_all(&k, "golden/config");
    try_all(&k, "golden/keys");
    size_t wrong = 0;
    for (size_t i = 0; i < k.all.n; i++) {
        bool listed = false;
        if (*(bool *)k.all.entries[i].value)
            continue;
        for (size_t e = 0; e < sizeof elsewhere / sizeof *elsewhere; e++)
            if (settings_glob(str_c(elsewhere[e].keys), k.all.entries[i].key))
                listed = used[e] = true;
        if (!listed)
            print_error("%.*s: nothing comes of it\n", STR_ARG(k.all.entries[i].key));
        wrong += !listed;
    }
    for (size_t e = 0; e < sizeof elsewhere / sizeof *elsewhere; e++) {
        if (!used[e])
            print_error("%s: listed, and templates show all such keys\n", elsewhere[e].keys);
        wrong += !used[e];
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    cleanup_arena struct arena *a = arena_new();
    tests_dir = path_absolute(a, argc > 1 ? str_c(argv[1]) : STR("tests"));
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_key_does_something)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
