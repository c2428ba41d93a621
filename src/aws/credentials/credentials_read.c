/* Reading the credentials that providers get. */
#include "aws/client/aws_internal.h"
#include "base/clock.h"
#include "doc/json.h"

const struct credentials credentials_none;

int credentials_from_section(const struct node *section, const char *source, struct str profile,
                             struct credentials *ret, struct err *err)
{
    *ret = (struct credentials){.access_key = text_of(section, "aws_access_key_id"),
                                .secret_key = text_of(section, "aws_secret_access_key"),
                                .session_token = text_of(section, "aws_session_token")};
    if (!ret->session_token.n) /* its older name */
        ret->session_token = text_of(section, "aws_security_token");
    if (!ret->access_key.n)
        return 0;
    if (!ret->secret_key.n) {
        err_set(err, ERR_DENIED, "AWS profile '%.*s' has no aws_secret_access_key in the %s",
                STR_ARG(profile), source);
        return err_help(err, "add it with: aws configure --profile %.*s", STR_ARG(profile));
    }
    return 1;
}

int credentials_from_json(struct arena *a, struct str text, const char *what,
                          struct credentials *ret, struct err *err)
{
    const struct node *n = json_parse(a, STR("credentials"), str_dup(a, text), err);
    if (!n) { /* the message must not show the text */
        err_clear(err);
        return err_set(err, ERR_DENIED, "%s gave no JSON", what);
    }
    struct str token = text_of(n, "SessionToken"), until = text_of(n, "Expiration");
    *ret = (struct credentials){.access_key = text_of(n, "AccessKeyId"),
                                .secret_key = text_of(n, "SecretAccessKey"),
                                .session_token = token.n ? token : text_of(n, "Token")};
    if (!ret->access_key.n || !ret->secret_key.n)
        return err_set(err, ERR_DENIED, "%s gave no AccessKeyId and SecretAccessKey", what);
    if (until.n && !time_parse(until, &ret->expires_ms))
        return err_set(err, ERR_DENIED, "%s gave an Expiration that is no time", what);
    return 1;
}

int credentials_from_sts(struct arena *a, const struct node *answer, const char *source,
                         struct credentials *ret, struct err *err)
{
    const struct node *c = node_get_c(answer, "Credentials");
    *ret = (struct credentials){.access_key = str_dup(a, text_of(c, "AccessKeyId")),
                                .secret_key = str_dup(a, text_of(c, "SecretAccessKey")),
                                .session_token = str_dup(a, text_of(c, "SessionToken"))};
    if (!ret->access_key.n || !time_parse(text_of(c, "Expiration"), &ret->expires_ms))
        return err_set(err, ERR_DENIED, "%s gave no credentials", source);
    return 1;
}
