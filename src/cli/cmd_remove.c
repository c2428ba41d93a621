/* remove */
#include "cli/cli.h"

#include "doc/json.h"

static int ask(struct cli *cli, const struct release *r, struct str what, struct err *err)
{
    struct world w;
    struct change *losses;
    size_t n;
    if (cli->options.yes)
        return 0;
    if (context_world(cli, r, &w, err) < 0)
        return -1;
    if (remove_losses(r, &w, &losses, &n, err) < 0)
        return -1;
    bool protected = false;
    for (size_t i = 0; i < r->service->settings.protect_count; i++)
    protected |= str_eq(r->service->settings.protect[i], r->service->stage);
    if (!n && !protected)
        return 0;
    struct buf names = BUF(cli->arena);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&names, "%s%.*s (%.*s)", i ? ", " : "", STR_ARG(losses[i].name),
                STR_ARG(losses[i].detail));
    struct str question = n ? str_fmt(cli->arena, "removing '%.*s' loses the data of %.*s",
                                      STR_ARG(what), STR_ARG(buf_str(&names)))
                            : str_fmt(cli->arena, "stage '%.*s' is protected", STR_ARG(what));
    return context_confirm(cli, question.p, what, err);
}

/* What the stage alone had is collected an hour later: by a deploy, or by prune. Others may have
 * become due. */
static void collect(struct cli *cli, const struct release *r, bool whole)
{
    struct world world;
    cleanup_err struct err ignored = {0};
    if (whole || context_world(cli, r, &world, &ignored) < 0 || !world.bucket.n ||
        records_list(cli->arena, &world.store, &world.records, &world.record_count, &ignored) < 0)
        return;
    context_collect(cli, r, &world);
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    bool whole = cli->options.service;
    if (whole && cli->options.arg_count)
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if (context_service(cli, 0, whole ? STAGE_NONE : STAGE_REQUIRED, service, err) < 0 ||
        context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    r.source_revision = context_source_revision(cli->arena, service->dir);
    struct str what = whole ? service->name : service->address;
    if (ask(cli, &r, what, err) < 0)
        return -1;
    if (whole ? remove_service(&r, cli->options.purge, err) < 0
              : remove_stage(&r, service->address, cli->options.purge, err) < 0)
        return -1;
    collect(cli, &r, whole);
    if (cli->options.json)
        buf_fmt(&cli->out, "{\"removed\": %.*s}\n",
                STR_ARG(json_text(cli->arena, node_str(cli->arena, what), 0)));
    else
        buf_fmt(&cli->out, "%s '%.*s' is removed\n", whole ? "service" : "stage", STR_ARG(what));
    return 0;
}

const struct command cmd_remove = {
    .name = "remove",
    .arguments = "[STAGE]",
    .summary = "remove a stage, or with --service everything",
    .details = "Asks before data is lost (--yes does not ask). Buckets that hold something are "
               "kept from being\n"
               "deleted by AWS: --purge empties them first.",
    .args_max = 1,
    .run = run,
};
