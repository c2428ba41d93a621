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
    const char *name;        /* "AWS::SQS::Queue"; ends in "::" for all types of a service */
    const char *named_by;    /* property with the physical name, unique in account and region */
    unsigned traits;         /* enum cfn_trait */
    const char *create_only; /* properties whose change replaces, separated by spaces */
};
/* Sorted by name (type_rows.c). */
extern const struct cfn_type cfn_types[];
extern const size_t cfn_type_count;

/* Has the registry, as troupe knows it, this very type? */
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
/* Kept when its stack goes: DeletionPolicy Retain, RetainExceptOnCreate (once the stack stands), or
 * what is in it is kept: Snapshot. */
bool cfn_is_retained(const struct node *resource);
/* Deleted when its stack goes, for certain: its DeletionPolicy is Delete or missing. */
bool cfn_goes_with_stack(const struct node *resource);
/* The first property that differs, "KeySchema changed", one that replaces the resource before
 * others; and whether it does. */
struct str cfn_difference(struct arena *a, const struct node *before, const struct node *after,
                          bool *ret_replaces);
/* Do both have the same condition, and the same of every property whose change would replace? Then
 * what Ref and Fn::GetAtt give of the resource stays, if its type keeps values. */
bool cfn_keeps_identity(const struct node *before, const struct node *after);

#endif
