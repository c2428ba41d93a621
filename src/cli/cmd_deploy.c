/* deploy and plan. */
#include "cli/cli.h"

static int make_alone(struct service *service, struct err *err)
{
    if (service->remote) {
        err_set(err, ERR_USAGE, "service '%.*s' itself lives in %.*s only", STR_ARG(service->name),
                STR_ARG(service->home));
        return err_help(err, "name a stage to have it in %.*s: troupe deploy STAGE --region %.*s",
                        STR_ARG(service->region), STR_ARG(service->region));
    }
    service_alone(service);
    return 0;
}

/* A service-only deploy is compiled for a stage that never leaves: what depends on the stage stays
 * out of the service stack anyway. */
static int load(struct cli *cli, struct service *service, struct target *target, struct err *err)
{
    if (context_service(cli, 0, STAGE_OPTIONAL, service, err) < 0)
        return -1;
    if (cli->options.service && cli->options.arg_count)
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if ((cli->options.service || !service->stage_named) && make_alone(service, err) < 0)
        return -1;
    if (cli->options.function.n && !service->stage.n) {
        err_set(err, ERR_USAGE, "--function needs a stage");
        return err_help(err, "troupe deploy STAGE --function %.*s", STR_ARG(cli->options.function));
    }
    return context_target(cli, service, target, err);
}

static struct goal goal_of(struct cli *cli, const struct service *service,
                           const struct target *target)
{
    struct goal goal = cli->options.function.n ? goal_function(target, cli->options.function)
                                               : goal_deploy(target);
    goal.shifting = context_shifting(cli, service);
    return goal;
}

/* ---- plan ---- */

static int run_plan(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    if (load(cli, service, target, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    struct goal goal = goal_of(cli, service, target);
    return context_plan(cli, &r, &goal, err);
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

static int run_deploy(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    if (cli->options.plan) {
        cli->options.no_detailed_exitcode = !cli->options.detailed_exitcode;
        return run_plan(cli, err);
    }
    if (load(cli, service, target, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    struct goal goal = goal_of(cli, service, target);
    return context_reach(cli, &r, &goal, STR("deploying"), false, err);
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
