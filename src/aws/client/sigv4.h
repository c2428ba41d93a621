/* Signature Version 4, stage by stage, so that tests can say where an answer differs.
 * Source: "Create a signed AWS API request" in the IAM user guide. */
#ifndef TROUPE_AWS_CLIENT_SIGV4_H
#define TROUPE_AWS_CLIENT_SIGV4_H

#include "aws/client/http.h"

struct sigv4 {
    struct str region, service;
    struct str access_key, secret_key, session_token; /* the last may be empty */
    int64_t wall_ms;
    bool s3; /* path is signed as it is: encoded once, not normalised */
};

struct sigv4_request {
    const char *method;
    struct str path;              /* as sent */
    struct str query;             /* as sent, without "?" */
    const struct header *headers; /* everything to be signed, Host and X-Amz-Date included */
    size_t n_headers;
    struct str payload_hash; /* hexadecimal SHA-256 of the body, or "UNSIGNED-PAYLOAD" */
};

/* The canonical request; `*ret_signed` is the list of signed headers. */
struct str sigv4_canonical(struct arena *a, const struct sigv4 *s, const struct sigv4_request *r,
                           struct str *ret_signed);
struct str sigv4_string_to_sign(struct arena *a, const struct sigv4 *s, struct str canonical);
/* Hexadecimal signature. */
struct str sigv4_signature(struct arena *a, const struct sigv4 *s, struct str string_to_sign);
/* Value of the Authorization header: all stages. */
struct str sigv4_authorization(struct arena *a, const struct sigv4 *s,
                               const struct sigv4_request *r);

#endif
