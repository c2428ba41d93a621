/* REST-XML: S3's addressing, and its redirects to the bucket's own region. */
#include "aws/client/aws_internal.h"

#include "aws/client/xml.h"

enum { OBJECT_BYTES_MAX = 512 * 1024 * 1024 };

static bool wants_path_style(const struct aws *aws)
{
    if (!aws->settings)
        return false;
    const struct node *section = profile_config(aws->settings, aws->settings->profile);
    return node_is_text(node_get_c(node_get_c(section, "s3"), "addressing_style"), "path");
}

/* Region that the bucket is known to be in; otherwise the client's. */
static struct str bucket_region(struct aws *aws, struct str bucket)
{
    pthread_mutex_lock(&aws->lock);
    const struct str *known = map_get(&aws->bucket_regions, bucket);
    struct str region = known ? *known : aws->region;
    pthread_mutex_unlock(&aws->lock);
    return region;
}

static void learn_region(struct aws *aws, struct str bucket, struct str region)
{
    pthread_mutex_lock(&aws->lock);
    struct str *value = ARENA_NEW(aws->arena, struct str);
    *value = str_dup(aws->arena, region);
    map_put(&aws->bucket_regions, str_dup(aws->arena, bucket), value);
    pthread_mutex_unlock(&aws->lock);
}

/* "https://bucket.s3.region…" + "/key", or "https://s3.region…" + "/bucket/key". */
static int address(struct arena *a, struct aws *aws, struct str region, struct str bucket,
                   struct str key, struct call *call, struct err *err)
{
    if (endpoint_find(a, call->service, region, aws->options.endpoint_url, aws->settings,
                      &call->endpoint, err) < 0)
        return -1;
    struct str path = aws_encode(a, key, true);
    bool in_path = call->endpoint.custom || !bucket_is_host(bucket) || wants_path_style(aws);
    if (in_path) {
        call->path = str_fmt(a, "/%.*s%s%.*s", STR_ARG(aws_encode(a, bucket, false)),
                             key.n ? "/" : "", STR_ARG(path));
    } else {
        struct str host = call->endpoint.url; /* AWS's own */
        str_skip(&host, STR("https://"));
        call->endpoint.url = str_fmt(a, "https://%.*s.%.*s", STR_ARG(bucket), STR_ARG(host));
        call->path = str_concat(a, STR("/"), path);
    }
    return 0;
}

/* The bucket's region that a refusal tells; empty: it does not. */
static struct str region_told(struct arena *a, const struct aws_answer *answer)
{
    struct str region = aws_header(answer, "x-amz-bucket-region");
    struct refusal refusal = {0};
    if (!region.n && answer->body.n) {
        refusal_read(a, answer, &refusal);
        region = refusal.region;
    }
    return region_is_name(region) ? region : (struct str){"", 0};
}

static bool is_elsewhere(const struct aws_answer *answer)
{
    return answer->status == 301 || answer->status == 307 || answer->status == 400;
}

static int read_answer(struct arena *a, const char *operation, struct aws_answer *answer,
                       struct err *err)
{
    if (!answer->body.n || str_find(aws_header(answer, "content-type"), STR("xml"), 0) < 0)
        return 0;
    struct str root = {0};
    answer->node = xml_read(a, answer->body, &root, err);
    if (!answer->node)
        return err_wrap(err, "%s: unusable answer", operation);
    return 0;
}

void aws_expect_owner(struct aws *aws, struct str bucket, struct str account)
{
    pthread_mutex_lock(&aws->lock);
    if (bucket.n && account.n && !map_has(&aws->bucket_owners, bucket)) {
        struct str *value = ARENA_NEW(aws->arena, struct str);
        *value = str_dup(aws->arena, account);
        map_put(&aws->bucket_owners, str_dup(aws->arena, bucket), value);
    }
    pthread_mutex_unlock(&aws->lock);
}

struct str s3_expected_owner(struct aws *aws, struct str bucket)
{
    pthread_mutex_lock(&aws->lock);
    const struct str *owner = bucket.n ? map_get(&aws->bucket_owners, bucket) : NULL;
    pthread_mutex_unlock(&aws->lock);
    return owner ? *owner : (struct str){"", 0};
}

void aws_encrypt(struct aws *aws, struct str bucket, struct str algorithm, struct str key_id)
{
    pthread_mutex_lock(&aws->lock);
    if (bucket.n && algorithm.n && !map_has(&aws->bucket_encryption, bucket)) {
        struct arena *a = aws->arena;
        struct node *headers = node_map(a);
        node_put_str(a, headers, "x-amz-server-side-encryption", str_dup(a, algorithm));
        if (key_id.n)
            node_put_str(a, headers, "x-amz-server-side-encryption-aws-kms-key-id",
                         str_dup(a, key_id));
        map_put(&aws->bucket_encryption, str_dup(a, bucket), headers);
    }
    pthread_mutex_unlock(&aws->lock);
}

struct node *s3_write_headers(struct arena *a, struct aws *aws, struct str bucket)
{
    pthread_mutex_lock(&aws->lock);
    const struct node *headers = map_get(&aws->bucket_encryption, bucket);
    pthread_mutex_unlock(&aws->lock);
    return headers ? node_shallow(a, headers) : node_map(a);
}

static void prepare(struct arena *a, const struct aws_rest *request, struct call *call)
{
    call->query = query_string(a, request->query);
    call->body = request->body;
    call->timeout_ms = request->timeout_ms;
    call->once = request->once;
    call->meter = request->meter;
    call->answer_max = request->raw_answer ? OBJECT_BYTES_MAX : 0;
    if (request->content_type)
        call_header(call, "Content-Type", str_c(request->content_type));
    member_each (m, request->headers)
        call_header(call, m->key.p, node_text(m->value));
}

int aws_s3(struct arena *a, struct aws *aws, const char *operation, const struct aws_rest *request,
           struct aws_answer *answer, struct err *err)
{
    struct str bucket = request->bucket, key = request->key;
    struct call call = {
        .service = aws_service_find("s3"), .operation = operation, .method = request->method};
    if (!bucket.n)
        return err_set(err, ERR_FAILED, "%s: no bucket is named", operation);
    prepare(a, request, &call);
    struct str region = bucket_region(aws, bucket);
    if (bucket.n && !bucket_is_name(bucket))
        return err_set(err, ERR_CONFIG, "'%.*s' is no name of a bucket", STR_ARG(bucket));
    struct str owner = s3_expected_owner(aws, bucket);
    if (owner.n)
        call_header(&call, "x-amz-expected-bucket-owner", owner);
    if (address(a, aws, region, bucket, key, &call, err) < 0)
        return -1;
    int done = call_send(a, aws, &call, answer, err);
    struct str told = done < 0 && is_elsewhere(answer) ? region_told(a, answer) : (struct str){0};
    if (told.n && !str_eq(told, region)) {
        learn_region(aws, bucket, told);
        err_clear(err);
        if (address(a, aws, told, bucket, key, &call, err) < 0)
            return -1;
        done = call_send(a, aws, &call, answer, err);
    }
    if (done < 0 && owner.n && err->kind == ERR_DENIED)
        err_help(err, "bucket '%.*s' has to belong to account %.*s, and its policy to allow this",
                 STR_ARG(bucket), STR_ARG(owner));
    if (done < 0 && str_eq(err->code, STR("NoSuchBucket")))
        err_wrap(err, "bucket '%.*s'", STR_ARG(bucket));
    return done < 0 || request->raw_answer ? done : read_answer(a, operation, answer, err);
}
