/* Container images: what the file says of those that functions run. */
#include "compile/compile_internal.h"

#include "base/vec.h"

static bool is_uri(struct str s)
{
    return str_find(s, STR(".dkr.ecr."), 0) >= 0 && str_find_char(s, '/', 0) >= 0;
}

/* Settings of an image that is built; beside `uri` they say nothing. */
static const char *const of_build[] = {"path",      "buildArgs", "buildOptions",
                                       "cacheFrom", "platform",  "provenance"};

static int uri_alone(struct str name, const struct node *image, struct err *err)
{
    for (size_t i = 0; i < sizeof of_build / sizeof *of_build; i++) {
        const struct node *setting = node_get_c(image, of_build[i]);
        if (node_truthy(setting))
            return err_at(err, node_pos(setting), ERR_CONFIG,
                          "image '%.*s' has a 'uri', so '%s' does nothing", STR_ARG(name),
                          of_build[i]);
    }
    return 0;
}

/* An image of provider.ecr.images: a URI, the folder that it is built from, or a map of either. */
static int named_image(const struct service *service, const struct node *name,
                       struct compile_image *ret, struct err *err)
{
    const struct node *images = node_path(service->root, "provider.ecr.images");
    const struct node *image = node_get(images, node_text(name));
    if (node_empty(image))
        return err_at(err, node_pos(name), ERR_CONFIG,
                      "image '%.*s' is not in 'provider.ecr.images'", STR_ARG(node_text(name)));
    bool is_map = node_is(image, NODE_MAP);
    const struct node *uri = is_map ? node_get_c(image, "uri") : image;
    const struct node *path = is_map ? node_get_c(image, "path") : image;
    ret->pos = node_pos(image);
    if (node_truthy(uri) && (is_map || is_uri(node_text(uri)))) {
        ret->key = ret->uri = node_text(uri);
        return is_map ? uri_alone(node_text(name), image, err) : 0;
    }
    if (!node_truthy(path)) {
        err_at(err, node_pos(image), ERR_CONFIG, "image '%.*s' has neither 'uri' nor 'path'",
               STR_ARG(node_text(name)));
        return err_help(err, "name the folder with its Dockerfile: 'path: ./'");
    }
    ret->key = ret->name = node_text(name);
    ret->path = node_text(path);
    ret->settings = is_map ? image : NULL;
    ret->file = node_text_or(node_get_c(ret->settings, "file"), STR("Dockerfile"));
    return 0;
}

int compile_image(const struct service *service, const struct node *image,
                  struct compile_image *ret, struct err *err)
{
    const struct node *uri = node_get_c(image, "uri"), *name = node_get_c(image, "name");
    *ret = (struct compile_image){.pos = node_pos(image)};
    if (node_is(image, NODE_STRING)) {
        uri = is_uri(image->text) ? image : NULL;
        name = uri ? NULL : image;
    }
    if (node_truthy(uri) == node_truthy(name))
        return err_at(err, node_pos(image), ERR_CONFIG,
                      node_truthy(uri) ? "'image' has both 'uri' and 'name'"
                                       : "'image' needs 'uri' or 'name'");
    if (!node_truthy(uri))
        return named_image(service, name, ret, err);
    ret->key = ret->uri = node_text(uri);
    ret->pos = node_pos(uri);
    return 0;
}

struct str compile_image_digest(struct str uri)
{
    struct str digest = STR("@sha256:");
    ptrdiff_t at = str_find(uri, digest, 0);
    return at < 0 ? STR("") : str_sub(uri, (size_t)at + digest.n, SIZE_MAX);
}

int compile_images(struct arena *a, const struct service *service, struct compile_image **ret,
                   size_t *ret_n, struct err *err)
{
    VEC(struct compile_image) all = {0};
    struct map seen = MAP(a);
    for (size_t i = 0; i < service->function_count; i++) {
        const struct node *image = node_get_c(service->functions[i].node, "image");
        struct compile_image one;
        struct err wrong = {0};
        if (!node_truthy(image))
            continue;
        if (compile_image(service, image, &one, &wrong) < 0)
            err_wrap(&wrong, "function '%.*s'", STR_ARG(service->functions[i].key));
        else if (!compile_image_digest(one.uri).n && !map_has(&seen, one.key)) {
            map_put(&seen, one.key, service);
            vec_push(a, &all, one);
        }
        err_also(err, &wrong);
    }
    *ret = all.p;
    *ret_n = all.n;
    return err->kind ? -1 : 0;
}
