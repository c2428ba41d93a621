/* What IAM calls the operations that troupe uses: which action each needs, on what, and for which
 * of troupe's commands. `troupe iam` makes policies of it.
 *
 * Source: Service Authorization Reference. Whoever adds an operation adds a row:
 * tests/e2e/test_iam.py finds the operations that files of aws/ name and compares. */
#ifndef TROUPE_AWS_SERVICES_OPERATIONS_H
#define TROUPE_AWS_SERVICES_OPERATIONS_H

#include "base/str.h"

enum aws_object {
    AWS_ANYTHING, /* the action knows no resource, or it is asked for all of them: "*" */
    AWS_STACKS,
    AWS_BUCKET,
    AWS_OBJECTS,
    AWS_FUNCTIONS,
    AWS_LOG_GROUPS,
    AWS_REST_APIS,
    AWS_HTTP_APIS,
    AWS_API_ACCOUNT, /* settings of API Gateway for the account */
    AWS_PARAMETERS,
    AWS_REPOSITORIES, /* of images that are built */
};

enum aws_purpose {
    AWS_LIFE,          /* a stage: deployed, rolled back, shifted, removed */
    AWS_LIFE_REST,     /* the same, when stages share a REST API */
    AWS_LIFE_HTTP,     /* the same, when stages share an HTTP API */
    AWS_LIFE_ALARMS,   /* the same, when alarms judge a shift */
    AWS_LIFE_API_LOGS, /* the same, when stages of APIs log */
    AWS_LIFE_NETWORK,  /* the same, when the stage has a network of its own */
    AWS_LIFE_IMAGES,   /* the same, when functions run images that are named by tag or built */
    AWS_LIFE_GUARDED,  /* the same, when stacks are protected against deletion */
    AWS_LIFE_BUCKET,   /* the same, when the file says how a bucket is to be made */
    AWS_LIFE_DOMAINS,  /* the same, when it may make a custom domain */
    AWS_VARIABLES,     /* only when serverless.yml asks for such a value */
    AWS_OTHERS,        /* only adopt or logs, or a profile with a role */
    AWS_FREE,          /* needs no right */
};

struct aws_operation {
    const char *service, *operation; /* as in calls */
    const char *actions;             /* of IAM, separated by spaces; empty: AWS_FREE */
    enum aws_object on;
    enum aws_purpose purpose;
    const char *why; /* "to see what stacks there are" */
};
extern const struct aws_operation aws_operations[];
extern const size_t aws_operation_count;

#endif
