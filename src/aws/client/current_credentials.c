/* The client's credentials, fetched or renewed when needed. */
#include "aws/client/aws_internal.h"
#include "base/clock.h"

enum { RENEW_BEFORE_MS = 10 * 60 * 1000 };

static bool is_fresh(const struct credentials *c, int64_t now_ms)
{
    return c->access_key.n && (!c->expires_ms || c->expires_ms - now_ms > RENEW_BEFORE_MS);
}

void profile_note(const struct aws *aws, bool of_profile, struct err *err)
{
    if (!aws->settings || err->kind == ERR_CANCELLED)
        return;
    const struct pos pos = aws->settings->pos;
    if (pos.source)
        err_note(err, pos, "AWS profile '%.*s' is chosen here", STR_ARG(aws->settings->profile));
    else if (of_profile)
        err_note(err, pos, "the credentials are those of AWS profile '%.*s'",
                 STR_ARG(aws->settings->profile));
}

static int renew(struct aws *aws, struct credentials *ret, struct err *err)
{
    cleanup_arena struct arena *scratch = arena_new();
    struct credential_search search = {scratch, aws, aws->settings, aws->settings->profile, 0};
    if (aws->find_credentials(&search, ret, err) < 0)
        return -1;
    struct str *texts[] = {&ret->access_key, &ret->secret_key, &ret->session_token};
    pthread_mutex_lock(&aws->lock); /* the arena is guarded by it */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_dup(aws->arena, *texts[i]);
    pthread_mutex_unlock(&aws->lock);
    return 0;
}

int credentials_current(struct aws *aws, struct credentials *ret, struct err *err)
{
    int done = 0;
    pthread_mutex_lock(&aws->credential_lock);
    int64_t now = clock_wall_ms();
    if (!is_fresh(&aws->credentials, now) && aws->settings) {
        struct credentials fresh = {0};
        if (renew(aws, &fresh, err) == 0) {
            aws->credentials = fresh;
        } else if (aws->credentials.access_key.n && aws->credentials.expires_ms > now) {
            err_clear(err); /* the old credentials are still valid: use them */
        } else {
            profile_note(aws, false, err);
            done = -1;
        }
    }
    *ret = aws->credentials;
    pthread_mutex_unlock(&aws->credential_lock);
    return done;
}
