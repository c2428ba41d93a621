/* The server: which service and operation is meant, what goes wrong, and S3 and STS. */
#include "check.h"

#include "fake_aws.h"
#include "fake_clock.h"

#include "base/clock.h"
#include "base/hash.h"
#include "doc/json.h"
#include "layout/layout.h"

#define START_MS INT64_C(1780000000000) /* its clock has nothing to do with the machine's */

/* ---- reading requests ---- */

struct str fake_decode(struct arena *a, struct str s)
{
    struct buf b = BUF(a);
    buf_lit(&b, "");
    for (size_t i = 0; i < s.n; i++) {
        char digits[3] = {0};
        if (s.p[i] != '%' || i + 2 >= s.n) {
            buf_char(&b, s.p[i] == '+' ? ' ' : s.p[i]);
            continue;
        }
        memcpy(digits, s.p + i + 1, 2);
        buf_char(&b, (char)strtol(digits, NULL, 16));
        i += 2;
    }
    return buf_str(&b);
}

struct str fake_param(struct arena *a, struct str form, const char *name)
{
    struct str pair, key;
    while (str_cut(&form, '&', &pair)) {
        struct str value = pair;
        if (str_cut(&value, '=', &key) && str_eq(fake_decode(a, key), str_c(name)))
            return fake_decode(a, value);
    }
    return (struct str){"", 0};
}

struct str fake_header(const struct fake_request *q, const char *name)
{
    struct str rest = q->head, line, key;
    while (str_cut(&rest, '\n', &line)) {
        struct str value = line;
        if (str_cut(&value, ':', &key) && str_eq(str_lower(q->arena, key), str_c(name)))
            return str_trim(value);
    }
    return (struct str){"", 0};
}

static void parse(struct fake_request *q, struct str request)
{
    ptrdiff_t end = str_find(request, STR("\r\n\r\n"), 0);
    q->head = str_sub(request, 0, (size_t)end);
    q->body = str_sub(request, (size_t)end + 4, request.n);
    struct str line = q->head, credential = fake_header(q, "authorization"), part;
    str_cut(&line, ' ', &q->method);
    str_cut(&line, ' ', &q->query);
    str_cut(&q->query, '?', &q->path);
    q->path = fake_decode(q->arena, q->path);
    for (int i = 0; i < 2; i++) /* "Credential=KEY/DATE/REGION/SERVICE/aws4_request" */
        str_cut(&credential, '/', &part);
    str_cut(&credential, '/', &q->region);
    str_cut(&credential, '/', &q->service);
}

struct str fake_id(struct fake_aws *aws, const char *prefix)
{
    return str_fmt(aws->arena, "%s%zu", prefix, ++aws->made);
}

/* ---- answering ---- */

void fake_json(const struct fake_request *q, const struct node *body, struct reply *ret)
{
    *ret = (struct reply){200, "Content-Type: application/json\r\n",
                          body ? json_text(q->arena, body, 0).p : ""};
}

void fake_refuse(const struct fake_request *q, int status, const char *code, const char *message,
                 struct reply *ret)
{
    struct arena *a = q->arena;
    bool s3 = str_eq(q->service, STR("s3"));
    if (str_eq(q->service, STR("lambda")) || str_eq(q->service, STR("apigateway")) ||
        str_eq(q->service, STR("logs"))) {
        struct node *body = node_map(a);
        node_put_str(a, body, "Message", str_c(message));
        fake_json(q, body, ret);
        ret->headers = str_fmt(a, "x-amzn-errortype: %s\r\n", code).p;
        ret->status = status;
        return;
    }
    struct str text = str_fmt(a, "<Error><Code>%s</Code><Message>%s</Message></Error>", code,
                              message ? message : "");
    if (!s3)
        text = str_fmt(a, "<ErrorResponse>%.*s<RequestId>r</RequestId></ErrorResponse>",
                       STR_ARG(text));
    *ret = (struct reply){status, "Content-Type: application/xml\r\n",
                          str_eq(q->method, STR("HEAD")) ? "" : text.p};
}

/* ---- S3 ---- */

static int64_t now_ms(const struct fake_aws *aws)
{
    return START_MS + fake_clock_passed() + aws->skew_ms;
}

static struct fake_object *find_in(struct fake_aws *aws, struct str bucket, struct str key)
{
    for (size_t i = 0; i < aws->objects.n; i++)
        if (str_eq(aws->objects.p[i].key, key) && str_eq(aws->objects.p[i].bucket, bucket))
            return &aws->objects.p[i];
    return NULL;
}

struct fake_object *fake_object_find(struct fake_aws *aws, struct str key)
{
    return find_in(aws, STR(FAKE_BUCKET), key);
}

static struct fake_object *put(struct fake_aws *aws, struct str bucket, struct str key,
                               struct str body)
{
    struct fake_object *o = find_in(aws, bucket, key);
    if (!o) {
        vec_push(aws->arena, &aws->objects,
                 (struct fake_object){str_dup(aws->arena, bucket), str_dup(aws->arena, key)});
        o = &aws->objects.p[aws->objects.n - 1];
    }
    struct str id = fake_id(aws, "etag-");
    o->body = str_dup(aws->arena, body);
    o->etag = str_fmt(aws->arena, "\"%.*s\"", STR_ARG(id));
    o->modified_ms = now_ms(aws);
    return o;
}

static void drop(struct fake_aws *aws, struct fake_object *o)
{
    if (o)
        *o = aws->objects.p[--aws->objects.n];
}

static const char *http_date(struct arena *a, int64_t ms)
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    char text[40];
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    return str_dup(a, str_c(text)).p;
}

static struct str key_of(const struct fake_request *q)
{
    struct str key = str_sub(q->path, 1, q->path.n), bucket;
    return str_cut(&key, '/', &bucket) && key.p ? key : (struct str){"", 0};
}

static struct str bucket_of(const struct fake_request *q)
{
    struct str path = str_sub(q->path, 1, q->path.n), bucket = {"", 0};
    str_cut(&path, '/', &bucket);
    return bucket;
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const struct fake_object *)x)->key, ((const struct fake_object *)y)->key);
}

static void list(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct str prefix = fake_param(a, q->query, "prefix");
    struct str after = fake_param(a, q->query, "continuation-token"), last = {"", 0};
    struct str bucket = bucket_of(q);
    struct buf b = BUF(a);
    size_t shown = 0;
    bool more = false, versions = str_eq(q->operation, STR("ListObjectVersions"));
    const char *item = versions ? "Version" : "Contents";
    if (aws->objects.n)
        qsort(aws->objects.p, aws->objects.n, sizeof *aws->objects.p, by_key);
    buf_lit(&b, "<ListBucketResult>");
    for (size_t i = 0; i < aws->objects.n && !more; i++) {
        const struct fake_object *o = &aws->objects.p[i];
        if (!str_eq(o->bucket, bucket) || !str_starts(o->key, prefix) ||
            (after.n && str_cmp(o->key, after) <= 0))
            continue;
        if ((more = aws->page && shown == aws->page))
            break;
        buf_fmt(&b,
                "<%s><Key>%.*s</Key><LastModified>%.*s</LastModified><ETag>%.*s</ETag>"
                "<Size>%zu</Size>%s</%s>",
                item, STR_ARG(o->key), STR_ARG(time_iso(a, o->modified_ms)), STR_ARG(o->etag),
                o->body.n, versions ? "<VersionId>null</VersionId>" : "", item);
        last = o->key;
        shown++;
    }
    buf_fmt(&b, "<IsTruncated>%s</IsTruncated>", more ? "true" : "false");
    if (more)
        buf_fmt(&b, "<NextContinuationToken>%.*s</NextContinuationToken>", STR_ARG(last));
    buf_lit(&b, "</ListBucketResult>");
    ret->body = buf_str(&b).p;
}

struct fake_object *fake_object_find_in(struct fake_aws *aws, struct str bucket, struct str key)
{
    return find_in(aws, bucket, key);
}

static const char *s3_operation(const struct fake_request *q)
{
    bool key = key_of(q).n > 0;
    char m = q->method.p[0];
    if (str_eq(q->method, STR("HEAD")))
        return key ? "HeadObject" : "HeadBucket";
    if (str_eq(q->method, STR("PUT")))
        return fake_header(q, "x-amz-copy-source").n ? "CopyObject" : "PutObject";
    if (str_eq(q->method, STR("POST")))
        return "DeleteObjects";
    if (!key && str_find(q->query, STR("versions="), 0) >= 0)
        return "ListObjectVersions";
    if (!key && str_find(q->query, STR("uploads="), 0) >= 0)
        return "ListMultipartUploads";
    if (m == 'D' && str_find(q->query, STR("uploadId="), 0) >= 0)
        return "AbortMultipartUpload";
    return m == 'D' ? "DeleteObject" : m == 'G' && key ? "GetObject" : "ListObjectsV2";
}

/* False: a condition of the request does not hold. */
static bool holds(const struct fake_request *q, const struct fake_object *o, struct reply *ret)
{
    struct str match = fake_header(q, "if-match"), none = fake_header(q, "if-none-match");
    if (match.n && !o)
        fake_refuse(q, 404, "NoSuchKey", "The specified key does not exist.", ret);
    else if ((match.n && !str_eq(match, o->etag)) || (none.n && o))
        fake_refuse(q, 412, "PreconditionFailed",
                    "At least one of the pre-conditions you specified did not hold", ret);
    else
        return true;
    return false;
}

/* <Delete>…<Object><Key>…</Key>…</Object>…</Delete> */
static void delete_all(struct fake_aws *aws, const struct fake_request *q)
{
    for (ptrdiff_t at = 0; (at = str_find(q->body, STR("<Key>"), (size_t)at)) >= 0;) {
        at += 5;
        ptrdiff_t end = str_find(q->body, STR("</Key>"), (size_t)at);
        drop(aws, find_in(aws, bucket_of(q), str_sub(q->body, (size_t)at, (size_t)(end - at))));
    }
}

/* The id of an upload is its key. */
static void list_uploads(const struct fake_aws *aws, const struct fake_request *q,
                         struct reply *ret)
{
    struct buf b = BUF(q->arena);
    buf_lit(&b, "<ListMultipartUploadsResult>");
    vec_each (&aws->uploads, u)
        if (str_starts(str_c(u->key), fake_param(q->arena, q->query, "prefix")))
            buf_fmt(&b,
                    "<Upload><Key>%s</Key><UploadId>%s</UploadId><Initiated>%.*s</Initiated>"
                    "</Upload>",
                    u->key, u->key, STR_ARG(time_iso(q->arena, u->begun_ms)));
    buf_lit(&b, "<IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    ret->headers = str_fmt(q->arena, "Content-Type: application/xml\r\nDate: %s\r\n",
                           http_date(q->arena, now_ms(aws)))
                       .p;
    ret->body = buf_str(&b).p;
}

static void abort_upload(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct str id = fake_param(q->arena, q->query, "uploadId");
    ret->status = 204;
    for (size_t i = 0; i < aws->uploads.n; i++)
        if (str_eq(str_c(aws->uploads.p[i].key), id))
            aws->uploads.p[i] = aws->uploads.p[--aws->uploads.n];
}

static void s3(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct str key = key_of(q), bucket = bucket_of(q);
    struct fake_object *o = find_in(aws, bucket, key);
    const char *date = http_date(a, now_ms(aws));
    *ret = (struct reply){200, "Content-Type: application/xml\r\n", ""};
    if (aws->no_bucket && str_eq(bucket, STR(FAKE_BUCKET))) {
        fake_refuse(q, 404, "NoSuchBucket", "The specified bucket does not exist", ret);
    } else if (str_starts(q->operation, STR("ListObject"))) {
        list(aws, q, ret);
    } else if (str_eq(q->operation, STR("ListMultipartUploads"))) {
        list_uploads(aws, q, ret);
    } else if (str_eq(q->operation, STR("AbortMultipartUpload"))) {
        abort_upload(aws, q, ret);
    } else if (str_eq(q->operation, STR("DeleteObjects"))) {
        delete_all(aws, q);
        ret->body = "<DeleteResult/>";
    } else if (str_eq(q->operation, STR("CopyObject"))) {
        struct str from = fake_decode(a, fake_header(q, "x-amz-copy-source"));
        struct str rest = str_sub(from, 1, from.n), of;
        str_cut(&rest, '/', &of);
        struct fake_object *source = find_in(aws, of, rest);
        struct str body = source ? source->body : (struct str){"", 0};
        if (source)
            put(aws, bucket, key, body);
        ret->body = "<CopyObjectResult><ETag>\"copy\"</ETag></CopyObjectResult>";
        if (!source)
            fake_refuse(q, 404, "NoSuchKey", "The specified key does not exist.", ret);
    } else if (str_eq(q->operation, STR("PutObject"))) {
        if (holds(q, o, ret)) {
            o = put(aws, bucket, key, q->body);
            ret->headers = str_fmt(a, "ETag: %.*s\r\nDate: %s\r\n", STR_ARG(o->etag), date).p;
        }
    } else if (str_eq(q->operation, STR("DeleteObject"))) {
        if (holds(q, o, ret)) {
            drop(aws, o);
            ret->status = 204;
        }
    } else if (key.n && !o) {
        fake_refuse(q, 404, "NoSuchKey", "The specified key does not exist.", ret);
    } else if (key.n) {
        ret->headers = str_fmt(a, "ETag: %.*s\r\nDate: %s\r\n", STR_ARG(o->etag), date).p;
        if (str_eq(q->operation, STR("GetObject")))
            ret->body = str_dup(a, o->body).p;
    }
}

/* ---- STS ---- */

static void sts(struct reply *ret)
{
    *ret = (struct reply){
        200, "Content-Type: text/xml\r\n",
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>" FAKE_ACCOUNT "</Account>"
        "<Arn>arn:aws:iam::" FAKE_ACCOUNT ":user/x</Arn></GetCallerIdentityResult>"
        "</GetCallerIdentityResponse>"};
}

/* ---- CloudWatch ---- */

void fake_cloudwatch(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct arena *a = q->arena;
    struct buf b = BUF(a);
    buf_lit(&b, "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms>");
    for (size_t n = 1;; n++) {
        struct str name = fake_param(a, q->body, str_fmt(a, "AlarmNames.member.%zu", n).p);
        if (!name.n)
            break;
        for (size_t i = 0; i < aws->alarms.n; i++)
            if (str_eq(name, str_c(aws->alarms.p[i].name)))
                buf_fmt(&b,
                        "<member><AlarmName>%s</AlarmName><StateValue>%s</StateValue>"
                        "<StateReason>%s</StateReason></member>",
                        aws->alarms.p[i].name, aws->alarms.p[i].state, aws->alarms.p[i].reason);
    }
    buf_lit(&b, "</MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>");
    *ret = (struct reply){200, "Content-Type: text/xml\r\n", buf_str(&b).p};
}

void fake_ec2(struct fake_aws *aws, const struct fake_request *q, struct reply *ret)
{
    struct buf b = BUF(q->arena);
    buf_lit(&b, "<DescribeNetworkInterfacesResponse><networkInterfaceSet>");
    if (aws->interface)
        buf_fmt(&b,
                "<item><networkInterfaceId>%s</networkInterfaceId>"
                "<description>AWS Lambda VPC ENI-other</description></item>",
                aws->interface);
    buf_lit(&b, "</networkInterfaceSet></DescribeNetworkInterfacesResponse>");
    *ret = (struct reply){200, "Content-Type: text/xml\r\n", buf_str(&b).p};
}

/* ---- the server ---- */

static struct fake_fault *next_fault(struct fake_aws *aws, struct str call, struct str operation)
{
    for (size_t i = 0; i < aws->faults.n; i++) {
        struct fake_fault *f = &aws->faults.p[i];
        if (f->times < 0 || !str_eq(operation, str_c(f->operation)) ||
            (f->target && str_find(call, str_c(f->target), 0) < 0))
            continue;
        if (f->skip-- > 0)
            continue;
        f->times = f->times > 1 ? f->times - 1 : -1;
        return f;
    }
    return NULL;
}

static void answer(void *context, struct arena *a, struct str request, struct reply *ret)
{
    struct fake_aws *aws = context;
    struct fake_request q = {.arena = a};
    parse(&q, request);
    bool is_s3 = str_eq(q.service, STR("s3")), is_lambda = str_eq(q.service, STR("lambda"));
    bool is_gateway = str_eq(q.service, STR("apigateway"));
    bool is_logs = str_eq(q.service, STR("logs"));
    bool is_value = str_eq(q.service, STR("ssm")) || str_eq(q.service, STR("secretsmanager"));
    bool form = !is_s3 && !is_lambda && !is_gateway && !is_logs && !is_value;
    q.operation = is_s3        ? str_c(s3_operation(&q))
                  : is_lambda  ? str_c(fake_lambda_operation(&q))
                  : is_gateway ? str_c(fake_gateway_operation(&q))
                  : !form      ? str_c(fake_target_operation(&q))
                               : fake_param(a, q.body, "Action");
    pthread_mutex_lock(&aws->lock);
    struct str call =
        str_fmt(aws->arena, "%.*s %.*s%s%.*s", STR_ARG(q.operation),
                STR_ARG(form ? q.body : q.path), q.query.n ? "?" : "", STR_ARG(q.query));
    vec_push(aws->arena, &aws->calls, call);
    struct fake_fault *f = next_fault(aws, call, q.operation);
    if (f && f->kind == FAULT_RACE)
        f->race(aws);
    if (f && f->kind == FAULT_REFUSE)
        fake_refuse(&q, f->status, f->code, f->message ? f->message : "", ret);
    else if (f && f->kind == FAULT_BROKEN)
        ret->manner = RESET;
    else if (is_s3)
        s3(aws, &q, ret);
    else if (is_lambda)
        fake_lambda(aws, &q, ret);
    else if (is_gateway)
        fake_gateway(aws, &q, ret);
    else if (is_logs)
        fake_logs(aws, &q, ret);
    else if (is_value)
        fake_values(aws, &q, ret);
    else if (str_eq(q.service, STR("sts")))
        sts(ret);
    else if (str_eq(q.service, STR("monitoring")))
        fake_cloudwatch(aws, &q, ret);
    else if (str_eq(q.service, STR("ec2")))
        fake_ec2(aws, &q, ret);
    else
        fake_cloudformation(aws, &q, ret);
    if (f && f->kind == FAULT_LOST)
        ret->manner = RESET;
    pthread_cond_broadcast(&aws->called);
    pthread_mutex_unlock(&aws->lock);
}

struct fake_aws *fake_aws_start(void)
{
    struct fake_aws *aws = calloc(1, sizeof *aws);
    pthread_mutex_init(&aws->lock, NULL);
    pthread_cond_init(&aws->called, NULL);
    aws->arena = arena_new();
    aws->server = loopback_serve(answer, aws);
    return aws;
}

void fake_aws_stop(struct fake_aws *aws)
{
    loopback_stop(aws->server);
    pthread_mutex_destroy(&aws->lock);
    pthread_cond_destroy(&aws->called);
    arena_free(aws->arena);
    free(aws);
}

struct fake_aws *cloud;

int cloud_start(void **state)
{
    (void)state;
    cloud = fake_aws_start();
    return 0;
}

int cloud_stop(void **state)
{
    (void)state;
    fake_aws_stop(cloud);
    return 0;
}

void fake_aws_reset(struct fake_aws *aws)
{
    pthread_mutex_lock(&aws->lock);
    arena_free(aws->arena);
    aws->arena = arena_new();
    aws->skew_ms = 0;
    aws->page = aws->made = aws->script_count = aws->script_skip = 0;
    aws->no_bucket = false;
    aws->script = NULL;
    aws->foreseen = aws->import_status = aws->interface = NULL;
    memset(&aws->objects, 0, sizeof aws->objects);
    memset(&aws->uploads, 0, sizeof aws->uploads);
    memset(&aws->functions, 0, sizeof aws->functions);
    memset(&aws->apis, 0, sizeof aws->apis);
    memset(&aws->stacks, 0, sizeof aws->stacks);
    memset(&aws->alarms, 0, sizeof aws->alarms);
    memset(&aws->log_groups, 0, sizeof aws->log_groups);
    memset(&aws->deleted, 0, sizeof aws->deleted);
    aws->domains = aws->parsed_value = NULL;
    aws->parsed = (struct str){NULL, 0};
    aws->values = NULL;
    aws->log_role = (struct str){"", 0};
    memset(&aws->faults, 0, sizeof aws->faults);
    memset(&aws->calls, 0, sizeof aws->calls);
    fake_clock_reset();
    pthread_mutex_unlock(&aws->lock);
}

struct aws *fake_aws_client(struct fake_aws *aws)
{
    return fake_aws_client_in(aws, STR(FAKE_REGION));
}

struct aws *fake_no_client(void *context, struct str region, struct err *err)
{
    (void)context;
    err_set(err, ERR_FAILED, "no client for %.*s", STR_ARG(region));
    return NULL;
}

struct aws *fake_aws_client_in(struct fake_aws *aws, struct str region)
{
    struct err err = {0};
    struct aws_options options = {.region = region,
                                  .endpoint_url = loopback_url(aws->server),
                                  .access_key = STR("AKIDEXAMPLE"),
                                  .secret_key = STR("very-secret-key")};
    struct aws *client = aws_new(&options, &err);
    assert_non_null(client);
    return client;
}

/* ---- for tests ---- */

void fake_fault(struct fake_aws *aws, struct fake_fault fault)
{
    pthread_mutex_lock(&aws->lock);
    vec_push(aws->arena, &aws->faults, fault);
    pthread_mutex_unlock(&aws->lock);
}

static size_t calls(const struct fake_aws *aws, const char *operation)
{
    size_t n = 0;
    for (size_t i = 0; i < aws->calls.n; i++) {
        struct str rest = aws->calls.p[i], word;
        n += str_cut(&rest, ' ', &word) && str_eq(word, str_c(operation));
    }
    return n;
}

size_t fake_calls(struct fake_aws *aws, const char *operation)
{
    pthread_mutex_lock(&aws->lock);
    size_t n = calls(aws, operation);
    pthread_mutex_unlock(&aws->lock);
    return n;
}

void fake_await_calls(struct fake_aws *aws, const char *operation, size_t n)
{
    pthread_mutex_lock(&aws->lock);
    while (calls(aws, operation) < n)
        pthread_cond_wait(&aws->called, &aws->lock);
    pthread_mutex_unlock(&aws->lock);
}

void fake_put_locked(struct fake_aws *aws, const char *key, struct str body)
{
    put(aws, STR(FAKE_BUCKET), str_c(key), body);
}

void fake_put(struct fake_aws *aws, const char *key, struct str body)
{
    pthread_mutex_lock(&aws->lock);
    put(aws, STR(FAKE_BUCKET), str_c(key), body);
    pthread_mutex_unlock(&aws->lock);
}

struct str fake_get(struct fake_aws *aws, const char *key)
{
    pthread_mutex_lock(&aws->lock);
    const struct fake_object *o = fake_object_find(aws, str_c(key));
    struct str body = o ? o->body : (struct str){NULL, 0};
    pthread_mutex_unlock(&aws->lock);
    return body;
}

void fake_delete(struct fake_aws *aws, const char *key)
{
    pthread_mutex_lock(&aws->lock);
    drop(aws, fake_object_find(aws, str_c(key)));
    pthread_mutex_unlock(&aws->lock);
}

void fake_put_in(struct fake_aws *aws, const char *bucket, const char *key, struct str body)
{
    pthread_mutex_lock(&aws->lock);
    put(aws, str_c(bucket), str_c(key), body);
    pthread_mutex_unlock(&aws->lock);
}

size_t fake_count_in(struct fake_aws *aws, const char *bucket)
{
    size_t n = 0;
    pthread_mutex_lock(&aws->lock);
    for (size_t i = 0; i < aws->objects.n; i++)
        n += str_eq(aws->objects.p[i].bucket, str_c(bucket));
    pthread_mutex_unlock(&aws->lock);
    return n;
}
