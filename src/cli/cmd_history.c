/* history: the deployments of a stage, newest first. */
#include "cli/cli.h"

#include "doc/json.h"
#include "ui/table.h"

enum { LIMIT = 20 };

/* A record without outcome is the current one (its writer was stopped at the very end), one under
 * way, or one that was interrupted. */
static struct str outcome_of(const struct record *record, int64_t current)
{
    struct str outcome = node_text(node_get_c(record->outcome, "outcome"));
    if (outcome.n)
        return outcome;
    return record->number == current ? STR("succeeded") : STR("interrupted");
}

static struct str field(const struct record *r, const char *name)
{
    return node_text(node_get_c(r->body, name));
}

static const struct node *entry_json(struct arena *a, const struct record *record, int64_t current)
{
    struct node *n = node_map(a);
    node_put_c(a, n, "number", node_int(a, record->number));
    node_put_str(a, n, "when", field(record, "when"));
    node_put_str(a, n, "who", field(record, "who"));
    node_put_str(a, n, "what", field(record, "what"));
    node_put_str(a, n, "source", field(record, "source"));
    node_put_str(a, n, "outcome", outcome_of(record, current));
    node_put_c(a, n, "reason", node_get_c(record->outcome, "reason"));
    node_put_c(a, n, "current", node_bool(a, record->number == current));
    return n;
}

/* The last part of an ARN: who a person recognises. */
static struct str short_who(struct str arn)
{
    ptrdiff_t at = str_rfind_char(arn, '/');
    if (at < 0)
        at = str_rfind_char(arn, ':');
    return str_sub(arn, (size_t)(at + 1), arn.n);
}

static void entry_row(struct table *t, const struct record *record, int64_t current)
{
    struct str reason = node_text(node_get_c(record->outcome, "reason"));
    struct str outcome = outcome_of(record, current);
    table_cell(t, record->number == current ? STR("◆") : STR(" "));
    table_cell(t, str_fmt(t->arena, "%lld", (long long)record->number));
    table_cell(t, field(record, "when"));
    table_cell(t, short_who(field(record, "who")));
    table_cell(t, field(record, "what"));
    table_cell(t, field(record, "source"));
    table_cell(t, reason.n ? str_fmt(t->arena, "%.*s: %.*s", STR_ARG(outcome), STR_ARG(reason))
                           : outcome);
}

static int list(struct cli *cli, const struct release *r, struct world *w, struct err *err)
{
    struct arena *a = cli->arena;
    struct table t = TABLE(a, 7);
    struct node *out = node_map(a), *all = node_seq(a);
    int64_t current = w->stage_exists ? world_deployment(&w->stage) : 0;
    int64_t left = cli->options.limit ? cli->options.limit : LIMIT;
    for (size_t i = 0; i < w->record_count; i++) {
        struct record record;
        if (!str_eq(w->records[i].stage, r->service->stage) || left-- <= 0)
            continue;
        if (record_read(a, &w->store, w->records[i].stage, w->records[i].number, false,
                        w->records[i].has_outcome, &record, err) < 0)
            return -1;
        node_push(a, all, entry_json(a, &record, current));
        entry_row(&t, &record, current);
    }
    if (cli->options.json) {
        node_put_str(a, out, "stage", r->service->stage);
        node_put_c(a, out, "deployments", all);
        json_write(&cli->out, out, 2);
        buf_char(&cli->out, '\n');
    } else if (!all->count) {
        buf_fmt(&cli->out, "stage '%.*s' was never deployed\n", STR_ARG(r->service->stage));
    } else {
        table_write(&t, &cli->out, cli->colour_out);
    }
    return 0;
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct world w;
    if (context_service(cli, 0, STAGE_REQUIRED, service, err) < 0 ||
        context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    if (context_world(cli, &r, &w, err) < 0)
        return -1;
    if (w.bucket.n && records_list(cli->arena, &w.store, &w.records, &w.record_count, err) < 0)
        return -1;
    return list(cli, &r, &w, err);
}

const struct command cmd_history = {
    .name = "history",
    .arguments = "[STAGE]",
    .summary = "the deployments of a stage, newest first",
    .details =
        "Who deployed when, from which source revision, and how it ended. ◆ marks the current one.",
    .args_max = 1,
    .run = run,
};
