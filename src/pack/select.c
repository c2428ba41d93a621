/* From `package:` of the service and its functions to selections. */
#include "pack/pack_internal.h"

#include "base/fs.h"
#include "base/vec.h"

typedef VEC(struct rule) rule_vec;

/* What is excluded only at the top of the service; the configuration file and others are added. */
static const char *const default_excludes[] = {
    ".git/**",
    ".gitignore",
    ".DS_Store",
    "npm-debug.log",
    "yarn-*.log",
    ".serverless/**",
    ".serverless_plugins/**",
    ".troupe/**", /* what builds made (src/build) */
};

/* Add a rule. A pattern that is there already is not added again: its first place counts. */
static void add_rule(struct arena *a, rule_vec *rules, struct str text, bool exclude,
                     struct pos pos)
{
    if (str_starts(text, STR("!"))) {
        exclude = !exclude;
        text = str_sub(text, 1, text.n);
    }
    if (!text.n)
        return;
    vec_each (rules, r)
        if (r->exclude == exclude && str_eq(r->text, text))
            return;
    vec_push(a, rules, (struct rule){text, exclude, pos});
}

/* `include` and `exclude` are of version 3 only: there the schema says that nothing comes of them.
 */
static const struct node *older_list(const struct service *service, const struct node *package,
                                     const char *key)
{
    return service->dialect == DIALECT_4 ? NULL : node_get_c(package, key);
}

static void add_list(struct arena *a, rule_vec *rules, const struct node *list, bool exclude)
{
    node_each (item, list)
        add_rule(a, rules, node_text(item), exclude, node_pos(item));
}

static void add_excludes(struct arena *a, rule_vec *rules, const struct service *service,
                         const struct node *package, const struct node *own, bool with_layers)
{
    struct pos nowhere = {0};
    for (size_t i = 0; i < sizeof default_excludes / sizeof *default_excludes; i++)
        add_rule(a, rules, str_c(default_excludes[i]), true, nowhere);
    add_rule(a, rules, path_base(service->file), true, nowhere);
    struct str plugins = node_text(node_path(service->root, "plugins.localPath"));
    if (plugins.n)
        add_rule(a, rules, plugins, true, nowhere);
    add_list(a, rules, older_list(service, package, "exclude"), true);
    member_each (layer, node_get_c(service->root, "layers")) {
        struct str path = node_text(node_get_c(layer->value, "path"));
        if (path.n && !with_layers)
            add_rule(a, rules, str_concat(a, path, STR("/**")), true, nowhere);
    }
    if (node_bool_or(node_get_c(service->root, "useDotenv"), false))
        add_rule(a, rules, STR(".env*"), true, nowhere);
    add_list(a, rules, older_list(service, own, "exclude"), true);
}

static struct selection select_by(struct arena *a, const struct service *service,
                                  const struct node *package, const struct node *own,
                                  bool with_layers, struct str what)
{
    rule_vec excludes = {0}, patterns = {0};
    add_excludes(a, &excludes, service, package, own, with_layers);
    add_list(a, &patterns, older_list(service, package, "include"), false);
    add_list(a, &patterns, node_get_c(package, "patterns"), false);
    add_list(a, &patterns, older_list(service, own, "include"), false);
    add_list(a, &patterns, node_get_c(own, "patterns"), false);
    const struct node *dev = node_get_c(package, "excludeDevDependencies");
    return (struct selection){
        .excludes = excludes.p,
        .exclude_count = excludes.n,
        .patterns = patterns.p,
        .pattern_count = patterns.n,
        .drop_dev_dependencies = node_bool_or(dev, true),
        .pos = node_empty(own) ? node_pos(package) : node_pos(own),
        .what = what,
    };
}

struct selection selection_of(struct arena *a, const struct service *service,
                              const struct pack_options *options, const struct function *fn)
{
    const struct node *package =
        options->package ? options->package : node_get_c(service->root, "package");
    const struct node *own = fn ? node_get_c(fn->node, "package") : NULL;
    if (fn && options->packages && options->packages[fn - service->functions])
        own = options->packages[fn - service->functions];
    return fn ? select_by(a, service, package, own, false,
                          str_fmt(a, "function '%.*s'", STR_ARG(fn->key)))
              : select_by(a, service, package, NULL, false, STR(""));
}

struct selection selection_of_layer(struct arena *a, const struct service *service,
                                    const struct member *layer)
{
    return select_by(a, service, node_get_c(service->root, "package"),
                     node_get_c(layer->value, "package"), true,
                     str_fmt(a, "layer '%.*s'", STR_ARG(layer->key)));
}
