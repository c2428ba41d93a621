/* repair */
#include "cli/cli.h"

#include "release/repair.h"

#include "doc/json.h"

static const struct node *findings_json(struct arena *a, const struct service *service,
                                        const struct repaired *repaired)
{
    struct node *out = node_map(a), *all = node_seq(a);
    for (size_t i = 0; i < repaired->finding_count; i++) {
        struct node *n = node_map(a);
        node_put_str(a, n, "what", repaired->findings[i].what);
        node_put_c(a, n, "repaired", node_bool(a, repaired->findings[i].reconciled));
        node_push(a, all, n);
    }
    node_put_str(a, out, "stage", service->address);
    node_put_c(a, out, "deployment", node_int(a, repaired->number));
    node_put_c(a, out, "findings", all);
    return out;
}

/* Show what was found. `done` false: repair failed on the way, and findings may still be as they
 * are shown. */
static void show(struct cli *cli, const struct service *service, const struct repaired *repaired,
                 bool done)
{
    struct buf *out = &cli->out;
    if (cli->options.json) {
        json_write(out, findings_json(cli->arena, service, repaired), 2);
        buf_char(out, '\n');
        return;
    }
    for (size_t i = 0; i < repaired->finding_count; i++)
        buf_fmt(out, "  %s  %.*s\n",
                !repaired->findings[i].reconciled ? "left"
                : cli->options.plan || !done      ? "found"
                                                  : "repaired",
                STR_ARG(repaired->findings[i].what));
    if (!done)
        return;
    buf_fmt(out, "%.*s#%lld: %s\n", STR_ARG(service->address), (long long)repaired->number,
            !repaired->finding_count ? "nothing to repair"
            : repaired->unrepaired   ? "not everything can be repaired"
            : cli->options.plan      ? "to be repaired"
                                     : "repaired");
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct repaired repaired;
    if (context_open(cli, 0, STAGE_REQUIRED, LOAD_STACKS, &r, err) < 0)
        return -1;
    r.source_revision = context_source_revision(cli->arena, r.service->dir);
    int done = repair_run(&r, cli->options.plan, &repaired, err);
    progress_clear(cli->progress);
    if (done == 0 || repaired.finding_count)
        show(cli, r.service, &repaired, done == 0);
    return done < 0 ? -1 : repaired.unrepaired ? 1 : 0;
}

const struct command cmd_repair = {
    .name = "repair",
    .arguments = "[STAGE]",
    .summary = "finish or undo what was interrupted",
    .details = "Finishes an interrupted rollback, undoes an interrupted deployment, and brings "
               "pointers and stack back to what the stage's current record says. With --plan it "
               "only looks. Exits with 1 when something is left that needs a person.",
    .examples = {"troupe repair prod --plan", "troupe repair prod --plan --json",
                 "troupe repair prod"},
    .args_max = 1,
    .run = run,
};
