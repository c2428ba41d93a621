/* The operations that delete what they are told to. Only files of release/dispose include
 * this: they find out first why a thing is ours. */
#ifndef TROUPE_AWS_SERVICES_DESTROY_H
#define TROUPE_AWS_SERVICES_DESTROY_H

#include "aws/services/services.h"

/* DeleteStack. Idempotent: an absent stack is success. */
int cloudformation_delete(struct arena *a, struct aws *aws, struct str name, struct str token,
                          const struct node *retain, struct err *err);
/* DeleteObject. Absent is success. With an `etag` it deletes only the object that has it
 * (PRECONDITION). */
int s3_delete(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str etag,
              struct err *err);
/* AbortMultipartUpload: its parts go. Absent is success. */
int s3_abort(struct arena *a, struct aws *aws, struct str bucket, struct str key, struct str id,
             struct err *err);
/* Delete every object, version and marker whose key begins with `prefix` (empty: all); `*ret_n`:
 * how many they were. */
int s3_empty(struct arena *a, struct aws *aws, struct str bucket, struct str prefix, size_t *ret_n,
             struct err *err);
/* Delete one version (a number). Absent is success; CONFLICT when an alias references it. */
int lambda_delete_version(struct arena *a, struct aws *aws, struct str function, struct str version,
                          struct err *err);
/* Delete the function with all versions and aliases. Absent is success; CONFLICT when CloudFront
 * has copies of a version. */
int lambda_delete_function(struct arena *a, struct aws *aws, struct str function, struct err *err);
/* DeleteRepository, with all images. Absent is success. */
int ecr_delete(struct arena *a, struct aws *aws, struct str name, struct err *err);
/* DeleteLogGroup. Absent is success. */
int logs_delete_group(struct arena *a, struct aws *aws, struct str group, struct err *err);

#endif
