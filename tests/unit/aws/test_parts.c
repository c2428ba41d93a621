/* The pure parts of the client: ini files, endpoints, retry decisions, rate limits, XML, what
 * refusals mean. */
#include "check.h"

#include "base/fs.h"
#include "doc/json.h"
#include "aws/client/aws_internal.h"
#include "aws/client/endpoint.h"
#include "aws/client/ratelimit.h"
#include "aws/client/retry.h"
#include "aws/client/xml.h"
#include "aws/credentials/ini.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *tests_folder = "tests";

/* ---- ini ---- */

static const struct {
    const char *text, *want; /* NULL: an error */
} ini_cases[] = {
    {"", "{}"},
    {"[default]\nregion = eu-west-1\n", "{\"default\":{\"region\":\"eu-west-1\"}}"},
    {"[a]\r\nKEY=v\r\n", "{\"a\":{\"key\":\"v\"}}"},
    {"[a]\nk: v\n", "{\"a\":{\"k\":\"v\"}}"},
    {"[a]\nk = a=b:c\n", "{\"a\":{\"k\":\"a=b:c\"}}"},
    {"[a]\nk = abc#def ; x\n", "{\"a\":{\"k\":\"abc#def ; x\"}}"},
    {"# c\n; c\n  # c\n[a]\n\nk =\n", "{\"a\":{\"k\":\"\"}}"},
    {"[profile   \"my team\"]\nk = v\n", "{\"profile my team\":{\"k\":\"v\"}}"},
    {"[a]\ns3 =\n  addressing_style = path\n  x = 1\nk = v\n",
     "{\"a\":{\"s3\":{\"addressing_style\":\"path\",\"x\":\"1\"},\"k\":\"v\"}}"},
    {"[services s]\nlambda =\n  endpoint_url = http://h:1\ns3 =\n  endpoint_url = http://h:2",
     "{\"services s\":{\"lambda\":{\"endpoint_url\":\"http://h:1\"},"
     "\"s3\":{\"endpoint_url\":\"http://h:2\"}}}"},
    {"[a]\nk = 1\n[b]\n[a]\nj = 2\n", "{\"a\":{\"k\":\"1\",\"j\":\"2\"},\"b\":{}}"},
    {"\xEF\xBB\xBF[a]\n", "{\"a\":{}}"},
    {"[a\n", NULL},
    {"[]\n", NULL},
    {"k = v\n", NULL},
    {"[a]\nnonsense\n", NULL},
    {"[a]\n= v\n", NULL},
};

static void ini_files_are_read_as_botocore_does(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(ini_cases); i++) {
        struct err err = {0};
        const struct node *n = ini_read(a, STR("config"), str_c(ini_cases[i].text), &err);
        if (ini_cases[i].want) {
            check_ok(n ? 0 : -1, &err);
            check_str(json_text(a, n, 0), ini_cases[i].want);
        } else {
            assert_null(n);
            assert_int_equal(err.kind, ERR_CONFIG);
        }
        err_clear(&err);
    }
}

static void a_bad_line_is_named_but_not_shown(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    assert_null(ini_read(a, STR("~/.aws/credentials"), STR("[a]\nwJalrXUtnFEMI\n"), &err));
    check_str(err.msg, "~/.aws/credentials: line 2 is neither '[section]' nor 'key = value'");
    assert_true(str_find(err_render(a, &err, false), STR("wJalr"), 0) < 0);
    err_clear(&err);
}

static void commands_are_split_without_a_shell(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct str *words;
    size_t n;
    assert_true(words_split(a, STR(" a 'b c'  \"d \\\" e\"f\\ g $HOME "), &words, &n));
    assert_int_equal(n, 4);
    check_str(words[1], "b c");
    check_str(words[2], "d \" ef g");
    check_str(words[3], "$HOME");
    assert_false(words_split(a, STR("a 'b"), &words, &n));
}

/* ---- endpoints ---- */

static void use(const char *variable, bool on)
{
    if (on)
        setenv(variable, "true", 1);
    else
        unsetenv(variable);
}

/* Calls of Route 53 are signed for one region of each partition. */
static struct str signed_for(struct str service, struct str region)
{
    return str_eq(service, STR("route53")) ? str_c(partition_find(region)->global_region) : region;
}

/* A line of the table: "service region fips dualstack URL". */
static void check_endpoint(struct arena *a, struct str line)
{
    struct err err = {0};
    struct str words[5], rest = line;
    for (size_t i = 0; i < COUNT(words); i++)
        str_cut(&rest, ' ', &words[i]);
    use("AWS_USE_FIPS_ENDPOINT", str_eq(words[2], STR("1")));
    use("AWS_USE_DUALSTACK_ENDPOINT", str_eq(words[3], STR("1")));
    const struct endpoint_service *service = aws_service_find(str_z(a, words[0]));
    assert_non_null(service);
    struct endpoint e;
    int found = endpoint_find(a, service, words[1], (struct str){0}, NULL, &e, &err);
    if (found < 0)
        assert_int_equal(err.kind, ERR_CONFIG);
    struct str url = found < 0 ? STR("-") : e.url;
    if (!str_eq(url, words[4]))
        fail_msg("%s: %s", str_z(a, line), str_z(a, url));
    assert_true(found < 0 || (str_eq(e.region, signed_for(words[0], words[1])) && !e.custom));
    err_clear(&err);
}

/* The table is botocore's: tests/reference/endpoints.py. */
static void endpoints_are_where_botocore_has_them(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct str table, line;
    check_ok(
        fs_read(a, str_fmt(a, "%s/golden/aws/endpoints.txt", tests_folder), 1 << 20, &table, &err),
        &err);
    size_t n = 0;
    for (; str_cut(&table, '\n', &line) && line.n; n++)
        check_endpoint(a, line);
    assert_true(n > 400);
    use("AWS_USE_FIPS_ENDPOINT", false);
    use("AWS_USE_DUALSTACK_ENDPOINT", false);
    assert_string_equal(partition_find(STR("eu-west-1"))->name, "aws");
    assert_string_equal(partition_find(STR("us-gov-east-1"))->name, "aws-us-gov");
    assert_string_equal(partition_find(STR("cn-north-1"))->url_suffix, "amazonaws.com.cn");
    assert_string_equal(partition_find(STR("cn-north-1"))->global_region, "cn-northwest-1");
    assert_string_equal(partition_find(STR("us-gov-east-1"))->global_region, "us-gov-west-1");
    assert_string_equal(partition_find(STR("eu-west-1"))->global_region, "us-east-1");
}

static const char profile_text[] = "[profile p]\nservices = s\nendpoint_url = http://profile\n"
                                   "[services s]\nlambda =\n  endpoint_url = http://section\n";

static struct str endpoint_url(struct arena *a, const struct profile_settings *settings,
                               const char *service, const char *fixed)
{
    struct err err = {0};
    struct endpoint e = {0};
    check_ok(endpoint_find(a, aws_service_find(service), STR("us-east-1"), str_c(fixed), settings,
                           &e, &err),
             &err);
    return e.url;
}

static void the_nearest_endpoint_setting_wins(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    struct err err = {0};
    struct profile_settings s = {.profile = STR("p")};
    s.config = ini_read(a, STR("config"), str_c(profile_text), &err);
    check_str(endpoint_url(a, &s, "ssm", ""), "http://profile");
    check_str(endpoint_url(a, &s, "lambda", ""), "http://section");
    setenv("AWS_ENDPOINT_URL", "http://all/", 1);
    check_str(endpoint_url(a, &s, "lambda", ""), "http://all");
    setenv("AWS_ENDPOINT_URL_API_GATEWAY", "http://one", 1);
    check_str(endpoint_url(a, &s, "apigateway", ""), "http://one");
    check_str(endpoint_url(a, &s, "apigatewayv2", ""), "http://all");
    check_str(endpoint_url(a, &s, "apigateway", "http://fixed"), "http://fixed");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    check_str(endpoint_url(a, &s, "apigateway", ""), "https://apigateway.us-east-1.amazonaws.com");
    check_str(endpoint_url(a, &s, "apigateway", "http://fixed"), "http://fixed");
    unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    unsetenv("AWS_ENDPOINT_URL_API_GATEWAY");
    unsetenv("AWS_ENDPOINT_URL");
}

static const struct {
    const char *profile, *fips, *dualstack, *service, *fixed, *want;
} asked[] = {
    {"use_fips_endpoint = true", "", "", "sts", "", "https://sts-fips.eu-west-1.amazonaws.com"},
    {"use_fips_endpoint = True", "false", "", "sts", "", "https://sts.eu-west-1.amazonaws.com"},
    {"use_dualstack_endpoint = true", "", "", "sts", "", "https://sts.eu-west-1.api.aws"},
    {"use_dualstack_endpoint = true", "TRUE", "", "s3", "",
     "https://s3-fips.dualstack.eu-west-1.amazonaws.com"},
    {"s3 =\n  use_dualstack_endpoint = true", "", "", "s3", "",
     "https://s3.dualstack.eu-west-1.amazonaws.com"},
    {"s3 =\n  use_dualstack_endpoint = true", "", "", "sts", "",
     "https://sts.eu-west-1.amazonaws.com"},
    {"", "yes", "", "sts", "", "AWS_USE_FIPS_ENDPOINT must be 'true' or 'false', not 'yes'"},
    {"use_dualstack_endpoint = 1", "", "", "sts", "",
     "use_dualstack_endpoint must be 'true' or 'false', not '1'"},
    {"endpoint_url = http://mine", "true", "", "sts", "",
     "endpoint 'http://mine' is not AWS's, but FIPS endpoints are asked for"},
    {"endpoint_url = http://mine", "", "true", "s3", "",
     "endpoint 'http://mine' is not AWS's, but dual-stack endpoints are asked for"},
    {"", "true", "true", "sts", "http://local", "http://local"},
};

static void fips_and_dual_stack_are_asked_for_in_two_places(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct err err = {0};
        struct endpoint e;
        struct profile_settings s = {.profile = STR("p")};
        struct str text = str_fmt(a, "[profile p]\n%s\n", asked[i].profile);
        s.config = ini_read(a, STR("config"), text, &err);
        setenv("AWS_USE_FIPS_ENDPOINT", asked[i].fips, 1);
        setenv("AWS_USE_DUALSTACK_ENDPOINT", asked[i].dualstack, 1);
        int found = endpoint_find(a, aws_service_find(asked[i].service), STR("eu-west-1"),
                                  str_c(asked[i].fixed), &s, &e, &err);
        check_str(found < 0 ? err.msg : e.url, asked[i].want);
        err_clear(&err);
    }
    unsetenv("AWS_USE_FIPS_ENDPOINT");
    unsetenv("AWS_USE_DUALSTACK_ENDPOINT");
}

static void an_endpoint_that_is_no_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"localhost:4566", "http://",       "ftp://h",
                                      "http://h?x",     "http://user@h", "http://h /"};
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = {0};
        struct endpoint e;
        assert_int_equal(endpoint_find(a, aws_service_find("s3"), STR("us-east-1"), str_c(bad[i]),
                                       NULL, &e, &err),
                         -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        err_clear(&err);
    }
}

static void only_plain_bucket_names_are_hosts(void **state)
{
    (void)state;
    assert_true(bucket_is_host(STR("my-bucket-1")));
    assert_false(bucket_is_host(STR("my.bucket")));
    assert_false(bucket_is_host(STR("My-bucket")));
    assert_false(bucket_is_host(STR("-bucket")));
    assert_false(bucket_is_host(STR("ab")));
    assert_false(bucket_is_host(STR("my_bucket")));
}

/* ---- retries ---- */

static const struct {
    const char *service;
    int status;
    const char *code, *message;
    enum retry_class want;
} retry_cases[] = {
    {"lambda", 0, "", "", RETRY_TRANSIENT},
    {"lambda", 500, "ServiceException", "", RETRY_TRANSIENT},
    {"lambda", 501, "", "", RETRY_NO},
    {"lambda", 502, "", "", RETRY_TRANSIENT},
    {"lambda", 503, "", "", RETRY_TRANSIENT},
    {"lambda", 504, "", "", RETRY_TRANSIENT},
    {"lambda", 429, "TooManyRequestsException", "", RETRY_THROTTLED},
    {"lambda", 429, "", "", RETRY_THROTTLED},
    {"cloudformation", 400, "Throttling", "Rate exceeded", RETRY_THROTTLED},
    {"cloudformation", 400, "ValidationError", "", RETRY_NO},
    {"s3", 503, "SlowDown", "", RETRY_THROTTLED},
    {"s3", 400, "RequestTimeout", "", RETRY_TRANSIENT},
    {"s3", 409, "ConditionalRequestConflict", "", RETRY_TRANSIENT},
    {"s3", 412, "PreconditionFailed", "", RETRY_NO},
    {"apigateway", 409, "ConflictException",
     "Unable to complete operation due to concurrent modification. Please try again later.",
     RETRY_THROTTLED},
    {"apigateway", 409, "ConflictException", "Stage already exists", RETRY_NO},
    {"lambda", 409, "ResourceConflictException", "An update is in progress", RETRY_NO},
    {"lambda", 403, "AccessDeniedException", "", RETRY_NO},
};

static void what_is_tried_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(retry_cases); i++) {
        struct outcome o = {.status = retry_cases[i].status,
                            .code = str_c(retry_cases[i].code),
                            .message = str_c(retry_cases[i].message)};
        if (retry_class(retry_cases[i].service, &o) != retry_cases[i].want)
            fail_msg("%s %d %s", retry_cases[i].service, o.status, retry_cases[i].code);
    }
}

static void the_wait_doubles_up_to_twenty_seconds(void **state)
{
    (void)state;
    struct outcome o = {.status = 500};
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0, &o), 0);
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0.5, &o), 25);
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 2, 0.5, &o), 50);
    assert_int_equal(retry_delay_ms(RETRY_THROTTLED, 1, 0.5, &o), 500);
    assert_int_equal(retry_delay_ms(RETRY_THROTTLED, 4, 0.5, &o), 4000);
    assert_int_equal(retry_delay_ms(RETRY_THROTTLED, 6, 0.5, &o), 10000);
    assert_int_equal(retry_delay_ms(RETRY_THROTTLED, 60, 0.5, &o), 10000);
}

static void a_server_may_ask_for_up_to_five_seconds_more(void **state)
{
    (void)state;
    struct outcome o = {.status = 503, .retry_after_ms = STR("300")};
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0.5, &o), 300);
    o.retry_after_ms = STR("60000");
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0.5, &o), 5025);
    o.retry_after_ms = STR("10");
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0.5, &o), 25);
    o.retry_after_ms = STR("-1");
    assert_int_equal(retry_delay_ms(RETRY_TRANSIENT, 1, 0.5, &o), 25);
    o = (struct outcome){.status = 429, .retry_after_s = STR("2")};
    assert_int_equal(retry_delay_ms(RETRY_THROTTLED, 1, 0.5, &o), 2000);
}

static void retries_are_paid_from_a_quota(void **state)
{
    (void)state;
    struct retry_quota q = {PTHREAD_MUTEX_INITIALIZER, 20};
    assert_int_equal(retry_quota_take(&q, RETRY_TRANSIENT), 14);
    assert_int_equal(retry_quota_take(&q, RETRY_TRANSIENT), 0);
    assert_int_equal(retry_quota_take(&q, RETRY_THROTTLED), 5);
    assert_int_equal(q.tokens, 1);
    retry_quota_give(&q, 14);
    retry_quota_give(&q, 0);
    assert_int_equal(q.tokens, 16);
    q.tokens = RETRY_QUOTA;
    retry_quota_give(&q, 14);
    assert_int_equal(q.tokens, RETRY_QUOTA);
}

static void only_a_refusal_over_time_corrects_the_clock(void **state)
{
    (void)state;
    int64_t skew, now = 1767225600000; /* 2026-01-01T00:00:00Z */
    struct outcome o = {.status = 403, .code = STR("RequestTimeTooSkewed")};
    struct str date = STR("Thu, 01 Jan 2026 01:00:00 GMT");
    assert_true(retry_skew_ms(&o, date, now, &skew));
    assert_int_equal(skew, 3600 * 1000);
    assert_false(retry_skew_ms(&o, STR("Thu, 01 Jan 2026 00:01:00 GMT"), now, &skew));
    assert_false(retry_skew_ms(&o, STR("soon"), now, &skew));
    o.code = STR("AccessDenied");
    assert_false(retry_skew_ms(&o, date, now, &skew));
}

/* ---- rate limits ---- */

static void calls_wait_when_an_api_is_used_up(void **state)
{
    (void)state;
    struct ratelimit r = {0};
    ratelimit_init(&r, 0);
    assert_int_equal(ratelimit_take(&r, "apigateway", "CreateDeployment", 0), 0);
    assert_int_equal(ratelimit_take(&r, "apigateway", "CreateDeployment", 0), 5000);
    assert_int_equal(ratelimit_take(&r, "apigateway", "CreateDeployment", 5000), 5000);
    assert_int_equal(ratelimit_take(&r, "apigateway", "CreateDeployment", 60000), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(ratelimit_take(&r, "lambda", "UpdateAlias", 0), 0);
    assert_int_equal(ratelimit_take(&r, "lambda", "GetAlias", 0), 67);
    assert_int_equal(ratelimit_take(&r, "lambda", "GetFunction", 0), 0);
    assert_int_equal(ratelimit_take(&r, "cloudformation", "DescribeStacks", 0), 0);
}

/* CreateDeployment counts into the account's 40 as well; GetFunction does not count into Lambda's
 * 15. */
static void a_general_limit_counts_the_special_calls_too(void **state)
{
    (void)state;
    struct ratelimit r = {0};
    ratelimit_init(&r, 0);
    assert_int_equal(ratelimit_take(&r, "apigateway", "PutRestApi", 0), 0);
    for (int i = 0; i < 39; i++)
        assert_int_equal(ratelimit_take(&r, "apigateway", "GetStages", 0), 0);
    assert_int_equal(ratelimit_take(&r, "apigateway", "GetStages", 0), 100);
}

static void throttling_slows_down_and_success_speeds_up(void **state)
{
    (void)state;
    struct ratelimit r = {0};
    ratelimit_init(&r, 0);
    ratelimit_result(&r, "lambda", "UpdateAlias", true);
    int64_t slow = ratelimit_take(&r, "lambda", "UpdateAlias", 0);
    assert_in_range(slow, 90, 100); /* a call at 10.5/s */
    for (int i = 0; i < 100; i++)
        ratelimit_result(&r, "lambda", "UpdateAlias", false);
    assert_in_range(ratelimit_take(&r, "lambda", "UpdateAlias", 0), 130, 135); /* two at 15/s */
}

static void rate_limits_can_be_switched_off(void **state)
{
    (void)state;
    struct ratelimit r = {0};
    setenv("TROUPE_RATE_LIMITS", "off", 1);
    ratelimit_init(&r, 0);
    unsetenv("TROUPE_RATE_LIMITS");
    for (int i = 0; i < 100; i++)
        assert_int_equal(ratelimit_take(&r, "apigateway", "CreateDeployment", 0), 0);
}

/* ---- XML ---- */

static const struct {
    const char *text, *want; /* NULL: an error */
} xml_cases[] = {
    {"<a/>", "\"\""},
    {"<a>x &amp; y&#65;</a>", "\"x & yA\""},
    {"<?xml version=\"1.0\"?>\n<a xmlns=\"urn:x\"><b> t </b>\n</a>", "{\"b\":\" t \"}"},
    {"<a><b>1</b><c/><b>2</b></a>", "{\"b\":[\"1\",\"2\"],\"c\":\"\"}"},
    {"<a><m><member>1</member></m></a>", "{\"m\":[\"1\"]}"},
    {"<a><m><member><k>1</k></member><member><k>2</k></member></m></a>",
     "{\"m\":[{\"k\":\"1\"},{\"k\":\"2\"}]}"},
    {"<a><m><member>1</member></m><m><member>2</member></m></a>", "{\"m\":[[\"1\"],[\"2\"]]}"},
    {"<x:a xmlns:x=\"urn:x\"><x:b y=\"1\">2</x:b></x:a>", "{\"b\":\"2\"}"},
    {"<a><![CDATA[<b>]]></a>", "\"<b>\""},
    {"", NULL},
    {"<a>", NULL},
    {"<a></b>", NULL},
    {"<a/><b/>", NULL},
    {"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", NULL},
    {"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", NULL},
    {"<a>&e;</a>", NULL},
};

static void answers_become_trees(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(xml_cases); i++) {
        struct err err = {0};
        const struct node *n = xml_read(a, str_c(xml_cases[i].text), NULL, &err);
        if (!n != !xml_cases[i].want)
            fail_msg("%s", xml_cases[i].text);
        if (n)
            check_str(json_text(a, n, 0), xml_cases[i].want);
        err_clear(&err);
    }
}

static void deep_xml_is_refused(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (int depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
        struct err err = {0};
        struct buf b = BUF(a);
        for (int i = 0; i < depth; i++)
            buf_lit(&b, "<a>");
        for (int i = 0; i < depth; i++)
            buf_lit(&b, "</a>");
        const struct node *n = xml_read(a, buf_str(&b), NULL, &err);
        assert_true(!n == (depth > XML_DEPTH_MAX));
        err_clear(&err);
    }
}

/* ---- refusals ---- */

static const struct {
    const char *service;
    int status;
    const char *body, *header; /* header: x-amzn-errortype */
    enum err_kind kind;
    const char *msg, *code, *help; /* help: a piece of it; NULL: there is none */
} refusals[] = {
    {"cloudformation", 400,
     "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id "
     "x does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>",
     NULL, ERR_NOT_FOUND, "Op: Stack with id x does not exist", "ValidationError", NULL},
    {"cloudformation", 400,
     "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack:arn is in "
     "UPDATE_IN_PROGRESS state and can not be updated.</Message></Error></ErrorResponse>",
     NULL, ERR_CONFLICT, "Op: Stack:arn is in UPDATE_IN_PROGRESS state and can not be updated",
     "ValidationError", NULL},
    {"cloudformation", 400,
     "<ErrorResponse><Error><Code>AlreadyExistsException</Code><Message>Stack [x] already "
     "exists</Message></Error></ErrorResponse>",
     NULL, ERR_CONFLICT, "Op: Stack [x] already exists", "AlreadyExistsException", NULL},
    {"lambda", 403,
     "{\"Message\":\"User: u is not authorized to perform: lambda:GetFunction on resource: r\"}",
     "AccessDeniedException", ERR_DENIED,
     "Op: User: u is not authorized to perform: lambda:GetFunction on resource: r",
     "AccessDeniedException", "--aws-profile"},
    {"lambda", 404, "{\"Type\":\"User\",\"Message\":\"Function not found: f\"}",
     "ResourceNotFoundException:http://internal.amazon.com/", ERR_NOT_FOUND,
     "Op: Function not found: f", "ResourceNotFoundException", NULL},
    {"lambda", 409, "{\"message\":\"busy\"}", "ResourceConflictException", ERR_CONFLICT, "Op: busy",
     "ResourceConflictException", NULL},
    {"lambda", 412, "{\"message\":\"old\"}", "PreconditionFailedException", ERR_PRECONDITION,
     "Op: old", "PreconditionFailedException", NULL},
    {"lambda", 400,
     "{\"message\":\"CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (y)\"}",
     "InvalidParameterValueException", ERR_PRECONDITION,
     "Op: CodeSHA256 (x) is different from current CodeSHA256 in $LATEST (y)",
     "InvalidParameterValueException", NULL},
    {"lambda", 429, "{\"message\":\"slow\"}", "TooManyRequestsException", ERR_THROTTLED, "Op: slow",
     "TooManyRequestsException", "again"},
    {"ssm", 400,
     "{\"__type\":\"com.amazonaws.ssm#ParameterNotFound\",\"message\":\"no such thing\"}", NULL,
     ERR_NOT_FOUND, "Op: no such thing", "ParameterNotFound", NULL},
    {"sts", 403,
     "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included "
     "in the request is invalid.</Message></Error></ErrorResponse>",
     NULL, ERR_DENIED, "Op: The security token included in the request is invalid",
     "InvalidClientTokenId", "access key"},
    {"lambda", 403,
     "{\"message\":\"The request signature does not match.\\n\\nThe Canonical String for this "
     "request should have been\\nx-amz-security-token:very-secret\"}",
     "InvalidSignatureException", ERR_DENIED, "Op: The request signature does not match",
     "InvalidSignatureException", "secret key"},
    {"s3", 403,
     "<Error><Code>SignatureDoesNotMatch</Code><Message>It does not match.</Message>"
     "<StringToSign>very-secret</StringToSign></Error>",
     NULL, ERR_DENIED, "Op: It does not match", "SignatureDoesNotMatch", "secret key"},
    {"s3", 404, "", NULL, ERR_NOT_FOUND, "Op: HTTP status 404", "", NULL},
    {"s3", 412, "<Error><Code>PreconditionFailed</Code><Message>At least one</Message></Error>",
     NULL, ERR_PRECONDITION, "Op: At least one", "PreconditionFailed", NULL},
    {"apigateway", 400,
     "{\"message\":\"Active stages pointing to this deployment must be moved or deleted\"}",
     "BadRequestException", ERR_CONFLICT,
     "Op: Active stages pointing to this deployment must be moved or deleted",
     "BadRequestException", NULL},
    {"apigateway", 502, "<html><body>Bad gateway</body></html>", NULL, ERR_FAILED,
     "Op: HTTP status 502", "", NULL},
    {"lambda", 400, "no { JSON", NULL, ERR_FAILED, "Op: HTTP status 400", "", NULL},
};

static void check_refusal(struct arena *a, size_t i)
{
    struct err err = {0};
    struct aws_answer answer = {refusals[i].status, MAP(a), str_c(refusals[i].body), NULL};
    struct str type = str_c(refusals[i].header), id = STR("r");
    if (type.n)
        map_put(&answer.headers, STR("x-amzn-errortype"), &type);
    map_put(&answer.headers, STR("x-amzn-requestid"), &id);
    struct call call = {.service = aws_service_find(refusals[i].service), .operation = "Op"};
    struct refusal refusal;
    refusal_read(a, &answer, &refusal);
    assert_int_equal(refusal_err(&call, &answer, &refusal, &err), -1);
    check_str(err.msg, refusals[i].msg);
    check_str(err.code, refusals[i].code);
    check_str(err.request_id, "r");
    assert_int_equal(err.kind, refusals[i].kind);
    assert_int_equal(err.http_status, refusals[i].status);
    if (refusals[i].help)
        assert_true(str_find(err.help, str_c(refusals[i].help), 0) >= 0);
    else
        assert_int_equal(err.help.n, 0);
    assert_true(str_find(err_render(a, &err, false), STR("very-secret"), 0) < 0);
    err_clear(&err);
}

static void refusals_say_what_a_caller_may_act_on(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(refusals); i++)
        check_refusal(a, i);
}

/* ---- paths ---- */

static void paths_are_built_from_encoded_parts(void **state)
{
    (void)state;
    cleanup_arena struct arena *a = arena_new();
    check_str(AWS_PATH(a, "/f/{}/a/{}", STR("arn:x/y"), STR("z z")), "/f/arn%3Ax%2Fy/a/z%20z");
    check_str(aws_encode(a, STR("a/b+c~\xC3\xA4"), true), "a/b%2Bc~%C3%A4");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        tests_folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ini_files_are_read_as_botocore_does),
        cmocka_unit_test(a_bad_line_is_named_but_not_shown),
        cmocka_unit_test(commands_are_split_without_a_shell),
        cmocka_unit_test(endpoints_are_where_botocore_has_them),
        cmocka_unit_test(the_nearest_endpoint_setting_wins),
        cmocka_unit_test(fips_and_dual_stack_are_asked_for_in_two_places),
        cmocka_unit_test(an_endpoint_that_is_no_url_is_refused),
        cmocka_unit_test(only_plain_bucket_names_are_hosts),
        cmocka_unit_test(what_is_tried_again),
        cmocka_unit_test(the_wait_doubles_up_to_twenty_seconds),
        cmocka_unit_test(a_server_may_ask_for_up_to_five_seconds_more),
        cmocka_unit_test(retries_are_paid_from_a_quota),
        cmocka_unit_test(only_a_refusal_over_time_corrects_the_clock),
        cmocka_unit_test(calls_wait_when_an_api_is_used_up),
        cmocka_unit_test(a_general_limit_counts_the_special_calls_too),
        cmocka_unit_test(throttling_slows_down_and_success_speeds_up),
        cmocka_unit_test(rate_limits_can_be_switched_off),
        cmocka_unit_test(answers_become_trees),
        cmocka_unit_test(deep_xml_is_refused),
        cmocka_unit_test(refusals_say_what_a_caller_may_act_on),
        cmocka_unit_test(paths_are_built_from_encoded_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
