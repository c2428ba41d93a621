/* local: the local cloud's life. */
#include "cli/cli.h"

#include "base/clock.h"
#include "doc/json.h"
#include "local/local.h"

static void on_progress(void *context, struct str text)
{
    struct cli *cli = context;
    cli->observer.progress(cli->observer.context, TOLD_STEP, "local", text);
}

static void show(struct cli *cli, const struct local_cloud *cloud)
{
    struct arena *a = cli->arena;
    if (cli->options.json) {
        struct node *n = node_map(a);
        node_put_c(a, n, "running", node_bool(a, cloud->running));
        if (cloud->running) {
            node_put_str(a, n, "endpoint", cloud->endpoint);
            node_put_c(a, n, "pid", node_int(a, cloud->pid));
            node_put_str(a, n, "since", time_iso(a, cloud->since_ms));
            node_put_c(a, n, "persist", node_bool(a, cloud->persist));
            node_put_str(a, n, "log", cloud->log);
        }
        json_write(&cli->out, n, 2);
        buf_char(&cli->out, '\n');
    } else if (cloud->running) {
        buf_fmt(&cli->out, "local cloud at %.*s, process %ld, since %.*s%s\n",
                STR_ARG(cloud->endpoint), cloud->pid, STR_ARG(time_iso(a, cloud->since_ms)),
                cloud->persist ? ", kept when it stops" : "");
    } else {
        buf_lit(&cli->out, "local cloud is not running\n");
    }
}

static int run_up(struct cli *cli, const struct local_options *options, struct err *err)
{
    struct local_cloud cloud;
    if (local_up(cli->arena, options, &cloud, err) < 0)
        return -1;
    show(cli, &cloud);
    return 0;
}

static int run_down(struct cli *cli, const struct local_options *options, struct err *err)
{
    struct local_cloud cloud;
    bool ran;
    (void)options;
    if (local_status(cli->arena, &cloud, err) < 0 || local_down(&ran, err) < 0)
        return -1;
    if (cli->options.json)
        buf_lit(&cli->out, "{\"running\": false}\n");
    else
        buf_fmt(&cli->out, "local cloud %s\n",
                !ran            ? "was not running"
                : cloud.persist ? "stopped; what was in it is kept"
                                : "stopped; what was in it is gone");
    return 0;
}

static int run_status(struct cli *cli, const struct local_options *options, struct err *err)
{
    struct local_cloud cloud;
    (void)options;
    if (local_status(cli->arena, &cloud, err) < 0)
        return -1;
    show(cli, &cloud);
    return 0;
}

static int run_wipe(struct cli *cli, const struct local_options *options, struct err *err)
{
    struct local_cloud cloud;
    if (local_wipe(cli->arena, options, &cloud, err) < 0)
        return -1;
    show(cli, &cloud);
    return 0;
}

static const char *region(void)
{
    static const char *const variables[] = {"AWS_REGION", "AWS_DEFAULT_REGION"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return value;
    }
    return "us-east-1";
}

/* Print the variables by which other programs use the local cloud. Its secret is shown nowhere
 * else. */
static int run_env(struct cli *cli, const struct local_options *options, struct err *err)
{
    struct local_cloud cloud;
    struct arena *a = cli->arena;
    (void)options;
    if (local_status(a, &cloud, err) < 0)
        return -1;
    if (!cloud.running) {
        err_set(err, ERR_FAILED, "the local cloud is not running");
        return err_help(err, "start it with: troupe local up");
    }
    const struct {
        const char *name;
        struct str value;
    } variables[] = {{"AWS_ENDPOINT_URL", cloud.endpoint},
                     {"AWS_ACCESS_KEY_ID", cloud.access_key},
                     {"AWS_SECRET_ACCESS_KEY", cloud.secret_key},
                     {"AWS_REGION", str_c(region())}};
    struct node *n = node_map(a);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        node_put_str(a, n, variables[i].name, variables[i].value);
        if (!cli->options.json)
            buf_fmt(&cli->out, "export %s='%.*s'\n", variables[i].name,
                    STR_ARG(str_replace(a, variables[i].value, STR("'"), STR("'\\''"))));
    }
    if (cli->options.json) {
        json_write(&cli->out, n, 2);
        buf_char(&cli->out, '\n');
    } else {
        buf_lit(&cli->out, "unset AWS_SESSION_TOKEN AWS_PROFILE\n");
    }
    return 0;
}

static const struct verb {
    const char *name;
    int (*run)(struct cli *, const struct local_options *, struct err *);
    bool starts; /* it has --persist */
    /* what it would do to a local cloud that runs; NULL: it has nothing to plan */
    const char *plan;
} verbs[] = {
    {"up", run_up, true, NULL},          {"down", run_down, false, "would be stopped"},
    {"status", run_status, false, NULL}, {"wipe", run_wipe, false, "would be emptied"},
    {"env", run_env, false, NULL},
};

static int run_plan(struct cli *cli, const struct verb *verb, struct err *err)
{
    struct local_cloud cloud;
    if (local_status(cli->arena, &cloud, err) < 0)
        return -1;
    show(cli, &cloud);
    bool lost = verb->run == run_wipe || !cloud.persist;
    if (cloud.running && !cli->options.json)
        buf_fmt(&cli->out, "it %s: what is in it %s\n", verb->plan, lost ? "is lost" : "is kept");
    return 0;
}

static int run_verb(struct cli *cli, const struct verb *verb, const struct local_options *options,
                    struct err *err)
{
    if (options->persist && !verb->starts)
        return err_set(err, ERR_USAGE, "--persist belongs to 'local up'");
    if (!cli->options.plan)
        return verb->run(cli, options, err);
    return verb->plan ? run_plan(cli, verb, err)
                      : err_set(err, ERR_USAGE, "--plan belongs to 'local down' and 'local wipe'");
}

static int run(struct cli *cli, struct err *err)
{
    struct local_options options = {
        .persist = cli->options.persist, .progress = on_progress, .progress_context = cli};
    struct str verb = cli->options.arg_count ? cli->options.args[0] : STR("status");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_eq(verb, str_c(verbs[i].name)))
            return run_verb(cli, &verbs[i], &options, err);
    err_set(err, ERR_USAGE, "unknown verb '%.*s'", STR_ARG(verb));
    return err_help(err, "troupe local up|down|status|wipe|env");
}

const struct command cmd_local = {
    .name = "local",
    .arguments = "up|down|status|wipe|env",
    .summary = "the local cloud: start, stop, look, empty, use",
    .details = "It needs no account and no Docker; python3 with its venv module must be there. "
               "--persist keeps what is in it when it stops. 'env' prints what aws and the SDKs "
               "need to use it, its secret among it: eval \"$(troupe local env)\". After each "
               "start the secret is another one.",
    .examples = {"troupe local up --persist", "troupe local status", "troupe local env"},
    .args_max = 1,
    .run = run,
};
