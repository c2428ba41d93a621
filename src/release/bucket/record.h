/* The objects of a record, `stages/<stage>/<n>….json`: what each of them says. docs/bucket.md has
 * every member. */
#ifndef TROUPE_RELEASE_BUCKET_RECORD_H
#define TROUPE_RELEASE_BUCKET_RECORD_H

#include "layout/layout.h"
#include "doc/object.h"

/* Whose stack a function is in. */
enum record_layout { LAYOUT_UNSAID, LAYOUT_SHARED, LAYOUT_PER_STAGE };

/* What the intent says of a function, by its key. */
struct record_function {
    struct object object;
    struct str name;
    enum record_layout layout;
    struct str artifact;      /* SHA-256, hexadecimal; empty: an image */
    struct str fingerprint;   /* empty: not known when it was written, or none */
    const struct node *parts; /* setting -> short hash; NULL: not known */
};

/* Of a layer of the service's own, by its key. */
struct record_layer {
    struct object object;
    struct str id;       /* logical id of the version */
    struct str artifact; /* SHA-256, hexadecimal */
};

/* Of an API, by its logical id. */
struct record_api {
    struct object object;
    struct str id, fingerprint;
    enum api_kind kind;
};

struct record_adoption {
    struct object object;
    struct str by;            /* the tool that made the stack */
    struct str template;      /* SHA-256 of the template that it had */
    const struct node *moved; /* logical ids that went to the service's stack */
};

/* What a removal deleted, emptied or kept. */
struct record_disposed {
    struct object object;
    struct str type, name, why;
};
typedef OBJECTS(struct record_disposed) record_disposed_list;

#define RECORD_REMOVAL "remove"

/* <n>.json: what a deployment is about to do, or that a stage was removed. */
struct record_body {
    struct object object;
    bool removal; /* `what` is RECORD_REMOVAL */
    struct str service, stage, region;
    struct str what; /* for people: "deploy", "rollback to 9" */
    int64_t number;
    struct str content;       /* hash of what it says without its signature (record_content) */
    struct str nonce, lease;  /* of this writing; of the lease it was written under */
    struct str when, who;     /* ISO time, ARN */
    struct str source, tool;  /* git revision, or empty; version of troupe */
    int64_t before;           /* the record that was current; 0: none */
    struct str before_digest; /* record_digest of that one */
    int64_t restores, to;     /* number that a rollback makes current again; of a shift by hand */
    bool switches, shifts;    /* pointers move by API first; by weights */
    bool drifted;             /* an interrupted record before it had moved pointers by API */
    struct record_adoption *adopted; /* NULL: no stack was taken over */
    struct str sources, template;
    OBJECTS(struct record_function) functions;
    OBJECTS(struct record_api) apis;
    OBJECTS(struct record_layer) layers;
    const struct node *images;     /* as compile_options.images; NULL: none */
    const struct node *needs;      /* logical ids in the service's stack */
    const struct node *log_groups; /* names; NULL: an older troupe did not list them */
    record_disposed_list deleted, emptied, kept;
};

/* A version of a function, by the function's key. */
struct record_version {
    struct object object;
    struct str name, fingerprint, version;
};

/* A deployment of an API, by its logical id. */
struct record_api_deployment {
    struct object object;
    struct str id, fingerprint, deployment;
    enum api_kind kind;
};

/* <n>.versions.json: what was published, as far as it is. */
struct record_versions {
    struct object object;
    OBJECTS(struct record_version) functions;
    OBJECTS(struct record_api_deployment) apis;
    /* Value -> keyed hash of what it was (definition_value_hash): what the snapshots were published
     * with. NULL: an older troupe did not keep it. */
    const struct node *values;
    int64_t percent; /* of the calls, while a shift by hand stands */
    struct str stage_template;
};

enum outcome { OUTCOME_NONE, OUTCOME_SUCCEEDED, OUTCOME_FAILED, OUTCOME_SUPERSEDED };

/* <n>.outcome.json */
struct record_outcome {
    struct object object;
    enum outcome outcome;
    struct str reason, when;
};

/* <n>.collected.json, <n>.gone.json */
struct record_mark {
    struct object object;
    struct str when;
};

/* stages/<stage>@<region>/region.json: there is, or was, a stage in that region. */
struct region_mark {
    struct object object;
    struct str region;
};

extern const struct object_table record_table, removal_table, versions_table, outcome_table,
    mark_table, region_table;

/* As object_read, by the table that the record asks for, and written by it. */
int record_body_read(struct arena *a, const struct node *n, struct record_body *ret,
                     struct err *err);
const struct node *record_body_node(struct arena *a, const struct record_body *body);
/* The same without the signature: two records that say the same have the same content. */
struct str record_content(struct arena *a, const struct record_body *body);

/* What is said of the function or API called `key`; all empty where nothing is, also of a record
 * without body (NULL). */
const struct record_function *record_function(const struct record_body *body, struct str key);
const struct record_api *record_api(const struct record_body *body, struct str id);
const struct record_version *record_version(const struct record_versions *versions, struct str key);
const struct record_api_deployment *record_deployment(const struct record_versions *versions,
                                                      struct str id);
/* "perStage"; empty for LAYOUT_UNSAID. */
struct str record_layout_word(enum record_layout layout);
/* "succeeded"; empty for OUTCOME_NONE. */
struct str outcome_word(enum outcome outcome);

#endif
