/* package, print, validate: what works without AWS. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/fs.h"
#include "doc/json.h"
#include "doc/yaml.h"
#include "config/explain.h"
#include "compile/compile.h"
#include "compile/handlers.h"

struct template_file {
    const char *name;
    const struct node *template; /* NULL: there is none */
};

/* The first secret in a template, and where in the template it is; NULL: none. */
static const struct node *find_secret(struct arena *a, const struct node *n, struct str path,
                                      struct str *ret_path)
{
    const struct node *found = NULL;
    if (!n || !(node_flags_deep(n) & NODE_SECRET))
        return NULL;
    *ret_path = path;
    const char *dot = path.n ? "." : "";
    size_t i = 0;
    node_each (item, n) {
        found = find_secret(a, item, str_fmt(a, "%.*s%s%zu", STR_ARG(path), dot, i++), ret_path);
        if (found)
            return found;
    }
    member_each (m, n) {
        struct str below = str_fmt(a, "%.*s%s%.*s", STR_ARG(path), dot, STR_ARG(m->key));
        if ((found = find_secret(a, m->value, below, ret_path)))
            return found;
    }
    return n;
}

/* Refuse a template with a secret: templates are kept in files, sent and committed. Deploying
 * writes none with a secret. */
static int check_secrets(struct cli *cli, const struct template_file *file, struct err *err)
{
    struct str path;
    const struct node *secret = find_secret(cli->arena, file->template, STR(""), &path);
    if (!secret || cli->options.with_secrets)
        return 0;
    err_at(err, node_pos(secret), ERR_CONFIG,
           "the secret value of '%.*s' would stand in the clear in %s", STR_ARG(path), file->name);
    return err_help(err,
                    "with --with-secrets it is written, readable to you alone; 'troupe deploy' "
                    "needs no such file");
}

static int write_template(struct cli *cli, struct str dir, const struct template_file *file,
                          struct err *err)
{
    struct str path = path_join(cli->arena, dir, str_c(file->name));
    bool secret = file->template && node_flags_deep(file->template) & NODE_SECRET;
    return file->template
               ? fs_write(path, json_text(cli->arena, file->template, 2), secret ? 0600 : 0644, err)
               : fs_remove_all(path, err); /* of an earlier package */
}

/* The code of custom resources, when the template has some; else that of an earlier package goes.
 */
static int write_handlers(struct cli *cli, struct str dir, const struct compiled *compiled,
                          struct err *err)
{
    struct str path = path_join(cli->arena, dir, STR(HANDLERS_ZIP));
    return compiled->has_handlers ? fs_write(path, handlers_zip, 0644, err)
                                  : fs_remove_all(path, err);
}

static int run_package(struct cli *cli, struct err *err)
{
    struct arena *a = cli->arena;
    struct service *service = ARENA_NEW(a, struct service);
    struct packed packed;
    struct compiled compiled;
    cli->only_compiles = true;
    if (context_service(cli, 0, STAGE_DEFAULT, service, err) < 0)
        return -1;
    struct str dir = cli->options.package_dir;
    dir = dir.n ? path_absolute(a, dir) : path_join(a, service->dir, STR(".serverless"));
    struct pack_options pack = {.no_cache = cli->options.no_cache,
                                .handlers_may_lack = true,
                                .warn = context_warning,
                                .warn_context = cli};
    int64_t now = clock_wall_ms();
    struct compile_options options = {.naming = NAMING_FLAT,
                                      .artifact_dir = compile_artifact_dir(a, service, now),
                                      .time_ms = now,
                                      .warn = context_warning,
                                      .warn_context = cli};
    if (context_images(cli, service, /* flat= */ true, false, &options.images, err) < 0 ||
        context_build(cli, service, &pack, err) < 0 ||
        pack_service(a, service, &pack, &packed, err) < 0 ||
        compile_service(a, service, &packed, &options, &compiled, err) < 0)
        return -1;
    struct template_file files[] = {
        {"cloudformation-template-create-stack.json", compile_create_stack(a, service)},
        {"cloudformation-template-update-stack.json", compiled.template}};
    enum { FILE_COUNT = sizeof files / sizeof *files };
    for (size_t i = 0; i < FILE_COUNT; i++)
        if (check_secrets(cli, &files[i], err) < 0)
            return -1;
    if (pack_write(a, service, &pack, &packed, dir, err) < 0 ||
        write_handlers(cli, dir, &compiled, err) < 0)
        return -1;
    for (size_t i = 0; i < FILE_COUNT; i++)
        if (write_template(cli, dir, &files[i], err) < 0)
            return -1;
    buf_fmt(&cli->out, "packaged '%.*s' for stage '%.*s' into %.*s\n", STR_ARG(service->name),
            STR_ARG(service->stage), STR_ARG(dir));
    return 0;
}

const struct command cmd_package = {
    .name = "package",
    .arguments = "[STAGE]",
    .summary = "write template and zips, without deploying",
    .details = "Into .serverless beside serverless.yml, or --package DIR, with the file names "
               "that the Serverless Framework uses. A template that would hold a secret, as the "
               "value of a SecureString parameter, is refused; --with-secrets writes it, "
               "readable to its owner alone.",
    .examples = {"troupe package prod", "troupe package prod --package build",
                 "troupe package prod --with-secrets"},
    .args_max = 1,
    .run = run_package,
};

static int run_print(struct cli *cli, struct err *err)
{
    struct service service;
    struct str format = cli->options.format;
    cli->only_compiles = true;
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
        context_target(cli, service, NULL, /* unbuilt= */ true, &target, err) < 0)
        return -1;
    buf_fmt(&cli->out, "%.*s is valid\n", STR_ARG(service->file));
    return 0;
}

const struct command cmd_validate = {
    .name = "validate",
    .arguments = "[STAGE]",
    .summary = "check the configuration without contacting AWS",
    .examples = {"troupe validate", "troupe validate prod", "troupe validate prod --lenient"},
    .args_max = 1,
    .run = run_validate,
};
