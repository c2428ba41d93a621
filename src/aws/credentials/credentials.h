/* Credentials: one file per provider (credentials_<name>.c), and the chain that asks them in turn.
 */
#ifndef TROUPE_AWS_CREDENTIALS_CREDENTIALS_H
#define TROUPE_AWS_CREDENTIALS_CREDENTIALS_H

#include "aws/credentials/profile.h"

struct aws;

struct credentials {
    struct str access_key, secret_key, session_token;
    int64_t expires_ms; /* wall time; 0: never */
    const char *source; /* name of the provider */
    bool of_profile;    /* it belongs to the profile */
};

/* For calls that are not signed. */
extern const struct credentials credentials_none;

struct credential_search;
/* 1: `*ret` is filled; 0: not configured, ask the next one; -1: configured, but it failed. */
typedef int credential_provider(struct credential_search *search, struct credentials *ret,
                                struct err *err);

/* What a provider looks in. Texts of results live in `arena`. */
struct credential_search {
    struct arena *arena;
    struct aws *aws; /* for providers that call AWS */
    const struct profile_settings *settings;
    struct str profile;              /* the one being resolved */
    unsigned depth;                  /* how many source_profile lead here */
    credential_provider *of_profile; /* the providers that belong to `profile` alone */
};

credential_provider credentials_environment;  /* AWS_ACCESS_KEY_ID … */
credential_provider credentials_assume_role;  /* role_arn with source_profile, credential_source */
credential_provider credentials_web_identity; /* web_identity_token_file, and its variables */
credential_provider credentials_sso;          /* sso_session, sso_start_url: the cached login */
credential_provider credentials_shared_file;  /* ~/.aws/credentials */
credential_provider credentials_login;        /* login_session: the login of `aws login` */
credential_provider credentials_process;      /* credential_process */
credential_provider credentials_config_file;  /* keys in ~/.aws/config */
credential_provider credentials_container;    /* ECS, EKS pod identity, CodeBuild … */
credential_provider credentials_instance;     /* EC2 metadata */

/* The chain, in botocore's order. DENIED with advice when nobody has any. */
int credentials_find(struct credential_search *search, struct credentials *ret, struct err *err);

/* {AccessKeyId, SecretAccessKey, Token | SessionToken, Expiration} as several sources give them.
 * DENIED: a member is missing; `what` names the source. */
int credentials_from_json(struct arena *a, struct str text, const char *what,
                          struct credentials *ret, struct err *err);
/* Credentials of a section with aws_access_key_id …; returns what a provider returns. */
int credentials_from_section(const struct node *section, const char *source, struct str profile,
                             struct credentials *ret, struct err *err);
/* Credentials in the Credentials member of an STS answer. */
int credentials_from_sts(struct arena *a, const struct node *answer, const char *source,
                         struct credentials *ret, struct err *err);

/* The client's credentials, fetched or renewed when needed. Any thread. */
int credentials_current(struct aws *aws, struct credentials *ret, struct err *err);

#endif
