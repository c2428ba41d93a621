/* The user's AWS settings: environment, ~/.aws/config, ~/.aws/credentials and the profile chosen
 * from them. Immutable once loaded. */
#ifndef TROUPE_AWS_CREDENTIALS_PROFILE_H
#define TROUPE_AWS_CREDENTIALS_PROFILE_H

#include "doc/node.h"

struct profile_settings {
    const struct node *config;      /* sections of the config file; NULL: there is none */
    const struct node *credentials; /* sections of the credentials file; NULL: there is none */
    struct str profile;             /* the chosen profile, "default" when none was named */
    bool chosen;                    /* somebody named it: it is not "default" for want of another */
    struct pos pos; /* where the service's file names it; source NULL: something else does */
    /* --aws-profile names it: keys in the environment do not count then */
    bool named;
};

/* Read the files that exist: AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE. The profile is the first
 * that is named: `profile` (the command line), AWS_PROFILE, `service` (the text of
 * provider.profile, or NULL), AWS_DEFAULT_PROFILE. The Serverless Framework has the same order.
 * CONFIG: a file cannot be read. DENIED: the profile is in neither file; that of the service need
 * not be where the environment has keys, as in CI. */
int profile_load(struct arena *a, struct str profile, const struct node *service,
                 struct profile_settings *ret, struct err *err);

/* Section of a profile in either file, NULL: none. */
const struct node *profile_config(const struct profile_settings *s, struct str profile);
const struct node *profile_credentials(const struct profile_settings *s, struct str profile);
/* Section "<kind> <name>" of the config file: "services", "sso-session". */
const struct node *profile_section(const struct profile_settings *s, const char *kind,
                                   struct str name);

/* Setting of the chosen profile, empty: none. */
struct str profile_get(const struct profile_settings *s, const char *key);
/* Environment variable, empty when unset. */
struct str env_get(const char *name);
/* "~/…" with the home directory in place. */
struct str home_path(struct arena *a, struct str path);

#endif
