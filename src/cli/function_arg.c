/* The function that a command is about. */
#include "cli/cli.h"

#include "base/vec.h"

/* Read "invoke STAGE FUNCTION", or "invoke FUNCTION" when the stage is given otherwise. */
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

static void offer(struct str name, struct str key, struct str *best, size_t *distance)
{
    size_t d = str_distance(name, key, *distance);
    if (d > *distance)
        return;
    *best = key;
    *distance = d;
}

/* Refuse a function that the stage does not have, whatever serverless.yml says; the file is looked
 * at for the advice. */
static int say_none(const struct service *service, const struct record_body *deployed,
                    struct str key, struct err *err)
{
    struct str nearest = {"", 0};
    size_t distance = 3;
    bool planned = false;
    for (size_t i = 0; i < service->function_count; i++) {
        planned |= str_eq(service->functions[i].key, key);
        offer(key, service->functions[i].key, &nearest, &distance);
    }
    vec_each (&deployed->functions, f)
        offer(key, f->object.key, &nearest, &distance);
    err_set(err, ERR_NOT_FOUND, "stage '%.*s' has no function '%.*s'%s", STR_ARG(service->address),
            STR_ARG(key), planned ? " yet" : "");
    if (planned)
        return err_help(err, "troupe deploy %.*s", STR_ARG(service->address));
    return nearest.n
               ? err_help(err, "did you mean '%.*s'?", STR_ARG(nearest))
               : err_help(err, "which there are: troupe info %.*s", STR_ARG(service->address));
}

/* Find the name under which the function was deployed: the record has it, whatever serverless.yml
 * says now. */
static int find_deployed(struct cli *cli, const struct service *service, struct str key,
                         struct deployed_function *ret, struct err *err)
{
    struct world w;
    struct release r = context_release(cli, service);
    if (world_find(&r, true, &w, err) < 0 || world_served(&r, false, &w, err) < 0)
        return -1;
    const struct record_function *f = record_function(w.record.body, key);
    *ret = (struct deployed_function){
        .key = key,
        .name = f->name,
        .per_stage = f->layout == LAYOUT_PER_STAGE,
    };
    return ret->name.n ? 0 : say_none(service, w.record.body, key, err);
}

int context_function(struct cli *cli, const char *command, struct service *service,
                     struct deployed_function *ret, struct err *err)
{
    struct str key;
    struct release r;
    if (split_arguments(&cli->options, command, &key, err) < 0 ||
        context_open(cli, 0, STAGE_REQUIRED, LOAD_PLACE, &r, err) < 0)
        return -1;
    *service = *r.service;
    return find_deployed(cli, service, key, ret, err);
}
