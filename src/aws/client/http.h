/* HTTP by libcurl: one request, one answer, blocking. Handles and their connections are pooled, DNS
 * answers and TLS sessions shared between them. Any thread. Nothing here knows AWS. */
#ifndef TROUPE_AWS_CLIENT_HTTP_H
#define TROUPE_AWS_CLIENT_HTTP_H

#include "aws/aws.h"

struct http;

struct http_options {
    struct str ca_bundle; /* PEM file; empty: the system's */
    bool debug;           /* to stderr, secrets masked */
};

struct header {
    struct str name, value;
};

struct http_request {
    const char *method;
    struct str url;
    const struct header *headers; /* sent as they are, in this order */
    size_t n_headers;
    struct str body;
    int64_t timeout_ms;         /* without a byte in either direction; 0: 60 s. In all: twice that,
                                   and a second for every 8 KiB that were moved */
    size_t answer_max;          /* bytes of the body of the answer; 0: 32 MiB */
    int64_t connect_timeout_ms; /* 0: 10 s */
    bool direct;                /* never through a proxy */
    const struct aws_meter *meter; /* told as the body leaves; may be NULL */
};

struct http *http_new(const struct http_options *options, struct err *err);
/* Free it. No thread may be in http_send any more. NULL is fine. */
void http_free(struct http *http);

/* Send and wait. Any status is success. `*ret_sent` (may be NULL): the whole request had left, so
 * the other side may have acted on it, whatever happened then. NETWORK: no complete answer, message
 * "cannot reach '<scheme and host>': <cause>". CANCELLED after cancel_request(). Proxies come from
 * the usual variables of the environment, except for loopback addresses. */
int http_send(struct arena *a, struct http *http, const struct http_request *request,
              struct aws_answer *ret, bool *ret_sent, struct err *err);

/* "https://host:port" of a URL. */
struct str url_origin(struct str url);
/* "host:port" of a URL: the Host header. */
struct str url_authority(struct str url);
/* "localhost", 127.x.x.x or [::1], with or without a port? */
bool is_loopback(struct str authority);

#endif
