/* Buckets: making one, and what is set on it. */
#include "aws/services/s3_internal.h"

#include "base/buf.h"
#include "base/hash.h"

#define XMLNS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

int s3_create_bucket(struct arena *a, struct aws *aws, struct str bucket, struct err *err)
{
    struct aws_rest request = {
        .method = "PUT", .bucket = bucket, .content_type = "application/xml"};
    struct aws_answer answer;
    if (!str_eq(aws_region(aws), STR("us-east-1"))) /* which may not be named */
        request.body = str_fmt(a,
                               "<CreateBucketConfiguration" XMLNS "><LocationConstraint>%.*s"
                               "</LocationConstraint></CreateBucketConfiguration>",
                               STR_ARG(aws_region(aws)));
    return aws_s3(a, aws, "CreateBucket", &request, &answer, err);
}

static const struct setting {
    const char *get, *put; /* NULL: nobody asks */
    const char *name;      /* in queries */
    const char *root;      /* element; NULL: the content is no XML */
} settings[] = {
    [S3_ENCRYPTION] = {"GetBucketEncryption", "PutBucketEncryption", "encryption",
                       "ServerSideEncryptionConfiguration"},
    [S3_VERSIONING] = {"GetBucketVersioning", "PutBucketVersioning", "versioning",
                       "VersioningConfiguration"},
    [S3_ACCELERATION] = {"GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration",
                         "accelerate", "AccelerateConfiguration"},
    [S3_LOGGING] = {"GetBucketLogging", "PutBucketLogging", "logging", "BucketLoggingStatus"},
    [S3_TAGGING] = {"GetBucketTagging", "PutBucketTagging", "tagging", "Tagging"},
    [S3_PUBLIC_ACCESS] = {"GetPublicAccessBlock", "PutPublicAccessBlock", "publicAccessBlock",
                          "PublicAccessBlockConfiguration"},
    [S3_POLICY] = {NULL, "PutBucketPolicy", "policy", NULL},
};

int s3_setting_get(struct arena *a, struct aws *aws, struct str bucket, enum s3_setting which,
                   const struct node **ret, struct err *err)
{
    struct aws_rest request = {
        .method = "GET", .bucket = bucket, .query = s3_text_map(a, settings[which].name, STR(""))};
    struct aws_answer answer;
    *ret = NULL;
    if (aws_s3(a, aws, settings[which].get, &request, &answer, err) == 0) {
        *ret = answer.node;
        return 0;
    }
    if (err->kind != ERR_NOT_FOUND || str_eq(err->code, STR("NoSuchBucket")))
        return -1;
    err_clear(err);
    return 0;
}

static void add_xml(struct buf *b, const struct node *n)
{
    node_each (item, n)
        add_xml(b, item);
    member_each (m, n) {
        /* a list is its items, each in an element of the name */
        size_t count = node_is(m->value, NODE_SEQ) ? m->value->count : 1;
        for (size_t i = 0; i < count; i++) {
            buf_fmt(b, "<%.*s>", STR_ARG(m->key));
            add_xml(b, node_is(m->value, NODE_SEQ) ? m->value->items[i] : m->value);
            buf_fmt(b, "</%.*s>", STR_ARG(m->key));
        }
    }
    if (n->kind != NODE_MAP && n->kind != NODE_SEQ)
        s3_add_escaped(b, node_text(n));
}

int s3_setting_put(struct arena *a, struct aws *aws, struct str bucket, enum s3_setting which,
                   const struct node *content, struct err *err)
{
    const struct setting *s = &settings[which];
    struct buf b = BUF(a);
    if (s->root) {
        buf_fmt(&b, "<%s" XMLNS ">", s->root);
        add_xml(&b, content);
        buf_fmt(&b, "</%s>", s->root);
    } else {
        buf_add(&b, node_text(content));
    }
    struct aws_rest request = {.method = "PUT",
                               .bucket = bucket,
                               .query = s3_text_map(a, s->name, STR("")),
                               .headers =
                                   s3_text_map(a, S3_CHECKSUM, sha256_base64(a, buf_str(&b))),
                               .body = buf_str(&b),
                               .content_type = s->root ? "application/xml" : "application/json"};
    struct aws_answer answer;
    return aws_s3(a, aws, s->put, &request, &answer, err);
}
