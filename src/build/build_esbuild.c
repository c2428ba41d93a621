/* esbuild: `serverless-esbuild`, and TypeScript handlers of services that have no plugin for them.
 *
 * The driver bundles all handlers in one process of node with the esbuild of the project. What goes
 * into which zip is decided here, as the plugin decides it. */
#include "build/build_internal.h"

#include "base/fs.h"

#define PLUGIN "serverless-esbuild"

extern const char esbuild_driver[]; /* esbuild_driver.js */

/* Options of the plugin, and what becomes of them; all others are esbuild's own, which refuses what
 * it does not know. */
static const struct {
    const char *name;
    const char *refused; /* why, when it is not off */
    const char *no_effect;
} options[] = {
    {"nodeExternals", "list the modules under 'external'", NULL},
    {"skipBuild", "give what was built as 'package.artifact'", NULL},
    {"skipBuildExcludeFns", "give what was built as 'package.artifact'", NULL},
    {"stripEntryResolveExtensions", "name handlers by the whole name of their file", NULL},
    {"keepOutputDirectory", NULL, "what was built stays in '.troupe/build'"},
    {"outputWorkFolder", NULL, "what was built is in '.troupe/build'"},
    {"outputBuildFolder", NULL, "what was built is in '.troupe/build'"},
};

/* ---- which functions ---- */

static struct str runtime_of(const struct service *service, const struct function *fn)
{
    return node_text_or(node_get_c(fn->node, "runtime"),
                        node_text(node_path(service->root, "provider.runtime")));
}

static bool is_node(const struct service *service, const struct function *fn)
{
    struct str runtime = runtime_of(service, fn);
    return node_text(node_get_c(fn->node, "handler")).n &&
           (str_starts(runtime, STR("nodejs")) || !runtime.n);
}

static bool has_ending(struct arena *a, const struct service *service, struct str stem,
                       const char *const *endings)
{
    for (; *endings; endings++)
        if (fs_is_file(path_join(a, service->dir, str_concat(a, stem, str_c(*endings)))))
            return true;
    return false;
}

/* The file of a handler without its ending, as Node.js finds it; empty: it names no file. */
static struct str handler_stem(const struct function *fn)
{
    struct str handler = node_text(node_get_c(fn->node, "handler"));
    size_t base = (size_t)(str_rfind_char(handler, '/') + 1);
    ptrdiff_t dot = str_find_char(handler, '.', base);
    return dot > (ptrdiff_t)base ? str_sub(handler, 0, (size_t)dot) : STR("");
}

/* Is its handler a TypeScript file, and no JavaScript file beside it? */
static bool is_typescript(struct arena *a, const struct service *service, const struct function *fn)
{
    static const char *const javascript[] = {".js", ".mjs", ".cjs", NULL};
    static const char *const typescript[] = {".ts", ".tsx", NULL};
    struct str stem = handler_stem(fn);
    return stem.n && !node_text(node_path(fn->node, "package.artifact")).n &&
           !has_ending(a, service, stem, javascript) && has_ending(a, service, stem, typescript);
}

/* esbuild as node finds it: in the service's folder or above it. */
static bool has_esbuild(struct arena *a, struct str dir)
{
    for (;; dir = path_dir(a, dir)) {
        if (fs_is_file(path_join(a, dir, STR("node_modules/esbuild/package.json"))))
            return true;
        if (dir.n <= 1)
            return false;
    }
}

static bool other_builder(const struct service *service)
{
    return !node_empty(node_get_c(service->settings.build, "command")) ||
           build_plugin(service, "serverless-plugin-typescript") != NULL;
}

static bool is_built(struct arena *a, const struct service *service, const struct function *fn)
{
    if (!is_node(service, fn) || commands_make(service, fn) || build_is_warmer(fn) ||
        !node_empty(node_get_c(fn->node, "image")))
        return false;
    if (build_plugin(service, PLUGIN))
        return !node_bool_or(node_get_c(fn->node, "skipEsbuild"), false);
    return !other_builder(service) && !node_text(node_path(service->root, "package.artifact")).n &&
           is_typescript(a, service, fn) && has_esbuild(a, service->dir);
}

bool esbuild_needed(const struct service *service)
{
    if (build_plugin(service, PLUGIN))
        return true;
    cleanup_arena struct arena *scratch = arena_new();
    for (size_t i = 0; i < service->function_count; i++)
        if (is_built(scratch, service, &service->functions[i]))
            return true;
    return false;
}

/* ---- checks ---- */

static bool is_off(const struct node *n)
{
    return node_empty(n) || (node_is(n, NODE_BOOL) && !n->boolean) ||
           ((node_is(n, NODE_SEQ) || node_is(n, NODE_MAP)) && !node_count(n));
}

static int check_options(struct building *b, const struct node *section, struct err *err)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const struct member *m = node_member(section, str_c(options[i].name));
        if (!m || is_off(m->value))
            continue;
        if (options[i].no_effect && b->options->warn)
            b->options->warn(b->options->warn_context, m->key_pos,
                             str_fmt(b->arena, "'%s' has no effect", options[i].name),
                             str_c(options[i].no_effect));
        if (!options[i].refused)
            continue;
        struct err one = {0};
        err_at(&one, m->key_pos, ERR_CONFIG, "option '%s' of " PLUGIN " is not supported",
               options[i].name);
        err_help(&one, "%s", options[i].refused);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

/* The runtime of the service, from which the plugin takes what esbuild compiles for. */
static int check_runtime(const struct building *b, struct err *err)
{
    const struct node *runtime = node_path(b->service->root, "provider.runtime");
    if (str_starts(node_text(runtime), STR("nodejs")))
        return 0;
    err_at(err, runtime ? node_pos(runtime) : node_pos(build_plugin(b->service, PLUGIN)),
           ERR_CONFIG, PLUGIN " needs a 'provider.runtime' of Node.js");
    return err_help(err, "write 'runtime: nodejs22.x' there, and other runtimes into their "
                         "functions");
}

static int check_entries(struct building *b, struct err *err)
{
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        const struct node *handler = node_get_c(fn->node, "handler");
        struct err one = {0};
        if (is_built(b->arena, b->service, fn) &&
            str_find_char(path_base(node_text(handler)), '.', 0) <= 0)
            err_at(&one, node_pos(handler), ERR_CONFIG,
                   "handler '%.*s' of function '%.*s' names no function",
                   STR_ARG(node_text(handler)), STR_ARG(fn->key));
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

int esbuild_check(struct building *b, struct err *err)
{
    if (build_plugin(b->service, PLUGIN) &&
        (check_runtime(b, err) < 0 ||
         check_options(b, node_path(b->service->root, "custom.esbuild"), err) < 0))
        return -1;
    return check_entries(b, err);
}

/* ---- the job ---- */

/* What esbuild is told where no plugin does. Node.js 18 and later have version 3 of AWS's SDK, as
 * the older ones have version 2. Source: Lambda developer guide, "Building with Node.js". */
static const struct node *own_options(struct arena *a)
{
    struct node *all = node_map(a), *external = node_seq(a);
    node_push(a, external, node_str(a, STR("@aws-sdk/*")));
    node_put_c(a, all, "external", external);
    node_put_str(a, all, "exclude", STR("*"));
    return all;
}

/* "nodejs22.x" -> "node22"; empty: none. */
static struct str target_of(struct arena *a, const struct service *service)
{
    struct str runtime = node_text(node_path(service->root, "provider.runtime"));
    if (!str_skip(&runtime, STR("nodejs")) || !str_strip(&runtime, STR(".x")))
        return STR("");
    return str_concat(a, STR("node"), runtime);
}

static const struct node *functions_of(struct building *b)
{
    struct node *all = node_seq(b->arena);
    bool plugin = build_plugin(b->service, PLUGIN) != NULL;
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (!is_built(b->arena, b->service, fn))
            continue;
        struct node *one = node_map(b->arena);
        struct str handler = node_text_or(node_get_c(fn->node, "esbuildEntrypoint"),
                                          node_text(node_get_c(fn->node, "handler")));
        if (!plugin)
            handler = str_concat(b->arena, handler_stem(fn), STR(".handler"));
        node_put_str(b->arena, one, "key", fn->key);
        node_put_str(b->arena, one, "handler", handler);
        node_push(b->arena, all, one);
    }
    return all;
}

static const struct node *job_of(struct building *b)
{
    struct arena *a = b->arena;
    const struct service *service = b->service;
    bool plugin = build_plugin(service, PLUGIN) != NULL;
    const struct node *section = node_path(service->root, "custom.esbuild");
    struct node *job = node_map(a);
    node_put_str(a, job, "name", service->name);
    node_put_str(a, job, "target", target_of(a, service));
    node_put_c(a, job, "individually", node_bool(a, !plugin || build_individually(service, NULL)));
    node_put_c(a, job, "functions", functions_of(b));
    if (plugin)
        node_put_c(a, job, "options", node_is(section, NODE_MAP) ? section : node_map(a));
    else
        node_put_c(a, job, "options", own_options(a));
    const struct node *given = node_get_c(job, "options");
    if (node_get_c(given, "config") || node_get_c(given, "plugins"))
        node_put_c(a, job, "service", service->root);
    return job;
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    return driver_run(a, b, esbuild_driver, place, inputs, result, err);
}

int esbuild_plan(struct building *b, struct err *err)
{
    const struct node *plugin = build_plugin(b->service, PLUGIN), *job = job_of(b);
    if (!node_count(node_get_c(job, "functions")))
        return 0;
    if (!has_esbuild(b->arena, b->service->dir)) {
        err_at(err, node_pos(plugin), ERR_CONFIG,
               "esbuild, which builds the handlers, is not installed");
        return err_help(err, "install what package.json names (npm install), or add esbuild: "
                             "npm install --save-dev esbuild");
    }
    vec_push(b->arena, &b->builds,
             (struct build){.name = STR("esbuild"),
                            .what = STR("the handlers by esbuild"),
                            .pos = node_pos(plugin),
                            .options = job,
                            .run = run});
    return 0;
}

/* ---- what goes into which zip ---- */

/* A file of the plugin's build folder: where it is there, and where it is really. */
struct built_file {
    struct str local, path;
};

struct zips {
    struct building *b;
    const struct build *build;
    VEC(struct built_file) files;
    struct str *names; /* of `files` */
    struct str *service_files;
    size_t service_file_count;
};

static void push_texts(struct arena *a, struct node *all, const struct node *list, const char *mark)
{
    node_each (item, list)
        node_push(a, all,
                  node_from(node_str(a, str_concat(a, str_c(mark), node_text(item))), item));
}

/* `include`, `exclude` and `patterns` as one list. */
static struct node *patterns_of(struct arena *a, const struct node *package)
{
    struct node *all = node_seq(a);
    push_texts(a, all, node_get_c(package, "include"), "");
    push_texts(a, all, node_get_c(package, "exclude"), "!");
    push_texts(a, all, node_get_c(package, "patterns"), "");
    return all;
}

static bool is_left_out(struct str local)
{
    static const char *const names[] = {"package-lock.json", "pnpm-lock.yaml", "yarn.lock",
                                        "package.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(local, str_c(names[i])))
            return true;
    return str_starts(local, STR("../")) || str_starts(local, STR("/"));
}

static void add_file(struct zips *z, struct str local, struct str dir, struct str name)
{
    struct arena *a = z->b->arena;
    if (!is_left_out(local))
        vec_push(a, &z->files, (struct built_file){local, path_join(a, dir, name)});
}

static struct str only_prefix(struct arena *a, struct str key)
{
    return str_fmt(a, "__only_%.*s/", STR_ARG(key));
}

/* What the patterns of `fn` add to its zip. */
static int add_extras_of(struct zips *z, const struct function *fn, struct err *err)
{
    struct arena *a = z->b->arena;
    struct str *names, dir = z->b->service->dir, prefix = only_prefix(a, fn->key);
    size_t n;
    const struct node *patterns = patterns_of(a, node_get_c(fn->node, "package"));
    if (matching_files(a, dir, patterns, false, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        add_file(z, str_concat(a, prefix, names[i]), dir, names[i]);
    return 0;
}

/* The plugin's build folder: bundles and modules, then what patterns add. */
static int list_files(struct zips *z, struct err *err)
{
    struct arena *a = z->b->arena;
    const struct service *service = z->b->service;
    struct str *names;
    size_t n;
    if (all_files(a, z->build->folder, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        add_file(z, names[i], z->build->folder, names[i]);
    struct node *patterns = patterns_of(a, node_get_c(service->root, "package"));
    if (build_plugin(service, PLUGIN))
        node_push(a, patterns, node_str(a, STR("!node_modules/" PLUGIN)));
    if (matching_files(a, service->dir, patterns, false, &z->service_files, &z->service_file_count,
                       err) < 0)
        return -1;
    for (size_t i = 0; i < z->service_file_count; i++)
        add_file(z, z->service_files[i], service->dir, z->service_files[i]);
    for (size_t i = 0; i < service->function_count; i++)
        if (is_built(a, service, &service->functions[i]) &&
            add_extras_of(z, &service->functions[i], err) < 0)
            return -1;
    z->names = ARENA_ARRAY(a, z->files.n, struct str);
    for (size_t i = 0; i < z->files.n; i++)
        z->names[i] = z->files.p[i].local;
    return 0;
}

/* One zip for all: what belongs to single functions, too. */
static void one_zip(struct zips *z)
{
    struct arena *a = z->b->arena;
    file_vec all = {0};
    vec_each (&z->files, f) {
        struct str name = f->local;
        ptrdiff_t slash = str_find_char(name, '/', 0);
        if (str_starts(name, STR("__only_")) && slash > (ptrdiff_t)sizeof "__only_" - 1)
            name = str_sub(name, (size_t)slash + 1, name.n);
        vec_push(a, &all, (struct pack_file){f->path, name});
    }
    z->b->built->service = build_files(a, &all);
}

/* The path without the ending of its last part; empty when it has none, as in the plugin. */
static struct str trimmed(struct str path)
{
    struct str base = path_base(path);
    ptrdiff_t dot = str_rfind_char(base, '.');
    return dot > 0 ? str_sub(path, 0, path.n - base.n + (size_t)dot) : STR("");
}

/* What one function's zip has. */
struct own_zip {
    struct map included;   /* always */
    VEC(struct str) stems; /* a file that begins with one of these and a dot is left out */
    const struct node *allowed;
    struct str prefix;
};

static void add_other_bundles(struct zips *z, struct str own, struct own_zip *zip)
{
    member_each (m, node_get_c(z->build->result, "bundles"))
        if (!str_starts(own, node_text(m->value)))
            vec_push(z->b->arena, &zip->stems, trimmed(node_text(m->value)));
}

/* The function's patterns, applied to the build folder. */
static int add_patterns(struct zips *z, const struct function *fn, struct own_zip *zip,
                        struct err *err)
{
    struct arena *a = z->b->arena;
    struct node *patterns = patterns_of(a, node_get_c(fn->node, "package")), *not = node_seq(a);
    struct str *names;
    size_t n;
    for (size_t i = 0; i < z->service_file_count; i++)
        map_put(&zip->included, z->service_files[i], "");
    if (matching_names(a, z->names, z->files.n, patterns, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        map_put(&zip->included, names[i], "");
    node_each (item, patterns) {
        struct str text = node_text(item);
        if (str_skip(&text, STR("!")))
            node_push(a, not, node_from(node_str(a, text), item));
    }
    if (matching_names(a, z->names, z->files.n, not, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        vec_push(a, &zip->stems, trimmed(names[i]));
    return 0;
}

static bool is_allowed_module(const struct zips *z, const struct own_zip *zip, struct str local)
{
    if (!node_bool_or(node_get_c(z->build->result, "externals"), false) ||
        !str_skip(&local, STR("node_modules/")))
        return false;
    node_each (name, zip->allowed) {
        struct str rest = local;
        if (str_skip(&rest, node_text(name)) && rest.n && rest.p[0] == '/')
            return true;
    }
    return false;
}

static bool belongs(const struct zips *z, const struct own_zip *zip, struct str local)
{
    if (map_has(&zip->included, local))
        return true;
    vec_each (&zip->stems, stem)
        if (str_starts(local, *stem) && local.n > stem->n && local.p[stem->n] == '.')
            return false;
    if (str_starts(local, STR("__only_")) && !str_starts(local, zip->prefix))
        return false;
    return !str_starts(local, STR("node_modules")) || is_allowed_module(z, zip, local);
}

static int zip_of(struct zips *z, const struct function *fn, const struct pack_files **ret,
                  struct err *err)
{
    struct arena *a = z->b->arena;
    struct own_zip zip = {.included = MAP(a), .prefix = only_prefix(a, fn->key)};
    zip.allowed = node_get(node_get_c(z->build->result, "allowed"), fn->key);
    add_other_bundles(z, node_text(node_get(node_get_c(z->build->result, "bundles"), fn->key)),
                      &zip);
    if (add_patterns(z, fn, &zip, err) < 0)
        return -1;
    file_vec all = {0};
    vec_each (&z->files, f) {
        struct str name = f->local;
        if (!belongs(z, &zip, name))
            continue;
        str_skip(&name, zip.prefix);
        vec_push(a, &all, (struct pack_file){f->path, name});
    }
    *ret = build_files(a, &all);
    return 0;
}

int esbuild_hand_out(struct building *b, struct err *err)
{
    struct zips z = {.b = b};
    vec_each (&b->builds, build)
        if (str_eq(build->name, STR("esbuild")))
            z.build = build;
    if (!z.build)
        return 0;
    if (list_files(&z, err) < 0)
        return -1;
    if (build_plugin(b->service, PLUGIN) && !build_individually(b->service, NULL)) {
        one_zip(&z);
        return 0;
    }
    for (size_t i = 0; i < b->service->function_count; i++)
        if (is_built(b->arena, b->service, &b->service->functions[i]) &&
            zip_of(&z, &b->service->functions[i], &b->built->functions[i], err) < 0)
            return -1;
    return 0;
}
