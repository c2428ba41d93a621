/* What the files of split share. */
#ifndef TROUPE_LAYOUT_SPLIT_SPLIT_INTERNAL_H
#define TROUPE_LAYOUT_SPLIT_SPLIT_INTERNAL_H

#include "base/vec.h"
#include "layout/layout_internal.h"
#include "layout/split/split.h"

#define PART_PREFIX "TroupePart"
#define PART_TYPE "AWS::CloudFormation::Stack"
#define PART_METADATA "Troupe" /* in Metadata: what joining cannot find elsewhere */

/* ---- values: what one stack takes from another ---- */

/* Different for different values, and for the two ways to write an attribute: joining gives back
 * the one that was written. */
struct str split_value_key(struct arena *a, const struct cfn_value *v);
/* Put the ids of all values in `n` into `ret`. */
void split_needs(const struct node *n, struct map *ret);

/* ---- assigning (split_assign.c) ---- */

/* Prefix of Outputs in a map of stacks. Names of resources, which are in it, too, have no slash. */
#define OUTPUT_PREFIX "Outputs/"

enum { UNASSIGNED = -1, ROOT = 0 }; /* nested stacks count from 1 */

struct split_user {
    /* index of the resource that uses the value; the count of resources: an Output of the
     * template */
    size_t resource;
    struct cfn_value value;
};

struct split_resource {
    struct str id;
    const struct node *node;
    size_t bytes;
    int stack;
    bool existing;
    bool fixed; /* in the root for ever */
    int group;
    VEC(struct cfn_value) values;
    VEC(size_t) needs; /* indices, each once */
    VEC(size_t) needed_by;
    VEC(struct split_user) users;
    size_t stamp; /* number of the last walk that saw it */
};

struct splitting_stack {
    struct str id;
    int64_t number;
    size_t count, bytes;
    struct map imports, exports; /* keys of values: Parameters and Outputs */
    VEC(size_t) needs;           /* indices of what its members need outside of it, each once */
    struct map needs_seen;
    size_t stamp;
};

struct splitting {
    struct arena *arena;
    const struct node *flat;
    const struct split_limits *limits;
    struct split_resource *all;
    size_t n;
    struct map index;                   /* id -> struct split_resource * */
    VEC(struct splitting_stack) nested; /* [0] is the root */
    size_t stamp;
    struct map outputs; /* name -> struct split_output *, those in nested stacks */
};

/* An Output of the flat template that is in the nested stack with the resource whose value it
 * is. */
struct split_output {
    int stack;
    const struct node *node;
};

/* Put the conditions that `n` uses, with those that they use in turn, into `ret` (name -> node). */
void split_conditions(const struct node *conditions, const struct node *n, struct map *ret);
/* Fill `s` from the template, and decide the stack of every resource. When nothing is to be split,
 * s->nested has the root alone afterwards. */
int split_assign(struct splitting *s, const struct map *assigned, struct err *err);
bool split_is_pseudo_of_stack(struct str id);

#endif
