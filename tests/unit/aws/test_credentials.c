/* The chain of credential providers, each in a home folder and an environment of its own. Servers
 * are loopback ones. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "loopback.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "doc/json.h"
#include "aws/client/aws_internal.h"

#define SOON "2099-01-01T00:00:00Z"

static const char identity[] =
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>";

static const char assumed[] =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
    "<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>"
    "<Expiration>" SOON "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";

static const char web_assumed[] =
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
    "<AccessKeyId>ASIAWEB</AccessKeyId><SecretAccessKey>web-secret</SecretAccessKey>"
    "<SessionToken>web-token</SessionToken><Expiration>" SOON "</Expiration></Credentials>"
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_CREDENTIAL_EXPIRATION",
                                        "AWS_PROFILE",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_CONFIG_FILE",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_SSO",
                                        "AWS_LOGIN_CACHE_DIRECTORY",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_ROLE_SESSION_NAME",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AWS_CA_BUNDLE",
                                        "AWS_RETRY_MODE",
                                        "AWS_MAX_ATTEMPTS"};

struct home {
    struct arena *arena;
    struct str path;
    struct err err;
    struct credentials found;
    struct aws *aws;
    const char *code; /* that the user gives when asked; NULL: there is no terminal */
    struct str question;
};

static void begin(struct home *h)
{
    char path[] = "/tmp/troupe-home-XXXXXX";
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    *h = (struct home){.arena = arena_new()};
    assert_non_null(mkdtemp(path));
    h->path = str_dup(h->arena, str_c(path));
    setenv("HOME", h->path.p, 1);
}

static void end(struct home *h)
{
    struct err err = {0};
    aws_free(h->aws);
    check_ok(fs_remove_all(h->path, &err), &err);
    err_clear(&h->err);
    arena_free(h->arena);
}

static void write_file(struct home *h, const char *name, const char *text)
{
    struct err err = {0};
    struct str path = path_join(h->arena, h->path, str_c(name));
    check_ok(fs_mkdirs(path_dir(h->arena, path), &err), &err);
    check_ok(fs_write(path, str_c(text), 0600, &err), &err);
}

static int give_code(void *context, struct arena *a, struct str question, struct str *ret,
                     struct err *err)
{
    struct home *h = context;
    (void)err;
    h->question = str_dup(h->arena, question);
    *ret = str_dup(a, str_c(h->code));
    return 0;
}

/* The client's credentials, of a profile (NULL: none is named). */
static int find(struct home *h, const char *profile)
{
    struct aws_options options = {.profile = str_c(profile),
                                  .region = STR("us-east-1"),
                                  .ask = h->code ? give_code : NULL,
                                  .ask_context = h};
    aws_free(h->aws);
    h->aws = aws_new(&options, &h->err);
    return h->aws ? credentials_current(h->aws, &h->found, &h->err) : -1;
}

static void check_found(struct home *h, const char *profile, const char *key, const char *source)
{
    check_ok(find(h, profile), &h->err);
    check_str(h->found.access_key, key);
    assert_string_equal(h->found.source, source);
}

/* ---- files and environment ---- */

static const char config_text[] =
    "[default]\nregion = eu-west-3\naws_access_key_id = CONFIG\naws_secret_access_key = s\n"
    "[profile team]\naws_access_key_id = TEAM\naws_secret_access_key = s\n"
    "[profile empty]\nregion = eu-west-3\n";
static const char credentials_text[] =
    "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\naws_session_token = t\n"
    "[only]\naws_access_key_id = ONLY\naws_secret_access_key = s\n"
    "[half]\naws_access_key_id = HALF\n";

static void the_first_provider_that_has_any_wins(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    write_file(&h, ".aws/config", config_text);
    check_found(&h, NULL, "CONFIG", "config-file");
    write_file(&h, ".aws/credentials", credentials_text);
    check_found(&h, NULL, "FILE", "shared-file");
    check_str(h.found.session_token, "t");
    check_found(&h, "team", "TEAM", "config-file");
    check_found(&h, "only", "ONLY", "shared-file");
    setenv("AWS_PROFILE", "team", 1);
    check_found(&h, NULL, "TEAM", "config-file");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_SESSION_TOKEN", "t", 1);
    check_found(&h, NULL, "ENV", "environment");
    /* a named profile goes before the environment */
    check_found(&h, "only", "ONLY", "shared-file");
    end(&h);
}

static void settings_come_from_the_profile(void **state)
{
    (void)state;
    struct home h;
    struct aws_options options = {0};
    begin(&h);
    write_file(&h, "elsewhere/config", config_text);
    setenv("AWS_CONFIG_FILE", "~/elsewhere/config", 1);
    h.aws = aws_new(&options, &h.err);
    assert_non_null(h.aws);
    check_str(aws_region(h.aws), "eu-west-3");
    aws_free(h.aws);
    setenv("AWS_REGION", "cn-north-1", 1);
    h.aws = aws_new(&options, &h.err);
    check_str(aws_region(h.aws), "cn-north-1");
    check_str(aws_partition(h.aws), "aws-cn");
    check_str(aws_url_suffix(h.aws), "amazonaws.com.cn");
    end(&h);
}

static void check_refused(struct home *h, const char *profile, enum err_kind kind, const char *msg,
                          const char *help)
{
    assert_int_equal(find(h, profile), -1);
    assert_int_equal(h->err.kind, kind);
    check_str(h->err.msg, msg);
    if (str_find(h->err.help, str_c(help), 0) < 0)
        fail_msg("help: %s", str_z(h->arena, h->err.help));
    err_clear(&h->err);
}

static void missing_credentials_say_what_to_do(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    check_refused(&h, NULL, ERR_DENIED, "no AWS credentials found", "--local");
    check_refused(&h, "nope", ERR_DENIED, "AWS profile 'nope' does not exist",
                  "aws configure --profile nope");
    write_file(&h, ".aws/credentials", credentials_text);
    write_file(&h, ".aws/config", config_text);
    check_refused(&h, "nope", ERR_DENIED, "AWS profile 'nope' does not exist",
                  "use one of: default, team, empty, only, half");
    check_refused(&h, "empty", ERR_DENIED, "AWS profile 'empty' has no credentials",
                  "aws login --profile empty");
    check_refused(&h, "half", ERR_DENIED,
                  "AWS profile 'half' has no aws_secret_access_key in the credentials file",
                  "aws configure");
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    check_refused(&h, NULL, ERR_DENIED,
                  "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not", "set both");
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_CREDENTIAL_EXPIRATION", "2001-01-01T00:00:00Z", 1);
    check_refused(&h, NULL, ERR_DENIED, "the AWS credentials in the environment have expired",
                  "get new ones");
    setenv("AWS_RETRY_MODE", "often", 1);
    check_refused(&h, NULL, ERR_CONFIG,
                  "AWS retry mode 'often' is none of 'standard', 'adaptive', 'legacy'", "");
    end(&h);
}

/* With keys given by the caller, the user's files are not even read. */
static void fixed_keys_do_not_touch_the_users_files(void **state)
{
    (void)state;
    struct home h;
    struct aws_options options = {.access_key = STR("FIXED"), .secret_key = STR("s")};
    begin(&h);
    write_file(&h, ".aws/config", "broken");
    h.aws = aws_new(&options, &h.err);
    assert_non_null(h.aws);
    check_ok(credentials_current(h.aws, &h.found, &h.err), &h.err);
    check_str(h.found.access_key, "FIXED");
    check_refused(&h, NULL, ERR_CONFIG,
                  str_fmt(h.arena,
                          "%s/.aws/config: line 1 is neither '[section]' nor 'key = value'",
                          h.path.p)
                      .p,
                  "");
    end(&h);
}

/* ---- a process ---- */

static void a_process_prints_credentials(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    write_file(&h, ".aws/config",
               "[profile ok]\ncredential_process = printf '%s' '{\"Version\": 1, \"AccessKeyId\": "
               "\"PROC\", \"SecretAccessKey\": \"s\", \"Expiration\": \"" SOON "\"}'\n"
               "[profile version]\ncredential_process = echo '{\"Version\": 2}'\n"
               "[profile nonsense]\ncredential_process = echo secret-nonsense\n"
               "[profile fails]\ncredential_process = sh -c 'exit 3'\n"
               "[profile missing]\ncredential_process = /no/such/program --x\n"
               "[profile endless]\ncredential_process = yes\n");
    check_found(&h, "ok", "PROC", "process");
    assert_true(h.found.expires_ms > clock_wall_ms());
    check_refused(&h, "version", ERR_DENIED,
                  "AWS profile 'version': credential_process gave no \"Version\": 1", "");
    check_refused(&h, "nonsense", ERR_DENIED, "credential_process gave no JSON", "");
    check_refused(&h, "fails", ERR_DENIED,
                  "AWS profile 'fails': credential_process 'sh' ended with status 3", "");
    check_refused(&h, "missing", ERR_DENIED,
                  "AWS profile 'missing': cannot run credential_process '/no/such/program': No "
                  "such file or directory",
                  "");
    check_refused(&h, "endless", ERR_DENIED,
                  "AWS profile 'endless': credential_process 'yes' printed too much", "");
    end(&h);
}

/* ---- over the network ---- */

static void a_role_is_assumed_with_its_source(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {{200, NULL, assumed, WHOLE, 0},
                                    {200, NULL, identity, WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 2);
    setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
    write_file(&h, ".aws/config",
               "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"
               "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
               "external_id = x y\nrole_session_name = me\nduration_seconds = 900\n");
    check_found(&h, "role", "ASIAROLE", "assume-role");
    struct str request = loopback_request(server, 0), account;
    assert_true(str_find(request,
                         STR("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%"
                             "3Arole%2Fr&RoleSessionName=me&ExternalId=x%20y&DurationSeconds=900"),
                         0) > 0);
    assert_true(str_find(loopback_header(h.arena, server, 0, "authorization"),
                         STR("Credential=BASE/"), 0) > 0);
    check_ok(sts_account(h.arena, h.aws, &account, NULL, &h.err), &h.err);
    check_str(loopback_header(h.arena, server, 1, "x-amz-security-token"), "role-token");
    assert_int_equal(loopback_requests(server), 2); /* the token is kept for the second call */
    end(&h);
    loopback_stop(server);
}

static void unusable_roles_are_explained(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    write_file(&h, ".aws/config",
               "[profile a]\nrole_arn = r\nsource_profile = b\n"
               "[profile b]\nrole_arn = r\nsource_profile = a\n"
               "[profile c]\nrole_arn = r\nsource_profile = none\n"
               "[profile d]\nrole_arn = r\ncredential_source = Moon\n"
               "[profile e]\nrole_arn = r\nsource_profile = k\nmfa_serial = m\n"
               "[profile k]\naws_access_key_id = K\naws_secret_access_key = s\n"
               "[profile f]\nrole_arn = r\ncredential_source = Environment\n");
    assert_int_equal(find(&h, "a"), -1);
    assert_int_equal(h.err.kind, ERR_CONFIG);
    assert_true(str_ends(h.err.msg, STR("source_profile refers to itself over others")));
    err_clear(&h.err);
    check_refused(&h, "c", ERR_DENIED, "AWS profile 'c': source_profile 'none' does not exist", "");
    check_refused(&h, "d", ERR_CONFIG, "AWS profile 'd': credential_source 'Moon' is unknown",
                  "Ec2InstanceMetadata");
    check_refused(&h, "e", ERR_DENIED, "AWS profile 'e': its role needs a code of MFA device 'm'",
                  "aws sts get-caller-identity --profile e");
    h.code = "";
    check_refused(&h, "e", ERR_DENIED, "AWS profile 'e': no code of its MFA device was given", "");
    check_refused(&h, "f", ERR_DENIED,
                  "AWS profile 'f': credential_source 'Environment' has no credentials", "");
    end(&h);
}

/* The name of the file is that of the aws command: the SHA-1 of
 * {"DurationSeconds": 900, "RoleArn": "arn:aws:iam::1:role/r", "SerialNumber":
 * "arn:aws:iam::1:mfa/m"} as botocore 1.43 makes it. */
#define SESSION ".aws/cli/cache/682335e2e07b777c3ca11fb4874f882605678784.json"

static void a_code_is_asked_for_once_a_session(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {{200, NULL, assumed, WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 1);
    setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
    write_file(&h, ".aws/config",
               "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"
               "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
               "mfa_serial = arn:aws:iam::1:mfa/m\nduration_seconds = 900\n"
               "[profile other]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
               "mfa_serial = arn:aws:iam::1:mfa/m\n");
    h.code = "123456";
    check_found(&h, "role", "ASIAROLE", "assume-role");
    check_str(h.question, "code of MFA device 'arn:aws:iam::1:mfa/m' for AWS profile 'role'");
    assert_true(str_find(loopback_request(server, 0),
                         STR("&SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fm&TokenCode=123456"),
                         0) > 0);
    struct stat st;
    assert_int_equal(stat(path_join(h.arena, h.path, STR(SESSION)).p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    h.code = NULL; /* another run, without a terminal */
    check_found(&h, "role", "ASIAROLE", "assume-role");
    assert_int_equal(loopback_requests(server), 1);
    /* other parameters are another session */
    check_refused(&h, "other", ERR_DENIED,
                  "AWS profile 'other': its role needs a code of MFA device 'arn:aws:iam::1:mfa/m'",
                  "terminal");
    /* what the aws command kept is good, unless it ends soon */
    write_file(&h, SESSION,
               "{\"Credentials\":{\"AccessKeyId\":\"CLI\",\"SecretAccessKey\":\"s\","
               "\"SessionToken\":\"t\",\"Expiration\":\"2099-01-01T00:00:00UTC\"}}");
    check_found(&h, "role", "CLI", "assume-role");
    write_file(&h, SESSION,
               str_fmt(h.arena, "{\"Credentials\":{\"Expiration\":\"%s\"}}",
                       time_iso(h.arena, clock_wall_ms() + 14 * 60 * 1000).p)
                   .p);
    check_refused(&h, "role", ERR_DENIED,
                  "AWS profile 'role': its role needs a code of MFA device 'arn:aws:iam::1:mfa/m'",
                  "terminal");
    end(&h);
    loopback_stop(server);
}

static void a_web_identity_is_exchanged_unsigned(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {{200, NULL, web_assumed, WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 1);
    setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
    write_file(&h, "token", "the.web.token\n");
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "~/token", 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/web", 1);
    check_found(&h, NULL, "ASIAWEB", "web-identity");
    assert_true(str_find(loopback_request(server, 0), STR("WebIdentityToken=the.web.token"), 0) >
                0);
    check_str(loopback_header(h.arena, server, 0, "authorization"), "");
    end(&h);
    loopback_stop(server);
}

static void an_sso_login_is_exchanged(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {
        {200, NULL,
         "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\",\"secretAccessKey\":\"s\","
         "\"sessionToken\":\"t\",\"expiration\":4070908800000}}",
         WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 1);
    setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
    write_file(&h, ".aws/config",
               "[profile p]\nsso_session = corp\nsso_account_id = 123456789012\n"
               "sso_role_name = Dev Role\n[sso-session corp]\nsso_region = eu-west-1\n"
               "sso_start_url = https://corp.awsapps.com/start\n");
    check_refused(&h, "p", ERR_DENIED, "AWS profile 'p': there is no SSO login",
                  "aws sso login --profile p");
    struct str cache = str_fmt(h.arena, ".aws/sso/cache/%s.json", sha1_hex(h.arena, STR("corp")).p);
    write_file(&h, cache.p, "{\"accessToken\":\"sso-token\",\"expiresAt\":\"" SOON "\"}");
    check_found(&h, "p", "ASIASSO", "sso");
    assert_true(str_starts(loopback_request(server, 0),
                           STR("GET /federation/credentials?role_name=Dev%20Role&account_id="
                               "123456789012 HTTP/1.1\r\n")));
    check_str(loopback_header(h.arena, server, 0, "x-amz-sso_bearer_token"), "sso-token");
    check_str(loopback_header(h.arena, server, 0, "authorization"), "");
    write_file(&h, cache.p, "{\"accessToken\":\"x\",\"expiresAt\":\"2001-01-01T00:00:00Z\"}");
    check_refused(&h, "p", ERR_DENIED, "AWS profile 'p': the SSO login has expired",
                  "aws sso login");
    end(&h);
    loopback_stop(server);
}

/* ---- logins that end soon ---- */

#define MINUTES(n) ((int64_t)(n)*60 * 1000)

static const char session_config[] =
    "[profile p]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Dev\n"
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"
    "[profile old]\nsso_start_url = corp\nsso_region = eu-west-1\n"
    "sso_account_id = 123456789012\nsso_role_name = Dev\n"
    "[profile l]\nlogin_session = arn:aws:iam::1:user/me\n";

static const struct sso_case {
    const char *what, *profile;
    int left_min;        /* of the login */
    int registered_min;  /* that its registration lasts */
    const char *without; /* a member that the file lacks */
    struct reply renewal;
    size_t calls;      /* to renew it */
    const char *token; /* that is sent for credentials; NULL: an error, which `error` begins */
    const char *error;
} sso_cases[] = {
    {"fresh", "p", 16, 60, "-", {0}, 0, "old", NULL},
    {"ends soon", "p", 14, 60, "-", {200, NULL, "NEW", WHOLE, 0}, 1, "new", NULL},
    {"ended", "p", -60, 60, "-", {200, NULL, "NEW", WHOLE, 0}, 1, "new", NULL},
    {"of the older form", "old", 14, 60, "-", {0}, 0, "old", NULL},
    {"refused, still good", "p", 14, 60, "-", {400, NULL, "{}", WHOLE, 0}, 1, "old", NULL},
    {"refused",
     "p",
     -1,
     60,
     "-",
     {400, NULL, "GRANT", WHOLE, 0},
     1,
     NULL,
     "AWS profile 'p': the SSO login has expired and cannot be renewed: CreateToken: "},
    {"empty answer",
     "p",
     -1,
     60,
     "-",
     {200, NULL, "{}", WHOLE, 0},
     1,
     NULL,
     "AWS profile 'p': the SSO login has expired and cannot be renewed: CreateToken gave no token"},
    {"registration over",
     "p",
     -1,
     -1,
     "-",
     {0},
     0,
     NULL,
     "AWS profile 'p': the SSO login has expired"},
    {"no refresh token",
     "p",
     -1,
     60,
     "refreshToken",
     {0},
     0,
     NULL,
     "AWS profile 'p': the SSO login has expired"},
    {"no secret", "p", 10, 60, "clientSecret", {0}, 0, "old", NULL},
};

static struct str in_minutes(struct arena *a, int n)
{
    return time_iso(a, clock_wall_ms() + MINUTES(n));
}

static void write_sso(struct home *h, const struct sso_case *c)
{
    struct arena *a = h->arena;
    struct node *login = node_map(a);
    const struct {
        const char *key;
        struct str value;
    } members[] = {{"accessToken", STR("old")},
                   {"expiresAt", in_minutes(a, c->left_min)},
                   {"clientId", STR("client")},
                   {"clientSecret", STR("secret")},
                   {"registrationExpiresAt", in_minutes(a, c->registered_min)},
                   {"refreshToken", STR("again")}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].key, c->without) != 0)
            node_put_str(a, login, members[i].key, members[i].value);
    struct str path = str_fmt(a, ".aws/sso/cache/%s.json", sha1_hex(a, STR("corp")).p);
    write_file(h, path.p, json_text(a, login, 0).p);
}

static void check_sso(struct home *h, const struct sso_case *c)
{
    struct reply replies[] = {c->renewal,
                              {200, NULL,
                               "{\"roleCredentials\":{\"accessKeyId\":\"ASIASSO\","
                               "\"secretAccessKey\":\"s\",\"sessionToken\":\"t\","
                               "\"expiration\":4070908800000}}",
                               WHOLE, 0}};
    if (c->renewal.body && strcmp(c->renewal.body, "NEW") == 0)
        replies[0].body = "{\"accessToken\":\"new\",\"expiresIn\":3600,"
                          "\"refreshToken\":\"next\",\"tokenType\":\"Bearer\"}";
    if (c->renewal.body && strcmp(c->renewal.body, "GRANT") == 0)
        replies[0].body = "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}";
    struct loopback *server = loopback_start(c->calls ? replies : replies + 1, c->calls ? 2 : 1);
    setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
    write_sso(h, c);
    int found = find(h, c->profile);
    if ((found == 0) != (c->token != NULL) ||
        (found < 0 && !str_starts(h->err.msg, str_c(c->error))))
        fail_msg("%s: %s", c->what, found < 0 ? str_z(h->arena, h->err.msg) : "no error");
    if (found < 0) {
        check_str(h->err.help, "log in with: aws sso login --profile p");
        assert_int_equal(h->err.kind, ERR_DENIED);
    } else {
        check_str(loopback_header(h->arena, server, c->calls, "x-amz-sso_bearer_token"), c->token);
    }
    assert_int_equal(loopback_requests(server), c->calls + (c->token ? 1 : 0));
    err_clear(&h->err);
    loopback_stop(server);
}

static void an_sso_login_is_renewed_before_it_ends(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    write_file(&h, ".aws/config", session_config);
    for (size_t i = 0; i < sizeof sso_cases / sizeof *sso_cases; i++)
        check_sso(&h, &sso_cases[i]);
    end(&h);
}

/* ---- aws login ---- */

static const char key_pem[] = "-----BEGIN EC PRIVATE KEY-----\\n"
                              "MHcCAQEEIEzN3lq9oLD3EYrd7KkQPx+LkN3iJbLzkrnuICWGx5CKoAoGCCqGSM49\\n"
                              "AwEHoUQDQgAEI4vzVk2KeL4NrVBR4J7JKXIsA+Seb5GCnqkJIf4f7DBPHlsi8Ua7\\n"
                              "MWbwVQSmRvsXY3ViQQsr++rIUl5rsLgGJQ==\\n"
                              "-----END EC PRIVATE KEY-----\\n";

static const char signed_in[] =
    "{\"accessToken\":{\"accessKeyId\":\"ASIANEW\",\"secretAccessKey\":\"s\","
    "\"sessionToken\":\"t\"},\"tokenType\":\"aws_sigv4\",\"expiresIn\":900,"
    "\"refreshToken\":\"next\"}";

static const struct {
    const char *what;
    int left_min;
    const char *key;
    struct reply renewal;
    size_t calls;
    const char *access_key; /* NULL: an error, with this message and advice */
    const char *error, *help;
} login_cases[] = {
    {"fresh", 6, key_pem, {200, NULL, signed_in, WHOLE, 0}, 0, "ASIAOLD", NULL, NULL},
    {"ends soon", 4, key_pem, {200, NULL, signed_in, WHOLE, 0}, 1, "ASIANEW", NULL, NULL},
    {"ended", -600, key_pem, {200, NULL, signed_in, WHOLE, 0}, 1, "ASIANEW", NULL, NULL},
    {"refused, still good", 4, key_pem, {400, NULL, "{}", WHOLE, 0}, 1, "ASIAOLD", NULL, NULL},
    {"refused",
     -1,
     key_pem,
     {400, "x-amzn-ErrorType: AccessDeniedException\r\n",
      "{\"error\":\"TOKEN_EXPIRED\",\"message\":\"over\"}", WHOLE, 0},
     1,
     NULL,
     "its login has expired and cannot be renewed: CreateOAuth2Token: over",
     "aws login --profile l"},
    {"not allowed",
     -1,
     key_pem,
     {400, "x-amzn-ErrorType: AccessDeniedException\r\n",
      "{\"error\":\"INSUFFICIENT_PERMISSIONS\",\"message\":\"no\"}", WHOLE, 0},
     1,
     NULL,
     "its login has expired and cannot be renewed: CreateOAuth2Token: no",
     "signin:CreateOAuth2Token"},
    {"nothing given",
     -1,
     key_pem,
     {200, NULL, "{}", WHOLE, 0},
     1,
     NULL,
     "its login has expired and cannot be renewed: CreateOAuth2Token gave no credentials",
     "aws login"},
    {"no key",
     -1,
     "x",
     {200, NULL, signed_in, WHOLE, 0},
     0,
     NULL,
     "its login has expired and cannot be renewed: its dpopKey is no private key on P-256",
     "aws login"},
};

static void a_login_is_renewed_with_its_key(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    write_file(&h, ".aws/config", session_config);
    check_refused(&h, "l", ERR_DENIED, "AWS profile 'l': there is no login of its login_session",
                  "aws login --profile l");
    struct str path = str_fmt(h.arena, ".aws/login/cache/%s.json",
                              sha256_hex(h.arena, STR("arn:aws:iam::1:user/me")).p);
    for (size_t i = 0; i < sizeof login_cases / sizeof *login_cases; i++) {
        struct loopback *server = loopback_start(&login_cases[i].renewal, 1);
        setenv("AWS_ENDPOINT_URL", loopback_url(server).p, 1);
        write_file(&h, path.p,
                   str_fmt(h.arena,
                           "{\"accessToken\":{\"accessKeyId\":\"ASIAOLD\","
                           "\"secretAccessKey\":\"s\",\"sessionToken\":\"t\","
                           "\"accountId\":\"1\",\"expiresAt\":\"%s\"},"
                           "\"refreshToken\":\"again\",\"clientId\":\"c\",\"dpopKey\":\"%s\"}",
                           in_minutes(h.arena, login_cases[i].left_min).p, login_cases[i].key)
                       .p);
        if (login_cases[i].access_key)
            check_found(&h, "l", login_cases[i].access_key, "login");
        else
            check_refused(&h, "l", ERR_DENIED,
                          str_fmt(h.arena, "AWS profile 'l': %s", login_cases[i].error).p,
                          login_cases[i].help);
        assert_int_equal(loopback_requests(server), login_cases[i].calls);
        loopback_stop(server);
    }
    end(&h);
}

static const char role_json[] = "{\"AccessKeyId\":\"ASIAPLACE\",\"SecretAccessKey\":\"s\","
                                "\"Token\":\"t\",\"Expiration\":\"" SOON "\"}";

static void a_container_asks_its_endpoint(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {{200, NULL, role_json, WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 1);
    struct str url = str_fmt(h.arena, "%s/creds?x=1", loopback_url(server).p);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.p, 1);
    write_file(&h, "token", "pod-token\n");
    struct str token = path_join(h.arena, h.path, STR("token"));
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.p, 1);
    check_found(&h, NULL, "ASIAPLACE", "container");
    check_str(loopback_header(h.arena, server, 0, "authorization"), "pod-token");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", 1);
    check_refused(&h, NULL, ERR_DENIED,
                  "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or local, not "
                  "'http://example.com'",
                  "");
    assert_int_equal(loopback_requests(server), 1);
    end(&h);
    loopback_stop(server);
}

static void an_instance_asks_the_metadata_service(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    const struct reply replies[] = {{200, NULL, "imds-token", WHOLE, 0},
                                    {200, NULL, "my-role", WHOLE, 0},
                                    {200, NULL, role_json, WHOLE, 0},
                                    {404, NULL, "", WHOLE, 0}};
    struct loopback *server = loopback_start(replies, 4);
    setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", loopback_url(server).p, 1);
    check_found(&h, NULL, "ASIAPLACE", "instance");
    assert_true(str_starts(loopback_request(server, 0), STR("PUT /latest/api/token ")));
    assert_true(str_starts(loopback_request(server, 2),
                           STR("GET /latest/meta-data/iam/security-credentials/my-role ")));
    check_str(loopback_header(h.arena, server, 2, "x-aws-ec2-metadata-token"), "imds-token");
    check_refused(&h, NULL, ERR_DENIED, "no AWS credentials found", "AWS_PROFILE");
    end(&h);
    loopback_stop(server);
}

static void a_missing_ca_bundle_is_named(void **state)
{
    (void)state;
    struct home h;
    begin(&h);
    setenv("AWS_CA_BUNDLE", "/no/such/bundle.pem", 1);
    check_refused(&h, NULL, ERR_CONFIG,
                  "cannot read CA bundle '/no/such/bundle.pem': No such file or directory",
                  "AWS_CA_BUNDLE");
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_provider_that_has_any_wins),
        cmocka_unit_test(settings_come_from_the_profile),
        cmocka_unit_test(missing_credentials_say_what_to_do),
        cmocka_unit_test(fixed_keys_do_not_touch_the_users_files),
        cmocka_unit_test(a_process_prints_credentials),
        cmocka_unit_test(a_role_is_assumed_with_its_source),
        cmocka_unit_test(unusable_roles_are_explained),
        cmocka_unit_test(a_web_identity_is_exchanged_unsigned),
        cmocka_unit_test(a_code_is_asked_for_once_a_session),
        cmocka_unit_test(an_sso_login_is_exchanged),
        cmocka_unit_test(an_sso_login_is_renewed_before_it_ends),
        cmocka_unit_test(a_login_is_renewed_with_its_key),
        cmocka_unit_test(a_container_asks_its_endpoint),
        cmocka_unit_test(an_instance_asks_the_metadata_service),
        cmocka_unit_test(a_missing_ca_bundle_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
