/* unlock: break a lease, showing whose it is. */
#include "cli/cli.h"

#include "base/clock.h"
#include "doc/json.h"
#include "release/bucket/lease_list.h"

static struct str stage_of(const struct lease_info *l)
{
    struct str stage = l->name;
    return str_skip(&stage, STR(LEASE_STAGE)) ? stage : STR("");
}

/* "stage 'dev' is locked: …" */
static struct str describe(struct arena *a, const struct service *service,
                           const struct lease_info *l)
{
    struct buf b = BUF(a);
    struct str stage = stage_of(l);
    buf_fmt(&b, "%s '%.*s' is locked: '%.*s' on '%.*s' (process %lld) is at work",
            stage.n ? "stage" : "service", STR_ARG(stage.n ? stage : service->name),
            STR_ARG(l->user), STR_ARG(l->host), (long long)l->pid);
    if (l->taken.n)
        buf_fmt(&b, " since %.*s", STR_ARG(l->taken));
    buf_fmt(&b, ": %.*s; the lease %s %.*s", STR_ARG(l->purpose),
            l->ends_ms < l->date_ms ? "ran out at" : "lasts until",
            STR_ARG(time_iso(a, l->ends_ms)));
    if (l->dead)
        buf_lit(&b, ", but its process is gone");
    else if (l->ends_ms >= l->date_ms)
        buf_lit(&b, " unless it is renewed");
    return buf_str(&b);
}

static const struct node *lease_json(struct arena *a, const struct lease_info *l)
{
    struct node *n = node_map(a);
    struct str stage = stage_of(l);
    node_put_str(a, n, "name", l->name);
    if (stage.n)
        node_put_str(a, n, "stage", stage);
    node_put_str(a, n, "user", l->user);
    node_put_str(a, n, "host", l->host);
    node_put_c(a, n, "process", node_int(a, l->pid));
    node_put_str(a, n, "purpose", l->purpose);
    node_put_str(a, n, "since", l->taken);
    node_put_str(a, n, "until", time_iso(a, l->ends_ms));
    return n;
}

struct unlocking {
    const struct service *service;
    struct str name; /* of the lease */
    struct lease_info *all;
    size_t n;
    const struct lease_info *held; /* the lease of that name; NULL: nobody holds it */
    bool broken;
};

static int break_it(struct cli *cli, const struct store *store, struct unlocking *u,
                    struct err *err)
{
    struct arena *a = cli->arena;
    bool gone;
    struct str stage = stage_of(u->held);
    struct str question = str_fmt(
        a, "%.*s\nwithout its lease that command stops before its next change, maybe half way",
        STR_ARG(describe(a, u->service, u->held)));
    if (!cli->options.yes &&
        context_confirm(cli, question.p, stage.n ? stage : u->service->name, err) < 0)
        return -1;
    if (lease_break(a, store, u->held, &gone, err) < 0)
        return -1;
    u->broken = !gone;
    return 0;
}

static void show_text(struct cli *cli, const struct unlocking *u, bool whole)
{
    struct buf *out = &cli->out;
    struct str name = whole ? u->service->name : u->service->address;
    const char *kind = whole ? "service" : "stage";
    if (u->broken)
        buf_fmt(out, "broke the lease of %s '%.*s'\n", kind, STR_ARG(name));
    else if (u->held && cli->options.plan)
        buf_fmt(out, "would break the lease of %s '%.*s'\n", kind, STR_ARG(name));
    else if (u->held)
        buf_fmt(out, "the lease of %s '%.*s' was given back meanwhile\n", kind, STR_ARG(name));
    else
        buf_fmt(out, "%s '%.*s' is not locked\n", kind, STR_ARG(name));
}

static void show_json(struct cli *cli, const struct unlocking *u)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *leases = node_seq(a);
    for (size_t i = 0; i < u->n; i++)
        node_push(a, leases, lease_json(a, &u->all[i]));
    node_put_str(a, out, "service", u->service->name);
    node_put_str(a, out, "lease", u->name);
    node_put_c(a, out, "broken", node_bool(a, u->broken));
    node_put_c(a, out, "leases", leases);
    json_write(&cli->out, out, 2);
    buf_char(&cli->out, '\n');
}

static int run(struct cli *cli, struct err *err)
{
    struct arena *a = cli->arena;
    struct release r;
    struct world w;
    if (context_open(cli, 0, STAGE_OPTIONAL, LOAD_PLACE, &r, err) < 0)
        return -1;
    /* the lease of a stage is broken only when the stage was named: provider.stage does not
     * count */
    bool whole = !cli->options.arg_count && !cli->options.stage.n;
    if (world_find(&r, false, &w, err) < 0)
        return -1;
    struct unlocking u = {.service = r.service, .name = STR("service")};
    if (!whole)
        u.name = str_fmt(a, LEASE_STAGE "%.*s", STR_ARG(r.service->address));
    if (w.bucket.n && leases_list(a, &w.store, &u.all, &u.n, err) < 0)
        return -1;
    for (size_t i = 0; i < u.n; i++)
        if (str_eq(u.all[i].name, u.name))
            u.held = &u.all[i];
    for (size_t i = 0; i < u.n && !cli->options.json; i++)
        if (&u.all[i] == u.held || whole)
            buf_fmt(&cli->out, "%.*s\n", STR_ARG(describe(a, r.service, &u.all[i])));
    if (u.held && !cli->options.plan && break_it(cli, &w.store, &u, err) < 0)
        return -1;
    if (cli->options.json)
        show_json(cli, &u);
    else
        show_text(cli, &u, whole);
    return 0;
}

const struct command cmd_unlock = {
    .name = "unlock",
    .arguments = "[STAGE]",
    .summary = "break the lease of a stage, showing whose it is",
    .details = "Whoever works on the stage stops before the next change. Leases of commands that "
               "died run out by themselves. Without STAGE: all leases, and the one on what "
               "stages share is broken.",
    .examples = {"troupe unlock prod --plan", "troupe unlock prod", "troupe unlock prod --yes"},
    .args_max = 1,
    .drastic = true,
    .run = run,
};
