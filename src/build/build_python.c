/* serverless-python-requirements: what is to be installed, and which zips get it.
 *
 * The plugin installs once for the service, or with `package.individually` once for each `module`
 * of its functions. What is installed goes into the zips that `package:` selects the rest of, into
 * a layer, or into a zip in the zip that a helper unpacks. */
#include "build/python.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/hash.h"

#define PLUGIN "serverless-python-requirements"
#define HELPER "unzip_requirements.py"

extern const char unzip_requirements[]; /* unzip_requirements.py */
extern char **environ;

struct python {
    struct building *b;
    const struct service *service;
    const struct node *options;
    bool individually;
};

static struct python python_of(struct building *b)
{
    const struct node *root = b->service->root;
    return (struct python){b, b->service, node_path(root, "custom.pythonRequirements"),
                           node_bool_or(node_path(root, "package.individually"), false)};
}

static bool is_on(const struct python *p, const char *name, bool otherwise)
{
    return node_bool_or(node_get_c(p->options, name), otherwise);
}

static struct str runtime_of(const struct service *service, const struct function *fn)
{
    return node_text_or(fn ? node_get_c(fn->node, "runtime") : NULL,
                        node_text(node_path(service->root, "provider.runtime")));
}

static bool is_zipped(const struct function *fn)
{
    return node_empty(node_get_c(fn->node, "image"));
}

static bool is_python(const struct service *service, const struct function *fn)
{
    return is_zipped(fn) && str_starts(runtime_of(service, fn), STR("python"));
}

static struct str module_of(const struct function *fn)
{
    return node_text_or(node_get_c(fn->node, "module"), STR("."));
}

bool python_needed(const struct service *service)
{
    return build_plugin(service, PLUGIN) != NULL;
}

/* ---- checks ---- */

static int check_given(const struct python *p, const struct node *artifact, struct err *err)
{
    if (!node_text(artifact).n || node_truthy(node_get_c(p->options, "layer")) ||
        node_truthy(node_get_c(p->options, "zip")))
        return 0;
    err_at(err, node_pos(artifact), ERR_CONFIG,
           "nothing can be added to 'artifact': the requirements have to go into the zip");
    return err_help(err, "let the files be packaged, or set 'layer: true' under "
                         "custom.pythonRequirements");
}

/* Options of docker that nothing comes of. */
static void warn_docker(const struct python *p)
{
    static const char *const keys[] = {"dockerSsh", "dockerImage", "dockerFile",
                                       "dockerPrivateKey"};
    const struct build_options *o = p->b->options;
    const struct node *given = node_get_c(p->options, "dockerizePip");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct member *m = node_member(p->options, str_c(keys[i]));
        if (m && node_truthy(m->value) && !node_truthy(given) && o->warn)
            o->warn(o->warn_context, m->key_pos,
                    str_fmt(p->b->arena, "'%s' has no effect without 'dockerizePip'", keys[i]),
                    (struct str){0});
    }
}

static int check_docker(const struct python *p, struct err *err)
{
    const struct node *image = node_get_c(p->options, "dockerImage");
    const struct node *file = node_get_c(p->options, "dockerFile");
    warn_docker(p);
    if (node_truthy(image) && node_truthy(file)) {
        err_at(err, node_pos(file), ERR_CONFIG, "both 'dockerImage' and 'dockerFile' are given");
        return err_help(err, "leave one of the two away");
    }
    node_each (item, node_get_c(p->options, "pipCmdExtraArgs"))
        if (node_truthy(node_get_c(p->options, "dockerizePip")) &&
            node_is_text(item, "--cache-dir"))
            return err_at(err, node_pos(item), ERR_CONFIG,
                          "'--cache-dir' cannot be used with docker: set 'useDownloadCache'");
    return 0;
}

/* Patterns find the zip in the zip among the service's files, and other builders have theirs. */
static int check_others(const struct python *p, struct err *err)
{
    const struct member *zip = node_member(p->options, STR("zip"));
    const struct node *other = build_plugin(p->service, "serverless-esbuild");
    const struct node *command = node_get_c(p->service->settings.build, "command");
    if (!zip || !node_truthy(zip->value) || (!other && node_empty(command)))
        return 0;
    err_at(err, zip->key_pos, ERR_CONFIG, "'zip' where another builder makes the service's zip");
    err_note(err, node_pos(other ? other : command), "the other one is named");
    return err_help(err, "set 'slim: true' or 'layer: true' instead");
}

int python_check(struct building *b, struct err *err)
{
    struct python p = python_of(b);
    const struct service *service = b->service;
    struct err one = {0}, docker = {0}, others = {0};
    check_others(&p, &others);
    err_also(err, &others);
    if (!p.individually)
        check_given(&p, node_path(service->root, "package.artifact"), &one);
    err_also(err, &one);
    for (size_t i = 0; p.individually && i < service->function_count; i++) {
        const struct function *fn = &service->functions[i];
        struct err given = {0};
        if (is_python(service, fn))
            check_given(&p, node_path(fn->node, "package.artifact"), &given);
        err_also(err, &given);
    }
    check_docker(&p, &docker);
    err_also(err, &docker);
    return err->kind ? -1 : 0;
}

/* ---- the job ---- */

/* What the tools look at. It may be secret: only its hash is kept. */
static const struct node *environment_of(struct arena *a)
{
    static const char *const names[] = {"PIP_",        "UV_",          "POETRY_", "PIPENV_",
                                        "VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_",  "PYTHON"};
    struct node *all = node_map(a);
    for (char **e = environ; *e; e++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (str_starts(str_c(*e), str_c(names[i])))
                node_put(a, all, str_c(*e), node_bool(a, true));
    return all;
}

/* A program is another one when it lies elsewhere, or is another file there. */
static const struct node *program_stamp(struct arena *a, struct str name)
{
    struct stat st;
    struct str path = program_find(a, name);
    if (!path.n || stat(path.p, &st) < 0)
        return NULL;
    return node_strf(a, "%.*s %lld %lld", STR_ARG(path), (long long)st.st_size,
                     (long long)st.st_mtim.tv_sec);
}

/* The plugin takes the runtime's name for Python's. */
static struct str python_bin(struct arena *a, const struct python *p)
{
    struct str runtime = runtime_of(p->service, NULL);
    struct str given = node_text(node_get_c(p->options, "pythonBin"));
    struct str name = given.n ? given : runtime.n ? runtime : STR("python");
    if (str_eq(name, runtime) && !str_starts(name, STR("python")))
        return STR("python");
    ptrdiff_t at = str_find(name, STR("python3"), 0);
    size_t digits = (size_t)at + 7;
    if (at >= 0 && digits < name.n && name.p[digits] >= '0' && name.p[digits] <= '9')
        return str_fmt(a, "%.*s.%.*s", (int)digits, name.p, (int)(name.n - digits),
                       name.p + digits);
    return name;
}

static bool docker_of(const struct python *p)
{
    const struct node *given = node_get_c(p->options, "dockerizePip");
    return node_truthy(given) && !node_is_text(given, "non-linux");
}

/* Who says what is required for a module; NULL: nobody. */
static const char *source_of(struct arena *a, const struct python *p, struct str module,
                             struct str file)
{
    struct str dir = path_join(a, p->service->dir, module);
    struct str beside = path_join(a, p->service->dir, path_dir(a, file));
    if (is_on(p, "usePoetry", true) &&
        pyproject_is_poetry(a, path_join(a, dir, STR("pyproject.toml"))) &&
        pyproject_is_poetry(a, path_join(a, beside, STR("pyproject.toml"))))
        return "poetry";
    if (is_on(p, "useUv", false) && fs_is_file(path_join(a, dir, STR("uv.lock"))))
        return "uv";
    if (is_on(p, "usePipenv", true) && fs_is_file(path_join(a, p->service->dir, STR("Pipfile"))))
        return "pipenv";
    return fs_is_file(path_join(a, p->service->dir, file)) ? "file" : NULL;
}

static struct node *job_of(const struct python *p, const struct function *fn, struct str module,
                           struct str file, const char *source)
{
    struct arena *a = p->b->arena;
    struct node *job = node_map(a);
    const struct node *architecture = node_get_c(fn ? fn->node : NULL, "architecture");
    struct str python = python_bin(a, p);
    bool uv = node_is_text(node_get_c(p->options, "installer"), "uv") ||
              (!node_get_c(p->options, "installer") && !strcmp(source, "uv"));
    node_put_str(a, job, "module", module);
    node_put_str(a, job, "file", file);
    node_put_str(a, job, "source", str_c(source));
    node_put_str(a, job, "vendor", node_text(node_get_c(fn ? fn->node : NULL, "vendor")));
    node_put_str(a, job, "python", python);
    node_put_str(a, job, "installer", uv ? STR("uv") : STR("pip"));
    node_put_c(a, job, "docker", node_bool(a, docker_of(p)));
    node_put_str(a, job, "runtime", runtime_of(p->service, fn));
    node_put_str(a, job, "architecture",
                 node_text_or(architecture,
                              node_text_or(node_path(p->service->root, "provider.architecture"),
                                           STR("x86_64"))));
    node_put_c(a, job, "options", p->options ? p->options : node_map(a));
    node_put_c(a, job, "program", program_stamp(a, uv ? STR("uv") : python));
    node_put_c(a, job, "environment", environment_of(a));
    return job;
}

/* "requirements", and of a module its name with what no two have in common. */
static struct str build_name(struct arena *a, struct str module)
{
    if (str_eq(module, STR(".")))
        return STR("requirements");
    return str_fmt(a, "requirements-%.*s", STR_ARG(str_sub(sha256_hex(a, module), 0, 16)));
}

static struct str file_of(struct arena *a, const struct python *p, struct str module)
{
    struct str name = node_text_or(node_get_c(p->options, "fileName"), STR("requirements.txt"));
    return path_clean(a, path_join(a, module, name));
}

static int check_lock(const struct python *p, const char *source, struct err *err)
{
    const struct node *required = node_get_c(p->options, "requirePoetryLockFile");
    if (strcmp(source, "poetry") != 0 || !node_truthy(required) ||
        fs_is_file(path_join(p->b->arena, p->service->dir, STR("poetry.lock"))))
        return 0;
    err_at(err, node_pos(required), ERR_CONFIG, "there is no 'poetry.lock'");
    return err_help(err, "make it: poetry lock");
}

/* Nothing is required; what needs it cannot be made then. */
static int nothing_required(const struct python *p, struct str file, struct err *err)
{
    static const char *const keys[] = {"zip", "layer"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct member *m = node_member(p->options, str_c(keys[i]));
        if (!m || !node_truthy(m->value))
            continue;
        err_at(err, m->key_pos, ERR_CONFIG, "'%s' without requirements: there is no file '%.*s'",
               keys[i], STR_ARG(file));
        return err_help(err, "make the file, or leave '%s' away", keys[i]);
    }
    const struct build_options *o = p->b->options;
    const struct member *vendor = node_member(p->options, STR("vendor"));
    if (vendor && node_truthy(vendor->value) && o->warn)
        o->warn(o->warn_context, vendor->key_pos,
                str_fmt(p->b->arena, "'vendor' has no effect without a file '%.*s'", STR_ARG(file)),
                (struct str){0});
    return 0;
}

static int plan_module(const struct python *p, const struct function *fn, struct str module,
                       struct err *err)
{
    struct arena *a = p->b->arena;
    struct str file = file_of(a, p, module);
    const char *source = source_of(a, p, module, file);
    if (!source)
        return nothing_required(p, file, err);
    if (check_lock(p, source, err) < 0)
        return -1;
    bool all = str_eq(module, STR("."));
    vec_push(a, &p->b->builds,
             (struct build){.name = build_name(a, module),
                            .what = all ? STR("the Python requirements")
                                        : str_fmt(a, "the Python requirements of module '%.*s'",
                                                  STR_ARG(module)),
                            .pos = node_pos(build_plugin(p->service, PLUGIN)),
                            .options = job_of(p, fn, module, file, source),
                            .run = python_install});
    return 0;
}

int python_plan(struct building *b, struct err *err)
{
    struct python p = python_of(b);
    struct map seen = MAP(b->arena);
    if (!p.individually)
        return plan_module(&p, NULL, STR("."), err);
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        struct err one = {0};
        if (!is_python(b->service, fn) || map_has(&seen, module_of(fn)))
            continue;
        map_put(&seen, module_of(fn), "");
        plan_module(&p, fn, module_of(fn), &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}

/* ---- what goes where ---- */

static const struct build *build_of(const struct building *b, struct str module)
{
    struct str name = build_name(b->arena, module);
    vec_each (&b->builds, build)
        if (str_eq(build->name, name) && build->run == python_install)
            return build;
    return NULL;
}

/* The name before the first '-' or '/' of a path, or before the ending of a Python file. */
static struct str package_of(struct str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '-' || path.p[i] == '/' || path.p[i] == '\\' ||
            str_eq(str_sub(path, i, path.n), STR(".py")) ||
            str_eq(str_sub(path, i, path.n), STR(".pyc")))
            return str_sub(path, 0, i);
    return path;
}

static bool is_deployed(const struct python *p, struct str path)
{
    if (str_starts(path, STR("__pycache__/")))
        return false;
    node_each (item, node_get_c(p->options, "noDeploy"))
        if (str_eq(node_text(item), package_of(path)))
            return false;
    return true;
}

/* The installed files below `prefix`; of a zip of functions not those that are left out. */
static int installed(const struct python *p, const struct build *build, const char *prefix,
                     bool for_functions, struct pack_files *ret, struct err *err)
{
    struct arena *a = p->b->arena;
    struct str dir = path_join(a, build->folder, STR("files")), *names;
    size_t n;
    file_vec files = {0};
    if (all_files(a, dir, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!for_functions || is_deployed(p, names[i]))
            vec_push(a, &files,
                     (struct pack_file){path_join(a, dir, names[i]),
                                        str_concat(a, str_c(prefix), names[i])});
    return *ret = *build_files(a, &files), 0;
}

static int add_to_layer(const struct python *p, struct err *err)
{
    const struct build *build = build_of(p->b, STR("."));
    const struct node *layers = node_get_c(p->service->root, "layers");
    struct pack_files *files = ARENA_NEW(p->b->arena, struct pack_files);
    if (!build) {
        const struct member *m = node_member(p->options, STR("layer"));
        return err_at(err, m->key_pos, ERR_CONFIG,
                      "'layer' has what functions without 'module' require: there are none");
    }
    if (installed(p, build, "python/", false, files, err) < 0)
        return -1;
    for (size_t i = 0; i < node_count(layers); i++)
        if (str_eq(layers->members[i].key, STR("pythonRequirements")))
            p->b->built->layers[i] = files;
    return 0;
}

/* The plugin's own helper where it is installed; else one that does the same. */
static int helper_path(const struct python *p, const struct build *build, struct str *ret,
                       struct err *err)
{
    struct arena *a = p->b->arena;
    for (struct str dir = p->service->dir;; dir = path_dir(a, dir)) {
        *ret = path_join(a, dir, STR("node_modules/" PLUGIN "/" HELPER));
        if (fs_is_file(*ret))
            return 0;
        if (dir.n <= 1)
            break;
    }
    *ret = path_join(a, build->folder, STR(HELPER));
    return fs_is_file(*ret) ? 0 : fs_write(*ret, str_c(unzip_requirements), 0644, err);
}

static int add_beside(const struct python *p, struct err *err)
{
    struct arena *a = p->b->arena;
    struct map seen = MAP(a);
    struct str helper;
    file_vec files = {0};
    const struct build *any = NULL;
    vec_each (&p->b->builds, build)
        if (build->run == python_install)
            any = build;
    if (!any)
        return 0;
    if (helper_path(p, any, &helper, err) < 0)
        return -1;
    for (size_t i = 0; i < p->service->function_count; i++) {
        const struct function *fn = &p->service->functions[i];
        struct str module = p->individually ? module_of(fn) : STR(".");
        const struct build *build = build_of(p->b, module);
        if (!is_zipped(fn) || map_has(&seen, module))
            continue;
        map_put(&seen, module, "");
        vec_push(a, &files,
                 (struct pack_file){helper, path_clean(a, path_join(a, module, STR(HELPER)))});
        if (build)
            vec_push(
                a, &files,
                (struct pack_file){path_join(a, build->folder, STR("requirements.zip")),
                                   path_clean(a, path_join(a, module, STR(".requirements.zip")))});
    }
    build_beside(p->b, &files);
    return 0;
}

/* What is added to the zips of functions of a module; the same for all of them. */
static int addition_of(const struct python *p, struct str module, struct map *made,
                       const struct pack_addition **ret, struct err *err)
{
    struct pack_addition *addition = map_get(made, module);
    const struct build *build = build_of(p->b, module);
    bool elsewhere =
        node_truthy(node_get_c(p->options, "layer")) || node_truthy(node_get_c(p->options, "zip"));
    if (addition)
        return *ret = addition, 0;
    addition = ARENA_NEW(p->b->arena, struct pack_addition);
    if (!str_eq(module, STR(".")) && !node_truthy(node_get_c(p->options, "layer")))
        addition->folder = module;
    if (build && !elsewhere && installed(p, build, "", true, &addition->files, err) < 0)
        return -1;
    map_put(made, module, addition);
    return *ret = addition, 0;
}

int python_hand_out(struct building *b, struct err *err)
{
    struct python p = python_of(b);
    struct map made = MAP(b->arena);
    if (node_truthy(node_get_c(p.options, "layer")) && add_to_layer(&p, err) < 0)
        return -1;
    if (node_truthy(node_get_c(p.options, "zip")) && add_beside(&p, err) < 0)
        return -1;
    if (!p.individually)
        return addition_of(&p, STR("."), &made, &b->built->added_to_service, err);
    for (size_t i = 0; i < b->service->function_count; i++) {
        const struct function *fn = &b->service->functions[i];
        if (is_python(b->service, fn) &&
            addition_of(&p, module_of(fn), &made, &b->built->added[i], err) < 0)
            return -1;
    }
    return 0;
}
