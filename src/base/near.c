/* "Did you mean": the nearest of several names. */
#include "base/near.h"

#include <strings.h>

void near_offer(struct near *near, struct str candidate)
{
    if (!candidate.n || !near->name.n)
        return;
    /* one slip in three characters is a typing mistake, more is another word; swapped ones are two
     */
    size_t n = near->name.n, limit = n < 4 ? 1 : n < 7 ? 2 : n / 3;
    size_t distance = str_distance(near->name, candidate, limit);
    if (candidate.n == near->name.n && !strncasecmp(candidate.p, near->name.p, candidate.n))
        distance = 0;
    if (distance > limit || distance >= candidate.n || (near->best.n && distance >= near->distance))
        return;
    near->best = candidate;
    near->distance = distance;
}
