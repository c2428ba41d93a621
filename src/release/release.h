/* Release: making AWS what a target says. Every command that changes something is a target handed
 * to the same engine: read the world, plan, apply, record (docs/design.md, "Deploying a stage").
 *
 * Nothing here prints: progress goes to an observer. */
#ifndef TROUPE_RELEASE_H
#define TROUPE_RELEASE_H

#include "layout/layout.h"
#include "layout/split/split.h"
#include "release/bucket/lease.h"
#include "release/bucket/store.h"
#include "release/publish/api_kind.h"

/* How much what is told matters to who reads only a log of it. What TOLD_METER says is replaced by
 * the next thing in no time, and no log has it. */
enum told { TOLD_METER, TOLD_STEP, TOLD_NOTICE, TOLD_FAILURE };

/* Who watches. Functions are published by several threads, which call at the same time: whoever
 * observes takes a lock of its own (ui/progress.c). */
struct observer {
    void *context;
    /* `step` is under way: "publish", "stack" …; `text` says what just happened in it. */
    void (*progress)(void *context, enum told told, const char *step, struct str text);
    /* `step` is over, with a summary. */
    void (*finished)(void *context, const char *step, struct str text);
};

/* A command under way. */
struct release {
    struct arena *arena;
    struct aws *aws;  /* for the stage's region */
    struct aws *home; /* for the service stack and the bucket; NULL: the same */
    /* A client for another region, that lives as long as the release. For stages elsewhere. */
    struct aws *(*client)(void *context, struct str region, struct err *err);
    void *client_context;
    const struct service *service;
    const struct observer *observer; /* may be NULL */
    unsigned jobs;                   /* parallel publishing; 0: 8 */
    struct str source_revision;      /* "git 1a2b3c4, modified", or empty */
    struct str endpoint;             /* of the local cloud, or empty */
    int64_t timeout_ms;              /* of one stack operation; 0: an hour */
    bool explain;                    /* say why things change: reads more */
    struct disposals *disposals;     /* what goes and what stays is noted here; may be NULL */
    bool adopts; /* the stage's stack may have been made by another tool: see adopt.h */
    /* How a recorded service is loaded again: --param, values that only AWS knows. May be NULL. */
    const struct config_options *config;
};

void release_tell(const struct release *r, enum told told, const char *step, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, of a step. */
void release_progress(const struct release *r, const char *step, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void release_finished(const struct release *r, const char *step, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A Lambda alias, or a stage of an API, and what it should point at (pointers.h). */
struct pointer {
    const struct gateway *gateway; /* of the API; NULL: an alias */
    struct str key;                /* of the function, or logical id of the API: for messages */
    struct str owner;              /* function name or id of the API */
    struct str stage;              /* name of the alias or of the API's stage */
    struct str want;               /* version or deployment */
    struct str beside;             /* another version that takes `percent` of the calls, or empty */
    unsigned percent;
    bool
        provisioned; /* an alias with provisioned concurrency: Lambda gives it weights of its own */
};
struct pointers {
    struct pointer *all;
    size_t n;
};

/* Functions move by weights before everything else moves (shift.c): in steps, or to one weight at
 * which they stand until the next command. */
struct shifting {
    const struct shift *settings; /* of custom.troupe.shift */
    struct str verify;            /* shell command that judges every step; or empty */
    unsigned stand;               /* by hand: percent of the calls; 100: all; 0: in steps */
};

/* What the service, or a stage of it, should be. */
struct target {
    const struct layout *layout;
    const struct service *service; /* NULL: the release's */
    struct str what;               /* for the record: "deploy", "rollback to 9"; empty: "deploy" */
    /* Its versions are looked at first when something has to be published; NULL: none. */
    const struct record *origin;
    bool pinned;         /* the snapshots are those of `origin`, whatever definitions say */
    struct str unpinned; /* but for this function; empty: none */
    bool switches;       /* pointers move by API first, the stack follows */
    int64_t restores;    /* number of the stage's own record that this makes current again */
    int64_t to;          /* the same of a shift by hand: a rollback goes back from it */
    /* Keys of functions: the versions that `origin` has for them were active a moment ago. */
    struct map awake;
    struct str sources;       /* hash of a source bundle in the bucket; empty: of the service */
    const struct node *needs; /* of the service stack; NULL: what the layout has there */
    const struct shifting *shifting; /* NULL: all at once */
    const struct adoption *adoption; /* NULL: no stack is taken over */
    const struct node *images;       /* as compile_options.images; NULL: those of `origin` */
    struct str *notes;               /* what the user should know of it */
    size_t note_count;
};

struct world;

/* How a target is found. `find` runs after the world was read, under the stage's lease. */
struct goal {
    const char *verb; /* "deploy": what the lease is for */
    unsigned parts;   /* of the world that `find` needs: WORLD_… */
    int (*find)(const struct goal *goal, const struct release *r, struct world *world,
                struct target *ret, struct err *err);
    const void *context;             /* what `find` was made with */
    struct str what;                 /* for the record, when not what `find` says; or empty */
    const struct shifting *shifting; /* NULL: all at once */
    bool ends_shift;                 /* may find a shift by hand under way */
};

/* Those with arguments of their own keep them in `a`. */

/* The target is ready: what serverless.yml says. */
struct goal goal_deploy(const struct target *ready);
/* Of one function (function.c): everything as it is, but for its code. `ready` is the whole service
 * as serverless.yml has it. REFUSED when more than its code changed. */
struct goal goal_function(struct arena *a, const struct target *ready, struct str function);
/* The record before the current one, following the chain of rollbacks, or `number` (rollback.c).
 * Where the versions of that record can serve at once, the target is to switch to them; else it is
 * the recorded sources, deployed again. */
struct goal goal_rollback(struct arena *a, int64_t number);
/* Record `number` (0: the current one) of `stage` for this stage, from its recorded sources
 * (reset.c). goal_clone: only for a stage that is not there yet. */
struct goal goal_reset(struct arena *a, struct str stage, int64_t number, bool exact);
struct goal goal_clone(struct arena *a, struct str stage, int64_t number, bool exact);
/* Record `number` of the stage beside the current one, with `shifting->stand` percent of the calls
 * (shift.c). 100 ends it there; taking it back is goal_rollback(0). REFUSED where not all it needs
 * stands, and while another shift is under way. */
struct goal goal_shift(struct arena *a, int64_t number, const struct shifting *shifting);

/* ---- the world (world.c) ---- */

/* What AWS and the records say now. */
struct world {
    struct str account, partition;
    bool service_exists, stage_exists;
    bool service_dead, stage_dead; /* the stack never worked: for world_read it does not exist, and
                                      who makes it clears it away first (dispose_stack) */
    struct stack service, stage;
    struct str service_name, stage_name; /* of the stacks */
    struct str bucket;                   /* empty: none yet */
    struct store store;                  /* usable when there is a bucket */
    struct store stage_store;            /* where the stage's code comes from: the same, or the
                                            bucket of a remote stage, once it is there */
    int64_t current;                     /* deployment the stage is at, 0: none */
    struct record record;                /* of `current`; parts as asked for */
    struct record_ref *records;          /* all of the service */
    size_t record_count;
    int64_t last_number;                 /* highest record number of the stage */
    bool last_interrupted;               /* the newest record has no outcome and is not current */
    struct record interrupted;           /* that record; body NULL: none */
    bool unclosed;                       /* the current record has no outcome yet */
    const struct node *service_template; /* when asked for */
    const struct node *stage_template;   /* what the stage stack has; NULL: none */
    /* Which nested stack holds what; with the templates. */
    const struct map *service_nesting, *stage_nesting;
    struct str cut_off; /* nonce of the dead lease that was taken over, or empty */
};

/* The record of a shift by hand that was begun and neither finished nor taken back, or NULL. */
const struct record *world_shift(const struct world *w);
/* Percent of the calls that it has, 0: none yet. */
unsigned world_shift_percent(const struct record *shift);

/* Only the stacks' heads and the bucket, also of a service stack that is being updated: enough to
 * take a lease. `stage` false: the service stack only. */
int world_find(const struct release *r, bool stage, struct world *ret, struct err *err);
/* The same of what is left when somebody deleted a stack or the bucket by hand: a stage
 * whose service stack is gone is found too, and a bucket that is gone is none. */
int world_remains(const struct release *r, bool stage, struct world *ret, struct err *err);
/* The rest, into a world that was found: the stage's stack anew, its template, the list of records,
 * and those `parts` of WORLD_… that the caller needs anyway. Errors: FAILED
 * with the way out for stacks in a state that cannot be worked with, CONFLICT for busy ones,
 * REFUSED for stacks that are not this service's. `wait_busy`: an operation of ours was cut off:
 * wait until the stack is done. */
int world_read(const struct release *r, unsigned parts, bool wait_busy, struct world *world,
               struct err *err);
enum { WORLD_RECORD = 1, WORLD_VERSIONS = 2, WORLD_SERVICE = 4, WORLD_ALL = 7 };
/* Read those parts that are missing: the current record (its body is there then, unless the stage
 * is at none), its versions, the service stack's template. */
int world_want(const struct release *r, unsigned parts, struct world *world, struct err *err);
/* Fill bucket and store from the configuration and the service stack's Outputs. */
void world_use_bucket(const struct release *r, struct world *world);
/* What the stage of a world that was found serves: its current record, and its versions on request.
 * A stack that is being updated does not say: then the newest record that succeeded, for that is
 * what it serves until its pointers move. NOT_FOUND: it serves nothing. */
int world_served(const struct release *r, bool versions, struct world *world, struct err *err);
/* The number that a stage stack's Output says, 0: none. */
int64_t world_deployment(const struct stack *stage);
/* What it says that the record of that number is (record_digest); empty: an older troupe made it.
 */
struct str world_digest(const struct stack *stage);

#define DEPLOYMENT_OUTPUT "TroupeDeployment"
#define RECORD_OUTPUT "TroupeRecord"
#define TAG_SERVICE "troupe:service"
#define TAG_STAGE "troupe:stage"
#define TAG_HOME "troupe:home" /* of remote stages: the region of the service stack */

/* ---- plan (plan.c) ---- */

enum change_action {
    CHANGE_ADD,
    CHANGE_UPDATE,
    CHANGE_REPLACE,
    CHANGE_REMOVE,
    CHANGE_PUBLISH, /* a new snapshot */
    CHANGE_MOVE,    /* a pointer to a snapshot that exists */
    CHANGE_PENDING, /* service-scoped: waits for a deploy of the service */
    CHANGE_ACTION_COUNT
};

struct change {
    enum change_action action;
    struct str kind;   /* "function", "rest api", "resource", "service" */
    struct str name;   /* as the user knows it: function key or logical id */
    struct str detail; /* "v12 -> v13", type of a resource */
    struct str reason;
    struct pos pos;
    bool stateful; /* a resource that holds data */
};

/* A shared function between its definition and its version. */
struct function_plan {
    const struct layout_function *function;
    bool pinned;                      /* `to` is given, nothing is published */
    bool published;                   /* `to` was published by this very command */
    bool awake;                       /* `to` was active when this command looked at it */
    const struct node *configuration; /* resolved, complete; NULL: a value is not known yet */
    const struct node *code;  /* members of UpdateFunctionCode but for revision and bucket */
    struct str code_sha256;   /* base64; empty for images */
    struct str fingerprint;   /* hexadecimal; empty: not known yet */
    struct str unkeyed;       /* the same as records before there were keys have it; or empty */
    const struct node *parts; /* property -> short hash, to tell later what changed */
    struct str from, to;      /* version numbers; `to` empty: to be published */
    bool vouched;             /* `to` is what a record says that a stack vouches for */
};

struct api_plan {
    const struct layout_api *api;
    bool pinned, published;
    struct str aws_id;   /* its id in AWS */
    struct str document; /* resolved OpenAPI as text; p NULL: not known yet */
    struct str fingerprint;
    struct str from, to; /* deployment ids */
    bool vouched;        /* as above */
};

struct plan {
    struct target target;
    struct world world;
    struct map
        waiting; /* Outputs whose values cannot be had yet, while deploying: see layout_expand */
    struct map values;  /* name -> const struct node *, what definitions took from the stacks */
    struct map dynamic; /* "{{resolve:…}}" -> const struct node *, what it gave */
    bool nothing;
    struct change *changes;
    size_t change_count, unchanged;
    struct function_plan *functions;
    size_t function_count;
    struct api_plan *apis;
    size_t api_count;
    const struct node *service_target;       /* service template to have, NULL: no change */
    struct split service_split, stage_split; /* of the stacks that change */
    const struct node *keeps; /* a template: networks that the target drops and versions are in */
    bool reuses;              /* snapshots of records other than the current one */
    int64_t number;           /* the deployment this will be */
    struct str log_role;      /* to set for API Gateway in the account; or empty */
    struct str key;    /* the service's (store_secret), where a definition has values; or empty */
    struct str digest; /* of its record, once that is whole; before: of the current one */
};

/* What `goal` would do. Reads only, without a lease. */
int plan_run(const struct release *r, const struct goal *goal, struct plan *ret, struct err *err);
/* Compare `target` with `world`. Reads only. */
int plan_make(const struct release *r, const struct target *target, const struct world *world,
              struct plan *ret, struct err *err);

/* ---- deploy (deploy.c) ---- */

/* Called once the plan stands, before anything changes; -1 with err REFUSED stops. */
typedef int confirm_fn(void *context, const struct plan *plan, struct err *err);

struct deployed {
    struct plan plan;
    int64_t number;     /* of the deployment the stage is at now, 0 for the service alone */
    struct stack stage; /* after it; name empty for the service alone */
    size_t published, uploaded;
    unsigned percent; /* of the calls, when it stands beside the current deployment; else 0 */
    int64_t undone; /* number of the one that was taken back because there was nothing else to do */
    int64_t took_ms;
};

/* Reach `goal`: for a stage, or for the service stack alone when the service has no stage. */
int deploy_run(const struct release *r, const struct goal *goal, confirm_fn *confirm, void *context,
               struct deployed *ret, struct err *err);

/* ---- remove (remove.c) ---- */

struct removal {
    struct str stage; /* empty: the whole service */
    bool yes;         /* stateful resources may go */
    bool purge;       /* empty the buckets that the stage made */
};
/* What would be lost: stateful resources of the stacks, as changes. */
int remove_losses(const struct release *r, const struct world *world, struct change **ret,
                  size_t *ret_n, struct err *err);
/* `*ret_nothing`: it was removed before, nothing was left to do. NOT_FOUND for a stage that never
 * was. What goes and what stays is in r->disposals and in the record of the removal. */
int remove_stage(const struct release *r, struct str stage, bool purge, bool *ret_nothing,
                 struct err *err);
int remove_service(const struct release *r, bool purge, bool *ret_nothing, struct err *err);

/* Addresses of the stages that have a stack now, in all regions, sorted; their stacks in the same
 * order. The stacks' owner tags say so: a stage whose first creation failed has no record. Without
 * a bucket in `store` only those at home are found. */
int stages_find(const struct release *r, const struct store *store, struct str **ret,
                struct stack **ret_stacks, size_t *ret_n, struct err *err);

#endif
