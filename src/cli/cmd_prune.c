/* prune */
#include "cli/cli.h"

#include "base/clock.h"
#include "doc/json.h"
#include "release/prune.h"

static const char *const kept_words[KEPT_COUNT] = {
    [KEPT_CURRENT] = "served by their stage",
    [KEPT_LAST] = "among the last of their stage",
    [KEPT_OPEN] = "under way or interrupted",
    [KEPT_UNSETTLED] = "of stages whose stack is not where it should be",
    [KEPT_RECENT] = "used not long ago",
};
static const char *const kept_keys[KEPT_COUNT] = {
    [KEPT_CURRENT] = "current",     [KEPT_LAST] = "last",     [KEPT_OPEN] = "open",
    [KEPT_UNSETTLED] = "unsettled", [KEPT_RECENT] = "recent",
};
static const char *const kinds[COLLECT_KIND_COUNT] = {
    [COLLECT_VERSION] = "version", [COLLECT_DEPLOYMENT] = "deployment", [COLLECT_LAYER] = "layer",
    [COLLECT_OBJECT] = "object",   [COLLECT_FUNCTION] = "function",     [COLLECT_UPLOAD] = "upload",
};

static int read_duration(struct str text, int64_t *ret_ms, struct err *err)
{
    *ret_ms = COLLECT_UNUSED_MS;
    if (!text.n || duration_parse(text, ret_ms))
        return 0;
    err_set(err, ERR_USAGE, "'--unused-for' needs a time, not '%.*s'", STR_ARG(text));
    return err_help(err, "for example 90s, 30m, 12h or 7d");
}

static const struct node *pruned_json(struct cli *cli, const struct service *service,
                                      const struct pruned *c)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *items = node_seq(a), *kept = node_map(a);
    for (size_t i = 0; i < c->item_count; i++) {
        const struct prune_item *item = &c->items[i];
        struct node *n = node_map(a);
        node_put_str(a, n, "kind", str_c(kinds[item->kind]));
        if (item->owner.n)
            node_put_str(a, n, "of", item->owner);
        node_put_str(a, n, "id", item->id);
        if (item->stage.n)
            node_put_str(a, n, "deployment",
                         str_fmt(a, "%.*s#%lld", STR_ARG(item->stage), (long long)item->number));
        if (item->why_kept.n)
            node_put_str(a, n, "kept", item->why_kept);
        node_push(a, items, n);
    }
    for (size_t i = KEPT_NOT + 1; i < KEPT_COUNT; i++)
        node_put_c(a, kept, kept_keys[i], node_int(a, (int64_t)c->kept[i]));
    node_put_str(a, out, "service", service->name);
    node_put_c(a, out, "dry_run", node_bool(a, cli->options.plan));
    node_put_c(a, out, "deployments", node_int(a, (int64_t)c->records));
    node_put_c(a, out, "items", items);
    node_put_c(a, out, "kept", kept);
    return out;
}

static void show_items(struct buf *out, const struct pruned *c)
{
    for (size_t i = 0; i < c->item_count; i++) {
        const struct prune_item *item = &c->items[i];
        buf_fmt(out, "  %s %s %.*s", item->why_kept.n ? "kept" : "gone", kinds[item->kind],
                STR_ARG(item->id));
        if (item->owner.n)
            buf_fmt(out, " of %.*s", STR_ARG(item->owner));
        if (item->stage.n)
            buf_fmt(out, " (%.*s#%lld)", STR_ARG(item->stage), (long long)item->number);
        if (item->why_kept.n)
            buf_fmt(out, ": %.*s", STR_ARG(item->why_kept));
        buf_char(out, '\n');
    }
}

static void show(struct cli *cli, const struct service *service, const struct pruned *c)
{
    struct buf *out = &cli->out;
    size_t gone = 0;
    const char *gap = "";
    if (cli->options.json) {
        json_write(out, pruned_json(cli, service, c), 2);
        buf_char(out, '\n');
        return;
    }
    show_items(out, c);
    for (size_t i = 0; i < c->item_count; i++)
        gone += !c->items[i].why_kept.n;
    if (c->records || c->item_count)
        buf_fmt(out, "%s %zu deployment%s: %zu thing%s\n",
                cli->options.plan ? "would prune" : "pruned", c->records,
                c->records == 1 ? "" : "s", gone, gone == 1 ? "" : "s");
    else
        buf_lit(out, "nothing to prune\n");
    for (size_t i = KEPT_NOT + 1; i < KEPT_COUNT; i++) {
        if (!c->kept[i])
            continue;
        buf_fmt(out, "%s%zu %s", *gap ? gap : "kept: ", c->kept[i], kept_words[i]);
        gap = ", ";
    }
    if (*gap)
        buf_char(out, '\n');
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct pruning how = {.only_look = cli->options.plan};
    struct world world;
    struct pruned pruned;
    if (read_duration(cli->options.unused_for, &how.unused_ms, err) < 0 ||
        context_open(cli, SIZE_MAX, STAGE_NONE, LOAD_STACKS, &r, err) < 0)
        return -1;
    if (world_find(&r, true, &world, err) < 0 || prune_run(&r, &how, &world, &pruned, err) < 0)
        return -1;
    progress_clear(cli->progress);
    show(cli, r.service, &pruned);
    return 0;
}

const struct command cmd_prune = {
    .name = "prune",
    .arguments = "",
    .summary = "delete old versions and code that no stage needs",
    .details = "Keeps what any alias or API stage points at, the last deployments of each stage "
               "(history.keep), what is under way, and what was pointed at less than an hour "
               "ago. deploy, reset and remove do this too, when enough has come together.",
    .examples = {"troupe prune --plan", "troupe prune", "troupe prune --unused-for 7d"},
    .drastic = true,
    .run = run,
};
