/* Calling the project's own framework.
 *
 * It is found in node_modules, also of a folder above, or is the command that custom.troupe.bridge
 * says. It has no terminal and no standard input, so it cannot ask. It is a build like others
 * (kept.c): its inputs are all files of the service but those of node_modules, for which the lock
 * files stand, the version of the framework, the environment and the options. */
#include "build/framework.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "build/build_internal.h"
#include "doc/json.h"

enum { LOOK_MS = 100, NOTE_BYTES_MAX = 1024 * 1024, INPUT_BYTES_MAX = 1024 * 1024 * 1024 };

#define FAILURE "failed.txt"

static const struct str DEFAULT_LIMIT = {"15m", 3};

/* ---- which ---- */

struct framework {
    const struct node *words; /* the program and its first arguments */
    struct str version;       /* with its name; of a command: empty */
};

/* "osls 3.77.1", of the package that the program `path` belongs to. */
static struct str version_of(struct arena *a, struct str path)
{
    char *real = realpath(str_z(a, path), NULL);
    struct str text, version = {"", 0};
    for (struct str dir = path_dir(a, str_dup(a, str_c(real))); dir.n > 1; dir = path_dir(a, dir)) {
        cleanup_err struct err none = {0};
        if (fs_read(a, path_join(a, dir, STR("package.json")), NOTE_BYTES_MAX, &text, &none) < 0)
            continue;
        const struct node *package = json_parse(a, STR("package.json"), text, &none);
        version = str_fmt(a, "%.*s %.*s", STR_ARG(node_text(node_get_c(package, "name"))),
                          STR_ARG(node_text(node_get_c(package, "version"))));
        break;
    }
    free(real);
    return version;
}

static const struct node *as_words(struct arena *a, const struct node *command)
{
    if (node_is(command, NODE_SEQ))
        return command;
    struct node *words = node_seq(a);
    node_push(a, words, node_str(a, STR("/bin/sh")));
    node_push(a, words, node_str(a, STR("-c")));
    node_push(a, words, node_str(a, str_concat(a, node_text(command), STR(" \"$@\""))));
    node_push(a, words, node_str(a, STR("sh")));
    return words;
}

static int find_framework(struct arena *a, const struct service *service, struct framework *ret,
                          struct err *err)
{
    static const char *const names[] = {"serverless", "sls", "osls"};
    const struct node *command = service->settings.bridge;
    *ret = (struct framework){0};
    if (!node_empty(command)) {
        struct str first =
            node_text(node_is(command, NODE_SEQ) ? node_path(command, "0") : command);
        if (!first.n)
            return err_at(err, node_pos(command), ERR_CONFIG,
                          "'bridge' should be a command or a list of its words");
        return ret->words = as_words(a, command), 0;
    }
    for (struct str dir = service->dir;; dir = path_dir(a, dir)) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct str path = path_join(a, dir, str_fmt(a, "node_modules/.bin/%s", names[i]));
            if (!fs_is_file(path))
                continue;
            struct node *words = node_seq(a);
            node_push(a, words, node_str(a, path));
            *ret = (struct framework){words, version_of(a, path)};
            return 0;
        }
        if (dir.n <= 1)
            break;
    }
    err_set(err, ERR_CONFIG,
            "no framework is installed that could run the plugins: there is no serverless, sls or "
            "osls in node_modules/.bin of '%.*s' or a folder above",
            STR_ARG(service->dir));
    return err_help(err, "install what the project has (npm install), or add it: npm install "
                         "--save-dev osls@3; or name a command: custom.troupe.bridge");
}

/* ---- what it depends on ---- */

static struct node *texts(struct arena *a, const char *const *list)
{
    struct node *out = node_seq(a);
    for (; *list; list++)
        node_push(a, out, node_str(a, str_c(*list)));
    return out;
}

/* What plugins write beside the sources, each time they package. */
static const char *const sources[] = {
    "**",          "!**/node_modules/**", "!.webpack/**",      "!.build/**",         "!.esbuild/**",
    "!_warmup/**", "!.warmup/**",         "!.requirements/**", "!**/__pycache__/**", NULL};
/* Read when they are there, so it counts, too, that they are not. */
static const char *const maybe[] = {".env", ".env.local", ".npmrc", NULL};
static const char *const lock_files[] = {"package-lock.json",
                                         "npm-shrinkwrap.json",
                                         "yarn.lock",
                                         "pnpm-lock.yaml",
                                         "bun.lock",
                                         "bun.lockb",
                                         "pnpm-workspace.yaml",
                                         "package.json",
                                         NULL};

static void add_lock_files(struct arena *a, struct str dir, struct node *files)
{
    for (struct str at = path_dir(a, dir); at.n > 1; at = path_dir(a, at)) {
        for (size_t i = 0; lock_files[i]; i++) {
            struct str path = path_join(a, at, str_c(lock_files[i]));
            if (fs_is_file(path))
                node_push(a, files, node_str(a, path));
        }
        if (fs_exists(path_join(a, at, STR(".git"))))
            break;
    }
}

static int find_inputs(struct arena *a, const struct framework_call *call, struct build_inputs *ret,
                       struct err *err)
{
    struct str *names, dir = call->service->dir;
    size_t n;
    struct node *files = node_seq(a), *dirs = node_seq(a);
    struct map seen = MAP(a);
    if (matching_files(a, dir, texts(a, sources), true, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct str folder = path_dir(a, names[i]);
        node_push(a, files, node_str(a, names[i]));
        if (!map_has(&seen, folder)) {
            map_put(&seen, folder, "");
            node_push(a, dirs, node_str(a, folder));
        }
    }
    for (size_t i = 0; maybe[i]; i++)
        node_push(a, files, node_str(a, str_c(maybe[i])));
    node_push(a, files, node_str(a, str_fmt(a, ".env.%.*s", STR_ARG(call->stage))));
    node_push(a, files, node_str(a, str_fmt(a, ".env.%.*s.local", STR_ARG(call->stage))));
    add_lock_files(a, dir, files);
    *ret = (struct build_inputs){files, dirs};
    return 0;
}

/* A digest of all of it. It may be written anew while the framework runs, as plugins do, but then
 * with the same content, or it is not known which of them the package is made of. */
static struct str content(struct arena *a, struct str dir, const struct node *files)
{
    unsigned char out[SHA256_BYTES];
    struct digest *d = sha256_begin();
    node_each (file, files) {
        cleanup_arena struct arena *scratch = arena_new();
        cleanup_err struct err none = {0};
        struct str text, path = path_join(scratch, dir, node_text(file));
        bool there = fs_read(scratch, path, INPUT_BYTES_MAX, &text, &none) == 0;
        digest_add(d, str_fmt(scratch, "%.*s\n%lld\n", STR_ARG(node_text(file)),
                              there ? (long long)text.n : -1));
        digest_add(d, there ? text : (struct str){"", 0});
    }
    digest_end(d, out);
    return hex_encode(a, out, sizeof out);
}

/* Does the configuration ask AWS? What it answers may be another value the next time. */
static bool asks_aws(struct arena *a, struct str dir, const struct node *files)
{
    static const char *const asks[] = {"${ssm", "${cf", "${s3:", "${aws:"};
    static const char *const ends[] = {".yml", ".yaml", ".json", ".ts", ".js"};
    node_each (file, files) {
        struct str name = node_text(file), text;
        cleanup_arena struct arena *scratch = arena_new();
        cleanup_err struct err none = {0};
        bool may = false;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            may = may || str_ends(name, str_c(ends[i]));
        if (!may ||
            fs_read(scratch, path_join(scratch, dir, name), NOTE_BYTES_MAX, &text, &none) < 0)
            continue;
        for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
            if (str_find(text, str_c(asks[i]), 0) >= 0)
                return true;
    }
    (void)a;
    return false;
}

/* Variables that are another in each shell, or in each hour, and say nothing of the service. */
static bool is_of_the_shell(struct str name)
{
    static const char *const names[] = {"PWD",
                                        "OLDPWD",
                                        "SHLVL",
                                        "_",
                                        "TERM",
                                        "COLUMNS",
                                        "LINES",
                                        "DISPLAY",
                                        "TMUX",
                                        "WINDOWID",
                                        "STY",
                                        "TMPDIR",
                                        "LS_COLORS",
                                        "PS1",
                                        "HISTFILE",
                                        "PPID",
                                        "INVOCATION_ID",
                                        "JOURNAL_STREAM",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_SECURITY_TOKEN",
                                        "AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_CREDENTIAL_EXPIRATION",
                                        "COLORTERM",
                                        "WINDOW"};
    static const char *const starts[] = {"TERM_",   "SSH_",  "XDG_",   "TMUX_",  "VTE_",
                                         "TROUPE_", "DBUS_", "ITERM_", "KITTY_", "WEZTERM_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (str_starts(name, str_c(starts[i])))
            return true;
    return false;
}

extern char **environ;

static const struct node *environment_now(struct arena *a)
{
    struct node *map = node_map(a);
    for (char **e = environ; *e; e++) {
        struct str rest = str_c(*e), name;
        str_cut(&rest, '=', &name);
        if (!is_of_the_shell(name))
            node_put(a, map, name, node_str(a, rest));
    }
    return map;
}

/* ---- the call ---- */

/* Loaded by node before the framework: plugins that troupe replaces are empty classes, so that they
 * change nothing that troupe does in its own way; and what lies in `.troupe` is not packaged, just
 * as what lies in `.serverless`. */
static const char preload[] =
    "const Module = require('module');\n"
    "const names = new Set(JSON.parse(process.env.TROUPE_LEFT_OUT || '[]'));\n"
    "const find = Module._resolveFilename;\n"
    "Module._resolveFilename = function (request, ...rest) {\n"
    "  return names.has(request) ? __filename : find.call(this, request, ...rest);\n"
    "};\n"
    "const load = Module._load;\n"
    "Module._load = function (request, ...rest) {\n"
    "  const loaded = load.call(this, request, ...rest);\n"
    "  const excludes = /package-?service$/i.test(request) && loaded && loaded.defaultExcludes;\n"
    "  if (Array.isArray(excludes) && !excludes.includes('.troupe/**')) {\n"
    "    excludes.push('.troupe/**');\n"
    "  }\n"
    "  return loaded;\n"
    "};\n"
    "module.exports = class {};\n";

static struct str preload_path(struct arena *a, struct str service_dir)
{
    return path_join(a, service_dir, STR(".troupe/preload.cjs"));
}

static const struct node *environment_of(struct arena *a, const struct framework_call *call)
{
    struct node *map = node_map(a);
    const char *options = getenv("NODE_OPTIONS");
    member_each (m, call->environment)
        node_put(a, map, m->key, m->value);
    node_put_str(a, map, "CI", STR("1"));
    node_put_str(a, map, "NO_COLOR", STR("1"));
    node_put_str(a, map, "SLS_TELEMETRY_DISABLED", STR("1"));
    node_put_str(a, map, "SLS_NOTIFICATIONS_MODE", STR("off"));
    node_put_str(a, map, "TROUPE_LEFT_OUT", json_text(a, call->left_out, 0));
    node_put_str(a, map, "NODE_OPTIONS",
                 str_fmt(a, "%s%s--require \"%.*s\"", options ? options : "",
                         options && *options ? " " : "",
                         STR_ARG(preload_path(a, call->service->dir))));
    return map;
}

static void add_option(struct arena *a, struct node *words, const char *name, struct str value)
{
    node_push(a, words, node_str(a, str_c(name)));
    node_push(a, words, node_str(a, value));
}

/* The arguments, but for the folder. */
static const struct node *arguments(struct arena *a, const struct framework *f,
                                    const struct framework_call *call)
{
    struct node *words = node_shallow(a, f->words);
    const struct str *region = call->given ? map_get(call->given, STR("region")) : NULL;
    const struct str *profile = call->given ? map_get(call->given, STR("aws-profile")) : NULL;
    node_push(a, words, node_str(a, STR("package")));
    add_option(a, words, "--stage", call->stage);
    if (region || call->service->remote)
        add_option(a, words, "--region", call->service->region);
    if (profile)
        add_option(a, words, "--aws-profile", *profile);
    if (call->config.n)
        add_option(a, words, "--config", path_base(call->config));
    for (size_t i = 0; call->params && i < call->params->n; i++)
        add_option(a, words, "--param",
                   str_fmt(a, "%.*s=%.*s", STR_ARG(call->params->entries[i].key),
                           STR_ARG(*(const struct str *)call->params->entries[i].value)));
    return words;
}

struct calling {
    const struct framework_call *call;
    struct framework framework;
    bool made_up; /* the stage */
};

static int check_state(struct arena *a, struct str dir, struct err *err)
{
    if (fs_is_file(path_join(a, dir, STR("serverless-state.json"))))
        return 0;
    err_set(err, ERR_CONFIG, "it has ended well, and has written no serverless-state.json");
    return err_help(err, "it is called with 'package --package DIR', and writes into DIR as the "
                         "Serverless Framework does");
}

/* Of a stage that is made up nobody wants the code: the names of the zips are enough. */
static int empty_zips(struct arena *a, struct str dir, struct err *err)
{
    struct str *names;
    size_t n;
    if (fs_list(a, dir, &names, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (str_ends(names[i], STR(".zip")) &&
            fs_write(path_join(a, dir, names[i]), STR(""), 0644, err) < 0)
            return -1;
    return 0;
}

/* A stage that is made up may well be one that cannot be packaged: that is kept, too. */
static int note_failure(struct arena *a, struct str place, struct err *err)
{
    struct str why = str_dup(a, err->msg), text;
    for (const struct err_note *note = err->note; note; note = note->next) {
        text = note->text;
        if (!str_skip(&text, STR("Error:")) && note->next)
            continue;
        why = str_dup(a, str_trim(text).n || !note->next ? str_trim(text) : note->next->text);
        break;
    }
    err_clear(err);
    return fs_mkdirs(place, err) < 0 ? -1
                                     : fs_write(path_join(a, place, STR(FAILURE)), why, 0600, err);
}

static int call_framework(struct arena *a, const struct build *b, const struct command_line *c,
                          struct str place, struct err *err)
{
    const struct calling *x = b->context;
    struct str output;
    if (process_group_run(a, c, &output, err) == 0)
        return check_state(a, place, err) < 0 ? -1 : x->made_up ? empty_zips(a, place, err) : 0;
    if (err->kind == ERR_CONFIG && !err->help.n)
        err_help(err,
                 "try it alone: %.*s package --stage %.*s; it may take as long as "
                 "'custom.troupe.build.limit' says (%.*s)",
                 STR_ARG(path_base(node_text(x->framework.words->items[0]))),
                 STR_ARG(x->call->stage), STR_ARG(b->limit));
    return -1;
}

static int run(struct arena *a, const struct build *b, struct str place,
               struct build_inputs *inputs, const struct node **result, struct err *err)
{
    const struct calling *x = b->context;
    struct build_inputs found;
    struct str dir = b->service_dir;
    struct node *words = node_shallow(a, arguments(a, &x->framework, x->call));
    add_option(a, words, "--package", place);
    struct command_line c = {.words = words,
                             .environment = environment_of(a, x->call),
                             .dir = dir,
                             .limit = b->limit,
                             .limit_ms = b->limit_ms};
    if (find_inputs(a, x->call, &found, err) < 0)
        return -1;
    bool asks = asks_aws(a, dir, found.files);
    struct str before = content(a, dir, found.files);
    if (call_framework(a, b, &c, place, err) < 0 &&
        (!x->made_up || err->kind != ERR_CONFIG || note_failure(a, place, err) < 0))
        return -1;
    if (!asks && str_eq(before, content(a, dir, found.files)))
        *inputs = found;
    *result = node_map(a);
    return 0;
}

/* ---- one at a time ---- */

/* A lock that ends with the process. */
static int lock(struct arena *a, struct str service_dir, struct err *err)
{
    const char *path = str_z(a, path_join(a, service_dir, STR(".troupe/package.lock")));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        err_sys(err, errno, "cannot write '%s'", path);
        return -1;
    }
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (cancel_requested()) {
            close(fd);
            err_set(err, ERR_CANCELLED, "stopped while another run was packaging");
            return -1;
        }
        usleep(LOOK_MS * 1000);
    }
    return fd;
}

static int say_version(const struct framework *f, struct err *err)
{
    if (!f->version.n || err->kind != ERR_CONFIG)
        return -1;
    err_note(err, (struct pos){0}, "that was %.*s", STR_ARG(f->version));
    if (str_starts(f->version, STR("serverless 4")))
        err_help(err, "version 4 of the Serverless Framework wants a login: osls takes its place "
                      "(npm install --save-dev osls@3, or custom.troupe.bridge: npx osls@3)");
    return -1;
}

static const struct node *options_of(struct arena *a, const struct framework *f,
                                     const struct framework_call *call)
{
    struct node *options = node_map(a);
    node_put_c(a, options, "words", arguments(a, f, call));
    node_put_str(a, options, "version", f->version);
    node_put_c(a, options, "environment", environment_now(a));
    node_put_c(a, options, "leftOut", call->left_out);
    return options;
}

int framework_package(struct arena *a, const struct framework_call *call,
                      struct framework_package *ret, struct err *err)
{
    const struct service *service = call->service;
    struct calling x = {.call = call};
    if (find_framework(a, service, &x.framework, err) < 0)
        return -1;
    struct str limit = node_text_or(node_get_c(service->settings.build, "limit"), DEFAULT_LIMIT);
    bool made_up = x.made_up = !str_eq(call->stage, service->stage);
    struct build b = {
        .name = made_up ? str_fmt(a, "package.%.*s.other", STR_ARG(service->address))
                        : str_fmt(a, "package.%.*s", STR_ARG(service->address)),
        .what = str_fmt(a, "stage '%.*s' by the project's own framework", STR_ARG(call->stage)),
        .pos = node_pos(service->settings.bridge),
        .limit = limit,
        .service_dir = service->dir,
        .options = options_of(a, &x.framework, call),
        .run = run,
        .context = &x,
        .by_content = true,
    };
    duration_parse(limit, &b.limit_ms);
    b.kept = kept_take(a, &b);
    if (!b.kept) {
        if (kept_prepare(a, service->dir, err) < 0 ||
            fs_write(preload_path(a, service->dir), str_c(preload), 0644, err) < 0)
            return -1;
        cleanup_fd int fd = lock(a, service->dir, err);
        if (fd < 0)
            return -1;
        if (kept_build(a, &b, err) < 0)
            return say_version(&x.framework, err);
    }
    *ret = (struct framework_package){.dir = b.folder, .kept = b.kept};
    struct str failure = path_join(a, b.folder, STR(FAILURE));
    return fs_exists(failure) ? fs_read(a, failure, NOTE_BYTES_MAX, &ret->failed, err) : 0;
}
