/* Splitting: a template that is too large for one stack becomes a root and nested stacks.
 *
 * Everything else works with *flat* templates: a template is split where it is sent to
 * CloudFormation, and joined where it is read back (release/stack/nested.h). A nested stack is a
 * resource of the root: "TroupePart1" and so on. What refers from
 * one stack to another goes through the root: into a nested stack by its Parameters, out of it by
 * its Outputs; a DependsOn on something in a nested stack is one on the nested stack. layout_join
 * undoes this exactly.
 *
 * A resource never moves between stacks once it exists. New resources that belong together stay
 * together (a function's alias, permissions, event sources, rules, log group). What many resources
 * refer to (APIs, roles, tables, queues) and what refers to many (API stages) stays in the root.
 * Nested stacks and root resources never need each other in a circle.
 *
 * Source of the limits: CloudFormation user guide, "Understand CloudFormation quotas". */
#ifndef TROUPE_LAYOUT_SPLIT_SPLIT_H
#define TROUPE_LAYOUT_SPLIT_SPLIT_H

#include "base/map.h"
#include "doc/node.h"

struct split_limits {
    size_t alone; /* resources of a stack without nested stacks */
    size_t fill;  /* resources that a nested stack is filled to */
    size_t most;  /* resources that a stack may grow to */
    /* bytes of the template that a stack is filled to, also one without nested stacks */
    size_t fill_bytes;
    size_t most_bytes;
    size_t names; /* parameters or outputs of a nested stack that is filled */
    size_t most_names;
};
/* CloudFormation's 500 resources, 1,000,000 bytes and 200 names, with room to grow. */
extern const struct split_limits split_limits;

struct split_nested {
    struct str id; /* logical id in the root: "TroupePart1" */
    const struct node *template;
};

struct split {
    /* The flat template itself when nothing is split. Otherwise each nested stack's TemplateURL is
     * the hole {"Troupe::Part": id}. */
    const struct node *root;
    struct split_nested *nested;
    size_t nested_count;
};

/* `assigned`: logical id -> const char * id of the nested stack that has the resource now, "" for
 * the root; NULL: there is no stack yet. ERR_FAILED when resources of different stacks would need
 * each other in a circle, or something fits nowhere. */
int layout_split(struct arena *a, const struct node *flat, const struct map *assigned,
                 const struct split_limits *limits, struct split *ret, struct err *err);

/* CloudFormation changes 2,500 resources of a stack and its nested ones in one operation. When
 * going from `now` (NULL: nothing) to `target` changes more than `most`, the first step: `now` with
 * `most` new resources, those first that others need. NULL: one operation is enough, or no resource
 * is new. */
const struct node *layout_grow(struct arena *a, const struct node *now, const struct node *target,
                               size_t most);
/* `now` without `most` of its resources, none of which another one that stays needs; NULL when it
 * has no more than that. */
const struct node *layout_shrink(struct arena *a, const struct node *now, size_t most);

/* Is this resource of a root one of its nested stacks? */
bool layout_is_nested(struct str id, const struct node *resource);

/* The flat template of `root`. `nested`: id -> const struct node *, the templates of all its nested
 * stacks. `*ret_assigned` (may be NULL) is filled as layout_split wants it. ERR_FAILED when the
 * template of one is missing. */
int layout_join(struct arena *a, const struct node *root, const struct map *nested,
                const struct node **ret, struct map *ret_assigned, struct err *err);

#endif
