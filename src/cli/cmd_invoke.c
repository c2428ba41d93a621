/* invoke: call a function of a stage. */
#include "cli/cli.h"

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

/* "invoke STAGE FUNCTION", or with the stage given otherwise "invoke FUNCTION". */
static int split_arguments(struct options *o, struct str *ret_function, struct err *err)
{
    *ret_function = o->function;
    if (o->arg_count == 2 || (o->arg_count == 1 && !o->function.n)) {
        if (o->function.n)
            return err_set(err, ERR_USAGE, "two functions are named");
        *ret_function = o->args[--o->arg_count];
    }
    if (ret_function->n)
        return 0;
    err_set(err, ERR_USAGE, "no function is named");
    return err_help(err, "troupe invoke STAGE FUNCTION");
}

static int find_function(const struct service *service, struct str key, struct err *err)
{
    struct str nearest = {"", 0};
    for (size_t i = 0; i < service->function_count; i++) {
        if (str_eq(service->functions[i].key, key))
            return 0;
        if (str_distance(service->functions[i].key, key, 3) != SIZE_MAX)
            nearest = service->functions[i].key;
    }
    err_set(err, ERR_USAGE, "there is no function '%.*s' in %.*s", STR_ARG(key),
            STR_ARG(service->file));
    return nearest.n ? err_help(err, "did you mean '%.*s'?", STR_ARG(nearest)) : -1;
}

/* The name it was deployed under: the record knows, whatever serverless.yml says now. */
static int deployed_name(struct cli *cli, const struct service *service, struct str key,
                         struct str *ret, struct err *err)
{
    struct world w;
    struct record record;
    struct release r = context_release(cli, service);
    if (context_world(cli, &r, &w, err) < 0)
        return -1;
    int64_t current = w.stage_exists ? world_deployment(&w.stage) : 0;
    if (!current) {
        err_set(err, ERR_NOT_FOUND, "stage '%.*s' is not deployed", STR_ARG(service->stage));
        return err_help(err, "troupe deploy %.*s", STR_ARG(service->stage));
    }
    if (record_read(cli->arena, &w.store, service->stage, current, false, false, &record, err) < 0)
        return -1;
    const struct node *f = node_get(node_get_c(record.body, "functions"), key);
    *ret = node_text(node_get_c(f, "name"));
    if (ret->n)
        return 0;
    err_set(err, ERR_NOT_FOUND, "stage '%.*s' has no function '%.*s' yet", STR_ARG(service->stage),
            STR_ARG(key));
    return err_help(err, "troupe deploy %.*s", STR_ARG(service->stage));
}

static int run(struct cli *cli, struct err *err)
{
    struct service *service = ARENA_NEW(cli->arena, struct service);
    struct str key, name, event;
    struct lambda_invocation result;
    if (split_arguments(&cli->options, &key, err) < 0 || read_event(cli, &event, err) < 0 ||
        context_service(cli, 0, STAGE_REQUIRED, service, err) < 0 ||
        find_function(service, key, err) < 0 || context_aws(cli, service, err) < 0 ||
        deployed_name(cli, service, key, &name, err) < 0)
        return -1;
    if (lambda_invoke(cli->arena, cli->aws, name, service->stage, event, cli->options.logs, &result,
                      err) < 0)
        return err_wrap(err, "invoke '%.*s'", STR_ARG(key));
    progress_clear(cli->progress);
    if (cli->options.logs)
        fprintf(stderr, "%.*s\n", STR_ARG(result.log_tail));
    buf_add(&cli->out, result.payload);
    buf_char(&cli->out, '\n');
    if (!result.function_error.n)
        return 0;
    return err_set(err, ERR_FAILED, "function '%.*s' failed: %.*s", STR_ARG(key),
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
