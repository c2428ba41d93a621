/* clone */
#include "cli/cli.h"

#include "release/bucket/stage_address.h"
#include "release/world/region.h"

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct str from;
    int64_t number;
    if (cli->options.arg_count != 2) {
        err_set(err, ERR_USAGE, "clone needs two stages");
        return err_help(err, "troupe clone FROM NEW, or FROM#N NEW");
    }
    if (record_address(cli->options.args[0], &from, &number, err) < 0 ||
        context_open(cli, 1, STAGE_REQUIRED, LOAD_STACKS, &r, err) < 0)
        return -1;
    struct goal goal = goal_clone(cli->arena, region_address(&r, from), number, cli->options.exact);
    return context_reach(cli, &r, &goal, STR("cloning"), false, err);
}

const struct command cmd_clone = {
    .name = "clone",
    .arguments = "FROM[#N] NEW",
    .summary = "make a new stage of another one",
    .details = "The same as reset, for a stage that is not there yet: the same code and "
               "settings. Its tables, queues and buckets are new and empty. Nothing is built or "
               "uploaded.",
    .examples = {"troupe clone prod hotfix", "troupe clone prod#12 hotfix",
                 "troupe clone prod hotfix --plan"},
    .args_max = 2,
    .run = run,
};
