/* Plugins. troupe runs none, and answers each entry of `plugins`: a plugin that transforms code or
 * the template is refused, because without it something else would be deployed; one that only helps
 * while developing is left out with a warning. */
#include "config/config_internal.h"

/* Plugins without which the same is deployed. */
static const struct {
    const char *name;
    const char *why;
} not_needed[] = {
    {"serverless-offline", "it serves for local runs only"},
    {"serverless-offline-sqs", "it serves for local runs only"},
    {"serverless-offline-sns", "it serves for local runs only"},
    {"serverless-offline-ssm", "it serves for local runs only"},
    {"serverless-offline-scheduler", "it serves for local runs only"},
    {"serverless-offline-dynamodb-streams", "it serves for local runs only"},
    {"serverless-dynamodb", "it serves for local runs only"},
    {"serverless-dynamodb-local", "it serves for local runs only"},
    {"serverless-localstack", "'--local' deploys to the local cloud"},
    {"serverless-s3-local", "it serves for local runs only"},
    {"serverless-prune-plugin", "troupe prunes old versions itself"},
    {"serverless-deployment-bucket", "the bucket is made by troupe itself"},
    {"serverless-plugin-common-excludes", "it changes nothing that runs"},
};

static int refuse(const struct node *entry, struct err *err)
{
    err_at(err, entry->pos, ERR_CONFIG, "plugin '%.*s' is not supported",
           STR_ARG(node_text(entry)));
    return err_help(err, "plugins are not run: remove it if the service works without, or write "
                         "what it makes into 'resources' and package its code by "
                         "'package.artifact'");
}

/* serverless-dotenv-plugin also puts every variable of the file into all functions. */
static int refuse_dotenv(const struct node *entry, struct err *err)
{
    err_at(err, entry->pos, ERR_CONFIG, "plugin 'serverless-dotenv-plugin' is not supported");
    return err_help(err, "write 'useDotenv: true' and name the variables that functions need under "
                         "'provider.environment', as 'NAME: ${env:NAME}'");
}

static int check_one(struct arena *a, const struct node *entry,
                     const struct config_options *options, struct err *err)
{
    struct str name = node_text(entry);
    if (str_eq(name, STR("serverless-dotenv-plugin")))
        return refuse_dotenv(entry, err);
    for (size_t i = 0; i < sizeof not_needed / sizeof *not_needed; i++) {
        if (!str_eq(name, str_c(not_needed[i].name)))
            continue;
        if (options->warn)
            options->warn(options->warn_context, entry->pos,
                          str_fmt(a, "plugin '%.*s' is not needed and not run: %s", STR_ARG(name),
                                  not_needed[i].why),
                          (struct str){0});
        return 0;
    }
    return refuse(entry, err);
}

int plugins_check(struct arena *a, const struct node *root, const struct config_options *options,
                  struct err *err)
{
    const struct node *list = node_get_c(root, "plugins");
    if (node_is(list, NODE_MAP))
        list = node_get_c(list, "modules");
    node_each (entry, list) {
        struct err one = {0};
        check_one(a, entry, options, &one);
        err_also(err, &one);
    }
    return err->kind ? -1 : 0;
}
