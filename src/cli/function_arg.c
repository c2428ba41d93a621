/* The function that a command is about. */
#include "cli/cli.h"

/* "invoke STAGE FUNCTION", or with the stage given otherwise "invoke FUNCTION". */
static int split_arguments(struct options *o, const char *command, struct str *ret_key,
                           struct err *err)
{
    *ret_key = o->function;
    if (o->arg_count == 2 || (o->arg_count == 1 && !o->function.n)) {
        if (o->function.n)
            return err_set(err, ERR_USAGE, "two functions are named");
        *ret_key = o->args[--o->arg_count];
    }
    if (ret_key->n)
        return 0;
    err_set(err, ERR_USAGE, "no function is named");
    return err_help(err, "troupe %s STAGE FUNCTION", command);
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
static int find_deployed(struct cli *cli, const struct service *service, struct str key,
                         struct deployed_function *ret, struct err *err)
{
    struct world w;
    struct release r = context_release(cli, service);
    if (context_world(cli, &r, &w, err) < 0 || world_served(&r, false, &w, err) < 0)
        return -1;
    const struct node *f = node_get(node_get_c(w.record.body, "functions"), key);
    *ret = (struct deployed_function){
        .key = key,
        .name = node_text(node_get_c(f, "name")),
        .per_stage = node_is_text(node_get_c(f, "layout"), "perStage"),
    };
    if (ret->name.n)
        return 0;
    err_set(err, ERR_NOT_FOUND, "stage '%.*s' has no function '%.*s' yet",
            STR_ARG(service->address), STR_ARG(key));
    return err_help(err, "troupe deploy %.*s", STR_ARG(service->address));
}

int context_function(struct cli *cli, const char *command, struct service *service,
                     struct deployed_function *ret, struct err *err)
{
    struct str key;
    if (split_arguments(&cli->options, command, &key, err) < 0 ||
        context_service(cli, 0, STAGE_REQUIRED, service, err) < 0 ||
        find_function(service, key, err) < 0 || context_aws(cli, service, err) < 0)
        return -1;
    return find_deployed(cli, service, key, ret, err);
}
