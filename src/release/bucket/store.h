/* The store: what troupe keeps in the deployment bucket, below `troupe/<service>/`.
 *
 * Artifacts, templates and sources are named by their SHA-256 and written once. Records and leases
 * are written with conditions, so that nobody overwrites what another wrote (docs/design.md,
 * "Records"). */
#ifndef TROUPE_RELEASE_BUCKET_STORE_H
#define TROUPE_RELEASE_BUCKET_STORE_H

#include "aws/services/services.h"
#include "release/bucket/record.h"

struct store {
    struct aws *aws;
    struct str bucket;
    struct str service;
};

/* "troupe/<service>/<…>" */
struct str store_key(struct arena *a, const struct store *store, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* One object, or all below a prefix, by whole key: as s3_get and so on (aws/services/services.h). A
 * store without a bucket cannot be used: FAILED, nothing is called. FAILED with the way out, and
 * not NOT_FOUND, when somebody deleted the bucket (HEAD does not tell: absent). */
int store_get(struct arena *a, const struct store *store, struct str key, struct str *ret,
              struct s3_stamp *ret_stamp, struct err *err);
int store_head(struct arena *a, const struct store *store, struct str key, bool *ret,
               struct str *ret_etag, struct err *err);
/* The bucket is the store's. Without a content type it is JSON. */
int store_put(struct arena *a, const struct store *store, const struct s3_put *put,
              struct s3_stamp *ret, struct err *err);
int store_list(struct arena *a, const struct store *store, struct str prefix,
               struct s3_object **ret, size_t *ret_n, struct err *err);
int store_copy(struct arena *a, const struct store *from, const struct store *to, struct str key,
               struct err *err);

/* Write `content` under `<folder>/<sha256>.json` unless it is there. `*ret_written` (may be NULL):
 * it was not there. */
int store_put_once(struct arena *a, const struct store *store, const char *folder,
                   struct str sha256, struct str content, bool *ret_written, struct err *err);

/* Read an object that is named by the SHA-256 of its content. REFUSED when the content is another:
 * who may write to the bucket changed it, and nothing of it is used. NOT_FOUND when it is gone. */
int store_get_named(struct arena *a, const struct store *store, struct str key, struct str sha256,
                    struct str *ret, struct err *err);
/* The same of `<folder>/<sha256>.json`, parsed. */
int store_get_json(struct arena *a, const struct store *store, const char *folder,
                   struct str sha256, const struct node **ret, struct err *err);
/* Say that s3://…/<key> is not what was written: the error of all such objects. -1. */
int store_say_altered(const struct store *store, struct str key, struct err *err);

/* The service's own key, which hashes of values in records are made with: `troupe/<service>/key`.
 * Empty where there is none yet, or no bucket; `create` makes one. REFUSED when it was altered. */
int store_secret(struct arena *a, const struct store *store, bool create, struct str *ret,
                 struct err *err);

/* ---- records ---- */

/* What a listing tells of one record. */
struct record_ref {
    struct str stage;
    int64_t number;
    bool has_body; /* else somebody deleted it */
    bool has_versions, has_outcome;
    bool pruned;        /* its snapshots may be gone */
    bool gone;          /* they are */
    int64_t outcome_ms; /* when its outcome was written, by S3's clock; 0: it has none */
};

/* All records of all stages, by stage, newest first. One LIST call a thousand objects. */
int records_list(struct arena *a, const struct store *store, struct record_ref **ret, size_t *ret_n,
                 struct err *err);

struct record {
    struct str stage;
    int64_t number;
    struct str digest;              /* what it has to be (record_digest); empty: nobody says */
    struct str unvouched;           /* why nobody does, for the user; or empty */
    const struct record_body *body; /* stages/<stage>/<n>.json */
    const struct record_versions *versions; /* <n>.versions.json, NULL: none yet */
    const struct record_outcome *outcome;   /* <n>.outcome.json, NULL: none yet */
};

/* Are pointers moved by API before the stack follows (rollbacks, shifts), or were they by an
 * interrupted record before it? When its writer was stopped they may be anywhere. False for a
 * record without body. */
bool record_moves_by_api(const struct record *record);
/* Was it a removal, or did it succeed? False for one without body or outcome. */
bool record_is_removal(const struct record *record);
bool record_succeeded(const struct record *record);
/* Hash of the stage template that was kept with it; empty: none was. */
struct str record_stage_template(const struct record *record);
/* Did it have version `version` of the function of that name, or that deployment of the API, at
 * AWS? False for NULL. */
bool record_names_version(const struct record *record, struct str function, struct str version);
bool record_names_deployment(const struct record *record, struct str api, struct str deployment);

/* "<hash of the body> <hash of the versions>", of their canonical JSON. */
struct str record_digest(struct arena *a, const struct record_body *body,
                         const struct record_versions *versions);

/* What is read beside the body. */
enum { RECORD_VERSIONS = 1, RECORD_OUTCOME = 2 };
/* Read a record; `also`: RECORD_…, or 0. FAILED for a format newer than OBJECT_FORMAT: it is never
 * guessed at; and for what is no record (object_read). */
int record_read(struct arena *a, const struct store *store, struct str stage, int64_t number,
                unsigned also, struct record *ret, struct err *err);
/* The same of a record whose stage and number are set, but for what it has. REFUSED when body or
 * versions are not what `digest` says. */
int record_read_more(struct arena *a, const struct store *store, unsigned also,
                     struct record *record, struct err *err);
/* The bodies of many, and the outcomes of those that have one, in parallel; `ret` has room for all.
 * One that somebody deleted has no body. */
int records_read(struct arena *a, const struct store *store, const struct record_ref *refs,
                 size_t n, struct record *ret, struct err *err);
/* All records of a service, as records_list and records_read have them; none without a bucket. */
int records_all(struct arena *a, const struct store *store, struct record **ret, size_t *ret_n,
                struct err *err);
/* Write the intent. PRECONDITION when the number is taken by somebody else; a retried write that
 * meets its own first success is recognised by `body.nonce`. */
int record_write(struct arena *a, const struct store *store, struct str stage, int64_t number,
                 const struct record_body *body, struct err *err);
/* Replace <n>.versions.json; only the holder of the stage's lease does. */
int record_write_versions(struct arena *a, const struct store *store, struct str stage,
                          int64_t number, const struct record_versions *versions, struct err *err);
/* Write <n>.<mark>.json, "collected" or "gone": see record_ref. `*ret_date_ms` (may be NULL): when,
 * by S3's clock. */
int record_write_mark(struct arena *a, const struct store *store, struct str stage, int64_t number,
                      const char *mark, int64_t *ret_date_ms, struct err *err);
/* Write the outcome, with a reason or none; one that is there stays. */
int record_write_outcome(struct arena *a, const struct store *store, struct str stage,
                         int64_t number, enum outcome outcome, struct str reason, struct err *err);

#endif
