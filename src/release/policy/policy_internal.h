/* What the files of release/policy share. */
#ifndef TROUPE_RELEASE_POLICY_POLICY_INTERNAL_H
#define TROUPE_RELEASE_POLICY_POLICY_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "cfn/actions.h"
#include "release/policy/policy.h"

/* ---- grants (grants.c) ---- */

/* One action on one thing. */
struct grant {
    struct str action, resource;
    const struct node *condition; /* or NULL */
    struct str why;
};
struct grants {
    VEC(struct grant) all;
};

/* Statements of all grants, merged: seq of maps; `ret_reasons` has the reasons by Sid. */
const struct node *grants_statements(struct arena *a, const struct grants *grants,
                                     const struct node **ret_reasons);

/* ---- names (policy_names.c) ---- */

/* One of the templates and its stack. */
struct policy_stack {
    const struct policy_request *request;
    struct arena *arena;
    const struct node *resources;
    const struct policy_stack *service; /* of a stage's: the service's, whose values it takes */
    struct str name;                    /* of the stack; with `*` when every stage is meant */
    struct str region;
};

/* "arn:PARTITION:" and the form, with `name`. */
struct str policy_arn(const struct policy_stack *s, struct str form, struct str path,
                      struct str name);
/* ARNs of a resource of the stack, as strings with `*`. */
const struct node *policy_arns(const struct policy_stack *s, struct str id,
                               const struct node *resource);
/* ARN of the role that the value means; empty: it means none. */
struct str policy_role(const struct policy_stack *s, const struct node *value);
/* The text of a value, as far as the file tells; p NULL: only CloudFormation knows it. */
struct str policy_text(const struct policy_stack *s, const struct node *value);

#endif
