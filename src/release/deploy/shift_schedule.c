/* The steps of a shift. */
#include "release/deploy/shift_schedule.h"

#include "base/vec.h"

void shift_schedule(struct arena *a, const struct shift *shift, bool judged,
                    struct shift_step **ret, size_t *ret_n)
{
    VEC(struct shift_step) steps = {0};
    if (shift->kind == SHIFT_CANARY)
        vec_push(a, &steps, (struct shift_step){shift->percent, shift->pause_ms});
    for (unsigned p = shift->percent; shift->kind == SHIFT_LINEAR && p < 100; p += shift->percent)
        vec_push(a, &steps, (struct shift_step){p, shift->pause_ms});
    if (shift->kind == SHIFT_ALL_AT_ONCE && judged)
        vec_push(a, &steps, (struct shift_step){100, 0});
    *ret = steps.p;
    *ret_n = steps.n;
}
