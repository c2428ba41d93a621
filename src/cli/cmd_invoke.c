/* invoke: call a function of a stage. */
#include "cli/cli.h"

#include <unistd.h>

#include "base/fs.h"
#include "doc/json.h"

enum { EVENT_MAX_BYTES = 6 * 1024 * 1024 }; /* Source: Lambda quotas, invocation payload */

static int read_event(struct cli *cli, struct str *ret, struct err *err)
{
    const struct options *o = &cli->options;
    *ret = o->data.n ? o->data : STR("{}");
    if (o->data.n && o->path.n)
        return err_set(err, ERR_USAGE, "--data and --path exclude each other");
    if (o->path.n && fs_read(cli->arena, o->path, EVENT_MAX_BYTES, ret, err) < 0)
        return -1;
    struct err not_json = {0};
    if (!json_parse(cli->arena, STR("event"), *ret, &not_json))
        *ret =
            json_text(cli->arena, node_str(cli->arena, *ret), 0); /* plain text is a JSON string */
    err_clear(&not_json);
    return 0;
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct deployed_function f;
    struct str event;
    struct lambda_invocation result;
    if (read_event(cli, &event, err) < 0 || context_function(cli, "invoke", service, &f, err) < 0)
        return -1;
    if (lambda_invoke(cli->arena, cli->aws, f.name, service->stage, event, cli->options.logs,
                      &result, err) < 0)
        return err_wrap(err, "invoke '%.*s'", STR_ARG(f.key));
    progress_clear(cli->progress);
    if (cli->options.logs)
        fprintf(stderr, "%.*s\n",
                STR_ARG(context_shown(cli->arena, cli, result.log_tail, STDERR_FILENO)));
    buf_add(&cli->out, result.payload);
    buf_char(&cli->out, '\n');
    if (!result.function_error.n)
        return 0;
    return err_set(err, ERR_FAILED, "function '%.*s' failed: %.*s", STR_ARG(f.key),
                   STR_ARG(result.function_error));
}

const struct command cmd_invoke = {
    .name = "invoke",
    .arguments = "[STAGE] FUNCTION",
    .summary = "call a function of a stage and print what it returns",
    .details = "The event is --data TEXT or --path FILE; text that is not JSON is sent as a "
               "string. --log shows\n"
               "the end of the log. Exits with 1 when the function fails.",
    .args_max = 2,
    .run = run,
};
