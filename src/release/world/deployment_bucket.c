#include "release/world/deployment_bucket.h"

#include "config/plugins/plugins.h"
#include "doc/json.h"

/* As the plugin, which looks at a map alone. */
static const struct node *place(const struct service *service)
{
    const struct node *given = node_path(service->root, "provider.deploymentBucket");
    return node_text(node_get_c(given, "name")).n ? given : NULL;
}

bool deployment_bucket_is_made(const struct service *service)
{
    const struct node *options = node_path(service->root, "custom.deploymentBucket");
    return plugin_listed(service->root, "serverless-deployment-bucket") && place(service) &&
           node_bool_or(node_get_c(options, "enabled"), true);
}

/* A setting under way. */
struct applying {
    const struct release *r;
    struct str bucket;
    const struct node *options; /* custom.deploymentBucket */
};

static struct node *pair(struct arena *a, const char *key, struct str value)
{
    struct node *map = node_map(a);
    node_put_str(a, map, key, value);
    return map;
}

static int put(const struct applying *x, enum s3_setting which, const struct node *content,
               const char *what, struct err *err)
{
    if (s3_setting_put(x->r->arena, x->r->aws, x->bucket, which, content, err) < 0)
        return err_wrap(err, "set %s of bucket '%.*s'", what, STR_ARG(x->bucket));
    release_finished(x->r, "bucket", "%s of '%.*s' set", what, STR_ARG(x->bucket));
    return 0;
}

static int get(const struct applying *x, enum s3_setting which, const struct node **ret,
               struct err *err)
{
    return s3_setting_get(x->r->arena, x->r->aws, x->bucket, which, ret, err);
}

/* {Status: Enabled} or {Status: Suspended}; one that was never set has none. */
static int apply_status(const struct applying *x, const char *key, enum s3_setting which,
                        struct err *err)
{
    const struct node *wanted = node_get_c(x->options, key), *now;
    bool on = node_bool_or(wanted, false);
    if (node_empty(wanted))
        return 0;
    if (get(x, which, &now, err) < 0)
        return -1;
    if (node_is_text(node_get_c(now, "Status"), "Enabled") == on)
        return 0;
    return put(x, which, pair(x->r->arena, "Status", on ? STR("Enabled") : STR("Suspended")), key,
               err);
}

static int apply_encryption(const struct applying *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct node *given = place(x->r->service), *now;
    struct str algorithm = node_text(node_get_c(given, "serverSideEncryption"));
    struct str key = node_text(node_get_c(given, "sseKMSKeyId"));
    if (!algorithm.n)
        return 0;
    if (get(x, S3_ENCRYPTION, &now, err) < 0)
        return -1;
    if (now) /* the plugin leaves what is set */
        return 0;
    struct node *by_default = pair(a, "SSEAlgorithm", algorithm);
    if (key.n)
        node_put_str(a, by_default, "KMSMasterKeyID", key);
    return put(x, S3_ENCRYPTION,
               node_fn(a, "Rule", node_fn(a, "ApplyServerSideEncryptionByDefault", by_default)),
               "encryption", err);
}

static int apply_policy(const struct applying *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct node *policy = node_get_c(x->options, "policy");
    if (node_empty(policy))
        return 0;
    struct str text = node_is(policy, NODE_MAP) ? json_text(a, policy, 0) : node_text(policy);
    return put(x, S3_POLICY, node_str(a, text), "policy", err);
}

static const struct node *tag_list(const struct node *tags)
{
    const struct node *list = node_path(tags, "TagSet.Tag");
    return list ? list : node_get_c(tags, "TagSet");
}

static bool has_tag(const struct node *tags, const struct node *wanted)
{
    const struct node *list = tag_list(tags);
    bool single = node_is(list, NODE_MAP); /* XML does not tell a list of one */
    for (size_t i = 0; i < (single ? 1 : node_count(list)); i++) {
        const struct node *tag = single ? list : list->items[i];
        if (str_eq(node_text(node_get_c(tag, "Key")), node_text(node_get_c(wanted, "Key"))) &&
            str_eq(node_text(node_get_c(tag, "Value")), node_text(node_get_c(wanted, "Value"))))
            return true;
    }
    return false;
}

static int apply_tags(const struct applying *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct node *tags = node_get_c(x->options, "tags"), *now;
    if (!node_count(tags))
        return 0;
    if (get(x, S3_TAGGING, &now, err) < 0)
        return -1;
    const struct node *list = tag_list(now);
    bool same = (node_is(list, NODE_MAP) ? 1 : node_count(list)) == node_count(tags);
    node_each (tag, tags)
        same = same && has_tag(now, tag);
    return same ? 0
                : put(x, S3_TAGGING, node_fn(a, "TagSet", node_fn(a, "Tag", tags)), "tags", err);
}

static int apply_public_access(const struct applying *x, struct err *err)
{
    static const char *const blocks[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                         "RestrictPublicBuckets"};
    struct arena *a = x->r->arena;
    const struct node *wanted = node_get_c(x->options, "blockPublicAccess"), *now;
    struct str value = node_bool_or(wanted, false) ? STR("true") : STR("false");
    struct node *content = node_map(a);
    bool same = true;
    if (node_empty(wanted))
        return 0;
    if (get(x, S3_PUBLIC_ACCESS, &now, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct str is = node_text(node_get_c(now, blocks[i]));
        same = same && str_eq(is.n ? is : STR("false"), value);
        node_put_str(a, content, blocks[i], value);
    }
    return same ? 0 : put(x, S3_PUBLIC_ACCESS, content, "blockPublicAccess", err);
}

static int apply_logging(const struct applying *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct node *wanted = node_get_c(x->options, "accessLog"), *now;
    struct str bucket = node_text(node_get_c(wanted, "bucket"));
    struct str prefix = node_text(node_get_c(wanted, "prefix"));
    if (node_empty(wanted))
        return 0;
    if (get(x, S3_LOGGING, &now, err) < 0)
        return -1;
    const struct node *is = node_get_c(now, "LoggingEnabled");
    if (str_eq(node_text(node_get_c(is, "TargetBucket")), bucket) &&
        str_eq(node_text(node_get_c(is, "TargetPrefix")), prefix))
        return 0;
    struct node *target = pair(a, "TargetBucket", bucket);
    node_put_str(a, target, "TargetPrefix", prefix);
    return put(x, S3_LOGGING, bucket.n ? node_fn(a, "LoggingEnabled", target) : node_map(a),
               "accessLog", err);
}

static int make(const struct applying *x, struct err *err)
{
    bool there;
    if (s3_bucket_exists(x->r->arena, x->r->aws, x->bucket, &there, NULL, err) < 0)
        return err_wrap(err, "provider.deploymentBucket '%.*s'", STR_ARG(x->bucket));
    if (there)
        return 0;
    if (s3_create_bucket(x->r->arena, x->r->aws, x->bucket, err) < 0)
        return err_wrap(err, "make bucket '%.*s'", STR_ARG(x->bucket));
    release_finished(x->r, "bucket", "'%.*s' made", STR_ARG(x->bucket));
    return 0;
}

int deployment_bucket_apply(const struct release *home, struct err *err)
{
    const struct service *service = home->service;
    if (!deployment_bucket_is_made(service))
        return 0;
    struct applying x = {home, node_text(node_get_c(place(service), "name")),
                         node_path(service->root, "custom.deploymentBucket")};
    return make(&x, err) < 0 || apply_encryption(&x, err) < 0 ||
                   apply_status(&x, "versioning", S3_VERSIONING, err) < 0 ||
                   apply_status(&x, "accelerate", S3_ACCELERATION, err) < 0 ||
                   apply_policy(&x, err) < 0 || apply_tags(&x, err) < 0 ||
                   apply_public_access(&x, err) < 0 || apply_logging(&x, err) < 0
               ? -1
               : 0;
}
