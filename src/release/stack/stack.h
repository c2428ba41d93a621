/* Stacks: their states, and creating, updating and deleting them with a watch on what happens. */
#ifndef TROUPE_RELEASE_STACK_STACK_H
#define TROUPE_RELEASE_STACK_STACK_H

#include "release/release.h"

enum stack_condition {
    STACK_READY, /* can be updated */
    STACK_BUSY,  /* an operation is under way */
    STACK_STUCK, /* needs a person: see stack_way_out */
    STACK_GONE,  /* deleted */
};
enum stack_condition stack_condition(struct str status);
/* Its creation failed and all that it had made is gone again: deleting it loses nothing. */
bool stack_never_worked(struct str status);
/* What to do about a stuck stack, as a help line in `a` or a constant; empty when there is nothing
 * special to say. `what`: the stage, or "--service", that `troupe remove` would take, where that is
 * the way out; empty: it is not named. */
struct str stack_way_out(struct arena *a, struct str status, struct str what);

/* Tags that say whose stack it is (stage empty: the service stack), with the user's own stack tags.
 */
const struct node *stack_tags(struct arena *a, const struct service *service, struct str stage);
/* REFUSED unless `stack` carries exactly these owner tags. */
int stack_check_owner(const struct stack *stack, struct str service, struct str stage,
                      struct err *err);

/* REFUSED with the way out when the stack's termination protection is on. `region` is the stack's.
 */
int stack_check_unguarded(const struct stack *stack, struct str region, struct err *err);
/* Turn the termination protection of the stack on or off, if it is not so. A failure is told and
 * does no harm: the next deployment tries again. */
void stack_guard(const struct release *r, const struct stack *stack, bool on);

/* Largest template that fits into a call; others go through S3. Source: CloudFormation quotas. */
enum { STACK_BODY_MAX = 51200 };
/* Most resources that one operation on a stack and its nested stacks changes: 2,500, less some that
 * may be replaced. */
enum { STACK_CHANGES_MAX = 2200 };

/* What a stack is to become. */
struct stack_update {
    struct str name;
    const struct node *template;   /* flat: nested stacks are made of it where it is too large */
    const struct node *parameters; /* as of struct stack_change; may be NULL */
    const struct node *tags;       /* NULL: unchanged */
    const struct store *store;     /* NULL before there is a bucket: then the template must fit into
                                      the call (51,200 bytes) */
    bool create;
};

/* Create or update it and wait until it is done. `*nesting`: which nested stack holds what now, for
 * an update (NULL: it is asked), and afterwards. `*ret_changed` (may be NULL): false for "no
 * updates are to be performed". FAILED names the first resource that failed and AWS's reason. */
int stack_apply(const struct release *r, const struct stack_update *u, const struct map **nesting,
                bool *ret_changed, struct err *err);
/* What the update would do to its resources, by a change set that is not carried out: a seq of
 * ResourceChange. */
int stack_foresee(const struct release *r, const struct stack_update *u, const struct node **ret,
                  struct err *err);
/* Import resources that exist and wait: `imports` as for change_set_create; the template is the one
 * the stack has, and those resources. FAILED says why it could not be. */
int stack_import(const struct release *r, const struct stack_update *u, const struct node *imports,
                 struct err *err);
/* ARN of the role that CloudFormation changes stacks with; empty: the caller's rights. */
struct str stack_role(const struct service *service);
/* A new mark for the events of one operation. */
struct str stack_token(struct arena *a);
/* Wait until the deletion that was begun with `token` is over. */
int stack_await_deletion(const struct release *r, struct str name, struct str id, struct str token,
                         struct err *err);
/* Wait until no operation is under way. */
int stack_wait(const struct release *r, struct str name, struct stack *ret, struct err *err);

#endif
