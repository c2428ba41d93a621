/* shift */
#include "cli/cli.h"

static int say_usage(struct err *err, const char *what)
{
    err_set(err, ERR_USAGE, "%s", what);
    return err_help(err, "troupe shift STAGE --to N --weight PERCENT, or --promote, or --abort");
}

/* Read which one is asked for: begin (or change) a shift, end it there, or take it back. */
static int read_options(const struct options *o, int64_t *ret_number, struct err *err)
{
    *ret_number = 0;
    if (o->promote + o->abort + (o->weight > 0) != 1)
        return say_usage(err, "shift needs one of --weight, --promote and --abort");
    if (o->weight > 99)
        return say_usage(err, "'--weight' is a percentage from 1 to 99; all of it is --promote");
    if (o->to.n && (!str_to_int(o->to, ret_number) || *ret_number <= 0))
        return say_usage(err, "'--to' needs the number of a deployment");
    if (o->to.n && !o->weight)
        return say_usage(err, "--to belongs to --weight");
    return 0;
}

static int check_under_way(struct release *r, struct err *err)
{
    struct world world;
    if (world_find(r, true, &world, err) < 0 || world_read(r, 0, false, &world, err) < 0)
        return -1;
    if (world_shift(&world))
        return 0;
    return err_set(err, ERR_REFUSED, "no shift of '%.*s' is under way",
                   STR_ARG(r->service->address));
}

static int run(struct cli *cli, struct err *err)
{
    struct release r;
    struct shifting *shifting = ARENA_NEW(cli->arena, struct shifting);
    int64_t number;
    if (read_options(&cli->options, &number, err) < 0 ||
        context_open(cli, 0, STAGE_REQUIRED, LOAD_STACKS, &r, err) < 0)
        return -1;
    shifting->stand = cli->options.weight ? (unsigned)cli->options.weight : 100;
    struct goal goal = goal_shift(cli->arena, number, shifting);
    if (cli->options.abort) {
        if (check_under_way(&r, err) < 0)
            return -1;
        goal = goal_rollback(cli->arena, 0);
    }
    return context_reach(cli, &r, &goal, STR("shifting"), !cli->options.abort, err);
}

const struct command cmd_shift = {
    .name = "shift",
    .arguments = "STAGE --to N",
    .summary = "give another deployment a share of the calls",
    .details = "Deployment N answers so many percent of the calls of the stage's functions, "
               "beside the current one. Again with another --weight: more, or less. --promote "
               "makes it the stage's deployment, --abort takes it back. Until then commands that "
               "would change the stage are refused; rollback is as --abort.",
    .examples = {"troupe shift prod --to 12 --weight 10", "troupe shift prod --promote",
                 "troupe shift prod --abort"},
    .args_max = 1,
    .drastic = true,
    .run = run,
};
