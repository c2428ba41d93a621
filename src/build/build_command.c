/* Builds by commands: custom.troupe.build. */
#include "build/build_internal.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/fs.h"

static const struct node *of_function(const struct service *service, const struct function *fn)
{
    return node_get(node_get_c(service->settings.build, "functions"), fn->key);
}

bool commands_make(const struct service *service, const struct function *fn)
{
    return !node_empty(of_function(service, fn)) && node_empty(node_get_c(fn->node, "image"));
}

bool commands_needed(const struct service *service)
{
    const struct node *build = service->settings.build;
    return node_count(build) > (node_get_c(build, "limit") ? 1 : 0);
}

/* ---- checks ---- */

static bool is_command(const struct node *command)
{
    node_each (word, command)
        if (!node_text(word).n && !node_is(word, NODE_STRING))
            return false;
    return node_text(node_is(command, NODE_SEQ) && command->count ? command->items[0] : command).n;
}

static int check_command(const struct node *n, struct pos pos, struct err *err)
{
    const struct node *command = node_get_c(n, "command");
    if (is_command(command))
        return 0;
    if (node_empty(command))
        err_at(err, pos, ERR_CONFIG, "a build without 'command' builds nothing");
    else
        err_at(err, node_pos(command), ERR_CONFIG,
               "'command' should be a command or a list of its words");
    return err_help(err, "write the command, like 'command: npm run build'");
}

static void check_function(const struct building *b, const struct member *m, struct err *err)
{
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (!str_eq(fn->key, m->key))
            continue;
        if (!node_empty(node_get_c(fn->node, "image")))
            err_at(err, m->key_pos, ERR_CONFIG, "function '%.*s' runs an image, not a zip",
                   STR_ARG(m->key));
        else
            check_command(m->value, m->key_pos, err);
        return;
    }
    err_at(err, m->key_pos, ERR_CONFIG, "there is no function '%.*s' to build", STR_ARG(m->key));
}

/* Patterns select among the service's files, and a command's outputs are taken as they are. */
static void warn_patterns(struct building *b, const struct node *package)
{
    static const char *const keys[] = {"patterns", "include", "exclude"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct member *m = node_member(package, str_c(keys[i]));
        if (m && b->options->warn)
            b->options->warn(
                b->options->warn_context, m->key_pos,
                str_fmt(b->arena, "'%s' has no effect: a command makes the code", keys[i]),
                STR("name what the zip is to have under 'outputs' of the build"));
    }
}

int commands_check(struct building *b, struct err *err)
{
    const struct node *build = b->service->settings.build;
    bool described = node_get_c(build, "inputs") || node_get_c(build, "outputs") ||
                     node_get_c(build, "environment") || node_get_c(build, "command");
    if (described) {
        struct err one = {0};
        check_command(build, node_pos(build), &one);
        err_also(err, &one);
    }
    const struct node *command = node_get_c(build, "command");
    const struct node *plugin = build_plugin(b->service, "serverless-esbuild");
    if (!node_empty(command) && plugin) {
        struct err one = {0};
        err_at(&one, node_pos(command), ERR_CONFIG,
               "both this command and plugin 'serverless-esbuild' make the service's code");
        err_note(&one, node_pos(plugin), "the plugin is named");
        err_help(&one, "remove one of them, or name single functions under 'functions'");
        err_also(err, &one);
    }
    member_each (m, node_get_c(build, "functions")) {
        struct err one = {0};
        check_function(b, m, &one);
        err_also(err, &one);
    }
    if (!node_empty(command))
        warn_patterns(b, node_get_c(b->service->root, "package"));
    for (size_t i = 0; i < b->service->function_count; i++)
        if (!node_empty(command) || commands_make(b->service, &b->service->functions[i]))
            warn_patterns(b, node_get_c(b->service->functions[i].node, "package"));
    return err->kind ? -1 : 0;
}

/* ---- running ---- */

static const struct node *words_of(struct arena *a, const struct node *command)
{
    if (node_is(command, NODE_SEQ))
        return command;
    struct node *words = node_seq(a);
    node_push(a, words, node_str(a, STR("/bin/sh")));
    node_push(a, words, node_str(a, STR("-c")));
    node_push(a, words, command);
    return words;
}

struct copying {
    struct arena *arena;
    const struct build *build;
    struct str place;
    uint64_t bytes;
};

/* The files may be written again while they are packed: take them as they are now. */
static int copy_file(struct copying *c, struct str from, struct str name, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    struct str text, to = path_join(a, c->place, name);
    if (stat(str_z(a, from), &st) < 0)
        return err_sys(err, errno, "cannot read '%.*s'", STR_ARG(from));
    c->bytes += (uint64_t)st.st_size;
    if (c->bytes > UNZIPPED_BYTES_MAX) {
        err_set(err, ERR_CONFIG, "its outputs have more than %d MB: Lambda takes no more",
                UNZIPPED_BYTES_MAX / 1024 / 1024);
        return err_help(err, "name only what the code needs under 'outputs'");
    }
    if (fs_read(a, from, UNZIPPED_BYTES_MAX, &text, err) < 0 || fs_mkdirs(path_dir(a, to), err) < 0)
        return -1;
    return fs_write(to, text, st.st_mode & S_IXUSR ? 0755 : 0644, err);
}

/* Copy the files of `names`, below `dir`; `dir` is not part of their names in the zip. */
static int copy_files(struct copying *c, struct str dir, const struct str *names, size_t n,
                      struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (str_starts(names[i], STR("../")) || names[i].p[0] == '/')
            return err_set(err, ERR_CONFIG, "its output '%.*s' is outside of the service's folder",
                           STR_ARG(names[i]));
        if (copy_file(c, path_join(c->arena, dir, names[i]), names[i], err) < 0)
            return -1;
    }
    return 0;
}

/* A folder's content stands at the top of the zip, what globs find where it is. */
static int copy_outputs(struct copying *c, const struct node *outputs, struct err *err)
{
    struct arena *a = c->arena;
    struct node *globs = node_seq(a);
    struct str *names;
    size_t n;
    node_each (item, outputs) {
        struct str folder = path_join(a, c->build->service_dir, node_text(item));
        if (!fs_is_dir(folder)) {
            node_push(a, globs, item);
            continue;
        }
        if (all_files(a, folder, &names, &n, err) < 0 || copy_files(c, folder, names, n, err) < 0)
            return -1;
    }
    if (matching_files(a, c->build->service_dir, globs, true, &names, &n, err) < 0)
        return -1;
    return copy_files(c, c->build->service_dir, names, n, err);
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    const struct node *n = b->context, *outputs = node_get_c(n, "outputs");
    const struct node *given = node_get_c(n, "environment");
    struct node *environment = node_is(given, NODE_MAP) ? node_shallow(a, given) : node_map(a);
    struct str output;
    node_put_str(a, environment, "TROUPE_BUILD_DIR", place);
    struct command_line c = {.words = words_of(a, node_get_c(n, "command")),
                             .environment = environment,
                             .dir = b->service_dir,
                             .limit = b->limit,
                             .limit_ms = b->limit_ms};
    struct copying copying = {.arena = a, .build = b, .place = place};
    if (process_group_run(a, &c, &output, err) < 0 || copy_outputs(&copying, outputs, err) < 0)
        return -1;
    inputs->files = node_get_c(b->options, "files");
    *result = node_map(a);
    return 0;
}

/* ---- builds ---- */

/* The files that `inputs` finds now: one more or less is another build. */
static int find_inputs(struct building *b, const struct node *inputs, const struct node **ret,
                       struct err *err)
{
    struct arena *a = b->arena;
    struct str *names;
    size_t n;
    struct node *list = node_seq(a);
    if (matching_files(a, b->service->dir, inputs, true, &names, &n, err) < 0)
        return -1;
    if (!n)
        return err_at(err, node_pos(inputs), ERR_CONFIG, "no file matches the inputs of the build");
    for (size_t i = 0; i < n; i++)
        node_push(a, list, node_str(a, names[i]));
    return *ret = list, 0;
}

static int plan(struct building *b, const struct function *fn, const struct node *n,
                struct err *err)
{
    struct arena *a = b->arena;
    const struct node *inputs = node_get_c(n, "inputs"), *files = NULL;
    struct node *options = node_map(a);
    if (!node_empty(inputs) && find_inputs(b, inputs, &files, err) < 0)
        return -1;
    node_put_c(a, options, "command", node_get_c(n, "command"));
    node_put_c(a, options, "outputs", node_get_c(n, "outputs"));
    node_put_c(a, options, "environment", node_get_c(n, "environment"));
    node_put_c(a, options, "files", files);
    vec_push(a, &b->builds,
             (struct build){.name = fn ? str_concat(a, STR("function-"), fn->key) : STR("service"),
                            .what = fn ? str_fmt(a, "function '%.*s'", STR_ARG(fn->key))
                                       : STR("the service"),
                            .pos = node_pos(node_get_c(n, "command")),
                            .options = options,
                            .run = run,
                            .context = n});
    return 0;
}

int commands_plan(struct building *b, struct err *err)
{
    const struct node *build = b->service->settings.build;
    if (!node_empty(node_get_c(build, "command"))) {
        struct err one = {0};
        plan(b, NULL, build, &one);
        err_also(err, &one);
    }
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        struct err one = {0};
        if (commands_make(b->service, fn))
            plan(b, fn, of_function(b->service, fn), &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

static int folder_files(struct building *b, struct str name, const struct pack_files **ret,
                        struct err *err)
{
    struct arena *a = b->arena;
    struct str *names;
    size_t n;
    file_vec files = {0};
    vec_each (&b->builds, build) {
        if (!str_eq(build->name, name))
            continue;
        if (all_files(a, build->folder, &names, &n, err) < 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            vec_push(a, &files,
                     (struct pack_file){path_join(a, build->folder, names[i]), names[i]});
    }
    return *ret = files.n ? build_files(a, &files) : NULL, 0;
}

int commands_hand_out(struct building *b, struct err *err)
{
    const struct pack_files *service;
    if (folder_files(b, STR("service"), &service, err) < 0)
        return -1;
    if (service)
        b->built->service = service;
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        struct str name = str_concat(b->arena, STR("function-"), fn->key);
        if (commands_make(b->service, fn)) {
            if (folder_files(b, name, &b->built->functions[i], err) < 0)
                return -1;
        } else if (service && build_individually(b->service, fn) && !build_is_warmer(fn) &&
                   !node_text(node_path(fn->node, "package.artifact")).n) {
            b->built->functions[i] = service;
        }
    }
    return 0;
}
