/* The service: from serverless.yml to the model.
 *
 * In: a file, command-line options, the environment. Out: `struct service`, whose tree has every
 * variable resolved, is checked against the schema, and is coerced as the dialect coerces (numbers
 * in `environment` become strings, a function without events gets `events: []` and so on). No
 * network: variable sources that need AWS ask the callback. Every node keeps its place and whether
 * the stage took part. */
#ifndef TROUPE_CONFIG_H
#define TROUPE_CONFIG_H

#include "base/map.h"
#include "doc/node.h"

/* Values that only AWS knows; see variables.h. `address` is what stands behind the colon. `*ret`
 * NULL: there is no such value, the fallback applies. `params` is the text in parentheses (a
 * region), or empty. */
struct remote_values {
    void *context;
    int (*get)(void *context, struct arena *a, struct str source, struct str params,
               struct str region, struct str address, const struct node **ret, struct err *err);
};

struct config_options {
    struct str path;  /* --config; empty: look in `dir` and its parents */
    struct str dir;   /* where to start looking; empty: current directory */
    struct str stage; /* from the command line; empty: provider.stage decides */
    struct str
        default_stage; /* when neither names one; "dev" for package, print, validate; empty: none */
    struct str
        region; /* --region or AWS_REGION / AWS_DEFAULT_REGION; empty: provider.region, us-east-1 */
    const struct map *options;          /* `opt:`: name -> struct str *; may be NULL */
    const struct map *params;           /* --param: name -> struct str *; may be NULL */
    bool lenient;                       /* unknown keys are warnings */
    const struct remote_values *remote; /* NULL: aws:, cf:, s3:, ssm: sources are an error */
    void (*warn)(void *context, struct pos pos, struct str msg, struct str help); /* may be NULL */
    void *warn_context;
};

struct function {
    struct str key;  /* as in serverless.yml */
    struct str name; /* its FunctionName: `name`, else <service>-<stage>-<key> */
    bool name_explicit;
    const struct node *node; /* its properties */
    struct pos pos;          /* of the key */
};

/* custom.troupe, defaults filled in. */
struct settings {
    const struct node *node;       /* the section itself, or NULL */
    struct str *service_resources; /* globs over logical ids */
    size_t service_resource_count;
    struct str *unqualified; /* references.unqualified */
    size_t unqualified_count;
    struct str *per_stage_functions; /* globs over function keys */
    size_t per_stage_function_count;
    struct str *protect;
    size_t protect_count;
    bool logs_per_stage, rest_per_stage, http_shared, regions_independent;
    int64_t history_keep;
};

/* A file the configuration was made of: for the source bundle. */
struct source_file {
    struct str path; /* relative to the service directory */
    struct str text;
};

struct service {
    struct str name;  /* service: */
    struct str stage; /* empty: none named anywhere */
    bool stage_named; /* by the command line or provider.stage, not by default_stage */
    struct str region;
    struct str dir;          /* absolute: where serverless.yml is */
    struct str file;         /* its name as shown to the user */
    const struct node *root; /* everything, resolved and coerced, as `print` shows it */
    struct function *functions;
    size_t function_count;
    struct settings settings;
    struct source_file *files;
    size_t file_count;
    /* External values that took part ("env:TABLE" …), for the record: a map of variable text ->
     * value; secret ones hold null. */
    const struct node *externals;
};

/* Load, resolve, check. `*ret` lives in `a`. ERR_CONFIG with a place, ERR_NOT_FOUND when there is
 * no configuration file. */
int service_load(struct arena *a, const struct config_options *options, struct service *ret,
                 struct err *err);

/* Does glob `pattern` (`*`, `?`) match `name` as a whole? */
bool settings_glob(struct str pattern, struct str name);

/* Is `name` a possible stage name (Lambda alias rules: 1–128 of A-Za-z0-9-_, not all digits, not
 * "latest")? Source: Lambda API reference, CreateAlias. */
int stage_name_check(struct str name, struct err *err);

#endif
