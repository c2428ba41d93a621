/* The chain of credential providers, each in a home folder and an environment of its own. Servers
 * are loopback ones. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "loopback.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
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

/* The client's credentials, of a profile (NULL: none is named). */
static int find(struct home *h, const char *profile)
{
    struct aws_options options = {.profile = str_c(profile), .region = STR("us-east-1")};
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
    "[profile team]\naws_access_key_id = TEAM\naws_secret_access_key = s\n";
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
                  "use one of: default, team, only, half");
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
               "[profile e]\nrole_arn = r\nsource_profile = x\nmfa_serial = m\n"
               "[profile f]\nrole_arn = r\ncredential_source = Environment\n");
    assert_int_equal(find(&h, "a"), -1);
    assert_int_equal(h.err.kind, ERR_CONFIG);
    assert_true(str_ends(h.err.msg, STR("source_profile refers to itself over others")));
    err_clear(&h.err);
    check_refused(&h, "c", ERR_DENIED, "AWS profile 'c': source_profile 'none' does not exist", "");
    check_refused(&h, "d", ERR_CONFIG, "AWS profile 'd': credential_source 'Moon' is unknown",
                  "Ec2InstanceMetadata");
    check_refused(&h, "e", ERR_DENIED, "AWS profile 'e': its role needs a code of an MFA device",
                  "AWS_SESSION_TOKEN");
    check_refused(&h, "f", ERR_DENIED,
                  "AWS profile 'f': credential_source 'Environment' has no credentials", "");
    end(&h);
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
        cmocka_unit_test(an_sso_login_is_exchanged),
        cmocka_unit_test(a_container_asks_its_endpoint),
        cmocka_unit_test(an_instance_asks_the_metadata_service),
        cmocka_unit_test(a_missing_ca_bundle_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
