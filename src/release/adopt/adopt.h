/* Taking over a stack: one that another tool deployed whole, or one of ours whose resources are to
 * change between stage and service (docs/design.md, "Adopting").
 *
 * The stack stays the same stack. What it holds that cannot be made again is kept: it stays under
 * its logical id, or it is retained and imported into the service stack, or it is retained and left
 * behind. adopt_plan.c decides and is pure; adopt.c does it. */
#ifndef TROUPE_RELEASE_ADOPT_ADOPT_H
#define TROUPE_RELEASE_ADOPT_ADOPT_H

#include "release/release.h"

/* What becomes of a resource of the stack. */
enum adopt_fate {
    ADOPT_REFUSED, /* it cannot be done without losing it: says why */
    ADOPT_ADDRESS, /* who calls it has to call something else */
    ADOPT_MOVED,   /* into the service stack */
    ADOPT_TAKEN,   /* out of the service stack, into this one */
    ADOPT_LEFT,    /* stays, but belongs to no stack any more */
    ADOPT_KEPT,
    ADOPT_CHANGED, /* in place */
    ADOPT_REPLACED,
    ADOPT_REMOVED,
    ADOPT_FATE_COUNT
};
extern const char *const adopt_fate_words[ADOPT_FATE_COUNT];

struct adopt_item {
    enum adopt_fate fate;
    struct str id, type, physical;
    struct str from, to; /* of ADOPT_ADDRESS; `to` may be empty: not known yet */
    struct str reason;
    bool precious; /* holds something that cannot be made again */
    struct pos pos;
};

struct adopt_input {
    const struct node *old;                         /* the stack's template */
    const struct node *target;                      /* stage template; may have holes */
    const struct node *service_today, *service_now; /* the latter NULL: no service stack yet */
    const struct node *physical;                    /* logical id -> physical id: what is there */
    const struct node *outputs;                     /* of the stack */
    const struct node *needs; /* logical ids that the stage's current record needs of the service */
    const struct layout *layout;
    const struct settings *settings;
    struct str stage;
};

struct adoption {
    bool foreign;                /* no owner tags: another tool made it */
    struct str by;               /* which one */
    struct adopt_item *items;    /* the ones to be shown first come first */
    size_t count, refused, kept; /* `kept`: unchanged resources that are no item */
    const struct node *physical;
    const struct node *taken; /* {id: {Type, PhysicalId, …}} as adopt_moving: what is ADOPT_TAKEN */
    const struct node *original; /* its template before any of this; NULL: known by its hash only */
    struct str original_sha;
    struct stack *alias_stacks; /* of serverless-aws-alias: they hold the aliases */
    size_t alias_stack_count;
};

/* What becomes of each resource. */
void adopt_classify(struct arena *a, const struct adopt_input *in, struct adoption *ret);
/* The fate of resource `id`, NULL when it is no item. */
const struct adopt_item *adopt_find(const struct adoption *adoption, struct str id);

/* The steps, as templates. Each is `template` itself when it has nothing to change, so that a step
 * can be taken again.
 *
 * adopt_retain: what is moved or left behind is retained, and the values that refer to what moves
 * are Outputs. adopt_release: what moves is in no stack; references to it are the literals in
 * `outputs` (of the stack after the first step). What was taken out is kept under Metadata, so that
 * whoever comes next can go on (adopt_moving). NULL with FAILED when a value is missing. */
const struct node *adopt_retain(struct arena *a, const struct node *template,
                                const struct adoption *adoption);
const struct node *adopt_release(struct arena *a, const struct node *template,
                                 const struct adoption *adoption, const struct node *outputs,
                                 struct err *err);
/* What is in no stack at the moment, by a template's Metadata: {id: {Type, PhysicalId,
 * Definition}}, or NULL. */
const struct node *adopt_moving(const struct node *template);
/* `service` without the notes and values of those steps, once all is where it belongs. */
const struct node *adopt_tidy(struct arena *a, const struct node *service);
/* `template` with the literal instead of each parameter whose name is an id of `moving`, so that a
 * resource can have it. `values`: of the stack's parameters. */
const struct node *adopt_make_room(struct arena *a, const struct node *template,
                                   const struct node *moving, const struct node *values);
/* Hash of the template the stack had before, by the Metadata; or empty. */
struct str adopt_original(const struct node *template);

/* The service template without what is about to be imported, and what refers to that. */
const struct node *adopt_withhold(struct arena *a, const struct node *service,
                                  const struct node *moving);

/* ---- adopt.c ---- */

/* Take the stage's stack over: like a deployment of `ready`, which loses nothing. The release must
 * say `adopts`. REFUSED for stacks that are somebody else's. */
struct goal goal_adopt(const struct target *ready);

#endif
