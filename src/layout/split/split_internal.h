/* What the files of split share. */
#ifndef TROUPE_LAYOUT_SPLIT_SPLIT_INTERNAL_H
#define TROUPE_LAYOUT_SPLIT_SPLIT_INTERNAL_H

#include "base/vec.h"
#include "layout/layout_internal.h"
#include "layout/split/split.h"

#define PART_PREFIX "TroupePart"
#define PART_TYPE "AWS::CloudFormation::Stack"
#define PART_METADATA "Troupe" /* in Metadata: what joining cannot tell from the rest */

/* ---- values: what one part of a template takes from another ---- */

/* Tells values apart, and the two ways to write an attribute: joining gives back either. */
struct str split_value_key(struct arena *a, const struct cfn_value *v);
/* The ids of all values in `n`, into `ret`. */
void split_needs(const struct node *n, struct map *ret);

/* ---- placing (split_place.c) ---- */

/* In a map of places: Outputs beside the resources, whose names have no slash. */
#define OUTPUT_PREFIX "Outputs/"

enum { UNPLACED = -1, ROOT = 0 }; /* parts count from 1 */

struct split_user {
    size_t resource; /* who uses it; the count of resources: an Output of the template */
    struct cfn_value value;
};

struct split_resource {
    struct str id;
    const struct node *node;
    size_t bytes;
    int place;
    bool existing;
    bool fixed; /* cannot be in a part */
    int group;
    VEC(struct cfn_value) values;
    VEC(size_t) needs; /* indices, each once */
    VEC(size_t) needed_by;
    VEC(struct split_user) users;
    size_t stamp; /* of the last walk that saw it */
};

struct splitting_part {
    struct str id;
    int64_t number;
    size_t count, bytes;
    struct map imports, exports; /* keys of values: Parameters and Outputs */
    VEC(size_t) needs;           /* of its members: each once while it is outside */
    struct map needs_seen;
    size_t stamp;
};

struct splitting {
    struct arena *arena;
    const struct node *flat;
    const struct split_limits *limits;
    struct split_resource *all;
    size_t n;
    struct map index;                 /* id -> struct split_resource * */
    VEC(struct splitting_part) parts; /* [0] is the root */
    size_t stamp;
    struct map outputs; /* name -> struct split_output *, those that are in a part */
};

/* An Output of the flat template that stands in the part that holds what it tells. */
struct split_output {
    int place;
    const struct node *node;
};

/* Conditions that `n` uses, with those they use in turn, into `ret` (name -> node). */
void split_conditions(const struct node *conditions, const struct node *n, struct map *ret);
/* Fill `s` from the template, and decide every place. Without parts afterwards: only parts.p[0]. */
int split_place(struct splitting *s, const struct map *placed, struct err *err);
bool split_is_pseudo_of_stack(struct str id);

#endif
