/* Where a service is: partitions, regional names, and the user's own endpoints. */
#ifndef TROUPE_AWS_CLIENT_ENDPOINT_H
#define TROUPE_AWS_CLIENT_ENDPOINT_H

#include "aws/credentials/profile.h"

/* What is to be known about a service to call it. */
struct service {
    const char *name;        /* in calls: "cloudformation" */
    const char *host_prefix; /* of its endpoints: "cloudformation", "monitoring" */
    const char *signing;     /* name in signatures */
    const char *id;      /* in AWS_ENDPOINT_URL_<ID> in upper case, in `services` in lower case */
    const char *version; /* of the query protocol */
    const char *target;  /* of the JSON protocol: prefix of X-Amz-Target */
    const char *json;    /* "1.0", "1.1" */
    bool global;         /* one endpoint for a partition */
};

/* NULL: a service this program does not call. */
const struct service *aws_service_find(const char *name);

struct endpoint {
    struct str url;    /* "https://host:port/path", no slash at the end */
    struct str region; /* to sign for */
    bool custom;       /* not AWS's own */
};

struct partition {
    const char *name, *url_suffix;
    const char *prefixes[9];   /* of its regions */
    const char *global_region; /* its global services sign for this one */
};

const struct partition *partition_find(struct str region);

/* Precedence: `fixed` (the command line) > AWS_ENDPOINT_URL_<SERVICE> > AWS_ENDPOINT_URL > the
 * profile's `services` section > the profile's `endpoint_url` > AWS's own. `settings` NULL: none.
 * CONFIG: an URL that is none, a region that is none: it would become part of a host name, and
 * credentials go to that host. */
int endpoint_find(struct arena *a, const struct service *service, struct str region,
                  struct str fixed, const struct settings *settings, struct endpoint *ret,
                  struct err *err);

/* Lower-case letters, digits and dashes, as in a host name? */
bool region_is_name(struct str region);
/* By S3's rules, those for buckets made before 2018 included? Source: S3 user guide, "General
 * purpose bucket naming rules". */
bool bucket_is_name(struct str bucket);
/* May `bucket` stand in front of S3's host name? */
bool bucket_is_host(struct str bucket);

#endif
