/* From the state of the framework to a service file without plugins. Of what the framework holds,
 * keys that the schema of a service file has are kept; the others are the framework's notes to
 * itself, or a plugin's, whose result the template has. */
#include "compile/bridge/bridge_internal.h"

#include "base/fs.h"
#include "config/plugins/plugins.h"
#include "config/schema/schema.h"

struct generating {
    struct arena *arena;
    const struct package_state *package;
    const struct service *place;
    struct str service, stage;
};

static const struct field *field_of(const struct schema *schema, struct str key)
{
    for (const struct field *f = schema->fields; f && f->name; f++)
        if (str_eq(key, str_c(f->name)))
            return f;
    return NULL;
}

/* Is it the file's and no plugin's? `provider.tracing: true` is a plugin's, whose result the
 * template has. */
static bool is_known(const struct schema *schema, const struct member *m)
{
    const struct field *f = field_of(schema, m->key);
    if (!f)
        return schema == &schema_function && plugin_of_key(schema, m->key);
    return !f->schema || f->schema->type != TYPE_MAP || m->value->kind == NODE_MAP ||
           m->value->kind == NODE_NULL;
}

/* Members of `map` that the schema has. */
static struct node *known_members(struct generating *g, const struct node *map,
                                  const struct schema *schema)
{
    struct node *out = node_map(g->arena);
    member_each (m, map)
        if (is_known(schema, m))
            node_put(g->arena, out, m->key, m->value);
    /* the framework gives everything one */
    if (node_is(node_get_c(out, "vpc"), NODE_MAP) && !node_count(node_get_c(out, "vpc")))
        node_drop(out, STR("vpc"));
    return out;
}

/* ---- zips ---- */

/* How the zip `path` of the state is found: what the framework has made lay in `.serverless`, and
 * lies beside the state now; what was given to it lies where it was. Empty: it says nothing. */
static struct str zip_name(struct generating *g, struct str path)
{
    struct arena *a = g->arena;
    struct str name = path_base(path), given = path_join(a, g->place->dir, path);
    if (!path.n || str_starts(path, STR("s3://")))
        return path;
    bool made = str_eq(path_base(path_dir(a, path)), STR(".serverless"));
    if (!made && fs_exists(given))
        return given;
    return made || fs_exists(path_join(a, g->package->dir, name)) ? name : given;
}

static const struct node *artifact(struct generating *g, struct str path)
{
    struct node *package = node_map(g->arena);
    struct str name = zip_name(g, path);
    if (!name.n)
        return NULL;
    node_put_str(g->arena, package, "artifact", name);
    return package;
}

/* ---- functions ---- */

static const struct node *events(struct generating *g, const struct node *list)
{
    struct node *out = node_seq(g->arena);
    node_each (event, list) {
        const struct node *known = known_members(g, event, &schema_event);
        if (known->size || node_is(event, NODE_STRING))
            node_push(g->arena, out, known->size ? known : event);
    }
    return out;
}

/* The URI, with its digest, that the framework has found for the image of a function. */
static const struct node *image_uri(struct generating *g, struct str key)
{
    struct str id = str_concat(g->arena, name_normalize(g->arena, key), STR("LambdaFunction"));
    const struct node *resource = node_get(node_get_c(g->package->template, "Resources"), id);
    const struct node *uri = node_path(resource, "Properties.Code.ImageUri");
    return node_is(uri, NODE_STRING) ? uri : NULL;
}

static const struct node *with_uri(struct generating *g, const struct node *image,
                                   const struct node *uri)
{
    struct node *out;
    if (!uri)
        return image;
    if (!node_is(image, NODE_MAP))
        return uri;
    out = node_shallow(g->arena, image);
    node_drop(out, STR("name"));
    node_put_c(g->arena, out, "uri", uri);
    return out;
}

static const struct node *function(struct generating *g, struct str key, const struct node *fn)
{
    struct arena *a = g->arena;
    struct node *out = known_members(g, fn, &schema_function);
    struct str usual =
        str_fmt(a, "%.*s-%.*s-%.*s", STR_ARG(g->service), STR_ARG(g->stage), STR_ARG(key));
    const struct node *image = node_get_c(fn, "image");
    if (str_eq(node_text(node_get_c(fn, "name")), usual))
        node_drop(out, STR("name"));
    node_drop(out, STR("package"));
    node_put_c(a, out, "events", events(g, node_get_c(fn, "events")));
    if (image)
        node_put_c(a, out, "image", with_uri(g, image, image_uri(g, key)));
    else
        node_put_c(a, out, "package", artifact(g, node_text(node_path(fn, "package.artifact"))));
    return out;
}

static const struct node *functions(struct generating *g)
{
    struct node *out = node_map(g->arena);
    member_each (m, node_get_c(g->package->service, "functions"))
        node_put(g->arena, out, m->key, function(g, m->key, m->value));
    return out;
}

/* ---- the rest ---- */

static const struct node *layers(struct generating *g)
{
    struct arena *a = g->arena;
    struct node *out = node_map(a);
    member_each (m, node_get_c(g->package->service, "layers")) {
        struct node *layer = node_is(m->value, NODE_MAP) ? node_shallow(a, m->value) : node_map(a);
        node_drop(layer, STR("artifactAlreadyUploaded"));
        node_drop(layer, STR("package"));
        node_put_c(a, layer, "package",
                   artifact(g, node_text(node_path(m->value, "package.artifact"))));
        node_put(a, out, m->key, layer);
    }
    return out->size ? out : NULL;
}

static const struct node *provider(struct generating *g)
{
    struct arena *a = g->arena;
    const struct node *given = node_get_c(g->package->service, "provider");
    const struct node *bucket = node_get_c(given, "deploymentBucketObject");
    struct node *out = known_members(g, given, &schema_provider);
    node_drop(out, STR("stage"));
    if (node_is(bucket, NODE_MAP) && bucket->size)
        node_put_c(a, out, "deploymentBucket", bucket);
    node_drop(out, STR("ecr")); /* each function has the URI of its image */
    return out;
}

static const struct node *custom(struct generating *g)
{
    struct arena *a = g->arena;
    struct node *out = node_map(a);
    const struct node *troupe = node_path(g->package->service, "custom.troupe");
    member_each (m, node_get_c(g->package->service, "custom"))
        if (plugins_read(g->place->root, m->key))
            node_put(a, out, m->key, m->value);
    if (node_is(troupe, NODE_MAP)) {
        struct node *settings = node_shallow(a, troupe);
        node_drop(settings, STR("bridge"));
        node_drop(settings, STR("build"));
        node_put_c(a, out, "troupe", settings);
    }
    return out->size ? out : NULL;
}

/* The state has no more than its name, if it was not the framework that made it. */
static struct str service_zip(const struct package_state *p)
{
    struct str given = node_text(node_path(p->initial, "package.artifact"));
    return given.n ? given : node_text(node_get_c(p->package, "artifact"));
}

const struct node *generated_file(struct arena *a, const struct package_state *p,
                                  const struct service *place, struct str stage)
{
    struct generating g = {.arena = a,
                           .package = p,
                           .place = place,
                           .stage = stage,
                           .service = node_text(node_get_c(p->service, "service"))};
    struct node *file = node_map(a);
    const struct node *resources = node_get_c(p->service, "resources");
    node_put_c(a, file, "service", node_get_c(p->service, "service"));
    node_put_c(a, file, "frameworkVersion", node_get_c(p->initial, "frameworkVersion"));
    /* the framework has let pass what it has, plugins' keys too */
    node_put_str(a, file, "configValidationMode", STR("warn"));
    node_put_c(a, file, "provider", provider(&g));
    node_put_c(a, file, "package", artifact(&g, service_zip(p)));
    node_put_c(a, file, "custom", custom(&g));
    node_put_c(a, file, "plugins", plugins_of_package(a, place->root, false));
    node_put_c(a, file, "layers", layers(&g));
    node_put_c(a, file, "functions", functions(&g));
    if (node_is(resources, NODE_MAP) && resources->size)
        node_put_c(a, file, "resources", resources);
    return file;
}
