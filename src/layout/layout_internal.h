/* What the files of layout/ share. */
#ifndef TROUPE_LAYOUT_LAYOUT_INTERNAL_H
#define TROUPE_LAYOUT_LAYOUT_INTERNAL_H

#include "base/vec.h"
#include "cfn/cfn.h"
#include "cfn/expression.h"
#include "cfn/template.h"
#include "layout/layout.h"

/* Where a resource of the flat template goes. */
enum scope {
    SCOPE_STAGE,
    SCOPE_SERVICE,
    /* shared function: its head is in the service stack, its alias in the stage stack */
    SCOPE_HEAD,
    SCOPE_API,     /* shared API: its head is in the service stack, its stage in the stage stack */
    SCOPE_NOWHERE, /* in no stack: published, or in a definition */
};

struct placement {
    enum scope scope;
    struct str id; /* logical id in the stack (roles and versions carry a hash) */
    struct layout_function *function; /* set for SCOPE_HEAD and for its version (SCOPE_NOWHERE) */
    /* set for SCOPE_API, and for its deployment and stage (SCOPE_NOWHERE) */
    struct layout_api *api;
};

/* The values that one definition needs. */
struct needed_values {
    VEC(struct layout_value) all;
};

struct laying {
    struct arena *arena;
    const struct service *service;
    const struct compiled *compiled;
    const struct node *flat; /* Resources of the flat template */
    struct map placements;   /* logical id -> struct placement * */
    struct layout *out;
    struct node *service_resources, *service_outputs;
    struct node *stage_resources, *stage_outputs, *stage_parameters;
    VEC(struct layout_value) values; /* of all definitions */
    /* for each definition: of the functions, then of the APIs, in the order of `out` */
    struct needed_values *needed;
    /* logical id of the AWS::ApiGateway::Stage that the user describes for the REST API; it is
     * made in no stack, and the stage that is made has its settings; empty: none */
    struct str described_stage;
    VEC(struct str) warnings;
};

/* How a reference to a shared function is written. */
enum reference_mode {
    REFERENCE_POINTER, /* Ref of the alias, so that CloudFormation makes the alias first */
    /* the alias's ARN spelled out, for definitions and policies, which are made before it */
    REFERENCE_LITERAL,
    REFERENCE_SERVICE, /* inside the service template: references to other service resources stay */
};

/* `tree` with every reference turned into one that finds its target in the target's stack. Adds the
 * Parameters and Outputs that this takes. */
const struct node *references_rewrite(struct laying *l, const struct node *tree,
                                      enum reference_mode mode, struct err *err);
/* DependsOn of a resource of the stage template, from a list of flat ids (NULL allowed): functions
 * become their pointers, what is in no stage stack goes, `pointer` (may be empty) comes. NULL:
 * nothing is left. */
const struct node *references_depends_on(struct laying *l, const struct node *depends_on,
                                         struct str pointer);
/* Logical id of the stage of a REST API: of every one, or only of an API of the stage's own (empty:
 * there is none). */
#define REST_STAGE_ID "ApiGatewayStage"
struct str own_rest_stage(const struct laying *l);

/* values.c: every value that `tree` needs from the stage stack, each once; they are appended to
 * l->values, too. `known` as for layout_resolve. */
int values_gather(struct laying *l, const struct node *tree, layout_lookup *known, void *context,
                  struct needed_values *ret, struct err *err);

/* dynamic_names.c: `tree`, of the flat template, with a Ref in place of the name in every dynamic
 * reference to a parameter or secret of the template. */
const struct node *dynamic_names_rewrite(struct laying *l, const struct node *tree);
/* list_values.c: `tree` with every function that gives a list, and is not an argument of another,
 * as the list that a text is split into: a value comes from CloudFormation as an Output, and
 * Outputs are texts. */
const struct node *list_values_rewrite(struct laying *l, const struct node *tree);

/* expand.c: the resources of the stage template that a value needs. */
struct closure {
    struct map ids; /* id -> struct node * of the resource, in the order found */
    /* open holes among what is needed, "Troupe::Version <key of the function>" -> struct str *:
     * the way there, "Pool -> PreLambdaAlias" */
    struct map holes;
};
/* Add what `expression` needs to the closure. A resource that `old` (NULL allowed) has and that
 * keeps its values is not added, unless it takes a parameter of `changed` (NULL: none). */
void closure_of(struct arena *a, const struct node *target, const struct node *old,
                const struct node *changed, const struct node *expression, struct closure *ret);
/* The resources of template `from` that `into` lacks and that resource `id` (may be empty) and
 * `expression` need; `id` itself is one of them. */
void closure_of_missing(struct arena *a, const struct node *from, const struct node *into,
                        struct str id, const struct node *expression, struct closure *ret);
/* Template `into` with resources `ids` and Outputs `values` of `from`, and what these refer to.
 * `newer`: where both have a parameter, a condition or the like, that of `from` holds. */
const struct node *template_of_both(struct arena *a, const struct node *from,
                                    const struct node *into, bool newer, const struct map *ids,
                                    const struct map *values);

/* rights.c: rights of template `from` that are added to those of `into` */
struct rights_joining {
    struct arena *arena;
    const struct node *from, *into;
    struct map ids; /* resources that those rights refer to and `into` lacks: id -> resource */
    bool waits;     /* a right was left out: it refers to a pointer that is not there yet */
};
/* May resource `id` (or none) and `expression`, of a right, be added now? What they refer to comes
 * along. */
bool joining_admit(struct rights_joining *j, struct str id, const struct node *expression);

/* policies.c: `base` itself when nothing is missing in it */

/* The list with those items of `more` that it lacks. */
const struct node *policies_join_lists(struct rights_joining *j, const struct node *base,
                                       const struct node *more);
/* Lists of {PolicyName, PolicyDocument}, each of which may be NULL. */
const struct node *policies_join(struct rights_joining *j, const struct node *base,
                                 const struct node *more);
const struct node *policies_join_documents(struct rights_joining *j, const struct node *base,
                                           const struct node *more);

/* waves.c: which functions wait for others, now that the stage's template is finished. ERR_CONFIG:
 * a cycle. */
int waves_check(struct laying *l, struct err *err);

/* placement.c */

/* NULL: not decided yet, or no resource of the flat template. */
const struct placement *placement_of(const struct laying *l, struct str id);
struct placement *placement_set(struct laying *l, struct str id, enum scope scope);
/* Can only the stage's stack make `resource`, because it refers to what that has? */
bool placement_needs_stage(const struct laying *l, const struct node *resource);

/* scope.c: decide for every resource. */
void scope_decide(struct laying *l);
/* The entry of resources.service that `id` matches: an index, or SIZE_MAX. */
size_t scope_asked_for(const struct laying *l, struct str id);

/* own_layers.c: place layers and what the file permits others. */
void own_layers_decide(struct laying *l);
/* `resource` with its zip in the bucket, if it is such a layer. */
const struct node *own_layers_content(struct laying *l, struct str id, const struct node *resource);

/* unqualified.c */

/* After scope_decide. ERR_CONFIG when an entry of references.unqualified refers to no function,
 * or to one that is shared. Warns of each function that is a stage's own because of such a
 * reference. */
int unqualified_check(struct laying *l, struct err *err);
/* Properties of a CloudFront distribution with versions in place of functions. */
const struct node *unqualified_versions(struct laying *l, const struct node *properties);
/* log_filters.c: `resource`, a subscription filter, with a Ref in place of the name of a log group
 * of the file. ERR_CONFIG: the group is one that a shared function does not have. */
const struct node *log_filter_rewrite(struct laying *l, const struct node *resource,
                                      struct err *err);
/* metrics.c: properties of alarms and the like; a dimension that names a shared function becomes
 * the two of this stage's alias. Source: Lambda developer guide, "Types of metrics for Lambda
 * functions": metrics of an alias have the dimensions FunctionName and Resource ("name:alias"). */
const struct node *metrics_rewrite(struct laying *l, const struct node *properties);
/* " (serverless.yml:3:5)"; empty when `pos` is none. */
struct str place_text(struct arena *a, struct pos pos);

/* service_part.c: resources that exist once because resources.service lists them */

/* May `id` exist once for all stages? ERR_CONFIG: it depends on the stage, or refers to what a
 * stage has. */
int service_part_check(struct laying *l, struct str id, const struct node *resource,
                       struct err *err);
/* DependsOn of `resource` with ids of the service template. */
const struct node *service_part_depends_on(struct laying *l, const struct node *resource);
/* Put the Conditions and Parameters that resources of the service need into its template. */
int service_part_sections(struct laying *l, struct node *template, struct err *err);
/* Warn of entries of resources.service that match nothing. */
void service_part_warn(struct laying *l);
/* edge_warnings.c: warn of what functions at CloudFront's edge do not get, and of cache policies
 * that no event uses. */
void edge_warn(struct laying *l);
/* stage_pointers.c: aliases, stages of shared APIs, and that of a REST API of the stage's own. */
int pointers_add(struct laying *l, struct err *err);

/* The deployment of an API of the stage's own. It depends on everything that the API consists of,
 * resources that the user adds included. */
const struct node *own_deployment(struct laying *l, const struct node *flat);

/* shared_api.c: heads and definitions of APIs that stages share */

/* Find the APIs that stages share, for l->out->apis. */
void shared_api_init(struct laying *l);
/* Make the document of `api`. ERR_CONFIG for what a document cannot have. */
int shared_api_define(struct laying *l, struct layout_api *api, struct err *err);
/* The resource of the service stack. */
const struct node *shared_api_head(struct laying *l, const struct layout_api *api);
/* Does `resource` go into its document? */
bool shared_api_defines(const struct layout_api *api, const struct node *resource);
/* Is `resource` a deployment or stage of it? */
bool shared_api_points(const struct layout_api *api, const struct node *resource);

/* The shared API whose pointer `id` is; NULL: none. */
const struct layout_api *shared_api_stage(const struct laying *l, struct str id);
bool shared_api_is_http(const struct laying *l);

/* stage_settings.c: properties of the REST API's stage without name, API and deployment: those from
 * `provider`, those of `description` (StageDescription of the flat deployment, may be NULL), and
 * those of the stage that the user describes. */
struct node *stage_settings(struct laying *l, const struct node *description);
/* Find the stage that the user describes. ERR_CONFIG: its name is not that of the service's
 * stage. */
int stage_settings_init(struct laying *l, struct err *err);
/* Warn of settings for the stage of an API outside the service. */
void stage_settings_warn(struct laying *l);
/* Warn of attributes of what is no resource of a stack: attributes.c */
void attributes_warn(struct laying *l);
/* api_users.c: DependsOn of a resource; with the deployment of the REST API, which
 * references_depends_on turns into the stage, if the resource names that stage. */
const struct node *api_users_depends_on(struct laying *l, const struct node *resource);
/* `resource`, an AWS::ApiGatewayV2::ApiMapping. A shared HTTP API has no stage `$default`, so a
 * mapping to that leads to the stage named like the service's; any other mapping stays as it is. */
const struct node *api_users_mapping(struct laying *l, const struct node *resource);
/* heads.c */
struct node *head_of_function(struct laying *l, const struct layout_function *f,
                              const struct node *flat);
/* The role that exists already and that the head of `f` takes: its function's, else the one that
 * `provider` names. NULL: it needs LAYOUT_HEAD_ROLE. */
const struct node *head_given_role(const struct laying *l, const struct layout_function *f);
struct node *head_role(struct laying *l);

/* check.c: what the checks of layout_check have in common */
struct checking {
    struct arena *arena;
    const struct service *service;
    const struct compiled *compiled;
    const struct node *resources; /* of the flat template */
    bool is_open;                 /* macros or modules add resources */
};
/* check_references.c */
int check_references(const struct checking *k, struct err *err);
int check_parts(const struct checking *k, struct err *err); /* check_parts.c */
/* check_names.c */
int check_fixed_names(const struct checking *k, struct err *err);
int check_routes(const struct checking *k, struct err *err);
int check_environments(const struct checking *k, struct err *err);
/* check_existing.c */
int check_notifications(const struct checking *k, struct err *err);
int check_triggers(const struct checking *k, struct err *err);
/* check_stacks.c */
int check_parameters(const struct checking *k, struct err *err);
int check_bucket_key(const struct checking *k, struct err *err);
int check_stack_policy(const struct checking *k, struct err *err);
/* check_edge.c */
int check_edge(const struct checking *k, struct err *err);
/* check_dynamic.c */
int check_dynamic_references(const struct checking *k, struct err *err);

/* published.c: is every property of the definition of `f` one that a version keeps? */
int published_check(const struct layout_function *f, const struct node *properties,
                    struct err *err);

/* Logical id of the alias of the function that has `logical_id` in the flat template. */
struct str layout_alias_id(struct arena *a, struct str logical_id);

#endif
