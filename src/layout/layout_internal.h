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
    SCOPE_HEAD,    /* shared function: a head in the service, an alias in the stage */
    SCOPE_API,     /* shared API: a head in the service, a stage in the stage */
    SCOPE_NOWHERE, /* published, or part of a definition */
};

struct placement {
    enum scope scope;
    struct str id; /* its logical id where it goes (roles and versions carry a hash) */
    struct layout_function *function; /* SCOPE_HEAD; and its version (SCOPE_NOWHERE) */
    struct layout_api *api;           /* SCOPE_API; and its deployment and stage (SCOPE_NOWHERE) */
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
    struct needed_values *needed;    /* of each: of the functions, then of the APIs, as in out */
    struct str described_stage; /* logical id of the user's AWS::ApiGateway::Stage of the REST API:
                                   settings of the one that is made, placed nowhere; empty: none */
    VEC(struct str) warnings;
};

/* How a reference to a shared function is written. */
enum reference_mode {
    REFERENCE_POINTER, /* Ref of the alias: what needs the alias to exist */
    REFERENCE_LITERAL, /* the alias's ARN spelled out: definitions and policies, which come before
                          it */
    REFERENCE_SERVICE, /* inside the service template: references to other service resources stay */
};

/* `tree` with its references turned to where their targets went; registers parameters. */
const struct node *references_rewrite(struct laying *l, const struct node *tree,
                                      enum reference_mode mode, struct err *err);
/* DependsOn of the stage template, from a list of flat ids (NULL allowed): pointers instead of
 * functions, nothing that went elsewhere, and `pointer` (may be empty). NULL: none left. */
const struct node *references_depends_on(struct laying *l, const struct node *depends_on,
                                         struct str pointer);
const struct placement *placement_of(const struct laying *l, struct str id);

/* values.c: every value that `tree` needs from the stage stack, each once; they are appended to
 * l->values, too. `known` as for layout_resolve. */
int values_gather(struct laying *l, const struct node *tree, layout_lookup *known, void *context,
                  struct needed_values *ret, struct err *err);

/* expand.c: what a value needs of the stage's template before it can be had. */
struct closure {
    struct map ids;   /* resources -> struct node *, in the order found */
    struct map holes; /* open ones, "Troupe::Version <key of the function>" -> struct str *: the way
                         there, "Pool -> PreLambdaAlias" */
};
/* That of `expression`; what `old` (NULL allowed) has and keeps is not needed. */
void closure_of(struct arena *a, const struct node *target, const struct node *old,
                const struct node *expression, struct closure *ret);

/* CloudFormation takes no template without a resource, and one under a condition may come to none:
 * such a template with LAYOUT_PLACEHOLDER. */
const struct node *with_a_resource(struct arena *a, const struct node *template);
/* waves.c: which functions wait for others, now that the stage's template is finished. ERR_CONFIG:
 * a cycle. */
int waves_check(struct laying *l, struct err *err);

/* scope.c: decide for every resource. */
int scope_decide(struct laying *l, struct err *err);
/* The entry of resources.service that `id` matches: an index, or SIZE_MAX. */
size_t scope_asked_for(const struct laying *l, struct str id);

/* unqualified.c */

/* After scope_decide: every entry of references.unqualified refers to functions, and only to those
 * of a stage; says which functions are the stage's because of it. */
int unqualified_check(struct laying *l, struct err *err);
/* Properties of a CloudFront distribution, functions as their versions. */
const struct node *unqualified_versions(struct laying *l, const struct node *properties);
/* metrics.c: properties of alarms and the like, dimensions that name a shared function as those of
 * this stage's alias. Source: Lambda developer guide, "Types of metrics for Lambda functions":
 * metrics of an alias have the dimensions FunctionName and Resource ("name:alias"). */
const struct node *metrics_rewrite(struct laying *l, const struct node *properties);
/* " (serverless.yml:3:5)", or nothing. */
struct str place_text(struct arena *a, struct pos pos);

/* service_part.c: resources that live once by the user's wish */

/* May `id` live once? ERR_CONFIG: it depends on the stage, or refers to what a stage has. */
int service_part_check(struct laying *l, struct str id, const struct node *resource,
                       struct err *err);
/* DependsOn of `resource` with the ids that resources have in the service template. */
const struct node *service_part_depends_on(struct laying *l, const struct node *resource);
/* Conditions and Parameters that the service's resources need, into its template. */
int service_part_sections(struct laying *l, struct node *template, struct err *err);
/* Warn of entries of resources.service that match nothing. */
void service_part_warn(struct laying *l);
/* pointers.c: aliases and stages of shared APIs. */
int pointers_add(struct laying *l, struct err *err);

/* The deployment of a stage's own REST API: with the settings of the stage that it makes, and after
 * all that it is to consist of, what the user adds to the API included. */
const struct node *own_deployment(struct laying *l, const struct node *flat);

/* shared_api.c: heads and definitions of APIs that stages share */

/* Which APIs those are, in l->out->apis. */
void shared_api_init(struct laying *l);
/* Its document; what went into it is placed nowhere. ERR_CONFIG for what it cannot have. */
int shared_api_define(struct laying *l, struct layout_api *api, struct err *err);
/* What stands in the service stack. */
const struct node *shared_api_head(struct laying *l, const struct layout_api *api);
/* The property of its resources that names it: "RestApiId" or "ApiId". */
const char *shared_api_owner(const struct layout_api *api);

/* The shared API whose pointer `id` is; NULL: none. */
const struct layout_api *shared_api_stage(const struct laying *l, struct str id);
bool shared_api_is_http(const struct laying *l);

/* stage_settings.c: what the stage of the REST API has beside name, API and deployment, from
 * `provider`, `given` (of the flat template, may be NULL) and the stage that the user describes. */
struct node *stage_settings(struct laying *l, const struct node *given);
/* Finds the stage of the API that the user describes. ERR_CONFIG: it is named unlike the service's
 * stage. */
int stage_settings_init(struct laying *l, struct err *err);
/* Warns when logs are asked for and nobody says that the account lets API Gateway write them. */
void stage_settings_warn(struct laying *l);
/* api_users.c: DependsOn (a list of flat ids, may be NULL) of a resource, with the deployment of
 * the REST API if the resource is made for a stage of it. */
const struct node *api_users_depends_on(struct laying *l, const struct node *resource);
/* An AWS::ApiGatewayV2::ApiMapping to `$default`, which a shared HTTP API does not have, leads to
 * the API's stage that is named like the service's. Others stay as they are. */
const struct node *api_users_mapping(struct laying *l, const struct node *resource);
/* heads.c */
struct node *head_of_function(struct laying *l, const struct layout_function *f,
                              const struct node *flat);
struct node *head_role(struct arena *a);
#define HEAD_ROLE "TroupeHeadRole"

/* check.c: what the checks of layout_check have in common */
struct checking {
    struct arena *arena;
    const struct service *service;
    const struct compiled *compiled;
    const struct node *resources; /* of the flat template */
    bool is_open;                 /* macros or modules make more of it */
};
/* check_references.c */
int check_references(const struct checking *k, struct err *err);
/* check_names.c */
int check_fixed_names(const struct checking *k, struct err *err);
int check_routes(const struct checking *k, struct err *err);
int check_environments(const struct checking *k, struct err *err);

/* published.c: is every property of the definition of `f` one that a version keeps? */
int published_check(const struct layout_function *f, const struct node *properties,
                    struct err *err);

/* Logical id of the alias of the function that has `logical_id` in the flat template. */
struct str layout_alias_id(struct arena *a, struct str logical_id);

#endif
