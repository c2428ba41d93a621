/* What the files of compile/ share: the template under construction, names, and the table of event
 * compilers. Nothing outside compile/ includes this. */
#ifndef TROUPE_COMPILE_INTERNAL_H
#define TROUPE_COMPILE_INTERNAL_H

#include "compile/compile.h"

/* A compilation under way. */
struct compilation {
    struct arena *arena;
    const struct service *service;
    const struct packed *packed;
    const struct compile_options *options;
    struct compiled *out;
    const struct node *provider; /* service->root.provider */
    struct node *resources;      /* Resources of the template, open for building */
    struct node *outputs;        /* Outputs, likewise */
    /* Further state of one subject lives behind an opaque pointer, made by its `begin`. */
    struct rest_state *rest;
    struct http_state *http;
    struct node *role_statements; /* statements that events add to the function role, in order */
};

/* One event of a function, as its compiler sees it. */
struct event {
    const struct function *function;
    size_t function_index;
    size_t index;            /* among the function's events */
    const struct node *node; /* the value: `http: GET hello` -> the string, or the map */
    struct pos pos;          /* of the event's key */
};

/* A kind of event. `begin` runs before any event when the service has at least one of this kind;
 * `compile` for each in order; `finish` afterwards. Any but `compile` may be NULL. */
struct event_type {
    const char *key; /* "http", "sqs" … */
    int (*begin)(struct compilation *c, struct err *err);
    int (*compile)(struct compilation *c, const struct event *event, struct err *err);
    int (*finish)(struct compilation *c, struct err *err);
};

/* One file per kind: compile/event_<key>.c. The table is in compile/events.c. */
extern const struct event_type event_http, event_http_api, event_schedule, event_sns, event_sqs,
    event_s3, event_stream, event_event_bridge;

/* ---- names (compile/names.c): the reference's rules for logical ids ---- */

/* "foo-bar_baz" -> "FooDashbarUnderscorebaz" */
struct str name_normalize(struct arena *a, struct str function_key);
/* Alphanumeric characters only, first letter upper case. */
struct str name_alphanumeric(struct arena *a, struct str s);
/* "users/{id}" -> "UsersIdVar" */
struct str name_path(struct arena *a, struct str path);
/* FooLambdaFunction of a function. */
struct str name_function_id(struct compilation *c, const struct function *f);
/* The stage-dependent prefix of generated names: "<service>-<stage>" (NAMING_FLAT). */
struct str name_prefix(struct compilation *c);

/* ---- shared pieces ---- */

/* Where events aim: {"Fn::GetAtt": ["FooLambdaFunction", "Arn"]}, or the alias for provisioned concurrency
 * as the reference does it. */
const struct node *target_arn(struct compilation *c, const struct function *f);
/* Add a resource {Type, Properties, …}; an existing id is an error that shows both places. `from` gives the
 * position. */
int resource_add(struct compilation *c, struct str id, struct node *resource, struct pos from,
                 struct err *err);
/* {"Type": type, "Properties": properties} */
struct node *resource_new(struct arena *a, const char *type, const struct node *properties);
/* AWS::Lambda::Permission for `target`: Action lambda:InvokeFunction, Principal, SourceArn (may be NULL). */
struct node *permission_new(struct arena *a, const struct node *target, const struct node *principal,
                            const struct node *source_arn);

#endif
