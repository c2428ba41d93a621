/* Deploying: expand, publish, contract (docs/design.md, "Deploying a stage"). */
#include <pthread.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"
#include "doc/json.h"
#include "release/plan.h"
#include "release/publish.h"
#include "release/stack.h"

enum { SERVICE_WAIT_MS = 15 * 60 * 1000 };

struct deploying {
    const struct release *r;
    struct arena *arena;
    struct plan *plan;
    struct lease *lease;     /* of the stage; NULL while there is no bucket */
    const struct node *body; /* the record */
    bool recorded;           /* the intent is written */
    size_t published, uploaded;
    pthread_mutex_t lock; /* of what the publishing threads share */
};

static struct str stage_of(const struct deploying *d)
{
    return d->r->service->stage;
}

/* ---- the service stack ---- */

static int refresh_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    if (stack_describe(d->arena, d->r->aws, w->service_name, &w->service, err) < 0)
        return -1;
    w->service_exists = true;
    world_use_bucket(d->r, w);
    return 0;
}

/* Only the bucket, for a template that is too large to be sent without one. */
static const struct node *bucket_only(struct deploying *d, const struct node *whole)
{
    struct arena *a = d->arena;
    struct node *out = node_map(a), *resources = node_map(a), *outputs = node_map(a);
    member_each (m, node_get_c(whole, "Resources"))
        if (str_starts(m->key, STR("ServerlessDeploymentBucket")))
            node_put(a, resources, m->key, m->value);
    node_put_c(a, outputs, "ServerlessDeploymentBucketName",
               node_path(whole, "Outputs.ServerlessDeploymentBucketName"));
    node_put_str(a, out, "AWSTemplateFormatVersion", STR("2010-09-09"));
    node_put_c(a, out, "Resources", resources);
    node_put_c(a, out, "Outputs", outputs);
    return out;
}

static int apply_service(struct deploying *d, bool create, const struct node *template,
                         struct err *err)
{
    const struct world *w = &d->plan->world;
    return stack_apply(d->r, w->service_name, create, template, NULL,
                       stack_tags(d->arena, d->r->service, STR("")), create ? NULL : &w->store,
                       NULL, err);
}

static int create_service(struct deploying *d, struct err *err)
{
    const struct node *whole = d->plan->service_target;
    bool large = json_text(d->arena, whole, 0).n > STACK_BODY_MAX;
    if (apply_service(d, true, large ? bucket_only(d, whole) : whole, err) < 0 ||
        refresh_service(d, err) < 0)
        return -1;
    return large ? apply_service(d, false, whole, err) : 0;
}

/* Under the service's lease, against the template as it is by then: another stage may have added to
 * it. */
static int extend_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    struct str text;
    cleanup_lease struct lease *lease = NULL;
    const struct node *target = d->plan->service_target;
    if (lease_take(&w->store, STR("service"),
                   str_fmt(d->arena, "change the service stack for '%.*s'",
                           STR_ARG(stage_of(d).n ? stage_of(d) : d->r->service->name)),
                   SERVICE_WAIT_MS, &lease, err) < 0 ||
        stack_settle(d->r, w->service_name, &w->service, err) < 0)
        return -1;
    if (stage_of(d).n) {
        if (stack_template(d->arena, d->r->aws, w->service_name, &text, err) < 0)
            return -1;
        const struct node *now = json_parse(d->arena, w->service_name, text, err);
        if (!now)
            return -1;
        target = plan_service_additions(d->arena, now, d->plan->target->layout->service_template);
        if (!target)
            return 0;
    }
    return apply_service(d, false, target, err);
}

/* Another first deployment was faster: what it makes is ours as well. */
static int join_service(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    err_clear(err);
    if (stack_settle(d->r, w->service_name, &w->service, err) < 0 ||
        stack_check_owner(&w->service, d->r->service->name, STR(""), err) < 0)
        return -1;
    if (stack_condition(w->service.status) != STACK_READY)
        return err_set(err, ERR_FAILED, "somebody else created stack '%.*s', which ended as %.*s",
                       STR_ARG(w->service_name), STR_ARG(w->service.status));
    return refresh_service(d, err) < 0 ? -1 : extend_service(d, err);
}

static int ensure_service(struct deploying *d, struct err *err)
{
    int64_t start = clock_mono_ms();
    if (!d->plan->service_target)
        return 0;
    bool create = !d->plan->world.service_exists;
    int done = create ? create_service(d, err) : extend_service(d, err);
    if (done < 0 && create && err->kind == ERR_CONFLICT)
        done = join_service(d, err);
    if (done < 0)
        return -1;
    release_finished(d->r, "service", "stack '%.*s' %s in %.1fs",
                     STR_ARG(d->plan->world.service_name), create ? "created" : "updated",
                     (double)(clock_mono_ms() - start) / 1000);
    return refresh_service(d, err);
}

/* ---- expand ---- */

static int apply_stage(struct deploying *d, const struct node *template, struct err *err)
{
    struct world *w = &d->plan->world;
    if (lease_check(d->lease, err) < 0)
        return -1;
    return stack_apply(d->r, w->stage_name, !w->stage_exists, template,
                       plan_parameters(d->r, d->plan),
                       stack_tags(d->arena, d->r->service, stage_of(d)), &w->store, NULL, err);
}

static int expand(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    const struct node *template, *target = plan_stage_template(d->r, d->plan, 0);
    int64_t start = clock_mono_ms();
    if (layout_expand(d->arena, d->plan->target->layout, target, d->plan->old_stage, &template,
                      err) < 0)
        return -1;
    if (!template)
        return 0;
    release_progress(d->r, "stack", "first what the functions need");
    if (apply_stage(d, template, err) < 0)
        return -1;
    release_finished(d->r, "expand", "stack '%.*s' has what the functions need in %.1fs",
                     STR_ARG(w->stage_name), (double)(clock_mono_ms() - start) / 1000);
    w->stage_exists = true;
    return stack_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err);
}

/* With every value known: fingerprints, and which snapshots exist already. */
static int settle_definitions(struct deploying *d, struct err *err)
{
    for (size_t i = 0; i < d->plan->function_count; i++)
        d->plan->functions[i].to = (struct str){"", 0};
    for (size_t i = 0; i < d->plan->api_count; i++)
        d->plan->apis[i].to = (struct str){"", 0};
    return plan_resolve(d->r, d->plan, true, err) < 0 ? -1 : plan_reuse(d->r, d->plan, err);
}

/* ---- artifacts ---- */

struct uploads {
    struct deploying *d;
    VEC(const struct artifact *) all;
};

static int upload_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct uploads *u = context;
    const struct artifact *artifact = u->all.p[i];
    bool written;
    struct str bytes = artifact->bytes;
    if (store_put_once(scratch, &u->d->plan->world.store, "artifacts", artifact->sha256_hex, "zip",
                       bytes, &written, err) < 0)
        return err_wrap(err, "upload '%.*s'", STR_ARG(artifact->name));
    pthread_mutex_lock(&u->d->lock);
    u->d->uploaded += written;
    release_progress(u->d->r, "upload", "%.*s", STR_ARG(artifact->name));
    pthread_mutex_unlock(&u->d->lock);
    return 0;
}

/* Functions of the stage are made by its stack, which may need them before anything is published.
 */
static bool is_needed(const struct deploying *d, const struct layout_function *f, bool per_stage)
{
    if (f->per_stage || per_stage)
        return f->per_stage && per_stage;
    for (size_t i = 0; i < d->plan->function_count; i++)
        if (d->plan->functions[i].function == f)
            return !d->plan->functions[i].to.n;
    return false;
}

static bool is_recorded(const struct deploying *d, const struct artifact *artifact)
{
    member_each (m, node_get_c(d->plan->world.record.body, "functions"))
        if (str_eq(node_text(node_get_c(m->value, "artifact")), artifact->sha256_hex))
            return true;
    return false;
}

static int upload_artifacts(struct deploying *d, bool per_stage, struct err *err)
{
    const struct layout *l = d->plan->target->layout;
    struct uploads u = {.d = d};
    struct map seen = MAP(d->arena);
    for (size_t i = 0; i < l->function_count; i++) {
        const struct artifact *artifact = l->functions[i].artifact;
        if (!artifact || map_has(&seen, artifact->sha256_hex) ||
            !is_needed(d, &l->functions[i], per_stage) || is_recorded(d, artifact))
            continue;
        map_put(&seen, artifact->sha256_hex, d);
        vec_push(d->arena, &u.all, artifact);
    }
    if (pool_run(u.all.n, 4, upload_one, &u, err) < 0)
        return -1;
    if (d->uploaded)
        release_finished(d->r, "upload", "%zu artifact%s", d->uploaded,
                         d->uploaded == 1 ? "" : "s");
    return 0;
}

/* ---- the record ---- */

static const struct node *record_functions(const struct deploying *d)
{
    struct arena *a = d->arena;
    struct node *all = node_map(a);
    const struct layout *l = d->plan->target->layout;
    for (size_t i = 0; i < l->function_count; i++) {
        const struct layout_function *f = &l->functions[i];
        struct node *n = node_map(a);
        node_put_str(a, n, "name", f->name);
        node_put_str(a, n, "layout", f->per_stage ? STR("perStage") : STR("shared"));
        if (f->artifact)
            node_put_str(a, n, "artifact", f->artifact->sha256_hex);
        for (size_t k = 0; k < d->plan->function_count; k++)
            if (d->plan->functions[k].function == f) {
                node_put_str(a, n, "fingerprint", d->plan->functions[k].fingerprint);
                node_put_c(a, n, "parts", d->plan->functions[k].parts);
            }
        node_put(a, all, f->key, n);
    }
    return all;
}

static const struct node *record_apis(const struct deploying *d)
{
    struct arena *a = d->arena;
    struct node *all = node_map(a);
    for (size_t i = 0; i < d->plan->api_count; i++) {
        struct node *n = node_map(a);
        node_put_str(a, n, "id", d->plan->apis[i].rest_api);
        node_put_str(a, n, "fingerprint", d->plan->apis[i].fingerprint);
        node_put(a, all, d->plan->apis[i].api->id, n);
    }
    return all;
}

/* The files it was made from, so that another stage can be made from them later. */
static const struct node *source_bundle(const struct deploying *d)
{
    struct arena *a = d->arena;
    const struct service *s = d->r->service;
    struct node *bundle = node_map(a), *files = node_map(a);
    for (size_t i = 0; i < s->file_count; i++)
        node_put_c(a, files, str_z(a, s->files[i].path), node_str(a, s->files[i].text));
    node_put_c(a, bundle, "format", node_int(a, RECORD_FORMAT));
    node_put_str(a, bundle, "main", s->file);
    node_put_c(a, bundle, "files", files);
    node_put_c(a, bundle, "externals", s->externals);
    return bundle;
}

static const struct node *needs(const struct deploying *d)
{
    struct node *ids = node_seq(d->arena);
    member_each (m, node_get_c(d->plan->target->layout->service_template, "Resources"))
        node_push(d->arena, ids, node_str(d->arena, m->key));
    return ids;
}

/* What makes two records the same: everything but who wrote it when. */
static struct node *record_content(const struct deploying *d, struct str sources,
                                   struct str template)
{
    struct arena *a = d->arena;
    struct node *n = node_map(a);
    node_put_c(a, n, "format", node_int(a, RECORD_FORMAT));
    node_put_str(a, n, "service", d->r->service->name);
    node_put_str(a, n, "stage", stage_of(d));
    node_put_str(a, n, "region", aws_region(d->r->aws));
    node_put_str(a, n, "what", STR("deploy"));
    node_put_str(a, n, "sources", sources);
    node_put_str(a, n, "template", template);
    node_put_c(a, n, "functions", record_functions(d));
    node_put_c(a, n, "apis", record_apis(d));
    node_put_c(a, n, "needs", needs(d));
    return n;
}

/* An intent that a crash left behind and that says just what we are about to do is taken over, so
 * that the end is the same as without the crash. Another one is superseded. */
static int adopt_interrupted(struct deploying *d, const struct node *content, bool *ret,
                             struct err *err)
{
    struct world *w = &d->plan->world;
    struct record last;
    *ret = false;
    if (!w->last_interrupted)
        return 0;
    if (record_read(d->arena, &w->store, stage_of(d), w->last_number, false, false, &last, err) < 0)
        return -1;
    struct str hash = sha256_hex(d->arena, json_canonical(d->arena, content));
    if (str_eq(node_text(node_get_c(last.body, "content")), hash)) {
        d->plan->number = w->last_number;
        d->body = last.body;
        *ret = true;
        return 0;
    }
    return record_write_outcome(d->arena, &w->store, stage_of(d), w->last_number, "superseded",
                                STR("interrupted, and another deployment came after it"), err);
}

static int write_intent(struct deploying *d, struct err *err)
{
    struct arena *a = d->arena;
    struct world *w = &d->plan->world;
    const struct node *bundle = source_bundle(d);
    struct str text = json_text(a, bundle, 0), account, who;
    struct str sources = sha256_hex(a, text);
    struct str template = sha256_hex(a, json_canonical(a, d->plan->target->layout->stage_template));
    struct node *content = record_content(d, sources, template);
    bool adopted;
    if (store_put_once(a, &w->store, "sources", sources, "json", text, NULL, err) < 0 ||
        adopt_interrupted(d, content, &adopted, err) < 0)
        return -1;
    d->recorded = true;
    if (adopted)
        return 0;
    if (sts_account(a, d->r->aws, &account, &who, err) < 0)
        return -1;
    struct str hash = sha256_hex(a, json_canonical(a, content));
    node_put_str(a, content, "content", hash);
    node_put_c(a, content, "number", node_int(a, d->plan->number));
    node_put_str(a, content, "nonce", random_hex(a, 8));
    node_put_str(a, content, "when", time_iso(a, clock_wall_ms()));
    node_put_str(a, content, "who", who);
    node_put_str(a, content, "source", d->r->source_revision);
    node_put_str(a, content, "tool", STR(TROUPE_VERSION));
    node_put_c(a, content, "before", node_int(a, w->current));
    d->body = content;
    if (record_write(a, &w->store, stage_of(d), d->plan->number, content, err) == 0)
        return 0;
    d->recorded = false;
    if (err->kind != ERR_PRECONDITION)
        return -1;
    err->kind = ERR_LOCKED; /* the number is taken: somebody deployed meanwhile */
    return err_help(err,
                    "somebody else deployed '%.*s' at the same time; look at: troupe history %.*s",
                    STR_ARG(stage_of(d)), STR_ARG(stage_of(d)));
}

static int write_versions(struct deploying *d, struct arena *a, struct str template_hash,
                          struct err *err)
{
    struct node *all = node_map(a), *functions = node_map(a), *apis = node_map(a);
    for (size_t i = 0; i < d->plan->function_count; i++) {
        const struct function_plan *f = &d->plan->functions[i];
        struct node *n = node_map(a);
        if (!f->to.n)
            continue;
        node_put_str(a, n, "name", f->function->name);
        node_put_str(a, n, "fingerprint", f->fingerprint);
        node_put_str(a, n, "version", f->to);
        node_put(a, functions, f->function->key, n);
    }
    for (size_t i = 0; i < d->plan->api_count; i++) {
        const struct api_plan *p = &d->plan->apis[i];
        struct node *n = node_map(a);
        if (!p->to.n)
            continue;
        node_put_str(a, n, "id", p->rest_api);
        node_put_str(a, n, "fingerprint", p->fingerprint);
        node_put_str(a, n, "deployment", p->to);
        node_put(a, apis, p->api->id, n);
    }
    node_put_c(a, all, "format", node_int(a, RECORD_FORMAT));
    node_put_c(a, all, "functions", functions);
    node_put_c(a, all, "apis", apis);
    if (template_hash.n)
        node_put_str(a, all, "template", template_hash);
    return record_write_versions(a, &d->plan->world.store, stage_of(d), d->plan->number, all, err);
}

/* ---- publish ---- */

struct publishes {
    struct deploying *d;
    VEC(struct function_plan *) all;
    size_t done;
};

static int publish_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct publishes *x = context;
    struct deploying *d = x->d;
    struct function_plan *f = x->all.p[i];
    struct str version;
    struct str hint = str_fmt(scratch, "%.*s#%lld %.8s", STR_ARG(stage_of(d)),
                              (long long)d->plan->number, f->fingerprint.p);
    if (lease_check(d->lease, err) < 0 ||
        publish_function(scratch, d->r, &d->plan->world.store, f, hint, &version, err) < 0)
        return -1;
    pthread_mutex_lock(&d->lock);
    f->to = str_dup(d->arena, version);
    x->done++;
    release_progress(d->r, "publish", "%zu/%zu %.*s v%.*s", x->done, x->all.n,
                     STR_ARG(f->function->key), STR_ARG(version));
    int written = write_versions(d, scratch, STR(""), err);
    pthread_mutex_unlock(&d->lock);
    return written;
}

static int publish_functions(struct deploying *d, struct err *err)
{
    struct publishes x = {.d = d};
    int64_t start = clock_mono_ms();
    for (size_t i = 0; i < d->plan->function_count; i++)
        if (!d->plan->functions[i].to.n)
            vec_push(d->arena, &x.all, &d->plan->functions[i]);
    if (!x.all.n)
        return 0;
    if (pool_run(x.all.n, d->r->jobs ? d->r->jobs : 8, publish_one, &x, err) < 0)
        return -1;
    d->published = x.all.n;
    release_finished(d->r, "publish", "%zu of %zu functions in %.1fs", x.all.n,
                     d->plan->function_count, (double)(clock_mono_ms() - start) / 1000);
    return 0;
}

static int publish_apis(struct deploying *d, struct err *err)
{
    struct arena *a = d->arena;
    cleanup_lease struct lease *lease = NULL;
    for (size_t i = 0; i < d->plan->api_count; i++) {
        struct api_plan *p = &d->plan->apis[i];
        struct str hint = str_fmt(a, "%.*s#%lld %.8s", STR_ARG(stage_of(d)),
                                  (long long)d->plan->number, p->fingerprint.p);
        if (p->to.n)
            continue;
        if (!lease && lease_take(&d->plan->world.store, STR("service"),
                                 str_fmt(a, "publish the API for '%.*s'", STR_ARG(stage_of(d))),
                                 SERVICE_WAIT_MS, &lease, err) < 0)
            return -1;
        struct str deployment;
        release_progress(d->r, "publish", "rest api %.*s", STR_ARG(p->api->id));
        if (publish_api(a, d->r, p, hint, &deployment, err) < 0)
            return -1;
        p->to = deployment;
        if (write_versions(d, a, STR(""), err) < 0)
            return -1;
        release_finished(d->r, "publish", "rest api, deployment %.*s", STR_ARG(deployment));
    }
    return 0;
}

/* ---- contract ---- */

/* For later rollbacks. A template with a secret in it is not kept in the clear. */
static int keep_template(struct deploying *d, const struct node *template, struct err *err)
{
    struct str text = json_text(d->arena, template, 0);
    if (node_flags_deep(template) & NODE_SECRET)
        return 0;
    return store_put_once(d->arena, &d->plan->world.store, "templates", sha256_hex(d->arena, text),
                          "json", text, NULL, err);
}

static int contract(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    const struct node *template = plan_stage_template(d->r, d->plan, d->plan->number);
    if (keep_template(d, template, err) < 0 ||
        write_versions(d, d->arena, plan_stage_hash(d->r, d->plan), err) < 0 ||
        apply_stage(d, template, err) < 0)
        return -1;
    release_finished(d->r, "stack", "'%.*s' %s in %.1fs", STR_ARG(w->stage_name),
                     w->stage_exists ? "updated" : "created",
                     (double)(clock_mono_ms() - start) / 1000);
    w->stage_exists = true;
    return stack_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err);
}

/* A failed deployment says so in its record; a cut-off one is left open for the next command. */
static void note_failure(struct deploying *d, const struct err *err)
{
    struct err ignored = {0};
    if (d->recorded && err->kind != ERR_HALF_DONE && err->kind != ERR_CANCELLED)
        record_write_outcome(d->arena, &d->plan->world.store, stage_of(d), d->plan->number,
                             "failed", err->msg, &ignored);
    err_clear(&ignored);
}

static int take_stage_lease(struct deploying *d, const struct store *store, bool *ret_inherited,
                            struct err *err)
{
    struct arena *a = d->arena;
    if (lease_take(store, str_fmt(a, "stage-%.*s", STR_ARG(stage_of(d))),
                   str_fmt(a, "deploy '%.*s'", STR_ARG(stage_of(d))), 0, &d->lease, err) < 0)
        return -1;
    *ret_inherited = lease_inherited(d->lease);
    return 0;
}

/* The first deployment of all had no bucket to hold a lease in until now: somebody may have been as
 * fast. */
static int take_late_lease(struct deploying *d, struct err *err)
{
    bool inherited;
    struct stack stage;
    if (d->lease)
        return 0;
    if (take_stage_lease(d, &d->plan->world.store, &inherited, err) < 0)
        return -1;
    if (stack_describe(d->arena, d->r->aws, d->plan->world.stage_name, &stage, err) == 0)
        return err_set(err, ERR_LOCKED, "stage '%.*s' was created by somebody else meanwhile",
                       STR_ARG(stage_of(d)));
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

static int apply(struct deploying *d, struct err *err)
{
    if (ensure_service(d, err) < 0)
        return -1;
    if (!stage_of(d).n)
        return 0;
    if (take_late_lease(d, err) < 0 || upload_artifacts(d, true, err) < 0 || expand(d, err) < 0 ||
        settle_definitions(d, err) < 0 || upload_artifacts(d, false, err) < 0 ||
        write_intent(d, err) < 0)
        return -1;
    if (publish_functions(d, err) < 0 || publish_apis(d, err) < 0 || contract(d, err) < 0) {
        note_failure(d, err);
        return -1;
    }
    return record_write_outcome(d->arena, &d->plan->world.store, stage_of(d), d->plan->number,
                                "succeeded", STR(""), err);
}

/* ---- the whole ---- */

/* The last deployment went through, but its writer was stopped before it could say so. */
static int finish_outcome(struct deploying *d, struct err *err)
{
    const struct world *w = &d->plan->world;
    for (size_t i = 0; i < w->record_count; i++)
        if (w->records[i].number == w->current && str_eq(w->records[i].stage, stage_of(d)) &&
            !w->records[i].has_outcome)
            return record_write_outcome(d->arena, &w->store, stage_of(d), w->current, "succeeded",
                                        STR(""), err);
    return 0;
}

/* The service stack is being made or changed by another stage's deploy: that one holds the lease.
 */
static int wait_for_service(struct deploying *d, struct world *w, struct err *err)
{
    cleanup_lease struct lease *lease = NULL;
    if (!w->service_exists || stack_condition(w->service.status) != STACK_BUSY)
        return 0;
    if (str_eq(w->service.status, STR("CREATE_IN_PROGRESS")))
        return stack_settle(d->r, w->service_name, &w->service, err);
    if (!w->bucket.n) /* Outputs are unreadable while the stack is busy */
        return stack_settle(d->r, w->service_name, &w->service, err);
    if (lease_take(&w->store, STR("service"), STR("wait for the service stack"), SERVICE_WAIT_MS,
                   &lease, err) < 0)
        return -1;
    return lease_inherited(lease) ? stack_settle(d->r, w->service_name, &w->service, err) : 0;
}

static int read_world(struct deploying *d, const struct target *target, struct world *w,
                      struct err *err)
{
    bool inherited = false;
    if (world_find(d->r, target->layout->service_stack, target->layout->stage_stack, w, err) < 0 ||
        wait_for_service(d, w, err) < 0)
        return -1;
    if (!w->bucket.n && w->service_exists &&
        world_find(d->r, target->layout->service_stack, target->layout->stage_stack, w, err) < 0)
        return -1;
    if (stage_of(d).n && w->service_exists && w->bucket.n &&
        take_stage_lease(d, &w->store, &inherited, err) < 0)
        return -1;
    return world_read(d->r, target->layout, inherited, w, err);
}

static int run(struct deploying *d, const struct target *target, confirm_fn *confirm, void *context,
               struct err *err)
{
    struct world world;
    if (read_world(d, target, &world, err) < 0 ||
        plan_make(d->r, target, &world, d->plan, err) < 0 ||
        (confirm && confirm(context, d->plan, err) < 0))
        return -1;
    if (d->plan->nothing) {
        d->plan->number = world.current;
        return finish_outcome(d, err);
    }
    return apply(d, err);
}

int deploy_run(const struct release *r, const struct target *target, confirm_fn *confirm,
               void *context, struct deployed *ret, struct err *err)
{
    int64_t start = clock_mono_ms();
    struct deploying d = {
        .r = r, .arena = r->arena, .plan = &ret->plan, .lock = PTHREAD_MUTEX_INITIALIZER};
    int done = run(&d, target, confirm, context, err);
    lease_release(&d.lease);
    if (done < 0)
        return -1;
    ret->number = r->service->stage.n ? ret->plan.number : 0;
    ret->stage = ret->plan.world.stage;
    ret->published = d.published;
    ret->uploaded = d.uploaded;
    ret->took_ms = clock_mono_ms() - start;
    return 0;
}
