/* Whole services: one value of a service file is replaced by something of another kind, and the
 * service goes all the way that `package` and `plan` go without a network: configuration, files,
 * the flat template, the layout for stages. Seeds are the golden services.
 *
 * Handlers are made as files, so that a service does not end at the first one. */
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "base/fs.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "config/config.h"
#include "pack/pack.h"
#include "compile/compile_internal.h"
#include "layout/layout.h"

enum { INPUT_MAX = 16 * 1024, FILES_MAX = 200 };

static char dir[] = "/tmp/troupe-fuzz-service-XXXXXX";
static size_t file_count;

static void empty_dir(void)
{
    struct err err = {0};
    fs_remove_all(str_c(dir), &err);
    err_clear(&err);
    file_count = 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!mkdtemp(dir))
        abort();
    atexit(empty_dir);
    return 0;
}

/* ---- mutating ---- */

struct mutation {
    struct arena *arena;
    const struct node *root;
    /* number of the node to replace, in the order of the walk; nodes seen so far */
    size_t at, seen;
    unsigned how;
};

static size_t count_nodes(const struct node *n)
{
    size_t count = 1;
    node_each (item, n)
        count += count_nodes(item);
    member_each (m, n)
        count += count_nodes(m->value);
    return count;
}

static const struct node *nth(const struct node *n, size_t *left)
{
    const struct node *found = *left ? NULL : n;
    if (!(*left)--)
        return found;
    node_each (item, n)
        if ((found = nth(item, left)))
            return found;
    member_each (m, n)
        if ((found = nth(m->value, left)))
            return found;
    return NULL;
}

/* What replaces `n`. */
static const struct node *other(const struct mutation *m, const struct node *n)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "x",
                                        "*",
                                        "GET /{a+}",
                                        "rate(1 minute)",
                                        "${self:custom}",
                                        "${self:provider.stage}",
                                        "${file(./serverless.yml)}",
                                        "${opt:none, null}",
                                        "arn:aws:sns:us-east-1:123456789012:t",
                                        "-1",
                                        "a/b.c",
                                        "!Ref"};
    static const char *const numbers[] = {"0", "-1", "0.5", "1", "65536", "1e+300"};
    enum { TEXTS = sizeof texts / sizeof *texts, NUMBERS = sizeof numbers / sizeof *numbers };
    struct arena *a = m->arena;
    unsigned which = m->how / 16;
    char *p;
    struct node *map = node_map(a), *seq = node_seq(a);
    switch (m->how % 16) {
    case 0:
        return node_null(a);
    case 1:
        return map;
    case 2:
        return seq;
    case 3:
        return node_bool(a, which % 2);
    case 4:
        p = arena_alloc(a, 301);
        memset(p, 'n', 300);
        return node_str(a, (struct str){p, 300});
    case 5:
        return node_number(a, str_c(numbers[which % NUMBERS]));
    case 6:
        return node_ref(a, STR("Other"));
    case 7:
        return node_fn(a, "Fn::GetAtt", NODE_LIST(a, node_c(a, "Other"), node_c(a, "Arn")));
    case 8: /* `n` in a list */
        node_push(a, seq, n);
        return seq;
    case 9: /* `n` in a map */
        node_put_c(a, map, "name", n);
        return map;
    case 10: /* another value of the file */
    case 11: {
        size_t left = which % count_nodes(m->root);
        return nth(m->root, &left);
    }
    case 12:
        return node_fn(a, "Fn::Sub", node_c(a, "${Other.Arn}-${AWS::Region}"));
    default:
        return node_c(a, texts[which % TEXTS]);
    }
}

static const struct node *mutate(struct mutation *m, const struct node *n)
{
    if (m->seen++ == m->at)
        return other(m, n);
    if (n->kind == NODE_SEQ) {
        struct node *seq = node_seq(m->arena);
        node_each (item, n)
            node_push(m->arena, seq, mutate(m, item));
        return seq;
    }
    if (n->kind != NODE_MAP)
        return n;
    struct node *map = node_map(m->arena);
    member_each (member, n)
        node_put(m->arena, map, member->key, mutate(m, member->value));
    return map;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct source source = {STR("serverless.yml"), {(const char *)data, size}};
    const struct node *root = seed % 16 ? yaml_read(a, &source, &err) : NULL;
    size_t made = 0;
    if (root) {
        struct mutation m = {.arena = a, .root = root, .how = seed >> 4};
        m.at = (seed * 2654435761u >> 8) % count_nodes(root);
        struct buf b = BUF(a);
        yaml_write(&b, mutate(&m, root));
        if (b.n <= max) {
            memcpy(data, b.p, b.n);
            made = b.n;
        }
    }
    err_clear(&err);
    arena_free(a);
    return made ? made : LLVMFuzzerMutate(data, size, max);
}

/* ---- running ---- */

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./", s.p[i]) ||
            !s.p[i])
            return false;
    return s.n > 0 && s.n < 100 && s.p[0] != '/' && str_find(s, STR(".."), 0) < 0;
}

static void make_handlers(struct arena *a, const struct service *service)
{
    static const char *const endings[] = {".js", ".py"};
    for (size_t i = 0; i < service->function_count; i++) {
        struct str handler = node_text(node_get_c(service->functions[i].node, "handler"));
        ptrdiff_t dot = str_rfind_char(handler, '.');
        if (dot <= 0 || !is_plain(handler))
            continue;
        for (size_t k = 0; k < 2; k++) {
            struct err err = {0};
            struct str file = str_concat(a, str_sub(handler, 0, (size_t)dot), str_c(endings[k]));
            struct str path = path_join(a, str_c(dir), file);
            if (fs_mkdirs(path_dir(a, path), &err) == 0 && !fs_exists(path))
                file_count += fs_write(path, STR("x"), 0600, &err) == 0;
            err_clear(&err);
        }
    }
}

static int make(struct arena *a, const struct service *service, enum naming naming,
                struct compiled *ret, struct packed *packed, struct err *err)
{
    struct compile_options options = {.naming = naming, .artifact_dir = STR("artifacts")};
    struct pack_options pack = {.jobs = 1};
    if (pack_service(a, service, &pack, packed, err) < 0 ||
        compile_service(a, service, packed, &options, ret, err) < 0)
        return -1;
    json_text(a, ret->template, 2);
    return 0;
}

static int go_all_the_way(struct arena *a, const struct config_options *options, struct err *err)
{
    struct service service;
    struct packed packed;
    struct compiled compiled;
    struct layout layout;
    if (service_load(a, options, &service, err) < 0)
        return -1;
    json_text(a, service.root, 0);
    make_handlers(a, &service);
    const struct node *create = compile_create_stack(a, &service);
    if (create)
        json_text(a, create, 2);
    if (make(a, &service, NAMING_FLAT, &compiled, &packed, err) < 0 ||
        make(a, &service, NAMING_SHARED, &compiled, &packed, err) < 0 ||
        layout_service(a, &service, &compiled, &layout, err) < 0)
        return -1;
    json_text(a, layout.service_template, 0);
    if (layout.stage_template)
        json_text(a, layout.stage_template, 0);
    for (size_t i = 0; i < layout.function_count; i++)
        if (layout.functions[i].definition)
            json_text(a, layout.functions[i].definition, 0);
    for (size_t i = 0; i < layout.api_count; i++)
        json_text(a, layout.apis[i].document, 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    if (file_count > FILES_MAX)
        empty_dir();
    struct arena *a = arena_new();
    struct err err = {0};
    struct str path = path_join(a, str_c(dir), STR("serverless.yml"));
    if (fs_mkdirs(str_c(dir), &err) < 0 ||
        fs_write(path, (struct str){(const char *)data, size}, 0600, &err) < 0)
        abort();
    struct config_options options = {.dir = str_c(dir), .stage = STR("dev"), .lenient = size % 2};
    if (go_all_the_way(a, &options, &err) < 0) {
        fuzz_check_error(a, &err);
        fuzz_check(err.kind == ERR_CONFIG);
    }
    err_clear(&err);
    arena_free(a);
    return 0;
}
