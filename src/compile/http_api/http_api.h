/* What the files of HTTP APIs (`httpApi` events) share; nothing else includes this. */
#ifndef TROUPE_COMPILE_HTTP_API_HTTP_API_H
#define TROUPE_COMPILE_HTTP_API_HTTP_API_H

#include "compile/compile_internal.h"

/* State between the events of a service. */
struct http_state {
    const struct node *settings;  /* provider.httpApi, or NULL */
    const struct node *id;        /* ApiId everywhere: of an existing API, or a Ref */
    bool is_existing;             /* the API is somebody else's: provider.httpApi.id */
    struct node *allowed_methods; /* of CORS, while routes still add theirs; else NULL */
};

/* The API, its stage, log group and outputs: http_api_resources.c */
int http_api_resources(struct compilation *c, struct err *err);
/* provider.httpApi.authorizers: http_api_authorizers.c */
int http_api_authorizers(struct compilation *c, struct err *err);
/* Put the authorization of the route of `event` into its `properties`. */
int http_api_authorize(struct compilation *c, const struct event *event, struct node *properties,
                       struct err *err);
/* {"Fn::Join": …}: what may call a function on behalf of this API. */
struct node *http_api_source_arn(struct compilation *c);
/* Is there one API for all stages? */
bool http_api_is_shared(const struct compilation *c);
/* A method that a route can have: GET …, or ANY. */
bool http_api_is_method(struct str method);
/* CORS without `allowedMethods` allows what the routes take; an empty method is any. */
void http_api_allow_method(struct compilation *c, struct str method);
/* Items of a list without repetitions; anything else becomes a list of one. */
struct node *http_api_set(struct arena *a, const struct node *items);

#endif
