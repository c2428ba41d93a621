/* Deleting the repositories of a service. */
#include "release/dispose/repositories.h"

#include "aws/services/destroy.h"
#include "release/dispose/dispose_internal.h"
#include "release/image/image.h"
#include "release/world/region.h"

#define REPOSITORY_TYPE "AWS::ECR::Repository"

/* ---- which there are ---- */

static bool names_one(const struct release *r, const struct record *record)
{
    const struct node *images = record->body ? record->body->images : NULL;
    struct str folder = str_fmt(r->arena, "/%.*s", STR_ARG(image_repository(r->arena, r->service)));
    member_each (m, images)
        if (str_find(node_text(m->value), folder, 0) >= 0)
            return true;
    return false;
}

static bool has_built(const struct release *r, const struct record *records, size_t n)
{
    if (node_path(r->service->root, "provider.ecr"))
        return true;
    for (size_t i = 0; i < n; i++)
        if (names_one(r, &records[i]))
            return true;
    return false;
}

/* Whoever made it said so in its tags; whatever is in it was pushed by troupe. */
static struct str why_foreign(const struct release *r, struct str name, struct str arn)
{
    struct arena *a = r->arena;
    cleanup_err struct err err = {0};
    const struct node *tags, *pushed;
    if (ecr_tags(a, r->aws, arn, &tags, &err) < 0 ||
        ecr_image_tags(a, r->aws, name, &pushed, &err) < 0)
        return str_fmt(a, "nobody knows whose it is: %.*s", STR_ARG(err.msg));
    if (!str_eq(node_text(node_get_c(tags, TAG_SERVICE)), r->service->name))
        return STR("it has no owner tag of the service");
    node_each (tag, pushed)
        if (!image_is_tag(node_text(tag)))
            return str_fmt(a, "it has image '%.*s', which somebody else pushed",
                           STR_ARG(node_text(tag)));
    return STR("");
}

static int add_region(const struct release *r, struct str region, repository_list *ret,
                      struct err *err)
{
    struct arena *a = r->arena;
    struct release *at = ARENA_NEW(a, struct release);
    struct ecr_repository found;
    struct str address = region.n ? str_fmt(a, "@%.*s", STR_ARG(region)) : STR("");
    if (region_at(r, address, at, err) < 0)
        return -1;
    struct repository one = {.name = image_repository(a, at->service), .region = region, .at = at};
    if (ecr_repository(a, at->aws, one.name, &found, err) == 0) {
        one.foreign = why_foreign(at, one.name, found.arn);
    } else if (err->kind == ERR_DENIED) {
        one.foreign = str_fmt(a, "nobody knows whether it is there: %.*s", STR_ARG(err->msg));
    } else if (err->kind != ERR_NOT_FOUND) {
        return err_wrap(err, "repository '%.*s'", STR_ARG(one.name));
    }
    if (err->kind != ERR_NOT_FOUND)
        vec_push(a, ret, one);
    err_clear(err);
    return 0;
}

int repositories_find(const struct release *r, const struct store *store,
                      const struct record *records, size_t n, repository_list *ret, struct err *err)
{
    struct str *regions;
    size_t count;
    if (!has_built(r, records, n))
        return 0;
    if (regions_list(r, store, &regions, &count, err) < 0 || add_region(r, STR(""), ret, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (add_region(r, regions[i], ret, err) < 0)
            return -1;
    return 0;
}

/* ---- disposal ---- */

/* A function that its stack left may run an image of the repository. */
static struct str kept_function(const struct release *r)
{
    if (r->disposals)
        vec_each (&r->disposals->all, d)
            if (d->fate == FATE_KEPT && str_eq(d->type, STR("AWS::Lambda::Function")))
                return d->name;
    return STR("");
}

static int dispose_repository(const struct release *r, const struct repository *one,
                              struct err *err)
{
    struct str function = kept_function(r), why = one->foreign;
    if (!why.n && function.n)
        why = str_fmt(r->arena, "function '%.*s' stays and may run one of its images",
                      STR_ARG(function));
    if (why.n) {
        dispose_keep(r, STR(REPOSITORY_TYPE), one->name, why);
        return 0;
    }
    if (ecr_delete(r->arena, one->at->aws, one->name, err) < 0)
        return err_wrap(err, "delete repository '%.*s'", STR_ARG(one->name));
    dispose_note(r, FATE_DELETED, STR(REPOSITORY_TYPE), one->name,
                 str_c(dispose_reasons[OURS_IMAGES]));
    return 0;
}

int repositories_dispose(const struct release *r, const repository_list *all, struct err *err)
{
    vec_each (all, one)
        if (dispose_repository(r, one, err) < 0)
            return -1;
    return 0;
}
