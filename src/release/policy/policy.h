/* The policies that deployers of a service need: `troupe iam`.
 *
 * Two tables say what is called: what troupe calls itself (aws/services/operations.h), and what
 * CloudFormation calls for the resources of the templates (cfn/actions.h). The service's names say
 * on what. Pure: nothing is asked of AWS. */
#ifndef TROUPE_RELEASE_POLICY_POLICY_H
#define TROUPE_RELEASE_POLICY_POLICY_H

#include "layout/layout.h"

struct policy_request {
    const struct service *service;
    const struct layout *layout; /* of a stage, also when all are meant */
    bool every_stage;
    struct str account;   /* "*": not known */
    struct str partition; /* "aws" */
};

/* One document: no longer than IAM takes a managed policy to be. */
struct policy {
    struct str name;             /* "shop-dev-1" */
    struct str holder;           /* ARN of provider.iam.deploymentRole; empty: who calls troupe */
    const struct node *document; /* {Version, Statement} */
    const struct node *reasons;  /* Sid -> why troupe needs it */
    size_t size;                 /* characters, as IAM counts them */
};

struct policies {
    struct policy *p;
    size_t n;
    const struct node *notes; /* seq: what is not in them, and what to think of */
};

/* IAM's limit for a managed policy. Source: IAM user guide, "IAM and AWS STS quotas": 6,144
 * characters, white space not counted. */
enum { POLICY_MAX = 6144 };

int policies_make(struct arena *a, const struct policy_request *request, struct policies *ret,
                  struct err *err);

#endif
