/* What the files of this folder share: the change that is sent, and the watch on it. */
#ifndef TROUPE_RELEASE_STACK_STACK_INTERNAL_H
#define TROUPE_RELEASE_STACK_STACK_INTERNAL_H

#include "base/backoff.h"
#include "base/map.h"
#include "layout/split/split.h"
#include "release/stack/stack.h"

/* ---- stack.c: what is sent ---- */

/* The change but for its template, with a token of its own. */
struct stack_change stack_describe_change(const struct release *r, const struct stack_update *u);
/* Its template, in the call or through the bucket. */
int stack_put_text(const struct release *r, const struct stack_update *u, struct str text,
                   struct stack_change *change, struct err *err);
/* The same of a template that is split into nested stacks where it is too large for one. `nesting`:
 * which nested stack holds what now; NULL: it is asked. */
int stack_put_template(const struct release *r, const struct stack_update *u,
                       const struct map *nesting, struct stack_change *change, struct split *ret,
                       struct err *err);

/* ---- stack_events.c: what happens to it ---- */

/* Why an operation failed: the first resource that did, or (no id) the stack as a whole, which a
 * resource's goes before. No reason: nothing failed so far. */
struct stack_failure {
    struct str id, type, reason;
};

struct stack_watch {
    const struct release *r;
    struct arena *arena; /* of seen ids */
    struct str name;     /* stack name or id */
    struct str token;
    struct map seen;
    struct stack_failure failure;
    struct str nested; /* id of the nested stack that failed, where that was the first to fail */
    struct str final;  /* status of the root when the operation is over */
};

struct stack_watch stack_watch(const struct release *r, struct str name, struct str token);
/* Until the operation is over: its status is in `final` then. */
int stack_watch_to_end(struct stack_watch *w, struct err *err);
/* The operation was refused, or its answer got lost (`err`). A lost one is sent again, and then it
 * is refused because it is under way already: its events tell by their token. 0: it is; HALF_DONE:
 * nobody knows. */
int stack_is_under_way(struct stack_watch *w, struct err *err);
/* What failed in the nested stack that failed, or at the template's validation. */
void stack_explain(struct stack_watch *w);
/* "Orders (AWS::DynamoDB::Table): …" */
struct str stack_what_failed(const struct stack_watch *w);

/* As long as an operation may take. */
struct backoff stack_backoff(const struct release *r);

#endif
