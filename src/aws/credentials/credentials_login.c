/* Profiles of `aws login`: the console's sign-in, which the aws command keeps in ~/.aws/login/cache
 * together with credentials for some minutes. They are renewed as botocore's LoginProvider does
 * it. */
#include "aws/client/aws_internal.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "aws/credentials/login_token.h"

enum { RENEW_BEFORE_MS = 5 * 60 * 1000 };

static const char *const needed[] = {"accessToken", "refreshToken", "dpopKey", "clientId"};

static struct str cache_path(struct arena *a, struct str session)
{
    struct str dir = env_get("AWS_LOGIN_CACHE_DIRECTORY");
    struct str name = str_fmt(a, "%.*s.json", STR_ARG(sha256_hex(a, session)));
    return path_join(a, home_path(a, dir.n ? dir : STR("~/.aws/login/cache")), name);
}

static bool is_whole(const struct node *login)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!node_get_c(login, needed[i]))
            return false;
    return true;
}

static int64_t remaining_ms(const struct node *login)
{
    return login_remaining_ms(node_get_c(login, "accessToken"), "expiresAt");
}

/* The login with the members that CreateOAuth2Token's answer replaces. NULL: it gave none. */
static const struct node *renewed(struct arena *a, const struct node *old,
                                  const struct node *answer)
{
    const struct node *given = node_get_c(answer, "accessToken");
    int64_t seconds;
    if (!text_of(given, "accessKeyId").n || !text_of(answer, "refreshToken").n ||
        !node_to_int(node_get_c(answer, "expiresIn"), &seconds))
        return NULL;
    struct node *keys = node_map(a);
    node_put_str(a, keys, "accessKeyId", text_of(given, "accessKeyId"));
    node_put_str(a, keys, "secretAccessKey", text_of(given, "secretAccessKey"));
    node_put_str(a, keys, "sessionToken", text_of(given, "sessionToken"));
    node_put_str(a, keys, "accountId", text_of(node_get_c(old, "accessToken"), "accountId"));
    node_put_str(a, keys, "expiresAt", time_iso(a, clock_wall_ms() + seconds * 1000));
    struct node *login = node_map(a);
    member_each (m, old)
        node_put(a, login, m->key, m->value);
    node_put_c(a, login, "accessToken", keys);
    node_put_str(a, login, "refreshToken", text_of(answer, "refreshToken"));
    return login;
}

/* Why sign-in refuses stands in a member of its own. Source: botocore, refresh_credentials. */
static int explain(const struct credential_search *search, const struct node *answer,
                   struct err *err)
{
    struct str why = text_of(answer, "error");
    if (str_eq(why, STR("INSUFFICIENT_PERMISSIONS"))) {
        err->kind = ERR_DENIED;
        return err_help(err, "allow signin:CreateOAuth2Token in the policies of who logged in");
    }
    if (err->kind != ERR_DENIED && err->kind != ERR_FAILED)
        return -1;
    err->kind = ERR_DENIED;
    return err_help(err, "log in with: aws login --profile %.*s", STR_ARG(search->profile));
}

static const struct node *create_token(struct credential_search *search, const struct node *old,
                                       struct err *err)
{
    struct arena *a = search->arena;
    struct node *body = node_map(a);
    node_put_str(a, body, "clientId", text_of(old, "clientId"));
    node_put_str(a, body, "grantType", STR("refresh_token"));
    node_put_str(a, body, "refreshToken", text_of(old, "refreshToken"));
    const struct login_request request = {.service = "signin",
                                          .operation = "CreateOAuth2Token",
                                          .region = search->aws->region,
                                          .path = STR("/v1/token"),
                                          .body = body,
                                          .key = text_of(old, "dpopKey")};
    const struct node *answer, *login = NULL;
    if (login_send(search, &request, &answer, err) == 0) {
        login = renewed(a, old, answer);
        if (!login)
            err_set(err, ERR_DENIED, "CreateOAuth2Token gave no credentials");
    }
    if (!login)
        explain(search, answer, err);
    return login;
}

/* The login in `path`, renewed when it ends soon; see credentials_sso.c. */
static const struct node *current_login(struct credential_search *search, struct str path,
                                        struct err *err)
{
    struct arena *a = search->arena;
    cleanup_fd int lock = login_lock(path);
    (void)lock;
    const struct node *login = login_read(a, path);
    if (!is_whole(login) || remaining_ms(login) > RENEW_BEFORE_MS)
        return login;
    const struct node *fresh = create_token(search, login, err);
    if (fresh)
        login_write(a, path, fresh);
    else
        fresh = login_read(a, path);
    return fresh ? fresh : login;
}

int credentials_login(struct credential_search *search, struct credentials *ret, struct err *err)
{
    struct arena *a = search->arena;
    struct str session =
        text_of(profile_config(search->settings, search->profile), "login_session");
    if (!session.n)
        return 0;
    cleanup_err struct err why = {0};
    const struct node *login = current_login(search, cache_path(a, session), &why);
    if (!is_whole(login))
        return login_error(search, "there is no login of its login_session", "aws login", err);
    const struct node *keys = node_get_c(login, "accessToken");
    if (remaining_ms(login) <= 0 && why.kind) {
        err_move(err, &why);
        return err_wrap(err, "AWS profile '%.*s': its login has expired and cannot be renewed",
                        STR_ARG(search->profile));
    }
    *ret = (struct credentials){.access_key = text_of(keys, "accessKeyId"),
                                .secret_key = text_of(keys, "secretAccessKey"),
                                .session_token = text_of(keys, "sessionToken")};
    if (remaining_ms(login) <= 0 || !ret->access_key.n ||
        !time_parse(text_of(keys, "expiresAt"), &ret->expires_ms))
        return login_error(search, "its login has expired", "aws login", err);
    return 1;
}
