/* invoke: call a function of a stage. */
#include "cli/cli.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#include <unistd.h>

#include "base/fs.h"
#include "doc/json.h"

enum { EVENT_MAX_BYTES = 6 * 1024 * 1024 }; /* Source: Lambda quotas, invocation payload */

static bool is_stdin(struct str path)
{
    return str_eq(path, STR("-"));
}

/* Is an event piped in or redirected? The Serverless Framework and aws read it then, too. */
static bool stdin_has_event(void)
{
    struct stat st;
    return fstat(STDIN_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode));
}

static int read_stdin(struct arena *a, struct str *ret, struct err *err)
{
    struct buf all = BUF(a);
    char part[16 * 1024];
    ssize_t n;
    while ((n = read(STDIN_FILENO, part, sizeof part)) > 0) {
        buf_add(&all, (struct str){part, (size_t)n});
        if (all.n > EVENT_MAX_BYTES)
            return err_set(err, ERR_USAGE, "the event on stdin is larger than %d bytes",
                           EVENT_MAX_BYTES);
    }
    if (n < 0 && cancel_requested())
        return err_set(err, ERR_CANCELLED, "stopped while reading the event from stdin");
    if (n < 0)
        return err_set(err, ERR_FAILED, "read the event from stdin: %s", strerror(errno));
    *ret = buf_str(&all);
    return 0;
}

/* Text is sent as a JSON string. Text that begins like JSON was meant as JSON. */
static struct str as_json(struct cli *cli, struct str text)
{
    struct arena *a = cli->arena;
    struct str trimmed = str_trim(text);
    cleanup_err struct err why = {0};
    if (!trimmed.n)
        return STR("{}");
    if (json_parse(a, STR("event"), text, &why))
        return text;
    if (strchr("{[\"", trimmed.p[0]))
        context_warn(
            cli, (struct pos){0},
            str_fmt(a, "the event is no JSON and is sent as a string: %.*s", STR_ARG(why.msg)),
            STR(""));
    return json_text(a, node_str(a, text), 0);
}

static int read_event(struct cli *cli, struct str *ret, struct err *err)
{
    const struct options *o = &cli->options;
    *ret = o->data;
    if (o->data.n && o->path.n)
        return err_set(err, ERR_USAGE, "--data and --path exclude each other");
    bool piped = is_stdin(o->path) || (!o->data.n && !o->path.n && stdin_has_event());
    if (piped ? read_stdin(cli->arena, ret, err) < 0
              : o->path.n && fs_read(cli->arena, o->path, EVENT_MAX_BYTES, ret, err) < 0)
        return -1;
    *ret = as_json(cli, *ret);
    return 0;
}

/* Show the error of a function, {"errorType", "errorMessage", "trace" of Node or "stackTrace" of
 * Python}, a line each. */
static int say_failed(struct cli *cli, const struct deployed_function *f,
                      const struct lambda_invocation *result, struct err *err)
{
    cleanup_err struct err none = {0};
    const struct node *what = json_parse(cli->arena, STR("answer"), result->payload, &none);
    struct str message = node_text(node_get_c(what, "errorMessage"));
    const struct node *trace = node_get_c(what, "trace");
    trace = trace ? trace : node_get_c(what, "stackTrace");
    err_set(err, ERR_FAILED, "function '%.*s' failed: %.*s%s%.*s", STR_ARG(f->key),
            STR_ARG(result->function_error), message.n ? ": " : "", STR_ARG(message));
    node_each (line, trace)
        err_note(err, (struct pos){0}, "%.*s", STR_ARG(str_trim(node_text(line))));
    return -1;
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct deployed_function f;
    struct str event;
    struct lambda_invocation result;
    if (read_event(cli, &event, err) < 0 || context_function(cli, "invoke", service, &f, err) < 0)
        return -1;
    const struct lambda_call call = {f.name, service->stage, event, cli->options.logs};
    if (lambda_invoke(cli->arena, cli->aws, &call, &result, err) < 0)
        return err_wrap(err, "invoke '%.*s'", STR_ARG(f.key));
    progress_clear(cli->progress);
    if (cli->options.logs)
        fprintf(stderr, "%.*s\n",
                STR_ARG(context_shown(cli->arena, cli, result.log_tail, STDERR_FILENO)));
    buf_add(&cli->out, result.payload);
    buf_char(&cli->out, '\n');
    if (!result.function_error.n)
        return 0;
    return say_failed(cli, &f, &result, err);
}

const struct command cmd_invoke = {
    .name = "invoke",
    .arguments = "[STAGE] FUNCTION",
    .summary = "call a function of a stage and print what it returns",
    .details = "The event is --data TEXT, --path FILE, or what is piped in; text that is not "
               "JSON is sent as a string. --log shows the end of the log. Exits with 1 when the "
               "function fails.",
    .examples = {"troupe invoke prod hello -d '{\"name\":\"you\"}'",
                 "troupe invoke prod hello --path event.json --log",
                 "troupe invoke --stage prod --function hello --path -"},
    .args_max = 2,
    .run = run,
};
