/* What commands share: service, target, client, questions. */
#include "cli/cli.h"

#include "release/image/image.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/visible.h"
#include "build/build.h"
#include "compile/bridge/bridge.h"
#include "release/bucket/stage_address.h"

struct str context_shown(struct arena *a, const struct cli *cli, struct str text, int fd)
{
    bool coloured = fd == STDOUT_FILENO ? cli->colour_out : cli->colour_err;
    if (!isatty(fd))
        return text;
    return visible(a, text, coloured ? VISIBLE_OUTPUT : VISIBLE_TEXT);
}

void context_warn(struct cli *cli, struct pos pos, struct str msg, struct str help)
{
    if (cli->notes) {
        struct migration_note one = {.pos = pos, .text = msg, .help = help};
        vec_push(cli->arena, &cli->notes->all, one);
        return;
    }
    if (cli->options.quiet)
        return;
    progress_clear(cli->progress);
    struct str text = warning_render(cli->arena, pos, msg, help, cli->colour_err);
    fwrite(text.p, 1, text.n, stderr);
}

void context_warning(void *context, struct pos pos, struct str msg, struct str help)
{
    context_warn(context, pos, msg, help);
}

static void note_plugin(void *context, struct pos pos, struct str name, enum plugin_answer answer,
                        struct str says)
{
    struct cli *cli = context;
    struct migration_note one = {.pos = pos, .text = says, .plugin = name, .answer = answer};
    vec_push(cli->arena, &cli->notes->all, one);
}

/* ---- client ---- */

int context_aws(struct cli *cli, const struct service *service, struct err *err)
{
    if (cli->aws)
        return 0;
    if (context_check_variables(cli, service->stage, err) < 0)
        return -1;
    cli->profile = node_path(service->root, "provider.profile");
    cli->aws = context_client(cli, service->region, cli->profile, err);
    if (cli->aws && service->remote)
        cli->home = context_client(cli, service->home, cli->profile, err);
    return cli->aws && (cli->home || !service->remote) ? 0 : -1;
}

/* The client for a region, made once. */
static struct aws *client_for(void *context, struct str region, struct err *err)
{
    struct cli *cli = context;
    if (str_eq(region, aws_region(cli->aws)))
        return cli->aws;
    if (!cli->clients.arena)
        cli->clients = MAP(cli->arena);
    struct aws *aws = map_get(&cli->clients, region);
    if (!aws && (aws = context_client(cli, region, cli->profile, err)))
        map_put(&cli->clients, region, aws);
    return aws;
}

void context_free(struct cli *cli)
{
    for (size_t i = 0; i < cli->clients.n; i++)
        aws_free(cli->clients.entries[i].value);
    aws_free(cli->home);
    aws_free(cli->aws);
}

/* ---- service ---- */

static int choose_stage(const struct options *o, size_t stage_arg, struct str *ret, struct err *err)
{
    struct str named = stage_arg < o->arg_count ? o->args[stage_arg] : (struct str){"", 0};
    if (named.n && o->stage.n && !str_eq(named, o->stage))
        return err_set(err, ERR_USAGE, "two stages are named: '%.*s' and '%.*s'", STR_ARG(named),
                       STR_ARG(o->stage));
    *ret = named.n ? named : o->stage;
    return 0;
}

static struct config_options config_of(struct cli *cli)
{
    const struct options *o = &cli->options;
    return (struct config_options){
        .path = o->config,
        .default_stage = STR("dev"),
        .region = o->region,
        .options = &o->given,
        .params = &o->params,
        .dialect = str_eq(o->dialect, STR("3"))   ? DIALECT_3
                   : str_eq(o->dialect, STR("4")) ? DIALECT_4
                                                  : 0,
        .strict = o->strict,
        .only_compiles = cli->only_compiles,
        .lenient = o->lenient,
        .remote = remote_values(cli),
        .warn = context_warning,
        .plugin = cli->notes ? note_plugin : NULL,
        .warn_context = cli,
    };
}

/* Take the region out of "STAGE@REGION", as if --region had been given. */
static int take_region(struct cli *cli, struct str *stage, struct err *err)
{
    struct options *o = &cli->options;
    struct str region;
    *stage = address_stage(*stage, &region);
    if (!region.n)
        return 0;
    if (o->region.n && !str_eq(o->region, region))
        return err_set(err, ERR_USAGE, "two regions are named: '%.*s' and '%.*s'", STR_ARG(region),
                       STR_ARG(o->region));
    struct str *given = ARENA_NEW(cli->arena, struct str);
    *given = o->region = region;
    map_put(&o->given, STR("region"), given);
    return 0;
}

/* The framework packages nothing without credentials, and asks for none of the local cloud. */
static const struct node *local_environment(struct cli *cli)
{
    struct node *map = node_map(cli->arena);
    if (!cli->options.local || getenv("AWS_ACCESS_KEY_ID"))
        return NULL;
    node_put_str(cli->arena, map, "AWS_ACCESS_KEY_ID", STR("local"));
    node_put_str(cli->arena, map, "AWS_SECRET_ACCESS_KEY", STR("local"));
    return map;
}

/* Take over what the project's own framework packages, or another tool has packaged. */
static int bridge(struct cli *cli, const struct config_options *config, struct service *service,
                  struct err *err)
{
    struct arena *a = cli->arena;
    struct service *place = ARENA_NEW(a, struct service);
    struct bridge_request request = {.config = config,
                                     .environment = local_environment(cli),
                                     .package_dir = cli->options.packaged};
    struct bridged bridged;
    int64_t start = clock_mono_ms();
    *place = *service;
    struct release r = context_release(cli, place);
    if (bridge_service(a, place, &request, &bridged, err) < 0)
        return -1;
    if (bridged.by_name)
        context_warn(cli, (struct pos){0},
                     str_fmt(a, "texts that contain '%.*s' count as the stage's%s%.*s",
                             STR_ARG(place->stage),
                             bridged.why.n ? ": no other stage can be packaged: " : "",
                             STR_ARG(bridged.why)),
                     (struct str){0});
    if (bridged.ran)
        release_finished(&r, "bridge", "packaged by the project's framework in %.1fs",
                         (double)(clock_mono_ms() - start) / 1000);
    else if (!request.package_dir.n)
        release_finished(&r, "bridge", "nothing has changed");
    *service = bridged.service;
    return 0;
}

static int load(struct cli *cli, size_t stage_arg, enum stage_use use, enum load_part part,
                struct service *ret, struct err *err)
{
    struct str stage;
    if (choose_stage(&cli->options, stage_arg, &stage, err) < 0 ||
        take_region(cli, &stage, err) < 0 || (stage.n && stage_name_check(stage, err) < 0))
        return -1;
    struct config_options options = config_of(cli);
    options.stage = stage;
    options.part = part;
    options.packaged = cli->options.packaged.n > 0;
    if (service_load(cli->arena, &options, ret, err) < 0) {
        if (err->kind == ERR_NOT_FOUND) /* the file itself */
            err->kind = ERR_CONFIG;
        return -1;
    }
    if (ret->to_bridge && bridge(cli, &options, ret, err) < 0)
        return -1;
    if (use == STAGE_NONE)
        service_alone(ret);
    if (use != STAGE_REQUIRED || ret->stage_named)
        return 0;
    err_set(err, ERR_USAGE, "no stage is named");
    return err_help(err, "name one as argument, or set provider.stage in %.*s", STR_ARG(ret->file));
}

int context_service(struct cli *cli, size_t stage_arg, enum stage_use use, struct service *ret,
                    struct err *err)
{
    return load(cli, stage_arg, use, LOAD_ALL, ret, err);
}

/* ---- target ---- */

static uint64_t total_bytes(const struct packed *packed)
{
    uint64_t n = 0;
    for (size_t i = 0; i < packed->artifact_count; i++)
        n += packed->artifacts[i].zip_bytes;
    return n;
}

int context_images(struct cli *cli, const struct service *service, bool flat, bool look_only,
                   const struct node **ret, struct err *err)
{
    struct arena *a = cli->arena;
    struct compile_image *images;
    size_t n;
    *ret = NULL;
    if (compile_images(a, service, &images, &n, err) < 0)
        return -1;
    if (!n)
        return 0;
    if (context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    struct image_request request = {.images = images,
                                    .count = n,
                                    .repository = flat ? image_repository_flat(a, service)
                                                       : image_repository(a, service),
                                    .look_only = look_only};
    return images_resolve(&r, &request, ret, err);
}

int context_build(struct cli *cli, const struct service *service, struct pack_options *pack,
                  struct err *err)
{
    struct build_options options = {.warn = context_warning, .warn_context = cli};
    struct release r = context_release(cli, service);
    struct built built;
    int64_t start = clock_mono_ms();
    if (!build_is_needed(service))
        return build_check(cli->arena, service, &options, err);
    if (build_service(cli->arena, service, &options, &built, err) < 0)
        return -1;
    pack->built_service = built.service;
    pack->built = built.functions;
    pack->built_dir = built.dir;
    pack->package = built.package;
    pack->packages = built.packages;
    pack->added_to_service = built.added_to_service;
    pack->added = built.added;
    pack->beside = built.beside;
    pack->built_layers = built.layers;
    if (built.ran)
        release_finished(&r, "build", "%zu build%s in %.1fs", built.ran, built.ran == 1 ? "" : "s",
                         (double)(clock_mono_ms() - start) / 1000);
    else if (built.kept)
        release_finished(&r, "build", "nothing has changed");
    return 0;
}

/* Package, after the builds; with `unbuilt` only check where there are any. */
static int package(struct cli *cli, const struct service *service, bool unbuilt,
                   struct packed *packed, bool *ret_packed, struct err *err)
{
    struct build_options check = {.warn = context_warning, .warn_context = cli};
    struct pack_options pack = {.no_cache = cli->options.no_cache,
                                .make_given_again = true,
                                .warn = context_warning,
                                .warn_context = cli};
    if (unbuilt && build_is_needed(service))
        return build_check(cli->arena, service, &check, err);
    if (context_build(cli, service, &pack, err) < 0 ||
        pack_service(cli->arena, service, &pack, packed, err) < 0)
        return -1;
    return *ret_packed = true, 0;
}

int context_target(struct cli *cli, const struct service *service, const struct node *images,
                   bool unbuilt, struct target *ret, struct err *err)
{
    struct arena *a = cli->arena;
    struct packed *packed = ARENA_NEW(a, struct packed);
    struct compiled *compiled = ARENA_NEW(a, struct compiled);
    struct layout *layout = ARENA_NEW(a, struct layout);
    bool is_packed = false;
    struct compile_options compile = {.naming = NAMING_SHARED,
                                      .images = images,
                                      .artifact_dir = STR("artifacts"),
                                      .warn = context_warning,
                                      .warn_context = cli};
    struct release r = context_release(cli, service);
    struct left_out rest;
    if (layout_leave_out(a, service, &rest, err) < 0)
        return -1;
    for (size_t i = 0; i < rest.warning_count; i++)
        context_warn(cli, (struct pos){0}, rest.warnings[i], STR(""));
    service = rest.service;
    cleanup_err struct err unpacked = {0}, one = {0};
    if (package(cli, service, unbuilt, packed, &is_packed, &unpacked) < 0 &&
        unpacked.kind != ERR_CONFIG) {
        err_move(err, &unpacked);
        return -1;
    }
    /* Whatever is wrong with the code, the compiler can say already what is wrong with the rest. */
    if (compile_service(a, service, is_packed ? packed : NULL, &compile, compiled, &one) == 0) {
        layout_check(a, service, compiled, &one);
        err_also(err, &one);
        layout_service(a, service, compiled, layout, &one);
    }
    err_also(err, &one);
    if (err_also(err, &unpacked) < 0)
        return -1;
    if (is_packed)
        release_finished(&r, "package", "%zu function%s, %zu artifact%s, %.1f kB",
                         service->function_count, service->function_count == 1 ? "" : "s",
                         packed->artifact_count, packed->artifact_count == 1 ? "" : "s",
                         (double)total_bytes(packed) / 1000);
    for (size_t i = 0; i < layout->warning_count; i++)
        context_warn(cli, (struct pos){0}, layout->warnings[i], STR(""));
    *ret = (struct target){.layout = layout, .images = images};
    return 0;
}

/* "git 1a2b3c4" of the service's directory; with ", modified" when files differ from that
 * commit. */
struct str context_source_revision(struct arena *a, struct str dir)
{
    struct str command = str_fmt(a,
                                 "cd '%.*s' 2>/dev/null && git describe --always --dirty=', "
                                 "modified' --exclude '*' 2>/dev/null",
                                 STR_ARG(str_replace(a, dir, STR("'"), STR("'\\''"))));
    char line[128] = "";
    FILE *f = popen(command.p, "r");
    if (!f)
        return (struct str){"", 0};
    if (!fgets(line, sizeof line, f))
        line[0] = 0;
    pclose(f);
    struct str revision = str_trim(str_c(line));
    return revision.n ? str_fmt(a, "git %.*s", STR_ARG(revision)) : (struct str){"", 0};
}

struct release context_release(struct cli *cli, const struct service *service)
{
    struct config_options *config = ARENA_NEW(cli->arena, struct config_options);
    *config = config_of(cli);
    return (struct release){
        .arena = cli->arena,
        .aws = cli->aws,
        .home = cli->home,
        .client = client_for,
        .client_context = cli,
        .service = service,
        .observer = &cli->observer,
        .jobs = (unsigned)cli->options.jobs,
        .endpoint = cli->endpoint,
        .timeout_ms = cli->options.timeout_s * 1000,
        .config = config,
    };
}

int context_open(struct cli *cli, size_t stage_arg, enum stage_use use, enum load_part part,
                 struct release *ret, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    if (load(cli, stage_arg, use, part, service, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    *ret = context_release(cli, service);
    return 0;
}

/* ---- questions ---- */

int context_confirm(struct cli *cli, const char *question, struct str word, struct err *err)
{
    char line[300];
    if (!cli->tty_in || cli->options.json) {
        err_set(err, ERR_REFUSED, "%s", question);
        return err_help(err, "to do it without being asked, add --yes");
    }
    progress_clear(cli->progress);
    fprintf(stderr, "%.*s\ntype '%.*s' to go on: ",
            STR_ARG(visible(cli->arena, str_c(question), VISIBLE_TEXT)),
            STR_ARG(visible(cli->arena, word, VISIBLE_LINE)));
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin) || !str_eq(str_trim(str_c(line)), word))
        return err_set(err, ERR_REFUSED, "not confirmed, nothing was changed");
    return 0;
}
