/* A client's life: its settings, its credentials, its end. */
#include "aws/aws.h"

#include "aws/client/aws_internal.h"
#include "base/clock.h"

static struct str setting(const struct aws *aws, const char *variable, const char *key)
{
    struct str value = env_get(variable);
    return value.n || !aws->settings ? value : profile_get(aws->settings, key);
}

static int read_retries(struct aws *aws, struct err *err)
{
    struct str mode = setting(aws, "AWS_RETRY_MODE", "retry_mode");
    struct str attempts = setting(aws, "AWS_MAX_ATTEMPTS", "max_attempts");
    int64_t n = RETRY_ATTEMPTS;
    if (mode.n && !str_eq(mode, STR("standard")) && !str_eq(mode, STR("adaptive")) &&
        !str_eq(mode, STR("legacy")))
        return err_set(err, ERR_CONFIG,
                       "AWS retry mode '%.*s' is none of 'standard', 'adaptive', 'legacy'",
                       STR_ARG(mode));
    if (attempts.n && (!str_to_int(attempts, &n) || n < 1 || n > 1000))
        return err_set(err, ERR_CONFIG, "AWS_MAX_ATTEMPTS must be a number from 1 on, not '%.*s'",
                       STR_ARG(attempts));
    aws->max_attempts = (int)n;
    aws->max_throttled = attempts.n ? (int)n : RETRY_ATTEMPTS_THROTTLED;
    return 0;
}

static void read_region(struct aws *aws)
{
    aws->region = str_dup(aws->arena, aws->options.region);
    if (!aws->region.n)
        aws->region = env_get("AWS_REGION");
    if (!aws->region.n)
        aws->region = setting(aws, "AWS_DEFAULT_REGION", "region");
    if (!aws->region.n)
        aws->region = STR("us-east-1");
    aws->partition = partition_find(aws->region);
}

static void copy_options(struct aws *aws, const struct aws_options *options)
{
    aws->options = *options;
    struct str *texts[] = {&aws->options.region,       &aws->options.profile,
                           &aws->options.endpoint_url, &aws->options.access_key,
                           &aws->options.secret_key,   &aws->options.session_token};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = str_dup(aws->arena, *texts[i]);
}

static int set_up(struct aws *aws, struct err *err)
{
    if (aws->options.access_key.n) {
        aws->credentials = (struct credentials){aws->options.access_key, aws->options.secret_key,
                                                aws->options.session_token, 0, "options"};
    } else {
        struct profile_settings *settings = ARENA_NEW(aws->arena, struct profile_settings);
        aws->settings = settings;
        if (profile_load(aws->arena, aws->options.profile, aws->options.service_profile, settings,
                         err) < 0) {
            profile_note(aws, false, err);
            return -1;
        }
    }
    read_region(aws);
    struct endpoint unused;
    static const char *const always[] = {"cloudformation", "s3"};
    if (read_retries(aws, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (endpoint_find(aws->arena, aws_service_find(always[i]), aws->region,
                          aws->options.endpoint_url, aws->settings, &unused, err) < 0)
            return -1;
    struct http_options http = {.ca_bundle = setting(aws, "AWS_CA_BUNDLE", "ca_bundle"),
                                .debug = aws->options.debug_http};
    aws->http = http_new(&http, err);
    return aws->http ? 0 : -1;
}

struct aws *aws_new(const struct aws_options *options, struct err *err)
{
    struct arena *arena = arena_new();
    struct aws *aws = ARENA_NEW(arena, struct aws);
    aws->arena = arena;
    aws->bucket_regions = MAP(arena);
    aws->bucket_owners = MAP(arena);
    aws->bucket_encryption = MAP(arena);
    aws->quota.tokens = RETRY_QUOTA;
    pthread_mutex_init(&aws->quota.lock, NULL);
    pthread_mutex_init(&aws->lock, NULL);
    pthread_mutex_init(&aws->credential_lock, NULL);
    aws->find_credentials = credentials_find;
    ratelimit_init(&aws->limits, clock_mono_ms());
    copy_options(aws, options);
    if (set_up(aws, err) < 0) {
        aws_free(aws);
        return NULL;
    }
    return aws;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    http_free(aws->http);
    pthread_mutex_destroy(&aws->quota.lock);
    pthread_mutex_destroy(&aws->limits.lock);
    pthread_mutex_destroy(&aws->lock);
    pthread_mutex_destroy(&aws->credential_lock);
    arena_free(aws->arena);
}

void aws_cleanup(struct aws **aws)
{
    aws_free(*aws);
}
