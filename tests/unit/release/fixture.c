/* A service on disk and the small AWS. */
#include "fixture.h"

#include <stdlib.h>

#include "base/fs.h"
#include "pack/pack.h"

static const char *tests_dir = "tests";

/* ---- data ---- */

void fixture_data(char **argv)
{
    tests_dir = argv[1];
}

struct str data_text(struct arena *a, const char *file)
{
    enum { MAX_BYTES = 1 << 20 };
    struct err err = {0};
    struct str text;
    check_ok(
        fs_read(a, str_fmt(a, "%s/golden/release/%s", tests_dir, file), MAX_BYTES, &text, &err),
        &err);
    return text;
}

const struct node *data_json(struct arena *a, const char *file)
{
    struct err err = {0};
    const struct node *n = json_parse(a, str_c(file), data_text(a, file), &err);
    check_ok(n ? 0 : -1, &err);
    return n;
}

/* ---- around tests ---- */

int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char name[] = "/tmp/troupe-unit-XXXXXX";
    fake_aws_reset(cloud);
    f->arena = arena_new();
    f->aws = fake_aws_client(cloud);
    assert_non_null(mkdtemp(name));
    f->top = str_dup(f->arena, str_c(name));
    f->dir = path_join(f->arena, f->top, STR("svc"));
    check_ok(fs_mkdirs(f->dir, &f->err), &f->err);
    setenv("XDG_CACHE_HOME", f->top.p, 1);
    *state = f;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    check_ok(fs_remove_all(f->top, &err), &err);
    aws_free(f->aws);
    err_clear(&f->err);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- the service ---- */

void fixture_load_text(struct fixture *f, struct str text, const char *stage, const char *code)
{
    struct arena *a = f->arena;
    struct packed *packed = ARENA_NEW(a, struct packed);
    struct compiled *compiled = ARENA_NEW(a, struct compiled);
    struct pack_options pack = {0};
    struct compile_options compile = {.naming = NAMING_SHARED, .artifact_dir = STR("artifacts")};
    check_ok(fs_write(path_join(a, f->dir, STR("h.js")), str_c(code), 0644, &f->err), &f->err);
    check_ok(fs_write(path_join(a, f->dir, STR("serverless.yml")), text, 0644, &f->err), &f->err);
    f->options = MAP(a);
    f->params = MAP(a);
    f->config = (struct config_options){
        .dir = f->dir, .stage = str_c(stage), .options = &f->options, .params = &f->params};
    check_ok(service_load(a, &f->config, &f->service, &f->err), &f->err);
    check_ok(pack_service(a, &f->service, &pack, packed, &f->err), &f->err);
    check_ok(compile_service(a, &f->service, packed, &compile, compiled, &f->err), &f->err);
    check_ok(layout_service(a, &f->service, compiled, &f->layout, &f->err), &f->err);
    f->target = (struct target){.layout = &f->layout};
    f->disposals = (struct disposals){0};
    f->release = (struct release){.arena = a,
                                  .aws = f->aws,
                                  .service = &f->service,
                                  .client = fake_no_client,
                                  .disposals = &f->disposals,
                                  .config = &f->config};
}

void fixture_load(struct fixture *f, const char *file, const char *stage, const char *code)
{
    fixture_load_text(f, data_text(f->arena, file), stage, code);
}

int fixture_deploy(struct fixture *f, const char *file, const char *stage, const char *code)
{
    struct goal goal = goal_deploy(&f->target);
    fixture_load(f, file, stage, code);
    return deploy_run(&f->release, &goal, NULL, NULL, &f->done, &f->err);
}

void fixture_world(struct fixture *f, struct world *ret)
{
    *ret = (struct world){0};
    check_ok(world_find(&f->release, true, ret, &f->err), &f->err);
    check_ok(world_read(&f->release, WORLD_ALL, false, ret, &f->err), &f->err);
}

/* ---- checks ---- */

const struct node *fixture_object(struct fixture *f, const char *key)
{
    struct str text = fake_get(cloud, str_fmt(f->arena, "troupe/shop/%s", key).p);
    return text.p ? json_parse(f->arena, str_c(key), text, &f->err) : NULL;
}
