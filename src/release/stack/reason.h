/* Reasons in CloudFormation's events, as a person wants them. */
#ifndef TROUPE_RELEASE_STACK_REASON_H
#define TROUPE_RELEASE_STACK_REASON_H

#include "base/str.h"

/* Without what only AWS's support has a use for: the frame around a message, tokens, ids. */
struct str reason_plain(struct arena *a, struct str reason);
/* Does it only repeat that something failed? */
bool reason_says_nothing(struct str reason);

#endif
