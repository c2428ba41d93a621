/* How users name stages and deployments. */
#ifndef TROUPE_RELEASE_BUCKET_STAGE_ADDRESS_H
#define TROUPE_RELEASE_BUCKET_STAGE_ADDRESS_H

#include "base/err.h"

/* "prod@eu-west-1" -> "prod" and "eu-west-1"; "prod" -> "prod" and "". */
struct str address_stage(struct str address, struct str *ret_region);
/* Read "STAGE" or "STAGE#N"; `*ret_number` 0: none given, the current one. USAGE. */
int record_address(struct str text, struct str *ret_stage, int64_t *ret_number, struct err *err);

#endif
