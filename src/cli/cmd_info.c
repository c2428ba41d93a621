/* info: what a stage offers. */
#include "cli/all.h"

#include "doc/json.h"
#include "release/stack/stack.h"
#include "ui/table.h"

/* Is the output one that troupe itself needs? People have no use for it. */
static bool is_internal(struct str output)
{
    return str_starts(output, STR("Troupe"));
}

static const struct node *function_json(struct cli *cli, const struct world *w,
                                        const struct service *service,
                                        const struct record_function *f)
{
    struct arena *a = cli->arena;
    struct node *n = node_map(a);
    struct str name = f->name, key = f->object.key;
    struct str version = record_version(w->record.versions, key)->version;
    node_put_str(a, n, "name", key);
    node_put_str(a, n, "function", name);
    node_put_c(a, n, "arn",
               node_strf(a, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s:%.*s", STR_ARG(w->partition),
                         STR_ARG(aws_region(cli->aws)), STR_ARG(w->account), STR_ARG(name),
                         STR_ARG(service->address)));
    if (version.n)
        node_put_str(a, n, "version", version);
    struct str id = str_fmt(a, "%.*sLambdaFunctionUrl", STR_ARG(str_upper_first(a, key)));
    node_put_c(a, n, "url", node_get(w->stage.outputs, id));
    return n;
}

/* The URL of an API. An output has its address at AWS, where nobody answers for the local cloud. */
static const struct node *local_url(const struct cli *cli, const struct node *urls,
                                    const struct member *output)
{
    static const struct {
        const char *output, *url;
    } known[] = {{"ServiceEndpoint", "rest"},
                 {"HttpApiUrl", "http"},
                 {"ServiceEndpointWebsocket", "websocket"}};
    for (size_t i = 0; i < sizeof known / sizeof *known && cli->endpoint.n; i++) {
        const struct node *url = node_get_c(urls, known[i].url);
        if (str_eq(output->key, str_c(known[i].output)) && url)
            return url;
    }
    return output->value;
}

static const struct node *info_json(struct cli *cli, const struct service *service,
                                    const struct world *w)
{
    struct arena *a = cli->arena;
    struct node *out = node_map(a), *functions = node_seq(a), *outputs = node_map(a);
    const struct node *urls = context_urls(cli, &w->stage);
    for (size_t i = 0; w->record.body && i < w->record.body->functions.n; i++)
        node_push(a, functions, function_json(cli, w, service, &w->record.body->functions.p[i]));
    member_each (m, w->stage.outputs)
        if (!is_internal(m->key))
            node_put(a, outputs, m->key, local_url(cli, urls, m));
    node_put_str(a, out, "service", service->name);
    node_put_str(a, out, "stage", service->address);
    node_put_str(a, out, "region", aws_region(cli->aws));
    node_put_str(a, out, "account", w->account);
    node_put_str(a, out, "status", w->stage.status);
    node_put_c(a, out, "deployment", node_int(a, w->current));
    node_put_c(a, out, "urls", urls);
    node_put_c(a, out, "functions", functions);
    node_put_c(a, out, "outputs", outputs);
    return out;
}

static void show(struct cli *cli, const struct node *info)
{
    struct buf *out = &cli->out;
    struct arena *a = cli->arena;
    buf_fmt(out, "%.*s#%.*s  service %.*s, region %.*s, account %.*s\n",
            STR_ARG(node_text(node_get_c(info, "stage"))),
            STR_ARG(node_text(node_get_c(info, "deployment"))),
            STR_ARG(node_text(node_get_c(info, "service"))),
            STR_ARG(node_text(node_get_c(info, "region"))),
            STR_ARG(node_text(node_get_c(info, "account"))));
    struct table functions = TABLE(a, 4), outputs = TABLE(a, 3);
    node_each (f, node_get_c(info, "functions")) {
        struct str version = node_text(node_get_c(f, "version"));
        table_cell(&functions, STR(" "));
        table_cell(&functions, node_text(node_get_c(f, "name")));
        table_cell(&functions, version.n ? str_fmt(a, "v%.*s", STR_ARG(version)) : STR("own"));
        table_cell(&functions, node_text(node_get_c(f, node_get_c(f, "url") ? "url" : "arn")));
    }
    member_each (m, node_get_c(info, "outputs")) {
        if (!cli->options.verbose && str_ends(m->key, STR("LambdaFunctionQualifiedArn")))
            continue;
        table_cell(&outputs, STR(" "));
        table_cell(&outputs, m->key);
        table_cell(&outputs, node_text(m->value));
    }
    context_show_urls(cli, node_get_c(info, "urls"));
    buf_lit(out, "functions\n");
    table_write(&functions, out, cli->colour_out);
    buf_lit(out, "outputs\n");
    table_write(&outputs, out, cli->colour_out);
}

static int run_info(struct cli *cli, struct err *err)
{
    struct release r;
    struct world w;
    if (cli->options.all)
        return all_command(cli, &cmd_info, ALL_INDEPENDENTLY, err);
    if (context_open(cli, 0, STAGE_REQUIRED, LOAD_PLACE, &r, err) < 0)
        return -1;
    if (world_find(&r, true, &w, err) < 0 || world_served(&r, true, &w, err) < 0)
        return -1;
    if (stack_condition(w.stage.status) == STACK_BUSY)
        context_warn(cli, (struct pos){0},
                     str_fmt(cli->arena,
                             "stack '%.*s' is changing (%.*s): addresses and outputs "
                             "are not known until it is done",
                             STR_ARG(w.stage_name), STR_ARG(w.stage.status)),
                     STR(""));
    const struct node *info = info_json(cli, r.service, &w);
    if (cli->options.json) {
        json_write(&cli->out, info, 2);
        buf_char(&cli->out, '\n');
    } else {
        show(cli, info);
    }
    return 0;
}

const struct command cmd_info = {
    .name = "info",
    .arguments = "[STAGE]",
    .summary = "addresses, functions, versions and outputs of a stage",
    .details = "With --verbose also the outputs that name the versions of functions. With --all of "
               "every service of serverless-compose.yml.",
    .examples = {"troupe info prod", "troupe info prod --json", "troupe info dev --all"},
    .args_max = 1,
    .run = run_info,
};
