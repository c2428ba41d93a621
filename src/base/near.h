/* "Did you mean": the nearest of several names. */
#ifndef TROUPE_NEAR_H
#define TROUPE_NEAR_H

#include "base/str.h"

/* Starts as {.name = …}; after every candidate was offered, `best` is the nearest, empty when none
 * is near. It is a view of that candidate. */
struct near {
    struct str name, best;
    size_t distance;
};
void near_offer(struct near *near, struct str candidate);

#endif
