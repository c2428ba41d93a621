/* iam: the policies that whoever deploys the service needs. */
#include "cli/cli.h"

#include "doc/json.h"
#include "release/policy/policy.h"

static const struct node *policies_json(struct arena *a, const struct policies *policies)
{
    struct node *out = node_map(a), *list = node_seq(a);
    for (size_t i = 0; i < policies->n; i++) {
        const struct policy *p = &policies->p[i];
        struct node *one = node_map(a);
        node_put_str(a, one, "name", p->name);
        if (p->holder.n)
            node_put_str(a, one, "role", p->holder);
        node_put_c(a, one, "characters", node_int(a, (int64_t)p->size));
        node_put_c(a, one, "document", p->document);
        node_put_c(a, one, "reasons", p->reasons);
        node_push(a, list, one);
    }
    node_put_c(a, out, "version", node_int(a, 1));
    node_put_c(a, out, "policies", list);
    node_put_c(a, out, "notes", policies->notes);
    return out;
}

static void show(struct cli *cli, const struct policies *policies)
{
    struct buf *out = &cli->out;
    for (size_t i = 0; i < policies->n; i++) {
        const struct policy *p = &policies->p[i];
        buf_fmt(out, "policy %.*s, for %.*s (%zu of %d characters)\n", STR_ARG(p->name),
                STR_ARG(p->holder.n ? p->holder : STR("who calls troupe")), p->size, POLICY_MAX);
        member_each (m, p->reasons)
            buf_fmt(out, "  %.*s: %.*s\n", STR_ARG(m->key), STR_ARG(node_text(m->value)));
        json_write(out, p->document, 2);
        buf_lit(out, "\n\n");
    }
    node_each (note, policies->notes)
        buf_fmt(out, "note: %.*s\n", STR_ARG(node_text(note)));
}

/* The account of the credentials. Without any the policies have a `*`. */
static struct str account_of(struct cli *cli, const struct service *service)
{
    struct err unknown cleanup_err = {0};
    struct str account;
    return context_aws(cli, service, &unknown) == 0 &&
                   sts_account(cli->arena, cli->aws, &account, NULL, &unknown) == 0
               ? account
               : STR("*");
}

static int run_iam(struct cli *cli, struct err *err)
{
    struct arena *a = cli->arena;
    struct service *service = ARENA_NEW(a, struct service);
    struct target target;
    struct policies policies;
    if (context_service(cli, 0, STAGE_DEFAULT, service, err) < 0)
        return -1;
    bool named = cli->options.arg_count || cli->options.stage.n;
    if (cli->options.service && named)
        return err_set(err, ERR_USAGE, "--service is of all stages, and one is named");
    if (context_target(cli, service, NULL, /* unbuilt= */ true, &target, err) < 0)
        return -1;
    struct policy_request request = {.service = service,
                                     .layout = target.layout,
                                     .every_stage = cli->options.service || !service->stage_named,
                                     .account = account_of(cli, service)};
    request.partition = cli->aws ? aws_partition(cli->aws) : STR("aws");
    if (policies_make(a, &request, &policies, err) < 0)
        return -1;
    if (cli->options.json) {
        json_write(&cli->out, policies_json(a, &policies), 2);
        buf_char(&cli->out, '\n');
    } else {
        show(cli, &policies);
    }
    return 0;
}

const struct command cmd_iam = {
    .name = "iam",
    .arguments = "[STAGE]",
    .summary = "the least rights that a deployer needs",
    .details = "IAM policies with which this service can be deployed, rolled back and removed, "
               "with the reason for each statement. For one stage, or with --service, and without "
               "a stage anywhere, for all of them and what they share. Nothing is changed; AWS is "
               "asked for no more than the account's number. docs/aws.md says how to use them.",
    .examples = {"troupe iam prod", "troupe iam prod --json", "troupe iam --service --json"},
    .args_max = 1,
    .run = run_iam,
};
