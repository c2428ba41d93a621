/* history: the deployments of a stage, newest first. */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/bucket/chain.h"
#include "release/status.h"
#include "ui/table.h"

enum { LIMIT = 20 };

struct history {
    struct stage_status stage;
    struct record *records;
    const struct record_ref *refs;
    size_t n;
};

static struct str state_of(const struct history *h, size_t i)
{
    const struct record *record = &h->records[i];
    if (!record->body)
        return record->unvouched.n ? record->unvouched : STR("record gone");
    return str_c(record_state_word(record_state(&h->stage, record->number, record->outcome)));
}

/* Of a record that is gone, nothing is known. */
static const struct record_body *body_of(const struct record *record)
{
    static const struct record_body gone;
    return record->body ? record->body : &gone;
}

static struct str reason_of(const struct record *record)
{
    return record->outcome ? record->outcome->reason : (struct str){"", 0};
}

static const struct node *entry_json(struct arena *a, const struct history *h, size_t i)
{
    const struct record *record = &h->records[i];
    const struct record_body *body = body_of(record);
    struct node *n = node_map(a);
    node_put_c(a, n, "number", node_int(a, record->number));
    node_put_str(a, n, "when", body->when);
    node_put_str(a, n, "who", body->who);
    node_put_str(a, n, "what", body->what);
    node_put_str(a, n, "source", body->source);
    node_put_str(a, n, "outcome", state_of(h, i));
    if (reason_of(record).n)
        node_put_str(a, n, "reason", reason_of(record));
    node_put_c(a, n, "current", node_bool(a, record->number == h->stage.number));
    node_put_c(a, n, "pruned", node_bool(a, h->refs[i].pruned));
    return n;
}

/* The last part of an ARN, by which people recognise each other. */
static struct str short_who(struct str arn)
{
    ptrdiff_t at = str_rfind_char(arn, '/');
    if (at < 0)
        at = str_rfind_char(arn, ':');
    return str_sub(arn, (size_t)(at + 1), arn.n);
}

static void entry_row(struct table *t, const struct history *h, size_t i)
{
    const struct record *record = &h->records[i];
    bool current = record->number == h->stage.number;
    const struct record_body *body = body_of(record);
    struct str reason = reason_of(record);
    struct buf outcome = BUF(t->arena);
    buf_add(&outcome, state_of(h, i));
    if (reason.n)
        buf_fmt(&outcome, ": %.*s", STR_ARG(reason));
    if (h->refs[i].pruned)
        buf_lit(&outcome, " (pruned)");
    table_cell(t, current ? STR("◆") : STR(" "));
    table_cell(t, str_fmt(t->arena, "%lld", (long long)record->number));
    table_cell(t, body->when);
    table_cell(t, short_who(body->who));
    table_cell(t, body->what);
    table_cell(t, body->source);
    table_cell(t, buf_str(&outcome));
}

static int read_history(struct cli *cli, const struct release *r, struct world *w,
                        struct history *h, struct err *err)
{
    size_t first = 0, n = 0, limit = cli->options.limit ? (size_t)cli->options.limit : LIMIT;
    if (!w->bucket.n)
        return 0;
    if (records_list(cli->arena, &w->store, &w->records, &w->record_count, err) < 0 ||
        status_of_stage(r, w, &h->stage, err) < 0)
        return -1;
    while (first < w->record_count && !str_eq(w->records[first].stage, r->service->address))
        first++;
    while (n < limit && first + n < w->record_count &&
           str_eq(w->records[first + n].stage, r->service->address))
        n++;
    h->refs = w->records + first;
    h->n = n;
    h->records = ARENA_ARRAY(cli->arena, n + 1, struct record);
    if (records_read(cli->arena, &w->store, h->refs, n, h->records, err) < 0)
        return -1;
    chain_check(cli->arena, h->stage.number, world_digest(&h->stage.stack), h->records, n);
    if (n && !w->stage_exists && !record_is_removal(&h->records[0]) && !h->stage.note.n)
        h->stage.note = str_fmt(cli->arena, "its stack is gone; make it again: troupe deploy %.*s",
                                STR_ARG(r->service->address));
    return 0;
}

static void show(struct cli *cli, const struct service *service, const struct history *h)
{
    struct arena *a = cli->arena;
    struct table t = TABLE(a, 7);
    struct node *out = node_map(a), *all = node_seq(a);
    for (size_t i = 0; i < h->n; i++) {
        node_push(a, all, entry_json(a, h, i));
        entry_row(&t, h, i);
    }
    if (cli->options.json) {
        node_put_str(a, out, "stage", service->address);
        node_put_c(a, out, "deployments", all);
        json_write(&cli->out, out, 2);
        buf_char(&cli->out, '\n');
    } else if (!h->n) {
        buf_fmt(&cli->out, "stage '%.*s' was never deployed\n", STR_ARG(service->address));
    } else {
        table_write(&t, &cli->out, cli->colour_out);
        if (h->stage.note.n)
            buf_fmt(&cli->out, "%s: %.*s\n", h->stage.word, STR_ARG(h->stage.note));
    }
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct world w;
    if (context_open(cli, 0, STAGE_REQUIRED, LOAD_PLACE, &r, err) < 0)
        return -1;
    struct history h = {0};
    if (world_find(&r, true, &w, err) < 0 || read_history(cli, &r, &w, &h, err) < 0)
        return -1;
    show(cli, r.service, &h);
    return 0;
}

const struct command cmd_history = {
    .name = "history",
    .arguments = "[STAGE]",
    .summary = "the deployments of a stage, newest first",
    .details = "Who deployed when, from which source revision, and how it ended. ◆ marks the\n"
               "current one.",
    .examples = {"troupe history prod", "troupe history prod -n 100", "troupe history prod --json"},
    .args_max = 1,
    .run = run,
};
