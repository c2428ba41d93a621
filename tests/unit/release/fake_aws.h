/* A small AWS on loopback, in this process: S3, Lambda, API Gateway, CloudFormation and STS as far
 * as troupe's engine uses them, with what goes wrong at AWS on request.
 *
 * Its clock is its own: what has passed on the test's clocks (fake_clock.h), and `skew_ms`. The
 * server's threads and the test share the state: whoever reads or writes it here holds the lock. */
#ifndef TROUPE_TEST_FAKE_AWS_H
#define TROUPE_TEST_FAKE_AWS_H

#include <pthread.h>

#include "aws/aws.h"
#include "base/buf.h"
#include "base/vec.h"
#include "loopback.h"

#define FAKE_BUCKET "deployments"
#define FAKE_ACCOUNT "123456789012"

struct fake_aws;

enum fault {
    FAULT_REFUSE, /* status, code and message instead of an effect */
    FAULT_LOST,   /* it takes effect, and the answer is lost */
    FAULT_BROKEN, /* the connection breaks before it takes effect */
    FAULT_RACE,   /* `race` runs just before: somebody else was faster */
};

struct fake_fault {
    enum fault kind;
    const char *operation; /* "PutObject" */
    const char *target;    /* part of its path or form, NULL: any */
    int status;
    const char *code, *message;
    void (*race)(struct fake_aws *aws); /* under the lock */
    int skip, times;                    /* after so many, so often (0: once) */
};

struct fake_object {
    struct str bucket, key, body, etag;
    int64_t modified_ms;
};

struct fake_function {
    struct str name;
    struct node *head;           /* its configuration as GetFunction has it */
    VEC(struct node *) versions; /* of the same kind */
    VEC(struct str) resources;   /* logical ids of those that a stack made, "": none did */
    VEC(struct node *) aliases;  /* as GetAlias has them */
    int busy;                    /* how many answers still say that an update is in progress */
    int pending;                 /* the same of versions that are Pending */
    int failing;                 /* how many updates still fail after their answer */
    bool broken;                 /* versions that are published now cannot start */
};

struct fake_api {
    struct str id;
    bool http;                              /* of API Gateway v2 */
    struct node *resources;                 /* seq, as GetResources has them, or GetRoutes */
    struct node *integrations;              /* seq, as GetIntegrations has them */
    VEC(struct node *) deployments, stages; /* as API Gateway has them */
};

struct fake_alarm {
    const char *name, *state, *reason;
};

/* What happens in a stack during an operation; of the stack itself when `id` is NULL. */
struct fake_step {
    const char *id, *type, *status, *reason, *physical;
};

struct fake_event {
    struct str id, token;
    struct fake_step step;
};

struct fake_stack {
    struct str region, name, id, status, template, tags_text, parameters_text;
    const struct node *outputs, *tags, *parameters;
    const struct node *made;       /* template that it was brought to last */
    struct node *physical;         /* logical id -> physical id, where it is not the usual one */
    VEC(struct fake_event) events; /* oldest first */
    struct str set_type, set_template; /* of its change set */
    const struct node *set_physical;   /* what that one imports */
};

struct fake_log_group {
    struct str name;
    int64_t retention_days; /* 0: for ever */
    const struct node *tags;
};

struct fake_upload {
    const char *key;
    int64_t begun_ms;
};

struct fake_aws {
    struct arena *arena; /* of the state */
    pthread_mutex_t lock;
    pthread_cond_t called;
    struct loopback *server;
    int64_t skew_ms;
    size_t page; /* events, stacks and objects of one answer; 0: all */
    bool no_bucket;
    VEC(struct fake_object) objects;
    VEC(struct fake_upload) uploads; /* in parts */
    VEC(struct fake_function) functions;
    VEC(struct fake_api) apis;
    VEC(struct fake_stack) stacks;
    VEC(struct fake_alarm) alarms;
    const char *interface;   /* of Lambda, that is in every network; NULL: none */
    VEC(struct str) deleted; /* physical ids of what CloudFormation deleted */
    VEC(struct fake_log_group) log_groups;
    struct node *values;              /* of SSM and Secrets Manager (fake_values.c); NULL: none */
    struct str log_role;              /* with which API Gateway writes logs; empty: none */
    const struct node *domains;       /* custom domain -> ids of the REST APIs that it leads to */
    const struct fake_step *script;   /* of the next operation on a stack; NULL: it succeeds */
    size_t script_count, script_skip; /* after so many */
    const char *foreseen;             /* <member>s of a change set's Changes */
    const char *import_status;        /* execution status of change sets; NULL: "AVAILABLE" */
    VEC(struct fake_fault) faults;
    VEC(struct str) calls; /* "PutObject /deployments/troupe/…" */
    struct str parsed; /* template that was read last, the text itself, and its value: each page */
    const struct node *parsed_value; /* of a large stack's resources asks for it */
    size_t made;                     /* ids so far */
};

struct fake_aws *fake_aws_start(void);
void fake_aws_stop(struct fake_aws *aws);
/* The one of all tests of a program; for cmocka, of the group. */
extern struct fake_aws *cloud;
int cloud_start(void **state);
int cloud_stop(void **state);
/* Empty again; its clock and the test's are at their start. */
void fake_aws_reset(struct fake_aws *aws);
/* A client of it, at home or in another region. Stacks and buckets are of a region; what is in
 * stacks has a name that no other region has. */
#define FAKE_REGION "eu-central-1"
struct aws *fake_aws_client(struct fake_aws *aws);
struct aws *fake_aws_client_in(struct fake_aws *aws, struct str region);
/* `client` of a release whose stages are all in one region: fails. */
struct aws *fake_no_client(void *context, struct str region, struct err *err);

void fake_fault(struct fake_aws *aws, struct fake_fault fault);
/* Calls of `operation` so far. */
size_t fake_calls(struct fake_aws *aws, const char *operation);
/* Wait until there were `n`. */
void fake_await_calls(struct fake_aws *aws, const char *operation, size_t n);

/* Objects, as somebody else puts, reads and deletes them. Those with `_locked` are for races. */
void fake_put(struct fake_aws *aws, const char *key, struct str body);
void fake_put_locked(struct fake_aws *aws, const char *key, struct str body);
/* Its body, in the fake's arena; p NULL: there is none. */
struct str fake_get(struct fake_aws *aws, const char *key);
void fake_delete(struct fake_aws *aws, const char *key);
/* The same in any bucket; and how many objects it has. */
void fake_put_in(struct fake_aws *aws, const char *bucket, const char *key, struct str body);
size_t fake_count_in(struct fake_aws *aws, const char *bucket);
void fake_log_group_add(struct fake_aws *aws, const char *name, int64_t retention_days,
                        const struct node *tags);
bool fake_log_group_is(struct fake_aws *aws, const char *name);

/* ---- the services, for the server (under the lock) ---- */

struct fake_request {
    struct arena *arena; /* of the answer */
    struct str method, path, query, body, head;
    struct str region, service, operation;
};

/* A value of a query or a form, decoded; empty: absent. */
struct str fake_param(struct arena *a, struct str form, const char *name);
struct str fake_decode(struct arena *a, struct str s);
struct str fake_header(const struct fake_request *q, const char *name);
struct str fake_id(struct fake_aws *aws, const char *prefix);
void fake_json(const struct fake_request *q, const struct node *body, struct reply *ret);
/* An error as the service of the request writes it. */
void fake_refuse(const struct fake_request *q, int status, const char *code, const char *message,
                 struct reply *ret);
struct fake_object *fake_object_find(struct fake_aws *aws, struct str key);
struct fake_object *fake_object_find_in(struct fake_aws *aws, struct str bucket, struct str key);

struct fake_function *fake_function_find(struct fake_aws *aws, struct str name);
struct fake_stack *fake_stack_find(struct fake_aws *aws, struct str name);

const char *fake_lambda_operation(const struct fake_request *q);
void fake_lambda(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
const char *fake_gateway_operation(const struct fake_request *q);
void fake_gateway(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
void fake_http_api(struct fake_aws *aws, struct fake_api *api, const struct fake_request *q,
                   struct reply *ret);
void fake_cloudwatch(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
void fake_ec2(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
void fake_cloudformation(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
const char *fake_target_operation(const struct fake_request *q);
void fake_values(const struct fake_aws *aws, const struct fake_request *q, struct reply *ret);
void fake_logs(struct fake_aws *aws, const struct fake_request *q, struct reply *ret);

/* Physical id of a stack's resource: its own, its name, or made of both logical names. */
struct str fake_physical(struct fake_aws *aws, const struct fake_stack *stack, struct str id);
/* Is a bucket of the stack, that goes with it, not empty? Its logical id; p NULL: none. */
struct str fake_full_bucket(struct fake_aws *aws, const struct fake_stack *stack);
/* Delete what the stack's template has and `next` has not (NULL: all that does not stay by its
 * DeletionPolicy). */
void fake_unmake(struct fake_aws *aws, const struct fake_stack *stack, const struct node *next);
/* ResourceIdentifierSummaries of a template: what its resources are imported by. */
void fake_identifiers(struct arena *a, const struct node *template, struct buf *b);

/* Make what the stack's template has that this AWS knows, and its Outputs. `form` has the
 * parameters. */
void fake_make(struct fake_aws *aws, struct fake_stack *stack, struct str form);

/* A function whose code is `code` and whose configuration is `json`, with revision and state. */
struct fake_function *fake_function_add(struct fake_aws *aws, const char *name, const char *json,
                                        struct str code);
/* A stack that is there already; tags of the service's and, unless empty, the stage's. */
struct fake_stack *fake_stack_add(struct fake_aws *aws, const char *name, const char *service,
                                  const char *stage, const char *status, const char *template);
struct fake_api *fake_api_add(struct fake_aws *aws, const char *id);
struct fake_api *fake_api_find(struct fake_aws *aws, struct str id);
/* The stage of an API, as API Gateway has it, or NULL. */
struct node *fake_api_stage(struct fake_api *api, struct str name);

#endif
