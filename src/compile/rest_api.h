/* The REST API that `http` events make: what its files share. Events are read one by one
 * (event_http.c), everything is made when all are known, in the order of the functions below. */
#ifndef TROUPE_REST_API_H
#define TROUPE_REST_API_H

#include "base/vec.h"
#include "compile/internal.h"

/* Who may call a method. */
struct rest_authorizer {
    const struct node *type;       /* as configured, or NULL */
    const struct node *name;       /* NULL: nothing has to be made */
    const struct node *arn;        /* of the function or the user pool; NULL likewise */
    const struct node *id;         /* an authorizer that exists already, or NULL */
    struct str alias_id;           /* logical id of the function's alias, empty: none */
    const struct node *ttl;        /* seconds, or NULL */
    const struct node *source;     /* identity source, or NULL */
    const struct node *validation; /* of the identity, or NULL */
    const struct node *claims;     /* a sequence, or NULL */
    const struct node *scopes;     /* a sequence, or NULL */
    bool is_iam, is_cognito, is_external;
};

/* `cors` of an event, or of all events of a path merged. */
struct rest_cors {
    const struct node *origin;                      /* NULL when `origins` replace it */
    const struct node *origins, *methods, *headers; /* sequences; origins may be NULL */
    bool allows_credentials;
    const struct node *max_age, *cache_control; /* or NULL */
};

/* An `http` event as it was read. */
struct rest_event {
    const struct function *function;
    const struct node *node; /* the map, or NULL for the short form */
    struct pos pos;
    const struct node *path;                  /* without slashes at its ends */
    struct str method;                        /* upper case */
    const struct node *method_node;           /* the same, where it is written */
    struct str integration;                   /* AWS_PROXY, AWS, HTTP_PROXY, HTTP, MOCK */
    const struct node *request, *response;    /* what of them counts; or NULL */
    const struct node *parameters;            /* "method.request.header.X" -> value, or NULL */
    const struct node *connection_type;       /* or NULL */
    const struct rest_authorizer *authorizer; /* or NULL */
    const struct rest_cors *cors;             /* or NULL */
    struct str id;                            /* logical id of the method */
    struct node *properties;                  /* of the method, open for building */
};

/* A path of the API and how to name its resource. */
struct rest_resource {
    struct str path;
    const struct node *id; /* {"Ref": …}, or the id of a resource that exists already */
};

struct rest_preflight {
    struct str path;
    struct rest_cors cors;
    struct pos pos;
};

struct rest_state {
    const struct node *settings; /* provider.apiGateway, or NULL */
    const struct node *api;      /* RestApiId */
    const struct node *root;     /* id of the resource "/" */
    const struct node *stage;    /* the stage's name */
    VEC(struct rest_event) events;
    VEC(struct rest_resource) resources;
    VEC(struct rest_preflight) preflights; /* by path, in order of appearance */
    struct node *method_ids;               /* what the deployment waits for */
    struct str validator_id;               /* empty: none yet */
};

/* ---- reading ---- */

/* NULL with an error, or what `authorizer` of `event` says. */
const struct rest_authorizer *rest_authorizer_read(struct compilation *c,
                                                   const struct rest_event *event,
                                                   const struct node *value, struct err *err);
/* What `cors` of `event` says. */
const struct rest_cors *rest_cors_read(struct compilation *c, const struct rest_event *event,
                                       const struct node *value, struct err *err);
/* Merge the cors of `event` into that of its path. */
void rest_cors_add(struct compilation *c, const struct rest_event *event);
/* `integration`, `request`, `response`, `connectionType` of `event`. */
int rest_integration_read(struct compilation *c, struct rest_event *event, struct err *err);

/* ---- making, in this order ---- */

int rest_api_make(struct compilation *c, struct err *err);
int rest_resources_make(struct compilation *c, struct err *err);
int rest_cors_make(struct compilation *c, struct err *err);
int rest_methods_make(struct compilation *c, struct err *err);
int rest_validation_make(struct compilation *c, struct err *err);
int rest_authorizers_make(struct compilation *c, struct err *err);
int rest_deployment_make(struct compilation *c, struct err *err);
int rest_keys_make(struct compilation *c, struct err *err);
int rest_permissions_make(struct compilation *c, struct err *err);
int rest_logs_make(struct compilation *c, struct err *err);

/* ---- parts ---- */

/* Set api, root and stage of the state from the configuration. */
int rest_api_begin(struct compilation *c, struct err *err);
/* Does the service use an API of another stack? */
bool rest_api_is_imported(struct compilation *c);
/* The resource id of `path`; the root for an empty one. */
const struct node *rest_resource_id(struct compilation *c, struct str path);
/* ApiGatewayMethod<Path><Method> */
struct str rest_method_id(struct arena *a, struct str path, struct str method);
/* "users/{id}" of "/users/{id}/" */
struct str rest_path(struct str path);
/* Integration of a method. */
struct node *rest_integration(struct compilation *c, const struct rest_event *event,
                              struct err *err);
/* IntegrationResponses and MethodResponses of integrations that are no proxies; an empty sequence
 * when there is no response. */
struct node *rest_integration_responses(struct compilation *c, const struct rest_event *event);
struct node *rest_method_responses(struct compilation *c, const struct rest_event *event);
/* Put AuthorizationType and what belongs to it into `properties`; returns the logical id that the
 * method has to wait for, empty: none. */
struct str rest_authorization_put(struct compilation *c, const struct rest_authorizer *authorizer,
                                  struct node *properties);
/* Default request templates of the `lambda` integration, before claims are filled in. */
extern const char rest_template_json[], rest_template_form[];
/* Put a resource in place of an earlier one of the same id, as the dialect's last one wins. */
void rest_replace(struct compilation *c, struct str id, struct node *resource, struct pos from);
/* ["arn:", {Ref: AWS::Partition}, …] joined: the URI at which API Gateway invokes `target`. */
struct node *rest_invocation_uri(struct arena *a, const char *version, const struct node *function,
                                 const struct node *alias, const char *ending);

#endif
