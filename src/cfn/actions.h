/* What a caller needs for CloudFormation to make, change and delete a resource: CloudFormation
 * calls the services with the rights of whoever called it, or of the role it was given.
 *
 * Source: the registry's schemas name the actions of a type's handlers, whatever its properties
 * are; which of them a property asks for, and how the ARNs look, say the Service Authorization
 * Reference and the services' API references. */
#ifndef TROUPE_CFN_ACTIONS_H
#define TROUPE_CFN_ACTIONS_H

#include "doc/node.h"

/* Is `action` asked for, in the life of this resource? Actions for properties that it does not have
 * are not, nor is iam:PassRole, which cfn_passed tells. */
typedef void cfn_visit_action(void *context, struct str action);
/* Visit the actions of a resource. False: nobody knows those of its type. */
bool cfn_each_action(const struct node *resource, cfn_visit_action *visit, void *context);
/* The action is asked for without a resource: "*". */
bool cfn_asks_for_all(struct str action);

/* How ARNs of a type look. */
struct cfn_arn {
    const char *type; /* ends in "::" for all types of a service */
    /* What stands behind "arn:PARTITION:", several separated by spaces, with {region}, {account},
     * {path} and {name}. */
    const char *form;
    const char
        *name; /* property with {name}, or with what has that name; NULL: the form has none */
    unsigned name_max; /* longest name that CloudFormation makes up for one; 0: no matter */
    bool lower;        /* it makes up small letters only */
    bool by_id;      /* what CloudFormation makes up has the logical id in it that is looked for */
    bool in_service; /* named by the service's name, whatever the stage: functions, log groups */
};
/* NULL: "*". */
const struct cfn_arn *cfn_arn_of(struct str type);

/* A role that the resource hands to a service; `service` is empty when that is not known. */
typedef void cfn_visit_role(void *context, const struct node *role, struct str service);
void cfn_each_passed(const struct node *resource, cfn_visit_role *visit, void *context);

#endif
