/* rollback */
#include "cli/cli.h"

static int number_of(const struct options *o, int64_t *ret, struct err *err)
{
    *ret = 0;
    if (!o->to.n || (str_to_int(o->to, ret) && *ret > 0))
        return 0;
    err_set(err, ERR_USAGE, "'--to' needs the number of a deployment, not '%.*s'", STR_ARG(o->to));
    return err_help(err, "to make the stage what another is: troupe reset STAGE --to %.*s",
                    STR_ARG(o->to));
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    int64_t number;
    if (number_of(&cli->options, &number, err) < 0 ||
        context_open(cli, 0, STAGE_REQUIRED, LOAD_STACKS, &r, err) < 0)
        return -1;
    struct goal goal = goal_rollback(cli->arena, number);
    return context_reach(cli, &r, &goal, STR("rolling back"), false, err);
}

const struct command cmd_rollback = {
    .name = "rollback",
    .arguments = "[STAGE]",
    .summary = "make a stage what it was before",
    .details = "Moves the stage's pointers to what they were at in the deployment before the "
               "current one, or with --to N in that one, at once; its stack follows. Rolling "
               "back twice goes two back. Nothing is built or uploaded.",
    .examples = {"troupe rollback prod", "troupe rollback prod --to 12",
                 "troupe rollback prod --plan"},
    .args_max = 1,
    .drastic = true,
    .run = run,
};
