/* Talking to AWS: a client, its credentials, and one entry point per wire protocol.
 *
 * A `struct aws` is made once per command and region and may be used by many threads at once:
 * connections, DNS and TLS sessions are pooled, credentials refreshed under a lock, and each
 * service API has one rate limiter. Every call is blocking, signed (Signature Version 4), retried
 * as botocore's standard mode does (3 attempts, 8 when throttled; same back-off, quota and error
 * lists), and stops early when cancel_requested(). Errors carry AWS's code, the HTTP status and the
 * request id; `err.kind` says what a caller may act on: NOT_FOUND (404 and the services' own "does
 * not exist" codes), CONFLICT (409), PRECONDITION (412), THROTTLED, DENIED (bad, expired or missing
 * credentials, missing permission), NETWORK (no answer; names the endpoint), CANCELLED, FAILED. */
#ifndef TROUPE_AWS_H
#define TROUPE_AWS_H

#include "base/map.h"
#include "doc/node.h"

struct aws;

struct aws_options {
    struct str region;
    struct str profile; /* --aws-profile; empty: AWS_PROFILE, `service_profile`, "default" */
    /* Text with the profile of provider.profile, which keys in the environment go before; NULL:
     * none. */
    const struct node *service_profile;
    struct str endpoint_url; /* for every service (the local cloud); empty: environment and config
                                decide */
    struct str access_key, secret_key,
        session_token;  /* fixed credentials; empty: the provider chain */
    bool debug_http;    /* requests and answers to stderr, secrets masked */
    int64_t timeout_ms; /* of one attempt; 0: 60 s, connecting 10 s */
    /* Ask the user for a line, such as the code of an MFA device: the answer without blanks around,
     * in `a`. NULL: there is nobody to ask. */
    int (*ask)(void *context, struct arena *a, struct str question, struct str *ret,
               struct err *err);
    void *ask_context;
    /* Called before each attempt is sent; tests count calls with it. May be NULL. */
    void (*trace)(void *context, const char *service, const char *operation, int attempt);
    void *trace_context;
};

/* A client. No network yet, credentials are looked up at the first call. Free with aws_free. NULL
 * on bad settings (unknown profile, unusable endpoint). */
struct aws *aws_new(const struct aws_options *options, struct err *err);
void aws_free(struct aws *aws);
void aws_cleanup(struct aws **aws);
#define cleanup_aws __attribute__((cleanup(aws_cleanup)))
struct str aws_region(const struct aws *aws);
/* "aws", "aws-cn", "aws-us-gov" … of the region. */
struct str aws_partition(const struct aws *aws);
/* "amazonaws.com", "amazonaws.com.cn" … */
struct str aws_url_suffix(const struct aws *aws);
/* Number of HTTP requests sent so far, retries included. */
unsigned long aws_call_count(const struct aws *aws);

/* A raw answer. Header names are lower case. Lives in the arena of the call. */
struct aws_answer {
    int status;
    struct map headers; /* name -> struct str * */
    struct str body;
    const struct node *node; /* body as a tree for the JSON and XML protocols, else NULL */
};

/* ---- protocols: a new operation is a few lines on top of these ---- */

/* Query protocol (CloudFormation, CloudWatch, STS): POST, form-encoded. `params` is a map; nested
 * maps and sequences flatten as "A.member.1.B". `*ret` is the content of <OperationResult> as a
 * tree: elements become map members, `member` lists become sequences (an element that occurs
 * several times too), texts strings. */
int aws_query(struct arena *a, struct aws *aws, const char *service, const char *operation,
              const struct node *params, const struct node **ret, struct err *err);

/* JSON 1.0/1.1 (SSM, CloudWatch Logs). `operation` with its target prefix is looked up by service
 * in a table. */
int aws_json(struct arena *a, struct aws *aws, const char *service, const char *operation,
             const struct node *body, const struct node **ret, struct err *err);

/* Told while the body of a request is sent: `bytes` more are, or fewer (negative) when they have to
 * be sent again. Any thread. */
struct aws_meter {
    void (*moved)(void *context, int64_t bytes);
    void *context;
};

struct aws_rest {
    const char *method;            /* "GET" … */
    struct str path;               /* already percent-encoded: build with aws_path */
    struct str bucket, key;        /* of S3, instead of a path; without a key: the bucket itself */
    const struct node *query;      /* map of strings, or of sequences of strings; NULL: none */
    const struct node *headers;    /* map of strings, NULL: none */
    const struct node *json;       /* body as JSON (rest-json), or NULL */
    struct str body;               /* raw body otherwise */
    const char *content_type;      /* of the raw body */
    int64_t timeout_ms;            /* without a byte moving; 0: the client's */
    bool once;                     /* not sent again when it may have arrived: Invoke */
    bool raw_answer;               /* leave answer->node alone: the body is somebody else's */
    const struct aws_meter *meter; /* of S3; may be NULL */
};

/* REST-JSON (Lambda, API Gateway, API Gateway v2). `answer->node` is the body, NULL when empty. */
int aws_rest_json(struct arena *a, struct aws *aws, const char *service, const char *operation,
                  const struct aws_rest *request, struct aws_answer *answer, struct err *err);

/* REST-XML (S3). Virtual-hosted or path style is decided by endpoint and name. Follows region
 * redirects once. `answer->node` is set for XML bodies with an XML content type. */
int aws_s3(struct arena *a, struct aws *aws, const char *operation, const struct aws_rest *request,
           struct aws_answer *answer, struct err *err);

/* From now on S3 is asked to refuse whatever is sent to `bucket` unless it belongs to `account`:
 * bucket names are the whole world's, and one that was deleted may be anybody's. */
void aws_expect_owner(struct aws *aws, struct str bucket, struct str account);

/* From now on what is written to `bucket` is encrypted so: "AES256" or "aws:kms", with that key's
 * id or ARN (empty: the account's own). Policies of buckets demand that it is said with each
 * object, whatever the bucket does by itself. */
void aws_encrypt(struct aws *aws, struct str bucket, struct str algorithm, struct str key_id);

/* Percent-encode one path segment (or a whole S3 key with `keep_slash`). */
struct str aws_encode(struct arena *a, struct str s, bool keep_slash);
/* "/2015-03-31/functions/{}/aliases/{}": each "{}" replaced by the next encoded argument. */
struct str aws_path(struct arena *a, const char *pattern, const struct str *args, size_t n);
#define AWS_PATH(a, pattern, ...)                               \
    aws_path((a), (pattern), (const struct str[]){__VA_ARGS__}, \
             sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str))
/* Header of an answer, empty when absent. */
struct str aws_header(const struct aws_answer *answer, const char *name);

#endif
