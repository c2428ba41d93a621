/* Notifications of a bucket, as the custom resource Custom::S3 has them. */
#ifndef TROUPE_CFN_NOTIFICATIONS_H
#define TROUPE_CFN_NOTIFICATIONS_H

#include "doc/node.h"

/* Do two notifications {Event, Rules} of one bucket want the same event of the same key? S3 refuses
 * to have both. False when only CloudFormation will know. Source: S3 user guide,
 * "Configuring event notifications using object key name filtering". */
bool cfn_notifications_overlap(const struct node *x, const struct node *y);

#endif
