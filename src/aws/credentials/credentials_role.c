/* Roles: role_arn with source_profile or credential_source, and web identities. */
#include "aws/client/aws_internal.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"
#include "aws/credentials/login_token.h"

enum {
    SOURCES_DEPTH_MAX = 16,
    TOKEN_BYTES_MAX = 64 * 1024,
    SESSION_LEAST_MS = 15 * 60 * 1000, /* that a remembered session has to last, as in botocore */
};

/* A setting of the profile that is resolved, from either file. */
static struct str of_profile(const struct credential_search *search, const char *key)
{
    struct str value = text_of(profile_config(search->settings, search->profile), key);
    return value.n ? value : text_of(profile_credentials(search->settings, search->profile), key);
}

static struct str session_name(struct arena *a, struct str configured)
{
    return configured.n ? configured
                        : str_fmt(a, "troupe-%lld", (long long)(clock_wall_ms() / 1000));
}

/* ---- role_arn with the credentials of a profile or a named source ---- */

static const struct {
    const char *name;
    credential_provider *get;
} sources[] = {{"Environment", credentials_environment},
               {"EcsContainer", credentials_container},
               {"Ec2InstanceMetadata", credentials_instance}};

static int from_named_source(struct credential_search *search, struct str name,
                             struct credentials *ret, struct err *err)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (!str_eq(name, str_c(sources[i].name)))
            continue;
        struct profile_settings open = *search->settings;
        /* a profile that asks for the environment gets it, even when --aws-profile names the
         * profile */
        open.named = false;
        struct credential_search other = *search;
        other.settings = &open;
        int found = sources[i].get(&other, ret, err);
        if (found != 0)
            return found;
        return err_set(err, ERR_DENIED, "credential_source '%.*s' has no credentials",
                       STR_ARG(name));
    }
    err_set(err, ERR_CONFIG, "credential_source '%.*s' is unknown", STR_ARG(name));
    return err_help(err, "use Environment, EcsContainer or Ec2InstanceMetadata");
}

static int from_source_profile(struct credential_search *search, struct str name,
                               struct credentials *ret, struct err *err)
{
    struct credential_search source = *search;
    source.profile = name;
    source.depth = search->depth + 1;
    if (source.depth > SOURCES_DEPTH_MAX)
        return err_set(err, ERR_CONFIG, "source_profile refers to itself over others");
    const struct profile_settings *s = search->settings;
    if (!profile_config(s, name) && !profile_credentials(s, name))
        return err_set(err, ERR_DENIED, "source_profile '%.*s' does not exist", STR_ARG(name));
    int found;
    if (str_eq(name, search->profile)) { /* the profile assumes its role with its own keys */
        found = credentials_shared_file(&source, ret, err);
        if (found == 0)
            found = credentials_config_file(&source, ret, err);
    } else {
        found = search->of_profile(&source, ret, err);
    }
    if (found != 0)
        return found;
    return err_set(err, ERR_DENIED, "source_profile '%.*s' has no credentials", STR_ARG(name));
}

static void put_if(struct arena *a, struct node *map, const char *key, struct str value)
{
    if (value.n)
        node_put_str(a, map, key, value);
}

/* ---- roles that ask for an MFA device ---- */

/* Where the aws command keeps what it assumed, under the SHA-1 of the call's parameters as Python
 * writes them. Source: botocore, AssumeRoleCredentialFetcher._create_cache_key. */
static struct str session_path(struct credential_search *search, struct str role)
{
    struct arena *a = search->arena;
    const struct {
        const char *parameter;
        struct str value;
        bool number;
    } parameters[] = {{"DurationSeconds", of_profile(search, "duration_seconds"), true},
                      {"ExternalId", of_profile(search, "external_id"), false},
                      {"RoleArn", role, false},
                      {"RoleSessionName", of_profile(search, "role_session_name"), false},
                      {"SerialNumber", of_profile(search, "mfa_serial"), false}};
    struct buf b = BUF(a);
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        if (!parameters[i].value.n)
            continue;
        buf_fmt(&b, "%s\"%s\": ", b.n ? ", " : "{", parameters[i].parameter);
        if (parameters[i].number)
            buf_add(&b, parameters[i].value);
        else
            json_write(&b, node_str(a, parameters[i].value), 0);
    }
    buf_char(&b, '}');
    struct str name = sha1_hex(a, buf_str(&b));
    return home_path(a, str_fmt(a, "~/.aws/cli/cache/%.*s.json", STR_ARG(name)));
}

static int ask_code(struct credential_search *search, struct str serial, struct str *ret,
                    struct err *err)
{
    const struct aws_options *options = &search->aws->options;
    if (!options->ask) {
        err_set(err, ERR_DENIED, "its role needs a code of MFA device '%.*s'", STR_ARG(serial));
        return err_help(err,
                        "run it in a terminal, which is asked for the code; or beforehand, in "
                        "one: aws sts get-caller-identity --profile %.*s",
                        STR_ARG(search->profile));
    }
    struct str question = str_fmt(search->arena, "code of MFA device '%.*s' for AWS profile '%.*s'",
                                  STR_ARG(serial), STR_ARG(search->profile));
    if (options->ask(options->ask_context, search->arena, question, ret, err) < 0)
        return -1;
    return ret->n ? 0 : err_set(err, ERR_DENIED, "no code of its MFA device was given");
}

/* Remember an answer of AssumeRole as the aws command does. */
static void keep_session(struct arena *a, struct str path, const struct node *answer)
{
    struct node *session = node_map(a);
    node_put_c(a, session, "Credentials", node_get_c(answer, "Credentials"));
    node_put_c(a, session, "AssumedRoleUser", node_get_c(answer, "AssumedRoleUser"));
    login_write(a, path, session);
}

/* ---- AssumeRole ---- */

static struct node *assume_parameters(struct credential_search *search, struct str role)
{
    struct arena *a = search->arena;
    struct node *params = node_map(a);
    node_put_str(a, params, "RoleArn", role);
    node_put_str(a, params, "RoleSessionName",
                 session_name(a, of_profile(search, "role_session_name")));
    put_if(a, params, "ExternalId", of_profile(search, "external_id"));
    put_if(a, params, "DurationSeconds", of_profile(search, "duration_seconds"));
    return params;
}

static int assume(struct credential_search *search, const struct node *params,
                  const struct credentials *source, const struct node **ret_answer,
                  struct credentials *ret, struct err *err)
{
    struct arena *a = search->arena;
    if (query_send(a, search->aws, "sts", "AssumeRole", params, source, ret_answer, err) < 0)
        return -1;
    return credentials_from_sts(a, *ret_answer, "AssumeRole", ret, err);
}

static int assume_with_code(struct credential_search *search, struct str serial,
                            struct node *params, const struct credentials *source,
                            struct credentials *ret, struct err *err)
{
    struct arena *a = search->arena;
    struct str path = session_path(search, text_of(params, "RoleArn")), code;
    const struct node *answer = login_read(a, path);
    if (login_remaining_ms(node_get_c(answer, "Credentials"), "Expiration") >= SESSION_LEAST_MS)
        return credentials_from_sts(a, answer, "AssumeRole", ret, err);
    if (ask_code(search, serial, &code, err) < 0)
        return -1;
    node_put_str(a, params, "SerialNumber", serial);
    node_put_str(a, params, "TokenCode", code);
    int found = assume(search, params, source, &answer, ret, err);
    if (found > 0)
        keep_session(a, path, answer);
    return found;
}

static int assume_role(struct credential_search *search, struct str role,
                       const struct credentials *source, struct credentials *ret, struct err *err)
{
    /* The clients of several regions, and those of variables, may want the role at once: the user
     * is asked by the first, and the others find what it kept. */
    static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
    struct str serial = of_profile(search, "mfa_serial");
    struct node *params = assume_parameters(search, role);
    const struct node *answer;
    if (!serial.n)
        return assume(search, params, source, &answer, ret, err);
    pthread_mutex_lock(&asking);
    int found = assume_with_code(search, serial, params, source, ret, err);
    pthread_mutex_unlock(&asking);
    return found;
}

int credentials_assume_role(struct credential_search *search, struct credentials *ret,
                            struct err *err)
{
    struct str role = of_profile(search, "role_arn");
    struct str profile = of_profile(search, "source_profile");
    struct str named = of_profile(search, "credential_source");
    if (!role.n || (!profile.n && !named.n))
        return 0;
    struct credentials source = {0};
    int found;
    if (profile.n && named.n)
        found = err_set(err, ERR_CONFIG, "it has both source_profile and credential_source");
    else
        found = profile.n ? from_source_profile(search, profile, &source, err)
                          : from_named_source(search, named, &source, err);
    if (found > 0)
        found = assume_role(search, role, &source, ret, err);
    return found < 0 ? err_wrap(err, "AWS profile '%.*s'", STR_ARG(search->profile)) : found;
}

/* ---- web identity ---- */

struct web_identity {
    struct str token_file, role, session;
};

int credentials_web_identity(struct credential_search *search, struct credentials *ret,
                             struct err *err)
{
    struct arena *a = search->arena;
    struct web_identity w = {of_profile(search, "web_identity_token_file"),
                             of_profile(search, "role_arn"),
                             of_profile(search, "role_session_name")};
    /* the variables are not for a source_profile */
    bool own = search->depth == 0 && !search->settings->named;
    if (own && env_get("AWS_WEB_IDENTITY_TOKEN_FILE").n)
        w = (struct web_identity){env_get("AWS_WEB_IDENTITY_TOKEN_FILE"), env_get("AWS_ROLE_ARN"),
                                  env_get("AWS_ROLE_SESSION_NAME")};
    if (!w.token_file.n)
        return 0;
    if (!w.role.n)
        return err_set(err, ERR_DENIED, "a web identity token is configured, but no role") |
               err_help(err, "set AWS_ROLE_ARN, or role_arn in the profile");
    struct str token;
    if (fs_read(a, home_path(a, w.token_file), TOKEN_BYTES_MAX, &token, err) < 0) {
        err->kind = ERR_DENIED;
        return err_wrap(err, "web identity token");
    }
    struct node *params = node_map(a);
    node_put_str(a, params, "RoleArn", w.role);
    node_put_str(a, params, "RoleSessionName", session_name(a, w.session));
    node_put_str(a, params, "WebIdentityToken", str_trim(token));
    const struct node *answer;
    if (query_send(a, search->aws, "sts", "AssumeRoleWithWebIdentity", params, &credentials_none,
                   &answer, err) < 0)
        return -1;
    return credentials_from_sts(a, answer, "AssumeRoleWithWebIdentity", ret, err);
}
