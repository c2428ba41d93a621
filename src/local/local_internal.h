/* What the files of local/ share. */
#ifndef TROUPE_LOCAL_LOCAL_INTERNAL_H
#define TROUPE_LOCAL_LOCAL_INTERNAL_H

#include "local/local.h"

/* ---- state.c: where its files are, and what is remembered ---- */

struct local_paths {
    struct str dir;   /* everything below is in it */
    struct str state; /* the state file */
    struct str log;
    struct str lock;
    struct str scratch; /* its TMPDIR, emptied at every start */
    struct str data;    /* data that is kept; there is none without --persist */
    struct str package; /* folder with requirements.txt and troupe_cloud; empty: not found */
};

/* What the state file says; zeros when there is none. */
struct local_state {
    long pid;                 /* 0: it was stopped */
    struct str process_start; /* tells the process from a later one with the same number */
    int port;
    int64_t since_ms;
    bool persist;
    /* the secret key of its callers; empty: an older troupe started it, without one */
    struct str secret;
};

struct local_paths local_paths(struct arena *a);
/* Read the state file. A damaged one counts as none: all it costs is a new start. */
struct local_state state_read(struct arena *a, const struct local_paths *paths);
int state_write(const struct local_paths *paths, const struct local_state *state, struct err *err);
/* Wait for the lock on file `path`; close the descriptor to release it. -1 on failure. */
int lock_wait(struct str path, struct err *err);
/* Notes on `err`: the last lines of the log or of other output. */
void note_tail(struct err *err, struct str text);

/* ---- process.c ---- */

/* Start `argv` detached from this process, in a session and a process group of its own, without
 * input, its output appended to `log`. `*ret_pid` is the group, too. */
int process_start(const char *const *argv, const char *const *env, struct str dir, struct str log,
                  long *ret_pid, struct err *err);
/* When process `pid` began, as an opaque text; empty when there is no such process. */
struct str process_began(struct arena *a, long pid);
bool process_is(long pid, struct str began);
/* SIGTERM, wait up to `grace_ms`, then SIGKILL for the whole group. */
void process_stop(long pid, struct str began, int64_t grace_ms);
/* Run `argv` in directory `dir` to its end; both outputs go to `*ret_output`, which lives in `a`.
 * Returns the exit status, 128 + signal, or -1 when it could not be run (NOT_FOUND: no such
 * program). The kernel kills it when the calling thread ends before it. */
int process_run(struct arena *a, const char *const *argv, const char *const *env, struct str dir,
                struct str *ret_output, struct err *err);

/* ---- venv.c ---- */

/* Make sure the Python environment for `package` exists; `*ret_python` is its interpreter. */
int venv_ready(struct arena *a, struct str package, const struct local_options *options,
               struct str *ret_python, struct err *err);

/* ---- health.c ---- */

/* A port of 127.0.0.1 that nobody listens on: `wanted` if that is free, or any when `wanted` is 0.
 * Returns 0 when `wanted` is taken. */
int port_free(int wanted);
/* Does the local cloud answer at this port? */
bool health_ok(int port);

#endif
