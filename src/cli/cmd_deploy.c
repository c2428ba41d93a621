/* deploy and plan. */
#include "cli/cli.h"

#include "doc/json.h"
#include "ui/plan_text.h"

/* A service-only deploy is compiled for a stage that never leaves: what depends on the stage stays
 * out of the service stack anyway. */
static int load(struct cli *cli, struct service *service, struct target *target, struct err *err)
{
    if (cli->options.function.n) {
        err_set(err, ERR_USAGE, "--function is for invoke: a deployment is of the whole stage");
        return err_help(err, "what did not change is neither uploaded nor published anyway");
    }
    if (context_service(cli, 0, STAGE_OPTIONAL, service, err) < 0)
        return -1;
    if (cli->options.service && cli->options.arg_count)
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if (cli->options.service || !service->stage_named)
        service->stage = (struct str){"", 0};
    return context_target(cli, service, target, err);
}

/* ---- plan ---- */

static void show_plan(struct cli *cli, const struct service *service, const struct plan *plan)
{
    if (cli->options.json)
        json_write(&cli->out, plan_json(cli->arena, service, plan), 2);
    else
        plan_text(&cli->out, service, plan, cli->colour_out);
    if (cli->options.json)
        buf_char(&cli->out, '\n');
}

static int run_plan(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    struct plan plan;
    struct world world;
    if (load(cli, service, target, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    if (world_read(&r, target->layout, false, &world, err) < 0 ||
        plan_make(&r, target, &world, &plan, err) < 0)
        return -1;
    progress_clear(cli->progress);
    show_plan(cli, service, &plan);
    return plan.nothing || cli->options.no_detailed_exitcode ? 0 : 2;
}

const struct command cmd_plan = {
    .name = "plan",
    .arguments = "[STAGE]",
    .summary = "what deploy would do",
    .details = "Exits with 0 when there is nothing to do, 2 when there are changes, 1 on errors.\n"
               "With --no-detailed-exitcode changes exit with 0 as well.",
    .args_max = 1,
    .run = run_plan,
};

/* ---- deploy ---- */

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
    const struct service *service;
};

static int confirm(void *context, const struct plan *plan, struct err *err)
{
    struct asking *q = context;
    struct cli *cli = q->cli;
    struct buf names = BUF(cli->arena);
    if (cli->options.yes || !loses_data(plan, &names))
        return 0;
    struct str stage = q->service->stage.n ? q->service->stage : q->service->name;
    struct str question = str_fmt(cli->arena, "deploying '%.*s' loses the data of %.*s",
                                  STR_ARG(stage), STR_ARG(buf_str(&names)));
    return context_confirm(cli, question.p, stage, err);
}

static void add_moves(struct buf *out, const struct plan *plan)
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
        if (f->from.n)
            buf_fmt(out, "v%.*s -> ", STR_ARG(f->from));
        buf_fmt(out, "v%.*s", STR_ARG(f->to));
    }
    if (n > SHOWN)
        buf_fmt(out, " and %zu more", n - SHOWN);
}

static const struct node *deployed_json(struct cli *cli, const struct service *service,
                                        const struct deployed *d, const struct urls *urls)
{
    struct arena *a = cli->arena;
    struct node *n = node_map(a), *u = node_map(a);
    node_put_str(a, n, "service", service->name);
    node_put_str(a, n, "stage", service->stage);
    node_put_str(a, n, "region", service->region);
    node_put_c(a, n, "deployment", node_int(a, d->number));
    node_put_c(a, n, "nothing", node_bool(a, d->plan.nothing));
    node_put_c(a, n, "published", node_int(a, (int64_t)d->published));
    node_put_c(a, n, "uploaded", node_int(a, (int64_t)d->uploaded));
    if (urls->rest.n)
        node_put_str(a, u, "rest", urls->rest);
    if (urls->http.n)
        node_put_str(a, u, "http", urls->http);
    node_put_c(a, n, "urls", u);
    node_put_c(a, n, "calls", node_int(a, (int64_t)aws_call_count(cli->aws)));
    node_put_c(a, n, "took_ms", node_int(a, d->took_ms));
    return n;
}

static void show_deployed(struct cli *cli, const struct service *service, const struct deployed *d)
{
    struct buf *out = &cli->out;
    struct urls urls = context_urls(cli, service, &d->plan.world, &d->stage);
    if (cli->options.json) {
        json_write(out, deployed_json(cli, service, d, &urls), 2);
        buf_char(out, '\n');
        return;
    }
    if (!service->stage.n)
        buf_fmt(out, "service %.*s", STR_ARG(service->name));
    else
        buf_fmt(out, "%.*s#%lld", STR_ARG(service->stage), (long long)d->number);
    if (d->plan.nothing)
        buf_lit(out, ": nothing to do");
    else
        buf_fmt(out, " in %.1fs", (double)d->took_ms / 1000);
    if (!d->plan.nothing)
        add_moves(out, &d->plan);
    buf_char(out, '\n');
    if (urls.rest.n)
        buf_fmt(out, "  rest  %.*s\n", STR_ARG(urls.rest));
    if (urls.http.n)
        buf_fmt(out, "  http  %.*s\n", STR_ARG(urls.http));
}

static int run_deploy(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    struct deployed deployed;
    if (cli->options.plan) {
        cli->options.no_detailed_exitcode = !cli->options.detailed_exitcode;
        return run_plan(cli, err);
    }
    if (load(cli, service, target, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    r.source_revision = context_source_revision(cli->arena, service->dir);
    struct asking q = {cli, service};
    if (deploy_run(&r, target, confirm, &q, &deployed, err) < 0)
        return -1;
    show_deployed(cli, service, &deployed);
    return 0;
}

const struct command cmd_deploy = {
    .name = "deploy",
    .arguments = "[STAGE]",
    .summary = "make a stage what serverless.yml says",
    .details = "Publishes the functions and APIs that changed and moves the stage's pointers to "
               "them in one\n"
               "stack update. Other stages are not touched. Without a stage (none named, no "
               "provider.stage,\n"
               "or with --service) only what all stages share is created or updated.",
    .args_max = 1,
    .run = run_deploy,
};
