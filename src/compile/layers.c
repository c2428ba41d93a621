/* Layers of the service's own: a version, permissions for other accounts, and Outputs that name
 * them. */
#include "compile/compile_internal.h"

#include "base/hash.h"
#include "doc/json.h"

/* A layer under construction. */
struct layer_building {
    struct compiled_layer *layer;
    const struct node *node; /* its map in the file */
    struct node *resource;
    struct str key;  /* of its zip in the bucket */
    struct str sha1; /* what the reference makes of resource and zip */
};

/* The id of a layer with `retain` ends with a hash: when the layer changes, CloudFormation makes
 * another one and keeps the old. In a deployment troupe gives layers such ids itself
 * (layout/own_layers.c). */
static struct str id_suffix(struct compilation *c, const struct layer_building *b)
{
    bool is_retained = node_truthy(node_get_c(b->node, "retain"));
    static const struct str not_packed = {"0000000000000000000000000000000000000000", 40};
    return is_retained && c->options->naming == NAMING_FLAT ? b->sha1.n ? b->sha1 : not_packed
                                                            : STR("");
}

static struct node *content_of(struct compilation *c, struct layer_building *b)
{
    struct arena *a = c->arena;
    const struct artifact *artifact = b->layer->artifact;
    struct str name = artifact ? artifact->name : str_concat(a, b->layer->key, STR(".zip"));
    struct str dir = c->options->artifact_dir;
    const struct node *bucket = bucket_given(c->provider);
    struct node *content = node_map(a);
    b->key = dir.n ? str_fmt(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(name)) : name;
    node_put_c(a, content, "S3Bucket",
               bucket ? bucket : node_ref(a, STR("ServerlessDeploymentBucket")));
    return content;
}

static int add_to_digest(void *context, struct str bytes, struct err *err)
{
    (void)err;
    digest_add(context, bytes);
    return 0;
}

static int hash_layer(struct compilation *c, struct layer_building *b, struct err *err)
{
    unsigned char sha1[SHA1_BYTES];
    struct digest *d = sha1_begin();
    digest_add(d, json_text(c->arena, b->resource, 0));
    int done = artifact_read(b->layer->artifact, add_to_digest, d, err);
    digest_end(d, sha1);
    b->sha1 = hex_encode(c->arena, sha1, SHA1_BYTES);
    return done;
}

static int make_resource(struct compilation *c, struct layer_building *b, struct err *err)
{
    static const char *const settings[][2] = {
        {"description", "Description"},
        {"licenseInfo", "LicenseInfo"},
        {"compatibleRuntimes", "CompatibleRuntimes"},
        {"compatibleArchitectures", "CompatibleArchitectures"}};
    struct arena *a = c->arena;
    struct node *p = node_map(a), *content = content_of(c, b);
    const struct node *name = node_setting(b->node, NULL, "name");
    node_put_c(a, p, "Content", content);
    node_put_c(a, p, "LayerName", name ? name : node_str(a, b->layer->key));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        node_put_c(a, p, settings[i][1], node_setting(b->node, NULL, settings[i][0]));
    b->resource = resource_new(a, "AWS::Lambda::LayerVersion", p);
    /* before the resource gets the key of the zip, which is another one with each package */
    int done = c->options->naming == NAMING_FLAT && b->layer->artifact ? hash_layer(c, b, err) : 0;
    node_put_c(a, content, "S3Key", node_str(a, b->key));
    return done;
}

static int add_permission(struct compilation *c, const struct layer_building *b,
                          const struct node *account, struct err *err)
{
    struct arena *a = c->arena;
    struct str id = name_normalize(a, b->layer->key), who = node_text(account);
    ptrdiff_t star = str_find_char(who, '*', 0);
    if (star >= 0)
        who = str_fmt(a, "%.*sWild%.*s", STR_ARG(str_sub(who, 0, (size_t)star)),
                      STR_ARG(str_sub(who, (size_t)star + 1, who.n)));
    struct node *p = node_map(a);
    node_put_c(a, p, "Action", node_c(a, "lambda:GetLayerVersion"));
    node_put_c(a, p, "LayerVersionArn", node_ref(a, b->layer->logical_id));
    node_put_c(a, p, "Principal", account);
    struct node *resource = resource_new(a, "AWS::Lambda::LayerVersionPermission", p);
    if (node_truthy(node_get_c(b->node, "retain")))
        node_put_c(a, resource, "DeletionPolicy", node_c(a, "Retain"));
    id = str_fmt(a, "%.*s%.*sLambdaLayerPermission%.*s", STR_ARG(id), STR_ARG(who),
                 STR_ARG(id_suffix(c, b)));
    return resource_share(c, id, resource, node_pos(account), err);
}

static void add_output(struct compilation *c, const struct layer_building *b, const char *suffix,
                       const char *what, const struct node *value)
{
    struct arena *a = c->arena;
    struct str id =
        str_fmt(a, "%.*sLambdaLayer%s", STR_ARG(name_normalize(a, b->layer->key)), suffix);
    struct node *output = node_map(a);
    node_put_c(a, output, "Description", node_strf(a, "Current Lambda layer %s", what));
    node_put_c(a, output, "Value", value);
    node_put(a, c->outputs, id, output);
}

static int compile_layer(struct compilation *c, const struct member *m,
                         struct compiled_layer *layer, struct err *err)
{
    struct arena *a = c->arena;
    struct layer_building b = {.layer = layer, .node = m->value};
    struct str id = str_concat(a, name_normalize(a, m->key), STR("LambdaLayer"));
    if (make_resource(c, &b, err) < 0)
        return -1;
    layer->logical_id = str_concat(a, id, id_suffix(c, &b));
    if (node_truthy(node_get_c(b.node, "retain")))
        node_put_c(a, b.resource, "DeletionPolicy", node_c(a, "Retain"));
    if (resource_add(c, layer->logical_id, b.resource, m->key_pos, err) < 0)
        return -1;
    node_each (account, node_get_c(b.node, "allowedAccounts"))
        if (add_permission(c, &b, account, err) < 0)
            return -1;
    add_output(c, &b, "QualifiedArn", "version", node_ref(a, layer->logical_id));
    if (c->options->naming != NAMING_FLAT)
        return 0;
    /* the reference reads them before its next deployment, to keep a layer that is the same */
    add_output(c, &b, "Hash", "hash", node_str(a, b.sha1));
    add_output(c, &b, "S3Key", "S3Key", node_staged(c, b.key));
    return 0;
}

const struct compiled_layer *layer_referred(const struct compilation *c,
                                            const struct node *reference)
{
    struct str id = node_text(node_get_c(reference, "Ref"));
    for (size_t i = 0; i < c->out->layer_count; i++)
        if (id.n && str_eq(c->out->layers[i].logical_id, id))
            return &c->out->layers[i];
    return NULL;
}

/* ---- together with the code ---- */

static void check_size(struct compilation *c, size_t index, struct err *err)
{
    const struct function *f = &c->service->functions[index];
    const struct artifact *code = c->packed->of_function[index];
    const struct node *layers = node_setting(f->node, c->provider, "layers");
    uint64_t bytes = code ? code->unzipped_bytes : 0, of_layers = 0;
    struct err one = {0};
    node_each (item, layers) {
        const struct compiled_layer *layer = layer_referred(c, item);
        of_layers += layer && layer->artifact ? layer->artifact->unzipped_bytes : 0;
    }
    if (!code || !of_layers || bytes + of_layers <= UNZIPPED_BYTES_MAX)
        return;
    err_at(&one, node_pos(layers), ERR_CONFIG,
           "function '%.*s' has %.1f MB unzipped, %.1f MB of it in layers: Lambda takes at most "
           "%.0f MB",
           STR_ARG(f->key), (double)(bytes + of_layers) / 1024 / 1024,
           (double)of_layers / 1024 / 1024, (double)UNZIPPED_BYTES_MAX / 1024 / 1024);
    err_note(&one, (struct pos){0}, "the largest in the code: %.*s",
             STR_ARG(artifact_largest(c->arena, code)));
    node_each (item, layers) {
        const struct compiled_layer *layer = layer_referred(c, item);
        if (layer && layer->artifact)
            err_note(&one, layer->pos, "the largest in layer '%.*s': %.*s", STR_ARG(layer->key),
                     STR_ARG(artifact_largest(c->arena, layer->artifact)));
    }
    err_also(err, &one);
}

int layers_compile(struct compilation *c, struct err *err)
{
    const struct node *layers = node_get_c(c->service->root, "layers");
    size_t n = node_count(layers);
    c->out->layers = ARENA_ARRAY(c->arena, n + 1, struct compiled_layer);
    for (size_t i = 0; i < n; i++) {
        const struct member *m = &layers->members[i];
        struct compiled_layer *layer = &c->out->layers[c->out->layer_count++];
        struct err one = {0};
        *layer = (struct compiled_layer){.key = m->key,
                                         .artifact = c->packed ? c->packed->of_layer[i] : NULL,
                                         .pos = m->key_pos};
        compile_layer(c, m, layer, &one);
        err_also(err, &one);
    }
    for (size_t i = 0; c->packed && n && i < c->service->function_count; i++)
        check_size(c, i, err);
    return err->kind ? -1 : 0;
}
