/* Packaging a service: selections, contents, zips, and what has to be checked before anything is
 * contacted. */
#include "pack/pack_internal.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

/* Limit for a zip that was given: a larger one cannot be below the limit above. */
static const size_t GIVEN_BYTES_MAX = (size_t)512 * 1024 * 1024;

/* A zip to be made, or one that was given. */
struct plan {
    struct str name;
    struct str path;           /* of a zip that was given: absolute */
    struct pos pos;            /* of `artifact:`, or of `package` */
    const struct function *fn; /* the function that it is made for; NULL: for several */
    struct str dir;            /* of a layer's files, relative to the service; empty: the service */
    struct selection selection;
    struct file_list list;
    struct str bytes;
    char *out; /* where the bytes of a zip are written */
    unsigned char digest[SHA256_BYTES];
    struct zip_summary summary;
};

struct packer {
    struct arena *arena;
    const struct service *service;
    const struct pack_options *options;
    VEC(struct plan) plans;
    size_t *plan_of;           /* for each function: index + 1 of its plan, or 0 */
    const struct node *layers; /* of the service, a map */
    size_t *plan_of_layer;     /* for each layer: index of its plan */
    struct file_list *lists;   /* one for each plan that is made, in their order */
    size_t list_count;
    struct content_store *store;
};

/* ---- which zips there are ---- */

static size_t plan_given(struct packer *p, const struct node *artifact)
{
    struct str path =
        path_absolute(p->arena, path_join(p->arena, p->service->dir, node_text(artifact)));
    vec_each (&p->plans, plan)
        if (str_eq(plan->path, path))
            return (size_t)(plan - p->plans.p);
    vec_push(p->arena, &p->plans,
             (struct plan){.name = path_base(path), .path = path, .pos = node_pos(artifact)});
    return p->plans.n - 1;
}

static size_t plan_made(struct packer *p, const struct function *fn)
{
    struct str key = fn ? fn->key : p->service->name;
    if (!fn)
        vec_each (&p->plans, plan)
            if (!plan->path.n && !plan->fn && !plan->dir.n)
                return (size_t)(plan - p->plans.p);
    vec_push(p->arena, &p->plans,
             (struct plan){.name = str_concat(p->arena, key, STR(".zip")),
                           .fn = fn,
                           .selection = selection_of(p->arena, p->service, fn)});
    p->plans.p[p->plans.n - 1].pos = p->plans.p[p->plans.n - 1].selection.pos;
    return p->plans.n - 1;
}

static void warn_ignored(struct packer *p, const struct function *fn, const struct node *own)
{
    const struct node *patterns = node_get_c(own, "patterns");
    if (!patterns || !p->options->warn)
        return;
    p->options->warn(
        p->options->warn_context, node_pos(patterns),
        str_fmt(p->arena,
                "patterns of function '%.*s' are ignored: its code is packaged with the "
                "service",
                STR_ARG(fn->key)),
        STR("set 'package.individually: true' for the service or the function"));
}

static int refuse_s3(const struct node *artifact, struct err *err)
{
    err_at(err, node_pos(artifact), ERR_CONFIG,
           "artifact '%.*s' is in S3, only files can be packaged", STR_ARG(node_text(artifact)));
    return err_help(err, "download it first, e.g.: aws s3 cp %.*s .", STR_ARG(node_text(artifact)));
}

static int plan_function(struct packer *p, size_t index, struct err *err)
{
    const struct function *fn = &p->service->functions[index];
    const struct node *package = node_get_c(p->service->root, "package");
    const struct node *own = node_get_c(fn->node, "package");
    if (!node_empty(node_get_c(fn->node, "image")))
        return 0;
    bool own_zip = node_bool_or(node_get_c(own, "individually"), false);
    bool individually = own_zip || node_bool_or(node_get_c(package, "individually"), false);
    const struct node *artifact = node_get_c(own, "artifact");
    if (!node_text(artifact).n && !own_zip)
        artifact = node_get_c(package, "artifact");
    bool given = node_text(artifact).n > 0;
    if (given && str_starts(node_text(artifact), STR("s3://")))
        return refuse_s3(artifact, err);
    if (!given && !individually)
        warn_ignored(p, fn, own);
    p->plan_of[index] =
        1 + (given ? plan_given(p, artifact) : plan_made(p, individually ? fn : NULL));
    return 0;
}

/* A layer's zip has the files of its folder, named from there. */
static int plan_layer(struct packer *p, const struct member *layer, size_t *ret, struct err *err)
{
    const struct node *artifact = node_path(layer->value, "package.artifact");
    const struct node *path = node_get_c(layer->value, "path");
    if (str_starts(node_text(artifact), STR("s3://")))
        return refuse_s3(artifact, err);
    if (node_text(artifact).n)
        return *ret = plan_given(p, artifact), 0;
    if (!node_text(path).n) {
        err_at(err, layer->key_pos, ERR_CONFIG,
               "layer '%.*s' has neither 'path' nor 'package."
               "artifact'",
               STR_ARG(layer->key));
        return err_help(err, "name the folder with its files, from the service's: 'path: layer'");
    }
    if (!fs_is_dir(path_join(p->arena, p->service->dir, node_text(path))))
        return err_at(err, node_pos(path), ERR_CONFIG,
                      "the folder '%.*s' of layer '%.*s' is not "
                      "there",
                      STR_ARG(node_text(path)), STR_ARG(layer->key));
    struct str dir = path_clean(p->arena, node_text(path));
    vec_push(p->arena, &p->plans,
             (struct plan){.name = str_concat(p->arena, layer->key, STR(".zip")),
                           .dir = dir.n ? dir : STR("."),
                           .pos = node_pos(path),
                           .selection = selection_of_layer(p->arena, p->service, layer)});
    return *ret = p->plans.n - 1, 0;
}

/* ---- limits ---- */

/* The directory (or file) at the top with the most bytes, for the message about a zip that is too
 * large. */
static struct str heaviest(struct arena *a, const struct file_list *list, uint64_t *ret_bytes)
{
    struct map sizes = MAP(a);
    struct str best = {0};
    *ret_bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct str name = list->files[i].name;
        ptrdiff_t slash = str_find_char(name, '/', 0);
        struct str top = slash < 0 ? name : str_sub(name, 0, (size_t)slash);
        uint64_t *bytes = map_get(&sizes, top);
        if (!bytes) {
            bytes = ARENA_NEW(a, uint64_t);
            map_put(&sizes, top, bytes);
        }
        *bytes += list->files[i].size_bytes;
        if (*bytes > *ret_bytes) {
            *ret_bytes = *bytes;
            best = top;
        }
    }
    return best;
}

static double megabytes(uint64_t bytes)
{
    return (double)bytes / 1024 / 1024;
}

static int check_size(struct packer *p, const struct plan *plan, struct err *err)
{
    uint64_t bytes = plan->summary.unzipped_bytes;
    if (bytes <= UNZIPPED_BYTES_MAX)
        return 0;
    err_at(err, plan->pos, ERR_CONFIG,
           "'%.*s' has %.1f MB unzipped: Lambda takes at most %.0f MB, layers included",
           STR_ARG(plan->name), megabytes(bytes), megabytes(UNZIPPED_BYTES_MAX));
    if (plan->path.n)
        return -1;
    uint64_t most;
    struct str top = heaviest(p->arena, &plan->list, &most);
    return err_help(err,
                    "'%.*s' alone has %.1f MB; leave out what is not needed with package "
                    "patterns",
                    STR_ARG(top), megabytes(most));
}

/* ---- making zips ---- */

static int read_given(struct packer *p, struct plan *plan, struct err *err)
{
    struct err cause = {0};
    if (fs_read(p->arena, plan->path, GIVEN_BYTES_MAX, &plan->bytes, &cause) < 0 ||
        zip_inspect(plan->bytes, &plan->summary, &cause) < 0) {
        err_at(err, plan->pos, ERR_CONFIG, "cannot use artifact '%.*s': %.*s", STR_ARG(plan->name),
               STR_ARG(cause.msg));
        err_clear(&cause);
        return -1;
    }
    return check_size(p, plan, err);
}

/* Files of a layer were looked for in its folder: name their paths from the service's. */
static int select_layer(struct packer *p, const struct plan *plan, struct file_list *ret,
                        struct err *err)
{
    struct str service = p->service->dir, dir = path_join(p->arena, service, plan->dir);
    if (files_select(p->arena, dir, service, &plan->selection, 1, p->options->jobs, ret, err) < 0)
        return -1;
    for (size_t i = 0; i < ret->count; i++)
        ret->files[i].path =
            path_clean(p->arena, path_join(p->arena, plan->dir, ret->files[i].path));
    return 0;
}

/* Select the files of all zips that are to be made, and check them. */
static int select_files(struct packer *p, struct err *err)
{
    struct selection *selections = ARENA_ARRAY(p->arena, p->plans.n, struct selection);
    p->lists = ARENA_ARRAY(p->arena, p->plans.n, struct file_list);
    size_t n = 0;
    vec_each (&p->plans, plan)
        if (!plan->path.n && !plan->dir.n)
            selections[n++] = plan->selection;
    if (files_select(p->arena, p->service->dir, p->service->dir, selections, n, p->options->jobs,
                     p->lists, err) < 0)
        return -1;
    /* plans of layers come last, because functions were planned first */
    vec_each (&p->plans, plan)
        if (plan->dir.n && select_layer(p, plan, &p->lists[n++], err) < 0)
            return -1;
    p->list_count = n;
    n = 0;
    vec_each (&p->plans, plan) {
        if (plan->path.n)
            continue;
        plan->list = p->lists[n++];
        for (size_t i = 0; i < plan->list.count; i++)
            plan->summary.unzipped_bytes += plan->list.files[i].size_bytes;
        plan->summary.file_count = plan->list.count;
        if (check_size(p, plan, err) < 0)
            return -1;
    }
    return 0;
}

static int check_handlers(struct packer *p, struct err *err)
{
    for (size_t i = 0; i < p->service->function_count; i++) {
        const struct plan *plan = p->plan_of[i] ? &p->plans.p[p->plan_of[i] - 1] : NULL;
        cleanup_err struct err one = {0};
        if (!plan || plan->path.n ||
            handler_check(p->service, &p->service->functions[i], &plan->list, &one) == 0)
            continue;
        if (!p->options->handlers_may_lack)
            err_also(err, &one);
        else if (p->options->warn)
            p->options->warn(p->options->warn_context, one.pos, one.msg, one.help);
    }
    return err->kind ? -1 : 0;
}

static int build_one(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch, (void)err;
    struct packer *p = context;
    struct plan *plan = &p->plans.p[index];
    if (!plan->path.n)
        zip_write(p->store, &plan->list, plan->out);
    sha256(plan->bytes, plan->digest);
    return 0;
}

static int build(struct packer *p, struct err *err)
{
    if (content_store_add(p->store, p->lists, p->list_count, p->options->jobs, err) < 0)
        return -1;
    vec_each (&p->plans, plan) {
        if (plan->path.n)
            continue;
        if (zip_size(p->store, &plan->list, &plan->bytes.n, err) < 0)
            return -1;
        plan->bytes.p = plan->out = arena_alloc(p->arena, plan->bytes.n);
    }
    return pool_run(p->plans.n, p->options->jobs, build_one, p, err);
}

/* ---- results ---- */

static void hand_out(struct packer *p, struct packed *ret)
{
    struct arena *a = p->arena;
    size_t n = p->service->function_count;
    *ret = (struct packed){.artifacts = ARENA_ARRAY(a, p->plans.n, struct artifact),
                           .artifact_count = p->plans.n,
                           .of_function = ARENA_ARRAY(a, n, const struct artifact *),
                           .of_layer = ARENA_ARRAY(a, p->layers->size, const struct artifact *)};
    for (size_t i = 0; i < p->plans.n; i++) {
        const struct plan *plan = &p->plans.p[i];
        ret->artifacts[i] =
            (struct artifact){.name = plan->name,
                              .path = plan->path,
                              .bytes = plan->bytes,
                              .sha256_hex = hex_encode(a, plan->digest, SHA256_BYTES),
                              .sha256_base64 = base64_encode(a, plan->digest, SHA256_BYTES),
                              .unzipped_bytes = plan->summary.unzipped_bytes,
                              .file_count = plan->summary.file_count};
    }
    for (size_t i = 0; i < n; i++)
        if (p->plan_of[i])
            ret->of_function[i] = &ret->artifacts[p->plan_of[i] - 1];
    for (size_t i = 0; i < p->layers->size; i++)
        ret->of_layer[i] = &ret->artifacts[p->plan_of_layer[i]];
}

static void plan_layers(struct packer *p, struct err *err)
{
    for (size_t i = 0; i < p->layers->size; i++) {
        struct err one = {0};
        plan_layer(p, &p->layers->members[i], &p->plan_of_layer[i], &one);
        err_also(err, &one);
    }
}

static int run(struct packer *p, struct err *err)
{
    for (size_t i = 0; i < p->service->function_count; i++)
        if (plan_function(p, i, err) < 0)
            return -1;
    plan_layers(p, err);
    vec_each (&p->plans, plan) {
        struct err one = {0};
        if (plan->path.n)
            read_given(p, plan, &one);
        err_also(err, &one);
    }
    if (err->kind || select_files(p, err) < 0 || check_handlers(p, err) < 0)
        return -1;
    return build(p, err);
}

int pack_service(struct arena *a, const struct service *service, const struct pack_options *options,
                 struct packed *ret, struct err *err)
{
    __attribute__((cleanup(content_store_free))) struct content_store *store =
        content_store_new(a, service->dir);
    const struct node *layers = node_get_c(service->root, "layers");
    struct packer p = {.arena = a, .service = service, .options = options, .store = store};
    p.layers = layers ? layers : node_map(a);
    p.plan_of = ARENA_ARRAY(a, service->function_count, size_t);
    p.plan_of_layer = ARENA_ARRAY(a, p.layers->size, size_t);
    if (run(&p, err) < 0)
        return -1;
    hand_out(&p, ret);
    return 0;
}

static int same_name(const struct artifact *made, struct err *err)
{
    err_set(err, ERR_CONFIG,
            "two zips would be called '%.*s': one of a layer, the other of the "
            "code",
            STR_ARG(made->name));
    return err_help(err, "give the layer another key, and its present one as 'name'");
}

int pack_write(struct arena *a, const struct packed *packed, struct str dir, struct err *err)
{
    struct map names = MAP(a);
    if (fs_mkdirs(dir, err) < 0)
        return -1;
    for (size_t i = 0; i < packed->artifact_count; i++) {
        const struct artifact *made = &packed->artifacts[i];
        if (!made->path.n && map_has(&names, made->name))
            return same_name(made, err);
        if (!made->path.n)
            map_put(&names, made->name, &names);
        if (!made->path.n && fs_write(path_join(a, dir, made->name), made->bytes, 0644, err) < 0)
            return -1;
    }
    return 0;
}
