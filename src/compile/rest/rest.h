/* What the files of REST APIs share: those of `http` events, and of state machines' methods.
 *
 * Events are read and checked one by one (rest_read, rest_authorizer_read), then everything is made
 * at once, because preflight methods and the resource tree need all of them. */
#ifndef TROUPE_COMPILE_REST_REST_H
#define TROUPE_COMPILE_REST_REST_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "compile/compile_internal.h"

/* Who may call a method. */
struct rest_authorizer {
    const struct node *node; /* as configured */
    struct str type;         /* as configured; "AWS_IAM" when it is that; may be empty */
    unsigned flags;          /* of everything that it says */
    struct str name;
    const struct node *arn;         /* of the function or user pool; NULL: no resource is made */
    const struct node *external_id; /* authorizerId */
    const struct function *function;
    const struct node *ttl_s; /* NULL: not said */
    const struct node *identity_source;
    const struct node *claims, *scopes;
    bool is_managed_externally, is_cognito;
};

/* An `http` event as read. */
struct rest_event {
    struct event event;
    const struct node *settings;                /* the map; NULL for the short form */
    const struct node *path_node, *method_node; /* where they are written */
    struct str path;                            /* without slashes around it */
    struct str method;                          /* upper case, e.g. ANY */
    const char *integration;                    /* AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK */
    const struct rest_authorizer *authorizer;   /* NULL: none */
    const struct node *cors;                    /* NULL: none; see rest_cors_read */
    struct node *parameters; /* method.request.<place>.<name> -> true, false or a map */
    const struct node *request, *response; /* may be NULL */
};

struct rest_state {
    const struct node *settings; /* provider.apiGateway, or NULL */
    const struct node *id;       /* RestApiId everywhere: of an existing API, or a Ref */
    const struct node *root;     /* id of the root resource */
    bool is_existing;            /* the API is somebody else's: provider.apiGateway.restApiId */
    VEC(struct rest_event) events;
    struct map resource_ids; /* path -> const struct node * */
    size_t known_ids;        /* of these, how many the file gives */
    struct map same_name;    /* name_path -> struct named_path *, the last that has it */
    struct node *method_ids; /* what the deployment waits for */
};

/* ---- words (rest_event.c) ---- */

/* The event's own words: {`key`} of the map form, NULL when absent or null. */
const struct node *rest_setting(const struct rest_event *e, const char *key);
/* ApiGatewayMethod<Path><Method> */
struct str rest_method_id(struct arena *a, struct str path, struct str method);

/* ---- the steps, in order ---- */

int rest_begin(struct compilation *c, struct err *err);      /* event_http.c */
int rest_api(struct compilation *c, struct err *err);        /* rest_api.c */
int rest_resources(struct compilation *c, struct err *err);  /* rest_resources.c */
void rest_preflights(struct compilation *c);                 /* rest_cors.c */
int rest_methods(struct compilation *c, struct err *err);    /* rest_method.c */
void rest_validation(struct compilation *c);                 /* rest_validation.c */
void rest_authorizers(struct compilation *c);                /* rest_authorizer.c */
int rest_deployment(struct compilation *c, struct err *err); /* rest_api.c */
int rest_keys(struct compilation *c, struct err *err);       /* rest_keys.c */
void rest_permissions(struct compilation *c);                /* rest_authorizer.c */
int rest_logs(struct compilation *c, struct err *err);       /* rest_logs.c */
/* The custom resource that lets API Gateway write logs, once for all kinds of API. */
int rest_account_role(struct compilation *c, struct pos pos, struct err *err);

/* ---- for methods that are no function's: compile/step_functions ---- */

/* The API, where no function has made it; its policy and address, where one has. */
int rest_api_merge(struct compilation *c, struct err *err); /* rest_api.c */
/* The resources of the event's path: rest_resources.c */
int rest_path(struct compilation *c, const struct rest_event *e, struct err *err);
/* Models and validator of its method: rest_validation.c */
void rest_validate(struct compilation *c, const struct rest_event *e);
/* The deployment waits for `methods`, too; it is made where there is none: rest_api.c */
int rest_deployment_extend(struct compilation *c, const struct node *methods, struct pos pos,
                           struct err *err);

/* ---- pieces ---- */

/* Read `authorizer` of `e` into it. */
int rest_authorizer_read(struct compilation *c, struct rest_event *e, struct err *err);
/* Put how a method is authorized into its `properties`; the result is what it depends on, or empty.
 */
struct str rest_authorize(struct compilation *c, const struct rest_event *e,
                          struct node *properties);
/* `cors` of an event, filled up with defaults: {origin, origins, methods, headers, …}. */
const struct node *rest_cors_read(struct arena *a, const struct node *cors, struct str method);
/* The texts of a list, with commas between: a value of a CORS header. */
struct str rest_joined(struct arena *a, const struct node *list);
/* Integration of a method, and its MethodResponses: rest_integration.c, rest_responses.c */
const struct node *rest_integration(struct compilation *c, const struct rest_event *e,
                                    struct err *err);
/* Status codes and what they answer; NULL: the integration says nothing about them. */
const struct node *rest_status_codes(struct arena *a, const struct rest_event *e);
const struct node *rest_integration_responses(struct arena *a, const struct rest_event *e);
const struct node *rest_method_responses(struct arena *a, const struct rest_event *e);
/* The default request templates of `lambda`: {content type: template}. */
struct node *rest_default_templates(struct arena *a);

#endif
