/* Uploads in parts against an S3 of the test's own, which remembers uploads and parts. */
#include "check.h"

#include <pthread.h>

#include "loopback.h"
#include "base/buf.h"
#include "base/hash.h"
#include "aws/services/services.h"

enum { PART = 8 * 1024 * 1024, PARTS = 3, BYTES = 2 * PART + 1000, SHOWN = 2 };

/* One upload, "u1" at first; what it does is set before a test begins. */
struct s3 {
    pthread_mutex_t lock;
    struct arena *arena;
    int uploads;            /* begun so far; the newest is the one that is there */
    bool there;             /* not completed, not aborted */
    struct str sums[PARTS]; /* of the parts that are there */
    int version[PARTS];     /* ETags are "e<part>-<version>" */
    int sent[PARTS];        /* how often each was sent */
    int begun, listed, completed, aborted;
    /* what goes wrong */
    bool denies_lists;
    int invalid;            /* completions that find another part than they were told */
    _Atomic int reset_from; /* connections are reset from this part request on; 0: never */
    int refuse_from;        /* or answered with 400 */
    int part_requests;
    bool encrypted; /* with KMS, as the upload was begun */
};

static struct str query_of(struct str request, const char *name)
{
    ptrdiff_t end = str_find(request, STR(" HTTP/"), 0);
    struct str line = str_sub(request, 0, (size_t)end);
    ptrdiff_t at = str_find(line, str_c(name), 0);
    struct str value =
        at < 0 ? (struct str){"", 0} : str_sub(line, (size_t)at + strlen(name), line.n);
    ptrdiff_t and = str_find_char(value, '&', 0);
    return and < 0 ? value : str_sub(value, 0, (size_t) and);
}

static int number_of(struct str text)
{
    int64_t n = 0;
    str_to_int(text, &n);
    return (int)n;
}

static struct str header_of(struct arena *a, struct str request, const char *name)
{
    struct str mark = str_fmt(a, "\r\n%s: ", name);
    ptrdiff_t at = str_find(request, mark, 0), end;
    if (at < 0)
        return (struct str){"", 0};
    end = str_find(request, STR("\r\n"), (size_t)at + mark.n);
    return str_sub(request, (size_t)at + mark.n, (size_t)end - (size_t)at - mark.n);
}

static void refuse(struct reply *ret, int status, const char *code)
{
    static const char form[] = "<Error><Code>%s</Code><Message>no</Message></Error>";
    static char bodies[8][100];
    static _Atomic int next;
    char *body = bodies[next++ % 8];
    snprintf(body, sizeof bodies[0], form, code);
    *ret = (struct reply){status, "Content-Type: application/xml\r\n", body, WHOLE, 0};
}

static void list_uploads(struct s3 *s, struct arena *a, struct str request, struct buf *b)
{
    /* the upload of another key first, so that it takes two pages */
    bool second = query_of(request, "upload-id-marker=").n > 0;
    buf_fmt(b, "<ListMultipartUploadsResult><IsTruncated>%s</IsTruncated>",
            second ? "false" : "true");
    if (!second)
        buf_lit(b, "<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>x</NextUploadIdMarker>"
                   "<Upload><Key>k.bak</Key><UploadId>x</UploadId><Initiated>"
                   "2030-01-01T00:00:00.000Z</Initiated></Upload>");
    else if (s->there)
        buf_fmt(b,
                "<Upload><Key>k</Key><UploadId>u%d</UploadId><ChecksumAlgorithm>SHA256"
                "</ChecksumAlgorithm><Initiated>2029-01-01T00:00:00.000Z</Initiated></Upload>",
                s->uploads);
    buf_lit(b, "</ListMultipartUploadsResult>");
    (void)a;
}

static void list_parts(struct s3 *s, struct str request, struct buf *b)
{
    int from = number_of(query_of(request, "part-number-marker=")), shown = 0, last = 0;
    s->listed++;
    buf_lit(b, "<ListPartsResult>");
    for (int i = from; i < PARTS && shown < SHOWN; i++) {
        last = i + 1;
        if (!s->sums[i].n)
            continue;
        shown++;
        buf_fmt(b,
                "<Part><PartNumber>%d</PartNumber><ETag>e%d-%d</ETag><Size>%d</Size>"
                "<ChecksumSHA256>%.*s</ChecksumSHA256></Part>",
                i + 1, i + 1, s->version[i], i + 1 < PARTS ? PART : BYTES - 2 * PART,
                STR_ARG(s->sums[i]));
    }
    buf_fmt(b, "<IsTruncated>%s</IsTruncated><NextPartNumberMarker>%d</NextPartNumberMarker>",
            last < PARTS ? "true" : "false", last);
    buf_lit(b, "</ListPartsResult>");
}

static void take_part(struct s3 *s, struct arena *a, struct str request, struct reply *ret)
{
    int i = number_of(query_of(request, "partNumber=")) - 1;
    int n = ++s->part_requests;
    assert_in_range(i, 0, PARTS - 1);
    if (s->reset_from && n >= s->reset_from) {
        ret->manner = RESET;
        return;
    }
    if (s->refuse_from && n >= s->refuse_from) {
        refuse(ret, 400, "InvalidRequest");
        return;
    }
    s->sums[i] = str_dup(s->arena, header_of(a, request, "x-amz-checksum-sha256"));
    s->sent[i]++;
    ret->headers = str_fmt(a, "ETag: e%d-%d\r\n%s", i + 1, ++s->version[i],
                           s->encrypted ? "x-amz-server-side-encryption: aws:kms\r\n" : "")
                       .p;
}

static void complete(struct s3 *s, struct arena *a, struct str request, struct reply *ret,
                     struct buf *b)
{
    if (!s->there) {
        refuse(ret, 404, "NoSuchUpload");
        return;
    }
    bool good = true;
    for (int i = 0; i < PARTS; i++) {
        struct str part = str_fmt(a,
                                  "<Part><ETag>e%d-%d</ETag><ChecksumSHA256>%.*s"
                                  "</ChecksumSHA256><PartNumber>%d</PartNumber></Part>",
                                  i + 1, s->version[i], STR_ARG(s->sums[i]), i + 1);
        good = good && str_find(request, part, 0) >= 0;
    }
    if (s->invalid-- > 0 || !good) {
        s->version[0]++; /* another run sent this part once more */
        refuse(ret, 400, "InvalidPart");
        return;
    }
    s->completed++;
    s->there = false;
    buf_lit(b, "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag>"
               "</CompleteMultipartUploadResult>");
}

static void answer(void *context, struct arena *a, struct str request, struct reply *ret)
{
    struct s3 *s = context;
    struct buf b = BUF(a);
    *ret = (struct reply){200, "Content-Type: application/xml\r\n", "", WHOLE, 0};
    pthread_mutex_lock(&s->lock);
    if (str_starts(request, STR("GET /bucket?"))) {
        if (s->denies_lists)
            refuse(ret, 403, "AccessDenied");
        else
            list_uploads(s, a, request, &b);
    } else if (str_starts(request, STR("GET /bucket/k?uploadId="))) {
        list_parts(s, request, &b);
    } else if (str_starts(request, STR("POST /bucket/k?uploads"))) {
        s->begun++;
        s->there = true;
        s->encrypted = header_of(a, request, "x-amz-server-side-encryption").n > 0;
        memset(s->sums, 0, sizeof s->sums);
        buf_fmt(&b, "<R><UploadId>u%d</UploadId></R>", ++s->uploads);
    } else if (str_starts(request, STR("POST /bucket/k?uploadId="))) {
        complete(s, a, request, ret, &b);
    } else if (str_starts(request, STR("PUT /bucket/k?"))) {
        take_part(s, a, request, ret);
    } else if (str_starts(request, STR("DELETE /bucket/k?uploadId="))) {
        s->aborted++;
        s->there = false;
        ret->status = 204;
    } else {
        ret->status = 404; /* HEAD: no such object */
    }
    pthread_mutex_unlock(&s->lock);
    if (b.n)
        ret->body = buf_str(&b).p;
}

struct fixture {
    struct s3 s3;
    struct arena *arena;
    struct loopback *server;
    struct aws *aws;
    struct str body;
    _Atomic int64_t moved, found;
    struct err err;
};

static void on_moved(void *context, int64_t bytes)
{
    ((struct fixture *)context)->moved += bytes;
}

static void on_found(void *context, uint64_t bytes)
{
    ((struct fixture *)context)->found += (int64_t)bytes;
}

static _Atomic size_t gone;

static void let_go(struct str part)
{
    gone += part.n;
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new(), .s3 = {.lock = PTHREAD_MUTEX_INITIALIZER}};
    f->s3.arena = f->arena;
    f->server = loopback_serve(answer, &f->s3);
    struct aws_options options = {.region = STR("eu-central-1"),
                                  .endpoint_url = loopback_url(f->server),
                                  .access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("very-secret-key")};
    f->aws = aws_new(&options, &f->err);
    assert_non_null(f->aws);
    char *p = arena_alloc(f->arena, BYTES);
    for (size_t i = 0; i < BYTES; i++)
        p[i] = (char)(i / PART + 'a');
    f->body = (struct str){p, BYTES};
}

static void tear_down(struct fixture *f)
{
    aws_free(f->aws);
    loopback_stop(f->server);
    err_clear(&f->err);
    arena_free(f->arena);
}

static int put(struct fixture *f)
{
    const struct aws_meter meter = {on_moved, f};
    struct s3_put put = {.bucket = STR("bucket"),
                         .key = STR("k"),
                         .body = f->body,
                         .content_type = "application/zip",
                         .resumes = true,
                         .meter = &meter,
                         .found = on_found,
                         .found_context = f,
                         .let_go = let_go};
    struct s3_stamp stamp;
    f->moved = f->found = 0;
    gone = 0;
    int done = s3_put(f->arena, f->aws, &put, &stamp, &f->err);
    if (done == 0)
        check_str(stamp.etag, "\"whole\"");
    return done;
}

static void check_sent(const struct fixture *f, int first, int second, int third)
{
    assert_int_equal(f->s3.sent[0], first);
    assert_int_equal(f->s3.sent[1], second);
    assert_int_equal(f->s3.sent[2], third);
}

/* As an earlier run left them; `n` parts from the first on. */
static void leave_upload(struct fixture *f, int n)
{
    f->s3.uploads = 1;
    f->s3.there = true;
    for (int i = 0; i < n; i++) {
        size_t bytes = i + 1 < PARTS ? PART : BYTES - 2 * PART;
        struct str part = str_sub(f->body, (size_t)i * PART, bytes);
        f->s3.sums[i] = sha256_base64(f->arena, part);
        f->s3.version[i] = 1;
    }
}

static void parts_are_sent_and_counted(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    check_ok(put(&f), &f.err);
    check_sent(&f, 1, 1, 1);
    assert_int_equal(f.moved, BYTES);
    assert_int_equal(gone, BYTES);
    assert_int_equal(f.found, 0);
    assert_int_equal(f.s3.begun, 1);
    tear_down(&f);
}

static void only_what_is_missing_is_sent(void **state)
{
    (void)state;
    static const char *const others[] = {"", "c29tZXRoaW5nIGVsc2U="};
    for (int n = 0; n <= PARTS; n++) {
        struct fixture f;
        set_up(&f);
        leave_upload(&f, n);
        if (n) /* whatever else there is in the first part, is replaced */
            f.s3.sums[0] = n == 2 ? str_c(others[1]) : f.s3.sums[0];
        check_ok(put(&f), &f.err);
        check_sent(&f, n < 1 || n == 2, n < 2, n < 3);
        assert_int_equal(f.moved + f.found, BYTES);
        assert_int_equal(f.s3.begun, 0);
        assert_int_equal(f.s3.completed, 1);
        tear_down(&f);
    }
}

static void what_the_network_cuts_off_stays(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.s3.reset_from = 3;
    assert_int_equal(put(&f), -1);
    assert_int_equal(f.err.kind, ERR_NETWORK);
    assert_true(f.s3.there);
    assert_int_equal(f.s3.aborted, 0);
    err_clear(&f.err);
    f.s3.reset_from = 0;
    check_ok(put(&f), &f.err);
    assert_int_equal(f.moved + f.found, BYTES);
    assert_int_equal(f.s3.begun, 1);
    assert_int_equal(f.s3.sent[0] + f.s3.sent[1] + f.s3.sent[2], PARTS);
    tear_down(&f);
}

static void what_s3_refuses_is_taken_back(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.s3.refuse_from = 2;
    assert_int_equal(put(&f), -1);
    check_str(f.err.code, "InvalidRequest");
    assert_int_equal(f.s3.aborted, 1);
    tear_down(&f);
}

static void who_may_not_look_leaves_nothing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.s3.denies_lists = true;
    f.s3.reset_from = 2;
    assert_int_equal(put(&f), -1);
    assert_int_equal(f.err.kind, ERR_NETWORK);
    assert_int_equal(f.s3.aborted, 1);
    tear_down(&f);
}

static void another_run_on_the_same_upload(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.s3.invalid = 1;
    check_ok(put(&f), &f.err);
    check_sent(&f, 1, 1, 1);
    assert_int_equal(f.s3.begun, 1);
    assert_int_equal(f.moved, BYTES);
    tear_down(&f);

    set_up(&f);
    f.s3.invalid = 100; /* it ends, and leaves nothing */
    assert_int_equal(put(&f), -1);
    check_str(f.err.code, "InvalidPart");
    assert_int_equal(f.s3.aborted, 1);
    tear_down(&f);
}

static void an_upload_with_another_encryption_is_not_gone_on_with(void **state)
{
    (void)state;
    for (int encrypted = 0; encrypted < 2; encrypted++) {
        struct fixture f;
        set_up(&f);
        leave_upload(&f, PARTS);
        f.s3.encrypted = encrypted;
        aws_encrypt(f.aws, STR("bucket"), STR("aws:kms"), STR(""));
        check_ok(put(&f), &f.err);
        assert_int_equal(f.s3.begun, !encrypted);
        assert_int_equal(f.s3.aborted, !encrypted);
        assert_int_equal(f.s3.sent[0], !encrypted);
        assert_int_equal(f.s3.sent[2], encrypted ? 1 : 2);
        assert_true(f.s3.encrypted);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_sent_and_counted),
        cmocka_unit_test(only_what_is_missing_is_sent),
        cmocka_unit_test(what_the_network_cuts_off_stays),
        cmocka_unit_test(what_s3_refuses_is_taken_back),
        cmocka_unit_test(who_may_not_look_leaves_nothing),
        cmocka_unit_test(another_run_on_the_same_upload),
        cmocka_unit_test(an_upload_with_another_encryption_is_not_gone_on_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
