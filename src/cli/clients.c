/* Clients for AWS, or for the local cloud. */
#include "cli/cli.h"

#include "base/visible.h"
#include "local/local.h"

static void local_progress(void *context, struct str text)
{
    struct cli *cli = context;
    cli->observer.progress(cli->observer.context, TOLD_STEP, "local", text);
}

static int use_local(struct cli *cli, struct aws_options *options, struct err *err)
{
    struct local_cloud cloud;
    struct local_options local = {.progress = local_progress, .progress_context = cli};
    if (!cli->endpoint.n) {
        if (local_up(cli->arena, &local, &cloud, err) < 0)
            return -1;
        cli->endpoint = cloud.endpoint;
        cli->local_key = cloud.access_key;
        cli->local_secret = cloud.secret_key;
    }
    options->endpoint_url = cli->endpoint;
    options->access_key = cli->local_key;
    options->secret_key = cli->local_secret;
    return 0;
}

/* The code of an MFA device, which AWS takes once: it may be seen. */
static int ask(void *context, struct arena *a, struct str question, struct str *ret,
               struct err *err)
{
    struct cli *cli = context;
    char line[100];
    progress_clear(cli->progress);
    fprintf(stderr, "%.*s: ", STR_ARG(visible(a, question, VISIBLE_LINE)));
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin))
        return err_set(err, ERR_CANCELLED, "stopped");
    *ret = str_trim(str_dup(a, str_c(line)));
    return 0;
}

int context_check_variables(const struct cli *cli, struct str stage, struct err *err)
{
    static const char *const ends[] = {"PROFILE", "ACCESS_KEY_ID"};
    stage = str_upper(cli->arena, stage);
    if (cli->options.profile.n || cli->options.local || str_eq(stage, STR("DEFAULT")))
        return 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct str name = str_fmt(cli->arena, "AWS_%.*s_%s", STR_ARG(stage), ends[i]);
        const char *value = stage.n ? getenv(name.p) : NULL;
        if (!value || !*value)
            continue;
        err_set(err, ERR_CONFIG, "%.*s is set, but credentials of a stage are not read from there",
                STR_ARG(name));
        return err_help(err, "name a profile with --aws-profile NAME; or unset the variable");
    }
    return 0;
}

struct aws *context_client(struct cli *cli, struct str region, const struct node *profile,
                           struct err *err)
{
    const struct options *o = &cli->options;
    struct aws_options options = {.region = region,
                                  .profile = o->profile,
                                  .service_profile = profile,
                                  .ask = cli->tty_in && !o->json ? ask : NULL,
                                  .ask_context = cli,
                                  .debug_http = o->debug_http};
    const char *endpoint = getenv("AWS_ENDPOINT_URL");
    if (o->local && use_local(cli, &options, err) < 0)
        return NULL;
    if (!o->local && endpoint && *endpoint)
        cli->endpoint = str_c(endpoint);
    return aws_new(&options, err);
}
