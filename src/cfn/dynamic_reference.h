/* Dynamic references in texts of a template: "{{resolve:ssm:/app/size:3}}".
 *
 * Source: CloudFormation User Guide, "Using dynamic references to specify template values", with
 * the pages of the three services. */
#ifndef TROUPE_CFN_DYNAMIC_REFERENCE_H
#define TROUPE_CFN_DYNAMIC_REFERENCE_H

#include "base/str.h"

enum cfn_dynamic_service {
    CFN_SSM,             /* a parameter of Systems Manager that is no SecureString */
    CFN_SSM_SECURE,      /* a SecureString; few properties take one, none of Lambda's */
    CFN_SECRETS_MANAGER, /* a secret, or what its JSON has under a key */
    CFN_UNKNOWN_SERVICE,
};

/* Texts are pieces of the one that was read; what is not given is empty. */
struct cfn_dynamic {
    struct str whole; /* with its braces */
    size_t at;        /* of `whole` in the text */
    enum cfn_dynamic_service service;
    struct str name;       /* of the parameter; name or ARN of the secret */
    struct str version;    /* of a parameter: a number; of a secret: an id */
    struct str stage, key; /* of a secret: staging label; key in its JSON */
    const char *problem;   /* why CloudFormation takes no such reference; NULL: it does */
};

/* The first reference in `text` from `from` on. False: there is none. */
bool cfn_dynamic_next(struct str text, size_t from, struct cfn_dynamic *ret);

#endif
