/* CloudFormation conditions, evaluated from the file. */
#ifndef TROUPE_LAYOUT_CONDITIONS_H
#define TROUPE_LAYOUT_CONDITIONS_H

#include "config/config.h"

struct conditions {
    struct arena *arena;
    const struct service *service;
    const struct node *template; /* with Conditions, Parameters and Mappings */
    bool of_stage;               /* does anything that was asked so far depend on the stage? */
    unsigned depth;
};

/* Does condition `name`, named at `pos`, hold for the service's stage? 1 or 0. -1 with a place:
 * CONFIG when there is none of that name or it is malformed; NOT_FOUND when it needs what only
 * CloudFormation knows. */
int conditions_hold(struct conditions *c, struct str name, struct pos pos, struct err *err);

#endif
