/* serverless-deployment-bucket: the bucket that provider.deploymentBucket names is made when it is
 * not there, and set up as the file says. It is the user's from then on: nothing deletes it. */
#ifndef TROUPE_RELEASE_WORLD_DEPLOYMENT_BUCKET_H
#define TROUPE_RELEASE_WORLD_DEPLOYMENT_BUCKET_H

#include "release/release.h"

/* Does the service list the plugin, and name a bucket for it? */
bool deployment_bucket_is_made(const struct service *service);
/* Make the bucket, and set what custom.deploymentBucket says and is not set so. What the file does
 * not say is left as it is. `home`: the service's region. */
int deployment_bucket_apply(const struct release *home, struct err *err);

#endif
