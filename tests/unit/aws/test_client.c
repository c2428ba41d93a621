/* The client against a server of the test's own: retries, broken connections, redirects, silence,
 * reuse of connections, many threads, what errors say. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "loopback.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/libcurl.h"
#include "base/pool.h"
#include "aws/services/gateway.h"
#include "aws/services/services.h"

#define REPLIES(...)                     \
    (const struct reply[]){__VA_ARGS__}, \
        sizeof((const struct reply[]){__VA_ARGS__}) / sizeof(struct reply)

static const char identity[] =
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
    "<Arn>arn:aws:iam::123456789012:user/x</Arn></GetCallerIdentityResult>"
    "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

static const char throttling[] = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate "
                                 "exceeded</Message></Error><RequestId>r-9</RequestId>"
                                 "</ErrorResponse>";

struct fixture {
    struct arena *arena;
    struct loopback *server;
    struct aws *aws;
    struct err err;
};

static void set_up_with(struct fixture *f, int64_t timeout_ms, const struct reply *replies,
                        size_t n)
{
    *f = (struct fixture){.arena = arena_new(), .server = loopback_start(replies, n)};
    struct aws_options options = {.region = STR("eu-central-1"),
                                  .endpoint_url = loopback_url(f->server),
                                  .access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("very-secret-key"),
                                  .session_token = STR("very-secret-token"),
                                  .timeout_ms = timeout_ms};
    f->aws = aws_new(&options, &f->err);
    assert_non_null(f->aws);
}

static void tear_down(struct fixture *f)
{
    aws_free(f->aws);
    loopback_stop(f->server);
    err_clear(&f->err);
    arena_free(f->arena);
}

static int account(struct fixture *f, struct str *ret)
{
    return sts_account(f->arena, f->aws, ret, NULL, &f->err);
}

static void check_account(struct fixture *f)
{
    struct str found = {0};
    check_ok(account(f, &found), &f->err);
    check_str(found, "123456789012");
}

/* ---- requests ---- */

static void a_query_is_signed_and_form_encoded(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(&f, 0, REPLIES({200, NULL, identity, WHOLE, 0}));
    check_account(&f);
    struct str request = loopback_request(f.server, 0);
    assert_true(str_starts(request, STR("POST / HTTP/1.1\r\n")));
    assert_true(str_ends(request, STR("\r\n\r\nAction=GetCallerIdentity&Version=2011-06-15")));
    check_str(loopback_header(f.arena, f.server, 0, "x-amz-security-token"), "very-secret-token");
    struct str signature = loopback_header(f.arena, f.server, 0, "authorization");
    assert_true(str_starts(signature, STR("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")));
    assert_true(str_find(signature, STR("/eu-central-1/sts/aws4_request"), 0) > 0);
    tear_down(&f);
}

static void connections_are_reused(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(&f, 0, REPLIES({200, NULL, identity, WHOLE, 0}));
    for (int i = 0; i < 5; i++)
        check_account(&f);
    assert_int_equal(loopback_requests(f.server), 5);
    assert_int_equal(loopback_connections(f.server), 1);
    assert_int_equal(aws_call_count(f.aws), 5);
    tear_down(&f);
}

static int one_call(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)index;
    struct fixture *f = context;
    struct str found;
    return sts_account(scratch, f->aws, &found, NULL, err);
}

static void many_threads_use_one_client(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(&f, 0, REPLIES({200, NULL, identity, WHOLE, 0}));
    check_ok(pool_run(64, 8, one_call, &f, &f.err), &f.err);
    assert_int_equal(loopback_requests(f.server), 64);
    assert_true(loopback_connections(f.server) <= 8);
    tear_down(&f);
}

/* ---- retries ---- */

static const struct {
    const char *name;
    struct reply first;
} transient[] = {
    {"500", {500, NULL, "", WHOLE, 0}},
    {"502 with a page", {502, "Content-Type: text/html\r\n", "<html>bad</html>", WHOLE, 0}},
    {"503", {503, NULL, "", WHOLE, 0}},
    {"504", {504, NULL, "", WHOLE, 0}},
    {"throttled in a 400", {400, NULL, throttling, WHOLE, 0}},
    {"429", {429, NULL, "", WHOLE, 0}},
    {"reset", {0, NULL, NULL, RESET, 0}},
    {"cut short", {200, NULL, identity, CUT, 0}},
};

static void transient_failures_are_tried_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
        struct fixture f;
        print_message("%s\n", transient[i].name);
        const struct reply replies[] = {transient[i].first, {200, NULL, identity, WHOLE, 0}};
        set_up_with(&f, 0, replies, 2);
        check_account(&f);
        assert_int_equal(loopback_requests(f.server), 2);
        tear_down(&f);
    }
}

static void three_attempts_are_the_end(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    set_up_with(&f, 0, REPLIES({500, "x-amzn-RequestId: r-7\r\n", "", WHOLE, 0}));
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(loopback_requests(f.server), 3);
    assert_int_equal(f.err.kind, ERR_FAILED);
    assert_int_equal(f.err.http_status, 500);
    check_str(f.err.request_id, "r-7");
    tear_down(&f);
}

static void throttling_that_goes_on_is_its_own_kind(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    set_up_with(&f, 0, REPLIES({400, NULL, throttling, WHOLE, 0}));
    unsetenv("AWS_MAX_ATTEMPTS");
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(loopback_requests(f.server), 1);
    assert_int_equal(f.err.kind, ERR_THROTTLED);
    check_str(f.err.code, "Throttling");
    check_str(f.err.request_id, "r-9");
    check_str(f.err.msg, "GetCallerIdentity: Rate exceeded");
    tear_down(&f);
}

static void a_refusal_is_not_tried_again(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    set_up_with(&f, 0,
                REPLIES({403, NULL,
                         "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security "
                         "token included in the request is expired</Message></Error>"
                         "<RequestId>r-2</RequestId></ErrorResponse>",
                         WHOLE, 0}));
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(loopback_requests(f.server), 1);
    assert_int_equal(f.err.kind, ERR_DENIED);
    assert_true(str_find(f.err.help, STR("aws sso login"), 0) >= 0);
    tear_down(&f);
}

static void the_server_may_ask_for_a_longer_wait(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(&f, 0,
                REPLIES({503, "x-amz-retry-after: 400\r\n", "", WHOLE, 0},
                        {200, NULL, identity, WHOLE, 0}));
    int64_t start = clock_mono_ms();
    check_account(&f);
    assert_true(clock_mono_ms() - start >= 400);
    tear_down(&f);
}

/* An invocation that may have run is not run again. */
static void an_invocation_whose_answer_is_lost_is_not_repeated(void **state)
{
    (void)state;
    struct fixture f;
    struct lambda_invocation result;
    set_up_with(&f, 0, REPLIES({0, NULL, NULL, RESET, 0}, {200, NULL, "{}", WHOLE, 0}));
    const struct lambda_call call = {STR("fn"), STR("dev"), STR("{}")};
    assert_int_equal(lambda_invoke(f.arena, f.aws, &call, &result, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_NETWORK);
    assert_int_equal(loopback_requests(f.server), 1);
    tear_down(&f);
}

/* ---- the clock ---- */

static void a_wrong_clock_is_corrected_from_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(
        &f, 0,
        REPLIES({403, "Date: Sat, 31 Jan 2032 12:00:00 GMT\r\n",
                 "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature "
                 "expired: 20260101T000000Z is now earlier than</Message></Error>"
                 "</ErrorResponse>",
                 WHOLE, 0},
                {200, NULL, identity, WHOLE, 0}));
    check_account(&f);
    assert_true(
        str_starts(loopback_header(f.arena, f.server, 1, "x-amz-date"), STR("20320131T1200")));
    check_account(&f); /* the correction is remembered: no second refusal */
    assert_true(
        str_starts(loopback_header(f.arena, f.server, 2, "x-amz-date"), STR("20320131T1200")));
    tear_down(&f);
}

/* ---- no answer ---- */

static void silence_ends_after_the_timeout(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    set_up_with(&f, 150, REPLIES({200, NULL, identity, SILENT, 0}));
    unsetenv("AWS_MAX_ATTEMPTS");
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(f.err.kind, ERR_NETWORK);
    assert_true(str_ends(f.err.msg, STR("': no answer for 0.15 s")));
    tear_down(&f);
}

static void an_answer_that_drips_ends(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    char body[2000];
    memset(body, ' ', sizeof body - 1);
    body[sizeof body - 1] = 0;
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    set_up_with(&f, 300, REPLIES({200, NULL, body, DRIP, 0}));
    unsetenv("AWS_MAX_ATTEMPTS");
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(f.err.kind, ERR_NETWORK);
    assert_true(str_ends(f.err.msg, STR("': the answer comes too slowly to ever end")));
    tear_down(&f);
}

static void too_large_an_answer_is_not_read_to_its_end(void **state)
{
    (void)state;
    enum { MANY = 33 * 1024 * 1024 };
    struct fixture f;
    struct str found;
    char *body = malloc(MANY + 1);
    memset(body, ' ', MANY);
    body[MANY] = 0;
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    set_up_with(&f, 0, REPLIES({200, NULL, body, WHOLE, 0}));
    unsetenv("AWS_MAX_ATTEMPTS");
    assert_int_equal(account(&f, &found), -1);
    assert_true(str_ends(f.err.msg, STR("': the answer is larger than 32 MiB")));
    err_clear(&f.err);
    check_ok(s3_get(f.arena, f.aws, STR("bucket"), STR("key"), &found, NULL, &f.err), &f.err);
    assert_int_equal(found.n, MANY);
    tear_down(&f);
    free(body);
}

/* ---- lists ---- */

static int list_stacks(struct fixture *f)
{
    struct stack *all;
    size_t n;
    return cloudformation_list(f->arena, f->aws, &all, &n, &f->err);
}

static int list_objects(struct fixture *f)
{
    struct s3_object *all;
    size_t n;
    return s3_list(f->arena, f->aws, STR("bucket"), STR(""), &all, &n, &f->err);
}

static int list_aliases(struct fixture *f)
{
    struct lambda_alias *all;
    size_t n;
    return lambda_aliases(f->arena, f->aws, STR("hello"), &all, &n, &f->err);
}

static int list_events(struct fixture *f)
{
    struct log_events all = {0};
    const struct log_filter filter = {.group = STR("group"), .prefix = STR("")};
    return logs_filter(f->arena, f->aws, &filter, &all, &f->err);
}

static int list_rest(struct fixture *f)
{
    const struct node *all;
    return gateway_rest.deployments(f->arena, f->aws, STR("api"), &all, &f->err);
}

static int list_http(struct fixture *f)
{
    const struct node *all;
    return gateway_http.deployments(f->arena, f->aws, STR("api"), &all, &f->err);
}

/* Every list has pages whose tokens come again: one, two or three of them. */
static void pages_that_come_again_end_every_list(void **state)
{
    (void)state;
    static const struct {
        int (*list)(struct fixture *f);
        const char *type, *page;
    } lists[] = {
        {list_stacks, "text/xml",
         "<DescribeStacksResponse><DescribeStacksResult><NextToken>%s</NextToken>"
         "</DescribeStacksResult></DescribeStacksResponse>"},
        {list_objects, "application/xml",
         "<ListBucketResult><IsTruncated>true</IsTruncated>"
         "<NextContinuationToken>%s</NextContinuationToken></ListBucketResult>"},
        {list_aliases, "application/json", "{\"Aliases\":[],\"NextMarker\":\"%s\"}"},
        {list_events, "application/json", "{\"events\":[],\"nextToken\":\"%s\"}"},
        {list_rest, "application/json", "{\"item\":[],\"position\":\"%s\"}"},
        {list_http, "application/json", "{\"items\":[],\"nextToken\":\"%s\"}"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t circle = 1; circle <= 3; circle++) {
            cleanup_arena struct arena *a = arena_new();
            struct reply replies[24];
            struct fixture f;
            for (size_t k = 0; k < 24; k++) {
                struct buf b = BUF(a);
                struct str page = str_c(lists[i].page);
                ptrdiff_t hole = str_find(page, STR("%s"), 0);
                buf_add(&b, str_sub(page, 0, (size_t)hole));
                buf_fmt(&b, "t%zu", k % circle);
                buf_add(&b, str_sub(page, (size_t)hole + 2, page.n));
                replies[k] = (struct reply){
                    200, str_fmt(a, "Content-Type: %s\r\n", lists[i].type).p, b.p, WHOLE, 0};
            }
            set_up_with(&f, 0, replies, 24);
            assert_int_equal(lists[i].list(&f), -1);
            assert_int_equal(f.err.kind, ERR_FAILED);
            assert_true(str_ends(f.err.msg, STR(": the answers do not end, page after page")));
            assert_in_range(loopback_requests(f.server), 2, 12);
            tear_down(&f);
        }
}

/* ---- whose bucket ---- */

static void the_owner_of_a_bucket_goes_with_every_request_to_it(void **state)
{
    (void)state;
    struct fixture f;
    struct str text;
    bool there;
    set_up_with(&f, 0, REPLIES({200, NULL, "{}", WHOLE, 0}));
    aws_expect_owner(f.aws, STR("ours"), STR("123456789012"));
    check_ok(s3_get(f.arena, f.aws, STR("ours"), STR("k"), &text, NULL, &f.err), &f.err);
    check_ok(s3_head(f.arena, f.aws, STR("other"), STR("k"), &there, NULL, &f.err), &f.err);
    s3_copy(f.arena, f.aws, STR("ours"), STR("k"), STR("other"), &f.err);
    static const char *const headers[] = {"x-amz-expected-bucket-owner",
                                          "x-amz-source-expected-bucket-owner"};
    static const bool expected[3][2] = {{true, false}, {false, false}, {false, true}};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++)
            check_str(loopback_header(f.arena, f.server, i, headers[k]),
                      expected[i][k] ? "123456789012" : "");
    tear_down(&f);
}

/* ---- names that become hosts ---- */

static void a_region_or_bucket_that_is_none_is_asked_nothing(void **state)
{
    (void)state;
    static const char *const regions[] = {"evil.invalid/",
                                          "us-east-1.evil.invalid#",
                                          "us_east_1",
                                          "-us",
                                          "us-east-1@evil",
                                          "US-EAST-1",
                                          "a b",
                                          "us-east-1\n"};
    static const char *const buckets[] = {"..",  "a",   "a/../b", "evil.invalid/",
                                          "b@c", "-ab", "a..b"};
    for (size_t i = 0; i < sizeof regions / sizeof *regions; i++) {
        struct err err = {0};
        struct aws_options options = {
            .region = str_c(regions[i]), .access_key = STR("k"), .secret_key = STR("s")};
        assert_null(aws_new(&options, &err));
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_true(str_ends(err.msg, STR("' is no region")));
        err_clear(&err);
    }
    struct fixture f;
    struct str text;
    set_up_with(&f, 0, REPLIES({200, NULL, "", WHOLE, 0}));
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        assert_int_equal(s3_get(f.arena, f.aws, str_c(buckets[i]), STR("k"), &text, NULL, &f.err),
                         -1);
        assert_int_equal(f.err.kind, ERR_CONFIG);
        err_clear(&f.err);
    }
    assert_int_equal(loopback_requests(f.server), 0);
    tear_down(&f);
}

static void a_redirect_to_no_region_is_not_followed(void **state)
{
    (void)state;
    struct fixture f;
    struct str text;
    set_up_with(&f, 0,
                REPLIES({301, "x-amz-bucket-region: evil.invalid/\r\n", "", WHOLE, 0},
                        {200, NULL, "", WHOLE, 0}));
    assert_int_equal(s3_get(f.arena, f.aws, STR("bucket"), STR("k"), &text, NULL, &f.err), -1);
    assert_int_equal(loopback_requests(f.server), 1);
    tear_down(&f);
}

static void a_slow_answer_within_the_timeout_is_fine(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(&f, 2000, REPLIES({200, NULL, identity, WHOLE, 300}));
    check_account(&f);
    assert_int_equal(loopback_requests(f.server), 1);
    tear_down(&f);
}

static void an_endpoint_nobody_listens_at_is_named(void **state)
{
    (void)state;
    struct err err = {0};
    cleanup_arena struct arena *a = arena_new();
    struct aws_options options = {
        .endpoint_url = STR("http://127.0.0.1:1"), .access_key = STR("k"), .secret_key = STR("s")};
    struct aws *aws = aws_new(&options, &err);
    assert_non_null(aws);
    struct str found;
    assert_int_equal(sts_account(a, aws, &found, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    check_str(err.msg, "GetCallerIdentity: cannot reach 'http://127.0.0.1:1': connection refused");
    assert_int_equal(aws_call_count(aws), 3);
    aws_free(aws);
    err_clear(&err);
}

static void nonsense_for_an_answer_is_an_error(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    set_up_with(&f, 0, REPLIES({200, NULL, "not <xml", WHOLE, 0}));
    assert_int_equal(account(&f, &found), -1);
    assert_int_equal(f.err.kind, ERR_FAILED);
    tear_down(&f);
}

/* ---- S3 ---- */

static void a_bucket_elsewhere_is_found_and_remembered(void **state)
{
    (void)state;
    static const int statuses[] = {301, 307, 400};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct fixture f;
        struct str found;
        set_up_with(
            &f, 0,
            REPLIES({statuses[i], "x-amz-bucket-region: ap-south-1\r\n",
                     "<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>", WHOLE, 0},
                    {200, "ETag: \"e\"\r\n", "content", WHOLE, 0}));
        for (int n = 0; n < 2; n++) {
            check_ok(s3_get(f.arena, f.aws, STR("bucket"), STR("a/b c"), &found, NULL, &f.err),
                     &f.err);
            check_str(found, "content");
        }
        assert_int_equal(loopback_requests(f.server), 3);
        assert_true(str_starts(loopback_request(f.server, 2), STR("GET /bucket/a/b%20c HTTP")));
        assert_true(str_find(loopback_header(f.arena, f.server, 2, "authorization"),
                             STR("/ap-south-1/s3/"), 0) > 0);
        tear_down(&f);
    }
}

static void racing_writers_of_a_key_try_again(void **state)
{
    (void)state;
    struct fixture f;
    struct s3_stamp written;
    set_up_with(&f, 0,
                REPLIES({409, NULL,
                         "<Error><Code>ConditionalRequestConflict</Code><Message>m</Message>"
                         "</Error>",
                         WHOLE, 0},
                        {200, "ETag: \"e\"\r\n", "", WHOLE, 0}));
    struct s3_put object = {STR("bucket"), STR("k"), STR("body"), "text/plain",
                            S3_IF_NONE_MATCH_ANY};
    check_ok(s3_put(f.arena, f.aws, &object, &written, &f.err), &f.err);
    check_str(written.etag, "\"e\"");
    check_str(loopback_header(f.arena, f.server, 1, "if-none-match"), "*");
    check_str(loopback_header(f.arena, f.server, 1, "x-amz-checksum-sha256"),
              "Iw2DWNyOiJC0xY3utikS7i8gNXrpKlzIYbmOaP4xrLU=");
    tear_down(&f);
}

static void a_failed_condition_is_its_own_kind(void **state)
{
    (void)state;
    struct fixture f;
    set_up_with(
        &f, 0,
        REPLIES({412, NULL, "<Error><Code>PreconditionFailed</Code><Message>m</Message></Error>",
                 WHOLE, 0}));
    struct s3_put object = {STR("bucket"), STR("k"),    STR("body"),
                            "text/plain",  S3_IF_MATCH, STR("\"old\"")};
    assert_int_equal(s3_put(f.arena, f.aws, &object, NULL, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_PRECONDITION);
    assert_int_equal(loopback_requests(f.server), 1);
    tear_down(&f);
}

/* ---- secrets, cancelling ---- */

static struct str captured_stderr(struct arena *a, struct fixture *f)
{
    char path[] = "/tmp/troupe-test-XXXXXX";
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(fd >= 0 && saved >= 0);
    unlink(path);
    dup2(fd, STDERR_FILENO);
    check_account(f);
    dup2(saved, STDERR_FILENO);
    close(saved);
    char *text = arena_alloc(a, 65536);
    ssize_t n = pread(fd, text, 65535, 0);
    close(fd);
    assert_true(n > 0);
    return (struct str){text, (size_t)n};
}

static void debug_output_masks_secrets(void **state)
{
    (void)state;
    struct fixture f = {.arena = arena_new()};
    const struct reply replies[] = {{200, NULL, identity, WHOLE, 0}};
    f.server = loopback_start(replies, 1);
    struct aws_options options = {.endpoint_url = loopback_url(f.server),
                                  .access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("very-secret-key"),
                                  .session_token = STR("very-secret-token"),
                                  .debug_http = true};
    f.aws = aws_new(&options, &f.err);
    assert_non_null(f.aws);
    struct str text = captured_stderr(f.arena, &f);
    assert_true(str_find(text, STR("> POST http://127.0.0.1:"), 0) >= 0);
    assert_true(str_find(text, STR("< 200"), 0) >= 0);
    assert_true(str_find(text, STR("AKIDEXAMPLE"), 0) >= 0);
    assert_true(str_find(text, STR("very-secret"), 0) < 0);
    struct str sent = loopback_header(f.arena, f.server, 0, "authorization");
    ptrdiff_t at = str_find(sent, STR("Signature="), 0);
    assert_true(at > 0);
    assert_true(str_find(text, str_sub(sent, (size_t)at + 10, sent.n), 0) < 0);
    tear_down(&f);
}

/* ---- operations that end-to-end tests cannot see from outside ---- */

static void weights_are_sent_as_fractions(void **state)
{
    (void)state;
    static const struct {
        unsigned percent;
        const char *fraction;
    } cases[] = {{1, "0.01"}, {10, "0.10"}, {99, "0.99"}, {100, "1.00"}};
    struct fixture f;
    set_up_with(&f, 0, REPLIES({200, NULL, "{}", WHOLE, 0}));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lambda_move to = {STR("shop-api"), STR("prod"), STR("7"), STR("8"),
                                 cases[i].percent};
        check_ok(lambda_alias_move(f.arena, f.aws, &to, &f.err), &f.err);
        struct str sent = loopback_request(f.server, i);
        assert_true(
            str_starts(sent, STR("PUT /2015-03-31/functions/shop-api/aliases/prod HTTP/1.1\r\n")));
        struct str body = str_fmt(f.arena,
                                  "\r\n\r\n{\"FunctionVersion\":\"7\",\"RoutingConfig\":"
                                  "{\"AdditionalVersionWeights\":{\"8\":%s}}}",
                                  cases[i].fraction);
        assert_true(str_ends(sent, body));
    }
    tear_down(&f);
}

static const char alarms[] =
    "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms><member><AlarmName>a</AlarmName>"
    "<StateValue>ALARM</StateValue><StateReason>5 of 5</StateReason></member></MetricAlarms>"
    "<CompositeAlarms><member><AlarmName>b</AlarmName><StateValue>OK</StateValue></member>"
    "</CompositeAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>";
static const char no_alarms[] =
    "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms/>"
    "<CompositeAlarms/></DescribeAlarmsResult></DescribeAlarmsResponse>";

/* DescribeAlarms takes a hundred names a call. */
static void alarms_are_asked_for_by_the_hundred(void **state)
{
    (void)state;
    enum { NAMES = 101 };
    struct fixture f;
    struct str names[NAMES];
    struct cloudwatch_alarm *found;
    size_t n;
    set_up_with(&f, 0, REPLIES({200, NULL, no_alarms, WHOLE, 0}, {200, NULL, alarms, WHOLE, 0}));
    for (size_t i = 0; i < NAMES; i++)
        names[i] = str_fmt(f.arena, "alarm-%zu", i);
    check_ok(cloudwatch_alarms(f.arena, f.aws, names, NAMES, &found, &n, &f.err), &f.err);
    assert_int_equal(loopback_requests(f.server), 2);
    struct str first = loopback_request(f.server, 0), second = loopback_request(f.server, 1);
    assert_true(str_find(first, STR("AlarmNames.member.100=alarm-99"), 0) > 0);
    assert_true(str_find(first, STR("AlarmNames.member.101"), 0) < 0);
    assert_true(str_find(second, STR("AlarmNames.member.1=alarm-100"), 0) > 0);
    assert_true(str_find(second, STR("AlarmTypes.member.2=CompositeAlarm"), 0) > 0);
    assert_int_equal(n, 2);
    check_str(found[0].name, "a");
    check_str(found[0].state, "ALARM");
    check_str(found[0].reason, "5 of 5");
    check_str(found[1].name, "b");
    check_str(found[1].state, "OK");
    check_ok(cloudwatch_alarms(f.arena, f.aws, names, 0, &found, &n, &f.err), &f.err);
    assert_int_equal(n, 0);
    assert_int_equal(loopback_requests(f.server), 2);
    tear_down(&f);
}

static const char some_interfaces[] =
    "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>"
    "<networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId>"
    "<description>AWS Lambda VPC ENI-f</description><groupSet><item><groupId>sg-1</groupId></item>"
    "<item><groupId>sg-2</groupId></item></groupSet></item></networkInterfaceSet>"
    "<nextToken>more</nextToken></DescribeNetworkInterfacesResponse>";
static const char last_interfaces[] =
    "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item>"
    "<networkInterfaceId>eni-2</networkInterfaceId></item></networkInterfaceSet>"
    "</DescribeNetworkInterfacesResponse>";
static const char no_interfaces[] = "<DescribeNetworkInterfacesResponse><networkInterfaceSet/>"
                                    "</DescribeNetworkInterfacesResponse>";
static const char not_allowed[] =
    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to "
    "perform this operation.</Message></Error></Errors><RequestID>r</RequestID></Response>";

/* EC2 numbers lists without "member", and answers without <…Result>. */
static void interfaces_of_lambda(void **state)
{
    (void)state;
    struct fixture f;
    struct network_interface *found;
    size_t n;
    set_up_with(&f, 0,
                REPLIES({200, NULL, some_interfaces, WHOLE, 0},
                        {200, NULL, last_interfaces, WHOLE, 0},
                        {200, NULL, no_interfaces, WHOLE, 0}, {403, NULL, not_allowed, WHOLE, 0}));
    struct node *ids = node_seq(f.arena);
    node_push(f.arena, ids, node_str(f.arena, STR("sg-1")));
    node_push(f.arena, ids, node_str(f.arena, STR("sg-2")));
    check_ok(ec2_lambda_interfaces(f.arena, f.aws, "group-id", ids, &found, &n, &f.err), &f.err);
    assert_int_equal(n, 2);
    check_str(found[0].id, "eni-1");
    check_str(found[0].description, "AWS Lambda VPC ENI-f");
    check_str(found[0].subnet, "subnet-1");
    assert_int_equal(node_count(found[0].groups), 2);
    check_str(node_text(node_path(found[0].groups, "1")), "sg-2");
    check_str(found[1].id, "eni-2");
    assert_int_equal(node_count(found[1].groups), 0);
    struct str first = loopback_request(f.server, 0), second = loopback_request(f.server, 1);
    assert_true(str_find(first,
                         STR("&Filter.1.Name=group-id&Filter.1.Value.1=sg-1"
                             "&Filter.1.Value.2=sg-2&Filter.2.Name=interface-type"
                             "&Filter.2.Value.1=lambda"),
                         0) > 0);
    assert_true(str_find(second, STR("&NextToken=more"), 0) > 0);
    check_ok(ec2_lambda_interfaces(f.arena, f.aws, "vpc-id", ids, &found, &n, &f.err), &f.err);
    assert_int_equal(n, 0);
    assert_int_equal(ec2_lambda_interfaces(f.arena, f.aws, "vpc-id", ids, &found, &n, &f.err), -1);
    assert_int_equal(f.err.kind, ERR_DENIED);
    err_clear(&f.err);
    tear_down(&f);
}

static void on_signal(int number)
{
    (void)number;
    cancel_request();
}

static void *interrupt_soon(void *context)
{
    usleep(100 * 1000);
    pthread_kill(*(pthread_t *)context, SIGUSR1);
    return NULL;
}

/* The last test, because the wish to stop stays. */
static void a_wish_to_stop_ends_a_call(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    pthread_t thread, self = pthread_self();
    signal(SIGUSR1, on_signal);
    set_up_with(&f, 0, REPLIES({200, NULL, identity, SILENT, 0}));
    int64_t start = clock_mono_ms();
    pthread_create(&thread, NULL, interrupt_soon, &self);
    assert_int_equal(account(&f, &found), -1);
    pthread_join(thread, NULL);
    assert_int_equal(f.err.kind, ERR_CANCELLED);
    assert_true(clock_mono_ms() - start < 5000);
    tear_down(&f);
}

#ifndef LIBCURL_LINKED

static CURLcode (*real_setopt)(CURL *, CURLoption, ...);
static int set_count, refused_count;

static CURLcode refusing_setopt(CURL *easy, CURLoption option, ...)
{
    va_list ap;
    va_start(ap, option);
    void *value = va_arg(ap, void *);
    va_end(ap);
    return ++set_count == refused_count ? CURLE_UNKNOWN_OPTION : real_setopt(easy, option, value);
}

/* Whichever it is: without it the call would be another one than was meant. */
static void an_option_that_libcurl_refuses_ends_the_call(void **state)
{
    (void)state;
    struct fixture f;
    struct str found;
    set_up_with(&f, 0, REPLIES({200, NULL, identity, WHOLE, 0}));
    real_setopt = libcurl.easy_setopt;
    libcurl.easy_setopt = refusing_setopt;
    for (refused_count = 1, set_count = 0; account(&f, &found) < 0; set_count = 0) {
        assert_int_equal(f.err.kind, ERR_FAILED);
        assert_true(str_find(f.err.msg, STR("libcurl does not take CURLOPT_"), 0) >= 0);
        err_clear(&f.err);
        assert_true(++refused_count < 100);
    }
    libcurl.easy_setopt = real_setopt;
    assert_true(refused_count > 15);
    assert_int_equal(loopback_requests(f.server), 1);
    tear_down(&f);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_signed_and_form_encoded),
        cmocka_unit_test(connections_are_reused),
        cmocka_unit_test(many_threads_use_one_client),
        cmocka_unit_test(transient_failures_are_tried_again),
        cmocka_unit_test(three_attempts_are_the_end),
        cmocka_unit_test(throttling_that_goes_on_is_its_own_kind),
        cmocka_unit_test(a_refusal_is_not_tried_again),
        cmocka_unit_test(the_server_may_ask_for_a_longer_wait),
        cmocka_unit_test(an_invocation_whose_answer_is_lost_is_not_repeated),
        cmocka_unit_test(a_wrong_clock_is_corrected_from_the_answer),
        cmocka_unit_test(silence_ends_after_the_timeout),
        cmocka_unit_test(an_answer_that_drips_ends),
        cmocka_unit_test(too_large_an_answer_is_not_read_to_its_end),
        cmocka_unit_test(pages_that_come_again_end_every_list),
        cmocka_unit_test(the_owner_of_a_bucket_goes_with_every_request_to_it),
        cmocka_unit_test(a_region_or_bucket_that_is_none_is_asked_nothing),
        cmocka_unit_test(a_redirect_to_no_region_is_not_followed),
        cmocka_unit_test(a_slow_answer_within_the_timeout_is_fine),
        cmocka_unit_test(an_endpoint_nobody_listens_at_is_named),
        cmocka_unit_test(nonsense_for_an_answer_is_an_error),
        cmocka_unit_test(a_bucket_elsewhere_is_found_and_remembered),
        cmocka_unit_test(racing_writers_of_a_key_try_again),
        cmocka_unit_test(a_failed_condition_is_its_own_kind),
        cmocka_unit_test(debug_output_masks_secrets),
        cmocka_unit_test(weights_are_sent_as_fractions),
        cmocka_unit_test(alarms_are_asked_for_by_the_hundred),
        cmocka_unit_test(interfaces_of_lambda),
#ifndef LIBCURL_LINKED
        cmocka_unit_test(an_option_that_libcurl_refuses_ends_the_call),
#endif
        cmocka_unit_test(a_wish_to_stop_ends_a_call), /* the last: the wish stays */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
