/* Starting, finding, stopping and emptying the local cloud. */
#include "local/local.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/vec.h"
#include "local/local_internal.h"

enum {
    READY_MS = 60000, /* at its first start Python compiles its files */
    GRACE_MS = 3000,
    GRACE_PERSIST_MS = 30000, /* what is kept is written when it stops */
    POLL_MS = 25,
    SECRET_BYTES = 20,
    STARTS = 3, /* somebody else may take the port between choosing it and listening */
    LOG_BYTES_MAX = 64 * 1024 * 1024,
};

/* Puts the package on Python's path. PYTHONPATH would do it, too, but functions would inherit
 * it. */
static const char launcher[] =
    "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); "
    "runpy.run_module('troupe_cloud', run_name='__main__', alter_sys=True)";

/* Variables of the user's environment that the local cloud gets, and with it its functions. */
static const char *const passed_on[] = {"PATH",   "HOME", "USER",      "LANG",
                                        "LC_ALL", "TZ",   "LOG_LEVEL", "DOCKER_HOST"};
static const char *const passed_prefixes[] = {"TROUPE_CLOUD_", "MINISTACK_"};

#define SECRET_VARIABLE "TROUPE_CLOUD_SECRET"
/* The local cloud takes an access key of twelve digits for the account of that number. */
#define ACCOUNT STR("000000000000")

typedef VEC(const char *) text_vec;

static void put_env(struct arena *a, text_vec *env, const char *name, struct str value)
{
    vec_push(a, env, str_fmt(a, "%s=%.*s", name, STR_ARG(value)).p);
}

static void inherit(struct arena *a, text_vec *env)
{
    for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
        const char *value = getenv(passed_on[i]);
        if (value)
            put_env(a, env, passed_on[i], str_c(value));
    }
    for (char **e = environ; *e; e++)
        for (size_t i = 0; i < sizeof passed_prefixes / sizeof *passed_prefixes; i++)
            if (str_starts(str_c(*e), str_c(passed_prefixes[i])) &&
                !str_starts(str_c(*e), STR(SECRET_VARIABLE "=")))
                vec_push(a, env, *e);
}

static const char *const *environment(struct arena *a, const struct local_paths *paths,
                                      const struct local_state *state)
{
    text_vec env = {0};
    inherit(a, &env);
    put_env(a, &env, "BIND_HOST", STR("127.0.0.1"));
    put_env(a, &env, "GATEWAY_PORT", str_fmt(a, "%d", state->port));
    put_env(a, &env, "IOT_MTLS_ENABLED", STR("0"));
    put_env(a, &env, "SFTP_ENABLED", STR("0"));
    put_env(a, &env, SECRET_VARIABLE, state->secret);
    put_env(a, &env, "TMPDIR", paths->scratch);
    if (state->persist) {
        put_env(a, &env, "PERSIST_STATE", STR("1"));
        put_env(a, &env, "STATE_DIR", path_join(a, paths->data, STR("state")));
        put_env(a, &env, "S3_PERSIST", STR("1"));
        put_env(a, &env, "S3_DATA_DIR", path_join(a, paths->data, STR("s3")));
    }
    vec_push(a, &env, NULL);
    return env.p;
}

static bool is_running(const struct local_state *state)
{
    return state->pid && process_is(state->pid, state->process_start);
}

static void describe(struct arena *a, const struct local_paths *paths,
                     const struct local_state *state, struct local_cloud *ret)
{
    bool running = is_running(state);
    *ret = (struct local_cloud){.running = running,
                                .dir = paths->dir,
                                .log = paths->log,
                                .persist = running ? state->persist : fs_is_dir(paths->data)};
    if (!running)
        return;
    ret->endpoint = str_fmt(a, "http://127.0.0.1:%d", state->port);
    ret->access_key = ACCOUNT;
    ret->secret_key = state->secret;
    ret->port = state->port;
    ret->pid = state->pid;
    ret->since_ms = state->since_ms;
}

/* ---- starting ---- */

static void note_log(struct arena *a, const struct local_paths *paths, struct err *err)
{
    cleanup_err struct err ignored = {0};
    struct str text;
    if (fs_read(a, paths->log, LOG_BYTES_MAX, &text, &ignored) == 0)
        note_tail(err, text);
    err_help(err, "all it printed is in: %.*s", STR_ARG(paths->log));
}

/* 0: it answers; 1: its process has ended; -1: `err`. */
static int wait_ready(struct arena *a, const struct local_paths *paths,
                      const struct local_state *state, struct err *err)
{
    int64_t end = clock_mono_ms() + READY_MS;
    while (!health_ok(state->port)) {
        if (!is_running(state))
            return 1;
        if (cancel_requested())
            return err_set(err, ERR_CANCELLED, "stopped while the local cloud was starting");
        if (clock_mono_ms() >= end) {
            err_set(err, ERR_FAILED, "the local cloud (process %ld) does not answer", state->pid);
            note_log(a, paths, err);
            return err_help(err, "stop it with: troupe local down");
        }
        clock_sleep_ms(POLL_MS);
    }
    /* whoever answers at the port may be another program */
    return is_running(state) ? 0 : 1;
}

static int choose_port(int wanted, int last, struct err *err)
{
    if (wanted && port_free(wanted) == wanted)
        return wanted;
    if (wanted) {
        err_set(err, ERR_FAILED, "cannot start the local cloud: port %d is taken", wanted);
        return err_help(err, "choose another one, or leave it to troupe");
    }
    int port = last ? port_free(last) : 0;
    port = port ? port : port_free(0);
    return port ? port : err_sys(err, errno, "cannot find a free port on 127.0.0.1");
}

static int spawn(struct arena *a, const struct local_paths *paths, struct str python,
                 struct local_state *state, struct err *err)
{
    const char *const argv[] = {python.p, "-I", "-u", "-c", launcher, paths->package.p, NULL};
    if (fs_remove_all(paths->scratch, err) < 0 || fs_mkdirs(paths->scratch, err) < 0 ||
        fs_write(paths->log, STR(""), 0600, err) < 0 ||
        (state->persist && fs_mkdirs(paths->data, err) < 0))
        return -1;
    state->secret = random_hex(a, SECRET_BYTES);
    if (process_start(argv, environment(a, paths, state), paths->dir, paths->log, &state->pid,
                      err) < 0)
        return err_wrap(err, "cannot start the local cloud");
    state->process_start = process_began(a, state->pid);
    state->since_ms = clock_wall_ms();
    /* written before it answers: when this command is killed meanwhile, later commands find the
     * process */
    return state_write(paths, state, err);
}

static int start(struct arena *a, const struct local_paths *paths,
                 const struct local_options *options, struct local_state *state, struct err *err)
{
    struct str python;
    if (!paths->package.n) {
        err_set(err, ERR_FAILED, "cannot find the files of the local cloud beside the program");
        return err_help(err, "name their folder in TROUPE_LOCALCLOUD_DIR");
    }
    if (venv_ready(a, paths->package, options, &python, err) < 0)
        return -1;
    if (options->progress)
        options->progress(options->progress_context, STR("starting"));
    state->persist = options->persist || fs_is_dir(paths->data);
    for (int i = 0; i < STARTS; i++) {
        int port = choose_port(options->port, i ? 0 : state->port, err);
        if (port < 0)
            return -1;
        state->port = port;
        if (spawn(a, paths, python, state, err) < 0)
            return -1;
        int outcome = wait_ready(a, paths, state, err);
        if (outcome <= 0)
            return outcome;
        if (port_free(port) == port) /* it did not end because somebody had taken its port */
            break;
    }
    err_set(err, ERR_FAILED, "the local cloud died while starting");
    note_log(a, paths, err);
    return -1;
}

/* ---- public ---- */

/* Make the folder, and take the lock. */
static int enter(const struct local_paths *paths, struct err *err)
{
    if (fs_mkdirs_own(paths->dir, err) < 0)
        return -1;
    return lock_wait(paths->lock, err);
}

static int check_same(const struct local_options *options, const struct local_state *state,
                      struct err *err)
{
    bool keeps = state->persist || !options->persist, secret = state->secret.n > 0;
    if (keeps && secret && (!options->port || options->port == state->port))
        return 0;
    if (!secret)
        err_set(err, ERR_CONFLICT, "the local cloud that runs was started by another troupe");
    else if (!keeps)
        err_set(err, ERR_CONFLICT, "the local cloud is running and does not keep what is in it");
    else
        err_set(err, ERR_CONFLICT, "the local cloud is running on port %d", state->port);
    return err_help(err, "stop it first with: troupe local down");
}

int local_up(struct arena *a, const struct local_options *options, struct local_cloud *ret,
             struct err *err)
{
    struct local_paths paths = local_paths(a);
    cleanup_fd int lock = enter(&paths, err);
    if (lock < 0)
        return -1;
    struct local_state state = state_read(a, &paths);
    if (is_running(&state)) {
        if (check_same(options, &state, err) < 0)
            return -1;
        int outcome = wait_ready(a, &paths, &state, err);
        if (outcome < 0)
            return -1;
        if (outcome == 0) {
            describe(a, &paths, &state, ret);
            return 0;
        }
    }
    if (start(a, &paths, options, &state, err) < 0)
        return -1;
    describe(a, &paths, &state, ret);
    return 0;
}

static int stop(const struct local_paths *paths, struct local_state *state, int64_t grace_ms,
                struct err *err)
{
    process_stop(state->pid, state->process_start, grace_ms);
    if (is_running(state))
        return err_set(err, ERR_FAILED, "cannot stop the local cloud: process %ld stays",
                       state->pid);
    state->pid = 0;
    if (state_write(paths, state, err) < 0)
        return -1;
    return fs_remove_all(paths->scratch, err);
}

int local_down(bool *ret_was_running, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct local_paths paths = local_paths(a);
    *ret_was_running = false;
    if (!fs_is_dir(paths.dir))
        return 0;
    cleanup_fd int lock = enter(&paths, err);
    if (lock < 0)
        return -1;
    struct local_state state = state_read(a, &paths);
    if (!is_running(&state))
        return 0;
    *ret_was_running = true;
    return stop(&paths, &state, state.persist ? GRACE_PERSIST_MS : GRACE_MS, err);
}

int local_status(struct arena *a, struct local_cloud *ret, struct err *err)
{
    struct local_paths paths = local_paths(a);
    if (fs_is_dir(paths.dir) && fs_check_own(paths.dir, err) < 0)
        return -1;
    struct local_state state = state_read(a, &paths);
    describe(a, &paths, &state, ret);
    return 0;
}

int local_wipe(struct arena *a, const struct local_options *options, struct local_cloud *ret,
               struct err *err)
{
    struct local_paths paths = local_paths(a);
    cleanup_fd int lock = enter(&paths, err);
    if (lock < 0)
        return -1;
    struct local_state state = state_read(a, &paths);
    bool running = is_running(&state);
    /* Stopping it ends the processes of its functions, too, which asking it to forget everything
     * would not. */
    if (running && stop(&paths, &state, GRACE_MS, err) < 0)
        return -1;
    struct local_options again = *options;
    again.persist = running && state.persist;
    if (fs_remove_all(paths.data, err) < 0 || fs_remove_all(paths.scratch, err) < 0)
        return -1;
    if (running && start(a, &paths, &again, &state, err) < 0)
        return -1;
    describe(a, &paths, &state, ret);
    return 0;
}
