/* The chain of credential providers, and the client's current credentials. */
#include "aws/client/aws_internal.h"

/* In botocore's order. `profile`: belongs to one profile. */
static const struct {
    const char *name;
    credential_provider *get;
    bool profile;
} providers[] = {
    {"environment", credentials_environment, false},
    {"assume-role", credentials_assume_role, true},
    {"web-identity", credentials_web_identity, true},
    {"sso", credentials_sso, true},
    {"shared-file", credentials_shared_file, true},
    {"login", credentials_login, true},
    {"process", credentials_process, true},
    {"config-file", credentials_config_file, true},
    {"container", credentials_container, false},
    {"instance", credentials_instance, false},
};

static int ask(struct credential_search *search, bool profile_only, struct credentials *ret,
               struct err *err)
{
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++) {
        if (profile_only && !providers[i].profile)
            continue;
        int found = providers[i].get(search, ret, err);
        if (found > 0) {
            ret->source = providers[i].name;
            ret->of_profile = providers[i].profile;
        }
        if (found != 0)
            return found;
    }
    return 0;
}

static int of_profile(struct credential_search *search, struct credentials *ret, struct err *err)
{
    return ask(search, true, ret, err);
}

int credentials_find(struct credential_search *search, struct credentials *ret, struct err *err)
{
    search->of_profile = of_profile;
    int found = ask(search, false, ret, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    const struct profile_settings *s = search->settings;
    if (s->chosen) {
        err_set(err, ERR_DENIED, "AWS profile '%.*s' has no credentials", STR_ARG(s->profile));
        return err_help(err,
                        "log in with: aws login --profile %.*s; or choose another one with "
                        "--aws-profile NAME",
                        STR_ARG(s->profile));
    }
    err_set(err, ERR_DENIED, "no AWS credentials found");
    return err_help(
        err, "log in, e.g. with: aws login, aws sso login; or set AWS_PROFILE; or name a profile "
             "with --aws-profile NAME; or use the local cloud with --local");
}
