/* One view of the two kinds of API that stages can share: heads that are overwritten, deployments
 * cut from them, stages that point at one. */
#ifndef TROUPE_AWS_SERVICES_GATEWAY_H
#define TROUPE_AWS_SERVICES_GATEWAY_H

#include "aws/services/services.h"

struct gateway {
    const char *name; /* "rest api": in plans and messages */
    /* Overwrite the definition with an OpenAPI document. Stages stay at their deployments. */
    int (*put)(struct arena *a, struct aws *aws, struct str api, struct str document,
               struct err *err);
    /* The methods that the head has now: seq of {path, method (lower case or
     * "x-amazon-apigateway-any-method"), type (lower case), uri}. `ret_whole` gets a text that is
     * another one when somebody has written to the definition in between. */
    int (*methods)(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                   struct str *ret_whole, struct err *err);
    /* The models of the head: seq of {name, schema}, the schema as text. NULL: the kind has none.
     */
    int (*models)(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                  struct err *err);
    int (*model_set)(struct arena *a, struct aws *aws, struct str api, struct str name,
                     struct str schema, struct err *err);
    /* Cut a deployment that no stage points at; it can be used when this returns. */
    int (*deploy)(struct arena *a, struct aws *aws, struct str api, struct str description,
                  struct str *ret_id, struct err *err);
    /* Seq of {id, description}. */
    int (*deployments)(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                       struct err *err);
    /* Absent is success; CONFLICT when a stage points at it. */
    int (*delete_deployment)(struct arena *a, struct aws *aws, struct str api, struct str id,
                             struct err *err);
    /* Seq of {stageName, deploymentId, …} as AWS answers. */
    int (*stages)(struct arena *a, struct aws *aws, struct str api, const struct node **ret,
                  struct err *err);
    int (*stage_move)(struct arena *a, struct aws *aws, struct str api, struct str stage,
                      struct str deployment, struct err *err);
};

extern const struct gateway gateway_rest, gateway_http;

#endif
