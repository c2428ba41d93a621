/* The code of functions and layers, put into the bucket: for a remote stage into the one in its
 * region, too. */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/pool.h"
#include "base/vec.h"
#include "release/world/region.h"

struct uploading {
    const struct artifact *artifact;
    bool there; /* in the bucket */
};

struct uploads {
    struct deploying *d;
    VEC(struct uploading) all;
    /* Bytes of what is not there; sent of them, by this run and by an earlier one. Under the lock
     * of `d`, as is what follows. */
    uint64_t total, found;
    int64_t sent;
    int64_t begun_ms, told_ms;
};

/* Code that was deployed before is not at hand: it has to be in the bucket. */
static int check_kept(struct arena *a, const struct deploying *d, const struct artifact *artifact,
                      struct err *err)
{
    const struct store *store = &d->plan->world.store;
    bool there;
    struct str key = store_key(a, store, "artifacts/%.*s.zip", STR_ARG(artifact->sha256_hex));
    if (store_head(a, store, key, &there, NULL, err) < 0)
        return -1;
    if (there)
        return 0;
    err_set(err, ERR_FAILED, "the code of '%.*s' is gone from the bucket: s3://%.*s/%.*s",
            STR_ARG(artifact->name), STR_ARG(store->bucket), STR_ARG(key));
    return err_help(err, "deploy from the sources instead: troupe deploy %.*s",
                    STR_ARG(engine_stage(d)));
}

/* ---- how far it is ---- */

static double megabytes(uint64_t bytes)
{
    return (double)bytes / 1024 / 1024;
}

/* "12.3 of 48.0 MB, 25%, 4.1 MB/s" */
static void tell(struct uploads *u, int64_t now_ms)
{
    uint64_t done = u->found + (u->sent > 0 ? (uint64_t)u->sent : 0);
    double seconds = (double)(now_ms - u->begun_ms) / 1000;
    if (done > u->total)
        done = u->total;
    release_tell(u->d->r, TOLD_METER, "upload", "%.1f of %.1f MB, %u%%, %.1f MB/s", megabytes(done),
                 megabytes(u->total), u->total ? (unsigned)(done * 100 / u->total) : 100,
                 seconds > 0 && u->sent > 0 ? megabytes((uint64_t)u->sent) / seconds : 0);
}

static void on_moved(void *context, int64_t bytes)
{
    enum { TELL_MS = 100 };
    struct uploads *u = context;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&u->d->lock);
    u->sent += bytes;
    if (now_ms - u->told_ms >= TELL_MS) {
        u->told_ms = now_ms;
        tell(u, now_ms);
    }
    pthread_mutex_unlock(&u->d->lock);
}

static void on_found(void *context, uint64_t bytes)
{
    struct uploads *u = context;
    pthread_mutex_lock(&u->d->lock);
    u->found += bytes;
    release_tell(u->d->r, TOLD_NOTICE, "upload",
                 "%.1f MB are there already, of an upload that was cut off", megabytes(bytes));
    pthread_mutex_unlock(&u->d->lock);
}

/* ---- sending ---- */

/* Put the artifact into the bucket. */
static int send(struct arena *a, struct uploads *u, const struct artifact *artifact,
                struct err *err)
{
    const struct store *store = &u->d->plan->world.store;
    const struct aws_meter meter = {on_moved, u};
    __attribute__((cleanup(artifact_unmap))) struct str bytes = {0};
    if (artifact_map(artifact, &bytes, err) < 0)
        return -1;
    struct s3_put object = {
        .key = store_key(a, store, "artifacts/%.*s.zip", STR_ARG(artifact->sha256_hex)),
        .body = bytes,
        .content_type = "application/octet-stream",
        .resumes = true,
        .meter = &meter,
        .found = on_found,
        .found_context = u,
        .let_go = artifact_let_go};
    return store_put(a, store, &object, NULL, err);
}

/* What is there already is not sent. */
static int look_for_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct uploads *u = context;
    struct uploading *one = &u->all.p[i];
    const struct store *store = &u->d->plan->world.store;
    struct str key =
        store_key(scratch, store, "artifacts/%.*s.zip", STR_ARG(one->artifact->sha256_hex));
    if (!one->artifact->source) {
        one->there = true;
        return check_kept(scratch, u->d, one->artifact, err);
    }
    if (store_head(scratch, store, key, &one->there, NULL, err) < 0)
        return err_wrap(err, "upload '%.*s'", STR_ARG(one->artifact->name));
    return 0;
}

static int upload_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct uploads *u = context;
    const struct uploading *one = &u->all.p[i];
    const struct artifact *artifact = one->artifact;
    if (!one->there && send(scratch, u, artifact, err) < 0)
        return err_wrap(err, "upload '%.*s'", STR_ARG(artifact->name));
    const struct world *w = &u->d->plan->world;
    if (u->d->r->service->remote &&
        region_copy(scratch, &w->store, &w->stage_store, artifact->sha256_hex, err) < 0)
        return err_wrap(err, "copy '%.*s' to %.*s", STR_ARG(artifact->name),
                        STR_ARG(u->d->r->service->region));
    pthread_mutex_lock(&u->d->lock);
    u->d->uploaded += !one->there;
    release_progress(u->d->r, "upload", "%.*s", STR_ARG(artifact->name));
    pthread_mutex_unlock(&u->d->lock);
    return 0;
}

/* ---- which ---- */

bool engine_is_due(const struct function_plan *f)
{
    return !f->to.n && f->configuration;
}

/* Functions of the stage are made by its stack, which may need them before anything is published.
 */
static bool is_needed(const struct deploying *d, const struct layout_function *f, bool per_stage)
{
    if (f->per_stage || per_stage)
        return f->per_stage && per_stage;
    for (size_t i = 0; i < d->plan->function_count; i++)
        if (d->plan->functions[i].function == f)
            return engine_is_due(&d->plan->functions[i]);
    return false;
}

static void add_upload(struct uploads *u, const struct artifact *artifact)
{
    vec_each (&u->all, other)
        if (!artifact || str_eq(other->artifact->sha256_hex, artifact->sha256_hex))
            return;
    if (artifact)
        vec_push(u->d->arena, &u->all, (struct uploading){.artifact = artifact});
}

static int upload_all(struct uploads *u, struct err *err)
{
    enum { AT_ONCE = 4 };
    struct deploying *d = u->d;
    size_t before = d->uploaded;
    if (pool_run(u->all.n, AT_ONCE, look_for_one, u, err) < 0)
        return -1;
    vec_each (&u->all, one)
        u->total += one->there ? 0 : one->artifact->zip_bytes;
    u->begun_ms = clock_mono_ms();
    if (pool_run(u->all.n, AT_ONCE, upload_one, u, err) < 0)
        return -1;
    size_t n = d->uploaded - before;
    if (n)
        release_finished(d->r, "upload",
                         u->total < 1000000 ? "%zu artifact%s, %.1f kB" : "%zu artifact%s, %.1f MB",
                         n, n == 1 ? "" : "s",
                         u->total < 1000000 ? (double)u->total / 1000 : megabytes(u->total));
    return 0;
}

int engine_upload(struct deploying *d, bool per_stage, struct err *err)
{
    const struct layout *l = d->plan->target.layout;
    struct uploads u = {.d = d};
    for (size_t i = 0; i < l->function_count; i++)
        if (is_needed(d, &l->functions[i], per_stage))
            add_upload(&u, l->functions[i].artifact);
    for (size_t i = 0; per_stage && i < l->layer_count; i++)
        if (l->layers[i].per_stage)
            add_upload(&u, l->layers[i].artifact);
    return upload_all(&u, err);
}

int engine_upload_layers(struct deploying *d, const struct node *template, struct err *err)
{
    const struct layout *l = d->plan->target.layout;
    struct uploads u = {.d = d};
    for (size_t i = 0; i < l->layer_count; i++)
        if (!l->layers[i].per_stage &&
            !node_get(node_get_c(template, "Resources"), l->layers[i].id))
            add_upload(&u, l->layers[i].artifact);
    return upload_all(&u, err);
}
