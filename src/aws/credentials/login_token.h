/* Logins of the aws command: the files that it keeps them in, which other runs share, and the
 * request that renews one. */
#ifndef TROUPE_AWS_CREDENTIALS_LOGIN_TOKEN_H
#define TROUPE_AWS_CREDENTIALS_LOGIN_TOKEN_H

#include "aws/credentials/credentials.h"

/* Wait until no other run of troupe renews the login in file `path`. The lock ends with the
 * descriptor, which is -1 where there is no such file. The aws command does not know this lock: its
 * renewals are seen by reading the file again. */
int login_lock(struct str path);
/* The login in file `path`, NULL: there is none that can be read. */
const struct node *login_read(struct arena *a, struct str path);
/* Replace it, at once and for the user's eyes only, as it holds secrets. Where that fails the login
 * is good for this run, and the next one renews it again. */
void login_write(struct arena *a, struct str path, const struct node *login);
/* Milliseconds until the time in member `key`; negative when it is over or no time. */
int64_t login_remaining_ms(const struct node *map, const char *key);

/* An unsigned POST of JSON, as both services that renew logins take it. */
struct login_request {
    const char *service, *operation;
    struct str region, path;
    const struct node *body;
    struct str key; /* that a DPoP header proves to be held, as PEM; empty: none */
};
/* Send it. `*ret` is the answer, or the body of a refusal when there is one, else NULL. */
int login_send(struct credential_search *search, const struct login_request *request,
               const struct node **ret, struct err *err);

/* DENIED: "AWS profile '<name>': <what>", with the advice to log in by `command`. */
int login_error(const struct credential_search *search, const char *what, const char *command,
                struct err *err);

#endif
