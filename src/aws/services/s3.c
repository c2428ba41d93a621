/* S3's operations. Integrity: every body carries its SHA-256, which S3 checks. */
#include "aws/services/s3_internal.h"

#include "aws/services/destroy.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

enum { DELETE_AT_ONCE = 1000 }; /* limit of DeleteObjects */

struct node *s3_text_map(struct arena *a, const char *key, struct str value)
{
    struct node *map = node_map(a);
    node_put_str(a, map, key, value);
    return map;
}

int64_t s3_date(const struct aws_answer *answer)
{
    int64_t date_ms;
    return time_parse(aws_header(answer, "date"), &date_ms) ? date_ms : 0;
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
        *ret_stamp = (struct s3_stamp){aws_header(&answer, "etag"), s3_date(&answer)};
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
                               .headers = etag.n ? s3_text_map(a, "If-Match", etag) : NULL};
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
        struct node *query = s3_text_map(a, "list-type", STR("2"));
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

void s3_add_escaped(struct buf *b, struct str s)
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
        s3_add_escaped(&b, text_of(items[i], "Key"));
        buf_lit(&b, "</Key>");
        if (text_of(items[i], "VersionId").n) {
            buf_lit(&b, "<VersionId>");
            s3_add_escaped(&b, text_of(items[i], "VersionId"));
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
    node_put_str(a, headers, S3_CHECKSUM, sha256_base64(a, body));
    struct aws_rest request = {.method = "POST",
                               .bucket = bucket,
                               .query = s3_text_map(a, "delete", STR("")),
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
        struct node *query = s3_text_map(page, "versions", STR(""));
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
