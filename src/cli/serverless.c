/* Commands and options of the Serverless Framework that troupe calls otherwise. Its words never
 * become names of stages; the answer says what does the same here. Source: the CLI reference of
 * Serverless Framework 3. */
#include "cli/cli.h"

#define ON(name) (1u << COMMAND_##name)
#define DASHBOARD "it belongs to the Serverless Dashboard, which troupe does not use"
#define LOCAL "troupe deploy STAGE --local, a cloud on this machine; then the same with each change"

/* Commands; a longer one stands before those that it begins with. */
static const struct {
    const char *words, *here;
} old_commands[] = {
    {"deploy list functions", "troupe stages"},
    {"deploy list", "troupe history STAGE"},
    {"deploy function", "troupe deploy STAGE --function NAME"},
    {"invoke local", "troupe deploy STAGE --local, then troupe invoke STAGE FUNCTION --local"},
    {"rollback function", "troupe rollback STAGE: the functions of a stage go back together"},
    {"package function", "troupe package STAGE: all functions of it"},
    {"list", "troupe stages, and troupe history STAGE"},
    {"offline", LOCAL},
    {"start", LOCAL},
    {"dev", LOCAL},
    {"create", "copy one of troupe's examples; a serverless.yml that you have works as it is"},
    {"init", "copy one of troupe's examples; a serverless.yml that you have works as it is"},
    {"install", "clone the repository of the service"},
    {"metrics", "CloudWatch has them; troupe logs STAGE FUNCTION shows the lines"},
    {"plugin", "plugins are not run; troupe migrate says what becomes of each"},
    {"config", "aws configure, or AWS_PROFILE, or --aws-profile NAME"},
    {"login", DASHBOARD},
    {"logout", DASHBOARD},
    {"dashboard", DASHBOARD},
    {"output", DASHBOARD},
    {"param", DASHBOARD},
    {"studio", DASHBOARD},
    {"support", DASHBOARD},
    {"test", "your own tests, after troupe deploy STAGE --local"},
    {"doctor", "troupe validate STAGE"},
    {"generate-event", "write the event to a file: troupe invoke STAGE FUNCTION --path FILE"},
    {"slstats", "troupe sends no statistics"},
    {"upgrade", "the way troupe was installed"},
    {"uninstall", "the way troupe was installed"},
    {"alias", "stages are what aliases were: troupe stages, troupe remove STAGE"},
    {"create_domain", "a domain is three resources of your own below 'resources'"},
    {"delete_domain", "a domain is three resources of your own below 'resources'"},
};

#define TYPE "a function is called and waited for; there is no other way yet"
#define ROLLBACK_TO "--to N, the number of a deployment: troupe history STAGE"

/* Options of the commands in `on`; 0: of any command. */
static const struct {
    const char *name; /* or a letter */
    uint32_t on;
    const char *here;
} old_options[] = {
    {"all", ON(rollback),
     "the deployments of services are numbered by themselves, and one that had nothing to do has "
     "no "
     "new one: troupe history STAGE in each service's folder, then troupe rollback STAGE there"},
    {"all", ON(logs),
     "functions of two services may have one name, and --tail would mix them: troupe logs STAGE "
     "FUNCTION in the service's folder"},
    {"service", ON(info) | ON(logs), "go to the service's folder, or name its file with --config"},
    {"force", 0, "not needed: what changed is found by its content"},
    {"enforce-hash-update", 0, "not needed: what changed is found by its content"},
    {"conceal", 0, "not needed: secrets are never shown"},
    {"aws-s3-accelerate", 0, "not there: code goes up once, for all stages"},
    {"no-aws-s3-accelerate", 0, "not needed: there is no acceleration"},
    {"profile", 0, "--aws-profile NAME"},
    {"app", 0, DASHBOARD},
    {"org", 0, DASHBOARD},
    {"use-local-credentials", 0, DASHBOARD},
    {"debug", 0, "--verbose, or --debug-http"},
    {"color", 0, "colours are for terminals; NO_COLOR=1 is without"},
    {"no-color", 0, "NO_COLOR=1 in the environment"},
    {"noDeploy", 0, "troupe package STAGE"},
    {"alias", 0, "stages are what aliases were: troupe deploy STAGE"},
    {"masterAlias", 0, "stages are what aliases were: troupe deploy STAGE"},
    {"update-config", ON(deploy), "troupe deploy STAGE: settings go with the whole stage"},
    {"u", ON(deploy), "troupe deploy STAGE: settings go with the whole stage"},
    {"startTime", ON(logs), "--since 5m, or a point in time"},
    {"interval", ON(logs), "--tail looks every two seconds"},
    {"i", ON(logs), "--tail looks every two seconds"},
    {"raw", ON(invoke), "not needed: what is not JSON is sent as a string"},
    {"type", ON(invoke), TYPE},
    {"t", ON(invoke), TYPE},
    {"qualifier", ON(invoke), "a stage's own version is called: troupe invoke STAGE FUNCTION"},
    {"context", ON(invoke), "there is no client context yet"},
    {"contextPath", ON(invoke), "there is no client context yet"},
    {"timestamp", ON(rollback), ROLLBACK_TO},
    {"t", ON(rollback), ROLLBACK_TO},
    {"function-version", ON(rollback), ROLLBACK_TO},
    {"function", ON(rollback), "the functions of a stage go back together"},
    {"f", ON(rollback), "the functions of a stage go back together"},
    {"transform", ON(print), "--path KEY takes a part; yq and jq do the rest"},
    {"n", ON(prune), "custom.troupe.history.keep says how many deployments a stage keeps"},
    {"number", ON(prune), "custom.troupe.history.keep says how many deployments a stage keeps"},
};

const char *serverless_command(struct arena *a, struct str command, const struct str *args,
                               size_t n, const char **ret_words)
{
    struct buf typed = BUF(a);
    buf_add(&typed, command);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&typed, " %.*s", STR_ARG(args[i]));
    buf_char(&typed, ' ');
    for (size_t i = 0; i < sizeof old_commands / sizeof *old_commands; i++) {
        *ret_words = old_commands[i].words;
        if (str_starts(buf_str(&typed), str_concat(a, str_c(*ret_words), STR(" "))))
            return old_commands[i].here;
    }
    return NULL;
}

const char *serverless_option(enum command_number command, struct str name)
{
    for (size_t i = 0; i < sizeof old_options / sizeof *old_options; i++)
        if (str_eq(name, str_c(old_options[i].name)) &&
            (!old_options[i].on || (command < COMMAND_COUNT && old_options[i].on & 1u << command)))
            return old_options[i].here;
    return NULL;
}
