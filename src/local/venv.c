/* The Python environment of the local cloud, below the cache directory. It is made once for each
 * set of pinned requirements and each Python, under another name, and renamed when it is
 * complete, so that no command uses half of one. Python runs isolated and without variables of
 * its own, so that no module of the folder a command runs in, or of PYTHONPATH, is taken for one
 * of Python's. */
#include "local/local_internal.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"

enum { REQUIREMENTS_BYTES_MAX = 4 * 1024 * 1024, NAME_DIGITS = 12 };

/* What the steps of making one need. */
struct maker {
    struct arena *a;
    const char *python;     /* the Python that the environment is made from */
    const char *const *env; /* without PYTHON* */
    struct str parent;      /* of all environments, and where steps run */
};

static const char *base_python(struct arena *a)
{
    const char *given = getenv("TROUPE_PYTHON");
    if (!given || !*given)
        return "python3";
    return strchr(given, '/') ? path_absolute(a, str_c(given)).p : given;
}

static const char *const *without_python_variables(struct arena *a)
{
    VEC(const char *) env = {0};
    for (char **e = environ; *e; e++)
        if (!str_starts(str_c(*e), STR("PYTHON")))
            vec_push(a, &env, *e);
    vec_push(a, &env, NULL);
    return env.p;
}

/* "sys.executable sys.version": each Python needs an environment of its own. */
static int python_identity(const struct maker *m, struct str *ret, struct err *err)
{
    const char *const argv[] = {m->python, "-I", "-c",
                                "import sys, venv, ensurepip; print(sys.executable, sys.version)",
                                NULL};
    int status = process_run(m->a, argv, m->env, m->parent, ret, err);
    if (status == 0)
        return 0;
    if (status < 0) {
        err_wrap(err, "the local cloud needs Python 3.10 or newer");
        return err_help(err, "install it, e.g.: apt-get install python3 python3-venv");
    }
    err_set(err, ERR_FAILED, "the local cloud needs '%s' with the modules venv and ensurepip",
            argv[0]);
    note_tail(err, *ret);
    return err_help(err, "install them, e.g.: apt-get install python3-venv");
}

static int run_step(const struct maker *m, const char *const *argv, const char *what,
                    const char *help, struct err *err)
{
    struct str output;
    int status = process_run(m->a, argv, m->env, m->parent, &output, err);
    if (status == 0)
        return 0;
    if (status < 0)
        return err_wrap(err, "%s", what);
    err_set(err, ERR_FAILED, "%s: '%s' ended with status %d", what, argv[0], status);
    note_tail(err, output);
    return err_help(err, "%s", help);
}

static int fill(const struct maker *m, struct str dir, struct str requirements, struct err *err)
{
    struct str python = path_join(m->a, dir, STR("bin/python"));
    const char *const create[] = {m->python, "-I", "-m", "venv", dir.p, NULL};
    const char *const install[] = {python.p,       "-I",
                                   "-m",           "pip",
                                   "install",      "--require-hashes",
                                   "--no-input",   "--disable-pip-version-check",
                                   "--quiet",      "-r",
                                   requirements.p, NULL};
    if (run_step(m, create, "cannot make a Python environment for the local cloud",
                 "install the module, e.g.: apt-get install python3-venv", err) < 0)
        return -1;
    return run_step(m, install, "cannot install MiniStack for the local cloud",
                    "check the network (and PIP_INDEX_URL, HTTPS_PROXY), then run the same command "
                    "again",
                    err);
}

/* Remove what commands that were killed left behind. A process of theirs may still be writing into
 * it: what cannot be removed now is removed the next time. */
static void sweep(const struct maker *m, struct str name)
{
    struct err ignored = {0};
    struct str *found = NULL;
    size_t n = 0;
    fs_list(m->a, m->parent, &found, &n, &ignored);
    for (size_t i = 0; i < n; i++) {
        err_clear(&ignored);
        if (str_starts(found[i], str_fmt(m->a, "%.*s.", STR_ARG(name))))
            fs_remove_all(path_join(m->a, m->parent, found[i]), &ignored);
    }
    err_clear(&ignored);
}

static int make_venv(const struct maker *m, struct str name, struct str requirements,
                     struct err *err)
{
    sweep(m, name);
    struct str dir = path_join(m->a, m->parent, name);
    char *unfinished = str_z(m->a, str_fmt(m->a, "%.*s.XXXXXX", STR_ARG(dir)));
    if (!mkdtemp(unfinished))
        return err_sys(err, errno, "cannot create directory '%s'", unfinished);
    int result = fill(m, str_c(unfinished), requirements, err);
    if (result == 0 && (fs_remove_all(dir, err) < 0 || rename(unfinished, dir.p) < 0))
        result = err->kind ? -1 : err_sys(err, errno, "cannot create directory '%s'", dir.p);
    if (result < 0)
        sweep(m, name);
    return result;
}

int venv_ready(struct arena *a, struct str package, const struct local_options *options,
               struct str *ret_python, struct err *err)
{
    struct maker m = {.a = a, .python = base_python(a), .env = without_python_variables(a)};
    struct str requirements = path_join(a, package, STR("requirements.txt")), text, identity;
    if (fs_read(a, requirements, REQUIREMENTS_BYTES_MAX, &text, err) < 0 ||
        path_cache_own(a, STR("venv"), &m.parent, err) < 0 ||
        python_identity(&m, &identity, err) < 0)
        return -1;
    struct str hash = sha256_hex(a, str_concat(a, text, identity));
    struct str name = str_fmt(a, "python-%.*s", NAME_DIGITS, hash.p);
    cleanup_fd int lock = lock_wait(path_join(a, m.parent, STR("lock")), err);
    if (lock < 0)
        return -1;
    struct str dir = path_join(a, m.parent, name);
    *ret_python = path_join(a, dir, STR("bin/python"));
    if (fs_is_dir(dir))
        return 0;
    if (options->progress)
        options->progress(options->progress_context, STR("installing MiniStack (once)"));
    return make_venv(&m, name, requirements, err);
}
