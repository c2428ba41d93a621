/* reset */
#include "cli/cli.h"

#include "release/bucket/stage_address.h"
#include "release/world/region.h"

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct str other;
    int64_t number;
    if (!cli->options.to.n) {
        err_set(err, ERR_USAGE, "reset needs the stage it is to become like");
        return err_help(err, "troupe reset STAGE --to OTHER, or --to OTHER#N");
    }
    if (record_address(cli->options.to, &other, &number, err) < 0 ||
        context_open(cli, 0, STAGE_REQUIRED, LOAD_STACKS, &r, err) < 0)
        return -1;
    struct goal goal =
        goal_reset(cli->arena, region_address(&r, other), number, cli->options.exact);
    goal.shifting = context_shifting(cli, r.service);
    return context_reach(cli, &r, &goal, STR("resetting"), true, err);
}

const struct command cmd_reset = {
    .name = "reset",
    .arguments = "STAGE --to OTHER[#N]",
    .summary = "make a stage what another one is",
    .details = "Same code, same serverless.yml, this stage's name and parameters. Functions that "
               "do not depend on the stage get the very same versions. Nothing is built or "
               "uploaded.",
    .examples = {"troupe reset prod --to dev", "troupe reset prod --to dev#7 --plan",
                 "troupe reset prod@eu-central-1 --to prod"},
    .args_max = 1,
    .drastic = true,
    .run = run,
};
