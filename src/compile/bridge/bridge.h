/* The bridge: a service whose plugins only the project's own framework can run.
 *
 * The framework packages it, for its stage and for one that is made up. What it leaves behind, the
 * resolved service and the template, becomes a service file without plugins: a JSON document in
 * which the stage's name is `${sls:stage}` again where only that differs between the two, and
 * `${bridged:…}` where something else does. What plugins add to the template stands under
 * `resources` of it, and what they change there under `patches`. From then on it is a service like
 * any other, recorded and made again for other stages by its source bundle. */
#ifndef TROUPE_COMPILE_BRIDGE_BRIDGE_H
#define TROUPE_COMPILE_BRIDGE_BRIDGE_H

#include "config/config.h"

struct bridge_request {
    const struct config_options *config; /* with which `place` was loaded */
    const struct node *environment;      /* for the framework: name -> text; may be NULL */
    /* What another tool has packaged (--package); empty: the framework is called. */
    struct str package_dir;
};

struct bridged {
    struct service service;
    bool ran;       /* false: nothing has changed, what an earlier call made was taken */
    bool by_name;   /* the made-up stage could not be packaged, so the stage's name decides */
    struct str why; /* it could not */
};

/* Make the service of which `place` (struct service, to_bridge) has only the place. `*ret` lives in
 * `a`. ERR_CONFIG: the framework fails, what it wrote is damaged or of another service or stage,
 * or what plugins made of the template cannot be said. ERR_CANCELLED. */
int bridge_service(struct arena *a, const struct service *place,
                   const struct bridge_request *request, struct bridged *ret, struct err *err);

#endif
