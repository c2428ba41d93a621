/* Disposal: the one place where troupe deletes or empties anything that is not written anew at
 * once. Whoever asks says why the thing is ours; what does not bear the reason out is refused with
 * FAILED, and nothing is deleted. What a command disposed of is gathered in a `struct
 * disposals`, for the record of a removal and for its output. */
#ifndef TROUPE_RELEASE_DISPOSE_DISPOSE_H
#define TROUPE_RELEASE_DISPOSE_DISPOSE_H

#include "base/vec.h"
#include "release/dispose/contents.h"

/* Why something is ours. */
enum ours {
    OURS_FOLDER,   /* below troupe/<service>/ in the deployment bucket */
    OURS_STACK,    /* a stack with this service's owner tags */
    OURS_ADOPTED,  /* an alias stack of the stack that is taken over */
    OURS_RESOURCE, /* a resource of such a stack that is deleted with it */
    OURS_TAGGED,   /* a function that a stack of this stage made: it has the owner tags */
    OURS_IMAGES,   /* a repository with the owner tag, in which is only what troupe pushed */
    OURS_RECORD,   /* a record of this service names it */
    OURS_INTENT,   /* it says of itself which deployment of ours made it */
    OURS_COUNT
};

enum fate { FATE_DELETED, FATE_EMPTIED, FATE_KEPT, FATE_COUNT };

struct disposed {
    enum fate fate;
    struct str type; /* "stack", "objects", or a resource's type */
    struct str name; /* physical id, "s3://bucket/prefix" */
    struct str why;
};
struct disposals {
    VEC(struct disposed) all;
};
/* {"deleted": […], "emptied": […], "kept": […]}, each of {type, name, why}, as members of `into`;
 * empty ones are left out. */
void disposals_put(struct arena *a, const struct disposals *all, struct node *into);
/* The same for the record of a removal. */
void disposals_record(struct arena *a, const struct disposals *all, struct record_body *ret);

/* The record by which a version or a deployment is ours, for OURS_RECORD and OURS_INTENT. */
struct claim {
    enum ours why;
    const struct record *record; /* OURS_RECORD: that names it, with its versions */
    struct str wrote, says; /* OURS_INTENT: what the deployment wrote of itself, what AWS says */
};

/* What deployment `number` of `stage` says of itself in a version or an API's deployment with this
 * fingerprint: "dev#7 1a2b3c4d". Empty: it has none, and nothing was published. */
struct str dispose_hint(struct arena *a, struct str stage, int64_t number, struct str fingerprint);

/* An object of the store, by its whole key; `etag` as for s3_delete. Absent is success. */
int dispose_object(struct arena *a, const struct store *store, struct str key, struct str etag,
                   struct err *err);
/* An upload in parts to the store, which its parts go with. Absent is success. */
int dispose_upload(struct arena *a, const struct store *store, const struct s3_upload *upload,
                   struct err *err);
/* All that the service has in the bucket of `store` below `folder`, every version of it. `folder`
 * ends with a slash ("parts/shop-dev/"), or is empty: everything, uploads in parts, too. */
int dispose_folder(const struct release *r, const struct store *store, struct str folder,
                   struct err *err);
/* What is in a bucket of a stack of ours, so that the stack can be deleted. A bucket that is gone
 * is success. */
int dispose_content(const struct release *r, const struct stack *stack,
                    const struct content *bucket, struct err *err);
/* Delete the stack, and wait until it is gone; what of it stays is noted. OURS_STACK or
 * OURS_ADOPTED. */
int dispose_stack(const struct release *r, const struct stack *stack, enum ours why,
                  const struct contents *contents, struct err *err);
/* Did a stack of this stage make the function? Its tags say so. */
bool dispose_is_of_stage(const struct release *r, const struct lambda_function *f,
                         struct str stage);
/* A function that a stack of the stage made and kept, with all its versions. Absent is success;
 * CONFLICT when CloudFront has copies of it. */
int dispose_function(const struct release *r, struct str function, struct str stage,
                     struct err *err);
/* Delete a published version, a deployment of an API. Errors as of lambda_delete_version and of the
 * gateway: CONFLICT when something points at it. */
int dispose_version(struct arena *a, struct aws *aws, const struct claim *claim,
                    struct str function, struct str version, struct err *err);
int dispose_deployment(struct arena *a, struct aws *aws, const struct claim *claim,
                       const struct gateway *gateway, struct str api, struct str deployment,
                       struct err *err);
/* Delete a log group that Lambda made anew, because a function of ours wrote to it when its stack
 * had deleted it already: OURS_RECORD names it, no stack made this one, and nobody has set how long
 * it is kept. `*ret_gone` false: it is none of those, and stays. */
int dispose_log_group(const struct release *r, const struct claim *claim, struct str group,
                      bool *ret_gone, struct err *err);
/* Note something that stays. */
void dispose_keep(const struct release *r, struct str type, struct str name, struct str why);

#endif
