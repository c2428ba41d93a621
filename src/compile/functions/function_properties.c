/* The properties of a function besides its code. */
#include "compile/compile_internal.h"

#include "config/sharing.h"

/* Settings that are copied as they are: the function's own, else the provider's where it may set
 * them, else a default. */
static const struct property {
    const char *key, *name;
    bool is_common; /* `provider` may set it too */
    int fallback;   /* 0: none */
    int edge;       /* instead of both for functions that CloudFront calls; 0: no other */
} properties[] = {
    {"memorySize", "MemorySize", true, 1024, 128},
    {"timeout", "Timeout", true, 6, 5},
    {"description", "Description", false, 0, 0},
    {"recursiveLoop", "RecursiveLoop", false, 0, 0},
    {"layers", "Layers", true, 0, 0},
};

static void put_plain(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct node *fn = b->f->node;
    bool is_edge = sharing_is_edge(b->f);
    for (size_t i = 0; i < sizeof properties / sizeof *properties; i++) {
        const struct property *p = &properties[i];
        bool has_edge = is_edge && p->edge;
        const struct node *common = p->is_common && !has_edge ? c->provider : NULL;
        const struct node *value = node_setting(fn, common, p->key);
        int fallback = has_edge ? p->edge : p->fallback;
        if (value)
            node_put_c(a, b->properties, p->name, value);
        else if (fallback)
            node_put_c(a, b->properties, p->name, node_int(a, fallback));
    }
    const struct node *architecture = node_setting(fn, c->provider, "architecture");
    if (architecture)
        node_put_c(a, b->properties, "Architectures", NODE_LIST(a, architecture));
    if (node_truthy(node_get_c(fn, "snapStart")))
        node_put_c(a, b->properties, "SnapStart",
                   node_fn(a, "ApplyOn", node_c(a, "PublishedVersions")));
    const struct node *storage = node_setting(fn, NULL, "ephemeralStorageSize");
    if (storage)
        node_put_c(a, b->properties, "EphemeralStorage", node_fn(a, "Size", storage));
    /* 0 is a setting here: it stops the function. */
    const struct node *reserved = node_get_c(fn, "reservedConcurrency");
    if (!node_is_text(reserved, ""))
        copy_member(a, b->properties, "ReservedConcurrentExecutions", fn, "reservedConcurrency");
}

/* Members of the provider's map `key`, overwritten by the function's; NULL when neither is set. */
static const struct node *combined(struct compilation *c, const struct function *f, const char *key)
{
    const struct node *common = node_get_c(c->provider, key), *own = node_get_c(f->node, key);
    if (!node_truthy(common) && !node_truthy(own))
        return NULL;
    struct node *map = node_map(c->arena);
    member_each (m, common)
        node_put_at(c->arena, map, m->key, m->key_pos, m->value);
    member_each (m, own)
        node_put_at(c->arena, map, m->key, m->key_pos, m->value);
    return node_from(map, own ? own : common);
}

static void put_maps(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct node *tags = combined(c, b->f, "tags");
    const struct node *environment = combined(c, b->f, "environment");
    if (tags)
        node_put_c(a, b->properties, "Tags", key_value_list(a, tags));
    if (environment && !sharing_is_edge(b->f)) /* there are no variables at the edge */
        node_put_c(a, b->properties, "Environment", node_fn(a, "Variables", environment));
}

/* Put `onError`, `kmsKeyArn` and `tracing`, with statements for the role. The role gets none for a
 * value that is a reference: the user writes that statement. */
static void put_permitted(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct node *on_error = node_setting(b->f->node, NULL, "onError");
    const struct node *key = node_setting(b->f->node, c->provider, "kmsKeyArn");
    const struct node *tracing = node_get_c(b->f->node, "tracing");
    if (!node_truthy(tracing))
        tracing = node_path(c->provider, "tracing.lambda");
    if (on_error)
        node_put_c(a, b->properties, "DeadLetterConfig", node_fn(a, "TargetArn", on_error));
    if (node_is(on_error, NODE_STRING))
        role_allow(c,
                   statement_new(a, NODE_LIST(a, node_c(a, "sns:Publish")), NODE_LIST(a, on_error)),
                   false);
    if (key)
        node_put_c(a, b->properties, "KmsKeyArn", key);
    if (node_is(key, NODE_STRING))
        role_allow(c, statement_new(a, NODE_LIST(a, node_c(a, "kms:Decrypt")), NODE_LIST(a, key)),
                   true);
    if (!node_truthy(tracing))
        return;
    const struct node *mode =
        node_is(tracing, NODE_BOOL) ? node_from(node_c(a, "Active"), tracing) : tracing;
    node_put_c(a, b->properties, "TracingConfig", node_fn(a, "Mode", mode));
    role_allow(c,
               statement_new(a,
                             NODE_LIST(a, node_c(a, "xray:PutTraceSegments"),
                                       node_c(a, "xray:PutTelemetryRecords")),
                             NODE_LIST(a, node_c(a, "*"))),
               true);
}

static void put_depends_on(struct compilation *c, struct building *b, const struct node *value)
{
    if (node_is(value, NODE_SEQ))
        node_each (item, value)
            node_push(c->arena, b->depends_on, item);
    else if (node_truthy(value))
        node_push(c->arena, b->depends_on, value);
}

static void put_role(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct node *role = role_of_function(c, b->f);
    const struct node *att = node_get_c(role, "Fn::GetAtt");
    if (!role) {
        role = node_get_att(a, STR("IamRoleLambdaExecution"), "Arn");
    } else if (att) {
        put_depends_on(c, b, node_path(att, "0"));
    } else if (node_is(role, NODE_STRING) && !str_starts(role->text, STR("arn:"))) {
        if (!node_is_text(role, "IamRoleLambdaExecution"))
            put_depends_on(c, b, role);
        role = node_from(node_get_att(a, role->text, "Arn"), role);
    }
    node_put_c(a, b->properties, "Role", role);
}

/* `vpc: false` or null opts out of the provider's. Without security groups or without subnets there
 * is no VpcConfig, as in the reference. */
static bool put_vpc(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct node *own = node_get_c(b->f->node, "vpc"),
                      *common = node_get_c(c->provider, "vpc");
    if (own && (own->kind == NODE_NULL || (own->kind == NODE_BOOL && !own->boolean)))
        return false;
    const struct node *groups = node_setting(own, common, "securityGroupIds");
    const struct node *subnets = node_setting(own, common, "subnetIds");
    if (!groups || !subnets)
        return false;
    /* false is a value here: it is written when neither the function nor the provider says true */
    const struct node *dual = node_or(node_get_c(own, "ipv6AllowedForDualStack"),
                                      node_get_c(common, "ipv6AllowedForDualStack"));
    struct node *config = node_map(a);
    node_put_c(a, config, "Ipv6AllowedForDualStack", dual);
    node_put_c(a, config, "SecurityGroupIds", groups);
    node_put_c(a, config, "SubnetIds", subnets);
    if (!sharing_is_edge(b->f)) /* nor a network */
        node_put_c(a, b->properties, "VpcConfig", config);
    return true;
}

static int put_network(struct compilation *c, struct building *b, struct err *err)
{
    struct arena *a = c->arena;
    bool has_vpc = put_vpc(c, b);
    const struct node *files = node_setting(b->f->node, NULL, "fileSystemConfig");
    if (!files)
        return 0;
    if (!has_vpc) {
        err_at(err, node_member(b->f->node, STR("fileSystemConfig"))->key_pos, ERR_CONFIG,
               "'fileSystemConfig' needs a 'vpc'");
        return err_help(err, "set 'vpc' with 'securityGroupIds' and 'subnetIds' on the function or "
                             "on 'provider'");
    }
    struct node *config = node_map(a);
    copy_member(a, config, "Arn", files, "arn");
    copy_member(a, config, "LocalMountPath", files, "localMountPath");
    node_put_c(a, b->properties, "FileSystemConfigs", NODE_LIST(a, config));
    role_allow(c,
               statement_new(a,
                             NODE_LIST(a, node_c(a, "elasticfilesystem:ClientMount"),
                                       node_c(a, "elasticfilesystem:ClientWrite")),
                             NODE_LIST(a, node_get_c(files, "arn"))),
               false);
    return 0;
}

static void put_logging(struct compilation *c, struct building *b)
{
    static const char *const settings[][2] = {{"applicationLogLevel", "ApplicationLogLevel"},
                                              {"logFormat", "LogFormat"},
                                              {"logGroup", "LogGroup"},
                                              {"systemLogLevel", "SystemLogLevel"}};
    const struct node *logs =
        node_or(node_get_c(b->f->node, "logs"), node_path(c->provider, "logs.lambda"));
    struct node *config = node_map(c->arena);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        node_put_c(c->arena, config, settings[i][1], node_setting(logs, NULL, settings[i][0]));
    if (config->size)
        node_put_c(c->arena, b->properties, "LoggingConfig", config);
}

int function_properties(struct compilation *c, struct building *b, struct err *err)
{
    node_put_c(c->arena, b->properties, "FunctionName", name_function(c, b->f));
    put_plain(c, b);
    const struct node *condition = node_setting(b->f->node, NULL, "condition");
    node_put_c(c->arena, b->resource, "Condition", condition);
    /* CloudFront keeps copies of its versions for hours: it could not be deleted with the stack. */
    if (sharing_is_edge(b->f))
        node_put_c(c->arena, b->resource, "DeletionPolicy", node_c(c->arena, "Retain"));
    put_depends_on(c, b, node_get_c(b->f->node, "dependsOn"));
    const struct node *durable = durable_config(c, b->f);
    if (durable) {
        struct node *config = node_map(c->arena);
        copy_member(c->arena, config, "ExecutionTimeout", durable, "executionTimeout");
        copy_member(c->arena, config, "RetentionPeriodInDays", durable, "retentionPeriodInDays");
        node_put_c(c->arena, b->properties, "DurableConfig", config);
    }
    put_maps(c, b);
    put_permitted(c, b);
    put_role(c, b);
    put_logging(c, b);
    return put_network(c, b, err);
}
