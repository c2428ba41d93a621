/* IAM Identity Center: the login that `aws sso login` keeps in ~/.aws/sso/cache, exchanged for
 * credentials of the profile's account and role. An expired login is not renewed here. */
#include "aws/client/aws_internal.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"

enum { CACHE_BYTES_MAX = 1024 * 1024 };

struct sso {
    struct str session, start_url, region, account, role;
};

/* Read the profile. Its session's section has what several profiles share; in the older form all of
 * it stands in the profile. */
static bool read_profile(const struct credential_search *search, struct sso *ret)
{
    const struct node *profile = profile_config(search->settings, search->profile);
    struct str session = text_of(profile, "sso_session");
    const struct node *shared =
        session.n ? profile_section(search->settings, "sso-session", session) : profile;
    *ret = (struct sso){session, text_of(shared, "sso_start_url"), text_of(shared, "sso_region"),
                        text_of(profile, "sso_account_id"), text_of(profile, "sso_role_name")};
    return session.n || ret->start_url.n;
}

static int login_error(const struct credential_search *search, const char *what, struct err *err)
{
    err_set(err, ERR_DENIED, "AWS profile '%.*s': %s", STR_ARG(search->profile), what);
    return err_help(err, "log in with: aws sso login --profile %.*s", STR_ARG(search->profile));
}

static int read_token(struct credential_search *search, const struct sso *sso, struct str *ret,
                      struct err *err)
{
    struct arena *a = search->arena;
    struct str name = sha1_hex(a, sso->session.n ? sso->session : sso->start_url), text;
    struct str path = home_path(a, str_fmt(a, "~/.aws/sso/cache/%.*s.json", STR_ARG(name)));
    if (fs_read(a, path, CACHE_BYTES_MAX, &text, err) < 0) {
        err_clear(err);
        return login_error(search, "there is no SSO login", err);
    }
    struct err ignored cleanup_err = {0};
    const struct node *cache = json_parse(a, STR("login"), text, &ignored);
    int64_t until;
    *ret = text_of(cache, "accessToken");
    if (!ret->n || !time_parse(text_of(cache, "expiresAt"), &until) || until <= clock_wall_ms())
        return login_error(search, "the SSO login has expired", err);
    return 0;
}

static int exchange(struct credential_search *search, const struct sso *sso, struct str token,
                    struct credentials *ret, struct err *err)
{
    struct arena *a = search->arena;
    struct node *query = node_map(a);
    node_put_str(a, query, "role_name", sso->role);
    node_put_str(a, query, "account_id", sso->account);
    struct call call = {.service = aws_service_find("sso"),
                        .operation = "GetRoleCredentials",
                        .method = "GET",
                        .path = STR("/federation/credentials"),
                        .query = query_string(a, query),
                        .credentials = &credentials_none};
    call_header(&call, "x-amz-sso_bearer_token", token);
    struct aws_answer answer;
    if (endpoint_find(a, call.service, sso->region, (struct str){0}, search->settings,
                      &call.endpoint, err) < 0 ||
        call_send(a, search->aws, &call, &answer, err) < 0)
        return -1;
    struct err ignored cleanup_err = {0};
    const struct node *c =
        node_get_c(json_parse(a, STR("answer"), answer.body, &ignored), "roleCredentials");
    *ret = (struct credentials){.access_key = text_of(c, "accessKeyId"),
                                .secret_key = text_of(c, "secretAccessKey"),
                                .session_token = text_of(c, "sessionToken")};
    if (!ret->access_key.n || !node_to_int(node_get_c(c, "expiration"), &ret->expires_ms))
        return err_set(err, ERR_DENIED, "GetRoleCredentials gave no credentials");
    return 1;
}

int credentials_sso(struct credential_search *search, struct credentials *ret, struct err *err)
{
    struct sso sso;
    struct str token;
    if (!read_profile(search, &sso))
        return 0;
    if (!sso.start_url.n || !sso.region.n || !sso.account.n || !sso.role.n)
        return login_error(search,
                           "it needs sso_start_url, sso_region, sso_account_id and "
                           "sso_role_name",
                           err);
    if (read_token(search, &sso, &token, err) < 0)
        return -1;
    return exchange(search, &sso, token, ret, err);
}
