/* What functions that CloudFront calls cannot have. Source: CloudFront developer guide,
 * "Restrictions on Lambda@Edge". */
#include "layout/layout_internal.h"

#include "cfn/template.h"

enum { STORAGE_MAX_MB = 512 };

static bool is_there(const struct node *n)
{
    return !node_empty(n) && (node_count(n) || node_text(n).n);
}

static bool is_active(const struct node *mode)
{
    return node_is_text(mode, "Active");
}

static bool is_arm(const struct node *architecture)
{
    return node_is_text(architecture, "arm64");
}

static bool is_large(const struct node *storage)
{
    return node_int_or(storage, 0) > STORAGE_MAX_MB;
}

static bool is_other_runtime(const struct node *runtime)
{
    return node_is(runtime, NODE_STRING) && !str_starts(runtime->text, STR("nodejs")) &&
           !str_starts(runtime->text, STR("python"));
}

static const struct {
    const char *path; /* of a property */
    bool (*is_refused)(const struct node *value);
    const char *what; /* it is: "cannot have …" */
} refusals[] = {
    {"Environment.Variables", is_there, "environment variables"},
    {"VpcConfig.SubnetIds", is_there, "a VPC"},
    {"FileSystemConfigs", is_there, "a file system"},
    {"Layers", is_there, "layers"},
    {"DeadLetterConfig.TargetArn", is_there, "'onError'"},
    {"TracingConfig.Mode", is_active, "tracing"},
    {"Code.ImageUri", is_there, "an image"},
    {"Architectures.0", is_arm, "architecture arm64"},
    {"EphemeralStorage.Size", is_large, "more than 512 MB of ephemeral storage"},
    {"Runtime", is_other_runtime, "a runtime other than Node.js and Python"},
};

static void check_function(const struct compiled_function *c, const struct node *properties,
                           struct err *err)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct node *value = node_path(properties, refusals[i].path);
        struct err one = {0};
        if (!refusals[i].is_refused(value))
            continue;
        err_at(&one, value->pos.source ? value->pos : c->function->pos, ERR_CONFIG,
               "function '%.*s' cannot have %s: CloudFront calls it at its edge",
               STR_ARG(c->function->key), refusals[i].what);
        err_also(err, &one);
    }
}

int check_edge(const struct checking *k, struct err *err)
{
    for (size_t i = 0; i < k->compiled->function_count; i++) {
        const struct compiled_function *c = &k->compiled->functions[i];
        if (cfn_is_at_edge(k->resources, c->logical_id))
            check_function(c, node_get_c(node_get(k->resources, c->logical_id), "Properties"), err);
    }
    return err->kind ? -1 : 0;
}
