/* Custom resources: what CloudFormation has no type for is done by a function that it calls, the
 * handler. There is one for each kind of thing; all have the same role and the same zip. */
#ifndef TROUPE_COMPILE_CUSTOM_RESOURCES_H
#define TROUPE_COMPILE_CUSTOM_RESOURCES_H

#include "base/vec.h"
#include "compile/compile_internal.h"

struct custom_handler {
    const char *name;  /* how the function's name ends */
    const char *entry; /* Handler */
};
extern const struct custom_handler custom_s3, custom_user_pool, custom_event_bridge,
    custom_account_role;

/* Add the function `handler`, its log group when `provider.logs.frameworkLambda` asks for one, and
 * `statements` to the role of all handlers, which is made with the first. ERR_CONFIG when a logical
 * id is taken. */
int custom_handler_add(struct compilation *c, const struct custom_handler *handler,
                       const struct node *statements, struct pos pos, struct err *err);

/* A resource of `type` that `handler` looks after. `properties` gets ServiceToken and, when `f` is
 * not NULL, FunctionName; the resource then depends on the function and the handler, and on
 * `previous` unless that is empty. */
struct node *custom_resource_new(struct compilation *c, const struct custom_handler *handler,
                                 const char *type, struct node *properties,
                                 const struct function *f, struct str previous);

/* {"Fn::Join": [":", [arn, partition, service, region, account, rest, more]]}; `more` may be NULL.
 */
struct node *custom_arn(struct arena *a, const char *service, const char *rest, const char *more);

/* A sequence of `n` texts. */
struct node *texts_new(struct arena *a, size_t n, const char *const *texts);
#define TEXTS(a, ...)                                                      \
    texts_new((a), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
              (const char *[]){__VA_ARGS__})

/* ---- things that exist already (events/existing.c): one resource a function ---- */

struct existing_kind {
    const struct custom_handler *handler;
    const char *type;       /* Custom::S3 */
    const char *id_ending;  /* of the logical id of a function's resource */
    const char *what;       /* "bucket", for messages */
    const char *key;        /* the setting that names it, and the property that does */
    const char *property;   /* BucketName */
    const char *configured; /* BucketConfigs: the property with what is asked for */
};

struct existing_use {
    const struct function *function;
    const struct node *thing; /* name of the bucket or pool */
    struct str id;
    struct pos pos;
    struct node *configurations; /* a sequence */
    bool is_forced;              /* `forceDeploy` of the first event */
};

struct existing {
    VEC(struct existing_use) uses; /* in order of functions */
};

/* Note what one event asks for. ERR_CONFIG when its function has another thing already. 1: it is
 * the first event of its function. */
int existing_note(struct compilation *c, struct existing *e, const struct existing_kind *kind,
                  const struct event *event, const struct node *configuration, struct err *err);
/* The statement by which the handler may add permissions to functions and take them away: with
 * stages to those of the events noted, else to all. */
const struct node *existing_call_rights(struct compilation *c, const struct existing *e);
/* Add the resources of all events noted. */
int existing_add(struct compilation *c, const struct existing *e, const struct existing_kind *kind,
                 struct err *err);

#endif
