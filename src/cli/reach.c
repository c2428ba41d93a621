/* Reaching a goal: what every command that changes a stage does the same way. */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/prune.h"
#include "ui/plan_text.h"

/* ---- plan ---- */

/* The exit code: 0, or with --detailed-exitcode 2 when there are changes. */
static int show_plan(struct cli *cli, const struct release *r, const struct goal *goal,
                     struct err *err)
{
    struct plan plan;
    if (plan_run(r, goal, &plan, err) < 0)
        return -1;
    progress_clear(cli->progress);
    for (size_t i = 0; i < plan.target.note_count; i++)
        context_warn(cli, (struct pos){0}, plan.target.notes[i], STR(""));
    if (context_new_stage(cli, r, &plan, err) < 0)
        return -1;
    if (cli->options.json) {
        json_write(&cli->out, plan_json(cli->arena, r->service, &plan), 2);
        buf_char(&cli->out, '\n');
    } else {
        plan_text(&cli->out, r->service, &plan, cli->colour_out);
    }
    return plan.nothing || !cli->options.detailed_exitcode ? 0 : 2;
}

/* ---- the whole way ---- */

static bool loses_data(const struct plan *plan, struct buf *names)
{
    for (size_t i = 0; i < plan->change_count; i++)
        if (plan->changes[i].stateful)
            buf_fmt(names, "%s%.*s (%.*s)", names->n ? ", " : "", STR_ARG(plan->changes[i].name),
                    STR_ARG(plan->changes[i].detail));
    return names->n > 0;
}

struct asking {
    struct cli *cli;
    const struct release *release;
    const struct service *service;
    struct str doing; /* "deploying" */
    bool guarded;     /* ask for protected stages, too, when no data is lost */
};

bool context_is_protected(const struct service *service)
{
    for (size_t i = 0; i < service->settings.protect_count; i++)
        if (settings_glob(service->settings.protect[i], service->stage))
            return true;
    return false;
}

static int confirm(void *context, const struct plan *plan, struct err *err)
{
    struct asking *q = context;
    struct cli *cli = q->cli;
    struct buf names = BUF(cli->arena);
    for (size_t i = 0; i < plan->target.note_count; i++)
        context_warn(cli, (struct pos){0}, plan->target.notes[i], STR(""));
    if (context_new_stage(cli, q->release, plan, err) < 0)
        return -1;
    bool loses = loses_data(plan, &names);
    bool guarded = q->guarded && !plan->nothing && context_is_protected(q->service);
    if (cli->options.yes || (!loses && !guarded))
        return 0;
    struct str stage = q->service->address.n ? q->service->address : q->service->name;
    struct str question = loses
                              ? str_fmt(cli->arena, "%.*s '%.*s' loses the data of %.*s",
                                        STR_ARG(q->doing), STR_ARG(stage), STR_ARG(buf_str(&names)))
                              : str_fmt(cli->arena, "stage '%.*s' is protected", STR_ARG(stage));
    return context_confirm(cli, question.p, stage, err);
}

static void add_moves(struct buf *out, const struct plan *plan, unsigned percent)
{
    enum { SHOWN = 6 };
    size_t n = 0;
    for (size_t i = 0; i < plan->function_count; i++) {
        const struct function_plan *f = &plan->functions[i];
        if (str_eq(f->from, f->to))
            continue;
        if (n++ >= SHOWN)
            continue;
        buf_fmt(out, "%s %.*s ", n == 1 ? ":" : ",", STR_ARG(f->function->key));
        if (f->from.n && percent) {
            buf_fmt(out, "v%.*s %u%% v%.*s %u%%", STR_ARG(f->from), 100 - percent, STR_ARG(f->to),
                    percent);
            continue;
        }
        if (f->from.n)
            buf_fmt(out, "v%.*s -> ", STR_ARG(f->from));
        buf_fmt(out, "v%.*s", STR_ARG(f->to));
    }
    if (n > SHOWN)
        buf_fmt(out, " and %zu more", n - SHOWN);
}

static const struct node *deployed_json(struct cli *cli, const struct service *service,
                                        const struct deployed *d)
{
    struct arena *a = cli->arena;
    struct node *n = node_map(a);
    node_put_str(a, n, "service", service->name);
    node_put_str(a, n, "stage", service->address);
    node_put_str(a, n, "region", service->region);
    node_put_c(a, n, "deployment", node_int(a, d->number));
    node_put_c(a, n, "nothing", node_bool(a, d->plan.nothing));
    if (d->undone)
        node_put_c(a, n, "undone", node_int(a, d->undone));
    if (d->percent)
        node_put_c(a, n, "percent", node_int(a, d->percent));
    node_put_c(a, n, "published", node_int(a, (int64_t)d->published));
    node_put_c(a, n, "uploaded", node_int(a, (int64_t)d->uploaded));
    node_put_c(a, n, "urls", context_urls(cli, &d->stage));
    node_put_c(a, n, "calls", node_int(a, (int64_t)aws_call_count(cli->aws)));
    node_put_c(a, n, "took_ms", node_int(a, d->took_ms));
    return n;
}

static void show_deployed(struct cli *cli, const struct service *service, const struct deployed *d)
{
    struct buf *out = &cli->out;
    if (cli->options.json) {
        json_write(out, deployed_json(cli, service, d), 2);
        buf_char(out, '\n');
        return;
    }
    if (!service->address.n)
        buf_fmt(out, "service %.*s", STR_ARG(service->name));
    else
        buf_fmt(out, "%.*s#%lld", STR_ARG(service->address), (long long)d->number);
    if (d->undone)
        buf_fmt(out, ": %.*s#%lld was taken back", STR_ARG(service->address), (long long)d->undone);
    else if (d->plan.nothing)
        buf_lit(out, ": nothing to do");
    else
        buf_fmt(out, " in %.1fs", (double)d->took_ms / 1000);
    if (!d->plan.nothing)
        add_moves(out, &d->plan, d->percent);
    buf_char(out, '\n');
    if (!service->address.n && !cli->options.service)
        buf_lit(out, "no stage was named, and none was deployed; for one: troupe deploy dev\n");
    context_show_urls(cli, context_urls(cli, &d->stage));
}

const struct shifting *context_shifting(struct cli *cli, const struct service *service)
{
    const struct options *o = &cli->options;
    const struct shift *settings = &service->settings.shift;
    struct shifting *s = ARENA_NEW(cli->arena, struct shifting);
    *s = (struct shifting){.settings = settings, .verify = o->verify};
    return o->no_shift || (settings->kind == SHIFT_ALL_AT_ONCE && !o->verify.n) ? NULL : s;
}

void context_prune(struct cli *cli, const struct release *r, struct world *world)
{
    struct pruning how = {.automatic = true, .unused_ms = COLLECT_UNUSED_MS};
    struct pruned pruned;
    cleanup_err struct err err = {0};
    if (prune_run(r, &how, world, &pruned, &err) < 0)
        context_warn(cli, (struct pos){0},
                     str_fmt(cli->arena, "old versions were not pruned: %.*s", STR_ARG(err.msg)),
                     STR("try again with: troupe prune"));
    else if (pruned.records)
        release_finished(r, "prune", "what only %zu old deployment%s needed", pruned.records,
                         pruned.records == 1 ? "" : "s");
}

int context_apply(struct cli *cli, struct release *r, const struct goal *goal, confirm_fn *ask,
                  void *context, struct err *err)
{
    struct deployed deployed;
    r->source_revision = context_source_revision(cli->arena, r->service->dir);
    if (deploy_run(r, goal, ask, context, &deployed, err) < 0)
        return -1;
    if (!deployed.plan.nothing && !deployed.percent)
        context_prune(cli, r, &deployed.plan.world);
    show_deployed(cli, r->service, &deployed);
    return 0;
}

int context_reach(struct cli *cli, struct release *r, const struct goal *goal, struct str doing,
                  bool guarded, struct err *err)
{
    if (cli->options.plan)
        return show_plan(cli, r, goal, err);
    struct asking q = {cli, r, r->service, doing, guarded};
    return context_apply(cli, r, goal, confirm, &q, err);
}
