/* From images as the file names them to URIs with a digest. */
#include "release/image/image.h"

#include "aws/services/services.h"
#include "base/fs.h"
#include "release/stack/stack.h"

struct resolving {
    const struct release *r;
    const struct image_request *request;
    struct ecr_repository repository; /* empty: not looked for yet, or not there */
    struct str builder;               /* empty: not needed yet */
    bool looked, logged_in;
};

struct str image_repository(struct arena *a, const struct service *service)
{
    struct str name = str_fmt(a, LAYOUT_FOLDER "/%.*s", STR_ARG(str_lower(a, service->name)));
    return service->remote ? path_join(a, name, service->home) : name;
}

struct str image_repository_flat(struct arena *a, const struct service *service)
{
    struct str name =
        str_fmt(a, "serverless-%.*s-%.*s", STR_ARG(service->name), STR_ARG(service->stage));
    name = str_lower(a, name);
    for (struct str shorter;
         shorter = str_replace(a, name, STR("--"), STR("-")), shorter.n < name.n;)
        name = shorter;
    return str_ends(name, STR("-")) ? str_sub(name, 0, name.n - 1) : name;
}

/* ---- images that are named ---- */

/* 123456789012.dkr.ecr.us-east-1.amazonaws.com/repository:tag */
static int resolve_uri(struct resolving *x, const struct compile_image *image, struct str *ret,
                       struct err *err)
{
    struct arena *a = x->r->arena;
    struct str rest = image->uri, host, account, region, repository, digest;
    str_cut(&rest, '/', &host);
    str_cut(&rest, ':', &repository);
    struct str tag = rest.n ? rest : STR("latest"), parts = host;
    str_cut(&parts, '.', &account);
    for (int i = 0; i < 3; i++) /* "dkr", "ecr", the region */
        str_cut(&parts, '.', &region);
    if (!str_eq(region, aws_region(x->r->aws))) {
        err_at(err, image->pos, ERR_CONFIG, "image '%.*s' is in %.*s, and its function in %.*s",
               STR_ARG(image->uri), STR_ARG(region), STR_ARG(aws_region(x->r->aws)));
        return err_help(err, "Lambda takes images of its own region: push it there, too");
    }
    if (ecr_digest(a, x->r->aws, account, repository, tag, &digest, err) < 0) {
        if (err->kind == ERR_NOT_FOUND) {
            err_clear(err);
            return err_at(err, image->pos, ERR_CONFIG, "there is no image '%.*s'",
                          STR_ARG(image->uri));
        }
        return err_wrap(err, "image '%.*s'", STR_ARG(image->uri));
    }
    *ret = str_fmt(a, "%.*s/%.*s@%.*s", STR_ARG(host), STR_ARG(repository), STR_ARG(digest));
    return 0;
}

/* ---- images that are built ---- */

static int find_repository(struct resolving *x, struct err *err)
{
    if (x->looked)
        return 0;
    x->looked = true;
    if (ecr_repository(x->r->arena, x->r->aws, x->request->repository, &x->repository, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return err_wrap(err, "repository '%.*s'", STR_ARG(x->request->repository));
    err_clear(err);
    x->repository = (struct ecr_repository){{"", 0}, {"", 0}};
    return 0;
}

static int make_repository(struct resolving *x, struct err *err)
{
    struct arena *a = x->r->arena;
    const struct node *scan = node_path(x->r->service->root, "provider.ecr.scanOnPush");
    if (x->repository.uri.n)
        return 0;
    struct node *tags = node_map(a);
    node_put_str(a, tags, TAG_SERVICE, x->r->service->name);
    if (ecr_create(a, x->r->aws, x->request->repository, node_bool_or(scan, false), tags,
                   &x->repository, err) == 0) {
        release_finished(x->r, "image", "repository '%.*s' created",
                         STR_ARG(x->request->repository));
        return 0;
    }
    if (err->kind != ERR_CONFLICT)
        return err_wrap(err, "make repository '%.*s'", STR_ARG(x->request->repository));
    err_clear(err); /* somebody was faster */
    x->looked = false;
    return find_repository(x, err);
}

static void push_text(struct arena *a, struct node *words, struct str word)
{
    node_push(a, words, node_str(a, word));
}

static int run(struct resolving *x, const struct node *more, struct str input, struct err *err)
{
    struct arena *a = x->r->arena;
    struct node *words = node_seq(a);
    push_text(a, words, x->builder);
    node_each (word, more)
        node_push(a, words, word);
    return builder_run(a, x->r->service->dir, words, input, err);
}

/* The password goes by standard input: others could read it in the list of processes. */
static int log_in(struct resolving *x, struct err *err)
{
    struct arena *a = x->r->arena;
    struct str password, rest = x->repository.uri, host;
    static const char *const words[] = {"login", "--username", "AWS", "--password-stdin"};
    struct node *login = node_seq(a);
    if (x->logged_in)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        push_text(a, login, str_c(words[i]));
    str_cut(&rest, '/', &host);
    push_text(a, login, host);
    if (ecr_login(a, x->r->aws, &password, err) < 0)
        return err_wrap(err, "log in to the registry");
    x->logged_in = true;
    return run(x, login, password, err);
}

static void push_option(struct arena *a, struct node *words, const struct node *settings,
                        const char *key)
{
    struct str value = node_text(node_get_c(settings, key));
    if (value.n)
        push_text(a, words, str_fmt(a, "--%s=%.*s", key, STR_ARG(value)));
}

/* The words that the dialect's reference gives docker. */
static const struct node *build_words(struct resolving *x, const struct compile_image *image,
                                      struct str name)
{
    struct arena *a = x->r->arena;
    struct node *words = node_seq(a);
    push_text(a, words, STR("build"));
    push_text(a, words, STR("-t"));
    push_text(a, words, name);
    push_text(a, words, STR("-f"));
    push_text(a, words, path_join(a, path_join(a, x->r->service->dir, image->path), image->file));
    member_each (m, node_get_c(image->settings, "buildArgs")) {
        push_text(a, words, STR("--build-arg"));
        push_text(a, words, str_fmt(a, "%.*s=%.*s", STR_ARG(m->key), STR_ARG(node_text(m->value))));
    }
    node_each (from, node_get_c(image->settings, "cacheFrom")) {
        push_text(a, words, STR("--cache-from"));
        node_push(a, words, from);
    }
    node_each (option, node_get_c(image->settings, "buildOptions"))
        node_push(a, words, option);
    push_text(a, words, image->path);
    push_option(a, words, image->settings, "platform");
    push_option(a, words, image->settings, "provenance");
    return words;
}

static int build(struct resolving *x, const struct compile_image *image, struct str tag,
                 struct err *err)
{
    struct arena *a = x->r->arena;
    if (!x->builder.n && builder_find(a, &x->builder, err) < 0)
        return err_wrap(err, "image '%.*s'", STR_ARG(image->name));
    if (make_repository(x, err) < 0)
        return -1;
    struct str name = str_fmt(a, "%.*s:%.*s", STR_ARG(x->repository.uri), STR_ARG(tag));
    struct node *push = node_seq(a);
    push_text(a, push, STR("push"));
    push_text(a, push, name);
    release_progress(x->r, "image", "building '%.*s'", STR_ARG(image->name));
    if (run(x, build_words(x, image, name), STR(""), err) < 0 || log_in(x, err) < 0 ||
        run(x, push, STR(""), err) < 0)
        return err_wrap(err, "image '%.*s'", STR_ARG(image->name));
    release_finished(x->r, "image", "'%.*s' built and pushed", STR_ARG(image->name));
    return 0;
}

/* The digest that the tag has in the repository; empty: none. */
static int find_digest(struct resolving *x, struct str tag, struct str *ret, struct err *err)
{
    struct str none = {"", 0};
    *ret = none;
    if (!x->repository.uri.n ||
        ecr_digest(x->r->arena, x->r->aws, none, x->request->repository, tag, ret, err) == 0)
        return 0;
    if (err->kind != ERR_NOT_FOUND)
        return -1;
    err_clear(err);
    *ret = none;
    return 0;
}

static int resolve_built(struct resolving *x, const struct compile_image *image, struct str tag,
                         struct str *ret, struct err *err)
{
    struct arena *a = x->r->arena;
    struct str digest;
    if (find_repository(x, err) < 0 || find_digest(x, tag, &digest, err) < 0)
        return -1;
    if (!digest.n && x->request->look_only) {
        release_finished(x->r, "image", "'%.*s' would be built", STR_ARG(image->name));
        *ret = str_fmt(a, "%.*s:%.*s", STR_ARG(x->request->repository), STR_ARG(tag));
        return 0;
    }
    if (!digest.n && (build(x, image, tag, err) < 0 || find_digest(x, tag, &digest, err) < 0))
        return -1;
    if (!digest.n)
        return err_set(err, ERR_FAILED,
                       "image '%.*s' was pushed, and the registry has none with "
                       "the tag '%.*s'",
                       STR_ARG(image->name), STR_ARG(tag));
    *ret = str_fmt(a, "%.*s@%.*s", STR_ARG(x->repository.uri), STR_ARG(digest));
    return 0;
}

int images_resolve(const struct release *r, const struct image_request *request,
                   const struct node **ret, struct err *err)
{
    struct resolving x = {.r = r, .request = request};
    struct node *map = node_map(r->arena);
    struct str *tags = ARENA_ARRAY(r->arena, request->count + 1, struct str);
    /* What is wrong with a folder is said before another one is built. */
    for (size_t i = 0; i < request->count; i++) {
        struct err wrong = {0};
        if (!request->images[i].uri.n)
            image_tag(r->arena, r->service->dir, &request->images[i], &tags[i], &wrong);
        err_also(err, &wrong);
    }
    if (err->kind)
        return -1;
    for (size_t i = 0; i < request->count; i++) {
        const struct compile_image *image = &request->images[i];
        struct str uri;
        if (image->uri.n ? resolve_uri(&x, image, &uri, err) < 0
                         : resolve_built(&x, image, tags[i], &uri, err) < 0)
            return -1;
        node_put_str(r->arena, map, str_z(r->arena, image->key), uri);
    }
    *ret = map;
    return 0;
}
