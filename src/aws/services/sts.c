/* STS's operations. */
#include "aws/client/aws_internal.h"

#include "base/fs.h"
#include "base/hash.h"

/* File with the ARN of the caller. It is named after the access key, which belongs to one identity
 * for as long as it exists. */
static struct str identity_path(struct arena *a, struct aws *aws, struct err *err)
{
    struct credentials who;
    if (credentials_current(aws, &who, err) < 0)
        return (struct str){"", 0};
    struct str name = sha256_hex(
        a, str_fmt(a, "%.*s %.*s", STR_ARG(who.access_key), STR_ARG(aws->options.endpoint_url)));
    const char *endpoint = getenv("AWS_ENDPOINT_URL");
    if (endpoint) /* another cloud has other identities */
        name = sha256_hex(a, str_fmt(a, "%.*s %s", STR_ARG(name), endpoint));
    struct str dir;
    if (path_cache_own(a, STR("identity"), &dir, err) < 0)
        return (struct str){"", 0};
    return path_join(a, dir, str_sub(name, 0, 32));
}

static void remember(struct str path, struct str arn)
{
    struct err ignored = {0};
    if (path.n)
        fs_write(path, arn, 0600, &ignored);
    err_clear(&ignored);
}

int sts_account(struct arena *a, struct aws *aws, struct str *ret_account, struct str *ret_arn,
                struct err *err)
{
    const struct node *answer;
    struct err ignored = {0};
    if (aws_query(a, aws, "sts", "GetCallerIdentity", NULL, &answer, err) < 0)
        return -1;
    remember(identity_path(a, aws, &ignored), text_of(answer, "Arn"));
    err_clear(&ignored);
    if (ret_account)
        *ret_account = text_of(answer, "Account");
    if (ret_arn)
        *ret_arn = text_of(answer, "Arn");
    return 0;
}

int sts_caller(struct arena *a, struct aws *aws, struct str *ret_arn, struct err *err)
{
    enum { ARN_MAX = 2048 };
    struct err ignored = {0};
    struct str path = identity_path(a, aws, &ignored);
    bool known = path.n && fs_read(a, path, ARN_MAX, ret_arn, &ignored) == 0 &&
                 str_starts(*ret_arn, STR("arn:"));
    err_clear(&ignored);
    return known ? 0 : sts_account(a, aws, NULL, ret_arn, err);
}
