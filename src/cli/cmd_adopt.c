/* adopt */
#include "cli/cli.h"

#include "base/visible.h"
#include "doc/json.h"
#include "release/adopt/adopt.h"
#include "ui/table.h"

/* ---- showing ---- */

/* Is the resource worth a line? Frameworks make permissions, methods and versions by the dozen. */
static bool is_shown(const struct adopt_item *item)
{
    switch (item->fate) {
    case ADOPT_KEPT:
        return true;
    case ADOPT_CHANGED:
    case ADOPT_REPLACED:
        return item->precious;
    case ADOPT_REMOVED:
        return item->reason.n > 0;
    default:
        return true;
    }
}

static struct str detail_of(struct arena *a, const struct adopt_item *item)
{
    if (item->fate == ADOPT_ADDRESS)
        return str_fmt(a, "%.*s -> %.*s", STR_ARG(item->from),
                       STR_ARG(item->to.n ? item->to : STR("a new one")));
    return item->reason;
}

static const struct node *item_json(struct arena *a, const struct adopt_item *item)
{
    struct node *n = node_map(a);
    node_put_str(a, n, "fate", str_c(adopt_fate_words[item->fate]));
    node_put_str(a, n, "id", item->id);
    node_put_str(a, n, "type", item->type);
    node_put_str(a, n, "physicalId", item->physical);
    if (item->from.n)
        node_put_str(a, n, "from", item->from);
    if (item->to.n)
        node_put_str(a, n, "to", item->to);
    node_put_str(a, n, "reason", item->reason);
    return n;
}

static const struct node *adoption_json(struct arena *a, const struct service *service,
                                        const struct plan *plan)
{
    const struct adoption *adoption = plan->target.adoption;
    struct node *out = node_map(a), *items = node_seq(a), *stacks = node_seq(a);
    for (size_t i = 0; i < adoption->count; i++)
        node_push(a, items, item_json(a, &adoption->items[i]));
    for (size_t i = 0; i < adoption->alias_stack_count; i++)
        node_push(a, stacks, node_str(a, adoption->alias_stacks[i].name));
    node_put_str(a, out, "service", service->name);
    node_put_str(a, out, "stage", service->stage);
    node_put_str(a, out, "stack", plan->world.stage_name);
    node_put_str(a, out, "by", adoption->by);
    node_put_c(a, out, "aliasStacks", stacks);
    node_put_c(a, out, "resources", items);
    node_put_c(a, out, "unchanged", node_int(a, (int64_t)adoption->kept));
    node_put_c(a, out, "refused", node_int(a, (int64_t)adoption->refused));
    node_put_c(a, out, "nothing", node_bool(a, plan->nothing));
    return out;
}

static void write_ways(struct buf *out, const struct adoption *adoption)
{
    bool functions = false, rest = false;
    for (size_t i = 0; i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        if (item->fate != ADOPT_ADDRESS)
            continue;
        functions |= str_starts(item->type, STR("AWS::Lambda::"));
        rest |= str_eq(item->type, STR("AWS::ApiGateway::RestApi"));
    }
    if (functions)
        buf_lit(out, "functions keep name and URL with custom.troupe.functions.perStage: ['*']\n");
    if (rest)
        buf_lit(out, "the REST API keeps its address with custom.troupe.apis.rest: perStage\n");
}

static void adoption_text(struct buf *out, const struct service *service, const struct plan *plan,
                          bool colour)
{
    struct arena *a = out->arena;
    const struct adoption *adoption = plan->target.adoption;
    struct table t = TABLE(a, 4);
    size_t hidden = adoption->kept;
    buf_fmt(out, "%.*s: stack '%.*s', made by %.*s\n", STR_ARG(service->stage),
            STR_ARG(plan->world.stage_name), STR_ARG(adoption->by));
    for (size_t i = 0; i < adoption->count; i++) {
        const struct adopt_item *item = &adoption->items[i];
        if (!is_shown(item)) {
            hidden++;
            continue;
        }
        table_cell(&t, str_fmt(a, "  %s", adopt_fate_words[item->fate]));
        table_cell(&t, item->id);
        table_cell(&t, item->type);
        if (item->fate == ADOPT_REFUSED)
            table_mark(&t, detail_of(a, item));
        else
            table_cell(&t, detail_of(a, item));
    }
    table_write(&t, out, colour);
    for (size_t i = 0; i < adoption->alias_stack_count; i++)
        buf_fmt(out, "stack '%.*s' goes, with the aliases in it\n",
                STR_ARG(adoption->alias_stacks[i].name));
    if (plan->nothing)
        buf_lit(out, "nothing to do\n");
    else
        buf_fmt(out, "%zu further resources stay, are made anew or go\n", hidden);
    write_ways(out, adoption);
}

static void show(struct cli *cli, const struct service *service, const struct plan *plan)
{
    struct arena *a = cli->arena;
    progress_clear(cli->progress);
    if (cli->options.json) {
        json_write(&cli->out, adoption_json(a, service, plan), 2);
        buf_char(&cli->out, '\n');
    } else {
        adoption_text(&cli->out, service, plan, cli->colour_out);
    }
}

/* ---- asking ---- */

static int check_refused(const struct adoption *adoption, const struct service *service,
                         struct err *err)
{
    if (!adoption->refused)
        return 0;
    const struct adopt_item *item = &adoption->items[0];
    err_set(err, ERR_REFUSED, "'%.*s' cannot be adopted: %.*s (%.*s): %.*s",
            STR_ARG(service->stage), STR_ARG(item->id), STR_ARG(item->type), STR_ARG(item->reason));
    if (item->pos.source)
        err_note(err, item->pos, "it stands here");
    return err_help(err, "all of what becomes of it: troupe adopt %.*s --plan",
                    STR_ARG(service->stage));
}

struct asking {
    struct cli *cli;
    const struct service *service;
};

static int confirm(void *context, const struct plan *plan, struct err *err)
{
    struct asking *q = context;
    struct cli *cli = q->cli;
    struct str stage = q->service->stage;
    if (check_refused(plan->target.adoption, q->service, err) < 0)
        return -1;
    if (cli->options.yes || plan->nothing)
        return 0;
    if (cli->tty_in && !cli->options.json) {
        struct buf text = BUF(cli->arena);
        adoption_text(&text, q->service, plan, false);
        progress_clear(cli->progress);
        fprintf(stderr, "%.*s", STR_ARG(visible(cli->arena, buf_str(&text), VISIBLE_TEXT)));
    }
    struct str question = str_fmt(
        cli->arena, "stack '%.*s', made by %.*s, would be taken over; nothing was changed yet",
        STR_ARG(plan->world.stage_name), STR_ARG(plan->target.adoption->by));
    return context_confirm(cli, question.p, stage, err);
}

/* ---- the command ---- */

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct target *target = ARENA_NEW(cli->arena, struct target);
    const struct node *images;
    if (context_service(cli, 0, STAGE_REQUIRED, service, err) < 0 ||
        context_images(cli, service, /* flat= */ false, cli->options.plan, &images, err) < 0 ||
        context_target(cli, service, images, false, target, err) < 0 ||
        context_aws(cli, service, err) < 0)
        return -1;
    if (service->remote) {
        err_set(err, ERR_REFUSED, "stage '%.*s' is not at home, in %.*s", STR_ARG(service->address),
                STR_ARG(service->home));
        return err_help(err, "stages can be taken over in the region that provider.region names");
    }
    struct release r = context_release(cli, service);
    struct goal goal = goal_adopt(target);
    struct asking q = {cli, service};
    struct plan plan;
    r.adopts = true;
    if (!cli->options.plan)
        return context_apply(cli, &r, &goal, confirm, &q, err);
    if (plan_run(&r, &goal, &plan, err) < 0)
        return -1;
    for (size_t i = 0; i < plan.target.note_count; i++)
        context_warn(cli, (struct pos){0}, plan.target.notes[i], STR(""));
    show(cli, service, &plan);
    return check_refused(plan.target.adoption, service, err);
}

const struct command cmd_adopt = {
    .name = "adopt",
    .arguments = "STAGE",
    .summary = "take over a stage that another tool deployed, losing nothing",
    .details = "For stacks of serverless deploy and serverless-aws-alias. The stage's stack "
               "stays, and becomes what serverless.yml says. What holds data is kept, also when "
               "it moves between the stage and the service (custom.troupe.resources.service). "
               "--plan shows what becomes of each resource, and which addresses change.",
    .examples = {"troupe adopt prod --plan", "troupe adopt prod --plan --json",
                 "troupe adopt prod"},
    .args_max = 1,
    .run = run,
};
