/* The deployment bucket: its own resource, or one that exists already. */
#include "compile/compile_internal.h"

#include "base/clock.h"

static const struct node *bucket_settings(const struct node *provider)
{
    const struct node *object = node_get_c(provider, "deploymentBucketObject");
    const struct node *bucket = node_get_c(provider, "deploymentBucket");
    return node_is(object, NODE_MAP) ? object : node_is(bucket, NODE_MAP) ? bucket : NULL;
}

const struct node *bucket_given(const struct node *provider)
{
    const struct node *bucket = node_get_c(provider, "deploymentBucket");
    const struct node *name = node_is(bucket, NODE_MAP) ? node_get_c(bucket, "name") : bucket;
    if (!node_truthy(name))
        name = node_get_c(bucket_settings(provider), "name");
    return node_truthy(name) ? name : NULL;
}

static const struct node *all_true(struct arena *a, size_t n, const char *const *keys)
{
    struct node *map = node_map(a);
    for (size_t i = 0; i < n; i++)
        node_put_c(a, map, keys[i], node_bool(a, true));
    return map;
}

static const struct node *encryption(struct arena *a)
{
    const struct node *rule = node_fn(a, "ServerSideEncryptionByDefault",
                                      node_fn(a, "SSEAlgorithm", node_c(a, "AES256")));
    return node_fn(a, "ServerSideEncryptionConfiguration", NODE_LIST(a, rule));
}

static struct node *bucket_resource(struct arena *a, const struct node *settings)
{
    static const char *const blocks[] = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
                                         "RestrictPublicBuckets"};
    struct node *p = node_map(a);
    const struct node *tags = node_get_c(settings, "tags");
    node_put_c(a, p, "BucketEncryption", encryption(a));
    if (node_count(tags))
        node_put_c(a, p, "Tags", key_value_list(a, tags));
    if (node_truthy(node_get_c(settings, "blockPublicAccess")))
        node_put_c(a, p, "PublicAccessBlockConfiguration",
                   all_true(a, sizeof blocks / sizeof *blocks, blocks));
    if (node_truthy(node_get_c(settings, "versioning")))
        node_put_c(a, p, "VersioningConfiguration", node_fn(a, "Status", node_c(a, "Enabled")));
    return resource_new(a, "AWS::S3::Bucket", p);
}

static const struct node *bucket_arn(struct arena *a, const char *ending)
{
    return node_join(a, "",
                     NODE_LIST(a, node_c(a, "arn:"), node_ref(a, STR("AWS::Partition")),
                               node_c(a, ":s3:::"), node_ref(a, STR("ServerlessDeploymentBucket")),
                               *ending ? node_c(a, ending) : NULL));
}

/* The bucket's policy: S3 refuses every request that does not come by TLS. */
static struct node *policy_resource(struct arena *a)
{
    struct node *deny =
        statement_new(a, node_c(a, "s3:*"), NODE_LIST(a, bucket_arn(a, "/*"), bucket_arn(a, "")));
    node_put_c(a, deny, "Effect", node_c(a, "Deny"));
    node_put_c(a, deny, "Principal", node_c(a, "*"));
    node_put_c(a, deny, "Condition",
               node_fn(a, "Bool", node_fn(a, "aws:SecureTransport", node_bool(a, false))));
    struct node *p = node_map(a);
    node_put_c(a, p, "Bucket", node_ref(a, STR("ServerlessDeploymentBucket")));
    node_put_c(a, p, "PolicyDocument", node_fn(a, "Statement", NODE_LIST(a, deny)));
    return resource_new(a, "AWS::S3::BucketPolicy", p);
}

/* Put the bucket's resources and output into the given maps. */
static void bucket_put(struct arena *a, const struct service *service, struct node *resources,
                       struct node *outputs)
{
    const struct node *provider = node_get_c(service->root, "provider");
    const struct node *settings = bucket_settings(provider), *given = bucket_given(provider);
    struct node *output = node_map(a);
    if (!given) {
        struct node *bucket = bucket_resource(a, settings), *policy = policy_resource(a);
        bucket->pos = policy->pos = node_pos(settings ? settings : provider);
        node_put(a, resources, STR("ServerlessDeploymentBucket"), bucket);
        if (!node_truthy(node_get_c(settings, "skipPolicySetup")))
            node_put(a, resources, STR("ServerlessDeploymentBucketPolicy"), policy);
    }
    node_put_c(a, output, "Value", given ? given : node_ref(a, STR("ServerlessDeploymentBucket")));
    node_put_c(a, outputs, "ServerlessDeploymentBucketName", output);
}

void bucket_compile(struct compilation *c)
{
    bucket_put(c->arena, c->service, c->resources, c->outputs);
}

struct str compile_artifact_dir(struct arena *a, const struct service *service, int64_t time_ms)
{
    const struct node *prefix = node_path(service->root, "provider.deploymentPrefix");
    struct str iso = time_iso(a, time_ms);
    return str_fmt(a, "%.*s/%.*s/%.*s/%lld-%.*s.%03dZ",
                   STR_ARG(node_text_or(prefix, STR("serverless"))), STR_ARG(service->name),
                   STR_ARG(service->stage), (long long)time_ms, STR_ARG(str_sub(iso, 0, iso.n - 1)),
                   (int)(time_ms % 1000));
}

const struct node *compile_create_stack(struct arena *a, const struct service *service)
{
    if (bucket_given(node_get_c(service->root, "provider")))
        return NULL;
    struct node *resources = node_map(a), *outputs = node_map(a);
    bucket_put(a, service, resources, outputs);
    return template_new(a, resources, outputs);
}
