/* package, print, validate: what works without AWS. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/fs.h"
#include "compile/compile.h"
#include "config/explain.h"
#include "doc/json.h"
#include "doc/yaml.h"

static int write_template(struct cli *cli, struct str dir, const char *name,
                          const struct node *template, struct err *err)
{
    return fs_write(path_join(cli->arena, dir, str_c(name)), json_text(cli->arena, template, 2),
                    0644, err);
}

static int run_package(struct cli *cli, struct err *err)
{
    struct arena *a = cli->arena;
    struct service *service = ARENA_NEW(a, struct service);
    struct packed packed;
    struct compiled compiled;
    if (context_service(cli, 0, STAGE_DEFAULT, service, err) < 0)
        return -1;
    struct str dir = cli->options.package_dir;
    dir = dir.n ? path_absolute(a, dir) : path_join(a, service->dir, STR(".serverless"));
    struct pack_options pack = {.output_dir = dir, .warn = context_warning, .warn_context = cli};
    int64_t now = clock_wall_ms();
    struct compile_options options = {.naming = NAMING_FLAT,
                                      .artifact_dir =
                                          str_fmt(a, "serverless/%.*s/%.*s/%lld-%.*s",
                                                  STR_ARG(service->name), STR_ARG(service->stage),
                                                  (long long)now, STR_ARG(time_iso(a, now)))};
    if (fs_mkdirs(dir, err) < 0 || pack_service(a, service, &pack, &packed, err) < 0 ||
        compile_service(a, service, &packed, &options, &compiled, err) < 0 ||
        write_template(cli, dir, "cloudformation-template-create-stack.json",
                       compile_create_stack(a, service), err) < 0 ||
        write_template(cli, dir, "cloudformation-template-update-stack.json", compiled.template,
                       err) < 0)
        return -1;
    buf_fmt(&cli->out, "packaged '%.*s' for stage '%.*s' into %.*s\n", STR_ARG(service->name),
            STR_ARG(service->stage), STR_ARG(dir));
    return 0;
}

const struct command cmd_package = {
    .name = "package",
    .arguments = "[STAGE]",
    .summary = "write template and zips, without deploying",
    .details =
        "Into .serverless beside serverless.yml, or --package DIR, with the file names that the\n"
        "Serverless Framework uses.",
    .examples = {"troupe package prod", "troupe package prod --package build"},
    .args_max = 1,
    .run = run_package,
};

static int run_print(struct cli *cli, struct err *err)
{
    struct service service;
    struct str format = cli->options.format;
    bool json = cli->options.json || str_eq(format, STR("json"));
    if (format.n && !json && !str_eq(format, STR("yaml")))
        return err_set(err, ERR_USAGE, "unknown format '%.*s', use yaml or json", STR_ARG(format));
    if (context_service(cli, 0, STAGE_DEFAULT, &service, err) < 0)
        return -1;
    const struct node *part = service.root;
    if (cli->options.key.n && !(part = service_part(cli->arena, &service, cli->options.key, err)))
        return -1;
    if (json) {
        json_write_masked(&cli->out, part, 2);
        buf_char(&cli->out, '\n');
    } else {
        yaml_write(&cli->out, node_masked(cli->arena, part));
    }
    return 0;
}

const struct command cmd_print = {
    .name = "print",
    .arguments = "[STAGE]",
    .summary = "the configuration with all variables resolved",
    .details = "As YAML, or with --format json as JSON; with --path KEY only that part.",
    .examples = {"troupe print prod", "troupe print prod --format json",
                 "troupe print --path functions.hello"},
    .args_max = 1,
    .run = run_print,
};

static int run_validate(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target target;
    if (context_service(cli, 0, STAGE_DEFAULT, service, err) < 0 ||
        context_target(cli, service, &target, err) < 0)
        return -1;
    buf_fmt(&cli->out, "%.*s is valid\n", STR_ARG(service->file));
    return 0;
}

const struct command cmd_validate = {
    .name = "validate",
    .arguments = "[STAGE]",
    .summary = "check the configuration without contacting AWS",
    .examples = {"troupe validate", "troupe validate prod --lenient"},
    .args_max = 1,
    .run = run_validate,
};
