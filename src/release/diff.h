/* What differs between two deployments, from their records and stage templates. Pure: no calls. */
#ifndef TROUPE_RELEASE_DIFF_H
#define TROUPE_RELEASE_DIFF_H

#include "doc/node.h"
#include "release/bucket/store.h"

/* One of the two. */
struct diff_side {
    struct record record; /* with versions, if it has any */
    const struct node
        *template; /* its stage template; NULL: not kept, resources are not compared */
    /* Function -> configuration of its version, where that is known: tells which settings differ by
     * the stage's name only. NULL: they all count as different. */
    const struct node *configurations;
};

enum diff_where { DIFF_BOTH, DIFF_ONLY_A, DIFF_ONLY_B };

struct diff_function {
    struct str key;
    enum diff_where where;
    enum record_layout layout[2]; /* of A and B */
    struct str version[2];        /* numbers, or empty: none, or one of the stage's own stack */
    bool code;                    /* another artifact or image */
    struct str *parts;            /* what else differs: "MemorySize", "variable TABLE" */
    size_t part_count;
};

struct diff_api {
    struct str id;
    enum diff_where where;
    struct str deployment[2];
};

struct diff_resource {
    struct str id, type; /* of B, unless only A has it */
    enum diff_where where;
    struct node_change *changes; /* paths within the resource, when both have it */
    size_t change_count;
};

struct diff {
    struct diff_function *functions;
    size_t function_count, same_functions;
    size_t named_functions; /* differ by nothing but the stage's name: not among the above */
    struct diff_api *apis;
    size_t api_count, same_apis;
    struct diff_resource *resources;
    size_t resource_count, same_resources;
    size_t named_resources; /* differ by nothing but the stage's name: not among the above */
    bool templates;         /* resources were compared */
};

/* Compare. Of resources, what snapshots and pointers to them are is left out: functions and APIs
 * say it. */
void diff_make(struct arena *a, const struct diff_side *from, const struct diff_side *to,
               struct diff *ret);
/* Is `y` what `x` is with the name of stage `from` replaced by `to`, as written or as logical
 * ids have it? */
bool diff_renamed(struct arena *a, struct str x, struct str from, struct str y, struct str to);

#endif
