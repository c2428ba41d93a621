/* Leases as objects with conditional writes. */
#include "release/bucket/lease.h"

#include "release/bucket/lease_content.h"

#include <errno.h>
#include <pwd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "release/dispose/dispose.h"

struct lease {
    struct arena *arena; /* of this lease; the renewing thread has its own for each turn */
    struct store store;
    struct str name, key, nonce, purpose, host, user, taken;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_signal;
    bool started, stop;  /* under lock */
    struct str etag;     /* under lock */
    char etag_text[128]; /* backs etag */
    atomic_bool lost;
    bool inherited;
    struct str inherited_nonce; /* of the one taken over, or being taken over */
    _Atomic int64_t renewed_ms; /* when the last write of it was begun, on up_ms's clock */
    _Atomic int64_t seen_ms;    /* when it was last known to be ours */
};

/* Milliseconds that go on while the machine sleeps: the lease runs out meanwhile. */
static int64_t up_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct str lease_body(struct arena *a, const struct lease *l, int64_t now_ms)
{
    struct lease_content content = {.nonce = l->nonce,
                                    .host = l->host,
                                    .pid = getpid(),
                                    .user = l->user,
                                    .purpose = l->purpose,
                                    .taken = l->taken,
                                    .renewed = time_iso(a, now_ms),
                                    .lasts_ms = LEASE_MS};
    return object_text(a, &lease_table, &content);
}

static void keep_etag(struct lease *l, struct str etag)
{
    size_t n = etag.n < sizeof l->etag_text ? etag.n : sizeof l->etag_text - 1;
    memcpy(l->etag_text, etag.p, n);
    l->etag = (struct str){l->etag_text, n};
}

/* ---- renewing ---- */

static bool is_own(struct arena *a, const struct lease *l, struct str text)
{
    cleanup_err struct err ignored = {0};
    struct lease_content holder;
    return lease_content_read(a, l->key, text, &holder, &ignored) == 0 &&
           str_eq(holder.nonce, l->nonce);
}

/* The condition did not hold: another has it, or a retried write met its own first success. */
static void look_whose(struct arena *a, struct lease *l)
{
    struct err err = {0};
    struct str text;
    struct s3_stamp stamp;
    bool there = store_get(a, &l->store, l->key, &text, &stamp, &err) == 0;
    if (there && is_own(a, l, text))
        keep_etag(l, stamp.etag);
    else if (there || err.kind != ERR_NETWORK) /* else it runs out by itself: lease_check */
        atomic_store(&l->lost, true);
    err_clear(&err);
}

static void renew(struct lease *l)
{
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct s3_stamp written;
    int64_t begun = up_ms();
    struct s3_put object = {.key = l->key,
                            .body = lease_body(a, l, clock_wall_ms()),
                            .condition = S3_IF_MATCH,
                            .etag = l->etag};
    if (store_put(a, &l->store, &object, &written, &err) == 0) {
        keep_etag(l, written.etag);
        atomic_store(&l->renewed_ms, begun);
        atomic_store(&l->seen_ms, begun);
    } else if (err.kind == ERR_PRECONDITION || err.kind == ERR_NOT_FOUND) {
        look_whose(a, l);
    }
    err_clear(&err);
}

static void *renew_loop(void *arg)
{
    struct lease *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LEASE_RENEW_MS / 1000;
        if (pthread_cond_timedwait(&l->stop_signal, &l->lock, &until) == ETIMEDOUT && !l->stop)
            renew(l);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Waits on the clock that nobody sets: one set back by a minute would put renewing off until the
 * lease has run out. */
static void stop_signal_init(pthread_cond_t *signal)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(signal, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static int start_renewing(struct lease *l, struct err *err)
{
    int failed = pthread_create(&l->thread, NULL, renew_loop, l);
    l->started = !failed;
    if (!failed)
        return 0;
    err_set(err, ERR_FAILED, "%.*s: cannot start the thread that renews the lease: %s",
            STR_ARG(l->purpose), strerror(failed));
    return err_help(err, "this machine allows no more threads: see 'ulimit -u'");
}

/* ---- taking ---- */

/* Whom to ask. A CI's machine has one user for everybody, and containers set no variable. */
static struct str person(void)
{
    static const char *const names[] = {"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = getenv(names[i]);
        if (name && *name)
            return str_c(name);
    }
    const struct passwd *entry = getpwuid(getuid());
    return entry ? str_c(entry->pw_name) : STR("unknown");
}

/* S3's clock at reading against S3's clock at writing: `modified` and `date` both come from there.
 */
static bool has_run_out(const struct lease_content *holder, int64_t modified_ms, int64_t date_ms)
{
    return modified_ms > 0 && date_ms > 0 && date_ms - modified_ms > holder->lasts_ms;
}

static int say_held(const struct lease *l, const struct lease_content *holder, struct err *err)
{
    struct str host = holder->host, name;
    str_cut(&host, '/', &name);
    err_set(err, ERR_LOCKED, "%.*s: '%.*s' on '%.*s' (process %lld) is at work: %.*s",
            STR_ARG(l->purpose), STR_ARG(holder->user), STR_ARG(name), (long long)holder->pid,
            STR_ARG(holder->purpose));
    return err_help(err,
                    "wait until it is done; what was left behind by a crash runs out %d seconds "
                    "after its last sign of life",
                    LEASE_MS / 1000);
}

static int modified_of(struct arena *a, const struct lease *l, int64_t *ret, struct err *err)
{
    struct s3_object *objects;
    size_t n;
    if (store_list(a, &l->store, l->key, &objects, &n, err) < 0)
        return -1;
    *ret = n ? objects[0].modified_ms : 0;
    return 0;
}

/* 1: it is ours; 0: another took it in this moment, or it is ours already; -1: failed. */
static int try_write(struct arena *a, struct lease *l, const struct s3_put *object, struct err *err)
{
    struct s3_stamp written;
    if (store_put(a, &l->store, object, &written, err) == 0) {
        keep_etag(l, written.etag);
        return 1;
    }
    bool gone = object->condition == S3_IF_MATCH && err->kind == ERR_NOT_FOUND;
    if (err->kind != ERR_PRECONDITION && !gone)
        return -1;
    err_clear(err);
    return 0;
}

/* Try once. 1: taken, 0: held by another (err not set; by `*holder`, or `*ret_gone`), -1: failed.
 */
static int try_take(struct arena *a, struct lease *l, struct lease_content *holder, bool *ret_gone,
                    struct err *err)
{
    struct s3_put object = {.key = l->key,
                            .body = lease_body(a, l, clock_wall_ms()),
                            .condition = S3_IF_NONE_MATCH_ANY};
    struct str text;
    struct s3_stamp stamp;
    int64_t modified_ms = 0;
    atomic_store(&l->renewed_ms, up_ms());
    atomic_store(&l->seen_ms, up_ms());
    int taken = try_write(a, l, &object, err);
    if (taken)
        return taken;
    if (store_get(a, &l->store, l->key, &text, &stamp, err) < 0) {
        *ret_gone = err->kind == ERR_NOT_FOUND;
        if (*ret_gone)
            err_clear(err);
        return *ret_gone ? 0 : -1;
    }
    if (lease_content_read(a, l->key, text, holder, err) < 0 ||
        modified_of(a, l, &modified_ms, err) < 0)
        return -1;
    bool own = str_eq(holder->nonce, l->nonce), broken = holder->broken.n;
    bool free = holder->given_back.n;
    if (!own && !broken && !free && !lease_is_dead(l->host, holder) &&
        !has_run_out(holder, modified_ms, stamp.date_ms))
        return 0;
    if (own) { /* a retried write met its own first success */
        keep_etag(l, stamp.etag);
        l->inherited = l->inherited_nonce.n > 0;
        return 1;
    }
    if (!free)
        l->inherited_nonce = str_dup(l->arena, broken ? holder->of : holder->nonce);
    object.condition = S3_IF_MATCH;
    object.etag = stamp.etag;
    taken = try_write(a, l, &object, err);
    l->inherited |= taken > 0 && !free;
    *ret_gone = true; /* look again */
    return taken;
}

static int take(struct lease *l, int64_t wait_ms, struct err *err)
{
    enum { AGAIN_MS = 500 };
    struct backoff wait = backoff_begin(AGAIN_MS, AGAIN_MS, wait_ms);
    for (;;) {
        cleanup_arena struct arena *a = arena_new();
        struct lease_content holder;
        bool gone = false;
        int got = try_take(a, l, &holder, &gone, err);
        if (got)
            return got > 0 ? 0 : -1;
        if (!gone && backoff_is_over(&wait))
            return say_held(l, &holder, err);
        if ((gone ? clock_sleep_ms(10) : backoff_pause(&wait)) < 0)
            return err_set(err, ERR_CANCELLED, "stopped while waiting for the lease");
    }
}

int lease_take(const struct store *store, struct str name, struct str purpose, int64_t wait_ms,
               struct lease **ret, struct err *err)
{
    struct arena *a = arena_new();
    struct lease *l = ARENA_NEW(a, struct lease);
    struct str user = person();
    *l =
        (struct lease){.arena = a,
                       .store = {store->aws, str_dup(a, store->bucket), str_dup(a, store->service)},
                       .name = str_dup(a, name),
                       .nonce = random_hex(a, 8),
                       .taken = time_iso(a, clock_wall_ms()),
                       .purpose = str_dup(a, purpose),
                       .user = str_dup(a, user)};
    l->key = store_key(a, store, "locks/%.*s.json", STR_ARG(name));
    l->host = lease_host(a);
    pthread_mutex_init(&l->lock, NULL);
    stop_signal_init(&l->stop_signal);
    if (take(l, wait_ms, err) < 0 || start_renewing(l, err) < 0) {
        lease_release(&l);
        return -1;
    }
    *ret = l;
    return 0;
}

int lease_take_stage(const struct store *store, struct str address, const char *verb,
                     struct lease **ret, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    return lease_take(store, str_fmt(a, LEASE_STAGE "%.*s", STR_ARG(address)),
                      str_fmt(a, "%s '%.*s'", verb, STR_ARG(address)), 0, ret, err);
}

/* When the lease has not been seen for LEASE_SEEN_MS, read it again: somebody may have broken it
 * and work with it now. */
static void look_again(struct lease *l)
{
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct str text;
    int64_t begun = up_ms();
    if (begun - atomic_load(&l->seen_ms) < LEASE_SEEN_MS)
        return;
    bool there = store_get(a, &l->store, l->key, &text, NULL, &err) == 0;
    if (there && is_own(a, l, text))
        atomic_store(&l->seen_ms, begun);
    else if (there || err.kind == ERR_NOT_FOUND)
        atomic_store(&l->lost, true);
    err_clear(&err);
}

static int say_lost(const struct lease *l, struct err *err)
{
    struct str stage = l->name;
    err_set(err, ERR_LOCKED, "%.*s: the lease was broken or taken over by somebody else",
            STR_ARG(l->purpose));
    if (!str_skip(&stage, STR(LEASE_STAGE)))
        return err_help(err, "nothing was changed since; run the same command again");
    return err_help(err,
                    "it stopped before its next change; what is left half done is shown by "
                    "'troupe stages', and finished or undone by: troupe repair %.*s",
                    STR_ARG(stage));
}

bool lease_lost(const struct lease *l)
{
    return l && (atomic_load(&l->lost) || up_ms() - atomic_load(&l->renewed_ms) >= LEASE_MS);
}

int lease_check(struct lease *l, struct err *err)
{
    if (!l)
        return 0;
    if (!lease_lost(l))
        look_again(l);
    if (atomic_load(&l->lost))
        return say_lost(l, err);
    if (!lease_lost(l))
        return 0;
    err_set(err, ERR_LOCKED, "%.*s: the lease has run out, it could not be renewed in time",
            STR_ARG(l->purpose));
    return err_help(err, "run the same command again");
}

bool lease_inherited(const struct lease *l)
{
    return l && l->inherited;
}

struct str lease_nonce(const struct lease *l)
{
    return l ? l->nonce : (struct str){"", 0};
}

struct str lease_inherited_nonce(const struct lease *l)
{
    return l && l->inherited ? l->inherited_nonce : (struct str){"", 0};
}

/* Not every maker of S3 deletes under a condition (501 NotImplemented), and not everybody may
 * delete: a mark in its place says to whoever comes next that nobody has it. */
static void mark_given_back(struct lease *l)
{
    struct arena *a = l->arena;
    struct err ignored = {0};
    struct lease_content mark = {.nonce = random_hex(a, 8),
                                 .given_back = time_iso(a, clock_wall_ms())};
    struct s3_put object = {.key = l->key,
                            .body = object_text(a, &lease_table, &mark),
                            .condition = S3_IF_MATCH,
                            .etag = l->etag};
    store_put(a, &l->store, &object, NULL, &ignored);
    err_clear(&ignored);
}

/* The user stopped the command, so what it began may be half done. The mark that `unlock` leaves
 * stands for this lease: whoever comes next takes it over at once, as from a dead holder. A second
 * wish to stop ends that, and so does a network that is silent: then the lease runs out. */
static void leave_behind(struct lease *l)
{
    enum { LEAVE_MS = 5000 };
    struct err ignored = {0};
    cancel_put_off(LEAVE_MS);
    struct lease_content mark = {.nonce = random_hex(l->arena, 8),
                                 .of = l->nonce,
                                 .broken = time_iso(l->arena, clock_wall_ms()),
                                 .user = l->user};
    struct s3_put object = {.key = l->key,
                            .body = object_text(l->arena, &lease_table, &mark),
                            .condition = S3_IF_MATCH,
                            .etag = l->etag};
    store_put(l->arena, &l->store, &object, NULL, &ignored);
    err_clear(&ignored);
    cancel_put_off(0);
}

static void give_back(struct lease *l)
{
    struct err err = {0};
    if (dispose_object(l->arena, &l->store, l->key, l->etag, &err) < 0 &&
        err.kind != ERR_PRECONDITION && err.kind != ERR_NOT_FOUND && err.kind != ERR_NETWORK)
        mark_given_back(l);
    err_clear(&err);
}

void lease_release(struct lease **lease)
{
    struct lease *l = *lease;
    if (!l)
        return;
    *lease = NULL;
    if (l->started) {
        pthread_mutex_lock(&l->lock);
        l->stop = true;
        pthread_cond_signal(&l->stop_signal);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    if (l->etag.n && !atomic_load(&l->lost))
        (cancel_requested() ? leave_behind : give_back)(l);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->stop_signal);
    arena_free(l->arena);
}
