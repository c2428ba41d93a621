/* Where a service is: partitions, regional names, FIPS and dual-stack hosts, and the user's own
 * endpoints. */
#ifndef TROUPE_AWS_CLIENT_ENDPOINT_H
#define TROUPE_AWS_CLIENT_ENDPOINT_H

#include "aws/credentials/profile.h"

/* In GovCloud the plain host of many services is the one that meets FIPS 140. */
enum gov_fips {
    FIPS_HAS_A_HOST,         /* "<prefix>-fips", as everywhere else */
    FIPS_IS_PLAIN,           /* without IPv6; the dual-stack one has a host of its own */
    FIPS_IS_PLAIN_DUALSTACK, /* with IPv6, too */
};

/* What a call to a service takes. */
struct endpoint_service {
    const char *name;        /* in calls: "cloudformation" */
    const char *host_prefix; /* of the service's hosts: "cloudformation", "monitoring" */
    const char *signing;     /* the service's name in signatures */
    const char *id;      /* in AWS_ENDPOINT_URL_<ID> in upper case, in `services` in lower case */
    const char *version; /* of the query protocol */
    const char *target;  /* of the JSON protocol: prefix of X-Amz-Target */
    const char *json;    /* "1.0", "1.1" */
    enum gov_fips gov_fips;
    const char *dualstack_prefix; /* of its hosts with IPv6; NULL: the same */
    bool is_global;               /* one for all regions of a partition */
};

/* NULL: a service this program does not call. */
const struct endpoint_service *aws_service_find(const char *name);

struct endpoint {
    struct str url;       /* "https://host:port/path", no slash at the end */
    struct str region;    /* to sign for */
    bool custom;          /* the user's, not AWS's */
    bool fips, dualstack; /* what the settings ask for */
};

struct partition {
    const char *name, *url_suffix;
    const char *dualstack_suffix; /* of hosts with IPv6, S3's apart */
    const char *signin_suffix;    /* of sign-in's hosts */
    const char *prefixes[2];      /* what its regions begin with */
    const char *global_region;    /* that calls of global services are signed for */
    const char *dualstack_only;   /* the one service that has dual-stack hosts; NULL: all have */
};

const struct partition *partition_find(struct str region);

/* Find a service's endpoint. Precedence: `fixed` (the command line) > AWS_ENDPOINT_URL_<SERVICE> >
 * AWS_ENDPOINT_URL > the profile's `services` section > the profile's `endpoint_url` > AWS's own.
 * AWS's own is the FIPS or the dual-stack one where AWS_USE_FIPS_ENDPOINT, use_fips_endpoint,
 * AWS_USE_DUALSTACK_ENDPOINT or use_dualstack_endpoint say so, which does not hold for `fixed`.
 * `settings` NULL: none. CONFIG: what is given is no URL; `region` is no name of one: it would
 * become part of a host name, and credentials go to that host; there is no such FIPS or dual-stack
 * endpoint, or one is asked for beside an endpoint of the user's. */
int endpoint_find(struct arena *a, const struct endpoint_service *service, struct str region,
                  struct str fixed, const struct profile_settings *settings, struct endpoint *ret,
                  struct err *err);

/* Advice for an endpoint that the settings ask for and that is not there; returns -1. */
int endpoint_variant_help(const struct endpoint *e, struct err *err);

/* Is it made of lower-case letters, digits and dashes only, as a part of a host name? */
bool region_is_name(struct str region);
/* Does S3 allow this name, as one of a bucket made before 2018 at least? Source: S3 user guide,
 * "General purpose bucket naming rules". */
bool bucket_is_name(struct str bucket);
/* May `bucket` stand in front of S3's host name? */
bool bucket_is_host(struct str bucket);

#endif
