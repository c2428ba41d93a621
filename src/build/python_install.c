/* From requirements to installed packages: the commands that serverless-python-requirements runs,
 * and what it does with what they leave. */
#include "build/python.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "pack/glob.h"

#define CONTAINER_SSH \
    "/root"           \
    "/.ssh" /* of the container's user */
#define DOWNLOADS "downloadCacheslspyc"

extern const char compile_driver[]; /* compile_driver.py */

struct installing {
    struct arena *arena;
    const struct build *build;
    const struct node *options; /* custom.pythonRequirements */
    struct str target;          /* where it is installed */
    struct str exported;        /* what poetry, uv or pipenv say is required */
    struct node *files, *dirs, *warnings;
};

/* ---- options ---- */

static const struct node *option(const struct installing *x, const char *name)
{
    return node_get_c(x->options, name);
}

static bool is_on(const struct installing *x, const char *name, bool otherwise)
{
    return node_bool_or(option(x, name), otherwise);
}

static struct str text_of(const struct installing *x, const char *name)
{
    return node_text(node_get_c(x->build->options, name));
}

static bool in_docker(const struct installing *x)
{
    return node_bool_or(node_get_c(x->build->options, "docker"), false);
}

static bool by_uv(const struct installing *x)
{
    return node_is_text(node_get_c(x->build->options, "installer"), "uv");
}

/* ---- programs ---- */

static bool can_run(struct str path)
{
    return fs_is_file(path) && access(path.p, X_OK) == 0;
}

struct str program_find(struct arena *a, struct str name)
{
    struct str rest = str_c(getenv("PATH")), dir;
    if (str_find_char(name, '/', 0) >= 0)
        return can_run(str_concat(a, name, STR(""))) ? name : STR("");
    while (rest.p && name.n && str_cut(&rest, ':', &dir)) {
        struct str path = path_join(a, dir.n ? dir : STR("."), name);
        if (can_run(path))
            return path;
    }
    return STR("");
}

static void add(struct installing *x, struct node *words, const char *word)
{
    node_push(x->arena, words, node_str(x->arena, str_c(word)));
}

static void add_text(struct installing *x, struct node *words, struct str word)
{
    node_push(x->arena, words, node_str(x->arena, word));
}

static void add_list(struct installing *x, struct node *words, const struct node *list)
{
    node_each (item, list)
        add_text(x, words, node_text(item));
}

static struct node *words_new(struct installing *x, const char *const *words)
{
    struct node *all = node_seq(x->arena);
    for (; *words; words++)
        add(x, all, *words);
    return all;
}
#define WORDS_OF(...) words_new(x, (const char *const[]){__VA_ARGS__, NULL})

static int run_in(struct installing *x, struct str dir, const struct node *words,
                  struct str *ret_output, struct err *err)
{
    const struct build *b = x->build;
    struct command_line c = {
        .words = words, .dir = dir, .limit = b->limit, .limit_ms = b->limit_ms};
    struct str name = node_text(words->items[0]);
    if (process_group_run(x->arena, &c, ret_output, err) == 0)
        return 0;
    return err->kind == ERR_CANCELLED ? -1 : err_wrap(err, "'%.*s'", STR_ARG(name));
}

static int run(struct installing *x, const struct node *words, struct err *err)
{
    struct str output;
    return run_in(x, x->build->service_dir, words, &output, err);
}

/* ---- what is required ---- */

static void add_groups(struct installing *x, struct node *words, const char *name,
                       const char *argument)
{
    struct buf b = BUF(x->arena);
    node_each (group, option(x, name))
        buf_fmt(&b, "%s%.*s", buf_str(&b).n ? "," : "", STR_ARG(node_text(group)));
    if (buf_str(&b).n)
        add_text(x, words, str_fmt(x->arena, "--%s=%.*s", argument, STR_ARG(buf_str(&b))));
}

static int export_poetry(struct installing *x, struct str dir, struct err *err)
{
    struct node *words =
        WORDS_OF("poetry", "export", "--without-hashes", "-f", "requirements.txt", "-o");
    struct str output;
    add_text(x, words, x->exported);
    add(x, words, "--with-credentials");
    add_groups(x, words, "poetryWithGroups", "with");
    add_groups(x, words, "poetryWithoutGroups", "without");
    add_groups(x, words, "poetryOnlyGroups", "only");
    if (run_in(x, dir, words, &output, err) == 0)
        return 0;
    for (const struct err_note *n = err->note; n; n = n->next)
        if (str_find(n->text, STR("export does not exist"), 0) >= 0)
            err_help(err, "install what exports: poetry self add poetry-plugin-export");
    return -1;
}

static int export_uv(struct installing *x, struct str dir, struct err *err)
{
    struct node *words =
        WORDS_OF("uv", "export", "--quiet", "--locked", "--no-dev", "--no-hashes",
                 "--no-emit-project", "--format", "requirements-txt", "--output-file");
    struct str output;
    add_text(x, words, x->exported);
    return run_in(x, dir, words, &output, err);
}

/* "pipenv, version 2022.8.5" and before it export in another way. */
static bool is_old_pipenv(struct str output)
{
    ptrdiff_t at = str_find(output, STR("version "), 0);
    struct str rest = str_sub(output, (size_t)(at < 0 ? 0 : at + 8), 16), part;
    int64_t numbers[3] = {0};
    for (int i = 0; i < 3 && rest.p && str_cut(&rest, '.', &part); i++)
        str_to_int(str_trim(part), &numbers[i]);
    return at >= 0 && (numbers[0] != 2022 ? numbers[0] < 2022
                       : numbers[1] != 8  ? numbers[1] < 8
                                          : numbers[2] <= 5);
}

/* Its output proper, without what it says to the user. */
static int pipenv_to_file(struct installing *x, const char *arguments, struct err *err)
{
    struct str command =
        str_fmt(x->arena, "exec pipenv %s > '%.*s'", arguments,
                STR_ARG(str_replace(x->arena, x->exported, STR("'"), STR("'\\''"))));
    struct node *words = WORDS_OF("/bin/sh", "-c");
    add_text(x, words, command);
    return run(x, words, err);
}

static int export_pipenv(struct installing *x, struct str dir, struct err *err)
{
    struct str version;
    if (run_in(x, dir, WORDS_OF("pipenv", "--version"), &version, err) < 0)
        return -1;
    if (is_old_pipenv(version))
        return pipenv_to_file(x, "lock --requirements --keep-outdated", err);
    if (!fs_is_file(path_join(x->arena, dir, STR("Pipfile.lock")))) {
        add_text(x, x->warnings, STR("there is no 'Pipfile.lock': pipenv has made one"));
        if (run(x, WORDS_OF("pipenv", "lock"), err) < 0)
            return -1;
    }
    return pipenv_to_file(x, "requirements", err);
}

/* Programs that say what is required. */
static const struct exporter {
    const char *source, *program, *help;
    bool of_module; /* is asked in the module's folder */
    int (*run)(struct installing *x, struct str dir, struct err *err);
    const char *reads[2];
} exporters[] = {
    {"poetry",
     "poetry",
     "install poetry, or set 'usePoetry: false'",
     true,
     export_poetry,
     {"pyproject.toml", "poetry.lock"}},
    {"uv",
     "uv",
     "install uv, or set 'useUv: false'",
     true,
     export_uv,
     {"pyproject.toml", "uv.lock"}},
    {"pipenv",
     "pipenv",
     "install pipenv, or set 'usePipenv: false'",
     false,
     export_pipenv,
     {"Pipfile", "Pipfile.lock"}},
};

static int need_program(struct installing *x, struct str name, const char *help, struct err *err)
{
    if (program_find(x->arena, name).n)
        return 0;
    err_set(err, ERR_CONFIG, "'%.*s' is not installed", STR_ARG(name));
    return err_help(err, "%s", help);
}

/* "-e ./lib" -> "./lib" */
static int drop_editable(struct installing *x, struct err *err)
{
    struct str text;
    if (fs_read(x->arena, x->exported, REQUIREMENTS_BYTES_MAX, &text, err) < 0)
        return err->kind = ERR_CONFIG, -1;
    text = str_replace(x->arena, str_concat(x->arena, STR("\n"), text), STR("\n-e "), STR("\n"));
    return fs_write(x->exported, str_sub(text, 1, text.n), 0644, err);
}

static int find_required(struct installing *x, struct str *ret, struct err *err)
{
    struct arena *a = x->arena;
    struct str service = x->build->service_dir, module = text_of(x, "module");
    const struct exporter *e = exporters, *end = e + sizeof exporters / sizeof *exporters;
    while (e < end && !str_eq(text_of(x, "source"), str_c(e->source)))
        e++;
    if (e == end)
        return requirements_read(a, path_join(a, service, text_of(x, "file")),
                                 option(x, "noDeploy"), x->files, x->warnings, ret, err);
    struct str dir = e->of_module ? path_join(a, service, module) : service;
    for (size_t i = 0; i < sizeof e->reads / sizeof *e->reads; i++)
        add_text(x, x->files, path_join(a, dir, str_c(e->reads[i])));
    if (need_program(x, str_c(e->program), e->help, err) < 0 || e->run(x, dir, err) < 0 ||
        drop_editable(x, err) < 0)
        return -1;
    return requirements_read(a, x->exported, option(x, "noDeploy"), node_seq(a), x->warnings, ret,
                             err);
}

/* ---- installing ---- */

/* Each is an argument, or two with a blank between them. */
static void add_extra(struct installing *x, struct node *words)
{
    node_each (item, option(x, "pipCmdExtraArgs")) {
        struct str text = str_trim(node_text(item)), rest;
        size_t n = 0, next;
        while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
            n++;
        rest = str_trim(str_sub(text, n, text.n));
        add_text(x, words, str_sub(text, 0, n));
        for (next = 0; next < rest.n && rest.p[next] != ' ' && rest.p[next] != '\t'; next++)
            ;
        if (rest.n)
            add_text(x, words, str_sub(rest, 0, next));
    }
}

static struct str user_cache(struct installing *x)
{
    struct arena *a = x->arena;
    struct str given = node_text(option(x, "cacheLocation"));
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (given.n && node_is(option(x, "cacheLocation"), NODE_STRING))
        return path_clean(a, path_join(a, x->build->service_dir, given));
    struct str dir =
        base && *base ? str_c(base) : path_join(a, str_c(home ? home : "/tmp"), STR(".cache"));
    return path_join(a, dir, STR("serverless-python-requirements"));
}

static int download_cache(struct installing *x, struct str *ret, struct err *err)
{
    *ret = STR("");
    if (!is_on(x, "useDownloadCache", true))
        return 0;
    *ret = path_join(x->arena, user_cache(x), STR(DOWNLOADS));
    return fs_mkdirs(*ret, err);
}

static int install_by_uv(struct installing *x, struct str requirements, struct err *err)
{
    struct node *words = WORDS_OF("uv", "pip", "install", "--link-mode", "copy", "--python");
    if (need_program(x, STR("uv"), "install uv, or set 'installer: pip'", err) < 0)
        return -1;
    add_text(x, words, text_of(x, "python"));
    add_extra(x, words);
    add(x, words, "--target");
    add_text(x, words, x->target);
    add(x, words, "-r");
    add_text(x, words, requirements);
    if (!is_on(x, "useDownloadCache", true))
        add(x, words, "--no-cache");
    /* what keeps two of uv apart stays behind */
    return run(x, words, err) < 0
               ? -1
               : fs_remove_all(path_join(x->arena, x->target, STR(".lock")), err);
}

/* Ask `python` how its pip installs; false when it has none, or does not run. */
static bool ask_pip(struct installing *x, struct str python, struct str *ret_help)
{
    struct node *words = node_seq(x->arena);
    cleanup_err struct err none = {0};
    add_text(x, words, python);
    add_list(x, words, WORDS_OF("-m", "pip", "help", "install"));
    return program_find(x->arena, python).n &&
           run_in(x, x->build->service_dir, words, ret_help, &none) == 0;
}

/* The runtime's Python may not be on this machine. Another one's pip can install for it, what needs
 * no compiler: "3.9" then, and `*python` is that one; else empty. */
static struct str other_version(struct installing *x, struct str *python, struct str *help)
{
    struct str version = *python, other = STR("python3");
    if (ask_pip(x, *python, help))
        return STR("");
    if (node_truthy(option(x, "pythonBin")) || !str_skip(&version, STR("python")) ||
        !str_starts(version, STR("3.")) || !ask_pip(x, other, help))
        return STR("");
    node_push(x->arena, x->warnings,
              node_strf(x->arena,
                        "'%.*s' does not run here: python3 installs for it, what has wheels only",
                        STR_ARG(*python)));
    *python = other;
    return version;
}

/* What pip is: its version is in a file of its own, and so is what a virtual environment is. */
static void note_pip(struct installing *x, struct str python)
{
    struct arena *a = x->arena;
    struct node *words = node_seq(a);
    struct str output, line;
    cleanup_err struct err none = {0};
    add_text(x, words, python);
    add(x, words, "-c");
    add(x, words, "import sys, pip; print('\\n' + sys.prefix + '/pyvenv.cfg\\n' + pip.__file__)");
    if (run_in(x, x->build->service_dir, words, &output, &none) < 0)
        return;
    while (output.p && str_cut(&output, '\n', &line))
        if (str_starts(line, STR("/")))
            add_text(x, x->files, line);
}

static bool keeps_compiled(const struct installing *x)
{
    return !is_on(x, "slim", false) ||
           (node_count(option(x, "slimPatterns")) && !is_on(x, "slimPatternsAppendDefaults", true));
}

static int compile_again(struct installing *x, struct str python, struct err *err)
{
    struct node *words = node_seq(x->arena);
    if (!keeps_compiled(x))
        return 0;
    add_text(x, words, python);
    add(x, words, "-c");
    add(x, words, compile_driver);
    add_text(x, words, x->target);
    return run(x, words, err);
}

static int install_by_pip(struct installing *x, struct str requirements, struct err *err)
{
    struct str python = text_of(x, "python"), cache, help = STR("");
    struct str version = other_version(x, &python, &help);
    struct node *words = node_seq(x->arena);
    if (need_program(x, python,
                     "install it, or name another one: custom.pythonRequirements.pythonBin",
                     err) < 0 ||
        download_cache(x, &cache, err) < 0)
        return -1;
    add_text(x, words, python);
    add_list(x, words, WORDS_OF("-m", "pip", "install"));
    if (version.n) {
        add(x, words, "--python-version");
        add_text(x, words, version);
        add_list(x, words, WORDS_OF("--only-binary=:all:", "--no-compile"));
    }
    add_extra(x, words);
    add(x, words, "-t");
    add_text(x, words, x->target);
    add(x, words, "-r");
    add_text(x, words, requirements);
    if (cache.n) {
        add(x, words, "--cache-dir");
        add_text(x, words, cache);
    }
    if (str_find(help, STR("--system"), 0) >= 0)
        add(x, words, "--system");
    if (run(x, words, err) < 0)
        return -1;
    note_pip(x, python);
    return version.n ? 0 : compile_again(x, python, err);
}

/* ---- docker ---- */

static struct str quoted(struct arena *a, const struct node *words)
{
    struct buf b = BUF(a);
    node_each (word, words)
        buf_fmt(&b, "%s'%.*s'", buf_str(&b).n ? " " : "",
                STR_ARG(str_replace(a, node_text(word), STR("'"), STR("'\\''"))));
    return buf_str(&b);
}

static void mount(struct installing *x, struct node *words, struct str from, const char *to)
{
    add(x, words, "-v");
    add_text(x, words, str_fmt(x->arena, "%.*s:%s:z", STR_ARG(from), to));
}

static void add_ssh(struct installing *x, struct node *words)
{
    struct arena *a = x->arena;
    struct str home = str_c(getenv("HOME")), key = node_text(option(x, "dockerPrivateKey"));
    if (!key.n)
        key = path_join(a, home, STR(".ssh/id_rsa"));
    mount(x, words, key, str_z(a, path_join(a, STR(CONTAINER_SSH), path_base(key))));
    mount(x, words, path_join(a, home, STR(".ssh/known_hosts")), CONTAINER_SSH "/known_hosts");
    mount(x, words, str_c(getenv("SSH_AUTH_SOCK")), "/tmp/ssh_sock");
    add(x, words, "-e");
    add(x, words, "SSH_AUTH_SOCK=/tmp/ssh_sock");
}

static struct str owner(struct installing *x)
{
    return is_on(x, "dockerRootless", false)
               ? STR("0:0")
               : str_fmt(x->arena, "%u:%u", (unsigned)getuid(), (unsigned)getgid());
}

/* One line for the shell in the container. */
static struct str script(struct installing *x, struct str cache)
{
    struct arena *a = x->arena;
    struct buf b = BUF(a);
    struct str who = owner(x);
    struct node *pip = node_seq(a);
    add_text(x, pip, text_of(x, "python"));
    add(x, pip, "-m");
    add(x, pip, "pip");
    add(x, pip, "install");
    add_extra(x, pip);
    add_list(x, pip, WORDS_OF("-t", "/var/task/", "-r", "/var/task/requirements.txt"));
    if (cache.n) {
        add_list(x, pip, WORDS_OF("--cache-dir", "/var/useDownloadCache"));
        buf_fmt(&b, "chown -R 0:0 /var/useDownloadCache && ");
    }
    buf_add(&b, quoted(a, pip));
    if (keeps_compiled(x))
        buf_fmt(&b, " && %.*s -c %.*s /var/task", STR_ARG(text_of(x, "python")),
                STR_ARG(quoted(a, WORDS_OF(compile_driver))));
    buf_fmt(&b, " && chown -R %.*s /var/task", STR_ARG(who));
    node_each (file, option(x, "dockerExtraFiles"))
        buf_fmt(&b, " && cp %.*s /var/task/",
                STR_ARG(quoted(a, WORDS_OF(str_z(a, node_text(file))))));
    if (cache.n)
        buf_fmt(&b, " && chown -R %.*s /var/useDownloadCache", STR_ARG(who));
    if (is_on(x, "slim", false) && is_on(x, "strip", true))
        buf_fmt(&b, " && find /var/task -name '*.so' -exec strip {} ';'");
    return buf_str(&b);
}

static int docker_image(struct installing *x, struct str *ret, struct err *err)
{
    struct str file = node_text(option(x, "dockerFile")), runtime = text_of(x, "runtime");
    struct node *words = WORDS_OF("docker", "build", "-f");
    *ret = node_text_or(option(x, "dockerImage"),
                        str_fmt(x->arena, "public.ecr.aws/sam/build-%.*s:latest-%.*s",
                                STR_ARG(runtime), STR_ARG(text_of(x, "architecture"))));
    if (!file.n)
        return 0;
    *ret = STR("sls-py-reqs-custom");
    add_text(x, words, file);
    add(x, words, "-t");
    add_text(x, words, *ret);
    add_list(x, words, option(x, "dockerBuildCmdExtraArgs"));
    add(x, words, ".");
    return run(x, words, err);
}

static int install_in_docker(struct installing *x, struct err *err)
{
    struct str cache, image;
    struct node *words = WORDS_OF("docker", "run", "--rm");
    if (need_program(x, STR("docker"), "install docker, or set 'dockerizePip: false'", err) < 0 ||
        docker_image(x, &image, err) < 0 || download_cache(x, &cache, err) < 0)
        return -1;
    mount(x, words, x->target, "/var/task");
    if (is_on(x, "dockerSsh", false))
        add_ssh(x, words);
    if (cache.n)
        mount(x, words, cache, "/var/useDownloadCache");
    node_each (item, option(x, "dockerEnv")) {
        add(x, words, "-e");
        add_text(x, words, node_text(item));
    }
    add_list(x, words, option(x, "dockerRunCmdExtraArgs"));
    add_text(x, words, image);
    add_list(x, words, WORDS_OF("/bin/sh", "-c"));
    add_text(x, words, script(x, cache));
    return run(x, words, err);
}

/* ---- what becomes of it ---- */

static bool has_dot_name(struct str path)
{
    struct str rest = path, part;
    while (rest.p && str_cut(&rest, '/', &part))
        if (part.n && part.p[0] == '.')
            return true;
    return false;
}

/* Remove what the pattern finds, files and folders, as glob 7 finds them. */
static int remove_matching(struct installing *x, struct str pattern, const struct str *names,
                           size_t n, struct err *err)
{
    struct glob *glob;
    struct map seen = MAP(x->arena);
    if (glob_compile(x->arena, pattern, GLOB_FIND, &glob, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        for (struct str path = names[i]; !map_has(&seen, path) && !str_eq(path, STR("."));
             path = path_dir(x->arena, path)) {
            map_put(&seen, path, "");
            if (glob_match(glob, path) && (has_dot_name(pattern) || !has_dot_name(path)) &&
                fs_remove_all(path_join(x->arena, x->target, path), err) < 0)
                return -1;
        }
    return 0;
}

static int slim_down(struct installing *x, struct err *err)
{
    static const char *const defaults[] = {"**/*.py[c|o]", "**/__pycache__*", "**/*.dist-info*"};
    const struct node *own = option(x, "slimPatterns");
    bool with_defaults = !node_is(own, NODE_SEQ) || is_on(x, "slimPatternsAppendDefaults", true);
    struct str *names;
    size_t n;
    if (!is_on(x, "slim", false))
        return 0;
    if (all_files(x->arena, x->target, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; with_defaults && i < sizeof defaults / sizeof *defaults; i++)
        if (remove_matching(x, str_c(defaults[i]), names, n, err) < 0)
            return -1;
    node_each (pattern, own)
        if (remove_matching(x, node_text(pattern), names, n, err) < 0)
            return -1;
    return 0;
}

static int strip_libraries(struct installing *x, struct err *err)
{
    struct node *words = WORDS_OF("find");
    if (!is_on(x, "slim", false) || !is_on(x, "strip", true) || in_docker(x))
        return 0;
    add_text(x, words, x->target);
    add_list(x, words, WORDS_OF("-name", "*.so", "-exec", "strip", "{}", ";"));
    return run(x, words, err);
}

static int copy_file(struct str from, struct str to, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    struct str text;
    if (fs_read(a, from, UNZIPPED_BYTES_MAX, &text, err) < 0 || fs_mkdirs(path_dir(a, to), err) < 0)
        return -1;
    return fs_write(to, text, stat(from.p, &st) == 0 && st.st_mode & S_IXUSR ? 0755 : 0644, err);
}

/* What is in the folder takes the place of what is installed under the same name. */
static int copy_vendor(struct installing *x, struct str folder, struct err *err)
{
    struct arena *a = x->arena;
    struct str from = path_join(a, x->build->service_dir, folder), *names;
    size_t n;
    if (!folder.n)
        return 0;
    if (fs_list(a, from, &names, &n, err) < 0) {
        err->kind = ERR_CONFIG;
        return err_wrap(err, "read what 'vendor' names");
    }
    for (size_t i = 0; i < n; i++)
        if (fs_remove_all(path_join(a, x->target, names[i]), err) < 0)
            return -1;
    if (all_files(a, from, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (copy_file(path_join(a, from, names[i]), path_join(a, x->target, names[i]), err) < 0)
            return -1;
    inputs_add_folder(a, x->build->service_dir, folder, x->files, x->dirs);
    return 0;
}

static int zip_all(struct installing *x, struct str path, struct err *err)
{
    struct arena *a = x->arena;
    struct str *names;
    size_t n;
    file_vec files = {0};
    if (all_files(a, x->target, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        vec_push(a, &files, (struct pack_file){path_join(a, x->target, names[i]), names[i]});
    return pack_zip(a, build_files(a, &files), path, err);
}

static int install(struct installing *x, struct err *err)
{
    struct arena *a = x->arena;
    struct str text, requirements = path_join(a, x->target, STR("requirements.txt"));
    if (find_required(x, &text, err) < 0 || fs_write(requirements, text, 0644, err) < 0)
        return -1;
    requirements_local(a, x->build->service_dir, text, x->files, x->dirs);
    return in_docker(x) ? install_in_docker(x, err)
           : by_uv(x)   ? install_by_uv(x, requirements, err)
                        : install_by_pip(x, requirements, err);
}

int python_install(struct arena *a, const struct build *b, struct str place,
                   struct build_inputs *inputs, const struct node **result, struct err *err)
{
    struct installing x = {.arena = a,
                           .build = b,
                           .options = node_get_c(b->options, "options"),
                           .target = path_join(a, place, STR("files")),
                           .exported = path_join(a, place, STR("exported.txt")),
                           .files = node_seq(a),
                           .dirs = node_seq(a),
                           .warnings = node_seq(a)};
    struct node *told = node_map(a);
    bool keeps = is_on(&x, "useStaticCache", true);
    add(&x, x.files, ".python-version"); /* says what pyenv runs */
    if (fs_mkdirs(x.target, err) < 0 || install(&x, err) < 0 || strip_libraries(&x, err) < 0 ||
        slim_down(&x, err) < 0 || copy_vendor(&x, node_text(option(&x, "vendor")), err) < 0 ||
        copy_vendor(&x, text_of(&x, "vendor"), err) < 0 || fs_remove_all(x.exported, err) < 0)
        return -1;
    if (keeps &&
        fs_write(path_join(a, x.target, STR(".completed_requirements")), STR(""), 0644, err) < 0)
        return -1;
    if (node_truthy(option(&x, "zip")) &&
        zip_all(&x, path_join(a, place, STR("requirements.zip")), err) < 0)
        return -1;
    if (keeps && !is_on(&x, "invalidateCaches", false))
        *inputs = (struct build_inputs){x.files, x.dirs};
    node_put_c(a, told, "warnings", x.warnings);
    return *result = told, 0;
}
