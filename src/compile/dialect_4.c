/* What version 4 of the dialect compiles otherwise than version 3: conditions of functions, durable
 * functions. Limits: Lambda developer guide, "Durable functions". */
#include "compile/compile_internal.h"

#include "config/sharing.h"

enum { MAPPING_TIMEOUT_MAX = 900, SNAP_START_STORAGE_MAX = 512 };

bool is_dialect_4(const struct compilation *c)
{
    return c->service->dialect == DIALECT_4;
}

void put_condition(struct compilation *c, struct node *resource, const struct function *f)
{
    if (is_dialect_4(c))
        node_put_c(c->arena, resource, "Condition", node_setting(f->node, NULL, "condition"));
}

const struct node *durable_config(const struct compilation *c, const struct function *f)
{
    return is_dialect_4(c) ? node_setting(f->node, NULL, "durableConfig") : NULL;
}

/* ---- what a durable function cannot have ---- */

/* Managed runtimes for durable functions. */
static const struct runtime {
    const char *name;
    bool snap_start; /* also together with SnapStart */
} runtimes[] = {
    {"nodejs22.x", false}, {"nodejs24.x", false}, {"python3.13", true}, {"python3.14", true},
    {"java17", true},      {"java21", true},      {"java25", true},
};

static const struct runtime *runtime_of(struct compilation *c, const struct function *f)
{
    const struct node *given = node_setting(f->node, c->provider, "runtime");
    struct str name = given ? node_text(given) : STR("nodejs24.x");
    for (size_t i = 0; i < sizeof runtimes / sizeof *runtimes; i++)
        if (str_eq(name, str_c(runtimes[i].name)))
            return &runtimes[i];
    return NULL;
}

static int check_snap_start(struct compilation *c, const struct function *f, const char *why,
                            struct err *err)
{
    const struct node *snap = node_setting(f->node, NULL, "snapStart");
    int64_t storage = node_int_or(node_get_c(f->node, "ephemeralStorageSize"), 0);
    const struct runtime *runtime = runtime_of(c, f);
    if (!snap)
        return 0;
    if (node_truthy(node_get_c(f->node, "image")))
        why = "SnapStart takes no images";
    else if (!runtime || !runtime->snap_start)
        why = "durable functions with SnapStart run under python3.13, python3.14, java17, java21 "
              "and java25";
    else if (node_truthy(node_get_c(f->node, "fileSystemConfig")))
        why = "SnapStart takes no 'fileSystemConfig'";
    else if (storage > SNAP_START_STORAGE_MAX)
        why = "SnapStart takes no 'ephemeralStorageSize' above 512";
    return why ? err_at(err, snap->pos, ERR_CONFIG, "'durableConfig' with 'snapStart': %s", why)
               : 0;
}

/* Does an event source mapping call `f`? */
static bool is_mapped(const struct function *f)
{
    static const char *const polled[] = {"sqs", "stream", "msk", "kafka", "activemq", "rabbitmq"};
    node_each (event, node_get_c(f->node, "events"))
        for (size_t i = 0; i < sizeof polled / sizeof *polled; i++)
            if (node_get_c(event, polled[i]))
                return true;
    return false;
}

int durable_check(struct compilation *c, const struct function *f, struct err *err)
{
    const struct node *config = durable_config(c, f);
    const struct node *timeout = node_get_c(config, "executionTimeout");
    const struct node *retries = node_get_c(f->node, "maximumRetryAttempts");
    const struct node *destinations = node_setting(f->node, NULL, "destinations");
    if (!config)
        return 0;
    if (!node_truthy(node_get_c(f->node, "image")) && !runtime_of(c, f)) {
        err_at(err, config->pos, ERR_CONFIG, "'durableConfig' does not work with this runtime");
        return err_help(err, "durable functions run under nodejs22.x, nodejs24.x, python3.13, "
                             "python3.14, java17, java21, java25 and in images");
    }
    if (check_snap_start(c, f, NULL, err) < 0)
        return -1;
    if (destinations)
        return err_at(err, destinations->pos, ERR_CONFIG,
                      "'destinations' do not work with 'durableConfig'");
    if (is_mapped(f) && node_int_or(timeout, 0) > MAPPING_TIMEOUT_MAX)
        return err_at(err, timeout->pos, ERR_CONFIG,
                      "'executionTimeout' must be at most %d where an event source mapping calls "
                      "the function, because it waits for the end",
                      MAPPING_TIMEOUT_MAX);
    if (sharing_is_edge(f))
        return err_at(err, config->pos, ERR_CONFIG,
                      "'durableConfig' does not work with 'cloudFront' events");
    if (!node_empty(retries))
        return err_at(err, retries->pos, ERR_CONFIG,
                      "'maximumRetryAttempts' does not work with 'durableConfig'");
    return 0;
}
