/* The code of functions and layers, put into the bucket: for a remote stage into the one in its
 * region, too. */
#include "release/deploy/engine.h"

#include "base/pool.h"
#include "base/vec.h"
#include "release/world/region.h"

struct uploads {
    struct deploying *d;
    VEC(const struct artifact *) all;
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

/* Put the artifact into the bucket. */
static int send(struct arena *a, struct deploying *d, const struct artifact *artifact, bool *ret,
                struct err *err)
{
    const struct store *store = &d->plan->world.store;
    struct str key = store_key(a, store, "artifacts/%.*s.zip", STR_ARG(artifact->sha256_hex));
    bool there;
    if (store_head(a, store, key, &there, NULL, err) < 0)
        return -1;
    *ret = !there;
    if (there)
        return 0;
    __attribute__((cleanup(artifact_unmap))) struct str bytes = {0};
    if (artifact_map(artifact, &bytes, err) < 0)
        return -1;
    struct s3_put object = {.key = key, .body = bytes, .content_type = "application/octet-stream"};
    return store_put(a, store, &object, NULL, err);
}

static int upload_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct uploads *u = context;
    const struct artifact *artifact = u->all.p[i];
    bool written = false;
    if (!artifact->source && check_kept(scratch, u->d, artifact, err) < 0)
        return -1;
    if (artifact->source && send(scratch, u->d, artifact, &written, err) < 0)
        return err_wrap(err, "upload '%.*s'", STR_ARG(artifact->name));
    const struct world *w = &u->d->plan->world;
    if (u->d->r->service->remote &&
        region_copy(scratch, &w->store, &w->stage_store, artifact->sha256_hex, err) < 0)
        return err_wrap(err, "copy '%.*s' to %.*s", STR_ARG(artifact->name),
                        STR_ARG(u->d->r->service->region));
    pthread_mutex_lock(&u->d->lock);
    u->d->uploaded += written;
    release_progress(u->d->r, "upload", "%.*s", STR_ARG(artifact->name));
    pthread_mutex_unlock(&u->d->lock);
    return 0;
}

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
        if (!artifact || str_eq((*other)->sha256_hex, artifact->sha256_hex))
            return;
    if (artifact)
        vec_push(u->d->arena, &u->all, artifact);
}

static int upload_all(struct uploads *u, struct err *err)
{
    struct deploying *d = u->d;
    if (pool_run(u->all.n, 4, upload_one, u, err) < 0)
        return -1;
    if (d->uploaded)
        release_finished(d->r, "upload", "%zu artifact%s", d->uploaded,
                         d->uploaded == 1 ? "" : "s");
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
