/* serverless-plugin-typescript: the project's TypeScript compiles file by file; what it writes,
 * beside the project's node_modules and package.json, is packaged as the service's folder would be.
 */
#include "build/build_internal.h"

#define PLUGIN "serverless-plugin-typescript"

extern const char typescript_driver[]; /* typescript_driver.js */

static bool is_node(const struct service *service, const struct function *fn)
{
    struct str runtime = node_text_or(node_get_c(fn->node, "runtime"),
                                      node_text(node_path(service->root, "provider.runtime")));
    return str_starts(runtime, STR("nodejs")) && node_text(node_get_c(fn->node, "handler")).n;
}

bool typescript_needed(const struct service *service)
{
    return build_plugin(service, PLUGIN) != NULL;
}

int typescript_check(struct building *b, struct err *err)
{
    const struct node *section = node_path(b->service->root, "custom.serverlessPluginTypescript");
    member_each (m, section) {
        struct err one = {0};
        if (!str_eq(m->key, STR("tsConfigFileLocation"))) {
            err_at(&one, m->key_pos, ERR_CONFIG, "'%.*s' is no option of " PLUGIN, STR_ARG(m->key));
            err_help(&one, "its only option is 'tsConfigFileLocation'");
        }
        err_also(err, &one);
    }
    const struct node *other = build_plugin(b->service, "serverless-esbuild");
    const struct node *command = node_get_c(b->service->settings.build, "command");
    if (other || !node_empty(command)) {
        struct err one = {0};
        err_at(&one, node_pos(build_plugin(b->service, PLUGIN)), ERR_CONFIG,
               "both this plugin and another builder make the service's code");
        err_note(&one, node_pos(other ? other : command), "the other one is named");
        err_help(&one, "remove one of them");
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    return driver_run(a, b, typescript_driver, place, inputs, result, err);
}

static const struct node *handlers_of(struct building *b)
{
    struct node *all = node_seq(b->arena);
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (is_node(b->service, fn) && !build_is_warmer(fn) && !commands_make(b->service, fn))
            node_push(b->arena, all,
                      node_str(b->arena, node_text(node_get_c(fn->node, "handler"))));
    }
    return all;
}

/* What `include` and `patterns` of the service find, to be packaged, too. */
static int extras_of(struct building *b, const struct node **ret, struct err *err)
{
    struct arena *a = b->arena;
    struct node *patterns = node_seq(a), *all = node_seq(a);
    struct str *names;
    size_t n;
    node_each (item, node_path(b->service->root, "package.include"))
        node_push(a, patterns, item);
    node_each (item, node_path(b->service->root, "package.patterns"))
        node_push(a, patterns, item);
    if (matching_files(a, b->service->dir, patterns, false, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        node_push(a, all, node_str(a, names[i]));
    return *ret = all, 0;
}

int typescript_plan(struct building *b, struct err *err)
{
    struct arena *a = b->arena;
    struct node *job = node_map(a);
    const struct node *extras;
    if (extras_of(b, &extras, err) < 0)
        return -1;
    node_put_c(a, job, "handlers", handlers_of(b));
    node_put_c(a, job, "extras", extras);
    node_put_c(a, job, "tsconfig",
               node_path(b->service->root, "custom.serverlessPluginTypescript."
                                           "tsConfigFileLocation"));
    vec_push(a, &b->builds,
             (struct build){.name = STR("typescript"),
                            .what = STR("the service by TypeScript"),
                            .pos = node_pos(build_plugin(b->service, PLUGIN)),
                            .options = job,
                            .run = run});
    return 0;
}

int typescript_hand_out(struct building *b, struct err *err)
{
    (void)err;
    vec_each (&b->builds, build)
        if (str_eq(build->name, STR("typescript")))
            b->built->dir = build->folder;
    return 0;
}
