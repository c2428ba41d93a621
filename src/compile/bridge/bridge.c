/* The order of a bridged load: package, read, generate, compile, compare, find the stage, load. */
#include "compile/bridge/bridge.h"

#include "base/fs.h"
#include "build/framework.h"
#include "compile/bridge/bridge_internal.h"
#include "config/plugins/plugins.h"
#include "doc/json.h"

#define FILE_NAME "serverless-packaged.json"

struct bridging {
    struct arena *arena;
    const struct service *place;
    const struct bridge_request *request;
    struct bridged *out;
    struct secrets secrets;
};

/* ---- a service from a document ---- */

static void say_nothing(void *context, struct pos pos, struct str name, enum plugin_answer answer,
                        struct str says)
{
    (void)context, (void)pos, (void)name, (void)answer, (void)says;
}

/* What is odd, and what AWS refuses, is told when the service is compiled that is deployed. */
static void warn_nobody(void *context, struct pos pos, struct str msg, struct str help)
{
    (void)context, (void)pos, (void)msg, (void)help;
}

static int load(struct bridging *b, const struct node *file, const struct node *opaque,
                struct str stage, bool warns, struct service *ret, struct err *err)
{
    struct arena *a = b->arena;
    struct source_bundle *bundle = ARENA_NEW(a, struct source_bundle);
    struct node *files = node_map(a);
    struct config_options options = *b->request->config;
    node_put_str(a, files, FILE_NAME, json_text(a, file, 2));
    *bundle = (struct source_bundle){
        .stage = stage, .main = STR(FILE_NAME), .files = files, .externals = opaque};
    options.bundle = bundle;
    options.stage = stage;
    options.region = b->place->region;
    options.home = b->place->home;
    options.dialect = b->place->dialect;
    options.plugin = say_nothing; /* the answers are told of the user's file */
    if (!warns)
        options.warn = NULL;
    return service_load(a, &options, ret, err);
}

static int compile(struct bridging *b, const struct node *file, struct str stage,
                   const struct node **ret, struct err *err)
{
    struct service *service = ARENA_NEW(b->arena, struct service);
    struct compile_options options = {.naming = NAMING_FLAT, .warn = warn_nobody};
    struct compiled compiled;
    struct stage_texts as_it_is = {.file = file, .of_other = file};
    file = stage_texts_find(b->arena, &as_it_is);
    if (load(b, file, NULL, stage, false, service, err) < 0 ||
        compile_service(b->arena, service, NULL, &options, &compiled, err) < 0)
        return -1;
    return *ret = compiled.template, 0;
}

/* Does `file` give the framework's template, value by value? */
static int verify(struct bridging *b, const struct node *file, struct str stage,
                  const struct node *template, struct err *err)
{
    const struct node *compiled;
    if (compile(b, file, stage, &compiled, err) < 0)
        return err_wrap(err, "what the framework has packaged");
    struct str rest = compare_rest(b->arena, compiled, template);
    return rest.n ? err_set(err, ERR_CONFIG,
                            "what the framework has packaged cannot be taken over: '%.*s' of the "
                            "template would be another",
                            STR_ARG(rest))
                  : 0;
}

/* The service file of a package, with all that plugins made. */
static int generate(struct bridging *b, struct str dir, struct str stage,
                    struct package_state *ret_state, const struct node **ret, struct err *err)
{
    struct arena *a = b->arena;
    const struct node *compiled;
    if (package_state_read(a, dir, ret_state, err) < 0 ||
        package_state_check(ret_state, b->place->name, stage, err) < 0)
        return -1;
    const struct node *file = generated_file(a, ret_state, b->place, stage);
    if (compile(b, file, stage, &compiled, err) < 0)
        return err_wrap(err, "what the framework has packaged");
    return *ret = compare_add(a, file, compiled, ret_state->template), 0;
}

/* ---- two stages ---- */

/* A stage that is not there, whose name begins and ends otherwise than the real one. */
static struct str other_stage(struct str stage)
{
    /* of which one at most begins, and one at most ends, as the real one */
    static const char *const names[] = {"madeup", "otherwise", "fictional"};
    size_t i = 0;
    while (names[i][0] == stage.p[0] || names[i][strlen(names[i]) - 1] == stage.p[stage.n - 1])
        i++;
    return str_c(names[i]);
}

static int package(struct bridging *b, struct str stage, struct framework_package *ret,
                   struct err *err)
{
    const struct config_options *config = b->request->config;
    struct framework_call call = {.service = b->place,
                                  .stage = stage,
                                  .config = config->path,
                                  .given = config->options,
                                  .params = config->params,
                                  .environment = b->request->environment,
                                  .left_out = plugins_left_out(b->arena, b->place->root)};
    if (framework_package(b->arena, &call, ret, err) < 0)
        return -1;
    b->out->ran = b->out->ran || !ret->kept;
    return 0;
}

/* Would packaging once more send something to AWS? */
static bool pushes_images(const struct node *service)
{
    member_each (m, node_path(service, "provider.ecr.images"))
        if (!node_empty(node_get_c(m->value, "path")))
            return true;
    return false;
}

/* The file for the made-up stage; `*ret` NULL: it cannot be made, and `why` says why. */
static int generate_other(struct bridging *b, const struct node *service, struct str other,
                          const struct node **ret, struct err *err)
{
    struct framework_package package_of_other;
    struct bridged *out = b->out;
    cleanup_err struct err why = {0};
    struct package_state state;
    *ret = NULL;
    out->by_name = true;
    if (b->request->package_dir.n)
        return 0;
    if (pushes_images(service)) {
        out->why = STR("its images would be pushed");
        return 0;
    }
    if (package(b, other, &package_of_other, err) < 0)
        return -1;
    if (package_of_other.failed.n) {
        out->why = package_of_other.failed;
        return 0;
    }
    if (generate(b, package_of_other.dir, other, &state, ret, &why) < 0) {
        if (why.kind == ERR_CANCELLED)
            return err_move(err, &why), -1;
        out->why = str_dup(b->arena, why.msg);
        return 0;
    }
    out->by_name = false;
    return 0;
}

/* ---- all of it ---- */

static int check_settings(const struct service *place, struct err *err)
{
    const struct node *build = place->settings.build;
    member_each (m, build)
        if (!str_eq(m->key, STR("limit"))) {
            err_at(err, m->key_pos, ERR_CONFIG,
                   "a service that the project's own framework packages is not built by commands");
            return err_help(err, "of 'custom.troupe.build' only 'limit' has an effect: let the "
                                 "framework run the command before it packages, or call it "
                                 "before troupe");
        }
    return 0;
}

static const struct node *with_plugins(struct bridging *b, const struct node *file)
{
    struct node *out = node_shallow(b->arena, file);
    node_put_c(b->arena, out, "plugins",
               plugins_of_package(b->arena, b->place->root, /* after= */ true));
    if (!node_get_c(file, "patches"))
        node_put_c(b->arena, out, "patches", node_map(b->arena));
    return out;
}

int bridge_service(struct arena *a, const struct service *place,
                   const struct bridge_request *request, struct bridged *ret, struct err *err)
{
    struct bridging b = {.arena = a, .place = place, .request = request, .out = ret};
    struct str stage = place->stage, dir = request->package_dir;
    struct stage_texts texts = {
        .service = place->name, .stage = stage, .other = other_stage(stage), .opaque = node_map(a)};
    struct framework_package packaged = {0};
    struct package_state state;
    *ret = (struct bridged){0};
    if (check_settings(place, err) < 0)
        return -1;
    if (!dir.n) {
        if (package(&b, stage, &packaged, err) < 0)
            return -1;
        dir = packaged.dir;
    }
    dir = path_absolute(a, dir);
    if (service_secrets(place, &b.secrets, err) < 0)
        return -1;
    if (generate(&b, dir, stage, &state, &texts.file, err) < 0 ||
        verify(&b, texts.file, stage, state.template, err) < 0 ||
        generate_other(&b, state.service, texts.other, &texts.of_other, err) < 0)
        return -1;
    texts.file = secrets_hide(a, texts.file, &b.secrets);
    const struct node *file = with_plugins(&b, stage_texts_find(a, &texts));
    if (load(&b, file, texts.opaque, stage, true, &ret->service, err) < 0)
        return err_wrap(err, "what the framework has packaged");
    ret->service.stage_named = place->stage_named;
    ret->service.dir = place->dir;
    ret->service.file = place->file;
    ret->service.artifact_dir = dir;
    return 0;
}
