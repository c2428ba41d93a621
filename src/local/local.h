/* The local cloud's life: MiniStack with troupe's strictness module, in a Python environment of
 * troupe's own, listening on loopback.
 *
 * It does nothing for callers without its secret, which only its user can read.
 *
 * There is one for each user (each $TROUPE_LOCAL_DIR, default: "local" in path_cache), found again
 * by later commands through a state file. All calls are serialised by a file lock, so that two
 * commands that start it at once start one. Its process leads a group with all function processes
 * in it.
 *
 * Environment: TROUPE_LOCAL_DIR, TROUPE_LOCALCLOUD_DIR (where requirements.txt and troupe_cloud
 * are; default: beside the program, in the build tree or installed), TROUPE_PYTHON (default:
 * python3). Any thread; uses no AWS client. Besides what is said below, FAILED: its folder belongs
 * to another user, or others may write to it. */
#ifndef TROUPE_LOCAL_H
#define TROUPE_LOCAL_H

#include "base/err.h"

struct local_options {
    /* Keep its data when it stops. Once data was kept, it is used and kept until local_wipe. */
    bool persist;
    int port; /* 0: the one it had last, or a free one */
    /* Long steps, e.g. "installing MiniStack (once)"; may be NULL. */
    void (*progress)(void *context, struct str text);
    void *progress_context;
};

struct local_cloud {
    bool running;
    struct str endpoint; /* "http://127.0.0.1:4601"; empty when not running */
    /* The keys that its callers sign with; the secret is another one after each start. */
    struct str access_key, secret_key;
    int port;
    long pid;
    int64_t since_ms; /* wall clock of its start */
    bool persist;     /* its data is kept when it stops */
    struct str dir;   /* where its files are */
    struct str log;   /* file with what it prints */
};

/* Start it unless it runs; `*ret` lives in `a`. The first time this installs the Python
 * environment. FAILED: no python3, pip failed, the port is taken, it died or does not answer (with
 * the end of its log). CONFLICT: it runs without keeping and `persist` is asked for, or on another
 * port. */
int local_up(struct arena *a, const struct local_options *options, struct local_cloud *ret,
             struct err *err);

/* Stop it and everything it started. `*ret_was_running` tells whether it ran. */
int local_down(bool *ret_was_running, struct err *err);

/* The state of the local cloud; never starts it. */
int local_status(struct arena *a, struct local_cloud *ret, struct err *err);

/* Forget everything that is in it, kept data too. When it ran, it runs again afterwards, empty, at
 * the same endpoint. */
int local_wipe(struct arena *a, const struct local_options *options, struct local_cloud *ret,
               struct err *err);

#endif
