/* What the files of aws/ share: the client's insides and one call with its answer. */
#ifndef TROUPE_AWS_CLIENT_AWS_INTERNAL_H
#define TROUPE_AWS_CLIENT_AWS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "aws/client/endpoint.h"
#include "aws/client/http.h"
#include "aws/client/ratelimit.h"
#include "aws/client/retry.h"
#include "aws/credentials/credentials.h"
#include "aws/services/services.h"

struct aws {
    struct arena *arena; /* under `lock` once the client is shared */
    struct aws_options options;
    struct str region;
    const struct partition *partition;
    const struct profile_settings
        *settings; /* NULL: fixed credentials, the user's files are not read */
    struct http *http;
    /* The chain; asking it may need calls, which need credentials of their own. */
    int (*find_credentials)(struct credential_search *, struct credentials *, struct err *);
    int max_attempts, max_throttled;
    atomic_ulong calls;
    atomic_llong skew_ms; /* milliseconds that are added to this machine's clock in signatures */
    struct retry_quota quota;
    struct ratelimit limits;
    pthread_mutex_t lock;            /* guards everything below */
    struct map bucket_regions;       /* bucket -> struct str *, learnt from redirects */
    struct map bucket_owners;        /* bucket -> struct str *: the account it has to belong to */
    struct map bucket_encryption;    /* bucket -> struct node *: headers of what is written there */
    pthread_mutex_t credential_lock; /* held while credentials are fetched */
    struct credentials credentials;  /* access_key empty: none yet */
};

/* One call, before it is signed. */
struct call {
    const struct endpoint_service *service;
    const char *operation;
    const char *method;
    struct endpoint endpoint; /* url empty: the service's in the client's region */
    struct str path, query;   /* encoded; no "?" */
    struct header headers[24];
    size_t n_headers;
    struct str body;
    const struct credentials *credentials; /* NULL: the client's; &credentials_none: unsigned */
    int64_t timeout_ms;                    /* 0: the client's */
    size_t answer_max;                     /* bytes; 0: as http.h says */
    bool once;                             /* not sent again when it may have arrived */
    const struct aws_meter *meter;         /* of the body; may be NULL */
};

/* Add to an error about the client's credentials which profile they are from, and where a file
 * names it. */
void profile_note(const struct aws *aws, bool of_profile, struct err *err);

void call_header(struct call *call, const char *name, struct str value);

/* Send with signature, limits and retries. Any answer but 2xx becomes an error by errors.c;
 * `answer` is filled then, too, if there was one. */
int call_send(struct arena *a, struct aws *aws, struct call *call, struct aws_answer *answer,
              struct err *err);

/* aws_query with `credentials` in place of the client's. */
int query_send(struct arena *a, struct aws *aws, const char *service, const char *operation,
               const struct node *params, const struct credentials *credentials,
               const struct node **ret, struct err *err);

/* "a=b&c=d" of a map of strings, or of sequences of strings. */
struct str query_string(struct arena *a, const struct node *map);

/* The code, message and place that AWS gives with a refusal. */
struct refusal {
    struct str code, message, request_id;
    struct str region; /* S3: where the bucket is */
};
void refusal_read(struct arena *a, const struct aws_answer *answer, struct refusal *ret);
/* Fill `err` from a refusal. */
int refusal_err(const struct call *call, const struct aws_answer *answer,
                const struct refusal *refusal, struct err *err);

/* The account that `bucket` has to belong to; empty: nobody said. */
struct str s3_expected_owner(struct aws *aws, struct str bucket);
/* Headers of what is written to `bucket`, as aws_encrypt was told; a copy that may be changed. */
struct node *s3_write_headers(struct arena *a, struct aws *aws, struct str bucket);

/* The pages of one list. Begin with {0}; `token` goes into the request unless it is empty. */
struct pages {
    struct str token, seen; /* the next page's token, and one of an earlier page */
    size_t n, until;        /* pages so far, and the page at which `seen` is taken anew */
};
/* Take the next page's token `next` from an answer (empty: it was the last page). True: ask for
 * `pages->token`. False: that was all, or, with err FAILED, the answers go round in a circle. */
bool page_next(struct pages *pages, const char *operation, struct str next, struct err *err);

/* All nodes under `key`, whether XML had one or several: a sequence, never NULL. */
const struct node *answer_list(struct arena *a, const struct node *map, const char *key);
/* Text of member `key`, empty when absent. */
struct str text_of(const struct node *map, const char *key);

#endif
