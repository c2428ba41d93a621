/* What a function runs: a zip with handler and runtime, or a container image. */
#include "compile/compile_internal.h"

#include "base/fs.h"

/* ---- zips ---- */

/* Name of the zip when nothing has been packed: what the packager would call it. */
static struct str artifact_name(struct compilation *c, const struct function *f)
{
    const struct node *own = node_path(f->node, "package.artifact");
    const struct node *common = node_path(c->service->root, "package.artifact");
    if (node_truthy(own) || node_truthy(common))
        return path_base(node_text(node_or(own, common)));
    bool is_individual = node_truthy(node_path(c->service->root, "package.individually")) ||
                         node_truthy(node_path(f->node, "package.individually"));
    return str_concat(c->arena, is_individual ? f->key : c->service->name, STR(".zip"));
}

static const struct node *zip_location(struct compilation *c, struct building *b)
{
    struct arena *a = c->arena;
    const struct artifact *artifact = c->packed ? c->packed->of_function[b->index] : NULL;
    struct str name = artifact ? artifact->name : artifact_name(c, b->f);
    struct str dir = c->options->artifact_dir;
    c->out->functions[b->index].artifact = artifact;
    b->code_sha = artifact ? artifact->sha256_base64 : STR("");
    struct str key = dir.n ? str_fmt(a, "%.*s/%.*s", STR_ARG(dir), STR_ARG(name)) : name;
    const struct node *bucket = bucket_given(c->provider);
    struct node *code = node_map(a);
    node_put_c(a, code, "S3Bucket",
               bucket ? bucket : node_ref(a, STR("ServerlessDeploymentBucket")));
    /* A shared function's zip is found by its content; the directory is the stage's. */
    node_put_c(a, code, "S3Key", name_is_shared(c, b->f) ? node_str(a, key) : node_staged(c, key));
    return code;
}

/* Member `key` of `runtimeManagement`, which may be the mode alone; the function's own wins. */
static const struct node *runtime_management(struct compilation *c, const struct function *f,
                                             const char *key)
{
    const struct node *levels[] = {node_get_c(f->node, "runtimeManagement"),
                                   node_get_c(c->provider, "runtimeManagement")};
    for (size_t i = 0; i < 2; i++) {
        const struct node *value =
            node_is(levels[i], NODE_STRING) && str_eq(str_c(key), STR("mode"))
                ? levels[i]
                : node_get_c(levels[i], key);
        if (!node_empty(value))
            return value;
    }
    return NULL;
}

static int put_runtime_management(struct compilation *c, struct building *b, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *mode = runtime_management(c, b->f, "mode");
    const struct node *arn = runtime_management(c, b->f, "arn");
    if (!mode || node_is_text(mode, "auto"))
        return 0;
    struct node *config = node_map(a);
    bool is_manual = node_is_text(mode, "manual");
    if (is_manual && !arn)
        return err_at(err, node_pos(mode), ERR_CONFIG,
                      "'runtimeManagement' with mode 'manual' needs 'arn'");
    if (is_manual || node_is_text(mode, "onFunctionUpdate"))
        node_put_c(a, config, "UpdateRuntimeOn",
                   node_from(node_c(a, is_manual ? "Manual" : "FunctionUpdate"), mode));
    node_put_c(a, config, "RuntimeVersionArn", is_manual ? arn : NULL);
    node_put_c(a, b->properties, "RuntimeManagementConfig", node_from(config, mode));
    return 0;
}

static int zip_code(struct compilation *c, struct building *b, struct err *err)
{
    struct arena *a = c->arena;
    const struct node *runtime = node_setting(b->f->node, c->provider, "runtime");
    node_put_c(a, b->properties, "Code", zip_location(c, b));
    node_put_c(a, b->properties, "Handler", node_get_c(b->f->node, "handler"));
    node_put_c(a, b->properties, "Runtime", runtime ? runtime : node_c(a, "nodejs24.x"));
    return put_runtime_management(c, b, err);
}

/* ---- images ---- */

/* The URI with the digest that `image` stands for. NULL: error. */
static const struct node *image_uri(struct compilation *c, const struct node *image,
                                    struct err *err)
{
    struct compile_image found;
    if (compile_image(c->service, image, &found, err) < 0)
        return NULL;
    const struct node *resolved = node_get(c->options->images, found.key);
    if (!resolved && c->options->images && !compile_image_digest(found.uri).n) {
        err_at(err, found.pos, ERR_CONFIG, "image '%.*s' has no digest", STR_ARG(found.key));
        return NULL;
    }
    struct node *uri = node_str(c->arena, resolved ? node_text(resolved) : found.key);
    uri->pos = found.pos;
    return uri;
}

static int image_code(struct compilation *c, struct building *b, struct err *err)
{
    static const char *const settings[][2] = {{"command", "Command"},
                                              {"entryPoint", "EntryPoint"},
                                              {"workingDirectory", "WorkingDirectory"}};
    struct arena *a = c->arena;
    const struct node *image = node_get_c(b->f->node, "image");
    const struct node *uri = image_uri(c, image, err);
    if (!uri)
        return -1;
    b->image_sha = compile_image_digest(node_text(uri));
    node_put_c(a, b->properties, "Code", node_fn(a, "ImageUri", uri));
    node_put_c(a, b->properties, "PackageType", node_c(a, "Image"));
    struct node *config = node_map(a);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (node_truthy(node_get_c(image, settings[i][0])))
            copy_member(a, config, settings[i][1], image, settings[i][0]);
    if (config->size)
        node_put_c(a, b->properties, "ImageConfig", config);
    return 0;
}

int function_code(struct compilation *c, struct building *b, struct err *err)
{
    bool has_handler = node_truthy(node_get_c(b->f->node, "handler"));
    bool has_image = node_truthy(node_get_c(b->f->node, "image"));
    if (has_handler == has_image) {
        err_at(err, b->f->pos, ERR_CONFIG,
               has_image ? "'handler' and 'image' exclude each other"
                         : "neither 'handler' nor 'image' is set");
        return err_help(err, "%s",
                        has_image ? "remove one of them"
                                  : "set 'handler', for example 'src/handler.main'");
    }
    return has_image ? image_code(c, b, err) : zip_code(c, b, err);
}
