/* Limits of Lambda that need no AWS to be checked. Source: Lambda API reference, CreateFunction,
 * and the developer guide, "Lambda quotas" and "Environment variables". */
#include "compile/compile_internal.h"

enum {
    LAYERS_MAX = 5,
    DESCRIPTION_MAX = 256,        /* characters */
    ENVIRONMENT_MAX_BYTES = 4096, /* names and values together */
};

/* Settings with a range; `provider` may set them too. */
static const struct range {
    const char *key;
    int64_t from, to;
    const char *unit;
} ranges[] = {
    {"memorySize", 128, 10240, "MB"},
    {"timeout", 1, 900, "seconds"},
    {"ephemeralStorageSize", 512, 10240, "MB"},
};

/* Variables that Lambda sets itself. Source: Lambda developer guide, "Defined runtime environment
 * variables", the reserved ones. */
static const char *const reserved_variables[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
};

/* Runtimes that Lambda refuses in new functions and in changes of old ones. Source: Lambda
 * developer guide, "Lambda runtimes", the deprecated ones, and what Lambda answers for them. */
static const struct gone {
    const char *runtime, *instead;
} gone[] = {
    {"dotnetcore1.0", "dotnet8"},     {"dotnetcore2.0", "dotnet8"},
    {"dotnetcore2.1", "dotnet8"},     {"go1.x", "provided.al2023, the program being 'bootstrap'"},
    {"nodejs", "nodejs22.x"},         {"nodejs4.3", "nodejs22.x"},
    {"nodejs4.3-edge", "nodejs22.x"}, {"nodejs6.10", "nodejs22.x"},
    {"nodejs8.10", "nodejs22.x"},     {"nodejs10.x", "nodejs22.x"},
    {"nodejs12.x", "nodejs22.x"},     {"python2.7", "python3.13"},
    {"python3.6", "python3.13"},      {"ruby2.5", "ruby3.4"},
};

static void check_variable(const struct member *m, struct err *err)
{
    struct err one = {0};
    for (size_t i = 0; i < sizeof reserved_variables / sizeof *reserved_variables; i++)
        if (str_eq(m->key, str_c(reserved_variables[i])))
            err_at(&one, m->key_pos, ERR_CONFIG,
                   "environment variable '%.*s' is set by Lambda itself", STR_ARG(m->key));
    err_also(err, &one);
}

static void check_ranges(const struct node *map, struct err *err)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *r = &ranges[i];
        const struct node *n = node_get_c(map, r->key);
        struct err one = {0};
        int64_t v;
        if (!node_to_int(n, &v) || (v >= r->from && v <= r->to))
            continue;
        err_at(&one, n->pos, ERR_CONFIG, "'%s' must be between %lld and %lld %s, not %lld", r->key,
               (long long)r->from, (long long)r->to, r->unit, (long long)v);
        err_also(err, &one);
    }
}

static int check_name(struct compilation *c, const struct function *f, struct err *err)
{
    struct str name = node_text(name_function(c, f));
    if (name.n > FUNCTION_NAME_MAX) {
        err_at(err, f->name_explicit ? node_pos(node_get_c(f->node, "name")) : f->pos, ERR_CONFIG,
               "function name '%.*s' has %zu characters, Lambda takes %d", STR_ARG(name), name.n,
               FUNCTION_NAME_MAX);
        return err_help(err, "give the function a shorter 'name'");
    }
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        if (!(ch == '-' || ch == '_' || (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') ||
              (ch >= 'a' && ch <= 'z')))
            return err_at(
                err, f->name_explicit ? node_pos(node_get_c(f->node, "name")) : f->pos, ERR_CONFIG,
                "function name '%.*s' may only have letters, digits, '-' and '_'", STR_ARG(name));
    }
    return 0;
}

/* A value that CloudFormation computes counts as no bytes: its length is known only then. */
static void check_environment(struct compilation *c, const struct function *f, struct err *err)
{
    struct err one = {0};
    const struct node *levels[] = {node_get_c(c->provider, "environment"),
                                   node_get_c(f->node, "environment")};
    size_t bytes = 0;
    const struct node *last = NULL;
    for (size_t i = 0; i < 2; i++)
        member_each (m, levels[i]) {
            bool is_overwritten = i == 0 && node_get(levels[1], m->key);
            if (is_overwritten || node_empty(m->value))
                continue;
            check_variable(m, err);
            last = m->value;
            bytes += m->key.n + (node_is(m->value, NODE_STRING) ? m->value->text.n : 0);
        }
    if (bytes <= ENVIRONMENT_MAX_BYTES)
        return;
    err_at(&one, last->pos, ERR_CONFIG, "the environment has %zu bytes, Lambda takes %d", bytes,
           ENVIRONMENT_MAX_BYTES);
    err_help(&one, "keep large values in a file of the package, a parameter or a secret");
    err_also(err, &one);
}

/* Characters, not bytes. */
static size_t length_of(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static void check_texts(struct compilation *c, const struct function *f, struct err *err)
{
    const struct node *description = node_get_c(f->node, "description");
    const struct node *layers = node_setting(f->node, c->provider, "layers");
    struct err one = {0};
    if (node_is(layers, NODE_SEQ) && layers->count > LAYERS_MAX)
        err_at(&one, layers->items[LAYERS_MAX]->pos, ERR_CONFIG,
               "a function can have %d layers, not %zu", LAYERS_MAX, layers->count);
    err_also(err, &one);
    if (node_is(description, NODE_STRING) && length_of(description->text) > DESCRIPTION_MAX)
        err_at(&one, description->pos, ERR_CONFIG,
               "'description' has %zu characters, Lambda takes %d", length_of(description->text),
               DESCRIPTION_MAX);
    err_also(err, &one);
}

static void check_runtime(struct compilation *c, const struct function *f, struct err *err)
{
    const struct node *runtime = node_setting(f->node, c->provider, "runtime");
    struct err one = {0};
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        if (node_is_text(runtime, gone[i].runtime) && !node_get_c(f->node, "image")) {
            err_at(&one, runtime->pos, ERR_CONFIG, "Lambda takes no code for runtime '%s' any more",
                   gone[i].runtime);
            err_help(&one, "use %s", gone[i].instead);
        }
    err_also(err, &one);
}

static int check_function(struct compilation *c, const struct function *f, struct err *err)
{
    check_name(c, f, err);
    check_runtime(c, f, err);
    check_ranges(f->node, err);
    check_environment(c, f, err);
    check_texts(c, f, err);
    return err->kind ? err_wrap(err, "function '%.*s'", STR_ARG(f->key)) : 0;
}

int limits_check(struct compilation *c, struct err *err)
{
    struct err one = {0};
    check_ranges(c->provider, &one);
    if (one.kind)
        err_wrap(&one, "provider");
    err_also(err, &one);
    for (size_t i = 0; i < c->service->function_count; i++) {
        check_function(c, &c->service->functions[i], &one);
        err_also(err, &one);
    }
    return aws_refuses(c, err);
}
