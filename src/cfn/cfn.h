/* CloudFormation's knowledge of itself: what its resource types are and do.
 *
 * Source: the CloudFormation registry's schemas, and for traits the resource reference
 * ("Update requires", "Return values"); scripts/cfn-types.py writes the rows. */
#ifndef TROUPE_CFN_H
#define TROUPE_CFN_H

#include "doc/node.h"

/* scripts/cfn-traits.txt says what each means. */
enum cfn_trait {
    CFN_HOLDS_DATA = 1,
    CFN_RECREATABLE = 2,
    CFN_IN_ROOT = 4,
    CFN_KEEPS_VALUES = 8,
    CFN_HAS_ADDRESS = 16,
    CFN_WITH_ALIAS = 32,
    CFN_FROZEN = 64,
    CFN_API_POINTER = 128,
    CFN_NAMES_STAGE = 256,
    CFN_FOLLOWS = 512,
    CFN_UNIQUE_NAME = 1024,
};

struct cfn_type {
    const char *name;     /* "AWS::SQS::Queue"; ends in "::" for all types of a service */
    const char *named_by; /* property with the physical name, unique in account and region */
    unsigned traits;      /* enum cfn_trait */
    /* properties whose change replaces the resource, separated by spaces */
    const char *create_only;
};
/* Sorted by name (type_rows.c). */
extern const struct cfn_type cfn_types[];
extern const size_t cfn_type_count;

/* What CloudFormation calls for a type with the rights of whoever changes a stack: the permissions
 * of the registry's create, read, update and delete handlers. See actions.h. */
struct cfn_type_actions {
    const char *type, *actions; /* IAM's actions, separated by spaces */
};
/* Sorted by type (action_rows.c). */
extern const struct cfn_type_actions cfn_type_actions[];
extern const size_t cfn_type_actions_count;

/* Does the registry, as of when the rows were written, have this very type? */
bool cfn_is_known(struct str type);
/* Has the type, or its service as a whole, the trait? False for types that are not known. */
bool cfn_is(struct str type, enum cfn_trait trait);
/* Would changing `property` (top-level) replace a resource of the type? False for types that are
 * not known. */
bool cfn_replaces(struct str type, struct str property);
/* The property with the physical name that a resource gives itself; NULL: CloudFormation makes one
 * up, or the type has none. */
const struct node *cfn_given_name(const struct node *resource);

/* Type of a resource of a template; empty for NULL. */
struct str cfn_type_of(const struct node *resource);
/* Does the resource, or what it holds, stay when its stack is deleted? So it is with DeletionPolicy
 * Retain, RetainExceptOnCreate (once the stack has been made) and Snapshot. */
bool cfn_is_retained(const struct node *resource);
/* Is the resource deleted with its stack for certain? So it is with DeletionPolicy Delete or
 * none. */
bool cfn_goes_with_stack(const struct node *resource);
/* A difference in words, "KeySchema changed", and whether it replaces the resource. A property that
 * replaces is named before others. */
struct str cfn_difference(struct arena *a, const struct node *before, const struct node *after,
                          bool *ret_replaces);
/* Do both have the same condition, and the same value of every property whose change would
 * replace the resource? Then Ref and Fn::GetAtt of the resource keep their values, if its type
 * keeps them. */
bool cfn_keeps_identity(const struct node *before, const struct node *after);

#endif
