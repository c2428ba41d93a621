/* The Python environment of the local cloud: made once for each set of pinned requirements and each
 * Python, below the cache directory, and marked when it is complete. */
#include "local/internal.h"

#include "base/fs.h"
#include "base/hash.h"

enum { REQUIREMENTS_BYTES_MAX = 4 * 1024 * 1024, NAME_DIGITS = 12 };

static const char *base_python(void)
{
    const char *given = getenv("TROUPE_PYTHON");
    return given && *given ? given : "python3";
}

/* "sys.executable sys.version": another Python needs another environment. */
static int python_identity(struct arena *a, struct str *ret, struct err *err)
{
    const char *const argv[] = {base_python(), "-c",
                                "import sys, venv, ensurepip; print(sys.executable, sys.version)",
                                NULL};
    int status = process_run(a, argv, ret, err);
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

static int run_step(struct arena *a, const char *const *argv, const char *what, const char *help,
                    struct err *err)
{
    struct str output;
    int status = process_run(a, argv, &output, err);
    if (status == 0)
        return 0;
    if (status < 0)
        return err_wrap(err, "%s", what);
    err_set(err, ERR_FAILED, "%s: '%s' ended with status %d", what, argv[0], status);
    note_tail(err, output);
    return err_help(err, "%s", help);
}

static int make_venv(struct arena *a, struct str dir, struct str requirements, struct err *err)
{
    if (fs_remove_all(dir, err) < 0)
        return -1;
    struct str python = path_join(a, dir, STR("bin/python"));
    const char *const create[] = {base_python(), "-m", "venv", dir.p, NULL};
    const char *const install[] = {python.p,
                                   "-m",
                                   "pip",
                                   "install",
                                   "--require-hashes",
                                   "--no-input",
                                   "--disable-pip-version-check",
                                   "--quiet",
                                   "-r",
                                   requirements.p,
                                   NULL};
    if (run_step(a, create, "cannot make a Python environment for the local cloud",
                 "install the module, e.g.: apt-get install python3-venv", err) < 0)
        return -1;
    return run_step(a, install, "cannot install MiniStack for the local cloud",
                    "check the network (and PIP_INDEX_URL, HTTPS_PROXY), then run the same command "
                    "again",
                    err);
}

int venv_ready(struct arena *a, struct str package, const struct local_options *options,
               struct str *ret_python, struct err *err)
{
    struct str requirements = path_join(a, package, STR("requirements.txt")), text, identity;
    if (fs_read(a, requirements, REQUIREMENTS_BYTES_MAX, &text, err) < 0 ||
        python_identity(a, &identity, err) < 0)
        return -1;
    struct str name = sha256_hex(a, str_concat(a, text, identity));
    struct str parent = path_join(a, path_cache(a), STR("venv"));
    struct str dir = path_join(a, parent, str_sub(name, 0, NAME_DIGITS));
    struct str mark = path_join(a, dir, STR("complete"));
    if (fs_mkdirs(parent, err) < 0)
        return -1;
    cleanup_fd int lock = lock_wait(path_join(a, parent, STR("lock")), err);
    if (lock < 0)
        return -1;
    *ret_python = path_join(a, dir, STR("bin/python"));
    if (fs_is_file(mark))
        return 0;
    if (options->progress)
        options->progress(options->progress_context, STR("installing MiniStack (once)"));
    if (make_venv(a, dir, requirements, err) < 0)
        return -1;
    return fs_write(mark, STR(""), 0644, err);
}
