/* Places: stages in other regions. */
#include "release/world/region.h"

#include "base/map.h"
#include "base/vec.h"
#include "doc/json.h"
#include "cfn/template.h"
#include "release/bucket/stage_address.h"

#define MARK "region.json"

struct str region_address(const struct release *r, struct str address)
{
    struct str region, stage = address_stage(address, &region);
    return str_eq(region, r->service->home) ? stage : address;
}

/* ---- clients ---- */

struct release region_home(const struct release *r)
{
    struct release home = *r;
    if (r->home)
        home.aws = r->home;
    return home;
}

int region_at(const struct release *r, struct str address, struct release *ret, struct err *err)
{
    struct service *s = ARENA_NEW(r->arena, struct service);
    struct str region;
    *s = *r->service;
    s->stage = address_stage(address, &region);
    s->address = address;
    s->remote = region.n > 0;
    s->region = s->remote ? region : s->home;
    *ret = region_home(r);
    ret->home = ret->aws;
    ret->service = s;
    if (!s->remote)
        return 0;
    ret->aws = r->client(r->client_context, region, err);
    return ret->aws ? 0 : -1;
}

/* ---- the regions there are ---- */

int regions_list(const struct release *r, const struct store *store, struct str **ret,
                 size_t *ret_n, struct err *err)
{
    struct arena *a = r->arena;
    struct s3_object *objects;
    struct map seen = MAP(a);
    VEC(struct str) all = {0};
    struct str prefix = store_key(a, store, "stages/");
    size_t n = 0;
    if (store->bucket.n && store_list(a, store, prefix, &objects, &n, err) < 0)
        return err_wrap(err, "list the stages");
    for (size_t i = 0; i < n; i++) {
        struct str rest = str_sub(objects[i].key, prefix.n, objects[i].key.n), address, region;
        str_cut(&rest, '/', &address);
        address_stage(address, &region);
        if (!region.n || map_has(&seen, region))
            continue;
        map_put(&seen, region, a);
        vec_push(a, &all, region);
    }
    *ret = all.p;
    *ret_n = all.n;
    return 0;
}

int region_mark(const struct release *r, const struct store *store, struct err *err)
{
    struct arena *a = r->arena;
    struct region_mark content = {.region = r->service->region};
    struct str key = store_key(a, store, "stages/%.*s/" MARK, STR_ARG(r->service->address));
    if (!r->service->remote)
        return 0;
    struct s3_put object = {.key = key, .body = object_text(a, &region_table, &content)};
    if (store_put(a, store, &object, NULL, err) < 0)
        return err_wrap(err, "note the region of '%.*s'", STR_ARG(r->service->address));
    return 0;
}

/* ---- the bucket for its artifacts ---- */

int region_copy(struct arena *a, const struct store *from, const struct store *to,
                struct str sha256, struct err *err)
{
    bool there;
    struct str key = store_key(a, from, "artifacts/%.*s.zip", STR_ARG(sha256));
    if (store_head(a, to, key, &there, NULL, err) < 0)
        return -1;
    return there ? 0 : store_copy(a, from, to, key, err);
}

const struct node *region_bucket_template(struct arena *a, const struct node *target,
                                          const struct node *now)
{
    const struct node *resource = node_get_c(node_get_c(target, "Resources"), REMOTE_BUCKET);
    const struct node *output = node_get_c(node_get_c(target, "Outputs"), REMOTE_BUCKET_OUTPUT);
    const struct node *resources = node_get_c(now, "Resources");
    if (!resource || node_get_c(resources, REMOTE_BUCKET))
        return NULL;
    struct node *out = cfn_with(a, now, "AWSTemplateFormatVersion", node_str(a, STR("2010-09-09")));
    node_put_c(a, out, "Resources", cfn_with(a, resources, REMOTE_BUCKET, resource));
    node_put_c(a, out, "Outputs",
               cfn_with(a, node_get_c(now, "Outputs"), REMOTE_BUCKET_OUTPUT, output));
    return out;
}
