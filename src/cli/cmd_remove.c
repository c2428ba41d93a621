/* remove */
#include "cli/all.h"

#include "doc/json.h"
#include "release/dispose/dispose.h"
#include "release/dispose/repositories.h"
#include "release/remove_plan.h"
#include "ui/table.h"

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
    if (!n && !context_is_protected(r->service))
        return 0;
    struct buf names = BUF(cli->arena);
    for (size_t i = 0; i < n; i++) {
        bool next = i && str_eq(losses[i].reason, losses[i - 1].reason);
        if (!next)
            buf_fmt(&names, "\n  stack '%.*s': ", STR_ARG(losses[i].reason));
        buf_fmt(&names, "%s%.*s (%.*s)", next ? ", " : "", STR_ARG(losses[i].name),
                STR_ARG(losses[i].detail));
    }
    struct str question = n ? str_fmt(cli->arena, "removing '%.*s' loses the data of%.*s",
                                      STR_ARG(what), STR_ARG(buf_str(&names)))
                            : str_fmt(cli->arena, "stage '%.*s' is protected", STR_ARG(what));
    return context_confirm(cli, question.p, what, err);
}

/* ---- the plan ---- */

static struct str version_name(struct arena *a, const struct network_version *v)
{
    return str_fmt(a, "%.*s:%.*s", STR_ARG(v->function), STR_ARG(v->number));
}

static const struct node *repositories_json(struct arena *a, const repository_list *repositories)
{
    struct node *all = node_seq(a);
    vec_each (repositories, x) {
        struct node *one = node_map(a);
        node_put_str(a, one, "name", x->name);
        if (x->region.n)
            node_put_str(a, one, "region", x->region);
        if (x->foreign.n)
            node_put_str(a, one, "stays", x->foreign);
        node_push(a, all, one);
    }
    return all;
}

static const struct node *plan_json(struct arena *a, struct str what,
                                    const struct removal_stack *stacks, size_t n,
                                    const struct network *network,
                                    const repository_list *repositories)
{
    struct node *out = node_map(a), *all = node_seq(a), *versions = node_seq(a);
    vec_each (&network->versions, v)
        node_push(a, versions, node_str(a, version_name(a, v)));
    for (size_t i = 0; i < n; i++) {
        struct node *stack = node_map(a), *resources = node_seq(a);
        for (size_t k = 0; k < stacks[i].n; k++) {
            const struct removal_resource *x = &stacks[i].resources[k];
            struct node *one = node_map(a);
            node_put_str(a, one, "name", x->id);
            node_put_str(a, one, "type", x->type);
            node_put_c(a, one, "stays", node_bool(a, x->retained));
            node_put_c(a, one, "losesData", node_bool(a, x->loses));
            node_push(a, resources, one);
        }
        node_put_str(a, stack, "name", stacks[i].name);
        if (stacks[i].stage.n)
            node_put_str(a, stack, "stage", stacks[i].stage);
        node_put_c(a, stack, "resources", resources);
        node_push(a, all, stack);
    }
    node_put_str(a, out, "remove", what);
    node_put_c(a, out, "stacks", all);
    node_put_c(a, out, "versions", versions);
    node_put_c(a, out, "repositories", repositories_json(a, repositories));
    return out;
}

static void network_text(struct cli *cli, const struct network *network)
{
    struct table t = TABLE(cli->arena, 3);
    if (!network->versions.n)
        return;
    buf_lit(&cli->out, "versions in the network that goes\n");
    vec_each (&network->versions, v) {
        table_cell(&t, STR("    -"));
        table_cell(&t, version_name(cli->arena, v));
        table_cell(&t, STR("AWS::Lambda::Version"));
    }
    table_write(&t, &cli->out, cli->colour_out);
}

static void repositories_text(struct cli *cli, const repository_list *repositories)
{
    struct table t = TABLE(cli->arena, 3);
    if (!repositories->n)
        return;
    buf_lit(&cli->out, "repositories, with all images\n");
    vec_each (repositories, x) {
        table_cell(&t, x->foreign.n ? STR("     ") : STR("    -"));
        table_cell(&t, x->region.n
                           ? str_fmt(cli->arena, "%.*s@%.*s", STR_ARG(x->name), STR_ARG(x->region))
                           : x->name);
        table_cell(&t, x->foreign.n ? str_fmt(cli->arena, "stays: %.*s", STR_ARG(x->foreign))
                                    : STR("AWS::ECR::Repository"));
    }
    table_write(&t, &cli->out, cli->colour_out);
}

static void plan_text(struct cli *cli, const struct removal_stack *stacks, size_t n,
                      const struct network *network, const repository_list *repositories)
{
    struct buf *out = &cli->out;
    size_t resources = 0, losses = 0;
    for (size_t i = 0; i < n; i++) {
        struct table t = TABLE(cli->arena, 4);
        buf_fmt(out, "stack '%.*s', %s%.*s\n", STR_ARG(stacks[i].name),
                stacks[i].stage.n ? "stage " : "what all stages share, and all history",
                STR_ARG(stacks[i].stage));
        for (size_t k = 0; k < stacks[i].n; k++) {
            const struct removal_resource *x = &stacks[i].resources[k];
            table_cell(&t, x->retained ? STR("     ") : STR("    -"));
            table_cell(&t, x->id);
            table_cell(&t, x->type);
            if (x->loses)
                table_mark(&t, STR("DATA IS LOST"));
            else
                table_cell(&t, x->retained ? STR("stays") : STR(""));
            resources += !x->retained;
            losses += x->loses;
        }
        table_write(&t, out, cli->colour_out);
    }
    network_text(cli, network);
    repositories_text(cli, repositories);
    buf_fmt(out, "%zu stack%s and %zu resource%s go, %zu of them with data\n", n, n == 1 ? "" : "s",
            resources, resources == 1 ? "" : "s", losses);
}

static int plan_repositories(const struct release *r, const struct world *w, repository_list *ret,
                             struct err *err)
{
    struct record *records;
    size_t n;
    return records_all(r->arena, &w->store, &records, &n, err) < 0
               ? -1
               : repositories_find(r, &w->store, records, n, ret, err);
}

static int run_plan(struct cli *cli, const struct release *r, struct str what, struct err *err)
{
    struct world w;
    struct removal_stack *stacks;
    struct contents contents;
    struct network network = {0};
    repository_list repositories = {0};
    bool whole = !r->service->stage.n; /* then functions go with all their versions */
    size_t n;
    if (world_remains(r, !whole, &w, err) < 0 || removal_plan(r, &w, &stacks, &n, err) < 0 ||
        (!whole && n && removal_network(r, &w, &contents, &network, err) < 0) ||
        (whole && plan_repositories(r, &w, &repositories, err) < 0))
        return -1;
    progress_clear(cli->progress);
    if (!n) {
        err_set(err, ERR_NOT_FOUND, "%s '%.*s' is not deployed", whole ? "service" : "stage",
                STR_ARG(what));
        return whole ? -1 : err_help(err, "which stages there are: troupe stages");
    }
    if (cli->options.json) {
        json_write(&cli->out, plan_json(cli->arena, what, stacks, n, &network, &repositories), 2);
        buf_char(&cli->out, '\n');
    } else {
        plan_text(cli, stacks, n, &network, &repositories);
    }
    return removal_network_check(&w, &network, err);
}

/* ---- the command ---- */

/* Refuse `remove --yes` without a stage: a script whose variable is not set runs just that, and
 * provider.stage may be production. */
static int check_named(const struct options *o, struct err *err)
{
    bool named = o->arg_count || o->stage.n;
    if (o->service && named)
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if (o->service || named || !o->yes || o->plan)
        return 0;
    err_set(err, ERR_USAGE, "--yes needs the stage that is to be removed");
    return err_help(err, "troupe remove STAGE --yes");
}

/* Prune after the removal. Versions that only this stage had go an hour later, by a deploy or by
 * prune; those that other stages left may go now. */
static void prune(struct cli *cli, const struct release *r, bool whole)
{
    struct world world;
    cleanup_err struct err ignored = {0};
    if (whole || world_remains(r, true, &world, &ignored) < 0 || !world.bucket.n ||
        records_list(cli->arena, &world.store, &world.records, &world.record_count, &ignored) < 0)
        return;
    context_prune(cli, r, &world);
}

static const char *const parts[] = {"deleted", "emptied", "kept"};

/* Show what stays by name, and what was deleted only on request. */
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

/* Without a terminal each process asks for --yes; here it is asked for once. */
static int remove_all(struct cli *cli, struct err *err)
{
    if (check_named(&cli->options, err) < 0)
        return -1;
    if (!cli->options.yes && !cli->options.plan) {
        err_set(err, ERR_REFUSED, "--all removes from every service and asks nothing");
        return err_help(err, "look with --plan, then add --yes");
    }
    return all_command(cli, &cmd_remove, ALL_NEEDED_LAST, err);
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    bool whole = cli->options.service;
    if (cli->options.all)
        return remove_all(cli, err);
    if (check_named(&cli->options, err) < 0 ||
        context_open(cli, 0, whole ? STAGE_NONE : STAGE_REQUIRED, LOAD_PLACE, &r, err) < 0)
        return -1;
    r.source_revision = context_source_revision(cli->arena, r.service->dir);
    struct str what = whole ? r.service->name : r.service->address;
    if (cli->options.plan)
        return run_plan(cli, &r, what, err);
    if (ask(cli, &r, what, err) < 0)
        return -1;
    struct disposals disposals = {0};
    bool nothing;
    r.disposals = &disposals;
    if (whole ? remove_service(&r, cli->options.purge, &nothing, err) < 0
              : remove_stage(&r, r.service->address, cli->options.purge, &nothing, err) < 0)
        return -1;
    prune(cli, &r, whole);
    progress_clear(cli->progress);
    show(cli, whole, what, nothing, &disposals);
    return 0;
}

const struct command cmd_remove = {
    .name = "remove",
    .arguments = "[STAGE]",
    .summary = "remove a stage, or with --service everything",
    .details = "Asks before data is lost; --yes does not ask, and needs the stage's name. AWS "
               "deletes no bucket that holds something: --purge empties the stage's buckets "
               "first. --plan lists what would go.",
    .examples = {"troupe remove pr-42 --plan", "troupe remove pr-42 --yes --purge",
                 "troupe remove --service --plan"},
    .args_max = 1,
    .drastic = true,
    .run = run,
};
