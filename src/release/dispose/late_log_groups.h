/* Log groups that nobody's stack has any more.
 *
 * A call that is under way when its function's log group is deleted writes its lines afterwards:
 * Lambda makes the group anew, outside any stack (the functions' role may create log groups). Such
 * a group is in the way of the next stack that wants one of its name. It is told from a group of
 * somebody else's by the records: one that succeeded had the group in its stacks. */
#ifndef TROUPE_RELEASE_DISPOSE_LATE_LOG_GROUPS_H
#define TROUPE_RELEASE_DISPOSE_LATE_LOG_GROUPS_H

#include "release/release.h"

/* Names of the log groups in a template, as a seq; those that are computed are left out. */
const struct node *log_groups_of(struct arena *a, const struct node *template);
/* Did the stacks of this deployment have the group? False unless it succeeded; a record without the
 * list (of an older troupe) had one for each function. */
bool log_groups_named(const struct record *record, struct str group);

/* Before a stack goes from `now` (NULL: it is not there) to `next`: delete what stands in the way
 * of its new log groups and is left over from deployments of ours. `stage` empty: the service's
 * stack. One that a function writes to now is not touched. */
int log_groups_clear(const struct release *r, const struct world *w, struct str stage,
                     const struct node *now, const struct node *next, struct err *err);

/* Everything that the records name, for log_groups_sweep when they are gone. */
struct log_groups {
    struct log_group_named {
        struct str name;
        const struct record *record;
    } * p;
    size_t n;
};
struct log_groups log_groups_recorded(struct arena *a, const struct record *records, size_t n);
/* Delete those of them that are left over, in the regions of their stages. */
int log_groups_sweep(const struct release *r, const struct log_groups *all, struct err *err);

#endif
