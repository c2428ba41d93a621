/* Builders side by side. */
#include "build/build_internal.h"

#include "base/clock.h"
#include "base/pool.h"

/* In the order in which what they give is handed out. */
static const struct builder {
    bool (*needed)(const struct service *service);
    int (*check)(struct building *b, struct err *err);
    int (*plan)(struct building *b, struct err *err);
    int (*hand_out)(struct building *b, struct err *err);
    bool beside_packages; /* makes code also where another tool has packaged the service */
} builders[] = {
    {esbuild_needed, esbuild_check, esbuild_plan, esbuild_hand_out},
    {typescript_needed, typescript_check, typescript_plan, typescript_hand_out},
    {dependencies_needed, dependencies_check, dependencies_plan, dependencies_hand_out},
    {warmers_needed, warmers_check, warmers_plan, warmers_hand_out, .beside_packages = true},
    {python_needed, python_check, python_plan, python_hand_out},
    {commands_needed, commands_check, commands_plan, commands_hand_out},
};

enum { BUILDER_COUNT = sizeof builders / sizeof *builders };

static bool is_needed(const struct builder *one, const struct service *service)
{
    return (one->beside_packages || !service->artifact_dir.n) && one->needed(service);
}

bool build_is_needed(const struct service *service)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++)
        if (is_needed(&builders[i], service))
            return true;
    return false;
}

static int for_needed(struct building *b,
                      int (*of)(const struct builder *, struct building *, struct err *),
                      struct err *err)
{
    for (size_t i = 0; i < BUILDER_COUNT; i++) {
        struct err one = {0};
        if (is_needed(&builders[i], b->service))
            of(&builders[i], b, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

static int check(const struct builder *one, struct building *b, struct err *err)
{
    return one->check(b, err);
}

static int plan(const struct builder *one, struct building *b, struct err *err)
{
    return one->plan(b, err);
}

static int hand_out(const struct builder *one, struct building *b, struct err *err)
{
    return one->hand_out(b, err);
}

int build_check(struct arena *a, const struct service *service, const struct build_options *options,
                struct err *err)
{
    struct building b = {.arena = a, .service = service, .options = options};
    return service->artifact_dir.n ? 0 : for_needed(&b, check, err);
}

static int take(size_t index, void *context, struct arena *arena, struct err *err)
{
    (void)err;
    struct building *b = context;
    struct build *build = &b->builds.p[index];
    if (kept_take(arena, build))
        build->kept = true;
    return 0;
}

static int make(size_t index, void *context, struct arena *arena, struct err *err)
{
    struct building *b = context;
    struct build *build = &b->builds.p[index];
    return build->kept ? 0 : kept_build(arena, build, err);
}

static int run_all(struct building *b, struct err *err)
{
    const struct node *limit = node_get_c(b->service->settings.build, "limit");
    vec_each (&b->builds, build) {
        build->service_dir = b->service->dir;
        build->limit = node_text(limit);
        duration_parse(build->limit, &build->limit_ms);
    }
    if (pool_run_into(b->arena, b->builds.n, b->options->jobs, take, b, err) < 0)
        return -1;
    vec_each (&b->builds, build)
        *(build->kept ? &b->built->kept : &b->built->ran) += 1;
    if (!b->built->ran)
        return 0;
    return kept_prepare(b->arena, b->service->dir, err) < 0
               ? -1
               : pool_run_into(b->arena, b->builds.n, b->options->jobs, make, b, err);
}

/* What builders have found doubtful, also when they did not have to run this time. */
static void warn_all(const struct building *b)
{
    vec_each (&b->builds, build)
        node_each (text, node_get_c(build->result, "warnings"))
            if (b->options->warn)
                b->options->warn(b->options->warn_context, (struct pos){0}, node_text(text),
                                 (struct str){0});
}

int build_service(struct arena *a, const struct service *service,
                  const struct build_options *options, struct built *ret, struct err *err)
{
    struct building b = {.arena = a, .service = service, .options = options, .built = ret};
    size_t functions = service->function_count;
    size_t layers = node_count(node_get_c(service->root, "layers"));
    *ret = (struct built){.functions = ARENA_ARRAY(a, functions, const struct pack_files *),
                          .packages = ARENA_ARRAY(a, functions, const struct node *),
                          .added = ARENA_ARRAY(a, functions, const struct pack_addition *),
                          .layers = ARENA_ARRAY(a, layers, const struct pack_files *)};
    if (build_check(a, service, options, err) < 0 || for_needed(&b, plan, err) < 0 ||
        run_all(&b, err) < 0)
        return -1;
    warn_all(&b);
    return for_needed(&b, hand_out, err);
}
