/* Plugins whose part the configuration can say as well: it is written into the tree. */
#include "config/plugins/plugins.h"

#include "config/variables/variables.h"

/* A copy of the map `key` of `root`, put in its place; empty when there is none. */
static struct node *open_map(struct arena *a, struct node *root, const char *key)
{
    const struct node *old = node_get_c(root, key);
    struct node *copy = node_is(old, NODE_MAP) ? node_shallow(a, old) : node_map(a);
    node_put_c(a, root, key, copy);
    return copy;
}

/* The same for a list; a value alone is a list of one. */
static struct node *open_list(struct arena *a, struct node *map, const char *key)
{
    const struct node *old = node_get_c(map, key);
    struct node *copy = node_is(old, NODE_SEQ) ? node_shallow(a, old) : node_seq(a);
    if (!node_empty(old) && old->kind != NODE_SEQ)
        node_push(a, copy, old);
    node_put_c(a, map, key, copy);
    return copy;
}

static bool has_item(const struct node *list, const struct node *wanted)
{
    node_each (item, list)
        if (node_equal(item, wanted))
            return true;
    return false;
}

/* ---- serverless-plugin-log-retention ---- */

static const struct node *with_retention(struct arena *a, const struct node *fn,
                                         const struct node *days)
{
    struct node *copy = node_shallow(a, fn);
    node_put_c(a, copy, "logRetentionInDays", days);
    return copy;
}

static void warn_idle(struct resolver *r, const struct node *options)
{
    const struct config_options *o = r->options;
    if (o->warn)
        o->warn(
            o->warn_context, node_pos(options),
            STR("key 'logRetentionInDays' in 'custom' has no effect: without 'resources' in the "
                "file serverless-plugin-log-retention does nothing"),
            STR("write it as 'provider.logRetentionInDays'"));
}

/* Where the plugin's and the provider's retention differ, the plugin's counts: it changes the log
 * groups when they have been compiled. It does so by adding to the user's resources, and where the
 * file has none what it adds is lost. */
int plugin_log_retention(struct resolver *r, struct node *root, const struct node *options,
                         struct err *err)
{
    struct arena *a = r->arena;
    (void)err;
    if (!options || !node_is(node_get_c(root, "functions"), NODE_MAP))
        return 0;
    if (node_empty(node_get_c(root, "resources"))) {
        warn_idle(r, options);
        return 0;
    }
    struct node *functions = open_map(a, root, "functions");
    for (size_t i = 0; i < functions->size; i++) {
        const struct node *fn = functions->members[i].value;
        if (node_is(fn, NODE_MAP) && node_empty(node_get_c(fn, "logRetentionInDays")))
            functions->members[i].value = with_retention(a, fn, options);
    }
    return 0;
}

/* ---- serverless-apigw-binary ---- */

/* The plugin merges its types into the API when it is deployed: those that the file has stay. */
int plugin_apigw_binary(struct resolver *r, struct node *root, const struct node *options,
                        struct err *err)
{
    struct arena *a = r->arena;
    (void)err;
    if (!options)
        return 0;
    struct node *api = open_map(a, open_map(a, root, "provider"), "apiGateway");
    struct node *types = open_list(a, api, "binaryMediaTypes");
    node_each (type, node_get_c(options, "types"))
        if (!has_item(types, type))
            node_push(a, types, type);
    return 0;
}

/* ---- serverless-plugin-common-excludes ---- */

/* Those of version 4.0.0, in its order. */
static const char *const common_excludes[] = {
    "!.gitignore",
    "!.gitconfig",
    "!.editorconfig",
    "!.eslintignore",
    "!.eslintrc",
    "!.npmrc",
    "!.nycrc",
    "!.npmignore",
    "!*coveralls.yml",
    "!.circleci/**",
    "!*circle.yml",
    "!*travis.yml",
    "!.gitlab-ci.yml",
    "!*.md",
    "!*.apib",
    "!.vscode/**",
    "!package-lock.json",
    "!.npm-upgrade.json",
    "!sonar-project.properties",
    "!sonar-coverage.info",
    "!rollup.config.*",
    "!yarn.lock",
    "!coverage/**",
    "!.nyc_output/**",
    "!docs/**",
    "!test/**",
    "!tests/**",
    "!CODEOWNERS",
    "!node_modules/**/*.md",
    "!node_modules/**/*.flow",
    "!node_modules/**/*.patch",
    "!node_modules/**/*.conf",
    "!node_modules/**/*.markdown",
    "!node_modules/**/*.coffee",
    "!node_modules/**/jsdoc_conf.json",
    "!node_modules/**/*Makefile",
    "!node_modules/**/Dockerfile",
    "!node_modules/**/*.txt",
    "!node_modules/**/*.yml",
    "!node_modules/**/*.xml",
    "!node_modules/**/*.html",
    "!node_modules/**/test/**",
    "!node_modules/**/tests/**",
    "!node_modules/**/examples/**",
    "!node_modules/**/coverage/**",
    "!node_modules/**/.nyc_output/**",
    "!node_modules/**/bin/**",
    "!node_modules/**/bower.json",
    "!node_modules/**/karma.conf.js",
    "!node_modules/**/Gruntfile.js",
    "!node_modules/**/rollup.config.*",
    "!node_modules/**/yarn.lock",
    "!node_modules/**/sonar-project.properties",
    "!node_modules/**/package-lock.json",
    "!node_modules/**/*.d.ts",
    "!node_modules/**/*.map",
    "!node_modules/**/tsconfig.json",
    "!node_modules/**/AUTHORS",
    "!node_modules/**/CODEOWNERS",
    "!node_modules/**/OWNERS",
    "!node_modules/**/*.iml",
    "!node_module/**/*.bash_completion.in",
    "!node_modules/**/*.gif",
    "!node_modules/**/*.png",
    "!node_modules/**/*.jpg",
    "!node_modules/**/*.jpeg",
    "!node_modules/**/winston/scratch/**",
    "!node_modules/**/sshpk/man/**",
    "!node_modules/**/bluebird/js/browser/**",
    "!node_modules/**/date-fns/docs.json",
    "!node_modules/**/aws-xray-sdk-core/doc-src/**",
    "!node_modules/**/aws-sdk/dist/**",
    "!node_modules/**/aws-sdk/dist-tools/**",
};

int plugin_common_excludes(struct resolver *r, struct node *root, const struct node *options,
                           struct err *err)
{
    struct arena *a = r->arena;
    (void)options, (void)err;
    struct node *patterns = open_list(a, open_map(a, root, "package"), "patterns");
    for (size_t i = 0; i < sizeof common_excludes / sizeof *common_excludes; i++) {
        const struct node *pattern = node_str(a, str_c(common_excludes[i]));
        if (!has_item(patterns, pattern))
            node_push(a, patterns, pattern);
    }
    return 0;
}

/* Is custom.troupe, and `key` in it, something to add to? What else it is, is told when troupe's
 * own section is read. */
static bool takes_settings(const struct node *root, const char *key)
{
    const struct node *troupe = node_path(root, "custom.troupe");
    const struct node *old = node_get_c(troupe, key);
    return node_empty(troupe) ||
           (troupe->kind == NODE_MAP &&
            (node_empty(old) || old->kind == NODE_MAP || !strcmp(key, "protect")));
}

/* ---- serverless-prune-plugin ---- */

/* The plugin counts versions of a function, and the newest is the one that serves; here each
 * deployment has one. What custom.troupe says goes before it. */
int plugin_prune(struct resolver *r, struct node *root, const struct node *options, struct err *err)
{
    struct arena *a = r->arena;
    (void)err;
    int64_t number = node_int_or(node_get_c(options, "number"), -1);
    if (!node_bool_or(node_get_c(options, "automatic"), false) || number < 0 ||
        !takes_settings(root, "history") ||
        !node_empty(node_path(root, "custom.troupe.history.keep")))
        return 0;
    struct node *troupe = open_map(a, open_map(a, root, "custom"), "troupe");
    node_put_c(a, open_map(a, troupe, "history"), "keep",
               node_from(node_int(a, number ? number : 1), node_get_c(options, "number")));
    return 0;
}

/* ---- serverless-stack-termination-protection ---- */

/* Without a list it protects all stages. What custom.troupe says comes to it. */
int plugin_termination_protection(struct resolver *r, struct node *root, const struct node *options,
                                  struct err *err)
{
    static const char *const keys[] = {"protect", "terminationProtection"};
    struct arena *a = r->arena;
    (void)err;
    const struct node *stages = node_get_c(options, "stages");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!takes_settings(root, "protect"))
            return 0;
        struct node *troupe = open_map(a, open_map(a, root, "custom"), "troupe");
        struct node *list = open_list(a, troupe, keys[i]);
        if (!node_count(stages))
            node_push(a, list, node_str(a, STR("*")));
        node_each (stage, stages)
            if (!has_item(list, stage))
                node_push(a, list, stage);
    }
    return 0;
}
