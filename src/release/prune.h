/* Pruning: versions, API deployments and objects in the bucket that nobody needs any more go
 * (docs/design.md, "Pruning").
 *
 * What a record needs goes with the record. A record is kept while it is one of its stage's last
 * ones, current, open, or was pointed at a while ago; everything a kept record needs is kept, and
 * whatever an alias or an API stage points at. Only what records name is ever looked at.
 *
 * Others may be at work meanwhile. Records that go are marked first; then the bucket is read
 * again: a deployment that was planned before the marks were there has a lease on its stage, and
 * nothing is deleted. One that began after them sees the marks and does not build on these records
 * (deploy.c looks for marks once more after it wrote its intent). */
#ifndef TROUPE_RELEASE_PRUNE_H
#define TROUPE_RELEASE_PRUNE_H

#include "release/dispose/dispose.h"

/* ---- deciding (prune_plan.c): pure ---- */

enum kept {
    KEPT_NOT,
    KEPT_CURRENT,   /* the stage is at it */
    KEPT_LAST,      /* one of the stage's last ones */
    KEPT_OPEN,      /* without outcome: under way, interrupted, or a shift by hand */
    KEPT_UNSETTLED, /* the stage's stack is not where it should be */
    KEPT_RECENT,    /* was pointed at not long ago */
    KEPT_COUNT
};

struct prune_record {
    struct record_ref ref;
    struct record record; /* with versions and outcome */
    enum kept kept;
};
struct prune_stage {
    struct str name;
    bool settled;    /* its stack is in a state *_COMPLETE */
    int64_t current; /* 0: unknown */
    bool leaving;    /* its stack is being deleted, or could not be deleted whole */
};
struct prune_rules {
    int64_t keep;      /* records a stage */
    int64_t unused_ms; /* since the last pointer left */
    int64_t now_ms;    /* by S3's clock */
};

/* Set `kept` of all `records` (by stage, newest first). `stages` are those that have a stack; a
 * stage without one is gone when its newest record is its removal, else it is unsettled. */
void prune_decide(struct prune_record *records, size_t n, const struct prune_stage *stages,
                  size_t stage_count, const struct prune_rules *rules);

enum prune_kind {
    COLLECT_VERSION,
    COLLECT_DEPLOYMENT,
    COLLECT_OBJECT,
    COLLECT_FUNCTION,
    COLLECT_LAYER,  /* a resource of the service's stack */
    COLLECT_UPLOAD, /* in parts, that nobody went on with */
    COLLECT_KIND_COUNT
};
struct prune_item {
    enum prune_kind kind;
    struct str owner;  /* function name, id of the API; empty for objects */
    enum api_kind api; /* of a deployment */
    struct str id; /* version, deployment, logical id, key below the service's folder, function */
    struct str stage; /* of the record that named it; empty: none did */
    int64_t number;
    struct claim claim;  /* of a version or a deployment: why it is ours */
    struct str why_kept; /* in use, says AWS; empty: gone */
};
/* What the records that are not kept name, and no kept one does. */
void prune_items(struct arena *a, const struct prune_record *records, size_t n,
                 struct prune_item **ret, size_t *ret_n);

/* ---- layers (prune_layers.c) ---- */

/* Take out of `items` the layers that the service's stack does not have. */
int prune_layers_find(const struct release *r, const struct world *w, struct prune_item *items,
                      size_t *n, struct err *err);
/* Take the layers among `items` out of that stack. The caller has the service's lease. */
int prune_layers_drop(const struct release *r, const struct world *w,
                      const struct prune_item *items, size_t n, struct err *err);

/* ---- uploads (prune_uploads.c) ---- */

typedef VEC(struct prune_item) prune_item_list;

/* Add uploads in parts below the service's folder that are older than a day, as nobody goes on with
 * them; abort them unless `only_look`. Who may not list them is told so. */
int prune_uploads(const struct release *r, const struct store *store, bool only_look,
                  prune_item_list *ret, struct err *err);

/* ---- doing (prune.c) ---- */

struct pruning {
    bool only_look;
    bool automatic; /* after another command: gives way to everybody, and waits for a handful */
    int64_t unused_ms;
};
enum { COLLECT_UNUSED_MS = 60 * 60 * 1000 };

struct pruned {
    size_t records, kept[KEPT_COUNT]; /* records that went, and stay */
    struct prune_item *items;
    size_t item_count;
    bool put_off; /* somebody is at work: nothing was done */
};
/* Collect what the whole service has. `world` has been found (world_find). With `automatic` and
 * `world->records` read, nothing is called when they show that it is not worth it. LOCKED when
 * somebody is at work (not with `automatic`). Run again after an interruption, it goes on. */
int prune_run(const struct release *r, const struct pruning *how, struct world *world,
              struct pruned *ret, struct err *err);

#endif
