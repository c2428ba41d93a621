/* Credentials from where troupe runs: from containers (ECS, EKS pod identity, CodeBuild) and from
 * EC2 instances (metadata service, version 2, else 1). */
#include "aws/client/aws_internal.h"

#include "base/fs.h"

enum {
    CONTAINER_TIMEOUT_MS = 2000,
    /* on any other machine nobody answers: do not keep the user waiting */
    INSTANCE_TIMEOUT_MS = 1000,
    TOKEN_BYTES_MAX = 64 * 1024,
};

static int fetch(struct credential_search *search, const char *method, struct str url,
                 const struct header *header, int64_t timeout_ms, struct aws_answer *ret,
                 struct err *err)
{
    struct http_request request = {.method = method,
                                   .url = url,
                                   .headers = header,
                                   .n_headers = header ? 1 : 0,
                                   .timeout_ms = timeout_ms,
                                   .connect_timeout_ms = timeout_ms,
                                   .direct = true};
    return http_send(search->arena, search->aws->http, &request, ret, NULL, err);
}

/* ---- containers ---- */

/* May credentials come by plain HTTP from this URL? Only from this machine or the agent beside
 * it. */
static bool is_trusted(struct str url)
{
    struct str host = url_authority(url);
    ptrdiff_t colon = str_starts(host, STR("[")) ? -1 : str_find_char(host, ':', 0);
    struct str name = colon < 0 ? host : str_sub(host, 0, (size_t)colon);
    return str_starts(url, STR("https://")) || is_loopback(host) ||
           str_eq(name, STR("169.254.170.2")) || str_eq(name, STR("169.254.170.23")) ||
           str_starts(name, STR("[fd00:ec2::23]"));
}

static int container_token(struct credential_search *search, struct header *ret, struct err *err)
{
    struct str file = env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    *ret = (struct header){STR("Authorization"), env_get("AWS_CONTAINER_AUTHORIZATION_TOKEN")};
    if (!file.n)
        return 0;
    if (fs_read(search->arena, file, TOKEN_BYTES_MAX, &ret->value, err) < 0) {
        err->kind = ERR_DENIED;
        return err_wrap(err, "container credentials");
    }
    ret->value = str_trim(ret->value);
    return 0;
}

int credentials_container(struct credential_search *search, struct credentials *ret,
                          struct err *err)
{
    struct str relative = env_get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    struct str url = env_get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative.n)
        url = str_concat(search->arena, STR("http://169.254.170.2"), relative);
    if (!url.n)
        return 0;
    if (!is_trusted(url))
        return err_set(err, ERR_DENIED,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or local, not '%.*s'",
                       STR_ARG(url_origin(url)));
    struct header token;
    struct aws_answer answer;
    if (container_token(search, &token, err) < 0)
        return -1;
    if (fetch(search, "GET", url, token.value.n ? &token : NULL, CONTAINER_TIMEOUT_MS, &answer,
              err) < 0)
        return err_wrap(err, "container credentials");
    if (answer.status != 200)
        return err_set(err, ERR_DENIED, "container credentials: HTTP status %d", answer.status);
    return credentials_from_json(search->arena, answer.body, "the container's endpoint", ret, err);
}

/* ---- instances ---- */

static struct str metadata_url(struct arena *a, const char *path)
{
    struct str base = env_get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (!base.n)
        base = STR("http://169.254.169.254");
    while (str_ends(base, STR("/")))
        base.n--;
    return str_fmt(a, "%.*s%s", STR_ARG(base), path);
}

/* Get a session's token; empty where the service speaks only version 1. False: there is no
 * service. */
static bool metadata_token(struct credential_search *search, struct str *ret)
{
    struct err ignored cleanup_err = {0};
    struct aws_answer answer;
    struct header ttl = {STR("X-aws-ec2-metadata-token-ttl-seconds"), STR("21600")};
    *ret = (struct str){"", 0};
    if (fetch(search, "PUT", metadata_url(search->arena, "/latest/api/token"), &ttl,
              INSTANCE_TIMEOUT_MS, &answer, &ignored) < 0)
        return false;
    if (answer.status == 200)
        *ret = answer.body;
    return answer.status == 200 || answer.status == 403 || answer.status == 404 ||
           answer.status == 405;
}

/* Ask the metadata service. Any failure means that this is no instance with a role. */
static bool metadata_get(struct credential_search *search, struct str token, struct str path,
                         struct str *ret)
{
    struct err ignored cleanup_err = {0};
    struct aws_answer answer;
    struct header header = {STR("X-aws-ec2-metadata-token"), token};
    struct str url = metadata_url(search->arena, path.p);
    if (fetch(search, "GET", url, token.n ? &header : NULL, INSTANCE_TIMEOUT_MS, &answer,
              &ignored) < 0 ||
        answer.status != 200)
        return false;
    *ret = answer.body;
    return true;
}

int credentials_instance(struct credential_search *search, struct credentials *ret, struct err *err)
{
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    struct arena *a = search->arena;
    struct str token, role, text;
    if (str_eq(str_lower(a, env_get("AWS_EC2_METADATA_DISABLED")), STR("true")))
        return 0;
    if (!metadata_token(search, &token) || !metadata_get(search, token, str_c(folder), &role) ||
        !str_trim(role).n)
        return 0;
    struct str path = str_fmt(a, "%s%.*s", folder, STR_ARG(aws_encode(a, str_trim(role), false)));
    if (!metadata_get(search, token, path, &text))
        return 0;
    return credentials_from_json(a, text, "the instance's metadata", ret, err);
}
