/* serverless-plugin-include-dependencies: which files of node_modules the handlers need. The
 * project's own plugin is asked, by a script; what it puts into `package` selects the files. */
#include "build/build_internal.h"

#include <stdlib.h>

#define PLUGIN "serverless-plugin-include-dependencies"

extern const char dependencies_driver[]; /* dependencies_driver.js */

bool dependencies_needed(const struct service *service)
{
    return build_plugin(service, PLUGIN) != NULL;
}

int dependencies_check(struct building *b, struct err *err)
{
    const struct node *other = build_plugin(b->service, "serverless-plugin-typescript");
    if (!other)
        return 0;
    err_at(err, node_pos(build_plugin(b->service, PLUGIN)), ERR_CONFIG,
           "this plugin is not supported beside serverless-plugin-typescript");
    err_note(err, node_pos(other), "the other one is named");
    return err_help(err, "remove one of them, or build with serverless-esbuild");
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    return driver_run(a, b, dependencies_driver, place, inputs, result, err);
}

static const struct node *service_of(const struct building *b)
{
    static const char *const keys[] = {"service", "provider", "package"};
    struct arena *a = b->arena;
    const struct node *root = b->service->root;
    struct node *service = node_map(a), *custom = node_map(a), *functions = node_map(a);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        node_put_c(a, service, keys[i], node_get_c(root, keys[i]));
    node_put_c(a, custom, "includeDependencies", node_path(root, "custom.includeDependencies"));
    node_put_c(a, service, "custom", custom);
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (node_empty(node_get_c(fn->node, "image")) && !build_is_warmer(fn))
            node_put(a, functions, fn->key, fn->node);
    }
    node_put_c(a, service, "functions", functions);
    return service;
}

/* What patterns find now: one file more or less may need other modules. */
static int add_found(const struct building *b, const struct node *package, struct node *all,
                     struct err *err)
{
    struct arena *a = b->arena;
    struct node *patterns = node_seq(a);
    struct str *names;
    size_t n;
    node_each (item, node_get_c(package, "patterns"))
        if (!str_starts(node_text(item), STR("!")) &&
            str_find(node_text(item), STR("node_modules"), 0) < 0)
            node_push(a, patterns, item);
    if (matching_files(a, b->service->dir, patterns, true, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        node_push(a, all, node_str(a, names[i]));
    return 0;
}

int dependencies_plan(struct building *b, struct err *err)
{
    struct arena *a = b->arena;
    struct node *job = node_map(a), *found = node_seq(a);
    const char *path = getenv("NODE_PATH");
    if (add_found(b, node_get_c(b->service->root, "package"), found, err) < 0)
        return -1;
    for (size_t i = 0; i < b->service->function_count; i++)
        if (add_found(b, node_get_c(b->service->functions[i].node, "package"), found, err) < 0)
            return -1;
    node_put_c(a, job, "service", service_of(b));
    node_put_c(a, job, "found", found);
    node_put_str(a, job, "nodePath", str_c(path ? path : ""));
    vec_push(a, &b->builds,
             (struct build){.name = STR("dependencies"),
                            .what = STR("the list of modules that handlers need"),
                            .pos = node_pos(build_plugin(b->service, PLUGIN)),
                            .options = job,
                            .run = run});
    return 0;
}

int dependencies_hand_out(struct building *b, struct err *err)
{
    struct arena *a = b->arena;
    struct pos pos = node_pos(build_plugin(b->service, PLUGIN));
    const struct node *result = NULL;
    (void)err;
    vec_each (&b->builds, build)
        if (build->run == run)
            result = build->result;
    b->built->package = node_placed(a, node_get_c(result, "service"), pos);
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct node *own =
            node_get(node_get_c(result, "functions"), b->service->functions[i].key);
        if (own)
            b->built->packages[i] = node_placed(a, own, pos);
    }
    return 0;
}
