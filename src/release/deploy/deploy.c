/* Deploying: prepare, publish, switch (docs/design.md, "Deploying a stage"). */
#include "release/deploy/engine.h"

#include "base/clock.h"
#include "base/pool.h"
#include "doc/json.h"
#include "release/dispose/dispose.h"
#include "release/publish/publish.h"
#include "release/stack/stack.h"
#include "release/world/deployment_bucket.h"
#include "release/world/region.h"

/* ---- a remote stage's bucket ---- */

/* Before everything else: its code is copied there, and its templates. */
static int make_bucket(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    const struct node *target = plan_stage_template(d->r, d->plan, 0);
    const struct node *template = region_bucket_template(d->arena, target, w->stage_template);
    if (!d->r->service->remote || !template)
        return 0;
    release_progress(d->r, "stack", "first a bucket for the code in %.*s",
                     STR_ARG(d->r->service->region));
    if (region_mark(d->r, &w->store, err) < 0 || engine_apply_stage(d, template, err) < 0 ||
        cloudformation_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err) < 0)
        return -1;
    w->stage_exists = true;
    w->stage_template = template;
    world_use_bucket(d->r, w);
    return 0;
}

/* ---- prepare ---- */

static int prepare(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    const struct node *target = plan_stage_template(d->r, d->plan, 0);
    const struct node *now = engine_stage_now(d);
    int64_t start = clock_mono_ms();
    d->plan->waiting = MAP(d->arena);
    const struct layout *layout = d->plan->target.layout;
    const struct node *template =
        layout_expand(d->arena, layout, target, now, plan_changed_parameters(d->r, d->plan, target),
                      &d->plan->waiting);
    const struct node *granted =
        layout_grant(d->arena, layout, target, template ? template : now, &d->plan->waiting);
    if (granted)
        template = granted;
    if (!template)
        return 0;
    d->fresh_roles |= layout_changes_rights(now, template);
    release_progress(d->r, "stack", "what the functions need comes first");
    if (engine_apply_stage(d, template, err) < 0)
        return -1;
    release_finished(d->r, "prepare", "stack '%.*s' has what the functions need in %.1fs",
                     STR_ARG(w->stage_name), (double)(clock_mono_ms() - start) / 1000);
    w->stage_exists = true;
    return cloudformation_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err);
}

/* With the values that are known by now: fingerprints, and which snapshots exist already. */
static int resolve_again(struct deploying *d, struct err *err)
{
    struct plan *plan = d->plan;
    for (size_t i = 0; i < plan->function_count; i++)
        if (!plan->functions[i].pinned && !plan->functions[i].published)
            plan->functions[i] = (struct function_plan){.function = plan->functions[i].function,
                                                        .from = plan->functions[i].from};
    for (size_t i = 0; i < plan->api_count; i++)
        if (!plan->apis[i].pinned && !plan->apis[i].published)
            plan->apis[i] = (struct api_plan){.api = plan->apis[i].api, .from = plan->apis[i].from};
    return plan_resolve(d->r, plan, !plan->waiting.n, err) < 0 ? -1 : plan_reuse(d->r, plan, err);
}

/* ---- publish ---- */

struct publishes {
    struct deploying *d;
    VEC(struct function_plan *) all;
    size_t done;
};

/* Lambda may not know yet what this run, or one that was cut off before it, did to roles. */
static bool has_fresh_roles(const struct deploying *d)
{
    return d->fresh_roles || d->resumed || d->plan->world.cut_off.n;
}

static int publish_one(size_t i, void *context, struct arena *scratch, struct err *err)
{
    struct publishes *x = context;
    struct deploying *d = x->d;
    struct function_plan *f = x->all.p[i];
    struct str version;
    struct str hint = dispose_hint(scratch, engine_stage(d), d->plan->number, f->fingerprint);
    if (lease_check(d->lease, err) < 0 ||
        publish_function(scratch, d->r, &d->plan->world.store, f, hint, has_fresh_roles(d),
                         &version, err) < 0)
        return -1;
    pthread_mutex_lock(&d->lock);
    f->to = str_dup(d->arena, version);
    f->published = true;
    x->done++;
    release_progress(d->r, "publish", "%zu/%zu %.*s v%.*s", x->done, x->all.n,
                     STR_ARG(f->function->key), STR_ARG(version));
    int written = intent_versions(d, scratch, err);
    pthread_mutex_unlock(&d->lock);
    return written;
}

static int publish_functions(struct deploying *d, struct err *err)
{
    struct publishes x = {.d = d};
    int64_t start = clock_mono_ms();
    for (size_t i = 0; i < d->plan->function_count; i++)
        if (engine_is_due(&d->plan->functions[i]))
            vec_push(d->arena, &x.all, &d->plan->functions[i]);
    if (!x.all.n)
        return 0;
    if (pool_run(x.all.n, d->r->jobs ? d->r->jobs : 8, publish_one, &x, err) < 0)
        return -1;
    d->published += x.all.n;
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
        struct str hint = dispose_hint(a, engine_stage(d), d->plan->number, p->fingerprint);
        if (p->to.n || !p->document.p)
            continue;
        if (!lease && lease_take(&d->plan->world.store, STR("service"),
                                 str_fmt(a, "publish the API for '%.*s'", STR_ARG(engine_stage(d))),
                                 SERVICE_WAIT_MS, &lease, err) < 0)
            return -1;
        struct str deployment;
        const char *what = api_gateway(p->api->kind)->name;
        release_progress(d->r, "publish", "%s %.*s", what, STR_ARG(p->api->id));
        if (lease_check(d->lease, err) < 0 || lease_check(lease, err) < 0 ||
            publish_api(a, d->r, p, hint, &deployment, err) < 0)
            return -1;
        p->to = deployment;
        p->published = true;
        if (intent_versions(d, a, err) < 0)
            return -1;
        release_finished(d->r, "publish", "%s, deployment %.*s", what, STR_ARG(deployment));
    }
    return 0;
}

/* ---- switch: one update, in which all pointers move; what roles lose goes after it ---- */

/* The pointers have moved: rights that only the versions before them needed go. */
static int take_rights(struct deploying *d, const struct node *template, struct err *err)
{
    struct str stage = engine_stage(d);
    release_progress(d->r, "stack", "rights that nothing needs any more go");
    if (engine_apply_last(d, template, err) == 0)
        return 0;
    err_help(err,
             "'%.*s' serves what it is to serve, but its roles keep rights that they are not to "
             "have; fix the cause, then: troupe repair %.*s",
             STR_ARG(stage), STR_ARG(stage));
    err->kind = ERR_HALF_DONE;
    return -1;
}

/* CloudFormation moved the pointers that its templates tell apart; an interrupted switch may have
 * moved others. */
static int move_the_rest(struct deploying *d, struct err *err)
{
    struct str stage = engine_stage(d);
    if (engine_reconcile(d, false, err) == 0)
        return 0;
    if (err->help.n)
        err_note(err, (struct pos){0}, "%.*s", STR_ARG(err->help));
    err_help(err,
             "stack '%.*s' is updated, but some functions may serve what an interrupted command "
             "left; go on with it: troupe repair %.*s",
             STR_ARG(d->plan->world.stage_name), STR_ARG(stage));
    err->kind = ERR_HALF_DONE;
    return -1;
}

static int switch_by_stack(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    int64_t start = clock_mono_ms();
    if (engine_keep_template(d, plan_stage_template(d->r, d->plan, 0), err) < 0 ||
        intent_finish(d, err) < 0)
        return -1;
    const struct node *template = plan_stage_template(d->r, d->plan, d->plan->number);
    bool same = w->stage_template && node_equal(engine_pointers_only(d), template);
    if (engine_adopt_aliases(d, template, err) < 0)
        return -1;
    d->phase = DEPLOY_LAST;
    const struct node *first = d->plan->target.adoption
                                   ? NULL
                                   : layout_keep_rights(d->arena, template, engine_stage_now(d));
    if (engine_apply_last(d, first ? first : template, err) < 0 ||
        (d->drifted && move_the_rest(d, err) < 0) || (first && take_rights(d, template, err) < 0))
        return -1;
    release_finished(d->r, "stack", "'%.*s' %s in %.1fs", STR_ARG(w->stage_name),
                     w->stage_exists ? "updated" : "created",
                     (double)(clock_mono_ms() - start) / 1000);
    w->stage_exists = true;
    d->new_outputs = !same;
    return 0;
}

/* A failed deployment says so in its record; a cut-off one is left open for the next command. */
static void note_failure(struct deploying *d, const struct err *err)
{
    struct err ignored = {0};
    if (d->phase >= DEPLOY_RECORDED && err->kind != ERR_HALF_DONE && err->kind != ERR_CANCELLED &&
        !lease_lost(d->lease)) /* who has it now may be finishing this very record */
        record_write_outcome(d->arena, &d->plan->world.store, engine_stage(d), d->plan->number,
                             OUTCOME_FAILED, err->msg, &ignored);
    err_clear(&ignored);
}

static int take_stage_lease(struct deploying *d, const struct store *store, bool *ret_inherited,
                            struct err *err)
{
    if (lease_take_stage(store, engine_stage(d), d->verb, &d->lease, err) < 0)
        return -1;
    *ret_inherited = lease_inherited(d->lease);
    return 0;
}

/* Refuse when somebody changed the stack between the plan, which the user confirmed, and now. */
static int check_still(struct deploying *d, const struct stack *stage, struct err *err)
{
    const struct world *w = &d->plan->world;
    struct str text;
    if (cloudformation_template(d->arena, d->r->aws, w->stage_name, &text, err) < 0)
        return -1;
    const struct node *template = json_parse(d->arena, w->stage_name, text, err);
    if (!template)
        return -1;
    if (str_eq(stage->id, w->stage.id) && stack_condition(stage->status) == STACK_READY &&
        !node_get_c(stage->tags, TAG_SERVICE) && node_equal(template, w->stage_template))
        return 0;
    err_set(err, ERR_LOCKED, "stack '%.*s' was changed by somebody else meanwhile",
            STR_ARG(w->stage_name));
    return err_help(err, "run the same command again");
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
    if (cloudformation_describe(d->arena, d->r->aws, d->plan->world.stage_name, &stage, err) == 0) {
        if (stack_never_worked(stage.status))
            return 0;
        if (d->plan->target.adoption)
            return check_still(d, &stage, err);
        err_set(err, ERR_LOCKED, "stage '%.*s' was created by somebody else meanwhile",
                STR_ARG(engine_stage(d)));
        return err_help(err, "run the same command again to deploy over it");
    }
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

/* Somebody may just now be pruning versions that this deployment reuses. Pruning marks records
 * first and looks for intents afterwards; a deployment writes its intent first and looks for marks
 * afterwards. So at least one of the two sees the other. */
static int check_reused_kept(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    struct record_ref *refs;
    size_t n, marks = 0, known = 0;
    if (!d->plan->reuses)
        return 0;
    if (intent_versions(d, d->arena, err) < 0 ||
        records_list(d->arena, &w->store, &refs, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        marks += refs[i].pruned;
    for (size_t i = 0; i < w->record_count; i++)
        known += w->records[i].pruned;
    if (marks == known)
        return 0;
    err_set(err, ERR_LOCKED, "old versions are being pruned at this moment");
    return err_help(err, "run the same command again");
}

/* A shift that was cut off left weights behind: an alias that the stack moves may not be able to
 * share its calls with the version that has them. */
static int clear_weights(struct deploying *d, struct err *err)
{
    const struct record *last = &d->plan->world.interrupted;
    return last->body && last->body->shifts ? engine_reconcile(d, true, err) : 0;
}

static int publish(struct deploying *d, struct err *err)
{
    return check_reused_kept(d, err) < 0 || publish_functions(d, err) < 0 ||
                   publish_apis(d, err) < 0
               ? -1
               : 0;
}

static size_t published_by_now(const struct plan *plan)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->function_count; i++)
        n += plan->functions[i].to.n > 0;
    for (size_t i = 0; i < plan->api_count; i++)
        n += plan->apis[i].to.n > 0;
    return n;
}

static int say_stuck(const struct plan *plan, struct err *err)
{
    const struct layout_value *v = plan->target.layout->values;
    while (!map_has(&plan->waiting, v->output))
        v++;
    err_at(err, v->pos, ERR_REFUSED,
           "this value needs a pointer that moves with this very deployment");
    return err_help(err, "deploy without the value first, then with it");
}

/* Until every value is known: what functions need, then those functions that others wait for. The
 * intent comes before the first of them. */
static int publish_in_waves(struct deploying *d, struct err *err)
{
    for (size_t before = SIZE_MAX;;) {
        size_t now = published_by_now(d->plan);
        if (d->plan->waiting.n && now == before)
            return say_stuck(d->plan, err);
        before = now;
        if (!d->plan->target.switches && prepare(d, err) < 0)
            return -1;
        if (resolve_again(d, err) < 0 || engine_upload(d, false, err) < 0 ||
            (d->phase < DEPLOY_RECORDED && intent_write(d, err) < 0))
            return -1;
        if (!d->plan->waiting.n)
            return 0;
        release_progress(d->r, "publish", "first what others wait for");
        if (publish(d, err) < 0)
            return -1;
    }
}

static int publish_all(struct deploying *d, struct err *err)
{
    const struct shifting *shifting = d->plan->target.shifting;
    if (d->plan->target.switches)
        return shifting && shifting->stand < 100 ? engine_stand(d, err) : engine_switch(d, err);
    if (clear_weights(d, err) < 0 || publish(d, err) < 0 || engine_wake(d, err) < 0 ||
        engine_shift(d, err) < 0)
        return -1;
    if (switch_by_stack(d, err) == 0)
        return 0;
    if (d->drifted && err->kind != ERR_HALF_DONE &&
        !lease_lost(d->lease)) { /* else the stack may still move them */
        struct err ignored = {0};
        engine_reconcile(d, true, &ignored);
        err_clear(&ignored);
    }
    return -1;
}

static int set_log_role(struct deploying *d, struct err *err)
{
    struct str role = d->plan->log_role;
    if (!role.n)
        return 0;
    if (apigateway_log_role_set(d->arena, d->r->aws, role, err) < 0)
        return err_wrap(err, "set the role with which API Gateway writes logs");
    release_finished(d->r, "logs", "API Gateway writes logs as '%.*s'", STR_ARG(role));
    return 0;
}

static int close_record(struct deploying *d, struct err *err)
{
    return record_write_outcome(d->arena, &d->plan->world.store, engine_stage(d), d->plan->number,
                                OUTCOME_SUCCEEDED, STR(""), err);
}

/* For those who are shown them, or build on them. */
static int read_outputs(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    return d->new_outputs
               ? cloudformation_describe(d->arena, d->r->aws, w->stage_name, &w->stage, err)
               : 0;
}

/* What failed came after the deployment: the next command finds nothing else to do. */
static int say_deployed(const struct deploying *d, struct err *err)
{
    struct str stage = engine_stage(d);
    err_wrap(err, "'%.*s' is deployed, but what comes after it failed", STR_ARG(stage));
    err->kind = ERR_HALF_DONE;
    return err->help.n ? -1 : err_help(err, "run the same command again: it finishes");
}

static int apply(struct deploying *d, struct err *err)
{
    if (engine_check_publisher(d, err) < 0 || engine_service(d, err) < 0)
        return -1;
    if (!engine_stage(d).n)
        return 0;
    if (take_late_lease(d, err) < 0 || engine_adopt(d, err) < 0 || set_log_role(d, err) < 0 ||
        engine_import_api_stage(d, err) < 0 || make_bucket(d, err) < 0 ||
        engine_upload(d, true, err) < 0)
        return -1;
    if (publish_in_waves(d, err) < 0 || publish_all(d, err) < 0) {
        note_failure(d, err);
        return -1;
    }
    if (d->percent) /* the record stays open */
        return 0;
    return close_record(d, err) < 0 || read_outputs(d, err) < 0 ? say_deployed(d, err) : 0;
}

/* ---- termination protection ---- */

static bool wants_guard(const struct service *service)
{
    const struct settings *s = &service->settings;
    for (size_t i = 0; i < s->termination_count; i++)
        if (service->stage.n && settings_glob(s->terminations[i], service->stage))
            return true;
    return false;
}

/* The stacks of a protected stage are its own and the service's, which has what the stage runs on:
 * that one stays protected when other stages are deployed. What went back to an earlier deployment
 * loses no protection. */
static bool changes_guard(const struct service *service, const char *verb, const struct world *w,
                          bool *ret_on)
{
    *ret_on = wants_guard(service);
    return service->settings.has_terminations && service->stage.n && w->stage.guarded != *ret_on &&
           (*ret_on || strcmp(verb, "deploy") == 0);
}

static void guard_stacks(struct deploying *d)
{
    struct world *w = &d->plan->world;
    struct release home = region_home(d->r);
    struct stack stage = {.name = w->stage_name, .guarded = w->stage.guarded};
    bool on;
    if (changes_guard(d->r->service, d->verb, w, &on))
        stack_guard(d->r, &stage, on);
    if (on)
        stack_guard(&home, &w->service, true);
}

/* ---- nothing to do ---- */

/* The last deployment went through, but its writer was stopped before it could say so. */
static int finish_outcome(struct deploying *d, struct err *err)
{
    struct world *w = &d->plan->world;
    if (!w->unclosed)
        return 0;
    if (world_want(d->r, WORLD_RECORD, w, err) < 0 ||
        (record_moves_by_api(&w->record) && engine_reconcile(d, false, err) < 0))
        return -1;
    return record_write_outcome(d->arena, &w->store, engine_stage(d), w->current, OUTCOME_SUCCEEDED,
                                STR(""), err);
}

/* The stage is to be what its stack says, but an interrupted rollback or shift has moved pointers:
 * they go back. */
static int undo_switch(struct deploying *d, struct err *err)
{
    const struct world *w = &d->plan->world;
    if (engine_reconcile(d, false, err) < 0)
        return -1;
    d->undone = w->last_number;
    return record_write_outcome(d->arena, &w->store, engine_stage(d), w->last_number,
                                OUTCOME_SUPERSEDED, STR("taken back"), err);
}

static int finish_interrupted(struct deploying *d, struct err *err)
{
    const struct world *w = &d->plan->world;
    d->plan->number = w->current;
    if (record_moves_by_api(&w->interrupted) && undo_switch(d, err) < 0)
        return -1;
    return finish_outcome(d, err);
}

/* ---- the whole ---- */

/* The service stack is being made or changed by another stage's deploy: that one holds the lease.
 */
static int wait_for_service(struct deploying *d, struct world *w, struct err *err)
{
    cleanup_lease struct lease *lease = NULL;
    if (!w->service_exists || stack_condition(w->service.status) != STACK_BUSY)
        return 0;
    if (str_eq(w->service.status, STR("CREATE_IN_PROGRESS")))
        return stack_wait(d->r, w->service_name, &w->service, err);
    if (!w->bucket.n) /* Outputs are unreadable while the stack is busy */
        return stack_wait(d->r, w->service_name, &w->service, err);
    if (lease_take(&w->store, STR("service"), STR("wait for the service stack"), SERVICE_WAIT_MS,
                   &lease, err) < 0)
        return -1;
    return stack_wait(d->r, w->service_name, &w->service, err);
}

/* A record is marked and not gone: somebody may be pruning at this moment, and may delete code that
 * this deployment finds in the bucket and does not upload. Wait until they give the lease back. */
static int wait_for_prune(const struct world *w, struct err *err)
{
    cleanup_lease struct lease *lease = NULL;
    bool under_way = false;
    for (size_t i = 0; i < w->record_count; i++)
        under_way |= w->records[i].pruned && !w->records[i].gone;
    return under_way ? lease_take(&w->store, STR("service"), STR("wait until pruning is done"),
                                  SERVICE_WAIT_MS, &lease, err)
                     : 0;
}

static int read_world(struct deploying *d, unsigned parts, struct world *w, struct err *err)
{
    bool inherited = false;
    if (world_find(d->r, false, w, err) < 0 || wait_for_service(d, w, err) < 0)
        return -1;
    world_use_bucket(d->r, w); /* Outputs can be read by now */
    if (engine_stage(d).n && w->service_exists && w->bucket.n &&
        take_stage_lease(d, &w->store, &inherited, err) < 0)
        return -1;
    w->cut_off = lease_inherited_nonce(d->lease);
    return world_read(d->r, parts, inherited, w, err) < 0 ? -1 : wait_for_prune(w, err);
}

/* A shift by hand is somebody's experiment: only what ends it may pass. */
static int check_no_shift(const struct goal *goal, const struct release *r, const struct world *w,
                          struct err *err)
{
    const struct record *shift = world_shift(w);
    struct str stage = r->service->address;
    if (!shift || goal->ends_shift)
        return 0;
    err_set(err, ERR_REFUSED, "a shift of '%.*s' is under way: %.*s#%lld", STR_ARG(stage),
            STR_ARG(stage), (long long)shift->number);
    return err_help(err, "finish it with troupe shift %.*s --promote, or take it back with --abort",
                    STR_ARG(stage));
}

static int make_plan(struct release *r, const struct goal *goal, struct world *world,
                     struct plan *ret, struct err *err)
{
    struct target target = {0};
    if (check_no_shift(goal, r, world, err) < 0 || goal->find(goal, r, world, &target, err) < 0)
        return -1;
    target.shifting = goal->shifting;
    if (goal->what.n)
        target.what = goal->what;
    if (target.service)
        r->service = target.service;
    if (plan_make(r, &target, world, ret, err) < 0 || plan_nested(r, ret, err) < 0)
        return -1;
    bool on;
    if (changes_guard(r->service, goal->verb, world, &on))
        plan_note(r->arena, ret,
                  str_fmt(r->arena, "termination protection of stack '%.*s' is turned %s",
                          STR_ARG(world->stage_name), on ? "on" : "off"));
    if (!world->service_exists && deployment_bucket_is_made(r->service))
        plan_note(r->arena, ret,
                  str_fmt(r->arena, "bucket '%.*s' is made if it is not there",
                          STR_ARG(node_text(
                              node_path(r->service->root, "provider.deploymentBucket.name")))));
    return 0;
}

int plan_run(const struct release *r, const struct goal *goal, struct plan *ret, struct err *err)
{
    struct world world;
    struct release own = *r;
    own.explain = true;
    if (world_find(&own, false, &world, err) < 0 ||
        world_read(&own, goal->parts, false, &world, err) < 0)
        return -1;
    return make_plan(&own, goal, &world, ret, err);
}

static int run(struct deploying *d, const struct goal *goal, confirm_fn *confirm, void *context,
               struct err *err)
{
    struct world world;
    if (read_world(d, goal->parts, &world, err) < 0 ||
        make_plan(&d->release, goal, &world, d->plan, err) < 0 ||
        (confirm && confirm(context, d->plan, err) < 0))
        return -1;
    struct release home = region_home(d->r);
    if (strcmp(d->verb, "deploy") == 0 && deployment_bucket_apply(&home, err) < 0)
        return -1;
    if ((d->plan->nothing ? finish_interrupted(d, err) : apply(d, err)) < 0)
        return -1;
    guard_stacks(d);
    return 0;
}

int deploy_run(const struct release *r, const struct goal *goal, confirm_fn *confirm, void *context,
               struct deployed *ret, struct err *err)
{
    int64_t start = clock_mono_ms();
    struct deploying d = {.release = *r,
                          .verb = goal->verb,
                          .arena = r->arena,
                          .plan = &ret->plan,
                          .lock = PTHREAD_MUTEX_INITIALIZER};
    d.r = &d.release;
    int done = run(&d, goal, confirm, context, err);
    lease_release(&d.lease);
    if (done < 0)
        return -1;
    ret->number = r->service->address.n ? ret->plan.number : 0;
    ret->stage = ret->plan.world.stage;
    ret->published = d.published;
    ret->uploaded = d.uploaded;
    ret->percent = d.percent;
    ret->undone = d.undone;
    ret->took_ms = clock_mono_ms() - start;
    return 0;
}

static int find_ready(const struct goal *goal, const struct release *r, struct world *world,
                      struct target *ret, struct err *err)
{
    (void)r, (void)world, (void)err;
    *ret = *(const struct target *)goal->context;
    return 0;
}

struct goal goal_deploy(const struct target *ready)
{
    return (struct goal){
        .verb = "deploy", .parts = WORLD_RECORD, .find = find_ready, .context = ready};
}
