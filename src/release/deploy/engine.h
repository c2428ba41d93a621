/* What the files of the engine share: a command under way that changes a stage or the service.
 * deploy.c reads top to bottom and calls the rest. */
#ifndef TROUPE_RELEASE_DEPLOY_ENGINE_H
#define TROUPE_RELEASE_DEPLOY_ENGINE_H

#include <pthread.h>

#include "release/plan/plan.h"

enum { SERVICE_WAIT_MS = 15 * 60 * 1000 };

/* How far it is. A later one includes the earlier ones. */
enum deploy_phase {
    DEPLOY_BEGUN,
    DEPLOY_IMPORTED, /* what an adoption moves is in the service stack */
    DEPLOY_RECORDED, /* the record of this deployment is in the bucket */
    DEPLOY_LAST, /* the stage's stack gets its last update: with it an adopted one becomes ours */
};

struct stack_update;

struct deploying {
    struct release release; /* the caller's, with the target's service */
    const struct release *r;
    struct arena *arena;
    const char *verb;
    struct plan *plan;
    struct lease *lease;            /* of the stage; NULL while there is no bucket */
    const struct record_body *body; /* the record */
    enum deploy_phase phase;
    bool resumed;     /* an interrupted run of the same command wrote the record */
    unsigned percent; /* of the calls, when a shift stands at it */
    int64_t undone;   /* number of the interrupted record, or shift by hand, that was taken back */
    const struct node *stage_now; /* what the stage's stack was brought to; NULL: not yet */
    bool fresh_roles;             /* roles or policies were made or changed */
    bool drifted;                 /* an interrupted switch may have moved pointers by API */
    bool new_outputs;             /* the stage's stack may have other ones than the plan's world */
    struct str template_sha;      /* of the stage template that is kept, or empty */
    size_t published, uploaded;
    pthread_mutex_t lock; /* of what the publishing threads share */
};

struct str engine_stage(const struct deploying *d);

/* publisher.c: DENIED when the caller, who gives CloudFormation a role, may not publish. */
int engine_check_publisher(struct deploying *d, struct err *err);

/* service_stack.c: bring it to the plan's target, or add to it what is missing. */
int engine_service(struct deploying *d, struct err *err);

/* The same again, with what was withheld the first time. */
int engine_service_again(struct deploying *d, struct err *err);

/* upload.c */

/* Is `f` to be published, and known by now? */
bool engine_is_due(const struct function_plan *f);
/* Put into the bucket what the stage's stack makes functions and layers of (`per_stage`), or what
 * is due to be published. FAILED when code that was deployed before is gone from the bucket. */
int engine_upload(struct deploying *d, bool per_stage, struct err *err);
/* The same for layers that the service's stack makes, but for those that it has by `template`
 * (NULL: none). */
int engine_upload_layers(struct deploying *d, const struct node *template, struct err *err);

/* adopt.c: nothing to do (0, or what was given) unless the target is an adoption. */

/* The steps before the deployment: retain, take out, import. */
int engine_adopt(struct deploying *d, struct err *err);
/* What of a service template can be there before those steps. */
const struct node *engine_adopt_withhold(const struct deploying *d, const struct node *service);
/* Parameters that only the stack knows keep their values. */
const struct node *engine_adopt_parameters(const struct deploying *d, const struct node *template,
                                           const struct node *given);
/* REFUSED when CloudFormation says that the update loses something. */
int engine_adopt_foresee(struct deploying *d, const struct stack_update *update, struct err *err);
/* Before the last update: everything new beside everything old, then the stacks of
 * serverless-aws-alias go, which import values of the old. */
int engine_adopt_aliases(struct deploying *d, const struct node *template, struct err *err);

/* stage_import.c */

/* Import what exists into the stage's stack: `resources` are the definitions by logical id,
 * `imports` as for stack_import. */
int engine_import(struct deploying *d, const struct node *resources, const struct node *imports,
                  struct err *err);
/* A stage of the API that a deployment in the stack made (StageName) becomes a resource, if the
 * target has it as one. */
int engine_import_api_stage(struct deploying *d, struct err *err);

/* intent.c */

/* Write the record. An intent that an interrupted run left behind and that says the same is taken
 * over with its number; another one is superseded. LOCKED when the number is taken. */
int intent_write(struct deploying *d, struct err *err);
/* Write what is published by now. The caller holds d->lock when threads are at work. */
int intent_versions(struct deploying *d, struct arena *scratch, struct err *err);

/* The same when all is known: from now on the record stays what it is, and the stage's template
 * says so (plan.digest). */
int intent_finish(struct deploying *d, struct err *err);

/* switch.c: pointers move at once by API, then the stack is updated in two steps. HALF_DONE when an
 * update fails. */
int engine_switch(struct deploying *d, struct err *err);

/* Wake the versions that the stage is to serve and that were published before, where Lambda has put
 * them away. */
int engine_wake(struct deploying *d, struct err *err);

/* shift.c: in steps, watching alarms; what fails is taken back. At the end the aliases are moved by
 * API, before the stack follows. Nothing to do without function that can be weighted. */
int engine_shift(struct deploying *d, struct err *err);
/* To one weight, which stands. What fails is taken back. */
int engine_stand(struct deploying *d, struct err *err);
/* May the two versions of an alias share its calls? Lambda wants the same role and dead letter
 * configuration of both, and no provisioned concurrency ("Lambda function aliases"). `*ret_why`
 * (may be NULL): "its role changes". */
bool shift_possible(const struct node *alias, const struct node *parts_before,
                    const struct node *parts_after, const char **ret_why);

/* Move every pointer of the plan that is elsewhere to where it is to be (`back`: was), clearing
 * weights. */
int engine_reconcile(struct deploying *d, bool back, struct err *err);

/* The template that the stage's stack has by now; NULL: there is none. */
const struct node *engine_stage_now(const struct deploying *d);
/* That template with the plan's pointers and number, and nothing else new. */
const struct node *engine_pointers_only(const struct deploying *d);
/* Keep the stage template in the bucket; sets d->template_sha. */
int engine_keep_template(struct deploying *d, const struct node *template, struct err *err);
/* Create or update the stage's stack. */
int engine_apply_stage(struct deploying *d, const struct node *template, struct err *err);
/* The same with what the plan leads to: functions leave a network that goes with it. */
int engine_apply_last(struct deploying *d, const struct node *template, struct err *err);

#endif
