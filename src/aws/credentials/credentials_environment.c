/* Keys in the environment. A profile named on the command line comes before them. */
#include "aws/client/aws_internal.h"

#include "base/clock.h"

int credentials_environment(struct credential_search *search, struct credentials *ret,
                            struct err *err)
{
    struct str key = env_get("AWS_ACCESS_KEY_ID"), secret = env_get("AWS_SECRET_ACCESS_KEY");
    struct str until = env_get("AWS_CREDENTIAL_EXPIRATION");
    if (search->settings->named || !key.n)
        return 0;
    if (!secret.n) {
        err_set(err, ERR_DENIED, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        return err_help(err, "set both, or name a profile with --aws-profile NAME");
    }
    *ret = (struct credentials){
        .access_key = key, .secret_key = secret, .session_token = env_get("AWS_SESSION_TOKEN")};
    if (until.n && !time_parse(until, &ret->expires_ms))
        return err_set(err, ERR_DENIED, "AWS_CREDENTIAL_EXPIRATION is no time: '%.*s'",
                       STR_ARG(until));
    if (ret->expires_ms && ret->expires_ms <= clock_wall_ms()) {
        err_set(err, ERR_DENIED, "the AWS credentials in the environment have expired");
        return err_help(err, "get new ones, or name a profile with --aws-profile NAME");
    }
    return 1;
}
