/* remove */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/dispose.h"

static int ask(struct cli *cli, const struct release *r, struct str what, struct err *err)
{
    struct world w;
    struct change *losses;
    size_t n;
    if (cli->options.yes)
        return 0;
    if (world_remains(r, !cli->options.service, &w, err) < 0)
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
    if (whole || world_remains(r, true, &world, &ignored) < 0 || !world.bucket.n ||
        records_list(cli->arena, &world.store, &world.records, &world.record_count, &ignored) < 0)
        return;
    context_collect(cli, r, &world);
}

static const char *const parts[] = {"deleted", "emptied", "kept"};

/* What stays is named; what went, only on request. */
static void show(struct cli *cli, bool whole, struct str what, bool nothing,
                 const struct disposals *disposals)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a);
    const char *kind = whole ? "service" : "stage";
    node_put_str(a, out, "removed", what);
    node_put_c(a, out, "nothing", node_bool(a, nothing));
    disposals_put(a, disposals, out);
    if (cli->options.json) {
        json_write(&cli->out, out, 2);
        buf_char(&cli->out, '\n');
        return;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!cli->options.verbose && strcmp(parts[i], "kept") != 0)
            continue;
        node_each (d, node_get_c(out, parts[i]))
            buf_fmt(&cli->out, "%s %.*s %.*s: %.*s\n", parts[i],
                    STR_ARG(node_text(node_get_c(d, "type"))),
                    STR_ARG(node_text(node_get_c(d, "name"))),
                    STR_ARG(node_text(node_get_c(d, "why"))));
    }
    if (nothing)
        buf_fmt(&cli->out, "%s '%.*s' is not there: nothing to remove\n", kind, STR_ARG(what));
    else
        buf_fmt(&cli->out, "%s '%.*s' is removed\n", kind, STR_ARG(what));
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    bool whole = cli->options.service;
    if (whole && cli->options.arg_count)
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if (context_place(cli, 0, whole ? STAGE_NONE : STAGE_REQUIRED, service, err) < 0 ||
        context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    r.source_revision = context_source_revision(cli->arena, service->dir);
    struct str what = whole ? service->name : service->address;
    if (ask(cli, &r, what, err) < 0)
        return -1;
    struct disposals disposals = {0};
    bool nothing;
    r.disposals = &disposals;
    if (whole ? remove_service(&r, cli->options.purge, &nothing, err) < 0
              : remove_stage(&r, service->address, cli->options.purge, &nothing, err) < 0)
        return -1;
    collect(cli, &r, whole);
    progress_clear(cli->progress);
    show(cli, whole, what, nothing, &disposals);
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
