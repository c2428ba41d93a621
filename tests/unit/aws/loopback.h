/* An HTTP server on loopback for tests: plays a list of replies, remembers the requests. */
#ifndef TROUPE_TEST_LOOPBACK_H
#define TROUPE_TEST_LOOPBACK_H

#include "base/str.h"

enum manner {
    WHOLE,  /* the reply as it is */
    RESET,  /* read the request, then reset the connection */
    CUT,    /* send half of the body, then close */
    DRIP,   /* send the body a byte at a time, slowly */
    SILENT, /* read the request, then say nothing until the server stops */
};

struct reply {
    int status;
    const char *headers; /* "Name: value\r\n" each, NULL: none */
    const char *body;
    enum manner manner;
    int delay_ms;
};

struct loopback;

/* The n-th request gets the n-th reply, all later ones the last. */
struct loopback *loopback_start(const struct reply *replies, size_t n);
/* A server that answers each request (head and body) with what `answer` makes of it, in `a`. Many
 * threads call that at once, and requests are not remembered. */
typedef void loopback_answer(void *context, struct arena *a, struct str request, struct reply *ret);
struct loopback *loopback_serve(loopback_answer *answer, void *context);
/* Stop, wait for its threads, release. */
void loopback_stop(struct loopback *server);
/* "http://127.0.0.1:port" */
struct str loopback_url(const struct loopback *server);
size_t loopback_requests(struct loopback *server);
size_t loopback_connections(struct loopback *server);
/* Head and body of request `i`. */
struct str loopback_request(struct loopback *server, size_t i);
/* Value of a header of request `i`, by its lower-case name; empty: absent. */
struct str loopback_header(struct arena *a, struct loopback *server, size_t i, const char *name);

#endif
