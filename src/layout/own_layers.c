/* Layers of the service's own: versions that stages share, under ids that say what is in them. */
#include "layout/layout_internal.h"

#include "base/hash.h"
#include "doc/json.h"

enum { HASH_DIGITS = 8 };

struct str layout_artifact_key(struct arena *a, struct str service, struct str sha256)
{
    return str_fmt(a, LAYOUT_FOLDER "/%.*s/artifacts/%.*s.zip", STR_ARG(service), STR_ARG(sha256));
}

static const struct compiled_layer *layer_of(const struct laying *l, struct str id)
{
    for (size_t i = 0; i < l->compiled->layer_count; i++)
        if (str_eq(l->compiled->layers[i].logical_id, id))
            return &l->compiled->layers[i];
    return NULL;
}

const struct node *own_layers_content(struct laying *l, struct str id, const struct node *resource)
{
    struct arena *a = l->arena;
    const struct compiled_layer *layer = layer_of(l, id);
    const struct placement *p = placement_of(l, id);
    if (!layer || !layer->artifact)
        return resource;
    struct node *content = node_map(a);
    const struct node *own = node_path(resource, "Properties.Content.S3Bucket");
    node_put_c(a, content, "S3Bucket",
               l->service->remote        ? node_ref(a, STR(REMOTE_BUCKET))
               : p->scope == SCOPE_STAGE ? node_fn(a, "Troupe::Bucket", node_null(a))
                                         : own);
    node_put_str(a, content, "S3Key",
                 layout_artifact_key(a, l->service->name, layer->artifact->sha256_hex));
    return cfn_with_property(a, resource, "Content", content);
}

/* A hash of what a version keeps: its zip and its properties. */
static struct str content_hash(struct laying *l, const struct compiled_layer *layer)
{
    struct arena *a = l->arena;
    const struct node *resource = node_get(l->flat, layer->logical_id);
    struct node *properties = node_shallow(a, node_get_c(resource, "Properties"));
    node_drop(properties, STR("Content"));
    struct str zip = layer->artifact ? layer->artifact->sha256_hex : STR("");
    struct str hash = sha256_hex(a, str_concat(a, zip, json_canonical(a, properties)));
    return str_sub(hash, 0, HASH_DIGITS);
}

static void place_permissions(struct laying *l, const struct compiled_layer *layer,
                              enum scope scope, struct str hash)
{
    member_each (m, l->flat) {
        const struct node *version = node_path(m->value, "Properties.LayerVersionArn.Ref");
        if (!str_ends(m->key, STR("LambdaLayerPermission")) ||
            !str_eq(node_text(version), layer->logical_id))
            continue;
        bool of_stage = node_flags_deep(m->value) & NODE_STAGE || node_get_c(m->value, "Condition");
        placement_set(l, m->key, of_stage ? SCOPE_STAGE : scope)->id =
            str_concat(l->arena, m->key, hash);
    }
}

void own_layers_decide(struct laying *l)
{
    struct arena *a = l->arena;
    size_t n = l->compiled->layer_count;
    l->out->layers = ARENA_ARRAY(a, n + 1, struct layout_layer);
    for (size_t i = 0; i < n; i++) {
        const struct compiled_layer *layer = &l->compiled->layers[i];
        const struct node *resource = node_get(l->flat, layer->logical_id);
        /* One that says the stage's name has an id of its own in the service's stack. Which stages
         * there are is not known to `deploy --service`, which keeps what records need. */
        bool of_no_stage = !l->service->stage.n && node_flags_deep(resource) & NODE_STAGE;
        bool of_stage = placement_needs_stage(l, resource) || of_no_stage;
        enum scope scope = of_stage ? SCOPE_STAGE : SCOPE_SERVICE;
        struct str hash = content_hash(l, layer);
        struct str id = str_concat(a, layer->logical_id, hash);
        placement_set(l, layer->logical_id, scope)->id = id;
        place_permissions(l, layer, scope, hash);
        l->out->layers[l->out->layer_count++] = (struct layout_layer){
            .key = layer->key, .id = id, .artifact = layer->artifact, .per_stage = of_stage};
    }
}
