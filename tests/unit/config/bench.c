/* Services of our own; see bench.h. */
#include "bench.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "base/fs.h"

static int answer(void *context, struct arena *a, const struct remote_query *q,
                  const struct node **ret, struct err *err)
{
    struct cloud *c = context;
    struct str address = q->address;
    (void)err;
    check_str(q->region, "us-east-1");
    c->asked = str_fmt(c->arena, "%.*s%.*s(%.*s):%.*s\n", STR_ARG(c->asked), STR_ARG(q->source),
                       STR_ARG(q->params), STR_ARG(address));
    if (c->none && str_eq(address, str_c(c->none))) {
        *ret = NULL;
        return 0;
    }
    struct node *n = node_strf(a, "%.*s, answer %zu", STR_ARG(address), ++c->calls);
    if (c->secret && str_eq(address, str_c(c->secret)))
        n->flags |= NODE_SECRET;
    if (str_eq(address, STR("/map"))) {
        struct node *map = node_map(a);
        node_put_c(a, map, "list", n);
        n = map;
    }
    *ret = n;
    return 0;
}

void bench_file(struct bench *b, const char *path, const char *text)
{
    struct err err = {0};
    struct str full = path_clean(b->arena, path_join(b->arena, b->dir, str_c(path)));
    check_ok(fs_mkdirs(path_dir(b->arena, full), &err), &err);
    check_ok(fs_write(full, str_c(text), 0644, &err), &err);
}

void bench_open(struct bench *b)
{
    char name[] = "/tmp/troupe-bundle-XXXXXX";
    assert_non_null(mkdtemp(name));
    struct arena *a = arena_new();
    *b = (struct bench){.arena = a, .params = MAP(a), .options = MAP(a)};
    b->top = str_dup(a, str_c(name));
    b->dir = str_concat(a, b->top, STR("/a/svc"));
    b->cloud = (struct cloud){.arena = a, .asked = STR("")};
    b->remote = (struct remote_values){&b->cloud, answer};
}

void bench_close(struct bench *b)
{
    arena_free(b->arena);
}

void give(struct arena *a, struct map *m, const char *name, const char *value)
{
    struct str *stored = ARENA_NEW(a, struct str);
    *stored = str_c(value);
    map_put(m, str_c(name), stored);
}

static void note_warning(void *context, struct pos pos, struct str msg, struct str help)
{
    struct bench *b = context;
    assert_true(help.n > 0 && pos.line > 0);
    b->warnings = str_fmt(b->arena, "%.*s%.*s\n", STR_ARG(b->warnings), STR_ARG(msg));
}

struct config_options bench_options(struct bench *b, const char *stage)
{
    return (struct config_options){.dir = b->dir,
                                   .stage = str_c(stage),
                                   .options = &b->options,
                                   .params = &b->params,
                                   .warn = note_warning,
                                   .warn_context = b,
                                   .remote = &b->remote};
}

void bench_record(struct bench *b, const char *main)
{
    struct err err = {0};
    struct config_options options = bench_options(b, "dev");
    options.path = str_c(main);
    check_ok(service_load(b->arena, &options, &b->service, &err), &err);
    b->bundle = bundle_of(b->arena, &b->service);
    b->bundle.stage = STR("dev");
    check_ok(fs_remove_all(b->top, &err), &err);
    b->params = b->options = MAP(b->arena);
    b->recording = b->warnings;
    b->cloud.asked = b->warnings = STR("");
}

int bench_again(struct bench *b, const char *stage, struct service *ret, struct err *err)
{
    struct config_options options = bench_options(b, stage);
    options.bundle = &b->bundle;
    return service_load(b->arena, &options, ret, err);
}

const struct node *at(const struct service *s, const char *path)
{
    const struct node *n = node_path(s->root, path);
    if (!n)
        print_error("nothing at %s\n", path);
    assert_non_null(n);
    return n;
}

struct str text_at(const struct service *s, const char *path)
{
    return node_text(at(s, path));
}
