/* Playing stories; see story.h. */
#include "check.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "doc/json.h"
#include "fake_aws.h"
#include "fake_clock.h"
#include "pack/pack.h"
#include "release/bucket/stage_address.h"
#include "release/release.h"
#include "release/world/region.h"
#include "story.h"

enum { FILE_MAX = 1 << 20, WORDS = 16 };

struct story {
    struct arena *arena;
    struct str folder, top, dir; /* of the golden files; a temporary one; "<top>/svc" */
    struct str file;             /* the version of the service that commands are about */
    struct str code;
    struct map clients; /* region -> struct aws * */
    struct buf out;
    struct map deployments; /* "deployment-17" -> struct str *: "d1" */
    struct map none;
    pthread_mutex_t told; /* observers are called by several threads */
    struct str stop_when; /* a text of the progress */
    /* of the command under way */
    struct str words[WORDS];
    size_t word_count;
    struct str rest; /* of its line, from word 2 on */
    struct service service;
    struct config_options config;
    struct layout layout;
    struct target target;
    struct release release;
    struct observer observer;
    struct shifting shifting;
    struct err err;
};

/* ---- what a command is about ---- */

static struct str word(const struct story *s, size_t i)
{
    return i < s->word_count ? s->words[i] : (struct str){"", 0};
}

/* The value behind an option, or an empty one. */
static struct str option(const struct story *s, const char *name)
{
    for (size_t i = 0; i + 1 < s->word_count; i++)
        if (str_eq(s->words[i], str_c(name)))
            return s->words[i + 1];
    return (struct str){"", 0};
}

static bool has(const struct story *s, const char *name)
{
    for (size_t i = 0; i < s->word_count; i++)
        if (str_eq(s->words[i], str_c(name)))
            return true;
    return false;
}

static int64_t number(struct str text)
{
    int64_t n = 0;
    return str_to_int(text, &n) ? n : 0;
}

static struct aws *client(void *context, struct str region, struct err *err)
{
    struct story *s = context;
    (void)err;
    if (!map_has(&s->clients, region))
        map_put(&s->clients, region, fake_aws_client_in(cloud, region));
    return map_get(&s->clients, region);
}

static void finished(void *context, const char *step, struct str text)
{
    struct story *s = context;
    ptrdiff_t took = str_find(text, STR(" in "), 0);
    pthread_mutex_lock(&s->told);
    if (strcmp(step, "shift") == 0)
        buf_fmt(&s->out, "  %s: %.*s\n", step, STR_ARG(text));
    if (strcmp(step, "prepare") == 0 || strcmp(step, "switch") == 0)
        buf_fmt(&s->out, "  %s: %.*s\n", step, (int)took, text.p);
    pthread_mutex_unlock(&s->told);
}

static void progress(void *context, enum told told, const char *step, struct str text)
{
    struct story *s = context;
    pthread_mutex_lock(&s->told);
    if (strcmp(step, "shift") == 0 || (strcmp(step, "switch") == 0 && told == TOLD_STEP))
        buf_fmt(&s->out, "  %s… %.*s\n", step, STR_ARG(text));
    if (s->stop_when.n && str_find(text, s->stop_when, 0) >= 0) {
        s->stop_when = (struct str){"", 0};
        cancel_request();
    }
    pthread_mutex_unlock(&s->told);
}

/* The service for stage word 1 ("-": none). */
static int load(struct story *s)
{
    struct arena *a = s->arena;
    struct str stage = word(s, 1), text, region, home;
    bool alone = str_eq(stage, STR("-"));
    struct str yml = path_join(a, s->folder, s->file);
    s->service = (struct service){0};
    check_ok(fs_read(a, yml, FILE_MAX, &text, &s->err), &s->err);
    check_ok(fs_write(path_join(a, s->dir, STR("serverless.yml")), text, 0644, &s->err), &s->err);
    check_ok(fs_write(path_join(a, s->dir, STR("h.js")), s->code, 0644, &s->err), &s->err);
    home = address_stage(stage, &region);
    s->config = (struct config_options){.dir = s->dir,
                                        .stage = alone ? (struct str){"", 0} : home,
                                        .region = region,
                                        .options = &s->none,
                                        .params = &s->none};
    if (service_load(a, &s->config, &s->service, &s->err) < 0)
        return -1;
    if (alone)
        service_alone(&s->service);
    s->observer = (struct observer){s, progress, finished};
    s->release = (struct release){.arena = a,
                                  .aws = client(s, s->service.region, &s->err),
                                  .service = &s->service,
                                  .client = client,
                                  .client_context = s,
                                  .observer = &s->observer,
                                  .jobs = 4,
                                  .config = &s->config};
    if (s->service.remote)
        s->release.home = client(s, s->service.home, &s->err);
    return 0;
}

static int build(struct story *s)
{
    struct arena *a = s->arena;
    struct packed *packed = ARENA_NEW(a, struct packed);
    struct compiled *compiled = ARENA_NEW(a, struct compiled);
    struct pack_options pack = {0};
    struct compile_options compile = {.naming = NAMING_SHARED, .artifact_dir = STR("artifacts")};
    struct left_out rest;
    if (layout_leave_out(a, &s->service, &rest, &s->err) < 0 ||
        pack_service(a, rest.service, &pack, packed, &s->err) < 0 ||
        compile_service(a, rest.service, packed, &compile, compiled, &s->err) < 0 ||
        layout_service(a, rest.service, compiled, &s->layout, &s->err) < 0)
        return -1;
    s->target = (struct target){.layout = &s->layout};
    return 0;
}

/* ---- what is seen ---- */

static struct str short_deployment(struct story *s, struct str id)
{
    if (!map_has(&s->deployments, id)) {
        struct str *name = ARENA_NEW(s->arena, struct str);
        *name = str_fmt(s->arena, "d%zu", s->deployments.n + 1);
        map_put(&s->deployments, str_dup(s->arena, id), name);
    }
    return *(struct str *)map_get(&s->deployments, id);
}

/* `text` without the temporary folder, and with short names of deployments. */
static void say(struct story *s, struct str text)
{
    struct str long_name = STR("deployment-"), dir = str_concat(s->arena, s->dir, STR("/"));
    for (size_t i = 0; i < text.n;) {
        struct str rest = str_sub(text, i, text.n);
        size_t end = long_name.n;
        if (str_starts(rest, dir)) {
            i += dir.n;
            continue;
        }
        while (str_starts(rest, long_name) && end < rest.n && rest.p[end] >= '0' &&
               rest.p[end] <= '9')
            end++;
        if (end > long_name.n) {
            buf_add(&s->out, short_deployment(s, str_sub(rest, 0, end)));
            i += end;
        } else {
            buf_char(&s->out, text.p[i++]);
        }
    }
}

static void say_plan(struct story *s, const struct plan *plan)
{
    static const char *const signs[] = {
        [CHANGE_ADD] = "+",    [CHANGE_UPDATE] = "~",  [CHANGE_REPLACE] = "-/+",
        [CHANGE_REMOVE] = "-", [CHANGE_PUBLISH] = "*", [CHANGE_MOVE] = ">",
        [CHANGE_PENDING] = "?"};
    for (size_t i = 0; i < plan->change_count; i++) {
        const struct change *c = &plan->changes[i];
        say(s,
            str_fmt(s->arena, "  %s %.*s %.*s  %.*s%s%.*s%s\n", signs[c->action], STR_ARG(c->kind),
                    STR_ARG(c->name), STR_ARG(c->detail), c->reason.n ? ": " : "",
                    STR_ARG(c->reason), c->stateful ? " (holds data)" : ""));
    }
    for (size_t i = 0; i < plan->target.note_count; i++)
        say(s, str_fmt(s->arena, "  note: %.*s\n", STR_ARG(plan->target.notes[i])));
    if (plan->nothing)
        say(s, STR("  nothing changes\n"));
}

/* Where the stage's pointers are at AWS. */
static void say_pointers(struct story *s, struct str stage)
{
    struct arena *a = s->arena;
    for (size_t i = 0; i < cloud->functions.n; i++) {
        const struct fake_function *f = &cloud->functions.p[i];
        for (size_t k = 0; k < f->aliases.n; k++) {
            const struct node *alias = f->aliases.p[k];
            if (!str_eq(node_text(node_get_c(alias, "Name")), stage))
                continue;
            say(s, str_fmt(a, "  %.*s v%.*s", STR_ARG(f->name),
                           STR_ARG(node_text(node_get_c(alias, "FunctionVersion")))));
            member_each (w, node_path(alias, "RoutingConfig.AdditionalVersionWeights"))
                say(s, str_fmt(a, " v%.*s %.*s", STR_ARG(w->key), STR_ARG(node_text(w->value))));
            say(s, STR("\n"));
        }
    }
    for (size_t i = 0; i < cloud->apis.n; i++) {
        const struct node *at = fake_api_stage(&cloud->apis.p[i], stage);
        if (at)
            say(s, str_fmt(a, "  %.*s %.*s\n", STR_ARG(cloud->apis.p[i].id),
                           STR_ARG(node_text(node_get_c(at, "deploymentId")))));
    }
}

static const struct node *object(struct story *s, int64_t n, const char *what)
{
    cleanup_err struct err err = {0};
    struct str text = fake_get(cloud, str_fmt(s->arena, "troupe/shop/stages/%.*s/%lld%s.json",
                                              STR_ARG(s->service.address), (long long)n, what)
                                          .p);
    return text.p ? json_parse(s->arena, STR("object"), text, &err) : NULL;
}

/* The newest record of the stage. */
static void say_record(struct story *s)
{
    enum { MOST = 40 };
    int64_t n = s->service.address.n ? MOST : 0;
    while (n && !object(s, n, ""))
        n--;
    const struct node *record = object(s, n, ""), *outcome = object(s, n, ".outcome");
    struct str reason = node_text(node_get_c(outcome, "reason"));
    if (record)
        say(s, str_fmt(s->arena, "  %.*s#%lld %.*s: %.*s%s%.*s\n", STR_ARG(s->service.address),
                       (long long)n, STR_ARG(node_text(node_get_c(record, "what"))),
                       STR_ARG(node_text_or(node_get_c(outcome, "outcome"), STR("open"))),
                       reason.n ? ": " : "", STR_ARG(reason)));
}

static void say_error(struct story *s)
{
    static const char *const kinds[ERR_KIND_COUNT] = {
        [ERR_FAILED] = "failed",       [ERR_USAGE] = "usage",         [ERR_CONFIG] = "config",
        [ERR_REFUSED] = "refused",     [ERR_LOCKED] = "locked",       [ERR_HALF_DONE] = "half done",
        [ERR_CANCELLED] = "cancelled", [ERR_NOT_FOUND] = "not found", [ERR_CONFLICT] = "conflict",
        [ERR_DENIED] = "denied"};
    assert_non_null(kinds[s->err.kind]);
    say(s, str_fmt(s->arena, "(%s) ", kinds[s->err.kind]));
    say(s, err_render(s->arena, &s->err, false));
    err_clear(&s->err);
}

/* ---- commands ---- */

static int use_file(struct story *s, size_t at)
{
    if (str_ends(word(s, at), STR(".yml")))
        s->file = word(s, at);
    return load(s);
}

static int look(struct story *s, const struct goal *goal)
{
    struct plan plan;
    if (plan_run(&s->release, goal, &plan, &s->err) < 0)
        return -1;
    say_plan(s, &plan);
    return 0;
}

static int confirm(void *context, const struct plan *plan, struct err *err)
{
    (void)err;
    say_plan(context, plan);
    return 0;
}

static void pursue(struct story *s, const struct goal *goal)
{
    struct deployed done = {0};
    int went = has(s, "--plan") ? look(s, goal)
                                : deploy_run(&s->release, goal, confirm, s, &done, &s->err);
    if (went < 0)
        say_error(s);
    if (has(s, "--plan"))
        return;
    if (done.undone)
        say(s, str_fmt(s->arena, "  #%lld is taken back\n", (long long)done.undone));
    say_pointers(s, s->service.stage);
    say_record(s);
}

static const struct shifting *shifting(struct story *s)
{
    s->shifting =
        (struct shifting){.settings = &s->service.settings.shift, .verify = option(s, "--verify")};
    return s->service.settings.shift.kind == SHIFT_ALL_AT_ONCE && !s->shifting.verify.n
               ? NULL
               : &s->shifting;
}

static void deploy(struct story *s)
{
    struct str function = option(s, "--function");
    if (use_file(s, 2) < 0 || build(s) < 0) {
        say_error(s);
        return;
    }
    struct goal goal =
        function.n ? goal_function(s->arena, &s->target, function) : goal_deploy(&s->target);
    goal.shifting = shifting(s);
    pursue(s, &goal);
}

static void rollback(struct story *s)
{
    struct goal goal = goal_rollback(s->arena, number(word(s, 2)));
    check_ok(load(s), &s->err);
    pursue(s, &goal);
}

/* shift STAGE N PERCENT; N 0: the one that is under way. */
static void shift(struct story *s)
{
    struct shifting by_hand = {.stand = (unsigned)number(word(s, 3))};
    struct goal goal = goal_shift(s->arena, number(word(s, 2)), &by_hand);
    check_ok(load(s), &s->err);
    pursue(s, &goal);
}

/* reset STAGE OTHER [N] [--exact], clone the same. */
static void reset(struct story *s)
{
    bool clone = str_eq(word(s, 0), STR("clone"));
    struct goal goal = (clone ? goal_clone : goal_reset)(s->arena, word(s, 2), number(word(s, 3)),
                                                         has(s, "--exact"));
    check_ok(load(s), &s->err);
    pursue(s, &goal);
}

static void remove_it(struct story *s)
{
    bool nothing;
    check_ok(load(s), &s->err);
    if (remove_stage(&s->release, s->service.address, false, &nothing, &s->err) < 0)
        say_error(s);
    say_record(s);
}

/* ---- what happens to them ---- */

static void write_code(struct story *s)
{
    s->code = s->rest;
}

static struct fake_fault fault(struct story *s, enum fault kind)
{
    return (struct fake_fault){.kind = kind,
                               .operation = str_z(cloud->arena, word(s, 1)),
                               .target = word(s, 2).n && !str_starts(word(s, 2), STR("--"))
                                             ? str_z(cloud->arena, word(s, 2))
                                             : NULL,
                               .skip = (int)number(option(s, "--skip")),
                               .times = (int)number(option(s, "--times"))};
}

/* value KIND:NAME TEXT: of SSM ("ssm", "secure") or Secrets Manager ("secret"). */
static void value(struct story *s)
{
    if (!cloud->values)
        cloud->values = node_map(cloud->arena);
    node_drop(cloud->values, word(s, 1));
    node_put(cloud->arena, cloud->values, str_dup(cloud->arena, word(s, 1)),
             node_str(cloud->arena, str_dup(cloud->arena, word(s, 2))));
}

/* log-role [ARN]: with which API Gateway writes logs; without, what it is. */
static void log_role(struct story *s)
{
    if (s->word_count > 1)
        cloud->log_role = str_dup(cloud->arena, word(s, 1));
    else
        say(s, str_fmt(s->arena, "  %.*s\n", STR_ARG(cloud->log_role)));
}

/* refuse OPERATION [TARGET] [--skip N] [--times N] */
static void refuse(struct story *s)
{
    struct fake_fault f = fault(s, FAULT_REFUSE);
    f.status = 403;
    f.code = "AccessDeniedException";
    f.message = "not allowed";
    fake_fault(cloud, f);
}

/* stop-when TEXT: ^C as soon as the progress says so. */
static void stop_when(struct story *s)
{
    s->stop_when = word(s, 1);
}

/* fail-update N: the N-th operation on a stack from now on fails, and is rolled back. */
static void fail_update(struct story *s)
{
    static const struct fake_step steps[] = {
        {.status = "UPDATE_IN_PROGRESS"},
        {"Topic", "AWS::SNS::Topic", "UPDATE_FAILED", "Invalid topic", "t"},
        {.status = "UPDATE_ROLLBACK_IN_PROGRESS"},
        {.status = "UPDATE_ROLLBACK_COMPLETE"}};
    cloud->script = steps;
    cloud->script_count = sizeof steps / sizeof *steps;
    cloud->script_skip = (size_t)number(word(s, 1)) - 1;
}

/* alarm NAME STATE */
static void alarm_is(struct story *s)
{
    const char *name = str_z(cloud->arena, word(s, 1));
    struct fake_alarm now = {name, str_z(cloud->arena, word(s, 2)), "a threshold was crossed"};
    for (size_t i = 0; i < cloud->alarms.n; i++)
        if (strcmp(cloud->alarms.p[i].name, name) == 0)
            cloud->alarms.p[i] = cloud->alarms.p[--cloud->alarms.n];
    vec_push(cloud->arena, &cloud->alarms, now);
}

static const char *crossing;

static void cross(struct fake_aws *aws)
{
    for (size_t i = 0; i < aws->alarms.n; i++)
        if (strcmp(aws->alarms.p[i].name, crossing) == 0)
            aws->alarms.p[i].state = "ALARM";
}

/* alarm-at OPERATION NAME: it goes off with that call. */
static void alarm_at(struct story *s)
{
    crossing = str_z(cloud->arena, word(s, 2));
    fake_fault(cloud,
               (struct fake_fault){FAULT_RACE, str_z(cloud->arena, word(s, 1)), .race = cross});
}

/* What somebody else does while a call is under way. */
static struct meanwhile {
    const char *stack, *stage, *status; /* a stack is there, */
    const char *key;                    /* or an object */
} meanwhile;

static void others_act(struct fake_aws *aws)
{
    static const char template[] =
        "{\"Resources\":{\"ServerlessDeploymentBucket\":{\"Type\":\"AWS::S3::Bucket\"}},"
        "\"Outputs\":{\"ServerlessDeploymentBucketName\":{\"Value\":\"" FAKE_BUCKET "\"}}}";
    struct meanwhile *m = &meanwhile;
    struct fake_stack *stack = m->stack ? fake_stack_find(aws, str_c(m->stack)) : NULL;
    if (m->key)
        fake_put_locked(aws, m->key, STR("{\"format\":1}"));
    else if (stack)
        stack->status = str_c(m->status);
    else
        fake_stack_add(aws, m->stack, "shop", m->stage, m->status, template);
}

/* meanwhile OPERATION TARGET stack NAME STAGE STATUS ("-": the service's), or object KEY */
static void others(struct story *s)
{
    struct arena *a = cloud->arena;
    struct fake_fault f = fault(s, FAULT_RACE);
    bool stack = str_eq(word(s, 3), STR("stack")), service = str_eq(word(s, 5), STR("-"));
    meanwhile = (struct meanwhile){0};
    if (stack)
        meanwhile = (struct meanwhile){.stack = str_z(a, word(s, 4)),
                                       .stage = service ? "" : str_z(a, word(s, 5)),
                                       .status = str_z(a, word(s, 6))};
    else
        meanwhile.key = str_fmt(a, "troupe/shop/%.*s", STR_ARG(word(s, 4))).p;
    f.race = others_act;
    fake_fault(cloud, f);
}

/* write NAME TEXT, beside serverless.yml. */
static void write_file(struct story *s)
{
    check_ok(fs_write(path_join(s->arena, s->dir, word(s, 1)),
                      str_concat(s->arena, s->rest, STR("\n")), 0644, &s->err),
             &s->err);
}

/* later SECONDS: what a stopped command left in the bucket runs out. */
static void later(struct story *s)
{
    fake_clock_pass(1000 * number(word(s, 1)));
}

/* Nothing is refused any more. */
static void allow(struct story *s)
{
    (void)s;
    cloud->faults.n = 0;
    cloud->script = NULL;
}

static struct fake_function *function_of(struct story *s)
{
    struct fake_function *f = fake_function_find(cloud, word(s, 1));
    assert_non_null(f);
    return f;
}

/* version FUNCTION N {MEMBERS}; without members it is deleted. */
static void version(struct story *s)
{
    struct fake_function *f = function_of(s);
    struct node *v = f->versions.p[number(word(s, 2)) - 1];
    if (s->word_count < 4)
        node_put_str(cloud->arena, v, "Version", STR("deleted"));
    ptrdiff_t json = str_find_char(s->rest, '{', 0);
    const struct node *members =
        json < 0 ? NULL
                 : json_parse(cloud->arena, STR("story"), str_sub(s->rest, (size_t)json, s->rest.n),
                              &s->err);
    member_each (m, members)
        node_put(cloud->arena, v, m->key, m->value);
}

/* alias FUNCTION STAGE VERSION: moved by hand. */
static void alias(struct story *s)
{
    struct fake_function *f = function_of(s);
    for (size_t i = 0; i < f->aliases.n; i++)
        if (str_eq(node_text(node_get_c(f->aliases.p[i], "Name")), word(s, 2)))
            node_put_str(cloud->arena, f->aliases.p[i], "FunctionVersion",
                         str_dup(cloud->arena, word(s, 3)));
}

/* lose TEXT: objects whose key has it are deleted. */
static void lose(struct story *s)
{
    size_t left = 0;
    for (size_t i = 0; i < cloud->objects.n; i++)
        if (str_find(cloud->objects.p[i].key, word(s, 1), 0) < 0)
            cloud->objects.p[left++] = cloud->objects.p[i];
    assert_true(left < cloud->objects.n);
    cloud->objects.n = left;
}

/* object KEY TEXT, below the service's folder. */
static void put(struct story *s)
{
    fake_put(cloud, str_fmt(s->arena, "troupe/shop/%.*s", STR_ARG(word(s, 1))).p, s->rest);
}

/* stack NAME STATUS */
static void stack(struct story *s)
{
    struct fake_stack *stack = fake_stack_find(cloud, word(s, 1));
    assert_non_null(stack);
    stack->status = str_dup(cloud->arena, word(s, 2));
}

/* template STACK ID: somebody takes a resource out of the stack. */
static void take_out(struct story *s)
{
    struct fake_stack *stack = fake_stack_find(cloud, word(s, 1));
    assert_non_null(stack);
    const struct node *old = json_parse(cloud->arena, STR("template"), stack->template, &s->err);
    struct node *now = node_shallow(cloud->arena, old);
    struct node *resources = node_shallow(cloud->arena, node_get_c(old, "Resources"));
    node_drop(resources, word(s, 2));
    node_put_c(cloud->arena, now, "Resources", resources);
    stack->template = json_text(cloud->arena, now, 0);
}

/* undeploy API D: somebody deletes a deployment. */
static void undeploy(struct story *s)
{
    struct fake_api *api = fake_api_find(cloud, word(s, 1));
    assert_non_null(api);
    for (size_t i = 0; i < api->deployments.n; i++) {
        struct str id =
            node_text(node_get_c(api->deployments.p[i], api->http ? "deploymentId" : "id"));
        if (str_eq(short_deployment(s, id), word(s, 2))) {
            api->deployments.p[i] = api->deployments.p[--api->deployments.n];
            return;
        }
    }
    fail_msg("there is no deployment '%.*s'", STR_ARG(word(s, 2)));
}

/* stages API N: it has so many. */
static void stages(struct story *s)
{
    struct fake_api *api = fake_api_find(cloud, word(s, 1));
    assert_non_null(api);
    while (api->stages.n < (size_t)number(word(s, 2))) {
        struct node *one = node_map(cloud->arena);
        node_put_c(cloud->arena, one, "stageName",
                   node_strf(cloud->arena, "other%zu", api->stages.n));
        vec_push(cloud->arena, &api->stages, one);
    }
}

/* calls OPERATION: how many there were. */
static void calls(struct story *s)
{
    say(s, str_fmt(s->arena, "  %zu\n", fake_calls(cloud, str_z(s->arena, word(s, 1)))));
}

/* variables FUNCTION: those of its versions. */
static void variables(struct story *s)
{
    struct fake_function *f = function_of(s);
    for (size_t i = 0; i < f->versions.n; i++)
        say(s, str_fmt(s->arena, "  v%zu %.*s\n", i + 1,
                       STR_ARG(json_text(
                           s->arena, node_path(f->versions.p[i], "Environment.Variables"), 0))));
}

/* keys TEXT: what the bucket has. */
static void keys(struct story *s)
{
    for (size_t i = 0; i < cloud->objects.n; i++) {
        const struct fake_object *o = &cloud->objects.p[i];
        bool home = str_eq(o->bucket, STR(FAKE_BUCKET));
        struct str key = str_fmt(s->arena, "%.*s%s%.*s", STR_ARG(home ? STR("") : o->bucket),
                                 home ? "" : ":", STR_ARG(o->key));
        if (str_find(key, word(s, 1), 0) >= 0)
            say(s, str_fmt(s->arena, "  %.*s\n", STR_ARG(key)));
    }
}

static const struct command {
    const char *name;
    void (*run)(struct story *s);
} commands[] = {
    {"deploy", deploy},     {"rollback", rollback},   {"shift", shift},
    {"reset", reset},       {"clone", reset},         {"remove", remove_it},
    {"code", write_code},   {"refuse", refuse},       {"stop-when", stop_when},
    {"alarm", alarm_is},    {"version", version},     {"alias", alias},
    {"value", value},       {"log-role", log_role},   {"lose", lose},
    {"object", put},        {"stack", stack},         {"stages", stages},
    {"calls", calls},       {"keys", keys},           {"fail-update", fail_update},
    {"template", take_out}, {"variables", variables}, {"meanwhile", others},
    {"write", write_file},  {"later", later},         {"alarm-at", alarm_at},
    {"allow", allow},       {"undeploy", undeploy},
};

/* ---- playing ---- */

static void split_words(struct story *s, struct str line)
{
    char quote = 0;
    s->word_count = 0;
    for (size_t i = 0; i < line.n && s->word_count < WORDS;) {
        size_t from = i;
        while (i < line.n && (quote || line.p[i] != ' ')) {
            if (line.p[i] == '\'')
                quote = quote ? 0 : '\'';
            i++;
        }
        struct str one = str_sub(line, from, i - from);
        if (one.n > 1 && one.p[0] == '\'')
            one = str_sub(one, 1, one.n - 2);
        s->words[s->word_count++] = one;
        if (s->word_count == 1 || (s->word_count == 2 && (str_eq(s->words[0], STR("object")) ||
                                                          str_eq(s->words[0], STR("write")))))
            s->rest = i < line.n ? str_sub(line, i + 1, line.n) : (struct str){"", 0};
        i++;
    }
}

static void run_line(struct story *s, struct str line)
{
    buf_fmt(&s->out, "> %.*s\n", STR_ARG(line));
    split_words(s, line);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (str_eq(word(s, 0), str_c(commands[i].name))) {
            commands[i].run(s);
            cancel_clear();
            assert_int_equal(s->err.kind, ERR_NONE);
            return;
        }
    fail_msg("no command '%.*s'", STR_ARG(word(s, 0)));
}

/* The first line that differs; cmocka cuts long messages off. */
static void say_difference(struct str path, struct str got, struct str want)
{
    struct str is = {"", 0}, was = {"", 0};
    int line = 0;
    do {
        line++;
        if (!str_cut(&got, '\n', &is))
            is = STR("(the end)");
        if (!str_cut(&want, '\n', &was))
            was = STR("(the end)");
    } while (str_eq(is, was));
    fail_msg("%.*s:%d differs; BLESS=1 rewrites it\n is  '%.*s'\n was '%.*s'", STR_ARG(path), line,
             STR_ARG(is), STR_ARG(was));
}

static void play(struct story *s)
{
    struct str path = path_join(s->arena, s->folder, STR("story.txt")), want, rest, line;
    check_ok(fs_read(s->arena, path, FILE_MAX, &want, &s->err), &s->err);
    rest = want;
    while (str_cut(&rest, '\n', &line)) {
        if (str_starts(line, STR("> ")))
            run_line(s, str_sub(line, 2, line.n));
        else if (str_starts(line, STR("#")) || !line.n)
            buf_fmt(&s->out, "%.*s%s", STR_ARG(line), rest.n || line.n ? "\n" : "");
    }
    struct str got = buf_str(&s->out);
    if (getenv("BLESS"))
        check_ok(fs_write(path, got, 0644, &s->err), &s->err);
    else if (!str_eq(got, want))
        say_difference(path, got, want);
}

static void test_story(void **state)
{
    struct story s = {
        .arena = arena_new(), .folder = *(struct str *)*state, .told = PTHREAD_MUTEX_INITIALIZER};
    char name[] = "/tmp/troupe-story-XXXXXX";
    fake_aws_reset(cloud);
    assert_non_null(mkdtemp(name));
    s.out = BUF(s.arena);
    s.clients = MAP(s.arena);
    s.deployments = MAP(s.arena);
    s.none = MAP(s.arena);
    s.code = STR("one");
    s.file = STR("one.yml");
    s.top = str_dup(s.arena, str_c(name));
    s.dir = path_join(s.arena, s.top, STR("svc"));
    check_ok(fs_mkdirs(s.dir, &s.err), &s.err);
    setenv("XDG_CACHE_HOME", s.top.p, 1);
    play(&s);
    for (size_t i = 0; i < s.clients.n; i++)
        aws_free(s.clients.entries[i].value);
    check_ok(fs_remove_all(s.top, &s.err), &s.err);
    arena_free(s.arena);
}

int story_run(const char *tests, const char *prefix)
{
    struct arena *a = arena_new();
    struct err err = {0};
    struct str all = path_join(a, str_c(tests), STR("golden/stories")), *names;
    size_t n, found = 0;
    if (fs_list(a, all, &names, &n, &err) < 0)
        return 1;
    struct CMUnitTest *group = ARENA_ARRAY(a, n + 1, struct CMUnitTest);
    struct str *folders = ARENA_ARRAY(a, n + 1, struct str);
    for (size_t i = 0; i < n; i++) {
        if (!str_starts(names[i], str_c(prefix)))
            continue;
        folders[found] = path_join(a, all, names[i]);
        group[found] = (struct CMUnitTest){
            .name = names[i].p, .test_func = test_story, .initial_state = &folders[found]};
        found++;
    }
    int failed = found ? _cmocka_run_group_tests(prefix, group, found, cloud_start, cloud_stop) : 1;
    arena_free(a);
    return failed;
}
