/* The chain of credential providers, and the client's current credentials. */
#include "aws/client/aws_internal.h"

#include "base/clock.h"
#include "doc/json.h"

enum { RENEW_BEFORE_MS = 10 * 60 * 1000 };

const struct credentials credentials_none;

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
        if (found > 0)
            ret->source = providers[i].name;
        if (found != 0)
            return found;
    }
    return 0;
}

int credentials_of_profile(struct credential_search *search, struct credentials *ret,
                           struct err *err)
{
    return ask(search, true, ret, err);
}

int credentials_find(struct credential_search *search, struct credentials *ret, struct err *err)
{
    int found = ask(search, false, ret, err);
    if (found != 0)
        return found < 0 ? -1 : 0;
    err_set(err, ERR_DENIED, "no AWS credentials found");
    return err_help(err, "log in, e.g. with: aws sso login; or set AWS_PROFILE; or name a profile "
                         "with --aws-profile NAME; or use the local cloud with --local");
}

/* ---- reading what providers get ---- */

int credentials_from_section(const struct node *section, const char *source, struct str profile,
                             struct credentials *ret, struct err *err)
{
    *ret = (struct credentials){.access_key = text_of(section, "aws_access_key_id"),
                                .secret_key = text_of(section, "aws_secret_access_key"),
                                .session_token = text_of(section, "aws_session_token")};
    if (!ret->session_token.n) /* an old name of it */
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
    if (!n) { /* never show the text */
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

/* ---- the client's ---- */

static bool is_fresh(const struct credentials *c, int64_t now_ms)
{
    return c->access_key.n && (!c->expires_ms || c->expires_ms - now_ms > RENEW_BEFORE_MS);
}

static int renew(struct aws *aws, struct credentials *ret, struct err *err)
{
    cleanup_arena struct arena *scratch = arena_new();
    struct credential_search search = {scratch, aws, aws->settings, aws->settings->profile, 0};
    if (credentials_find(&search, ret, err) < 0)
        return -1;
    struct str *texts[] = {&ret->access_key, &ret->secret_key, &ret->session_token};
    pthread_mutex_lock(&aws->lock); /* of the arena */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_dup(aws->arena, *texts[i]);
    pthread_mutex_unlock(&aws->lock);
    return 0;
}

int credentials_current(struct aws *aws, struct credentials *ret, struct err *err)
{
    int done = 0;
    pthread_mutex_lock(&aws->credential_lock);
    int64_t now = clock_wall_ms();
    if (!is_fresh(&aws->credentials, now) && aws->settings) {
        struct credentials fresh = {0};
        if (renew(aws, &fresh, err) == 0) {
            aws->credentials = fresh;
        } else if (aws->credentials.access_key.n && aws->credentials.expires_ms > now) {
            err_clear(err); /* the old ones still hold */
        } else {
            done = -1;
        }
    }
    *ret = aws->credentials;
    pthread_mutex_unlock(&aws->credential_lock);
    return done;
}
