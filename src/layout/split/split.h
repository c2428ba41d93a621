/* Splitting: a template that is too large for one stack becomes a root and nested stacks.
 *
 * Everything else works with *flat* templates: a template is split where it is sent to
 * CloudFormation, and joined where it is read back (release/stack/nested.h). A *part* is a nested
 * stack, a resource of the root: "TroupePart1" and so on. What refers from one stack to another
 * goes through the root: into a part by its Parameters, out of it by its Outputs; a DependsOn of
 * something in a part is one of the part. layout_join undoes this exactly.
 *
 * A resource never moves between stacks once it exists. New ones: resources that belong together
 * stay together (a function's alias, permissions, event sources, rules, log group), and whatever
 * many refer to (APIs, roles, tables, queues) or that refers to many (API stages) stays in the
 * root. Parts and root resources never need each other in a circle.
 *
 * Source of the limits: CloudFormation user guide, "Understand CloudFormation quotas". */
#ifndef TROUPE_LAYOUT_SPLIT_SPLIT_H
#define TROUPE_LAYOUT_SPLIT_SPLIT_H

#include "base/map.h"
#include "doc/node.h"

struct split_limits {
    size_t alone;      /* resources of a stack without parts */
    size_t fill;       /* resources put into a part when it is filled */
    size_t most;       /* resources a stack may grow to */
    size_t fill_bytes; /* the same of the template's size; also without parts */
    size_t most_bytes;
    size_t names; /* parameters or outputs of a part that is filled */
    size_t most_names;
};
/* CloudFormation's 500 resources, 1,000,000 bytes and 200 names, with room to grow. */
extern const struct split_limits split_limits;

struct split_part {
    struct str id; /* logical id in the root: "TroupePart1" */
    const struct node *template;
};

struct split {
    /* The flat template itself when nothing is split. Else parts have the hole {"Troupe::Part": id}
     * where their TemplateURL goes. */
    const struct node *root;
    struct split_part *parts;
    size_t part_count;
};

/* `placed`: logical id -> const char * id of the part that holds the resource now, "" for the root;
 * NULL: there is no stack yet. ERR_FAILED when resources that stand in different stacks would need
 * each other in a circle, or something fits nowhere. */
int layout_split(struct arena *a, const struct node *flat, const struct map *placed,
                 const struct split_limits *limits, struct split *ret, struct err *err);

/* CloudFormation changes 2,500 resources of a stack and its nested ones in an operation. The first
 * step from `now` (NULL: nothing) to `target` when that changes more than `most`: `now` with `most`
 * new resources, needed ones first. NULL: it is one operation, or none of them is new. */
const struct node *layout_grow(struct arena *a, const struct node *now, const struct node *target,
                               size_t most);
/* `now` without `most` of its resources that nothing left needs; NULL when it has no more than
 * that.
 */
const struct node *layout_shrink(struct arena *a, const struct node *now, size_t most);

/* Is this resource of a root one of its parts? */
bool layout_is_part(struct str id, const struct node *resource);

/* The flat template of `root`. `parts`: id -> const struct node *, the templates of all its parts.
 * `*ret_placed` (may be NULL) is filled as layout_split wants it. ERR_FAILED when a part is
 * missing. */
int layout_join(struct arena *a, const struct node *root, const struct map *parts,
                const struct node **ret, struct map *ret_placed, struct err *err);

#endif
