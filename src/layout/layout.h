/* Layout: from the flat template to a service stack, a stage stack, and definitions to publish.
 *
 * A pure function of the compiled template and the `custom.troupe` settings (docs/design.md,
 * "Layout"). The service template holds what is independent of stages; the stage template holds
 * pointers and the stage's own resources; functions and APIs that are shared between stages
 * become *definitions*, which the release publishes as versions and deployments.
 *
 * References follow their target. In the stage template a function means its alias. What a stage
 * needs from the service stack comes in as template Parameters, named by logical id (Ref) or
 * logical id and attribute (GetAtt); the service template has an Output of the same name.
 *
 * The stage template has holes, each a map with one key, that layout_fill replaces:
 * {"Troupe::Version": key}, {"Troupe::Deployment": api id}, {"Troupe::ArtifactKey": function key},
 * {"Troupe::Bucket": null}. */
#ifndef TROUPE_LAYOUT_H
#define TROUPE_LAYOUT_H

#include "config/config.h"
#include "compile/compile.h"

/* The bucket in the service stack, unless provider.deploymentBucket names one of the user's; and
 * the Output that names either. */
#define SERVICE_BUCKET "ServerlessDeploymentBucket"
#define SERVICE_BUCKET_OUTPUT "ServerlessDeploymentBucketName"
/* The bucket in the stack of a remote stage, for copies of its artifacts, and the Output that names
 * it: in the stage template when service->remote. */
#define REMOTE_BUCKET "TroupeArtifactBucket"
#define REMOTE_BUCKET_OUTPUT "TroupeArtifactBucketName"

/* Folder of the bucket in which everything of troupe lies. */
#define LAYOUT_FOLDER "troupe"
/* Key of a zip in the bucket: "troupe/<service>/artifacts/<sha256>.zip". */
struct str layout_artifact_key(struct arena *a, struct str service, struct str sha256);

struct layout_function {
    struct str key;        /* as in serverless.yml */
    struct str name;       /* FunctionName */
    struct str logical_id; /* of the function in the flat template */
    struct str alias_id;   /* of its alias in the stage template */
    bool per_stage;
    bool of_stage; /* its name says the stage's */
    bool waits; /* shared: a value of its definition needs a pointer to what is published first */
    /* Shared functions: all properties as CloudFormation names them, without Code, FunctionName,
     * Tags and ReservedConcurrentExecutions; may hold references (layout_resolve). */
    const struct node *definition;
    const struct node *image;        /* ImageUri, NULL for zips */
    const struct artifact *artifact; /* NULL for images */
    struct pos pos;
};

/* What a published version keeps: members of UpdateFunctionConfiguration, with the value that means
 * "not set". Source: Lambda API reference, UpdateFunctionConfiguration and the defaults named
 * there. Ends with a NULL member. */
struct layout_published {
    const char *member;   /* in the API */
    const char *property; /* in CloudFormation */
    const char *unset; /* JSON; NULL: what was made without it stays so, and the other way round */
    enum { PUBLISHED_BOTH, PUBLISHED_ZIP, PUBLISHED_IMAGE } applies;
};
extern const struct layout_published layout_published[];

/* A layer of the service's own. */
struct layout_layer {
    struct str key; /* as in serverless.yml */
    struct str id;  /* logical id of the version: with a hash of what is in it */
    const struct artifact *artifact;
    bool per_stage; /* the stage's stack makes it, else the service's */
};

enum api_kind { API_REST, API_HTTP };
struct layout_api {
    enum api_kind kind;
    struct str id;               /* logical id of the API */
    struct str stage_id;         /* logical id of its stage (a resource) in the stage template */
    const struct node *document; /* OpenAPI; may hold references */
    struct pos pos;
};

/* After the logical id of a shared HTTP API: the Output of the service stack with its CORS settings
 * as "x-amazon-apigateway-cors" has them, JSON. An import must bring them along. */
#define LAYOUT_CORS "Cors"

/* A value that definitions need from the stage stack, as an Output there. */
struct layout_value {
    struct str output; /* "TroupeValue…" */
    const struct node *expression;
    struct pos pos; /* where it is needed */
};

struct layout {
    const struct node *service_template; /* today's whole service template */
    const struct node *stage_template;   /* NULL without a stage */
    struct layout_function *functions;
    size_t function_count;
    struct layout_api *apis;
    size_t api_count;
    struct layout_layer *layers;
    size_t layer_count;
    struct layout_value *values;
    size_t value_count;
    struct str *warnings; /* what the user should know: tags left out and the like */
    size_t warning_count;
};

/* What is to be packed, compiled and laid out. */
struct left_out {
    const struct service *service; /* the one that was given when there is nothing to leave out */
    struct str *warnings;          /* which functions are left out, and why */
    size_t warning_count;
};
/* `service` without the functions whose `condition` is false for its stage, and without what
 * `resources` has under conditions that are false, when such a function is left out. Without a
 * stage only what is false for all stages goes. ERR_CONFIG with places: no such condition, one that
 * only CloudFormation can decide, a reference to what is left out. */
int layout_leave_out(struct arena *a, const struct service *service, struct left_out *ret,
                     struct err *err);

/* Lay out `compiled` (made with NAMING_SHARED). ERR_CONFIG with places: a cycle between functions
 * and aliases, a service-scoped resource that depends on the stage, names over CloudFormation's
 * limits. */
int layout_service(struct arena *a, const struct service *service, const struct compiled *compiled,
                   struct layout *ret, struct err *err);

/* What AWS is certain to refuse in `compiled`: references and dependencies that name nothing, names
 * that two have, REST routes with different variables in one place, environment variables with
 * names that Lambda does not take, dynamic references that are none, what functions at CloudFront's
 * edge cannot have. Nothing that CloudFormation
 * takes is refused; what macros and modules may add is not judged. `err` gets all of it, ERR_CONFIG
 * with places (err_also). */
int layout_check(struct arena *a, const struct service *service, const struct compiled *compiled,
                 struct err *err);

/* Name of the stack of `service` (stage empty) or of a stage: `_` becomes `-`, over 128 characters
 * are cut with a hash. */
struct str layout_stack_name(struct arena *a, const struct service *service, struct str stage);

/* What fills a hole: a literal, or NULL to leave it. `kind` is the hole's key, `name` its value. */
typedef const struct node *layout_filler(void *context, struct arena *a, struct str kind,
                                         struct str name);
const struct node *layout_fill(struct arena *a, const struct node *tree, layout_filler *filler,
                               void *context);

/* ---- values of definitions (values.c) ---- */

/* Values known to layout_resolve: pseudo parameters ("AWS::Region"), parameters (Outputs of the
 * service stack) and Outputs of the stage stack ("TroupeValue…"). NULL: not known. */
typedef const struct node *layout_lookup(void *context, struct arena *a, struct str name);

/* `tree` with every reference replaced by its literal. Join, Sub and If are evaluated here; the
 * value of any other function and of every reference to a resource is in an Output of the stage
 * stack, named by layout_value_name (a branch of an If is guarded by its condition). NULL with
 * ERR_NOT_FOUND when a value is not known. */
const struct node *layout_resolve(struct arena *a, const struct node *tree, layout_lookup *lookup,
                                  void *context, struct err *err);
/* LAYOUT_VALUE and a hash of the expression: 12 hexadecimal digits. */
#define LAYOUT_VALUE "TroupeValue"
struct str layout_value_name(struct arena *a, const struct node *expression);

/* The AWS::ApiGateway::Stage that `deployment`, with logical id `id`, has made by its StageName,
 * in an API of the same template. NULL: none. */
const struct node *layout_stage_made_by(struct arena *a, struct str id,
                                        const struct node *deployment);

/* ---- the prepare step (expand.c) ---- */

/* Is resource `id` of the service stack the head of a shared function? A function that the user put
 * there is none. */
bool layout_is_head(const struct layout *layout, struct str id);
/* The role of heads whose functions name none that exists. */
#define LAYOUT_HEAD_ROLE "TroupeHeadRole"

/* What provider.stackParameters says of parameter `name`: its entry, or NULL. */
const struct node *layout_given_parameter(const struct service *service, struct str name);

/* The template of an update before anything is published: `old` (NULL for a new stack) with those
 * resources of `target` that the values need, and the values as Outputs. A value that needs a
 * pointer to what is not published yet (its hole in `target` is open) waits, its Output is put into
 * `ret_waiting`: publish what can be, fill the holes and ask again. NULL when nothing has to be
 * done first: no values, or all of their resources and Outputs stand in `old` unchanged, and none
 * takes a parameter of `changed` (a map of names: those that get another value; NULL: none). Other
 * holes of `target` must be filled. */
const struct node *layout_expand(struct arena *a, const struct layout *layout,
                                 const struct node *target, const struct node *old,
                                 const struct node *changed, struct map *ret_waiting);

/* ---- rights (rights.c) ---- */

/* Template `now` (NULL: an empty one) with those rights of `target` that roles of its functions do
 * not have yet: statements, managed policies, policies that are attached to such a role, and the
 * resources that all these refer to. Nobody loses a right by it. A right that refers to a pointer
 * that is not published yet is left out, and Outputs of `layout` that name its role are put into
 * `ret_waiting`, as layout_expand does. NULL: nothing is missing. */
const struct node *layout_grant(struct arena *a, const struct layout *layout,
                                const struct node *target, const struct node *now,
                                struct map *ret_waiting);
/* `target` with the rights that roles of functions have by `now` and will not have by `target`:
 * what serves until the pointers have moved may need them. NULL: none is lost, or no pointer to a
 * function moves. */
const struct node *layout_keep_rights(struct arena *a, const struct node *target,
                                      const struct node *now);
/* ERR_REFUSED, with a place: for a while a role would have policies that are larger than IAM
 * takes. */
int layout_check_rights(struct arena *a, const struct layout *layout, const struct node *target,
                        const struct node *now, struct err *err);
/* Does a role or a policy differ in the two templates, or is in `after` alone? */
bool layout_changes_rights(const struct node *before, const struct node *after);
/* Has the service's template a role or a policy that keeps its logical id when its rights change?
 * So it is with those that the user lists in resources.service. */
bool layout_shares_rights(const struct node *service_template);
/* Resource `before` with the rights of `after` beside its own; itself when it has them all. Neither
 * needs to be a role. */
const struct node *layout_join_rights(struct arena *a, const struct node *before,
                                      const struct node *after);

/* What stands in a template that would have no resource at all; it costs nothing. */
#define LAYOUT_PLACEHOLDER "TroupePlaceholder"
/* `template`, with LAYOUT_PLACEHOLDER when it may come to no resource at all, as when each is under
 * a condition: CloudFormation takes no such template. */
const struct node *layout_with_a_resource(struct arena *a, const struct node *template);
/* `old` with all resources and Outputs of `target`; an Output that both have keeps the value of
 * `old`. */
const struct node *layout_beside(struct arena *a, const struct node *target,
                                 const struct node *old);
/* Prefix of a parameter's name while the template has a resource with the name it should have. */
#define LAYOUT_RENAMED "TroupeService"

#endif
