/* S3's operations. Integrity: every body carries its SHA-256, which S3 checks. */
#include "aws/client/aws_internal.h"
#include "aws/services/destroy.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

enum {
    PART_BYTES = 8 * 1024 * 1024, /* S3 wants 5 MiB at least, except for the last part */
    MULTIPART_OVER_BYTES = 16 * 1024 * 1024,
    PARTS_AT_ONCE = 4,
    PARTS_MAX = 10000,
    DELETE_AT_ONCE = 1000, /* limit of DeleteObjects */
};

static struct node *text_map(struct arena *a, const char *key, struct str value)
{
    struct node *map = node_map(a);
    node_put_str(a, map, key, value);
    return map;
}

static int64_t date_of(const struct aws_answer *answer)
{
    int64_t date_ms;
    return time_parse(aws_header(answer, "date"), &date_ms) ? date_ms : 0;
}

static void put_checksum(struct arena *a, struct node *headers, struct str body)
{
    node_put_str(a, headers, "x-amz-checksum-sha256", sha256_base64(a, body));
}

/* ---- one object ---- */

int s3_get(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str *ret,
           struct s3_stamp *ret_stamp, struct err *err)
{
    struct aws_answer answer;
    struct aws_rest request = {.method = "GET", .bucket = bucket, .key = key, .raw_answer = true};
    if (aws_s3(a, aws, "GetObject", &request, &answer, err) < 0)
        return -1;
    *ret = answer.body;
    if (ret_stamp)
        *ret_stamp = (struct s3_stamp){aws_header(&answer, "etag"), date_of(&answer)};
    return 0;
}

/* HEAD. Its answer has no body with a code: 404 is all that S3 tells. */
static int head(struct arena *a, struct aws *aws, const char *operation,
                const struct aws_rest *request, bool *ret, struct aws_answer *answer,
                struct err *err)
{
    *ret = aws_s3(a, aws, operation, request, answer, err) == 0;
    if (*ret)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    return 0;
}

int s3_head(struct arena *a, struct aws *aws, struct str bucket, struct str key, bool *ret,
            struct str *ret_etag, struct err *err)
{
    struct aws_rest request = {.method = "HEAD", .bucket = bucket, .key = key};
    struct aws_answer answer;
    if (head(a, aws, "HeadObject", &request, ret, &answer, err) < 0)
        return -1;
    if (ret_etag)
        *ret_etag = *ret ? aws_header(&answer, "etag") : (struct str){"", 0};
    return 0;
}

int s3_bucket_exists(struct arena *a, struct aws *aws, struct str bucket, bool *ret,
                     struct str *ret_region, struct err *err)
{
    struct aws_rest request = {.method = "HEAD", .bucket = bucket};
    struct aws_answer answer;
    if (head(a, aws, "HeadBucket", &request, ret, &answer, err) < 0)
        return -1;
    if (ret_region)
        *ret_region = aws_header(&answer, "x-amz-bucket-region");
    return 0;
}

static void put_condition(struct arena *a, struct node *headers, const struct s3_put *put)
{
    if (put->condition == S3_IF_NONE_MATCH_ANY)
        node_put_str(a, headers, "If-None-Match", STR("*"));
    if (put->condition == S3_IF_MATCH)
        node_put_str(a, headers, "If-Match", put->etag);
}

static int put_whole(struct arena *a, struct aws *aws, const struct s3_put *put,
                     struct aws_answer *answer, struct err *err)
{
    struct node *headers = s3_write_headers(a, aws, put->bucket);
    put_condition(a, headers, put);
    put_checksum(a, headers, put->body);
    struct aws_rest request = {.method = "PUT",
                               .bucket = put->bucket,
                               .key = put->key,
                               .headers = headers,
                               .body = put->body,
                               .content_type = put->content_type};
    return aws_s3(a, aws, "PutObject", &request, answer, err);
}

/* ---- parts ---- */

struct upload {
    struct arena *arena;
    struct aws *aws;
    const struct s3_put *put;
    struct str id;
    size_t part_bytes, n_parts;
    struct str *etags; /* of the parts */
};

static struct str part_body(const struct upload *u, size_t i)
{
    return str_sub(u->put->body, i * u->part_bytes, u->part_bytes);
}

static int upload_part(size_t i, void *context, struct arena *a, struct err *err)
{
    struct upload *u = context;
    struct node *query = text_map(a, "partNumber", str_fmt(a, "%zu", i + 1));
    node_put_str(a, query, "uploadId", u->id);
    struct node *headers = node_map(a);
    put_checksum(a, headers, part_body(u, i));
    struct aws_rest request = {.method = "PUT",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = query,
                               .headers = headers,
                               .body = part_body(u, i)};
    struct aws_answer answer;
    if (aws_s3(a, u->aws, "UploadPart", &request, &answer, err) < 0)
        return -1;
    u->etags[i] = aws_header(&answer, "etag");
    return 0;
}

static int upload_begin(struct upload *u, struct err *err)
{
    struct arena *a = u->arena;
    struct node *headers = s3_write_headers(a, u->aws, u->put->bucket);
    node_put_str(a, headers, "x-amz-checksum-algorithm", STR("SHA256"));
    struct aws_rest request = {.method = "POST",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = text_map(a, "uploads", STR("")),
                               .headers = headers,
                               .content_type = u->put->content_type};
    struct aws_answer answer;
    if (aws_s3(a, u->aws, "CreateMultipartUpload", &request, &answer, err) < 0)
        return -1;
    u->id = text_of(answer.node, "UploadId");
    if (!u->id.n)
        return err_set(err, ERR_FAILED, "CreateMultipartUpload: the answer has no upload id");
    return 0;
}

/* Delete the uploaded parts, so that they cost nothing more. A failure here is not told: the error
 * that led here says what is wrong. */
static void upload_abort(struct upload *u)
{
    struct err ignored cleanup_err = {0};
    struct aws_answer answer;
    struct aws_rest request = {.method = "DELETE",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = text_map(u->arena, "uploadId", u->id)};
    aws_s3(u->arena, u->aws, "AbortMultipartUpload", &request, &answer, &ignored);
}

static int upload_complete(struct upload *u, struct aws_answer *answer, struct err *err)
{
    struct arena *a = u->arena;
    struct buf b = BUF(a);
    buf_lit(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < u->n_parts; i++)
        buf_fmt(&b,
                "<Part><ETag>%.*s</ETag><ChecksumSHA256>%.*s</ChecksumSHA256>"
                "<PartNumber>%zu</PartNumber></Part>",
                STR_ARG(u->etags[i]), STR_ARG(sha256_base64(a, part_body(u, i))), i + 1);
    buf_lit(&b, "</CompleteMultipartUpload>");
    struct node *headers = node_map(a);
    put_condition(a, headers, u->put);
    struct aws_rest request = {.method = "POST",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = text_map(a, "uploadId", u->id),
                               .headers = headers,
                               .body = buf_str(&b),
                               .content_type = "application/xml"};
    if (aws_s3(a, u->aws, "CompleteMultipartUpload", &request, answer, err) < 0)
        return -1;
    /* S3 may answer 200 first, and with a failure in the body. */
    if (node_get_c(answer->node, "Code"))
        return err_set(err, ERR_FAILED, "CompleteMultipartUpload: %.*s",
                       STR_ARG(text_of(answer->node, "Message")));
    return 0;
}

static int put_parts(struct arena *a, struct aws *aws, const struct s3_put *put,
                     struct aws_answer *answer, struct err *err)
{
    struct upload u = {.arena = a, .aws = aws, .put = put, .part_bytes = PART_BYTES};
    while (put->body.n / u.part_bytes >= PARTS_MAX)
        u.part_bytes *= 2;
    u.n_parts = (put->body.n + u.part_bytes - 1) / u.part_bytes;
    u.etags = ARENA_ARRAY(a, u.n_parts, struct str);
    if (upload_begin(&u, err) < 0)
        return -1;
    cleanup_arena struct arena *parts = arena_new();
    int done = pool_run_into(parts, u.n_parts, PARTS_AT_ONCE, upload_part, &u, err);
    if (done == 0)
        done = upload_complete(&u, answer, err);
    if (done < 0)
        upload_abort(&u);
    return done;
}

int s3_put(struct arena *a, struct aws *aws, const struct s3_put *put, struct s3_stamp *ret,
           struct err *err)
{
    struct aws_answer answer;
    bool in_parts = put->body.n > MULTIPART_OVER_BYTES;
    if ((in_parts ? put_parts(a, aws, put, &answer, err) : put_whole(a, aws, put, &answer, err)) <
        0)
        return -1;
    if (!ret)
        return 0;
    ret->etag = in_parts ? text_of(answer.node, "ETag") : aws_header(&answer, "etag");
    ret->date_ms = date_of(&answer);
    return 0;
}

int s3_copy(struct arena *a, struct aws *aws, struct str from, struct str key, struct str to,
            struct err *err)
{
    struct str source = str_fmt(a, "/%.*s/%.*s", STR_ARG(from), STR_ARG(aws_encode(a, key, true)));
    struct str owner = s3_expected_owner(aws, from);
    struct aws_answer answer;
    struct node *headers = s3_write_headers(a, aws, to);
    node_put_str(a, headers, "x-amz-copy-source", source);
    if (owner.n)
        node_put_str(a, headers, "x-amz-source-expected-bucket-owner", owner);
    struct aws_rest request = {.method = "PUT", .bucket = to, .key = key, .headers = headers};
    if (aws_s3(a, aws, "CopyObject", &request, &answer, err) < 0)
        return -1;
    /* S3 may answer 200 first, and with a failure in the body. Source: API reference, CopyObject */
    if (text_of(answer.node, "ETag").n)
        return 0;
    struct str why = text_of(answer.node, "Message");
    return err_set(err, ERR_FAILED, "copy s3://%.*s/%.*s to '%.*s': %.*s", STR_ARG(from),
                   STR_ARG(key), STR_ARG(to), STR_ARG(why.n ? why : STR("no answer")));
}

int s3_delete(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str etag,
              struct err *err)
{
    struct aws_answer answer;
    struct aws_rest request = {.method = "DELETE",
                               .bucket = bucket,
                               .key = key,
                               .headers = etag.n ? text_map(a, "If-Match", etag) : NULL};
    if (aws_s3(a, aws, "DeleteObject", &request, &answer, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND || str_eq(err->code, STR("NoSuchBucket")))
        return -1;
    err_clear(err);
    return 0;
}

/* ---- many ---- */

static int64_t to_int(struct str s)
{
    int64_t value = 0;
    return str_to_int(s, &value) ? value : 0;
}

static struct s3_object object_of(const struct node *item)
{
    struct s3_object o = {text_of(item, "Key"), text_of(item, "ETag"),
                          to_int(text_of(item, "Size")), 0};
    if (!time_parse(text_of(item, "LastModified"), &o.modified_ms))
        o.modified_ms = 0;
    return o;
}

int s3_list(struct arena *a, struct aws *aws, struct str bucket, struct str prefix,
            struct s3_object **ret, size_t *ret_n, struct err *err)
{
    VEC(struct s3_object) objects = {0};
    struct pages p = {0};
    struct str next;
    do {
        struct node *query = text_map(a, "list-type", STR("2"));
        node_put_str(a, query, "prefix", prefix);
        if (p.token.n)
            node_put_str(a, query, "continuation-token", p.token);
        struct aws_rest request = {.method = "GET", .bucket = bucket, .query = query};
        struct aws_answer answer;
        if (aws_s3(a, aws, "ListObjectsV2", &request, &answer, err) < 0)
            return -1;
        node_each (item, answer_list(a, answer.node, "Contents"))
            vec_push(a, &objects, object_of(item));
        next = node_is_text(node_get_c(answer.node, "IsTruncated"), "true")
                   ? text_of(answer.node, "NextContinuationToken")
                   : (struct str){0};
    } while (page_next(&p, "ListObjectsV2", next, err));
    *ret = objects.p;
    *ret_n = objects.n;
    return err->kind ? -1 : 0;
}

static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || strchr("&<>\"'", c))
            buf_fmt(b, "&#%u;", c);
        else
            buf_char(b, (char)c);
    }
}

static struct str delete_body(struct arena *a, const struct node *const *items, size_t n)
{
    struct buf b = BUF(a);
    buf_lit(&b, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    for (size_t i = 0; i < n; i++) {
        buf_lit(&b, "<Object><Key>");
        add_escaped(&b, text_of(items[i], "Key"));
        buf_lit(&b, "</Key>");
        if (text_of(items[i], "VersionId").n) {
            buf_lit(&b, "<VersionId>");
            add_escaped(&b, text_of(items[i], "VersionId"));
            buf_lit(&b, "</VersionId>");
        }
        buf_lit(&b, "</Object>");
    }
    buf_lit(&b, "</Delete>");
    return buf_str(&b);
}

static int delete_some(struct arena *a, struct aws *aws, struct str bucket,
                       const struct node *const *items, size_t n, struct err *err)
{
    struct str body = delete_body(a, items, n);
    struct node *headers = node_map(a);
    put_checksum(a, headers, body);
    struct aws_rest request = {.method = "POST",
                               .bucket = bucket,
                               .query = text_map(a, "delete", STR("")),
                               .headers = headers,
                               .body = body,
                               .content_type = "application/xml"};
    struct aws_answer answer;
    if (aws_s3(a, aws, "DeleteObjects", &request, &answer, err) < 0)
        return -1;
    const struct node *errors = answer_list(a, answer.node, "Error");
    if (!errors->count)
        return 0;
    const struct node *first = errors->items[0];
    bool denied = node_is_text(node_get_c(first, "Code"), "AccessDenied");
    err_set(err, denied ? ERR_DENIED : ERR_FAILED, "DeleteObjects: '%.*s': %.*s",
            STR_ARG(text_of(first, "Key")), STR_ARG(text_of(first, "Message")));
    err->code = str_dup(err->arena, text_of(first, "Code"));
    return -1;
}

int s3_empty(struct arena *a, struct aws *aws, struct str bucket, struct str prefix, size_t *ret_n,
             struct err *err)
{
    *ret_n = 0;
    /* Each page lives in an arena of its own: a bucket may hold millions of versions. */
    for (struct str before = {0}, first;; before = first) {
        cleanup_arena struct arena *page = arena_new();
        struct node *query = text_map(page, "versions", STR(""));
        node_put_str(page, query, "max-keys", str_fmt(page, "%d", DELETE_AT_ONCE));
        if (prefix.n)
            node_put_str(page, query, "prefix", prefix);
        struct aws_rest request = {.method = "GET", .bucket = bucket, .query = query};
        struct aws_answer answer;
        if (aws_s3(page, aws, "ListObjectVersions", &request, &answer, err) < 0)
            return -1;
        VEC(const struct node *) items = {0};
        node_each (version, answer_list(page, answer.node, "Version"))
            vec_push(page, &items, version);
        node_each (marker, answer_list(page, answer.node, "DeleteMarker"))
            vec_push(page, &items, marker);
        if (!items.n)
            return 0;
        first = str_fmt(a, "%.*s %.*s", STR_ARG(text_of(items.p[0], "Key")),
                        STR_ARG(text_of(items.p[0], "VersionId")));
        if (before.n && str_eq(first, before))
            return err_set(err, ERR_FAILED, "bucket '%.*s': '%.*s' was deleted and is still there",
                           STR_ARG(bucket), STR_ARG(text_of(items.p[0], "Key")));
        /* The next turn asks for the first page again: what is deleted here is not in it. */
        if (delete_some(page, aws, bucket, items.p, items.n, err) < 0)
            return -1;
        *ret_n += items.n;
    }
}
