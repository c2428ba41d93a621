/* deploy and plan. */
#include "cli/all.h"

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

/* Ask for a stage: the Serverless Framework would deploy `dev` without being told. */
static void say_no_stage(struct cli *cli, const struct service *service)
{
    context_warn(cli, (struct pos){0},
                 str_fmt(cli->arena,
                         "no stage is named: this is about what the stages of '%.*s' share, and "
                         "no function of it will answer",
                         STR_ARG(service->name)),
                 STR("a stage: troupe deploy dev; to be silent about it: --service"));
}

/* Load for a deployment, of the service alone or of a stage. The service alone may have been read
 * for any stage: what depends on the stage is in no service stack. */
static int load(struct cli *cli, struct service *service, struct target *target, struct err *err)
{
    if (context_service(cli, 0, STAGE_OPTIONAL, service, err) < 0)
        return -1;
    if (cli->options.service && (cli->options.arg_count || cli->options.stage.n))
        return err_set(err, ERR_USAGE, "--service and a stage exclude each other");
    if ((cli->options.service || !service->stage_named) && make_alone(service, err) < 0)
        return -1;
    if (!cli->options.service && !service->stage.n)
        say_no_stage(cli, service);
    if (cli->options.function.n && !service->stage.n) {
        err_set(err, ERR_USAGE, "--function needs a stage");
        return err_help(err, "troupe deploy STAGE --function %.*s", STR_ARG(cli->options.function));
    }
    const struct node *images;
    return context_images(cli, service, /* flat= */ false, cli->options.plan, &images, err) < 0
               ? -1
               : context_target(cli, service, images, false, target, err);
}

static struct goal goal_of(struct cli *cli, const struct service *service,
                           const struct target *target)
{
    struct goal goal = cli->options.function.n
                           ? goal_function(cli->arena, target, cli->options.function)
                           : goal_deploy(target);
    goal.shifting = context_shifting(cli, service);
    return goal;
}

/* ---- deploy ---- */

static int run_deploy(struct cli *cli, struct err *err)
{
    if (cli->options.all)
        return all_command(cli, &cmd_deploy, ALL_NEEDED_FIRST, err);
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    if (load(cli, service, target, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    struct release r = context_release(cli, service);
    struct goal goal = goal_of(cli, service, target);
    return context_reach(cli, &r, &goal, STR("deploying"), false, err);
}

const struct command cmd_deploy = {
    .name = "deploy",
    .arguments = "[STAGE]",
    .summary = "deploy serverless.yml to a stage",
    .details = "Publishes the functions and APIs that changed and moves the stage's pointers to "
               "them in one stack update. Other stages are not touched. A stage that is not "
               "there yet is made. Without a stage (none named, no provider.stage, or with "
               "--service) only what all stages share is made or updated: no function is served "
               "then. With --all every service of serverless-compose.yml is deployed, those that "
               "others need first: their outputs become the params of the others.",
    .examples = {"troupe deploy dev --local", "troupe deploy prod --verify ./smoke.sh",
                 "troupe deploy dev --all"},
    .args_max = 1,
    .run = run_deploy,
};

/* ---- plan ---- */

static int run_plan(struct cli *cli, struct err *err)
{
    if (cli->options.all)
        return all_command(cli, &cmd_plan, ALL_NEEDED_FIRST, err);
    cli->options.plan = true;
    return run_deploy(cli, err);
}

const struct command cmd_plan = {
    .name = "plan",
    .arguments = "[STAGE]",
    .summary = "what deploy would do",
    .details = "Shows what deploy would do, and why, and changes nothing. The exit code is 0 "
               "with or without changes; with --detailed-exitcode it is 2 when there are "
               "changes, and 1 for any error.",
    .examples = {"troupe plan prod", "troupe plan prod --detailed-exitcode",
                 "troupe plan --service"},
    .args_max = 1,
    .run = run_plan,
};
