/* What the content of a lease says about its holder. */
#ifndef TROUPE_RELEASE_BUCKET_LEASE_CONTENT_H
#define TROUPE_RELEASE_BUCKET_LEASE_CONTENT_H

#include "doc/node.h"

/* Which machine and which boot: a process id means something only together with both. */
struct str lease_host(struct arena *a);
/* Was `holder` a process of `host`, this machine, that is gone? */
bool lease_is_dead(struct str host, const struct node *holder);
/* Is this the content of a lease that was broken? */
bool lease_is_broken(const struct node *content);
/* Was its holder a process of this machine that is gone? */
bool lease_holder_is_dead(const struct node *content);

#endif
