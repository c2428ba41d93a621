/* Compiling: from the model to one flat CloudFormation template, the same that the dialect's
 * reference writes.
 *
 * Pure. Every resource and value made from configuration carries the place (and flags) it was made
 * from: `node_pos(resource)` is the function, event or `resources:` entry responsible. */
#ifndef TROUPE_COMPILE_H
#define TROUPE_COMPILE_H

#include "config/config.h"
#include "pack/pack.h"

enum naming {
    NAMING_FLAT, /* as the reference: <service>-<stage>-<function>, /aws/lambda/<service>-<stage>-…
                  */
    NAMING_SHARED, /* stage-free names for shared functions, their log groups and the REST API:
                      <service>-<function>; what each stage has of its own keeps the stage */
};

struct compile_options {
    enum naming naming;
    /* Key of an image (struct compile_image) -> its URI with the digest. NULL: not asked; images
     * stay as the file names them. */
    const struct node *images;
    struct str artifact_dir; /* S3 key prefix of the zips: "serverless/<service>/<stage>/<time>-<iso
                                time>" */
    /* Gets what is odd; of a flat template, too, what Lambda would refuse, which is an error of
     * others. May be NULL. */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help);
    void *warn_context;
    int64_t time_ms; /* what `forceDeploy` writes, so that the resource changes; 0: nothing */
};

/* A container image as the file names it. */
struct compile_image {
    struct str key;              /* its URI, or its name in provider.ecr.images */
    struct str uri;              /* empty: it is built */
    struct str name, path;       /* of one that is built: its name, the folder, */
    struct str file;             /* the Dockerfile in it, */
    const struct node *settings; /* and its map in the file, or NULL */
    struct pos pos;
};
/* What value `image` of a function names. ERR_CONFIG with a place. */
int compile_image(const struct service *service, const struct node *image,
                  struct compile_image *ret, struct err *err);
/* Those of all functions that have no digest, each once. `err` gets all that is wrong. */
int compile_images(struct arena *a, const struct service *service, struct compile_image **ret,
                   size_t *ret_n, struct err *err);
/* The hexadecimal digits behind "@sha256:", or nothing. */
struct str compile_image_digest(struct str uri);

/* What compile knows and the template does not say. */
struct compiled_function {
    const struct function *function;
    struct str logical_id;           /* FooLambdaFunction */
    struct str log_group_id;         /* FooLogGroup, empty when logs are disabled */
    struct str version_id;           /* logical id of its AWS::Lambda::Version, empty: none */
    struct str role_id;              /* logical id of a role of its own, empty: none */
    const struct artifact *artifact; /* NULL for images */
};

/* A layer of the service's own. */
struct compiled_layer {
    struct str key;
    struct str logical_id;           /* CommonLambdaLayer */
    const struct artifact *artifact; /* NULL: nothing was packed */
    struct pos pos;
};

struct compiled {
    const struct node *template;         /* AWSTemplateFormatVersion … Outputs */
    struct compiled_function *functions; /* as service->functions */
    size_t function_count;
    struct compiled_layer *layers; /* as `layers` of the file */
    size_t layer_count;
    struct str rest_api_id; /* logical id of the AWS::ApiGateway::RestApi made for `http` events;
                               empty: none */
    struct str rest_deployment_id; /* logical id of its Deployment */
    struct str http_api_id; /* logical id of the AWS::ApiGatewayV2::Api made for `httpApi` events */
    struct str websocket_deployment_id; /* of the Deployment made for `websocket` events */
    bool has_handlers; /* functions for custom resources, whose code is in compile/handlers.h */
};

/* Compile `service`. `packed` gives hashes and names of the zips; NULL gives empty hashes (plan of
 * the names only). `*ret` lives in `a`. ERR_CONFIG with a place for what the dialect refuses. */
int compile_service(struct arena *a, const struct service *service, const struct packed *packed,
                    const struct compile_options *options, struct compiled *ret, struct err *err);

/* What `provider` says of every role that is made: a map of Path, Tags and PermissionsBoundary, of
 * those that it says. */
const struct node *compile_role_settings(struct arena *a, const struct service *service);

/* `artifact_dir` as the reference names it for a package made at `time_ms` (since 1970):
 * "serverless/<service>/<stage>/<time_ms>-2026-01-31T12:00:00.000Z", with provider.deploymentPrefix
 * in front when that is set. */
struct str compile_artifact_dir(struct arena *a, const struct service *service, int64_t time_ms);

/* The template that only creates the deployment bucket, as `package` leaves it beside the other
 * (cloudformation-template-create-stack.json). NULL: the service brings its own bucket. */
const struct node *compile_create_stack(struct arena *a, const struct service *service);

/* How the logical ids of a function begin: "foo-bar_baz" -> "FooDashbarUnderscorebaz". */
struct str name_normalize(struct arena *a, struct str function_key);

#endif
