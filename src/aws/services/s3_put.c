/* Writing objects. Large ones go to S3 in parts, several at once. Where the key says what the
 * content is, an upload that an earlier run could not finish is gone on with: S3 tells the SHA-256
 * of each part that it has, so those that fit are not sent again. Two runs may so work on one
 * upload. What one sends is what the other would, but S3 may give the part another ETag, and only
 * one of them completes the upload: the other one then looks again. */
#include "aws/services/s3_internal.h"

#include "aws/services/destroy.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

enum {
    MULTIPART_OVER_BYTES = 16 * 1024 * 1024,
    PART_BYTES = 8 * 1024 * 1024, /* S3 wants 5 MiB at least, except for the last part */
    PARTS_AT_ONCE = 4,
    PARTS_MAX = 10000,
    TURNS = 3,
};
/* Codes of this file's own. */
#define OTHER_ENCRYPTION "TroupeOtherEncryption"

struct part {
    struct str etag, checksum;
    bool there; /* S3 has it */
};

struct upload {
    struct arena *arena;
    struct aws *aws;
    const struct s3_put *put;
    struct str id;
    size_t part_bytes, n_parts;
    struct part *parts;
    bool resumed; /* an earlier run began it */
    bool stays;   /* the next run could find it */
    bool first;   /* turn of this run */
};

/* ---- in one piece ---- */

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
    node_put_str(a, headers, S3_CHECKSUM, sha256_base64(a, put->body));
    struct aws_rest request = {.method = "PUT",
                               .bucket = put->bucket,
                               .key = put->key,
                               .headers = headers,
                               .body = put->body,
                               .content_type = put->content_type,
                               .meter = put->meter};
    return aws_s3(a, aws, "PutObject", &request, answer, err);
}

/* ---- what is there of an upload ---- */

static struct s3_upload upload_of(const struct node *item)
{
    struct s3_upload u = {text_of(item, "Key"), text_of(item, "UploadId"),
                          text_of(item, "ChecksumAlgorithm"), 0};
    if (!time_parse(text_of(item, "Initiated"), &u.begun_ms))
        u.begun_ms = 0;
    return u;
}

int s3_uploads(struct arena *a, struct aws *aws, struct str bucket, struct str prefix,
               struct s3_upload **ret, size_t *ret_n, int64_t *ret_now_ms, struct err *err)
{
    VEC(struct s3_upload) uploads = {0};
    struct pages p = {0};
    struct str next, key = {"", 0};
    do {
        struct node *query = s3_text_map(a, "uploads", STR(""));
        node_put_str(a, query, "prefix", prefix);
        if (p.token.n) {
            node_put_str(a, query, "key-marker", key);
            node_put_str(a, query, "upload-id-marker", p.token);
        }
        struct aws_rest request = {.method = "GET", .bucket = bucket, .query = query};
        struct aws_answer answer;
        if (aws_s3(a, aws, "ListMultipartUploads", &request, &answer, err) < 0)
            return -1;
        node_each (item, answer_list(a, answer.node, "Upload"))
            vec_push(a, &uploads, upload_of(item));
        if (ret_now_ms)
            *ret_now_ms = s3_date(&answer);
        bool more = node_is_text(node_get_c(answer.node, "IsTruncated"), "true");
        key = text_of(answer.node, "NextKeyMarker");
        next = more ? text_of(answer.node, "NextUploadIdMarker") : (struct str){0};
    } while (page_next(&p, "ListMultipartUploads", next, err));
    *ret = uploads.p;
    *ret_n = uploads.n;
    return err->kind ? -1 : 0;
}

/* The newest upload of the key whose parts have checksums of ours. Who may not look begins anew,
 * and so would the next run. */
static int find_left(struct upload *u, struct err *err)
{
    struct s3_upload *all;
    size_t n;
    int64_t newest = INT64_MIN;
    u->stays = true;
    if (s3_uploads(u->arena, u->aws, u->put->bucket, u->put->key, &all, &n, NULL, err) < 0) {
        if (err->kind != ERR_DENIED || !err->http_status)
            return -1;
        err_clear(err);
        u->stays = false;
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        bool fits = !all[i].checksum.n || str_eq(all[i].checksum, STR("SHA256"));
        if (!str_eq(all[i].key, u->put->key) || !fits || all[i].begun_ms <= newest)
            continue;
        newest = all[i].begun_ms;
        u->id = all[i].id;
    }
    return 0;
}

static struct str part_body(const struct upload *u, size_t i)
{
    return str_sub(u->put->body, i * u->part_bytes, u->part_bytes);
}

static void let_go(const struct upload *u, struct str part)
{
    if (u->put->let_go)
        u->put->let_go(part);
}

/* Note a part that S3 has, if it is what would be sent. */
static uint64_t note_part(struct upload *u, const struct node *item)
{
    int64_t number, size;
    if (!str_to_int(text_of(item, "PartNumber"), &number) ||
        !str_to_int(text_of(item, "Size"), &size) || number < 1 || (size_t)number > u->n_parts)
        return 0;
    struct part *part = &u->parts[number - 1];
    struct str body = part_body(u, (size_t)number - 1);
    if (size != (int64_t)body.n)
        return 0;
    struct str checksum = sha256_base64(u->arena, body);
    let_go(u, body);
    if (!str_eq(checksum, text_of(item, "ChecksumSHA256")))
        return 0;
    *part = (struct part){text_of(item, "ETag"), checksum, true};
    return body.n;
}

static int find_parts(struct upload *u, uint64_t *ret_bytes, struct err *err)
{
    struct pages p = {0};
    struct str next;
    *ret_bytes = 0;
    do {
        struct node *query = s3_text_map(u->arena, "uploadId", u->id);
        if (p.token.n)
            node_put_str(u->arena, query, "part-number-marker", p.token);
        struct aws_rest request = {
            .method = "GET", .bucket = u->put->bucket, .key = u->put->key, .query = query};
        struct aws_answer answer;
        if (aws_s3(u->arena, u->aws, "ListParts", &request, &answer, err) < 0)
            return -1;
        node_each (item, answer_list(u->arena, answer.node, "Part"))
            *ret_bytes += note_part(u, item);
        next = node_is_text(node_get_c(answer.node, "IsTruncated"), "true")
                   ? text_of(answer.node, "NextPartNumberMarker")
                   : (struct str){0};
    } while (page_next(&p, "ListParts", next, err));
    return err->kind ? -1 : 0;
}

/* ---- one upload ---- */

static int begin(struct upload *u, struct err *err)
{
    struct arena *a = u->arena;
    struct node *headers = s3_write_headers(a, u->aws, u->put->bucket);
    node_put_str(a, headers, "x-amz-checksum-algorithm", STR("SHA256"));
    struct aws_rest request = {.method = "POST",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = s3_text_map(a, "uploads", STR("")),
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

/* Is the upload encrypted as new ones would be? The answer to a part says how it is: an earlier run
 * may have been told otherwise. */
static bool is_encrypted_well(const struct upload *u, const struct node *wanted,
                              const struct aws_answer *answer)
{
    bool same = true;
    member_each (m, wanted)
        same = same && str_ends(aws_header(answer, m->key.p), node_text(m->value));
    return same || !u->resumed;
}

static int send_part(size_t i, void *context, struct arena *a, struct err *err)
{
    struct upload *u = context;
    struct part *part = &u->parts[i];
    if (part->there)
        return 0;
    struct node *query = s3_text_map(a, "partNumber", str_fmt(a, "%zu", i + 1));
    node_put_str(a, query, "uploadId", u->id);
    part->checksum = sha256_base64(a, part_body(u, i));
    struct aws_rest request = {.method = "PUT",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = query,
                               .headers = s3_text_map(a, S3_CHECKSUM, part->checksum),
                               .body = part_body(u, i),
                               .meter = u->put->meter};
    struct aws_answer answer;
    int sent = aws_s3(a, u->aws, "UploadPart", &request, &answer, err);
    let_go(u, request.body);
    if (sent < 0)
        return -1;
    if (!is_encrypted_well(u, s3_write_headers(a, u->aws, u->put->bucket), &answer)) {
        err_set(err, ERR_FAILED, "the upload was begun with another encryption");
        err->code = STR(OTHER_ENCRYPTION);
        return -1;
    }
    part->etag = aws_header(&answer, "etag");
    part->there = true;
    return 0;
}

static struct str parts_text(const struct upload *u)
{
    struct buf b = BUF(u->arena);
    buf_lit(&b, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < u->n_parts; i++)
        buf_fmt(&b,
                "<Part><ETag>%.*s</ETag><ChecksumSHA256>%.*s</ChecksumSHA256>"
                "<PartNumber>%zu</PartNumber></Part>",
                STR_ARG(u->parts[i].etag), STR_ARG(u->parts[i].checksum), i + 1);
    buf_lit(&b, "</CompleteMultipartUpload>");
    return buf_str(&b);
}

static int complete(struct upload *u, struct s3_stamp *ret, struct err *err)
{
    struct arena *a = u->arena;
    struct node *headers = node_map(a);
    put_condition(a, headers, u->put);
    struct aws_rest request = {.method = "POST",
                               .bucket = u->put->bucket,
                               .key = u->put->key,
                               .query = s3_text_map(a, "uploadId", u->id),
                               .headers = headers,
                               .body = parts_text(u),
                               .content_type = "application/xml"};
    struct aws_answer answer;
    if (aws_s3(a, u->aws, "CompleteMultipartUpload", &request, &answer, err) < 0)
        return -1;
    /* S3 may answer 200 first, and with a failure in the body. */
    if (node_get_c(answer.node, "Code")) {
        err_set(err, ERR_FAILED, "CompleteMultipartUpload: %.*s",
                STR_ARG(text_of(answer.node, "Message")));
        err->code = str_dup(err->arena, text_of(answer.node, "Code"));
        return -1;
    }
    if (ret)
        *ret = (struct s3_stamp){text_of(answer.node, "ETag"), s3_date(&answer)};
    return 0;
}

int s3_abort(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str id,
             struct err *err)
{
    struct aws_answer answer;
    struct aws_rest request = {
        .method = "DELETE", .bucket = bucket, .key = key, .query = s3_text_map(a, "uploadId", id)};
    if (aws_s3(a, aws, "AbortMultipartUpload", &request, &answer, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND || str_eq(err->code, STR("NoSuchBucket")))
        return -1;
    err_clear(err);
    return 0;
}

/* ---- the whole ---- */

/* An upload that is to be gone on with has one part sent at least, where S3's answer tells whether
 * it is encrypted as is wanted now. */
static int go_on(struct upload *u, struct err *err)
{
    uint64_t bytes;
    if (find_parts(u, &bytes, err) < 0)
        return -1;
    bool all = true;
    for (size_t i = 0; i < u->n_parts; i++)
        all = all && u->parts[i].there;
    if (all && node_count(s3_write_headers(u->arena, u->aws, u->put->bucket))) {
        u->parts[u->n_parts - 1].there = false;
        bytes -= part_body(u, u->n_parts - 1).n;
    }
    u->resumed = true;
    if (bytes && u->first && u->put->found)
        u->put->found(u->put->found_context, bytes);
    return 0;
}

static int send_all(struct upload *u, struct s3_stamp *ret, struct err *err)
{
    if ((u->id.n ? go_on(u, err) : begin(u, err)) < 0)
        return -1;
    return pool_run_into(u->arena, u->n_parts, PARTS_AT_ONCE, send_part, u, err) < 0
               ? -1
               : complete(u, ret, err);
}

static bool is_network(const struct err *err)
{
    return err->kind == ERR_NETWORK || err->kind == ERR_CANCELLED || err->kind == ERR_THROTTLED;
}

/* Another run works on the same upload: it has completed or aborted it, or sent a part again. */
static bool is_others(const struct err *err)
{
    return str_eq(err->code, STR("NoSuchUpload")) || str_eq(err->code, STR("InvalidPart"));
}

/* Parts that stay cost something. A failure to delete them is not told: the error that led here
 * says what is wrong. */
static void leave(struct upload *u, const struct err *err)
{
    struct err ignored cleanup_err = {0};
    if (u->id.n && !(u->stays && is_network(err)))
        s3_abort(u->arena, u->aws, u->put->bucket, u->put->key, u->id, &ignored);
}

/* Is the object there by now? */
static bool is_done(struct upload *u, struct s3_stamp *ret)
{
    struct err ignored cleanup_err = {0};
    struct str etag;
    bool there = false;
    if (s3_head(u->arena, u->aws, u->put->bucket, u->put->key, &there, &etag, &ignored) < 0)
        return false;
    if (there && ret)
        *ret = (struct s3_stamp){etag, 0};
    return there;
}

static int put_parts(struct arena *a, struct aws *aws, const struct s3_put *put,
                     struct s3_stamp *ret, struct err *err)
{
    struct upload u = {.arena = a, .aws = aws, .put = put, .part_bytes = PART_BYTES};
    while (put->body.n / u.part_bytes >= PARTS_MAX)
        u.part_bytes *= 2;
    u.n_parts = (put->body.n + u.part_bytes - 1) / u.part_bytes;
    for (int turn = 1;; turn++) {
        u.parts = ARENA_ARRAY(a, u.n_parts, struct part);
        u.id = (struct str){"", 0};
        u.resumed = u.stays = false;
        u.first = turn == 1;
        bool anew = str_eq(err->code, STR(OTHER_ENCRYPTION));
        err_clear(err);
        if (put->resumes && !anew && find_left(&u, err) < 0)
            return -1;
        if (send_all(&u, ret, err) == 0)
            return 0;
        bool others = put->resumes && is_others(err);
        if (!others || turn == TURNS)
            leave(&u, err);
        if (others && is_done(&u, ret)) {
            err_clear(err);
            return 0;
        }
        if (turn == TURNS || !(others || str_eq(err->code, STR(OTHER_ENCRYPTION))))
            return -1;
    }
}

int s3_put(struct arena *a, struct aws *aws, const struct s3_put *put, struct s3_stamp *ret,
           struct err *err)
{
    struct aws_answer answer;
    if (put->body.n > MULTIPART_OVER_BYTES)
        return put_parts(a, aws, put, ret, err);
    if (put_whole(a, aws, put, &answer, err) < 0)
        return -1;
    if (ret)
        *ret = (struct s3_stamp){aws_header(&answer, "etag"), s3_date(&answer)};
    return 0;
}
