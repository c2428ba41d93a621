/* Packaging a service: selections, contents, zips, and what has to be checked before anything is
 * contacted. */
#include "pack/pack.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/vec.h"
#include "pack/given.h"
#include "pack/known_zips.h"

/* Limit for a zip that was given: a larger one cannot be below the limit of what is unzipped. */
static const uint64_t GIVEN_BYTES_MAX = (uint64_t)512 * 1024 * 1024;

struct zip_summary {
    uint64_t unzipped_bytes;
    size_t file_count;
};

/* A zip to be made, or one that was given. */
struct plan {
    struct str name;
    struct str path;           /* of a zip that was given: absolute */
    struct pos pos;            /* of `artifact:`, or of `package` */
    const struct function *fn; /* the function that it is made for; NULL: for several */
    struct str dir;            /* of a layer's files, relative to the service; empty: the service */
    struct selection selection;
    const struct pack_files *built;    /* NULL: `selection` says which files */
    const struct pack_addition *added; /* to what it selects; may be NULL */
    struct file **selected;            /* what it has selected, to be compared by address */
    struct file_list list;
    uint64_t zip_bytes;
    bool again;        /* of the zip that was given, made again */
    uint64_t machines; /* of that zip: bits as of struct known_zip */
    size_t same; /* index of the first plan with the same files: its own, or an earlier one's */
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
    struct known_zips known;
};

/* ---- which zips there are ---- */

static size_t plan_given(struct packer *p, const struct node *artifact)
{
    const struct service *s = p->service;
    struct str dir = s->artifact_dir.n ? s->artifact_dir : s->dir;
    struct str path = path_absolute(p->arena, path_join(p->arena, dir, node_text(artifact)));
    vec_each (&p->plans, plan)
        if (str_eq(plan->path, path))
            return (size_t)(plan - p->plans.p);
    vec_push(p->arena, &p->plans,
             (struct plan){.name = path_base(path), .path = path, .pos = node_pos(artifact)});
    return p->plans.n - 1;
}

static const struct pack_addition *added_to(const struct packer *p, const struct function *fn)
{
    const struct pack_options *o = p->options;
    return !fn ? o->added_to_service : o->added ? o->added[fn - p->service->functions] : NULL;
}

/* "hello-shop-dev-api.zip" of a function with what is below a folder, as its plugin names it. */
static struct str made_name(struct arena *a, const struct function *fn,
                            const struct pack_addition *added, struct str key)
{
    return fn && added && added->folder.n
               ? str_fmt(a, "%.*s-%.*s.zip", STR_ARG(path_base(added->folder)), STR_ARG(fn->name))
               : str_concat(a, key, STR(".zip"));
}

static size_t plan_made(struct packer *p, const struct function *fn)
{
    struct str key = fn ? fn->key : p->service->name;
    const struct pack_addition *added = added_to(p, fn);
    if (!fn)
        vec_each (&p->plans, plan)
            if (!plan->path.n && !plan->fn && !plan->dir.n)
                return (size_t)(plan - p->plans.p);
    vec_push(p->arena, &p->plans,
             (struct plan){.name = made_name(p->arena, fn, added, key),
                           .fn = fn,
                           .added = added,
                           .selection = selection_of(p->arena, p->service, p->options, fn)});
    p->plans.p[p->plans.n - 1].pos = p->plans.p[p->plans.n - 1].selection.pos;
    p->plans.p[p->plans.n - 1].built = fn ? NULL : p->options->built_service;
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
    if (p->options->built && p->options->built[index]) {
        p->plan_of[index] = 1 + plan_made(p, fn);
        p->plans.p[p->plans.n - 1].built = p->options->built[index];
        return 0;
    }
    bool own_zip = node_bool_or(node_get_c(own, "individually"), false);
    bool individually = own_zip || node_bool_or(node_get_c(package, "individually"), false);
    const struct node *artifact = node_get_c(own, "artifact");
    if (!node_text(artifact).n && !own_zip)
        artifact = p->options->built_service ? NULL : node_get_c(package, "artifact");
    bool given = node_text(artifact).n > 0;
    if (given && str_starts(node_text(artifact), STR("s3://")))
        return refuse_s3(artifact, err);
    if (!given && !individually && !p->options->built_service)
        warn_ignored(p, fn, own);
    p->plan_of[index] =
        1 + (given ? plan_given(p, artifact) : plan_made(p, individually ? fn : NULL));
    return 0;
}

/* A layer's zip has the files of its folder, named from there. */
static int plan_layer(struct packer *p, const struct member *layer, size_t *ret, struct err *err)
{
    size_t index = (size_t)(layer - p->layers->members);
    if (p->options->built_layers && p->options->built_layers[index]) {
        vec_push(p->arena, &p->plans,
                 (struct plan){.name = str_concat(p->arena, layer->key, STR(".zip")),
                               .pos = layer->key_pos,
                               .built = p->options->built_layers[index]});
        return *ret = p->plans.n - 1, 0;
    }
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
    err_note(err, (struct pos){0}, "the largest in it: %.*s",
             STR_ARG(largest_in(p->arena, &plan->list)));
    return err_help(err, plan->path.n ? "leave out what is not needed when the zip is made"
                                      : "leave out what is not needed with package patterns");
}

/* ---- making zips ---- */

static void sum_up(const struct zip_entry *entries, size_t n, struct known_zip *ret)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t most = UINT64_MAX - ret->unzipped_bytes;
        ret->unzipped_bytes += entries[i].size < most ? entries[i].size : most;
        ret->file_count += !str_ends(entries[i].name, STR("/"));
    }
}

/* Find out what there is to know of a zip: of itself, or of what is made again of it. A zip with
 * something that would be lost is taken as it is. */
static int read_zip(struct arena *a, int fd, const struct zip_entry *entries, size_t n,
                    struct known_zip *ret, struct err *err)
{
    sum_up(entries, n, ret);
    for (size_t i = 0; i < n; i++)
        ret->machines |= machine_bit(given_machine(fd, &entries[i]));
    ret->plain = given_is_plain(a, entries, n);
    ret->zip_bytes = ret->stamp.size;
    /* too large ones are refused later, and would only take long */
    if (!ret->again || !ret->plain || ret->unzipped_bytes > UNZIPPED_BYTES_MAX)
        return given_hash(fd, ret->sha256, err);
    struct content_store *store = content_store_new(a, STR("/"), STR(""), false);
    struct file_list list;
    int done = given_load(a, store, fd, ret->stamp.size, &list, err);
    if (done == 0)
        done = zip_identify(store, &list, &ret->zip_bytes, ret->sha256, err);
    content_store_drop(store);
    return done;
}

static int inspect_given(struct packer *p, struct plan *plan, struct err *err)
{
    cleanup_arena struct arena *a = arena_new();
    struct stat st;
    cleanup_fd int fd = given_open(a, plan->path, &st, err);
    if (fd < 0)
        return -1;
    struct known_zip zip = {.stamp = stamp_of(&st), .again = p->options->make_given_again};
    const struct known_zip *known = known_zips_find(&p->known, &zip.stamp, zip.again);
    if (zip.stamp.size > GIVEN_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "larger than %.0f MB", megabytes(GIVEN_BYTES_MAX));
    struct zip_entry *entries;
    size_t n;
    if (zip_entries(a, fd, zip.stamp.size, &entries, &n, err) < 0)
        return -1;
    given_list(p->arena, entries, n, &plan->list);
    if (!known) {
        if (read_zip(a, fd, entries, n, &zip, err) < 0)
            return -1;
        known_zips_put(&p->known, &zip, false);
        known = &zip;
    }
    plan->summary = (struct zip_summary){known->unzipped_bytes, known->file_count};
    plan->zip_bytes = known->zip_bytes;
    plan->again = known->again && known->plain;
    plan->machines = known->machines;
    memcpy(plan->digest, known->sha256, SHA256_BYTES);
    return 0;
}

static int read_given(struct packer *p, struct plan *plan, struct err *err)
{
    struct err cause = {0};
    if (inspect_given(p, plan, &cause) < 0) {
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
    if (files_select(p->arena, dir, service, NULL, &plan->selection, 1, p->options->jobs, ret,
                     err) < 0)
        return -1;
    for (size_t i = 0; i < ret->count; i++)
        ret->files[i]->path =
            path_clean(p->arena, path_join(p->arena, plan->dir, ret->files[i]->path));
    return 0;
}

/* Functions that add the same to the same have one list, so one zip. */
static int add_files(struct packer *p, struct plan *plan, struct err *err)
{
    vec_each (&p->plans, other)
        if (other < plan && other->added == plan->added && other->selected == plan->selected)
            return plan->list = other->list, 0;
    struct file_list selected = plan->list;
    return files_add(p->arena, plan->added, &selected, &plan->list, err);
}

static int list_files(struct packer *p, struct plan *plan, const struct file_list **selected,
                      struct err *err)
{
    struct file_list *ret = &plan->list;
    if (plan->dir.n)
        return select_layer(p, plan, ret, err);
    if (plan->built) {
        if (files_given(p->arena, plan->built, ret, err) < 0)
            return -1;
        plan->selected = ret->files;
        return plan->added ? add_files(p, plan, err) : 0;
    }
    *ret = *(*selected)++; /* its files are also those of other lists */
    plan->selected = ret->files;
    for (size_t i = 0; p->options->built_dir.n && i < ret->count; i++)
        if (ret->files[i]->path.p[0] != '/')
            ret->files[i]->path = path_join(p->arena, p->options->built_dir, ret->files[i]->path);
    return plan->added ? add_files(p, plan, err) : 0;
}

/* Select the files of all zips that are to be made, and check them. */
static int select_files(struct packer *p, struct err *err)
{
    struct selection *selections = ARENA_ARRAY(p->arena, p->plans.n, struct selection);
    struct file_list *lists = ARENA_ARRAY(p->arena, p->plans.n, struct file_list);
    const struct file_list *selected = lists;
    struct str dir = p->options->built_dir.n ? p->options->built_dir : p->service->dir;
    size_t n = 0;
    p->lists = ARENA_ARRAY(p->arena, p->plans.n, struct file_list);
    vec_each (&p->plans, plan)
        if (!plan->path.n && !plan->dir.n && !plan->built)
            selections[n++] = plan->selection;
    if (files_select(p->arena, dir, dir, p->options->beside, selections, n, p->options->jobs, lists,
                     err) < 0)
        return -1;
    vec_each (&p->plans, plan) {
        if (plan->path.n)
            continue;
        if (list_files(p, plan, &selected, err) < 0)
            return -1;
        p->lists[p->list_count++] = plan->list;
        for (size_t i = 0; i < plan->list.count; i++)
            plan->summary.unzipped_bytes += plan->list.files[i]->stamp.size;
        plan->summary.file_count = plan->list.count;
        if (check_size(p, plan, err) < 0)
            return -1;
    }
    return 0;
}

/* Refuse what is certain to fail, and warn of what may. */
static void complain(struct packer *p, bool certain, struct err *one, struct err *err)
{
    if (certain && !p->options->handlers_may_lack)
        err_also(err, one);
    else if (p->options->warn)
        p->options->warn(p->options->warn_context, one->pos, one->msg, one->help);
}

static int check_handlers(struct packer *p, struct err *err)
{
    for (size_t i = 0; i < p->service->function_count; i++) {
        const struct plan *plan = p->plan_of[i] ? &p->plans.p[p->plan_of[i] - 1] : NULL;
        cleanup_err struct err one = {0};
        bool certain;
        if (plan &&
            handler_check(p->service, &p->service->functions[i], &plan->list,
                          plan->path.n ? plan->name : (struct str){"", 0}, &certain, &one) < 0)
            complain(p, certain, &one, err);
    }
    return err->kind ? -1 : 0;
}

/* Read which processors the programs in the zip are for, when it may be of interest. */
static bool has_other_machines(const struct packer *p, const struct plan *plan,
                               const struct function *fn)
{
    cleanup_arena struct arena *a = arena_new();
    cleanup_err struct err ignored = {0};
    struct stat st;
    struct zip_entry *entries;
    size_t n;
    if (!binaries_may_misfit(p->service, fn, plan->machines))
        return false;
    cleanup_fd int fd = given_open(a, plan->path, &st, &ignored);
    if (fd < 0 || zip_entries(a, fd, (uint64_t)st.st_size, &entries, &n, &ignored) < 0)
        return false; /* it was there a moment ago: whoever reads it next says so */
    given_set_machines(p->arena, fd, entries, n, &plan->list);
    return true;
}

/* Said of the first function of each zip, architecture and runtime. */
static int check_binaries(struct packer *p, struct err *err)
{
    struct map seen = MAP(p->arena);
    for (size_t i = 0; i < p->service->function_count; i++) {
        const struct function *fn = &p->service->functions[i];
        const struct plan *plan = p->plan_of[i] ? &p->plans.p[p->plan_of[i] - 1] : NULL;
        cleanup_err struct err one = {0};
        bool certain;
        if (!plan)
            continue;
        struct str key = str_fmt(p->arena, "%zu %.*s %.*s", plan->same,
                                 STR_ARG(node_text(node_get_c(fn->node, "architecture"))),
                                 STR_ARG(node_text(node_get_c(fn->node, "runtime"))));
        if (map_has(&seen, key))
            continue;
        map_put(&seen, key, p);
        if (plan->path.n && !has_other_machines(p, plan, fn))
            continue;
        if (binaries_check(p->service, fn, &plan->list, &certain, &one) < 0)
            complain(p, certain, &one, err);
    }
    return err->kind ? -1 : 0;
}

static int build_one(size_t index, void *context, struct arena *scratch, struct err *err)
{
    (void)scratch;
    struct packer *p = context;
    struct plan *plan = &p->plans.p[index];
    if (plan->path.n || plan->same != index)
        return 0;
    return zip_identify(p->store, &plan->list, &plan->zip_bytes, plan->digest, err);
}

/* Find plans of the same files: their zip is made once. */
static void find_same(struct packer *p)
{
    for (size_t i = 0; i < p->plans.n; i++) {
        struct plan *plan = &p->plans.p[i];
        plan->same = i;
        for (size_t k = 0; k < i && plan->same == i && !plan->path.n; k++)
            if (!p->plans.p[k].path.n && p->plans.p[k].list.files == plan->list.files)
                plan->same = k;
    }
}

static int build(struct packer *p, struct err *err)
{
    if (content_store_add(p->store, p->lists, p->list_count, p->options->jobs, err) < 0)
        return -1;
    find_same(p);
    if (check_binaries(p, err) < 0)
        return -1;
    if (pool_run(p->plans.n, p->options->jobs, build_one, p, err) < 0)
        return -1;
    vec_each (&p->plans, plan) {
        plan->zip_bytes = p->plans.p[plan->same].zip_bytes;
        memmove(plan->digest, p->plans.p[plan->same].digest, SHA256_BYTES);
    }
    return 0;
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
        struct artifact_source *source = ARENA_NEW(a, struct artifact_source);
        *source = (struct artifact_source){plan->path.n ? NULL : p->store, plan->list, plan->again};
        ret->artifacts[i] =
            (struct artifact){.name = plan->name,
                              .path = plan->path,
                              .zip_bytes = plan->zip_bytes,
                              .source = source,
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
    const struct node *layers = node_get_c(service->root, "layers");
    struct packer p = {.arena = a, .service = service, .options = options};
    p.store = content_store_new(a, service->dir, service_path(a, service), !options->no_cache);
    p.known = known_zips_open(a, service, options->no_cache);
    p.layers = layers ? layers : node_map(a);
    p.plan_of = ARENA_ARRAY(a, service->function_count, size_t);
    p.plan_of_layer = ARENA_ARRAY(a, p.layers->size, size_t);
    if (run(&p, err) < 0) {
        content_store_drop(p.store);
        return -1;
    }
    content_store_keep(p.store);
    known_zips_keep(&p.known);
    hand_out(&p, ret);
    return 0;
}
