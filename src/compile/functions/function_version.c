/* The version of a function, and the alias that provisioned concurrency or SnapStart needs.
 *
 * A version resource never changes, so its logical id carries a hash of all that is frozen into it:
 * code and configuration, without what belongs to the function as a whole. */
#include "compile/compile_internal.h"

#include "base/hash.h"
#include "config/sharing.h"
#include "doc/json.h"

static bool is_asked_for(struct compilation *c, const struct function *f)
{
    const struct node *own = node_get_c(f->node, "versionFunction");
    const struct node *common = node_get_c(c->provider, "versionFunctions");
    return sharing_is_edge(f) || durable_config(c, f) ||
           (!node_empty(own) ? node_truthy(own) : node_empty(common) || node_truthy(common));
}

bool function_is_versioned(struct compilation *c, const struct function *f)
{
    struct function_alias alias;
    /* References to a function of a stage's own become references to its version or alias, so there
     * has to be a version. */
    bool of_stage = c->options->naming == NAMING_SHARED && !name_is_shared(c, f);
    return of_stage || is_asked_for(c, f) || function_alias(c, f, &alias);
}

/* What a version keeps of a layer, which keeps its logical id when it changes. NULL: nothing. */
static struct str layer_content(struct compilation *c, const struct compiled_layer *layer)
{
    struct arena *a = c->arena;
    if (!layer)
        return STR("");
    const struct node *resource = node_get(c->resources, layer->logical_id);
    struct node *properties = node_shallow(a, node_get_c(resource, "Properties"));
    node_drop(properties, STR("Content")); /* its key is new each time */
    return str_concat(a, layer->artifact ? layer->artifact->sha256_hex : STR(""),
                      json_canonical(a, properties));
}

static struct str version_id(struct compilation *c, const struct building *b)
{
    static const char *const not_frozen[] = {"Code", "ReservedConcurrentExecutions", "Tags"};
    struct arena *a = c->arena;
    struct node *frozen = node_shallow(a, b->properties);
    for (size_t i = 0; i < sizeof not_frozen / sizeof *not_frozen; i++)
        node_drop(frozen, str_c(not_frozen[i]));
    struct str code = b->image_sha.n ? b->image_sha : b->code_sha;
    node_each (item, node_get_c(frozen, "Layers"))
        code = str_concat(a, code, layer_content(c, layer_referred(c, item)));
    struct str hash = sha256_base64(a, str_concat(a, code, json_canonical(a, frozen)));
    struct str id = name_with(c, b->f, "LambdaVersion");
    for (size_t i = 0; i < hash.n; i++)
        if (hash.p[i] != '+' && hash.p[i] != '/' && hash.p[i] != '=')
            id = str_concat(a, id, str_sub(hash, i, 1));
    return id;
}

static int add_alias(struct compilation *c, const struct building *b, struct str version,
                     const struct function_alias *alias, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *provisioned = node_setting(b->f->node, NULL, "provisionedConcurrency");
    struct str function = name_function_id(c, b->f);
    struct node *p = node_map(a);
    node_put_c(a, p, "FunctionName", node_ref(a, function));
    node_put_c(a, p, "FunctionVersion", node_get_att(a, version, "Version"));
    node_put_c(a, p, "Name", node_str(a, alias->name));
    if (provisioned)
        node_put_c(a, p, "ProvisionedConcurrencyConfig",
                   node_fn(a, "ProvisionedConcurrentExecutions", provisioned));
    struct node *resource = resource_new(a, "AWS::Lambda::Alias", p);
    node_put_c(a, resource, "DependsOn", node_str(a, function));
    put_condition(c, resource, b->f);
    return resource_add(c, alias->id, resource, b->f->pos, err);
}

int function_version(struct compilation *c, struct building *b, struct err *err)
{
    struct arena *a = c->arena;
    struct function_alias alias;
    bool has_alias = function_alias(c, b->f, &alias);
    const struct node *provisioned = node_get_c(b->f->node, "provisionedConcurrency");
    if (node_truthy(provisioned) && node_truthy(node_get_c(b->f->node, "snapStart")))
        return err_at(err, node_pos(provisioned), ERR_CONFIG,
                      "'provisionedConcurrency' and 'snapStart' exclude each other");
    if (!function_is_versioned(c, b->f))
        return 0;
    struct str id = version_id(c, b);
    struct node *p = node_map(a);
    node_put_c(a, p, "FunctionName", node_ref(a, name_function_id(c, b->f)));
    node_put_c(a, p, "CodeSha256", node_str(a, b->image_sha.n ? b->image_sha : b->code_sha));
    node_put_c(a, p, "Description", node_setting(b->f->node, NULL, "description"));
    struct node *resource = resource_new(a, "AWS::Lambda::Version", p);
    /* An update drops the old version from the template, but an alias or a caller may still use it:
     * CloudFormation is to keep it. */
    if (is_asked_for(c, b->f))
        node_put_c(a, resource, "DeletionPolicy", node_c(a, "Retain"));
    put_condition(c, resource, b->f);
    c->out->functions[b->index].version_id = id;
    struct node *output = node_map(a);
    node_put_c(a, output, "Description", node_c(a, "Current Lambda function version"));
    node_put_c(a, output, "Value", node_ref(a, id));
    put_condition(c, output, b->f);
    node_put(a, c->outputs, name_with(c, b->f, "LambdaFunctionQualifiedArn"), output);
    if (resource_add(c, id, resource, b->f->pos, err) < 0)
        return -1;
    return has_alias ? add_alias(c, b, id, &alias, err) : 0;
}
