/* The steps of a shift. */
#ifndef TROUPE_RELEASE_DEPLOY_SHIFT_SCHEDULE_H
#define TROUPE_RELEASE_DEPLOY_SHIFT_SCHEDULE_H

#include "config/config.h"

struct shift_step {
    unsigned percent; /* of the calls that the new version gets */
    int64_t hold_ms;  /* how long it stays there */
};

/* The steps before everything moves; none when that is at once. `judged`: something is to look at
 * the new version, so moving at once has one step too, of all calls. */
void shift_schedule(struct arena *a, const struct shift *shift, bool judged,
                    struct shift_step **ret, size_t *ret_n);

#endif
