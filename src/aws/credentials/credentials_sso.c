/* IAM Identity Center: the login that `aws sso login` keeps in ~/.aws/sso/cache, exchanged for
 * credentials of the profile's account and role. A login of an sso-session is renewed when it is
 * about to end, as botocore's SSOTokenProvider does; one of the older form is not. */
#include "aws/client/aws_internal.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"
#include "aws/credentials/login_token.h"

enum { RENEW_BEFORE_MS = 15 * 60 * 1000 };

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

static int sso_error(const struct credential_search *search, const char *what, struct err *err)
{
    return login_error(search, what, "aws sso login", err);
}

/* ---- renewing ---- */

/* What `aws sso login` registered for the session, without which nothing is renewed. */
static bool is_renewable(const struct node *login)
{
    return text_of(login, "refreshToken").n && text_of(login, "clientId").n &&
           text_of(login, "clientSecret").n &&
           login_remaining_ms(login, "registrationExpiresAt") > 0;
}

/* The members that botocore writes; `answer` is CreateToken's. NULL: it gave no token. */
static const struct node *renewed(struct arena *a, const struct sso *sso, const struct node *old,
                                  const struct node *answer)
{
    static const char *const kept[] = {"clientId", "clientSecret", "registrationExpiresAt"};
    int64_t seconds;
    if (!text_of(answer, "accessToken").n ||
        !node_to_int(node_get_c(answer, "expiresIn"), &seconds))
        return NULL;
    struct node *login = node_map(a);
    node_put_str(a, login, "startUrl", sso->start_url);
    node_put_str(a, login, "region", sso->region);
    node_put_str(a, login, "accessToken", text_of(answer, "accessToken"));
    node_put_str(a, login, "expiresAt", time_iso(a, clock_wall_ms() + seconds * 1000));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        node_put_str(a, login, kept[i], text_of(old, kept[i]));
    if (text_of(answer, "refreshToken").n)
        node_put_str(a, login, "refreshToken", text_of(answer, "refreshToken"));
    return login;
}

static const struct node *create_token(struct credential_search *search, const struct sso *sso,
                                       const struct node *old, struct err *err)
{
    struct arena *a = search->arena;
    struct node *body = node_map(a);
    node_put_c(a, body, "grantType", node_str(a, STR("refresh_token")));
    node_put_str(a, body, "clientId", text_of(old, "clientId"));
    node_put_str(a, body, "clientSecret", text_of(old, "clientSecret"));
    node_put_str(a, body, "refreshToken", text_of(old, "refreshToken"));
    const struct login_request request = {.service = "sso-oidc",
                                          .operation = "CreateToken",
                                          .region = sso->region,
                                          .path = STR("/token"),
                                          .body = body};
    const struct node *answer;
    if (login_send(search, &request, &answer, err) < 0)
        return NULL;
    const struct node *login = renewed(a, sso, old, answer);
    if (!login)
        err_set(err, ERR_DENIED, "CreateToken gave no token");
    return login;
}

/* The login in `path`, renewed when it ends soon. One run renews at a time, the others then find
 * what it wrote. Where renewing fails, the login that is there is taken for as long as it lasts. */
static const struct node *current_login(struct credential_search *search, const struct sso *sso,
                                        struct str path, struct err *err)
{
    struct arena *a = search->arena;
    cleanup_fd int lock = login_lock(path);
    (void)lock;
    const struct node *login = login_read(a, path);
    if (!sso->session.n || login_remaining_ms(login, "expiresAt") >= RENEW_BEFORE_MS ||
        !is_renewable(login))
        return login;
    const struct node *fresh = create_token(search, sso, login, err);
    if (fresh)
        login_write(a, path, fresh);
    else /* the aws command may have renewed it meanwhile, and its token is good for one time */
        fresh = login_read(a, path);
    return fresh ? fresh : login;
}

static int read_token(struct credential_search *search, const struct sso *sso, struct str *ret,
                      struct err *err)
{
    struct arena *a = search->arena;
    struct str name = sha1_hex(a, sso->session.n ? sso->session : sso->start_url);
    struct str path = home_path(a, str_fmt(a, "~/.aws/sso/cache/%.*s.json", STR_ARG(name)));
    cleanup_err struct err why = {0};
    const struct node *login = current_login(search, sso, path, &why);
    if (!login)
        return sso_error(search, "there is no SSO login", err);
    *ret = text_of(login, "accessToken");
    if (ret->n && login_remaining_ms(login, "expiresAt") > 0)
        return 0;
    if (!why.kind)
        return sso_error(search, "the SSO login has expired", err);
    err_move(err, &why);
    err_wrap(err, "AWS profile '%.*s': the SSO login has expired and cannot be renewed",
             STR_ARG(search->profile));
    if (err->kind != ERR_DENIED && err->kind != ERR_FAILED)
        return -1;
    err->kind = ERR_DENIED;
    return err_help(err, "log in with: aws sso login --profile %.*s", STR_ARG(search->profile));
}

/* ---- credentials ---- */

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
        return sso_error(search,
                         "it needs sso_start_url, sso_region, sso_account_id and "
                         "sso_role_name",
                         err);
    if (read_token(search, &sso, &token, err) < 0)
        return -1;
    int found = exchange(search, &sso, token, ret, err);
    return found < 0 ? err_wrap(err, "AWS profile '%.*s'", STR_ARG(search->profile)) : found;
}
